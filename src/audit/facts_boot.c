/* SPDX-License-Identifier: Apache-2.0 */

/* facts_boot.c - what the kernel is told at its start, now and the next time */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/gather.h"
#include "audit/shell_file.h"

#define DEFAULTS "/etc/default/grub"

/* The two variables of /etc/default/grub that make the command line of an ordinary boot. */
struct command_line {
	char always[FACTS_LINE_MAX], ordinary[FACTS_LINE_MAX];
	bool is_plain;
	char last_file[FACTS_PATH_MAX];
};

static void follow(struct slice text, const char *path, struct command_line *line)
{
	bool is_here;

	is_here = shell_file_follow(text, "GRUB_CMDLINE_LINUX", line->always, sizeof line->always,
				    &line->is_plain);
	is_here |= shell_file_follow(text, "GRUB_CMDLINE_LINUX_DEFAULT", line->ordinary,
				     sizeof line->ordinary, &line->is_plain);
	if (is_here)
		snprintf(line->last_file, sizeof line->last_file, "%s", path);
}

static void follow_drop_in(struct audit_facts *facts, const char *path, void *context)
{
	struct command_line *line = context;
	char *text;
	size_t n;

	if (gather_read(facts, path, &text, &n) != FACT_FILE_READ) {
		line->is_plain = false;
		return;
	}
	follow((struct slice){ text, n }, path, line);
	free(text);
}

/* The defaults, then, on Debian, the drop-ins. */
static void read_defaults(struct audit_facts *facts, struct command_line *line, bool *ret_has_bls)
{
	struct fact_boot *boot = &facts->boot;
	char *text = NULL, blscfg[FACTS_WORD_MAX];
	size_t n;

	*line = (struct command_line){ .is_plain = true };
	*ret_has_bls = false;
	snprintf(boot->defaults, sizeof boot->defaults, DEFAULTS);
	boot->defaults_file = gather_read(facts, DEFAULTS, &text, &n);
	if (boot->defaults_file == FACT_FILE_READ) {
		follow((struct slice){ text, n }, DEFAULTS, line);
		shell_file_value((struct slice){ text, n }, "GRUB_ENABLE_BLSCFG", blscfg,
				 sizeof blscfg, NULL);
		*ret_has_bls = strcmp(blscfg, "true") == 0;
		free(text);
	}
	if (facts->system.family == FAMILY_DEBIAN) {
		snprintf(boot->drop_ins, sizeof boot->drop_ins, DEFAULTS ".d");
		gather_list(facts, boot->drop_ins, ".cfg", follow_drop_in, line);
	}
}

/* The folder of the vendor on the EFI partition. */
static const char *efi_vendor(const struct fact_system *system)
{
	return strcmp(system->id, "rhel") == 0 || strcmp(system->id, "ol") == 0 ? "redhat"
									      : system->id;
}

static void find_config(struct audit_facts *facts)
{
	const struct fact_system *system = &facts->system;
	struct fact_boot *boot = &facts->boot;
	bool is_older = strcmp(system->id, "fedora") == 0 ? system->major < 34 : system->major < 9;

	if (boot->tool == BOOT_UPDATE_GRUB) {
		snprintf(boot->config, sizeof boot->config, "/boot/grub/grub.cfg");
		snprintf(boot->command, sizeof boot->command, "update-grub");
		return;
	}
	snprintf(boot->grubenv, sizeof boot->grubenv, "/boot/grub2/grubenv");
	if (boot->is_efi && is_older) {
		snprintf(boot->config, sizeof boot->config, "/boot/efi/EFI/%s/grub.cfg",
			 efi_vendor(system));
		if (gather_exists(facts, "/boot/efi/EFI"))
			snprintf(boot->grubenv, sizeof boot->grubenv, "/boot/efi/EFI/%s/grubenv",
				 efi_vendor(system));
	} else {
		snprintf(boot->config, sizeof boot->config, "/boot/grub2/grub.cfg");
	}
	if (boot->tool == BOOT_GRUB2_MKCONFIG &&
	    snprintf(boot->command, sizeof boot->command, "grub2-mkconfig -o %s", boot->config) >=
		    (int)sizeof boot->command)
		boot->command[0] = '\0';
}

static void find_tool(struct audit_facts *facts, bool has_bls)
{
	struct fact_boot *boot = &facts->boot;
	bool has_defaults = boot->defaults_file != FACT_FILE_ABSENT;

	boot->is_efi = gather_exists(facts, "/sys/firmware/efi");
	switch (facts->system.family) {
	case FAMILY_DEBIAN:
		if (has_defaults || gather_exists(facts, "/boot/grub/grub.cfg"))
			boot->tool = BOOT_UPDATE_GRUB;
		break;
	case FAMILY_RED_HAT:
		if (has_bls || gather_has_name(facts, "/boot/loader/entries"))
			boot->tool = BOOT_GRUBBY;
		else if (has_defaults || gather_exists(facts, "/boot/grub2"))
			boot->tool = BOOT_GRUB2_MKCONFIG;
		break;
	case FAMILY_UNKNOWN: break;
	}
	if (boot->tool == BOOT_GRUBBY)
		snprintf(boot->entries, sizeof boot->entries, "/boot/loader/entries");
	if (boot->tool != BOOT_UNKNOWN)
		find_config(facts);
}

/* Of the loader entries the one that is booted: the saved one, else the last by name. */
struct entry {
	char saved[FACTS_PATH_MAX]; /* grubenv's saved_entry, with ".conf"; "" unknown */
	char path[FACTS_PATH_MAX];
	bool is_saved;
};

static void consider_entry(struct audit_facts *facts, const char *path, void *context)
{
	const char *name = strrchr(path, '/') + 1;
	struct entry *entry = context;

	(void)facts;
	if (entry->is_saved || strstr(name, "rescue"))
		return;
	entry->is_saved = strcmp(name, entry->saved) == 0;
	snprintf(entry->path, sizeof entry->path, "%s", path);
}

/* NAME=value of grubenv, which is no shell: the value goes to the end of the line. */
static bool grubenv_value(struct slice text, const char *name, char *to, size_t size)
{
	size_t n = strlen(name);

	to[0] = '\0';
	while (text.n) {
		struct slice line = slice_cut(&text, '\n');

		if (line.n <= n || memcmp(line.p, name, n) != 0 || line.p[n] != '=')
			continue;
		gather_cut((struct slice){ line.p + n + 1, line.n - n - 1 }, to, size);
		return true;
	}
	return false;
}

/* Adds @word, or the value that grubenv has for "$kernelopts". */
static bool add_option(char *line, size_t size, struct slice word, struct slice grubenv)
{
	char value[FACTS_LINE_MAX], name[FACTS_WORD_MAX];
	size_t used = strlen(line);
	struct slice trimmed;

	gather_cut(word, value, sizeof value);
	if (word.p[0] == '$') {
		gather_cut((struct slice){ word.p + 1, word.n - 1 }, name, sizeof name);
		/* tuned sets $tuned_params, and grub leaves out what is not set. */
		if (!grubenv_value(grubenv, name, value, sizeof value) &&
		    strcmp(name, "kernelopts") == 0)
			return false;
	}
	trimmed = slice_trim(slice_of(value));
	if (!trimmed.n)
		return true;
	return snprintf(line + used, size - used, "%s%.*s", used ? " " : "", (int)trimmed.n,
			trimmed.p) < (int)(size - used);
}

static bool read_options(struct slice entry, struct slice grubenv, char *to, size_t size)
{
	bool is_whole = true;

	to[0] = '\0';
	while (entry.n) {
		struct slice line = slice_cut(&entry, '\n'), word = slice_word(&line);

		if (!slice_equals(word, "options"))
			continue;
		while ((word = slice_word(&line)).n)
			is_whole &= add_option(to, size, word, grubenv);
	}
	return is_whole;
}

/* With BLS the entry says what is booted, whatever the defaults say. */
static void read_entries(struct audit_facts *facts)
{
	struct fact_boot *boot = &facts->boot;
	char *env = NULL, *text = NULL;
	struct entry entry = { .is_saved = false };
	size_t n_env = 0, n;

	if (gather_read(facts, boot->grubenv, &env, &n_env) != FACT_FILE_READ)
		n_env = 0;
	if (n_env && grubenv_value((struct slice){ env, n_env }, "saved_entry", entry.saved,
				   sizeof entry.saved - sizeof ".conf"))
		strcat(entry.saved, ".conf");
	gather_list(facts, boot->entries, ".conf", consider_entry, &entry);
	if (entry.path[0] && gather_read(facts, entry.path, &text, &n) == FACT_FILE_READ) {
		if (read_options((struct slice){ text, n }, (struct slice){ env, n_env },
				 boot->configured, sizeof boot->configured))
			boot->is_configured_known = FACT_YES;
		strcpy(boot->configured_by, entry.path);
		free(text);
	}
	free(env);
}

static void join(const struct command_line *line, struct fact_boot *boot)
{
	const char *blank = line->always[0] && line->ordinary[0] ? " " : "";

	if (snprintf(boot->configured, sizeof boot->configured, "%s%s%s", line->always, blank,
		     line->ordinary) >= (int)sizeof boot->configured)
		return;
	strcpy(boot->configured_by, line->last_file);
	if (line->is_plain && boot->defaults_file == FACT_FILE_READ)
		boot->is_configured_known = FACT_YES;
}

void gather_boot(struct audit_facts *facts)
{
	struct fact_boot *boot = &facts->boot;
	struct command_line *line = malloc(sizeof *line);
	bool has_bls;

	boot->is_running_known =
		gather_word(facts, "/proc/cmdline", boot->running, sizeof boot->running);
	if (!line)
		return;
	read_defaults(facts, line, &has_bls);
	strcpy(boot->defaults_line, line->always);
	find_tool(facts, has_bls);
	if (boot->tool == BOOT_GRUBBY)
		read_entries(facts);
	else if (boot->tool != BOOT_UNKNOWN)
		join(line, boot);
	free(line);
}
