/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_OPENER_PROCESS_H
#define OS_OPENER_PROCESS_H

/*
 * opener_process.h - the privileged side of os/opener, and what both sides say
 *
 * Messages are of fixed size, over a SOCK_SEQPACKET pair, between two images of
 * the same program: their layout needs no more care than that.  A reply repeats
 * the request's sequence, so that one that comes too late is known for what it is.
 */

#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>

#include "base/attr.h"
#include "os/opener.h"
#include "os/ptp_find.h"

#define OPENER_MAGIC UINT32_C(0x76746f70)

enum opener_kind {
	OPENER_KVM,     /* by the clock's name           */
	OPENER_NUMBER,  /* /dev/ptpN, N is @number       */
	OPENER_LISTED,  /* @number is an index           */
	OPENER_VMCLOCK, /* /dev/vmclock0                 */
	OPENER_RTC,     /* /dev/rtc0                     */
	OPENER_AGENT,   /* the guest agent's port        */
};

struct opener_request {
	uint32_t magic;
	uint32_t sequence;
	uint32_t kind; /* enum opener_kind, unchecked */
	uint32_t number;
};

struct opener_reply {
	uint32_t magic;
	uint32_t sequence;
	int32_t error;        /* 0: one fd comes along; else -errno */
	struct ptp_node node; /* OPENER_KVM: which it is            */
};

/*
 * Does what @request asks, in this process.  0 and an fd that is the caller's, or -errno with
 * outputs untouched; -EINVAL: no such request.  @ret_node is written for OPENER_KVM only.
 */
int opener_process_open(const char *root, const struct opener_paths *paths,
                        const struct opener_request *request, struct ptp_node *ret_node,
                        int *ret_fd) must_check;

/*
 * The life of the process, after fork: gives up what it does not need, answers on @socket until
 * that closes.  @parent is who forked.
 */
noreturn void opener_process_run(int socket, pid_t parent, const char *root,
                                 const struct opener_paths *paths);

#endif
