/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/xml.h"

#include <string.h>

void xml_init(struct xml *xml, struct slice text)
{
	*xml = (struct xml){ .text = text };
}

static struct slice rest_of(const struct xml *xml)
{
	return (struct slice){ xml->text.p + xml->at, xml->text.n - xml->at };
}

static bool begins_with(struct slice s, const char *text)
{
	size_t n = strlen(text);

	return s.n >= n && memcmp(s.p, text, n) == 0;
}

/* Where @text begins in @s; s.n where it does not. */
static size_t find(struct slice s, const char *text)
{
	const char *found = s.n ? memmem(s.p, s.n, text, strlen(text)) : NULL;

	return found ? (size_t)(found - s.p) : s.n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t name_length(struct slice s)
{
	size_t n = 0;

	while (n < s.n && !is_blank(s.p[n]) && !strchr("/>=<'\"", s.p[n]))
		n++;
	return n;
}

/* Past what begins at @at with @open bytes and ends with @end; false where it does not end. */
static bool skip(struct xml *xml, size_t open, const char *end)
{
	struct slice rest = rest_of(xml);
	size_t found;

	if (rest.n < open)
		return false;
	rest = (struct slice){ rest.p + open, rest.n - open };
	found = find(rest, end);
	if (found == rest.n)
		return false;
	xml->at += open + found + strlen(end);
	return true;
}

static bool enter(struct xml *xml, struct slice name)
{
	if (!name.n || memchr(name.p, '\0', name.n) ||
	    xml->n_path + name.n + 2 > sizeof xml->path)
		return false;
	if (xml->n_path)
		xml->path[xml->n_path++] = '/';
	memcpy(xml->path + xml->n_path, name.p, name.n);
	xml->n_path += name.n;
	xml->path[xml->n_path] = '\0';
	return true;
}

static struct slice last_name(const struct xml *xml)
{
	const char *slash = strrchr(xml->path, '/');
	const char *name = slash ? slash + 1 : xml->path;

	return slice_of(name);
}

/* A closed element stays in the path until the next call. */
static void leave(struct xml *xml)
{
	struct slice name = last_name(xml);

	xml->n_path -= name.n;
	if (xml->n_path)
		xml->n_path--;
	xml->path[xml->n_path] = '\0';
}

static enum xml_event refuse(struct xml *xml)
{
	/* At the beginning of nothing: every further call comes here again. */
	xml->text = (struct slice){ "<", 1 };
	xml->at = 0;
	xml->is_closing = xml->is_empty = false;
	return XML_BAD;
}

/* Where a tag ends: a ">" outside quotes; the length of all where it does not. */
static size_t tag_length(struct slice s)
{
	char quote = '\0';

	for (size_t i = 0; i < s.n; i++) {
		if (quote) {
			if (s.p[i] == quote)
				quote = '\0';
		} else if (s.p[i] == '"' || s.p[i] == '\'') {
			quote = s.p[i];
		} else if (s.p[i] == '>') {
			return i;
		}
	}
	return s.n;
}

static enum xml_event close_tag(struct xml *xml)
{
	struct slice rest = rest_of(xml), name, last;
	size_t end = tag_length(rest);

	if (end == rest.n)
		return refuse(xml);
	name = slice_trim((struct slice){ rest.p + 2, end - 2 });
	last = last_name(xml);
	if (!last.n || name.n != last.n || memcmp(name.p, last.p, name.n) != 0)
		return refuse(xml);
	xml->at += end + 1;
	xml->is_closing = true;
	return XML_CLOSE;
}

static enum xml_event open_tag(struct xml *xml, struct slice *ret)
{
	struct slice rest = rest_of(xml), tag, name;
	size_t end = tag_length(rest);

	if (end == rest.n)
		return refuse(xml);
	tag = (struct slice){ rest.p + 1, end - 1 };
	xml->is_empty = tag.n && tag.p[tag.n - 1] == '/';
	if (xml->is_empty)
		tag.n--;
	name = (struct slice){ tag.p, name_length(tag) };
	if (!enter(xml, name))
		return refuse(xml);
	xml->at += end + 1;
	*ret = (struct slice){ tag.p + name.n, tag.n - name.n };
	return XML_OPEN;
}

/* Past what is neither element nor text; 1 skipped, 0 there is none, -1 it does not end. */
static int skip_other(struct xml *xml)
{
	struct slice rest = rest_of(xml);

	if (begins_with(rest, "<!--"))
		return skip(xml, 4, "-->") ? 1 : -1;
	if (begins_with(rest, "<?"))
		return skip(xml, 2, "?>") ? 1 : -1;
	if (begins_with(rest, "<!") && !begins_with(rest, "<![CDATA["))
		return -1;
	return 0;
}

static enum xml_event text_event(struct xml *xml, struct slice *ret)
{
	struct slice rest = rest_of(xml);
	size_t n;

	if (begins_with(rest, "<![CDATA[")) {
		rest = (struct slice){ rest.p + 9, rest.n - 9 };
		n = find(rest, "]]>");
		if (n == rest.n)
			return refuse(xml);
		xml->at += 9 + n + 3;
	} else {
		n = find(rest, "<");
		xml->at += n;
	}
	*ret = (struct slice){ rest.p, n };
	return XML_TEXT;
}

enum xml_event xml_next(struct xml *xml, struct slice *ret)
{
	struct slice rest;
	int skipped;

	if (xml->is_closing) {
		leave(xml);
		xml->is_closing = false;
	}
	if (xml->is_empty) {
		xml->is_empty = false;
		xml->is_closing = true;
		return XML_CLOSE;
	}
	do
		skipped = skip_other(xml);
	while (skipped > 0);
	rest = rest_of(xml);
	if (skipped < 0)
		return refuse(xml);
	if (!rest.n)
		return xml->n_path ? refuse(xml) : XML_END;
	if (begins_with(rest, "</"))
		return close_tag(xml);
	if (rest.p[0] == '<' && !begins_with(rest, "<!["))
		return open_tag(xml, ret);
	return text_event(xml, ret);
}

/* The character that "&name;" stands for, 0 where it is not one of those that need no declaration. */
static char entity(struct slice name)
{
	static const struct {
		const char *name;
		char is;
	} KNOWN[] = { { "lt", '<' }, { "gt", '>' }, { "amp", '&' }, { "quot", '"' }, { "apos", '\'' } };
	int64_t number = 0;

	for (size_t i = 0; i < COUNT(KNOWN); i++)
		if (slice_equals(name, KNOWN[i].name))
			return KNOWN[i].is;
	if (name.n > 1 && name.p[0] == '#' &&
	    slice_to_int((struct slice){ name.p + 1, name.n - 1 }, &number) && number > 0 &&
	    number < 128)
		return (char)number;
	return '\0';
}

void xml_decode(struct slice text, char *to, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < text.n && used + 1 < size; i++) {
		struct slice name = { text.p + i + 1, text.n - i - 1 };
		size_t end = text.p[i] == '&' ? find(name, ";") : name.n;
		char is = '\0';

		if (end < name.n && end < 8)
			is = entity((struct slice){ name.p, end });
		if (is)
			i += end + 1;
		to[used++] = is ? is : text.p[i];
	}
	to[used] = '\0';
}

bool xml_attribute(struct slice attributes, const char *name, char *to, size_t size)
{
	struct slice rest = attributes;

	to[0] = '\0';
	for (;;) {
		struct slice key, value;
		const char *end;

		rest = slice_trim(rest);
		key = (struct slice){ rest.p, name_length(rest) };
		rest = slice_trim((struct slice){ rest.p + key.n, rest.n - key.n });
		if (!key.n || rest.n < 2 || rest.p[0] != '=')
			return false;
		rest = slice_trim((struct slice){ rest.p + 1, rest.n - 1 });
		if (rest.n < 2 || (rest.p[0] != '"' && rest.p[0] != '\''))
			return false;
		end = memchr(rest.p + 1, rest.p[0], rest.n - 1);
		if (!end)
			return false;
		value = (struct slice){ rest.p + 1, (size_t)(end - rest.p) - 1 };
		if (slice_equals(key, name)) {
			xml_decode(value, to, size);
			return true;
		}
		rest = (struct slice){ end + 1, rest.n - value.n - 2 };
	}
}
