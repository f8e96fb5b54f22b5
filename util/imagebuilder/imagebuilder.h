/* imagebuilder.h - from an ImageBuilder config to an overlay  */
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

#ifndef IMAGEBUILDER_HEADER
#define IMAGEBUILDER_HEADER	1

/*
 * ImageBuilder's config is a shell fragment that sets variables.  The import
 * reads them without executing anything, and writes the domains that they
 * describe as an overlay.  Like the loader's pure library it does no I/O and
 * allocates nothing, so that unit tests and a fuzzer can run all of it.
 */

#include <grub/xen_dom0less.h>

#define IB_MAX_VARIABLES	1024

/* NAME[N,M], which is an index of its own for each pair.  */
#define IB_PAIR(n, m)	((uint64_t) (n) | ((uint64_t) (m) + 1) << 32)
#define IB_FIRST(index)	((uint32_t) (index))
#define IB_IS_PAIR(index)	((index) > UINT32_MAX)
#define IB_SECOND(index)	((uint32_t) (((index) >> 32) - 1))

/* One assignment of the config.  As in the shell, a plain NAME is NAME[0].  */
struct ib_variable
{
  const char *name;
  uint64_t index;
  int has_index;			/* whether it was written with one */
  const char *value;
  unsigned int line;
  int used;				/* it has been looked at */
  const char *loss;			/* why it is not carried over ...  */
  int is_part;				/* ... or only a part of it is */
};

struct ib_import
{
  /* The caller's: room for all strings that are made; what file names begin
     with, "" or "/DIR"; the absolute name of the folder that they are in, or
     NULL; and DEVICE_TREE, or NULL if it is not at hand.  */
  char *room;
  size_t room_size;
  const char *prefix;
  const char *directory;
  const void *base;

  int n_variables;
  struct ib_variable variables[IB_MAX_VARIABLES];

  /* How much of the room is filled in all, and by the config alone.  */
  size_t filled, parsed;

  /* What went wrong: SUBJECT, unless it is NULL, is the beginning of the
     sentence ERROR.  No LINE is 0.  */
  const char *error;
  const char *subject;
  unsigned int line;

  /* What belongs behind XEN, or "" if the overlay has it.  */
  const char *xen_args;
};


/* Read the SIZE bytes of TEXT into IMPORT->variables.  IMPORT's room is given,
   all else in it is 0.  Understood are NAME=VALUE, NAME[N]=VALUE,
   NAME[N,M]=VALUE and += with the shell's quotes, comments and continued lines,
   and `export' before them; in values $NAME, ${NAME} and ${NAME[N]} of what was
   assigned before, and the first two of these for N and M.  A line's end or a
   tab within quotes becomes a blank: every value is words or one line.  Returns
   0, or -1 with IMPORT->error.  */
int ib_parse (struct ib_import *import, const char *text, size_t size);

/* NAME[INDEX] as it was assigned, or NULL.  */
struct ib_variable *
ib_lookup (struct ib_import *import, const char *name, size_t name_length,
	   uint64_t index);

/* Note the error, unless there is one already.  Returns -1.  */
int ib_fail (struct ib_import *import, unsigned int line, const char *subject,
	     const char *error);


/* The name of the file that NAME[INDEX] is, as GRUB finds it, or NULL if it is
   not set.  As by ImageBuilder, `.' and `..' are taken out by the letter.  */
const char *ib_file (struct ib_import *import, const char *name, uint32_t
		     index);

/* How many DT_OVERLAYs there are: at most IB_MAX_DT_OVERLAYS, or -1
   with IMPORT->error.  */
#define IB_MAX_DT_OVERLAYS	64
int ib_dt_overlays (struct ib_import *import);

/* Write the overlay into the SIZE bytes at FDT, set IMPORT->xen_args, and give
   each variable that is not carried over its loss.  What is neither used nor
   lost is not needed here.  Returns 0, or -1 with IMPORT->error; or 1 if SIZE
   is too small, and the call may be repeated with more.  It begins by giving
   back the room of all names that ib_file has made.

   Source: the README and scripts/uboot-script-gen of ImageBuilder
   (gitlab.com/ViryaOS/imagebuilder), and docs/misc/arm/device-tree and
   docs/misc/arm/passthrough.txt of Xen.  */
int ib_overlay (struct ib_import *import, void *fdt, size_t size);

#endif
