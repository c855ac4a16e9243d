/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_GUEST_TEXT_H
#define CLI_GUEST_TEXT_H

/*
 * guest_text.h - a host's guests in lines, the worst first
 *
 * For `vmtime guests`, once or live: each line is printable ASCII and knows how bad
 * its news is.  Pure: no clock, no terminal.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/units.h"
#include "proto/fleet.h"

#define GUEST_LINE_MAX 512

/* How much a line needs somebody's eye. */
enum guest_concern {
	GUEST_FINE,
	GUEST_BUSY,  /* something is being done about it            */
	GUEST_WRONG, /* its clock is wrong, or could not be put right */
	GUEST_IDLE,  /* stopped, or nothing known                    */
	GUEST_TITLE, /* the line above the others                   */
	GUEST_ASIDE, /* a note beneath a guest                      */
};

/* Sorts: what is wrong, what is being done, what is fine, what stands still; then by name. */
void guest_text_sort(struct fleet_report *report);

enum guest_concern guest_text_concern(const struct fleet_guest *guest, vt_span threshold);

/*
 * Line @i of what is to be shown at the host's time @now; each returns false, with @to untouched,
 * where there are no more.  First the host and its alerts, then a heading, and guests with a
 * note beneath where they have one.
 */
struct guest_lines {
	const struct fleet_report *report;
	vt_real now;
	unsigned at, guest; /* the next line, the next guest */
	bool is_noted;      /* the next line is the note of the guest before */
	int name_width;
};

void guest_lines_begin(struct guest_lines *l, const struct fleet_report *report, vt_real now);
bool guest_lines_next(struct guest_lines *l, char to[GUEST_LINE_MAX], enum guest_concern *ret);

#endif
