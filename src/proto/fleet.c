/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/fleet.h"
#include "proto/fleet_words.h"

const char *const FLEET_STATE_NAMES[FLEET_STATES] = {
	[FLEET_DISCOVERED] = "discovered", [FLEET_WATCHING] = "watching",
	[FLEET_STOPPED] = "stopped",       [FLEET_DISRUPTED] = "disrupted",
	[FLEET_MEASURING] = "measuring",   [FLEET_SETTING] = "setting",
	[FLEET_VERIFIED] = "verified",     [FLEET_FROZEN] = "frozen",
	[FLEET_FAILED] = "failed",
};

const char *const FLEET_AGENT_NAMES[FLEET_AGENTS] = {
	[FLEET_AGENT_NONE] = "none",
	[FLEET_AGENT_UNKNOWN] = "unknown",
	[FLEET_AGENT_QEMU_GA] = "qemu-ga",
	[FLEET_AGENT_VMTIMED] = "vmtimed",
};

const char *const FLEET_END_NAMES[FLEET_ENDS] = {
	[FLEET_END_OPEN] = "open", [FLEET_END_RIGHT] = "right",   [FLEET_END_NUDGED] = "nudged",
	[FLEET_END_SET] = "set",   [FLEET_END_FAILED] = "failed",
};

const char *fleet_state_name(enum fleet_state state)
{
	return FLEET_STATE_NAMES[state];
}

const char *fleet_agent_name(enum fleet_agent agent)
{
	return FLEET_AGENT_NAMES[agent];
}

const char *fleet_end_name(enum fleet_end end)
{
	return FLEET_END_NAMES[end];
}
