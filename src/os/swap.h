/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_SWAP_H
#define OS_SWAP_H

/*
 * swap.h - exchanging the files of a system, so that at any moment each is old or new
 *
 * For files that belong to somebody else: what is not ours to change stays.  The
 * new file has the old one's owner, group, mode, and extended attributes (the
 * SELinux label and ACLs are among them); where one of these cannot be kept the
 * old file stays.  files.h is the same for vmtime's own files, where the content
 * matters more than its owner.
 *
 * The new bytes are written beside the file, with a name that no folder of
 * drop-ins takes for one, and are on the disk before they get the file's name.
 * A program that was killed in between leaves that file; swap_clean takes it away.
 *
 * Paths are real ones without symbolic links: see root_path.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"

#define SWAP_FILE_MAX 4194304 /* larger files are not ours to edit */

/* What a file holds; or that there is none. */
struct swap_image {
	bool exists;
	char *data; /* NULL where it does not exist; a NUL stands behind the last byte */
	size_t length;
};

void swap_image_fini(struct swap_image *image);
bool swap_image_equals(const struct swap_image *a, const struct swap_image *b);

/* 0, also where there is no file, or as file_read.  @*ret, only written on success, is the caller's. */
int swap_read(const char *path, struct swap_image *ret) must_check;

/* Makes @path hold @image, or be gone.  A new file gets @mode.  0 or -errno: then it is as it was. */
int swap_write(const char *path, const struct swap_image *image, mode_t mode) must_check;

/* Takes away what a killed swap_write left beside @path. */
void swap_clean(const char *path);

/* Makes the folder (its parent exists), on the disk.  0 or -errno; -EEXIST. */
int swap_make_folder(const char *path, mode_t mode) must_check;

/* Removes it where it is empty.  0, also for one that is not or that is gone; or -errno. */
int swap_remove_folder(const char *path) must_check;

/* Has the entries of the folder that @path stands in on the disk. */
int swap_sync_folder_of(const char *path) must_check;

#endif
