/* SPDX-License-Identifier: Apache-2.0 */
#include "os/hook_process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void hook_process_init(struct hook_process *p)
{
	*p = (struct hook_process){ .state = HOOK_IDLE, .out = -1, .deadline = VT_MONO_NEVER };
}

void hook_process_fini(struct hook_process *p)
{
	if (p->state != HOOK_IDLE) {
		kill(-p->pid, SIGKILL);
		(void)waitpid(p->pid, NULL, WNOHANG);
	}
	if (p->out >= 0)
		close(p->out);
	hook_process_init(p);
}

/* Every signal as it is by default, and none blocked: ours are no business of a hook. */
static int make_attributes(posix_spawnattr_t *attributes)
{
	static const short flags =
		POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	sigset_t all, none;
	int r;

	sigfillset(&all);
	sigemptyset(&none);
	r = posix_spawnattr_setflags(attributes, flags);
	if (r == 0)
		r = posix_spawnattr_setpgroup(attributes, 0);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(attributes, &all);
	return r ? r : posix_spawnattr_setsigmask(attributes, &none);
}

static int make_actions(posix_spawn_file_actions_t *actions, int out)
{
	int r = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	if (r == 0)
		r = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
	return r ? r : posix_spawn_file_actions_adddup2(actions, out, STDERR_FILENO);
}

/* 0, or an errno. */
static int spawn(char *path, char **environment, int out, pid_t *ret)
{
	char *const arguments[] = { path, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r = posix_spawnattr_init(&attributes);

	if (r)
		return r;
	r = posix_spawn_file_actions_init(&actions);
	if (r == 0) {
		r = make_attributes(&attributes);
		if (r == 0)
			r = make_actions(&actions, out);
		if (r == 0)
			r = posix_spawn(ret, path, &actions, &attributes, arguments, environment);
		posix_spawn_file_actions_destroy(&actions);
	}
	posix_spawnattr_destroy(&attributes);
	return r;
}

int hook_process_start(struct hook_process *p, char *path, char **environment, vt_span limit,
                       vt_mono now)
{
	int ends[2], r;
	pid_t pid;

	assert(p->state == HOOK_IDLE);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	r = fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? errno : 0;
	if (r == 0)
		r = spawn(path, environment, ends[1], &pid);
	close(ends[1]);
	if (r) {
		close(ends[0]);
		return -r;
	}
	hook_process_fini(p);
	p->state = HOOK_RUNNING;
	p->pid = pid;
	p->out = ends[0];
	p->deadline = vt_mono_add(now, limit);
	return 0;
}

void hook_process_hurry(struct hook_process *p, vt_mono deadline)
{
	if (p->state == HOOK_RUNNING)
		p->deadline = vt_mono_min(p->deadline, deadline);
}

bool hook_process_is_running(const struct hook_process *p)
{
	return p->state != HOOK_IDLE;
}

size_t hook_process_prepare(const struct hook_process *p, struct pollfd *ret)
{
	if (p->out < 0)
		return 0;
	*ret = (struct pollfd){ .fd = p->out, .events = POLLIN };
	return 1;
}

/* False: nothing is there to be read, now or ever. */
static bool listen_to(struct hook_process *p)
{
	ssize_t n;

	if (p->out < 0)
		return false;
	p->used -= p->taken;
	memmove(p->bytes, p->bytes + p->taken, p->used);
	p->taken = 0;
	if (p->used == sizeof p->bytes)
		return true;
	n = read(p->out, p->bytes + p->used, sizeof p->bytes - p->used);
	if (n > 0)
		p->used += (size_t)n;
	if (n > 0 || (n < 0 && errno == EINTR))
		return true;
	/* The end of the pipe is not the end of the program. */
	if (n == 0 || errno != EAGAIN) {
		close(p->out);
		p->out = -1;
	}
	return false;
}

/* Whoever is left may go on talking into the pipe for ever: what is in it now is read, no more. */
static void end_as(struct hook_process *p, enum hook_end end, int status, vt_mono now)
{
	p->state = HOOK_ENDED;
	p->end = end;
	p->status = status;
	p->drains = 1 + 65536 / sizeof p->bytes;
	p->deadline = now;
}

static void close_down(struct hook_process *p)
{
	p->state = HOOK_IDLE;
	p->deadline = VT_MONO_NEVER;
	if (p->out >= 0)
		close(p->out);
	p->out = -1;
}

/* True once it has been seen to end. */
static bool reap(struct hook_process *p, vt_mono now)
{
	const bool is_expired = p->state != HOOK_RUNNING;
	int status = 0;
	const pid_t pid = waitpid(p->pid, &status, WNOHANG);

	if (pid == 0 || (pid < 0 && errno == EINTR))
		return false;
	if (is_expired) {
		/* What is left of a group whose time was up goes with its first process. */
		kill(-p->pid, SIGKILL);
		end_as(p, HOOK_EXPIRED, 0, now);
	} else if (pid > 0 && WIFSIGNALED(status)) {
		end_as(p, HOOK_KILLED, WTERMSIG(status), now);
	} else {
		end_as(p, HOOK_EXITED, pid > 0 ? WEXITSTATUS(status) : 0, now);
	}
	return true;
}

static void mind_time(struct hook_process *p, vt_mono now)
{
	if (now.ns < p->deadline.ns)
		return;
	switch (p->state) {
	case HOOK_IDLE:
	case HOOK_ENDED: return;
	case HOOK_RUNNING:
		kill(-p->pid, SIGTERM);
		p->state = HOOK_TERMINATED;
		break;
	case HOOK_TERMINATED:
		kill(-p->pid, SIGKILL);
		p->state = HOOK_SHOT;
		break;
	case HOOK_SHOT:
		end_as(p, HOOK_ESCAPED, 0, now);
		close_down(p);
		return;
	}
	p->deadline = vt_mono_add(now, HOOK_MERCY);
}

void hook_process_dispatch(struct hook_process *p, vt_mono now)
{
	bool is_talking;

	if (p->state == HOOK_IDLE)
		return;
	if (p->state != HOOK_ENDED && !reap(p, now))
		mind_time(p, now);
	is_talking = listen_to(p);
	if (p->state == HOOK_ENDED && (!is_talking || p->drains-- == 0))
		close_down(p);
}

void hook_process_reap_escaped(const struct hook_process *p)
{
	if (p->state == HOOK_IDLE)
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
}

/* Takes a line of @length bytes, and @more behind it; cut to its size. */
static void take(struct hook_process *p, char *to, size_t length, size_t more)
{
	const size_t kept = length < HOOK_LINE_MAX ? length : HOOK_LINE_MAX;

	memcpy(to, p->bytes + p->taken, kept);
	to[kept] = '\0';
	p->taken += length + more;
}

bool hook_process_pop(struct hook_process *p, char to[HOOK_LINE_MAX + 1])
{
	while (p->used > p->taken) {
		const char *start = p->bytes + p->taken;
		const char *end = memchr(start, '\n', p->used - p->taken);
		const size_t length = end ? (size_t)(end - start) : p->used - p->taken;
		const bool was_cut = p->is_cut;

		/* The rest of the line may still come. */
		if (!end && length <= HOOK_LINE_MAX && p->state != HOOK_IDLE && p->out >= 0)
			return false;
		p->is_cut = !end && p->state != HOOK_IDLE;
		take(p, to, length, end != NULL);
		if (was_cut)
			continue;
		if (p->lines < HOOK_LINES_MAX) {
			p->lines++;
			return true;
		}
		p->is_silenced = true;
	}
	return false;
}
