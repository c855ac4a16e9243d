/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_LIBVIRT_MESSAGE_H
#define HOSTD_LIBVIRT_MESSAGE_H

/*
 * libvirt_message.h - what only vmtimed understands, through libvirt
 *
 * libvirt has no call for it, so it goes as a raw command to the agent, and libvirt marks the
 * domain as tainted ("custom-ga-command") and says so in the domain's log.  That is true of a guest whose
 * agent is vmtimed, and no use anywhere else: ask who the agent is before.
 */

#include <libvirt/libvirt.h>

#include "hostd/work.h"

/*
 * Does WORK_NUDGE, WORK_STATUS or WORK_QUALITY; libvirt waits @patience_s seconds for the answer.
 * 0 with what came of it in *@outcome (its result is left alone where that was good), or -1 with
 * libvirt's error.
 */
int libvirt_message_send(virDomainPtr domain, const struct work *work, int patience_s,
                         struct work_outcome *outcome);

#endif
