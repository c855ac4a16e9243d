/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_SCHEDULING_H
#define OS_SCHEDULING_H

/*
 * scheduling.h - what keeps a process from waiting: its memory stays, it runs first
 *
 * Both need rights that only root has, so they come before root is left.  Neither is passed on to
 * processes that are forked.
 */

#include "base/attr.h"

#define SCHEDULING_PRIORITY_MAX 99

/* All memory of this process, and what it takes later, stays in RAM.  0 or -errno. */
int scheduling_lock_memory(void) must_check;

/* SCHED_FIFO with @priority, 1 to SCHEDULING_PRIORITY_MAX.  0 or -errno. */
int scheduling_go_first(int priority) must_check;

#endif
