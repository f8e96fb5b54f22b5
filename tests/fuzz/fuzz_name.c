/* fuzz_name.c - names in the tree, and the files that they mean  */
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

#include "fuzz.h"

/* The input is a byte for the size of the buffer, Xen's name and the other
   name.  */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct input input = { data, data + size };
  size_t length, buf_size = take8 (&input);
  char *xen = take_string (&input), *name = take_string (&input);
  char *buf = malloc (buf_size), *whole, *device_end;

  length = grub_dom0less_format_path (xen, name, NULL, 0);
  require (length <= strlen (xen) + strlen (name) + 1, "far too long");

  whole = malloc (length + 1);
  require (buf && whole, "out of memory");
  require (grub_dom0less_format_path (xen, name, whole, length + 1) == length
	   && strlen (whole) == length, "another length");
  require (strchr (whole, '\\') == NULL, "a backslash is left");
  require (length >= strlen (name), "cut");

  /* With a device there is a path, so that GRUB reads no list of blocks.  */
  device_end = strchr (whole, ')');
  if (name[0] == '(' && strchr (name, ')'))
    require (device_end && device_end[1] == '/', "a list of blocks");

  require (grub_dom0less_format_path (xen, name, buf, buf_size) == length,
	   "another length in a short buffer");
  if (buf_size > length)
    require (strcmp (buf, whole) == 0, "another name");
  else if (buf_size)
    require (strlen (buf) == buf_size - 1
	     && memcmp (buf, whole, buf_size - 1) == 0, "cut otherwise");

  free (whole);
  free (buf);
  free (name);
  free (xen);
  return 0;
}
