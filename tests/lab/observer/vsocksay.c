/* SPDX-License-Identifier: Apache-2.0 */

/*
 * vsocksay - speaks lines to a vsock port, from a port that only the privileged have or from another
 *
 *     vsocksay CID PORT privileged|ordinary LINE [WORD]
 *
 * Without a WORD it speaks at once.  With one it is what a host's daemon is: it reads QEMU's monitor
 * (the standard input, where a command was just written), speaks when an event with that WORD comes,
 * and has read the command's answer too when it ends.  What came of it is one line, after "US us: "
 * (microseconds since it had reason to speak):
 *
 *     the reply's line
 *     closed without a byte
 *     no connection: REASON
 *     silence           nothing came for two seconds
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 2000

static long long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* From 1023 downwards: a port is not free again at once. */
static int bind_privileged(int fd)
{
	struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY };

	for (unsigned port = 1023; port > 512; port--) {
		address.svm_port = port;
		if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
			return 0;
		if (errno != EADDRINUSE)
			return -1;
	}
	return -1;
}

static int connect_to(unsigned cid, unsigned port, int is_privileged)
{
	struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port };
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if ((!is_privileged || bind_privileged(fd) == 0) &&
	    connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

/* One line of what comes back, or how it ended. */
static const char *hear(int fd, char *to, size_t size)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	size_t used = 0;

	while (used < size - 1) {
		ssize_t n;

		if (poll(&wait, 1, PATIENCE_MS) <= 0)
			return used ? "half a line" : "silence";
		n = recv(fd, to + used, size - 1 - used, 0);
		if (n <= 0)
			return used ? "half a line" : "closed without a byte";
		used += (size_t)n;
		to[used] = '\0';
		if (to[used - 1] == '\n') {
			to[used - 1] = '\0';
			return to;
		}
	}
	return "too much";
}

/* QEMU tells that a guest goes on before its vsock does: there is no route to it for a moment. */
static int connect_patiently(char **argv, long long until)
{
	for (;;) {
		int fd = connect_to((unsigned)strtoul(argv[1], NULL, 10),
		                    (unsigned)strtoul(argv[2], NULL, 10), argv[3][0] == 'p');

		if (fd >= 0 || now_us() >= until)
			return fd;
		usleep(500);
	}
}

static void speak(char **argv)
{
	static char line[4096], reply[65536];
	long long began = now_us();
	int fd = connect_patiently(argv, began + 1000LL * PATIENCE_MS);
	const char *answer = reply;

	if (fd < 0) {
		snprintf(reply, sizeof reply, "no connection: %s", strerror(errno));
	} else {
		int n = snprintf(line, sizeof line, "%s\n", argv[4]);

		(void)!send(fd, line, (size_t)n, MSG_NOSIGNAL);
		answer = hear(fd, reply, sizeof reply);
		close(fd);
	}
	printf("%lld us: %s\n", now_us() - began, answer);
}

int main(int argc, char **argv)
{
	char line[4096];
	int has_event = 0, has_answer = 0;

	if (argc != 5 && argc != 6) {
		fprintf(stderr, "usage: vsocksay CID PORT privileged|ordinary LINE [WORD]\n");
		return 2;
	}
	if (argc == 5) {
		speak(argv);
		return 0;
	}
	while (!(has_event && has_answer) && fgets(line, sizeof line, stdin)) {
		if (!has_event && strstr(line, "\"event\"") && strstr(line, argv[5])) {
			has_event = 1;
			speak(argv);
		}
		has_answer |= strncmp(line, "{\"return\"", 9) == 0 || strncmp(line, "{\"error\"", 8) == 0;
	}
	return has_event ? 0 : 1;
}
