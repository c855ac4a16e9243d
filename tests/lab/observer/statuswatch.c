/* SPDX-License-Identifier: Apache-2.0 */

/*
 * statuswatch - what the daemon says of itself, asked again and again
 *
 *     statuswatch SOCKET INTERVAL_MS
 *
 * Asks for the status on the control socket (docs/protocol/control.md) and prints one line a reply
 * until it is killed:
 *
 *     ASKED  ANSWERED  STATE  BOUND  READINGS  STEPS
 *
 * CLOCK_MONOTONIC_RAW in seconds before the request was written and after the reply was read; the
 * state's word; the bound in nanoseconds, "-" where none is given; how many readings the first
 * source has had; how many steps the daemon has made. A request without such a reply has "-" for
 * all but the stamps.
 *
 * It looks for a few keys in the reply's text and knows nothing else of JSON: it judges vmtimed and
 * therefore shares no line with it. The daemon answers fifty requests a second to one client.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char REQUEST[] = "{\"v\":1,\"cmd\":\"status\"}\n";

struct stamp {
	int64_t s;
	int64_t ns;
};

static struct stamp raw_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (struct stamp) { now.tv_sec, now.tv_nsec };
}

/* A connected socket that gives up a reply after two seconds, or -1. */
static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 2 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

/* One request and the line that answers it; 0, or -1 where there is none. */
static int ask(int fd, char *reply, size_t size)
{
	size_t have = 0;

	if (fd < 0 || send(fd, REQUEST, sizeof(REQUEST) - 1, MSG_NOSIGNAL) < 0)
		return -1;
	while (have + 1 < size) {
		ssize_t n = recv(fd, reply + have, size - have - 1, 0);

		if (n <= 0)
			return -1;
		have += (size_t)n;
		reply[have] = '\0';
		if (reply[have - 1] == '\n')
			return 0;
	}
	return -1;
}

/* The value behind the first "NAME": in text, without quotes, at most 31 letters; else "-". */
static void value_of(const char *text, const char *name, char ret_value[32])
{
	char key[40];
	const char *at;
	size_t n = 0;

	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(text, key);
	if (at != NULL) {
		at += strlen(key);
		at += strspn(at, " \"");
		n = strcspn(at, "\",}\n ");
	}
	if (n == 0 || n > 31) {
		at = "-";
		n = 1;
	}
	memcpy(ret_value, at, n);
	ret_value[n] = '\0';
}

int main(int argc, char **argv)
{
	static const char *const keys[] = { "state", "bound_ns", "readings", "steps" };
	static char reply[262144];
	int fd = -1;

	if (argc != 3 || strtol(argv[2], NULL, 10) <= 0) {
		fprintf(stderr, "usage: statuswatch SOCKET INTERVAL_MS\n");
		return 2;
	}

	long interval_ms = strtol(argv[2], NULL, 10);
	struct timespec pause = { interval_ms / 1000, interval_ms % 1000 * 1000000 };

	for (;; nanosleep(&pause, NULL)) {
		if (fd < 0)
			fd = connect_to(argv[1]);

		struct stamp asked = raw_now();
		int r = ask(fd, reply, sizeof(reply));
		struct stamp answered = raw_now();

		if (r < 0) {
			reply[0] = '\0';
			if (fd >= 0)
				close(fd);
			fd = -1;
		}
		printf("%" PRId64 ".%09" PRId64 " %" PRId64 ".%09" PRId64, asked.s, asked.ns, answered.s,
		       answered.ns);
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			char value[32];

			value_of(reply, keys[i], value);
			printf(" %s", value);
		}
		printf("\n");
		fflush(stdout);
	}
}
