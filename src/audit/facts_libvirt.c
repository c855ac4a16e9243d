/* SPDX-License-Identifier: Apache-2.0 */

/* facts_libvirt.c - the clocks that libvirt's definitions give to guests */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/gather.h"
#include "audit/shell_file.h"
#include "audit/xml.h"

#define DOMAINS "/etc/libvirt/qemu"

/* "yes" and "no" of a timer's present=, which is yes where it is not written. */
static enum fact presence(struct slice attributes)
{
	char word[8];

	if (!xml_attribute(attributes, "present", word, sizeof word))
		return FACT_YES;
	return strcmp(word, "no") == 0 ? FACT_NO : FACT_YES;
}

static void read_timer(struct fact_domain *domain, struct slice attributes)
{
	char name[16], word[32];

	xml_attribute(attributes, "name", name, sizeof name);
	if (strcmp(name, "rtc") == 0) {
		xml_attribute(attributes, "track", domain->rtc_track, sizeof domain->rtc_track);
		xml_attribute(attributes, "tickpolicy", domain->rtc_policy,
			      sizeof domain->rtc_policy);
	} else if (strcmp(name, "pit") == 0) {
		xml_attribute(attributes, "tickpolicy", domain->pit_policy,
			      sizeof domain->pit_policy);
	} else if (strcmp(name, "hpet") == 0) {
		domain->hpet = presence(attributes);
	} else if (strcmp(name, "kvmclock") == 0) {
		domain->kvmclock = presence(attributes);
	} else if (strcmp(name, "hypervclock") == 0) {
		domain->is_windows |= presence(attributes) == FACT_YES;
	} else if (strcmp(name, "tsc") == 0) {
		domain->has_tsc_frequency |=
			xml_attribute(attributes, "frequency", word, sizeof word);
	}
}

static void read_feature(struct fact_domain *domain, struct slice attributes)
{
	char name[16], policy[16];

	xml_attribute(attributes, "name", name, sizeof name);
	xml_attribute(attributes, "policy", policy, sizeof policy);
	/* No policy is "require". */
	if (strcmp(name, "invtsc") == 0)
		domain->requires_invtsc = !policy[0] || strcmp(policy, "require") == 0 ||
					  strcmp(policy, "force") == 0;
}

static void read_element(struct fact_domain *domain, const char *path, struct slice attributes)
{
	char word[FACTS_PATH_MAX];

	if (strcmp(path, "domain/clock") == 0) {
		domain->has_clock = true;
		xml_attribute(attributes, "offset", domain->offset, sizeof domain->offset);
	} else if (strcmp(path, "domain/clock/timer") == 0) {
		read_timer(domain, attributes);
	} else if (strcmp(path, "domain/cpu/feature") == 0) {
		read_feature(domain, attributes);
	} else if (strcmp(path, "domain/devices/channel/target") == 0) {
		xml_attribute(attributes, "name", word, sizeof word);
		domain->has_agent_channel |= strcmp(word, "org.qemu.guest_agent.0") == 0;
	} else if (strcmp(path, "domain/features/hyperv") == 0) {
		domain->is_windows = true;
	} else if (strstr(path, "libosinfo:os")) {
		xml_attribute(attributes, "id", word, sizeof word);
		domain->is_windows |= strstr(word, "microsoft.com/win") != NULL;
	}
}

/* False where the text is no definition of a guest. */
static bool read_domain(struct slice text, struct fact_domain *domain)
{
	enum xml_event event;
	struct xml xml;
	struct slice piece;

	xml_init(&xml, text);
	*domain = (struct fact_domain){ .has_clock = false };
	do {
		event = xml_next(&xml, &piece);
		if (event == XML_OPEN)
			read_element(domain, xml.path, piece);
		else if (event == XML_TEXT && strcmp(xml.path, "domain/name") == 0)
			xml_decode(slice_trim(piece), domain->name, sizeof domain->name);
	} while (event != XML_END && event != XML_BAD);
	return event == XML_END && domain->name[0];
}

static void add_domain(struct audit_facts *facts, const char *path, void *context)
{
	struct fact_libvirt *libvirt = &facts->libvirt;
	char *text = NULL;
	size_t n;

	(void)context;
	if (libvirt->n_domains == FACTS_DOMAINS) {
		libvirt->n_lost++;
		return;
	}
	if (gather_read(facts, path, &text, &n) != FACT_FILE_READ) {
		libvirt->n_lost++;
		return;
	}
	if (read_domain((struct slice){ text, n }, &libvirt->domains[libvirt->n_domains])) {
		libvirt->n_domains++;
	} else {
		libvirt->n_lost++;
		gather_unread(facts, path, 0);
	}
	free(text);
}

static void read_guests_file(struct audit_facts *facts)
{
	struct fact_libvirt *libvirt = &facts->libvirt;
	char *text = NULL;
	size_t n;

	snprintf(libvirt->guests_path, sizeof libvirt->guests_path, "%s",
		 facts->system.family == FAMILY_DEBIAN ? "/etc/default/libvirt-guests"
						      : "/etc/sysconfig/libvirt-guests");
	/* Arch has it elsewhere. */
	if (facts->system.family == FAMILY_UNKNOWN && gather_exists(facts, "/etc/conf.d/libvirt-guests"))
		strcpy(libvirt->guests_path, "/etc/conf.d/libvirt-guests");
	libvirt->guests_file = gather_read(facts, libvirt->guests_path, &text, &n);
	if (libvirt->guests_file != FACT_FILE_READ)
		return;
	shell_file_value((struct slice){ text, n }, "SYNC_TIME", libvirt->sync_time,
			 sizeof libvirt->sync_time, NULL);
	shell_file_value((struct slice){ text, n }, "ON_SHUTDOWN", libvirt->on_shutdown,
			 sizeof libvirt->on_shutdown, NULL);
	free(text);
}

void gather_libvirt(struct audit_facts *facts)
{
	struct fact_libvirt *libvirt = &facts->libvirt;

	if (gather_list(facts, DOMAINS, ".xml", add_domain, NULL))
		libvirt->is_there = FACT_YES;
	else
		libvirt->is_there = gather_has_name(facts, DOMAINS) ? FACT_UNKNOWN : FACT_NO;
	read_guests_file(facts);
	/* Who keeps guests is a host, be it a guest itself. */
	if (libvirt->n_domains || libvirt->n_lost)
		facts->place.is_host = FACT_YES;
}
