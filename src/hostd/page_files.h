/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_PAGE_FILES_H
#define HOSTD_PAGE_FILES_H

/*
 * page_files.h - the page, as it was built in
 *
 * Made by page/embed.py from the files of page/ and, where it is installed, dygraphs: nothing
 * is read from a disk when somebody looks at the page, and nothing from a network.
 */

#include <stdbool.h>
#include <stddef.h>

struct page_file {
	const char *path; /* "/page.js"; "/" is index.html                  */
	const char *type;
	const char *etag; /* with its quotes: changes with the file's bytes */
	const unsigned char *data;
	size_t n;
};

extern const struct page_file PAGE_FILES[];
extern const size_t N_PAGE_FILES;

#endif
