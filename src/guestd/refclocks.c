/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/refclocks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "os/tai.h"

#define REFID_PHC  UINT32_C(0x50484330) /* "PHC0", as chrony's */
#define REFID_PAGE UINT32_C(0x564d4330) /* "VMC0"              */

static void detach(struct refclock *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	r->node = (struct ptp_node){ 0 };
	r->scale = SCALE_UNKNOWN;
	ptp_attach(&r->ptp, -1);
}

static bool is_same_device(const struct refclock *a, const struct refclock *b)
{
	return a->fd >= 0 && b->fd >= 0 && a->rdev == b->rdev;
}

/* A device that the file names is read by the file's line alone. */
static void hide_duplicates(struct refclocks *rs)
{
	for (unsigned i = 0; i < rs->n; i++) {
		struct refclock *automatic = &rs->list[i];
		bool is_named = false;

		if (!automatic->is_automatic || automatic->fd < 0)
			continue;
		for (unsigned k = 0; k < rs->n; k++)
			is_named |= k != i && is_same_device(automatic, &rs->list[k]);
		automatic->is_hidden = is_named;
		if (is_named)
			detach(automatic);
	}
}

static bool is_named_already(const struct refclock *automatic, const struct ptp_node *node)
{
	const struct refclocks *rs = automatic->all;

	for (unsigned i = 0; i < rs->n; i++)
		if (&rs->list[i] != automatic && rs->list[i].fd >= 0 &&
		    rs->list[i].rdev == node->device)
			return true;
	return false;
}

static int open_host(struct refclock *r, struct ptp_node *ret_node, int *ret_fd)
{
	int e;

	/*
	 * A look at sysfs needs no right; the opener is asked only when there is something to open.
	 */
	e = ptp_find_by_name("", PTP_NAME_KVM, ret_node);
	if (e < 0)
		return e;
	r->is_hidden = is_named_already(r, ret_node);
	if (r->is_hidden)
		return -ENOENT;
	e = opener_open_kvm(r->all->opener, ret_node, ret_fd);
	if (e == 0)
		snprintf(r->device, sizeof r->device, "%s", ret_node->path);
	return e;
}

static int open_named(struct refclock *r, struct ptp_node *ret_node, int *ret_fd)
{
	/* What sysfs says of it is for people only: without /sys the path is enough. */
	if (ptp_find_by_path("", r->device, ret_node) < 0) {
		/*
		 * The opener is another process: not to be woken up each second for what is not
		 * there.
		 */
		if (access(r->device, F_OK) < 0)
			return -errno;
		*ret_node = (struct ptp_node){ 0 };
		snprintf(ret_node->path, sizeof ret_node->path, "%.31s", r->device);
	}
	return opener_open_path(r->all->opener, r->device, ret_fd);
}

static enum source_outcome outcome_of(int e)
{
	switch (e) {
	case -EACCES:
	case -EPERM:
		return SOURCE_DENIED;
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return SOURCE_MISSING;
	default:
		return SOURCE_BROKEN;
	}
}

static enum source_outcome attach(struct refclock *r)
{
	struct ptp_node node;
	struct stat st;
	int fd = -1;
	int e = r->is_automatic ? open_host(r, &node, &fd) : open_named(r, &node, &fd);

	if (e < 0) {
		r->port.error = -e;
		return outcome_of(e);
	}
	r->fd = fd;
	r->node = node;
	r->port.shows_host = strcmp(node.name, PTP_NAME_KVM) == 0 ||
	                     strncmp(node.name, PTP_NAME_VMCLOCK, strlen(PTP_NAME_VMCLOCK)) == 0;
	r->rdev = fstat(fd, &st) == 0 ? st.st_rdev : node.device;
	ptp_attach(&r->ptp, fd);
	log_debug("source %s: %s is \"%s\"", r->name, node.path, node.name);
	hide_duplicates(r->all);
	return SOURCE_READ;
}

/* UTC at an instant near that of @burst: by the host's page, else about, by our own clock. */
static bool find_utc(struct refclocks *rs, const struct burst *burst, struct clock_pair *ret)
{
	const struct bracket *b;
	struct burst page;

	*ret = burst->pair;
	if (rs->page.port.ops->read(&rs->page.port, 1, &page) != SOURCE_READ)
		return false;
	b = &page.brackets[0];
	ret->raw = vt_mono_add(b->before, VT_NS(vt_mono_since(b->after, b->before).ns / 2));
	ret->local = b->remote;
	return true;
}

/* TAI - UTC, by the page, the kernel or the table; 0 where nobody knows. */
static vt_span known_tai(const struct refclocks *rs, vt_real at)
{
	const struct vmclock_device *v = rs->page.device;
	int seconds;

	if (v->is_known && v->page.has_tai_offset)
		return VT_NS(-v->page.utc_minus_tai.ns);
	if (tai_minus_utc(NULL, TAI_TABLE_PATH, at, &seconds) < 0)
		return VT_NS(0);
	return VT_SEC((int64_t)seconds);
}

/* Compares the clock with what is about UTC, and tells in one line what it shows. */
static void find_scale(struct refclock *r, const struct burst *burst)
{
	const struct bracket *b = &burst->brackets[0];
	struct clock_pair utc;
	bool is_exact = find_utc(r->all, burst, &utc);
	vt_span ahead = vt_span_sub(vt_real_since(b->remote, utc.local),
	                            vt_mono_since(b->before, utc.raw));
	vt_span tai = known_tai(r->all, b->remote);

	r->scale = time_scale_of(ahead, tai);
	if (r->scale == SCALE_TAI && tai.ns == 0) {
		tai = VT_SEC((ahead.ns + 500000000) / 1000000000);
		/* Beside our own clock that would be a guess of the seconds. */
		r->scale = is_exact ? SCALE_TAI : SCALE_UNKNOWN;
	}
	r->utc_minus_tai = VT_NS(-tai.ns);
	if (r->scale != SCALE_UNKNOWN)
		log_info("source %s: %s is a vmclock and shows %s, by %s: %lld s are taken off", r->name,
		         r->device, r->scale == SCALE_TAI ? "TAI" : "UTC",
		         is_exact ? "the host's page" : "our own clock",
		         r->scale == SCALE_TAI ? (long long)(tai.ns / 1000000000) : 0LL);
}

/* What the kernel makes of a vmclock is UTC or TAI, by its version; readings become UTC here. */
static enum source_outcome make_utc(struct refclock *r, struct burst *burst)
{
	const struct vmclock_device *v = r->all->page.device;

	if (r->is_tai_given ||
	    strncmp(r->node.name, PTP_NAME_VMCLOCK, strlen(PTP_NAME_VMCLOCK)) != 0)
		return SOURCE_READ;
	if (r->scale == SCALE_UNKNOWN)
		find_scale(r, burst);
	if (r->scale == SCALE_UNKNOWN) {
		r->port.error = ERANGE;
		return SOURCE_REFUSED;
	}
	if (r->scale == SCALE_UTC)
		return SOURCE_READ;
	/* A leap second changes it. */
	if (v->is_known && v->page.has_tai_offset)
		r->utc_minus_tai = v->page.utc_minus_tai;
	for (unsigned i = 0; i < burst->n; i++)
		burst->brackets[i].remote =
			vt_real_add(burst->brackets[i].remote, r->utc_minus_tai);
	return SOURCE_READ;
}

static enum source_outcome page_read(struct source_port *port, unsigned wanted, struct burst *ret)
{
	struct refclock *r = (struct refclock *)port;
	struct source_port *page = &r->all->page.port;
	enum source_outcome outcome = page->ops->read(page, wanted, ret);

	port->error = page->error;
	return outcome;
}

static const struct source_ops PAGE_OPS = { .read = page_read };

static enum source_outcome refclock_read(struct source_port *port, unsigned wanted,
                                         struct burst *ret)
{
	struct refclock *r = (struct refclock *)port;
	enum source_outcome outcome;

	if (r->fd < 0) {
		outcome = attach(r);
		if (outcome != SOURCE_READ)
			return outcome;
	}
	outcome = r->ptp.port.ops->read(&r->ptp.port, wanted, ret);
	port->error = r->ptp.port.error;
	if (outcome == SOURCE_READ)
		return make_utc(r, ret);
	if (outcome == SOURCE_MISSING || outcome == SOURCE_BROKEN || outcome == SOURCE_DENIED)
		detach(r);
	return outcome;
}

static const struct source_ops REFCLOCK_OPS = { .read = refclock_read };

/* The refid as text: its four characters without the padding. */
static void name_it(struct refclock *r)
{
	for (unsigned i = 0; i < 4; i++)
		r->name[i] = (char)(r->refid >> (24 - 8 * i) & 0xff);
	r->name[4] = '\0';
}

static bool is_taken(const struct refclocks *rs, uint32_t refid)
{
	for (unsigned i = 0; i < rs->n; i++)
		if (rs->list[i].refid == refid)
			return true;
	return false;
}

/* The driver's first three letters and a number; the first that no line of the file has. */
static uint32_t free_refid(const struct refclocks *rs, uint32_t first)
{
	uint32_t refid = first;

	while (is_taken(rs, refid))
		refid++;
	return refid;
}

static struct refclock *add(struct refclocks *rs, const char *device, uint32_t refid,
                            bool nocrossts)
{
	uint32_t assigned = refid ? refid : free_refid(rs, REFID_PHC);
	struct refclock *r = &rs->list[rs->n++];

	*r = (struct refclock){
		.port = { .ops = &REFCLOCK_OPS },
		.all = rs,
		.fd = -1,
		.refid = assigned,
	};
	snprintf(r->device, sizeof r->device, "%s", device);
	name_it(r);
	ptp_init(&r->ptp, -1, NULL, rs->clocksource, nocrossts);
	return r;
}

void refclocks_init(struct refclocks *rs, const struct settings *settings, struct opener *opener,
                    struct clocksource *clocksource, struct vmclock_device *vmclock)
{
	rs->n = 0;
	rs->wants_page = settings->hostclock;
	rs->has_page = false;
	rs->opener = opener;
	rs->clocksource = clocksource;
	vmclock_source_init(&rs->page, vmclock, clocksource, NULL);
	for (unsigned i = 0; i < settings->n_refclocks; i++) {
		const struct refclock_settings *s = &settings->refclocks[i];

		struct refclock *r = add(rs, s->device, s->source.refid, s->is_precise_off);

		r->is_tai_given = s->source.is_tai;
	}
	if (settings->hostclock)
		add(rs, "", 0, false)->is_automatic = true;
}

void refclocks_fini(struct refclocks *rs)
{
	for (unsigned i = 0; i < rs->n; i++)
		detach(&rs->list[i]);
	rs->n = 0;
}

void refclocks_add_to(struct refclocks *rs, const struct settings *settings,
                      struct discipline *discipline)
{
	const struct source_conf automatic = SOURCE_CONF_DEFAULT;

	for (unsigned i = 0; i < rs->n; i++) {
		struct refclock *r = &rs->list[i];
		const struct source_conf *conf =
			r->is_automatic ? &automatic : &settings->refclocks[i].source;

		/* There is room: both arrays hold the configured ones and the host's. */
		(void)discipline_add(discipline, &r->port, conf, r->is_automatic);
	}
}

void refclocks_add_page(struct refclocks *rs, struct discipline *discipline)
{
	const struct source_conf automatic = SOURCE_CONF_DEFAULT;
	const struct vmclock_device *v = rs->page.device;
	struct refclock *r;

	if (rs->has_page || !rs->wants_page || !v->is_known ||
	    vmclock_as_clock(&v->page, rs->page.counter) != VMCLOCK_CLOCK)
		return;
	r = add(rs, VMCLOCK_DEVICE_PATH, free_refid(rs, REFID_PAGE), false);
	r->port.ops = &PAGE_OPS;
	r->is_page = r->is_automatic = true;
	r->port.shows_host = true;
	snprintf(r->node.name, sizeof r->node.name, "%s", PTP_NAME_VMCLOCK);
	/*
	 * Not "the host's clock", which comes first: that one is exact, this one knows its host's
	 * error.
	 */
	(void)discipline_add(discipline, &r->port, &automatic, false);
	rs->has_page = true;
}

static const char *explain_refused(const struct refclock *r)
{
	if (r->port.error == ERANGE)
		return "whether it shows UTC or TAI cannot be told, as it is near neither: let the "
		       "host's page be read (" VMCLOCK_DEVICE_PATH "), or write `tai`";
	return "the host refuses to tell its time: the host's own clocksource is probably not "
	       "tsc (after a migration: look at the new host)";
}

static const char *explain_missing(const struct refclock *r)
{
	return r->is_automatic
	               ? "there is no PTP clock called \"" PTP_NAME_KVM
	                 "\": load the module ptp_kvm, and see that the host offers it"
	               : "there is no such PTP clock now; it is looked for again";
}

const char *refclock_explain(const struct refclock *r, const struct source *source, char *to,
                             size_t size)
{
	const char *text = "";

	switch (source->trouble) {
	case TROUBLE_NONE:
		if (source->is_held)
			text = "it jumped, and another source contradicts";
		break;
	case TROUBLE_UNREAD: text = "it has not been read yet"; break;
	case TROUBLE_BUSY: text = "it is busy; it is read again at once"; break;
	case TROUBLE_MISSING: text = explain_missing(r); break;
	case TROUBLE_REFUSED: text = explain_refused(r); break;
	case TROUBLE_DENIED: text = "vmtimed may not open it"; break;
	case TROUBLE_BROKEN: text = "reading it fails"; break;
	case TROUBLE_INSANE:
		text = "it shows a time outside the years that this version can mean: its host's clock is "
		       "not set";
		break;
	case TROUBLE_UNSTEADY: text = "its time jumps to and fro"; break;
	case TROUBLE_BACKWARDS: text = "its readings go backwards"; break;
	case TROUBLE_NO_TAI:
		text = "it gives TAI, and neither the kernel nor " TAI_TABLE_PATH
		       " tells the difference to UTC";
		break;
	}
	if (r->is_page &&
	    (source->trouble == TROUBLE_REFUSED || source->trouble == TROUBLE_MISSING))
		snprintf(to, size, "the host's page %s", vmclock_source_explain(&r->all->page));
	else if (source->trouble == TROUBLE_BROKEN && r->port.error == EPIPE)
		snprintf(to, size, "the process that opens devices is gone: restart vmtimed");
	else if (source->trouble == TROUBLE_BROKEN || source->trouble == TROUBLE_DENIED)
		snprintf(to, size, "%s: %s", text, strerror(r->port.error));
	else
		snprintf(to, size, "%s", text);
	return to;
}
