/* SPDX-License-Identifier: Apache-2.0 */

/* rules_table.c - the table of rules, in the order in which findings of one severity are shown */

#include "audit/rules.h"

/* clang-format off */
static const struct finding_rule RULES[] = {
	{ .id = "container", .site = SITE_BOTH, .worst = FINDING_NOTE,
	  .title = "whose clock it is",
	  .reason = "A container has no clock of its own.",
	  .quiet = "It is the only rule that is looked at in a container.",
	  .remedy = "Look at the machine that it runs on.",
	  .judge = rule_container },
	{ .id = "ptp-kvm", .site = SITE_GUEST, .worst = FINDING_WARNING,
	  .title = "the host's clock as a device, now and after a boot",
	  .reason = "Through ptp_kvm a guest reads its host's clock to less than a microsecond; the "
		    "module is not loaded by itself.",
	  .quiet = "It does not fire where the module is built in, or the kernel has none.",
	  .remedy = "fix writes /etc/modules-load.d/ptp_kvm.conf and loads the module.",
	  .judge = rule_ptp_kvm },
	{ .id = "constant-tsc", .site = SITE_HOST, .worst = FINDING_WARNING,
	  .title = "a TSC that is constant and never stops",
	  .reason = "A host whose TSC changes its rate or stops cannot give its guests a steady clock.",
	  .quiet = "In a guest it says nothing: there kvm-clock accounts for it.",
	  .remedy = "See cstates and frequency, which keep such a TSC steady.",
	  .judge = rule_constant_tsc },
	{ .id = "clocksource", .site = SITE_BOTH, .worst = FINDING_BROKEN,
	  .title = "the counter beneath the kernel's clock",
	  .reason = "On a host that has given up the TSC ptp_kvm does not work in any guest, and every "
		    "reading of the clock is a system call and slow.",
	  .quiet = "tsc and kvm-clock are both right.",
	  .remedy = "fix takes away a clocksource= of the kernel's command line; what the kernel decided "
		    "by itself is for a person to find out.",
	  .judge = rule_clocksource },
	{ .id = "cstates", .site = SITE_HOST, .worst = FINDING_WARNING,
	  .title = "idle states in which the TSC may stop",
	  .reason = "Without a TSC that never stops, deep idle states stop the guests' clock with it.",
	  .quiet = "It is only a note where the TSC never stops.",
	  .remedy = "fix adds processor.max_cstate=1 to the kernel's command line.",
	  .judge = rule_cstates },
};
/* clang-format on */

const struct finding_rule *findings_rule(size_t i)
{
	return i < COUNT(RULES) ? &RULES[i] : NULL;
}
