/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest_time.c - inside a guest: hands the host's time to chronyd
 *
 *     guest_time /dev/virtio-ports/vmtime.time /run/time.sock
 *
 * Once a second it asks the host, who answers with a line: CLOCK_REALTIME in nanoseconds.  What comes
 * of it goes to chronyd's refclock SOCK as one sample; its layout is in chrony.conf(5).  So a guest
 * without network and without a paravirtual clock has a chronyd that follows its host.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct sample {
	struct timeval at;
	double offset; /* what must be added to the system's clock */
	int pulse, leap, unused, magic;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The host's time, or 0.  What is left of an earlier answer is thrown away first. */
static int64_t ask(int port)
{
	struct pollfd waiting = { port, POLLIN, 0 };
	char line[64];
	size_t n = 0;

	while (poll(&waiting, 1, 0) > 0 && read(port, line, sizeof line) > 0)
		;
	if (write(port, "?", 1) != 1)
		return 0;
	while (n + 1 < sizeof line && poll(&waiting, 1, 500) > 0) {
		ssize_t got = read(port, line + n, sizeof line - n - 1);

		if (got <= 0)
			return 0;
		n += (size_t)got;
		line[n] = 0;
		if (strchr(line, '\n'))
			return strtoll(line, NULL, 10);
	}
	return 0;
}

static void hand_over(int to, const struct sockaddr_un *chronyd, int port)
{
	int64_t before = now_ns();
	int64_t host = ask(port);
	int64_t after = now_ns();
	int64_t middle = before + (after - before) / 2;
	struct sample sample = {
		.at = { .tv_sec = middle / 1000000000, .tv_usec = middle % 1000000000 / 1000 },
		.offset = (double)(host - middle) / 1e9,
		.magic = 0x534f434b,
	};

	if (host != 0 && after - before < 20000000)
		sendto(to, &sample, sizeof sample, 0, (const struct sockaddr *)chronyd, sizeof *chronyd);
}

int main(int argc, char **argv)
{
	struct sockaddr_un chronyd = { .sun_family = AF_UNIX };
	int port = argc == 3 ? open(argv[1], O_RDWR) : -1;
	int to = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (port < 0 || to < 0) {
		fprintf(stderr, "usage: guest_time PORT SOCKET\n");
		return 1;
	}
	snprintf(chronyd.sun_path, sizeof chronyd.sun_path, "%s", argv[2]);
	for (;;) {
		hand_over(to, &chronyd, port);
		poll(NULL, 0, 1000);
	}
}
