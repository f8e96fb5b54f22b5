/* dom0less_host_internal.h - declarations for the platform on a host  */
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

#ifndef DOM0LESS_HOST_INTERNAL_HEADER
#define DOM0LESS_HOST_INTERNAL_HEADER	1

#include <sys/stat.h>

#include <grub/file.h>
#include <grub/util/dom0less_host.h>

#include "xen_dom0less_platform.h"

/* A prefix that no name in a tree can resolve to.  */
#define HOST		"host:"
#define HOST_LENGTH	(sizeof (HOST) - 1)

/* End the program because of errno: NAME may exist on the machine, but this
   host cannot find out.  */
void dom0less_host_cannot_judge (const char *name)
  __attribute__ ((noreturn));

/* dom0less_host_name.c */

struct folder
{
  int fd;
  unsigned long long mount;	/* 0 if it is not known */
  char *name;			/* NULL: the root */
};

struct walk
{
  struct folder *folders;	/* from the root down */
  size_t depth;
  int links;
  int is_file;			/* the last name is not a folder: ... */
  char *name;			/* ... a name in the last folder */
  struct stat status;
  char *path;			/* below the root; the last may be a link */
};

/* Find PATH, which begins with a `/', below the root.  dom0less_host_end_walk
   has to be called for WALK even after an error.  */
grub_err_t dom0less_host_walk (struct walk *walk, const char *path);
void dom0less_host_end_walk (struct walk *walk);

/* dom0less_host_measure.c */

/* If files are measured, measure FILE with the name NAME.  */
void dom0less_host_measure_file (grub_file_t file, const char *name);

#endif
