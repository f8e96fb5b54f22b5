/* patch.c - write the tree for Xen  */
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

/* "module@", 16 digits and the end.  */
#define MODULE_NAME_SIZE	24

/* The overhead of a property beyond its value and its name: three words, and
   the padding of the value.  */
#define PROPERTY_ROOM		16

#define MAX_REG_SIZE		(8 * sizeof (fdt32_t))

int
grub_dom0less_fits (uint64_t value, int cells)
{
  return cells >= 2 || (cells == 1 && value <= UINT32_MAX);
}

static fdt32_t *
write_cells (fdt32_t *cell, int cells, uint64_t value)
{
  for (; cells > 2; cells--)
    *cell++ = 0;
  if (cells == 2)
    *cell++ = cpu_to_fdt32 ((uint32_t) (value >> 32));
  *cell++ = cpu_to_fdt32 ((uint32_t) value);
  return cell;
}

static void
module_node_name (char *name, uint64_t address)
{
  static const char digits[] = "0123456789abcdef";
  int shift = 60;

  memcpy (name, "module@", 7);
  name += 7;
  while (shift > 0 && !(address >> shift & 15))
    shift -= 4;
  for (; shift >= 0; shift -= 4)
    *name++ = digits[address >> shift & 15];
  *name = '\0';
}

/* Remove the properties that name files, including duplicates, which libfdt
   accepts.  They are overwritten with NOP tags: a tree may have thousands of
   them, and each fdt_delprop moves everything after it.  */
static void
delete_names (void *fdt, int node)
{
  int property = fdt_first_property_offset (fdt, node), next, length;
  const char *name;
  fdt32_t *tag, *end;

  for (; property >= 0; property = next)
    {
      next = fdt_next_property_offset (fdt, property);
      if (!fdt_getprop_by_offset (fdt, property, &name, &length)
	  || (strcmp (name, "uefi,binary") && strcmp (name, "xen,uefi-binary")
	      && strcmp (name, "mb-index")))
	continue;
      tag = (fdt32_t *) (uintptr_t)
	fdt_get_property_by_offset (fdt, property, NULL);
      end = tag + (sizeof (struct fdt_property) + (size_t) length
		   + FDT_TAGSIZE - 1) / FDT_TAGSIZE;
      while (tag < end)
	*tag++ = cpu_to_fdt32 (FDT_NOP);
    }
}

static int
patch_module (void *fdt, const struct grub_dom0less_module *module)
{
  fdt32_t reg[MAX_REG_SIZE / sizeof (fdt32_t)];
  fdt32_t *end;
  char name[MODULE_NAME_SIZE];
  int err;

  if (!grub_dom0less_fits (module->address, module->cells.address)
      || !grub_dom0less_fits (module->size, module->cells.size))
    return -FDT_ERR_BADVALUE;

  end = write_cells (reg, module->cells.address, module->address);
  end = write_cells (end, module->cells.size, module->size);
  module_node_name (name, module->address);

  delete_names (fdt, module->node);
  err = fdt_setprop (fdt, module->node, "reg", reg,
		     (int) ((char *) end - (char *) reg));
  if (err || module->keeps_name)
    return err;
  return fdt_set_name (fdt, module->node, name);
}

#define MODULE_COMPATIBLE	"multiboot,module"

/* Xen's EFI stub counts and loads modules by the newer compatible alone; its
   early parser accepts either (early_scan_node).  */
static int
patch_old_module (void *fdt, int node)
{
  if (!grub_dom0less_is_old_module (fdt, node))
    return 0;
  return fdt_appendprop_string (fdt, node, "compatible", MODULE_COMPATIBLE);
}

/* If /chosen has no cell counts, Xen's early parser uses the root's, and its
   EFI stub 2 and 2.  Write them explicitly.  */
static int
patch_cells (void *fdt, int node, const char *name, int cells)
{
  if (fdt_getprop (fdt, node, name, NULL))
    return 0;
  return fdt_setprop_u32 (fdt, node, name, (uint32_t) cells);
}

/* The compatible for a node that has none.  Xen does not know it, and its EFI
   stub accepts it.  */
#define COMPATIBLE	"xen_dom0less,ignored"

/* Add a compatible to each child of PARENT that has none.  This only moves
   what follows the child.  */
static int
patch_children (void *fdt, int parent)
{
  int node, err;

  fdt_for_each_subnode (node, fdt, parent)
    {
      if (!fdt_getprop (fdt, node, "compatible", NULL)
	  && (err = fdt_setprop_string (fdt, node, "compatible",
					COMPATIBLE)) < 0)
	return err;
    }
  return 0;
}

/* The stub examines the children of /chosen and of domains.  */
static int
patch_compatibles (void *fdt, int chosen)
{
  int node, err = patch_children (fdt, chosen);

  if (err < 0)
    return err;
  fdt_for_each_subnode (node, fdt, chosen)
    {
      if (fdt_node_check_compatible (fdt, node, "xen,domain") == 0
	  && (err = patch_children (fdt, node)) < 0)
	return err;
    }
  return 0;
}

size_t
grub_dom0less_plan_growth (const struct grub_dom0less_plan *plan,
			   const char *xen_args)
{
  size_t room;

  room = (size_t) plan->n_modules
    * (PROPERTY_ROOM + MAX_REG_SIZE + MODULE_NAME_SIZE
       + sizeof (MODULE_COMPATIBLE) + FDT_TAGSIZE);
  room += 2 * (PROPERTY_ROOM + sizeof (fdt32_t));
  room += (size_t) plan->n_bare * (PROPERTY_ROOM + sizeof (COMPATIBLE))
    + sizeof ("compatible");
  room += sizeof ("reg") + sizeof ("#address-cells") + sizeof ("#size-cells");
  if (xen_args)
    room += PROPERTY_ROOM + sizeof ("xen,xen-bootargs") + strlen (xen_args) + 1;
  return room;
}

int
grub_dom0less_write_plan (void *fdt, const struct grub_dom0less_plan *plan,
			  const char *xen_args)
{
  int i, err;

  /* Proceed from the last node to the first, because an edit only moves what
     follows it.  */
  for (i = plan->n_modules - 1; i >= 0; i--)
    if ((err = patch_old_module (fdt, plan->modules[i].node)) < 0
	|| (plan->modules[i].image != GRUB_DOM0LESS_NONE
	    && (err = patch_module (fdt, plan->modules + i)) < 0))
      return err;

  if ((err = patch_compatibles (fdt, plan->chosen)) < 0
      || (err = patch_cells (fdt, plan->chosen, "#address-cells",
			  plan->cells.address)) < 0
      || (err = patch_cells (fdt, plan->chosen, "#size-cells",
			     plan->cells.size)) < 0)
    return err;
  if (xen_args)
    return fdt_setprop_string (fdt, plan->chosen, "xen,xen-bootargs",
			       xen_args);
  return 0;
}
