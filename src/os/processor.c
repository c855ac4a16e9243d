/* SPDX-License-Identifier: Apache-2.0 */
#include "os/processor.h"

#include <string.h>

#if defined(__x86_64__) || defined(__i386__)

#include <cpuid.h>

#define LEAF_FEATURES   0x1
#define LEAF_HYPERVISOR 0x40000000
#define LEAF_SECOND     0x40000100
#define LEAF_EXTENDED   0x80000000
#define LEAF_POWER      0x80000007
#define HYPERVISOR_BIT  (1u << 31) /* leaf 1, ECX          */
#define INVARIANT_BIT   (1u << 8)  /* leaf 0x80000007, EDX */

struct registers {
	unsigned a, b, c, d;
};

static struct registers ask(unsigned leaf)
{
	struct registers r = { 0 };

	__cpuid(leaf, r.a, r.b, r.c, r.d);
	return r;
}

static void copy_signature(struct registers r, char to[13])
{
	memcpy(to, &r.b, 4);
	memcpy(to + 4, &r.c, 4);
	memcpy(to + 8, &r.d, 4);
	to[12] = '\0';
	for (char *c = to; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* KVM with enlightenments for Windows shows Hyper-V first, and itself in the range behind it. */
static void read_signature(char to[13])
{
	char second[13];
	struct registers r = ask(LEAF_SECOND);

	copy_signature(ask(LEAF_HYPERVISOR), to);
	copy_signature(r, second);
	if (r.a > LEAF_SECOND && strcmp(second, "KVMKVMKVM") == 0)
		strcpy(to, second);
}

void processor_read(struct processor_facts *ret)
{
	*ret = (struct processor_facts){ .is_there = __get_cpuid_max(0, NULL) >= LEAF_FEATURES };
	if (!ret->is_there)
		return;
	ret->has_hypervisor = (ask(LEAF_FEATURES).c & HYPERVISOR_BIT) != 0;
	/* The range of the hypervisor is defined only where there is one. */
	if (ret->has_hypervisor)
		read_signature(ret->hypervisor);
	ret->knows_invariant = ask(LEAF_EXTENDED).a >= LEAF_POWER;
	if (ret->knows_invariant)
		ret->has_invariant_tsc = (ask(LEAF_POWER).d & INVARIANT_BIT) != 0;
}

#else

void processor_read(struct processor_facts *ret)
{
	*ret = (struct processor_facts){ .is_there = false };
}

#endif
