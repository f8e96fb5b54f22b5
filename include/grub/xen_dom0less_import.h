/* xen_dom0less_import.h - from an ImageBuilder config to an overlay  */
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

#ifndef GRUB_XEN_DOM0LESS_IMPORT_HEADER
#define GRUB_XEN_DOM0LESS_IMPORT_HEADER	1

/*
 * Pure like all in xen_dom0less.h, but for the host only: GRUB's module has
 * none of it.  shell.c reads the config, import.c knows what it means.
 */

#include <grub/xen_dom0less.h>

#define GRUB_DOM0LESS_MAX_VARIABLES	1024

/* One assignment of the config.  As in the shell, a plain NAME is NAME[0].  */
struct grub_dom0less_variable
{
  const char *name;
  uint32_t index;
  int has_index;			/* whether it was written with one */
  const char *value;
  unsigned int line;
  int used;				/* it has been looked at */
  const char *loss;			/* why it is not carried over */
};

struct grub_dom0less_import
{
  /* The caller's: room for all strings that are made; what file names begin
     with, "" or "/DIR"; and DEVICE_TREE, or NULL if it is not at hand.  */
  char *room;
  size_t room_size;
  const char *prefix;
  const void *base;

  int n_variables;
  struct grub_dom0less_variable variables[GRUB_DOM0LESS_MAX_VARIABLES];

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


/*
 * shell.c: the assignments of a shell fragment, which is not executed.
 */

/* Read the SIZE bytes of TEXT into IMPORT->variables.  IMPORT's room is given,
   all else in it is 0.  Understood are NAME=VALUE, NAME[N]=VALUE and += with
   the shell's quotes, comments and continued lines, and in values $NAME,
   ${NAME} and ${NAME[N]} of what was assigned before.  A line's end or a tab
   within quotes becomes a blank: every value is words or one line.  Returns 0,
   or -1 with IMPORT->error.  */
int grub_dom0less_import_parse (struct grub_dom0less_import *import,
				const char *text, size_t size);

/* NAME[INDEX] as it was assigned, or NULL.  */
struct grub_dom0less_variable *
grub_dom0less_import_variable (struct grub_dom0less_import *import,
			       const char *name, size_t name_length,
			       uint32_t index);

/* Add C to the string that begins where IMPORT->room was filled to.  Without
   room that is an error, and nothing is added.  */
void grub_dom0less_import_put (struct grub_dom0less_import *import, char c);

/* Note the error, unless there is one already.  Returns -1.  */
int grub_dom0less_import_fail (struct grub_dom0less_import *import,
			       unsigned int line, const char *subject,
			       const char *error);


/*
 * import.c: what the variables mean.
 */

/* The name of the file that NAME[INDEX] is, as GRUB finds it, or NULL if it is
   not set.  */
const char *grub_dom0less_import_file (struct grub_dom0less_import *import,
				       const char *name, uint32_t index);

/* How many DT_OVERLAYs there are: at most GRUB_DOM0LESS_MAX_DT_OVERLAYS, or -1
   with IMPORT->error.  */
#define GRUB_DOM0LESS_MAX_DT_OVERLAYS	64
int grub_dom0less_import_dt_overlays (struct grub_dom0less_import *import);

/* Write the overlay into the SIZE bytes at FDT, set IMPORT->xen_args, and give
   each variable that is not carried over its loss.  What is neither used nor
   lost is not needed here.  Returns 0, or -1 with IMPORT->error; or 1 if SIZE
   is too small, and the call may be repeated with more.  It begins by giving
   back the room of all names that grub_dom0less_import_file has made.

   Source: the README and scripts/uboot-script-gen of ImageBuilder
   (gitlab.com/ViryaOS/imagebuilder), and docs/misc/arm/device-tree and
   docs/misc/arm/passthrough.txt of Xen.  */
int grub_dom0less_import_overlay (struct grub_dom0less_import *import,
				  void *fdt, size_t size);

#endif
