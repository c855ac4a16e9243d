/* SPDX-License-Identifier: Apache-2.0 */
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "hostd/libvirt_words.h"

/* Writes the attribute's value; "" where there is none, or one that does not fit. */
static void attribute(xmlNode *node, const char *name, char *to, size_t size)
{
	xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);

	if (!value || !slice_copy(slice_of((const char *)value), to, size))
		*to = 0;
	xmlFree(value);
}

static bool is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && !node->ns &&
	       strcmp((const char *)node->name, name) == 0;
}

/* The first child of that name; NULL: there is none. */
static xmlNode *child(xmlNode *node, const char *name)
{
	for (xmlNode *at = node ? node->children : NULL; at; at = at->next)
		if (is_element(at, name))
			return at;
	return NULL;
}

static void read_channel(xmlNode *channel, struct libvirt_domain *ret)
{
	xmlNode *target = child(channel, "target");
	char word[64];

	if (!target)
		return;
	attribute(target, "name", word, sizeof word);
	if (strcmp(word, "org.qemu.guest_agent.0") != 0)
		return;
	ret->has_agent = true;
	attribute(target, "state", word, sizeof word);
	ret->is_agent_up = strcmp(word, "connected") == 0;
}

static void read_vsock(xmlNode *vsock, struct libvirt_domain *ret)
{
	xmlNode *cid = child(vsock, "cid");
	char word[16];
	int64_t number;

	if (!cid)
		return;
	attribute(cid, "address", word, sizeof word);
	/* 0 to 2 are taken, and the largest stands for any. */
	if (slice_to_int(slice_of(word), &number) && number > 2 && number < UINT32_MAX)
		ret->cid = (unsigned)number;
}

static bool read_document(xmlDoc *document, struct libvirt_domain *ret)
{
	xmlNode *root = xmlDocGetRootElement(document);
	xmlNode *devices;

	if (!root || !is_element(root, "domain"))
		return false;
	ret->has_agent = ret->is_agent_up = false;
	ret->cid = 0;
	devices = child(root, "devices");
	for (xmlNode *at = devices ? devices->children : NULL; at; at = at->next) {
		if (is_element(at, "channel"))
			read_channel(at, ret);
		else if (is_element(at, "vsock"))
			read_vsock(at, ret);
	}
	return true;
}

bool libvirt_read_description(const char *xml, struct libvirt_domain *ret)
{
	xmlDoc *document = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL,
	                                 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	bool is_read;

	if (!document)
		return false;
	is_read = read_document(document, ret);
	xmlFreeDoc(document);
	return is_read;
}
