/* plan.c - read the plan of a boot from a device tree  */
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

#define MAX_CELLS	4

/* The version of the format; dtc has written 17 since 2005.  */
#define OLDEST_VERSION	16

/* A block of a tree: SIZE bytes from START on.  */
struct block
{
  uint64_t start, size;
};

static int
do_share (const struct block *block, const struct block *other)
{
  return (block->size && other->size
	  && block->start < other->start + other->size
	  && other->start < block->start + block->size);
}

/* Check the structure block, and find its end.  */
static const char *
find_structure_fault (const void *fdt, uint64_t *size)
{
  const char *strings = (const char *) fdt + fdt_off_dt_strings (fdt);
  int offset, next = 0, depth = 0, length, is_head = 0;
  uint32_t tag, name, left;

  do
    {
      offset = next;
      tag = fdt_next_tag (fdt, offset, &next);
      if (next < 0)
	return "its structure is broken, or cut short";
      switch (tag)
	{
	case FDT_BEGIN_NODE:
	  if (++depth > GRUB_DOM0LESS_MAX_DEPTH)
	    return "it is deeper than 64 levels";
	  if (!fdt_get_name (fdt, offset, &length)
	      || length > GRUB_DOM0LESS_MAX_NAME)
	    return "a node's name has more than 255 bytes";
	  is_head = 1;
	  break;
	case FDT_END_NODE:
	  if (--depth < 0)
	    return "a node ends that has not begun";
	  is_head = 0;
	  break;
	case FDT_PROP:
	  if (!is_head)
	    return "a property stands behind a node's subnodes";
	  name = fdt32_to_cpu (fdt_get_property_by_offset (fdt, offset, NULL)
			       ->nameoff);
	  if (name >= fdt_size_dt_strings (fdt))
	    return "a property's name is outside of its strings";
	  left = fdt_size_dt_strings (fdt) - name;
	  if (left > GRUB_DOM0LESS_MAX_NAME + 1)
	    left = GRUB_DOM0LESS_MAX_NAME + 1;
	  if (!memchr (strings + name, '\0', left))
	    return "a property's name has no end, or more than 255 bytes";
	  break;
	}
    }
  while (tag != FDT_END);
  *size = (uint64_t) next;
  return NULL;
}

const char *
grub_dom0less_tree_fault (const void *fdt, size_t size)
{
  struct block blocks[4];
  const char *fault;
  int i, j, n;

  if (size < sizeof (struct fdt_header) || fdt_magic (fdt) != FDT_MAGIC)
    return "it does not begin like one";
  /* This comes first because libfdt's checks may crash on older versions.  */
  if (fdt_version (fdt) < OLDEST_VERSION)
    return "its version is older than 16";
  if (fdt_check_header (fdt) || fdt_totalsize (fdt) > size)
    return "its header is broken, or it is cut short";
  if (fdt_off_mem_rsvmap (fdt) % 8 || fdt_off_dt_struct (fdt) % FDT_TAGSIZE)
    return "its blocks are not aligned";
  n = fdt_num_mem_rsv (fdt);
  if (n < 0)
    return "its memory reservations have no end";
  /* Before version 17, the header does not contain the size of the
     structure.  */
  blocks[2].size = fdt_size_dt_struct (fdt);
  if (fdt_version (fdt) == OLDEST_VERSION
      && (fault = find_structure_fault (fdt, &blocks[2].size)) != NULL)
    return fault;

  blocks[0].start = 0;
  blocks[0].size = fdt_header_size (fdt);
  blocks[1].start = fdt_off_mem_rsvmap (fdt);
  blocks[1].size = ((uint64_t) n + 1) * sizeof (struct fdt_reserve_entry);
  blocks[2].start = fdt_off_dt_struct (fdt);
  blocks[3].start = fdt_off_dt_strings (fdt);
  blocks[3].size = fdt_size_dt_strings (fdt);
  for (i = 0; i < 4; i++)
    for (j = 0; j < i; j++)
      if (do_share (blocks + i, blocks + j))
	return "its blocks overlap";

  fault = find_structure_fault (fdt, &blocks[2].size);
  if (fault)
    return fault;
  if (fdt_check_full (fdt, size) || !fdt_get_name (fdt, 0, NULL))
    return "it has no root, or more than one";
  return NULL;
}

size_t
grub_dom0less_tree_size (const void *fdt)
{
  uint64_t structure = fdt_size_dt_struct (fdt);

  if (fdt_version (fdt) == OLDEST_VERSION)
    find_structure_fault (fdt, &structure);
  return sizeof (struct fdt_header) + (size_t) structure
    + (size_t) (fdt_num_mem_rsv (fdt) + 1) * sizeof (struct fdt_reserve_entry)
    + fdt_size_dt_strings (fdt);
}

int
grub_dom0less_read_cells (const fdt32_t **cell, int cells, uint64_t *value)
{
  uint64_t result = 0;

  for (; cells > 0; cells--, (*cell)++)
    {
      if (result >> 32)
	return -FDT_ERR_BADVALUE;
      result = result << 32 | fdt32_to_cpu (**cell);
    }

  *value = result;
  return 0;
}

int
grub_dom0less_read_u32 (const void *fdt, int node, const char *name,
			uint32_t *value)
{
  int len;
  const fdt32_t *cell = fdt_getprop (fdt, node, name, &len);

  if (!cell)
    return -FDT_ERR_NOTFOUND;
  if (len != sizeof (*cell))
    return -FDT_ERR_BADVALUE;
  *value = fdt32_to_cpu (*cell);
  return 0;
}

uint32_t
grub_dom0less_u32 (const void *fdt, int node, const char *name,
		   uint32_t fallback)
{
  uint32_t value;

  return grub_dom0less_read_u32 (fdt, node, name, &value) ? fallback : value;
}

uint32_t
grub_dom0less_first_u32 (const void *fdt, int node, const char *name,
			 uint32_t fallback)
{
  int len;
  const fdt32_t *cell = fdt_getprop (fdt, node, name, &len);

  return cell && len >= (int) sizeof (*cell) ? fdt32_to_cpu (*cell) : fallback;
}

const char *
grub_dom0less_string (const void *fdt, int node, const char *name)
{
  int len;
  const char *string = fdt_getprop (fdt, node, name, &len);

  if (!string || len < 2 || memchr (string, '\0', len) != string + len - 1)
    return NULL;
  return string;
}

const char *
grub_dom0less_node_name (const void *fdt, int node)
{
  const char *name = fdt_get_name (fdt, node, NULL);

  return name ? name : "?";
}

const struct grub_dom0less_kind_facts
  grub_dom0less_kinds[GRUB_DOM0LESS_UNKNOWN + 1] =
  {
    [GRUB_DOM0LESS_KERNEL]
      = { "kernel", "multiboot,kernel", "xen,linux-zimage", 1, 1 },
    [GRUB_DOM0LESS_RAMDISK]
      = { "ramdisk", "multiboot,ramdisk", "xen,linux-initrd", 1, 1 },
    [GRUB_DOM0LESS_XSM_POLICY]
      = { "xsm-policy", "xen,xsm-policy", NULL, 1, 0 },
    [GRUB_DOM0LESS_DEVICE_TREE]
      = { "device-tree", "multiboot,device-tree", NULL, 0, 1 },
    [GRUB_DOM0LESS_UNKNOWN] = { "module", NULL, NULL, 1, 1 }
  };

const char *
grub_dom0less_range_name (enum grub_dom0less_range_kind kind)
{
  static const char *const names[] =
    { "static-mem", "static-heap", "shared-mem", "reserved", "module" };

  return names[kind];
}

/* Return one of NODE's cell properties: as it is, 0 if it is invalid, NONE if
   it is missing.  */
static int
read_cell_count (const void *fdt, int node, const char *name)
{
  uint32_t count;
  int err = grub_dom0less_read_u32 (fdt, node, name, &count);

  if (err == -FDT_ERR_NOTFOUND)
    return GRUB_DOM0LESS_NONE;
  return !err && count <= MAX_CELLS ? (int) count : 0;
}

static struct grub_dom0less_cells
read_cells_of (const void *fdt, int node)
{
  struct grub_dom0less_cells cells;

  cells.address = read_cell_count (fdt, node, "#address-cells");
  cells.size = read_cell_count (fdt, node, "#size-cells");
  return cells;
}

/* Return CELLS with the defaults for what the tree omits.  */
static struct grub_dom0less_cells
with_defaults (struct grub_dom0less_cells cells, int address, int size)
{
  if (cells.address == GRUB_DOM0LESS_NONE)
    cells.address = address;
  if (cells.size == GRUB_DOM0LESS_NONE)
    cells.size = size;
  return cells;
}

static int
is_compatible (const void *fdt, int node, const char *with)
{
  return fdt_node_check_compatible (fdt, node, with) == 0;
}

int
grub_dom0less_is_old_module (const void *fdt, int node)
{
  int len;
  const char *value = fdt_getprop (fdt, node, "compatible", &len);

  return (value && len && value[len - 1] == '\0'
	  && is_compatible (fdt, node, "xen,multiboot-module")
	  && !is_compatible (fdt, node, "multiboot,module"));
}

static enum grub_dom0less_kind
module_kind (const void *fdt, int node)
{
  const struct grub_dom0less_kind_facts *kind;

  for (kind = grub_dom0less_kinds; kind->compatible; kind++)
    if (is_compatible (fdt, node, kind->compatible)
	|| (kind->old_compatible
	    && is_compatible (fdt, node, kind->old_compatible)))
      break;
  return (enum grub_dom0less_kind) (kind - grub_dom0less_kinds);
}

/* Return whether NODE is a module or is meant to be one.  Xen requires the
   compatible, but a node that names a file or a kind has to be checked as
   well.  */
static int
is_module (const void *fdt, int node)
{
  return (is_compatible (fdt, node, "multiboot,module")
	  || is_compatible (fdt, node, "xen,multiboot-module")
	  || module_kind (fdt, node) != GRUB_DOM0LESS_UNKNOWN
	  || fdt_getprop (fdt, node, "uefi,binary", NULL)
	  || fdt_getprop (fdt, node, "xen,uefi-binary", NULL));
}

/* Record that PLAN has no room for NODE; the first such node is reported.  */
static void
note_overflow (struct grub_dom0less_plan *plan, int node)
{
  if (!plan->overflow)
    plan->overflow = node;
}

/* Add a range of KIND for each pair in PROP of NODE, which belongs to DOMAIN;
   SKIP cells lie between an address and its size.  Incomplete pairs, and
   numbers that do not fit in 64 bits, are left to the rules.  */
static void
add_ranges (struct grub_dom0less_plan *plan, const void *fdt, int node,
	    int domain, const char *prop, enum grub_dom0less_range_kind kind,
	    struct grub_dom0less_cells cells, int skip)
{
  int len;
  const fdt32_t *cell = fdt_getprop (fdt, node, prop, &len);
  int step = (cells.address + skip + cells.size) * (int) sizeof (*cell);

  if (!cell || cells.address < 1 || cells.size < 1)
    return;

  for (; len >= step; len -= step)
    {
      struct grub_dom0less_range *range = plan->ranges + plan->n_ranges;
      const fdt32_t *next = cell + step / (int) sizeof (*cell);

      if (plan->n_ranges == GRUB_DOM0LESS_MAX_RANGES)
	{
	  note_overflow (plan, node);
	  return;
	}
      if (grub_dom0less_read_cells (&cell, cells.address, &range->start) == 0)
	{
	  cell += skip;
	  if (grub_dom0less_read_cells (&cell, cells.size, &range->size) == 0
	      && range->size)
	    {
	      range->kind = kind;
	      range->node = node;
	      range->domain = domain;
	      plan->n_ranges++;
	    }
	}
      cell = next;
    }
}

static int64_t
read_index (const void *fdt, int node)
{
  uint32_t index;
  int err = grub_dom0less_read_u32 (fdt, node, "mb-index", &index);

  if (err == -FDT_ERR_NOTFOUND)
    return GRUB_DOM0LESS_NONE;
  return err ? GRUB_DOM0LESS_MALFORMED : (int64_t) index;
}

static void
read_module (struct grub_dom0less_plan *plan, const void *fdt, int node,
	     int domain, struct grub_dom0less_cells cells)
{
  struct grub_dom0less_module *module = plan->modules + plan->n_modules;
  const fdt32_t *reg;
  int len;

  if (plan->n_modules == GRUB_DOM0LESS_MAX_MODULES)
    {
      note_overflow (plan, node);
      return;
    }
  plan->n_modules++;

  memset (module, 0, sizeof (*module));
  module->node = node;
  module->domain = domain;
  module->kind = module_kind (fdt, node);
  module->cells = cells;
  module->name = grub_dom0less_string (fdt, node, "uefi,binary");
  if (!module->name)
    module->name = grub_dom0less_string (fdt, node, "xen,uefi-binary");
  module->index = read_index (fdt, node);
  module->image = GRUB_DOM0LESS_NONE;

  reg = fdt_getprop (fdt, node, "reg", &len);
  if (reg && cells.address > 0 && cells.size > 0
      && len >= (cells.address + cells.size) * (int) sizeof (*reg)
      && grub_dom0less_read_cells (&reg, cells.address, &module->address) == 0
      && grub_dom0less_read_cells (&reg, cells.size, &module->size) == 0)
    {
      module->has_reg = 1;
      add_ranges (plan, fdt, node, domain, "reg", GRUB_DOM0LESS_PLACED, cells,
		  0);
    }
}

static void
read_shared_memory (struct grub_dom0less_plan *plan, const void *fdt,
		    int node, int domain, struct grub_dom0less_cells cells)
{
  int len, with_host;

  if (plan->n_shared == GRUB_DOM0LESS_MAX_SHARED)
    {
      note_overflow (plan, node);
      return;
    }
  plan->shared[plan->n_shared].node = node;
  plan->shared[plan->n_shared++].domain = domain;
  with_host = (2 * cells.address + cells.size) * (int) sizeof (fdt32_t);
  /* Without a host address, Xen chooses the memory itself.  */
  if (cells.address > 0 && cells.size > 0
      && fdt_getprop (fdt, node, "xen,shared-mem", &len) && len == with_host)
    add_ranges (plan, fdt, node, domain, "xen,shared-mem",
		GRUB_DOM0LESS_SHARED_MEM, cells, cells.address);
}

/* Read NODE, which belongs to DOMAIN and whose parent has CELLS.  */
static void
read_child (struct grub_dom0less_plan *plan, const void *fdt, int node,
	    int domain, struct grub_dom0less_cells cells)
{
  if (is_compatible (fdt, node, "xen,domain-shared-memory-v1"))
    read_shared_memory (plan, fdt, node, domain, cells);
  else if (is_module (fdt, node))
    read_module (plan, fdt, node, domain, cells);
}

/* Count NODE if Xen's EFI stub would refuse it for its missing compatible.  */
static void
count_bare (struct grub_dom0less_plan *plan, const void *fdt, int node)
{
  if (fdt_getprop (fdt, node, "compatible", NULL))
    return;
  if (plan->n_bare == GRUB_DOM0LESS_MAX_BARE)
    note_overflow (plan, node);
  else
    plan->n_bare++;
}

static void
read_domain (struct grub_dom0less_plan *plan, const void *fdt, int node)
{
  struct grub_dom0less_domain *domain = plan->domains + plan->n_domains;
  int child;

  if (plan->n_domains == GRUB_DOM0LESS_MAX_DOMAINS)
    {
      note_overflow (plan, node);
      return;
    }
  domain->node = node;
  domain->cells = read_cells_of (fdt, node);

  /* This property uses the parent's cells, unlike those of the children.  */
  add_ranges (plan, fdt, node, plan->n_domains, "xen,static-mem",
	      GRUB_DOM0LESS_STATIC_MEM, plan->cells, 0);

  fdt_for_each_subnode (child, fdt, node)
    {
      count_bare (plan, fdt, child);
      read_child (plan, fdt, child, plan->n_domains, domain->cells);
    }

  plan->n_domains++;
}

static void
read_reserved_memory (struct grub_dom0less_plan *plan, const void *fdt)
{
  int child, node = fdt_path_offset (fdt, "/reserved-memory");
  struct grub_dom0less_cells cells;

  plan->reserved = node;
  if (node < 0)
    return;
  cells = with_defaults (read_cells_of (fdt, node), 2, 1);
  fdt_for_each_subnode (child, fdt, node)
    add_ranges (plan, fdt, child, GRUB_DOM0LESS_NONE, "reg",
		GRUB_DOM0LESS_RESERVED, cells, 0);
}

/* Read the nodes in /chosen, if it exists.  */
static void
read_chosen (struct grub_dom0less_plan *plan, const void *fdt)
{
  int node;

  plan->chosen = fdt_path_offset (fdt, "/chosen");
  if (plan->chosen < 0)
    return;

  /* Xen's EFI stub adds cell counts of 2 and 2 if they are missing.  */
  plan->cells = with_defaults (read_cells_of (fdt, plan->chosen), 2, 2);
  add_ranges (plan, fdt, plan->chosen, GRUB_DOM0LESS_NONE, "xen,static-heap",
	      GRUB_DOM0LESS_STATIC_HEAP, plan->root_cells, 0);

  fdt_for_each_subnode (node, fdt, plan->chosen)
    {
      count_bare (plan, fdt, node);
      if (is_compatible (fdt, node, "xen,domain"))
	read_domain (plan, fdt, node);
      else
	read_child (plan, fdt, node, GRUB_DOM0LESS_DOM0, plan->cells);
    }
}

static int
is_cpu (const void *fdt, int node)
{
  const char *type = grub_dom0less_string (fdt, node, "device_type");

  return type && strcmp (type, "cpu") == 0;
}

/* Collect in one walk everything that rules look up by a phandle, because
   libfdt would walk the tree for each.  The tree has at most the maximum
   depth.  */
static void
read_references (struct grub_dom0less_plan *plan, const void *fdt)
{
  int node, depth = 0, above[GRUB_DOM0LESS_MAX_DEPTH] = { 0 };
  struct grub_dom0less_reference *reference;
  uint32_t phandle;

  for (node = 0; node >= 0 && depth >= 0 && depth < GRUB_DOM0LESS_MAX_DEPTH;
       node = fdt_next_node (fdt, node, &depth))
    {
      above[depth] = node;
      phandle = fdt_get_phandle (fdt, node);
      if (!phandle || phandle == UINT32_MAX || depth == 0
	  || !(is_cpu (fdt, node) || is_compatible (fdt, node, "xen,cpupool")
	       || is_compatible (fdt, node, "xen,evtchn-v1")))
	continue;
      if (plan->n_references == GRUB_DOM0LESS_MAX_REFERENCES)
	{
	  note_overflow (plan, node);
	  return;
	}
      reference = plan->references + plan->n_references++;
      reference->phandle = phandle;
      reference->node = node;
      reference->parent = above[depth - 1];
    }
}

/* Return what follows NODE's name in PATH, which may lack the unit address; or
   NULL if PATH is NULL or begins with another name.  */
static const char *
skip_name (const void *fdt, const char *path, int node)
{
  const char *name = grub_dom0less_node_name (fdt, node);
  int has_unit = 0;

  if (!path || *path != '/')
    return NULL;
  while (*path == '/')
    path++;
  for (; *path && *path != '/' && *path == *name; path++, name++)
    has_unit |= *path == '@';
  return ((!*path || *path == '/') && (!*name || (*name == '@' && !has_unit))
	  ? path : NULL);
}

/* Return whether PATH, from /chosen on, leads to MODULE.  */
static int
leads_to (const struct grub_dom0less_plan *plan, const void *fdt,
	  const char *path, const struct grub_dom0less_module *module)
{
  if (module->domain != GRUB_DOM0LESS_DOM0)
    path = skip_name (fdt, path, plan->domains[module->domain].node);
  path = skip_name (fdt, path, module->node);
  while (path && *path == '/')
    path++;
  return path && !*path;
}

/* Mark the modules to which the strings in the node PATH refer.  Names are
   compared, because libfdt would look for each node from the root on.  */
static void
read_paths (struct grub_dom0less_plan *plan, const void *fdt,
	    const char *path)
{
  int i, node = fdt_path_offset (fdt, path), property, length;
  const char *value;

  if (node < 0 || plan->chosen < 0)
    return;
  fdt_for_each_property_offset (property, fdt, node)
    {
      value = fdt_getprop_by_offset (fdt, property, NULL, &length);
      if (!value || length < 2
	  || memchr (value, '\0', (size_t) length) != value + length - 1)
	continue;
      value = skip_name (fdt, value, plan->chosen);
      for (i = 0; value && i < plan->n_modules; i++)
	if (leads_to (plan, fdt, value, plan->modules + i))
	  plan->modules[i].keeps_name = 1;
    }
}

void
grub_dom0less_plan_read (struct grub_dom0less_plan *plan, const void *fdt)
{
  memset (plan, 0, sizeof (*plan));
  plan->root_cells = with_defaults (read_cells_of (fdt, 0), 2, 1);
  read_reserved_memory (plan, fdt);
  read_chosen (plan, fdt);
  grub_dom0less_read_strays (plan, fdt);
  read_references (plan, fdt);
  read_paths (plan, fdt, "/aliases");
  read_paths (plan, fdt, "/__symbols__");
}

/* Return whether MODULE may use the image that is loaded for FIRST.  */
static int
may_share (const struct grub_dom0less_module *first, const char *first_path,
	   const struct grub_dom0less_module *module, const char *path)
{
  return (first->kind == module->kind
	  && first->domain != GRUB_DOM0LESS_DOM0
	  && module->domain != GRUB_DOM0LESS_DOM0
	  && !first->has_reg && !module->has_reg
	  && strcmp (first_path, path) == 0);
}

void
grub_dom0less_plan_share (struct grub_dom0less_plan *plan,
			  const char *const *paths)
{
  int i, image;

  plan->n_images = 0;
  for (i = 0; i < plan->n_modules; i++)
    {
      plan->modules[i].image = GRUB_DOM0LESS_NONE;
      if (!paths[i])
	continue;

      for (image = 0; image < plan->n_images; image++)
	{
	  int first = plan->images[image].module;

	  if (may_share (plan->modules + first, paths[first],
			 plan->modules + i, paths[i]))
	    break;
	}
      if (image == plan->n_images)
	{
	  plan->images[image].module = i;
	  plan->images[image].users = 0;
	  plan->n_images++;
	}
      plan->images[image].users++;
      plan->modules[i].image = image;
    }
}

void
grub_dom0less_plan_unshare (struct grub_dom0less_plan *plan, int image)
{
  int i;

  for (i = plan->images[image].module + 1; i < plan->n_modules; i++)
    if (plan->modules[i].image == image)
      {
	plan->images[plan->n_images].module = i;
	plan->images[plan->n_images].users = 1;
	plan->modules[i].image = plan->n_images++;
      }
  plan->images[image].users = 1;
}
