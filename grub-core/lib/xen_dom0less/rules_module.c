/* rules_module.c - rules of module nodes  */
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

/* Xen would guess the kind from how many such modules it has met, those of
   other domains included.  */
void
check_kind_unknown (scene_t scene)
{
  const struct grub_dom0less_plan *plan = scene->plan;
  int i;

  for (i = 0; i < plan->n_modules; i++)
    if (plan->modules[i].kind == GRUB_DOM0LESS_UNKNOWN)
      REPORT (scene, KIND_UNKNOWN, plan->modules[i].node);
}

void
check_not_a_module (scene_t scene)
{
  const struct grub_dom0less_plan *plan = scene->plan;
  int i, node;

  for (i = 0; i < plan->n_modules; i++)
    {
      node = plan->modules[i].node;
      if (fdt_node_check_compatible (scene->fdt, node, "multiboot,module")
	  && fdt_node_check_compatible (scene->fdt, node,
					"xen,multiboot-module"))
	REPORT (scene, NOT_A_MODULE, node);
    }
}

void
check_name_malformed (scene_t scene)
{
  static const char *const names[] = { "uefi,binary", "xen,uefi-binary" };
  const struct grub_dom0less_plan *plan = scene->plan;
  int i, n, node;

  for (i = 0; i < plan->n_modules; i++)
    for (n = 0; n < 2; n++)
      {
	node = plan->modules[i].node;
	if (fdt_getprop (scene->fdt, node, names[n], NULL)
	    && !grub_dom0less_string (scene->fdt, node, names[n]))
	  grub_dom0less_report (scene, GRUB_DOM0LESS_RULE_NAME_MALFORMED,
				node, GRUB_DOM0LESS_NONE, names[n], 0, 0);
      }
}

/* Xen panics.  */
void
check_reg_missing (scene_t scene)
{
  const struct grub_dom0less_plan *plan = scene->plan;
  int i;

  for (i = 0; i < plan->n_modules; i++)
    if (!plan->modules[i].name && !plan->modules[i].has_reg
	&& plan->modules[i].index == GRUB_DOM0LESS_NONE)
      REPORT (scene, REG_MISSING, plan->modules[i].node);
}

/* The first module of KIND that belongs to DOMAIN and comes before LIMIT.  */
static const struct grub_dom0less_module *
find_module (const struct grub_dom0less_plan *plan, int domain,
	     enum grub_dom0less_kind kind, int limit)
{
  int i;

  for (i = 0; i < limit; i++)
    if (plan->modules[i].domain == domain && plan->modules[i].kind == kind)
      return plan->modules + i;
  return NULL;
}

/* Xen panics.  */
void
check_kernel_missing (scene_t scene)
{
  const struct grub_dom0less_plan *plan = scene->plan;
  int i;

  for (i = 0; i < plan->n_domains; i++)
    if (!find_module (plan, i, GRUB_DOM0LESS_KERNEL, plan->n_modules))
      REPORT (scene, KERNEL_MISSING, plan->domains[i].node);
}

/* Xen takes the last of a domU's and the first of a dom0's.  */
void
check_two_of_a_kind (scene_t scene)
{
  const struct grub_dom0less_plan *plan = scene->plan;
  const struct grub_dom0less_module *module, *first;
  int i;

  for (i = 0; i < plan->n_modules; i++)
    {
      module = plan->modules + i;
      first = find_module (plan, module->domain, module->kind, i);
      if (first && module->kind != GRUB_DOM0LESS_UNKNOWN)
	grub_dom0less_report (scene, GRUB_DOM0LESS_RULE_TWO_OF_A_KIND,
			      module->node, first->node,
			      grub_dom0less_kind_name (module->kind), 0, 0);
    }
}

void
check_address_too_big (scene_t scene)
{
  const struct grub_dom0less_plan *plan = scene->plan;
  const struct grub_dom0less_module *module;
  int i;

  for (i = 0; i < plan->n_modules; i++)
    {
      module = plan->modules + i;
      if (module->image != GRUB_DOM0LESS_NONE
	  && (!grub_dom0less_fits (module->address, module->cells.address)
	      || !grub_dom0less_fits (module->size, module->cells.size)))
	grub_dom0less_report (scene, GRUB_DOM0LESS_RULE_ADDRESS_TOO_BIG,
			      module->node, GRUB_DOM0LESS_NONE, module->name,
			      module->address, module->size);
    }
}
