/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_CANDM_RULES_H
#define GUESTD_CANDM_RULES_H

/*
 * candm_rules.h - each of chronyc's requests: who may ask, and what becomes of it
 *
 * Private to the files of candm.  A request without a function has the same
 * answer always: either there is nothing to do, or no such thing here.
 */

#include "guestd/candm.h"

/* One request while it is answered. */
struct candm_turn {
	struct daemon *daemon;
	vt_mono now;
	const struct candm_request *request;
	struct candm_reply *reply; /* the function fills in the data */
};

struct candm_rule {
	enum candm_status (*answer)(const struct candm_turn *t); /* or NULL: then ... */
	enum candm_status status;                                /* ... this          */
	unsigned open; /* allowed over UDP with this bit of enum candm_open; 0: never */
	bool is_free;  /* allowed over UDP always                                     */
};

const struct candm_rule *candm_rule_of(unsigned command);

enum candm_status candm_read_n_sources(const struct candm_turn *t);
enum candm_status candm_read_source(const struct candm_turn *t);
enum candm_status candm_read_sourcestats(const struct candm_turn *t);
enum candm_status candm_read_select_data(const struct candm_turn *t);
enum candm_status candm_read_tracking(const struct candm_turn *t);
enum candm_status candm_read_activity(const struct candm_turn *t);
enum candm_status candm_read_server_stats(const struct candm_turn *t);
enum candm_status candm_read_manual_list(const struct candm_turn *t);

enum candm_status candm_act_makestep(const struct candm_turn *t);
enum candm_status candm_act_modify_makestep(const struct candm_turn *t);
enum candm_status candm_act_reselect(const struct candm_turn *t);
enum candm_status candm_act_reset_sources(const struct candm_turn *t);
enum candm_status candm_act_select_options(const struct candm_turn *t);
enum candm_status candm_act_add_source(const struct candm_turn *t);
enum candm_status candm_act_manual(const struct candm_turn *t);
enum candm_status candm_act_dump(const struct candm_turn *t);
enum candm_status candm_act_cycle_logs(const struct candm_turn *t);
enum candm_status candm_act_shutdown(const struct candm_turn *t);
enum candm_status candm_act_access(const struct candm_turn *t);
enum candm_status candm_act_check_access(const struct candm_turn *t);

#endif
