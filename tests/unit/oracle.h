/* oracle.h - what plans and patched trees must be, told another way  */
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

#ifndef UNIT_ORACLE_HEADER
#define UNIT_ORACLE_HEADER	1

/* No cmocka here: the fuzzers judge by it as well.  */
#include <grub/xen_dom0less.h>

/* What is wrong with AFTER, made of BEFORE by grub_dom0less_write_plan with PLAN
   and XEN_ARGS; or NULL if it is right: the same nodes with the same
   properties byte for byte, but for the module nodes that have an image and
   for /chosen.  */
const char *find_patch_fault (const void *before, const void *after,
			      const struct grub_dom0less_plan *plan,
			      const char *xen_args);

/* What is wrong with PLAN, read from FDT; or NULL.  */
const char *find_plan_fault (const void *fdt,
			     const struct grub_dom0less_plan *plan);

/* What is wrong with the images of PLAN, shared by PATHS; or NULL.  */
const char *find_share_fault (const struct grub_dom0less_plan *plan,
			      const char *const *paths);

/* What differs between PLAN and AGAIN, which was read from the tree that was
   made of PLAN's; or NULL.  */
const char *find_reread_fault (const struct grub_dom0less_plan *plan,
			       const struct grub_dom0less_plan *again);

/* How MERGED, made of BASE and OVERLAY by grub_dom0less_merge, differs from what
   libfdt's fdt_overlay_apply makes of them, be it in the order of nodes or
   properties; or NULL.  A symbol may be written otherwise, as long as it leads to
   the same node.  */
const char *find_merge_fault (const void *base, const void *overlay,
			      const void *merged);

#endif
