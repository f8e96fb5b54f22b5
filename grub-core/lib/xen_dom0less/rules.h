/* rules.h - what the files of rules share  */
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

#ifndef XEN_DOM0LESS_RULES_HEADER
#define XEN_DOM0LESS_RULES_HEADER	1

#include <grub/xen_dom0less.h>

typedef const struct grub_dom0less_context *context_t;

/* Each check looks at the context for its own rule only, and reports a finding
   for each place where the rule is broken.  */

/* rules_tree.c: the tree and /chosen.  */
void dom0less_check_not_el2 (context_t context);
void dom0less_check_vhe (context_t context);
void dom0less_check_vhe_code (context_t context);
void dom0less_check_too_many_nodes (context_t context);
void dom0less_check_no_hardware (context_t context);
void dom0less_check_no_module (context_t context);
void dom0less_check_nested_module (context_t context);
void dom0less_check_domain_misplaced (context_t context);
void dom0less_check_chosen_ranges (context_t context);
void dom0less_check_compatible_missing (context_t context);
void dom0less_check_tree_deep (context_t context);
void dom0less_check_cells_missing (context_t context);
void dom0less_check_cells_impossible (context_t context);
void dom0less_check_initrd_stale (context_t context);
void dom0less_check_initrd_present (context_t context);
void dom0less_check_bootargs_ignored (context_t context);
void dom0less_check_xen_args_long (context_t context);

/* rules_driver.c: what Xen has a driver for.  */
void dom0less_check_console_missing (context_t context);
void dom0less_check_console_undriven (context_t context);
void dom0less_check_gic_undriven (context_t context);

/* rules_domain.c: domain nodes.  */
void dom0less_check_domain_name_unit (context_t context);
void dom0less_check_domain_name_long (context_t context);
void dom0less_check_domain_disabled (context_t context);
void dom0less_check_disabled_static_mem (context_t context);
void dom0less_check_memory_malformed (context_t context);
void dom0less_check_cpus_impossible (context_t context);
void dom0less_check_property_size (context_t context);
void dom0less_check_value_impossible (context_t context);
void dom0less_check_value_unknown (context_t context);
void dom0less_check_enhanced_alone (context_t context);
void dom0less_check_direct_map_alone (context_t context);
void dom0less_check_nr_spis_impossible (context_t context);
void dom0less_check_llc_colors_static (context_t context);
void dom0less_check_llc_colors_off (context_t context);
void dom0less_check_not_built_in (context_t context);
void dom0less_check_property_unknown (context_t context);

/* rules_reference.c: what refers to other nodes, or is there once.  */
void dom0less_check_capabilities_conflict (context_t context);
void dom0less_check_vcpu_impossible (context_t context);
void dom0less_check_cpupool_missing (context_t context);
void dom0less_check_cpupool_malformed (context_t context);
void dom0less_check_event_channel_broken (context_t context);

/* rules_size.c: whether there is enough memory.  */
void dom0less_check_memory_bytes (context_t context);
void dom0less_check_memory_too_much (context_t context);
void dom0less_check_heap_too_small (context_t context);
void dom0less_check_domain_too_small (context_t context);
void dom0less_check_kernel_outside (context_t context);

/* rules_module.c: module nodes.  */
void dom0less_check_kind_unknown (context_t context);
void dom0less_check_kind_misplaced (context_t context);
void dom0less_check_not_a_module (context_t context);
void dom0less_check_string_malformed (context_t context);
void dom0less_check_names_differ (context_t context);
void dom0less_check_reg_missing (context_t context);
void dom0less_check_reg_unverified (context_t context);
void dom0less_check_kernel_missing (context_t context);
void dom0less_check_two_of_a_kind (context_t context);
void dom0less_check_bootargs_long (context_t context);
void dom0less_check_too_many_bootargs (context_t context);
void dom0less_check_too_many_modules (context_t context);
void dom0less_check_kinds_share (context_t context);
void dom0less_check_dom0_shares (context_t context);
void dom0less_check_modules_overlap (context_t context);
void dom0less_check_dangling_alias (context_t context);
void dom0less_check_address_too_big (context_t context);
void dom0less_check_path_long (context_t context);

/* rules_memory.c: memory that the tree gives a purpose.  */
void dom0less_check_range_malformed (context_t context);
void dom0less_check_module_in_range (context_t context);
void dom0less_check_ranges_overlap (context_t context);
void dom0less_check_range_over_firmware (context_t context);
void dom0less_check_range_outside_ram (context_t context);
void dom0less_check_range_unaligned (context_t context);
void dom0less_check_static_mem_sum (context_t context);
void dom0less_check_shared_mem_malformed (context_t context);
void dom0less_check_shared_mem_conflict (context_t context);
void dom0less_check_shared_mem_host (context_t context);
void dom0less_check_too_many_pieces (context_t context);
void dom0less_check_module_in_pieces (context_t context);
void dom0less_check_image_in_range (context_t context);
void dom0less_check_xen_in_range (context_t context);

/* A finding about NODE and nothing else.  */
#define REPORT(context, rule, node) \
  REPORT_FILE (context, rule, node, NULL)

/* A finding about NODE, and a file or property FILE.  */
#define REPORT_FILE(context, rule, node, file) \
  grub_dom0less_report (context, GRUB_DOM0LESS_RULE_ ## rule, node, \
			GRUB_DOM0LESS_NONE, file, 0, 0)

/* A finding about NODE, and two numbers.  */
#define REPORT_NUMBERS(context, rule, node, number0, number1) \
  grub_dom0less_report (context, GRUB_DOM0LESS_RULE_ ## rule, node, \
			GRUB_DOM0LESS_NONE, NULL, number0, number1)

#define FOR_DOMAINS(domain, context) \
  for ((domain) = (context)->plan->domains; \
       (domain) < (context)->plan->domains + (context)->plan->n_domains; \
       (domain)++)

#define FOR_MODULES(module, context) \
  for ((module) = (context)->plan->modules; \
       (module) < (context)->plan->modules + (context)->plan->n_modules; \
       (module)++)

#define FOR_RANGES(range, context) \
  for ((range) = (context)->plan->ranges; \
       (range) < (context)->plan->ranges + (context)->plan->n_ranges; \
       (range)++)

#define FOR_STRAYS(stray, context) \
  for ((stray) = (context)->plan->strays; \
       (stray) < (context)->plan->strays + (context)->plan->n_strays; \
       (stray)++)

/* rules_module.c: the first module of KIND that belongs to DOMAIN, before
   LIMIT if that is not NULL.  */
const struct grub_dom0less_module *
dom0less_find_module (context_t context, int domain, enum grub_dom0less_kind kind,
		      const struct grub_dom0less_module *limit);

/* rules_tree.c: the command line that Xen will take, or NULL.  */
const char *dom0less_xen_args (context_t context);

/* rules_tree.c: the last argument NAME among ARGS, which may be NULL: the text
   behind its `=', of *LENGTH bytes; the empty string if it stands alone; NULL
   if it is not there.  */
const char *dom0less_find_argument (const char *args, const char *name,
				    size_t *length);

/* rules_reference.c: whether somebody is there to serve xenstore.  */
int dom0less_has_xenstore (context_t context);

/* rules_domain.c: whether Xen passes over NODE because of its status.  */
int dom0less_is_disabled (const void *fdt, int node);

/* rules_domain.c: whether DOMAIN has PROPERTY.  */
int dom0less_has (context_t context, const struct grub_dom0less_domain *domain,
		  const char *property);

/* rules_domain.c: whether Xen's .config is known to have OPTION, or not to
   have it.  */
int dom0less_is_built_in (context_t context, unsigned int option);
int dom0less_is_left_out (context_t context, unsigned int option);

/* rules_memory.c: call CHECK for each node of shared memory, with its parent's
   cells.  */
void dom0less_for_shared_mem (context_t context,
			      void (*check) (context_t context, int node,
					     struct grub_dom0less_cells cells));

/* rules_domain.c: read what a domain's memory says, in KiB.  Returns whether
   it says anything.  */
int dom0less_domain_memory (context_t context,
			    const struct grub_dom0less_domain *domain,
			    uint64_t *kib);

#endif
