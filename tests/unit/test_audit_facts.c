/* SPDX-License-Identifier: Apache-2.0 */

/* test_audit_facts.c - the readers on made-up machines: odd files above all; tests/audit has whole ones */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/facts.h"
#include "base/attr.h"
#include "sys_tree.h"

struct machine {
	struct sys_tree tree;
	struct audit_facts facts;
};

static int setup(void **state)
{
	struct machine *m = calloc(1, sizeof *m);

	*state = m;
	if (!m)
		return -1;
	sys_tree_init(&m->tree);
	sys_tree_file(&m->tree, "/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
	return 0;
}

static int teardown(void **state)
{
	struct machine *m = *state;

	sys_tree_fini(&m->tree);
	free(m);
	return 0;
}

static const struct audit_facts *look(struct machine *m)
{
	assert_int_equal(facts_gather(&m->facts, m->tree.root, false), 0);
	return &m->facts;
}

static void test_no_folder(void **state)
{
	struct machine *m = *state;

	assert_int_equal(facts_gather(&m->facts, "/does/not/exist", false), -ENOENT);
	assert_int_equal(facts_gather(&m->facts, "/dev/null", false), -ENOTDIR);
}

static void test_releases(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text;
		enum fact_family family;
		unsigned major, minor;
		bool is_supported;
	} CASES[] = {
		{ "ID=debian\nVERSION_ID=\"11\"\n",                    FAMILY_DEBIAN,  11, 0, true },
		{ "ID=debian\nVERSION_ID=\"10\"\n",                    FAMILY_DEBIAN,  10, 0, false },
		{ "ID=debian\n",                                       FAMILY_DEBIAN,  0,  0, false },
		{ "ID=ubuntu\nVERSION_ID=\"22.04\"\n",                 FAMILY_DEBIAN,  22, 4, true },
		{ "ID=ubuntu\nVERSION_ID=\"22.10\"\n",                 FAMILY_DEBIAN,  22, 10, false },
		{ "ID=\"rhel\"\nVERSION_ID=\"7.9\"\n",                 FAMILY_RED_HAT, 7,  9, true },
		{ "ID='rocky'\r\nVERSION_ID='9.4'\r\n",                FAMILY_RED_HAT, 9,  4, true },
		{ "ID=fedora\nVERSION_ID=41",                          FAMILY_RED_HAT, 41, 0, true },
		{ "ID=x\nID_LIKE=\"y rhel fedora\"\nVERSION_ID=9\n",   FAMILY_RED_HAT, 9,  0, false },
		{ "ID=linuxmint\nID_LIKE=ubuntu\nVERSION_ID=22\n",     FAMILY_DEBIAN,  22, 0, false },
		{ "ID=arch\n",                                         FAMILY_UNKNOWN, 0,  0, false },
		{ "",                                                  FAMILY_UNKNOWN, 0,  0, false },
	};
	/* clang-format on */
	struct machine *m = *state;

	for (size_t i = 0; i < COUNT(CASES); i++) {
		const struct fact_system *system = &m->facts.system;

		sys_tree_file(&m->tree, "/etc/os-release", CASES[i].text);
		look(m);
		if (system->family != CASES[i].family || system->major != CASES[i].major ||
		    system->minor != CASES[i].minor ||
		    system->is_supported != CASES[i].is_supported)
			fail_msg("%s: family %d, %u.%u, supported %d", CASES[i].text,
				 (int)system->family, system->major, system->minor,
				 system->is_supported);
	}
}

static void test_before_os_release(void **state)
{
	/* clang-format off */
	static const struct { const char *text, *id; unsigned major, minor; } CASES[] = {
		{ "CentOS release 6.10 (Final)\n",                                "centos", 6, 10 },
		{ "Red Hat Enterprise Linux Server release 5.5 (Tikanga)\n",      "rhel",   5, 5 },
		{ "Red Hat Enterprise Linux AS release 4 (Nahant Update 8)\n",    "rhel",   4, 8 },
		{ "Fedora release 17 (Beefy Miracle)\n",                          "fedora", 17, 0 },
		{ "something else\n",                                             "rhel",   0, 0 },
	};
	/* clang-format on */
	struct machine *m = *state;
	char path[512];

	sys_tree_way(&m->tree, "/etc/os-release", path);
	unlink(path);
	for (size_t i = 0; i < COUNT(CASES); i++) {
		sys_tree_file(&m->tree, "/etc/redhat-release", CASES[i].text);
		look(m);
		assert_string_equal(m->facts.system.id, CASES[i].id);
		assert_int_equal(m->facts.system.major, CASES[i].major);
		assert_int_equal(m->facts.system.minor, CASES[i].minor);
		assert_int_equal(m->facts.system.family, FAMILY_RED_HAT);
	}
}

/* What the next boot is told, by the text of /etc/default/grub. */
static void test_grub_defaults(void **state)
{
	/* clang-format off */
	static const struct { const char *what, *text, *configured; enum fact is_known; } CASES[] = {
		{ "both",         "GRUB_CMDLINE_LINUX=\"a b\"\nGRUB_CMDLINE_LINUX_DEFAULT=quiet\n", "a b quiet", FACT_YES },
		{ "one",          "GRUB_CMDLINE_LINUX_DEFAULT='quiet splash'\n",     "quiet splash", FACT_YES },
		{ "absent",       "GRUB_TIMEOUT=5\n",                               "",             FACT_YES },
		{ "empty file",   "",                                               "",             FACT_YES },
		{ "comment",      "GRUB_CMDLINE_LINUX=\"a\" # \"b\"\n",             "a",            FACT_YES },
		{ "several",      "GRUB_CMDLINE_LINUX=a\nGRUB_CMDLINE_LINUX=\"b c\"\n", "b c",      FACT_YES },
		{ "continuation", "GRUB_CMDLINE_LINUX=\"a \\\nb\"\n",               "a b",          FACT_YES },
		{ "escapes",      "GRUB_CMDLINE_LINUX=\"x=\\\"1 2\\\"\"\n",         "x=\"1 2\"",    FACT_YES },
		{ "CR LF",        "GRUB_CMDLINE_LINUX=\"a b\"\r\n",                 "a b",          FACT_YES },
		{ "no newline",   "GRUB_CMDLINE_LINUX=\"a b\"",                     "a b",          FACT_YES },
		{ "a command",    "GRUB_CMDLINE_LINUX=\"$(x) a\"\n",                "$(x) a",       FACT_UNKNOWN },
		{ "open quote",   "GRUB_CMDLINE_LINUX=\"a\n",                       "a\n",          FACT_UNKNOWN },
	};
	/* clang-format on */
	struct machine *m = *state;

	for (size_t i = 0; i < COUNT(CASES); i++) {
		const struct fact_boot *boot = &m->facts.boot;

		sys_tree_file(&m->tree, "/etc/default/grub", CASES[i].text);
		look(m);
		assert_int_equal(boot->tool, BOOT_UPDATE_GRUB);
		assert_int_equal(boot->defaults_file, FACT_FILE_READ);
		if (strcmp(boot->configured, CASES[i].configured) != 0 ||
		    boot->is_configured_known != CASES[i].is_known)
			fail_msg("%s: \"%s\", known %d", CASES[i].what, boot->configured,
				 (int)boot->is_configured_known);
	}
}

static void test_grub_drop_ins(void **state)
{
	struct machine *m = *state;
	const struct fact_boot *boot = &m->facts.boot;

	sys_tree_file(&m->tree, "/etc/default/grub", "GRUB_CMDLINE_LINUX=a\n");
	sys_tree_file(&m->tree, "/etc/default/grub.d/10.cfg", "GRUB_CMDLINE_LINUX=b\n");
	sys_tree_file(&m->tree, "/etc/default/grub.d/20.cfg",
		      "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX c\"\n");
	sys_tree_file(&m->tree, "/etc/default/grub.d/30.cfg~", "GRUB_CMDLINE_LINUX=no\n");
	sys_tree_file(&m->tree, "/etc/default/grub.d/.40.cfg", "GRUB_CMDLINE_LINUX=no\n");
	look(m);
	assert_string_equal(boot->configured, "b c");
	assert_string_equal(boot->configured_by, "/etc/default/grub.d/20.cfg");
	assert_string_equal(boot->drop_ins, "/etc/default/grub.d");
}

/* A line of five megabytes, a folder, a dead link in the place of the file. */
static void test_grub_that_is_no_file(void **state)
{
	struct machine *m = *state;
	const struct fact_boot *boot = &m->facts.boot;
	char path[512];
	FILE *file;

	sys_tree_file(&m->tree, "/boot/grub/grub.cfg", "");
	look(m);
	assert_int_equal(boot->defaults_file, FACT_FILE_ABSENT);
	assert_int_equal(boot->tool, BOOT_UPDATE_GRUB);
	assert_int_equal(boot->is_configured_known, FACT_UNKNOWN);
	assert_int_equal(m->facts.n_unread, 0);

	sys_tree_way(&m->tree, "/etc/default/grub", path);
	assert_int_equal(mkdir(path, 0755), 0);
	look(m);
	assert_int_equal(boot->defaults_file, FACT_FILE_ODD);
	assert_int_equal(boot->is_configured_known, FACT_UNKNOWN);
	assert_int_equal(m->facts.n_unread, 1);
	assert_false(m->facts.unread[0].needs_root);
	rmdir(path);

	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 5 << 20; i++)
		fputc('a', file);
	fclose(file);
	look(m);
	assert_int_equal(boot->defaults_file, FACT_FILE_ODD);
	assert_string_equal(m->facts.unread[0].what, "/etc/default/grub");
	unlink(path);

	sys_tree_link(&m->tree, "/etc/default/grub", "nowhere");
	look(m);
	assert_int_equal(boot->defaults_file, FACT_FILE_ABSENT);
}

static void test_loader_entries(void **state)
{
	struct machine *m = *state;
	const struct fact_boot *boot = &m->facts.boot;

	sys_tree_file(&m->tree, "/etc/os-release", "ID=rhel\nVERSION_ID=8.10\n");
	sys_tree_file(&m->tree, "/etc/default/grub",
		      "GRUB_CMDLINE_LINUX=\"other\"\nGRUB_ENABLE_BLSCFG=true\n");
	sys_tree_file(&m->tree, "/boot/loader/entries/a-1.conf", "title 1\noptions one\n");
	sys_tree_file(&m->tree, "/boot/loader/entries/a-2.conf",
		      "title 2\noptions $kernelopts $tuned_params two\n");
	sys_tree_file(&m->tree, "/boot/loader/entries/b-0-rescue.conf", "options rescue\n");
	look(m);
	assert_int_equal(boot->tool, BOOT_GRUBBY);
	/* Nobody has said what $kernelopts is. */
	assert_int_equal(boot->is_configured_known, FACT_UNKNOWN);
	sys_tree_file(&m->tree, "/boot/grub2/grubenv",
		      "# GRUB Environment Block\nkernelopts=root=/dev/x ro \n####");
	look(m);
	assert_string_equal(boot->configured, "root=/dev/x ro two");
	assert_int_equal(boot->is_configured_known, FACT_YES);
	assert_string_equal(boot->configured_by, "/boot/loader/entries/a-2.conf");
	sys_tree_file(&m->tree, "/boot/grub2/grubenv", "# x\nsaved_entry=a-1\n");
	look(m);
	assert_string_equal(boot->configured, "one");
}

static void test_boot_files_of_red_hat(void **state)
{
	/* clang-format off */
	static const struct { const char *id, *version; bool is_efi; const char *config; } CASES[] = {
		{ "rhel",   "7.9", false, "/boot/grub2/grub.cfg" },
		{ "rhel",   "9.4", false, "/boot/grub2/grub.cfg" },
		{ "rhel",   "7.9", true,  "/boot/efi/EFI/redhat/grub.cfg" },
		{ "centos", "7",   true,  "/boot/efi/EFI/centos/grub.cfg" },
		{ "ol",     "7.9", true,  "/boot/efi/EFI/redhat/grub.cfg" },
		{ "rhel",   "9.4", true,  "/boot/grub2/grub.cfg" },
		{ "fedora", "33",  true,  "/boot/efi/EFI/fedora/grub.cfg" },
		{ "fedora", "41",  true,  "/boot/grub2/grub.cfg" },
	};
	/* clang-format on */
	struct machine *m = *state;
	char text[64], folder[80], command[320];

	sys_tree_file(&m->tree, "/etc/default/grub", "GRUB_CMDLINE_LINUX=quiet\n");
	for (size_t i = 0; i < COUNT(CASES); i++) {
		snprintf(text, sizeof text, "ID=%s\nVERSION_ID=%s\n", CASES[i].id,
			 CASES[i].version);
		sys_tree_file(&m->tree, "/etc/os-release", text);
		snprintf(folder, sizeof folder, "%s/sys/firmware/efi", m->tree.root);
		if (CASES[i].is_efi)
			sys_tree_file(&m->tree, "/sys/firmware/efi/systab", "");
		else
			assert_int_not_equal(access(folder, F_OK), 0);
		look(m);
		assert_string_equal(m->facts.boot.config, CASES[i].config);
		assert_int_equal(m->facts.boot.tool, BOOT_GRUB2_MKCONFIG);
		snprintf(command, sizeof command, "grub2-mkconfig -o %s", CASES[i].config);
		assert_string_equal(m->facts.boot.command, command);
	}
	assert_string_equal(m->facts.boot.grubenv, "/boot/grub2/grubenv");
	/* Up to RHEL 8 grubenv, with the arguments of all entries in it, is on the EFI partition. */
	sys_tree_file(&m->tree, "/boot/efi/EFI/redhat/grubenv", "");
	sys_tree_file(&m->tree, "/etc/os-release", "ID=rhel\nVERSION_ID=8.10\n");
	look(m);
	assert_string_equal(m->facts.boot.grubenv, "/boot/efi/EFI/redhat/grubenv");
}

static void test_chrony_with_all_it_includes(void **state)
{
	struct machine *m = *state;
	const struct fact_time_conf *conf = &m->facts.chrony;

	sys_tree_file(&m->tree, "/etc/chrony/chrony.conf",
		      "confdir /etc/chrony/conf.d /etc/chrony/more.d\n"
		      "sourcedir /etc/chrony/sources.d\n"
		      "include /etc/chrony/extra*.conf\n"
		      "opencommands all of them\nmakestep 1 3\nsomethingnew 5 x\n");
	sys_tree_file(&m->tree, "/etc/chrony/conf.d/a.conf", "refclock PHC /dev/ptp0:nocrossts poll 3\n");
	sys_tree_file(&m->tree, "/etc/chrony/more.d/a.conf", "rtcsync\n"); /* shadowed */
	sys_tree_file(&m->tree, "/etc/chrony/more.d/b.conf", "! no\nrefclock SHM 0 poll 2\n");
	sys_tree_file(&m->tree, "/etc/chrony/extra1.conf", "MakeStep 0.5 -1\n");
	sys_tree_file(&m->tree, "/etc/chrony/sources.d/s.sources", "server a\npool b iburst\nrtcsync\n");
	sys_tree_file(&m->tree, "/sys/class/ptp/ptp0/clock_name", "KVM virtual PTP\n");
	look(m);
	assert_int_equal(conf->file, FACT_FILE_READ);
	assert_string_equal(conf->trouble, "");
	assert_int_equal(conf->n_refclocks, 2);
	assert_string_equal(conf->refclocks[0].device, "/dev/ptp0");
	assert_int_equal(conf->refclocks[0].what, DEVICE_KVM);
	assert_true(conf->refclocks[0].has_poll);
	assert_int_equal(conf->refclocks[0].poll, 3);
	assert_string_equal(conf->refclocks[0].file, "/etc/chrony/conf.d/a.conf");
	assert_int_equal(conf->refclocks[0].line, 1);
	assert_false(conf->refclocks[1].is_phc);
	assert_int_equal(conf->n_servers, 2);
	assert_false(conf->has_rtcsync);
	/* The last one counts, wherever it stands. */
	assert_int_equal(conf->makestep_limit, 3);
	assert_string_equal(conf->makestep_file, "/etc/chrony/chrony.conf");
	assert_int_equal(conf->makestep_line, 5);
	assert_string_equal(conf->drop_in_folder, "/etc/chrony/conf.d");
}

static void test_chrony_that_is_not_whole(void **state)
{
	struct machine *m = *state;
	const struct fact_time_conf *conf = &m->facts.chrony;

	sys_tree_file(&m->tree, "/etc/chrony/chrony.conf",
		      "include /etc/chrony/missing.conf\nmakestep one 3\nrtcsync\n");
	look(m);
	assert_int_equal(conf->file, FACT_FILE_READ);
	assert_false(conf->is_whole);
	assert_non_null(strstr(conf->trouble, "missing.conf"));
	assert_false(conf->has_makestep);
	assert_true(conf->has_rtcsync);

	/* One that includes itself ends. */
	sys_tree_file(&m->tree, "/etc/chrony/chrony.conf", "include /etc/chrony/chrony.conf\nrtcsync\n");
	look(m);
	assert_false(conf->is_whole);
	assert_true(conf->has_rtcsync);
}

static void test_modules_to_load(void **state)
{
	/* clang-format off */
	static const struct { const char *path, *text; bool is_named; } CASES[] = {
		{ "/etc/modules-load.d/a.conf",     "ptp_kvm\n",           true },
		{ "/etc/modules-load.d/a.conf",     "# x\n\n  ptp-kvm  ",  true },
		{ "/etc/modules-load.d/a.conf",     "#ptp_kvm\n;ptp_kvm\n", false },
		{ "/etc/modules-load.d/a.conf",     "ptp_kvm_x\nptp\n",    false },
		{ "/usr/lib/modules-load.d/b.conf", "ptp_kvm\r\n",         true },
		{ "/etc/modules-load.d/c.txt",      "ptp_kvm\n",           false },
		{ "/etc/modules",                   "loop\nptp_kvm\n",     true },
	};
	/* clang-format on */
	struct machine *m = *state;
	char path[512];

	for (size_t i = 0; i < COUNT(CASES); i++) {
		sys_tree_file(&m->tree, CASES[i].path, CASES[i].text);
		look(m);
		if (CASES[i].is_named != (m->facts.ptp.load_file[0] != '\0'))
			fail_msg("%s: %s", CASES[i].path, CASES[i].text);
		sys_tree_way(&m->tree, CASES[i].path, path);
		unlink(path);
	}
}

static void test_containers_and_their_marks(void **state)
{
	struct machine *m = *state;

	look(m);
	assert_int_equal(m->facts.place.is_container, FACT_NO);
	sys_tree_file(&m->tree, "/.dockerenv", "");
	look(m);
	assert_int_equal(m->facts.place.is_container, FACT_YES);
	/* A virtual machine made of a container's image. */
	sys_tree_link(&m->tree, "/proc/self/ns/pid", "pid:[4026531836]");
	look(m);
	assert_int_equal(m->facts.place.is_container, FACT_NO);
}

static void test_domains(void **state)
{
	struct machine *m = *state;
	const struct fact_domain *d = m->facts.libvirt.domains;

	sys_tree_file(&m->tree, "/etc/libvirt/qemu/a.xml",
		      "<domain><name>a &amp; b</name><clock offset='localtime'>"
		      "<timer name='rtc' tickpolicy='catchup' track='guest'/>"
		      "<timer name='hpet' present='no'/><timer name='kvmclock'/></clock>"
		      "<cpu><feature policy='require' name='invtsc'/></cpu></domain>");
	sys_tree_file(&m->tree, "/etc/libvirt/qemu/b.xml",
		      "<domain><name>b</name><features><hyperv/></features><cpu>"
		      "<feature policy='disable' name='invtsc'/></cpu><devices><channel type='unix'>"
		      "<target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices>"
		      "</domain>");
	sys_tree_file(&m->tree, "/etc/libvirt/qemu/broken.xml", "<domain><name>c</name>");
	look(m);
	assert_int_equal(m->facts.libvirt.n_domains, 2);
	assert_int_equal(m->facts.libvirt.n_lost, 1);
	assert_int_equal(m->facts.n_unread, 1);
	assert_string_equal(d[0].name, "a & b");
	assert_string_equal(d[0].offset, "localtime");
	assert_string_equal(d[0].rtc_track, "guest");
	assert_string_equal(d[0].rtc_policy, "catchup");
	assert_int_equal(d[0].hpet, FACT_NO);
	assert_int_equal(d[0].kvmclock, FACT_YES);
	assert_true(d[0].requires_invtsc);
	assert_false(d[0].has_agent_channel);
	assert_false(d[1].requires_invtsc);
	assert_true(d[1].is_windows);
	assert_true(d[1].has_agent_channel);
	assert_int_equal(m->facts.place.is_host, FACT_YES);
}

/* Units by systemd's folders: installed, enabled, masked, and another name of one. */
static void test_units(void **state)
{
	static const char WANTS[] = "/etc/systemd/system/multi-user.target.wants";
	struct machine *m = *state;
	const struct audit_facts *f = &m->facts;
	char path[128];

	sys_tree_file(&m->tree, "/usr/lib/systemd/system/chrony.service", "");
	sys_tree_file(&m->tree, "/usr/lib/systemd/system/ntp.service", "");
	sys_tree_file(&m->tree, "/usr/lib/systemd/system/vmtimed.service", "");
	sys_tree_link(&m->tree, "/etc/systemd/system/chronyd.service",
		      "/usr/lib/systemd/system/chrony.service");
	sys_tree_link(&m->tree, "/etc/systemd/system/ntp.service", "/dev/null");
	snprintf(path, sizeof path, "%s/chrony.service", WANTS);
	sys_tree_link(&m->tree, path, "/usr/lib/systemd/system/chrony.service");
	snprintf(path, sizeof path, "%s/ntp.service", WANTS);
	sys_tree_link(&m->tree, path, "/usr/lib/systemd/system/ntp.service");
	look(m);
	assert_int_equal(f->daemons.n_units, 3);
	assert_true(facts_unit(f, "chrony.service")->is_enabled);
	assert_null(facts_unit(f, "chronyd.service"));
	assert_true(facts_unit(f, "ntp.service")->is_masked);
	assert_false(facts_unit(f, "ntp.service")->is_enabled);
	assert_false(facts_unit(f, "vmtimed.service")->is_enabled);
	assert_string_equal(facts_unit(f, "vmtimed.service")->daemon, "vmtimed");
	assert_true(f->system.has_systemd);
	assert_int_equal(f->daemons.is_seen, FACT_UNKNOWN);
}

static void test_adjtime(void **state)
{
	/* clang-format off */
	static const struct { const char *text; enum fact is_local; } CASES[] = {
		{ "0.0 0 0.0\n0\nLOCAL\n", FACT_YES }, { "0.0 0 0.0\n0\nUTC\n", FACT_NO },
		{ "0.0 0 0.0\n0\n", FACT_NO },         { "0.0 0 0.0\r\n0\r\nLOCAL", FACT_YES },
		{ "LOCAL\n", FACT_NO },
	};
	/* clang-format on */
	struct machine *m = *state;

	look(m);
	assert_int_equal(m->facts.rtc.is_local, FACT_NO);
	for (size_t i = 0; i < COUNT(CASES); i++) {
		sys_tree_file(&m->tree, "/etc/adjtime", CASES[i].text);
		look(m);
		assert_int_equal(m->facts.rtc.is_local, CASES[i].is_local);
	}
}

static void test_stolen_time(void **state)
{
	struct machine *m = *state;
	const struct fact_steal *steal = &m->facts.steal;

	look(m);
	assert_false(steal->is_known);
	sys_tree_file(&m->tree, "/proc/stat", "cpu  1 2 3 4 5 6 7 8 9 10\n");
	look(m);
	assert_true(steal->is_known);
	assert_int_equal(steal->first.all, 36);
	assert_int_equal(steal->first.stolen, 8);
	sys_tree_file(&m->tree, "/proc/stat", "cpu  2 2 3 4 5 6 7 18 9 10\n");
	facts_look_again(&m->facts);
	assert_true(steal->has_second);
	assert_int_equal(steal->second.stolen, 18);
	/* Kernels before 2.6.11 tell no stolen time. */
	sys_tree_file(&m->tree, "/proc/stat", "cpu  1 2 3 4 5 6 7\n");
	look(m);
	assert_false(steal->is_known);
}

/* Root may read everything: for a while it is somebody who may not. */
static void be_nobody(const struct machine *m, bool is_so)
{
	static const char *const FOLDERS[] = { "", "/etc", "/etc/chrony" };
	char path[512];

	if (getuid() != 0)
		return;
	for (size_t i = 0; is_so && i < COUNT(FOLDERS); i++) {
		snprintf(path, sizeof path, "%s%s", m->tree.root, FOLDERS[i]);
		assert_int_equal(chmod(path, 0755), 0);
	}
	assert_int_equal(seteuid(is_so ? 65534 : 0), 0);
}

static void test_what_needs_root_is_noted(void **state)
{
	struct machine *m = *state;
	char path[512];

	sys_tree_file(&m->tree, "/etc/chrony/chrony.conf", "rtcsync\n");
	sys_tree_way(&m->tree, "/etc/chrony/chrony.conf", path);
	chmod(path, 0);
	be_nobody(m, true);
	look(m);
	be_nobody(m, false);
	assert_int_equal(m->facts.chrony.file, FACT_FILE_REFUSED);
	assert_int_equal(m->facts.n_unread, 1);
	assert_true(m->facts.unread[0].needs_root);
	assert_string_equal(m->facts.unread[0].what, "/etc/chrony/chrony.conf");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_no_folder),
		TEST(test_releases),
		TEST(test_before_os_release),
		TEST(test_grub_defaults),
		TEST(test_grub_drop_ins),
		TEST(test_grub_that_is_no_file),
		TEST(test_loader_entries),
		TEST(test_boot_files_of_red_hat),
		TEST(test_chrony_with_all_it_includes),
		TEST(test_chrony_that_is_not_whole),
		TEST(test_modules_to_load),
		TEST(test_containers_and_their_marks),
		TEST(test_domains),
		TEST(test_units),
		TEST(test_adjtime),
		TEST(test_stolen_time),
		TEST(test_what_needs_root_is_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
