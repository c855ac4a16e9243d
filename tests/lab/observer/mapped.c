/* SPDX-License-Identifier: Apache-2.0 */

/*
 * mapped - hold files in memory as another user of them
 *
 *     mapped FILE...
 *
 * On an ordinary system hundreds of processes map the C library, so its pages are nobody's private
 * memory. The lab's guest has no other program that is linked with it; this one stands in for them, so
 * that the kernel counts a daemon's private memory there as it would anywhere. It waits to be killed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct stat st;
		int fd = open(argv[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 || fstat(fd, &st) < 0 ||
		    mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0) ==
			    MAP_FAILED) {
			perror(argv[i]);
			return 1;
		}
		close(fd);
	}
	for (;;)
		pause();
}
