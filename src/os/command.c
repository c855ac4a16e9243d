/* SPDX-License-Identifier: Apache-2.0 */
#include "os/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const FOLDERS[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin",
	                               "/usr/local/sbin" };

/* Finds @name in the system's folders; a path is taken as it is. */
static int find(const char *name, char to[512])
{
	if (strchr(name, '/')) {
		if ((size_t)snprintf(to, 512, "%s", name) >= 512)
			return -ENAMETOOLONG;
		return access(to, X_OK) == 0 ? 0 : -errno;
	}
	for (size_t i = 0; i < COUNT(FOLDERS); i++) {
		if ((size_t)snprintf(to, 512, "%s/%s", FOLDERS[i], name) >= 512)
			return -ENAMETOOLONG;
		if (access(to, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

/* The child: never returns.  What it could not do, the pipe hears. */
static void become(const char *path, char *const *words, int out)
{
	char search[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin";
	char language[] = "LC_ALL=C", home[] = "HOME=/root";
	char *const environment[] = { search, language, home, NULL };
	int in = open("/dev/null", O_RDONLY);

	signal(SIGPIPE, SIG_DFL);
	if (in >= 0)
		(void)dup2(in, STDIN_FILENO);
	if (dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0)
		execve(path, words, environment);
	dprintf(out, "cannot run %s: %s\n", path, strerror(errno));
	_exit(127);
}

/* Reads until the other end is closed; of too much the beginning goes. */
static int collect(int fd, char *to, size_t *ret_n)
{
	size_t n = 0;

	for (;;) {
		ssize_t got;

		if (n == COMMAND_OUTPUT_MAX) {
			n /= 2;
			memmove(to, to + n, n);
		}
		got = read(fd, to + n, COMMAND_OUTPUT_MAX - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*ret_n = n;
	return 0;
}

static int wait_for(pid_t pid, int *ret_status)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}

static int run(const char *path, char *const *words, char *output, int *ret_status)
{
	size_t n = 0;
	int ends[2], r, waited;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		become(path, words, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		r = -errno;
		close(ends[0]);
		return r;
	}
	r = collect(ends[0], output, &n);
	close(ends[0]);
	waited = wait_for(pid, ret_status);
	for (size_t i = 0; i < n; i++)
		output[i] = output[i] ? output[i] : '?';
	output[n] = '\0';
	return r < 0 ? r : waited;
}

int command_run(char *const *words, struct command_result *ret)
{
	struct command_result result = { 0 };
	char path[512];
	int r = find(words[0], path);

	if (r < 0)
		return r;
	result.output = malloc(COMMAND_OUTPUT_MAX + 1);
	if (!result.output)
		return -ENOMEM;
	r = run(path, words, result.output, &result.status);
	if (r < 0) {
		command_result_fini(&result);
		return r;
	}
	*ret = result;
	return 0;
}

void command_result_fini(struct command_result *result)
{
	free(result->output);
	*result = (struct command_result){ 0 };
}
