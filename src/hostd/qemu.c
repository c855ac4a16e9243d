/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/qemu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "hostd/host_instant.h"
#include "hostd/qemu_guest.h"
#include "os/path_search.h"

#define EVENTS_AT_ONCE   64
#define PORTIONS_AT_ONCE 4
#define LOOK_INTERVAL    VT_SEC(30)
#define LOOK_PAUSE       VT_MS(20)
#define FOLDERS_TAG      0

/* --- Rules --- */

static int refuse_rule(const char *why, char *text, size_t size)
{
	snprintf(text, size, "%s", why);
	return -EINVAL;
}

static unsigned count_stars(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '*';
	return n;
}

int qemu_rule_check(const struct qemu_rule *rule, char *reterr_text, size_t text_size)
{
	unsigned stars = count_stars(rule->qmp);

	if (!rule->name[0])
		return refuse_rule("a guest needs a name", reterr_text, text_size);
	if (rule->qmp[0] != '/' || (rule->agent[0] && rule->agent[0] != '/'))
		return refuse_rule("the path of a socket begins with \"/\"", reterr_text, text_size);
	if (stars > 1 || count_stars(rule->name) > 1 || count_stars(rule->agent) > 1)
		return refuse_rule("a name or a path has at most one \"*\"", reterr_text, text_size);
	if (count_stars(rule->name) != stars ||
	    (rule->agent[0] && count_stars(rule->agent) != stars))
		return refuse_rule("where one of name and paths has a \"*\", each of them has one",
		                   reterr_text, text_size);
	if (stars && rule->cid)
		return refuse_rule("a cid belongs to one guest, and \"*\" stands for many",
		                   reterr_text, text_size);
	return 0;
}

/* @pattern with its `*` replaced.  False: that does not fit. */
static bool fill_in(const char *pattern, const char *star, char *to, size_t size)
{
	const char *at = strchr(pattern, '*');
	int n = at ? snprintf(to, size, "%.*s%s%s", (int)(at - pattern), pattern, star, at + 1)
	           : snprintf(to, size, "%s", pattern);

	return n >= 0 && (size_t)n < size;
}

/* --- Turns --- */

/* Another try does not end it: only a monitor that has answered does. */
static bool is_troubled(const struct qemu_guest *g)
{
	return !g->is_over && g->monitor.state != QMP_LINK_UP && g->monitor.trouble[0];
}

/* After anything was done with @g: what it has to tell, and when its next turn is. */
static void queue(struct qemu *q, struct qemu_guest *g)
{
	vt_mono deadline = qemu_guest_deadline(g);

	if (g->signs && !g->in_signs) {
		g->in_signs = true;
		g->next_sign = NULL;
		*q->last_sign = g;
		q->last_sign = &g->next_sign;
	}
	if (g->has_outcome && !g->in_outcomes) {
		g->in_outcomes = true;
		g->next_outcome = NULL;
		*q->last_outcome = g;
		q->last_outcome = &g->next_outcome;
	}
	q->has_ended |= g->is_over;
	q->is_trouble_stale |= is_troubled(g) || g->was_troubled;
	g->was_troubled = is_troubled(g);
	if (deadline.ns < VT_MONO_NEVER.ns)
		heap_put(&q->turns, &g->turn, deadline);
	else
		heap_remove(&q->turns, &g->turn);
}

/* --- Looking for sockets --- */

static uint32_t hash_of(const char *text)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash;
}

static struct qemu_guest *guest_at(const struct qemu *q, const char *path)
{
	const uint32_t hash = hash_of(path);

	for (size_t i = 0; i < q->n; i++)
		if (q->hashes[i] == hash && !q->guests[i]->is_over &&
		    qemu_guest_has_path(q->guests[i], path))
			return q->guests[i];
	return NULL;
}

static bool make_room(struct qemu *q)
{
	size_t size = q->size ? q->size * 2 : 16;
	struct qemu_guest **guests;
	uint32_t *hashes;

	if (q->n < q->size)
		return true;
	guests = realloc(q->guests, size * sizeof *guests);
	q->guests = guests ? guests : q->guests;
	hashes = realloc(q->hashes, size * sizeof *hashes);
	q->hashes = hashes ? hashes : q->hashes;
	if (!guests || !hashes || heap_reserve(&q->turns, size) < 0)
		return false;
	q->size = size;
	return true;
}

/* What there is no memory for is found at the next look. */
static void add_guest(struct qemu *q, const struct qemu_rule *rule, const struct path_match *match)
{
	char name[GUEST_NAME_MAX], agent[QEMU_PATH_MAX];
	struct qemu_guest *g = NULL;

	if (fill_in(rule->name, match->star, name, sizeof name) &&
	    fill_in(rule->agent, match->star, agent, sizeof agent) && make_room(q))
		g = qemu_guest_new(q->next_number, name, match->path, agent, rule->cid, q->now);
	if (!g)
		return;
	q->next_number++;
	g->turn.owner = g;
	q->hashes[q->n] = hash_of(match->path);
	q->guests[q->n++] = g;
	queue(q, g);
}

/* The folder of @path, and that of the part with the `*` in @pattern. */
static void watch_folder_of(struct qemu *q, const char *path)
{
	char folder[QEMU_PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = (size_t)(slash - path);

	memcpy(folder, path, n);
	folder[n] = '\0';
	/* A folder that cannot be watched is looked at every LOOK_INTERVAL. */
	(void)folder_watch_add(&q->folders, n ? folder : "/");
}

static void watch_star(struct qemu *q, const char *pattern)
{
	char path[QEMU_PATH_MAX];
	const char *star = strchr(pattern, '*');

	snprintf(path, sizeof path, "%.*s", star ? (int)(star - pattern) : (int)strlen(pattern),
	         pattern);
	watch_folder_of(q, path);
}

static void look_by(struct qemu *q, const struct qemu_rule *rule)
{
	struct path_search search;
	struct path_match match;

	watch_star(q, rule->qmp);
	path_search_begin(&search, rule->qmp);
	while (path_search_next(&search, &match)) {
		struct qemu_guest *g = guest_at(q, match.path);

		if (search.rest.n)
			watch_folder_of(q, match.path);
		if (g)
			g->was_found = true;
		else
			add_guest(q, rule, &match);
	}
	path_search_end(&search);
}

static void look(struct qemu *q, vt_mono now)
{
	for (size_t i = 0; i < q->n; i++)
		q->guests[i]->was_found = false;
	for (size_t i = 0; i < q->n_rules; i++)
		look_by(q, &q->rules[i]);
	for (size_t i = 0; i < q->n; i++) {
		struct qemu_guest *g = q->guests[i];

		/* A monitor that is connected lives, whatever became of its socket's name. */
		if (g->was_found || !qemu_guest_is_down(g))
			continue;
		qemu_guest_end(g, now);
		queue(q, g);
	}
	q->look = vt_mono_add(now, LOOK_INTERVAL);
	q->may_look = vt_mono_add(now, LOOK_PAUSE);
}

/* --- What guests have to tell --- */

static bool pop_sign(struct backend *b, struct sign *ret)
{
	struct qemu *q = (struct qemu *)b;

	while (q->first_sign) {
		struct qemu_guest *g = q->first_sign;

		if (qemu_guest_pop_sign(g, ret))
			return true;
		g->in_signs = false;
		q->first_sign = g->next_sign;
		if (!q->first_sign)
			q->last_sign = &q->first_sign;
	}
	return false;
}

static bool pop_outcome(struct backend *b, struct work_outcome *ret)
{
	struct qemu *q = (struct qemu *)b;

	while (q->first_outcome) {
		struct qemu_guest *g = q->first_outcome;
		bool has_outcome = g->has_outcome;

		if (has_outcome)
			*ret = g->outcome;
		g->has_outcome = g->in_outcomes = false;
		q->first_outcome = g->next_outcome;
		if (!q->first_outcome)
			q->last_outcome = &q->first_outcome;
		if (has_outcome)
			return true;
	}
	if (q->n_strays == 0)
		return false;
	*ret = q->strays[--q->n_strays];
	return true;
}

/* --- Guests by number --- */

static struct qemu_guest *find(const struct qemu *q, uint32_t number)
{
	size_t low = 0, high = q->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (q->guests[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < q->n && q->guests[low]->number == number ? q->guests[low] : NULL;
}

static void begin_for_nobody(struct qemu *q, uint32_t guest, const struct work *work)
{
	struct work_outcome o = { .guest = guest, .number = work->number, .kind = work->kind,
		                  .result = WORK_LOST, .answered = host_instant_now() };
	struct work_outcome *larger = realloc(q->strays, (q->n_strays + 1) * sizeof *larger);

	snprintf(o.text, sizeof o.text, "there is no such guest any more");
	if (!larger)
		return;
	q->strays = larger;
	q->strays[q->n_strays++] = o;
}

static void begin(struct backend *b, uint32_t guest, const struct work *work)
{
	struct qemu *q = (struct qemu *)b;
	struct qemu_guest *g = find(q, guest);

	if (!g) {
		begin_for_nobody(q, guest, work);
		return;
	}
	qemu_guest_begin(g, work, &q->poller, host_instant_now().mono);
	queue(q, g);
}

static void drop(struct backend *b, uint32_t guest)
{
	struct qemu_guest *g = find((struct qemu *)b, guest);

	if (g)
		qemu_guest_drop(g);
}

/* Those that have nothing more to tell; nobody holds a pointer to them then. */
static void bury(struct qemu *q)
{
	size_t n = 0;

	q->has_ended = false;
	for (size_t i = 0; i < q->n; i++) {
		struct qemu_guest *g = q->guests[i];

		if (g->is_over && !g->in_signs && !g->in_outcomes) {
			heap_remove(&q->turns, &g->turn);
			qemu_guest_free(g);
			continue;
		}
		q->has_ended |= g->is_over;
		q->hashes[n] = q->hashes[i];
		q->guests[n++] = g;
	}
	/* Its socket may be there still, or another one of the name. */
	if (n < q->n)
		q->look = vt_mono_min(q->look, vt_mono_add(q->now, VT_SEC(1)));
	q->n = n;
}

/* --- The back end --- */

static void hear(struct qemu *q, const struct poller_event *e)
{
	struct qemu_guest *g;

	if (e->tag == FOLDERS_TAG) {
		if (folder_watch_take(&q->folders))
			q->look = vt_mono_min(q->look, q->may_look);
		return;
	}
	g = (struct qemu_guest *)(uintptr_t)(e->tag & ~(uint64_t)QEMU_GUEST_TAG_PORT);
	if (e->tag & QEMU_GUEST_TAG_PORT)
		qemu_guest_hear_port(g);
	else
		qemu_guest_hear_monitor(g, q->now);
	queue(q, g);
}

/* Whoever wants another turn at once gets it at the next dispatch. */
static void take_turns(struct qemu *q)
{
	for (size_t i = q->turns.n; i > 0; i--) {
		struct heap_node *node = heap_first(&q->turns);
		struct qemu_guest *g;

		if (!node || node->at.ns > q->now.ns)
			return;
		g = node->owner;
		qemu_guest_turn(g, &q->poller, q->now);
		queue(q, g);
	}
}

static void tell_trouble(struct qemu *q)
{
	const struct qemu_guest *first = NULL;
	char path[128];
	size_t n = 0;

	q->is_trouble_stale = false;
	q->backend.trouble[0] = '\0';
	for (size_t i = 0; i < q->n; i++)
		if (is_troubled(q->guests[i])) {
			first = first ? first : q->guests[i];
			n++;
		}
	if (!first)
		return;
	log_quote(first->qmp, strlen(first->qmp), path, sizeof path);
	if (n == 1)
		snprintf(q->backend.trouble, sizeof q->backend.trouble, "%s: %.120s", path,
		         first->monitor.trouble);
	else
		snprintf(q->backend.trouble, sizeof q->backend.trouble,
		         "%zu sockets cannot be used, as %.90s: %.90s", n, path,
		         first->monitor.trouble);
}

static void dispatch(struct backend *b, vt_mono now)
{
	struct qemu *q = (struct qemu *)b;
	struct poller_event events[EVENTS_AT_ONCE];
	size_t n = EVENTS_AT_ONCE;

	q->now = now;
	if (q->has_ended)
		bury(q);
	for (unsigned i = 0; n == EVENTS_AT_ONCE && i < PORTIONS_AT_ONCE; i++) {
		n = poller_take(&q->poller, events, EVENTS_AT_ONCE);
		for (size_t e = 0; e < n; e++)
			hear(q, &events[e]);
	}
	if (q->look.ns <= now.ns)
		look(q, now);
	take_turns(q);
	if (q->is_trouble_stale)
		tell_trouble(q);
}

static vt_mono deadline(const struct backend *b)
{
	const struct qemu *q = (const struct qemu *)b;
	const struct heap_node *first = heap_first(&q->turns);

	return first ? vt_mono_min(q->look, first->at) : q->look;
}

static const struct backend_ops OPS = {
	.dispatch = dispatch,
	.deadline = deadline,
	.pop_sign = pop_sign,
	.pop_outcome = pop_outcome,
	.begin = begin,
	.drop = drop,
};

int qemu_init(struct qemu *q, const struct qemu_rule *rules, size_t n_rules)
{
	int r;

	*q = (struct qemu){ .backend = { .ops = &OPS, .name = "qemu", .fd = -1 }, .next_number = 1 };
	q->last_sign = &q->first_sign;
	q->last_outcome = &q->first_outcome;
	q->look = q->may_look = (vt_mono){ 0 };
	heap_init(&q->turns);
	folder_watch_init(&q->folders);
	r = poller_init(&q->poller);
	q->rules = calloc(n_rules ? n_rules : 1, sizeof *q->rules);
	if (r == 0 && !q->rules)
		r = -ENOMEM;
	if (r == 0 && q->folders.fd >= 0)
		r = poller_watch(&q->poller, q->folders.fd, FOLDERS_TAG, false);
	if (r) {
		qemu_fini(q);
		return r;
	}
	memcpy(q->rules, rules, n_rules * sizeof *rules);
	q->n_rules = n_rules;
	q->backend.fd = q->poller.fd;
	return 0;
}

void qemu_fini(struct qemu *q)
{
	for (size_t i = 0; i < q->n; i++)
		qemu_guest_free(q->guests[i]);
	free(q->guests);
	free(q->hashes);
	heap_fini(&q->turns);
	free(q->rules);
	free(q->strays);
	folder_watch_fini(&q->folders);
	poller_fini(&q->poller);
	*q = (struct qemu){ .poller = { .fd = -1 }, .folders = { .fd = -1 } };
	q->backend = (struct backend){ .ops = &OPS, .name = "qemu", .fd = -1 };
}
