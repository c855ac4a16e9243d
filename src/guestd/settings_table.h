/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_SETTINGS_TABLE_H
#define GUESTD_SETTINGS_TABLE_H

/*
 * settings_table.h - the directives that vmtimed knows
 *
 * Private to settings.c and its tests: everybody else sees struct settings only.  The one table
 * gives the grammar, the reference and the manual page.  A directive of chrony 4.0 to 4.8 that has
 * no meaning here stands in it too, so that a distribution's chrony.conf loads as it is.
 */

#include "conf/table.h"
#include "guestd/settings.h"

enum refclock_driver {
	REFCLOCK_PHC,
	REFCLOCK_SHM,
	REFCLOCK_SOCK,
	REFCLOCK_PPS,
	REFCLOCK_RTC,
};

/* What stands behind `refclock DRIVER`, with room for the driver's options behind the device. */
#define REFCLOCK_PARAMETER_MAX (SETTINGS_PATH_MAX + 64)

/* One refclock line while it is read or printed. */
struct refclock_draft {
	enum refclock_driver driver;
	char parameter[REFCLOCK_PARAMETER_MAX];
	struct source_conf source;
};

/* The target of the table: the settings being made, and the line at hand. */
struct settings_builder {
	struct settings settings;
	struct refclock_draft draft;
	struct ntp_settings ntp;
	char word[CONF_WORD_MAX]; /* of one that is read or printed as a text */
	unsigned n_refclocks_seen; /* of every driver: chrony numbers the refids through */
};

extern const struct conf_table SETTINGS_TABLE;

/* Its parts, each leading to the next. */
extern const struct conf_table SETTINGS_REFCLOCK_TABLE;
extern const struct conf_table SETTINGS_NTP_TABLE;
extern const struct conf_table SETTINGS_GENERAL_TABLE;
extern const struct conf_table SETTINGS_COMMAND_TABLE;
extern const struct conf_table SETTINGS_CHRONY_TABLE; /* what is accepted without effect */

/* Whether @s can only be the name of a host, which nobody looks up here. */
bool settings_is_host_name(struct slice s);

/* What the files of a sourcedir may hold. */
extern const struct conf_table SETTINGS_SOURCES_TABLE;

#endif
