/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SYSTEM_FLEET_PLAY_H
#define TESTS_SYSTEM_FLEET_PLAY_H

/*
 * fleet_play.h - what the two parts of fleet_play share: a guest that is played
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUESTS_MAX  4096
#define PENDING_MAX 16
#define LINE_MAX_   1024
#define SECOND      INT64_C(1000000000)
#define WRONG       (SECOND / 10) /* farther off than this is to be set */
#define FLOOD       (100 << 20) /* bytes */

/* clang-format off */
enum mode {
	WELL,        /* as it should                                                           */
	HANG,        /* reads, and answers nothing                                             */
	GARBAGE,     /* answers what is no JSON                                                */
	HALF,        /* half an answer, and no more                                            */
	FLOODING,    /* 100 MB without a line's end                                            */
	DEEP,        /* an answer nested 10000 deep                                            */
	LIAR,        /* says that it has set the clock, and has not                            */
	HWCLOCK,     /* sets the clock, and says a second later that it has failed             */
	DULL,        /* refuses to set the clock, and does not set it                          */
	FROZEN,      /* its filesystems are frozen                                             */
	STUMBLE,     /* is stopped while it gets in step, and goes on half a second later, once */
	LOSSY,       /* answers two of three requests                                          */
	STALE,       /* answers each request with the answer to the one before, after a while  */
	MODES,
};
enum monitor { M_WELL, M_MUTE, M_CUT, M_GONE, MONITORS };
/* clang-format on */

enum what { SYNC, INFO, GET, SET, FREEZE_STATUS, OTHER };

struct pending {
	enum what what;
	int64_t value, carried_out_at, answered_at; /* by CLOCK_MONOTONIC */
	bool is_carried_out;
	int64_t time; /* what the clock showed then */
};

struct guest {
	int qmp_listener, qmp, qga_listener, qga;
	char qmp_in[LINE_MAX_], qga_in[LINE_MAX_];
	size_t qmp_used, qga_used;
	bool is_running;
	int64_t error;   /* of its clock, in ns; positive: ahead */
	int64_t stopped; /* CLOCK_REALTIME when it was stopped    */
	int64_t delay;
	enum mode mode;
	enum monitor monitor;
	size_t flooded;
	int64_t wake_at; /* STUMBLE: 0: not */
	struct pending pending[PENDING_MAX];
	unsigned n, requests;
	/* figures */
	int64_t resumed, first_set, error_before, error_after, worst_sent;
	unsigned sets, gets, needless, asked_stopped;
};

struct fleet {
	const char *folder;
	struct guest *guests;
	unsigned n;
	int epoll, timer;
};


/* Which of a guest's four sockets: its tag is the guest's number times ROLES, and this. */
enum role { QMP_LISTENER, QMP, QGA_LISTENER, QGA, ROLES };

int64_t read_clock(int id);
void die(const char *what);
void watch(struct fleet *f, int fd, uint64_t tag, bool wants_write);
void say(int fd, const char *text);
void stop(struct guest *g);
void resume(struct guest *g, int64_t lost);

/* What the guest's own clock shows. */
int64_t guest_time(const struct guest *g);

/* A line has come to the agent. */
void take_request(struct guest *g, const char *line);

/* The agent's socket has room for more of what it floods us with. */
void flood(struct fleet *f, struct guest *g);

/* Does what is due by @now; returns when there is more to do, INT64_MAX: never. */
int64_t serve(struct fleet *f, struct guest *g, int64_t now);

#endif
