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

#define BASE_SIZE	1024

/* A tree with two labels, or none.  */
static void
make_base (void *base, int with_labels)
{
  int err = fdt_create_empty_tree (base, BASE_SIZE), node;

  node = err ? err : fdt_add_subnode (base, 0, "chosen");
  node = node < 0 ? node : fdt_add_subnode (base, 0, "soc");
  err = node < 0 ? node : fdt_setprop_u32 (base, node, "phandle", 2);
  node = err ? err : fdt_add_subnode (base, node, "uart@1");
  err = node < 0 ? node : fdt_setprop_u32 (base, node, "phandle", 1);
  if (with_labels)
    {
      node = err ? err : fdt_add_subnode (base, 0, "__symbols__");
      err = node < 0 ? node
	: fdt_setprop_string (base, node, "uart", "/soc/uart@1");
      err = err ? err : fdt_setprop_string (base, node, "bus", "/soc");
    }
  require (err == 0 && fdt_pack (base) == 0, "no base");
}

/* As the loader does it: with more room until there is enough.  Returns the
   tree, or NULL with *ERR what libfdt had against it.  */
static void *
apply (const void *base, const void *overlay, int *err)
{
  size_t size = fdt_totalsize (overlay), room;
  void *fdt = NULL, *copy;

  *err = -FDT_ERR_NOSPACE;
  for (room = 2 * size; *err == -FDT_ERR_NOSPACE && room <= 1 << 20; room *= 2)
    {
      size_t whole = fdt_totalsize (base) + room;

      free (fdt);
      fdt = malloc (whole);
      copy = guard (overlay, size);
      require (fdt && fdt_open_into (base, fdt, (int) whole) == 0,
	       "the base cannot be opened");
      *err = fdt_overlay_apply (fdt, copy);
      free (copy);
    }
  if (!*err)
    return fdt;
  free (fdt);
  return NULL;
}

static void
fuzz_overlay (const void *base, const void *overlay)
{
  static struct grub_dom0less_plan plan;
  const char *missing = NULL;
  int fragment = grub_dom0less_overlay_fault (base, overlay, &missing), err;
  void *fdt;

  if (fragment >= 0)
    require (missing && strlen (missing)
	     && fdt_get_name (overlay, fragment, NULL),
	     "nothing is missing, or in no fragment");
  fdt = apply (base, overlay, &err);
  if (!fdt)
    return;
  require (fdt_check_full (fdt, fdt_totalsize (fdt)) == 0,
	   "a malformed tree");
  grub_dom0less_plan_read (&plan, fdt);
  free (fdt);
}

/* The input is an overlay, and behind it a byte of choices.  */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  void *whole = guard (data, size), *overlay;
  struct input input = { data, data + size };
  char base[BASE_SIZE];
  int err = grub_dom0less_check_overlay (whole, size);

  if (!err)
    {
      input.at += fdt_totalsize (whole);
      make_base (base, !(take8 (&input) & 1));
      overlay = guard (whole, fdt_totalsize (whole));
      fuzz_overlay (base, overlay);
      free (overlay);
    }
  free (whole);
  return err ? -1 : 0;
}
