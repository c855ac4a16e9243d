/* SPDX-License-Identifier: Apache-2.0 */

/* remedy_time.c - the host's clock in a guest, and the daemon that follows it */

#include <stdio.h>
#include <string.h>

#include "audit/draft.h"

#define LOAD_FOLDER "/etc/modules-load.d"
#define LOAD_FILE   LOAD_FOLDER "/ptp_kvm.conf"
#define VMTIMED     "vmtimed.service"

static enum edit_end edit_module(struct slice before, const void *what, struct text *after,
				 struct edit_reason *why)
{
	(void)why;
	return edit_line(before, what, after);
}

static enum edit_end edit_clock(struct slice before, const void *what, struct text *after,
				struct edit_reason *why)
{
	return edit_refclock(before, what, after, why);
}

static enum edit_end edit_step(struct slice before, const void *what, struct text *after,
			       struct edit_reason *why)
{
	const char *const *words = what;

	return edit_makestep(before, words[0], words[1], after, why);
}

static enum edit_end edit_sync(struct slice before, const void *what, struct text *after,
			       struct edit_reason *why)
{
	(void)what;
	return edit_rtcsync(before, after, why);
}

void remedy_load_ptp_kvm(struct draft *d)
{
	const struct fact_ptp *ptp = &d->facts->ptp;
	bool is_loading = !ptp->has_kvm && !ptp->is_builtin, is_changed;

	/* The module was not there, so taking back takes it away, unless somebody uses it by then. */
	if (is_loading)
		draft_try_undo(d, WORDS("modprobe", "-r", "ptp_kvm"));
	if (!d->facts->system.has_systemd && !draft_exists(d, LOAD_FOLDER))
		draft_note(d, "without systemd, and without " LOAD_FOLDER ", fix does not know where this "
			      "system is told to load ptp_kvm at boot");
	else if (!ptp->load_file[0] && !ptp->is_builtin)
		(void)draft_change(d, LOAD_FILE, edit_module, "ptp_kvm", &is_changed);
	if (!is_loading)
		return;
	draft_try(d, WORDS("modprobe", "ptp_kvm"));
	/* chronyd is started next, and ends at once where udev has not made the link yet. */
	if (d->facts->system.has_systemd)
		draft_try(d, WORDS("udevadm", "settle", "--timeout=10"));
}

/* The unit that runs @daemon here; NULL where none is installed. */
static const char *unit_of(const struct draft *d, const char *const *names)
{
	for (; *names; names++)
		if (facts_unit(d->facts, *names))
			return *names;
	return NULL;
}

static const char *chrony_unit(const struct draft *d)
{
	return unit_of(d, WORDS("chrony.service", "chronyd.service"));
}

/* vmtimed in the place of whoever has the clock now. */
static void hand_over(struct draft *d)
{
	const struct fact_daemons *daemons = &d->facts->daemons;

	if (plan_has_command(d->plan, STEP_DO, WORDS("systemctl", "enable", "--now", VMTIMED)))
		return;
	if (!facts_unit(d->facts, VMTIMED)) {
		draft_note(d, "vmtimed is not installed as a service; install it, or say --prefer chrony");
		return;
	}
	for (unsigned i = 0; i < daemons->n_units; i++) {
		const struct fact_unit *unit = &daemons->units[i];

		if (!unit->steers || !unit->is_enabled || strcmp(unit->name, VMTIMED) == 0)
			continue;
		plan_command(d->plan, STEP_UNDO, false, WORDS("systemctl", "enable", "--now", unit->name));
		plan_command(d->plan, STEP_DO, false, WORDS("systemctl", "disable", "--now", unit->name));
	}
	plan_command(d->plan, STEP_UNDO, false, WORDS("systemctl", "disable", "--now", VMTIMED));
	plan_command(d->plan, STEP_DO, false, WORDS("systemctl", "enable", "--now", VMTIMED));
}

/* Changes a file of chrony's, with the service started anew behind it, both ways. */
static void change_chrony(struct draft *d, const char *path, draft_edit *edit, const void *what)
{
	const char *unit = chrony_unit(d);
	size_t n_steps = d->plan->n;
	bool is_changed;

	if (unit)
		draft_service(d, STEP_UNDO, "try-restart", unit);
	if (!draft_change(d, path, edit, what, &is_changed) || !is_changed) {
		plan_cut(d->plan, n_steps);
		return;
	}
	if (unit)
		draft_service(d, STEP_DO, "restart", unit);
	else
		draft_note(d, "chronyd's service is not known; start it anew by hand");
}

/* Which file is to be changed: false where it is vmtimed's turn, or nobody's. */
static bool is_chronys(struct draft *d)
{
	if (d->daemon == REMEDY_VMTIMED) {
		hand_over(d);
		return false;
	}
	if (d->facts->chrony.file == FACT_FILE_READ)
		return true;
	draft_note(d, "there is no chrony.conf to be changed; install chrony, or vmtimed and say "
		      "--prefer vmtimed");
	return false;
}

void remedy_refclock(struct draft *d, const char *device)
{
	const struct fact_ptp *ptp = &d->facts->ptp;

	if (!is_chronys(d))
		return;
	/* chronyd does not start without the device, so it must be there before, now and at boot. */
	if (!ptp->has_kvm || (!ptp->load_file[0] && !ptp->is_builtin))
		remedy_load_ptp_kvm(d);
	change_chrony(d, d->facts->chrony.path, edit_clock, device);
}

void remedy_makestep(struct draft *d, const char *subject)
{
	const struct fact_time_conf *conf = &d->facts->chrony;
	char threshold[32] = "", limit[32] = "";
	const char *words[] = { threshold, limit };
	struct slice rest = slice_of(subject);

	if (!is_chronys(d))
		return;
	if (!slice_copy(slice_word(&rest), threshold, sizeof threshold) ||
	    !slice_copy(slice_word(&rest), limit, sizeof limit) || !limit[0]) {
		draft_note(d, "\"%s\" is not understood", subject);
		return;
	}
	change_chrony(d, conf->has_makestep && conf->makestep_file[0] ? conf->makestep_file : conf->path,
	              edit_step, words);
}

void remedy_rtcsync(struct draft *d, const char *path)
{
	bool is_vmtimes = strcmp(path, d->facts->vmtime.path) == 0, is_changed;

	if (!is_vmtimes) {
		if (is_chronys(d))
			change_chrony(d, path, edit_sync, NULL);
		return;
	}
	draft_service(d, STEP_UNDO, "try-restart", VMTIMED);
	if (draft_change(d, path, edit_sync, NULL, &is_changed))
		draft_service(d, STEP_DO, "restart", VMTIMED);
}
