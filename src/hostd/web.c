/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/web.h"

#include <errno.h>

#include "base/log.h"
#include "hostd/http_secrets.h"

#define AGAIN_AFTER VT_SEC(30)

static struct http_conf conf_of(const struct settings *s)
{
	return (struct http_conf){ .address = s->http_address,
		                   .port = (uint16_t)s->http_port,
		                   .certificate = s->tls_certificate,
		                   .key = s->tls_key,
		                   .token_file = s->token_file };
}

void web_init(struct web *w)
{
	*w = (struct web){ .try_at = VT_MONO_NEVER };
}

int web_check(const struct settings *settings)
{
	const struct http_conf conf = conf_of(settings);
	struct http_secrets secrets;
	char why[512];
	int r;

	if (!settings->is_http_on)
		return 0;
	if (!http_conf_check(&conf, why, sizeof why)) {
		log_fail("%s", why);
		return -EINVAL;
	}
	r = http_secrets_load(&conf, &secrets, why, sizeof why);
	if (r) {
		log_fail("%s", why);
		return r;
	}
	http_secrets_fini(&secrets);
	return 0;
}

/* Whether @error may pass by itself. */
static bool may_pass(int error)
{
	return error != -EOPNOTSUPP && error != -EINVAL;
}

static void try_open(struct web *w, const struct settings *settings, const struct fleet *fleet,
                     vt_mono now)
{
	const struct http_conf conf = conf_of(settings);
	char why[512];
	const int r = http_open(&conf, fleet, &w->http, why, sizeof why);

	w->try_at = r && may_pass(r) ? vt_mono_add(now, AGAIN_AFTER) : VT_MONO_NEVER;
	if (r == 0)
		log_info("the page and the metrics are at http%s://%s/",
		         *conf.certificate ? "s" : "", settings->http);
	else if (r == -EOPNOTSUPP)
		log_info("%s", why);
	else if (r != w->told)
		log_warn("%s%s", why, may_pass(r) ? "; tried again every 30 s" : "");
	w->told = r;
}

void web_open(struct web *w, const struct settings *settings, const struct fleet *fleet,
              vt_mono now)
{
	web_close(w);
	if (settings->is_http_on)
		try_open(w, settings, fleet, now);
}

void web_close(struct web *w)
{
	http_close(w->http);
	web_init(w);
}

int web_fd(const struct web *w)
{
	return w->http ? http_fd(w->http) : -1;
}

vt_mono web_deadline(const struct web *w, vt_mono now)
{
	return w->http ? http_deadline(w->http, now) : w->try_at;
}

void web_dispatch(struct web *w, const struct settings *settings, const struct fleet *fleet,
                  struct host_instant now)
{
	if (w->http)
		http_dispatch(w->http, now);
	else if (w->try_at.ns <= now.mono.ns)
		try_open(w, settings, fleet, now.mono);
}
