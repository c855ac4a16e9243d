/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_MEMORY_H
#define OS_MEMORY_H

/*
 * memory.h - what was needed for a moment goes back to the kernel
 *
 * The C library keeps freed memory for later.  A daemon that made one large reply would be
 * three times its size for ever.
 */

/* After something large was freed.  Where the C library gives back by itself: nothing. */
void memory_give_back(void);

#endif
