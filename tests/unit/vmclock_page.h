/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_VMCLOCK_PAGE_H
#define TESTS_UNIT_VMCLOCK_PAGE_H

/*
 * vmclock_page.h - pages of a vmclock device, laid out by the table of the specification
 *
 * Written down apart from the code under test, byte by byte.
 */

#include <stdint.h>
#include <string.h>

struct page_bytes {
	unsigned char b[4096];
};

static inline void page_put(struct page_bytes *p, size_t at, size_t n, uint64_t value)
{
	for (size_t i = 0; i < n; i++)
		p->b[at + i] = (unsigned char)(value >> (8 * i));
}

#define PAGE_SEQUENCE   0x0c, 4
#define PAGE_MARKER     0x10, 8
#define PAGE_FLAGS      0x18, 8
#define PAGE_GENERATION 0x68, 8

/* What QEMU 10 gives: a marker and nothing else. */
static inline struct page_bytes page_of_qemu(void)
{
	struct page_bytes p;

	memset(&p, 0, sizeof p);
	memcpy(p.b, "VCLK", 4);
	page_put(&p, 0x04, 4, 0x1000); /* size                     */
	page_put(&p, 0x08, 2, 1);      /* version                  */
	page_put(&p, 0x0a, 1, 0xff);   /* no counter               */
	page_put(&p, PAGE_SEQUENCE, 2);
	page_put(&p, PAGE_MARKER, 1);
	return p;
}

/* A page with the time, by a TSC of 2.5 GHz; the fields that a test changes stand in it by offset. */
static inline struct page_bytes page_of_time(void)
{
	struct page_bytes p = page_of_qemu();

	page_put(&p, 0x0a, 1, 1);                        /* the TSC                        */
	page_put(&p, 0x0b, 1, 0);                        /* UTC                            */
	page_put(&p, PAGE_FLAGS, 0x51 | 0x300);          /* TAI offset, both maximal errors */
	page_put(&p, 0x22, 1, 2);                        /* synchronised                   */
	page_put(&p, 0x24, 2, 0xffdb);                   /* -37 s                          */
	page_put(&p, 0x27, 1, 30);                       /* the period's shift             */
	page_put(&p, 0x28, 8, UINT64_C(1000000000000));  /* counts                         */
	page_put(&p, 0x30, 8, UINT64_C(7922816251426433759)); /* 2^94 / 2.5e9              */
	page_put(&p, 0x40, 8, UINT64_C(396140812571));   /* 50 ppb of that                 */
	page_put(&p, 0x48, 8, UINT64_C(1795452803));
	page_put(&p, 0x50, 8, UINT64_C(1) << 63);        /* half a second                  */
	page_put(&p, 0x60, 8, 1500);
	page_put(&p, PAGE_GENERATION, 77);
	return p;
}

#endif
