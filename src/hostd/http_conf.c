/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/http_conf.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_given(const char *text)
{
	return text && *text;
}

bool http_conf_is_loopback(const struct http_conf *conf)
{
	static const uint8_t ONE[16] = { [15] = 1 };

	if (conf->address.family == ADDRESS_IPV4)
		return conf->address.bytes[0] == 127;
	return memcmp(conf->address.bytes, ONE, sizeof ONE) == 0;
}

bool http_conf_check(const struct http_conf *conf, char *reterr, size_t size)
{
	const bool has_certificate = is_given(conf->certificate), has_key = is_given(conf->key);
	const bool has_tls = has_certificate && has_key, has_token = is_given(conf->token_file);
	char address[ADDRESS_TEXT_MAX];

	address_write(&conf->address, address);
	if (has_certificate != has_key) {
		snprintf(reterr, size,
		         "http: tls needs a certificate and its key; the %s is missing",
		         has_key ? "certificate" : "key");
		return false;
	}
	if (http_conf_is_loopback(conf) || (has_tls && has_token))
		return true;
	snprintf(
		reterr, size,
		"http: other machines can reach %s, which needs tls (a certificate and its key) and "
		"token (a file with a secret); missing: %s",
		address,
		has_tls     ? "token"
		: has_token ? "tls"
			    : "both");
	return false;
}

bool http_host_is_local(const char *host)
{
	static const char *const OURS[] = { "localhost", "127.0.0.1", "[::1]" };

	if (!host)
		return true;
	for (size_t i = 0; i < COUNT(OURS); i++) {
		const size_t n = strlen(OURS[i]);

		/* Any port: it may be forwarded from another one. */
		if (strncasecmp(host, OURS[i], n) == 0 && (host[n] == '\0' || host[n] == ':'))
			return true;
	}
	return false;
}

bool http_token_matches(const char *token, const char *given, size_t n)
{
	const size_t length = strlen(token);
	volatile unsigned char difference = length != n;

	for (size_t i = 0; i < n; i++)
		difference |= (unsigned char)(given[i] ^ token[length ? i % length : 0]);
	return length > 0 && difference == 0;
}
