/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/fleet.h"

static const char *const STATES[FLEET_STATES] = {
	[FLEET_DISCOVERED] = "discovered", [FLEET_WATCHING] = "watching",
	[FLEET_STOPPED] = "stopped",       [FLEET_DISRUPTED] = "disrupted",
	[FLEET_MEASURING] = "measuring",   [FLEET_SETTING] = "setting",
	[FLEET_VERIFIED] = "verified",     [FLEET_FROZEN] = "frozen",
	[FLEET_FAILED] = "failed",
};

static const char *const AGENTS[FLEET_AGENTS] = {
	[FLEET_AGENT_NONE] = "none",
	[FLEET_AGENT_UNKNOWN] = "unknown",
	[FLEET_AGENT_QEMU_GA] = "qemu-ga",
	[FLEET_AGENT_VMTIMED] = "vmtimed",
};

static const char *const ENDS[FLEET_ENDS] = {
	[FLEET_END_OPEN] = "open", [FLEET_END_RIGHT] = "right",   [FLEET_END_NUDGED] = "nudged",
	[FLEET_END_SET] = "set",   [FLEET_END_FAILED] = "failed",
};

const char *fleet_state_name(enum fleet_state state)
{
	return STATES[state];
}

const char *fleet_agent_name(enum fleet_agent agent)
{
	return AGENTS[agent];
}

const char *fleet_end_name(enum fleet_end end)
{
	return ENDS[end];
}
