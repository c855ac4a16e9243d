/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/http_secrets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/slice.h"
#include "os/files.h"

#define PEM_MAX 65536 /* a certificate with all that vouch for it */

static int tell(int error, const char *what, const char *path, char *reterr, size_t size)
{
	snprintf(reterr, size, "http: %s %s: %s", what, path, strerror(-error));
	return error;
}

static int refuse(const char *path, const char *why, char *reterr, size_t size)
{
	snprintf(reterr, size, "http: token %s: %s", path, why);
	return -EINVAL;
}

static char *wiped(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
	return NULL;
}

/* The first line is the token. */
static int take_token(const char *path, const char *text, char *ret, char *reterr, size_t size)
{
	struct slice rest = slice_of(text), line = slice_trim(slice_cut(&rest, '\n'));

	if (line.n < HTTP_TOKEN_MIN || line.n > HTTP_TOKEN_MAX)
		return refuse(path, "expected 16 to 256 characters on its first line", reterr,
		              size);
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] <= ' ' || line.p[i] > '~')
			return refuse(path, "expected printable ASCII characters without blanks",
			              reterr, size);
	memcpy(ret, line.p, line.n);
	ret[line.n] = '\0';
	return 0;
}

static int load_token(const char *path, char *ret, char *reterr, size_t size)
{
	struct stat st;
	char *text;
	size_t n;
	int r;

	if (stat(path, &st) != 0)
		return tell(-errno, "token", path, reterr, size);
	if (st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP))
		return refuse(path,
		              "others can read it, or somebody besides its owner can write it: "
		              "chmod 600",
		              reterr, size);
	r = file_read(path, PEM_MAX, &text, &n);
	if (r)
		return tell(r, "token", path, reterr, size);
	r = take_token(path, text, ret, reterr, size);
	wiped(text);
	return r;
}

static int load_pem(const char *what, const char *path, char **ret, char *reterr, size_t size)
{
	size_t n;
	int r;

	if (!path || !*path)
		return 0;
	r = file_read(path, PEM_MAX, ret, &n);
	return r ? tell(r, what, path, reterr, size) : 0;
}

int http_secrets_load(const struct http_conf *conf, struct http_secrets *ret, char *reterr,
                      size_t size)
{
	int r;

	*ret = (struct http_secrets){ .certificate = NULL };
	r = load_pem("certificate", conf->certificate, &ret->certificate, reterr, size);
	if (r == 0)
		r = load_pem("key", conf->key, &ret->key, reterr, size);
	if (r == 0 && conf->token_file && *conf->token_file)
		r = load_token(conf->token_file, ret->token, reterr, size);
	if (r)
		http_secrets_fini(ret);
	return r;
}

void http_secrets_fini(struct http_secrets *s)
{
	s->certificate = wiped(s->certificate);
	s->key = wiped(s->key);
	explicit_bzero(s->token, sizeof s->token);
}

/* The value of a digit of base64 (RFC 4648); -1: none. */
static int digit(char c)
{
	static const char DIGITS[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(DIGITS, c) : NULL;

	return at ? (int)(at - DIGITS) : -1;
}

/* What @text says, at most @size bytes of it; returns how many.  It ends where no digit follows. */
static size_t from_base64(const char *text, char *to, size_t size)
{
	unsigned bits = 0, n_bits = 0;
	size_t n = 0;

	for (int d = digit(*text); d >= 0 && n < size; d = digit(*++text)) {
		bits = bits << 6 | (unsigned)d;
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		to[n++] = (char)(bits >> n_bits & 0xff);
	}
	return n;
}

/* What stands behind @scheme and its blanks in @header; NULL: it is another one. */
static const char *behind(const char *header, const char *scheme)
{
	const size_t n = strlen(scheme);

	if (strncasecmp(header, scheme, n) != 0 || header[n] != ' ')
		return NULL;
	return header + n + strspn(header + n, " ");
}

static bool is_password(const char *token, const char *credentials)
{
	char text[HTTP_TOKEN_MAX + 128]; /* USER:PASSWORD */
	const size_t n = from_base64(credentials, text, sizeof text);
	const char *colon = memchr(text, ':', n);
	bool is_right =
		colon && http_token_matches(token, colon + 1, n - (size_t)(colon + 1 - text));

	explicit_bzero(text, sizeof text);
	return is_right;
}

bool http_secrets_allow(const struct http_secrets *s, const char *header)
{
	const char *given;

	if (!*s->token)
		return true;
	if (!header)
		return false;
	given = behind(header, "Bearer");
	if (given)
		return http_token_matches(s->token, given, strlen(given));
	given = behind(header, "Basic");
	return given && is_password(s->token, given);
}
