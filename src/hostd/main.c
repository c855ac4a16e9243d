/* SPDX-License-Identifier: Apache-2.0 */

/*
 * main.c - vmtime-hostd: the modes that end at once, and the one that stays
 */

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "hostd/daemon.h"
#include "hostd/host_instant.h"
#include "loop/loop.h"
#include "os/descriptors.h"

static int write_out(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? 1 : 0;
}

static int print_configuration(const struct options *options)
{
	static char text[SETTINGS_PRINT_MAX];
	static struct settings settings;

	if (daemon_load_settings(options, daemon_configuration(options), &settings) < 0)
		return 1;
	(void)settings_print(&settings, text, sizeof text);
	return write_out(text);
}

static int print_reference(void)
{
	char text[SETTINGS_REFERENCE_MAX];

	(void)settings_reference(text, sizeof text);
	return write_out(text);
}

/*
 * A signal between the first file that is made and the loop would leave that file behind: it waits
 * until the loop watches for it.  And a peer that hangs up is no reason to end.
 */
static void hold_signals(void)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* A daemon leaves its folder, and reads its configuration again later. */
static void make_absolute(struct options *options)
{
	static char path[PATH_MAX];
	char folder[PATH_MAX];
	int n;

	if (options->is_foreground || !options->file || options->file[0] == '/' ||
	    !getcwd(folder, sizeof folder))
		return;
	n = snprintf(path, sizeof path, "%s/%s", folder, options->file);
	if (n > 0 && (size_t)n < sizeof path)
		options->file = path;
}

static vt_mono read_clock(void)
{
	return host_instant_now().mono;
}

static size_t prepare(void *daemon, struct pollfd *ret)
{
	return daemon_prepare(daemon, ret);
}

static vt_mono deadline(void *daemon)
{
	return daemon_deadline(daemon);
}

static void dispatch(void *daemon, vt_mono now, const struct pollfd *fds)
{
	daemon_dispatch(daemon, now, fds);
}

static void reload(void *daemon)
{
	daemon_reload(daemon);
}

static const struct loop_ops LOOP_OPS = { prepare, deadline, dispatch, reload, read_clock };

static int run(const struct options *options)
{
	static struct daemon daemon;
	struct daemonize up = DAEMONIZE_INIT;
	int status = 0;

	if (!options->is_foreground) {
		switch (daemonize_fork(&up, &status)) {
		case DAEMONIZE_PARENT: return status;
		case DAEMONIZE_FAILED: return log_err(status, "becoming a daemon"), 1;
		case DAEMONIZE_CHILD: break;
		}
	}
	hold_signals();
	descriptors_raise_limit();
	daemon_init(&daemon, options);
	if (daemon_start(&daemon, &up) < 0) {
		daemonize_fail(&up, 1);
		daemon_fini(&daemon);
		return 1;
	}
	log_open("vmtime-hostd", options->logs_to_stderr ? LOG_SINK_STDERR : LOG_SINK_SYSLOG,
		 daemon_log_level(&daemon));
	status = loop_run(&LOOP_OPS, &daemon, DAEMON_FDS, &daemon.wants_end);
	daemon_fini(&daemon);
	return status < 0 ? 1 : daemon.exit_status;
}

int main(int argc, char **argv)
{
	struct options options;
	char text[128];
	const char *error;

	log_open("vmtime-hostd", LOG_SINK_STDERR, LOG_LEVEL_INFO);
	if (descriptors_fill() < 0)
		return 1; /* and there is no place to say so */
	if (options_parse(argc, argv, &options, text, sizeof text, &error) < 0) {
		log_fail("%s (see vmtime-hostd --help)", error);
		return 2;
	}
	log_open("vmtime-hostd", LOG_SINK_STDERR, options.log_level);
	make_absolute(&options);

	switch (options.mode) {
	case OPTIONS_HELP: return write_out(OPTIONS_HELP_TEXT);
	case OPTIONS_VERSION: return printf("vmtime-hostd (vmtime) version %s\n", VMTIME_VERSION) < 0;
	case OPTIONS_REFERENCE: return print_reference();
	case OPTIONS_PRINT_CONF: return print_configuration(&options);
	case OPTIONS_RUN: return run(&options);
	}
	return 1;
}
