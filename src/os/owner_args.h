/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_OWNER_ARGS_H
#define OS_OWNER_ARGS_H

/*
 * owner_args.h - do a process's arguments say that it sets the clock?
 *
 * One small reader for each program of owner.c's table that can be told not to.
 * What is not understood means yes.  Pure: the caller reads /proc/PID/cmdline.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

#define OWNER_ARGS_MAX 4096

struct owner_args {
	size_t length;             /* of the arguments with the NUL behind each */
	char text[OWNER_ARGS_MAX]; /* a NUL stands at text[length] as well      */
};

/*
 * The configuration file that -f names, for the programs of linuxptp; NULL without.  What it holds
 * is passed as @config to the readers below, empty where there is none or it cannot be read.
 */
const char *owner_args_config_path(const struct owner_args *args);

/* chronyd, and vmtimed, whose options are chrony's: not with -x, -Q (print the offset), -p. */
bool owner_args_chronyd(const struct owner_args *args, struct slice config);

/* `busybox ntpd`: not another applet, and not with -w (only ask). */
bool owner_args_busybox(const struct owner_args *args, struct slice config);

/*
 * phc2sys: with -a only where -r adds the system clock; else unless -c names another sink.  Not
 * where its servo writes to another program's socket or memory (ntpshm, refclock_sock).
 */
bool owner_args_phc2sys(const struct owner_args *args, struct slice config);

/*
 * ptp4l steers a network card's clock; the system clock only with software time stamps (-S, or the
 * setting time_stamping), and not when it runs free or feeds another program.
 */
bool owner_args_ptp4l(const struct owner_args *args, struct slice config);

/* vmtoolsd: the session's instance (-n vmusr) does not. */
bool owner_args_vmtoolsd(const struct owner_args *args, struct slice config);

/* VBoxService: not with --disable-timesync. */
bool owner_args_vboxservice(const struct owner_args *args, struct slice config);

#endif
