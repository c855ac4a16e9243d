/* SPDX-License-Identifier: Apache-2.0 */

/*
 * phcwatch - the guest clock's error against a PTP hardware clock, by an eye of its own
 *
 *     phcwatch [-b] DEVICE INTERVAL_MS
 *
 * Prints one line a sample until it is killed:
 *
 *     MONOTONIC_RAW  ERROR  HALF-WIDTH
 *
 * seconds with nine decimals, then CLOCK_REALTIME minus the hardware clock in nanoseconds, then how
 * far from the truth that may be, in nanoseconds. A sample that failed has "-" for the error and the
 * kernel's reason behind it.
 *
 * Ordinarily the kernel gives all three clocks at one instant (PTP_SYS_OFFSET_PRECISE), exact to
 * a nanosecond: the half-width is 0. With -b, for a guest whose clocksource does not allow that, the
 * narrowest of 25 brackets of CLOCK_REALTIME around the hardware clock is taken.
 *
 * Beside each sample it looks at the clocks that must never go back. One that does is a line on
 * standard error.
 *
 * It judges vmtimed and therefore shares no line with it: only the kernel's own header is included.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/ptp_clock.h>

#define NS_PER_S INT64_C(1000000000)

struct sample {
	int64_t raw_ns;
	int64_t error_ns;
	int64_t half_width_ns;
};

static int64_t ptp_ns(struct ptp_clock_time time)
{
	return time.sec * NS_PER_S + time.nsec;
}

static int64_t raw_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int sample_precise(int fd, struct sample *ret_sample)
{
	struct ptp_sys_offset_precise cross = { 0 };

	if (ioctl(fd, PTP_SYS_OFFSET_PRECISE, &cross) < 0)
		return -errno;
	*ret_sample = (struct sample) {
		.raw_ns = ptp_ns(cross.sys_monoraw),
		.error_ns = ptp_ns(cross.sys_realtime) - ptp_ns(cross.device),
	};
	return 0;
}

/* The three stamps of bracket i stand at ts[2i], ts[2i + 1], ts[2i + 2]: system, hardware, system. */
static int sample_bracket(int fd, struct sample *ret_sample)
{
	struct ptp_sys_offset burst = { .n_samples = PTP_MAX_SAMPLES };
	int64_t narrowest = INT64_MAX;

	ret_sample->raw_ns = raw_now();
	if (ioctl(fd, PTP_SYS_OFFSET, &burst) < 0)
		return -errno;
	for (unsigned int i = 0; i < burst.n_samples; i++) {
		int64_t before = ptp_ns(burst.ts[2 * i]);
		int64_t device = ptp_ns(burst.ts[2 * i + 1]);
		int64_t after = ptp_ns(burst.ts[2 * i + 2]);

		/* A bracket in which the clock was stepped back has no width. */
		if (after < before || after - before >= narrowest)
			continue;
		narrowest = after - before;
		ret_sample->error_ns = before + narrowest / 2 - device;
		ret_sample->half_width_ns = (narrowest + 1) / 2;
	}
	return narrowest == INT64_MAX ? -EAGAIN : 0;
}

static const struct { clockid_t id; const char *name; } FORWARD[] = {
	{ CLOCK_MONOTONIC, "CLOCK_MONOTONIC" },
	{ CLOCK_MONOTONIC_RAW, "CLOCK_MONOTONIC_RAW" },
	{ CLOCK_MONOTONIC_COARSE, "CLOCK_MONOTONIC_COARSE" },
	{ CLOCK_BOOTTIME, "CLOCK_BOOTTIME" },
};

#define N_FORWARD (sizeof FORWARD / sizeof *FORWARD)

static void look_forward(int64_t seen_ns[N_FORWARD])
{
	for (size_t i = 0; i < N_FORWARD; i++) {
		struct timespec time;
		int64_t now;

		clock_gettime(FORWARD[i].id, &time);
		now = time.tv_sec * NS_PER_S + time.tv_nsec;
		if (now < seen_ns[i])
			fprintf(stderr, "%s went back by %" PRId64 " ns\n", FORWARD[i].name, seen_ns[i] - now);
		seen_ns[i] = now;
	}
}

/* One sample and its line. The device is opened again after it has vanished. */
static void watch(const char *device, int brackets, int *fd)
{
	struct sample sample = { 0 };
	int r;

	if (*fd < 0)
		*fd = open(device, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		r = -errno;
	else
		r = brackets ? sample_bracket(*fd, &sample) : sample_precise(*fd, &sample);
	if (r < 0) {
		int64_t now = raw_now();

		printf("%" PRId64 ".%09" PRId64 " - %s\n", now / NS_PER_S, now % NS_PER_S, strerror(-r));
		if (r == -ENODEV && *fd >= 0) {
			close(*fd);
			*fd = -1;
		}
		return;
	}
	printf("%" PRId64 ".%09" PRId64 " %" PRId64 " %" PRId64 "\n", sample.raw_ns / NS_PER_S,
	       sample.raw_ns % NS_PER_S, sample.error_ns, sample.half_width_ns);
}

int main(int argc, char **argv)
{
	int brackets = argc > 1 && strcmp(argv[1], "-b") == 0;

	if (argc != 3 + brackets) {
		fprintf(stderr, "usage: phcwatch [-b] DEVICE INTERVAL_MS\n");
		return 2;
	}

	long interval_ms = strtol(argv[2 + brackets], NULL, 10);
	struct timespec pause = { interval_ms / 1000, interval_ms % 1000 * 1000000 };
	int64_t seen_ns[N_FORWARD] = { 0 };
	int fd = -1;

	if (interval_ms <= 0) {
		fprintf(stderr, "phcwatch: the interval must be a number of milliseconds\n");
		return 2;
	}
	for (;; nanosleep(&pause, NULL)) {
		watch(argv[1 + brackets], brackets, &fd);
		look_forward(seen_ns);
		fflush(stdout);
	}
}
