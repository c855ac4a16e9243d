/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <time.h>

#include "base/attr.h"
#include "os/owner.h"
#include "os/owner_args.h"
#include "scratch.h"

#define SELF      4000
#define TIME_ONLY "0000000002000000" /* 1 << CAP_SYS_TIME */
#define ALL       "000001ffffffffff"
#define NONE      "0000000000000000"

/* One process of a made-up /proc. */
struct process {
	int pid;
	const char *name;
	const char *capabilities;
	const char *args; /* "|" between them */
	const char *cgroup;
	const char *space; /* user namespace */
	int parent;
};

static void write_field(struct scratch *s, int pid, const char *field, const char *text)
{
	char name[64];

	snprintf(name, sizeof name, "proc/%d/%s", pid, field);
	scratch_write_text(s, name, text);
}

static void add_process(struct scratch *s, const struct process *p)
{
	char text[512], name[64];
	size_t length;

	snprintf(text, sizeof text, "%s\n", p->name);
	write_field(s, p->pid, "comm", text);
	snprintf(text, sizeof text, "Name:\t%s\nPid:\t%d\nPPid:\t%d\nCapEff:\t%s\nSeccomp:\t0\n",
		 p->name, p->pid, p->parent ? p->parent : 1, p->capabilities);
	write_field(s, p->pid, "status", text);
	snprintf(text, sizeof text, "%s", p->cgroup ? p->cgroup : "0::/user.slice\n");
	write_field(s, p->pid, "cgroup", text);

	length = (size_t)snprintf(text, sizeof text, "%s", p->args ? p->args : p->name) + 1;
	for (char *c = text; *c; c++)
		*c = (char)(*c == '|' ? '\0' : *c);
	snprintf(name, sizeof name, "proc/%d/cmdline", p->pid);
	scratch_write(s, name, text, length);

	snprintf(name, sizeof name, "proc/%d/ns/user", p->pid);
	scratch_make_parents(scratch_path(s, name));
	assert_int_equal(symlink(p->space ? p->space : "user:[1]", scratch_path(s, name)), 0);
}

static void add_self(struct scratch *s)
{
	add_process(s, &(struct process){ SELF, "vmtimed", ALL, .parent = 3999 });
}

static enum owner_outcome find(struct scratch *s, struct owner *owner)
{
	return owner_find(s->folder, SELF, owner);
}

static void test_nobody(void **state)
{
	struct scratch *s = *state;
	struct owner owner = { .pid = -7 };

	add_self(s);
	add_process(s, &(struct process){ 1, "systemd", ALL, .args = NULL });
	add_process(s, &(struct process){ 3999, "vmtimed", ALL, .args = NULL });   /* our parent */
	add_process(s, &(struct process){ 4001, "vmtimed", ALL, .parent = SELF }); /* our opener */
	add_process(s, &(struct process){ 700, "qemu-ga", ALL, .args = NULL });
	add_process(s, &(struct process){ 701, "hv_kvp_daemon", ALL, .args = NULL });
	add_process(s, &(struct process){ 702, "chronyd", NONE, .args = NULL });
	add_process(s, &(struct process){ 703, "ntpd", "0000000000000400", .args = NULL });
	add_process(s, &(struct process){ 704, "chronyd", ALL, .space = "user:[2]" });
	assert_int_equal(find(s, &owner), OWNER_NONE);
	assert_int_equal(owner.pid, -7);
}

static void test_known_names_and_their_hand_over(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		struct process p;
		const char *hand_over;
	} cases[] = {
		{ { 710, "chronyd", TIME_ONLY, .cgroup = "0::/system.slice/chrony.service\n" },
		  "systemctl disable --now chrony" },
		{ { 711, "chronyd", ALL, .cgroup = "0::/system.slice/chronyd.service\n" },
		  "systemctl disable --now chronyd" },
		{ { 712, "systemd-timesyn", TIME_ONLY,
		    .cgroup = "0::/system.slice/systemd-timesyncd.service\n" },
		  "systemctl disable --now systemd-timesyncd" },
		{ { 713, "ntpd", TIME_ONLY, .cgroup = "0::/system.slice/ntpsec.service\n" },
		  "systemctl disable --now ntpsec" },
		{ { 714, "ntp-daemon", TIME_ONLY, .cgroup = "0::/system.slice/ntpd-rs.service\n" },
		  "systemctl disable --now ntpd-rs" },
		{ { 715, "phc2sys", ALL, .args = "phc2sys|-s|eth0",
		    .cgroup = "0::/system.slice/system-phc2sys.slice/phc2sys@eth0.service\n" },
		  "systemctl disable --now phc2sys@eth0" },
		{ { 716, "chronyd", ALL, .cgroup = "0::/system.slice/timemaster.service\n" },
		  "systemctl disable --now timemaster" },
		{ { 717, "vmtoolsd", ALL, .cgroup = "0::/system.slice/open-vm-tools.service\n" },
		  "systemctl disable --now open-vm-tools" },
		{ { 718, "VBoxService", ALL,
		    .cgroup = "0::/system.slice/virtualbox-guest-utils.service\n" },
		  "systemctl disable --now virtualbox-guest-utils" },
		{ { 719, "vmtimed", TIME_ONLY, .cgroup = "0::/system.slice/vmtimed.service\n" },
		  "systemctl disable --now vmtimed" },
		{ { 720, "chronyd", ALL,
		    .cgroup = "12:cpu:/\n1:name=systemd:/system.slice/chronyd.service\n0::/\n" },
		  "systemctl disable --now chronyd" },
		/* Started by hand over ssh: stopping ssh would be a bad advice. */
		{ { 721, "chronyd", ALL, .cgroup = "0::/system.slice/ssh.service\n" }, "kill 721" },
		{ { 722, "ntpd", ALL, .cgroup = "0::/user.slice/user-0.slice/session-1.scope\n" },
		  "kill 722" },
		/* A container's service is not one of ours. */
		{ { 723, "chronyd", ALL,
		    .cgroup = "0::/system.slice/docker-1.scope/system.slice/chrony.service\n" },
		  "kill 723" },
		{ { 724, "chronyd", ALL, .cgroup = "0::/system.slice/chrony;reboot.service\n" },
		  "kill 724" },
		{ { 725, "chronyd", ALL, .cgroup = "garbage" }, "kill 725" },
		{ { 726, "busybox", ALL, .args = "busybox|ntpd|-p|pool.example" }, "kill 726" },
	};
	/* clang-format on */
	for (size_t i = 0; i < COUNT(cases); i++) {
		void *fresh = NULL;
		struct owner owner = { .pid = -7 };

		assert_int_equal(scratch_setup(&fresh), 0);
		add_self(fresh);
		add_process(fresh, &cases[i].p);
		if (find(fresh, &owner) != OWNER_FOUND || owner.pid != cases[i].p.pid)
			fail_msg("%d %s was not found", cases[i].p.pid, cases[i].p.name);
		assert_string_equal(owner.name, cases[i].p.name);
		assert_string_equal(owner.hand_over, cases[i].hand_over);
		scratch_teardown(&fresh);
	}
}

/* hidepid, processes that vanish half-way, and things that are no processes. */
static void test_incomplete_processes_are_none(void **state)
{
	struct scratch *s = *state;
	struct owner owner;

	add_self(s);
	scratch_make_parents(scratch_path(s, "proc/800/x"));
	write_field(s, 801, "comm", "chronyd\n");
	write_field(s, 802, "comm", "chronyd\n");
	write_field(s, 802, "status", "");
	write_field(s, 803, "comm", "chronyd\n");
	write_field(s, 803, "status", "CapEff:\tnonsense\n");
	write_field(s, 804, "comm", "");
	write_field(s, 805, "comm", "a name that is longer than any name may be");
	write_field(s, 806, "comm", "chronyd\n");
	write_field(s, 806, "status", "State:\tZ (zombie)\nCapEff:\t" ALL "\n");
	scratch_write_text(s, "proc/uptime", "1 2\n");
	scratch_write_text(s, "proc/99x/comm", "chronyd\n");
	assert_int_equal(find(s, &owner), OWNER_NONE);
}

/* Where the links cannot be read (we are no longer root) the maps decide, and doubt means yes. */
static void test_namespace_without_the_right_to_look(void **state)
{
	struct scratch *s = *state;
	struct owner owner;

	add_self(s);
	write_field(s, SELF, "uid_map", "         0          0 4294967295\n");
	write_field(s, 810, "comm", "chronyd\n");
	write_field(s, 810, "status", "CapEff:\t" ALL "\n");
	write_field(s, 810, "uid_map", "         0     100000      65536\n");
	assert_int_equal(find(s, &owner), OWNER_NONE);

	write_field(s, 810, "uid_map", "         0          0 4294967295\n");
	assert_int_equal(find(s, &owner), OWNER_FOUND);
	assert_int_equal(unlink(scratch_path(s, "proc/810/uid_map")), 0);
	assert_int_equal(find(s, &owner), OWNER_FOUND);
	assert_int_equal(owner.pid, 810);
}

static void test_ptp4l_by_its_file(void **state)
{
	struct scratch *s = *state;
	struct owner owner;

	add_self(s);
	add_process(s, &(struct process){ 820, "ptp4l", ALL, .args = "ptp4l|-f|/etc/ptp4l.conf" });
	assert_int_equal(find(s, &owner), OWNER_NONE);
	scratch_write_text(s, "etc/ptp4l.conf", "[global]\ntime_stamping\t\thardware\n");
	assert_int_equal(find(s, &owner), OWNER_NONE);
	scratch_write_text(s, "etc/ptp4l.conf", "[global]\n# x\ntime_stamping\t\tsoftware\n");
	assert_int_equal(find(s, &owner), OWNER_FOUND);
	scratch_write_text(s, "etc/ptp4l.conf", "time_stamping software\nfree_running 1\n");
	assert_int_equal(find(s, &owner), OWNER_NONE);
}

static void test_no_proc(void **state)
{
	struct scratch *s = *state;
	struct owner owner = { .pid = -7 };

	assert_int_equal(find(s, &owner), OWNER_UNKNOWN);
	assert_int_equal(owner.pid, -7);
}

static void test_real_proc_is_understood(void **state)
{
	(void)state;
	struct owner owner = { .pid = -7 };

	/* Whoever steers here, or nobody: but never ourselves. */
	if (owner_find("", getpid(), &owner) == OWNER_FOUND)
		assert_int_not_equal(owner.pid, getpid());
}

/* clang-format off */
static const struct {
	const char *args;
	bool (*steers)(const struct owner_args *args, struct slice config);
	bool want;
} ARGUMENTS[] = {
	{ "chronyd", owner_args_chronyd, true },
	{ "", owner_args_chronyd, true },
	{ "chronyd -F 1", owner_args_chronyd, true },
	{ "chronyd -x", owner_args_chronyd, false },
	{ "chronyd -dx", owner_args_chronyd, false },
	{ "chronyd -F 2 -x", owner_args_chronyd, false },
	{ "chronyd -f x", owner_args_chronyd, true },   /* a file called x */
	{ "chronyd -f -x", owner_args_chronyd, true },  /* a file called -x */
	{ "chronyd -u -x", owner_args_chronyd, true },
	{ "chronyd -fx", owner_args_chronyd, true },
	{ "chronyd -d -- -x", owner_args_chronyd, true },
	{ "chronyd -Q", owner_args_chronyd, false },
	{ "chronyd -q", owner_args_chronyd, true },
	{ "chronyd -f", owner_args_chronyd, true },
	{ "vmtimed -n -x", owner_args_chronyd, false },
	{ "busybox ntpd -p x", owner_args_busybox, true },
	{ "busybox ntpd -w -p x", owner_args_busybox, false },
	{ "busybox sh", owner_args_busybox, false },
	{ "busybox", owner_args_busybox, false },
	{ "phc2sys -s eth0", owner_args_phc2sys, true },
	{ "phc2sys -s eth0 -c CLOCK_REALTIME", owner_args_phc2sys, true },
	{ "phc2sys -s CLOCK_REALTIME -c eth0", owner_args_phc2sys, false },
	{ "phc2sys -c /dev/ptp1 -s /dev/ptp0 -w", owner_args_phc2sys, false },
	{ "phc2sys -a", owner_args_phc2sys, false },
	{ "phc2sys -a -r", owner_args_phc2sys, true },
	{ "phc2sys -arr", owner_args_phc2sys, true },
	{ "phc2sys -s eth0 -E ntpshm -M 1", owner_args_phc2sys, false },
	{ "phc2sys -s eth0 --clock_servo=refclock_sock", owner_args_phc2sys, false },
	{ "phc2sys -s eth0 --clock_servo=linreg", owner_args_phc2sys, true },
	{ "ptp4l -i eth0", owner_args_ptp4l, false },
	{ "ptp4l -i eth0 -H", owner_args_ptp4l, false },
	{ "ptp4l -i eth0 -S", owner_args_ptp4l, true },
	{ "ptp4l -i eth0 -mS", owner_args_ptp4l, true },
	{ "ptp4l -i S", owner_args_ptp4l, false },
	{ "ptp4l -S --free_running=1", owner_args_ptp4l, false },
	{ "ptp4l -S --clock_servo ntpshm", owner_args_ptp4l, false },
	{ "ptp4l --time_stamping=software", owner_args_ptp4l, true },
	{ "vmtoolsd", owner_args_vmtoolsd, true },
	{ "vmtoolsd -n vmusr", owner_args_vmtoolsd, false },
	{ "vmtoolsd --name=vmusr", owner_args_vmtoolsd, false },
	{ "vmtoolsd -n vmsvc", owner_args_vmtoolsd, true },
	{ "VBoxService", owner_args_vboxservice, true },
	{ "VBoxService --disable-timesync", owner_args_vboxservice, false },
};
/* clang-format on */

static void test_arguments(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ARGUMENTS); i++) {
		struct owner_args args = { .length = strlen(ARGUMENTS[i].args) + 1 };

		memcpy(args.text, ARGUMENTS[i].args, args.length);
		for (size_t j = 0; j < args.length; j++)
			if (args.text[j] == ' ')
				args.text[j] = '\0';
		if (ARGUMENTS[i].steers(&args, (struct slice){ NULL, 0 }) != ARGUMENTS[i].want)
			fail_msg("\"%s\": should be %s", ARGUMENTS[i].args,
				 ARGUMENTS[i].want ? "an owner" : "none");
	}
}

#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

/* All of them, once each, and never more than there is room for. */
static void test_several(void **state)
{
	struct scratch *s = *state;
	struct owner owners[3] = { { .pid = 0 } };
	unsigned n = 77;

	add_process(s, &(struct process){ .pid = SELF, .name = "vmtime", .capabilities = ALL });
	assert_int_equal(owner_list(s->folder, SELF, owners, 3, &n), OWNER_NONE);
	assert_int_equal(n, 77);
	add_process(s, &(struct process){ .pid = 10, .name = "chronyd", .capabilities = TIME_ONLY });
	add_process(s, &(struct process){ .pid = 11, .name = "bash", .capabilities = ALL });
	add_process(s, &(struct process){ .pid = 12, .name = "ntpd", .capabilities = TIME_ONLY });
	assert_int_equal(owner_list(s->folder, SELF, owners, 3, &n), OWNER_FOUND);
	assert_int_equal(n, 2);
	assert_int_equal(owners[0].pid + owners[1].pid, 22);
	assert_int_equal(owners[2].pid, 0);
	assert_int_equal(owner_list(s->folder, SELF, owners, 1, &n), OWNER_FOUND);
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SCRATCH(test_several),
		WITH_SCRATCH(test_nobody),
		cmocka_unit_test(test_known_names_and_their_hand_over),
		WITH_SCRATCH(test_incomplete_processes_are_none),
		WITH_SCRATCH(test_namespace_without_the_right_to_look),
		WITH_SCRATCH(test_ptp4l_by_its_file),
		WITH_SCRATCH(test_no_proc),
		cmocka_unit_test(test_real_proc_is_understood),
		cmocka_unit_test(test_arguments),
	};

	return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
