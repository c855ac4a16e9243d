/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_FOREIGN_H
#define PROTO_FOREIGN_H

/*
 * foreign.h - JSON from programs that are not ours
 *
 * QEMU's monitor and agents speak JSON, but not vmtime's messages.  What their two
 * protocols have in common when read is here; nothing else includes it.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A new reference to the object in @line, or NULL with one sentence in @reterr_text.  Lines that are
 * longer than FRAMES_MAX or nested deeper than @depth_max are refused before they are parsed.
 */
json_t *foreign_load(const char *line, size_t length, unsigned depth_max, char *reterr_text,
                     size_t text_size);

/* Copies the string @key of @object, if there is one: what is not printable ASCII becomes '?'. */
void foreign_copy(const json_t *object, const char *key, char *to, size_t size);

/* The "class" and the "desc" of the error in @root; false, and nothing written, where it has none. */
bool foreign_error(const json_t *root, bool *ret_is_unknown_command, char *ret_text, size_t text_size);

#endif
