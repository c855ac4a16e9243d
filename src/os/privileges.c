/* SPDX-License-Identifier: Apache-2.0 */
#include "os/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef VMTIME_STATIC
#include <pwd.h>
#endif

#include "base/slice.h"
#include "os/files.h"

#define CAPABILITY(number) (UINT64_C(1) << (number))

/* What the kernel calls version 3: two words of 32 bits a set. */
struct capability_sets {
	uint64_t effective, permitted, inheritable;
};

static int get_capabilities(struct capability_sets *ret)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	*ret = (struct capability_sets){
		.effective = (uint64_t)data[1].effective << 32 | data[0].effective,
		.permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted,
		.inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable,
	};
	return 0;
}

/* Effective and permitted become @keep, inheritable empty. */
static int set_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const uint32_t low = (uint32_t)keep, high = (uint32_t)(keep >> 32);
	struct __user_cap_data_struct data[2] = {
		{ .effective = low, .permitted = low },
		{ .effective = high, .permitted = high },
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* "UID" or "UID:GID". */
static bool read_numbers(const char *user, struct privileges_user *ret)
{
	struct slice rest = slice_of(user);
	struct slice first = slice_cut(&rest, ':');
	int64_t uid, gid;

	if (!slice_to_int(first, &uid))
		return false;
	gid = uid;
	if (strchr(user, ':') && !slice_to_int(rest, &gid))
		return false;
	/* The highest number means "leave it" to the system calls. */
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return false;
	*ret = (struct privileges_user){ uid == 0, (uid_t)uid, (gid_t)gid };
	return true;
}

static enum privileges_user_outcome look_up(const char *user, struct privileges_user *ret)
{
#ifdef VMTIME_STATIC
	(void)user;
	(void)ret;
	return PRIVILEGES_USER_NEEDS_NUMBER;
#else
	const struct passwd *entry = getpwnam(user);

	if (!entry)
		return PRIVILEGES_USER_UNKNOWN;
	*ret = (struct privileges_user){ entry->pw_uid == 0, entry->pw_uid, entry->pw_gid };
	return PRIVILEGES_USER_FOUND;
#endif
}

enum privileges_user_outcome privileges_find_user(const char *user, struct privileges_user *ret)
{
	if (strcmp(user, "root") == 0) {
		*ret = (struct privileges_user){ .is_root = true };
		return PRIVILEGES_USER_FOUND;
	}
	if (!user[0] || user[0] == '-' || user[0] == '+')
		return PRIVILEGES_USER_MALFORMED;
	if (user[0] >= '0' && user[0] <= '9')
		return read_numbers(user, ret) ? PRIVILEGES_USER_FOUND : PRIVILEGES_USER_MALFORMED;
	return look_up(user, ret);
}

const char *privileges_explain_user(enum privileges_user_outcome outcome, const char *user,
				    char *to, size_t size)
{
	switch (outcome) {
	case PRIVILEGES_USER_FOUND: snprintf(to, size, "user %s exists", user); return to;
	case PRIVILEGES_USER_UNKNOWN:
		snprintf(to, size,
			 "user %s does not exist: create it (useradd --system --no-create-home "
			 "--shell /usr/sbin/nologin %s), or use -u root or a numeric uid",
			 user, user);
		return to;
	case PRIVILEGES_USER_NEEDS_NUMBER:
		snprintf(to, size,
			 "user %s cannot be looked up by a static build: "
			 "use -u root or a numeric uid",
			 user);
		return to;
	case PRIVILEGES_USER_MALFORMED:
		snprintf(to, size, "user \"%s\" is neither a name, nor UID, nor UID:GID", user);
		return to;
	}
	return to;
}

/* "0 0 4294967295": every user is what he is outside. */
static bool is_identity(struct slice map)
{
	return slice_equals(slice_word(&map), "0") && slice_equals(slice_word(&map), "0") &&
	       slice_equals(slice_word(&map), "4294967295") && !slice_trim(map).n;
}

enum privileges_clock_right privileges_clock_right(void)
{
	struct capability_sets sets = { .permitted = 0 };
	char map[256];

	if (get_capabilities(&sets) < 0 || !(sets.effective & CAPABILITY(CAP_SYS_TIME)))
		return PRIVILEGES_CLOCK_NO_CAPABILITY;
	/*
	 * The clock belongs to the initial user namespace, and only its map is the identity; one
	 * that is being set up has none yet.  Without /proc we take the capability's word.
	 */
	if (file_read_small(AT_FDCWD, "/proc/self/uid_map", map, sizeof map) < 0)
		return PRIVILEGES_CLOCK_OURS;
	if (!is_identity(slice_of(map)))
		return PRIVILEGES_CLOCK_NAMESPACE;
	return PRIVILEGES_CLOCK_OURS;
}

const char *privileges_explain_clock(enum privileges_clock_right right)
{
	switch (right) {
	case PRIVILEGES_CLOCK_OURS: return NULL;
	case PRIVILEGES_CLOCK_NO_CAPABILITY:
		return "no right to set the clock (CAP_SYS_TIME is missing): start as root, "
		       "or use -x to observe only";
	case PRIVILEGES_CLOCK_NAMESPACE:
		return "no right to set the clock (an unprivileged container, whose user namespace "
		       "is not the machine's): run on the machine itself, or use -x to observe only";
	}
	return NULL;
}

/*
 * With no_new_privs the bounding set cannot matter any more; emptied nevertheless where we may
 * (CAP_SETPCAP), since it is what people look at.
 */
static int empty_bounding_set(void)
{
	for (unsigned long capability = 0; capability < 64; capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
			if (errno == EINVAL) /* past the last one */
				break;
			if (errno == EPERM)
				break;
			return -errno;
		}
	return 0;
}

static int forbid_new_privileges(void)
{
	/* Kernels before 4.3 have no ambient set, so there is nothing to clear. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int change_user(const struct privileges_user *user)
{
	/* Otherwise leaving uid 0 clears the permitted set. */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -errno;
	if (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return -errno;
	return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 ? -errno : 0;
}

/* Asks the kernel instead of believing that it all went well. */
static int verify(const struct privileges_user *user, uint64_t keep)
{
	struct capability_sets sets = { .permitted = 0 };
	uid_t real, effective, saved;
	int r = get_capabilities(&sets);

	if (r < 0)
		return r;
	if (getresuid(&real, &effective, &saved) < 0)
		return -errno;
	if (real != user->uid || effective != user->uid || saved != user->uid ||
	    sets.effective != keep || sets.permitted != keep || sets.inheritable != 0)
		return -EPERM;
	return 0;
}

int privileges_drop(const struct privileges_user *user)
{
	struct capability_sets sets = { .permitted = 0 };
	uint64_t keep;
	int r;

	if (user->is_root)
		return 0;
	r = get_capabilities(&sets);
	if (r < 0)
		return r;
	keep = sets.permitted & CAPABILITY(CAP_SYS_TIME);
	r = empty_bounding_set();
	/* Already that user, by grace of the service manager: then only the rest has to go. */
	if (r == 0 && (getuid() != user->uid || geteuid() != user->uid))
		r = change_user(user);
	if (r == 0)
		r = set_capabilities(keep);
	if (r == 0)
		r = forbid_new_privileges();
	return r < 0 ? r : verify(user, keep);
}

const unsigned long long PRIVILEGES_CLOCK_AND_DEVICES =
	CAPABILITY(CAP_SYS_TIME) | CAPABILITY(CAP_DAC_OVERRIDE);
const unsigned long long PRIVILEGES_OF_HOSTD =
	CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_CHOWN) | CAPABILITY(CAP_NET_BIND_SERVICE);

int privileges_limit(unsigned long long keep)
{
	struct capability_sets sets = { .permitted = 0 };
	int r = get_capabilities(&sets);

	if (r == 0)
		r = empty_bounding_set();
	if (r == 0)
		r = set_capabilities(sets.permitted & keep);
	return r < 0 ? r : forbid_new_privileges();
}
