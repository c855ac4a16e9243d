/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_FLEET_CONTROL_H
#define PROTO_FLEET_CONTROL_H

/*
 * fleet_control.h - what a program may ask vmtime-hostd, and what it is answered
 *
 * The conventions are those of vmtimed's control socket (control.h): a line of JSON there, a
 * line back, a version, an id, the same errors, which control_encode_error writes.
 * docs/protocol/hostd.md has every byte.
 *
 * A host has up to FLEET_GUESTS_MAX guests and a reply at most CONTROL_REPLY_MAX bytes, so
 * guests are told in pages: each names where the next one begins.  What changes between
 * two pages cannot make a guest that stays be left out or told twice.
 *
 * No I/O, no log, no hidden state.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "proto/control.h"
#include "proto/fleet.h"

#define FLEET_CONTROL_SOCKET  "/run/vmtime/hostd.sock"
#define FLEET_CONTROL_VERSION 1
#define FLEET_PAGE_MAX        100 /* guests in a reply, or results; each has 2 KB at most */
#define FLEET_NAMES_MAX       32  /* in one request to synchronise                        */
#define FLEET_NAME_MAX        (REPORT_NAME_MAX * 2)
#define FLEET_SYNC_TIMEOUT    VT_SEC(60) /* where a request does not say */

enum fleet_command {
	FLEET_COMMAND_GUESTS,
	FLEET_COMMAND_HOST,
	FLEET_COMMAND_SYNC,
	FLEET_COMMANDS, /* how many there are */
};

/* A guest's place in the list, which is sorted by name, then by back end. */
struct fleet_cursor {
	char name[FLEET_NAME_MAX];
	char backend[16];
};

struct fleet_request {
	enum fleet_command command;
	struct control_id id;
	bool has_after;
	struct fleet_cursor after; /* guests: those behind this one                         */
	bool has_all;
	bool is_all;               /* sync: every guest; else those of @names                */
	unsigned n_names;
	char names[FLEET_NAMES_MAX][FLEET_NAME_MAX];
	bool has_timeout;
	vt_span timeout;           /* sync: answered after this time in any case             */
};

/* What a reply to `guests` holds. */
struct fleet_page {
	struct fleet_report report; /* the host, and the guests of this page          */
	unsigned total;             /* guests there are altogether                    */
	bool has_next;
	struct fleet_cursor next;   /* there are more: ask for those after this one    */
};

/* What a reply to `sync` holds. */
struct fleet_synced {
	unsigned verified; /* whose clocks are right                              */
	unsigned failed;   /* ... are not, or nobody can tell                     */
	unsigned pending;  /* whose turn had not come when the time was up        */
	unsigned n;        /* of @list: not right before right, FLEET_PAGE_MAX at most */
	struct fleet_sync list[FLEET_PAGE_MAX];
};

/* The word on the wire: "guests". */
const char *fleet_command_name(enum fleet_command command);

/* --- The daemon's side --- */

/* As control_decode_request. */
int fleet_control_decode(const char *line, size_t length, struct fleet_request *ret,
                         struct control_error *reterr) must_check;

/*
 * The reply to @request: a struct fleet_page, struct fleet_host or struct fleet_synced at @report.
 * 0 and a line with its LF, to be freed with free(), @ret_length counting it; -ENOMEM: outputs
 * untouched.
 */
int fleet_control_encode(const struct fleet_request *request, const void *report, char **ret,
                         size_t *ret_length) must_check;

/*
 * Cuts the page behind @after (NULL: the first) out of @all, which is sorted.  @ret->report.guests
 * points into @all.
 */
void fleet_page_cut(const struct fleet_report *all, const struct fleet_cursor *after,
                    struct fleet_page *ret);

/* --- The client's side --- */

/* Writes a request with its LF, as a string.  0, -ENOMEM, or -ENOBUFS with @to untouched. */
int fleet_control_request(const struct fleet_request *request, char *to, size_t size) must_check;

/*
 * Reads one reply to @command into what belongs to it, only for CONTROL_ANSWERED.  The guests of a
 * page are the caller's to free().
 */
enum control_outcome fleet_control_read(const char *line, size_t length, enum fleet_command command,
                                        void *ret, struct control_error *reterr) must_check;

/* {"host":{...},"guests":[...]}, indented, with its LF, for programs.  0 and free(), or -ENOMEM. */
int fleet_control_pretty(const struct fleet_report *report, char **ret) must_check;

#endif
