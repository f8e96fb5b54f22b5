/* imagebuilder.h - convert an ImageBuilder config to an overlay  */
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
 * describe as an overlay.  Like the loader's library, it does no I/O and
 * allocates no memory, so that unit tests and a fuzzer can run all of it.
 */

#include <grub/xen_dom0less.h>

#define IB_MAX_VARIABLES	1024

/* NAME[N,M]; each pair is encoded as one index.  */
#define IB_PAIR(n, m)	((uint64_t) (n) | ((uint64_t) (m) + 1) << 32)
#define IB_FIRST(index)	((uint32_t) (index))
#define IB_IS_PAIR(index)	((index) > UINT32_MAX)
#define IB_SECOND(index)	((uint32_t) (((index) >> 32) - 1))

/* One assignment of the config.  As in the shell, a plain NAME is NAME[0].  */
struct ib_variable
{
  const char *name;
  uint64_t index;
  int has_index;			/* written with an index? */
  const char *value;
  unsigned int line;
  int used;				/* it has been used */
  const char *loss;			/* why it is not converted ... */
  int is_part;				/* ... or only a part of it is */
};

struct ib_import
{
  /* Provided by the caller: memory for all strings; the prefix of file names,
     "" or "/DIR"; the absolute name of the folder of the files, or NULL; and
     DEVICE_TREE, or NULL if it is not available.  */
  char *room;
  size_t room_size;
  const char *prefix;
  const char *directory;
  const void *base;

  int n_variables;
  struct ib_variable variables[IB_MAX_VARIABLES];

  /* How much of the memory is used in all, and by the config alone.  */
  size_t filled, parsed;

  /* The error: a sentence that consists of SUBJECT, unless it is NULL, and
     ERROR.  LINE is 0 if it is not known.  */
  const char *error;
  const char *subject;
  unsigned int line;

  /* The arguments after XEN, or "" if they are in the overlay.  */
  const char *xen_args;
};


/* Read the SIZE bytes of TEXT into IMPORT->variables.  IMPORT's memory has
   been provided, and everything else in it is 0.  The assignments NAME=VALUE,
   NAME[N]=VALUE, NAME[N,M]=VALUE and += are understood, with the shell's
   quotes, comments and continued lines, and with `export' before them.  Values
   may contain $NAME, ${NAME} and ${NAME[N]} of earlier assignments, and N and
   M may be the first two of these.  Newlines and tabs within quotes become
   blanks, because every value is a list of words or one line.  Return 0, or -1
   with IMPORT->error.  */
int ib_parse (struct ib_import *import, const char *text, size_t size);

/* Return the value assigned to NAME[INDEX], or NULL.  */
struct ib_variable *
ib_lookup (struct ib_import *import, const char *name, size_t name_length,
	   uint64_t index);

/* Record the error, unless there is one already.  Return -1.  */
int ib_fail (struct ib_import *import, unsigned int line, const char *subject,
	     const char *error);


/* Return the name of the file NAME[INDEX] in GRUB, or NULL if it is not set.
   As in ImageBuilder, `.' and `..' are removed textually.  */
const char *ib_file (struct ib_import *import, const char *name, uint32_t
		     index);

/* Return the number of DT_OVERLAYs: at most IB_MAX_DT_OVERLAYS, or -1 with
   IMPORT->error.  */
#define IB_MAX_DT_OVERLAYS	64
int ib_dt_overlays (struct ib_import *import);

/* Write the overlay into the SIZE bytes at FDT, set IMPORT->xen_args, and
   record the reason for each variable that is not converted.  Variables that
   are neither used nor lost are not needed here.  Return 0, or -1 with
   IMPORT->error; or 1 if SIZE is too small, and the call may be repeated with
   more.  The memory of all names that ib_file has returned is released
   first.
   Source: the README and scripts/uboot-script-gen of ImageBuilder
   (gitlab.com/ViryaOS/imagebuilder), and docs/misc/arm/device-tree and
   docs/misc/arm/passthrough.txt of Xen.  */
int ib_overlay (struct ib_import *import, void *fdt, size_t size);

#endif
