/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hostd/http_conf.h"
#include "hostd/settings_table.h"

/* Stands for "no such file" in the language, which has no empty words. */
#define NO_FILE "/"

void settings_default(struct settings *ret)
{
	*ret = (struct settings){
		.libvirt = SETTINGS_LIBVIRT_AUTO,
		.libvirt_uri = "auto",
		.threshold = VT_MS(100),
		.unsynchronized_threshold = VT_SEC(2),
		.interval = VT_SEC(60),
		.parallel = 64,
		.is_http_on = true,
		.http_address = { ADDRESS_IPV4, { 127, 0, 0, 1 } },
		.http_port = 9532,
		.http = "127.0.0.1:9532",
		.socket = "/run/vmtime/hostd.sock",
		.group = "vmtime",
		.pid_file = "/run/vmtime/hostd.pid",
		.log_level = LOG_LEVEL_INFO,
	};
}

/* Settings that @s may not have together, as far as HTTP is concerned. */
static bool is_http_allowed(const struct settings *s, char *reterr, size_t size)
{
	const struct http_conf conf = { .address = s->http_address,
		                        .port = (uint16_t)s->http_port,
		                        .certificate = s->tls_certificate,
		                        .key = s->tls_key,
		                        .token_file = s->token_file };

	return !s->is_http_on || http_conf_check(&conf, reterr, size);
}

/* What no single line can tell: *@reterr bears the file's name and no line. */
static int check_whole(const struct settings *s, const char *path, struct conf_error *reterr)
{
	const char *wrong = NULL;
	char why[CONF_TEXT_MAX];

	if (!is_http_allowed(s, why, sizeof why))
		wrong = why;
	if (s->unsynchronized_threshold.ns < s->threshold.ns)
		wrong = "unsynchronized-threshold: expected at least as much as threshold";
	if (!wrong)
		return 0;
	*reterr = (struct conf_error){ .place = { .line = 0 } };
	snprintf(reterr->place.file, sizeof reterr->place.file, "%s", path ? path : "command line");
	snprintf(reterr->text, sizeof reterr->text, "%s", wrong);
	return -EINVAL;
}

int settings_load(const char *path, const char *const *extra, size_t n_extra,
		  const struct conf_loader *loader, struct conf_notes *notes, struct settings *ret,
		  struct conf_error *reterr)
{
	struct settings_builder b;
	int err = 0;

	settings_default(&b.settings);
	if (path)
		err = conf_read_file(&SETTINGS_TABLE, &b, loader, path, notes, reterr);
	for (size_t i = 0; i < n_extra && !err; i++)
		err = conf_read_text(&SETTINGS_TABLE, &b, loader, "command line", (unsigned)i + 1,
				     slice_of(extra[i]), notes, reterr);
	if (!err)
		err = check_whole(&b.settings, path, reterr);
	if (err)
		return err;
	if (strcmp(b.settings.pid_file, NO_FILE) == 0)
		b.settings.pid_file[0] = '\0';
	*ret = b.settings;
	return 0;
}

size_t settings_print(const struct settings *settings, char *to, size_t size)
{
	struct settings_builder b = { .settings = *settings };

	if (!b.settings.pid_file[0])
		strcpy(b.settings.pid_file, NO_FILE);
	return conf_print(&SETTINGS_TABLE, &b, to, size);
}

/* Two values mean the same where the same lines would make them. */
bool settings_equal(const struct settings *a, const struct settings *b)
{
	char text_a[SETTINGS_PRINT_MAX], text_b[SETTINGS_PRINT_MAX];
	size_t n_a = settings_print(a, text_a, sizeof text_a);
	size_t n_b = settings_print(b, text_b, sizeof text_b);

	return n_a == n_b && n_a < sizeof text_a && memcmp(text_a, text_b, n_a) == 0;
}

size_t settings_reference(char *to, size_t size)
{
	return conf_reference(&SETTINGS_TABLE, to, size);
}
