/* dom0less_menu.h - read the commands of a grub.cfg  */
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

#ifndef GRUB_UTIL_DOM0LESS_MENU_HEADER
#define GRUB_UTIL_DOM0LESS_MENU_HEADER	1

/* A command in a grub.cfg.  */
struct dom0less_menu_command
{
  const char *entry;			/* "Submenu > Entry", or NULL outside */
  int argc;				/* including the command */
  char **argv;				/* ends with NULL */
  const char *unknown;			/* a variable never set, or NULL */
};

/* Parse TEXT, a grub.cfg, with GRUB's own parser, and call FUNCTION with DATA
   for each xen_dom0less command in it, in order and in both branches of
   conditions.  Variables have the values that earlier `set' commands have
   assigned.  Two disks that `search' finds are the same if its arguments are
   the same.  "($root)/x" is "/x".  Return 0, or the number of the line where
   parsing failed.  The command is valid during the call only.  */
int dom0less_menu_read (char *text,
			void (*function) (const struct dom0less_menu_command *,
					  void *data), void *data);

#endif
