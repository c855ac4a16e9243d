/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_CANDM_DATA_H
#define WIRE_CANDM_DATA_H

/*
 * candm_data.h - what stands in the requests and replies, as values
 *
 * One struct for each form of data.  Names, units and signs are the protocol's:
 * offsets in seconds, frequencies in ppm, "ago" in whole seconds.  Numbers that
 * are floats on the wire lose precision there: see candm_scalar.h.
 */

#include <stdint.h>

#include "wire/candm_scalar.h"

#define CANDM_NAME_SIZE    256 /* of a source, with its terminator   */
#define CANDM_MANUAL_MAX   16  /* samples in a reply                 */
#define CANDM_CLIENTS_MAX  8   /* clients in a reply                 */
#define CANDM_NEVER        UINT32_MAX /* ago: it has not happened yet       */
#define CANDM_LOCAL_REFID  0x7f7f0101u /* the `local` directive serves     */

/* --- Requests --- */

struct candm_targets { /* ONLINE, OFFLINE, BURST: the sources that are meant */
	struct candm_address mask, address; /* both unspecified: all */
	int32_t n_good, n_total;            /* BURST only            */
};

struct candm_source_number { /* MODIFY_MINPOLL and the like, ALLOW and the like */
	struct candm_address address;
	int32_t number; /* the new value; of ALLOW and the like: bits of the subnet */
};

struct candm_source_value { /* MODIFY_MAXDELAY and the like, MODIFY_OFFSET */
	struct candm_address address;
	uint32_t refid; /* MODIFY_OFFSET only: where the address is unspecified */
	double value;
};

struct candm_makestep {
	int32_t limit;
	double threshold;
};

struct candm_local { /* LOCAL2 has the first four only */
	int32_t is_on, stratum;
	double distance;
	int32_t is_orphan;
	double activate, wait_synced, wait_unsynced;
};

struct candm_clients_wanted {
	uint32_t first, n, min_hits, is_reset;
};

/* Bits of the options in ADD_SOURCE and MODIFY_SELECTOPTS. */
enum candm_source_flag {
	CANDM_FLAG_ONLINE = 0x1,
	CANDM_FLAG_AUTO_OFFLINE = 0x2,
	CANDM_FLAG_IBURST = 0x4,
	CANDM_FLAG_PREFER = 0x8,
	CANDM_FLAG_NOSELECT = 0x10,
	CANDM_FLAG_TRUST = 0x20,
	CANDM_FLAG_REQUIRE = 0x40,
	CANDM_FLAG_INTERLEAVED = 0x80,
	CANDM_FLAG_BURST = 0x100,
	CANDM_FLAG_NTS = 0x200,
	CANDM_FLAG_COPY = 0x400,
	CANDM_FLAG_MONO_ROOT = 0x800,
	CANDM_FLAG_NET_CORRECTION = 0x1000,
	CANDM_FLAG_IPV4 = 0x2000,
	CANDM_FLAG_IPV6 = 0x4000,
};

struct candm_select_options {
	struct candm_address address;
	uint32_t refid;   /* where the address is unspecified          */
	uint32_t mask;    /* which to change: enum candm_select_option */
	uint32_t options; /* to what: enum candm_source_flag           */
};

enum candm_source_type {
	CANDM_TYPE_SERVER = 1,
	CANDM_TYPE_PEER = 2,
	CANDM_TYPE_POOL = 3,
};

struct candm_new_source {
	uint32_t type; /* enum candm_source_type */
	char name[CANDM_NAME_SIZE]; /* one without a terminator on the wire reads as empty */
	uint32_t port;
	int32_t min_poll, max_poll, presend_min_poll;
	uint32_t min_stratum, poll_target, version, max_sources;
	int32_t min_samples, max_samples;
	uint32_t key, nts_port;
	double max_delay, max_delay_ratio, max_delay_dev_ratio, min_delay, asymmetry, offset;
	uint32_t flags; /* enum candm_source_flag */
	int32_t filter_length;
	uint32_t cert_set;
	double max_delay_quantile;
	int32_t max_unreach;
};

/* --- Replies --- */

enum candm_source_state {
	CANDM_SELECTED = 0,
	CANDM_NOT_SELECTABLE = 1,
	CANDM_FALSETICKER = 2,
	CANDM_JITTERY = 3,
	CANDM_COMBINED = 4,
	CANDM_SELECTABLE = 5,
};

enum candm_source_mode {
	CANDM_MODE_CLIENT = 0,
	CANDM_MODE_PEER = 1,
	CANDM_MODE_REFCLOCK = 2,
};

struct candm_source_data {
	struct candm_address address; /* of a reference clock: IPv4, and holds the refid */
	int16_t poll;
	uint16_t stratum, state, mode, flags, reach;
	uint32_t since_sample;
	double measured, adjusted, error; /* offsets: positive: our clock is behind */
};

enum candm_leap {
	CANDM_LEAP_NORMAL = 0,
	CANDM_LEAP_INSERT = 1,
	CANDM_LEAP_DELETE = 2,
	CANDM_LEAP_UNSYNCHRONISED = 3,
};

struct candm_tracking {
	uint32_t refid;
	struct candm_address address; /* of a reference clock: unspecified */
	uint16_t stratum, leap;
	vt_real ref_time;
	double correction; /* positive: the system clock is behind */
	double last_offset, rms_offset;
	double frequency_ppm; /* positive: the clock by itself runs fast */
	double residual_ppm, skew_ppm, root_delay, root_dispersion, update_interval;
};

struct candm_sourcestats {
	uint32_t refid;
	struct candm_address address; /* of a reference clock: unspecified */
	uint32_t samples, runs, span;
	double standard_deviation, residual_ppm, skew_ppm, offset, offset_error;
};

struct candm_rtc {
	vt_real ref_time;
	uint16_t samples, runs;
	uint32_t span;
	double fast, gain_ppm;
};

struct candm_activity {
	int32_t online, offline, burst_online, burst_offline, unresolved;
};

struct candm_smoothing {
	uint32_t flags; /* 1: active, 2: for leap seconds only */
	double offset, frequency_ppm, wander_ppm, last_update_ago, remaining;
};

struct candm_ntp_data {
	struct candm_address remote, local;
	uint16_t port;
	uint8_t leap, version, mode, stratum;
	int8_t poll, precision;
	double root_delay, root_dispersion;
	uint32_t refid;
	vt_real ref_time;
	double offset, peer_delay, peer_dispersion, response_time, jitter_asymmetry;
	uint16_t flags;
	uint8_t tx_source, rx_source; /* letters */
	uint32_t tx, rx, valid, good;
	uint32_t kernel_tx, kernel_rx, hardware_tx, hardware_rx; /* not in code 16 */
};

struct candm_manual_timestamp {
	double offset, frequency_offset_ppm, frequency_ppm;
};

struct candm_manual_sample {
	vt_real when;
	double slewed, original, residual;
};

struct candm_manual_list {
	uint32_t n;
	struct candm_manual_sample samples[CANDM_MANUAL_MAX];
};

struct candm_name {
	char name[CANDM_NAME_SIZE];
};

struct candm_auth_data {
	uint16_t mode, key_type;
	uint32_t key_id;
	uint16_t key_length, attempts;
	uint32_t last_ago;
	uint16_t cookies, cookie_length, nak;
};

/* Which client asked how often. */
struct candm_client {
	struct candm_address address;
	uint32_t ntp_hits, ke_hits, command_hits, ntp_drops, ke_drops, command_drops;
	int8_t ntp_interval, ke_interval, command_interval, ntp_timeout_interval;
	uint32_t last_ntp_ago, last_ke_ago, last_command_ago;
};

struct candm_clients {
	uint32_t n_indices, next, n;
	struct candm_client clients[CANDM_CLIENTS_MAX];
};

/* As SERVER_STATS4 has them; the older forms are its beginning, in 32 bits, and saturate. */
struct candm_server_stats {
	uint64_t ntp_received, ke_accepted, commands_received;
	uint64_t ntp_dropped, ke_dropped, commands_dropped, log_dropped;
	uint64_t ntp_authenticated, ntp_interleaved, timestamps, timestamp_span;
	uint64_t daemon_rx, daemon_tx, kernel_rx, kernel_tx, hardware_rx, hardware_tx;
};

/* Bits of the options in SELECT_DATA. */
enum candm_select_option {
	CANDM_OPTION_NOSELECT = 1,
	CANDM_OPTION_PREFER = 2,
	CANDM_OPTION_TRUST = 4,
	CANDM_OPTION_REQUIRE = 8,
};

struct candm_select_data {
	uint32_t refid;
	struct candm_address address; /* of a reference clock: unspecified */
	uint8_t state;                /* a letter: '*', 'M' and so on */
	uint8_t is_authenticated, leap;
	uint16_t configured, effective;
	uint32_t since_sample;
	double score, low, high;
};

#endif
