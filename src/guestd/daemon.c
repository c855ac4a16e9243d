/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "core/filter.h"
#include "guestd/control.h"
#include "guestd/drift.h"
#include "guestd/events.h"
#include "guestd/report.h"
#include "os/conf_files.h"
#include "os/stamp.h"
#include "os/tai.h"

/* Another process that steers is looked for this often; it costs a walk through /proc. */
#define OWNER_INTERVAL VT_SEC(60)

/* A leap second changes the difference: at a full hour, announced months before. */
#define TAI_INTERVAL VT_SEC(600)

/* A crystal does not wander far in this time, and the file is in memory. */
#define LEFT_INTERVAL VT_SEC(60)

/* The rate is worth keeping when it is known better than this. */
#define WORTH_SAVING VT_PPM(10)

static const struct conf_loader FILES = {
	NULL,
	conf_files_read,
	conf_files_expand,
	conf_files_list,
};

vt_mono daemon_clock_now(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (vt_mono){ (int64_t)t.tv_sec * 1000000000 + t.tv_nsec };
}

vt_real daemon_clock_shows(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (vt_real){ (int64_t)t.tv_sec * 1000000000 + t.tv_nsec };
}

void daemon_init(struct daemon *d, const struct options *options)
{
	*d = (struct daemon){
		.options = *options,
		.pidfile = PIDFILE_INIT,
		.notify = NOTIFY_INIT,
		.opener = OPENER_INIT,
		.clocksource = CLOCKSOURCE_INIT,
		.history = HISTORY_INIT,
	};
	line_server_init(&d->server);
	records_init(&d->records);
	host_init(&d->host);
	senses_init(&d->senses, &d->opener);
	candm_init(&d->candm);
	agent_init(&d->agent);
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

struct step_conf daemon_step_conf(const struct settings *s, bool is_fresh_boot)
{
	return (struct step_conf){
		.is_fresh_boot = is_fresh_boot,
		.resume = s->resume,
		.is_makestep_given = s->is_makestep_given,
		.makestep_threshold = s->makestep_threshold,
		.makestep_limit = s->makestep_limit,
		.is_max_change_given = s->is_max_change_given,
		.max_change = s->max_change,
		.max_change_start = s->max_change_start,
		.max_change_ignore = s->max_change_ignore,
	};
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
	if (!configuration && options->n_directives == 0) {
		settings_default(ret);
		return 0;
	}
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

static void save_drift(struct daemon *d)
{
	const struct discipline *c = &d->discipline;
	const struct source *s;

	if (!*d->settings.drift_file || d->options.is_observing || c->selected < 0)
		return;
	s = &c->sources[c->selected];
	if (s->estimator.readings < 3 || estimator_rate_sigma(&s->estimator).ppb > WORTH_SAVING.ppb)
		return;
	/* Not the estimator's rate: the host may be slewing its clock right now. */
	(void)drift_save(d->settings.drift_file, c->tempo.usual, estimator_rate_sigma(&s->estimator),
	                 &d->drift_error);
}

/* For whoever comes after a kill -9: the rate to go back to. */
static void leave_rate(struct daemon *d, vt_mono now)
{
	if (d->options.is_observing || !d->discipline.has_updated || now.ns < d->left_due.ns)
		return;
	d->left_due = vt_mono_add(now, LEFT_INTERVAL);
	(void)drift_save(DRIFT_RUN_PATH, d->discipline.tempo.usual, VT_PPM(1), &d->left_error);
}

/* The first turn in which the clock is right: the stamp, the service manager. */
static void announce(struct daemon *d)
{
	if (discipline_state(&d->discipline) != DISCIPLINE_OK)
		return;
	if (!d->is_stamped && !d->options.is_observing) {
		int r = stamp_make(STAMP_PATH);

		if (r < 0)
			log_cope(r, "%s, which tells a restart that the clock was steered", STAMP_PATH);
		d->is_stamped = true;
	}
	if (!d->was_ready) {
		notify_ready(&d->notify, "the clock follows its source");
		d->was_ready = true;
	}
}

static void look_for_owner(struct daemon *d, vt_mono now)
{
	struct owner other;
	bool has_other;

	if (d->options.is_observing || now.ns < d->owner_due.ns)
		return;
	d->owner_due = vt_mono_add(now, OWNER_INTERVAL);
	has_other = owner_find("", getpid(), &other) == OWNER_FOUND;
	if (has_other && (!d->has_contender || other.pid != d->contender.pid))
		log_warn("%s (pid %d) steers the clock too: %s", other.name, (int)other.pid, other.hand_over);
	if (!has_other && d->has_contender)
		log_info("%s does not steer the clock any more", d->contender.name);
	d->has_contender = has_other;
	if (has_other)
		d->contender = other;
}

/* At the source's own time: the system's may be far off.  Before its first reading any time will do. */
static vt_real tai_time(const struct source *s)
{
	return s->has_reading ? s->latest.remote : FILTER_EARLIEST;
}

/* TAI sources need the difference; it may become known, or change, while we run. */
static void refresh_tai(struct daemon *d, vt_mono now)
{
	int seconds;

	if (d->discipline.is_tai_known && now.ns < d->tai_due.ns)
		return;
	d->tai_due = vt_mono_add(now, TAI_INTERVAL);

	for (unsigned i = 0; i < d->settings.n_refclocks; i++) {
		const struct source *s = &d->discipline.sources[i];

		if (!s->conf.is_tai)
			continue;
		if (tai_minus_utc(NULL, TAI_TABLE_PATH, tai_time(s), &seconds) == 0)
			discipline_set_tai(&d->discipline, VT_SEC(-(int64_t)seconds));
	}
}

/* An administrator or another program may have told the kernel of a leap second. */
static void refresh_leap(struct daemon *d, vt_mono now)
{
	int seconds;

	if (clock_linux_leap(&d->clock, &seconds) == 0)
		discipline_set_leap(&d->discipline, seconds, now);
}

static void note_state(struct daemon *d, vt_mono now)
{
	enum discipline_state state = discipline_state(&d->discipline);

	if (state == d->state)
		return;
	d->state = state;
	d->state_since = now;
}

/* -t: a daemon has done what it was told, -q and -Q have not. */
static void end_in_time(struct daemon *d)
{
	char text[REPORT_TEXT_MAX];

	d->wants_end = true;
	if (d->options.mode == OPTIONS_RUN) {
		log_info("ending after the time that -t gives");
		return;
	}
	d->exit_status = 1;
	if (d->discipline.has_updated) {
		log_fail("the time that -t gives was too short to end the slew");
		return;
	}
	report_explain_sources(d, text, sizeof text);
	log_fail("nothing to compare the clock with in the time that -t gives: %s", text);
}

static void keep_house(struct daemon *d, vt_mono now)
{
	note_state(d, now);
	announce(d);
	look_for_owner(d, now);
	leave_rate(d, now);
	if (now.ns >= d->drift_due.ns) {
		save_drift(d);
		d->drift_due = vt_mono_add(now, d->settings.drift_interval);
	}
	if (d->options.is_timed && vt_mono_since(now, d->started).ns >= d->options.timeout.ns)
		end_in_time(d);
}

/* -q and -Q are over as soon as there is something to tell. */
static void end_if_once(struct daemon *d, vt_mono now)
{
	const struct discipline *c = &d->discipline;

	if (d->options.mode == OPTIONS_RUN || !c->has_updated)
		return;
	if (d->options.mode == OPTIONS_PRINT_OFFSET)
		printf("offset %+.9f s +/- %.9f s against %s\n", vt_span_seconds(c->last_offset),
		       vt_span_seconds(source_error(&c->sources[c->selected])),
		       d->refclocks.list[c->selected].device);
	else if (c->settle_at.ns != VT_MONO_NEVER.ns && now.ns < c->settle_at.ns)
		return;
	d->wants_end = true;
}

void daemon_read_clocks(struct daemon *d, vt_mono now)
{
	uint64_t steps = d->discipline.steps;
	vt_span of_host = VT_NS(0);
	vt_span lacking;

	(void)host_error(&d->host, &d->settings, now, &of_host);
	discipline_set_host_error(&d->discipline, of_host);
	d->now = now;
	records_before(d, now);
	if (now.ns >= discipline_deadline(&d->discipline).ns) {
		(void)clocksource_check(&d->clocksource);
		refresh_tai(d, now);
		refresh_leap(d, now);
		discipline_dispatch(&d->discipline, now);
	}
	if (battery_look(&d->battery, d->discipline.selected >= 0, now, &lacking))
		discipline_take_word(&d->discipline, EVIDENCE_RTC, lacking, now);
	if (d->discipline.steps != steps)
		senses_forgive_step(&d->senses);
	events_tell(d);
	records_after(d, now);
}

size_t daemon_prepare(struct daemon *d, struct pollfd ret[DAEMON_FDS])
{
	size_t n = 0;

	n += d->n_server_fds = line_server_prepare(&d->server, ret + n);
	n += d->n_host_fds = host_prepare(&d->host, ret + n);
	n += d->n_candm_fds = candm_sock_prepare(&d->candm.sock, ret + n);
	n += d->n_agent_fds = agent_prepare(&d->agent, ret + n);
	n += senses_prepare(&d->senses, daemon_clock_now(), daemon_deadline(d), ret + n);
	return n;
}

/* What is known of a disruption comes before the readings that it asks for. */
static void use_senses(struct daemon *d, vt_mono now, const struct pollfd *fds)
{
	struct sense_evidence seen;

	senses_dispatch(&d->senses, now, fds);
	while (senses_pop(&d->senses, &seen))
		discipline_witness(&d->discipline, seen.evidence, seen.size, now);
	refclocks_add_page(&d->refclocks, &d->discipline);
}

void daemon_dispatch(struct daemon *d, vt_mono now, const struct pollfd *fds)
{
	const struct pollfd *of_host = fds ? fds + d->n_server_fds : NULL;
	const struct pollfd *of_candm = fds ? of_host + d->n_host_fds : NULL;
	const struct pollfd *of_agent = fds ? of_candm + d->n_candm_fds : NULL;

	host_dispatch(d, now, of_host, fds ? d->n_host_fds : 0);
	agent_dispatch(d, now, of_agent, fds ? d->n_agent_fds : 0);
	use_senses(d, now, fds ? of_agent + d->n_agent_fds : NULL);
	daemon_read_clocks(d, now);
	agent_settle(d, now);
	history_sync(&d->history, now);
	end_if_once(d, now);
	line_server_dispatch(&d->server, now, fds, fds ? d->n_server_fds : 0);
	control_answer(d, now);
	candm_sock_dispatch(&d->candm.sock, of_candm, fds ? d->n_candm_fds : 0);
	candm_answer(d, now);
	held_dispatch(d, now);
	keep_house(d, now);
}

vt_mono daemon_deadline(const struct daemon *d)
{
	vt_mono first = discipline_deadline(&d->discipline);

	first = vt_mono_min(first, line_server_deadline(&d->server));
	first = vt_mono_min(first, held_deadline(&d->held));
	first = vt_mono_min(first, battery_deadline(&d->battery));
	first = vt_mono_min(first, host_deadline(&d->host));
	first = vt_mono_min(first, agent_deadline(&d->agent));
	first = vt_mono_min(first, event_ring_deadline(&d->history.ring));
	first = vt_mono_min(first, d->drift_due);
	if (!d->options.is_observing)
		first = vt_mono_min(first, d->owner_due);
	if (d->options.is_timed)
		first = vt_mono_min(first, vt_mono_add(d->started, d->options.timeout));
	return first;
}

static bool is_same_refclocks(const struct settings *a, const struct settings *b)
{
	return a->hostclock == b->hostclock && a->n_refclocks == b->n_refclocks &&
	       memcmp(a->refclocks, b->refclocks, sizeof a->refclocks) == 0;
}

static void warn_unchangeable(const struct settings *old, const struct settings *new)
{
	if (strcmp(old->user, new->user) != 0)
		log_warn("user: takes effect after a restart");
	if (strcmp(old->pid_file, new->pid_file) != 0)
		log_warn("pidfile: takes effect after a restart");
	if (old->is_memory_locked != new->is_memory_locked || old->priority != new->priority)
		log_warn("lock_all, sched_priority: take effect after a restart");
	if (strcmp(old->command.path, new->command.path) != 0 ||
	    strcmp(old->command.device, new->command.device) != 0 ||
	    old->command.port != new->command.port ||
	    memcmp(&old->command.bind4, &new->command.bind4, sizeof old->command.bind4) != 0 ||
	    memcmp(&old->command.bind6, &new->command.bind6, sizeof old->command.bind6) != 0)
		log_warn("bindcmdaddress, bindcmddevice, cmdport: take effect after a restart");
}

/* READY=1 ends a reload, but before the clock was right for once it would claim that it is. */
static void end_reload(const struct daemon *d, const char *status)
{
	if (d->was_ready)
		notify_ready(&d->notify, status);
	else if (status)
		notify_status(&d->notify, status);
}

void daemon_restart_sources(struct daemon *d)
{
	discipline_drop_sources(&d->discipline);
	records_drop_sources(&d->records);
	refclocks_fini(&d->refclocks);
	refclocks_init(&d->refclocks, &d->settings, &d->opener, &d->clocksource,
	               &d->senses.vmclock);
	refclocks_add_to(&d->refclocks, &d->settings, &d->discipline);
}

/* Another device than at the start is beyond what the opener may open. */
static void reload_agent(struct daemon *d, const struct settings *settings)
{
	bool is_device = settings->agent[0] == '/';

	if (is_device && strcmp(settings->agent, d->opener.paths.agent) != 0 && d->opener.socket >= 0)
		log_warn("agent %s: takes effect after a restart", settings->agent);
	else
		agent_open(d, settings->agent, settings->agent_port, d->now);
}

void daemon_reload(struct daemon *d)
{
	struct settings settings;
	const char *configuration = daemon_configuration(&d->options);

	notify_reloading(&d->notify);
	/* Who ended the other owner, or doubts that there is none, is told at once. */
	d->owner_due = d->now;
	if (daemon_load_settings(&d->options, configuration, &settings) < 0) {
		log_fail("the new configuration is not used, the old one stays");
		end_reload(d, "the configuration in use is an old one: the new one is in error");
		return;
	}
	warn_unchangeable(&d->settings, &settings);

	bool is_same = is_same_refclocks(&d->settings, &settings);

	d->configuration = configuration;
	d->settings = settings;
	d->discipline.conf.step = daemon_step_conf(&settings, d->discipline.conf.step.is_fresh_boot);
	d->discipline.conf.max_slew = settings.max_slew_rate;
	d->discipline.conf.keeps_kernel_synchronized = settings.is_rtcsync;
	candm_configure(&d->candm, &settings.command);
	if (!is_same)
		daemon_restart_sources(d);
	host_open(&d->host, settings.vsock_port, d->now);
	reload_agent(d, &settings);
	records_cycle(&d->records);
	records_make_folder(d, geteuid(), getegid());
	d->drift_due = vt_mono_min(d->drift_due, vt_mono_add(d->now, settings.drift_interval));
	log_info("configuration reloaded%s", configuration || d->options.n_directives > 0
	         ? "" : ": there is no file, so the host's clock is used");
	end_reload(d, NULL);
}

void daemon_fini(struct daemon *d)
{
	if (d->started.ns != 0) {
		notify_stopping(&d->notify, NULL);
		if (!d->options.is_observing && d->discipline.has_updated) {
			int r;

			discipline_leave(&d->discipline);
			r = clock_linux_restore(&d->clock, d->discipline.tempo.base);
			if (r < 0)
				log_cope(r, "leaving the clock at its own rate");
		}
		if (!d->options.is_observing)
			(void)unlink(DRIFT_RUN_PATH);
		save_drift(d);
		refclocks_fini(&d->refclocks);
	}
	records_fini(&d->records);
	line_server_fini(&d->server);
	candm_fini(&d->candm);
	agent_fini(&d->agent);
	history_fini(&d->history);
	host_fini(&d->host);
	senses_fini(&d->senses);
	opener_fini(&d->opener);
	clocksource_fini(&d->clocksource);
	pidfile_fini(&d->pidfile);
	notify_fini(&d->notify);
}
