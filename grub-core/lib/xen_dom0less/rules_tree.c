/* rules_tree.c - rules of the tree, of /chosen and of the domains  */
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

#include "rules.h"

void
check_not_el2 (scene_t scene)
{
  int level = scene->machine->exception_level;

  if (level == 1)
    grub_dom0less_report (scene, GRUB_DOM0LESS_RULE_NOT_EL2,
			  GRUB_DOM0LESS_NONE, GRUB_DOM0LESS_NONE, NULL,
			  (uint64_t) level, 0);
}

void
check_too_many_nodes (scene_t scene)
{
  if (scene->plan->overflow)
    REPORT (scene, TOO_MANY_NODES, scene->plan->overflow);
}

void
check_config_wanted (scene_t scene)
{
  int chosen = scene->plan->chosen;

  if (chosen >= 0 && fdt_getprop (scene->fdt, chosen, "xen,uefi-cfg-load",
				  NULL))
    REPORT (scene, CONFIG_WANTED, chosen);
}

void
check_no_module (scene_t scene)
{
  if (scene->plan->n_modules == 0)
    REPORT (scene, NO_MODULE, GRUB_DOM0LESS_NONE);
}

static void
report_cells (scene_t scene, enum grub_dom0less_rule_number rule, int node,
	      struct grub_dom0less_cells cells, int bad)
{
  if (cells.address == bad)
    grub_dom0less_report (scene, rule, node, GRUB_DOM0LESS_NONE,
			  "#address-cells", 0, 0);
  if (cells.size == bad)
    grub_dom0less_report (scene, rule, node, GRUB_DOM0LESS_NONE,
			  "#size-cells", 0, 0);
}

/* Xen's EFI stub refuses the domain, in words but without its name.  */
void
check_cells_missing (scene_t scene)
{
  const struct grub_dom0less_plan *plan = scene->plan;
  int i;

  for (i = 0; i < plan->n_domains; i++)
    report_cells (scene, GRUB_DOM0LESS_RULE_CELLS_MISSING,
		  plan->domains[i].node, plan->domains[i].cells,
		  GRUB_DOM0LESS_NONE);
}

void
check_cells_impossible (scene_t scene)
{
  const struct grub_dom0less_plan *plan = scene->plan;
  int i;

  report_cells (scene, GRUB_DOM0LESS_RULE_CELLS_IMPOSSIBLE, plan->chosen,
		plan->cells, plan->chosen >= 0 ? 0 : -2);
  for (i = 0; i < plan->n_domains; i++)
    report_cells (scene, GRUB_DOM0LESS_RULE_CELLS_IMPOSSIBLE,
		  plan->domains[i].node, plan->domains[i].cells, 0);
}
