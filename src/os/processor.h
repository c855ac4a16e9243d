/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_PROCESSOR_H
#define OS_PROCESSOR_H

/*
 * processor.h - what the processor says of itself
 *
 * Asked with care: a leaf above the largest that a processor has is answered with what another leaf
 * says, and QEMU's emulator answers 0x40000010, which it has not, with plausible figures.  So the
 * largest leaf of each range is asked first.
 */

#include <stdbool.h>

struct processor_facts {
	bool is_there;            /* a processor with this instruction                         */
	bool has_hypervisor;      /* leaf 1: a hypervisor says that it is there                */
	char hypervisor[13];      /* leaf 0x40000000: its signature, "KVMKVMKVM"; printable; "" */
	bool knows_invariant;     /* leaf 0x80000007 exists                                    */
	bool has_invariant_tsc;   /* ... and says that the TSC is constant and never stops     */
};

void processor_read(struct processor_facts *ret);

#endif
