/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * log.h - one line, one fact
 *
 * Only the daemons and the command line log; everything below them returns what
 * happened.  ERR: you must act.  WARN: we coped, and say how.  INFO: the state
 * changed, never periodic.  DEBUG: anything.  The sink is the program's one
 * piece of file-scope state: stderr, or the system log, with a lowest level.
 */

#include <stddef.h>

#include "base/attr.h"

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERR,
};

enum log_sink {
	LOG_SINK_STDERR,
	LOG_SINK_SYSLOG,
};

/* @program is borrowed for ever (a string literal).  Before the first call: stderr, INFO. */
void log_open(const char *program, enum log_sink sink, enum log_level lowest);

void log_at(enum log_level level, const char *format, ...) printf_like(2, 3);

/* Appends ": " and the text of @error (positive or negative errno); returns -|error|. */
int log_error_at(enum log_level level, int error, const char *format, ...) printf_like(3, 4);

#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...)  log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_fail(...)  log_at(LOG_LEVEL_ERR, __VA_ARGS__)

/* `return log_err(r, "open %s", path);` */
#define log_err(error, ...)  log_error_at(LOG_LEVEL_ERR, error, __VA_ARGS__)
#define log_cope(error, ...) log_error_at(LOG_LEVEL_WARN, error, __VA_ARGS__)

/*
 * Writes a foreign string so that it stays on one line and shows what it holds: quoted, with
 * control characters and bytes above 0x7e as \xNN.  Always terminated; cut where @size ends.
 * Returns @to.
 */
const char *log_quote(const char *text, size_t length, char *to, size_t size);

#endif
