/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evidence.h"

#include <stddef.h>

/* By the number of the bit. */
static const char *const NAMES[EVIDENCE_BITS] = {
	"readings",
	"marker",
	"generation",
	"suspend",
	"nudge",
	"clock-set",
	"late",
	"host-paused",
	"host-restored",
	"host-migrated",
	"host-stepped",
	"second-agrees",
	"contradicted",
	"rtc",
	"leap",
	"told",
};

const char *evidence_name(enum evidence one)
{
	for (size_t i = 0; i < EVIDENCE_BITS; i++)
		if ((unsigned)one == 1u << i)
			return NAMES[i];
	return "unknown";
}
