/* SPDX-License-Identifier: Apache-2.0 */

/*
 * sleeper - wakes up once a second and does nothing
 *
 * What a wake-up alone costs on this machine, to be set beside a program that does something.
 */

#include <poll.h>
#include <stddef.h>

int main(void)
{
	while (poll(NULL, 0, 1000) == 0)
		;
	return 1;
}
