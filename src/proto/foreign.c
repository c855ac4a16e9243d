/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/foreign.h"

#include <stdio.h>
#include <string.h>

#include "proto/frames.h"
#include "proto/message.h"

json_t *foreign_load(const char *line, size_t length, unsigned depth_max, char *reterr_text,
                     size_t text_size)
{
	json_error_t why;
	json_t *root;

	if (length > FRAMES_MAX) {
		snprintf(reterr_text, text_size, "a message of %zu bytes", length);
		return NULL;
	}
	if (!message_is_shallow(line, length, depth_max)) {
		snprintf(reterr_text, text_size, "a message nested more than %u deep", depth_max);
		return NULL;
	}
	root = json_loadb(line, length, 0, &why);
	if (!root) {
		snprintf(reterr_text, text_size, "a message that is not valid JSON, near byte %d",
		         why.position);
		return NULL;
	}
	if (json_is_object(root))
		return root;
	json_decref(root);
	snprintf(reterr_text, text_size, "a message that is not a JSON object");
	return NULL;
}

static bool is_printable(char c)
{
	return c >= 0x20 && c <= 0x7e;
}

void foreign_copy(const json_t *object, const char *key, char *to, size_t size)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);
	size_t n = json_string_length(value), used = 0;

	if (!text)
		return;
	for (size_t i = 0; i < n && used + 1 < size; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80) /* one '?' for a character of many bytes */
			to[used++] = is_printable(text[i]) ? text[i] : '?';
	to[used] = '\0';
}

bool foreign_error(const json_t *root, bool *ret_is_unknown_command, char *ret_text, size_t text_size)
{
	const json_t *error = json_object_get(root, "error");
	const char *class = json_string_value(json_object_get(error, "class"));

	if (!json_is_object(error))
		return false;
	*ret_is_unknown_command = class && strcmp(class, "CommandNotFound") == 0;
	ret_text[0] = '\0';
	foreign_copy(error, "desc", ret_text, text_size);
	if (!ret_text[0])
		snprintf(ret_text, text_size, "an error without a description");
	return true;
}
