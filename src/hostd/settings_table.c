/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/settings_table.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

static const char *const LEVELS[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARN] = "warning",
	[LOG_LEVEL_ERR] = "error",
	NULL,
};
_Static_assert(COUNT(LEVELS) == LOG_LEVEL_ERR + 2, "a word for each level");

static const char *quoted(const char *text, char *to, size_t size)
{
	return log_quote(text, strlen(text), to, size);
}

/* --- libvirt --- */

static int libvirt_close(void *target, struct conf_reader *reader)
{
	struct settings *s = &((struct settings_builder *)target)->settings;
	const char *authority = strstr(s->libvirt_uri, "://");
	char quote[80];

	if (strcmp(s->libvirt_uri, "auto") == 0)
		s->libvirt = SETTINGS_LIBVIRT_AUTO;
	else if (strcmp(s->libvirt_uri, "off") == 0)
		s->libvirt = SETTINGS_LIBVIRT_OFF;
	else if (authority && authority[3] == '/')
		s->libvirt = SETTINGS_LIBVIRT_URI;
	else if (authority)
		return conf_refuse(reader, "libvirt: the guests of another host would be given the time "
				   "of this one: run vmtime-hostd there");
	else
		return conf_refuse(reader, "libvirt: expected auto, off or a URI such as "
				   "qemu:///system, got %s",
				   quoted(s->libvirt_uri, quote, sizeof quote));
	return 0;
}

/* --- qemu --- */

static void *qemu_open(void *target)
{
	struct settings_builder *b = target;

	b->qemu = (struct qemu_settings){ .name = "" };
	return &b->qemu;
}

static unsigned count_stars(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '*';
	return n;
}

/* One * names the guest; a second one, or one in a folder's name, would leave open which. */
static bool is_pattern_good(const char *path)
{
	const char *star = strchr(path, '*');

	return !star || (count_stars(path) == 1 && !strchr(star, '/'));
}

static int qemu_check(const struct qemu_settings *q, struct conf_reader *reader)
{
	const bool is_pattern = count_stars(q->qmp) > 0;
	char quote[80];

	if (!*q->qmp)
		return conf_refuse(reader, "qemu: expected qmp and the path of QEMU's monitor socket");
	if (!is_pattern_good(q->qmp) || !is_pattern_good(q->agent) || count_stars(q->name) > 1)
		return conf_refuse(reader, "qemu: expected at most one * in the name of a guest and in "
				   "the last part of a path");
	if (count_stars(q->name) != is_pattern)
		return conf_refuse(reader, "qemu %s: expected a * in the name where qmp has one, and "
				   "none where it has none", quoted(q->name, quote, sizeof quote));
	if (*q->agent && (count_stars(q->agent) > 0) != is_pattern)
		return conf_refuse(reader, "qemu: expected a * in agent where qmp has one, and none "
				   "where it has none");
	if (is_pattern && q->cid)
		return conf_refuse(reader, "qemu: expected no cid beside a *: each guest has its own");
	return 0;
}

static int qemu_close(void *target, struct conf_reader *reader)
{
	struct settings_builder *b = target;
	struct settings *s = &b->settings;
	char quote[80];
	int err = qemu_check(&b->qemu, reader);

	if (err)
		return err;
	for (unsigned i = 0; i < s->n_qemu; i++) {
		if (strcmp(s->qemu[i].qmp, b->qemu.qmp) == 0)
			return conf_refuse(reader, "qemu: expected each monitor socket once, got %s again",
					   quoted(b->qemu.qmp, quote, sizeof quote));
		if (!count_stars(b->qemu.name) && strcmp(s->qemu[i].name, b->qemu.name) == 0)
			return conf_refuse(reader, "qemu: expected each name once, got %s again",
					   quoted(b->qemu.name, quote, sizeof quote));
	}
	if (s->n_qemu == SETTINGS_QEMU_MAX)
		return conf_refuse(reader, "qemu: expected at most %d lines; one with a * in it stands "
				   "for many guests", SETTINGS_QEMU_MAX);
	s->qemu[s->n_qemu++] = b->qemu;
	return 0;
}

static const void *qemu_element(void *target, unsigned i)
{
	const struct settings *s = &((struct settings_builder *)target)->settings;

	return i < s->n_qemu ? &s->qemu[i] : NULL;
}

/* --- vsock --- */

static void *vsock_open(void *target)
{
	struct settings_builder *b = target;

	b->vsock = (struct vsock_settings){ .name = "" };
	return &b->vsock;
}

static int vsock_close(void *target, struct conf_reader *reader)
{
	struct settings_builder *b = target;
	struct settings *s = &b->settings;
	char quote[80];

	if (!b->vsock.cid)
		return conf_refuse(reader, "vsock: expected cid and the guest's address on vsock");
	for (unsigned i = 0; i < s->n_vsock; i++)
		if (strcmp(s->vsock[i].name, b->vsock.name) == 0 || s->vsock[i].cid == b->vsock.cid)
			return conf_refuse(reader, "vsock %s: expected each name and each cid once",
					   quoted(b->vsock.name, quote, sizeof quote));
	if (s->n_vsock == SETTINGS_VSOCK_MAX)
		return conf_refuse(reader, "vsock: expected at most %d guests", SETTINGS_VSOCK_MAX);
	s->vsock[s->n_vsock++] = b->vsock;
	return 0;
}

static const void *vsock_element(void *target, unsigned i)
{
	const struct settings *s = &((struct settings_builder *)target)->settings;

	return i < s->n_vsock ? &s->vsock[i] : NULL;
}

/* --- http --- */

/* ADDRESS:PORT, the address in [ ] where it has colons of its own. */
static bool read_endpoint(const char *text, struct address *ret, unsigned *ret_port)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	struct slice host = { text, n };
	bool has_brackets = n >= 2 && text[0] == '[' && text[n - 1] == ']';
	int64_t port;

	if (has_brackets)
		host = (struct slice){ text + 1, n - 2 };
	if (!colon || !slice_to_int(slice_of(colon + 1), &port) || port < 1 || port > 65535 ||
	    !address_read(host, ret) || (ret->family == ADDRESS_IPV6) != has_brackets)
		return false;
	*ret_port = (unsigned)port;
	return true;
}

static int http_close(void *target, struct conf_reader *reader)
{
	struct settings *s = &((struct settings_builder *)target)->settings;
	char quote[80];

	s->is_http_on = strcmp(s->http, "off") != 0;
	if (s->is_http_on && !read_endpoint(s->http, &s->http_address, &s->http_port))
		return conf_refuse(reader, "http: expected off, or an address and a port such as "
				   "127.0.0.1:9532 or [::1]:9532, got %s",
				   quoted(s->http, quote, sizeof quote));
	return 0;
}

#define IN_SETTINGS(member) CONF_AT(struct settings_builder, settings.member)
#define IN_QEMU(member)     CONF_AT(struct qemu_settings, member)
#define IN_VSOCK(member)    CONF_AT(struct vsock_settings, member)

/* clang-format off */
#define TEXT(name, at, size)      { CONF_TEXT, name, at, 0, (size) - 1, NULL }
#define PATH(name, at)            { CONF_PATH, name, at, 0, SETTINGS_PATH_MAX - 1, NULL }
#define SPAN(name, at, min, max)  { CONF_SPAN, name, at, min, max, NULL }
/* 0 to 2 are nobody, the host's own and the host. */
#define CID(at)                   { CONF_COUNT, "CID", at, 3, UINT32_MAX - 1, NULL }

#define MS 1000000
#define S  CONF_NS_PER_S

static const struct conf_row QEMU_OPTIONS[] = {
	{ "qmp", CONF_SET, { PATH("PATH", IN_QEMU(qmp)) },
	  .help = "The unix socket of QEMU's monitor that speaks QMP. It serves one client at a "
	          "time: it must be one of vmtime-hostd's own." },
	{ "agent", CONF_SET, { PATH("PATH", IN_QEMU(agent)) },
	  .help = "The unix socket of the guest agent's port, org.qemu.guest_agent.0." },
	{ "cid", CONF_SET, { CID(IN_QEMU(cid)) }, .given = IN_QEMU(has_cid),
	  .help = "The guest's address on vsock, where vmtimed answers." },
};
static const struct conf_table QEMU_TABLE = CONF_TABLE(QEMU_OPTIONS);

static const struct conf_row VSOCK_OPTIONS[] = {
	{ "cid", CONF_SET, { CID(IN_VSOCK(cid)) }, .help = "Its address on vsock." },
};
static const struct conf_table VSOCK_TABLE = CONF_TABLE(VSOCK_OPTIONS);

static const struct conf_row ROWS[] = {
	{ "libvirt", CONF_SET, { TEXT("URI", IN_SETTINGS(libvirt_uri), SETTINGS_PATH_MAX) },
	  .close = libvirt_close, .initial = "auto",
	  .help = "Look after the guests of this libvirt: a URI such as qemu:///system, auto for "
	          "the system's where its socket is, or off. It is of this host: one that names another "
	          "is refused." },
	{ "qemu", CONF_SET, { TEXT("NAME", IN_QEMU(name), GUEST_NAME_MAX) }, .options = &QEMU_TABLE,
	  .open = qemu_open, .close = qemu_close, .element = qemu_element,
	  .help = "Look after a guest through the sockets of its QEMU. With a * in NAME and in the "
	          "paths, after as many as there are such sockets, at any time; what the * of qmp stands "
	          "for is put in the place of the others." },
	{ "vsock", CONF_SET, { TEXT("NAME", IN_VSOCK(name), GUEST_NAME_MAX) }, .options = &VSOCK_TABLE,
	  .open = vsock_open, .close = vsock_close, .element = vsock_element,
	  .help = "Look after a guest through its vmtimed alone, as with a microVM that has no "
	          "agent's port. While nobody answers there the guest is taken to be stopped." },
	{ "threshold", CONF_SET, { SPAN("DURATION", IN_SETTINGS(threshold), MS, 3600 * S) },
	  .initial = "100ms",
	  .help = "A guest's clock is set only where it is off by more than this, what the "
	          "measurement can be wrong by taken off." },
	{ "unsynchronized-threshold", CONF_SET,
	  { SPAN("DURATION", IN_SETTINGS(unsynchronized_threshold), MS, 24 * 3600 * S) },
	  .initial = "2s",
	  .help = "The same while the host's own clock is not synchronised; at least as much as threshold." },
	{ "interval", CONF_SET, { SPAN("DURATION", IN_SETTINGS(interval), S, 24 * 3600 * S) },
	  .initial = "1min",
	  .help = "How often the clock of a guest is measured that nothing happens to." },
	{ "parallel", CONF_SET, { { CONF_COUNT, "N", IN_SETTINGS(parallel), 1, 1024, NULL } },
	  .initial = "64",
	  .help = "At most so many guests are put right at once; the others wait in the order of "
	          "their disruption." },
	{ "http", CONF_SET, { TEXT("ADDRESS:PORT", IN_SETTINGS(http), SETTINGS_WORD_MAX) },
	  .close = http_close, .initial = "127.0.0.1:9532",
	  .help = "Where the page, /api/guests and /metrics are, or off. Another address than "
	          "loopback needs tls and token." },
	{ "tls", CONF_SET,
	  { PATH("CERTIFICATE", IN_SETTINGS(tls_certificate)), PATH("KEY", IN_SETTINGS(tls_key)) },
	  .help = "Files in PEM: http speaks TLS with them." },
	{ "token", CONF_SET, { PATH("PATH", IN_SETTINGS(token_file)) },
	  .help = "A file with a secret on its first line, which who reads over http must name." },
	{ "socket", CONF_SET, { PATH("PATH", IN_SETTINGS(socket)) },
	  .initial = "/run/vmtime/hostd.sock",
	  .help = "Where vmtime guests and vmtime sync ask. Every local user may read." },
	{ "group", CONF_SET, { TEXT("NAME", IN_SETTINGS(group), SETTINGS_WORD_MAX) },
	  .initial = "vmtime",
	  .help = "Besides root, its members may have guests synchronised: a name or a number. "
	          "Where there is no such group, root alone may." },
	{ "pidfile", CONF_SET, { PATH("PATH", IN_SETTINGS(pid_file)) },
	  .initial = "/run/vmtime/hostd.pid",
	  .help = "Where the process id is written; / stands for nowhere." },
	{ "loglevel", CONF_SET,
	  { { CONF_CHOICE, "LEVEL", IN_SETTINGS(log_level), 0, 0, LEVELS } }, .initial = "info",
	  .help = "The lowest level that is logged; -L overrides it." },
	{ "include", CONF_INCLUDE, { TEXT("PATTERN", 0, CONF_PATH_MAX) },
	  .help = "Read the files that match, sorted by name, in place of this line. A plain path "
	          "must exist." },
	{ "confdir", CONF_CONFDIR, { TEXT("DIRECTORY ...", 0, CONF_PATH_MAX) },
	  .help = "Read the *.conf files of the directory, sorted by name; of several directories "
	          "on the line the first that holds a name has it." },
};
/* clang-format on */

const struct conf_table SETTINGS_TABLE = CONF_TABLE(ROWS);
