/* overlay.c - whether an overlay can be applied, and why not  */
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

/* As deep as Linux looks into a tree.  libfdt calls itself for each level, and
   GRUB's stack is the firmware's.  */
#define MAX_DEPTH	64

/* libfdt writes to where these two say, and believes them: they must not be
   written to before they are read.  */
struct fixups
{
  int local;				/* /__local_fixups__ */
  int labels;				/* /__fixups__ */
};

static int
is_fixups (const struct fixups *fixups, int node)
{
  return node >= 0 && (node == fixups->local || node == fixups->labels);
}

/* The number that is all of the SIZE bytes at TEXT; more than any property's
   length if they are none.  */
static uint32_t
read_number (const char *text, size_t size)
{
  uint32_t number = 0;
  size_t i;

  if (size < 1 || size > 8)
    return UINT32_MAX;
  for (i = 0; i < size; i++)
    {
      if (text[i] < '0' || text[i] > '9')
	return UINT32_MAX;
      number = number * 10 + (uint32_t) (text[i] - '0');
    }
  return number;
}

/* Each cell of the properties of FIXUP is where the property of that name in
   NODE has a phandle.  */
static int
check_local_node (const void *overlay, int fixup, int node)
{
  const char *name;
  const fdt32_t *offset;
  int property, size, length;

  fdt_for_each_property_offset (property, overlay, fixup)
    {
      offset = fdt_getprop_by_offset (overlay, property, &name, &size);
      if (!offset || !fdt_getprop (overlay, node, name, &length))
	continue;
      for (; size >= 4; size -= 4, offset++)
	if (length < 4 || fdt32_ld (offset) > (uint32_t) length - 4)
	  return -FDT_ERR_BADOVERLAY;
    }
  return 0;
}

/* What has no counterpart is left to libfdt, which has a look at that.  */
static int
check_local (const void *overlay, const struct fixups *fixups)
{
  int counterparts[MAX_DEPTH + 1] = { 0 };
  int node = fixups->local, depth = 0, err;

  if (node < 0)
    return 0;
  err = check_local_node (overlay, node, 0);
  while (!err && (node = fdt_next_node (overlay, node, &depth)) >= 0
	 && depth > 0)
    {
      counterparts[depth]
	= fdt_subnode_offset (overlay, counterparts[depth - 1],
			      grub_dom0less_node_name (overlay, node));
      err = is_fixups (fixups, counterparts[depth]) ? -FDT_ERR_BADOVERLAY
	: check_local_node (overlay, node, counterparts[depth]);
    }
  return err;
}

/* A label's value is a list of strings "PATH:PROPERTY:OFFSET".  */
static int
check_label (const void *overlay, const struct fixups *fixups,
	     const char *at, int size)
{
  const char *next, *colon, *name;
  int node, length;

  for (; size > 0; size -= (int) (next - at), at = next)
    {
      next = memchr (at, '\0', (size_t) size);
      colon = next ? memchr (at, ':', (size_t) (next - at)) : NULL;
      if (!colon)
	return -FDT_ERR_BADOVERLAY;
      node = fdt_path_offset_namelen (overlay, at, (int) (colon - at));
      if (is_fixups (fixups, node))
	return -FDT_ERR_BADOVERLAY;

      name = colon + 1;
      colon = memchr (name, ':', (size_t) (next - name));
      if (!colon)
	return -FDT_ERR_BADOVERLAY;
      if (fdt_getprop_namelen (overlay, node, name, (int) (colon - name),
			       &length)
	  && (length < 4 || read_number (colon + 1, (size_t) (next - colon) - 1)
	      > (uint32_t) length - 4))
	return -FDT_ERR_BADOVERLAY;
      next++;
    }
  return 0;
}

int
grub_dom0less_check_overlay (const void *overlay, size_t size)
{
  int err = grub_dom0less_check_tree (overlay, size);
  int node, property, length, depth = 0;
  struct fixups fixups;
  const char *value;

  if (err)
    return err;
  for (node = 0; node >= 0 && depth >= 0;
       node = fdt_next_node (overlay, node, &depth))
    if (depth > MAX_DEPTH)
      return -FDT_ERR_BADOVERLAY;

  fixups.local = fdt_path_offset (overlay, "/__local_fixups__");
  fixups.labels = fdt_path_offset (overlay, "/__fixups__");
  err = check_local (overlay, &fixups);
  if (fixups.labels >= 0)
    fdt_for_each_property_offset (property, overlay, fixups.labels)
      {
	value = fdt_getprop_by_offset (overlay, property, NULL, &length);
	if (value && !err)
	  err = check_label (overlay, &fixups, value, length);
      }
  return err;
}

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
	if (paths && *name
	    && (symbols < 0 || !fdt_getprop (base, symbols, name, NULL)))
	  {
	    *missing = name;
	    return fragment_of (overlay, paths);
	  }
      }

  fdt_for_each_subnode (node, overlay, 0)
    {
      name = grub_dom0less_string (overlay, node, "target-path");
      if (name && *name && fdt_path_offset (base, name) < 0)
	{
	  *missing = name;
	  return node;
	}
    }
  return -FDT_ERR_NOTFOUND;
}
