/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/driftfile.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define PPB_PER_PPM 1000.0
#define COLUMN      20 /* characters a number, right-aligned, as chrony writes them */

enum driftfile_outcome driftfile_decode(const char *text, size_t length, struct drift *ret)
{
	struct slice rest = slice_trim((struct slice){ text, length });
	struct slice line = slice_cut(&rest, '\n');
	struct slice fast_word, skew_word;
	double fast_ppm, skew_ppm;

	if (length > DRIFTFILE_MAX)
		return DRIFTFILE_CORRUPT;
	if (!line.n)
		return DRIFTFILE_EMPTY;

	fast_word = slice_word(&line);
	skew_word = slice_word(&line);
	if (slice_trim(line).n || rest.n)
		return DRIFTFILE_CORRUPT;
	if (!slice_to_double(fast_word, &fast_ppm) || !slice_to_double(skew_word, &skew_ppm))
		return DRIFTFILE_CORRUPT;

	/* Written so that what is not a number fails as well. */
	if (!(fast_ppm >= -DRIFTFILE_RATE_MAX && fast_ppm <= DRIFTFILE_RATE_MAX) ||
	    !(skew_ppm >= 0 && skew_ppm <= DRIFTFILE_RATE_MAX))
		return DRIFTFILE_OUT_OF_RANGE;

	*ret = (struct drift){ { fast_ppm * PPB_PER_PPM }, { skew_ppm * PPB_PER_PPM } };
	return DRIFTFILE_READ;
}

const char *driftfile_explain(enum driftfile_outcome outcome)
{
	switch (outcome) {
	case DRIFTFILE_READ: return "is good";
	case DRIFTFILE_EMPTY: return "is empty";
	case DRIFTFILE_CORRUPT: return "is not two numbers in one line";
	case DRIFTFILE_OUT_OF_RANGE: return "holds a rate that no clock can have";
	}
	return "is unknown";
}

/* In units of the sixth decimal of a ppm, clamped. */
static int64_t to_millionths(vt_rate rate, double min_ppm)
{
	double ppm = rate.ppb / PPB_PER_PPM;

	if (!(ppm == ppm))
		ppm = 0;
	if (ppm < min_ppm)
		ppm = min_ppm;
	if (ppm > DRIFTFILE_RATE_MAX)
		ppm = DRIFTFILE_RATE_MAX;
	return (int64_t)(ppm * 1e6 + (ppm < 0 ? -0.5 : 0.5));
}

/* By hand, since printf would ask the locale for the decimal point. */
static void write_number(char column[COLUMN], int64_t millionths)
{
	bool is_negative = millionths < 0;
	int64_t rest = is_negative ? -millionths : millionths;
	size_t at = COLUMN;

	for (size_t i = 0; i < COLUMN; i++)
		column[i] = ' ';
	for (int digit = 0; digit <= 6 || rest > 0; digit++) {
		if (digit == 6)
			column[--at] = '.';
		column[--at] = (char)('0' + rest % 10);
		rest /= 10;
	}
	if (is_negative)
		column[--at] = '-';
}

size_t driftfile_encode(const struct drift *drift, char ret[DRIFTFILE_MAX])
{
	write_number(ret, to_millionths(drift->fast, -DRIFTFILE_RATE_MAX));
	ret[COLUMN] = ' ';
	write_number(ret + COLUMN + 1, to_millionths(drift->skew, 0));
	ret[2 * COLUMN + 1] = '\n';
	return 2 * COLUMN + 2;
}
