/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/sequence_table.h"

/* clang-format off */
/* Short words for a wide table. */
enum {
	N = MOVE_NEVER, ask = MOVE_ASK, later = MOVE_ASK_LATER, confirm = MOVE_CONFIRM,
	agent = MOVE_AGENT, set = MOVE_SET, reset = MOVE_RESET, verify = MOVE_VERIFY,
	again = MOVE_AGAIN, retry = MOVE_RETRY, frozen = MOVE_FROZEN, right = MOVE_RIGHT,
	begin = MOVE_BEGIN, rest = MOVE_REST,
};

/*
 * A refusal, silence and nonsense are alike when vmtimed was asked: then the agent is.  They
 * are alike, too, when the time was set: then it is measured, and that decides.  While the clock is
 * known to be wrong nothing ends here but by a measurement.
 */
static const unsigned char MOVES[SEQUENCE_STEPS][CUES] = {
	/*                      yes     no      frozen  cannot  silent  unsent  right    wrong  vague   moved */
	[SEQUENCE_NUDGE]   = {  ask,    agent,  agent,  agent,  agent,  agent,  N,       N,     N,      N     },
	[SEQUENCE_ASK]     = {  N,      agent,  agent,  agent,  agent,  agent,  confirm, later, N,      N     },
	[SEQUENCE_CONFIRM] = {  N,      right,  right,  right,  right,  right,  right,   later, right,  again },
	[SEQUENCE_MEASURE] = {  N,      retry,  frozen, retry,  retry,  retry,  right,   set,   again,  again },
	[SEQUENCE_SET]     = {  reset,  reset,  frozen, reset,  reset,  retry,  N,       N,     N,      N     },
	[SEQUENCE_RESET]   = {  verify, verify, verify, verify, verify, verify, N,       N,     N,      N     },
	[SEQUENCE_VERIFY]  = {  N,      retry,  frozen, retry,  retry,  retry,  right,   retry, again,  again },
	[SEQUENCE_LOOK]    = {  N,      rest,   rest,   rest,   rest,   rest,   rest,    begin, rest,   rest  },
	[SEQUENCE_PROBE]   = {  N,      rest,   rest,   rest,   rest,   rest,   rest,    rest,  N,      N     },
	[SEQUENCE_INFO]    = {  rest,   rest,   rest,   rest,   rest,   rest,   N,       N,     N,      N     },
	[SEQUENCE_QUALITY] = {  rest,   rest,   rest,   rest,   rest,   rest,   N,       N,     N,      N     },
};

static const struct {
	bool has;
	enum work_kind kind;
} WORK[SEQUENCE_STEPS] = {
	[SEQUENCE_NUDGE]   = { true, WORK_NUDGE },
	[SEQUENCE_ASK]     = { true, WORK_STATUS },
	[SEQUENCE_CONFIRM] = { true, WORK_GET_TIME },
	[SEQUENCE_MEASURE] = { true, WORK_GET_TIME },
	[SEQUENCE_SET]     = { true, WORK_SET_TIME },
	[SEQUENCE_RESET]   = { true, WORK_RESET_RTC },
	[SEQUENCE_VERIFY]  = { true, WORK_GET_TIME },
	[SEQUENCE_LOOK]    = { true, WORK_GET_TIME },
	[SEQUENCE_PROBE]   = { true, WORK_STATUS },
	[SEQUENCE_INFO]    = { true, WORK_INFO },
	[SEQUENCE_QUALITY] = { true, WORK_QUALITY },
};
/* clang-format on */

enum move sequence_move(enum sequence_step step, enum cue cue)
{
	return (enum move)MOVES[step][cue];
}

bool sequence_work(enum sequence_step step, enum work_kind *ret)
{
	if (WORK[step].has)
		*ret = WORK[step].kind;
	return WORK[step].has;
}
