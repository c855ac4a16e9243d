/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_HOST_WORDS_H
#define PROTO_HOST_WORDS_H

/*
 * host_words.h - what a host may say to a vmtimed, without its envelope
 *
 * The host's channel and the guest agent wrap the same arguments and answers each in its
 * own way.  Implemented in host_channel.c; nothing but these two includes it.
 */

#include <jansson.h>
#include <stddef.h>

#include "base/attr.h"
#include "proto/host_channel.h"

/* A new object with the arguments of @request, or NULL: out of memory. */
json_t *host_words_arguments(const struct host_request *request);

/* Reads the answer to @command.  0, or -EINVAL with one sentence in @reterr_text; *@ret untouched. */
int host_words_read_reply(enum host_command command, const json_t *data, struct host_reply *ret,
                          char *reterr_text, size_t text_size) must_check;

#endif
