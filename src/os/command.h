/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_COMMAND_H
#define OS_COMMAND_H

/*
 * command.h - running a program of the system and hearing what it says
 *
 * No shell: words are arguments.  Programs are looked for in the system's own
 * folders, whatever PATH says, with messages in English and nothing to read.
 * What the program says, on both streams, is kept, the latest 64 KB of it.
 * There is no time limit: a generator of a boot file may take minutes, and ended
 * in the middle it would leave half a file.
 */

#include <stddef.h>

#include "base/attr.h"

#define COMMAND_OUTPUT_MAX 65536

struct command_result {
	int status;   /* the exit status; 128 + the signal for a program that died of one */
	char *output; /* terminated; NULs in it are replaced by '?'                       */
};

/*
 * Runs @words, which NULL ends, and waits.  0, whatever the program's status; *@ret is then the
 * caller's to fini.  -ENOENT where there is no such program, or another -errno: *@ret is untouched.
 */
int command_run(char *const *words, struct command_result *ret) must_check;

void command_result_fini(struct command_result *result);

#endif
