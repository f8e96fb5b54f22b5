/* fuzz_import.c - an ImageBuilder config  */
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

#include "imagebuilder.h"

#define BASE_SIZE	512
#define OVERLAY_SIZE	(1 << 20)

/* A tree with a CPU that has a phandle and one that has none.  */
static void
make_base (void *base, int root_cells)
{
  int err = fdt_create_empty_tree (base, BASE_SIZE), cpus, cpu;

  err = err ? err : fdt_setprop_u32 (base, 0, "#address-cells", root_cells);
  err = err ? err : fdt_setprop_u32 (base, 0, "#size-cells", root_cells);
  cpus = err ? err : fdt_add_subnode (base, 0, "cpus");
  err = cpus < 0 ? cpus : fdt_add_subnode (base, cpus, "cpu@1") < 0;
  cpu = err ? err : fdt_add_subnode (base, cpus, "cpu@0");
  err = cpu < 0 ? cpu : fdt_setprop_u32 (base, cpu, "phandle", 5);
  require (err == 0, "no base");
}

static void
require_strings (const struct ib_import *import)
{
  int i;

  require (import->filled <= import->room_size, "more than there was room");
  for (i = 0; i < import->n_variables; i++)
    {
      const struct ib_variable *variable = &import->variables[i];

      require (strlen (variable->name) && variable->line, "no name or line");
      require (strspn (variable->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
		       "abcdefghijklmnopqrstuvwxyz0123456789")
	       == strlen (variable->name), "no such name");
      require (!strpbrk (variable->value, "\n\t\r\x01\x7f"),
	       "a control character in a value");
    }
}

/* The overlay has one node for each domain and pool, and all is below its two
   kinds of nodes.  */
static void
require_overlay (const void *overlay, size_t size)
{
  static struct grub_dom0less_plan plan;
  int node, chosen;
  const char *name;

  require (fdt_check_full (overlay, size) == 0, "a malformed overlay");
  fdt_for_each_subnode (node, overlay, 0)
    {
      name = fdt_get_name (overlay, node, NULL);
      require (strcmp (name, "__local_fixups__") == 0
	       || (strncmp (name, "fragment@", 9) == 0
		   && fdt_subnode_offset (overlay, node, "__overlay__") > 0
		   && grub_dom0less_string (overlay, node, "target-path")),
	       "a node that is no fragment");
    }
  chosen = fdt_path_offset (overlay, "/fragment@0/__overlay__/chosen");
  require (chosen > 0, "no /chosen");
  fdt_for_each_subnode (node, overlay, chosen)
    if (strncmp (fdt_get_name (overlay, node, NULL), "domU", 4) == 0)
      {
	int length;

	require (fdt_node_check_compatible (overlay, node, "xen,domain") == 0
		 && fdt_getprop (overlay, node, "memory", &length)
		 && length == 8
		 && fdt_getprop (overlay, node, "cpus", &length)
		 && length == 4
		 && fdt_subnode_offset (overlay, node, "kernel") > 0,
		 "a domain that lacks something");
      }
  /* As a tree of its own it has no domains, and reading it does no harm.  */
  grub_dom0less_plan_read (&plan, overlay);
}

/* The input is a byte of choices and the config.  */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static struct ib_import import;
  static char overlay[OVERLAY_SIZE];
  struct input input = { data, data + size };
  uint8_t choices = take8 (&input);
  size_t text_size = (size_t) (input.end - input.at);
  char *text = guard (input.at, text_size), base[BASE_SIZE];
  int err, again;

  memset (&import, 0, sizeof (import));
  import.room_size = choices & 1 ? text_size : 4 * text_size + 65536;
  import.room = malloc (import.room_size);
  require (import.room || !import.room_size, "out of memory");
  import.prefix = choices & 2 ? "/boot" : "";
  import.directory = choices & 2 ? "/a" : NULL;
  if (choices & 4)
    {
      make_base (base, choices >> 4);
      import.base = base;
    }

  if (ib_parse (&import, text, text_size) == 0)
    {
      require_strings (&import);
      err = ib_overlay (&import, overlay, choices & 8 ? 2000 : OVERLAY_SIZE);
      if (err == 0)
	require_overlay (overlay, fdt_totalsize (overlay));
      if (err == 1)
	{
	  again = ib_overlay (&import, overlay, OVERLAY_SIZE);
	  if (again == 0)
	    require_overlay (overlay, fdt_totalsize (overlay));
	}
      ib_dt_overlays (&import);
      ib_file (&import, "XEN", 0);
    }
  require (!import.error || strlen (import.error), "an error without a word");
  require (import.filled <= import.room_size, "more than there was room");

  free (import.room);
  free (text);
  return 0;
}
