/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_GATHER_H
#define AUDIT_GATHER_H

/*
 * gather.h - how the parts of facts reach files, and what they are
 *
 * Private to audit/facts_*.c.  Every path is below facts->root, links followed as that machine
 * would.  What may not be read is noted once in facts->unread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "audit/facts.h"
#include "base/slice.h"

/* Reads the whole file; for FACT_FILE_READ *@ret is the caller's to free, terminated. */
enum fact_file gather_read(struct audit_facts *facts, const char *path, char **ret,
			   size_t *ret_length) must_check;

/* The beginning of a file, as much as fits, terminated; 0 where it cannot be read. */
size_t gather_head(struct audit_facts *facts, const char *path, char *to, size_t size);

/*
 * The first line of a small file, without blanks at its end, cut to what fits; "" and false where
 * it cannot be read.
 */
bool gather_word(struct audit_facts *facts, const char *path, char *to, size_t size);

bool gather_exists(const struct audit_facts *facts, const char *path);

/* The same, but a link counts by itself, wherever it leads. */
bool gather_has_name(const struct audit_facts *facts, const char *path);

/* What the link says, as it is written; false where it is none, or too long. */
bool gather_link(const struct audit_facts *facts, const char *path, char *to, size_t size);

/* What became of a file that is not read. */
enum fact_file gather_state(const struct audit_facts *facts, const char *path);

/*
 * Hands each name in @folder that ends in @suffix to @found, sorted by its bytes, without those
 * that begin with "."; at most 1024.  False where the folder cannot be read; refused is noted.
 */
bool gather_list(struct audit_facts *facts, const char *folder, const char *suffix,
		 void (*found)(struct audit_facts *facts, const char *path, void *context),
		 void *context);

/* Notes that @what was not looked at; @error as errno, 0: it was not understood. */
void gather_unread(struct audit_facts *facts, const char *what, int error);

/* Copies, cut to what fits, with a terminator. */
void gather_cut(struct slice s, char *to, size_t size);

/* Is @word one of the blank separated words of @list? */
bool gather_has_word(const char *list, const char *word);

/* The parts.  Each fills its own member; they are called in this order. */
void gather_system(struct audit_facts *facts);
void gather_cpu(struct audit_facts *facts);
void gather_place(struct audit_facts *facts);
void gather_frequency(struct audit_facts *facts);
void gather_boot(struct audit_facts *facts);
void gather_ptp(struct audit_facts *facts);
void gather_daemons(struct audit_facts *facts);
void gather_chrony(struct audit_facts *facts);
void gather_libvirt(struct audit_facts *facts);

#endif
