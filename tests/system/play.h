/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SYSTEM_PLAY_H
#define TESTS_SYSTEM_PLAY_H

/*
 * play.h - what the two halves of the played machine share: play.c, play_devices.c
 */

#include <stdbool.h>
#include <stdint.h>

/* Keep in step with play.py. */
struct play {
	int64_t host_ns;   /* host's clock minus CLOCK_MONOTONIC_RAW                       */
	int64_t answer;    /* an errno instead of the time; 0: the time                    */
	int64_t step_back; /* how much earlier than the one before each reading is, in ns  */
	/* The system clock, where it was last set: its time and CLOCK_MONOTONIC_RAW's. */
	int64_t real_ns;
	int64_t raw_ns;
	int64_t tick;
	int64_t freq;
	int64_t status;
	int64_t maxerror;
	int64_t tai;    /* TAI - UTC in seconds, as the kernel was told; 0: nobody told it */
	int64_t rtc_ns; /* the RTC minus CLOCK_MONOTONIC_RAW                              */
	int64_t slept_ns; /* CLOCK_BOOTTIME runs ahead by so much                         */
	int64_t rtc_readings;
	/* What was done to it. */
	int64_t steps;
	int64_t rates;
	int64_t readings;
};

extern struct play *play;

/* Opens the files beside the one at @path through which the stage makes things happen. */
void play_devices(const char *path);

/* The socket of the kernel's events, or -1 where another one is asked for. */
int play_kernel_socket(int domain, int protocol);
bool play_is_kernel_socket(int fd);

/* The system clock was set. */
void play_clock_set(void);

#endif
