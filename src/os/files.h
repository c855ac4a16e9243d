/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_FILES_H
#define OS_FILES_H

/*
 * files.h - reading and replacing files without surprises
 *
 * Reading has a limit and refuses what is no regular file: a FIFO in the place
 * of a configuration must not hang a daemon.  Writing replaces a file whole:
 * at any moment, with any power cut and any full disk, the file is the old one
 * or the new one.
 */

#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"

#define FILE_PATH_MAX 512 /* longer paths are refused with -ENAMETOOLONG */

/*
 * Reads all of @path, at most @limit bytes.  *@ret is the caller's to free; a NUL stands behind
 * the last byte.  0 or -errno: -EFBIG past the limit, -EISDIR, -ENODEV for what is neither a file
 * nor a folder.  Outputs are written only on success.
 */
int file_read(const char *path, size_t limit, char **ret, size_t *ret_length) must_check;

/*
 * Reads @fd, which stays open, until its end or until @size bytes are there.  Returns how many, or
 * -errno: then some of @to may have been written.
 */
ssize_t file_read_up_to(int fd, char *to, size_t size) must_check;

/* Writes all of it, however many calls that takes.  0, or -errno: some of it may have been written. */
int file_write_all(int fd, const char *data, size_t length) must_check;

/*
 * Reads a small file of /proc or /sys, relative to @folder (an fd, or AT_FDCWD), into @to, without
 * allocating; blanks at its end are cut off.  Returns the length, or -errno; -EFBIG where it does
 * not fit with its terminator.  On failure @to is an empty string.
 */
ssize_t file_read_small(int folder, const char *path, char *to, size_t size) must_check;

/*
 * Replaces @path: a new file beside it ("PATH.tmp"), fsync, rename, fsync of the folder.  A file
 * that exists keeps its mode, and its owner where we may give it; a new one gets @mode.  A
 * symbolic link stays one, its target is replaced.  0 or -errno; then the old file is as it was
 * and nothing is left beside it.
 */
int file_replace(const char *path, const char *data, size_t length, mode_t mode) must_check;

/*
 * Makes the folder @path (its parent exists) with @mode, owner and group.  One that exists is
 * left alone, whatever it looks like.  0 or -errno; -ENOTDIR where something else has the name.
 */
int folder_make(const char *path, mode_t mode, uid_t uid, gid_t gid) must_check;

/*
 * As folder_make, and gives a folder that exists to @uid and @gid as well.  Only for folders that
 * are vmtime's own (/run/vmtime, /var/lib/vmtime): never for one that a configuration names,
 * which could be /run.  Does not follow a symbolic link.  0 or -errno.
 */
int folder_take(const char *path, mode_t mode, uid_t uid, gid_t gid) must_check;

#endif
