/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fuzz_candm.c - both ends of chrony's command protocol against arbitrary bytes
 *
 * The first byte chooses: a datagram for the server, or one for a client.  What is understood must
 * survive being written and read again, and what goes back is never longer than what came.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/candm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void fuzz_request(const uint8_t *packet, size_t n)
{
	struct candm_request request, again;
	enum candm_status status = CANDM_SUCCESS;
	uint8_t bytes[CANDM_REQUEST_ANY];

	switch (candm_decode_request(packet, n, &request, &status)) {
	case CANDM_DROPPED: return;
	case CANDM_REFUSED:
		require(status != CANDM_SUCCESS && n >= candm_reply_length(CANDM_REPLY_NULL));
		return;
	case CANDM_ARRIVED: break;
	}
	require(request.length == n && n >= candm_request_length(request.command));
	require(candm_reply_length(candm_reply_form(request.command, n)) <= n);
	require(candm_encode_request(&request, bytes) == sizeof bytes);
	require(candm_decode_request(bytes, sizeof bytes, &again, &status) == CANDM_ARRIVED);
	again.length = n;
	require(memcmp(&request, &again, sizeof again) == 0);
}

static void fuzz_reply(const uint8_t *packet, size_t n)
{
	uint16_t command = n >= 6 ? candm_get_u16(packet + 4) : 0;
	uint32_t sequence = n >= 20 ? candm_get_u32(packet + 16) : 0;
	struct candm_reply reply, again;
	uint8_t bytes[CANDM_REPLY_MAX];
	size_t length;

	if (candm_decode_reply(packet, n, command, sequence, &reply) != CANDM_ANSWERED)
		return;
	length = candm_encode_reply(&reply, bytes);
	require(length > 0 && length <= n);
	require(candm_decode_reply(bytes, length, command, sequence, &again) == CANDM_ANSWERED);
	require(memcmp(&reply, &again, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 2)
		fuzz_reply(data + 1, size - 1);
	else
		fuzz_request(data + 1, size - 1);
	return 0;
}
