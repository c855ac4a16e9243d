/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_DESCRIPTORS_H
#define OS_DESCRIPTORS_H

/*
 * descriptors.h - a program may be started with its standard files closed
 *
 * The next file that it opens then takes their number, and what was meant for
 * a terminal is written into a socket or a pid file.  So this is called before
 * anything is opened.
 */

#include "base/attr.h"

/*
 * Opens /dev/null in place of each of the three standard files that is closed, the wrong way
 * round: reading from stdin and writing to the others fails with EBADF, as it should, instead of
 * getting lost.  0 or -errno.
 */
int descriptors_fill(void) must_check;

/*
 * Lets this process have as many open files as it may at most: two sockets a guest are more than
 * the usual 1024.  Where that is refused it stays as it was.
 */
void descriptors_raise_limit(void);

#endif
