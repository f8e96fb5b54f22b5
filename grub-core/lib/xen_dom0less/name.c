/* name.c - convert names in a device tree to GRUB file names  */
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

#include <grub/xen_dom0less.h>

#include <string.h>

/* Append LEN bytes of TEXT at *POS of BUF, as far as they fit.  *POS always
   advances, so that it ends as the length that is needed.  */
static void
append (char *buf, size_t size, size_t *pos, const char *text, size_t len)
{
  size_t i;

  for (i = 0; i < len; i++, (*pos)++)
    if (*pos + 1 < size)
      buf[*pos] = text[i] == '\\' ? '/' : text[i];
}

/* Return the length of XEN's device part, including both parentheses.  */
static size_t
device_length (const char *xen)
{
  const char *end = xen[0] == '(' ? strchr (xen, ')') : NULL;

  return end ? (size_t) (end - xen) + 1 : 0;
}

/* Return the length of XEN up to and including the last slash.  */
static size_t
directory_length (const char *xen)
{
  size_t i, length = device_length (xen);

  for (i = length; xen[i]; i++)
    if (xen[i] == '/' || xen[i] == '\\')
      length = i + 1;
  return length;
}

size_t
grub_dom0less_format_path (const char *xen, const char *name,
			   char *buf, size_t size)
{
  size_t own_device = device_length (name);
  size_t pos = 0;

  if (own_device)
    {
      append (buf, size, &pos, name, own_device);
      name += own_device;
      /* Without a slash, GRUB would take the rest for a block list.  */
      if (name[0] != '/' && name[0] != '\\')
	append (buf, size, &pos, "/", 1);
    }
  else if (name[0] == '/' || name[0] == '\\')
    append (buf, size, &pos, xen, device_length (xen));
  else
    append (buf, size, &pos, xen, directory_length (xen));

  append (buf, size, &pos, name, strlen (name));
  if (size)
    buf[pos < size ? pos : size - 1] = '\0';
  return pos;
}
