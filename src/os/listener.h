/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_LISTENER_H
#define OS_LISTENER_H

/*
 * listener.h - a TCP port that others can connect to
 *
 * For servers whose library takes the socket from whoever opened it.
 */

#include <stdint.h>

#include "base/address.h"
#include "base/attr.h"

/*
 * Listens on @address and @port (0: any that is free).  An IPv6 address is for IPv6 alone.  0 and
 * an fd (non-blocking) that is the caller's, or -errno and *@ret_fd untouched.
 */
int listener_open(const struct address *address, uint16_t port, int *ret_fd) must_check;

/* The port that @fd listens on; 0: it does not. */
uint16_t listener_port(int fd);

#endif
