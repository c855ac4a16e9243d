/* SPDX-License-Identifier: Apache-2.0 */

/* remedy_host.c - a host's processor frequency, and what libvirt does with its guests */

#include <stdio.h>
#include <string.h>

#include "audit/draft.h"

#define OWN_UNIT      "vmtime-governor.service"
#define OWN_UNIT_PATH "/etc/systemd/system/" OWN_UNIT
#define DEBIAN_CONF   "/etc/default/cpupower-service"
#define OLD_INIT      "/etc/init.d/cpufrequtils"
#define OLD_CONF      "/etc/default/cpufrequtils"

struct setting {
	const char *name, *value;
};

static enum edit_end edit_setting(struct slice before, const void *what, struct text *after,
				  struct edit_reason *why)
{
	const struct setting *s = what;

	return edit_shell(before, s->name, s->value, after, why);
}

/* "-gX" and "--governor=X": what stands before the X; 0 for another word. */
static size_t joined_option(struct slice word)
{
	if (word.n > 2 && memcmp(word.p, "-g", 2) == 0)
		return 2;
	return word.n > 11 && memcmp(word.p, "--governor=", 11) == 0 ? 11 : 0;
}

/* cpupower's arguments begin with one of its commands: another than frequency-set takes no governor. */
static bool sets_frequency(const char *options)
{
	struct slice rest = slice_of(options), word;

	while ((word = slice_word(&rest)).n)
		if (slice_equals(word, "frequency-set"))
			return true;
	return false;
}

/* The options with "-g GOVERNOR" in them, in the place of another. */
static void put_governor(const char *options, const char *governor, char *to, size_t size)
{
	struct slice rest = slice_of(options), word;
	bool is_next = false, is_there = false;
	size_t n = 0;

	to[0] = '\0';
	while ((word = slice_word(&rest)).n && n < size) {
		size_t joined = is_next ? 0 : joined_option(word);

		if (joined || is_next)
			is_there = true;
		if (joined)
			n += (size_t)snprintf(to + n, size - n, "%s%.*s%s", n ? " " : "", (int)joined, word.p,
			                      governor);
		else
			n += (size_t)snprintf(to + n, size - n, "%s%.*s", n ? " " : "",
			                      is_next ? (int)strlen(governor) : (int)word.n,
			                      is_next ? governor : word.p);
		is_next = !is_next && (slice_equals(word, "-g") || slice_equals(word, "--governor"));
	}
	if (n < size && !is_there)
		snprintf(to + n, size - n, "%s-g %s", n ? " " : "frequency-set ", governor);
}

/* A word of scaling_available_governors goes into files that a shell reads: it must be a plain one. */
static bool is_plain(const char *word)
{
	return word[0] && word[strspn(word, "abcdefghijklmnopqrstuvwxyz_0123456789")] == '\0';
}

/* What gives every processor the governor; cpupower is not everywhere. */
static void script_for(const char *governor, char *to, size_t size)
{
	snprintf(to, size, "for f in /sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor; "
	         "do echo %s >\"$f\" || exit 1; done", governor);
}

/* Back to the governor of now, for the time until the next boot. */
static void undo_governor(struct draft *d)
{
	char script[256];

	if (!is_plain(d->facts->frequency.governor))
		return;
	script_for(d->facts->frequency.governor, script, sizeof script);
	draft_try_undo(d, WORDS("sh", "-c", script));
}

static void enable(struct draft *d, const char *unit)
{
	if (d->facts->cpupower.is_enabled != FACT_YES) {
		draft_service(d, STEP_UNDO, "disable", unit);
		draft_service(d, STEP_DO, "enable", unit);
	}
	draft_service(d, STEP_DO, "restart", unit);
}

static void set_by_cpupower(struct draft *d, const char *governor)
{
	const struct fact_cpupower *c = &d->facts->cpupower;
	struct setting setting = { "GOVERNOR", governor };
	char options[FACTS_PATH_MAX + FACTS_WORD_MAX];
	bool is_changed;

	if (strcmp(c->path, DEBIAN_CONF) != 0) {
		if (c->start_opts[0] && !sets_frequency(c->start_opts)) {
			draft_note(d, "CPUPOWER_START_OPTS of %s is no frequency-set, and is left alone: to set "
				      "the governor write \"frequency-set -g %s\"", c->path, governor);
			return;
		}
		put_governor(c->start_opts, governor, options, sizeof options);
		setting = (struct setting){ "CPUPOWER_START_OPTS", options };
	}
	undo_governor(d);
	if (draft_change(d, c->path, edit_setting, &setting, &is_changed))
		enable(d, c->unit);
}

/* The service of older Debian and Ubuntu. */
static void set_by_cpufrequtils(struct draft *d, const char *governor)
{
	const struct setting setting = { "GOVERNOR", governor };
	bool is_changed;

	draft_service(d, STEP_UNDO, "restart", "cpufrequtils.service");
	if (draft_change(d, OLD_CONF, edit_setting, &setting, &is_changed))
		draft_service(d, STEP_DO, "restart", "cpufrequtils.service");
}

static void set_by_own_unit(struct draft *d, const char *governor)
{
	struct text unit = { 0 };
	char script[256];

	script_for(governor, script, sizeof script);
	text_addf(&unit,
	          "# Made by vmtime fix; vmtime undo takes it away.\n"
	          "[Unit]\n"
	          "Description=One processor frequency, for a TSC that is not constant\n"
	          "Documentation=man:vmtime(1)\n"
	          "\n"
	          "[Service]\n"
	          "Type=oneshot\n"
	          "RemainAfterExit=yes\n"
	          "ExecStart=/bin/sh -c '%s'\n"
	          "\n"
	          "[Install]\n"
	          "WantedBy=multi-user.target\n",
	          script);
	undo_governor(d);
	draft_service(d, STEP_UNDO, "daemon-reload", "");
	draft_write(d, OWN_UNIT_PATH, &unit, 0644);
	draft_service(d, STEP_DO, "daemon-reload", "");
	plan_command(d->plan, STEP_UNDO, false, WORDS("systemctl", "disable", "--now", OWN_UNIT));
	plan_command(d->plan, STEP_DO, false, WORDS("systemctl", "enable", "--now", OWN_UNIT));
}

static bool is_available(const struct draft *d, const char *governor)
{
	struct slice rest = slice_of(d->facts->frequency.governors), word;

	while ((word = slice_word(&rest)).n)
		if (slice_equals(word, governor))
			return true;
	return false;
}

void remedy_frequency(struct draft *d, const char *governor)
{
	if (!is_plain(governor) || !is_available(d, governor)) {
		draft_note(d, "%s is not among scaling_available_governors", governor);
		return;
	}
	if (!d->facts->system.has_systemd)
		draft_note(d, "without systemd there is no service to set the governor %s at boot; do it by "
			      "hand", governor);
	else if (d->facts->cpupower.has_service == FACT_YES && d->facts->cpupower.path[0])
		set_by_cpupower(d, governor);
	else if (draft_exists(d, OLD_INIT))
		set_by_cpufrequtils(d, governor);
	else if (!draft_exists(d, OWN_UNIT_PATH))
		set_by_own_unit(d, governor);
	else
		draft_note(d, OWN_UNIT " is there already, for when it is started; see: systemctl "
			      "status " OWN_UNIT);
}

void remedy_enable_cpupower(struct draft *d, const char *unit)
{
	undo_governor(d);
	draft_service(d, STEP_UNDO, "disable", unit);
	draft_service(d, STEP_DO, "enable", unit);
	draft_service(d, STEP_DO, "restart", unit);
}

/* No command follows: libvirt-guests reads it when the host goes down and comes up, and restarting
 * that service would stop the guests. */
void remedy_sync_time(struct draft *d, const char *path)
{
	const struct setting setting = { "SYNC_TIME", "1" };
	bool is_changed;

	/* A file that is missing is one that libvirt-guests reads only where we know its name. */
	if (d->facts->system.family == FAMILY_UNKNOWN && !draft_exists(d, path)) {
		draft_note(d, "which file libvirt-guests reads on this system is not known to fix; write "
			      "SYNC_TIME=1 into it by hand");
		return;
	}
	(void)draft_change(d, path, edit_setting, &setting, &is_changed);
}
