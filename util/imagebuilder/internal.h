/* internal.h - what the files of the import share  */
/*
 *  xen_dom0less - start Xen and its domains from a device tree
 *
 *  This program is free software: you can redistribute it and/or modify
 *  it under the terms of the GNU General Public License as published by
 *  the Free Software Foundation, either version 3 of the License, or
 *  (at your option) any later version.
 *
 *  SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef IMAGEBUILDER_INTERNAL_HEADER
#define IMAGEBUILDER_INTERNAL_HEADER	1

#include "imagebuilder.h"

#define MAX_CPUPOOLS	64
#define MAX_CPUS	256
#define MAX_EVENTS	256

/* A CPU that is in a pool.  */
struct ib_cpu
{
  int pool;
  const char *name;
  size_t length;
  uint32_t phandle;
  int is_new;				/* the phandle is the overlay's */
};

/* One end of an event channel.  */
struct ib_event
{
  uint32_t domain, port;
  uint32_t remote_domain, remote_port;
};

/* The overlay, and the first error in writing it.  */
struct ib_writer
{
  struct ib_import *import;
  void *fdt;
  int err;				/* libfdt's */
  int n_domains, n_pools, n_cpus, n_events;
  struct ib_cpu cpus[MAX_CPUS];
  struct ib_event events[MAX_EVENTS];
};


/*
 * shell.c
 */

/* Add C to the string that begins where IMPORT->room was filled to.  Without
   room that is an error, and nothing is added.  */
void ib_put_char (struct ib_import *import, char c);


/*
 * variables.c
 */

/* The value of NAME[INDEX], or NULL if it is not set or empty.  */
const char *ib_get (struct ib_import *import, const char *name,
		    uint64_t index);

/* The value of NAME[INDEX] as a number up to MAX, or MISSING if it is not set.
   An invalid value is an error of IMPORT's, and gives 0.  */
uint64_t ib_get_number (struct ib_import *import, const char *name,
			uint32_t index, uint64_t max, uint64_t missing);

/* The cache colors or processors in NAME[INDEX], or NULL.  Xen's syntax is the
   same.  */
const char *ib_get_colors (struct ib_import *import, const char *name,
			   uint64_t index);

/* Refuse in NAME[INDEX], if it is set, what U-Boot's shell would replace.  */
void ib_check_text (struct ib_import *import, const char *name,
		    uint32_t index);

/* Note that NAME[INDEX], if it is set, is not carried over, and why.  */
void ib_note_loss (struct ib_import *import, const char *name,
		   uint64_t index, const char *loss);

/* Note that a part of NAME[INDEX], if it is set, is not carried over.  */
void ib_note_part (struct ib_import *import, const char *name,
		   uint64_t index, const char *loss);

/* Do the same for all variables that are not known, or never carried over.  */
void ib_note_losses (struct ib_import *import);

/* Note the error ERROR of NAME[INDEX], which is written as in the config.
   Returns -1.  */
int ib_fail_variable (struct ib_import *import, const char *name,
		      uint64_t index, const char *error);

/* Whether Xen is to start domain INDEX.  */
int ib_is_booted (struct ib_import *import, uint32_t index);

/* Read the LENGTH bytes at TEXT as a number, decimal or with 0x.  What looks
   octal is refused, because U-Boot and the shell disagree on it.  Returns 0, or
   -1 if it is no number or needs more than 64 bits.  */
int ib_parse_number (const char *text, size_t length, uint64_t *number);

/* The next word at *TEXT, which is moved behind it, and its LENGTH.  Words are
   separated by any of SEPARATORS.  NULL behind the last.  */
const char *ib_next_word (const char **text, const char *separators,
			  size_t *length);

/* Begin a string in IMPORT's room, add to it, and end it.  ib_end_string
   returns the string, or "" if there was an error.  */
const char *ib_begin_string (struct ib_import *import);
void ib_put (struct ib_import *import, const char *string);
void ib_put_number (struct ib_import *import, uint64_t number);
const char *ib_end_string (struct ib_import *import, const char *string);

/* PREFIX with the LENGTH bytes at WORD, or with NUMBER, behind it.  */
const char *ib_join (struct ib_import *import, const char *prefix,
		     const char *word, size_t length);
const char *ib_join_number (struct ib_import *import, const char *prefix,
			    uint64_t number);


/*
 * writer.c: after an error these do nothing.
 */

void ib_begin_node (struct ib_writer *writer, const char *name);
void ib_end_node (struct ib_writer *writer);

/* Add the property NAME: SIZE bytes, nothing, a string, one cell, or both cell
   counts of 2.  */
void ib_add_bytes (struct ib_writer *writer, const char *name,
		   const void *value, size_t size);
void ib_add_empty (struct ib_writer *writer, const char *name);
void ib_add_string (struct ib_writer *writer, const char *name,
		    const char *value);
void ib_add_cell (struct ib_writer *writer, const char *name, uint64_t value);
void ib_add_cell_counts (struct ib_writer *writer);

/* Add the property NAME of N cells.  Returns where they are to be written, or
   NULL after an error.  */
unsigned char *ib_add_cells (struct ib_writer *writer, const char *name,
			     size_t n);

/* Write NUMBER, which must fit, in N big-endian cells.  */
void ib_write_cells (unsigned char *at, uint64_t number, int n);

/* The two compatibles of a module of KIND, and their size.  */
#define MODULE(kind) \
  kind "\0multiboot,module", sizeof (kind "\0multiboot,module")

/* Add the module NODE with the file of NAME[INDEX], and with BOOTARGS unless
   they are NULL.  Does nothing if there is no file.  */
void ib_add_module (struct ib_writer *writer, const char *node,
		    const char *compatible, size_t compatible_size,
		    const char *name, uint32_t index, const char *bootargs);

/* Add PROPERTY with the addresses and sizes in NAME[INDEX], in so many cells
   each.  Returns the sum of the sizes in bytes.  */
uint64_t ib_add_ranges (struct ib_writer *writer, const char *property,
			const char *name, uint32_t index, int address_cells,
			int size_cells);


/*
 * xen.c, cpupools.c, events.c and domains.c
 */

/* Add to /chosen what Xen and a dom0 need: properties, then modules.  */
void ib_add_xen_properties (struct ib_writer *writer, int has_dom0);
void ib_add_xen_modules (struct ib_writer *writer, int has_dom0);

/* Read all pools.  Returns 0, or -1 with IMPORT->error.  */
int ib_read_pools (struct ib_writer *writer);

/* Add the node of POOL.  */
void ib_add_pool (struct ib_writer *writer, int pool);

/* The phandle of POOL's node.  */
uint32_t ib_pool_phandle (int pool);

/* Whether domain INDEX is in a pool, and which.  */
int ib_get_pool (struct ib_writer *writer, uint32_t index, int *pool);

/* Read all event channels.  Returns 0, or -1 with IMPORT->error.  */
int ib_read_events (struct ib_writer *writer);

/* Add the nodes of the channels that DOMAIN has an end of.  */
void ib_add_events (struct ib_writer *writer, uint32_t domain);

/* Say which cells of these are phandles of the overlay's own.  */
void ib_add_event_fixups (struct ib_writer *writer, uint32_t domain);

/* Whether DOMAIN has an end of a channel.  */
int ib_has_event (const struct ib_writer *writer, uint32_t domain);

/* Add the node of domain INDEX.  */
void ib_add_domain (struct ib_writer *writer, uint32_t index, int has_dom0);

#endif
