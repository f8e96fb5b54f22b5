/* fuzz_overlay.c - any overlay on a tree  */
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

#include "fuzz.h"

#include "../unit/oracle.h"

/* Cells as evil as they can be are wherever libfdt counts on from: a phandle of
   the base's.  */
static void
set_highest (void *base, uint32_t phandle)
{
  static const uint32_t likely[] =
    { 0x10000000, 0x7ffffffc, 0xfffffff0, 0xfffffffd, 0xfffffffe, 0xffffffff };

  if (phandle % 8 < sizeof (likely) / sizeof (likely[0]))
    phandle = likely[phandle % 8];
  require (fdt_setprop_u32 (base, 0, "phandle", phandle) == 0,
	   "no room for a phandle");
}

static void
fuzz_overlay (const void *base, const void *overlay)
{
  static struct grub_dom0less_plan plan;
  struct grub_dom0less_misfit misfit;
  size_t size = fdt_totalsize (overlay);
  void *work = malloc (grub_dom0less_merge_size (base, overlay));
  void *copy = guard (overlay, size), *merged;

  if (grub_dom0less_merge (work, base, copy, &misfit))
    {
      require (!misfit.missing != !misfit.fault, "no reason, or two");
      require (fdt_get_name (overlay, misfit.node, NULL) != NULL,
	       "a fault of no node");
    }
  else if ((size = grub_dom0less_write_merged (work, NULL, 0)) < 1 << 20)
    {
      merged = malloc (size);
      require (grub_dom0less_write_merged (work, merged, size) == size,
	       "a tree of another size");
      require_right (grub_dom0less_tree_fault (merged, size));
      require_right (find_merge_fault (base, overlay, merged));
      grub_dom0less_plan_read (&plan, merged);
      free (merged);
    }
  free (copy);
  free (work);
}

/* The input is an overlay, behind it a base, and behind that a phandle.  */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  void *overlay = guard (data, size), *base = NULL, *open = NULL;
  struct input input = { data, data + size };
  int is_fine = 0;
  size_t room;

  if (!grub_dom0less_tree_fault (overlay, size))
    {
      input.at += fdt_totalsize (overlay);
      base = guard (input.at, (size_t) (input.end - input.at));
      if (!grub_dom0less_tree_fault (base, (size_t) (input.end - input.at)))
	{
	  input.at += fdt_totalsize (base);
	  room = fdt_totalsize (base) + 128;
	  open = malloc (room);
	  require (fdt_open_into (base, open, (int) room) == 0,
		   "a tree without a fault that libfdt cannot open");
	  if (input.at < input.end)
	    set_highest (open, (uint32_t) take64 (&input));
	  require (fdt_pack (open) == 0, "a tree that cannot be packed");
	  fuzz_overlay (open, overlay);
	  is_fine = 1;
	}
    }
  free (open);
  free (base);
  free (overlay);
  return is_fine ? 0 : -1;
}
