/* internal.h - declarations for the files of the import  */
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
  int is_new;				/* the overlay defines the phandle */
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

/* Append C to the string at the end of the used part of IMPORT->room.  If
   there is no room, that is an error, and nothing is appended.  */
void ib_put_char (struct ib_import *import, char c);


/*
 * variables.c
 */

/* Return the value of NAME[INDEX], or NULL if it is not set or empty.  */
const char *ib_get (struct ib_import *import, const char *name,
		    uint64_t index);

/* Return NAME[INDEX] as a number up to MAX, or MISSING if it is not set.  If
   the value is invalid, set IMPORT's error and return 0.  */
uint64_t ib_get_number (struct ib_import *import, const char *name,
			uint32_t index, uint64_t max, uint64_t missing);

/* Return the cache colors or processors in NAME[INDEX], or NULL.  Xen uses the
   same syntax.  */
const char *ib_get_colors (struct ib_import *import, const char *name,
			   uint64_t index);

/* Refuse NAME[INDEX], if it is set, if U-Boot's shell would replace parts of
   it.  */
void ib_check_text (struct ib_import *import, const char *name,
		    uint32_t index);

/* Record that NAME[INDEX], if it is set, is not converted, and why.  */
void ib_note_loss (struct ib_import *import, const char *name,
		   uint64_t index, const char *loss);

/* Record that a part of NAME[INDEX], if it is set, is not converted.  */
void ib_note_part (struct ib_import *import, const char *name,
		   uint64_t index, const char *loss);

/* Do the same for all variables that are unknown, or never converted.  */
void ib_note_losses (struct ib_import *import);

/* Record the error ERROR of NAME[INDEX], which is written as in the config.
   Return -1.  */
int ib_fail_variable (struct ib_import *import, const char *name,
		      uint64_t index, const char *error);

/* Return whether Xen starts domain INDEX.  */
int ib_is_booted (struct ib_import *import, uint32_t index);

/* Read the LENGTH bytes at TEXT as a number, decimal or with 0x.  Numbers that
   look octal are refused, because U-Boot and the shell interpret them
   differently.  Return 0, or -1 if it is not a number or needs more than 64
   bits.  */
int ib_parse_number (const char *text, size_t length, uint64_t *number);

/* Return the next word at *TEXT and its LENGTH, and advance *TEXT past it.
   Words are separated by any of SEPARATORS.  Return NULL after the last
   word.  */
const char *ib_next_word (const char **text, const char *separators,
			  size_t *length);

/* Begin a string in IMPORT's room, append to it, and end it.  ib_end_string
   returns the string, or "" after an error.  */
const char *ib_begin_string (struct ib_import *import);
void ib_put (struct ib_import *import, const char *string);
void ib_put_number (struct ib_import *import, uint64_t number);
const char *ib_end_string (struct ib_import *import, const char *string);

/* Return PREFIX followed by the LENGTH bytes at WORD, or by NUMBER.  */
const char *ib_join (struct ib_import *import, const char *prefix,
		     const char *word, size_t length);
const char *ib_join_number (struct ib_import *import, const char *prefix,
			    uint64_t number);


/*
 * writer.c: after an error, these functions do nothing.
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

/* Add the property NAME of N cells.  Return where to write them, or NULL after
   an error.  */
unsigned char *ib_add_cells (struct ib_writer *writer, const char *name,
			     size_t n);

/* Write NUMBER, which must fit, in N big-endian cells.  */
void ib_write_cells (unsigned char *at, uint64_t number, int n);

/* The two compatibles of a module of KIND, followed by their size.  */
#define MODULE(kind) \
  kind "\0multiboot,module", sizeof (kind "\0multiboot,module")

/* Add the module NODE with the file of NAME[INDEX], and with BOOTARGS unless
   they are NULL.  Do nothing if there is no file.  */
void ib_add_module (struct ib_writer *writer, const char *node,
		    const char *compatible, size_t compatible_size,
		    const char *name, uint32_t index, const char *bootargs);

/* Add PROPERTY with the addresses and sizes in NAME[INDEX], in so many cells
   each.  Return the sum of the sizes in bytes.  */
uint64_t ib_add_ranges (struct ib_writer *writer, const char *property,
			const char *name, uint32_t index, int address_cells,
			int size_cells);


/*
 * xen.c, cpupools.c, events.c and domains.c
 */

/* Add the properties and modules for Xen and a dom0 to /chosen.  */
void ib_add_xen_properties (struct ib_writer *writer, int has_dom0);
void ib_add_xen_modules (struct ib_writer *writer, int has_dom0);

/* Read all pools.  Return 0, or -1 with IMPORT->error.  */
int ib_read_pools (struct ib_writer *writer);

/* Add the node of POOL.  */
void ib_add_pool (struct ib_writer *writer, int pool);

/* Return the phandle of POOL's node.  */
uint32_t ib_pool_phandle (int pool);

/* Return whether domain INDEX is in a pool, and in which one.  */
int ib_get_pool (struct ib_writer *writer, uint32_t index, int *pool);

/* Read all event channels.  Return 0, or -1 with IMPORT->error.  */
int ib_read_events (struct ib_writer *writer);

/* Add a node for each end of a channel in DOMAIN.  */
void ib_add_events (struct ib_writer *writer, uint32_t domain);

/* List the cells of these nodes that contain phandles of the overlay.  */
void ib_add_event_fixups (struct ib_writer *writer, uint32_t domain);

/* Return whether there is an end of a channel in DOMAIN.  */
int ib_has_event (const struct ib_writer *writer, uint32_t domain);

/* Add the node of domain INDEX.  */
void ib_add_domain (struct ib_writer *writer, uint32_t index, int has_dom0);

#endif
