/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_SETTINGS_NTP_H
#define GUESTD_SETTINGS_NTP_H

/*
 * settings_ntp.h - one NTP source of the configuration: a server, pool or peer line
 *
 * Every option of chrony 4.8 with its meaning and default.  Nothing reads them yet but reports: NTP
 * sources are not built.  They are kept so that they are checked, printed, and counted as sources
 * whose address is not known.
 */

#include <stdbool.h>

#include "base/units.h"

#define NTP_NAME_MAX 256

enum ntp_kind {
	NTP_SERVER,
	NTP_POOL,
	NTP_PEER,
};

enum ntp_extension {
	NTP_EXTENSION_F323 = 1 << 0, /* experimental: root delay, dispersion, monotonic time */
	NTP_EXTENSION_F324 = 1 << 1, /* experimental: network correction                     */
	NTP_EXTENSION_10A = 1 << 2,  /* network correction                                   */
};

struct ntp_settings {
	enum ntp_kind kind;
	char name[NTP_NAME_MAX]; /* host name or address, as written */

	int port, nts_port;
	int min_poll, max_poll;       /* powers of two of a second                            */
	bool has_presend;
	int presend_min_poll;
	int poll_target, filter, version; /* version 0: chosen by the kind of key             */
	int min_stratum, max_sources; /* of a pool                                            */
	int min_samples, max_samples; /* -1: as the directives of these names say             */
	int max_unreach;
	bool has_key;
	unsigned key, cert_set;
	unsigned extensions;          /* of enum ntp_extension                                */
	vt_span max_delay, min_delay, offset;
	double max_delay_ratio, max_delay_dev_ratio, max_delay_quantile; /* 0: off            */
	bool has_asymmetry;
	double asymmetry;

	bool iburst, burst, nts, offline, auto_offline, xleave, copy, ipv4, ipv6;
	bool prefer, noselect, trust, require;
};

#endif
