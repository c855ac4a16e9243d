/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_LIBVIRT_WORDS_H
#define HOSTD_LIBVIRT_WORDS_H

/*
 * libvirt_words.h - libvirt's words for things, in ours
 *
 * Its events, its errors and its description of a domain.  Pure: nothing is asked of libvirt.
 */

#include <stddef.h>

#include "hostd/libvirt_item.h"

/*
 * What a lifecycle event (VIR_DOMAIN_EVENT_...) with its detail means.  One that is not known, of
 * a libvirt to come, is NEWS_NONE.  *@ret_reason is always written.
 */
enum libvirt_news libvirt_news_of(int event, int detail, enum host_reason *ret_reason);

/*
 * What came of a call that failed with @code (VIR_ERR_...) of @domain (VIR_FROM_...), @message
 * being libvirt's sentence, with the agent's in it.  Libvirt's own sentences come in the language of
 * its daemon, the agent's do not, so only those are looked into.
 *
 * One code stands for an agent that did not answer and for none that could have; so @took
 * decides, how long the call took, against @patience, after which libvirt gives an agent up.
 * *@ret_was_sent: something may have reached the agent.
 */
enum work_result libvirt_result_of(int code, int domain, const char *message, vt_span took,
                                   vt_span patience, bool *ret_was_sent);

/* Is it vmtimed's agent that refuses so? */
bool libvirt_is_vmtimed(const char *message);

/* Copies what is printable ASCII of @from, a "?" for any other byte. */
void libvirt_printable(const char *from, char *to, size_t size);

/*
 * Reads what a domain's description in XML says of its vsock and of the agent's port; the rest of
 * *@ret is left alone.  False: it is no such description.
 */
bool libvirt_read_description(const char *xml, struct libvirt_domain *ret);

#endif
