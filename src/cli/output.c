/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/options.h"

static int failed(void)
{
	/* Whoever closed the pipe knows that he did. */
	if (errno != EPIPE)
		fprintf(stderr, "vmtime: cannot write the answer: %s\n",
		        errno ? strerror(errno) : "output error");
	return EXIT_NO_ANSWER;
}

int output_flush(void)
{
	errno = 0;
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SHOWN : failed();
}

int output_finish(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout) && fclose(stdout) == 0)
		return EXIT_SHOWN;
	return failed();
}

int output_complain(const char *sentence)
{
	fprintf(stderr, "vmtime: %s\n", sentence);
	return EXIT_NO_ANSWER;
}

int output_refusal(enum control_outcome outcome, const char *path,
                   const struct control_error *error)
{
	char sentence[ASK_SENTENCE_MAX];

	ask_explain(outcome, path, error, sentence);
	return output_complain(sentence);
}
