/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_QEMU_WORLD_H
#define TESTS_QEMU_WORLD_H

/*
 * qemu_world.h - one guest whose monitor and agent are played, and the back end that has it
 *
 * Needs cmocka.h before it.
 */

#include <stdlib.h>

#include "base/attr.h"
#include "guest_sockets.h"
#include "hostd/host_instant.h"
#include "hostd/qemu.h"
#include "scratch.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n"
#define EVENT(name)                                                                                \
	"{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"" name "\"}\r\n"
#define FULL_UUID "11111111-2222-3333-4444-555555555555"

struct world {
	struct scratch *scratch;
	struct qemu qemu;
	struct played_socket monitor, agent;
	vt_mono now;
};

static inline int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	if (!w || scratch_setup((void **)&w->scratch))
		return -1;
	w->monitor.listener = w->monitor.peer = w->agent.listener = w->agent.peer = -1;
	w->now = host_instant_now().mono;
	*state = w;
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;
	int r;

	qemu_fini(&w->qemu);
	played_end(&w->monitor);
	played_end(&w->agent);
	r = scratch_teardown((void **)&w->scratch);
	free(w);
	return r;
}

static inline void open_qemu(struct world *w, const char *name, const char *qmp, const char *agent)
{
	struct qemu_rule rule = { .cid = strchr(qmp, '*') ? 0 : 7 };
	char why[200];

	snprintf(rule.name, sizeof rule.name, "%s", name);
	snprintf(rule.qmp, sizeof rule.qmp, "%s", scratch_path(w->scratch, qmp));
	if (agent)
		snprintf(rule.agent, sizeof rule.agent, "%s", scratch_path(w->scratch, agent));
	assert_int_equal(qemu_rule_check(&rule, why, sizeof why), 0);
	assert_int_equal(qemu_init(&w->qemu, &rule, 1), 0);
}

static inline void listen_at(struct world *w, struct played_socket *s, const char *name)
{
	played_listen(s, scratch_path(w->scratch, name));
}

/* Lets @span pass and dispatches; nothing is slept. */
static inline void pass(struct world *w, vt_span span)
{
	struct backend *b = &w->qemu.backend;

	w->now = vt_mono_add(w->now, span);
	b->ops->dispatch(b, w->now);
}

static inline void check_no_sign(struct world *w)
{
	struct sign sign = { .guest = 77 };

	if (w->qemu.backend.ops->pop_sign(&w->qemu.backend, &sign))
		fail_msg("a sign %d", sign.kind);
	assert_int_equal(sign.guest, 77);
}

static inline struct sign take_sign(struct world *w, enum sign_kind kind)
{
	struct sign sign;

	if (!w->qemu.backend.ops->pop_sign(&w->qemu.backend, &sign))
		fail_msg("no sign %d", kind);
	if (sign.kind != kind)
		fail_msg("sign %d instead of %d", sign.kind, kind);
	return sign;
}

static inline void check_no_outcome(struct world *w)
{
	struct work_outcome o;

	pass(w, VT_NS(0));
	assert_false(w->qemu.backend.ops->pop_outcome(&w->qemu.backend, &o));
}

static inline struct work_outcome take_outcome(struct world *w, enum work_result result)
{
	struct work_outcome o;

	pass(w, VT_NS(0));
	if (!w->qemu.backend.ops->pop_outcome(&w->qemu.backend, &o))
		fail_msg("no outcome");
	if (o.result != result)
		fail_msg("outcome %d instead of %d: %s", o.result, result, o.text);
	return o;
}

static inline void begin(struct world *w, uint32_t guest, enum work_kind kind, uint64_t number)
{
	struct work work = { .kind = kind, .number = number, .timeout = VT_SEC(5),
		             .lead = VT_MS(3) };

	w->now = host_instant_now().mono; /* the work's time is counted from the real one */
	w->qemu.backend.ops->begin(&w->qemu.backend, guest, &work);
}

/* The monitor greets and is negotiated with; what it is asked then is given back. */
static inline const char *greet(struct world *w)
{
	assert_true(played_accept(&w->monitor));
	played_say(&w->monitor, GREETING);
	pass(w, VT_NS(0));
	assert_string_equal(played_hear(&w->monitor),
	                    "{\"execute\":\"qmp_capabilities\",\"id\":1}\r\n");
	played_say(&w->monitor, "{\"return\": {}, \"id\": 1}\r\n");
	pass(w, VT_NS(0));
	return played_hear(&w->monitor);
}

static inline void tell_status(struct world *w, const char *uuid, const char *status, int status_id)
{
	char text[400];

	snprintf(text, sizeof text,
	         "{\"return\": {\"UUID\": \"%s\"}, \"id\": 2}\r\n"
	         "{\"return\": {\"status\": \"%s\", \"singlestep\": false, \"running\": %s}, \"id\": "
	         "%d}\r\n",
	         uuid, status, strcmp(status, "running") == 0 ? "true" : "false", status_id);
	played_say(&w->monitor, text);
	pass(w, VT_NS(0));
}

/* A guest "web" that runs, with an agent's port; its number. */
static inline uint32_t start(struct world *w)
{
	struct sign sign;

	listen_at(w, &w->monitor, "web.qmp");
	listen_at(w, &w->agent, "web.qga");
	open_qemu(w, "web", "web.qmp", "web.qga");
	pass(w, VT_NS(0));
	assert_string_equal(greet(w), "{\"execute\":\"query-uuid\",\"id\":2}\r\n"
	                              "{\"execute\":\"query-chardev\",\"id\":3}\r\n"
	                              "{\"execute\":\"query-status\",\"id\":4}\r\n");
	check_no_sign(w);
	tell_status(w, FULL_UUID, "running", 4);
	sign = take_sign(w, SIGN_APPEARED);
	assert_true(sign.is_running && sign.has_agent);
	assert_string_equal(sign.name, "web");
	assert_string_equal(sign.uuid, FULL_UUID);
	assert_int_equal(sign.cid, 7);
	check_no_sign(w);
	return sign.guest;
}

/* The agent is asked to get in step, and does as qemu-ga does. */
static inline void agree(struct world *w)
{
	const char *heard;
	long long id;
	char text[300];

	if (w->agent.peer < 0)
		assert_true(played_accept(&w->agent));
	heard = played_hear(&w->agent);
	assert_int_equal(
		sscanf(heard, "\xff{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":%lld}}\n",
	               &id),
		1);
	assert_true(id >= 0);
	snprintf(text, sizeof text,
	         "{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON parse error, stray "
	         "'\\\\xFF'\"}}\n\xff{\"return\": %lld}\n",
	         id);
	played_say(&w->agent, text);
	pass(w, VT_NS(0));
}

#endif
