/* SPDX-License-Identifier: Apache-2.0 */

/* facts_frequency.c - does the processor's frequency change, and who sets it at boot? */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/gather.h"
#include "audit/shell_file.h"

#define CPUFREQ "/sys/devices/system/cpu/cpufreq"

static void read_policy(struct audit_facts *facts, const char *path, void *context)
{
	struct fact_frequency *f = &facts->frequency;
	char file[FACTS_PATH_MAX + 32], governor[FACTS_WORD_MAX], low[32], high[32];

	(void)context;
	snprintf(file, sizeof file, "%s/scaling_governor", path);
	if (!gather_word(facts, file, governor, sizeof governor))
		return;
	snprintf(file, sizeof file, "%s/scaling_min_freq", path);
	gather_word(facts, file, low, sizeof low);
	snprintf(file, sizeof file, "%s/scaling_max_freq", path);
	gather_word(facts, file, high, sizeof high);
	if (f->is_there) {
		f->is_mixed |= strcmp(f->governor, governor) != 0;
		f->is_fixed &= low[0] && strcmp(low, high) == 0;
		return;
	}
	f->is_there = true;
	f->is_fixed = low[0] && strcmp(low, high) == 0;
	strcpy(f->governor, governor);
	snprintf(file, sizeof file, "%s/scaling_available_governors", path);
	gather_word(facts, file, f->governors, sizeof f->governors);
	snprintf(file, sizeof file, "%s/scaling_driver", path);
	gather_word(facts, file, f->driver, sizeof f->driver);
}

/* The word behind -g or --governor, or what is joined to it. */
static void find_governor(const char *options, char *to, size_t size)
{
	struct slice rest = slice_of(options), word;

	to[0] = '\0';
	while ((word = slice_word(&rest)).n) {
		if (slice_equals(word, "-g") || slice_equals(word, "--governor"))
			gather_cut(slice_word(&rest), to, size);
		else if (word.n > 2 && memcmp(word.p, "-g", 2) == 0)
			gather_cut((struct slice){ word.p + 2, word.n - 2 }, to, size);
		else if (word.n > 11 && memcmp(word.p, "--governor=", 11) == 0)
			gather_cut((struct slice){ word.p + 11, word.n - 11 }, to, size);
	}
}

/* Who has which file: RHEL's service, Debian's newer one. */
static const struct service {
	const char *unit, *path;
} SERVICES[] = {
	{ "cpupower.service", "/etc/sysconfig/cpupower" },
	{ "cpupower.service", "/etc/default/cpupower-service" },
};

static void find_service(struct audit_facts *facts)
{
	static const char *const FOLDERS[] = {
		"/etc/systemd/system",
		"/usr/lib/systemd/system",
		"/lib/systemd/system",
	};
	struct fact_cpupower *c = &facts->cpupower;
	char path[FACTS_PATH_MAX];

	c->has_service = c->is_enabled = FACT_NO;
	for (size_t i = 0; i < COUNT(FOLDERS) && c->has_service == FACT_NO; i++) {
		snprintf(path, sizeof path, "%s/%s", FOLDERS[i], SERVICES[0].unit);
		if (gather_exists(facts, path))
			c->has_service = FACT_YES;
	}
	if (c->has_service == FACT_NO)
		return;
	strcpy(c->unit, SERVICES[0].unit);
	if (gather_has_name(facts, "/etc/systemd/system/multi-user.target.wants/cpupower.service"))
		c->is_enabled = FACT_YES;
	for (size_t i = 0; i < COUNT(SERVICES); i++) {
		bool is_last = i + 1 == COUNT(SERVICES);

		if (!c->path[0] && (is_last || gather_exists(facts, SERVICES[i].path)))
			strcpy(c->path, SERVICES[i].path);
	}
	if (facts->system.family == FAMILY_RED_HAT)
		strcpy(c->path, SERVICES[0].path);
}

static void read_cpupower(struct audit_facts *facts)
{
	struct fact_cpupower *c = &facts->cpupower;
	char *text = NULL;
	size_t n;

	find_service(facts);
	if (!c->path[0])
		return;
	c->file = gather_read(facts, c->path, &text, &n);
	if (c->file != FACT_FILE_READ)
		return;
	shell_file_value((struct slice){ text, n }, "CPUPOWER_START_OPTS", c->start_opts,
			 sizeof c->start_opts, NULL);
	find_governor(c->start_opts, c->governor, sizeof c->governor);
	/* Debian's file names the settings themselves. */
	if (!c->governor[0])
		shell_file_value((struct slice){ text, n }, "GOVERNOR", c->governor, sizeof c->governor,
				 NULL);
	free(text);
}

void gather_frequency(struct audit_facts *facts)
{
	gather_list(facts, CPUFREQ, "", read_policy, NULL);
	read_cpupower(facts);
}
