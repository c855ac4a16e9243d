/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_PIDFILE_H
#define OS_PIDFILE_H

/*
 * pidfile.h - one daemon at a time, and where to find it
 *
 * The lock on the file decides (flock), not its existence: it ends with the
 * process, so a file left by a killed daemon is simply taken over.  Take it
 * after the last fork that leaves nothing but the daemon; a helper that is forked
 * later inherits the lock and must close `fd`.
 */

#include <sys/types.h>

#include "os/files.h"

struct pidfile {
	int fd;
	char path[FILE_PATH_MAX];
};

#define PIDFILE_INIT ((struct pidfile){ .fd = -1 })

enum pidfile_outcome {
	PIDFILE_TAKEN,
	PIDFILE_HELD, /* by a living process: *ret_other, 0 where it has not written its pid yet  */
	PIDFILE_FOREIGN, /* a file with something else in it has the name; it was not touched */
	PIDFILE_FAILED,  /* *reterr is a negative errno  */
};

/* Creates or takes over @path and writes our pid.  Missing folders are not made. */
enum pidfile_outcome pidfile_take(struct pidfile *p, const char *path, pid_t *ret_other,
				  int *reterr);

/* Empties and removes the file, as far as we still may.  Safe on PIDFILE_INIT. */
void pidfile_fini(struct pidfile *p);

#endif
