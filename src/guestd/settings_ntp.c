/* SPDX-License-Identifier: Apache-2.0 */

/*
 * settings_ntp.c - the directives server, pool and peer
 */

#include <string.h>

#include "guestd/settings_table.h"
#include "guestd/settings_values.h"

#define NO_NTP "NTP sources are not built yet: they are kept and not asked for the time"

static void *start(void *target, enum ntp_kind kind)
{
	struct settings_builder *b = target;

	b->ntp = (struct ntp_settings){
		.kind = kind,
		.port = 123,
		.nts_port = 4460,
		.min_poll = 6,
		.max_poll = 10,
		.poll_target = 8,
		.max_sources = 4,
		.min_samples = -1,
		.max_samples = -1,
		.max_unreach = 100000,
		.max_delay = { .ns = 3 * CONF_NS_PER_S },
		.max_delay_dev_ratio = 10,
	};
	return &b->ntp;
}

static void *server_open(void *target)
{
	return start(target, NTP_SERVER);
}

static void *pool_open(void *target)
{
	return start(target, NTP_POOL);
}

static void *peer_open(void *target)
{
	return start(target, NTP_PEER);
}

/* Servers stand before pools and these before peers, in the order of the file, as they are printed. */
static int ntp_close(void *target, struct conf_reader *reader)
{
	struct settings_builder *b = target;
	struct settings *s = &b->settings;
	unsigned at = s->n_ntp;

	conf_warn(reader, "server, pool, peer: " NO_NTP);
	if (s->n_ntp == SETTINGS_NTP_MAX) {
		conf_warn(reader, "more than %d NTP sources: those behind them are left out",
			  SETTINGS_NTP_MAX);
		return 0;
	}
	while (at > 0 && s->ntp[at - 1].kind > b->ntp.kind)
		at--;
	memmove(&s->ntp[at + 1], &s->ntp[at], (s->n_ntp - at) * sizeof s->ntp[0]);
	s->ntp[at] = b->ntp;
	s->n_ntp++;
	return 0;
}

static const void *element_of(const void *target, enum ntp_kind kind, unsigned i)
{
	const struct settings *s = &((const struct settings_builder *)target)->settings;

	for (unsigned k = 0; k < s->n_ntp; k++)
		if (s->ntp[k].kind == kind && i-- == 0)
			return &s->ntp[k];
	return NULL;
}

static const void *server_element(void *target, unsigned i)
{
	return element_of(target, NTP_SERVER, i);
}

static const void *pool_element(void *target, unsigned i)
{
	return element_of(target, NTP_POOL, i);
}

static const void *peer_element(void *target, unsigned i)
{
	return element_of(target, NTP_PEER, i);
}

static const char *const EXTENSIONS[] = { "F323", "F324", "10A", NULL };

#define IN(member) CONF_AT(struct ntp_settings, member)

/* As chrony: a number may be any here; what cannot be used is moved into its range at use. */
/* clang-format off */
static const struct conf_row OPTIONS[] = {
	{ "minpoll", CONF_SET, { ANY_WHOLE("N", IN(min_poll)) }, .initial = "6",
	  .help = "Shortest time between two requests, as a power of two of a second." },
	{ "maxpoll", CONF_SET, { ANY_WHOLE("N", IN(max_poll)) }, .initial = "10",
	  .help = "Longest time between two requests, as a power of two of a second." },
	{ "iburst", CONF_SET, .given = IN(iburst),
	  .help = "Begin with a few requests in a row." },
	{ "burst", CONF_SET, .given = IN(burst),
	  .help = "Send a few requests in a row at each poll." },
	{ "key", CONF_SET, { COUNT_OF("ID", IN(key), 1) }, .given = IN(has_key),
	  .help = "Authenticate with this key of the key file." },
	{ "nts", CONF_SET, .given = IN(nts), .help = "Authenticate by Network Time Security." },
	{ "ntsport", CONF_SET, { ANY_WHOLE("PORT", IN(nts_port)) }, .initial = "4460",
	  .help = "Port of its key exchange." },
	{ "certset", CONF_SET, { COUNT_OF("ID", IN(cert_set), 0) }, .initial = "0",
	  .help = "The set of trusted certificates to verify it with." },
	{ "maxdelay", CONF_SET, { SECONDS("SECONDS", IN(max_delay), -DECADES, DECADES) },
	  .initial = "3", .help = "Answers that took longer are not used." },
	{ "maxdelayratio", CONF_SET, { DECIMAL("RATIO", IN(max_delay_ratio)) },
	  .initial = "0",
	  .help = "Nor those that took this much longer than the quickest; 0 is off." },
	{ "maxdelaydevratio", CONF_SET, { DECIMAL("RATIO", IN(max_delay_dev_ratio)) },
	  .initial = "10",
	  .help = "Nor those whose delay grew by more than this many deviations." },
	{ "maxdelayquant", CONF_SET, { DECIMAL("P", IN(max_delay_quantile)) },
	  .initial = "0", .help = "Nor those beyond this quantile of the delay; 0 is off." },
	{ "mindelay", CONF_SET, { SECONDS("SECONDS", IN(min_delay), -DECADES, DECADES) },
	  .initial = "0", .help = "The shortest delay there can be; 0 is measured." },
	{ "asymmetry", CONF_SET, { DECIMAL("RATIO", IN(asymmetry)) },
	  .given = IN(has_asymmetry),
	  .help = "How the jitter divides between the two ways, from -0.5 to 0.5." },
	{ "offset", CONF_SET, { SECONDS("SECONDS", IN(offset), -DECADES, DECADES) },
	  .initial = "0", .help = "Added to the time that it gives." },
	{ "minsamples", CONF_SET, { ANY_WHOLE("N", IN(min_samples)) }, .initial = "-1",
	  .help = "Fewest measurements to keep; -1 leaves it to the directive minsamples." },
	{ "maxsamples", CONF_SET, { ANY_WHOLE("N", IN(max_samples)) }, .initial = "-1",
	  .help = "Most measurements to keep; -1 leaves it to the directive maxsamples." },
	{ "filter", CONF_SET, { ANY_WHOLE("N", IN(filter)) }, .initial = "0",
	  .help = "Take the median of this many answers for one; 0 is off." },
	{ "offline", CONF_SET, .given = IN(offline),
	  .help = "Ask nothing until chronyc online." },
	{ "auto_offline", CONF_SET, .given = IN(auto_offline),
	  .help = "Stop asking when requests cannot be sent." },
	{ "prefer", CONF_SET, .given = IN(prefer),
	  .help = "Prefer it to sources without this option." },
	{ "noselect", CONF_SET, .given = IN(noselect), .help = "Measure it, never follow it." },
	{ "trust", CONF_SET, .given = IN(trust),
	  .help = "Take it for right where sources without this option disagree." },
	{ "require", CONF_SET, .given = IN(require),
	  .help = "Follow nothing unless this one can be followed." },
	{ "xleave", CONF_SET, .given = IN(xleave), .help = "Use the interleaved mode." },
	{ "polltarget", CONF_SET, { ANY_WHOLE("N", IN(poll_target)) }, .initial = "8",
	  .help = "How many measurements the interval of polling aims at." },
	{ "port", CONF_SET, { ANY_WHOLE("PORT", IN(port)) }, .initial = "123",
	  .help = "Its UDP port." },
	{ "presend", CONF_SET, { ANY_WHOLE("N", IN(presend_min_poll)) },
	  .given = IN(has_presend),
	  .help = "From this interval on (a power of two) send a request ahead, to wake the way." },
	{ "minstratum", CONF_SET, { ANY_WHOLE("N", IN(min_stratum)) }, .initial = "0",
	  .help = "Count its stratum as at least this." },
	{ "version", CONF_SET, { ANY_WHOLE("N", IN(version)) }, .initial = "0",
	  .help = "NTP version of the requests; 0 chooses." },
	{ "maxsources", CONF_SET, { ANY_WHOLE("N", IN(max_sources)) }, .initial = "4",
	  .help = "How many of a pool's servers to use." },
	{ "maxunreach", CONF_SET, { ANY_WHOLE("N", IN(max_unreach)) },
	  .initial = "100000", .help = "After this many lost answers it is not followed." },
	{ "copy", CONF_SET, .given = IN(copy),
	  .help = "Take its reference id and stratum for our own." },
	{ "ipv4", CONF_SET, .given = IN(ipv4), .help = "Use its IPv4 addresses only." },
	{ "ipv6", CONF_SET, .given = IN(ipv6), .help = "Use its IPv6 addresses only." },
	{ "extfield", CONF_SET,
	  { { CONF_FLAGS, "TYPE", IN(extensions), 0, 0, EXTENSIONS } },
	  .help = "Send and take this extension field." },
};
static const struct conf_table OPTION_TABLE = CONF_TABLE(OPTIONS);

static const struct conf_row ROWS[] = {
	{ "server", CONF_SET, { TEXT("NAME", IN(name), NTP_NAME_MAX) },
	  .options = &OPTION_TABLE,
	  .open = server_open, .close = ntp_close, .element = server_element,
	  .help = "An NTP server. In this version it is checked and kept, and not asked for the "
	          "time." },
	{ "pool", CONF_SET, { TEXT("NAME", IN(name), NTP_NAME_MAX) },
	  .options = &OPTION_TABLE,
	  .open = pool_open, .close = ntp_close, .element = pool_element,
	  .help = "A name that stands for several NTP servers, as server." },
	{ "peer", CONF_SET, { TEXT("NAME", IN(name), NTP_NAME_MAX) },
	  .options = &OPTION_TABLE,
	  .open = peer_open, .close = ntp_close, .element = peer_element,
	  .help = "An NTP server that may ask us in turn, as server." },
};
/* clang-format on */

const struct conf_table SETTINGS_NTP_TABLE = { ROWS, COUNT(ROWS), &SETTINGS_GENERAL_TABLE };

const struct conf_table SETTINGS_SOURCES_TABLE = CONF_TABLE(ROWS);
