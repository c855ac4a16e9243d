/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WATCH_TERMINAL_H
#define CLI_WATCH_TERMINAL_H

/*
 * terminal.h - a terminal that is borrowed and given back as it was
 *
 * Keys come without Enter and are not echoed, a second screen covers the first,
 * the cursor is hidden.  Nothing that is written waits: what the terminal does
 * not take stays here, and until it is taken nothing more is accepted.  For
 * that the terminal is opened anew, because O_NONBLOCK on the file that came
 * with us would be the shell's as well.
 */

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "base/attr.h"

struct terminal {
	int in;  /* where keys come from, borrowed; -1: nowhere */
	int out; /* -1: not open                                */
	bool is_entered;
	struct termios before;
	char *bytes; /* not yet taken                               */
	size_t size, used, sent;
};

/*
 * Opens the terminal behind standard output, for frames of at most @frame bytes.  0, or -errno:
 * there is none, or it cannot be opened.  Nothing is changed yet.
 */
int terminal_open(struct terminal *t, size_t frame) must_check;

/* Leaves and closes.  Safe after a failed open, and twice. */
void terminal_close(struct terminal *t);

/* Room for frames of @frame bytes.  -ENOMEM: as it was. */
int terminal_reserve(struct terminal *t, size_t frame) must_check;

/* Takes the terminal over; also when it was taken from us meanwhile.  0 or -errno. */
int terminal_enter(struct terminal *t) must_check;

/* Gives it back, within a quarter of a second even where it takes nothing. */
void terminal_leave(struct terminal *t);

/* 80 by 24 where it does not know. */
void terminal_size(const struct terminal *t, int *ret_columns, int *ret_rows);

/* Earlier bytes are still waiting: a write would not be accepted. */
bool terminal_is_busy(const struct terminal *t);

/* Where the next frame may be written to, of at least the room that was reserved. */
char *terminal_frame(struct terminal *t, size_t *ret_size);

/* The frame has @length bytes: they are sent as the terminal takes them. */
void terminal_send(struct terminal *t, size_t length);

/* Sends what waits.  0, or -errno: the terminal is gone. */
int terminal_flush(struct terminal *t) must_check;

/* The next key; 0: none has been pressed; -1: there will be no more. */
int terminal_key(const struct terminal *t);

#endif
