/* rules_tree.c - rules about the tree and /chosen  */
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

/* The size of Xen's buffer for its command line, including the terminator.  */
#define XEN_CMDLINE_SIZE	1024

/* Xen's DEVICE_TREE_MAX_DEPTH; the root's is 0.  */
#define MAX_DEPTH		16

/* Xen's early parser accepts any number of cells; no more are read here.  */
#define MAX_CELLS		4

/* Xen's stub would stop with an exception, without a message.  */
void
dom0less_check_not_el2 (context_t context)
{
  int level = context->facts->exception_level;

  if (level == 1)
    REPORT_NUMBERS (context, NOT_EL2, GRUB_DOM0LESS_NONE, (uint64_t) level, 0);
}

/* Xen writes TCR_EL2 in the layout for HCR_EL2.E2H = 0, and crashes silently
   at its first exception vector.  */
void
dom0less_check_vhe (context_t context)
{
  const char *fault;

  if (!grub_dom0less_is_vhe (&context->facts->regime))
    return;
  fault = grub_dom0less_vhe_fault (context->facts);
  if (fault)
    REPORT_FILE (context, VHE, GRUB_DOM0LESS_NONE, fault);
}

/* The code that runs between the change of regime and Xen's own translation
   tables: the code that changes the regime, Xen's stub, and the firmware's
   SetVirtualAddressMap with everything that it calls.  Of the firmware's
   memory, only what is executable now matters.  */
void
dom0less_check_vhe_code (context_t context)
{
  const struct grub_dom0less_facts *facts = context->facts;
  uint64_t lost = 0;
  int i, is_lost;

  if (!grub_dom0less_is_vhe (&facts->regime) || !facts->read
      || grub_dom0less_vhe_fault (facts))
    return;
  is_lost = grub_dom0less_lost_code (facts, facts->code_start,
				     facts->code_size, &lost)
    || grub_dom0less_lost_code (facts, facts->xen_start,
				facts->xen_size, &lost);
  for (i = 0; !is_lost && i < facts->n_memory; i++)
    if (facts->memory[i].type == GRUB_DOM0LESS_MEMORY_FIRMWARE)
      is_lost = grub_dom0less_lost_code (facts, facts->memory[i].start,
					 facts->memory[i].size, &lost);
  if (is_lost)
    REPORT_NUMBERS (context, VHE_CODE, GRUB_DOM0LESS_NONE, lost, 0);
}

void
dom0less_check_too_many_nodes (context_t context)
{
  if (context->plan->overflow)
    REPORT (context, TOO_MANY_NODES, context->plan->overflow);
}

#define MODULE	"multiboot,module"

/* If there are ACPI tables and the tree has only /chosen, Xen chooses ACPI and
   creates no domain; without ACPI tables, it fails soon.  */
void
dom0less_check_no_hardware (context_t context)
{
  if (fdt_path_offset (context->fdt, "/cpus") < 0)
    REPORT (context, NO_HARDWARE, 0);
}

/* Modules in the wrong place have rules of their own.  */
void
dom0less_check_no_module (context_t context)
{
  if (context->plan->n_modules == 0
      && fdt_node_offset_by_compatible (context->fdt, -1, MODULE) < 0)
    REPORT (context, NO_MODULE, GRUB_DOM0LESS_NONE);
}

/* Return whether NODE, a child of /chosen, looks like a domain but is not
   compatible with what Xen looks for.  */
static int
is_meant_as_domain (context_t context, int node)
{
  static const char like[] = "xen,dom";
  const char *compatible = grub_dom0less_string (context->fdt, node, "compatible");

  if (fdt_node_check_compatible (context->fdt, node, "xen,domain") == 0
      || fdt_node_check_compatible (context->fdt, node, MODULE) == 0)
    return 0;
  return (fdt_getprop (context->fdt, node, "cpus", NULL)
	  || fdt_getprop (context->fdt, node, "memory", NULL)
	  || (compatible && strlen (compatible) >= sizeof (like) - 1
	      && memcmp (compatible, like, sizeof (like) - 1) == 0));
}

/* A node without modules may have another purpose.  */
void
dom0less_check_not_a_domain (context_t context)
{
  const char *compatible;
  int node, module;

  if (context->plan->chosen < 0)
    return;
  fdt_for_each_subnode (node, context->fdt, context->plan->chosen)
    if (is_meant_as_domain (context, node))
      fdt_for_each_subnode (module, context->fdt, node)
	if (fdt_node_check_compatible (context->fdt, module, MODULE) == 0)
	  {
	    compatible = grub_dom0less_string (context->fdt, node, "compatible");
	    REPORT_FILE (context, NOT_A_DOMAIN, node,
			 compatible ? compatible : "nothing");
	    break;
	  }
}

/* Report every node that is compatible WITH something in a place where this
   has no effect: a module outside of /chosen and the domains, or a domain
   outside of /chosen.  This is done in one walk, because libfdt would look for
   each node's parent from the root on.  */
static void
report_misplaced (context_t context, const char *with, int is_module,
		  enum grub_dom0less_rule_number rule)
{
  int node, depth = 0, above[3] = { 0, 0, 0 }, is_meant = 0;

  for (node = 0; node >= 0 && depth >= 0;
       node = fdt_next_node (context->fdt, node, &depth))
    {
      if (depth < 3)
	above[depth] = node;
      if (depth == 2)
	is_meant = (above[1] == context->plan->chosen
		    && is_meant_as_domain (context, node));
      if (fdt_node_check_compatible (context->fdt, node, with))
	continue;
      if (depth >= 2 && above[1] == context->plan->chosen
	  && (depth == 2
	      || (is_module && depth == 3
		  && fdt_node_check_compatible (context->fdt, above[2],
						"xen,domain") == 0)))
	continue;
      /* The mistake is in the node above, which has a finding.  */
      if (is_module && depth == 3 && is_meant)
	continue;
      grub_dom0less_report (context, rule, node, GRUB_DOM0LESS_NONE, NULL, 0, 0);
    }
}

/* The stub counts direct children only.  If there are none, it tries to read a
   xen.cfg, which it cannot reach.  */
void
dom0less_check_nested_module (context_t context)
{
  report_misplaced (context, MODULE, 1,
		    GRUB_DOM0LESS_RULE_NESTED_MODULE);
}

void
dom0less_check_domain_misplaced (context_t context)
{
  report_misplaced (context, "xen,domain", 0,
		    GRUB_DOM0LESS_RULE_DOMAIN_MISPLACED);
}

void
dom0less_check_chosen_ranges (context_t context)
{
  int len;

  if (context->plan->chosen >= 0
      && fdt_getprop (context->fdt, context->plan->chosen, "ranges", &len) && len)
    REPORT (context, CHOSEN_RANGES, context->plan->chosen);
}

/* The stub examines the children of /chosen and of domains, and treats a node
   without compatible as an error.  */
void
dom0less_check_compatible_missing (context_t context)
{
  const struct grub_dom0less_domain *domain;
  int node;

  if (context->plan->chosen < 0)
    return;
  fdt_for_each_subnode (node, context->fdt, context->plan->chosen)
    if (!fdt_getprop (context->fdt, node, "compatible", NULL))
      REPORT (context, COMPATIBLE_MISSING, node);
  FOR_DOMAINS (domain, context)
    fdt_for_each_subnode (node, context->fdt, domain->node)
      if (!fdt_getprop (context->fdt, node, "compatible", NULL))
	REPORT (context, COMPATIBLE_MISSING, node);
}

/* Higher than any third number of a version.  */
#define NEVER	(1 << 16)

/* Xen's early parser looped for ever at a node of DEVICE_TREE_MAX_DEPTH levels
   before Xen's commit "bootfdt: fix device tree traversal", which was released
   with these third numbers.  Return the one of XEN's series: 0 if the whole
   series has the commit, NEVER if it never gets it.  */
static int
depth_mended_in (const struct grub_dom0less_xen *xen)
{
  if (grub_dom0less_xen_before (xen, 4, 20))
    return NEVER;
  if (xen->major == 4 && xen->minor == 20)
    return 4;
  return xen->major == 4 && xen->minor == 21 ? 2 : 0;
}

static void
report_deep (context_t context, enum grub_dom0less_rule_number rule,
	     int number2)
{
  int node, depth = 0;

  for (node = 0; node >= 0 && depth >= 0;
       node = fdt_next_node (context->fdt, node, &depth))
    if (depth == MAX_DEPTH)
      grub_dom0less_report (context, rule, node, GRUB_DOM0LESS_NONE, NULL,
			    (uint64_t) depth, number2);
}

void
dom0less_check_tree_deep (context_t context)
{
  const struct grub_dom0less_xen *xen = &context->facts->xen;
  int mended = depth_mended_in (xen);

  if (mended == NEVER
      || (xen->patch != GRUB_DOM0LESS_NONE && xen->patch < mended))
    report_deep (context, GRUB_DOM0LESS_RULE_TREE_DEEP, MAX_DEPTH);
}

void
dom0less_check_tree_deep_unsure (context_t context)
{
  const struct grub_dom0less_xen *xen = &context->facts->xen;
  int mended = depth_mended_in (xen);

  if (mended != 0 && mended != NEVER && xen->patch == GRUB_DOM0LESS_NONE)
    report_deep (context, GRUB_DOM0LESS_RULE_TREE_DEEP_UNSURE, xen->minor);
}

/* Report a finding against RULE at NODE for each of CELLS that is LEAST,
   or more than MOST.  */
static void
report_cells (context_t context, enum grub_dom0less_rule_number rule, int node,
	      struct grub_dom0less_cells cells, int least, int most)
{
  if (cells.address == least || cells.address > most)
    grub_dom0less_report (context, rule, node, GRUB_DOM0LESS_NONE,
			  "#address-cells", (uint64_t) most, 0);
  if (cells.size == least || cells.size > most)
    grub_dom0less_report (context, rule, node, GRUB_DOM0LESS_NONE,
			  "#size-cells", (uint64_t) most, 0);
}

/* Xen's EFI stub refuses the domain without naming it.  */
void
dom0less_check_cells_missing (context_t context)
{
  const struct grub_dom0less_domain *domain;

  FOR_DOMAINS (domain, context)
    report_cells (context, GRUB_DOM0LESS_RULE_CELLS_MISSING, domain->node,
		  domain->cells, GRUB_DOM0LESS_NONE, MAX_CELLS);
}

/* From 4.21 on, Xen's dt_read_number reads a number of more than two cells as
   0.  */
void
dom0less_check_cells_impossible (context_t context)
{
  int most = grub_dom0less_xen_since (&context->facts->xen, 21) ? 2 : MAX_CELLS;
  const struct grub_dom0less_domain *domain;

  if (context->plan->chosen >= 0)
    report_cells (context, GRUB_DOM0LESS_RULE_CELLS_IMPOSSIBLE,
		  context->plan->chosen, context->plan->cells, 0, most);
  FOR_DOMAINS (domain, context)
    report_cells (context, GRUB_DOM0LESS_RULE_CELLS_IMPOSSIBLE, domain->node,
		  domain->cells, 0, most);
}

/* Xen's early parser fails before it has a console.  */
void
dom0less_check_initrd_stale (context_t context)
{
  const struct grub_dom0less_stray *stray;

  FOR_STRAYS (stray, context)
    if (stray->is_initrd && !stray->has_place)
      REPORT (context, INITRD_STALE, stray->node);
}

/* It precedes the dom0's own ramdisk, and counts as a module.  */
void
dom0less_check_initrd_present (context_t context)
{
  const struct grub_dom0less_stray *stray;

  FOR_STRAYS (stray, context)
    if (stray->is_initrd && stray->has_place)
      REPORT (context, INITRD_PRESENT, stray->node);
}

/* Return whether Xen uses /chosen/bootargs as its own command line, because
   the dom0 has another (boot_fdt_cmdline in its bootfdt.c).  */
static int
is_bootargs_xens (context_t context)
{
  const struct grub_dom0less_module *dom0
    = dom0less_find_module (context, GRUB_DOM0LESS_DOM0, GRUB_DOM0LESS_KERNEL,
			    NULL);

  return (fdt_getprop (context->fdt, context->plan->chosen, "xen,dom0-bootargs",
		       NULL)
	  || (dom0 && grub_dom0less_string (context->fdt, dom0->node,
					    "bootargs")));
}

const char *
dom0less_xen_args (context_t context)
{
  const char *args;
  int chosen = context->plan->chosen;

  if (context->xen_args || chosen < 0)
    return context->xen_args;
  args = grub_dom0less_string (context->fdt, chosen, "xen,xen-bootargs");
  if (!args && is_bootargs_xens (context))
    args = grub_dom0less_string (context->fdt, chosen, "bootargs");
  return args;
}

const char *
dom0less_find_argument (const char *args, const char *name,
			size_t *length)
{
  size_t word, name_length = strlen (name);
  const char *found = NULL;

  for (; args && *args; args += word + (args[word] != '\0'))
    {
      for (word = 0; args[word] && args[word] != ' '; word++)
	;
      if (word < name_length || memcmp (args, name, name_length)
	  || (word > name_length && args[name_length] != '='))
	continue;
      found = args + name_length + (word > name_length);
      *length = args + word - found;
    }
  return found;
}

/* Otherwise a dom0 or Xen would use them.  */
void
dom0less_check_bootargs_ignored (context_t context)
{
  if (context->plan->chosen >= 0
      && fdt_getprop (context->fdt, context->plan->chosen, "bootargs", NULL)
      && !dom0less_xen_args (context)
      && !dom0less_find_module (context, GRUB_DOM0LESS_DOM0,
				GRUB_DOM0LESS_KERNEL, NULL))
    REPORT (context, BOOTARGS_IGNORED, context->plan->chosen);
}

void
dom0less_check_xen_args_long (context_t context)
{
  const char *args = dom0less_xen_args (context);

  if (args && strlen (args) >= XEN_CMDLINE_SIZE)
    REPORT_NUMBERS (context, XEN_ARGS_LONG, context->plan->chosen, strlen (args),
		    XEN_CMDLINE_SIZE - 1);
}

/* The command passes everything after XEN to Xen, as GRUB's other loaders
   do.  */
void
dom0less_check_option_after_xen (context_t context)
{
  static const char *const options[] =
    { "--dtb", "--overlay", "--config", "--section", "--module", "--dry-run" };
  const char *args = dom0less_xen_args (context), *word;
  size_t i, length;

  for (i = 0; args && i < sizeof (options) / sizeof (options[0]); i++)
    {
      length = strlen (options[i]);
      for (word = args; (word = strstr (word, options[i])) != NULL; word++)
	if ((word == args || word[-1] == ' ')
	    && (!word[length] || word[length] == ' ' || word[length] == '='))
	  {
	    REPORT_FILE (context, OPTION_AFTER_XEN, context->plan->chosen,
			 options[i]);
	    break;
	  }
    }
}
