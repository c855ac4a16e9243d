/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

/* The one piece of mutable file-scope state that the style allows: where the log goes. */
static struct {
	const char *program;
	enum log_sink sink;
	enum log_level lowest;
	int syslog; /* a socket, or -1 */
} the_log = { "vmtime", LOG_SINK_STDERR, LOG_LEVEL_INFO, -1 };

static const int SYSLOG_PRIORITY[] = {
	[LOG_LEVEL_DEBUG] = LOG_DEBUG,
	[LOG_LEVEL_INFO] = LOG_INFO,
	[LOG_LEVEL_WARN] = LOG_WARNING,
	[LOG_LEVEL_ERR] = LOG_ERR,
};

static const char *const PREFIX[] = {
	[LOG_LEVEL_DEBUG] = "debug: ",
	[LOG_LEVEL_INFO] = "",
	[LOG_LEVEL_WARN] = "warning: ",
	[LOG_LEVEL_ERR] = "error: ",
};

/*
 * syslog(3) in a few lines: a datagram to the daemon's socket, in the form of RFC 3164 without the time
 * of day, which every daemon adds by itself.  The C library's writes that time, for which it reads
 * the time zone's file, for which it brings scanf: 100 KiB of a static vmtimed.
 */
static void connect_syslog(void)
{
	static const struct sockaddr_un daemon = { AF_UNIX, "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&daemon, sizeof daemon) == 0)
		the_log.syslog = fd;
	else if (fd >= 0)
		close(fd);
}

static void send_syslog(enum log_level level, const char *line)
{
	char text[1200];
	int n = snprintf(text, sizeof text, "<%d>%s[%d]: %s", LOG_DAEMON | SYSLOG_PRIORITY[level],
	                 the_log.program, (int)getpid(), line);

	/* A daemon that was started anew has another socket at the same path. */
	for (int tries = 0; tries < 2; tries++) {
		if (the_log.syslog < 0)
			connect_syslog();
		if (the_log.syslog < 0 || send(the_log.syslog, text, (size_t)n, MSG_NOSIGNAL) >= 0 ||
		    errno == EAGAIN)
			return;
		close(the_log.syslog);
		the_log.syslog = -1;
	}
}

void log_open(const char *program, enum log_sink sink, enum log_level lowest)
{
	the_log.program = program;
	the_log.sink = sink;
	the_log.lowest = lowest;
}

static void emit(enum log_level level, const char *line)
{
	switch (the_log.sink) {
	case LOG_SINK_STDERR:
		/* One call, so that lines of several processes do not mix. */
		fprintf(stderr, "%s: %s%s\n", the_log.program, PREFIX[level], line);
		return;
	case LOG_SINK_SYSLOG:
		send_syslog(level, line);
		return;
	}
}

void log_at(enum log_level level, const char *format, ...)
{
	char line[1024];
	va_list args;

	if (level < the_log.lowest)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	emit(level, line);
}

int log_error_at(enum log_level level, int error, const char *format, ...)
{
	/* However long the message, its reason follows it. */
	char line[1024], what[sizeof line - 128];
	va_list args;

	error = abs(error);
	if (level < the_log.lowest)
		return -error;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	snprintf(line, sizeof line, "%s: %s", what, strerror(error));
	emit(level, line);
	return -error;
}

const char *log_quote(const char *text, size_t length, char *to, size_t size)
{
	size_t used = 0;

	if (size < 3) {
		if (size)
			to[0] = '\0';
		return to;
	}
	to[used++] = '"';
	/* Each turn adds at most four bytes; the closing quote and the terminator need two more. */
	for (size_t i = 0; i < length && used + 6 <= size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c > 0x7e)
			used += (size_t)snprintf(to + used, 5, "\\x%02x", c);
		else if (c == '"' || c == '\\')
			used += (size_t)snprintf(to + used, 3, "\\%c", c);
		else
			to[used++] = (char)c;
	}
	to[used++] = '"';
	to[used] = '\0';
	return to;
}
