/* SPDX-License-Identifier: Apache-2.0 */
#include "os/kernel_clock.h"

#include <sys/timex.h>

int kernel_clock_read(const struct os_calls *calls, struct kernel_clock *ret)
{
	struct timex t = { .modes = 0 };
	int state = calls->adjtimex(calls->context, &t);
	const int64_t unit_ns = t.status & STA_NANO ? 1 : 1000;

	if (state < 0)
		return state;
	*ret = (struct kernel_clock){
		.is_synchronized = !(t.status & STA_UNSYNC),
		.max_error = VT_US((int64_t)t.maxerror),
		.left = VT_NS((int64_t)t.offset * unit_ns),
		.leap = t.status & STA_INS ? KERNEL_LEAP_INSERT
		      : t.status & STA_DEL ? KERNEL_LEAP_DELETE
		                           : KERNEL_LEAP_NONE,
	};
	return 0;
}
