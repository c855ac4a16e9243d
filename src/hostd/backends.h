/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_BACKENDS_H
#define HOSTD_BACKENDS_H

/*
 * backends.h - the ways to guests that the settings name
 *
 * One way that cannot be had is told and missed; the others go on.
 */

#include "hostd/channels.h"
#include "hostd/libvirt.h"
#include "hostd/lines.h"
#include "hostd/qemu.h"
#include "hostd/settings.h"

#define BACKENDS_MAX 3

struct backends {
	struct backend *libvirt; /* NULL: none */
	bool has_qemu;
	struct qemu qemu;
	bool has_channels;
	struct channels channels;
	struct lines lines; /* over @channels, where there are any */
	unsigned n;
	struct backend *list[BACKENDS_MAX];
	char told[BACKENDS_MAX][REPORT_TEXT_MAX]; /* what was logged of each one's trouble */
};

/* Opens those that @settings name; cannot fail, for what is missing is logged. */
void backends_open(struct backends *b, const struct settings *settings);

/* Safe on zeroes, and twice. */
void backends_close(struct backends *b);

/* Whether @new names other guests than @old, so that they must be opened anew. */
bool backends_differ(const struct settings *old, const struct settings *new);

/* Logs what is wrong with one of them, once.  True: something else than before. */
bool backends_tell(struct backends *b);

#endif
