/* SPDX-License-Identifier: Apache-2.0 */

/*
 * candm_act.c - what chronyc may have vmtimed do
 *
 * All of these come through the unix socket, from somebody who could as well
 * stop the daemon and set the clock himself.
 */

#include <string.h>

#include "base/log.h"
#include "guestd/candm_rules.h"
#include "guestd/daemon.h"
#include "guestd/events.h"

static void read_all_now(struct discipline *c, vt_mono now)
{
	for (int i = 0; i < c->n_sources; i++)
		c->sources[i].next_read = vt_mono_min(c->sources[i].next_read, now);
}

/*
 * Better than chronyd's, which steps by what it knows: the clock is read first.  It fails where no
 * reading can steer now, as after a jump that is still to be proven.
 */
enum candm_status candm_act_makestep(const struct candm_turn *t)
{
	struct discipline *c = &t->daemon->discipline;
	uint64_t updates = c->updates;

	if (c->conf.is_observing)
		return CANDM_FAILED;
	log_info("makestep asked for by chronyc");
	c->step.is_asked = true;
	read_all_now(c, t->now);
	discipline_dispatch(c, t->now);
	c->step.is_asked = false;
	events_tell(t->daemon);
	return c->updates != updates && c->step_error == 0 ? CANDM_SUCCESS : CANDM_FAILED;
}

enum candm_status candm_act_modify_makestep(const struct candm_turn *t)
{
	const struct candm_makestep *wanted = &t->request->data.makestep;
	struct step_conf *conf = &t->daemon->discipline.conf.step;

	if (!(wanted->threshold >= 0))
		return CANDM_INVALID;
	conf->is_makestep_given = true;
	conf->makestep_threshold = vt_span_from_ns(wanted->threshold * 1e9);
	conf->makestep_limit = wanted->limit;
	log_info("makestep %.9f %d set by chronyc, until the configuration is read again",
		 wanted->threshold, (int)wanted->limit);
	return CANDM_SUCCESS;
}

/* Each reading selects anew. */
enum candm_status candm_act_reselect(const struct candm_turn *t)
{
	read_all_now(&t->daemon->discipline, t->now);
	return CANDM_SUCCESS;
}

enum candm_status candm_act_reset_sources(const struct candm_turn *t)
{
	log_info("sources reset by chronyc");
	daemon_restart_sources(t->daemon);
	return CANDM_SUCCESS;
}

static bool chosen(bool is_now, const struct candm_select_options *o, uint32_t bit, uint32_t flag)
{
	return o->mask & bit ? (o->options & flag) != 0 : is_now;
}

enum candm_status candm_act_select_options(const struct candm_turn *t)
{
	const struct candm_select_options *o = &t->request->data.select_options;
	struct daemon *d = t->daemon;

	for (unsigned i = 0; i < d->refclocks.n && o->address.family == CANDM_UNSPECIFIED; i++) {
		struct source_conf *c = &d->discipline.sources[i].conf;

		if (d->refclocks.list[i].is_hidden || d->refclocks.list[i].refid != o->refid)
			continue;
		c->noselect = chosen(c->noselect, o, CANDM_OPTION_NOSELECT, CANDM_FLAG_NOSELECT);
		c->prefer = chosen(c->prefer, o, CANDM_OPTION_PREFER, CANDM_FLAG_PREFER);
		c->trust = chosen(c->trust, o, CANDM_OPTION_TRUST, CANDM_FLAG_TRUST);
		c->require = chosen(c->require, o, CANDM_OPTION_REQUIRE, CANDM_FLAG_REQUIRE);
		log_info("options of %s set by chronyc, until the configuration is read again",
			 d->refclocks.list[i].name);
		read_all_now(&d->discipline, t->now);
		return CANDM_SUCCESS;
	}
	return CANDM_NO_SUCH_SOURCE;
}

/* There is no NTP; but what is no source at all is told as that. */
enum candm_status candm_act_add_source(const struct candm_turn *t)
{
	const struct candm_new_source *s = &t->request->data.new_source;

	if (s->type < CANDM_TYPE_SERVER || s->type > CANDM_TYPE_POOL)
		return CANDM_INVALID;
	return *s->name ? CANDM_NOT_ENABLED : CANDM_INVALID_NAME;
}

/* Off is what it is; on is not to be had. */
enum candm_status candm_act_manual(const struct candm_turn *t)
{
	switch (t->request->data.option) {
	case 0:
	case 2: return CANDM_SUCCESS;
	case 1: return CANDM_NOT_ENABLED;
	default: return CANDM_INVALID;
	}
}

/* What is worth keeping over a restart: see keep_house in daemon.c. */
enum candm_status candm_act_dump(const struct candm_turn *t)
{
	t->daemon->drift_due = t->now;
	return CANDM_SUCCESS;
}

enum candm_status candm_act_cycle_logs(const struct candm_turn *t)
{
	records_cycle(&t->daemon->records);
	return CANDM_SUCCESS;
}

enum candm_status candm_act_shutdown(const struct candm_turn *t)
{
	log_info("ending: chronyc asked for it");
	t->daemon->wants_end = true;
	return CANDM_SUCCESS;
}

/* CMDALLOW, CMDDENY and the two for all of a subnet. */
enum candm_status candm_act_access(const struct candm_turn *t)
{
	const struct candm_source_number *subnet = &t->request->data.source_number;
	unsigned command = t->request->command;
	bool is_allowed = command == CANDM_CMDALLOW || command == CANDM_CMDALLOWALL;
	bool is_for_all = command == CANDM_CMDALLOWALL || command == CANDM_CMDDENYALL;

	return candm_access_add(&t->daemon->candm.access, &subnet->address, subnet->number,
				is_allowed, is_for_all)
		       ? CANDM_SUCCESS
		       : CANDM_BAD_SUBNET;
}

enum candm_status candm_act_check_access(const struct candm_turn *t)
{
	return candm_access_check(&t->daemon->candm.access, &t->request->data.address)
		       ? CANDM_ACCESS_ALLOWED
		       : CANDM_ACCESS_DENIED;
}
