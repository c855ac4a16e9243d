/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/facts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/gather.h"

/* The root without slashes at its end; 0 or -errno where it is no folder. */
static int take_root(struct audit_facts *facts, const char *root)
{
	size_t n = strlen(root);
	struct stat st;

	while (n && root[n - 1] == '/')
		n--;
	if (n >= sizeof facts->root)
		return -ENAMETOOLONG;
	memcpy(facts->root, root, n);
	facts->root[n] = '\0';
	facts->is_real = n == 0;
	if (facts->is_real)
		return 0;
	if (stat(facts->root, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int facts_gather(struct audit_facts *ret, const char *root, bool is_root)
{
	int r;

	memset(ret, 0, sizeof *ret);
	r = take_root(ret, root);
	if (r)
		return r;
	ret->is_root = is_root;
	ret->is_running = gather_exists(ret, "/sys/class");
	gather_system(ret);
	gather_cpu(ret);
	gather_place(ret);
	gather_frequency(ret);
	gather_boot(ret);
	gather_ptp(ret);
	gather_daemons(ret);
	gather_chrony(ret);
	gather_libvirt(ret);
	return 0;
}

void facts_suppose(struct audit_facts *facts, bool is_guest, bool is_host)
{
	struct fact_place *place = &facts->place;

	if (facts->is_running || place->is_guest != FACT_UNKNOWN || (!is_guest && !is_host))
		return;
	place->is_guest = is_guest ? FACT_YES : FACT_NO;
	place->is_kvm = is_guest;
	if (is_host)
		place->is_host = FACT_YES;
}

const struct fact_unit *facts_unit(const struct audit_facts *facts, const char *name)
{
	for (unsigned i = 0; i < facts->daemons.n_units; i++)
		if (strcmp(facts->daemons.units[i].name, name) == 0)
			return &facts->daemons.units[i];
	return NULL;
}
