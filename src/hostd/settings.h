/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_SETTINGS_H
#define HOSTD_SETTINGS_H

/*
 * settings.h - vmtime-hostd's configuration as one value
 *
 * Made by conf/'s parser from the table in settings_table.c, never changed afterwards:
 * a reload makes a new value, compares, and swaps.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/attr.h"
#include "base/log.h"
#include "base/units.h"
#include "conf/conf.h"
#include "hostd/sign.h"

#define SETTINGS_QEMU_MAX  64 /* lines; one with a * may stand for a thousand guests */
#define SETTINGS_VSOCK_MAX 64
#define SETTINGS_PATH_MAX  256
#define SETTINGS_WORD_MAX  128

/* `qemu`: a guest by the sockets of its QEMU, or with a * in @qmp as many as there are files. */
struct qemu_settings {
	char name[GUEST_NAME_MAX];      /* a * in it stands for what the * of @qmp stands for */
	char qmp[SETTINGS_PATH_MAX];
	char agent[SETTINGS_PATH_MAX]; /* "": none; may have a *, as the name */
	bool has_cid;
	unsigned cid;                  /* on vsock; 0: none                   */
};

/* `vsock`: a guest that is reached through its vmtimed alone. */
struct vsock_settings {
	char name[GUEST_NAME_MAX];
	unsigned cid;
};

enum settings_libvirt {
	SETTINGS_LIBVIRT_AUTO, /* the system's, where its socket is */
	SETTINGS_LIBVIRT_OFF,
	SETTINGS_LIBVIRT_URI,
};

struct settings {
	enum settings_libvirt libvirt;
	char libvirt_uri[SETTINGS_PATH_MAX]; /* SETTINGS_LIBVIRT_URI; else as the word was: "auto" */

	unsigned n_qemu;
	struct qemu_settings qemu[SETTINGS_QEMU_MAX];
	unsigned n_vsock;
	struct vsock_settings vsock[SETTINGS_VSOCK_MAX];

	vt_span threshold;                /* farther off than this is set                          */
	vt_span unsynchronized_threshold; /* the same while the host itself is not synchronised     */
	vt_span interval;                 /* between measurements of a guest that nothing happens to */
	unsigned parallel;                /* guests whose clocks are put right at once              */

	bool is_http_on;
	struct address http_address;
	unsigned http_port;
	char http[SETTINGS_WORD_MAX];             /* as it was written                           */
	char tls_certificate[SETTINGS_PATH_MAX];  /* "": no TLS                                  */
	char tls_key[SETTINGS_PATH_MAX];
	char token_file[SETTINGS_PATH_MAX];       /* "": whoever can connect may read             */

	char socket[SETTINGS_PATH_MAX];   /* never empty                                         */
	char group[SETTINGS_WORD_MAX];    /* whose members may have guests synchronised           */
	char pid_file[SETTINGS_PATH_MAX]; /* empty: none                                         */
	enum log_level log_level;
};

/* Room for what settings_print and settings_reference write. */
#define SETTINGS_PRINT_MAX     98304
#define SETTINGS_REFERENCE_MAX 16384

/* No configuration at all: libvirt's guests, the default paths and limits. */
void settings_default(struct settings *ret);

/*
 * Reads the file @path and then the @n_extra directives from the command line.  @path NULL: only
 * those.  Warnings go to @notes.  Returns 0, or -EINVAL (or the errno of the file) with *@reterr
 * filled in; *@ret is written only on success.  The caller's @loader does the I/O.
 */
int settings_load(const char *path, const char *const *extra, size_t n_extra,
		  const struct conf_loader *loader, struct conf_notes *notes, struct settings *ret,
		  struct conf_error *reterr) must_check;

/* Whether both mean the same, so that a reload has nothing to do. */
bool settings_equal(const struct settings *a, const struct settings *b);

/* As snprintf: @settings as directives, defaults included, that load as the same value. */
size_t settings_print(const struct settings *settings, char *to, size_t size);

/* Writes what --conf-reference shows: every directive with its values, range, default and help. */
size_t settings_reference(char *to, size_t size);

#endif
