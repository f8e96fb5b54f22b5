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

typedef const struct grub_dom0less_scene *scene_t;

/* Each check looks at the scene for its own rule only, and reports a finding
   for each place where the rule is broken.  */

/* rules_tree.c: the tree and /chosen.  */
void dom0less_check_not_el2 (scene_t scene);
void dom0less_check_vhe (scene_t scene);
void dom0less_check_vhe_code (scene_t scene);
void dom0less_check_too_many_nodes (scene_t scene);
void dom0less_check_no_hardware (scene_t scene);
void dom0less_check_no_module (scene_t scene);
void dom0less_check_nested_module (scene_t scene);
void dom0less_check_domain_misplaced (scene_t scene);
void dom0less_check_chosen_ranges (scene_t scene);
void dom0less_check_compatible_missing (scene_t scene);
void dom0less_check_tree_deep (scene_t scene);
void dom0less_check_cells_missing (scene_t scene);
void dom0less_check_cells_impossible (scene_t scene);
void dom0less_check_initrd_stale (scene_t scene);
void dom0less_check_initrd_present (scene_t scene);
void dom0less_check_bootargs_ignored (scene_t scene);
void dom0less_check_xen_args_long (scene_t scene);

/* rules_driver.c: what Xen has a driver for.  */
void dom0less_check_console_missing (scene_t scene);
void dom0less_check_console_undriven (scene_t scene);
void dom0less_check_gic_undriven (scene_t scene);

/* rules_domain.c: domain nodes.  */
void dom0less_check_domain_name_unit (scene_t scene);
void dom0less_check_domain_name_long (scene_t scene);
void dom0less_check_domain_disabled (scene_t scene);
void dom0less_check_disabled_static_mem (scene_t scene);
void dom0less_check_memory_malformed (scene_t scene);
void dom0less_check_cpus_impossible (scene_t scene);
void dom0less_check_property_size (scene_t scene);
void dom0less_check_value_impossible (scene_t scene);
void dom0less_check_value_unknown (scene_t scene);
void dom0less_check_enhanced_alone (scene_t scene);
void dom0less_check_direct_map_alone (scene_t scene);
void dom0less_check_nr_spis_impossible (scene_t scene);
void dom0less_check_llc_colors_static (scene_t scene);
void dom0less_check_llc_colors_off (scene_t scene);
void dom0less_check_not_built_in (scene_t scene);
void dom0less_check_property_unknown (scene_t scene);

/* rules_reference.c: what refers to other nodes, or is there once.  */
void dom0less_check_capabilities_conflict (scene_t scene);
void dom0less_check_vcpu_impossible (scene_t scene);
void dom0less_check_cpupool_missing (scene_t scene);
void dom0less_check_cpupool_malformed (scene_t scene);
void dom0less_check_event_channel_broken (scene_t scene);

/* rules_size.c: whether there is enough memory.  */
void dom0less_check_memory_bytes (scene_t scene);
void dom0less_check_memory_too_much (scene_t scene);
void dom0less_check_heap_too_small (scene_t scene);
void dom0less_check_domain_too_small (scene_t scene);
void dom0less_check_kernel_outside (scene_t scene);

/* rules_module.c: module nodes.  */
void dom0less_check_kind_unknown (scene_t scene);
void dom0less_check_kind_misplaced (scene_t scene);
void dom0less_check_not_a_module (scene_t scene);
void dom0less_check_string_malformed (scene_t scene);
void dom0less_check_names_differ (scene_t scene);
void dom0less_check_reg_missing (scene_t scene);
void dom0less_check_reg_unverified (scene_t scene);
void dom0less_check_kernel_missing (scene_t scene);
void dom0less_check_two_of_a_kind (scene_t scene);
void dom0less_check_bootargs_long (scene_t scene);
void dom0less_check_too_many_bootargs (scene_t scene);
void dom0less_check_too_many_modules (scene_t scene);
void dom0less_check_kinds_share (scene_t scene);
void dom0less_check_dom0_shares (scene_t scene);
void dom0less_check_modules_overlap (scene_t scene);
void dom0less_check_dangling_alias (scene_t scene);
void dom0less_check_address_too_big (scene_t scene);
void dom0less_check_path_long (scene_t scene);

/* rules_memory.c: memory that the tree gives a purpose.  */
void dom0less_check_range_malformed (scene_t scene);
void dom0less_check_module_in_range (scene_t scene);
void dom0less_check_ranges_overlap (scene_t scene);
void dom0less_check_range_over_firmware (scene_t scene);
void dom0less_check_range_outside_ram (scene_t scene);
void dom0less_check_range_unaligned (scene_t scene);
void dom0less_check_static_mem_sum (scene_t scene);
void dom0less_check_shared_mem_malformed (scene_t scene);
void dom0less_check_shared_mem_conflict (scene_t scene);
void dom0less_check_shared_mem_host (scene_t scene);
void dom0less_check_too_many_pieces (scene_t scene);
void dom0less_check_module_in_pieces (scene_t scene);
void dom0less_check_image_in_range (scene_t scene);
void dom0less_check_xen_in_range (scene_t scene);

/* A finding about NODE and nothing else.  */
#define REPORT(scene, rule, node) \
  REPORT_FILE (scene, rule, node, NULL)

/* A finding about NODE, and a file or property FILE.  */
#define REPORT_FILE(scene, rule, node, file) \
  grub_dom0less_report (scene, GRUB_DOM0LESS_RULE_ ## rule, node, \
			GRUB_DOM0LESS_NONE, file, 0, 0)

/* A finding about NODE, and two numbers.  */
#define REPORT_NUMBERS(scene, rule, node, number0, number1) \
  grub_dom0less_report (scene, GRUB_DOM0LESS_RULE_ ## rule, node, \
			GRUB_DOM0LESS_NONE, NULL, number0, number1)

#define FOR_DOMAINS(domain, scene) \
  for ((domain) = (scene)->plan->domains; \
       (domain) < (scene)->plan->domains + (scene)->plan->n_domains; \
       (domain)++)

#define FOR_MODULES(module, scene) \
  for ((module) = (scene)->plan->modules; \
       (module) < (scene)->plan->modules + (scene)->plan->n_modules; \
       (module)++)

#define FOR_RANGES(range, scene) \
  for ((range) = (scene)->plan->ranges; \
       (range) < (scene)->plan->ranges + (scene)->plan->n_ranges; \
       (range)++)

#define FOR_STRAYS(stray, scene) \
  for ((stray) = (scene)->plan->strays; \
       (stray) < (scene)->plan->strays + (scene)->plan->n_strays; \
       (stray)++)

/* rules_module.c: the first module of KIND that belongs to DOMAIN, before
   LIMIT if that is not NULL.  */
const struct grub_dom0less_module *
dom0less_find_module (scene_t scene, int domain, enum grub_dom0less_kind kind,
		      const struct grub_dom0less_module *limit);

/* rules_tree.c: the command line that Xen will take, or NULL.  */
const char *dom0less_xen_args (scene_t scene);

/* rules_tree.c: the last argument NAME among ARGS, which may be NULL: the text
   behind its `=', of *LENGTH bytes; the empty string if it stands alone; NULL
   if it is not there.  */
const char *dom0less_find_argument (const char *args, const char *name,
				    size_t *length);

/* rules_reference.c: whether somebody is there to serve xenstore.  */
int dom0less_has_xenstore (scene_t scene);

/* rules_domain.c: whether Xen passes over NODE because of its status.  */
int dom0less_is_disabled (const void *fdt, int node);

/* rules_domain.c: whether DOMAIN has PROPERTY.  */
int dom0less_has (scene_t scene, const struct grub_dom0less_domain *domain,
		  const char *property);

/* rules_domain.c: whether Xen's .config is known to have OPTION, or not to
   have it.  */
int dom0less_is_built_in (scene_t scene, unsigned int option);
int dom0less_is_left_out (scene_t scene, unsigned int option);

/* rules_memory.c: call CHECK for each node of shared memory, with its parent's
   cells.  */
void dom0less_for_shared_mem (scene_t scene,
			      void (*check) (scene_t scene, int node,
					     struct grub_dom0less_cells cells));

/* rules_domain.c: read what a domain's memory says, in KiB.  Returns whether
   it says anything.  */
int dom0less_domain_memory (scene_t scene,
			    const struct grub_dom0less_domain *domain,
			    uint64_t *kib);

#endif
