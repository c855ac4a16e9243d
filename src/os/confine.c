/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.c - the system calls that a started vmtimed may make
 *
 * The filter is a short classic BPF program, made from the tables below at run
 * time and handed to the kernel: no library, and nothing of it stays in our
 * memory.
 *
 * What is not listed fails with ENOSYS and does not end the process.  A C
 * library that learns a new system call falls back to the old one on exactly
 * that error, and a time daemon that dies in every guest after an update of
 * libc is a worse failure than a call that does not happen.  The calls that an
 * intruder needs and a daemon never makes do end it.
 */
#include "os/privileges.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/ptp_clock.h>
#include <linux/rtc.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attr.h"

#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define ARCHITECTURE AUDIT_ARCH_S390X
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCHITECTURE AUDIT_ARCH_PPC64LE
#endif

/* Sanitizers make calls of their own (ptrace for leaks, for one). */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(VMTIME_NO_CONFINE)
#undef ARCHITECTURE
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
	__has_feature(thread_sanitizer)
#undef ARCHITECTURE
#endif
#endif

#ifndef ARCHITECTURE

enum privileges_confine_outcome privileges_confine(void)
{
	return PRIVILEGES_CONFINE_LEFT_OUT;
}

#else

/* clang-format off */
static const uint32_t ALLOWED[] = {
	/* the clocks and the loop */
	SYS_clock_gettime, SYS_clock_adjtime, SYS_adjtimex, SYS_clock_settime, SYS_clock_getres,
	SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday, SYS_ppoll, SYS_pselect6,
	SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_eventfd2, SYS_signalfd4,
	SYS_timerfd_create, SYS_timerfd_settime, SYS_timerfd_gettime,
	/* sockets that exist; socket(2) itself is looked at below */
	SYS_connect, SYS_bind, SYS_listen, SYS_accept4, SYS_accept, SYS_getsockopt, SYS_setsockopt,
	SYS_getsockname, SYS_getpeername, SYS_shutdown, SYS_sendto, SYS_sendmsg, SYS_sendmmsg,
	SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg,
	/* files: /proc, /sys, the configuration, the drift */
	SYS_openat, SYS_close, SYS_read, SYS_readv, SYS_pread64, SYS_write, SYS_writev,
	SYS_pwrite64, SYS_lseek, SYS_fstat, SYS_newfstatat, SYS_statx, SYS_fstatfs, SYS_statfs,
	SYS_faccessat, SYS_getdents64, SYS_readlinkat, SYS_mkdirat, SYS_unlinkat, SYS_renameat2,
	SYS_fsync, SYS_fdatasync, SYS_ftruncate, SYS_fchmod, SYS_fchmodat, SYS_fchown,
	SYS_fchownat, SYS_flock, SYS_fcntl, SYS_dup, SYS_dup3, SYS_pipe2, SYS_getcwd,
	SYS_inotify_init1, SYS_inotify_add_watch, SYS_inotify_rm_watch,
	/* memory */
	SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_membarrier, SYS_futex,
	/* ourselves: signals, identity, the end of the helper and our own */
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigpending,
	SYS_rt_sigtimedwait, SYS_sigaltstack, SYS_restart_syscall, SYS_kill, SYS_tgkill,
	SYS_wait4, SYS_waitid, SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid, SYS_geteuid,
	SYS_getgid, SYS_getegid, SYS_getresuid, SYS_getresgid, SYS_capget, SYS_uname,
	SYS_sysinfo, SYS_getrusage, SYS_getrandom, SYS_getcpu, SYS_prlimit64, SYS_umask,
	SYS_sched_yield, SYS_sched_getaffinity, SYS_set_robust_list, SYS_exit, SYS_exit_group,
#ifdef SYS_rseq
	SYS_rseq,
#endif
#ifdef SYS_faccessat2
	SYS_faccessat2,
#endif
#ifdef SYS_close_range
	SYS_close_range,
#endif
#ifdef SYS_epoll_pwait2
	SYS_epoll_pwait2,
#endif
	/* the older names of some of the above, where the architecture has them */
#ifdef SYS_poll
	SYS_poll,
#endif
#ifdef SYS_select
	SYS_select,
#endif
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
#ifdef SYS_open
	SYS_open,
#endif
#ifdef SYS_stat
	SYS_stat, SYS_lstat,
#endif
#ifdef SYS_access
	SYS_access,
#endif
#ifdef SYS_readlink
	SYS_readlink,
#endif
#ifdef SYS_mkdir
	SYS_mkdir,
#endif
#ifdef SYS_unlink
	SYS_unlink,
#endif
#ifdef SYS_rename
	SYS_rename,
#endif
#ifdef SYS_renameat
	SYS_renameat,
#endif
#ifdef SYS_chmod
	SYS_chmod,
#endif
#ifdef SYS_dup2
	SYS_dup2,
#endif
#ifdef SYS_time
	SYS_time,
#endif
};

static const uint32_t DEADLY[] = {
	SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
	SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_mount, SYS_umount2,
	SYS_pivot_root, SYS_chroot, SYS_unshare, SYS_setns, SYS_kexec_load, SYS_reboot, SYS_bpf,
	SYS_perf_event_open, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_personality,
	SYS_setresuid, SYS_setresgid, SYS_setuid, SYS_setgid, SYS_setgroups, SYS_capset,
};

/* Both generations of a request are one to us; not every kernel's header knows the second. */
static const uint32_t IOCTLS[] = {
	PTP_CLOCK_GETCAPS, PTP_SYS_OFFSET, PTP_SYS_OFFSET_PRECISE, PTP_SYS_OFFSET_EXTENDED,
#ifdef PTP_SYS_OFFSET_EXTENDED2
	PTP_CLOCK_GETCAPS2, PTP_SYS_OFFSET2, PTP_SYS_OFFSET_PRECISE2, PTP_SYS_OFFSET_EXTENDED2,
#endif
	(uint32_t)RTC_RD_TIME,
};

static const uint32_t FAMILIES[] = { AF_UNIX, AF_NETLINK, AF_VSOCK };
/* clang-format on */

struct program {
	unsigned short n;
	struct sock_filter code[2 * (COUNT(ALLOWED) + COUNT(DEADLY)) + 64];
};

static void add(struct program *p, unsigned code, uint32_t k, unsigned jt, unsigned jf)
{
	assert(p->n < COUNT(p->code) && jt < 256 && jf < 256);
	p->code[p->n++] = (struct sock_filter){ (uint16_t)code, (uint8_t)jt, (uint8_t)jf, k };
}

static void load(struct program *p, size_t offset)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void finish(struct program *p, uint32_t action)
{
	add(p, BPF_RET | BPF_K, action, 0, 0);
}

/* If what was loaded is one of @values: @action. */
static void match(struct program *p, const uint32_t *values, size_t n, uint32_t action)
{
	for (size_t i = 0; i < n; i++) {
		add(p, BPF_JMP | BPF_JEQ | BPF_K, values[i], 0, 1);
		finish(p, action);
	}
}

/* Where in its arguments the lower half of argument @index stands. */
static size_t argument(unsigned index)
{
	size_t offset = offsetof(struct seccomp_data, args) + index * sizeof(uint64_t);

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	offset += sizeof(uint32_t);
#endif
	return offset;
}

/*
 * The call @number only with one of @values as argument @index, which is 32 bits wide for the
 * kernel as well (an int, and ioctl's request).
 */
static void match_argument(struct program *p, uint32_t number, unsigned index,
			   const uint32_t *values, size_t n)
{
	unsigned length = (unsigned)(2 * n + 2);

	add(p, BPF_JMP | BPF_JEQ | BPF_K, number, 0, length);
	load(p, argument(index));
	match(p, values, n, SECCOMP_RET_ALLOW);
	finish(p, SECCOMP_RET_ERRNO | EPERM);
}

static void make_program(struct program *p)
{
	const uint32_t architecture = ARCHITECTURE;

	/* The numbers mean something else to another architecture's entry (and to x32). */
	load(p, offsetof(struct seccomp_data, arch));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0);
	finish(p, SECCOMP_RET_KILL_PROCESS);
	load(p, offsetof(struct seccomp_data, nr));

	match(p, ALLOWED, COUNT(ALLOWED), SECCOMP_RET_ALLOW);
	match(p, DEADLY, COUNT(DEADLY), SECCOMP_RET_KILL_PROCESS);
	/* Each of these leaves the loaded number alone where it is not its call. */
	match_argument(p, SYS_ioctl, 1, IOCTLS, COUNT(IOCTLS));
	match_argument(p, SYS_socket, 0, FAMILIES, COUNT(FAMILIES));
	finish(p, SECCOMP_RET_ERRNO | ENOSYS);
}

enum privileges_confine_outcome privileges_confine(void)
{
	struct program program = { .n = 0 };
	struct sock_fprog handed;

	make_program(&program);
	handed = (struct sock_fprog){ .len = program.n, .filter = program.code };
	/* A filter needs this, also where nothing was dropped (-u root). */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &handed, 0, 0) < 0)
		return PRIVILEGES_CONFINE_UNSUPPORTED;
	return PRIVILEGES_CONFINED;
}

#endif
