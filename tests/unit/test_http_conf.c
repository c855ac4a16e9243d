/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hostd/http_conf.h"
#include "hostd/http_secrets.h"

#define TOKEN "correct-horse-battery"

/* Other machines are served only with TLS and a token, and who forgot one is told which. */
static void test_what_may_be_served(void **state)
{
	(void)state;
	static const struct {
		const char *address, *certificate, *key, *token;
		const char *missing; /* NULL: nothing */
	} CASES[] = {
		{ "127.0.0.1", NULL, NULL, NULL, NULL },
		{ "127.8.9.1", "", "", "", NULL },
		{ "::1", NULL, NULL, "t", NULL },
		{ "127.0.0.1", "c", "k", NULL, NULL },
		{ "127.0.0.1", "c", NULL, NULL, "the key is missing" },
		{ "127.0.0.1", NULL, "k", NULL, "the certificate is missing" },
		{ "0.0.0.0", NULL, NULL, NULL, "missing: both" },
		{ "192.0.2.1", "c", "k", NULL, "missing: token" },
		{ "192.0.2.1", NULL, NULL, "t", "missing: tls" },
		{ "::", "c", "k", "", "missing: token" },
		{ "::2", NULL, NULL, NULL, "missing: both" },
		{ "0.0.0.0", "c", "", "t", "the key is missing" },
		{ "0.0.0.0", "c", "k", "t", NULL },
	};

	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct http_conf conf = { .certificate = CASES[i].certificate,
			                  .key = CASES[i].key,
			                  .token_file = CASES[i].token };
		char why[256] = "untouched";

		assert_true(address_read(slice_of(CASES[i].address), &conf.address));
		assert_int_equal(http_conf_check(&conf, why, sizeof why), !CASES[i].missing);
		if (!strstr(why, CASES[i].missing ? CASES[i].missing : "untouched"))
			fail_msg("row %zu: %s", i, why);
	}
}

/* A name of somebody else's that leads to 127.0.0.1 is not ours. */
static void test_host_names(void **state)
{
	(void)state;
	static const char *const OURS[] = { "localhost", "localhost:9532", "LocalHost:80",
		                            "127.0.0.1", "127.0.0.1:9532", "[::1]:9532",
		                            "[::1]" };
	static const char *const THEIRS[] = { "",
		                              "example.com",
		                              "localhost.example.com:9532",
		                              "127.0.0.1.example.com",
		                              "127.0.0.11",
		                              "0.0.0.0:9532",
		                              "[::2]:9532",
		                              "kvm7:9532",
		                              " localhost" };

	assert_true(http_host_is_local(NULL));
	for (size_t i = 0; i < COUNT(OURS); i++)
		assert_true(http_host_is_local(OURS[i]));
	for (size_t i = 0; i < COUNT(THEIRS); i++)
		if (http_host_is_local(THEIRS[i]))
			fail_msg("%s passed for ours", THEIRS[i]);
}

static void test_authorization(void **state)
{
	(void)state;
	const struct http_secrets with = { .token = TOKEN }, without = { .token = "" };
	static const struct {
		const char *header;
		bool is_allowed;
	} CASES[] = {
		{ NULL, false },
		{ "", false },
		{ "Bearer " TOKEN, true },
		{ "bearer  " TOKEN, true },
		{ "Bearer " TOKEN "x", false },
		{ "Bearer correct-horse-batter", false },
		{ "Bearer correct-horse-batterx", false },
		{ "Bearer ", false },
		{ "Bearer", false },
		{ TOKEN, false },
		/* any:correct-horse-battery, :correct-horse-battery */
		{ "Basic YW55OmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ==", true },
		{ "Basic OmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ==", true },
		/* any:correct-horse-batterx; correct-horse-battery without a user */
		{ "Basic YW55OmNvcnJlY3QtaG9yc2UtYmF0dGVyeA==", false },
		{ "Basic Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5", false },
		{ "Basic ", false },
		{ "Basic ====", false },
		{ "Digest YW55OmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ==", false },
	};

	for (size_t i = 0; i < COUNT(CASES); i++) {
		if (http_secrets_allow(&with, CASES[i].header) != CASES[i].is_allowed)
			fail_msg("row %zu: %s", i, CASES[i].header);
		assert_true(http_secrets_allow(&without, CASES[i].header));
	}
}

/* Longer than there is room for: nothing may be written behind it. */
static void test_long_credentials(void **state)
{
	(void)state;
	const struct http_secrets with = { .token = TOKEN };
	char header[8192] = "Basic ";

	memset(header + 6, 'A', sizeof header - 7);
	header[sizeof header - 1] = '\0';
	assert_false(http_secrets_allow(&with, header));
	memcpy(header, "Bearer ", 7);
	assert_false(http_secrets_allow(&with, header));
}

struct file {
	char path[64];
};

static struct file make_file(const char *text, mode_t mode)
{
	struct file f = { "/tmp/vmtime-token-XXXXXX" };
	const int fd = mkstemp(f.path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return f;
}

static void test_token_files(void **state)
{
	(void)state;
	static const struct {
		const char *what, *text;
		mode_t mode;
		const char *token; /* NULL: refused */
	} CASES[] = {
		{ "a line", TOKEN "\n", 0600, TOKEN },
		{ "no line's end, for a group", "  " TOKEN, 0640, TOKEN },
		{ "more lines", TOKEN "\r\nrest\n", 0400, TOKEN },
		{ "for everybody", TOKEN "\n", 0644, NULL },
		{ "written by a group", TOKEN "\n", 0660, NULL },
		{ "short", "secret\n", 0600, NULL },
		{ "empty", "", 0600, NULL },
		{ "second line only", "\n" TOKEN "\n", 0600, NULL },
		{ "a blank in it", "correct horse battery\n", 0600, NULL },
	};

	for (size_t i = 0; i < COUNT(CASES); i++) {
		const struct file f = make_file(CASES[i].text, CASES[i].mode);
		const struct http_conf conf = { .token_file = f.path };
		struct http_secrets secrets;
		char why[512] = "";
		const int r = http_secrets_load(&conf, &secrets, why, sizeof why);

		unlink(f.path);
		if ((r == 0) != (CASES[i].token != NULL))
			fail_msg("%s: %d %s", CASES[i].what, r, why);
		assert_string_equal(secrets.token, CASES[i].token ? CASES[i].token : "");
		assert_int_equal(*why == '\0', r == 0);
		http_secrets_fini(&secrets);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_may_be_served), cmocka_unit_test(test_host_names),
		cmocka_unit_test(test_authorization),      cmocka_unit_test(test_long_credentials),
		cmocka_unit_test(test_token_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
