/* SPDX-License-Identifier: Apache-2.0 */

/*
 * play.c - a host's clock and a system clock that are played, for LD_PRELOAD
 *
 * Stands between vmtimed and the C library, so that the whole daemon runs, steers and steps on a
 * machine that has no PTP clock and whose own clock must not be touched.
 *
 *   - A PTP clock is what has the device number of /dev/null, /dev/random or /dev/urandom.  It
 *     runs with CLOCK_MONOTONIC_RAW, at the distance and with the answer that the stage says.
 *   - CLOCK_REALTIME runs with CLOCK_MONOTONIC_RAW too, at the rate and the distance to which
 *     adjtimex has set it.  adjtimex is played for as much of it as vmtimed uses; anything else
 *     ends the program, and so does clock_settime.
 *   - vsock is Unix sockets: a port is /run/vsock/PORT, and who binds his own end to
 *     /run/vsock/CID:PORT:ANYTHING comes from there.
 *   - The RTC is what has the device number of /dev/full.  It runs with CLOCK_MONOTONIC_RAW too.
 *   - CLOCK_BOOTTIME is ahead by what the stage says that the machine slept.
 *   - play_devices.c plays what the daemon waits for.
 *
 * Stage and program share the file that VMTIME_PLAY names: struct play, all in 64 bits.  Without it
 * the program ends: better than to fall through to the real clock.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ptp_clock.h>
#include <linux/rtc.h>
#include <linux/vm_sockets.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "play.h"

#define NS INT64_C(1000000000)

/* What replaces the C library's has to be seen. */
#pragma GCC visibility push(default)

struct play *play;

static int (*real_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void set_the_stage(void)
{
	const char *path = getenv("VMTIME_PLAY");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	*(void **)&real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	if (fd >= 0)
		play = mmap(NULL, sizeof *play, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || play == MAP_FAILED || !real_gettime)
		_exit(99);
	close(fd);
	play_devices(path);
}

static int64_t raw_now(void)
{
	struct timespec t;

	real_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * NS + t.tv_nsec;
}

static int64_t system_at(int64_t raw)
{
	double ppm = (double)(play->tick - 10000) * 100 + (double)play->freq / 65536;
	int64_t elapsed = raw - play->raw_ns;

	return play->real_ns + elapsed + (int64_t)((double)elapsed * ppm / 1e6);
}

static struct timespec to_timespec(int64_t ns)
{
	struct timespec t = { ns / NS, ns % NS };

	if (t.tv_nsec < 0) {
		t.tv_sec--;
		t.tv_nsec += NS;
	}
	return t;
}

static bool is_played(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 &&
	       (st.st_rdev == makedev(1, 3) || st.st_rdev == makedev(1, 8) ||
	        st.st_rdev == makedev(1, 9));
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
	/* The clock of an open device, the basic method, is not played. */
	if (id < 0) {
		errno = !is_played(~(id >> 3)) ? EINVAL : play->answer ? (int)play->answer : EOPNOTSUPP;
		return -1;
	}
	if (id == CLOCK_BOOTTIME) {
		struct timespec t;

		real_gettime(id, &t);
		*ret = to_timespec(t.tv_sec * NS + t.tv_nsec + play->slept_ns);
		return 0;
	}
	if (id != CLOCK_REALTIME)
		return real_gettime(id, ret);
	*ret = to_timespec(system_at(raw_now()));
	return 0;
}

int clock_settime(clockid_t id, const struct timespec *t)
{
	(void)id;
	(void)t;
	_exit(98);
}

int adjtimex(struct timex *t)
{
	const unsigned known = ADJ_FREQUENCY | ADJ_TICK | ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR |
	                       ADJ_SETOFFSET | ADJ_NANO;
	int64_t raw = raw_now();

	if (t->modes == ADJ_OFFSET_SS_READ) {
		t->offset = 0;
		return TIME_OK;
	}
	if (t->modes & ~known)
		_exit(97);
	/* From here the clock goes on as it is set next. */
	play->real_ns = system_at(raw);
	play->raw_ns = raw;
	if (t->modes & ADJ_SETOFFSET) {
		play->real_ns += t->time.tv_sec * NS + t->time.tv_usec;
		play->steps++;
		play_clock_set();
	}
	if (t->modes & ADJ_FREQUENCY)
		play->freq = t->freq;
	if (t->modes & ADJ_TICK)
		play->tick = t->tick;
	if (t->modes & (ADJ_FREQUENCY | ADJ_TICK))
		play->rates++;
	if (t->modes & ADJ_STATUS)
		play->status = t->status;
	if (t->modes & ADJ_MAXERROR)
		play->maxerror = t->maxerror;
	*t = (struct timex){
		.freq = play->freq, .tick = play->tick, .status = (int)play->status,
		.maxerror = play->maxerror, .tai = (int)play->tai,
	};
	return play->status & STA_UNSYNC ? TIME_ERROR : TIME_OK;
}

int clock_adjtime(clockid_t id, struct timex *t)
{
	(void)id;
	return adjtimex(t);
}

static struct ptp_clock_time to_ptp(int64_t ns)
{
	struct timespec t = to_timespec(ns);

	return (struct ptp_clock_time){ .sec = t.tv_sec, .nsec = (uint32_t)t.tv_nsec };
}

static bool is_rtc(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_rdev == makedev(1, 7);
}

static void read_rtc(struct rtc_time *ret)
{
	time_t now = (raw_now() + play->rtc_ns) / NS;
	struct tm tm;

	gmtime_r(&now, &tm);
	*ret = (struct rtc_time){
		.tm_sec = tm.tm_sec,   .tm_min = tm.tm_min, .tm_hour = tm.tm_hour,
		.tm_mday = tm.tm_mday, .tm_mon = tm.tm_mon, .tm_year = tm.tm_year,
	};
}

int socket(int family, int type, int protocol)
{
	int (*real)(int, int, int);
	int kernel = play_kernel_socket(family, protocol);

	if (kernel >= 0)
		return kernel;
	*(void **)&real = dlsym(RTLD_NEXT, "socket");
	return real(family == AF_VSOCK ? AF_UNIX : family, type, protocol);
}

/* glibc declares these two with a union of all addresses, other libraries as the standard does. */
#pragma GCC diagnostic ignored "-Wpedantic"

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	int (*real)(int, const struct sockaddr *, socklen_t);
	struct sockaddr_un played = { .sun_family = AF_UNIX };
	struct sockaddr_vm vm;

	if (play_is_kernel_socket(fd))
		return 0;
	*(void **)&real = dlsym(RTLD_NEXT, "bind");
	if (address->sa_family != AF_VSOCK)
		return real(fd, address, length);
	memcpy(&vm, address, sizeof vm);
	snprintf(played.sun_path, sizeof played.sun_path, "/run/vsock/%u", vm.svm_port);
	return real(fd, (const struct sockaddr *)&played, sizeof played);
}

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict length, int flags)
{
	int (*real)(int, struct sockaddr *, socklen_t *, int);
	struct sockaddr_un peer = { .sun_family = AF_UNSPEC };
	struct sockaddr_vm vm = { .svm_family = AF_VSOCK };
	socklen_t peer_length = sizeof peer;
	int accepted;

	*(void **)&real = dlsym(RTLD_NEXT, "accept4");
	accepted = real(fd, (struct sockaddr *)&peer, &peer_length, flags);
	if (accepted < 0 || !address)
		return accepted;
	if (sscanf(peer.sun_path, "/run/vsock/%u:%u:", &vm.svm_cid, &vm.svm_port) == 2) {
		memcpy(address, &vm, sizeof vm);
		*length = sizeof vm;
	} else {
		memcpy(address, &peer, peer_length);
		*length = peer_length;
	}
	return accepted;
}

int ioctl(int fd, unsigned long request, ...)
{
	struct ptp_sys_offset_precise *precise;
	va_list args;
	int64_t raw;
	void *to;

	va_start(args, request);
	to = va_arg(args, void *);
	va_end(args);
	if (request == RTC_RD_TIME && is_rtc(fd)) {
		play->rtc_readings++;
		read_rtc(to);
		return 0;
	}
	precise = to;
	errno = ENOTTY;
	if (!is_played(fd))
		return -1;
	play->readings++;
	errno = (int)play->answer;
	if (play->answer)
		return -1;
	errno = EOPNOTSUPP;
	if (request != PTP_SYS_OFFSET_PRECISE)
		return -1;
	raw = raw_now();
	play->host_ns -= play->step_back;
	*precise = (struct ptp_sys_offset_precise){
		.device = to_ptp(raw + play->host_ns),
		.sys_realtime = to_ptp(system_at(raw)),
		.sys_monoraw = to_ptp(raw),
	};
	return 0;
}
