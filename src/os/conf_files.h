/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_CONF_FILES_H
#define OS_CONF_FILES_H

/*
 * conf_files.h - the files of a configuration
 *
 * The three doors that conf/'s parser reaches real files through; their shapes are those of a
 * struct conf_loader, whose context they do not need:
 *
 *     static const struct conf_loader LOADER = {
 *             NULL, conf_files_read, conf_files_expand, conf_files_list,
 *     };
 *
 * Only regular files are read, and /dev/null as an empty one: a FIFO or a device would make a
 * daemon wait for ever at its start or its reload.
 */

#include <stddef.h>

#include "base/attr.h"

/*
 * Reads the whole file @path into @to.  -EFBIG where it holds more than @size bytes, -EISDIR for a
 * directory, -EOPNOTSUPP for what is no file at all.  *@ret_n is written only on success.
 */
int conf_files_read(void *context, const char *path, char *to, size_t size,
		    size_t *ret_n) must_check;

/*
 * Hands the existing files that @pattern names to @found, sorted by name, byte for byte.  Returns
 * 0, also for none, what @found returned, or -errno.
 */
int conf_files_expand(void *context, const char *pattern,
		      int (*found)(void *list, const char *path), void *list) must_check;

/* As conf_files_expand, for the names in @directory that end in @suffix and do not begin with ".".
 */
int conf_files_list(void *context, const char *directory, const char *suffix,
		    int (*found)(void *list, const char *path), void *list) must_check;

#endif
