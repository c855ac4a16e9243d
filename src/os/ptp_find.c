/* SPDX-License-Identifier: Apache-2.0 */
#include "os/ptp_find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/slice.h"

#define CLASS      "/sys/class/ptp"
#define NUMBER_MAX 999

/* What a clock is looked for by: its name, or its device number where @name is NULL. */
struct wanted {
	const char *name;
	dev_t device;
};

/* Digits only, no sign, no leading zero: what the kernel writes. */
static bool read_number(const char *text, unsigned *ret)
{
	int64_t n;

	if (text[0] < '0' || text[0] > '9' || (text[0] == '0' && text[1]))
		return false;
	if (!slice_to_int(slice_of(text), &n) || n > NUMBER_MAX)
		return false;
	*ret = (unsigned)n;
	return true;
}

bool ptp_path_number(const char *path, unsigned *ret)
{
	static const char prefix[] = "/dev/ptp";

	if (strncmp(path, prefix, sizeof prefix - 1) != 0)
		return false;
	return read_number(path + sizeof prefix - 1, ret);
}

/* The first line of the attribute @file of the clock @entry; false where there is none. */
static bool read_attribute(int class_fd, const char *entry, const char *file, char *to, size_t size)
{
	char path[64];
	int n = snprintf(path, sizeof path, "%s/%s", entry, file);

	if (n < 0 || (size_t)n >= sizeof path)
		return false;

	int fd = openat(class_fd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;

	ssize_t got = read(fd, to, size - 1);

	close(fd);
	if (got <= 0)
		return false;
	to[got] = '\0';
	to[strcspn(to, "\n")] = '\0';
	return true;
}

/* "249:0"; 0:0 for anything else. */
static dev_t read_device(const char *text)
{
	struct slice rest = slice_of(text);
	struct slice left = slice_cut(&rest, ':');
	int64_t major_number, minor_number;

	if (!slice_to_int(left, &major_number) || !slice_to_int(rest, &minor_number))
		return 0;
	if (major_number < 0 || major_number > INT_MAX || minor_number < 0 || minor_number > INT_MAX)
		return 0;
	return makedev((unsigned)major_number, (unsigned)minor_number);
}

/* False where @entry is not a clock. */
static bool read_node(int class_fd, const char *entry, struct ptp_node *ret)
{
	struct ptp_node node = { 0 };
	char device[32];

	if (strncmp(entry, "ptp", 3) != 0 || !read_number(entry + 3, &node.number))
		return false;
	snprintf(node.path, sizeof node.path, "/dev/ptp%u", node.number);
	/* A clock whose name cannot be read is still a clock: it can be found by its number. */
	if (!read_attribute(class_fd, entry, "clock_name", node.name, sizeof node.name))
		node.name[0] = '\0';
	if (read_attribute(class_fd, entry, "dev", device, sizeof device))
		node.device = read_device(device);
	*ret = node;
	return true;
}

static bool is_wanted(const struct ptp_node *node, const struct wanted *wanted)
{
	if (wanted->name)
		return strcmp(node->name, wanted->name) == 0;
	return wanted->device != 0 && node->device == wanted->device;
}

static int find(const char *root, const struct wanted *wanted, struct ptp_node *ret)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s%s", root, CLASS);

	if (n < 0 || (size_t)n >= sizeof path)
		return -ENAMETOOLONG;

	DIR *class = opendir(path);

	if (!class)
		return -errno;

	struct ptp_node best = { .number = NUMBER_MAX + 1 };

	for (struct dirent *entry; (entry = readdir(class));) {
		struct ptp_node node;

		if (read_node(dirfd(class), entry->d_name, &node) && is_wanted(&node, wanted) &&
		    node.number < best.number)
			best = node;
	}
	closedir(class);
	if (best.number > NUMBER_MAX)
		return -ENOENT;
	*ret = best;
	return 0;
}

int ptp_find_by_name(const char *root, const char *name, struct ptp_node *ret)
{
	return find(root, &(struct wanted){ .name = name }, ret);
}

int ptp_find_by_device(const char *root, dev_t device, struct ptp_node *ret)
{
	return find(root, &(struct wanted){ .device = device }, ret);
}

int ptp_find_by_path(const char *root, const char *path, struct ptp_node *ret)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		int error = errno;

		if (error == ENOENT && strcmp(path, PTP_LINK_KVM) == 0)
			return ptp_find_by_name(root, PTP_NAME_KVM, ret);
		return -error;
	}
	if (!S_ISCHR(st.st_mode))
		return -ENOTTY;

	int r = ptp_find_by_device(root, st.st_rdev, ret);

	return r == -ENOENT ? -ENOTTY : r;
}
