/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

/*
 * attr.h - the compiler's attributes that vmtime decorates its declarations with
 *
 * GNU attributes, known to gcc and clang alike.  They live here so that the
 * rest of the code reads as plain C.
 */

#define must_check       __attribute__((warn_unused_result))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define _cleanup_(fn)    __attribute__((cleanup(fn)))

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#endif
