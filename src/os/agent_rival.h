/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_AGENT_RIVAL_H
#define OS_AGENT_RIVAL_H

/*
 * agent_rival.h - is there another guest agent here?
 *
 * qemu-ga does much more than tell the time, and only one process can hold the
 * agent's port.  Where it is installed, running or not, the port is its.
 */

#include <stdbool.h>

#include "base/attr.h"

/*
 * Looks for qemu-ga's binary and its unit where distributions put them, below @root ("" but in tests).
 * *@ret_path is what was found, a constant.
 */
bool agent_rival_find(const char *root, const char **ret_path) must_check;

#endif
