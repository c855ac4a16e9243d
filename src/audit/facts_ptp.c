/* SPDX-License-Identifier: Apache-2.0 */

/* facts_ptp.c - the host's clock as a device, and whether it will be there after a boot */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/gather.h"
#include "os/ptp_find.h"

#define MODULE "ptp_kvm"

/* "ptp-kvm" and "ptp_kvm" are one name. */
static bool is_module(struct slice name)
{
	if (name.n != strlen(MODULE))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if ((name.p[i] == '-' ? '_' : name.p[i]) != MODULE[i])
			return false;
	return true;
}

/* One module a line; a comment is a line of its own, and so no module's name. */
static void search_load_file(struct audit_facts *facts, const char *path, void *context)
{
	struct slice rest;
	char *text = NULL;
	size_t n;

	(void)context;
	if (facts->ptp.load_file[0] || gather_read(facts, path, &text, &n) != FACT_FILE_READ)
		return;
	rest = (struct slice){ text, n };
	while (rest.n) {
		struct slice line = slice_trim(slice_cut(&rest, '\n'));

		if (is_module(line))
			gather_cut(slice_of(path), facts->ptp.load_file,
				   sizeof facts->ptp.load_file);
	}
	free(text);
}

static void find_load_file(struct audit_facts *facts)
{
	static const char *const FOLDERS[] = {
		"/etc/modules-load.d",
		"/run/modules-load.d",
		"/usr/local/lib/modules-load.d",
		"/usr/lib/modules-load.d",
		"/lib/modules-load.d",
	};

	for (size_t i = 0; i < COUNT(FOLDERS); i++)
		gather_list(facts, FOLDERS[i], ".conf", search_load_file, NULL);
	/* Debian's older file, which systemd reads through a link in modules-load.d, and without
	 * systemd by itself. */
	if (facts->system.family == FAMILY_DEBIAN)
		search_load_file(facts, "/etc/modules", NULL);
}

/* Is a path that ends in "/ptp_kvm.ko" and perhaps a compression's suffix in this list? */
static bool lists_module(struct audit_facts *facts, const char *name, bool *ret_is_there)
{
	char path[FACTS_PATH_MAX], *text = NULL;
	bool is_listed;
	size_t n;

	*ret_is_there = false;
	snprintf(path, sizeof path, "/lib/modules/%s/%s", facts->system.kernel, name);
	if (gather_read(facts, path, &text, &n) != FACT_FILE_READ)
		return false;
	*ret_is_there = true;
	is_listed = strstr(text, "/" MODULE ".ko") || strstr(text, "/ptp-kvm.ko");
	free(text);
	return is_listed;
}

/* Linux 4.11 brought it, and Red Hat brought it back to the kernel of RHEL 7.5. */
static bool is_too_old(const char *kernel)
{
	unsigned major, minor, patch, build;
	int n = sscanf(kernel, "%u.%u.%u-%u", &major, &minor, &patch, &build);

	if (n < 2 || major > 4 || (major == 4 && minor >= 11))
		return false;
	return !(n == 4 && major == 3 && minor == 10 && build >= 862 && strstr(kernel, ".el7"));
}

static void find_module(struct audit_facts *facts)
{
	struct fact_ptp *ptp = &facts->ptp;
	bool is_listed, has_list, has_builtin_list;

	ptp->is_loaded = gather_exists(facts, "/sys/module/" MODULE);
	if (!facts->system.kernel[0])
		return;
	ptp->is_builtin = lists_module(facts, "modules.builtin", &has_builtin_list);
	is_listed = lists_module(facts, "modules.dep", &has_list);
	if (is_listed || ptp->is_builtin)
		ptp->has_module = FACT_YES;
	else if (has_list || is_too_old(facts->system.kernel))
		ptp->has_module = FACT_NO;
}

static void count_clock(struct audit_facts *facts, const char *path, void *context)
{
	(void)path, (void)context;
	facts->ptp.n_clocks++;
}

void gather_ptp(struct audit_facts *facts)
{
	struct fact_ptp *ptp = &facts->ptp;
	struct ptp_node node;

	if (ptp_find_by_name(facts->root, PTP_NAME_KVM, &node) == 0) {
		ptp->has_kvm = true;
		snprintf(ptp->device, sizeof ptp->device, "%s", node.path);
	}
	gather_list(facts, "/sys/class/ptp", "", count_clock, NULL);
	ptp->has_link = gather_has_name(facts, PTP_LINK_KVM);
	find_module(facts);
	if (ptp->is_loaded || ptp->is_builtin)
		ptp->has_module = FACT_YES;
	find_load_file(facts);
}
