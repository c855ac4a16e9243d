/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/backends.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "hostd/channel_lines.h"
#include "hostd/libvirt.h"

/* The rules of @settings that can be followed; NULL: out of memory. */
static struct qemu_rule *make_rules(const struct settings *settings, size_t *ret_n)
{
	struct qemu_rule *rules = calloc(settings->n_qemu, sizeof *rules);
	char why[REPORT_TEXT_MAX];
	size_t n = 0;

	for (unsigned i = 0; rules && i < settings->n_qemu; i++) {
		const struct qemu_settings *from = &settings->qemu[i];
		struct qemu_rule *rule = &rules[n];

		memcpy(rule->name, from->name, sizeof rule->name);
		memcpy(rule->qmp, from->qmp, sizeof from->qmp);
		memcpy(rule->agent, from->agent, sizeof from->agent);
		rule->cid = from->cid;
		if (qemu_rule_check(rule, why, sizeof why) == 0)
			n++;
		else
			log_warn("qemu %s: %s; the line is ignored", from->name, why);
	}
	*ret_n = n;
	return rules;
}

static void open_qemu(struct backends *b, const struct settings *settings)
{
	struct qemu_rule *rules;
	size_t n = 0;
	int r;

	if (settings->n_qemu == 0)
		return;
	rules = make_rules(settings, &n);
	r = rules ? qemu_init(&b->qemu, rules, n) : -ENOMEM;
	free(rules);
	if (r < 0) {
		log_cope(r, "guests by the sockets of their QEMU are not seen");
		return;
	}
	b->has_qemu = true;
	b->list[b->n++] = &b->qemu.backend;
}

static void open_libvirt(struct backends *b, const struct settings *settings)
{
	const bool is_auto = settings->libvirt == SETTINGS_LIBVIRT_AUTO;
	const struct libvirt_settings wanted = {
		.uri = is_auto ? "qemu:///system" : settings->libvirt_uri,
		.is_optional = is_auto,
		.workers = settings->parallel,
	};
	sigset_t all, before;
	int r;

	if (settings->libvirt == SETTINGS_LIBVIRT_OFF)
		return;
	/* Its threads inherit the mask: signals are the loop's. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	r = libvirt_open(&wanted, &b->libvirt);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (r < 0)
		log_cope(r, "the guests of libvirt are not seen");
	else
		b->list[b->n++] = b->libvirt;
}

static void open_channels(struct backends *b, const struct settings *settings)
{
	uint32_t number;
	int r = channels_init(&b->channels, "");

	if (r < 0) {
		log_cope(r, "no guest's vmtimed is reached by vsock");
		return;
	}
	b->has_channels = true;
	b->lines = channel_lines(&b->channels);
	b->list[b->n++] = &b->channels.backend;
	for (unsigned i = 0; i < settings->n_vsock; i++) {
		const struct vsock_settings *guest = &settings->vsock[i];

		r = channels_add(&b->channels, guest->name, guest->cid, &number);
		if (r < 0)
			log_cope(r, "guest %s by vsock is not seen", guest->name);
	}
}

void backends_open(struct backends *b, const struct settings *settings)
{
	*b = (struct backends){ .n = 0 };
	open_libvirt(b, settings);
	open_qemu(b, settings);
	open_channels(b, settings);
}

void backends_close(struct backends *b)
{
	if (b->has_qemu)
		qemu_fini(&b->qemu);
	if (b->has_channels)
		channels_fini(&b->channels);
	b->libvirt = libvirt_close(b->libvirt);
	b->has_qemu = b->has_channels = false;
	b->n = 0;
}

bool backends_differ(const struct settings *old, const struct settings *new)
{
	return old->libvirt != new->libvirt || strcmp(old->libvirt_uri, new->libvirt_uri) != 0 ||
	       old->n_qemu != new->n_qemu ||
	       memcmp(old->qemu, new->qemu, old->n_qemu * sizeof old->qemu[0]) != 0 ||
	       old->n_vsock != new->n_vsock ||
	       memcmp(old->vsock, new->vsock, old->n_vsock * sizeof old->vsock[0]) != 0;
}

bool backends_tell(struct backends *b)
{
	bool is_news = false;

	for (unsigned i = 0; i < b->n; i++) {
		const char *trouble = b->list[i]->trouble;

		if (strcmp(b->told[i], trouble) == 0)
			continue;
		is_news = true;
		if (*trouble)
			log_warn("%s: %s", b->list[i]->name, trouble);
		else
			log_info("%s: what was wrong is over", b->list[i]->name);
		snprintf(b->told[i], sizeof b->told[i], "%s", trouble);
	}
	return is_news;
}
