/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "hostd/api.h"
#include "hostd/http_secrets.h"
#include "hostd/http_slots.h"
#include "hostd/page_files.h"
#include "os/listener.h"
#include "os/memory.h"

#define REQUEST_MAX 16384 /* bytes of a request's line and headers; longer is answered by 431 */
#define PER_PEER    64    /* connections from one address of another machine                  */
#define KEPT_FOR    VT_MS(500)

/* Nothing from elsewhere runs, is shown, is asked, or shows us. */
#define CONTENT_POLICY                                                                 \
	"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; " \
	"frame-ancestors 'none'"

struct kept {
	struct MHD_Response *response; /* NULL: none */
	size_t n;
	vt_mono until;
};

struct http {
	struct MHD_Daemon *mhd;
	int epoll;
	const struct fleet *fleet;
	struct http_secrets secrets;
	bool is_loopback;
	unsigned port;
	char name[65]; /* of this machine */
	struct host_instant now;
	struct http_slots slots;
	struct kept kept[API_KINDS]; /* what was answered a moment ago, for whoever asks the same */
	char trouble[256];           /* what the library said last */
};

/* --- answers --- */

static bool add(struct MHD_Response *r, const char *name, const char *value)
{
	return MHD_add_response_header(r, name, value) == MHD_YES;
}

/* @r with what every answer says, or NULL. */
static struct MHD_Response *dressed(struct MHD_Response *r, const char *type, const char *caching)
{
	/* clang-format off */
	const char *const HEADERS[][2] = {
		{ "Content-Type",                 type           },
		{ "Cache-Control",                caching        },
		{ "Content-Security-Policy",      CONTENT_POLICY },
		{ "Cross-Origin-Resource-Policy", "same-origin"  },
		{ "Referrer-Policy",              "no-referrer"  },
		{ "X-Content-Type-Options",       "nosniff"      },
		{ "X-Frame-Options",              "DENY"         },
	};
	/* clang-format on */
	for (size_t i = 0; r && i < COUNT(HEADERS); i++)
		if (!add(r, HEADERS[i][0], HEADERS[i][1])) {
			MHD_destroy_response(r);
			return NULL;
		}
	return r;
}

/* Of bytes that stay where they are. */
static struct MHD_Response *borrowed(const void *data, size_t n, const char *type)
{
	union {
		const void *given;
		void *taken; /* the library never writes to what stays ours */
	} bytes = { .given = data };

	return dressed(MHD_create_response_from_buffer(n, bytes.taken, MHD_RESPMEM_PERSISTENT),
	               type, "no-cache");
}

static struct http_slot *slot_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static enum MHD_Result queue(struct http *h, struct MHD_Connection *c, unsigned status,
                             struct MHD_Response *r, size_t n)
{
	struct http_slot *slot = slot_of(c);

	if (!r || !slot)
		return MHD_NO;
	http_slots_answer(&h->slots, slot, n, h->now.mono);
	return MHD_queue_response(c, status, r);
}

/* One sentence. */
static enum MHD_Result say(struct http *h, struct MHD_Connection *c, unsigned status,
                           const char *header, const char *value, const char *text)
{
	struct MHD_Response *r = borrowed(text, strlen(text), "text/plain; charset=utf-8");
	enum MHD_Result result = MHD_NO;

	if (r && (!header || add(r, header, value)))
		result = queue(h, c, status, r, 0);
	if (r)
		MHD_destroy_response(r);
	return result;
}

static enum MHD_Result show(struct http *h, struct MHD_Connection *c, const struct page_file *file)
{
	const char *has = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "If-None-Match");
	const bool is_known = has && strstr(has, file->etag);
	struct MHD_Response *r = borrowed(file->data, is_known ? 0 : file->n, file->type);
	enum MHD_Result result = MHD_NO;

	if (r && add(r, "ETag", file->etag))
		result = queue(h, c, is_known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, r, 0);
	if (r)
		MHD_destroy_response(r);
	return result;
}

static const char *argument(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, name);
}

/* Makes @ret the answer.  As api_answer(). */
static int make(struct http *h, const struct api_query *query, struct kept *ret)
{
	char *text;
	size_t n;
	int r = api_answer(h->fleet, query, h->name, h->now, &text, &n);

	if (r)
		return r;
	ret->response = MHD_create_response_from_buffer(n, text, MHD_RESPMEM_MUST_FREE);
	if (!ret->response)
		free(text);
	ret->response = dressed(ret->response, api_type(query->kind), "no-store");
	ret->n = n;
	ret->until = vt_mono_add(h->now.mono, KEPT_FOR);
	return ret->response ? 0 : -ENOMEM;
}

static void forget(struct kept *kept)
{
	if (kept->response)
		MHD_destroy_response(kept->response);
	*kept = (struct kept){ .response = NULL };
}

static enum MHD_Result tell(struct http *h, struct MHD_Connection *c, enum api_kind kind)
{
	const struct api_query query = { .kind = kind,
		                         .guest = argument(c, "guest"),
		                         .backend = argument(c, "backend"),
		                         .since = argument(c, "since") };
	const bool is_common = !query.guest && !query.since;
	struct kept own = { .response = NULL }, *kept = is_common ? &h->kept[kind] : &own;
	enum MHD_Result result;
	int r = 0;

	if (!kept->response)
		r = make(h, &query, kept);
	switch (-r) {
	case 0: break;
	case ENOENT: return say(h, c, MHD_HTTP_NOT_FOUND, NULL, NULL, "There is no such guest.\n");
	case EINVAL:
		return say(h, c, MHD_HTTP_BAD_REQUEST, NULL, NULL,
		           "since: expected a number of nanoseconds.\n");
	default:
		return say(h, c, MHD_HTTP_SERVICE_UNAVAILABLE, "Retry-After", "5",
		           "There is not enough memory for this.\n");
	}
	result = queue(h, c, MHD_HTTP_OK, kept->response, kept->n);
	forget(&own);
	return result;
}

static enum MHD_Result route(struct http *h, struct MHD_Connection *c, const char *path)
{
	enum api_kind kind;

	if (api_find(path, &kind))
		return tell(h, c, kind);
	for (size_t i = 0; i < N_PAGE_FILES; i++)
		if (strcmp(path, PAGE_FILES[i].path) == 0)
			return show(h, c, &PAGE_FILES[i]);
	return say(h, c, MHD_HTTP_NOT_FOUND, NULL, NULL, "There is nothing here.\n");
}

/* --- what the library tells --- */

static bool is_reading(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* Whether more than the headers may come; nothing here takes more. */
static bool has_body(struct MHD_Connection *c, const char *method)
{
	return !is_reading(method) ||
	       MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Length") ||
	       MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Transfer-Encoding");
}

/* Once when a request's headers are there and, where no answer was given then, once more. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **context)
{
	struct http *h = cls;
	const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
	const char *given = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");

	(void)version;
	(void)upload;
	(void)upload_size;
	/* An answer before the request is whole ends the connection; there is one only to a body.
	 */
	if (!*context && !has_body(c, method)) {
		*context = h;
		return MHD_YES;
	}
	if (h->is_loopback && !http_host_is_local(host))
		return say(h, c, MHD_HTTP_FORBIDDEN, NULL, NULL,
		           "This is served to this machine only, by the name localhost.\n");
	if (!http_secrets_allow(&h->secrets, given))
		return say(h, c, MHD_HTTP_UNAUTHORIZED, "WWW-Authenticate",
		           "Basic realm=\"vmtime-hostd\", charset=\"UTF-8\"",
		           "The token is needed: as Bearer, or as the password of any user.\n");
	if (!is_reading(method))
		return say(h, c, MHD_HTTP_METHOD_NOT_ALLOWED, "Allow", "GET, HEAD",
		           "This can be read and nothing else.\n");
	return route(h, c, path);
}

static void on_answered(void *cls, struct MHD_Connection *c, void **context,
                        enum MHD_RequestTerminationCode code)
{
	struct http *h = cls;
	struct http_slot *slot = slot_of(c);

	(void)context;
	(void)code;
	if (slot)
		http_slots_rest(&h->slots, slot, h->now.mono);
}

static void on_connection(void *cls, struct MHD_Connection *c, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
	struct http *h = cls;
	const union MHD_ConnectionInfo *info;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (*context)
			http_slots_free(&h->slots, *context);
		*context = NULL;
		return;
	}
	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	*context = info ? http_slots_take(&h->slots, info->connect_fd, h->now.mono) : NULL;
}

/* Mostly of clients that went away.  At the start it is why there is none. */
static void printf_like(2, 0) on_message(void *cls, const char *format, va_list arguments)
{
	struct http *h = cls;

	vsnprintf(h->trouble, sizeof h->trouble, format, arguments);
	h->trouble[strcspn(h->trouble, "\n")] = '\0';
	log_debug("http: %s", h->trouble);
}

/* --- the component --- */

static struct MHD_Daemon *start(struct http *h, int listener)
{
	const struct http_secrets *s = &h->secrets;
	/* clang-format off */
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT,   0, s->certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY,    0, s->key },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (char[]){ "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" } },
		{ MHD_OPTION_END, 0, NULL },
	};
	/* clang-format on */
	if (!s->certificate)
		tls[0].option = MHD_OPTION_END;
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_ERROR_LOG | (s->certificate ? MHD_USE_TLS : 0), 0, NULL,
		NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_message, h,
		MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)HTTP_SLOTS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		h->is_loopback ? 0u : (unsigned)PER_PEER, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)REQUEST_MAX, MHD_OPTION_CONNECTION_TIMEOUT, 0u,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_NOTIFY_COMPLETED,
		on_answered, h, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

/* Listens and serves.  0, or -errno with @reterr filled in. */
static int begin(struct http *h, const struct http_conf *conf, char *reterr, size_t size)
{
	char address[ADDRESS_TEXT_MAX];
	int listener, r = listener_open(&conf->address, conf->port, &listener);

	address_write(&conf->address, address);
	if (r) {
		snprintf(reterr, size, "http: listen on %s, port %u: %s", address,
		         (unsigned)conf->port, strerror(-r));
		return r;
	}
	h->port = listener_port(listener);
	h->mhd = start(h, listener);
	if (!h->mhd) {
		snprintf(reterr, size, "http: %s", *h->trouble ? h->trouble : "it does not start");
		close(listener);
		return -EIO;
	}
	h->epoll = MHD_get_daemon_info(h->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	return 0;
}

int http_open(const struct http_conf *conf, const struct fleet *fleet, struct http **ret,
              char *reterr, size_t size)
{
	struct http *h;
	int r;

	if (!http_conf_check(conf, reterr, size))
		return -EINVAL;
	h = calloc(1, sizeof *h);
	if (!h) {
		snprintf(reterr, size, "http: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	h->fleet = fleet;
	h->is_loopback = http_conf_is_loopback(conf);
	if (gethostname(h->name, sizeof h->name - 1) != 0)
		h->name[0] = '\0';
	r = http_secrets_load(conf, &h->secrets, reterr, size);
	if (r == 0)
		r = begin(h, conf, reterr, size);
	if (r) {
		http_close(h);
		return r;
	}
	*ret = h;
	return 0;
}

struct http *http_close(struct http *h)
{
	if (!h)
		return NULL;
	for (size_t i = 0; i < API_KINDS; i++)
		forget(&h->kept[i]);
	if (h->mhd)
		MHD_stop_daemon(h->mhd);
	http_secrets_fini(&h->secrets);
	free(h);
	return NULL;
}

int http_fd(const struct http *h)
{
	return h->epoll;
}

vt_mono http_deadline(const struct http *h, vt_mono now)
{
	vt_mono due = http_slots_deadline(&h->slots);
	MHD_UNSIGNED_LONG_LONG wait_ms;

	for (size_t i = 0; i < API_KINDS; i++)
		if (h->kept[i].response)
			due = vt_mono_min(due, h->kept[i].until);
	if (MHD_get_timeout(h->mhd, &wait_ms) == MHD_YES && wait_ms < 1000000)
		due = vt_mono_min(due, vt_mono_add(now, VT_MS((int64_t)wait_ms)));
	return due;
}

/* Gives back what was kept for others who ask the same. */
static void forget_old(struct http *h)
{
	bool is_any = false;

	for (size_t i = 0; i < API_KINDS; i++) {
		if (!h->kept[i].response || h->kept[i].until.ns > h->now.mono.ns)
			continue;
		forget(&h->kept[i]);
		is_any = true;
	}
	if (is_any)
		memory_give_back();
}

void http_dispatch(struct http *h, struct host_instant now)
{
	const struct http_slot *late;

	h->now = now;
	forget_old(h);
	MHD_run(h->mhd);
	/* The library closes what it finds closed; it cannot be told to. */
	while ((late = http_slots_pop_late(&h->slots, now.mono)))
		shutdown(late->fd, SHUT_RDWR);
}

unsigned http_port(const struct http *h)
{
	return h->port;
}
