/* xen_dom0less_force.c - a loader that no rule stops, and that claims nothing  */
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

/*
 * For the tests alone, and in no package: what shows that the rules, and the
 * claims, are needed.  It stands between a copy of xen_dom0less.mod, in which
 * names of functions have been replaced (tests/boot/faults.py), and the module
 * dom0less.  What the loader itself comes across still stops it.
 */

#include <grub/dl.h>
#include <grub/misc.h>
#include <grub/xen_dom0less.h>

GRUB_MOD_LICENSE ("GPLv3+");

static void
report (void *data, const struct grub_dom0less_finding *finding)
{
  const struct grub_dom0less_context *context = data;
  char text[192];

  if (finding->rule->severity == GRUB_DOM0LESS_WARNING)
    {
      context->report (context->data, finding);
      return;
    }
  grub_dom0less_finding_text (finding, context->fdt, text, sizeof (text));
  grub_printf ("warning: forced: %s\n", text);
}

void force_grub_dom0less_apply_rules (const struct grub_dom0less_context *context,
				      enum grub_dom0less_phase phase);
void
force_grub_dom0less_apply_rules (const struct grub_dom0less_context *context,
				 enum grub_dom0less_phase phase)
{
  struct grub_dom0less_context forced = *context;

  forced.report = report;
  forced.data = (void *) context;
  grub_dom0less_apply_rules (&forced, phase);
}

int force_grub_dom0less_clip_to_pages (const struct grub_dom0less_memory *memory,
				       uint64_t start, uint64_t size,
				       uint64_t *claim_start, uint64_t *claim_size);
int
force_grub_dom0less_clip_to_pages (const struct grub_dom0less_memory *memory
				   __attribute__ ((unused)),
				   uint64_t start __attribute__ ((unused)),
				   uint64_t size __attribute__ ((unused)),
				   uint64_t *claim_start __attribute__ ((unused)),
				   uint64_t *claim_size __attribute__ ((unused)))
{
  return 0;
}

GRUB_MOD_INIT (xen_dom0less_force)
{
}

GRUB_MOD_FINI (xen_dom0less_force)
{
}
