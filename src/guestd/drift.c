/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/drift.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/log.h"
#include "os/files.h"
#include "wire/driftfile.h"

/* What a clock that nobody measured may be off by: crystals and the host's calibration of its TSC. */
#define UNKNOWN VT_PPM(100)

/* A remembered rate is not trusted beyond this: the machine may have migrated since. */
#define REMEMBERED VT_PPM(1)

void drift_load(const char *path, vt_rate fallback, vt_rate *ret_rate, vt_rate *ret_sigma)
{
	struct drift drift;
	enum driftfile_outcome outcome;
	char *text;
	size_t length;
	int r;

	/* More than two crystals can differ by is a slew that somebody left behind, not the clock's own rate. */
	*ret_rate = fabs(fallback.ppb) <= 2 * UNKNOWN.ppb ? fallback : (vt_rate){ 0 };
	*ret_sigma = UNKNOWN;
	if (!*path)
		return;
	r = file_read(path, DRIFTFILE_MAX, &text, &length);
	if (r == -ENOENT)
		return; /* the first start */
	if (r < 0) {
		log_cope(r, "drift file %s is not used", path);
		return;
	}
	outcome = driftfile_decode(text, length, &drift);
	free(text);
	if (outcome != DRIFTFILE_READ) {
		log_warn("drift file %s %s: not used", path, driftfile_explain(outcome));
		return;
	}
	*ret_rate = (vt_rate){ -drift.fast.ppb };
	*ret_sigma = (vt_rate){ drift.skew.ppb > REMEMBERED.ppb ? drift.skew.ppb : REMEMBERED.ppb };
	log_info("drift file %s: frequency %.3f ppm", path, drift.fast.ppb / 1e3);
}

int drift_load_left(vt_rate *ret)
{
	struct drift drift;
	char *text;
	size_t length;
	int r = file_read(DRIFT_RUN_PATH, DRIFTFILE_MAX, &text, &length);

	if (r < 0)
		return r;
	r = driftfile_decode(text, length, &drift) == DRIFTFILE_READ ? 0 : -EBADMSG;
	free(text);
	if (r == 0)
		*ret = (vt_rate){ -drift.fast.ppb };
	return r;
}

int drift_save(const char *path, vt_rate rate, vt_rate sigma, int *last_error)
{
	struct drift drift = { .fast = { -rate.ppb }, .skew = sigma };
	char text[DRIFTFILE_MAX];
	size_t length = driftfile_encode(&drift, text);
	int r = file_replace(path, text, length, 0644);

	if (r < 0 && r != *last_error)
		log_cope(r, "drift file %s could not be saved, the old one stays", path);
	if (r == 0)
		log_debug("drift file %s saved", path);
	*last_error = r;
	return r;
}
