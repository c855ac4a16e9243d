/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_SEQUENCE_TABLE_H
#define HOSTD_SEQUENCE_TABLE_H

/*
 * sequence_table.h - for each step and each answer, what comes next
 */

#include "hostd/sequence.h"

/* What an outcome amounts to. */
enum cue {
	CUE_YES,
	CUE_NO,     /* an error, or garbage                                             */
	CUE_FROZEN, /* an error, because filesystems are frozen                         */
	CUE_CANNOT, /* this agent cannot do that at all                                 */
	CUE_SILENT, /* sent, and no answer                                              */
	CUE_UNSENT, /* nothing has left this host                                       */
	CUE_RIGHT,  /* an answer that tells of the clock: it is within the threshold    */
	CUE_WRONG,  /* ... it is not, and that is certain                               */
	CUE_VAGUE,  /* ... it may be either: the answer took longer than the threshold  */
	CUE_MOVED,  /* ... which says nothing, because the host's own clock was moved   */
	CUES,
};

enum move {
	MOVE_NEVER,     /* that cue does not come in that step                           */
	MOVE_ASK,       /* vmtimed                                                       */
	MOVE_ASK_LATER, /* once more in a moment; after a while: the agent               */
	MOVE_CONFIRM,   /* measure, where there is an agent; else it is right            */
	MOVE_AGENT,     /* vmtimed was no help: the agent                                */
	MOVE_SET,       /* where it may be                                               */
	MOVE_RESET,     /* the RTC's backlog, where that can be done; else verify        */
	MOVE_VERIFY,
	MOVE_AGAIN,     /* the same step; after a few times what is known must do        */
	MOVE_RETRY,     /* all of it, after a pause; after a while: failed               */
	MOVE_FROZEN,    /* wait for the thaw                                             */
	MOVE_RIGHT,     /* the end: the clock is right                                   */
	MOVE_BEGIN,     /* peace is over: the clock is wrong                             */
	MOVE_REST,      /* peace goes on                                                 */
};

enum move sequence_move(enum sequence_step step, enum cue cue);

/* The work of a step.  False, and *@ret untouched: it has none, it waits. */
bool sequence_work(enum sequence_step step, enum work_kind *ret);

#endif
