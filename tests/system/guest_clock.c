/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest_clock.c - inside a guest: tells its clock to the host, whenever it is asked
 *
 *     guest_clock /dev/virtio-ports/vmtime.clock
 *
 * Each byte that comes in is answered by a line with CLOCK_REALTIME in nanoseconds.  The host reads
 * its own clock before and after: so it knows the guest's clock to half of that, and nothing
 * of what is being tested has a part in it.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int answer(int fd)
{
	struct timespec now;
	char line[32];
	int length;

	clock_gettime(CLOCK_REALTIME, &now);
	length = snprintf(line, sizeof line, "%lld%09ld\n", (long long)now.tv_sec, now.tv_nsec);
	return write(fd, line, (size_t)length) == length;
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
	char byte;

	if (fd < 0) {
		fprintf(stderr, "usage: guest_clock PORT\n");
		return 1;
	}
	for (;;) {
		/* A port whose other end is not open reads as ended, and again and again. */
		if (read(fd, &byte, 1) == 1)
			answer(fd);
		else
			poll(NULL, 0, 50);
	}
}
