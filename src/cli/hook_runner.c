/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/hook_runner.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/hook_facts.h"
#include "cli/words.h"

void hook_runner_init(struct hook_runner *r, const char *folder, vt_span limit,
                      char *const *environment)
{
	*r = (struct hook_runner){ .folder = folder, .limit = limit, .environment = environment };
	hook_process_init(&r->process);
}

void hook_runner_fini(struct hook_runner *r)
{
	hook_process_fini(&r->process);
	r->is_busy = false;
}

/* False: it has been said before. */
static bool is_news(struct hook_runner *r, enum hook_phase phase, const char *name,
                    enum hook_verdict verdict)
{
	struct hook_said *said;

	for (size_t i = 0; i < r->n_said; i++)
		if (r->said[i].phase == phase && r->said[i].verdict == verdict &&
		    strcmp(r->said[i].name, name) == 0)
			return false;
	if (r->n_said == HOOK_SAID_MAX)
		r->n_said = 0;
	said = &r->said[r->n_said++];
	said->phase = phase;
	said->verdict = verdict;
	snprintf(said->name, sizeof said->name, "%s", name);
	return true;
}

/* "on-repair.d/", and what is safe to print of @name. */
static const char *show(enum hook_phase phase, const char *name, char *to, size_t size)
{
	char safe[WORDS_SAFE_MAX];

	snprintf(to, size, "on-%s.d/%s", hook_phase_name(phase),
	         words_safe(name, safe, sizeof safe));
	return to;
}

/* Says of each file that will not be run, once, why. */
static void say_skipped(struct hook_runner *r, enum hook_phase phase)
{
	char shown[WORDS_SAFE_MAX + 32];

	if (r->files.folder != HOOK_RUNS && is_news(r, phase, "", r->files.folder))
		log_warn("no hook in %s is run: the folder %s",
		         show(phase, "", shown, sizeof shown), hook_verdict_text(r->files.folder));
	for (size_t i = 0; i < r->files.n; i++) {
		const struct hook_file *file = &r->files.files[i];

		if (file->verdict != HOOK_RUNS && is_news(r, phase, file->name, file->verdict))
			log_warn("hook %s is not run: it %s",
			         show(phase, file->name, shown, sizeof shown),
			         hook_verdict_text(file->verdict));
	}
}

/* Whoever may write to the folder that holds the two could put others in their place. */
static bool is_folder_safe(struct hook_runner *r, enum hook_phase phase)
{
	const int error = hook_files_list(r->folder, &r->files);

	if (error == 0 && r->files.folder == HOOK_RUNS)
		return true;
	if (error == 0 && is_news(r, phase, "..", r->files.folder))
		log_warn("no hooks are run: the folder %s %s", r->folder,
		         hook_verdict_text(r->files.folder));
	if (error < 0 && error != -ENOENT)
		(void)log_cope(error, "no hooks are run: %s", r->folder);
	return false;
}

static size_t read_folder(struct hook_runner *r, enum hook_phase phase)
{
	size_t n = 0;
	int error;

	if (!is_folder_safe(r, phase)) {
		r->files.n = 0;
		return 0;
	}
	snprintf(r->path, sizeof r->path, "%s/on-%s.d", r->folder, hook_phase_name(phase));
	error = hook_files_list(r->path, &r->files);
	if (error < 0) {
		r->files.n = 0;
		if (error != -ENOENT)
			(void)log_cope(error, "no hooks are run: %s", r->path);
		return 0;
	}
	say_skipped(r, phase);
	for (size_t i = 0; i < r->files.n; i++)
		n += r->files.files[i].verdict == HOOK_RUNS;
	return n;
}

void hook_runner_survey(struct hook_runner *r)
{
	const size_t disruption = read_folder(r, HOOK_ON_DISRUPTION);
	const size_t repair = read_folder(r, HOOK_ON_REPAIR);

	log_info("hooks in %s: %zu in on-disruption.d, %zu in on-repair.d", r->folder, disruption,
	         repair);
}

static const char *current(const struct hook_runner *r, char *to, size_t size)
{
	return show(r->job.phase, r->files.files[r->next - 1].name, to, size);
}

/* False: it cannot be started, and that is said. */
static bool start(struct hook_runner *r, const struct hook_file *file, vt_mono now)
{
	char shown[WORDS_SAFE_MAX + 32], **environment = hook_facts_make(&r->job, r->environment);
	int error = environment ? 0 : -ENOMEM;

	snprintf(r->path, sizeof r->path, "%s/on-%s.d/%s", r->folder, hook_phase_name(r->job.phase),
	         file->name);
	if (error == 0)
		error = hook_process_start(&r->process, r->path, environment, r->limit, now);
	free(environment);
	if (error < 0)
		(void)log_cope(error, "hook %s cannot be run", current(r, shown, sizeof shown));
	r->started = now;
	return error == 0;
}

static void start_next(struct hook_runner *r, vt_mono now)
{
	while (!r->is_last && r->next < r->files.n) {
		const struct hook_file *file = &r->files.files[r->next++];

		if (file->verdict == HOOK_RUNS && start(r, file, now))
			return;
	}
	r->is_busy = false;
}

void hook_runner_begin(struct hook_runner *r, const struct hook_job *job, vt_mono now)
{
	assert(!r->is_busy);
	hook_process_reap_escaped(&r->process);
	r->job = *job;
	r->is_busy = true;
	r->next = 0;
	(void)read_folder(r, job->phase);
	start_next(r, now);
}

void hook_runner_hurry(struct hook_runner *r, vt_mono now, vt_span limit)
{
	r->is_last = true;
	hook_process_hurry(&r->process, vt_mono_add(now, limit));
}

size_t hook_runner_prepare(const struct hook_runner *r, struct pollfd *ret)
{
	return hook_process_prepare(&r->process, ret);
}

vt_mono hook_runner_deadline(const struct hook_runner *r)
{
	return r->process.deadline;
}

static void say_lines(struct hook_runner *r)
{
	char line[HOOK_LINE_MAX + 1], safe[4 * HOOK_LINE_MAX + 1], shown[WORDS_SAFE_MAX + 32];
	const bool was_silenced = r->process.is_silenced;

	while (hook_process_pop(&r->process, line))
		log_info("hook %s: %s", current(r, shown, sizeof shown),
		         words_safe(line, safe, sizeof safe));
	if (r->process.is_silenced && !was_silenced)
		log_warn("hook %s: the rest of what it says is not shown",
		         current(r, shown, sizeof shown));
}

static void say_end(const struct hook_runner *r, vt_mono now)
{
	char shown[WORDS_SAFE_MAX + 32], span[WORDS_SPAN_MAX];
	const struct hook_process *p = &r->process;

	current(r, shown, sizeof shown);
	words_span(span, vt_mono_since(now, r->started));
	switch (p->end) {
	case HOOK_EXITED:
		if (p->status == 0)
			log_info("hook %s: done in %s", shown, span);
		else
			log_warn("hook %s: failed with status %d after %s", shown, p->status, span);
		return;
	case HOOK_KILLED:
		log_warn("hook %s: killed by signal %d after %s", shown, p->status, span);
		return;
	case HOOK_EXPIRED: log_warn("hook %s: ended by us after %s", shown, span); return;
	case HOOK_ESCAPED:
		log_warn("hook %s: cannot be ended, left behind after %s", shown, span);
		return;
	}
}

void hook_runner_dispatch(struct hook_runner *r, vt_mono now)
{
	if (!hook_process_is_running(&r->process))
		return;
	hook_process_dispatch(&r->process, now);
	say_lines(r);
	if (hook_process_is_running(&r->process))
		return;
	say_end(r, now);
	start_next(r, now);
}
