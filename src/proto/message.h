/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_MESSAGE_H
#define PROTO_MESSAGE_H

/*
 * message.h - what every message of ours has in common, whoever sends it
 *
 * A line, a JSON object in it, a version, an id that comes back, an error with a
 * code.  The control protocol and the host's channel are made of this; nothing
 * else includes it.  What is read is limited before the JSON library sees it:
 * in size by the caller, in depth here.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "proto/control.h"
#include "proto/fields.h"

/*
 * A new reference to the object in @line, or NULL with *@reterr filled in.  @max is in bytes,
 * without the line's end.
 */
json_t *message_load(const char *line, size_t n, size_t max, struct control_error *reterr);

/*
 * Whether brackets nest at most @depth_max deep in @line.  What is no JSON at all is for the
 * parser to find.
 */
bool message_is_shallow(const char *line, size_t n, unsigned depth_max);

/* Turns @root into a line, consumes it; NULL stands for "it could not be made".  0 or -ENOMEM. */
int message_give(json_t *root, char **ret, size_t *ret_length) must_check;

/* Adds the id, if there is one.  0 or -1, as jansson has it. */
int message_set_id(json_t *root, const struct control_id *id) must_check;

/* *@ret is what it is without an id, when there is none.  False: it is no proper id. */
bool message_read_id(const json_t *root, struct control_id *ret) must_check;

/*
 * What every request begins with: an id, which is *@ret_id from then on, and @ours as the version
 * of the @protocol.  False with *@reterr filled in; that bears the id where it was a proper one.
 */
bool message_begin(const json_t *root, int ours, const char *protocol, struct control_id *ret_id,
                   struct control_error *reterr) must_check;

/*
 * The place of "cmd" among the @n words of @commands.  False with *@reterr filled in; *@ret is
 * written only on success.
 */
bool message_read_command(const json_t *root, const char *const *commands, unsigned n,
                          const struct control_id *id, unsigned *ret,
                          struct control_error *reterr) must_check;

/* Whether each key of @root is of any request or has a row in @arguments; *@reterr names one. */
bool message_knows_keys(json_t *root, const struct field *arguments, const struct control_id *id,
                        struct control_error *reterr) must_check;

/*
 * What every reply begins with: our version, and "ok".  CONTROL_ANSWERED: *@ret_data, borrowed, is
 * what stands under @key; for the other outcomes *@reterr is filled in.
 */
enum control_outcome message_open_reply(const json_t *root, int ours, const char *key,
                                        const json_t **ret_data,
                                        struct control_error *reterr) must_check;

/* Fills in *@reterr with @why, for a value that is not as it should be.  Always false. */
bool message_refuse_value(const struct control_id *id, const char *why,
                          struct control_error *reterr);

/* The line {"v":@ours,"id":...,"ok":true,KEY:DATA}; @data is consumed, NULL: out of memory.  0 or -ENOMEM. */
int message_give_reply(int ours, const struct control_id *id, const char *key, json_t *data,
                       char **ret, size_t *ret_length) must_check;

#endif
