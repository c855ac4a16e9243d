/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_ROOT_PATH_H
#define OS_ROOT_PATH_H

/*
 * root_path.h - a path of another machine, laid out below a folder of this one
 *
 * A symbolic link in such a tree means what it would mean there: "/usr/lib/os-release" is below the
 * folder, and ".." does not lead out of it.  Followed by hand, since only newer kernels can
 * (openat2).  It is no defence against somebody who changes the tree meanwhile.
 */

#include <stddef.h>

#include "base/attr.h"

#define ROOT_PATH_MAX 4096 /* room for any path of this machine */

/*
 * Writes to @to where @path (it begins with "/") lies, links followed, @root (no slash at its end)
 * in front; "" is this machine, where links are followed likewise.  What does not exist is no error: its name stays as it is.  0 or -errno:
 * -ELOOP past 40 links, -ENAMETOOLONG; *@to is then empty.
 */
int root_path(const char *root, const char *path, char *to, size_t size) must_check;

#endif
