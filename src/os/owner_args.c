/* SPDX-License-Identifier: Apache-2.0 */
#include "os/owner_args.h"

#include <string.h>

/* The argument behind @arg, NULL behind the last one; @arg NULL: the first, argv[0]. */
static const char *next_arg(const struct owner_args *args, const char *arg)
{
	arg = arg ? arg + strlen(arg) + 1 : args->text;
	return arg < args->text + args->length ? arg : NULL;
}

static const char *second_arg(const struct owner_args *args)
{
	const char *first = next_arg(args, NULL);

	return first ? next_arg(args, first) : NULL;
}

static bool has_arg(const struct owner_args *args, const char *text)
{
	for (const char *arg = second_arg(args); arg; arg = next_arg(args, arg))
		if (strcmp(arg, text) == 0)
			return true;
	return false;
}

/*
 * Looks for the short option @wanted as getopt(3) would: letters may share a dash, and one of
 * @with_value takes the rest of its word or the next word.  Long options are passed over.  *@value
 * becomes the value of the last one, "" for an option without.  Returns how often it is there.
 */
static unsigned find_option(const struct owner_args *args, char wanted, const char *with_value,
			    const char **value)
{
	const char *arg = second_arg(args);
	unsigned count = 0;

	for (; arg && strcmp(arg, "--") != 0; arg = arg ? next_arg(args, arg) : NULL) {
		if (arg[0] != '-' || arg[1] == '-')
			continue;
		for (const char *letter = arg + 1; *letter; letter++) {
			bool takes_value = strchr(with_value, *letter) != NULL;
			char option = *letter;
			const char *text = letter + 1;

			if (takes_value && !*text) {
				arg = next_arg(args, arg);
				text = arg ? arg : "";
			}
			if (option == wanted) {
				count++;
				*value = takes_value ? text : "";
			}
			if (takes_value)
				break;
		}
	}
	return count;
}

/* The value of "--name=value" or "--name value", NULL without. */
static const char *find_long(const struct owner_args *args, const char *name)
{
	size_t length = strlen(name);

	for (const char *arg = second_arg(args); arg; arg = next_arg(args, arg)) {
		if (strncmp(arg, "--", 2) != 0 || strncmp(arg + 2, name, length) != 0)
			continue;
		if (arg[2 + length] == '=')
			return arg + 2 + length + 1;
		if (arg[2 + length] == '\0')
			return next_arg(args, arg);
	}
	return NULL;
}

/* The last value of @key in linuxptp's configuration, "key value" a line; empty without. */
static struct slice find_key(struct slice config, const char *key)
{
	struct slice found = { NULL, 0 };

	while (config.n) {
		struct slice line = slice_cut(&config, '\n');

		if (slice_equals(slice_word(&line), key))
			found = slice_word(&line);
	}
	return found;
}

/* linuxptp's setting @key: on the command line, else in the file. */
static struct slice find_setting(const struct owner_args *args, struct slice config,
				 const char *key)
{
	const char *value = find_long(args, key);

	return value ? slice_of(value) : find_key(config, key);
}

static bool is_text(const char *value, const char *text)
{
	return value && strcmp(value, text) == 0;
}

bool owner_args_chronyd(const struct owner_args *args, struct slice config)
{
	static const char WITH_VALUE[] = "fFLlPtu";
	const char *ignored;

	(void)config;
	return !find_option(args, 'x', WITH_VALUE, &ignored) &&
	       !find_option(args, 'Q', WITH_VALUE, &ignored) &&
	       !find_option(args, 'p', WITH_VALUE, &ignored);
}

bool owner_args_busybox(const struct owner_args *args, struct slice config)
{
	const char *applet = second_arg(args);
	const char *ignored;

	(void)config;
	if (!is_text(applet, "ntpd"))
		return false;
	return !find_option(args, 'w', "pSIk", &ignored);
}

/* A servo of linuxptp that hands its readings to another program instead of steering. */
static bool feeds_another(struct slice servo)
{
	return slice_equals(servo, "ntpshm") || slice_equals(servo, "refclock_sock");
}

bool owner_args_phc2sys(const struct owner_args *args, struct slice config)
{
	static const char WITH_VALUE[] = "cdfsEPISFRNOLMiuntlzDT";
	const char *value = NULL;

	if (find_option(args, 'E', WITH_VALUE, &value)) {
		if (feeds_another(slice_of(value)))
			return false;
	} else if (feeds_another(find_setting(args, config, "clock_servo"))) {
		return false;
	}
	if (find_option(args, 'a', WITH_VALUE, &value))
		return find_option(args, 'r', WITH_VALUE, &value) > 0;
	if (find_option(args, 'c', WITH_VALUE, &value))
		return is_text(value, "CLOCK_REALTIME");
	return true;
}

bool owner_args_ptp4l(const struct owner_args *args, struct slice config)
{
	static const char WITH_VALUE[] = "fipl";
	struct slice stamps = find_setting(args, config, "time_stamping");
	const char *ignored;

	if (slice_equals(find_setting(args, config, "free_running"), "1") ||
	    feeds_another(find_setting(args, config, "clock_servo")))
		return false;
	if (find_option(args, 'H', WITH_VALUE, &ignored))
		return false;
	return find_option(args, 'S', WITH_VALUE, &ignored) > 0 ||
	       slice_equals(stamps, "software") || slice_equals(stamps, "legacy");
}

bool owner_args_vmtoolsd(const struct owner_args *args, struct slice config)
{
	const char *value = NULL;

	(void)config;
	return !(find_option(args, 'n', "ncpb", &value) && is_text(value, "vmusr")) &&
	       !is_text(find_long(args, "name"), "vmusr");
}

bool owner_args_vboxservice(const struct owner_args *args, struct slice config)
{
	(void)config;
	return !has_arg(args, "--disable-timesync");
}

const char *owner_args_config_path(const struct owner_args *args)
{
	const char *path = NULL;

	/* -f means the same to ptp4l and phc2sys; phc2sys has more letters with values. */
	return find_option(args, 'f', "cdfsEPISFRNOLMiuntlzDTp", &path) ? path : NULL;
}
