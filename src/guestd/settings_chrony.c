/* SPDX-License-Identifier: Apache-2.0 */

/*
 * settings_chrony.c - the directives of chrony 4.0 to 4.8 that have no effect here
 *
 * They are known so that a chrony.conf loads as it is.  Each is read in the form that chrony reads
 * it in, and refused where chrony refuses it; then a note says why nothing comes of it.  As chrony,
 * numbers are not limited while a file is read.
 */

#include <string.h>

#include "base/address.h"
#include "base/log.h"
#include "guestd/settings_table.h"
#include "guestd/settings_values.h"

#define WORD_MAX 256

static const char *const AUTH_MODES[] = { "require", "prefer", "mix", "ignore", NULL };
static const char *const LEAP_MODES[] = { "system", "step", "slew", "ignore", NULL };
static const char *const RX_FILTERS[] = { "all", "ntp", "ptp", "none", NULL };

/* The forms that several directives share. */
/* clang-format off */
#define NOTHING    { { .kind = CONF_NONE } }
#define AN_INTEGER { ANY_WHOLE("N", 0) }
#define A_NUMBER   { DECIMAL("NUMBER", 0) }
#define A_WORD     { TEXT("WORD", 0, WORD_MAX) }
#define ADDRESS    { CONF_ADDRESS, "ADDRESS", 0, 0, CONF_ADDRESS_MAX - 1, NULL }
/* clang-format on */

/* What may follow them. */
static const struct conf_value MORE_INTEGERS = ANY_WHOLE("N", 0);
static const struct conf_value MORE_WORDS = TEXT("WORD", 0, WORD_MAX);

/* chrony reads none of these words any more either. */
static int read_anything(const struct conf_row *row, void *target, struct slice words,
			 struct conf_reader *reader)
{
	(void)row;
	(void)target;
	(void)words;
	(void)reader;
	return 0;
}

static int refuse_words(const struct conf_row *row, const char *expected, struct slice words,
			struct conf_reader *reader)
{
	char quote[80];

	return conf_refuse(reader, "%s: expected %s, got %s", row->name, expected,
			   words.n ? log_quote(words.p, words.n, quote, sizeof quote)
				   : "the end of the line");
}

/* What cannot be an address: chrony looks it up, which nothing without effect is worth. */
bool settings_is_host_name(struct slice s)
{
	bool has_letter = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		has_letter |= is_letter;
		if (!is_letter && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_')
			return false;
	}
	return has_letter;
}

/* [all] [SUBNET] */
static int read_access(const struct conf_row *row, void *target, struct slice words,
		       struct conf_reader *reader)
{
	struct slice rest = words, word = slice_word(&rest);

	struct subnet net;

	(void)target;
	if (slice_equals_nocase(word, "all"))
		word = slice_word(&rest);
	if (!word.n || ((subnet_read(word, &net) || settings_is_host_name(word)) && !slice_trim(rest).n))
		return 0;
	return refuse_words(row, "[all] [SUBNET], such as 10.0.0.0/8", words, reader);
}

/* FILE INTERVAL POINTS-FILE, or FILE INTERVAL T0 K0 K1 K2 */
static int read_tempcomp(const struct conf_row *row, void *target, struct slice words,
			 struct conf_reader *reader)
{
	struct slice rest = words, word;
	unsigned n = 0, n_numbers = 0;
	double number;

	(void)target;
	if (!slice_word(&rest).n || !slice_to_double(slice_word(&rest), &number))
		return refuse_words(row, "a file and an interval", words, reader);
	words = slice_trim(rest);
	while ((word = slice_word(&rest)).n) {
		n++;
		n_numbers += slice_to_double(word, &number);
	}
	if (n == 1 || (n == 4 && n_numbers == 4))
		return 0;
	return refuse_words(row, "a file of points or four numbers", words, reader);
}

/* [SET] PATH */
static int read_trusted(const struct conf_row *row, void *target, struct slice words,
			struct conf_reader *reader)
{
	struct slice rest = words, first = slice_word(&rest), second = slice_word(&rest);
	int64_t id;

	(void)target;
	if (!first.n || slice_trim(rest).n || (second.n && !slice_to_int(first, &id)))
		return refuse_words(row, "[SET] PATH, the set being a number", words, reader);
	return 0;
}

/* clang-format off */
#define OPTION(name, ...) { name, CONF_SET, __VA_ARGS__, .help = "" }

static const struct conf_row RATE_OPTIONS[] = {
	OPTION("interval", AN_INTEGER), OPTION("burst", AN_INTEGER),
	OPTION("leak", AN_INTEGER), OPTION("kod", AN_INTEGER),
};
static const struct conf_row LOCAL_OPTIONS[] = {
	OPTION("stratum", { WHOLE("N", 0, 1, 15) }),
	OPTION("orphan", NOTHING), OPTION("distance", A_NUMBER),
	OPTION("activate", A_NUMBER), OPTION("waitsynced", A_NUMBER),
	OPTION("waitunsynced", A_NUMBER),
};
static const struct conf_row SMOOTH_OPTIONS[] = { OPTION("leaponly", NOTHING) };
static const struct conf_row STAMP_OPTIONS[] = {
	OPTION("minpoll", AN_INTEGER), OPTION("maxpoll", AN_INTEGER),
	OPTION("minsamples", AN_INTEGER), OPTION("maxsamples", AN_INTEGER),
	OPTION("precision", A_NUMBER), OPTION("txcomp", A_NUMBER),
	OPTION("rxcomp", A_NUMBER), OPTION("nocrossts", NOTHING),
	OPTION("rxfilter", { CHOICE("FILTER", 0, RX_FILTERS) }),
};
/* clang-format on */

static const struct conf_table RATE_TABLE = CONF_TABLE(RATE_OPTIONS);
static const struct conf_table LOCAL_TABLE = CONF_TABLE(LOCAL_OPTIONS);
static const struct conf_table SMOOTH_TABLE = CONF_TABLE(SMOOTH_OPTIONS);
static const struct conf_table STAMP_TABLE = CONF_TABLE(STAMP_OPTIONS);

#define NO_NTP     "NTP sources are not built yet"
#define NO_SERVER  "this version serves no time to others"
#define NO_MANUAL  "no time can be entered by hand"
#define NO_VOTE    "nothing is voted on without NTP sources"
#define NO_TUNING  "vmtimed's own estimator and servo do not use it"
#define NO_BOUND   "vmtimed reckons with 50 ppm until readings prove the rate"
#define NO_LEAPS   "leap seconds are left to the kernel"
#define NO_DUMPS   "no history of a source is worth keeping over a restart"
#define NO_MAIL    "vmtimed runs no programs; each step is in the log"
#define NO_RTC     "the kernel keeps the RTC by rtcsync"
#define NO_UTC     "the RTC is always read as UTC"
#define OBSOLETE   "chrony does not use it any more"

/* clang-format off */
#define IGNORE(name, ...) { name, CONF_IGNORE, __VA_ARGS__ }

static const struct conf_row ROWS[] = {
	IGNORE("initstepslew", A_NUMBER, .rest = &MORE_WORDS, .help = NO_NTP),
	IGNORE("keyfile", A_WORD, .help = NO_NTP),
	IGNORE("refresh", AN_INTEGER, .help = NO_NTP),
	IGNORE("dscp", AN_INTEGER, .help = NO_NTP),
	IGNORE("maxtxbuffers", AN_INTEGER, .help = NO_NTP),
	IGNORE("acquisitionport", AN_INTEGER, .help = NO_NTP),
	IGNORE("bindacqaddress", { ADDRESS }, .help = NO_NTP),
	IGNORE("bindacqdevice", A_WORD, .help = NO_NTP),
	IGNORE("hwtimestamp", A_WORD, .options = &STAMP_TABLE, .help = NO_NTP),
	IGNORE("hwtstimeout", A_NUMBER, .help = NO_NTP),
	IGNORE("ptpport", AN_INTEGER, .help = NO_NTP),
	IGNORE("ptpdomain", AN_INTEGER, .help = NO_NTP),
	IGNORE("authselectmode", { CHOICE("MODE", 0, AUTH_MODES) }, .help = NO_NTP),
	IGNORE("ntsdumpdir", A_WORD, .help = NO_NTP),
	IGNORE("ntsrefresh", AN_INTEGER, .help = NO_NTP),
	IGNORE("ntsaeads", AN_INTEGER, .rest = &MORE_INTEGERS, .help = NO_NTP),
	IGNORE("ntstrustedcerts", .words = read_trusted, .help = NO_NTP),
	IGNORE("nocerttimecheck", AN_INTEGER, .help = NO_NTP),
	IGNORE("nosystemcert", NOTHING, .help = NO_NTP),

	IGNORE("port", AN_INTEGER, .help = NO_SERVER),
	IGNORE("allow", .words = read_access, .help = NO_SERVER),
	IGNORE("deny", .words = read_access, .help = NO_SERVER),
	IGNORE("local", .options = &LOCAL_TABLE, .help = NO_SERVER),
	IGNORE("bindaddress", { ADDRESS }, .help = NO_SERVER),
	IGNORE("binddevice", A_WORD, .help = NO_SERVER),
	IGNORE("broadcast", { ANY_WHOLE("INTERVAL", 0), ADDRESS }, .rest = &MORE_INTEGERS,
	       .rest_max = 1, .help = NO_SERVER),
	IGNORE("ratelimit", .options = &RATE_TABLE, .help = NO_SERVER),
	IGNORE("ntsratelimit", .options = &RATE_TABLE, .help = NO_SERVER),
	IGNORE("clientloglimit", AN_INTEGER, .help = NO_SERVER),
	IGNORE("noclientlog", NOTHING, .help = NO_SERVER),
	IGNORE("smoothtime", { DECIMAL("FREQUENCY", 0), DECIMAL("WANDER", 0) },
	       .options = &SMOOTH_TABLE, .help = NO_SERVER),
	IGNORE("ntpsigndsocket", A_WORD, .help = NO_SERVER),
	IGNORE("ntsport", AN_INTEGER, .help = NO_SERVER),
	IGNORE("ntsservercert", A_WORD, .help = NO_SERVER),
	IGNORE("ntsserverkey", A_WORD, .help = NO_SERVER),
	IGNORE("ntsprocesses", AN_INTEGER, .help = NO_SERVER),
	IGNORE("ntsrotate", AN_INTEGER, .help = NO_SERVER),
	IGNORE("ntsntpserver", A_WORD, .help = NO_SERVER),
	IGNORE("ntscachedir", A_WORD, .help = NO_SERVER),
	IGNORE("maxntsconnections", AN_INTEGER, .help = NO_SERVER),

	IGNORE("manual", NOTHING, .help = NO_MANUAL),

	IGNORE("minsources", AN_INTEGER, .help = NO_VOTE),
	IGNORE("maxdistance", A_NUMBER, .help = NO_VOTE),
	IGNORE("maxjitter", A_NUMBER, .help = NO_VOTE),
	IGNORE("stratumweight", A_NUMBER, .help = NO_VOTE),
	IGNORE("reselectdist", A_NUMBER, .help = NO_VOTE),
	IGNORE("combinelimit", A_NUMBER, .help = NO_VOTE),

	IGNORE("maxupdateskew", A_NUMBER, .help = NO_TUNING),
	IGNORE("corrtimeratio", A_NUMBER, .help = NO_TUNING),
	IGNORE("maxdrift", A_NUMBER, .help = NO_TUNING),
	IGNORE("fallbackdrift", { ANY_WHOLE("MIN", 0), ANY_WHOLE("MAX", 0) }, .help = NO_TUNING),
	IGNORE("minsamples", AN_INTEGER, .help = NO_TUNING),
	IGNORE("maxsamples", AN_INTEGER, .help = NO_TUNING),
	IGNORE("clockprecision", A_NUMBER, .help = NO_TUNING),
	IGNORE("tempcomp", .words = read_tempcomp, .help = NO_TUNING),

	IGNORE("maxclockerror", A_NUMBER, .help = NO_BOUND),
	IGNORE("leapsectz", A_WORD, .help = NO_LEAPS),
	IGNORE("leapseclist", A_WORD, .help = NO_LEAPS),
	IGNORE("leapsecmode", { CHOICE("MODE", 0, LEAP_MODES) }, .help = NO_LEAPS),

	IGNORE("mailonchange", { TEXT("ADDRESS", 0, WORD_MAX), DECIMAL("NUMBER", 0) },
	       .help = NO_MAIL),
	IGNORE("dumpdir", A_WORD, .help = NO_DUMPS),
	IGNORE("dumponexit", .words = read_anything, .help = NO_DUMPS),

	IGNORE("rtcfile", A_WORD, .help = NO_RTC),
	IGNORE("rtcdevice", A_WORD, .help = NO_RTC),
	IGNORE("rtcautotrim", A_NUMBER, .help = NO_RTC),

	IGNORE("rtconutc", NOTHING, .help = NO_UTC),
	IGNORE("hwclockfile", A_WORD, .help = NO_UTC),

	IGNORE("commandkey", .words = read_anything, .help = OBSOLETE),
	IGNORE("generatecommandkey", .words = read_anything, .help = OBSOLETE),
	IGNORE("linux_hz", .words = read_anything, .help = OBSOLETE),
	IGNORE("linux_freq_scale", .words = read_anything, .help = OBSOLETE),
};
/* clang-format on */

const struct conf_table SETTINGS_CHRONY_TABLE = CONF_TABLE(ROWS);
