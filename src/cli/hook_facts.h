/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_HOOK_FACTS_H
#define CLI_HOOK_FACTS_H

/*
 * hook_facts.h - what a hook is told, as its environment
 *
 * Units are in the names.  Everything is there each time, so that a script may
 * use what it needs under `set -u`: what is not known is empty, or 0 where
 * the protocol says 0.
 */

#include "cli/hook_queue.h"

/* "disruption", "repair" */
const char *hook_phase_name(enum hook_phase phase);

/*
 * @inherited and the facts of @job, which override what is called alike; ended by NULL.  One block,
 * to be freed by the caller with free(); it borrows from @inherited.  NULL: out of memory.
 */
char **hook_facts_make(const struct hook_job *job, char *const *inherited);

#endif
