/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_STAMP_H
#define OS_STAMP_H

/*
 * stamp.h - has anything steered the clock since this machine booted?
 *
 * A small file in /run/vmtime that holds the kernel's boot id, so that it says
 * no after a boot even where /run survives one (small images, containers).
 * The folder must belong to the user that the daemon drops to.
 */

#include <stdbool.h>

#include "base/attr.h"

#define STAMP_PATH "/run/vmtime/steered"

/* Writes the stamp of this boot.  0 or -errno. */
int stamp_make(const char *path) must_check;

/* True only where @path holds the id of this very boot. */
bool stamp_exists(const char *path);

#endif
