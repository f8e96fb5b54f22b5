/* passthrough.c - check a domain's own device tree  */
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

#define PAGE_MASK	((uint64_t) 4095)

/* The cell counts that Xen uses if there are none, regardless of the root's
   (DT_ROOT_NODE_ADDR_CELLS_DEFAULT and _SIZE_).  */
#define ADDRESS_CELLS	2
#define SIZE_CELLS	1

/* Phandles from here on are used by Xen itself (GUEST_PHANDLE_GIC); Xen 4.22
   and later refuse them.  */
#define FIRST_OWN_PHANDLE	0xfde8

/* The cell counts of nodes below this depth are not recorded.  */
#define MAX_DEPTH	64

/* The number of devices that are looked up in the machine's tree, each from
   its root on.  */
#define MAX_DEVICES	256

static int
read_size (const void *fdt, int node, const char *name, int fallback)
{
  return (int) grub_dom0less_first_u32 (fdt, node, name, (uint32_t) fallback);
}

/* Return the fault in the xen,reg of LEN bytes at CELL; *IS_FATAL if Xen
   panics.  */
static const char *
find_reg_fault (const fdt32_t *cell, int len,
		struct grub_dom0less_cells cells, int *is_fatal)
{
  int step = (2 * cells.address + cells.size) * (int) sizeof (*cell);
  uint64_t host, size, guest;

  *is_fatal = 1;
  if (cells.address < 1 || cells.address > 2
      || cells.size < 1 || cells.size > 2)
    return "the cells for xen,reg are not 1 or 2";
  for (; len >= step; len -= step)
    {
      grub_dom0less_read_cells (&cell, cells.address, &host);
      grub_dom0less_read_cells (&cell, cells.size, &size);
      grub_dom0less_read_cells (&cell, cells.address, &guest);
      if ((host | size | guest) & PAGE_MASK)
	return "xen,reg is not in whole pages";
    }
  *is_fatal = 0;
  return len ? "xen,reg is no whole number of <host size guest> in these cells"
    : NULL;
}

/* Return the fault in NODE of TREE, whose parent has CELLS, for Xen's
   handle_prop_pfdt.  */
static const char *
find_node_fault (const void *tree, int node, const void *host,
		 struct grub_dom0less_cells cells, int *n, int *is_fatal)
{
  int len, path_len;
  const fdt32_t *reg = fdt_getprop (tree, node, "xen,reg", &len);
  const char *path = fdt_getprop (tree, node, "xen,path", &path_len);
  int is_forced = fdt_getprop (tree, node, "xen,force-assign-without-iommu",
			       NULL) != NULL;
  const char *fault;

  *is_fatal = 1;
  if (reg && !path && !is_forced)
    return "xen,reg without xen,path";
  if (path && !reg)
    return "xen,path without xen,reg";
  if (!reg)
    return NULL;
  fault = find_reg_fault (reg, len, cells, is_fatal);
  if (fault)
    return fault;
  if (path && ++*n > MAX_DEVICES)
    return "more than 256 devices: the rest was not looked at";
  *is_fatal = 1;
  if (path && (!memchr (path, '\0', (size_t) path_len)
	       || fdt_path_offset (host, path) < 0))
    return "xen,path is no node of the machine's";
  return NULL;
}

/* Check PASSTHROUGH and everything below it, as Xen's scan_pfdt_node does.  */
static const char *
find_device_fault (const void *tree, int passthrough, const void *host,
		   int *node, int *is_fatal)
{
  struct grub_dom0less_cells cells[MAX_DEPTH + 1];
  int depth = 0, n = 0;
  const char *fault;

  cells[0].address = ADDRESS_CELLS;
  cells[0].size = SIZE_CELLS;
  for (*node = passthrough; *node >= 0 && depth >= 0;
       *node = fdt_next_node (tree, *node, &depth))
    {
      if (depth >= MAX_DEPTH)
	continue;
      fault = find_node_fault (tree, *node, host, cells[depth], &n,
			       is_fatal);
      if (fault)
	return fault;
      cells[depth + 1].address = read_size (tree, *node, "#address-cells",
					    ADDRESS_CELLS);
      cells[depth + 1].size = read_size (tree, *node, "#size-cells",
					 SIZE_CELLS);
    }
  return NULL;
}

const char *
grub_dom0less_passthrough_fault (const void *tree, size_t size,
				 const void *host,
				 const struct grub_dom0less_xen *xen,
				 int *node, int *is_fatal)
{
  int passthrough;
  uint32_t phandle;

  *node = 0;
  *is_fatal = 1;
  if (grub_dom0less_tree_fault (tree, size))
    return "not a well-formed device tree";
  if (grub_dom0less_xen_since (xen, 22)
      && fdt_find_max_phandle (tree, &phandle) == 0
      && phandle >= FIRST_OWN_PHANDLE - 1)
    return "its highest phandle is one of Xen's own";
  passthrough = fdt_path_offset (tree, "/passthrough");
  if (passthrough < 0)
    {
      *is_fatal = 0;
      return "no node /passthrough, and Xen looks nowhere else";
    }
  return find_device_fault (tree, passthrough, host, node, is_fatal);
}
