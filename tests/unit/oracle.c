/* oracle.c - what plans and patched trees must be, told another way  */
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

#include "oracle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What the patched tree may say otherwise in a node.  */
struct difference
{
  const struct grub_dom0less_module *module;	/* that has an image */
  int is_chosen;
  int is_bare;		/* Xen's EFI stub would miss its compatible */
  int is_old;		/* Xen's EFI stub would not know its compatible */
  const char *xen_args;
};

static int
is_file_name (const char *prop)
{
  return (strcmp (prop, "uefi,binary") == 0
	  || strcmp (prop, "xen,uefi-binary") == 0
	  || strcmp (prop, "mb-index") == 0);
}

/* Whether PROP is not to be compared, because it is looked at elsewhere.  */
static int
is_different (const struct difference *difference, const char *prop)
{
  if ((difference->is_bare || difference->is_old)
      && strcmp (prop, "compatible") == 0)
    return 1;
  if (difference->module)
    return is_file_name (prop) || strcmp (prop, "reg") == 0;
  if (difference->is_chosen)
    return (strcmp (prop, "#address-cells") == 0
	    || strcmp (prop, "#size-cells") == 0
	    || (difference->xen_args
		&& strcmp (prop, "xen,xen-bootargs") == 0));
  return 0;
}

/* The first property at or behind PROP that has to be the same.  */
static int
next_same (const void *fdt, int prop, const struct difference *difference,
	   const char **name, const char **value, int *len)
{
  for (; prop >= 0; prop = fdt_next_property_offset (fdt, prop))
    {
      *value = fdt_getprop_by_offset (fdt, prop, name, len);
      if (*value && !is_different (difference, *name))
	break;
    }
  return prop;
}

static const char *
find_property_fault (const void *before, int node, const void *after,
		     int node_after, const struct difference *difference)
{
  const char *name, *value, *name_after, *value_after;
  int len, len_after;
  int prop = fdt_first_property_offset (before, node);
  int prop_after = fdt_first_property_offset (after, node_after);

  for (;;)
    {
      prop = next_same (before, prop, difference, &name, &value, &len);
      prop_after = next_same (after, prop_after, difference, &name_after,
			      &value_after, &len_after);
      if (prop < 0 && prop_after < 0)
	return NULL;
      if (prop < 0)
	return "a property too many";
      if (prop_after < 0)
	return "a property is lost";
      if (strcmp (name, name_after) || len != len_after
	  || memcmp (value, value_after, (size_t) len))
	return "a property differs";
      prop = fdt_next_property_offset (before, prop);
      prop_after = fdt_next_property_offset (after, prop_after);
    }
}

/* Whether the CELLS cells at CELL hold VALUE, and nothing above it.  */
static int
holds (const fdt32_t *cell, int cells, uint64_t value)
{
  int i;

  for (i = cells - 1; i >= 0; i--, value >>= 32)
    if (fdt32_to_cpu (cell[i]) != (uint32_t) value)
      return 0;
  return value == 0;
}

static const char *
find_module_fault (const void *before, const void *fdt, int node,
		   const struct grub_dom0less_module *module)
{
  char name[32];
  const fdt32_t *reg;
  int prop, len;
  const char *prop_name;

  snprintf (name, sizeof (name), "module@%" PRIx64, module->address);
  if (strcmp (fdt_get_name (fdt, node, NULL), module->keeps_name
	      ? fdt_get_name (before, module->node, NULL) : name))
    return "a module's node has another name";

  reg = fdt_getprop (fdt, node, "reg", &len);
  if (!reg
      || len != (module->cells.address + module->cells.size)
		* (int) sizeof (*reg))
    return "reg has another size";
  if (!holds (reg, module->cells.address, module->address)
      || !holds (reg + module->cells.address, module->cells.size,
		 module->size))
    return "reg says something else";

  fdt_for_each_property_offset (prop, fdt, node)
    if (fdt_getprop_by_offset (fdt, prop, &prop_name, NULL)
	&& is_file_name (prop_name))
      return "a file's name is still there";
  return NULL;
}

static const char *
find_chosen_fault (const void *before, int node_before, const void *after,
		   int node, const char *xen_args)
{
  static const char *const names[] = { "#address-cells", "#size-cells" };
  int i, len, len_before;
  const void *value, *value_before;

  for (i = 0; i < 2; i++)
    {
      value_before = fdt_getprop (before, node_before, names[i], &len_before);
      value = fdt_getprop (after, node, names[i], &len);
      if (!value)
	return "/chosen has no cells";
      if (value_before
	  ? len != len_before || memcmp (value, value_before, (size_t) len)
	  : grub_dom0less_u32 (after, node, names[i], 0) != 2)
	return "/chosen has other cells";
    }

  if (!xen_args)
    return NULL;
  value = fdt_getprop (after, node, "xen,xen-bootargs", &len);
  if (!value || (size_t) len != strlen (xen_args) + 1
      || memcmp (value, xen_args, (size_t) len))
    return "Xen's command line is another";
  return NULL;
}

static const struct grub_dom0less_module *
module_at (const struct grub_dom0less_plan *plan, int node)
{
  int i;

  for (i = 0; i < plan->n_modules; i++)
    if (plan->modules[i].node == node
	&& plan->modules[i].image != GRUB_DOM0LESS_NONE)
      return plan->modules + i;
  return NULL;
}

/* Whether NODE, at DEPTH below the nodes ABOVE it, is a child of CHOSEN or of a
   domain, and has no compatible.  */
static int
is_bare (const void *fdt, int node, int depth, const int *above, int chosen)
{
  return (fdt_getprop (fdt, node, "compatible", NULL) == NULL
	  && depth >= 2 && above[1] == chosen
	  && (depth == 2
	      || (depth == 3
		  && fdt_node_check_compatible (fdt, above[2],
						"xen,domain") == 0)));
}

/* Whether NODE is a module of PLAN by its old name alone.  */
static int
is_old (const void *fdt, int node, const struct grub_dom0less_plan *plan)
{
  int i, len;
  const char *value = fdt_getprop (fdt, node, "compatible", &len);

  for (i = 0; i < plan->n_modules; i++)
    if (plan->modules[i].node == node)
      return (value && len > 0 && value[len - 1] == '\0'
	      && fdt_stringlist_contains (value, len, "xen,multiboot-module")
	      && !fdt_stringlist_contains (value, len, "multiboot,module"));
  return 0;
}

static const char *
find_old_fault (const void *before, int node, const void *after,
		int node_after)
{
  static const char added[] = "multiboot,module";
  int len, len_after;
  const char *value = fdt_getprop (before, node, "compatible", &len);
  const char *value_after = fdt_getprop (after, node_after, "compatible",
					 &len_after);

  if (!value_after || len_after != len + (int) sizeof (added)
      || memcmp (value_after, value, (size_t) len)
      || memcmp (value_after + len, added, sizeof (added)))
    return "an old module has another compatible";
  return NULL;
}

const char *
find_patch_fault (const void *before, const void *after,
		  const struct grub_dom0less_plan *plan, const char *xen_args)
{
  struct difference difference;
  int node = 0, node_after = 0, depth = 0, depth_after = 0;
  int above[3] = { 0, 0, 0 };
  const char *fault;

  if (fdt_check_full (after, fdt_totalsize (after)))
    return "the tree is malformed";
  if (fdt_num_mem_rsv (before) != fdt_num_mem_rsv (after))
    return "a memory reservation is lost";

  /* Behind the last node the depth is negative, and the offset is not.  */
  while (node >= 0 && depth >= 0 && node_after >= 0 && depth_after >= 0)
    {
      difference.module = module_at (plan, node);
      difference.is_chosen = node == plan->chosen;
      difference.xen_args = xen_args;
      difference.is_bare = is_bare (before, node, depth, above, plan->chosen);
      difference.is_old = is_old (before, node, plan);
      if (depth < 3)
	above[depth] = node;

      if (depth != depth_after)
	return "a node is elsewhere";
      if (difference.module)
	fault = find_module_fault (before, after, node_after, difference.module);
      else if (strcmp (fdt_get_name (before, node, NULL),
		       fdt_get_name (after, node_after, NULL)))
	fault = "a node has another name";
      else if (difference.is_chosen)
	fault = find_chosen_fault (before, node, after, node_after, xen_args);
      else
	fault = NULL;
      if (difference.is_bare
	  && fdt_node_check_compatible (after, node_after,
					"xen_dom0less,ignored"))
	fault = "a node has no compatible";
      if (!fault && difference.is_old)
	fault = find_old_fault (before, node, after, node_after);
      if (!fault)
	fault = find_property_fault (before, node, after, node_after,
				     &difference);
      if (fault)
	return fault;

      node = fdt_next_node (before, node, &depth);
      node_after = fdt_next_node (after, node_after, &depth_after);
    }
  return depth != depth_after ? "a node is lost" : NULL;
}

static int
is_node (const void *fdt, int node)
{
  return fdt_get_name (fdt, node, NULL) != NULL;
}

/* Whether NODE is a child of PARENT, the children of which are asked for in
   the tree's order: *CHILD is where the last answer was, or -1.  (libfdt's own
   fdt_parent_offset walks through the whole tree each time.)  */
static int
is_next_child (const void *fdt, int parent, int node, int *child)
{
  if (*child < 0)
    *child = fdt_first_subnode (fdt, parent);
  while (*child >= 0 && *child < node)
    *child = fdt_next_subnode (fdt, *child);
  return *child == node;
}

static int
are_cells (struct grub_dom0less_cells cells)
{
  return (cells.address >= GRUB_DOM0LESS_NONE && cells.address <= 4
	  && cells.size >= GRUB_DOM0LESS_NONE && cells.size <= 4);
}

#define IS_WORD(word, length, with)					\
  ((length) == sizeof (with) - 1 && strncasecmp (word, with, length) == 0)

/* Whether Xen, which compares without regard to case, sees NODE as a module.  */
static int
is_seen (const void *fdt, int node)
{
  int len;
  const char *word = fdt_getprop (fdt, node, "compatible", &len);
  const char *end = word ? word + len : NULL;
  size_t length;

  for (; word < end; word += length + 1)
    {
      length = strnlen (word, (size_t) (end - word));
      if (IS_WORD (word, length, "multiboot,module")
	  || IS_WORD (word, length, "xen,multiboot-module"))
	return 1;
    }
  return 0;
}

/* Whether PLAN knows NODE, which Xen sees as a module, or could not hold it.  */
static int
is_known (const struct grub_dom0less_plan *plan, int node)
{
  int i;

  for (i = 0; i < plan->n_modules; i++)
    if (plan->modules[i].node == node)
      return 1;
  for (i = 0; i < plan->n_strays; i++)
    if (plan->strays[i].node == node)
      return 1;
  return plan->overflow != 0;
}

static const char *
find_stray_fault (const void *fdt, const struct grub_dom0less_plan *plan)
{
  int i, top, node, below;

  if (plan->n_strays < 0 || plan->n_strays > GRUB_DOM0LESS_MAX_STRAYS)
    return "a limit of strays is passed";
  for (i = 0; i < plan->n_strays; i++)
    if (!is_node (fdt, plan->strays[i].node)
	|| (i && plan->strays[i].node <= plan->strays[i - 1].node))
      return "strays are not nodes in the tree's order";

  fdt_for_each_subnode (top, fdt, 0)
    {
      const char *name = fdt_get_name (fdt, top, NULL);

      if (strncmp (name, "chosen", 6))
	continue;
      if ((is_seen (fdt, top)
	   || ((!name[6] || name[6] == '@')
	       && fdt_getprop (fdt, top, "linux,initrd-start", NULL)))
	  && !is_known (plan, top))
	return "Xen takes a child of the root for a module";
      fdt_for_each_subnode (node, fdt, top)
	{
	  if (is_seen (fdt, node) && !is_known (plan, node))
	    return "Xen sees a module two levels deep";
	  fdt_for_each_subnode (below, fdt, node)
	    if (is_seen (fdt, below) && !is_known (plan, below))
	      return "Xen sees a module three levels deep";
	}
    }
  return NULL;
}

const char *
find_plan_fault (const void *fdt, const struct grub_dom0less_plan *plan)
{
  int i, domain_child = -1, module_child = -1, last = -1, last_parent = -1;

  if (plan->n_domains < 0 || plan->n_domains > GRUB_DOM0LESS_MAX_DOMAINS
      || plan->n_modules < 0 || plan->n_modules > GRUB_DOM0LESS_MAX_MODULES
      || plan->n_ranges < 0 || plan->n_ranges > GRUB_DOM0LESS_MAX_RANGES)
    return "a limit is passed";
  if (plan->overflow && !is_node (fdt, plan->overflow))
    return "the overflow is no node";
  if (plan->chosen < 0 && (plan->n_domains || plan->n_modules))
    return "domains without /chosen";

  for (i = 0; i < plan->n_domains; i++)
    {
      const struct grub_dom0less_domain *domain = plan->domains + i;

      if (!is_next_child (fdt, plan->chosen, domain->node, &domain_child))
	return "a domain is not in /chosen";
      if (!are_cells (domain->cells))
	return "a domain has impossible cells";
    }

  for (i = 0; i < plan->n_modules; i++)
    {
      const struct grub_dom0less_module *module = plan->modules + i;
      int parent;

      if (module->domain < GRUB_DOM0LESS_DOM0
	  || module->domain >= plan->n_domains)
	return "a module of no domain";
      parent = module->domain == GRUB_DOM0LESS_DOM0 ? plan->chosen
	: plan->domains[module->domain].node;
      if (parent != last_parent)
	module_child = -1;
      last_parent = parent;
      if (!is_next_child (fdt, parent, module->node, &module_child))
	return "a module is not in its domain";
      /* Patching relies on it.  */
      if (module->node <= last)
	return "modules are not in the tree's order";
      last = module->node;
      if (module->kind > GRUB_DOM0LESS_UNKNOWN || !are_cells (module->cells))
	return "a module has impossible values";
      if (module->name
	  && (module->name < (const char *) fdt
	      || module->name >= (const char *) fdt + fdt_totalsize (fdt)
	      || !*module->name))
	return "a name is not in the tree";
      if (module->has_reg && module->cells.address < 1)
	return "an address without cells";
    }

  for (i = 0; i < plan->n_ranges; i++)
    if (!is_node (fdt, plan->ranges[i].node) || !plan->ranges[i].size
	|| plan->ranges[i].kind > GRUB_DOM0LESS_PLACED)
      return "a range has impossible values";
  return find_stray_fault (fdt, plan);
}

const char *
find_share_fault (const struct grub_dom0less_plan *plan,
		  const char *const *paths)
{
  int i, image, users[GRUB_DOM0LESS_MAX_MODULES] = { 0 };

  for (i = 0; i < plan->n_modules; i++)
    {
      const struct grub_dom0less_module *module = plan->modules + i;
      const struct grub_dom0less_module *first;

      image = module->image;
      if (!paths[i] != (image == GRUB_DOM0LESS_NONE))
	return "an image without a file, or a file without an image";
      if (!paths[i])
	continue;
      if (image < 0 || image >= plan->n_images)
	return "an image that is none";
      users[image]++;

      first = plan->modules + plan->images[image].module;
      if (first > module || first->image != image)
	return "an image does not belong to its first module";
      if (first == module)
	continue;
      if (strcmp (paths[first - plan->modules], paths[i])
	  || first->kind != module->kind)
	return "two files, or two kinds, in one image";
      if (first->domain == GRUB_DOM0LESS_DOM0
	  || module->domain == GRUB_DOM0LESS_DOM0)
	return "the dom0 shares";
      if (first->has_reg || module->has_reg)
	return "a fixed address is shared";
    }
  for (image = 0; image < plan->n_images; image++)
    if (plan->images[image].users != users[image] || !users[image])
      return "users are miscounted";
  return NULL;
}

const char *
find_reread_fault (const struct grub_dom0less_plan *plan,
		   const struct grub_dom0less_plan *again)
{
  int i;

  if (plan->n_domains != again->n_domains
      || plan->n_modules != again->n_modules
      || plan->n_strays != again->n_strays)
    return "domains, modules or strays are lost";
  if (again->cells.address != plan->cells.address
      || again->cells.size != plan->cells.size)
    return "/chosen has other cells";
  for (i = 0; i < plan->n_modules; i++)
    {
      const struct grub_dom0less_module *module = plan->modules + i;
      const struct grub_dom0less_module *then = again->modules + i;

      if (then->kind != module->kind || then->domain != module->domain)
	return "a module has another kind or domain";
      if (module->image == GRUB_DOM0LESS_NONE)
	continue;
      if (!then->has_reg || then->address != module->address
	  || then->size != module->size)
	return "a module is elsewhere";
      if (then->name || then->index != GRUB_DOM0LESS_NONE)
	return "a module still has a name";
    }
  return NULL;
}

/* As the loader would without grub_dom0less_merge: with more room until there is
   enough.  Returns the tree, or NULL with *ERR what libfdt had against it.  */
static void *
apply (const void *base, const void *overlay, int *err)
{
  size_t size = fdt_totalsize (overlay), room, whole;
  void *fdt = NULL, *copy;

  *err = -FDT_ERR_NOSPACE;
  for (room = 2 * size; *err == -FDT_ERR_NOSPACE && room <= 8 << 20; room *= 2)
    {
      whole = fdt_totalsize (base) + room;
      free (fdt);
      fdt = malloc (whole);
      copy = malloc (size);
      if (!fdt || !copy)
	abort ();
      memcpy (copy, overlay, size);
      *err = fdt_open_into (base, fdt, (int) whole);
      if (!*err)
	*err = fdt_overlay_apply (fdt, copy);
      free (copy);
    }
  if (!*err)
    return fdt;
  free (fdt);
  return NULL;
}

/* Whether two symbols lead to one node, each in its tree.  */
static int
is_same_symbol (const void *fdt, const char *path, int len,
		const void *other_fdt, const char *other_path, int other_len)
{
  int node, other;
  char name[2][128];

  if (len < 1 || other_len < 1 || path[len - 1] || other_path[other_len - 1])
    return 0;
  node = fdt_path_offset (fdt, path);
  other = fdt_path_offset (other_fdt, other_path);
  if (node < 0 || other < 0)
    return node == other || (node < 0 && other < 0);
  return (fdt_get_path (fdt, node, name[0], sizeof (name[0]))
	  == fdt_get_path (other_fdt, other, name[1], sizeof (name[1]))
	  && fdt_node_depth (fdt, node) == fdt_node_depth (other_fdt, other));
}

static int
have_same_properties (const void *fdt, int node, const void *other_fdt,
		      int other_node, int is_symbols)
{
  int prop = fdt_first_property_offset (fdt, node), len;
  int other = fdt_first_property_offset (other_fdt, other_node), other_len;
  const char *name, *other_name, *value, *other_value;

  while (prop >= 0 && other >= 0)
    {
      value = fdt_getprop_by_offset (fdt, prop, &name, &len);
      other_value = fdt_getprop_by_offset (other_fdt, other, &other_name,
					   &other_len);
      if (!value || !other_value || strcmp (name, other_name))
	return 0;
      if ((len != other_len || memcmp (value, other_value, (size_t) len))
	  && !(is_symbols && is_same_symbol (fdt, value, len, other_fdt,
					     other_value, other_len)))
	return 0;
      prop = fdt_next_property_offset (fdt, prop);
      other = fdt_next_property_offset (other_fdt, other);
    }
  return prop < 0 && other < 0;
}

const char *
find_merge_fault (const void *base, const void *overlay, const void *merged)
{
  int err, node = 0, other = 0, depth = 0, other_depth = 0, symbols;
  void *fdt = apply (base, overlay, &err);
  const char *fault = NULL;

  if (!fdt)
    return fdt_strerror (err);
  symbols = fdt_path_offset (fdt, "/__symbols__");
  while (!fault && node >= 0 && other >= 0 && depth >= 0 && other_depth >= 0)
    {
      if (strcmp (fdt_get_name (fdt, node, NULL),
		  fdt_get_name (merged, other, NULL))
	  || depth != other_depth)
	fault = "another node than libfdt's";
      else if (!have_same_properties (fdt, node, merged, other,
				      node == symbols))
	fault = "other properties than libfdt's";
      node = fdt_next_node (fdt, node, &depth);
      other = fdt_next_node (merged, other, &other_depth);
    }
  if (!fault && (node >= 0 && depth >= 0) != (other >= 0 && other_depth >= 0))
    fault = "other nodes than libfdt's";
  if (!fault && (fdt_num_mem_rsv (fdt) != fdt_num_mem_rsv (merged)
		 || fdt_boot_cpuid_phys (fdt) != fdt_boot_cpuid_phys (merged)))
    fault = "other reservations than libfdt's";
  free (fdt);
  return fault;
}
