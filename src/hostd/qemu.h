/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_QEMU_H
#define HOSTD_QEMU_H

/*
 * qemu.h - guests through QEMU's own sockets, without libvirt
 *
 *     qemu NAME qmp PATH [agent PATH] [cid N]
 *
 * A rule names the socket of a guest's monitor (QMP) and, if it has one, that of its
 * agent's port.  With one `*` in the QMP socket's path the rule stands for
 * as many guests as there are sockets; `*` stands for one or more characters but "/",
 * and where it stands in NAME and in the agent's path it is replaced by them:
 *
 *     qemu web    qmp /run/web.qmp             agent /run/web.qga  cid 5
 *     qemu *      qmp /run/guests/vm-*.qmp     agent /run/guests/vm-*.qga
 *     qemu node-* qmp /run/nodes/n*.qmp
 *
 * The folders are watched: a guest appears when its monitor has answered, and is gone when
 * nobody listens there any more.  A rule that comes first wins a socket that two rules
 * match.
 *
 * QEMU's RESUME is what counts (SIGN_RUNNING), whether a STOP came before it or not; each
 * time that a monitor could be reached again the guest is told to be running once more,
 * since anything may have happened meanwhile.  A monitor has room for one client, and an
 * agent's port as well: these sockets must be hostd's own.
 *
 * A socket is used only where it may be trusted (os/unix_stream.h); what is refused is
 * told in @trouble.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "hostd/backend.h"
#include "hostd/heap.h"
#include "hostd/sign.h"
#include "os/files.h"
#include "os/folder_watch.h"
#include "os/poller.h"

#define QEMU_PATH_MAX  FILE_PATH_MAX
#define QEMU_RULES_MAX 256

/* One line of the configuration.  Texts are terminated. */
struct qemu_rule {
	char name[GUEST_NAME_MAX];
	char qmp[QEMU_PATH_MAX];
	char agent[QEMU_PATH_MAX]; /* "": there is none; QMP alone                */
	unsigned cid;              /* 0: none known; only for a rule without a `*` */
};

struct qemu_guest;

struct qemu {
	struct backend backend;
	struct qemu_rule *rules;
	size_t n_rules;
	struct poller poller;
	struct folder_watch folders;
	struct qemu_guest **guests; /* each socket that a rule matches, by number; see qemu_guest.h */
	uint32_t *hashes;           /* of their sockets' paths, in the same order  */
	size_t n, size;
	uint32_t next_number;
	struct qemu_guest *first_sign, *first_outcome; /* queues of those who have some */
	struct qemu_guest **last_sign, **last_outcome; /* where the next one is put     */
	struct work_outcome *strays; /* of work for guests that there are none of (any more) */
	size_t n_strays;
	vt_mono look;     /* for sockets, at the latest                            */
	vt_mono may_look; /* ... and not before: many come at once                 */
	struct heap turns; /* guests that wait for a time                          */
	vt_mono now;      /* of the latest dispatch                                */
	bool has_ended;   /* some guest is to be freed                             */
	bool is_trouble_stale;
};

/* 0, or -EINVAL with one sentence in @reterr_text: a relative path, a second `*`, one without the other. */
int qemu_rule_check(const struct qemu_rule *rule, char *reterr_text, size_t text_size) must_check;

/*
 * A back end for @rules (copied), which have been checked.  Guests appear with the dispatches.
 * 0, or -errno with @q safe for qemu_fini.
 */
int qemu_init(struct qemu *q, const struct qemu_rule *rules, size_t n_rules) must_check;

/* Closes all connections.  Safe after a qemu_init that failed, and twice. */
void qemu_fini(struct qemu *q);

#endif
