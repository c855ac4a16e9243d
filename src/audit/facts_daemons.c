/* SPDX-License-Identifier: Apache-2.0 */

/* facts_daemons.c - who sets the clock, now and after a boot; the guest agent; the RTC's zone */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/gather.h"
#include "os/owner.h"

/* One daemon may have several names of units; those that steer the clock can be too many. */
static const struct unit_row {
	const char *name, *daemon;
	bool steers;
} UNITS[] = {
	{ "vmtimed.service", "vmtimed", true },
	{ "chrony.service", "chronyd", true },
	{ "chronyd.service", "chronyd", true },
	{ "systemd-timesyncd.service", "timesyncd", true },
	{ "ntp.service", "ntpd", true },
	{ "ntpd.service", "ntpd", true },
	{ "ntpsec.service", "ntpd", true },
	{ "openntpd.service", "openntpd", true },
	{ "ntpd-rs.service", "ntpd-rs", true },
	{ "phc2sys.service", "phc2sys", true },
	{ "timemaster.service", "timemaster", true },
	{ "vmtime-hostd.service", "vmtime-hostd", false },
	{ "qemu-guest-agent.service", "qemu-ga", false },
	{ "libvirt-guests.service", "libvirt-guests", false },
};
_Static_assert(COUNT(UNITS) <= FACTS_UNITS, "every unit has room");

static const char *const UNIT_FOLDERS[] = {
	"/etc/systemd/system",
	"/run/systemd/system",
	"/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system",
	"/lib/systemd/system",
};

static bool is_masked(const struct audit_facts *facts, const char *name)
{
	char path[FACTS_PATH_MAX], target[FACTS_WORD_MAX];

	snprintf(path, sizeof path, "%s/%s", UNIT_FOLDERS[0], name);
	return gather_link(facts, path, target, sizeof target) && strcmp(target, "/dev/null") == 0;
}

/* A link of another name to the unit, such as chronyd.service to chrony.service, is none. */
static bool is_installed(const struct audit_facts *facts, const char *name)
{
	char path[FACTS_PATH_MAX], target[FACTS_PATH_MAX];

	for (size_t i = 0; i < COUNT(UNIT_FOLDERS); i++) {
		const char *last;

		snprintf(path, sizeof path, "%s/%s", UNIT_FOLDERS[i], name);
		if (!gather_has_name(facts, path))
			continue;
		if (!gather_link(facts, path, target, sizeof target))
			return true;
		last = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
		if (strcmp(last, name) == 0 || strcmp(target, "/dev/null") == 0)
			return true;
	}
	return false;
}

static void look_for_enabled(struct audit_facts *facts, const char *folder, void *context)
{
	char path[FACTS_PATH_MAX * 2];

	(void)context;
	for (unsigned i = 0; i < facts->daemons.n_units; i++) {
		struct fact_unit *unit = &facts->daemons.units[i];

		snprintf(path, sizeof path, "%s/%s", folder, unit->name);
		if (!unit->is_masked && gather_has_name(facts, path))
			unit->is_enabled = true;
	}
}

static void find_units(struct audit_facts *facts)
{
	struct fact_daemons *d = &facts->daemons;

	for (size_t i = 0; i < COUNT(UNITS); i++) {
		struct fact_unit *unit = &d->units[d->n_units];

		if (!is_installed(facts, UNITS[i].name))
			continue;
		snprintf(unit->name, sizeof unit->name, "%s", UNITS[i].name);
		snprintf(unit->daemon, sizeof unit->daemon, "%s", UNITS[i].daemon);
		unit->steers = UNITS[i].steers;
		unit->is_masked = is_masked(facts, UNITS[i].name);
		d->n_units++;
	}
	gather_list(facts, UNIT_FOLDERS[0], ".wants", look_for_enabled, NULL);
	/* Fedora enables some of its own in /usr, by ".wants" as well. */
	gather_list(facts, UNIT_FOLDERS[3], ".wants", look_for_enabled, NULL);
}

static void find_owners(struct audit_facts *facts)
{
	struct fact_daemons *d = &facts->daemons;
	struct owner owners[FACTS_OWNERS];
	enum owner_outcome outcome;
	unsigned n = 0;

	outcome = owner_list(facts->root, facts->is_real ? getpid() : 0, owners, FACTS_OWNERS, &n);
	/* A tree without processes says nothing of those that would run. */
	if (outcome == OWNER_UNKNOWN || !gather_exists(facts, "/proc/1"))
		return;
	d->is_seen = FACT_YES;
	d->n_owners = n;
	for (unsigned i = 0; i < n; i++) {
		memcpy(d->owners[i].name, owners[i].name, sizeof d->owners[i].name);
		memcpy(d->owners[i].hand_over, owners[i].hand_over,
		       sizeof d->owners[i].hand_over);
		d->owners[i].pid = owners[i].pid;
	}
}

static void look_at_port(struct audit_facts *facts, const char *path, void *context)
{
	char file[FACTS_PATH_MAX + 8], name[FACTS_WORD_MAX];

	(void)context;
	snprintf(file, sizeof file, "%s/name", path);
	if (gather_word(facts, file, name, sizeof name) &&
	    strcmp(name, "org.qemu.guest_agent.0") == 0)
		facts->agent.has_port = true;
}

static void find_agent(struct audit_facts *facts)
{
	struct fact_agent *agent = &facts->agent;

	gather_list(facts, "/sys/class/virtio-ports", "", look_at_port, NULL);
	agent->is_installed = gather_exists(facts, "/usr/sbin/qemu-ga") ||
			      gather_exists(facts, "/usr/bin/qemu-ga");
	/* The agent runs this path and no other. */
	agent->has_hwclock = gather_exists(facts, "/sbin/hwclock");
}

/* The third line of /etc/adjtime; without the file the RTC keeps UTC. */
static void find_zone(struct audit_facts *facts)
{
	char text[512];
	struct slice rest = { text, gather_head(facts, "/etc/adjtime", text, sizeof text) };
	struct slice line = { NULL, 0 };

	if (!rest.n) {
		facts->rtc.is_local =
			gather_exists(facts, "/etc/adjtime") ? FACT_UNKNOWN : FACT_NO;
		return;
	}
	for (unsigned i = 0; i < 3; i++)
		line = slice_cut(&rest, '\n');
	facts->rtc.is_local = slice_equals(slice_trim(line), "LOCAL") ? FACT_YES : FACT_NO;
}

void gather_daemons(struct audit_facts *facts)
{
	find_units(facts);
	find_owners(facts);
	find_agent(facts);
	find_zone(facts);
}
