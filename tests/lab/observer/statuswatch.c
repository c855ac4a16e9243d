/* SPDX-License-Identifier: Apache-2.0 */

/*
 * statuswatch - what the daemon says of itself, asked and unasked
 *
 *     statuswatch SOCKET INTERVAL_MS
 *
 * Follows the daemon on its control socket (docs/protocol/control.md), asks for the status besides,
 * again and again, and prints one line for each line that comes, until it is killed:
 *
 *     ASKED  ANSWERED  STATE  BOUND  READINGS  STEPS
 *
 * CLOCK_MONOTONIC_RAW in seconds before the request was written and after the reply was read, twice
 * the latter for what came unasked; the state's word; the bound in nanoseconds; how many readings the
 * first source has had; how many steps the daemon has made. "-" is what the line did not tell. A
 * request that got no reply has "-" for all but the stamps.
 *
 * It looks for a few keys in a line's text and knows nothing else of JSON: it judges vmtimed and
 * therefore shares no line with it. The daemon answers fifty requests a second to one client.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char FOLLOW[] = "{\"v\":1,\"id\":1,\"cmd\":\"follow\"}\n";
static const char STATUS[] = "{\"v\":1,\"id\":2,\"cmd\":\"status\"}\n";

#define PATIENCE_MS 2000

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

static int64_t ms_since(struct stamp then)
{
	struct stamp now = raw_now();

	return (now.s - then.s) * 1000 + (now.ns - then.ns) / 1000000;
}

/* What has been read of the daemon's lines and not been looked at. */
struct stream {
	int fd;
	size_t have;
	char text[262144 + 1];
};

static void stream_close(struct stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
	stream->have = 0;
}

/* Connects and follows; 0, or -1. */
static int stream_open(struct stream *stream, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	stream->have = 0;
	stream->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (stream->fd >= 0 &&
	    connect(stream->fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    send(stream->fd, FOLLOW, sizeof(FOLLOW) - 1, MSG_NOSIGNAL) > 0)
		return 0;
	stream_close(stream);
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

static void print_stamps(struct stamp asked, struct stamp answered)
{
	printf("%" PRId64 ".%09" PRId64 " %" PRId64 ".%09" PRId64, asked.s, asked.ns, answered.s,
	       answered.ns);
}

/* Prints what a line says. Returns 1 for the answer to a question, 0 for what came unasked. */
static int print_line(const char *line, struct stamp asked)
{
	static const char *const keys[] = { "state", "bound_ns", "readings", "steps" };
	int is_answer = strstr(line, "\"follow\":{") == NULL;
	struct stamp now = raw_now();

	print_stamps(is_answer ? asked : now, now);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char value[32];

		value_of(line, keys[i], value);
		printf(" %s", value);
	}
	printf("\n");
	fflush(stdout);
	return is_answer;
}

/*
 * Takes what comes within so many milliseconds. Returns 1 when the answer to the question has come, 0
 * when the time was up before, -1 when the connection is no more.
 */
static int stream_take(struct stream *stream, int limit_ms, struct stamp asked)
{
	struct pollfd waiting = { .fd = stream->fd, .events = POLLIN };
	int is_answered = 0;
	char *end;

	if (poll(&waiting, 1, limit_ms) == 0)
		return 0;

	ssize_t n = recv(stream->fd, stream->text + stream->have,
			 sizeof(stream->text) - 1 - stream->have, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	stream->have += (size_t)n;
	stream->text[stream->have] = '\0';
	while ((end = strchr(stream->text, '\n')) != NULL) {
		*end = '\0';
		is_answered |= print_line(stream->text, asked);
		stream->have -= (size_t)(end + 1 - stream->text);
		memmove(stream->text, end + 1, stream->have + 1);
	}
	return is_answered;
}

/* One question, and everything that comes until interval_ms after it and until its answer. */
static int stream_ask(struct stream *stream, long interval_ms)
{
	struct stamp asked = raw_now();
	int is_answered = 0;
	int64_t passed;

	if (send(stream->fd, STATUS, sizeof(STATUS) - 1, MSG_NOSIGNAL) < 0)
		return -1;
	while ((passed = ms_since(asked)) < (is_answered ? interval_ms : PATIENCE_MS)) {
		int64_t left = (is_answered ? interval_ms : PATIENCE_MS) - passed;
		int r = stream_take(stream, (int)left, asked);

		if (r < 0)
			return -1;
		is_answered |= r;
	}
	return is_answered ? 0 : -1;
}

int main(int argc, char **argv)
{
	static struct stream stream = { .fd = -1 };

	if (argc != 3 || strtol(argv[2], NULL, 10) <= 0) {
		fprintf(stderr, "usage: statuswatch SOCKET INTERVAL_MS\n");
		return 2;
	}

	long interval_ms = strtol(argv[2], NULL, 10);
	struct timespec pause = { interval_ms / 1000, interval_ms % 1000 * 1000000 };

	for (;;) {
		struct stamp asked = raw_now();

		if ((stream.fd >= 0 || stream_open(&stream, argv[1]) == 0) &&
		    stream_ask(&stream, interval_ms) == 0)
			continue;
		stream_close(&stream);
		print_stamps(asked, raw_now());
		printf(" - - - -\n");
		fflush(stdout);
		nanosleep(&pause, NULL);
	}
}
