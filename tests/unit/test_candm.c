/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "wire/candm.h"

/* A request as chronyc makes it: header, data, and zeros up to @length. */
static void make_packet(uint8_t *packet, unsigned command, size_t length, const uint8_t *data, size_t n)
{
	memset(packet, 0, CANDM_REQUEST_MAX + 1);
	packet[0] = 6;
	packet[1] = 1;
	packet[5] = (uint8_t)command;
	packet[7] = 2;
	memcpy(packet + 8, "\x12\x34\x56\x78", 4);
	if (n)
		memcpy(packet + 20, data, n);
	assert_true(length <= CANDM_REQUEST_MAX + 1);
}

static struct candm_request arrive(const uint8_t *packet, size_t n)
{
	struct candm_request request;
	enum candm_status status = CANDM_FAILED;

	assert_int_equal(candm_decode_request(packet, n, &request, &status), CANDM_ARRIVED);
	assert_int_equal(status, CANDM_FAILED);
	assert_int_equal(request.attempt, 2);
	assert_int_equal(request.sequence, 0x12345678);
	assert_int_equal(request.length, n);
	return request;
}

#define ADDRESS_V4 0xc0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0

static bool is_192_0_2_1(const struct candm_address *a)
{
	static const uint8_t bytes[16] = { 192, 0, 2, 1 };

	return a->family == CANDM_IPV4 && memcmp(a->bytes, bytes, sizeof bytes) == 0;
}

/* Data that chronyc 4.3 sent for the command line beside it, with the length that it padded to. */
static void test_requests_of_chronyc(void **state)
{
	(void)state;
	uint8_t p[CANDM_REQUEST_MAX + 1];
	struct candm_request r;

	/* chronyc burst 3/6 192.0.2.1 */
	static const uint8_t burst[] = { 0xff, 0xff, 0xff, 0xff, [17] = 1, [20] = ADDRESS_V4,
					 0, 0, 0, 3, 0, 0, 0, 6 };
	make_packet(p, CANDM_BURST, 68, burst, sizeof burst);
	r = arrive(p, 68);
	assert_int_equal(r.data.targets.mask.family, CANDM_IPV4);
	assert_int_equal(r.data.targets.mask.bytes[3], 0xff);
	assert_true(is_192_0_2_1(&r.data.targets.address));
	assert_int_equal(r.data.targets.n_good, 3);
	assert_int_equal(r.data.targets.n_total, 6);

	/* chronyc minpoll 192.0.2.1 -3 */
	static const uint8_t minpoll[] = { ADDRESS_V4, 0xff, 0xff, 0xff, 0xfd };
	make_packet(p, CANDM_MODIFY_MINPOLL, 44, minpoll, sizeof minpoll);
	r = arrive(p, 44);
	assert_true(is_192_0_2_1(&r.data.source_number.address));
	assert_int_equal(r.data.source_number.number, -3);

	/* chronyc maxdelay 192.0.2.1 0.3 */
	static const uint8_t maxdelay[] = { ADDRESS_V4, 0x00, 0x99, 0x99, 0x9a };
	make_packet(p, CANDM_MODIFY_MAXDELAY, 44, maxdelay, sizeof maxdelay);
	r = arrive(p, 44);
	assert_true(fabs(r.data.source_value.value - 0.3) < 1e-7);

	/* chronyc makestep 0.1 3 */
	static const uint8_t makestep[] = { 0, 0, 0, 3, 0xfc, 0xcc, 0xcc, 0xcd };
	make_packet(p, CANDM_MODIFY_MAKESTEP, 28, makestep, sizeof makestep);
	r = arrive(p, 28);
	assert_int_equal(r.data.makestep.limit, 3);
	assert_true(fabs(r.data.makestep.threshold - 0.1) < 1e-8);

	/* chronyc local stratum 8 */
	static const uint8_t local[] = { 0, 0, 0, 1, 0, 0, 0, 8, 0x04, 0x80 };
	make_packet(p, CANDM_LOCAL2, 36, local, sizeof local);
	r = arrive(p, 36);
	assert_int_equal(r.data.local.is_on, 1);
	assert_int_equal(r.data.local.stratum, 8);
	assert_true(r.data.local.distance == 1);
	assert_int_equal(r.data.local.is_orphan, 0);

	/* chronyc clients -r -p 10 */
	static const uint8_t clients[] = { 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 10, 0, 0, 0, 1 };
	make_packet(p, CANDM_CLIENT_ACCESSES, 520, clients, sizeof clients);
	r = arrive(p, 520);
	assert_int_equal(r.data.clients.n, 8);
	assert_int_equal(r.data.clients.min_hits, 10);
	assert_int_equal(r.data.clients.is_reset, 1);

	/* chronyc settime 12:00 */
	static const uint8_t settime[] = { 0, 0, 0, 0, 0x6b, 0x04, 0x2a, 0xc0 };
	make_packet(p, CANDM_SETTIME, 40, settime, sizeof settime);
	assert_true(arrive(p, 40).data.time.ns == INT64_C(1795435200) * 1000000000);
}

/* chronyc 4.3: add server 192.0.2.7 iburst minpoll 4 prefer nts */
static void test_new_source_of_chronyc(void **state)
{
	(void)state;
	static const uint8_t data[] = {
		[3] = 1, [4] = '1', '9', '2', '.', '0', '.', '2', '.', '7',
		[263] = 123, [267] = 4, [271] = 10, [275] = 100, [283] = 8, [291] = 4,
		[292] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		[306] = 0x11, 0x6c, 0x06, 0xc0, [316] = 0x0a, 0xa0, [331] = 0,
	};
	uint8_t p[CANDM_REQUEST_MAX + 1];
	struct candm_new_source s;

	make_packet(p, CANDM_ADD_SOURCE, 372, data, sizeof data);
	p[20 + 334] = 0x02;
	p[20 + 335] = 0x0d;
	s = arrive(p, 372).data.new_source;
	assert_int_equal(s.type, CANDM_TYPE_SERVER);
	assert_string_equal(s.name, "192.0.2.7");
	assert_int_equal(s.port, 123);
	assert_int_equal(s.min_poll, 4);
	assert_int_equal(s.max_poll, 10);
	assert_int_equal(s.presend_min_poll, 100);
	assert_int_equal(s.poll_target, 8);
	assert_int_equal(s.max_sources, 4);
	assert_int_equal(s.min_samples, -1);
	assert_int_equal(s.max_samples, -1);
	assert_int_equal(s.nts_port, 4460);
	assert_true(s.max_delay == 3);
	assert_true(s.max_delay_dev_ratio == 10);
	assert_int_equal(s.flags, CANDM_FLAG_ONLINE | CANDM_FLAG_IBURST | CANDM_FLAG_PREFER |
				  CANDM_FLAG_NTS);

	/* A name that does not end in its field is no name. */
	memset(p + 24, 'a', 256);
	assert_string_equal(arrive(p, 372).data.new_source.name, "");
	p[24 + 255] = 0;
	assert_int_equal(strlen(arrive(p, 372).data.new_source.name), 255);
}

/* What chronyd does with each of these. */
static void test_what_is_no_request(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		size_t length;
		unsigned at;
		uint8_t byte; /* changed in a good TRACKING request */
		enum candm_arrival want;
		enum candm_status status;
	} cases[] = {
		{ "as it should be",     104, 0, 6,    CANDM_ARRIVED, CANDM_SUCCESS },
		{ "longer",              520, 0, 6,    CANDM_ARRIVED, CANDM_SUCCESS },
		{ "longest",             860, 0, 6,    CANDM_ARRIVED, CANDM_SUCCESS },
		{ "padding is no matter", 104, 60, 0xff, CANDM_ARRIVED, CANDM_SUCCESS },
		{ "nothing",               0, 0, 6,    CANDM_DROPPED, CANDM_SUCCESS },
		{ "one byte",              1, 0, 6,    CANDM_DROPPED, CANDM_SUCCESS },
		{ "a header alone",       20, 0, 6,    CANDM_DROPPED, CANDM_SUCCESS },
		{ "shorter than a reply", 27, 0, 6,    CANDM_DROPPED, CANDM_SUCCESS },
		{ "too short for it",     28, 0, 6,    CANDM_REFUSED, CANDM_BAD_LENGTH },
		{ "a byte too short",    103, 0, 6,    CANDM_REFUSED, CANDM_BAD_LENGTH },
		{ "too long",            861, 0, 6,    CANDM_DROPPED, CANDM_SUCCESS },
		{ "a reply",             104, 1, 2,    CANDM_DROPPED, CANDM_SUCCESS },
		{ "of no type",          104, 1, 0,    CANDM_DROPPED, CANDM_SUCCESS },
		{ "reserved",            104, 2, 1,    CANDM_DROPPED, CANDM_SUCCESS },
		{ "reserved as well",    104, 3, 1,    CANDM_DROPPED, CANDM_SUCCESS },
		{ "version 0",           104, 0, 0,    CANDM_DROPPED, CANDM_SUCCESS },
		{ "version 4",           104, 0, 4,    CANDM_DROPPED, CANDM_SUCCESS },
		{ "version 5",           104, 0, 5,    CANDM_REFUSED, CANDM_BAD_VERSION },
		{ "version 7",           104, 0, 7,    CANDM_REFUSED, CANDM_BAD_VERSION },
		{ "version 255",          28, 0, 255,  CANDM_REFUSED, CANDM_BAD_VERSION },
		{ "no command",          104, 5, 75,   CANDM_REFUSED, CANDM_INVALID },
		{ "a dead command",      104, 5, 32,   CANDM_REFUSED, CANDM_INVALID },
		{ "a command far off",   104, 4, 0xff, CANDM_REFUSED, CANDM_INVALID },
	};
	/* clang-format on */
	uint8_t p[CANDM_REQUEST_MAX + 1];

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct candm_request r = { .attempt = 7 };
		enum candm_status status = CANDM_SUCCESS;
		enum candm_arrival got;

		make_packet(p, CANDM_TRACKING, cases[i].length, NULL, 0);
		p[cases[i].at] = cases[i].byte;
		got = candm_decode_request(p, cases[i].length, &r, &status);
		if (got != cases[i].want || status != cases[i].status)
			fail_msg("%s: got %d, status %d", cases[i].what, got, status);
		if (got == CANDM_DROPPED)
			assert_int_equal(r.attempt, 7);
		else
			assert_int_equal(r.sequence, 0x12345678);
	}
}

/* The numbers that no version has used for long; all others have a length. */
static void test_dead_commands(void **state)
{
	(void)state;
	static const unsigned dead[] = { 10, 12, 27, 28, 32, 38, 39, 40, 55, 58, 59, 60, 61 };
	size_t n = 0;

	for (unsigned command = 0; command < 0x10000; command++) {
		bool is_dead = command >= CANDM_COMMANDS ||
			       (n < COUNT(dead) && dead[n] == command && ++n);

		if (is_dead != (candm_request_length(command) == 0))
			fail_msg("command %u: %s", command, is_dead ? "dead" : "alive");
	}
	assert_int_equal(n, COUNT(dead));
}

/* The form is told by the length, as each version of chronyc pads it. */
static void test_forms_by_version(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		unsigned command;
		size_t length;
		unsigned want;
	} cases[] = {
		{ "serverstats of 4.0 and 4.1", CANDM_SERVER_STATS, 60, CANDM_REPLY_SERVER_STATS2 },
		{ "between them",               CANDM_SERVER_STATS, 71, CANDM_REPLY_SERVER_STATS2 },
		{ "serverstats of 4.2 and 4.3", CANDM_SERVER_STATS, 72, CANDM_REPLY_SERVER_STATS3 },
		{ "between them",               CANDM_SERVER_STATS, 195, CANDM_REPLY_SERVER_STATS3 },
		{ "serverstats from 4.4",       CANDM_SERVER_STATS, 196, CANDM_REPLY_SERVER_STATS4 },
		{ "a client for every version", CANDM_SERVER_STATS, 520, CANDM_REPLY_SERVER_STATS4 },
		{ "ntpdata up to 4.5",          CANDM_NTP_DATA, 152, CANDM_REPLY_NTP_DATA },
		{ "ntpdata from 4.6",           CANDM_NTP_DATA, 172, CANDM_REPLY_NTP_DATA2 },
		{ "tracking",                   CANDM_TRACKING, 520, CANDM_REPLY_TRACKING },
		{ "makestep",                   CANDM_MAKESTEP, 28, CANDM_REPLY_NULL },
		{ "no command",                 32, 520, CANDM_REPLY_NULL },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned got = candm_reply_form(cases[i].command, cases[i].length);

		if (got != cases[i].want)
			fail_msg("%s: got %u, want %u", cases[i].what, got, cases[i].want);
	}
}

/* For every request that is long enough to be accepted. */
static void test_no_reply_is_longer_than_its_request(void **state)
{
	(void)state;
	for (unsigned command = 0; command < CANDM_COMMANDS; command++) {
		size_t least = candm_request_length(command);

		for (size_t n = least; least && n <= CANDM_REQUEST_MAX; n++) {
			size_t length = candm_reply_length(candm_reply_form(command, n));

			if (length < CANDM_REPLY_HEADER || length > n || length > CANDM_REPLY_MAX)
				fail_msg("command %u: %zu bytes for %zu", command, length, n);
		}
	}
}

static void test_a_refusal_is_28_bytes(void **state)
{
	(void)state;
	const struct candm_reply reply = {
		.command = 0x1234, .sequence = 0xfedcba98, .status = CANDM_BAD_VERSION,
		.code = CANDM_REPLY_NULL,
	};
	static const uint8_t want[28] = { 6, 2, 0, 0, 0x12, 0x34, 0, 1, 0, 18,
					  [16] = 0xfe, 0xdc, 0xba, 0x98 };
	uint8_t got[CANDM_REPLY_MAX];

	memset(got, 0xee, sizeof got);
	assert_int_equal(candm_encode_reply(&reply, got), 28);
	assert_memory_equal(got, want, 28);
	assert_int_equal(got[28], 0xee);
}

static void test_a_tracking_reply(void **state)
{
	(void)state;
	const struct candm_reply reply = {
		.command = CANDM_TRACKING, .sequence = 1, .code = CANDM_REPLY_TRACKING,
		.data.tracking = {
			.refid = 0x50484330, .stratum = 1, .leap = CANDM_LEAP_NORMAL,
			.ref_time = { INT64_C(1795435200000000001) }, .correction = -0.25,
			.last_offset = 1, .rms_offset = 2.5, .frequency_ppm = -1, .residual_ppm = 0,
			.skew_ppm = 0.001, .root_delay = 0.1, .root_dispersion = 0.3,
			.update_interval = 1.5,
		},
	};
	static const uint8_t want[104] = {
		6, 2, 0, 0, 0, 33, 0, 5, [19] = 1,
		[28] = 'P', 'H', 'C', '0', [52] = 0, 1, 0, 0,
		[60] = 0x6b, 0x04, 0x2a, 0xc0, 0, 0, 0, 1, 0xff, 0, 0, 0, 0x04, 0x80, 0, 0,
		0x06, 0xa0, 0, 0, 0x03, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x83, 0x12, 0x6f,
		0xfc, 0xcc, 0xcc, 0xcd, 0x00, 0x99, 0x99, 0x9a, 0x04, 0xc0, 0, 0,
	};
	uint8_t got[CANDM_REPLY_MAX];

	assert_int_equal(candm_encode_reply(&reply, got), 104);
	assert_memory_equal(got, want, sizeof want);
}

/* Which member stands where: in the lists that chronyc reads row by row. */
static void test_members_stand_in_their_places(void **state)
{
	(void)state;
	uint8_t p[CANDM_REPLY_MAX];
	struct candm_reply r = { .code = CANDM_REPLY_SOURCE_DATA };

	r.data.source = (struct candm_source_data){
		.poll = -2, .stratum = 3, .state = 4, .mode = 2, .flags = 5, .reach = 0xff,
		.since_sample = 7, .measured = 1, .adjusted = -1, .error = 0.1 };
	assert_int_equal(candm_encode_reply(&r, p), 76);
	assert_memory_equal(p + 48, "\xff\xfe\0\3\0\4\0\2\0\5\0\xff\0\0\0\7", 16);
	assert_memory_equal(p + 64, "\4\x80\0\0\3\0\0\0\xfc\xcc\xcc\xcd", 12);

	r.code = CANDM_REPLY_SOURCESTATS;
	r.data.sourcestats = (struct candm_sourcestats){
		.refid = 1, .samples = 2, .runs = 3, .span = 4, .standard_deviation = 1,
		.residual_ppm = -1, .skew_ppm = 2.5, .offset = 10, .offset_error = 100 };
	assert_int_equal(candm_encode_reply(&r, p), 84);
	assert_memory_equal(p + 28, "\0\0\0\1", 4);
	assert_memory_equal(p + 52, "\0\0\0\2\0\0\0\3\0\0\0\4\4\x80\0\0\3\0\0\0", 20);
	assert_memory_equal(p + 72, "\6\xa0\0\0\x0a\xa0\0\0\x10\xc8\0\0", 12);

	r.code = CANDM_REPLY_SELECT_DATA;
	r.data.select_data = (struct candm_select_data){
		.refid = 1, .state = '*', .is_authenticated = 2, .leap = 3, .configured = 4,
		.effective = 5, .since_sample = 6, .score = 1, .low = -1, .high = 2.5 };
	assert_int_equal(candm_encode_reply(&r, p), 76);
	assert_memory_equal(p + 52, "*\2\3\0\0\4\0\5\0\0\0\6", 12);
	assert_memory_equal(p + 64, "\4\x80\0\0\3\0\0\0\6\xa0\0\0", 12);

	r.code = CANDM_REPLY_ACTIVITY;
	r.data.activity = (struct candm_activity){ 1, 2, 3, 4, 5 };
	assert_int_equal(candm_encode_reply(&r, p), 48);
	assert_memory_equal(p + 28, "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5", 20);
}

/* What a client does with a datagram that is not, or not quite, its answer. */
static void test_answers(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		size_t length;
		unsigned at;
		uint8_t byte; /* changed in a good answer to TRACKING */
		enum candm_answer want;
	} cases[] = {
		{ "as it should be",   104, 0, 6,  CANDM_ANSWERED },
		{ "longer",            110, 0, 6,  CANDM_ANSWERED },
		{ "cut off",           103, 0, 6,  CANDM_BROKEN },
		{ "a header alone",     28, 0, 6,  CANDM_BROKEN },
		{ "half a header",      27, 0, 6,  CANDM_FOREIGN },
		{ "nothing",             0, 0, 6,  CANDM_FOREIGN },
		{ "a request",         104, 1, 1,  CANDM_FOREIGN },
		{ "version 5",         104, 0, 5,  CANDM_FOREIGN },
		{ "reserved",          104, 2, 1,  CANDM_FOREIGN },
		{ "reserved as well",  104, 3, 1,  CANDM_FOREIGN },
		{ "another command",   104, 5, 34, CANDM_FOREIGN },
		{ "another sequence",  104, 19, 2, CANDM_FOREIGN },
		{ "an unknown code",   104, 7, 4,  CANDM_BROKEN },
		{ "code 0",            104, 7, 0,  CANDM_BROKEN },
		{ "a code far off",    104, 6, 1,  CANDM_BROKEN },
		{ "a refusal",         104, 9, 2,  CANDM_ANSWERED },
	};
	/* clang-format on */
	const struct candm_reply good = { .command = CANDM_TRACKING, .sequence = 1,
					  .code = CANDM_REPLY_TRACKING };

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t p[CANDM_REPLY_MAX] = { 0 };
		struct candm_reply reply = { .status = 99 };
		enum candm_answer got;

		(void)candm_encode_reply(&good, p);
		p[cases[i].at] = cases[i].byte;
		got = candm_decode_reply(p, cases[i].length, CANDM_TRACKING, 1, &reply);
		if (got != cases[i].want)
			fail_msg("%s: got %d", cases[i].what, got);
		if (got != CANDM_ANSWERED)
			assert_int_equal(reply.status, 99);
		else
			assert_int_equal(reply.status, p[9]);
	}
}

/* The older forms hold the beginning of the counters, and 32 bits of each. */
static void test_counters_saturate_in_old_forms(void **state)
{
	(void)state;
	struct candm_reply reply = { .command = CANDM_SERVER_STATS, .sequence = 1 };
	static const unsigned codes[] = { CANDM_REPLY_SERVER_STATS2, CANDM_REPLY_SERVER_STATS3,
					  CANDM_REPLY_SERVER_STATS4 };
	uint8_t p[CANDM_REPLY_MAX];

	for (size_t i = 0; i < COUNT(codes); i++) {
		struct candm_server_stats *stats = &reply.data.server_stats;
		bool is_new = codes[i] == CANDM_REPLY_SERVER_STATS4;
		struct candm_reply back;
		size_t n;

		*stats = (struct candm_server_stats){ .ntp_received = UINT64_C(1) << 40,
						      .log_dropped = UINT32_MAX,
						      .ntp_authenticated = 7,
						      .timestamp_span = 9,
						      .hardware_tx = UINT64_MAX };
		reply.code = (uint16_t)codes[i];
		n = candm_encode_reply(&reply, p);
		assert_int_equal(candm_decode_reply(p, n, CANDM_SERVER_STATS, 1, &back),
				 CANDM_ANSWERED);
		stats = &back.data.server_stats;
		assert_true(stats->ntp_received == (is_new ? UINT64_C(1) << 40 : UINT32_MAX));
		assert_true(stats->log_dropped == UINT32_MAX);
		assert_true(stats->ntp_authenticated == 7);
		assert_true(stats->timestamp_span == (i == 0 ? 0 : 9));
		assert_true(stats->hardware_tx == (is_new ? UINT64_MAX : 0));
	}
	/* What is reserved there is all ones. */
	for (size_t k = 164; k < 196; k++)
		assert_int_equal(p[k], 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_of_chronyc),
		cmocka_unit_test(test_new_source_of_chronyc),
		cmocka_unit_test(test_what_is_no_request),
		cmocka_unit_test(test_dead_commands),
		cmocka_unit_test(test_forms_by_version),
		cmocka_unit_test(test_no_reply_is_longer_than_its_request),
		cmocka_unit_test(test_a_refusal_is_28_bytes),
		cmocka_unit_test(test_a_tracking_reply),
		cmocka_unit_test(test_members_stand_in_their_places),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_counters_saturate_in_old_forms),
	};

	return cmocka_run_group_tests_name("candm", tests, NULL, NULL);
}
