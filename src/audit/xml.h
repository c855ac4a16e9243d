/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_XML_H
#define AUDIT_XML_H

/*
 * xml.h - walks through an XML document, for who wants a few values of it
 *
 * libvirt's definitions of guests are XML that libvirt wrote.  For a dozen attributes a library is
 * not worth its size: this knows elements, attributes, text, comments, CDATA, processing
 * instructions and the five entities that need no declaration, and a document type is refused,
 * since it could declare others.  It checks that tags close in order, and nothing else.
 *
 * Takes (pointer, length), allocates nothing.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/slice.h"

#define XML_PATH_MAX 512 /* an element's path; a document that goes deeper is refused */

struct xml {
	struct slice text;
	size_t at;
	bool is_empty;               /* the element that was opened is closed by the next call   */
	bool is_closing;             /* the element was closed; the next call leaves it          */
	size_t n_path;
	char path[XML_PATH_MAX];     /* "domain/clock/timer": where we are                       */
};

enum xml_event {
	XML_OPEN,  /* path ends in the element; *ret are its attributes, as written         */
	XML_CLOSE, /* path ends in the element that closes; it is cut at the next call      */
	XML_TEXT,  /* *ret is a piece of text of the element that path ends in, as written  */
	XML_END,   /* the whole document was read                                           */
	XML_BAD,   /* it is none                                                            */
};

void xml_init(struct xml *xml, struct slice text);

/* The next event.  After XML_END and XML_BAD the same again. */
enum xml_event xml_next(struct xml *xml, struct slice *ret);

/*
 * The value of the attribute @name among @attributes, entities replaced, cut to what fits.  False,
 * and @to an empty string, where there is none.
 */
bool xml_attribute(struct slice attributes, const char *name, char *to, size_t size);

/* Text with its entities replaced, cut to what fits. */
void xml_decode(struct slice text, char *to, size_t size);

#endif
