/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_FINDINGS_H
#define AUDIT_FINDINGS_H

/*
 * findings.h - what is wrong with a machine's time, and what is to be known about it
 *
 * One table of rules.  A rule looks at facts (audit/facts.h) and at nothing else: no file, no
 * clock, no order.  As much of it as finding fault is knowing when not to: what a constant TSC
 * makes harmless is information there and a warning elsewhere, and what could not be looked at is
 * no finding.
 */

#include <stdbool.h>
#include <stddef.h>

#include "audit/facts.h"

#define FINDINGS_MAX       64
#define FINDING_TEXT_MAX   512

enum finding_severity {
	FINDING_NOTE,    /* worth knowing; nothing is wrong                       */
	FINDING_WARNING, /* the time is worse than it could be, or will be        */
	FINDING_BROKEN,  /* it is wrong, or will be at the next pause or boot     */
};

/* Of a rule: on which machines it is looked at; a machine may be both. */
enum finding_site {
	SITE_GUEST = 1 << 0,
	SITE_HOST  = 1 << 1,
	SITE_BOTH  = SITE_GUEST | SITE_HOST,
};

/* What fix can do about it.  What the remedy is about stands in the finding's `subject`. */
enum audit_remedy {
	REMEDY_NONE,
	REMEDY_ADVICE,                 /* only a person can: `advice` says how                    */
	REMEDY_ADD_KERNEL_ARGUMENT,    /* subject: "processor.max_cstate=1"                       */
	REMEDY_REMOVE_KERNEL_ARGUMENT, /* subject: the argument as it stands: "no-kvmclock"       */
	REMEDY_REBOOT,                 /* it is configured; subject: the argument                 */
	REMEDY_FIX_FREQUENCY,          /* subject: the governor to use, an available one          */
	REMEDY_ENABLE_CPUPOWER,        /* configured and not enabled; subject: the unit           */
	REMEDY_LOAD_PTP_KVM,           /* modules-load.d, and modprobe where it is not loaded     */
	REMEDY_REFCLOCK,               /* subject: the device to name, "/dev/ptp_kvm"             */
	REMEDY_MAKESTEP,               /* the chrony line that survives a resume; subject: "1 -1" */
	REMEDY_RTCSYNC,                /* subject: the file that lacks it                         */
	REMEDY_SYNC_TIME,              /* SYNC_TIME=1; subject: the file                          */
	REMEDY_DOMAIN_XML,             /* shown, never edited; subject: the element               */
	REMEDIES
};

struct finding;
struct findings;

/* A row of the table. */
struct finding_rule {
	const char *id;                /* "ptp-kvm": for the command line, stable              */
	unsigned site;                 /* of enum finding_site                                 */
	enum finding_severity worst;   /* what it can find at most                             */
	const char *title;             /* a line: what is looked at                            */
	const char *reason;            /* one sentence: why it matters                         */
	const char *quiet;             /* one sentence: when it does not fire, or less loudly  */
	const char *remedy;            /* one sentence: what is to be done, and by whom        */
	void (*judge)(const struct audit_facts *facts, struct findings *out);
};

struct finding {
	const struct finding_rule *rule;
	enum finding_severity severity;
	enum audit_remedy remedy;
	/* Printable ASCII all three; another byte of a file's is a "?". */
	char subject[FACTS_PATH_MAX];
	char evidence[FINDING_TEXT_MAX]; /* what was seen, where                                */
	char advice[FINDING_TEXT_MAX];   /* what to do; ""                                      */
};

struct findings {
	const struct finding_rule *rule; /* the one being judged                         */
	unsigned n;
	unsigned n_lost;
	struct finding list[FINDINGS_MAX]; /* worst first, in the order of the table otherwise */
};

/*
 * Judges @facts by every rule of @sites (enum finding_site; 0: those that the facts say).  In a
 * container there is one finding, which says so.  Pure: the same facts give the same findings.
 */
void findings_judge(const struct audit_facts *facts, unsigned sites, struct findings *out);

/* The sites that the facts speak for; 0 in a container. */
unsigned findings_sites(const struct audit_facts *facts);

/* Rule @i of the table; NULL past the last. */
const struct finding_rule *findings_rule(size_t i);

/* The rule named @id, or NULL. */
const struct finding_rule *findings_by_id(const char *id);

/* "note", "warning", "broken". */
const char *finding_severity_name(enum finding_severity severity);

/* A name for programs: "load-ptp-kvm". */
const char *audit_remedy_name(enum audit_remedy remedy);

#endif
