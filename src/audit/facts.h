/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_FACTS_H
#define AUDIT_FACTS_H

/*
 * facts.h - what a machine's files say about its time
 *
 * One struct, gathered from below one folder: "" is the machine that we run on, any other folder is
 * a machine that somebody has laid out there, an image or the fixture of a test.  So what is judged
 * (audit/findings.h) and what is changed (fix) can be tried on any machine's files.
 *
 * Facts are what is written there, not what it means: no rule stands in this file.  Text is foreign
 * and may hold any byte; who prints it escapes it.  Nothing is changed, nothing is waited for, no
 * network is used, and no library reads the files but our own parsers: below a folder of a few
 * hundred processes it takes a few milliseconds.
 *
 * A path in the facts begins with "/", as that machine itself would name it; put `root` before it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"

#define FACTS_PATH_MAX     256
#define FACTS_WORD_MAX     64
#define FACTS_LINE_MAX     4096 /* a kernel command line: the kernel itself takes 2048 on x86 */
#define FACTS_REFCLOCKS    8
#define FACTS_OWNERS       8
#define FACTS_UNITS        16
#define FACTS_DOMAINS      256
#define FACTS_UNREAD       24
#define FACTS_FILE_LIMIT   4194304 /* a larger file is not read */

enum fact {
	FACT_UNKNOWN, /* could not be looked at, or there is nothing to look at */
	FACT_NO,
	FACT_YES,
};

/* What became of a file that was to be read. */
enum fact_file {
	FACT_FILE_ABSENT,
	FACT_FILE_READ,
	FACT_FILE_REFUSED, /* we have not the right                                     */
	FACT_FILE_ODD,     /* a directory, a device, too large, no text, a broken link  */
};

enum fact_family {
	FAMILY_UNKNOWN,
	FAMILY_DEBIAN,  /* Debian, Ubuntu and what is made of them       */
	FAMILY_RED_HAT, /* Fedora, RHEL, and what is rebuilt from it     */
};

/* The distribution: os-release, or redhat-release where that is older than os-release. */
struct fact_system {
	enum fact_family family;
	char id[FACTS_WORD_MAX];         /* ID: "debian"; "" where nothing tells      */
	char version[FACTS_WORD_MAX];    /* VERSION_ID: "12", "22.04", "9.4"; or ""   */
	char name[FACTS_WORD_MAX];       /* PRETTY_NAME                               */
	unsigned major, minor;           /* of version; 0 where there is none         */
	bool is_supported;               /* a release that fix knows: see facts_system.c */
	bool has_systemd;                /* its folders are there                     */
	char kernel[FACTS_WORD_MAX];     /* uname -r; "" unknown                      */
	enum fact is_64_bit;
};

/* Whose machine is it? */
struct fact_place {
	enum fact is_container; /* then the rest says nothing of this container's own */
	enum fact is_guest;     /* a hypervisor is beneath                            */
	bool is_kvm;            /* ... and it is KVM                                  */
	enum fact is_host;      /* runs guests, or could and is no guest itself       */
	char hypervisor[16];    /* CPUID's signature: "KVMKVMKVM"; "" not asked       */
	char vendor[FACTS_WORD_MAX], product[FACTS_WORD_MAX]; /* DMI                  */
	bool has_dev_kvm;
	unsigned n_kvm_users;   /* users of /dev/kvm: by the module's counter, else by name of process */
	char kvm_user[FACTS_WORD_MAX]; /* the name of one; ""                         */
};

struct fact_cpu {
	bool is_x86;                    /* has a TSC at all; the next three are of the flags */
	enum fact constant_tsc, nonstop_tsc;
	enum fact hypervisor;           /* the flag of that name                       */
	enum fact invariant_by_cpuid;   /* leaf 0x80000007; UNKNOWN below another root */
	char vendor[FACTS_WORD_MAX];    /* vendor_id                                   */
};

struct fact_clocksource {
	char current[FACTS_WORD_MAX];   /* "" where sysfs does not tell */
	char available[128];            /* blank separated              */
};

struct fact_idle {
	char driver[FACTS_WORD_MAX];    /* "intel_idle", "acpi_idle", "none"; "" none   */
	char deepest[FACTS_WORD_MAX];   /* the deepest state in use beyond C1: "C6"; "" */
};

struct fact_frequency {
	bool is_there;
	char driver[FACTS_WORD_MAX];
	char governor[FACTS_WORD_MAX];  /* the first policy's                            */
	char governors[128];            /* scaling_available_governors, blank separated  */
	bool is_mixed;                  /* another policy has another governor           */
	bool is_fixed;                  /* every policy's lowest is its highest          */
};

/* The service that sets frequencies at boot. */
struct fact_cpupower {
	enum fact has_service;
	enum fact is_enabled;
	char unit[FACTS_WORD_MAX];      /* "cpupower.service"; "" where there is none    */
	char path[FACTS_PATH_MAX];      /* its file, existing or not: /etc/sysconfig/cpupower; "" */
	enum fact_file file;
	char start_opts[FACTS_PATH_MAX];
	char governor[FACTS_WORD_MAX];  /* -g of start_opts; ""                          */
};

enum fact_boot_tool {
	BOOT_UNKNOWN,
	BOOT_UPDATE_GRUB,    /* Debian, Ubuntu: update-grub writes grub.cfg from the defaults    */
	BOOT_GRUB2_MKCONFIG, /* RHEL 7, and 8 without BLS: grub2-mkconfig -o                     */
	BOOT_GRUBBY,         /* BLS: grubby edits loader entries (and the defaults, where it can) */
};

/* How the kernel gets its command line. */
struct fact_boot {
	enum fact_boot_tool tool;
	bool is_efi;                       /* started by EFI firmware                            */
	char defaults[FACTS_PATH_MAX];     /* /etc/default/grub, existing or not                 */
	enum fact_file defaults_file;
	char drop_ins[FACTS_PATH_MAX];     /* /etc/default/grub.d where it is read; else ""      */
	char config[FACTS_PATH_MAX];       /* the grub.cfg that the tool writes                  */
	char grubenv[FACTS_PATH_MAX];      /* "" where the tool does not use it                  */
	char entries[FACTS_PATH_MAX];      /* /boot/loader/entries; "" where there is no BLS     */
	char command[FACTS_PATH_MAX];      /* what regenerates: "update-grub"; "" for grubby     */
	enum fact is_configured_known;     /* whether `configured` could be read                 */
	char configured[FACTS_LINE_MAX];   /* what the next boot will be told                    */
	char configured_by[FACTS_PATH_MAX]; /* the file that says so (of several the last)       */
	char defaults_line[FACTS_LINE_MAX]; /* GRUB_CMDLINE_LINUX as the defaults have it in the end */
	bool is_running_known;
	char running[FACTS_LINE_MAX];      /* /proc/cmdline                                      */
};

/* The host's clock as a PTP device. */
struct fact_ptp {
	bool has_kvm;                   /* a clock named "KVM virtual PTP"              */
	char device[FACTS_WORD_MAX];    /* its node, "/dev/ptp0"                        */
	unsigned n_clocks;              /* PTP clocks of any kind                       */
	bool has_link;                  /* /dev/ptp_kvm exists                          */
	bool is_loaded;                 /* the module                                   */
	enum fact has_module;           /* the running kernel has it, loaded or not     */
	bool is_builtin;                /* ... and needs no loading                     */
	char load_file[FACTS_PATH_MAX]; /* the file of modules-load.d that names it; "" */
};

/* What a refclock's device is. */
enum fact_device { DEVICE_UNKNOWN, DEVICE_MISSING, DEVICE_KVM, DEVICE_VMCLOCK, DEVICE_OTHER };

struct fact_refclock {
	char device[FACTS_WORD_MAX];    /* as written, without options behind a colon */
	bool is_phc;
	enum fact_device what;
	bool has_poll, has_dpoll;
	int poll, dpoll;
	char file[FACTS_PATH_MAX];
	unsigned line;
};

/* A configuration in chrony's language: chronyd's, or vmtimed's. */
struct fact_time_conf {
	char path[FACTS_PATH_MAX];      /* where it is, or would be; "" where nobody would read it */
	enum fact_file file;
	bool is_whole;                  /* every file that it names was read                       */
	char trouble[FACTS_PATH_MAX];   /* the first that was not, and why; ""                     */
	unsigned n_refclocks;
	struct fact_refclock refclocks[FACTS_REFCLOCKS];
	unsigned n_servers;             /* server, pool and peer lines                             */
	bool has_makestep;
	double makestep_threshold_s;
	int makestep_limit;             /* negative: always                                        */
	char makestep_file[FACTS_PATH_MAX];
	unsigned makestep_line;
	bool has_rtcsync, has_rtcfile;
	bool has_hostclock_off;         /* vmtimed's                                               */
	char drop_in_folder[FACTS_PATH_MAX]; /* the first confdir; ""                              */
};

/* A process that sets the clock now. */
struct fact_owner {
	char name[16];
	pid_t pid;
	char hand_over[128];
};

/* A service that is installed and matters here, by systemd's folders. */
struct fact_unit {
	char name[FACTS_WORD_MAX];      /* "chrony.service"                       */
	char daemon[16];                /* whose it is: "chronyd", under any unit name */
	bool is_enabled, is_masked;
	bool steers;                    /* it sets the clock                      */
};

struct fact_daemons {
	enum fact is_seen;              /* whether processes could be looked at   */
	unsigned n_owners;
	struct fact_owner owners[FACTS_OWNERS];
	unsigned n_units;
	struct fact_unit units[FACTS_UNITS];
};

struct fact_agent {
	bool has_port;                  /* the host offers the agent its channel  */
	bool is_installed, is_running;
	bool has_hwclock;
};

struct fact_rtc {
	enum fact is_local;             /* /etc/adjtime says LOCAL                */
};

/* A guest as libvirt's files define it. */
struct fact_domain {
	char name[FACTS_WORD_MAX];
	bool has_clock;
	char offset[16];                /* of <clock>; ""                         */
	char rtc_track[16], rtc_policy[16], pit_policy[16]; /* "" not given       */
	enum fact hpet, kvmclock;       /* present= of the timers                 */
	bool has_tsc_frequency;
	bool requires_invtsc;
	bool has_agent_channel;
	bool is_windows;                /* hypervclock or libosinfo says so       */
};

struct fact_libvirt {
	enum fact is_there;             /* its folder; UNKNOWN: not readable      */
	unsigned n_domains;             /* in the list                            */
	unsigned n_lost;                /* more than fit, or could not be read    */
	struct fact_domain domains[FACTS_DOMAINS];
	char guests_path[FACTS_PATH_MAX]; /* of libvirt-guests, existing or not   */
	enum fact_file guests_file;
	char sync_time[FACTS_WORD_MAX], on_shutdown[FACTS_WORD_MAX]; /* "" unset  */
};

/* Ticks of /proc/stat's first line: all of them, and those that were stolen. */
struct fact_ticks {
	uint64_t all, stolen;
};

struct fact_steal {
	bool is_known;
	struct fact_ticks first;        /* since boot                             */
	bool has_second;
	struct fact_ticks second;       /* a while later: facts_look_again        */
};

/* Something that was to be looked at and was not. */
struct fact_unread {
	char what[FACTS_PATH_MAX];      /* a path                                 */
	bool needs_root;
	char why[FACTS_WORD_MAX];
};

struct audit_facts {
	char root[FACTS_PATH_MAX];      /* "" or a folder without a slash at its end */
	bool is_real;                   /* root is ""                             */
	bool is_root;                   /* we are                                 */
	bool is_running;                /* a machine that runs: /sys shows it; else an image of one */
	struct fact_system system;
	struct fact_place place;
	struct fact_cpu cpu;
	struct fact_clocksource clocksource;
	struct fact_idle idle;
	struct fact_frequency frequency;
	struct fact_cpupower cpupower;
	struct fact_boot boot;
	struct fact_ptp ptp;
	struct fact_time_conf chrony;
	struct fact_time_conf vmtime;
	struct fact_daemons daemons;
	struct fact_agent agent;
	struct fact_rtc rtc;
	struct fact_libvirt libvirt;
	struct fact_steal steal;
	unsigned n_unread;
	unsigned n_unread_lost;         /* more than fit                          */
	struct fact_unread unread[FACTS_UNREAD];
};

/*
 * Gathers everything below @root, "" or "/" for this machine.  A file that is missing or odd is a
 * fact, not a failure.  0 or -errno where @root itself is no folder; then *@ret is not to be used.
 * It is large: keep it on the heap.
 */
int facts_gather(struct audit_facts *ret, const char *root, bool is_root) must_check;

/*
 * Of an image, which does not show on what it will run: it is to be a KVM guest, or a host, or both.
 * What the files themselves say is not changed; a machine that runs says it itself.
 */
void facts_suppose(struct audit_facts *facts, bool is_guest, bool is_host);

/* The second look at stolen time; whoever wants one waits in between. */
void facts_look_again(struct audit_facts *facts);

/* The installed unit of that name ("chrony.service"), or NULL. */
const struct fact_unit *facts_unit(const struct audit_facts *facts, const char *name);

#endif
