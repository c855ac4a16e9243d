/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/hook_facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "cli/words.h"

#define FACTS_MAX 24
#define FACT_MAX  512

/* A block: the list of pointers, and behind it the facts that some of them point to. */
struct facts {
	char **list;
	size_t n;
	char *texts; /* FACTS_MAX of FACT_MAX bytes */
	size_t n_texts;
};

const char *hook_phase_name(enum hook_phase phase)
{
	switch (phase) {
	case HOOK_ON_DISRUPTION: return "disruption";
	case HOOK_ON_REPAIR: return "repair";
	}
	return "";
}

static void add(struct facts *f, const char *name, const char *format, ...) printf_like(3, 4);

static void add(struct facts *f, const char *name, const char *format, ...)
{
	char *text = f->texts + f->n_texts++ * FACT_MAX;
	size_t used = (size_t)snprintf(text, FACT_MAX, "VMTIME_%s=", name);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, FACT_MAX - used, format, arguments);
	va_end(arguments);
	f->list[f->n++] = text;
}

static void add_text(struct facts *f, const char *name, const char *text)
{
	char safe[WORDS_SAFE_MAX];

	add(f, name, "%.400s", words_safe(text, safe, sizeof safe));
}

static void add_evidence(struct facts *f, unsigned evidence)
{
	char text[400] = "";
	size_t used = 0;

	for (unsigned bit = 0; bit < REPORT_EVIDENCE_BITS; bit++)
		if (evidence & 1u << bit && used < sizeof text)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
			                         used ? "," : "", report_evidence_name(bit));
	add_text(f, "EVIDENCE", text);
}

static void add_facts(struct facts *f, const struct hook_job *job)
{
	const struct report_event *e = &job->event;

	add(f, "EVENT", "%s", hook_phase_name(job->phase));
	add(f, "NUMBER", "%" PRIu64, e->number);
	add_text(f, "CAUSE", e->cause);
	add_evidence(f, e->evidence);
	add_text(f, "END", report_end_name(e->end));
	add_text(f, "SOURCE", e->source);
	add_text(f, "BOOT", e->boot);
	add(f, "SIZE_NS", "%" PRId64, e->size.ns);
	add(f, "NOTICED_UNIX_NS", "%" PRId64, e->noticed.ns);
	add(f, "REPAIRED_UNIX_NS", "%" PRId64, e->at.ns);
	add(f, "NOTICED_AFTER_NS", "%" PRId64, e->noticed_after.ns);
	add(f, "REPAIRED_AFTER_NS", "%" PRId64, e->repaired_after.ns);
	add(f, "WRONG_FOR_NS", "%" PRId64, e->wrong_for.ns);
}

/* Variables of the same kind from outside would look like facts. */
static size_t keep(char *const *inherited, char **to)
{
	size_t n = 0;

	for (size_t i = 0; inherited && inherited[i]; i++)
		if (strncmp(inherited[i], "VMTIME_", 7) != 0) {
			if (to)
				to[n] = inherited[i];
			n++;
		}
	return n;
}

char **hook_facts_make(const struct hook_job *job, char *const *inherited)
{
	const size_t pointers = keep(inherited, NULL) + FACTS_MAX + 1;
	char **block = malloc(pointers * sizeof *block + (size_t)FACTS_MAX * FACT_MAX);
	struct facts facts = { .list = block };

	if (!block)
		return NULL;
	facts.texts = (char *)(block + pointers);
	facts.n = keep(inherited, block);
	add_facts(&facts, job);
	block[facts.n] = NULL;
	return block;
}
