/* SPDX-License-Identifier: Apache-2.0 */

/* facts_system.c - which distribution, how old, how wide */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/gather.h"
#include "audit/shell_file.h"

/* What fix knows the files of; @first to @last are major numbers, or for Ubuntu years. */
static const struct release {
	const char *id;
	enum fact_family family;
	unsigned first, last;
	bool is_rebuild; /* its numbers are RHEL's */
} RELEASES[] = {
	{ "debian", FAMILY_DEBIAN, 11, 13, false },
	{ "ubuntu", FAMILY_DEBIAN, 20, 24, false },
	{ "rhel", FAMILY_RED_HAT, 7, 10, true },
	{ "centos", FAMILY_RED_HAT, 7, 10, true },
	{ "rocky", FAMILY_RED_HAT, 8, 10, true },
	{ "almalinux", FAMILY_RED_HAT, 8, 10, true },
	{ "ol", FAMILY_RED_HAT, 7, 10, true },
	{ "fedora", FAMILY_RED_HAT, 34, 999, false },
};

static const struct release *find_release(const char *id)
{
	for (size_t i = 0; i < COUNT(RELEASES); i++)
		if (strcmp(RELEASES[i].id, id) == 0)
			return &RELEASES[i];
	return NULL;
}

static void read_numbers(struct fact_system *system)
{
	char *end;

	system->major = (unsigned)strtoul(system->version, &end, 10);
	if (*end == '.')
		system->minor = (unsigned)strtoul(end + 1, NULL, 10);
}

static void judge_release(struct fact_system *system, const char *id_like)
{
	const struct release *release = find_release(system->id);
	struct slice rest = slice_of(id_like), word;
	char like[FACTS_WORD_MAX];

	if (release) {
		system->family = release->family;
		system->is_supported =
			system->major >= release->first && system->major <= release->last;
		/* Of Ubuntu the releases that are kept for years: 20.04, 22.04, 24.04. */
		if (strcmp(system->id, "ubuntu") == 0)
			system->is_supported &= system->major % 2 == 0 && system->minor == 4;
	}
	while (system->family == FAMILY_UNKNOWN && (word = slice_word(&rest)).n) {
		gather_cut(word, like, sizeof like);
		release = find_release(like);
		if (release)
			system->family = release->family;
	}
}

static bool read_os_release(struct audit_facts *facts)
{
	struct fact_system *system = &facts->system;
	char *text = NULL, like[FACTS_PATH_MAX];
	size_t n;
	struct slice all;

	if (gather_read(facts, "/etc/os-release", &text, &n) != FACT_FILE_READ &&
	    gather_read(facts, "/usr/lib/os-release", &text, &n) != FACT_FILE_READ)
		return false;
	all = (struct slice){ text, n };
	shell_file_value(all, "ID", system->id, sizeof system->id, NULL);
	shell_file_value(all, "VERSION_ID", system->version, sizeof system->version, NULL);
	shell_file_value(all, "PRETTY_NAME", system->name, sizeof system->name, NULL);
	shell_file_value(all, "ID_LIKE", like, sizeof like, NULL);
	free(text);
	read_numbers(system);
	judge_release(system, like);
	return true;
}

/* "CentOS release 6.10 (Final)": what there was before os-release. */
static void read_redhat_release(struct audit_facts *facts)
{
	struct fact_system *system = &facts->system;
	const char *number;

	if (!gather_word(facts, "/etc/redhat-release", system->name, sizeof system->name))
		return;
	system->family = FAMILY_RED_HAT;
	snprintf(system->id, sizeof system->id, "%s",
		 strncmp(system->name, "CentOS", 6) == 0
			 ? "centos"
			 : strncmp(system->name, "Fedora", 6) == 0 ? "fedora" : "rhel");
	number = strstr(system->name, "release ");
	if (!number)
		return;
	number += strlen("release ");
	gather_cut((struct slice){ number, strcspn(number, " ") }, system->version,
		   sizeof system->version);
	/* "Enterprise Linux AS release 4 (Nahant Update 8)" */
	number = strstr(number, "Update ");
	if (number && !strchr(system->version, '.') && strlen(system->version) < 8) {
		size_t used = strlen(system->version);
		unsigned long update = strtoul(number + strlen("Update "), NULL, 10);

		snprintf(system->version + used, sizeof system->version - used, ".%lu", update);
	}
	read_numbers(system);
}

void gather_system(struct audit_facts *facts)
{
	struct fact_system *system = &facts->system;

	if (!read_os_release(facts))
		read_redhat_release(facts);
	system->has_systemd = gather_exists(facts, "/run/systemd/system") ||
			      gather_exists(facts, "/etc/systemd/system");
	gather_word(facts, "/proc/sys/kernel/osrelease", system->kernel, sizeof system->kernel);
	if (gather_exists(facts, "/lib64"))
		system->is_64_bit = FACT_YES;
	else if (gather_exists(facts, "/lib"))
		system->is_64_bit = FACT_NO;
}
