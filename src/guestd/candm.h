/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_CANDM_H
#define GUESTD_CANDM_H

/*
 * candm.h - vmtimed answers chronyc
 *
 * Through the unix socket everything may be asked and done, for its folder lets
 * in only root and vmtimed's own user and group; over UDP only what is read, by
 * the list of `opencommands`.  Values are those that vmtime's own reports have
 * (report.h), in the protocol's units and signs.  What vmtimed has no
 * equivalent of is answered by the protocol's own refusals, never by invented
 * values.
 *
 * candm.c sends and receives; candm_rules.c has the table of what may be asked
 * and what becomes of it; candm_read.c and candm_act.c do it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "guestd/candm_access.h"
#include "guestd/candm_conf.h"
#include "guestd/candm_limit.h"
#include "os/candm_sock.h"
#include "wire/candm.h"

#define CANDM_PATH          "/run/chrony/chronyd.sock"
#define CANDM_FOLDER        "/run/chrony"
#define CANDM_FALLBACK_PATH "/run/vmtime/chronyd.sock"

struct daemon;

struct candm {
	struct candm_sock sock;
	struct candm_access access;
	struct candm_limit near, far; /* each port here; each address elsewhere */
	unsigned open;
	uint64_t received, dropped;
};

/* Makes @c safe for candm_fini. */
void candm_init(struct candm *c);

/*
 * Opens the sockets, which is easiest as root; the unix socket will belong to @uid and @gid.  What
 * cannot be opened is logged, and done without.
 */
void candm_open(struct candm *c, const struct candm_conf *conf, uid_t uid, gid_t gid);

/* What may change while the daemon runs: who may ask, how often, and for what. */
void candm_configure(struct candm *c, const struct candm_conf *conf);

/* Whether CANDM_FOLDER is ours, to be removed in the end by whoever has the right. */
bool candm_has_folder(const struct candm *c);

/* Removes it, too, where we still may. */
void candm_fini(struct candm *c);

/* Answers what has come. */
void candm_answer(struct daemon *d, vt_mono now);

#endif
