/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_CANDM_H
#define WIRE_CANDM_H

/*
 * candm.h - chrony's command and monitoring protocol, version 6
 *
 * What chronyc speaks with chronyd, over a unix datagram socket or UDP: one
 * datagram asks, one answers.  The forms are those of chrony 4.0 to 4.8.  Where
 * they differ the length of the request tells which form the client wants, since
 * a client pads its request to the length of the reply that it expects.  And no
 * reply is ever longer than its request, so that nobody can be flooded with the
 * answers to forged questions.
 *
 * Codes and layouts stand in one table, candm_table.c; docs/protocol/candm.md
 * explains them.  Pure: bytes in, values out, and the other way round.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/candm_data.h"

#define CANDM_VERSION           6
#define CANDM_PORT              323
#define CANDM_REQUEST_HEADER    20
#define CANDM_REPLY_HEADER      28
#define CANDM_REQUEST_MAX       860 /* bytes; a longer datagram is none of ours */
#define CANDM_REPLY_MAX         520
#define CANDM_REQUEST_ANY       520 /* a request padded to this is long enough for every version */

enum candm_command {
	CANDM_NULL = 0,
	CANDM_ONLINE = 1,
	CANDM_OFFLINE = 2,
	CANDM_BURST = 3,
	CANDM_MODIFY_MINPOLL = 4,
	CANDM_MODIFY_MAXPOLL = 5,
	CANDM_DUMP = 6,
	CANDM_MODIFY_MAXDELAY = 7,
	CANDM_MODIFY_MAXDELAYRATIO = 8,
	CANDM_MODIFY_MAXUPDATESKEW = 9,
	CANDM_SETTIME = 11,
	CANDM_MANUAL = 13,
	CANDM_N_SOURCES = 14,
	CANDM_SOURCE_DATA = 15,
	CANDM_REKEY = 16,
	CANDM_ALLOW = 17,
	CANDM_ALLOWALL = 18,
	CANDM_DENY = 19,
	CANDM_DENYALL = 20,
	CANDM_CMDALLOW = 21,
	CANDM_CMDALLOWALL = 22,
	CANDM_CMDDENY = 23,
	CANDM_CMDDENYALL = 24,
	CANDM_ACCHECK = 25,
	CANDM_CMDACCHECK = 26,
	CANDM_DEL_SOURCE = 29,
	CANDM_WRITERTC = 30,
	CANDM_DFREQ = 31,
	CANDM_TRACKING = 33,
	CANDM_SOURCESTATS = 34,
	CANDM_RTCREPORT = 35,
	CANDM_TRIMRTC = 36,
	CANDM_CYCLELOGS = 37,
	CANDM_MANUAL_LIST = 41,
	CANDM_MANUAL_DELETE = 42,
	CANDM_MAKESTEP = 43,
	CANDM_ACTIVITY = 44,
	CANDM_MODIFY_MINSTRATUM = 45,
	CANDM_MODIFY_POLLTARGET = 46,
	CANDM_MODIFY_MAXDELAYDEVRATIO = 47,
	CANDM_RESELECT = 48,
	CANDM_RESELECTDISTANCE = 49,
	CANDM_MODIFY_MAKESTEP = 50,
	CANDM_SMOOTHING = 51,
	CANDM_SMOOTHTIME = 52,
	CANDM_REFRESH = 53,
	CANDM_SERVER_STATS = 54,
	CANDM_LOCAL2 = 56, /* up to 4.5 */
	CANDM_NTP_DATA = 57,
	CANDM_SHUTDOWN = 62,
	CANDM_ONOFFLINE = 63,
	CANDM_ADD_SOURCE = 64,
	CANDM_NTP_SOURCE_NAME = 65,
	CANDM_RESET_SOURCES = 66,
	CANDM_AUTH_DATA = 67,
	CANDM_CLIENT_ACCESSES = 68,
	CANDM_SELECT_DATA = 69,
	CANDM_RELOAD_SOURCES = 70,
	CANDM_DOFFSET2 = 71,           /* from 4.1 */
	CANDM_MODIFY_SELECTOPTS = 72,  /* from 4.4 */
	CANDM_MODIFY_OFFSET = 73,      /* from 4.6 */
	CANDM_LOCAL3 = 74,             /* from 4.6 */
};

#define CANDM_COMMANDS 75

enum candm_reply_code {
	CANDM_REPLY_NULL = 1, /* nothing but the status */
	CANDM_REPLY_N_SOURCES = 2,
	CANDM_REPLY_SOURCE_DATA = 3,
	CANDM_REPLY_TRACKING = 5,
	CANDM_REPLY_SOURCESTATS = 6,
	CANDM_REPLY_RTC = 7,
	CANDM_REPLY_ACTIVITY = 12,
	CANDM_REPLY_SMOOTHING = 13,
	CANDM_REPLY_NTP_DATA = 16, /* up to 4.5 */
	CANDM_REPLY_MANUAL_TIMESTAMP = 17,
	CANDM_REPLY_MANUAL_LIST = 18,
	CANDM_REPLY_NTP_SOURCE_NAME = 19,
	CANDM_REPLY_AUTH_DATA = 20,
	CANDM_REPLY_CLIENT_ACCESSES = 21,
	CANDM_REPLY_SERVER_STATS2 = 22, /* up to 4.1 */
	CANDM_REPLY_SELECT_DATA = 23,
	CANDM_REPLY_SERVER_STATS3 = 24, /* 4.2 and 4.3 */
	CANDM_REPLY_SERVER_STATS4 = 25, /* from 4.4 */
	CANDM_REPLY_NTP_DATA2 = 26,     /* from 4.6 */
};

#define CANDM_REPLIES 27

enum candm_status {
	CANDM_SUCCESS = 0,
	CANDM_FAILED = 1,
	CANDM_UNAUTHORISED = 2,
	CANDM_INVALID = 3, /* no such command, or an argument that is none */
	CANDM_NO_SUCH_SOURCE = 4,
	CANDM_NOT_ENABLED = 6,
	CANDM_BAD_SUBNET = 7,
	CANDM_ACCESS_ALLOWED = 8,
	CANDM_ACCESS_DENIED = 9,
	CANDM_SOURCE_KNOWN = 11,
	CANDM_TOO_MANY_SOURCES = 12,
	CANDM_NO_RTC = 13,
	CANDM_BAD_RTC_FILE = 14,
	CANDM_INACTIVE = 15, /* clients are not recorded */
	CANDM_BAD_SAMPLE = 16,
	CANDM_INVALID_FAMILY = 17,
	CANDM_BAD_VERSION = 18,
	CANDM_BAD_LENGTH = 19,
	CANDM_INVALID_NAME = 21,
};

/* Which member of the data is in use is the command's business: see candm_table.c. */
struct candm_request {
	uint16_t command; /* enum candm_command; before it is known to be one: any number */
	uint16_t attempt;
	uint32_t sequence;
	size_t length; /* of the datagram, padding included */
	union {
		struct candm_targets targets;
		struct candm_source_number source_number;
		struct candm_source_value source_value;
		struct candm_makestep makestep;
		struct candm_local local;
		struct candm_clients_wanted clients;
		struct candm_select_options select_options;
		struct candm_new_source new_source;
		struct candm_address address;
		vt_real time;
		uint32_t index;
		int32_t option;
		double value;
	} data;
};

struct candm_reply {
	uint16_t command;  /* echo */
	uint32_t sequence; /* echo */
	uint16_t status;   /* enum candm_status; with any but success the code may only be NULL */
	uint16_t code;     /* enum candm_reply_code */
	union {
		uint32_t n_sources;
		struct candm_source_data source;
		struct candm_tracking tracking;
		struct candm_sourcestats sourcestats;
		struct candm_rtc rtc;
		struct candm_activity activity;
		struct candm_smoothing smoothing;
		struct candm_ntp_data ntp_data;
		struct candm_manual_timestamp manual_timestamp;
		struct candm_manual_list manual_list;
		struct candm_name name;
		struct candm_auth_data auth_data;
		struct candm_clients clients;
		struct candm_server_stats server_stats;
		struct candm_select_data select_data;
	} data;
};

/* What a server makes of a datagram. */
enum candm_arrival {
	CANDM_ARRIVED, /* *ret is filled in                                                  */
	CANDM_REFUSED, /* answer with *ret_status; of *ret only the header is filled in      */
	CANDM_DROPPED, /* no request, or of a protocol too old to be answered: say nothing   */
};

/*
 * *ret and *ret_status are written as the outcome says.  What a request has behind its data is
 * padding; its content does not matter.
 */
enum candm_arrival candm_decode_request(const uint8_t *packet, size_t n, struct candm_request *ret,
					enum candm_status *ret_status);

/*
 * Writes @request with its padding to the length that any version of chronyd expects.  Returns
 * that length, or 0 for a command that does not exist.
 */
size_t candm_encode_request(const struct candm_request *request, uint8_t to[CANDM_REQUEST_ANY]);

/* The bytes that a request of this command has at least; 0: there is no such command. */
size_t candm_request_length(unsigned command);

/* The bytes of a reply with this code; 0: there is no such reply. */
size_t candm_reply_length(unsigned code);

/*
 * The form of the reply that fits into a request of @length bytes: for SERVER_STATS and NTP_DATA
 * the newest of theirs, else the only one.  CANDM_REPLY_NULL for commands that are just done.
 */
enum candm_reply_code candm_reply_form(unsigned command, size_t length);

/*
 * Writes @reply; returns its length, or 0 for a code that does not exist.  Unused bytes are 0.
 * The caller compares it with the request's: see candm_reply_form.
 */
size_t candm_encode_reply(const struct candm_reply *reply, uint8_t to[CANDM_REPLY_MAX]);

/* What a client makes of a datagram. */
enum candm_answer {
	CANDM_ANSWERED, /* *ret is filled in; its status may still be a refusal */
	CANDM_FOREIGN,  /* no reply to this command with this sequence          */
	CANDM_BROKEN,   /* it is one, but cut off or of an unknown form         */
};

/* *ret is written only for CANDM_ANSWERED. */
enum candm_answer candm_decode_reply(const uint8_t *packet, size_t n, uint16_t command,
				     uint32_t sequence, struct candm_reply *ret);

#endif
