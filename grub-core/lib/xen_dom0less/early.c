/* early.c - modules that only Xen's early parser finds  */
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

/* The maximum depth at which Xen looks for modules; the root's is 0.  */
#define MAX_DEPTH	3

/* The numbers of cells that Xen uses to read "reg".  Unlike those in struct
   grub_dom0less_cells, they may be any number.  */
struct early_cells
{
  uint32_t address;
  uint32_t size;
};

static char
lower (char c)
{
  return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

static int
is_same_word (const char *word, const char *other, size_t length)
{
  size_t i;

  for (i = 0; i < length; i++)
    if (lower (word[i]) != lower (other[i]))
      return 0;
  return 1;
}

/* Return whether NODE is compatible WITH something as Xen sees it: regardless
   of case, unlike in libfdt.  */
static int
is_compatible (const void *fdt, int node, const char *with)
{
  size_t length = strlen (with);
  const char *list, *end;
  int len;

  list = fdt_getprop (fdt, node, "compatible", &len);
  while (list && len > 0)
    {
      end = memchr (list, '\0', (size_t) len);
      if (!end)
	end = list + len;
      if ((size_t) (end - list) == length && is_same_word (list, with, length))
	return 1;
      len -= (int) (end - list) + 1;
      list = end + 1;
    }
  return 0;
}

/* Return the cell count NAME of NODE, or OTHERWISE if it has none.  */
static uint32_t
read_cell_count (const void *fdt, int node, const char *name,
		 uint32_t otherwise)
{
  int len;
  const fdt32_t *cell = fdt_getprop (fdt, node, name, &len);

  return cell && len >= (int) sizeof (*cell)
    ? fdt32_to_cpu (*cell) : otherwise;
}

/* Read COUNT cells as one number.  Xen keeps only the last two.  */
static uint64_t
read_number (const fdt32_t *cell, uint32_t count)
{
  uint64_t number = 0;

  for (; count; count--)
    number = number << 32 | fdt32_to_cpu (*cell++);
  return number;
}

static int
is_prefix (const char *prefix, const char *name)
{
  size_t length = strlen (prefix);

  return strlen (name) >= length && memcmp (name, prefix, length) == 0;
}

static struct grub_dom0less_stray *
add_stray (struct grub_dom0less_plan *plan, int node)
{
  struct grub_dom0less_stray *stray = plan->strays + plan->n_strays;

  if (plan->n_strays == GRUB_DOM0LESS_MAX_STRAYS)
    {
      if (!plan->overflow)
	plan->overflow = node;
      return NULL;
    }
  plan->n_strays++;
  memset (stray, 0, sizeof (*stray));
  stray->node = node;
  return stray;
}

/* Add NODE, which is a module and whose parent has CELLS.  */
static void
add_module (struct grub_dom0less_plan *plan, const void *fdt, int node,
	    struct early_cells cells)
{
  struct grub_dom0less_stray *stray = add_stray (plan, node);
  int len;
  const fdt32_t *reg = fdt_getprop (fdt, node, "reg", &len);

  if (!stray || !reg
      || (uint64_t) cells.address + cells.size
	 > (uint64_t) len / sizeof (*reg))
    return;
  stray->has_place = 1;
  stray->address = read_number (reg, cells.address);
  stray->size = read_number (reg + cells.address, cells.size);
}

/* Read PROP of NODE, which has one cell or two.  Return 0 if it does not.  */
static int
read_initrd (const void *fdt, int node, const char *prop, uint64_t *value)
{
  int len;
  const fdt32_t *cell = fdt_getprop (fdt, node, prop, &len);

  if (!cell || (len != 4 && len != 8))
    return 0;
  *value = read_number (cell, (uint32_t) len / 4);
  return 1;
}

/* Add the ramdisk for a dom0, if NODE describes one.  */
static void
add_initrd (struct grub_dom0less_plan *plan, const void *fdt, int node)
{
  struct grub_dom0less_stray *stray;
  uint64_t start, end;

  if (!fdt_getprop (fdt, node, "linux,initrd-start", NULL)
      || !(stray = add_stray (plan, node)))
    return;
  stray->is_initrd = 1;
  if (!read_initrd (fdt, node, "linux,initrd-start", &start)
      || !read_initrd (fdt, node, "linux,initrd-end", &end)
      || start >= end)
    return;
  stray->has_place = 1;
  stray->address = start;
  stray->size = end - start;
}

void
grub_dom0less_read_strays (struct grub_dom0less_plan *plan, const void *fdt)
{
  struct early_cells cells[MAX_DEPTH + 1];
  int node, depth = 0, module = 0, is_below_chosen = 0;
  const char *name;

  for (node = 0; node >= 0 && depth >= 0;
       node = fdt_next_node (fdt, node, &depth))
    {
      /* The cell counts that /chosen lacks are added by Xen's stub, or by this
	 loader.  */
      struct early_cells above = { 2, depth == 0 ? 1 : 2 };

      if (depth > MAX_DEPTH)
	continue;
      if (depth > 0 && node != plan->chosen)
	above = cells[depth - 1];
      cells[depth].address = read_cell_count (fdt, node, "#address-cells",
					      above.address);
      cells[depth].size = read_cell_count (fdt, node, "#size-cells",
					   above.size);

      name = grub_dom0less_node_name (fdt, node);
      if (depth == 1)
	is_below_chosen = is_prefix ("chosen", name);
      if (depth == 0 || !is_below_chosen)
	continue;

      while (module < plan->n_modules && plan->modules[module].node < node)
	module++;
      if (module < plan->n_modules && plan->modules[module].node == node)
	continue;
      if (is_compatible (fdt, node, "multiboot,module")
	  || is_compatible (fdt, node, "xen,multiboot-module"))
	add_module (plan, fdt, node, cells[depth - 1]);
      else if (depth == 1 && (name[6] == '\0' || name[6] == '@'))
	add_initrd (plan, fdt, node);
    }
}
