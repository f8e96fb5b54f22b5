/* dom0less_menu.h - the commands of a grub.cfg  */
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

/* A command as it is written in a grub.cfg.  */
struct dom0less_menu_command
{
  const char *entry;			/* "Submenu > Entry", or NULL outside */
  int argc;				/* the words, with the command's name */
  char **argv;				/* ends with NULL */
  const char *unknown;			/* a variable that nothing has set, or NULL */
};

/* Read TEXT, a grub.cfg, by GRUB's own parser, and call FUNCTION with DATA for each
   xen_dom0less command in it, in order and in either branch of conditions.
   Variables have the value that a `set' before has given them; a disk that
   `search' finds is the same as long as its words are.  "($root)/x" is "/x".
   Returns 0, or the number of the line at which GRUB cannot parse it.  The command
   is valid during the call.  */
int dom0less_menu_read (char *text,
			void (*function) (const struct dom0less_menu_command *,
					  void *data), void *data);

#endif
