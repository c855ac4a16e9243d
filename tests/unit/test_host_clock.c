/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "hostd/host_clock.h"
#include "scratch.h"

/* A kernel and a chronyd that are played, in a folder of their own. */
struct world {
	struct scratch *scratch;
	struct os_calls calls;
	struct timex kernel;
	int64_t slept_ns;
	int chronyd; /* its socket; -1: it does not run */
	struct candm_tracking tracking;
	bool answers_garbage, is_mute;
	vt_mono now;
	struct host_clock_places places;
	struct host_clock clock;
	char folder[64], socket[96];
};

static int play_gettime(void *context, clockid_t id, struct timespec *ret)
{
	const struct world *w = context;
	const int64_t ns = w->now.ns + (id == CLOCK_BOOTTIME ? w->slept_ns : 0);

	*ret = (struct timespec){ ns / 1000000000, ns % 1000000000 };
	return 0;
}

static int play_adjtimex(void *context, struct timex *t)
{
	const struct world *w = context;

	assert_int_equal(t->modes, 0); /* the host's clock is only looked at */
	*t = w->kernel;
	return 0;
}

static void start_chronyd(struct world *w)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(at.sun_path, sizeof at.sun_path, "%s/chronyd.sock", w->folder);
	w->chronyd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(w->chronyd, (struct sockaddr *)&at, sizeof at), 0);
}

static void stop_chronyd(struct world *w)
{
	char path[128];

	snprintf(path, sizeof path, "%s/chronyd.sock", w->folder);
	close(w->chronyd);
	w->chronyd = -1;
	(void)unlink(path);
}

/* Answers what has come, as w->tracking says. */
static void serve(struct world *w)
{
	uint8_t bytes[CANDM_REQUEST_MAX], out[CANDM_REPLY_MAX];
	struct sockaddr_un from;
	socklen_t length = sizeof from;
	struct candm_request request;
	enum candm_status status;
	ssize_t n;

	while (w->chronyd >= 0 &&
	       (n = recvfrom(w->chronyd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length)) > 0) {
		struct candm_reply reply = { .code = CANDM_REPLY_TRACKING };
		size_t size;

		assert_int_equal(candm_decode_request(bytes, (size_t)n, &request, &status),
		                 CANDM_ARRIVED);
		assert_int_equal(request.command, CANDM_TRACKING);
		reply.command = request.command;
		reply.sequence = request.sequence;
		reply.data.tracking = w->tracking;
		size = candm_encode_reply(&reply, out);
		if (w->answers_garbage)
			size = 30;
		if (!w->is_mute)
			assert_int_equal(sendto(w->chronyd, out, size, 0, (struct sockaddr *)&from, length),
			                 (ssize_t)size);
		length = sizeof from;
	}
}

/* One turn of a loop at w->now. */
static void turn(struct world *w)
{
	struct pollfd fds[HOST_CLOCK_FDS];
	size_t n = host_clock_prepare(&w->clock, fds);

	assert_true(poll(fds, (nfds_t)n, 0) >= 0);
	host_clock_dispatch(&w->clock, w->now, (vt_real){ w->now.ns }, fds, n);
}

/* What is due until @after from now. */
static void run(struct world *w, vt_span after)
{
	const vt_mono until = vt_mono_add(w->now, after);

	for (;;) {
		turn(w);
		serve(w);
		turn(w);
		if (host_clock_deadline(&w->clock).ns > until.ns)
			break;
		w->now = host_clock_deadline(&w->clock);
	}
	w->now = until;
}

static const struct report_host_quality *quality(const struct world *w)
{
	return &w->clock.opinion.quality;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	if (!w || scratch_setup(state) != 0)
		return -1;
	w->scratch = *state;
	snprintf(w->folder, sizeof w->folder, "%s", w->scratch->folder);
	snprintf(w->socket, sizeof w->socket, "%s/vmtimed.sock", w->folder);
	w->calls = (struct os_calls){ .context = w, .gettime = play_gettime,
				      .adjtimex = play_adjtimex };
	w->kernel = (struct timex){ .status = STA_UNSYNC, .maxerror = 16000000 };
	w->chronyd = -1;
	w->now = (vt_mono){ INT64_C(1795452803000000000) };
	w->tracking = (struct candm_tracking){ .refid = 0x01020304, .stratum = 2,
					       .ref_time = { 1000000000 },
					       .root_dispersion = 0.001 };
	w->places = (struct host_clock_places){ .root = w->folder, .vmtimed_socket = w->socket,
						.chrony_folder = w->folder, .calls = &w->calls };
	host_clock_init(&w->clock, &w->places);
	*state = w;
	return 0;
}

static void begin(struct world *w)
{
	host_clock_open(&w->clock, w->now);
	w->clock.watch.is_blind = false; /* open sees that this is not the kernel's time */
	(void)host_clock_take_news(&w->clock);
}

static int teardown(void **state)
{
	struct world *w = *state;
	void *scratch = w->scratch;

	host_clock_fini(&w->clock);
	if (w->chronyd >= 0)
		stop_chronyd(w);
	free(w);
	return scratch_teardown(&scratch);
}

static void test_chronyd_is_asked_twice_a_minute(void **state)
{
	struct world *w = *state;

	start_chronyd(w);
	begin(w);
	run(w, VT_MS(10));
	assert_true(host_clock_take_news(&w->clock));
	assert_string_equal(quality(w)->daemon, "chronyd");
	assert_true(quality(w)->is_synchronized);
	assert_in_range(quality(w)->root_distance.ns, 1000000, 2000000);
	w->tracking.leap = 3;
	run(w, VT_SEC(29));
	assert_false(host_clock_take_news(&w->clock));
	run(w, VT_SEC(2));
	assert_true(host_clock_take_news(&w->clock));
	assert_false(quality(w)->is_synchronized);
	/* Nothing is left in the folder of its socket. */
	assert_int_equal(access(scratch_path(w->scratch, "vmtime-hostd.sock"), F_OK), -1);
}

/* A distance that comes and goes is told seldom, and what is told is never too small. */
static void test_a_distance_is_told_with_room(void **state)
{
	struct world *w = *state;
	unsigned news = 0;

	start_chronyd(w);
	begin(w);
	for (unsigned i = 0; i < 200; i++) {
		const double distance = 0.001 + 0.0002 * (i % 7);

		w->tracking.root_dispersion = distance;
		run(w, VT_SEC(30));
		news += host_clock_take_news(&w->clock);
		assert_true((double)quality(w)->root_distance.ns >= distance * 1e9);
		assert_true((double)quality(w)->root_distance.ns <= distance * 4e9 + 1e3);
	}
	assert_in_range(news, 1, 4);
	w->tracking.root_dispersion = 1;
	run(w, VT_SEC(30));
	assert_true(host_clock_take_news(&w->clock));
	assert_true(quality(w)->root_distance.ns > VT_SEC(1).ns);
	w->tracking.root_dispersion = 0.001;
	run(w, VT_SEC(30));
	assert_true(host_clock_take_news(&w->clock));
	assert_true(quality(w)->root_distance.ns < VT_MS(2).ns);
}

static void test_a_chronyd_that_is_mute_or_mad_is_passed_over(void **state)
{
	struct world *w = *state;

	start_chronyd(w);
	w->is_mute = true;
	w->kernel = (struct timex){ .maxerror = 30000 };
	begin(w);
	run(w, VT_MS(999));
	assert_false(host_clock_take_news(&w->clock));
	run(w, VT_MS(2));
	assert_true(host_clock_take_news(&w->clock));
	assert_string_equal(quality(w)->daemon, "kernel");
	assert_true(quality(w)->root_distance.ns >= VT_MS(30).ns);
	w->is_mute = false;
	w->answers_garbage = true;
	run(w, VT_SEC(60));
	assert_string_equal(quality(w)->daemon, "kernel");
	w->answers_garbage = false;
	run(w, VT_SEC(60));
	assert_string_equal(quality(w)->daemon, "chronyd");
	stop_chronyd(w);
	run(w, VT_SEC(60));
	assert_string_equal(quality(w)->daemon, "kernel");
}

static void test_nobody_keeps_it(void **state)
{
	struct world *w = *state;

	begin(w);
	run(w, VT_SEC(1));
	assert_true(w->clock.has_opinion);
	assert_string_equal(quality(w)->daemon, "");
	assert_false(quality(w)->is_synchronized);
}

/* A laptop that woke: chronyd still says what it said before, until it has compared the clock. */
static void test_after_sleep_nothing_counts_until_it_was_compared(void **state)
{
	struct world *w = *state;
	vt_span slept = VT_NS(-7);

	start_chronyd(w);
	begin(w);
	run(w, VT_SEC(1));
	(void)host_clock_take_news(&w->clock);
	assert_false(host_clock_take_sleep(&w->clock, &slept));
	assert_int_equal(slept.ns, -7);

	w->slept_ns = VT_SEC(3600).ns;
	turn(w);
	assert_true(host_clock_take_news(&w->clock));
	assert_false(quality(w)->is_synchronized);
	assert_true(host_clock_take_sleep(&w->clock, &slept));
	assert_int_equal(slept.ns, VT_SEC(3600).ns);
	assert_false(host_clock_take_sleep(&w->clock, &slept));
	assert_false(host_clock_take_step(&w->clock));

	run(w, VT_SEC(10));
	assert_false(quality(w)->is_synchronized);
	w->tracking.ref_time.ns += 5;
	run(w, VT_SEC(3)); /* it is asked often meanwhile */
	assert_true(quality(w)->is_synchronized);
}

/* The kernel's word has no date; but an error that became smaller was told anew. */
static void test_after_sleep_the_kernel_is_believed_when_it_hears_anew(void **state)
{
	struct world *w = *state;
	vt_span slept;

	w->kernel = (struct timex){ .maxerror = 30000 };
	begin(w);
	run(w, VT_SEC(1));
	assert_true(quality(w)->is_synchronized);
	w->slept_ns = VT_SEC(60).ns;
	turn(w);
	assert_true(host_clock_take_sleep(&w->clock, &slept));
	w->kernel.maxerror = 31000;
	run(w, VT_SEC(5));
	assert_false(quality(w)->is_synchronized);
	w->kernel.maxerror = 20000;
	run(w, VT_SEC(5));
	assert_true(quality(w)->is_synchronized);
}

static void test_a_clocksource_that_guests_cannot_use(void **state)
{
	struct world *w = *state;
	static const char file[] =
		"sys/devices/system/clocksource/clocksource0/current_clocksource";
	char alert[256];

	scratch_make_parents(scratch_path(w->scratch, file));
	scratch_write(w->scratch, file, "tsc\n", 4);
	begin(w);
	run(w, VT_SEC(1));
	host_clock_alert(&w->clock, alert, sizeof alert);
	assert_string_equal(alert, "");
	(void)host_clock_take_news(&w->clock);
	scratch_write(w->scratch, file, "hpet\n", 5);
	run(w, VT_SEC(31));
	assert_true(host_clock_take_news(&w->clock));
	host_clock_alert(&w->clock, alert, sizeof alert);
	assert_non_null(strstr(alert, "hpet"));
	assert_non_null(strstr(alert, "ptp_kvm"));
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_chronyd_is_asked_twice_a_minute),
		WORLD_TEST(test_a_distance_is_told_with_room),
		WORLD_TEST(test_a_chronyd_that_is_mute_or_mad_is_passed_over),
		WORLD_TEST(test_nobody_keeps_it),
		WORLD_TEST(test_after_sleep_nothing_counts_until_it_was_compared),
		WORLD_TEST(test_after_sleep_the_kernel_is_believed_when_it_hears_anew),
		WORLD_TEST(test_a_clocksource_that_guests_cannot_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
