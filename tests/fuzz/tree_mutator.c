/* tree_mutator.c - change trees so that they stay trees  */
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

/* Random bytes are no tree, and libFuzzer's changes mostly undo one: here
   nodes and properties are added, changed, moved and taken away with libfdt,
   in the words of the pure half's trees.  */

#define MAX_VALUE	2048
#define MAX_TAIL	4096

#define COUNT(array)	(sizeof (array) / sizeof ((array)[0]))

static const char *const node_names[] =
  {
    "chosen", "domU1", "domU2", "domU@1", "module@1", "module@58000000",
    "modules", "reserved-memory", "aliases", "__symbols__", "__fixups__",
    "cpus", "shared@1", "fragment@0", "kernel", "", "__overlay__", "n",
    "__local_fixups__", "soc",
    "a-name-of-more-than-forty-letters-as-it-is",
    "a-name-that-makes-the-path-of-a-module-longer-than-xen-likes-it-to-be-xx"
  };

static const char *const property_names[] =
  {
    "#address-cells", "#size-cells", "compatible", "reg", "uefi,binary",
    "xen,uefi-binary", "mb-index", "bootargs", "memory", "cpus", "status",
    "xen,static-mem", "xen,static-heap", "xen,shared-mem", "xen,shm-id",
    "role", "xen,xen-bootargs", "xen,uefi-cfg-load", "stdout-path", "ranges",
    "linux,initrd-start", "linux,initrd-end", "direct-map", "llc-colors",
    "xen,enhanced", "vpl011", "sve", "passthrough", "target-path", "label",
    "phandle", "phandle", "linux,phandle", "target", "soc", "uart"
  };

/* With their ends, so that several make a list.  */
static const char *const strings[] =
  {
    "xen,domain", "multiboot,module", "multiboot,kernel",
    "multiboot,ramdisk", "multiboot,device-tree", "xen,xsm-policy",
    "xen,multiboot-module", "xen,linux-zimage", "xen,linux-initrd",
    "xen,domain-shared-memory-v1", "vmlinuz", "ramdisk", "(hd0)/x", "okay",
    "disabled", "enabled", "no-xenstore", "owner", "borrower", "id",
    "llc-coloring=on", "console=dtuart dtuart=x", "/chosen/domU1/module@1",
    "/chosen", "/fragment@0:target:0", "", "/", "/soc", "soc", "/n:reg:0",
    "/fragment@0/__overlay__:reg:0", "/fragment@0/__overlay__:label:4",
    "/__fixups__:soc:0", "/fragment@0/__overlay__/n"
  };

static const uint32_t cells[] =
  {
    0, 1, 2, 3, 4, 5, 0x1000, 0x10000, 0x20000, 0x8000000, 0x40000000,
    0x58000000, 0x60000000, 0xc0000000, 0x80000000, 0xfffff000, 0xffffffff
  };

static uint64_t state;

/* Below LIMIT.  */
static unsigned int
pick (unsigned int limit)
{
  state = state * UINT64_C (6364136223846793005)
    + UINT64_C (1442695040888963407);
  return (unsigned int) (state >> 33) % limit;
}

#define PICK(array)	((array)[pick (COUNT (array))])

/* Any node, or -1 with an unlucky hand.  */
static int
pick_node (const void *fdt)
{
  int node, depth = 0, n = 0;

  for (node = 0; node >= 0 && depth >= 0;
       node = fdt_next_node (fdt, node, &depth))
    n++;
  if (n == 0)
    return -1;
  n = (int) pick ((unsigned int) n);
  for (node = 0; n > 0 && node >= 0; n--)
    node = fdt_next_node (fdt, node, NULL);
  return node;
}

/* A node where it has a meaning: /chosen, a domain, a module, or any.  */
static int
pick_parent (const void *fdt)
{
  int n, node = fdt_path_offset (fdt, "/chosen");
  unsigned int depth = pick (3);

  if (node < 0 || pick (8) == 0)
    return pick_node (fdt);
  while (depth--)
    {
      int child, count = 0;

      fdt_for_each_subnode (child, fdt, node)
	count++;
      if (count == 0)
	break;
      n = (int) pick ((unsigned int) count);
      fdt_for_each_subnode (child, fdt, node)
	if (n-- == 0)
	  break;
      node = child;
    }
  return node;
}

/* A property of NODE, or -1.  */
static int
pick_property (const void *fdt, int node)
{
  int property, n = 0;

  fdt_for_each_property_offset (property, fdt, node)
    n++;
  if (n == 0)
    return -1;
  n = (int) pick ((unsigned int) n);
  fdt_for_each_property_offset (property, fdt, node)
    if (n-- == 0)
      break;
  return property;
}

/* Make a value; returns its length.  */
static int
make_value (uint8_t *value)
{
  unsigned int i, n, length = 0;

  switch (pick (8))
    {
    case 0:
      return 0;
    case 1:				/* a long string */
      length = 1000 + pick (60);
      memset (value, 'x', length);
      value[length - 1] = pick (8) ? '\0' : 'x';
      return (int) length;
    case 2:
    case 3:				/* strings */
      for (n = 1 + pick (2); n; n--)
	{
	  const char *string = PICK (strings);

	  memcpy (value + length, string, strlen (string) + 1);
	  length += (unsigned int) strlen (string) + 1;
	}
      return (int) length;
    case 4:				/* many cells */
      n = pick (32);
      break;
    default:
      n = 1 + pick (8);
      break;
    }
  for (i = 0; i < n; i++)
    {
      fdt32_t cell = cpu_to_fdt32 (PICK (cells));

      memcpy (value + 4 * i, &cell, 4);
    }
  return (int) (4 * n);
}

static int
set_property (void *fdt, int node)
{
  uint8_t value[MAX_VALUE];
  int length = make_value (value);

  const char *name = PICK (property_names);

  return fdt_setprop (fdt, node, name, value, length);
}

static int
change_property (void *fdt, int node)
{
  uint8_t value[MAX_VALUE];
  int property = pick_property (fdt, node), length;
  const char *name, *old;

  if (property < 0)
    return property;
  old = fdt_getprop_by_offset (fdt, property, &name, &length);
  if (!old || length > MAX_VALUE)
    return -FDT_ERR_NOTFOUND;
  memcpy (value, old, (size_t) length);
  if (pick (4) == 0 && length >= 4)
    {
      fdt32_t cell = cpu_to_fdt32 (PICK (cells));

      memcpy (value + (pick ((unsigned int) length / 4) * 4), &cell, 4);
    }
  else
    length = (int) LLVMFuzzerMutate (value, (size_t) length, MAX_VALUE);
  return fdt_setprop (fdt, node, name, value, length);
}

static int
drop_property (void *fdt, int node)
{
  int property = pick_property (fdt, node);
  const char *name;

  if (property < 0
      || !fdt_getprop_by_offset (fdt, property, &name, NULL))
    return -FDT_ERR_NOTFOUND;
  return fdt_delprop (fdt, node, name);
}

/* Give a property the name of another one, which is a thing that dtc would not
   do, and that libfdt's checks let pass.  */
static int
confuse_property (void *fdt, int node)
{
  int property = pick_property (fdt, node), other = pick_property (fdt, node);

  if (property < 0)
    return property;
  ((struct fdt_property *) (uintptr_t)
   fdt_get_property_by_offset (fdt, property, NULL))->nameoff
    = fdt_get_property_by_offset (fdt, other, NULL)->nameoff;
  return 0;
}

/* Copy what NODE of FROM has, and all below it, into TARGET of FDT, which is
   another tree.  */
static int
copy_node (void *fdt, int target, const void *from, int node)
{
  int property, child, err, length;

  /* Each property is put before the ones that are there.  */
  fdt_for_each_property_offset (property, from, node)
    {
      const char *name;
      const void *value = fdt_getprop_by_offset (from, property, &name,
						 &length);

      if (value && (err = fdt_setprop (fdt, target, name, value, length)) < 0)
	return err;
    }
  fdt_for_each_subnode (child, from, node)
    {
      err = fdt_add_subnode (fdt, target, fdt_get_name (from, child, NULL));
      if (err < 0 || (err = copy_node (fdt, err, from, child)) < 0)
	return err;
    }
  return 0;
}

/* Put a copy of NODE of FROM into some node of FDT.  */
static int
graft (void *fdt, const void *from, int node)
{
  int parent = pick_parent (fdt), target;
  char name[128];
  const char *old = fdt_get_name (from, node, NULL);

  if (parent < 0 || !old || strlen (old) > 100)
    return -FDT_ERR_NOTFOUND;
  snprintf (name, sizeof (name), "%.*s%u", (int) strcspn (old, "0123456789"),
	    old, pick (1000));
  target = fdt_add_subnode (fdt, parent, name);
  return target < 0 ? target : copy_node (fdt, target, from, node);
}

/* Set NAME of NODE to the cells that follow, up to -1.  */
static int
set_cells (void *fdt, int node, const char *name, const int *values)
{
  int err = fdt_setprop_empty (fdt, node, name);

  for (; err == 0 && *values >= 0; values++)
    err = fdt_appendprop_u32 (fdt, node, name, (uint32_t) *values);
  return err;
}

/* COUNT modules in NODE.  */
static int
add_modules (void *fdt, int node, unsigned int count)
{
  static const char compatible[] = "multiboot,kernel\0multiboot,module";
  char name[24];
  int module, err;

  while (count--)
    {
      /* fdt_setprop_string is a macro, and looks twice.  */
      const char *file = PICK (strings);

      snprintf (name, sizeof (name), "m%x", pick (0x10000));
      module = fdt_add_subnode (fdt, node, name);
      if (module < 0)
	return module;
      if ((err = fdt_setprop (fdt, module, "compatible", compatible,
			      sizeof (compatible))) < 0
	  || (err = pick (2)
	      ? fdt_setprop_string (fdt, module, "uefi,binary", file)
	      : set_cells (fdt, module, "reg",
			   (const int[]) { 0, 0x58000000, 0, 0x1000, -1 })))
	return err;
    }
  return 0;
}

/* A domain that no rule has anything against, with modules.  */
static int
add_domain (void *fdt)
{
  int node = fdt_path_offset (fdt, "/chosen"), err;
  char name[24];

  if (node < 0)
    return fdt_add_subnode (fdt, 0, "chosen");
  snprintf (name, sizeof (name), "dom%x", pick (0x10000));
  node = fdt_add_subnode (fdt, node, name);
  if (node < 0)
    return node;
  if ((err = fdt_setprop_string (fdt, node, "compatible", "xen,domain"))
      || (err = set_cells (fdt, node, "memory",
			   (const int[]) { 0, 0x1000, -1 }))
      || (err = fdt_setprop_u32 (fdt, node, "cpus", 1))
      || (err = fdt_setprop_u32 (fdt, node, "#address-cells", 1 + pick (4)))
      || (err = fdt_setprop_u32 (fdt, node, "#size-cells", 1 + pick (4))))
    return err;
  return add_modules (fdt, node, pick (8) ? 1 : 1 + pick (64));
}

/* As many nodes or ranges as limits want, each as small as it can be.  */
static int
add_many (void *fdt)
{
  int node = fdt_path_offset (fdt, "/chosen"), child, err = 0;
  unsigned int count, kind = pick (3);
  char name[24];

  if (node < 0)
    return node;
  for (count = kind ? pick (220) : pick (70); count && err == 0; count--)
    {
      if (kind == 2)
	{
	  err = fdt_appendprop_u32 (fdt, node, "xen,static-heap",
				    PICK (cells));
	  continue;
	}
      snprintf (name, sizeof (name), "%x", pick (0x1000));
      child = fdt_add_subnode (fdt, node, name);
      if (child == -FDT_ERR_EXISTS)
	continue;
      if (child < 0)
	return child;
      err = kind == 0
	? fdt_setprop_string (fdt, child, "compatible", "xen,domain")
	: fdt_setprop_string (fdt, child, "uefi,binary", "x");
    }
  return err;
}

/* Say of a property that there is a phandle in it, in a way that fits: in
   __local_fixups__, or in a label of __fixups__.  What says so may be among the
   fixups itself.  */
static int
add_fixup (void *fdt)
{
  int node = pick_node (fdt), property, length, fixup, is_label;
  char path[256], entry[512], *at, *next;
  const char *name;
  fdt32_t cell;

  property = node < 0 ? node : pick_property (fdt, node);
  if (property < 0 || fdt_get_path (fdt, node, path, sizeof (path))
      || !fdt_getprop_by_offset (fdt, property, &name, &length))
    return -FDT_ERR_NOTFOUND;
  cell = cpu_to_fdt32 (length >= 4 ? pick ((unsigned int) length - 3)
		       & ~(pick (4) ? 3u : 0u) : 0);
  length = snprintf (entry, sizeof (entry), "%s:%s:%u", path, name,
		     fdt32_to_cpu (cell)) + 1;
  if (length > (int) sizeof (entry))
    return -FDT_ERR_NOSPACE;

  is_label = !pick (3);
  fixup = fdt_add_subnode (fdt, 0, is_label ? "__fixups__"
			   : "__local_fixups__");
  if (fixup == -FDT_ERR_EXISTS)
    fixup = fdt_subnode_offset (fdt, 0, is_label ? "__fixups__"
				: "__local_fixups__");
  if (is_label)
    return fixup < 0 ? fixup : fdt_appendprop (fdt, fixup, pick (2) ? "uart"
					       : "bus", entry, length);
  at = strchr (entry, ':');
  *at++ = '\0';
  *strchr (at, ':') = '\0';
  for (next = strtok (path, "/"); next && fixup >= 0;
       next = strtok (NULL, "/"))
    {
      int child = fdt_subnode_offset (fdt, fixup, next);

      fixup = child < 0 ? fdt_add_subnode (fdt, fixup, next) : child;
    }
  return fixup < 0 ? fixup : fdt_setprop (fdt, fixup, at, &cell, sizeof (cell));
}

static int
mutate_tree (void *fdt)
{
  int node = pick_parent (fdt);
  const char *name = PICK (node_names);

  if (node < 0)
    return node;
  switch (pick (60) ? pick (16) : 16)
    {
    case 0:
    case 1:
    case 2:
      return set_property (fdt, node);
    case 3:
    case 4:
    case 5:
      return change_property (fdt, node);
    case 6:
      return pick (4) ? drop_property (fdt, node)
	: confuse_property (fdt, node);
    case 7:
      return node ? fdt_del_node (fdt, node) : 0;
    case 8:
      return fdt_add_subnode (fdt, node, name);
    case 9:
      return node ? fdt_set_name (fdt, node, name) : 0;
    case 10:
    case 11:
      return add_domain (fdt);
    case 12:
      return fdt_add_mem_rsv (fdt, pick (1000) << 12, 4096);
    case 16:
      return add_many (fdt);
    case 14:
    case 15:
      return add_fixup (fdt);
    default:
      {
	int size = (int) fdt_totalsize (fdt), err;
	void *copy = malloc ((size_t) size);

	require (copy != NULL, "out of memory");
	memcpy (copy, fdt, (size_t) size);
	err = graft (fdt, copy, node);
	free (copy);
	return err;
      }
    }
}

/* Finish what began in a tree of SIZE bytes: pack it, and put TAIL behind it.
   Returns the size in all, or 0 if it does not fit MAX_SIZE.  */
static size_t
finish (uint8_t *out, size_t max_size, void *fdt, const uint8_t *tail,
	size_t tail_size)
{
  size_t size;

  if (fdt_pack (fdt) || fdt_check_full (fdt, fdt_totalsize (fdt)))
    return 0;
  size = fdt_totalsize (fdt);
  if (size > max_size)
    return 0;
  memcpy (out, fdt, size);
  if (tail_size > max_size - size)
    tail_size = max_size - size;
  if (tail_size)
    memcpy (out + size, tail, tail_size);
  return size + tail_size;
}

/* A tree of DATA to work on, with room; or NULL.  */
static void *
open_tree (const uint8_t *data, size_t size, size_t room)
{
  void *whole = guard (data, size), *fdt = NULL;

  if (fdt_check_full (whole, size) == 0)
    {
      room += size;
      fdt = malloc (room);
      require (fdt != NULL, "out of memory");
      if (fdt_open_into (whole, fdt, (int) room))
	{
	  free (fdt);
	  fdt = NULL;
	}
    }
  free (whole);
  return fdt;
}

/* Move or resize a block of the tree at OUT, so that it lies over another, out of
   order or outside; libfdt looks at the header alone.  */
static void
break_header (uint8_t *out)
{
  struct fdt_header header = { 0 };
  fdt32_t *fields[] =
    {
      &header.totalsize, &header.off_dt_struct, &header.off_dt_strings,
      &header.off_mem_rsvmap, &header.version, &header.size_dt_strings,
      &header.size_dt_struct
    };
  fdt32_t *field = PICK (fields);

  memcpy (&header, out, sizeof (header));
  switch (pick (4))
    {
    case 0:
      *field = *PICK (fields);
      break;
    case 1:
      *field = cpu_to_fdt32 (PICK (cells));
      break;
    case 2:				/* names are wherever there is text */
      header.off_dt_strings = header.off_dt_struct;
      header.size_dt_strings
	= cpu_to_fdt32 (fdt32_to_cpu (header.totalsize)
			- fdt32_to_cpu (header.off_dt_struct));
      break;
    default:
      *field = cpu_to_fdt32 (fdt32_to_cpu (*field) + 4 * (pick (33) - 16));
      break;
    }
  memcpy (out, &header, sizeof (header));
}

/* What stands behind the tree of DATA, changed or not; returns its size.  It may
   begin with another tree.  */
static size_t
mutate_tail (const uint8_t *data, size_t size, uint8_t *tail)
{
  size_t tail_size = size - fdt_totalsize (data);

  if (tail_size > MAX_TAIL)
    tail_size = MAX_TAIL;
  if (tail_size)
    memcpy (tail, data + fdt_totalsize (data), tail_size);
  if (tail_size > sizeof (struct fdt_header)
      && memcmp (tail, "\xd0\x0d\xfe\xed", 4) == 0)
    return pick (2) ? tail_size
      : LLVMFuzzerCustomMutator (tail, tail_size, MAX_TAIL, pick (1u << 30));
  if (pick (4) == 0)
    tail_size = LLVMFuzzerMutate (tail, tail_size, MAX_TAIL);
  return tail_size;
}

size_t
LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size,
			 unsigned int seed)
{
  uint8_t tail[MAX_TAIL];
  size_t tail_size, done;
  unsigned int n;
  void *fdt;

  state = seed;
  pick (2);
  fdt = pick (16) ? open_tree (data, size, max_size) : NULL;
  if (!fdt)
    return LLVMFuzzerMutate (data, size, max_size);

  for (n = pick (5); n; n--)
    mutate_tree (fdt);
  n = pick (32);
  tail_size = mutate_tail (data, size, tail);
  done = finish (data, max_size, fdt, tail, tail_size);
  free (fdt);
  if (done && n == 0)
    break_header (data);
  return done;
}

/* A node of the second tree goes into the first.  */
size_t
LLVMFuzzerCustomCrossOver (const uint8_t *data1, size_t size1,
			   const uint8_t *data2, size_t size2, uint8_t *out,
			   size_t max_size, unsigned int seed)
{
  void *fdt = open_tree (data1, size1, max_size);
  void *from = open_tree (data2, size2, 0);
  size_t done = 0;
  int node;

  state = seed;
  pick (2);
  if (fdt && from && (node = pick_parent (from)) > 0)
    {
      graft (fdt, from, node);
      done = finish (out, max_size, fdt, data2 + fdt_totalsize (data2),
		     size2 - fdt_totalsize (data2));
    }
  free (from);
  free (fdt);
  return done;
}
