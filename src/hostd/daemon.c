/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "hostd/host_instant.h"
#include "os/conf_files.h"

static const struct conf_loader FILES = {
	NULL,
	conf_files_read,
	conf_files_expand,
	conf_files_list,
};

void daemon_init(struct daemon *d, const struct options *options)
{
	*d = (struct daemon){
		.options = *options,
		.pidfile = PIDFILE_INIT,
		.notify = NOTIFY_INIT,
		.told = { .is_synchronized = true },
	};
	control_init(&d->control);
	web_init(&d->web);
	host_clock_init(&d->host_clock, &HOST_CLOCK_PLACES);
}

const char *daemon_configuration(const struct options *options)
{
	struct stat st;

	if (options->file)
		return options->file;
	if (options->n_directives > 0)
		return NULL;
	/* Only a file that is not there is none: one that cannot be reached must not be passed over. */
	return lstat(DAEMON_CONFIGURATION, &st) == 0 || errno != ENOENT ? DAEMON_CONFIGURATION : NULL;
}

enum log_level daemon_log_level(const struct daemon *d)
{
	return d->options.has_level ? d->options.log_level : d->settings.log_level;
}

int daemon_load_settings(const struct options *options, const char *configuration,
			 struct settings *ret)
{
	struct conf_notes notes;
	struct conf_note note;
	struct conf_error error;
	char text[CONF_PATH_MAX + CONF_TEXT_MAX + 32];
	int r;

	conf_notes_init(&notes);
	r = settings_load(configuration, options->directives, options->n_directives, &FILES, &notes,
			  ret, &error);
	while (conf_notes_pop(&notes, &note))
		log_warn("%s", conf_note_format(&note, text, sizeof text));
	if (notes.n_lost)
		log_warn("and %u more warnings about the configuration", notes.n_lost);
	if (r < 0)
		log_fail("%s", conf_error_format(&error, text, sizeof text));
	return r;
}

size_t daemon_prepare(struct daemon *d, struct pollfd ret[DAEMON_FDS])
{
	size_t n = 0;

	n += d->n_control_fds = line_server_prepare(&d->control.server, ret + n);
	n += d->n_clock_fds = host_clock_prepare(&d->host_clock, ret + n);
	for (unsigned i = 0; i < d->backends.n; i++)
		if (d->backends.list[i]->fd >= 0)
			ret[n++] = (struct pollfd){ .fd = d->backends.list[i]->fd, .events = POLLIN };
	if (web_fd(&d->web) >= 0)
		ret[n++] = (struct pollfd){ .fd = web_fd(&d->web), .events = POLLIN };
	return n;
}

/* What is wrong with this host, a sentence each. */
static void collect_alerts(const struct daemon *d, struct fleet_host *host)
{
	host_clock_alert(&d->host_clock, host->alerts[host->n_alerts], sizeof host->alerts[0]);
	host->n_alerts += *host->alerts[host->n_alerts] != '\0';
}

static void tell_host(struct daemon *d)
{
	struct fleet_host host = { .quality = d->host_clock.opinion.quality };

	snprintf(host.version, sizeof host.version, "%s", VMTIME_VERSION);
	snprintf(host.clocksource, sizeof host.clocksource, "%s", d->host_clock.clocksource.name);
	collect_alerts(d, &host);
	fleet_tell_host(d->fleet, &host, host_instant_now());
}

/* The distance comes and goes; who keeps the clock, and whether it is kept, are worth a line. */
static void log_host_clock(struct daemon *d)
{
	const struct report_host_quality *q = &d->host_clock.opinion.quality;

	if (!d->host_clock.has_opinion || (strcmp(q->daemon, d->told.daemon) == 0 &&
	                                   q->is_synchronized == d->told.is_synchronized))
		return;
	d->told = *q;
	if (q->is_synchronized)
		log_info("this host's own clock is synchronised (%s)", q->daemon);
	else
		log_warn("this host's own clock is not synchronised (%s): guests are set only where "
			 "they are off by more than unsynchronized-threshold",
			 *q->daemon ? q->daemon : "nobody keeps it");
}

/* In this order: guests are told of a jump by a host that knows how right it is. */
static void watch_host(struct daemon *d, vt_mono now, const struct pollfd *fds)
{
	const struct pollfd *own = fds ? fds + d->n_control_fds : NULL;
	vt_span slept;

	host_clock_dispatch(&d->host_clock, now, host_instant_now().real, own,
			    fds ? d->n_clock_fds : 0);
	if (host_clock_take_news(&d->host_clock)) {
		log_host_clock(d);
		tell_host(d);
	}
	if (host_clock_take_sleep(&d->host_clock, &slept)) {
		log_info("this host slept for %.3f s: every guest is checked", vt_span_seconds(slept));
		fleet_host_jumped(d->fleet, HOST_REASON_RESUME, slept, host_instant_now());
	}
	if (host_clock_take_step(&d->host_clock)) {
		log_info("this host's clock was set: every guest is checked");
		fleet_host_jumped(d->fleet, HOST_REASON_STEP, VT_NS(0), host_instant_now());
	}
}

void daemon_dispatch(struct daemon *d, vt_mono now, const struct pollfd *fds)
{
	d->now = now;
	watch_host(d, now, fds);
	fleet_dispatch(d->fleet, host_instant_now());
	if (backends_tell(&d->backends))
		tell_host(d);
	control_dispatch(&d->control, d->fleet, host_instant_now(), fds, fds ? d->n_control_fds : 0);
	web_dispatch(&d->web, &d->settings, d->fleet, host_instant_now());
	if (d->options.is_timed && vt_mono_since(now, d->started).ns >= d->options.timeout.ns) {
		log_info("ending after the time that -t gives");
		d->wants_end = true;
	}
}

vt_mono daemon_deadline(const struct daemon *d)
{
	vt_mono first = control_deadline(&d->control);

	first = vt_mono_min(first, host_clock_deadline(&d->host_clock));
	first = vt_mono_min(first, fleet_deadline(d->fleet));
	first = vt_mono_min(first, web_deadline(&d->web, d->now));
	if (d->options.is_timed)
		first = vt_mono_min(first, vt_mono_add(d->started, d->options.timeout));
	return first;
}

static struct fleet_conf fleet_conf_of(const struct settings *s)
{
	struct fleet_conf conf = FLEET_CONF_DEFAULT;

	conf.threshold = s->threshold;
	conf.unsynchronized_threshold = s->unsynchronized_threshold;
	conf.parallel = s->parallel;
	conf.interval = s->interval;
	return conf;
}

int daemon_open_fleet(struct daemon *d)
{
	const struct fleet_conf conf = fleet_conf_of(&d->settings);
	int r;

	backends_open(&d->backends, &d->settings);
	r = fleet_open(&conf, d->backends.list, d->backends.n, host_instant_now(), &d->fleet);
	if (r < 0)
		return log_err(r, "memory for guests");
	if (d->backends.has_channels)
		fleet_lines(d->fleet, &d->backends.lines);
	return 0;
}

static void close_fleet(struct daemon *d)
{
	web_close(&d->web);
	d->fleet = fleet_close(d->fleet);
	backends_close(&d->backends);
}

/* What is opened once, when the daemon starts. */
static void warn_unchangeable(const struct settings *old, const struct settings *new)
{
	if (strcmp(old->socket, new->socket) != 0 || strcmp(old->group, new->group) != 0)
		log_warn("socket, group: take effect after a restart");
	if (strcmp(old->pid_file, new->pid_file) != 0)
		log_warn("pidfile: takes effect after a restart");
}

/* Guests that are looked for in another way are found anew, and each is checked once. */
static void use_settings(struct daemon *d, const struct settings *settings)
{
	const struct fleet_conf conf = fleet_conf_of(settings);
	const bool is_other = backends_differ(&d->settings, settings);

	d->settings = *settings;
	if (!is_other) {
		fleet_configure(d->fleet, &conf, host_instant_now());
		return;
	}
	control_lose_fleet(&d->control);
	close_fleet(d);
	if (daemon_open_fleet(d) < 0) {
		d->exit_status = 1;
		d->wants_end = true;
		return;
	}
	tell_host(d);
}

void daemon_reload(struct daemon *d)
{
	struct settings settings;
	const char *configuration = daemon_configuration(&d->options);

	notify_reloading(&d->notify);
	if (daemon_load_settings(&d->options, configuration, &settings) < 0 ||
	    web_check(&settings) < 0) {
		log_fail("the new configuration is not used, the old one stays");
		notify_ready(&d->notify, "the configuration in use is an old one: the new one is in error");
		return;
	}
	warn_unchangeable(&d->settings, &settings);
	d->configuration = configuration;
	use_settings(d, &settings);
	/* In any case: a certificate is renewed in its old place. */
	if (d->fleet)
		web_open(&d->web, &d->settings, d->fleet, host_instant_now().mono);
	if (!d->options.logs_to_stderr)
		log_open("vmtime-hostd", LOG_SINK_SYSLOG, daemon_log_level(d));
	log_info("configuration reloaded%s", configuration || d->options.n_directives > 0
		 ? "" : ": there is no file, so libvirt's guests are looked after");
	notify_ready(&d->notify, NULL);
}

void daemon_fini(struct daemon *d)
{
	if (d->started.ns != 0)
		notify_stopping(&d->notify, NULL);
	control_fini(&d->control, d->fleet);
	close_fleet(d);
	host_clock_fini(&d->host_clock);
	pidfile_fini(&d->pidfile);
	notify_fini(&d->notify);
}
