/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/candm_rules.h"

/* clang-format off */
#define ALWAYS(status_)     { .status = CANDM_##status_ }
#define OPEN_IF(name, fn)   { .answer = (fn), .open = CANDM_OPEN_##name }
#define NONE_IF(name, status_) { .status = CANDM_##status_, .open = CANDM_OPEN_##name }
#define ACT(fn)             { .answer = (fn) }

static const struct candm_rule RULES[CANDM_COMMANDS] = {
	[CANDM_NULL] = { .is_free = true },

	/* What is read. */
	[CANDM_N_SOURCES] = OPEN_IF(SOURCES, candm_read_n_sources),
	[CANDM_SOURCE_DATA] = OPEN_IF(SOURCES, candm_read_source),
	[CANDM_SOURCESTATS] = OPEN_IF(SOURCESTATS, candm_read_sourcestats),
	[CANDM_SELECT_DATA] = OPEN_IF(SELECTDATA, candm_read_select_data),
	[CANDM_TRACKING] = OPEN_IF(TRACKING, candm_read_tracking),
	[CANDM_ACTIVITY] = OPEN_IF(ACTIVITY, candm_read_activity),
	[CANDM_SERVER_STATS] = OPEN_IF(SERVERSTATS, candm_read_server_stats),
	[CANDM_MANUAL_LIST] = OPEN_IF(MANUAL, candm_read_manual_list),

	/* No source has an address, as long as there is no NTP. */
	[CANDM_NTP_DATA] = NONE_IF(NTPDATA, NO_SUCH_SOURCE),
	[CANDM_AUTH_DATA] = NONE_IF(AUTHDATA, NO_SUCH_SOURCE),
	[CANDM_NTP_SOURCE_NAME] = NONE_IF(SOURCENAME, NO_SUCH_SOURCE),
	[CANDM_ONLINE] = ALWAYS(NO_SUCH_SOURCE),
	[CANDM_OFFLINE] = ALWAYS(NO_SUCH_SOURCE),
	[CANDM_BURST] = ALWAYS(NO_SUCH_SOURCE),
	[CANDM_MODIFY_MINPOLL] = ALWAYS(NO_SUCH_SOURCE),
	[CANDM_MODIFY_MAXPOLL] = ALWAYS(NO_SUCH_SOURCE),
	[CANDM_MODIFY_MAXDELAY] = ALWAYS(NO_SUCH_SOURCE),
	[CANDM_MODIFY_MAXDELAYRATIO] = ALWAYS(NO_SUCH_SOURCE),
	[CANDM_MODIFY_MAXDELAYDEVRATIO] = ALWAYS(NO_SUCH_SOURCE),
	[CANDM_MODIFY_MINSTRATUM] = ALWAYS(NO_SUCH_SOURCE),
	[CANDM_MODIFY_POLLTARGET] = ALWAYS(NO_SUCH_SOURCE),
	[CANDM_DEL_SOURCE] = ALWAYS(NO_SUCH_SOURCE),
	[CANDM_ADD_SOURCE] = ACT(candm_act_add_source),

	/* Done as chronyd does it where it has no NTP source either: there is nothing to do. */
	[CANDM_ONOFFLINE] = ALWAYS(SUCCESS),
	[CANDM_REFRESH] = ALWAYS(SUCCESS),
	[CANDM_RELOAD_SOURCES] = ALWAYS(SUCCESS),

	/* What is done. */
	[CANDM_MAKESTEP] = ACT(candm_act_makestep),
	[CANDM_MODIFY_MAKESTEP] = ACT(candm_act_modify_makestep),
	[CANDM_RESELECT] = ACT(candm_act_reselect),
	[CANDM_RESET_SOURCES] = ACT(candm_act_reset_sources),
	[CANDM_MODIFY_SELECTOPTS] = ACT(candm_act_select_options),
	[CANDM_DUMP] = ACT(candm_act_dump),
	[CANDM_CYCLELOGS] = ACT(candm_act_cycle_logs),
	[CANDM_SHUTDOWN] = ACT(candm_act_shutdown),
	[CANDM_CMDALLOW] = ACT(candm_act_access),
	[CANDM_CMDALLOWALL] = ACT(candm_act_access),
	[CANDM_CMDDENY] = ACT(candm_act_access),
	[CANDM_CMDDENYALL] = ACT(candm_act_access),
	[CANDM_CMDACCHECK] = ACT(candm_act_check_access),

	/* No time is served: nobody has access to it, and nobody's requests are recorded. */
	[CANDM_ALLOW] = ALWAYS(NOT_ENABLED),
	[CANDM_ALLOWALL] = ALWAYS(NOT_ENABLED),
	[CANDM_DENY] = ALWAYS(NOT_ENABLED),
	[CANDM_DENYALL] = ALWAYS(NOT_ENABLED),
	[CANDM_ACCHECK] = ALWAYS(ACCESS_DENIED),
	[CANDM_CLIENT_ACCESSES] = NONE_IF(CLIENTS, INACTIVE),
	[CANDM_LOCAL2] = ALWAYS(NOT_ENABLED),
	[CANDM_LOCAL3] = ALWAYS(NOT_ENABLED),
	[CANDM_SMOOTHING] = NONE_IF(SMOOTHING, NOT_ENABLED),
	[CANDM_SMOOTHTIME] = ALWAYS(NOT_ENABLED),

	/* The kernel keeps the RTC. */
	[CANDM_RTCREPORT] = NONE_IF(RTCDATA, NO_RTC),
	[CANDM_WRITERTC] = ALWAYS(NO_RTC),
	[CANDM_TRIMRTC] = ALWAYS(NO_RTC),

	/* No time by hand, no keys, and nothing that would work against the servo. */
	[CANDM_SETTIME] = ALWAYS(NOT_ENABLED),
	[CANDM_MANUAL] = ACT(candm_act_manual),
	[CANDM_MANUAL_DELETE] = ALWAYS(BAD_SAMPLE),
	[CANDM_REKEY] = ALWAYS(NOT_ENABLED),
	[CANDM_DFREQ] = ALWAYS(NOT_ENABLED),
	[CANDM_DOFFSET2] = ALWAYS(NOT_ENABLED),
	[CANDM_MODIFY_OFFSET] = ALWAYS(NOT_ENABLED),
	[CANDM_MODIFY_MAXUPDATESKEW] = ALWAYS(NOT_ENABLED),
	[CANDM_RESELECTDISTANCE] = ALWAYS(NOT_ENABLED),
};
/* clang-format on */

const struct candm_rule *candm_rule_of(unsigned command)
{
	return &RULES[command];
}
