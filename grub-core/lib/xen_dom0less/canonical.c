/* canonical.c - a form of a tree that does not depend on its storage  */
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

#include <grub/xen_dom0less.h>

#include <string.h>

#include "safemath.h"

/* Properties of /chosen that firmware generates anew at each boot: seeds for
   random numbers and for the address of a kernel.  */
static const char *const fleeting[] = { "rng-seed", "kaslr-seed" };

/* A buffer that also counts the bytes that do not fit.  */
struct out
{
  char *buf;
  size_t size;
  size_t length;
};

static void
put (struct out *out, const void *bytes, size_t n)
{
  if (n && out->length <= out->size && n <= out->size - out->length)
    memcpy (out->buf + out->length, bytes, n);
  /* No buffer has so much room.  */
  if (dom0less_add (out->length, n, &out->length))
    out->length = SIZE_MAX;
}

static void
put_u32 (struct out *out, uint32_t value)
{
  fdt32_t cell = cpu_to_fdt32 (value);

  put (out, &cell, sizeof (cell));
}

static int
is_fleeting (const char *name)
{
  size_t i;

  for (i = 0; i < sizeof (fleeting) / sizeof (fleeting[0]); i++)
    if (strcmp (name, fleeting[i]) == 0)
      return 1;
  return 0;
}

static void
put_properties (struct out *out, const void *fdt, int node, int is_chosen)
{
  int prop;

  fdt_for_each_property_offset (prop, fdt, node)
    {
      const char *name;
      int len;
      const void *value = fdt_getprop_by_offset (fdt, prop, &name, &len);

      if (!value || (is_chosen && is_fleeting (name)))
	continue;
      put_u32 (out, FDT_PROP);
      put (out, name, strlen (name) + 1);
      put_u32 (out, (uint32_t) len);
      put (out, value, (size_t) len);
    }
}

size_t
grub_dom0less_canonical (const void *fdt, void *buf, size_t size)
{
  struct out out = { buf, size, 0 };
  int chosen = fdt_path_offset (fdt, "/chosen");
  int node, depth = 0, open = 0;

  for (node = 0; node >= 0 && depth >= 0;
       node = fdt_next_node (fdt, node, &depth))
    {
      const char *name = grub_dom0less_node_name (fdt, node);

      for (; open > depth; open--)
	put_u32 (&out, FDT_END_NODE);
      put_u32 (&out, FDT_BEGIN_NODE);
      put (&out, name, strlen (name) + 1);
      put_properties (&out, fdt, node, node == chosen);
      open = depth + 1;
    }
  for (; open > 0; open--)
    put_u32 (&out, FDT_END_NODE);
  return out.length;
}
