/* overlay.c - why an overlay does not fit its base  */
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

/* The fragment of OVERLAY whose node's path begins PATH, which ends at a `/',
   a `:' or its end.  */
static int
fragment_of (const void *overlay, const char *path)
{
  size_t length;

  if (*path == '/')
    path++;
  for (length = 0; path[length] && path[length] != '/' && path[length] != ':';
       length++)
    ;
  return fdt_subnode_offset_namelen (overlay, 0, path, (int) length);
}

int
grub_dom0less_overlay_fault (const void *base, const void *overlay,
			     const char **missing)
{
  int node, property, symbols, fixups;
  const char *name, *paths;

  symbols = fdt_path_offset (base, "/__symbols__");
  fixups = fdt_path_offset (overlay, "/__fixups__");
  if (fixups >= 0)
    fdt_for_each_property_offset (property, overlay, fixups)
      {
	paths = fdt_getprop_by_offset (overlay, property, &name, NULL);
	if (paths
	    && (symbols < 0 || !fdt_getprop (base, symbols, name, NULL)))
	  {
	    *missing = name;
	    return fragment_of (overlay, paths);
	  }
      }

  fdt_for_each_subnode (node, overlay, 0)
    {
      name = grub_dom0less_string (overlay, node, "target-path");
      if (name && fdt_path_offset (base, name) < 0)
	{
	  *missing = name;
	  return node;
	}
    }
  return -FDT_ERR_NOTFOUND;
}
