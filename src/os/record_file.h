/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_RECORD_FILE_H
#define OS_RECORD_FILE_H

/*
 * record_file.h - a file that grows by lines
 *
 * Opened when the first line comes, and again after it was closed, so that closing it is what a
 * rotation needs.  A line is there whole or not at all: what a full disk cut short is taken back.
 */

#include <stddef.h>

#include "base/attr.h"

struct record_file {
	int fd; /* -1: not open; owned */
};

#define RECORD_FILE_INIT { .fd = -1 }

/*
 * Appends the @n bytes of @text to @path, which is made (0644) where it is missing.  0 or -errno:
 * -EISDIR, -ENODEV where it is no regular file, -ENOSPC.  After a failure the file is closed, and
 * the next call tries anew.  While it is open @path is not looked at.
 */
int record_file_append(struct record_file *f, const char *path, const char *text,
                       size_t n) must_check;

/* The next line opens the path again.  Allowed at any time. */
void record_file_close(struct record_file *f);

#endif
