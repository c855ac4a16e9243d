/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/candm_table.h"

#include "base/attr.h"
#include "wire/candm.h"

/* A member that does not have the size of its kind does not compile. */
#define AT(kind_, size, count_, type, member)                                             \
	{                                                                                 \
		CANDM_FIELD_##kind_, (count_),                                            \
			(uint16_t)(offsetof(struct type, member) +                        \
				   0 * sizeof(char[sizeof(((struct type *)0)->member) ==  \
								   (size)                 \
							   ? 1                            \
							   : -1]))                        \
	}
#define U8(type, member)        AT(U8, 1, 1, type, member)
#define U16(type, member)       AT(U16, 2, 1, type, member)
#define U32(type, member)       AT(U32, 4, 1, type, member)
#define FLOAT(type, member)     AT(FLOAT, sizeof(double), 1, type, member)
#define TIME(type, member)      AT(TIME, sizeof(vt_real), 1, type, member)
#define ADDRESS(type, member)   AT(ADDRESS, sizeof(struct candm_address), 1, type, member)
#define NAME(type, member)      AT(NAME, CANDM_NAME_SIZE, 1, type, member)
#define U64S(n, type, first)    AT(U64, 8, n, type, first)
#define SHORTS(n, type, first)  AT(U64_SHORT, 8, n, type, first)
#define ONES(n)                 { CANDM_FIELD_ONES, (n), 0 }
#define ZERO_BYTES(n)           { CANDM_FIELD_ZERO_BYTE, (n), 0 }
#define END                     { CANDM_FIELD_END, 0, 0 }
/* The data as a whole is one field. */
#define ALONE(kind) static const struct candm_field kind##_ALONE[] = { \
	{ CANDM_FIELD_##kind, 1, 0 }, END }

/* clang-format off */
ALONE(U32);
ALONE(FLOAT);
ALONE(TIME);
ALONE(ADDRESS);
ALONE(NAME);

/* --- Requests --- */

static const struct candm_field TARGETS[] = {
	ADDRESS(candm_targets, mask), ADDRESS(candm_targets, address), END
};
static const struct candm_field BURST[] = {
	ADDRESS(candm_targets, mask), ADDRESS(candm_targets, address),
	U32(candm_targets, n_good), U32(candm_targets, n_total), END
};
static const struct candm_field SOURCE_NUMBER[] = {
	ADDRESS(candm_source_number, address), U32(candm_source_number, number), END
};
static const struct candm_field SOURCE_VALUE[] = {
	ADDRESS(candm_source_value, address), FLOAT(candm_source_value, value), END
};
static const struct candm_field SOURCE_OFFSET[] = {
	ADDRESS(candm_source_value, address), U32(candm_source_value, refid),
	FLOAT(candm_source_value, value), END
};
static const struct candm_field MAKESTEP[] = {
	U32(candm_makestep, limit), FLOAT(candm_makestep, threshold), END
};
static const struct candm_field LOCAL2[] = {
	U32(candm_local, is_on), U32(candm_local, stratum), FLOAT(candm_local, distance),
	U32(candm_local, is_orphan), END
};
static const struct candm_field LOCAL3[] = {
	U32(candm_local, is_on), U32(candm_local, stratum), FLOAT(candm_local, distance),
	U32(candm_local, is_orphan), FLOAT(candm_local, activate), FLOAT(candm_local, wait_synced),
	FLOAT(candm_local, wait_unsynced), END
};
static const struct candm_field CLIENTS_WANTED[] = {
	U32(candm_clients_wanted, first), U32(candm_clients_wanted, n),
	U32(candm_clients_wanted, min_hits), U32(candm_clients_wanted, is_reset), END
};
static const struct candm_field SELECT_OPTIONS[] = {
	ADDRESS(candm_select_options, address), U32(candm_select_options, refid),
	U32(candm_select_options, mask), U32(candm_select_options, options), END
};
static const struct candm_field NEW_SOURCE[] = {
	U32(candm_new_source, type), NAME(candm_new_source, name), U32(candm_new_source, port),
	U32(candm_new_source, min_poll), U32(candm_new_source, max_poll),
	U32(candm_new_source, presend_min_poll), U32(candm_new_source, min_stratum),
	U32(candm_new_source, poll_target), U32(candm_new_source, version),
	U32(candm_new_source, max_sources), U32(candm_new_source, min_samples),
	U32(candm_new_source, max_samples), U32(candm_new_source, key),
	U32(candm_new_source, nts_port), FLOAT(candm_new_source, max_delay),
	FLOAT(candm_new_source, max_delay_ratio), FLOAT(candm_new_source, max_delay_dev_ratio),
	FLOAT(candm_new_source, min_delay), FLOAT(candm_new_source, asymmetry),
	FLOAT(candm_new_source, offset), U32(candm_new_source, flags),
	U32(candm_new_source, filter_length), U32(candm_new_source, cert_set),
	FLOAT(candm_new_source, max_delay_quantile), U32(candm_new_source, max_unreach), END
};

/* --- Replies --- */

static const struct candm_field SOURCE_DATA[] = {
	ADDRESS(candm_source_data, address), U16(candm_source_data, poll),
	U16(candm_source_data, stratum), U16(candm_source_data, state),
	U16(candm_source_data, mode), U16(candm_source_data, flags), U16(candm_source_data, reach),
	U32(candm_source_data, since_sample), FLOAT(candm_source_data, measured),
	FLOAT(candm_source_data, adjusted), FLOAT(candm_source_data, error), END
};
static const struct candm_field TRACKING[] = {
	U32(candm_tracking, refid), ADDRESS(candm_tracking, address), U16(candm_tracking, stratum),
	U16(candm_tracking, leap), TIME(candm_tracking, ref_time), FLOAT(candm_tracking, correction),
	FLOAT(candm_tracking, last_offset), FLOAT(candm_tracking, rms_offset),
	FLOAT(candm_tracking, frequency_ppm), FLOAT(candm_tracking, residual_ppm),
	FLOAT(candm_tracking, skew_ppm), FLOAT(candm_tracking, root_delay),
	FLOAT(candm_tracking, root_dispersion), FLOAT(candm_tracking, update_interval), END
};
static const struct candm_field SOURCESTATS[] = {
	U32(candm_sourcestats, refid), ADDRESS(candm_sourcestats, address),
	U32(candm_sourcestats, samples), U32(candm_sourcestats, runs), U32(candm_sourcestats, span),
	FLOAT(candm_sourcestats, standard_deviation), FLOAT(candm_sourcestats, residual_ppm),
	FLOAT(candm_sourcestats, skew_ppm), FLOAT(candm_sourcestats, offset),
	FLOAT(candm_sourcestats, offset_error), END
};
static const struct candm_field RTC[] = {
	TIME(candm_rtc, ref_time), U16(candm_rtc, samples), U16(candm_rtc, runs),
	U32(candm_rtc, span), FLOAT(candm_rtc, fast), FLOAT(candm_rtc, gain_ppm), END
};
static const struct candm_field ACTIVITY[] = {
	U32(candm_activity, online), U32(candm_activity, offline),
	U32(candm_activity, burst_online), U32(candm_activity, burst_offline),
	U32(candm_activity, unresolved), END
};
static const struct candm_field SMOOTHING[] = {
	U32(candm_smoothing, flags), FLOAT(candm_smoothing, offset),
	FLOAT(candm_smoothing, frequency_ppm), FLOAT(candm_smoothing, wander_ppm),
	FLOAT(candm_smoothing, last_update_ago), FLOAT(candm_smoothing, remaining), END
};
#define NTP_DATA_COMMON                                                                         \
	ADDRESS(candm_ntp_data, remote), ADDRESS(candm_ntp_data, local),                        \
	U16(candm_ntp_data, port), U8(candm_ntp_data, leap), U8(candm_ntp_data, version),       \
	U8(candm_ntp_data, mode), U8(candm_ntp_data, stratum), U8(candm_ntp_data, poll),        \
	U8(candm_ntp_data, precision), FLOAT(candm_ntp_data, root_delay),                       \
	FLOAT(candm_ntp_data, root_dispersion), U32(candm_ntp_data, refid),                     \
	TIME(candm_ntp_data, ref_time), FLOAT(candm_ntp_data, offset),                          \
	FLOAT(candm_ntp_data, peer_delay), FLOAT(candm_ntp_data, peer_dispersion),              \
	FLOAT(candm_ntp_data, response_time), FLOAT(candm_ntp_data, jitter_asymmetry),          \
	U16(candm_ntp_data, flags), U8(candm_ntp_data, tx_source), U8(candm_ntp_data, rx_source), \
	U32(candm_ntp_data, tx), U32(candm_ntp_data, rx), U32(candm_ntp_data, valid),           \
	U32(candm_ntp_data, good)
static const struct candm_field NTP_DATA[] = { NTP_DATA_COMMON, ONES(3), END };
static const struct candm_field NTP_DATA2[] = {
	NTP_DATA_COMMON, U32(candm_ntp_data, kernel_tx), U32(candm_ntp_data, kernel_rx),
	U32(candm_ntp_data, hardware_tx), U32(candm_ntp_data, hardware_rx), ONES(4), END
};
static const struct candm_field MANUAL_TIMESTAMP[] = {
	FLOAT(candm_manual_timestamp, offset), FLOAT(candm_manual_timestamp, frequency_offset_ppm),
	FLOAT(candm_manual_timestamp, frequency_ppm), END
};
#define SAMPLE(i)                                                                                 \
	TIME(candm_manual_list, samples[i].when), FLOAT(candm_manual_list, samples[i].slewed),    \
	FLOAT(candm_manual_list, samples[i].original), FLOAT(candm_manual_list, samples[i].residual)
static const struct candm_field MANUAL_LIST[] = {
	U32(candm_manual_list, n), SAMPLE(0), SAMPLE(1), SAMPLE(2), SAMPLE(3), SAMPLE(4), SAMPLE(5),
	SAMPLE(6), SAMPLE(7), SAMPLE(8), SAMPLE(9), SAMPLE(10), SAMPLE(11), SAMPLE(12), SAMPLE(13),
	SAMPLE(14), SAMPLE(15), END
};
static const struct candm_field AUTH_DATA[] = {
	U16(candm_auth_data, mode), U16(candm_auth_data, key_type), U32(candm_auth_data, key_id),
	U16(candm_auth_data, key_length), U16(candm_auth_data, attempts),
	U32(candm_auth_data, last_ago), U16(candm_auth_data, cookies),
	U16(candm_auth_data, cookie_length), U16(candm_auth_data, nak), ZERO_BYTES(2), END
};
#define CLIENT(i)                                                                                 \
	ADDRESS(candm_clients, clients[i].address), U32(candm_clients, clients[i].ntp_hits),      \
	U32(candm_clients, clients[i].ke_hits), U32(candm_clients, clients[i].command_hits),      \
	U32(candm_clients, clients[i].ntp_drops), U32(candm_clients, clients[i].ke_drops),        \
	U32(candm_clients, clients[i].command_drops), U8(candm_clients, clients[i].ntp_interval), \
	U8(candm_clients, clients[i].ke_interval), U8(candm_clients, clients[i].command_interval), \
	U8(candm_clients, clients[i].ntp_timeout_interval),                                       \
	U32(candm_clients, clients[i].last_ntp_ago), U32(candm_clients, clients[i].last_ke_ago),  \
	U32(candm_clients, clients[i].last_command_ago)
static const struct candm_field CLIENTS[] = {
	U32(candm_clients, n_indices), U32(candm_clients, next), U32(candm_clients, n), CLIENT(0),
	CLIENT(1), CLIENT(2), CLIENT(3), CLIENT(4), CLIENT(5), CLIENT(6), CLIENT(7), END
};
#define STATS_MAX (sizeof(struct candm_server_stats) / sizeof(uint64_t))
static const struct candm_field SERVER_STATS2[] = {
	SHORTS(8, candm_server_stats, ntp_received), END
};
static const struct candm_field SERVER_STATS3[] = {
	SHORTS(11, candm_server_stats, ntp_received), END
};
static const struct candm_field SERVER_STATS4[] = {
	U64S(STATS_MAX, candm_server_stats, ntp_received), ONES(8), END
};
static const struct candm_field SELECT_DATA[] = {
	U32(candm_select_data, refid), ADDRESS(candm_select_data, address),
	U8(candm_select_data, state), U8(candm_select_data, is_authenticated),
	U8(candm_select_data, leap), ZERO_BYTES(1), U16(candm_select_data, configured),
	U16(candm_select_data, effective), U32(candm_select_data, since_sample),
	FLOAT(candm_select_data, score), FLOAT(candm_select_data, low),
	FLOAT(candm_select_data, high), END
};

#define DONE CANDM_REPLY_NULL

/* The lengths hold the padding: to the longest reply that any version sends in the oldest form. */
static const struct candm_command_row COMMANDS[CANDM_COMMANDS] = {
	[CANDM_NULL] = { NULL, 28, DONE },
	[CANDM_ONLINE] = { TARGETS, 60, DONE },
	[CANDM_OFFLINE] = { TARGETS, 60, DONE },
	[CANDM_BURST] = { BURST, 68, DONE },
	[CANDM_MODIFY_MINPOLL] = { SOURCE_NUMBER, 44, DONE },
	[CANDM_MODIFY_MAXPOLL] = { SOURCE_NUMBER, 44, DONE },
	[CANDM_DUMP] = { NULL, 28, DONE },
	[CANDM_MODIFY_MAXDELAY] = { SOURCE_VALUE, 44, DONE },
	[CANDM_MODIFY_MAXDELAYRATIO] = { SOURCE_VALUE, 44, DONE },
	[CANDM_MODIFY_MAXUPDATESKEW] = { FLOAT_ALONE, 28, DONE },
	[CANDM_SETTIME] = { TIME_ALONE, 40, CANDM_REPLY_MANUAL_TIMESTAMP },
	[CANDM_MANUAL] = { U32_ALONE, 28, DONE },
	[CANDM_N_SOURCES] = { NULL, 32, CANDM_REPLY_N_SOURCES },
	[CANDM_SOURCE_DATA] = { U32_ALONE, 76, CANDM_REPLY_SOURCE_DATA },
	[CANDM_REKEY] = { NULL, 28, DONE },
	[CANDM_ALLOW] = { SOURCE_NUMBER, 44, DONE },
	[CANDM_ALLOWALL] = { SOURCE_NUMBER, 44, DONE },
	[CANDM_DENY] = { SOURCE_NUMBER, 44, DONE },
	[CANDM_DENYALL] = { SOURCE_NUMBER, 44, DONE },
	[CANDM_CMDALLOW] = { SOURCE_NUMBER, 44, DONE },
	[CANDM_CMDALLOWALL] = { SOURCE_NUMBER, 44, DONE },
	[CANDM_CMDDENY] = { SOURCE_NUMBER, 44, DONE },
	[CANDM_CMDDENYALL] = { SOURCE_NUMBER, 44, DONE },
	[CANDM_ACCHECK] = { ADDRESS_ALONE, 40, DONE },
	[CANDM_CMDACCHECK] = { ADDRESS_ALONE, 40, DONE },
	[CANDM_DEL_SOURCE] = { ADDRESS_ALONE, 40, DONE },
	[CANDM_WRITERTC] = { NULL, 28, DONE },
	[CANDM_DFREQ] = { FLOAT_ALONE, 28, DONE },
	[CANDM_TRACKING] = { NULL, 104, CANDM_REPLY_TRACKING },
	[CANDM_SOURCESTATS] = { U32_ALONE, 84, CANDM_REPLY_SOURCESTATS },
	[CANDM_RTCREPORT] = { NULL, 56, CANDM_REPLY_RTC },
	[CANDM_TRIMRTC] = { NULL, 28, DONE },
	[CANDM_CYCLELOGS] = { NULL, 28, DONE },
	[CANDM_MANUAL_LIST] = { NULL, 416, CANDM_REPLY_MANUAL_LIST },
	[CANDM_MANUAL_DELETE] = { U32_ALONE, 28, DONE },
	[CANDM_MAKESTEP] = { NULL, 28, DONE },
	[CANDM_ACTIVITY] = { NULL, 48, CANDM_REPLY_ACTIVITY },
	[CANDM_MODIFY_MINSTRATUM] = { SOURCE_NUMBER, 44, DONE },
	[CANDM_MODIFY_POLLTARGET] = { SOURCE_NUMBER, 44, DONE },
	[CANDM_MODIFY_MAXDELAYDEVRATIO] = { SOURCE_VALUE, 44, DONE },
	[CANDM_RESELECT] = { NULL, 28, DONE },
	[CANDM_RESELECTDISTANCE] = { FLOAT_ALONE, 28, DONE },
	[CANDM_MODIFY_MAKESTEP] = { MAKESTEP, 28, DONE },
	[CANDM_SMOOTHING] = { NULL, 52, CANDM_REPLY_SMOOTHING },
	[CANDM_SMOOTHTIME] = { U32_ALONE, 28, DONE },
	[CANDM_REFRESH] = { NULL, 28, DONE },
	[CANDM_SERVER_STATS] = { NULL, 60, CANDM_REPLY_SERVER_STATS2 },
	[CANDM_LOCAL2] = { LOCAL2, 36, DONE },
	[CANDM_NTP_DATA] = { ADDRESS_ALONE, 152, CANDM_REPLY_NTP_DATA },
	[CANDM_SHUTDOWN] = { NULL, 28, DONE },
	[CANDM_ONOFFLINE] = { NULL, 28, DONE },
	[CANDM_ADD_SOURCE] = { NEW_SOURCE, 372, DONE },
	[CANDM_NTP_SOURCE_NAME] = { ADDRESS_ALONE, 284, CANDM_REPLY_NTP_SOURCE_NAME },
	[CANDM_RESET_SOURCES] = { NULL, 28, DONE },
	[CANDM_AUTH_DATA] = { ADDRESS_ALONE, 52, CANDM_REPLY_AUTH_DATA },
	[CANDM_CLIENT_ACCESSES] = { CLIENTS_WANTED, 520, CANDM_REPLY_CLIENT_ACCESSES },
	[CANDM_SELECT_DATA] = { U32_ALONE, 76, CANDM_REPLY_SELECT_DATA },
	[CANDM_RELOAD_SOURCES] = { NULL, 28, DONE },
	[CANDM_DOFFSET2] = { FLOAT_ALONE, 28, DONE },
	[CANDM_MODIFY_SELECTOPTS] = { SELECT_OPTIONS, 52, DONE },
	[CANDM_MODIFY_OFFSET] = { SOURCE_OFFSET, 48, DONE },
	[CANDM_LOCAL3] = { LOCAL3, 48, DONE },
};

static const struct candm_reply_row REPLIES[CANDM_REPLIES] = {
	[CANDM_REPLY_NULL] = { NULL, 28 },
	[CANDM_REPLY_N_SOURCES] = { U32_ALONE, 32 },
	[CANDM_REPLY_SOURCE_DATA] = { SOURCE_DATA, 76 },
	[CANDM_REPLY_TRACKING] = { TRACKING, 104 },
	[CANDM_REPLY_SOURCESTATS] = { SOURCESTATS, 84 },
	[CANDM_REPLY_RTC] = { RTC, 56 },
	[CANDM_REPLY_ACTIVITY] = { ACTIVITY, 48 },
	[CANDM_REPLY_SMOOTHING] = { SMOOTHING, 52 },
	[CANDM_REPLY_NTP_DATA] = { NTP_DATA, 152 },
	[CANDM_REPLY_MANUAL_TIMESTAMP] = { MANUAL_TIMESTAMP, 40 },
	[CANDM_REPLY_MANUAL_LIST] = { MANUAL_LIST, 416 },
	[CANDM_REPLY_NTP_SOURCE_NAME] = { NAME_ALONE, 284 },
	[CANDM_REPLY_AUTH_DATA] = { AUTH_DATA, 52 },
	[CANDM_REPLY_CLIENT_ACCESSES] = { CLIENTS, 520 },
	[CANDM_REPLY_SERVER_STATS2] = { SERVER_STATS2, 60 },
	[CANDM_REPLY_SELECT_DATA] = { SELECT_DATA, 76 },
	[CANDM_REPLY_SERVER_STATS3] = { SERVER_STATS3, 72 },
	[CANDM_REPLY_SERVER_STATS4] = { SERVER_STATS4, 196 },
	[CANDM_REPLY_NTP_DATA2] = { NTP_DATA2, 172 },
};

/* On the wire; here. */
static const struct {
	uint16_t width, size;
} WIDTHS[] = {
	[CANDM_FIELD_END] = { 0, 0 },
	[CANDM_FIELD_U8] = { 1, 1 },
	[CANDM_FIELD_U16] = { 2, 2 },
	[CANDM_FIELD_U32] = { 4, 4 },
	[CANDM_FIELD_U64] = { 8, 8 },
	[CANDM_FIELD_U64_SHORT] = { 4, 8 },
	[CANDM_FIELD_FLOAT] = { 4, sizeof(double) },
	[CANDM_FIELD_TIME] = { CANDM_TIME_SIZE, sizeof(vt_real) },
	[CANDM_FIELD_ADDRESS] = { CANDM_ADDRESS_SIZE, sizeof(struct candm_address) },
	[CANDM_FIELD_NAME] = { CANDM_NAME_SIZE, CANDM_NAME_SIZE },
	[CANDM_FIELD_ONES] = { 4, 0 },
	[CANDM_FIELD_ZERO_BYTE] = { 1, 0 },
};
/* clang-format on */

_Static_assert(COUNT(COMMANDS) == CANDM_LOCAL3 + 1, "a row for each command");
_Static_assert(COUNT(REPLIES) == CANDM_REPLY_NTP_DATA2 + 1, "a row for each reply");
_Static_assert(COUNT(WIDTHS) == CANDM_FIELD_ZERO_BYTE + 1, "a width for each kind");
_Static_assert(STATS_MAX == 17, "nothing but counters in a row");
_Static_assert(sizeof(union { struct candm_clients a; struct candm_new_source b; }) < UINT16_MAX,
	       "an offset fits");

const struct candm_command_row *candm_command_row(unsigned command)
{
	return command < CANDM_COMMANDS && COMMANDS[command].length ? &COMMANDS[command] : NULL;
}

const struct candm_reply_row *candm_reply_row(unsigned code)
{
	return code < CANDM_REPLIES && REPLIES[code].length ? &REPLIES[code] : NULL;
}

size_t candm_field_width(unsigned kind)
{
	return WIDTHS[kind].width;
}

size_t candm_field_size(unsigned kind)
{
	return WIDTHS[kind].size;
}
