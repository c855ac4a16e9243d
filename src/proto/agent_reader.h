/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_AGENT_READER_H
#define PROTO_AGENT_READER_H

/*
 * agent_reader.h - where a guest-agent request ends
 *
 * A host's requests to a guest agent are JSON objects one behind another.  No
 * line's end is needed between them: qemu-ga answers at the closing brace, so an
 * agent that waited for more would leave its host waiting.  The byte 0xFF, which
 * no UTF-8 text holds, throws away whatever is pending; qemu-ga answers it with
 * an error, and so do we, because hosts were written to expect it (seen of
 * qemu-ga 7.2).
 *
 * Memory is fixed: what nests too deep or is too long is refused at once and
 * skipped up to the next line's end or 0xFF.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/slice.h"

#define AGENT_READER_MAX 4096 /* bytes of a request */
#define AGENT_READER_DEPTH   16

enum agent_reader_outcome {
	AGENT_READER_MORE,    /* all was taken, nothing is complete                        */
	AGENT_READER_REQUEST, /* *ret_request is one; valid until the next call             */
	AGENT_READER_BAD,     /* *ret_why is why: to be answered as an error                */
};

struct agent_reader {
	enum {
		AGENT_READER_OUTSIDE,
		AGENT_READER_INSIDE,  /* of an object or array      */
		AGENT_READER_IN_WORD, /* of something that is none  */
		AGENT_READER_SKIPPING,
	} state;
	unsigned depth;
	bool is_in_string, is_escaped;
	size_t used;
	char bytes[AGENT_READER_MAX];
};

/* Nothing is pending. */
void agent_reader_reset(struct agent_reader *r);

/*
 * Takes bytes up to the end of the next request, or all of @input; *@ret_taken counts them.  Call it
 * again with the rest.  Of @ret_request and @ret_why only the one of the outcome is written.
 */
enum agent_reader_outcome agent_reader_feed(struct agent_reader *r, struct slice input,
                                            size_t *ret_taken, struct slice *ret_request,
                                            const char **ret_why) must_check;

#endif
