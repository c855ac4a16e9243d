/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/settings.h"

#include <stdio.h>
#include <string.h>

#include "guestd/settings_table.h"

/* What a configuration starts from before its first line. */
static void start_unwritten(struct settings *ret)
{
	*ret = (struct settings){
		.hostclock = true,
		.vsock_port = SETTINGS_VSOCK_PORT,
		.agent = "off",
		.max_slew_rate = { .ppb = 83333333 },
		.log_banner = 32,
		.log_change = { .ns = CONF_NS_PER_S },
		.drift_interval = { .ns = 3600 * CONF_NS_PER_S },
		.pid_file = "/run/vmtime/vmtimed.pid",
		.user = "vmtime",
		.clock_owner = CLOCK_OWNER_REFUSE,
		.command = CANDM_CONF_DEFAULT,
	};
}

/* Stands for "no such file" in the language, which has no empty words. */
#define NO_FILE "/"

void settings_default(struct settings *ret)
{
	start_unwritten(ret);
	ret->is_rtcsync = true;
	strcpy(ret->drift_file, "/var/lib/vmtime/drift");
}

static int load_all(const char *path, const char *const *extra, size_t n_extra,
                    const struct conf_loader *loader, struct conf_notes *notes,
                    struct settings_builder *b, struct conf_error *reterr)
{
	int err = 0;

	if (path)
		err = conf_read_file(&SETTINGS_TABLE, b, loader, path, notes, reterr);
	for (size_t i = 0; i < n_extra && !err; i++)
		err = conf_read_text(&SETTINGS_TABLE, b, loader, "command line", (unsigned)i + 1,
		                     slice_of(extra[i]), notes, reterr);
	return err;
}

int settings_load(const char *path, const char *const *extra, size_t n_extra,
                  const struct conf_loader *loader, struct conf_notes *notes, struct settings *ret,
                  struct conf_error *reterr)
{
	struct settings_builder b;
	int err;

	start_unwritten(&b.settings);
	b.n_refclocks_seen = 0;
	err = load_all(path, extra, n_extra, loader, notes, &b, reterr);
	if (err)
		return err;
	if (strcmp(b.settings.pid_file, NO_FILE) == 0)
		b.settings.pid_file[0] = '\0';
	*ret = b.settings;
	return 0;
}

/* What people who know chrony's makestep would not expect. */
#define MAKESTEP_REMARK "# makestep does not limit the step after a pause, a restore or a resume.\n"

size_t settings_print(const struct settings *settings, char *to, size_t size)
{
	struct settings_builder b = { .settings = *settings };
	size_t n;

	if (!b.settings.pid_file[0])
		strcpy(b.settings.pid_file, NO_FILE);
	n = conf_print(&SETTINGS_TABLE, &b, to, size);
	if (!settings->is_makestep_given)
		return n;
	if (n < size)
		snprintf(to + n, size - n, "%s", MAKESTEP_REMARK);
	return n + strlen(MAKESTEP_REMARK);
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
