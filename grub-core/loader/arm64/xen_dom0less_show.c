/* xen_dom0less_show.c - the plan as a table, and a map of memory  */
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

#include <grub/misc.h>
#include <grub/mm.h>

#include "xen_dom0less_boot.h"

/* The length to which the map truncates the path of a node; Xen accepts 91
   bytes.  */
#define PATH_SIZE	128

#define KIB_PER_MIB	1024

/* A line of the map.  */
struct mapped
{
  grub_uint64_t start, size;
  const char *what;
  int node;				/* or GRUB_DOM0LESS_NONE */
};

int
dom0less_domain_needs (const struct dom0less_boot *boot, int domain,
		       grub_uint64_t *memory, grub_uint32_t *cpus)
{
  const fdt32_t *cell;
  uint64_t kib;
  int len, node;

  if (domain == GRUB_DOM0LESS_DOM0)
    return 0;
  node = boot->plan->domains[domain].node;
  cell = fdt_getprop (boot->tree.fdt, node, "memory", &len);
  if (!cell || len < 2 * (int) sizeof (*cell)
      || grub_dom0less_read_cells (&cell, 2, &kib))
    return 0;
  *memory = kib;
  *cpus = grub_dom0less_first_u32 (boot->tree.fdt, node, "cpus", 0);
  return 1;
}

int
dom0less_domain_id (int domain)
{
  return domain == GRUB_DOM0LESS_DOM0 ? 0 : domain + 1;
}

static void
show_modules (struct dom0less_boot *boot, int domain)
{
  const struct grub_dom0less_plan *plan = boot->plan;
  int i;

  for (i = 0; i < plan->n_modules; i++)
    {
      const struct grub_dom0less_module *module = plan->modules + i;

      if (module->domain != domain)
	continue;
      grub_printf ("  %-12s", grub_dom0less_kinds[module->kind].name);
      if (module->size)
	grub_printf (" 0x%" PRIxGRUB_UINT64_T " %" PRIuGRUB_UINT64_T " bytes",
		     module->address, module->size);
      grub_printf (" ");
      if (boot->paths[i])
	dom0less_print (boot->paths[i]);
      else if (module->name)
	{
	  dom0less_print (module->name);
	  grub_printf (" (not looked at)");
	}
      else
	grub_printf ("(in memory)");
      grub_printf ("\n");
    }
}

static void
show_domains (struct dom0less_boot *boot)
{
  const struct grub_dom0less_plan *plan = boot->plan;
  int i;

  for (i = GRUB_DOM0LESS_DOM0; i < plan->n_domains; i++)
    {
      grub_uint64_t memory;
      grub_uint32_t cpus;
      int j;

      for (j = 0; j < plan->n_modules && plan->modules[j].domain != i; j++)
	;
      if (j == plan->n_modules && i == GRUB_DOM0LESS_DOM0)
	continue;

      dom0less_print (dom0less_domain_name (boot, i));
      grub_printf (" (d%d):", dom0less_domain_id (i));
      if (dom0less_domain_needs (boot, i, &memory, &cpus))
	{
	  grub_printf (" %u vCPU%s, ", cpus, cpus == 1 ? "" : "s");
	  if (memory % KIB_PER_MIB == 0)
	    grub_printf ("%" PRIuGRUB_UINT64_T " MiB (%" PRIuGRUB_UINT64_T
			 " KiB)", memory / KIB_PER_MIB, memory);
	  else
	    grub_printf ("%" PRIuGRUB_UINT64_T " KiB", memory);
	}
      grub_printf ("\n");
      show_modules (boot, i);
    }
}

/* Collect the lines of the map.  Return their number, or 0 after an error.  */
static int
collect (struct dom0less_boot *boot, struct mapped **result)
{
  const struct grub_dom0less_plan *plan = boot->plan;
  struct mapped *mapped;
  int i, n = 0;

  mapped = grub_calloc (plan->n_ranges + plan->n_images + 1, sizeof (*mapped));
  *result = mapped;
  if (!mapped)
    return 0;

  for (i = 0; i < plan->n_ranges; i++, n++)
    {
      mapped[n].start = plan->ranges[i].start;
      mapped[n].size = plan->ranges[i].size;
      mapped[n].what = grub_dom0less_range_name (plan->ranges[i].kind);
      mapped[n].node = plan->ranges[i].node;
    }
  for (i = 0; i < plan->n_images; i++)
    {
      const struct grub_dom0less_module *module
	= plan->modules + plan->images[i].module;

      if (!module->size || module->has_reg)
	continue;
      mapped[n].start = module->address;
      mapped[n].size = module->size;
      mapped[n].what = grub_dom0less_kinds[module->kind].name;
      mapped[n++].node = module->node;
    }
  if (boot->facts.xen_size)
    {
      mapped[n].start = boot->facts.xen_start;
      mapped[n].size = boot->facts.xen_size;
      mapped[n].what = "xen";
      mapped[n++].node = GRUB_DOM0LESS_NONE;
    }
  return n;
}

static void
show_memory (struct dom0less_boot *boot)
{
  const struct grub_dom0less_plan *plan = boot->plan;
  struct mapped *mapped;
  int i, j, n = collect (boot, &mapped);

  for (i = 0; i < n; i++)
    {
      int lowest = i;
      struct mapped next;
      char path[PATH_SIZE];

      for (j = i + 1; j < n; j++)
	if (mapped[j].start < mapped[lowest].start)
	  lowest = j;
      next = mapped[lowest];
      mapped[lowest] = mapped[i];
      mapped[i] = next;

      if (next.node == GRUB_DOM0LESS_NONE)
	grub_snprintf (path, sizeof (path), "%s", boot->xen.path);
      else
	grub_dom0less_node_path (plan, boot->tree.fdt, next.node, path,
				 sizeof (path));
      grub_printf ("0x%012" PRIxGRUB_UINT64_T "-0x%012" PRIxGRUB_UINT64_T
		   " %-12s ", next.start, next.start + next.size - 1,
		   next.what);
      dom0less_print (path);
      grub_printf ("\n");
    }
  grub_free (mapped);
}

void
dom0less_show (struct dom0less_boot *boot)
{
  show_domains (boot);
  show_memory (boot);
}
