/* SPDX-License-Identifier: Apache-2.0 */
#include "os/memory.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>

void memory_give_back(void)
{
	(void)malloc_trim(0);
}

#else

void memory_give_back(void)
{
}

#endif
