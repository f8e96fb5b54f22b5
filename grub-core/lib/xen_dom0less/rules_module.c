/* rules_module.c - rules about the nodes of modules  */
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

#include <string.h>

/* Xen's BOOTMOD_MAX_CMDLINE including the terminator, MAX_MODULES without Xen
   itself and the tree, the number of command lines that it keeps, and the
   length of a path in its early parser.  */
#define MAX_BOOTARGS		1023
#define MAX_XEN_MODULES		30
#define MAX_XEN_BOOTARGS	32
#define MAX_PATH		91

/* Xen would guess the kind from the number of such modules so far, including
   those of other domains.  */
void
dom0less_check_kind_unknown (context_t context)
{
  const struct grub_dom0less_module *module;

  FOR_MODULES (module, context)
    if (module->kind == GRUB_DOM0LESS_UNKNOWN)
      REPORT (context, KIND_UNKNOWN, module->node);
}

/* Return the kind of MODULE in its node's words if Xen does not accept that
   kind there: a kind for domUs or for the dom0 only, or for a domU a name from
   before 4.12.  */
static const char *
misplaced_kind (context_t context, const struct grub_dom0less_module *module)
{
  const struct grub_dom0less_kind_facts *kind
    = grub_dom0less_kinds + module->kind;

  if (module->domain == GRUB_DOM0LESS_DOM0)
    return kind->in_chosen ? NULL : kind->compatible;
  if (!kind->in_domain)
    return kind->compatible;
  if (!kind->old_compatible
      || fdt_node_check_compatible (context->fdt, module->node,
				    kind->compatible) == 0)
    return NULL;
  return kind->old_compatible;
}

/* Xen drops the module, and panics if it was the kernel.  */
void
dom0less_check_kind_misplaced (context_t context)
{
  const struct grub_dom0less_module *module;
  const char *kind;

  FOR_MODULES (module, context)
    {
      kind = misplaced_kind (context, module);
      if (kind)
	REPORT_FILE (context, KIND_MISPLACED, module->node, kind);
    }
}

void
dom0less_check_not_a_module (context_t context)
{
  const struct grub_dom0less_module *module;

  FOR_MODULES (module, context)
    if (fdt_node_check_compatible (context->fdt, module->node,
				   "multiboot,module")
	&& !grub_dom0less_is_old_module (context->fdt, module->node))
      REPORT (context, NOT_A_MODULE, module->node);
}

void
dom0less_check_module_old (context_t context)
{
  const struct grub_dom0less_module *module;

  FOR_MODULES (module, context)
    if (grub_dom0less_is_old_module (context->fdt, module->node))
      REPORT (context, MODULE_OLD, module->node);
}

void
dom0less_check_string_malformed (context_t context)
{
  static const char *const names[] =
    { "uefi,binary", "xen,uefi-binary", "bootargs" };
  const struct grub_dom0less_module *module;
  const char *value;
  int n, len;

  FOR_MODULES (module, context)
    for (n = 0; n < 3; n++)
      {
	value = fdt_getprop (context->fdt, module->node, names[n], &len);
	if (!value || grub_dom0less_string (context->fdt, module->node, names[n]))
	  continue;
	/* A command line may be empty, but a name may not.  */
	if (n == 2 && len == 1 && *value == '\0')
	  continue;
	REPORT_FILE (context, STRING_MALFORMED, module->node, names[n]);
      }
}

void
dom0less_check_index_malformed (context_t context)
{
  const struct grub_dom0less_module *module;

  FOR_MODULES (module, context)
    if (module->index == GRUB_DOM0LESS_MALFORMED)
      REPORT (context, INDEX_MALFORMED, module->node);
}

void
dom0less_check_names_differ (context_t context)
{
  const struct grub_dom0less_module *module;
  const char *xen_name;

  FOR_MODULES (module, context)
    {
      xen_name = grub_dom0less_string (context->fdt, module->node,
				       "xen,uefi-binary");
      if (xen_name && strcmp (xen_name, module->name))
	REPORT (context, NAMES_DIFFER, module->node);
    }
}

/* Xen panics.  */
void
dom0less_check_reg_missing (context_t context)
{
  const struct grub_dom0less_module *module;

  FOR_MODULES (module, context)
    if (!module->name && module->index == GRUB_DOM0LESS_NONE
	&& !fdt_getprop (context->fdt, module->node, "reg", NULL)
	&& !fdt_getprop (context->fdt, module->node, "uefi,binary", NULL)
	&& !fdt_getprop (context->fdt, module->node, "xen,uefi-binary", NULL))
      REPORT (context, REG_MISSING, module->node);
}

/* If signatures are enforced, memory that another loader has filled has not
   been verified.  */
void
dom0less_check_reg_unverified (context_t context)
{
  const struct grub_dom0less_module *module;
  const struct grub_dom0less_stray *stray;

  if (!context->facts->is_enforcing)
    return;
  FOR_MODULES (module, context)
    if (module->has_reg && !module->name
	&& module->index == GRUB_DOM0LESS_NONE)
      REPORT_NUMBERS (context, REG_UNVERIFIED, module->node, module->address, 0);
  FOR_STRAYS (stray, context)
    REPORT_NUMBERS (context, REG_UNVERIFIED, stray->node, stray->address, 0);
}

const struct grub_dom0less_module *
dom0less_find_module (context_t context, int domain, enum grub_dom0less_kind kind,
		      const struct grub_dom0less_module *limit)
{
  const struct grub_dom0less_module *module;

  FOR_MODULES (module, context)
    {
      if (module == limit)
	break;
      if (module->domain == domain && module->kind == kind)
	return module;
    }
  return NULL;
}

/* Xen panics.  */
void
dom0less_check_kernel_missing (context_t context)
{
  const struct grub_dom0less_domain *domain;

  FOR_DOMAINS (domain, context)
    if (!dom0less_find_module (context, (int) (domain - context->plan->domains),
			       GRUB_DOM0LESS_KERNEL, NULL))
      REPORT (context, KERNEL_MISSING, domain->node);
}

/* Report a finding against RULE about MODULE and the other module.  */
static void
report_other (context_t context, enum grub_dom0less_rule_number rule,
	      const struct grub_dom0less_module *module,
	      const struct grub_dom0less_module *other)
{
  grub_dom0less_report (context, rule, module->node, other->node,
			grub_dom0less_kinds[module->kind].name,
			module->address, 0);
}

/* Xen uses the last one of a domU and the first one of a dom0.  */
void
dom0less_check_two_of_a_kind (context_t context)
{
  const struct grub_dom0less_module *module, *first;

  FOR_MODULES (module, context)
    {
      first = dom0less_find_module (context, module->domain, module->kind,
				    module);
      if (first && module->kind != GRUB_DOM0LESS_UNKNOWN)
	report_other (context, GRUB_DOM0LESS_RULE_TWO_OF_A_KIND, module, first);
    }
}

/* Xen panics, or drops the last byte.  */
void
dom0less_check_bootargs_long (context_t context)
{
  const struct grub_dom0less_module *module;
  const char *bootargs;

  FOR_MODULES (module, context)
    {
      bootargs = grub_dom0less_string (context->fdt, module->node, "bootargs");
      if (bootargs && strlen (bootargs) > MAX_BOOTARGS)
	REPORT_NUMBERS (context, BOOTARGS_LONG, module->node, strlen (bootargs),
			MAX_BOOTARGS);
    }
}

void
dom0less_check_too_many_bootargs (context_t context)
{
  const struct grub_dom0less_module *module;
  int n = 0;

  FOR_MODULES (module, context)
    if (fdt_getprop (context->fdt, module->node, "bootargs", NULL)
	&& ++n == MAX_XEN_BOOTARGS + 1)
      REPORT_NUMBERS (context, TOO_MANY_BOOTARGS, module->node, 0,
		      MAX_XEN_BOOTARGS);
}

/* Return whether the tree itself fixes the place of MODULE, and nothing is
   loaded for it.  */
static int
is_preloaded (const struct grub_dom0less_module *module)
{
  return module->has_reg && module->image == GRUB_DOM0LESS_NONE;
}

/* Return the first module before MODULE that the tree has placed at the same
   address, of the same kind or of another.  */
static const struct grub_dom0less_module *
find_same_place (context_t context, const struct grub_dom0less_module *module,
		 int same_kind)
{
  const struct grub_dom0less_module *other;

  for (other = context->plan->modules; other < module; other++)
    if (is_preloaded (other) && other->address == module->address
	&& (other->kind == module->kind) == same_kind)
      return other;
  return NULL;
}

void
dom0less_check_too_many_modules (context_t context)
{
  const struct grub_dom0less_module *module;
  int n = context->plan->n_images + context->plan->n_strays;

  FOR_MODULES (module, context)
    if (is_preloaded (module) && !find_same_place (context, module, 1))
      n++;
  if (n > MAX_XEN_MODULES)
    REPORT_NUMBERS (context, TOO_MANY_MODULES, context->plan->chosen, (uint64_t) n,
		    MAX_XEN_MODULES);
}

/* Xen 4.17 stops with a bug, and 4.20 drops the second module.  */
void
dom0less_check_kinds_share (context_t context)
{
  const struct grub_dom0less_module *module, *other;

  FOR_MODULES (module, context)
    if (is_preloaded (module)
	&& (other = find_same_place (context, module, 0)))
      report_other (context, GRUB_DOM0LESS_RULE_KINDS_SHARE, module, other);
}

void
dom0less_check_dom0_shares (context_t context)
{
  const struct grub_dom0less_module *module, *other;

  FOR_MODULES (module, context)
    if (is_preloaded (module)
	&& (other = find_same_place (context, module, 1))
	&& ((module->domain == GRUB_DOM0LESS_DOM0)
	    != (other->domain == GRUB_DOM0LESS_DOM0)))
      report_other (context, GRUB_DOM0LESS_RULE_DOM0_SHARES, module, other);
}

void
dom0less_check_modules_overlap (context_t context)
{
  const struct grub_dom0less_module *module, *other;

  FOR_MODULES (module, context)
    for (other = context->plan->modules; other < module; other++)
      if (module->has_reg && other->has_reg
	  /* Equal addresses are covered by the rules above, unless a file is
	     loaded there.  */
	  && (module->address != other->address
	      || !is_preloaded (module) || !is_preloaded (other))
	  && grub_dom0less_overlap (module->address, module->size,
				    other->address, other->size))
	report_other (context, GRUB_DOM0LESS_RULE_MODULES_OVERLAP, module,
		      other);
}

void
dom0less_check_address_too_big (context_t context)
{
  const struct grub_dom0less_module *module;

  FOR_MODULES (module, context)
    if (module->image != GRUB_DOM0LESS_NONE
	&& (!grub_dom0less_fits (module->address, module->cells.address)
	    || !grub_dom0less_fits (module->size, module->cells.size)))
      REPORT_NUMBERS (context, ADDRESS_TOO_BIG, module->node, module->address,
		      module->size);
}

/* Return the length in bytes of MODULE's path in Xen's tree.  */
static size_t
path_length (context_t context, const struct grub_dom0less_module *module)
{
  size_t length = strlen ("/chosen/");
  uint64_t address;

  if (module->domain != GRUB_DOM0LESS_DOM0)
    length += 1 + strlen (grub_dom0less_node_name
			  (context->fdt,
			   context->plan->domains[module->domain].node));
  if (module->image == GRUB_DOM0LESS_NONE || module->keeps_name)
    return length + strlen (grub_dom0less_node_name (context->fdt,
						     module->node));
  length += strlen ("module@0");
  for (address = module->address >> 4; address; address >>= 4)
    length++;
  return length;
}

/* A longer path makes Xen's early parser ignore the module.  */
void
dom0less_check_path_long (context_t context)
{
  const struct grub_dom0less_module *module;
  size_t length;

  FOR_MODULES (module, context)
    {
      length = path_length (context, module);
      if (length > MAX_PATH)
	REPORT_NUMBERS (context, PATH_LONG, module->node, length, MAX_PATH);
    }
}
