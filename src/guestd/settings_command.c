/* SPDX-License-Identifier: Apache-2.0 */

/* settings_command.c - the directives about chronyc's access, as chrony has them */

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/attr.h"
#include "base/log.h"
#include "guestd/settings_table.h"
#include "guestd/settings_values.h"

/* In the order of enum candm_open. */
static const char *const OPEN_COMMANDS[] = {
	"activity",   "authdata",    "clients",   "manual",     "ntpdata", "rtcdata",
	"selectdata", "serverstats", "smoothing", "sourcename", "sources", "sourcestats",
	"tracking",   NULL,
};

_Static_assert(1 << (COUNT(OPEN_COMMANDS) - 2) == CANDM_OPEN_TRACKING, "a name for each bit");

static struct candm_address address_of(const struct address *a)
{
	struct candm_address ret = { .family = a->family == ADDRESS_IPV4 ? CANDM_IPV4 : CANDM_IPV6 };

	memcpy(ret.bytes, a->bytes, sizeof ret.bytes);
	return ret;
}

static void format_address(const struct candm_address *a, char to[ADDRESS_TEXT_MAX])
{
	struct address address = {
		.family = a->family == CANDM_IPV4 ? ADDRESS_IPV4 : ADDRESS_IPV6,
	};

	memcpy(address.bytes, a->bytes, sizeof address.bytes);
	address_write(&address, to);
}

static struct candm_conf *conf_of(void *target)
{
	return &((struct settings_builder *)target)->settings.command;
}

/* --- bindcmdaddress: of each family one, and one path --- */

static void *bind_open(void *target)
{
	((struct settings_builder *)target)->word[0] = '\0';
	return target;
}

static int bind_close(void *target, struct conf_reader *reader)
{
	struct settings_builder *b = target;
	struct slice word = slice_of(b->word);
	struct address address;
	char quote[80];

	if (word.n < CANDM_PATH_MAX && word.p[0] == '/') {
		strcpy(conf_of(target)->path, b->word);
		return 0;
	}
	if (!address_read(word, &address))
		return conf_refuse(reader,
				   "bindcmdaddress: expected an address, or a path of at most %d "
				   "bytes, got %s",
				   CANDM_PATH_MAX - 1, log_quote(word.p, word.n, quote, sizeof quote));
	if (address.family == ADDRESS_IPV4)
		conf_of(target)->bind4 = address_of(&address);
	else
		conf_of(target)->bind6 = address_of(&address);
	return 0;
}

static const void *bind_element(void *target, unsigned i)
{
	struct settings_builder *b = target;
	const struct candm_conf *conf = conf_of(target);

	if (!*conf->path)
		i++;
	switch (i) {
	case 0: snprintf(b->word, sizeof b->word, "%s", conf->path); return b;
	case 1: format_address(&conf->bind4, b->word); return b;
	case 2: format_address(&conf->bind6, b->word); return b;
	default: return NULL;
	}
}

/* --- cmdallow, cmddeny: put together while they are read, so that their order is no matter --- */

static void *rule_open(void *target)
{
	return target;
}

static int rule_close(void *target, struct conf_reader *reader)
{
	(void)target;
	(void)reader;
	return 0;
}

static int read_rule(const struct conf_row *row, void *target, struct slice words,
		     struct conf_reader *reader)
{
	struct slice rest = words, word = slice_word(&rest);
	bool is_for_all = slice_equals_nocase(word, "all");
	bool is_allowing = strcmp(row->name, "cmdallow") == 0;
	struct candm_address address = { .family = CANDM_UNSPECIFIED };
	struct subnet net = { .bits = 0 };
	char quote[80];

	if (is_for_all)
		word = slice_word(&rest);
	/* Who is not let in has lost nothing but an answer; who is not kept out would be let in. */
	if (is_allowing && settings_is_host_name(word) && !slice_trim(rest).n) {
		conf_warn(reader, "%s: names are not looked up; the line is ignored", row->name);
		return 0;
	}
	if ((word.n && !subnet_read(word, &net)) || slice_trim(rest).n)
		return conf_refuse(reader, "%s: expected [all] [SUBNET], such as 10.0.0.0/8, got %s",
				   row->name, log_quote(words.p, words.n, quote, sizeof quote));
	if (word.n)
		address = address_of(&net.address);
	if (!candm_access_add(&conf_of(target)->access, &address, (int)net.bits,
			      is_allowing, is_for_all))
		return conf_refuse(reader, "%s: expected at most %d different subnets", row->name,
				   CANDM_ACCESS_MAX);
	return 0;
}

/* The @i-th rule that allows, or denies. */
static const void *rule_element(void *target, unsigned i, bool is_allowed)
{
	struct settings_builder *b = target;
	const struct candm_access *access = &conf_of(target)->access;
	char text[ADDRESS_TEXT_MAX];

	for (unsigned k = 0; k < access->n; k++) {
		const struct candm_access_rule *rule = &access->rules[k];

		if (rule->is_allowed != is_allowed || i-- > 0)
			continue;
		format_address(&rule->subnet, text);
		snprintf(b->word, sizeof b->word, "%s/%d", text, rule->bits);
		return b;
	}
	return NULL;
}

static const void *allow_element(void *target, unsigned i)
{
	return rule_element(target, i, true);
}

static const void *deny_element(void *target, unsigned i)
{
	return rule_element(target, i, false);
}

/* --- opencommands: the list as a whole --- */

static void *open_open(void *target)
{
	conf_of(target)->is_open_given = true;
	conf_of(target)->open = 0;
	return target;
}

static const void *open_element(void *target, unsigned i)
{
	return i == 0 && conf_of(target)->is_open_given ? target : NULL;
}

#define IN_COMMAND(member) CONF_AT(struct settings_builder, settings.command.member)
#define WORD(name)         TEXT(name, CONF_AT(struct settings_builder, word), CONF_WORD_MAX)

static const struct conf_value MORE_COMMANDS = { CONF_FLAGS, "COMMAND", IN_COMMAND(open), 0, 0,
						 OPEN_COMMANDS };

/* clang-format off */
static const struct conf_row RATE_OPTIONS[] = {
	{ "interval", CONF_SET, { ANY_WHOLE("N", IN_COMMAND(interval)) }, .initial = "-4",
	  .help = "The average interval between answers, as a power of two of a second, from -19 to 12." },
	{ "burst", CONF_SET, { ANY_WHOLE("N", IN_COMMAND(burst)) }, .initial = "8",
	  .help = "How many answers there are at once, from 1 to 255." },
	{ "leak", CONF_SET, { ANY_WHOLE("N", IN_COMMAND(leak)) }, .initial = "2",
	  .help = "One in 2^N of the other requests is answered as well, N from 1 to 4." },
};
static const struct conf_table RATE_TABLE = CONF_TABLE(RATE_OPTIONS);

static const struct conf_row ROWS[] = {
	{ "bindcmdaddress", CONF_SET, { WORD("ADDRESS") },
	  .open = bind_open, .close = bind_close, .element = bind_element,
	  .help = "Where chronyc is answered: an IPv4 address, an IPv6 address, and the path of the "
	          "unix socket, each replacing its default. Without a path it is "
	          "/run/chrony/chronyd.sock, or /run/vmtime/chronyd.sock where that is not to be had; "
	          "/ stands for no unix socket." },
	{ "bindcmddevice", CONF_SET, { TEXT("INTERFACE", IN_COMMAND(device), CANDM_DEVICE_MAX) },
	  .help = "Over UDP answer only what comes in through this interface." },
	{ "cmdport", CONF_SET, { WHOLE("PORT", IN_COMMAND(port), 0, 65535) }, .initial = "323",
	  .help = "The UDP port; 0 for no UDP." },
	{ "cmdallow", CONF_SET, { WORD("[all] [SUBNET]") }, .words = read_rule,
	  .open = rule_open, .close = rule_close, .element = allow_element,
	  .help = "Answer these addresses over UDP; without a subnet, every address. What is "
	          "closer to an address decides; all also undoes what was said of parts of the "
	          "subnet. Loopback is always answered." },
	{ "cmddeny", CONF_SET, { WORD("[all] [SUBNET]") }, .words = read_rule,
	  .open = rule_open, .close = rule_close, .element = deny_element,
	  .help = "Do not answer these." },
	{ "cmdratelimit", CONF_SET, .given = IN_COMMAND(is_limited), .options = &RATE_TABLE,
	  .help = "Limit how often one address outside this machine is answered." },
	{ "opencommands", CONF_SET, .rest = &MORE_COMMANDS,
	  .open = open_open, .close = rule_close, .element = open_element,
	  .help = "What may be asked over UDP; without a name, nothing. Without this line: activity "
	          "manual rtcdata smoothing sourcename sources sourcestats tracking." },
};
/* clang-format on */

const struct conf_table SETTINGS_COMMAND_TABLE = { ROWS, COUNT(ROWS), &SETTINGS_CHRONY_TABLE };
