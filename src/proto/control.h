/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_CONTROL_H
#define PROTO_CONTROL_H

/*
 * control.h - what a program may ask vmtimed, and what it is answered
 *
 * A request is one line, a reply is one line, both are JSON objects that name
 * the version of the protocol; docs/protocol/control.md has every byte.
 *
 * The daemon turns a line into a request and a report into a line:
 *
 *     if (control_decode_request(line, length, &request, &error))
 *             r = control_encode_error(&error, &reply, &reply_length);
 *     else
 *             r = control_encode_reply(&request, &report, &reply, &reply_length);
 *
 * The command line does the opposite.  Requests are read strictly, because a
 * program that misspells a key must hear of it.  Replies are read strictly in
 * their types and leniently in their keys: a newer daemon may say more.
 *
 * Lines are (pointer, length): they need no terminator, and nothing in them can
 * do more than make the decoder refuse.  No I/O, no log, no hidden state.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "proto/host_reason.h"
#include "proto/report.h"

#define CONTROL_VERSION     1
#define CONTROL_REQUEST_MAX 4096      /* bytes, without the line's end; longer is refused */
#define CONTROL_REPLY_MAX   (1 << 18) /* bytes, with the line's end; no reply is longer  */
#define CONTROL_ID_MAX      64        /* bytes of an id that is a string                  */
#define CONTROL_TIMEOUT_MAX VT_SEC(3600)

enum control_command {
	CONTROL_STATUS,
	CONTROL_SOURCES,
	CONTROL_SOURCESTATS,
	CONTROL_TRACKING,
	CONTROL_EVENTS,
	CONTROL_FOLLOW,
	CONTROL_WAITSYNC,
	CONTROL_NUDGE,
	CONTROL_COMMANDS, /* how many there are */
};

/* Why a request was not served, or a reply not understood. */
enum control_code {
	CONTROL_MALFORMED,   /* not a JSON object, twice the same key, too deep         */
	CONTROL_TOO_LONG,    /* more than CONTROL_REQUEST_MAX or CONTROL_REPLY_MAX      */
	CONTROL_BAD_VERSION, /* a version of the protocol that is not spoken here       */
	CONTROL_UNKNOWN_COMMAND,
	CONTROL_UNKNOWN_KEY,
	CONTROL_BAD_VALUE, /* a key is missing, or its value has a wrong type or range */
	CONTROL_BUSY,      /* too many clients, or too many requests                  */
	CONTROL_DENIED,    /* this user may not do that                               */
	CONTROL_INTERNAL,  /* out of memory                                           */
	CONTROL_CODES,     /* how many there are                                      */
};

/* A client's own mark on a request, given back with the reply. */
struct control_id {
	enum { CONTROL_ID_NONE, CONTROL_ID_NUMBER, CONTROL_ID_TEXT } kind;
	int64_t number;
	char text[CONTROL_ID_MAX + 1]; /* UTF-8 */
};

/* What a request may say besides its command; which command takes which is in control.c. */
struct control_arguments {
	bool has_limit;
	uint64_t limit;          /* events: at most so many, 1 to REPORT_EVENTS_MAX              */
	bool has_since, has_before;
	uint64_t since, before;  /* events: those with a larger number, with a smaller one       */
	bool has_max_correction;
	vt_span max_correction;  /* waitsync: the clock is at most this far off; 0: any distance */
	bool has_max_skew;
	double max_skew_ppm;     /* waitsync: likewise; 0: any                                   */
	bool has_after_now;
	bool is_after_now;       /* waitsync: and that by a reading that began after the request */
	bool has_timeout;
	vt_span timeout;         /* waitsync: answered after this time in any case               */
	bool has_reason;
	enum host_reason reason; /* nudge: why; never HOST_REASON_NONE                            */
};

struct control_request {
	enum control_command command;
	struct control_id id;
	struct control_arguments arguments;
};

struct control_error {
	enum control_code code;
	char text[256];       /* one sentence for people: printable ASCII, foreign words quoted */
	struct control_id id; /* as far as it could be read */
};

/* The word that stands for it on the wire and on the command line: "status". */
const char *control_command_name(enum control_command command);

/* False, and *@ret untouched, where no command has that name. */
bool control_command_find(const char *name, enum control_command *ret);

/* "bad-version" */
const char *control_code_name(enum control_code code);

/*
 * Makes the JSON library draw its hash seed now.  It would otherwise open
 * /dev/urandom at the first message, when a sandbox may already forbid it.
 */
void control_prepare(void);

/* --- The daemon's side --- */

/*
 * Reads one request of @length bytes; a line's end (LF or CR LF) may be among them.
 * Returns 0, or -EINVAL with *@reterr to be sent back by control_encode_error.
 * *@ret is written only on success, *@reterr only on refusal.
 */
int control_decode_request(const char *line, size_t length, struct control_request *ret,
                           struct control_error *reterr) must_check;

/*
 * Writes the reply to @request from the struct that belongs to its command (see
 * control_decode_reply), and of that only the part that it asks for.  Returns 0 and a
 * line with its LF, to be freed by the caller with free(); @ret_length counts the LF and not
 * the NUL behind it.  -ENOMEM: outputs untouched.  Strings that are not UTF-8 and numbers
 * that are not finite do not fail: bytes become '?', such a number becomes null.
 */
int control_encode_reply(const struct control_request *request, const void *report, char **ret,
                         size_t *ret_length) must_check;

/* The same for a refusal, whether control_decode_request's or the daemon's own. */
int control_encode_error(const struct control_error *error, char **ret,
                         size_t *ret_length) must_check;

/* For a refusal of the daemon's own, such as CONTROL_BUSY.  @id NULL: none. */
void control_error_make(struct control_error *ret, enum control_code code,
                        const struct control_id *id, const char *format, ...) printf_like(4, 5);

/* --- The client's side --- */

/* Writes a request with its LF, as a string.  0, or -ENOBUFS with @to untouched. */
int control_encode_request(const struct control_request *request, char *to, size_t size) must_check;

/* How a line that came back is to be taken. */
enum control_outcome {
	CONTROL_ANSWERED, /* *ret is valid                                                 */
	CONTROL_REFUSED,  /* the daemon said no: *reterr is what it said                   */
	CONTROL_GARBAGE,  /* this is not a reply to that command: *reterr says what is wrong */
};

/*
 * Reads one reply to @command.  @ret points to the struct that belongs to the
 * command, of which only that part is written, and only for CONTROL_ANSWERED; the rest stays as
 * it was.  In a struct report_status:
 *     status       everything but the sources' statistics
 *     sources      ret->sources, without the statistics
 *     sourcestats  ret->sources: number, names, refids and statistics, the rest is zero
 *     tracking     ret->tracking
 * All of a struct report_events for `events`, report_notice for each line that `follow` brings,
 * report_wait for `waitsync`.
 * Strings that are longer than their room are cut between two characters.
 */
enum control_outcome control_decode_reply(const char *line, size_t length,
                                          enum control_command command, void *ret,
                                          struct control_error *reterr) must_check;

/*
 * Writes the data of a reply to @command for people and programs: indented, one document (but
 * what `follow` brings in one line), ASCII, LF at its end, with the keys that this version does not know.  For CONTROL_ANSWERED *@ret
 * is a string to be freed by the caller with free(); *@reterr as above.
 */
enum control_outcome control_pretty(const char *line, size_t length, enum control_command command,
                                    char **ret, struct control_error *reterr) must_check;

#endif
