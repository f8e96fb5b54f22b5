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

/* rules_tree.c: the tree, /chosen and the domains.  */
void check_not_el2 (scene_t scene);
void check_too_many_nodes (scene_t scene);
void check_config_wanted (scene_t scene);
void check_no_module (scene_t scene);
void check_cells_missing (scene_t scene);
void check_cells_impossible (scene_t scene);

/* rules_module.c: module nodes.  */
void check_kind_unknown (scene_t scene);
void check_not_a_module (scene_t scene);
void check_name_malformed (scene_t scene);
void check_reg_missing (scene_t scene);
void check_kernel_missing (scene_t scene);
void check_two_of_a_kind (scene_t scene);
void check_address_too_big (scene_t scene);

/* A finding about NODE and nothing else.  */
#define REPORT(scene, rule, node) \
  grub_dom0less_report (scene, GRUB_DOM0LESS_RULE_ ## rule, node, \
			GRUB_DOM0LESS_NONE, NULL, 0, 0)

#endif
