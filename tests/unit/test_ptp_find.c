/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/null, major 1 and minor 3 on every Linux, stands for a clock's node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include <string.h>

#include <errno.h>
#include <sys/sysmacros.h>

#include "os/ptp_find.h"
#include "sys_tree.h"

#define KVM PTP_NAME_KVM "\n"

static int set_up(void **state)
{
	struct sys_tree *t = malloc(sizeof *t);

	assert_non_null(t);
	sys_tree_init(t);
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	sys_tree_fini(*state);
	free(*state);
	return 0;
}

static void untouched(const struct ptp_node *node)
{
	for (size_t i = 0; i < sizeof *node; i++)
		assert_int_equal(((const unsigned char *)node)[i], 0x5a);
}

static void test_kvm_among_others(void **state)
{
	struct sys_tree *t = *state;
	struct ptp_node node;

	sys_tree_ptp(t, "ptp0", "ena-ptp-05\n", "248:0\n");
	sys_tree_ptp(t, "ptp1", "hyperv\n", "248:1\n");
	sys_tree_ptp(t, "ptp12", KVM, "248:12\n");
	sys_tree_ptp(t, "ptp7", KVM, "248:7\n");
	assert_int_equal(ptp_find_by_name(t->root, PTP_NAME_KVM, &node), 0);
	assert_int_equal(node.number, 7); /* the lowest, not the first that readdir gives */
	assert_string_equal(node.path, "/dev/ptp7");
	assert_string_equal(node.name, "KVM virtual PTP");
	assert_true(node.device == makedev(248, 7));
}

static void test_names_match_whole(void **state)
{
	struct sys_tree *t = *state;
	struct ptp_node node;

	/* None of these is the host's clock, and a NIC's is never taken for it. */
	sys_tree_ptp(t, "ptp0", "KVM virtual PTP 2\n", "248:0\n");
	sys_tree_ptp(t, "ptp1", "KVM virtual\n", "248:1\n");
	sys_tree_ptp(t, "ptp2", "kvm virtual ptp\n", "248:2\n");
	sys_tree_ptp(t, "ptp3", "", "248:3\n");
	sys_tree_ptp(t, "ptp4", NULL, "248:4\n");
	sys_tree_ptp(t, "ptpx", KVM, "248:5\n");
	sys_tree_ptp(t, "ptp", KVM, "248:6\n");
	sys_tree_ptp(t, "ptp-1", KVM, "248:7\n");
	sys_tree_ptp(t, "ptp01", KVM, "248:8\n");
	sys_tree_ptp(t, "ptp1000", KVM, "248:9\n");
	sys_tree_ptp(t, "pps0", KVM, "248:10\n");
	memset(&node, 0x5a, sizeof node);
	assert_int_equal(ptp_find_by_name(t->root, PTP_NAME_KVM, &node), -ENOENT);
	untouched(&node);
}

static void test_no_sysfs_no_clock(void **state)
{
	struct sys_tree *t = *state;
	struct ptp_node node;

	memset(&node, 0x5a, sizeof node);
	assert_int_equal(ptp_find_by_name(t->root, PTP_NAME_KVM, &node), -ENOENT);
	assert_int_equal(ptp_find_by_device(t->root, makedev(1, 3), &node), -ENOENT);
	untouched(&node);
}

static void test_by_path_through_a_link(void **state)
{
	struct sys_tree *t = *state;
	struct ptp_node node;
	char link[512];

	sys_tree_ptp(t, "ptp0", "ena-ptp-05\n", "248:0\n");
	sys_tree_ptp(t, "ptp3", KVM, "1:3\n");
	sys_tree_link(t, "/dev/ptp_kvm", "/dev/null");
	sys_tree_way(t, "/dev/ptp_kvm", link);
	assert_int_equal(ptp_find_by_path(t->root, link, &node), 0);
	assert_string_equal(node.path, "/dev/ptp3");
	assert_string_equal(node.name, "KVM virtual PTP");
	assert_int_equal(ptp_find_by_path(t->root, "/dev/null", &node), 0);
	assert_int_equal(node.number, 3);
}

static void test_by_path_refuses(void **state)
{
	struct sys_tree *t = *state;
	struct ptp_node node;
	char file[512];

	sys_tree_ptp(t, "ptp0", KVM, "1:3\n");
	sys_tree_file(t, "/dev/file", "");
	sys_tree_way(t, "/dev/file", file);
	memset(&node, 0x5a, sizeof node);
	assert_int_equal(ptp_find_by_path(t->root, "/dev/zero", &node), -ENOTTY);
	assert_int_equal(ptp_find_by_path(t->root, file, &node), -ENOTTY);
	assert_int_equal(ptp_find_by_path(t->root, t->root, &node), -ENOTTY);
	assert_int_equal(ptp_find_by_path(t->root, "/dev/no-such-device", &node), -ENOENT);
	untouched(&node);
}

static void test_lost_link_of_udev(void **state)
{
	struct sys_tree *t = *state;
	struct ptp_node node;

	assert_int_equal(ptp_find_by_path(t->root, PTP_LINK_KVM, &node), -ENOENT);
	sys_tree_ptp(t, "ptp0", "ena-ptp-05\n", "248:0\n");
	sys_tree_ptp(t, "ptp4", KVM, "248:4\n");
	assert_int_equal(ptp_find_by_path(t->root, PTP_LINK_KVM, &node), 0);
	assert_int_equal(node.number, 4);
}

static void test_odd_device_numbers(void **state)
{
	static const char *const odd[] = { "", "\n", ":", "1:", ":3", "1:x", "-1:3", "1:-3", "1 3\n",
		                           "99999999999:3\n", "0:0\n" };
	struct sys_tree *t = *state;
	struct ptp_node node;

	for (size_t i = 0; i < COUNT(odd); i++) {
		sys_tree_ptp(t, "ptp0", KVM, odd[i]);
		assert_int_equal(ptp_find_by_name(t->root, PTP_NAME_KVM, &node), 0);
		assert_true(node.device == 0);
		assert_int_equal(ptp_find_by_device(t->root, makedev(1, 3), &node), -ENOENT);
		assert_int_equal(ptp_find_by_device(t->root, 0, &node), -ENOENT);
	}
}

static void test_path_number(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int want; /* -1: refused */
	} cases[] = {
		{ "/dev/ptp0", 0 },     { "/dev/ptp7", 7 },      { "/dev/ptp999", 999 },
		{ "/dev/ptp1000", -1 }, { "/dev/ptp", -1 },      { "/dev/ptp_kvm", -1 },
		{ "/dev/ptp00", -1 },   { "/dev/ptp-1", -1 },    { "/dev/ptp+1", -1 },
		{ "/dev/ptp1 ", -1 },   { "/dev/ptp1/../x", -1 }, { "dev/ptp1", -1 },
		{ "", -1 },             { "/dev/rtc0", -1 },     { "/dev/ptp99999999999999999999", -1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned number = 4711;
		bool is_one = ptp_path_number(cases[i].path, &number);

		if (is_one != (cases[i].want >= 0) ||
		    number != (is_one ? (unsigned)cases[i].want : 4711))
			fail_msg("%s: %d, %u", cases[i].path, is_one, number);
	}
}

/* It needs something of this machine: a group of its own, skipped as a whole. */
static int run_on_this_machine(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lost_link_of_udev, set_up, tear_down),
	};

	if (access(PTP_LINK_KVM, F_OK) == 0) {
		printf("skipped: there is a real " PTP_LINK_KVM " here\n");
		return 77;
	}
	return cmocka_run_group_tests_name("ptp_find-link", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kvm_among_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_names_match_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_sysfs_no_clock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_by_path_through_a_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_by_path_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_odd_device_numbers, set_up, tear_down),
		cmocka_unit_test(test_path_number),
	};

	if (argc > 1 && strcmp(argv[1], "machine") == 0)
		return run_on_this_machine();
	return cmocka_run_group_tests_name("ptp_find", tests, NULL, NULL);
}
