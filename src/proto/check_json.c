/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/check_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_VERSION 1

static json_t *text_or_null(const char *text)
{
	return text && text[0] ? json_string(text) : json_null();
}

static json_t *finding_object(const struct check_finding *f)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "id", f->id, "severity",
			 f->severity, "evidence", f->evidence, "reason", f->reason, "remedy",
			 f->remedy, "subject", text_or_null(f->subject), "advice",
			 text_or_null(f->advice));
}

static json_t *unread_object(const struct check_unread *u)
{
	return json_pack("{s:s, s:s, s:b}", "what", u->what, "why", u->why, "needs_root",
			 (int)u->needs_root);
}

static json_t *machine_object(const struct check_report *r)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:b}", "name",
			 text_or_null(r->name), "id", text_or_null(r->id), "release",
			 text_or_null(r->release), "kernel", text_or_null(r->kernel),
			 "hypervisor", text_or_null(r->hypervisor), "is_guest", (int)r->is_guest,
			 "is_host", (int)r->is_host, "is_container", (int)r->is_container);
}

char *check_json(const struct check_report *report)
{
	json_t *findings = json_array(), *unread = json_array(), *root;
	char *text = NULL, *longer = NULL;
	int r = findings && unread ? 0 : -1;

	for (size_t i = 0; i < report->n_findings; i++)
		r |= json_array_append_new(findings, finding_object(&report->findings[i]));
	for (size_t i = 0; i < report->n_unread; i++)
		r |= json_array_append_new(unread, unread_object(&report->unread[i]));
	/* The pack owns the arrays from here, also where it fails. */
	root = json_pack("{s:i, s:o, s:o, s:o, s:o}", "version", CHECK_VERSION, "machine",
			 machine_object(report), "worst", text_or_null(report->worst),
			 "findings", findings, "not_looked_at", unread);
	if (root && r == 0)
		text = json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	if (text)
		longer = realloc(text, strlen(text) + 2);
	if (!longer)
		free(text);
	return longer ? strcat(longer, "\n") : NULL;
}
