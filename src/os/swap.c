/* SPDX-License-Identifier: Apache-2.0 */
#include "os/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "os/files.h"
#include "os/root_path.h"

#define SUFFIX       ".vmtime-tmp"
#define NAMES_MAX    4096  /* all names of a file's extended attributes */
#define ATTRIBUTE_MAX 65536 /* the kernel's own limit for one            */

void swap_image_fini(struct swap_image *image)
{
	free(image->data);
	*image = (struct swap_image){ 0 };
}

bool swap_image_equals(const struct swap_image *a, const struct swap_image *b)
{
	if (a->exists != b->exists || a->length != b->length)
		return false;
	return !a->length || memcmp(a->data, b->data, a->length) == 0;
}

int swap_read(const char *path, struct swap_image *ret)
{
	struct swap_image image = { .exists = true };
	int r = file_read(path, SWAP_FILE_MAX, &image.data, &image.length);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT)
		image.exists = false;
	*ret = image;
	return 0;
}

/*
 * Copies one attribute.  A file system without them has none to copy.  What the kernel computes
 * from the content (IMA, EVM) would be wrong for the new one; the kernel makes it anew.
 */
static int copy_attribute(int from, int to, const char *name)
{
	char *value;
	ssize_t n;
	int r = 0;

	if (strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0)
		return 0;
	value = malloc(ATTRIBUTE_MAX);
	if (!value)
		return -ENOMEM;
	n = fgetxattr(from, name, value, ATTRIBUTE_MAX);
	if (n < 0 && errno != ENODATA)
		r = -errno;
	else if (n >= 0 && fsetxattr(to, name, value, (size_t)n, 0) < 0)
		r = -errno;
	free(value);
	return r;
}

static int copy_attributes(int from, int to)
{
	char names[NAMES_MAX];
	ssize_t n = flistxattr(from, names, sizeof names);
	int r = 0;

	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (ssize_t i = 0; r == 0 && i < n; i += (ssize_t)strlen(names + i) + 1)
		r = copy_attribute(from, to, names + i);
	return r;
}

/* Gives @fd what the old file @path has besides its bytes; a new file only gets @mode. */
static int inherit(int fd, const char *path, mode_t mode)
{
	int old = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat was, is;
	int r = 0;

	if (old < 0 && errno == ENOENT)
		return fchmod(fd, mode) < 0 ? -errno : 0;
	if (old < 0)
		return -errno;
	if (fstat(old, &was) < 0 || fstat(fd, &is) < 0)
		r = -errno;
	else if (!S_ISREG(was.st_mode))
		r = S_ISDIR(was.st_mode) ? -EISDIR : -ENODEV;
	else if ((was.st_uid != is.st_uid || was.st_gid != is.st_gid) &&
	         fchown(fd, was.st_uid, was.st_gid) < 0)
		r = -errno;
	else
		r = copy_attributes(old, fd);
	/* Last: an ACL among the attributes changes the mode, and so does giving away. */
	if (r == 0 && fchmod(fd, was.st_mode & 07777) < 0)
		r = -errno;
	close(old);
	return r;
}

int swap_sync_folder_of(const char *path)
{
	char folder[ROOT_PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd, r = 0;

	if (!slash)
		return -EINVAL;
	snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Some file systems cannot sync a folder, and say so. */
	if (fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		r = -errno;
	close(fd);
	return r;
}

static int name_temporary(const char *path, char to[ROOT_PATH_MAX])
{
	int n = snprintf(to, ROOT_PATH_MAX, "%s" SUFFIX, path);

	return n < 0 || n >= ROOT_PATH_MAX ? -ENAMETOOLONG : 0;
}

static int write_temporary(const char *temporary, const char *path, const struct swap_image *image,
			   mode_t mode)
{
	int fd, r;

	(void)unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = inherit(fd, path, mode);
	if (r == 0)
		r = file_write_all(fd, image->data, image->length);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	/* Some file systems tell only now that there was no room. */
	if (close(fd) < 0 && r == 0 && errno != EINTR)
		r = -errno;
	return r;
}

static int remove_file(const char *path)
{
	if (unlink(path) < 0)
		return errno == ENOENT ? 0 : -errno;
	return swap_sync_folder_of(path);
}

int swap_write(const char *path, const struct swap_image *image, mode_t mode)
{
	char temporary[ROOT_PATH_MAX];
	int r;

	if (!image->exists)
		return remove_file(path);
	r = name_temporary(path, temporary);
	if (r < 0)
		return r;
	r = write_temporary(temporary, path, image, mode);
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(temporary);
		return r;
	}
	return swap_sync_folder_of(path);
}

void swap_clean(const char *path)
{
	char temporary[ROOT_PATH_MAX];

	if (name_temporary(path, temporary) == 0)
		(void)unlink(temporary);
}

int swap_make_folder(const char *path, mode_t mode)
{
	if (mkdir(path, mode) < 0)
		return -errno;
	/* mkdir's mode is cut by the umask. */
	if (chmod(path, mode) < 0)
		return -errno;
	return swap_sync_folder_of(path);
}

int swap_remove_folder(const char *path)
{
	struct stat st;

	/* A file system that takes nothing says so before it looks whether there is anything. */
	if (lstat(path, &st) < 0 && errno == ENOENT)
		return 0;
	if (rmdir(path) < 0)
		return errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST ? 0 : -errno;
	return swap_sync_folder_of(path);
}
