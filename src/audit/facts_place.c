/* SPDX-License-Identifier: Apache-2.0 */

/* facts_place.c - a container, a guest, a host, or two of them at once */

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/gather.h"
#include "os/files.h"
#include "os/processor.h"

/* What systemd, Docker and Podman leave in a container, and in images made of one. */
static const char *const CONTAINER_MARKS[] = {
	"/run/systemd/container",
	"/.dockerenv",
	"/run/.containerenv",
};

/* LXC and systemd-nspawn tell the first process; only root may read it. */
static bool is_first_process_told(struct audit_facts *facts)
{
	char *text = NULL;
	size_t n;
	bool is_told = false;

	if (!facts->is_root || gather_read(facts, "/proc/1/environ", &text, &n) != FACT_FILE_READ)
		return false;
	for (size_t i = 0; i < n && !is_told; i += strlen(text + i) + 1)
		is_told = strncmp(text + i, "container=", strlen("container=")) == 0;
	free(text);
	return is_told;
}

static bool has_mark(struct audit_facts *facts)
{
	for (size_t i = 0; i < COUNT(CONTAINER_MARKS); i++)
		if (gather_exists(facts, CONTAINER_MARKS[i]))
			return true;
	return is_first_process_told(facts);
}

/* The number of the first namespace of process ids: PROC_PID_INIT_INO, the same on all kernels. */
#define FIRST_PID_NAMESPACE "pid:[4026531836]"

/*
 * The kernel's own namespace of process ids is no container's, whatever marks lie about: virtual
 * machines are made of containers' images, marks and all.
 */
static enum fact find_container(struct audit_facts *facts)
{
	char namespace[FACTS_WORD_MAX];

	if (gather_link(facts, "/proc/self/ns/pid", namespace, sizeof namespace) &&
	    strcmp(namespace, FIRST_PID_NAMESPACE) == 0)
		return FACT_NO;
	return has_mark(facts) ? FACT_YES : FACT_NO;
}

/* A machine of QEMU's says so in its DMI, whoever sells it says so in another field. */
static bool is_kvm_by_dmi(const struct fact_place *place)
{
	static const char *const WORDS[] = {
		"QEMU", "KVM", "Red Hat", "OpenStack", "oVirt", "Google Compute Engine",
		"Amazon EC2", "DigitalOcean", "Hetzner", "Firecracker", "Cloud Hypervisor",
	};

	for (size_t i = 0; i < COUNT(WORDS); i++)
		if (strstr(place->vendor, WORDS[i]) || strstr(place->product, WORDS[i]))
			return true;
	return false;
}

static void find_guest(struct audit_facts *facts)
{
	struct fact_place *place = &facts->place;
	struct processor_facts cpuid = { .is_there = false };

	/* Another root is another machine: our processor says nothing about it. */
	if (facts->is_real)
		processor_read(&cpuid);
	gather_word(facts, "/sys/class/dmi/id/sys_vendor", place->vendor, sizeof place->vendor);
	gather_word(facts, "/sys/class/dmi/id/product_name", place->product,
		    sizeof place->product);
	if (cpuid.is_there) {
		strcpy(place->hypervisor, cpuid.hypervisor);
		place->is_guest = cpuid.has_hypervisor ? FACT_YES : FACT_NO;
		/* QEMU without KVM signs "TCGTCGTCGTCG", and has neither kvm-clock nor ptp_kvm. */
		place->is_kvm = strcmp(cpuid.hypervisor, "KVMKVMKVM") == 0;
	} else {
		place->is_guest = facts->cpu.hypervisor;
	}
	/* Not x86, or another root. */
	if (!cpuid.is_there && place->is_guest != FACT_NO)
		place->is_kvm = is_kvm_by_dmi(place) || 
				gather_has_word(facts->clocksource.available, "kvm-clock");
	if (place->is_kvm)
		place->is_guest = FACT_YES;
}

/* Names of the programs that run guests, cut at 15 characters as /proc shows them. */
static const char *const HYPERVISORS[] = {
	"qemu-system-x86", "qemu-kvm", "qemu-system-aar", "kvm", "firecracker", "cloud-hyperviso",
	"crosvm", "lkvm",
};

static bool runs_guests(const char *name)
{
	for (size_t i = 0; i < COUNT(HYPERVISORS); i++)
		if (strncmp(name, HYPERVISORS[i], 15) == 0 &&
		    (strlen(name) >= 15 || strcmp(name, HYPERVISORS[i]) == 0))
			return true;
	return false;
}

static void count_process(struct audit_facts *facts, const char *name)
{
	facts->agent.is_running |= strcmp(name, "qemu-ga") == 0;
	if (!runs_guests(name))
		return;
	facts->place.n_kvm_users++;
	gather_cut(slice_of(name), facts->place.kvm_user, sizeof facts->place.kvm_user);
}

/* A host may have ten thousand processes: no path is walked twice, nothing is sorted. */
static void count_processes(struct audit_facts *facts)
{
	char full[FACTS_PATH_MAX + 8], path[NAME_MAX + 8], name[32];
	const struct dirent *entry;
	DIR *proc;

	snprintf(full, sizeof full, "%s/proc", facts->root);
	proc = opendir(full);
	if (!proc)
		return;
	while ((entry = readdir(proc))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof path, "%s/comm", entry->d_name);
		if (file_read_small(dirfd(proc), path, name, sizeof name) > 0)
			count_process(facts, name);
	}
	closedir(proc);
}

/* The module is held by each guest and each of its processors. */
static void count_users(struct audit_facts *facts)
{
	static const char *const MODULES[] = {
		"/sys/module/kvm_intel/refcnt",
		"/sys/module/kvm_amd/refcnt",
	};
	char count[32];

	count_processes(facts);
	for (size_t i = 0; i < COUNT(MODULES) && !facts->place.n_kvm_users; i++)
		if (gather_word(facts, MODULES[i], count, sizeof count))
			facts->place.n_kvm_users = (unsigned)strtoul(count, NULL, 10);
}

void gather_place(struct audit_facts *facts)
{
	struct fact_place *place = &facts->place;

	place->is_container = find_container(facts);
	find_guest(facts);
	place->has_dev_kvm = gather_has_name(facts, "/dev/kvm");
	count_users(facts);
	/* A machine of its own that can run guests is a host in waiting; a guest only if it does. */
	if (place->n_kvm_users)
		place->is_host = FACT_YES;
	else if (place->is_guest == FACT_YES)
		place->is_host = FACT_NO;
	else if (place->is_guest == FACT_NO)
		place->is_host = FACT_YES;
}
