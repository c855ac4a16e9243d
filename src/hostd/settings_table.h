/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_SETTINGS_TABLE_H
#define HOSTD_SETTINGS_TABLE_H

/*
 * settings_table.h - the directives that vmtime-hostd knows
 *
 * Private to settings.c and its tests: everybody else sees struct settings only.  The one
 * table gives the grammar, the reference and the manual page.
 */

#include "conf/table.h"
#include "hostd/settings.h"

/* The target of the table: the settings being made, and the line at hand. */
struct settings_builder {
	struct settings settings;
	struct qemu_settings qemu;
	struct vsock_settings vsock;
};

extern const struct conf_table SETTINGS_TABLE;

#endif
