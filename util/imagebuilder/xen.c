/* xen.c - write what Xen and dom0 need in /chosen  */
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

#include "internal.h"

#include <string.h>

static int
begins_with (const char *word, size_t length, const char *start)
{
  return length >= strlen (start) && memcmp (word, start, strlen (start)) == 0;
}

static void
put_option (struct ib_import *import, const char *option, const char *value)
{
  ib_put (import, " ");
  ib_put (import, option);
  ib_put (import, value);
}

/* Xen's command line: XEN_CMD or ImageBuilder's default.  Without a dom0,
   arguments for it are removed.  Colors are added in the syntax of Xen 4.20,
   because ImageBuilder's is only known to a fork of Xen.  */
static const char *
make_xen_args (struct ib_writer *writer, int has_dom0)
{
  struct ib_import *import = writer->import;
  const char *words = ib_get (import, "XEN_CMD", 0), *word, *args, *colors;
  int is_on = 0, has_colors, domain, n = 0;
  size_t length;

  /* ImageBuilder refuses this, because only one of the two can be used.  */
  if (words && ib_get (import, "DOM0_MEM", 0))
    ib_fail_variable (import, "DOM0_MEM", 0,
		      "has no effect beside XEN_CMD: say dom0_mem= there");
  if (words && ib_get (import, "DOM0_VCPUS", 0))
    ib_fail_variable (import, "DOM0_VCPUS", 0,
		      "has no effect beside XEN_CMD: say dom0_max_vcpus= there");
  if (!words)
    {
      words = ib_begin_string (import);
      ib_put (import, "console=dtuart dtuart=serial0 dom0_mem=");
      ib_put_number (import,
		     ib_get_number (import, "DOM0_MEM", 0, UINT32_MAX, 1024));
      ib_put (import, "M dom0_max_vcpus=");
      ib_put_number (import,
		     ib_get_number (import, "DOM0_VCPUS", 0, UINT32_MAX, 1));
      ib_put (import, " bootscrub=0 vwfi=native sched=null");
      words = ib_end_string (import, words);
    }

  args = ib_begin_string (import);
  while ((word = ib_next_word (&words, " ", &length)))
    {
      if (!has_dom0 && begins_with (word, length, "dom0"))
	continue;
      is_on |= begins_with (word, length, "llc-coloring");
      if (n++)
	ib_put (import, " ");
      while (length--)
	ib_put_char (import, *word++);
    }

  colors = ib_get_colors (import, "XEN_COLORS", 0);
  if (colors)
    put_option (import, "xen-llc-colors=", colors);
  has_colors = colors != NULL;
  colors = has_dom0 ? ib_get_colors (import, "DOM0_COLORS", 0) : NULL;
  if (colors)
    put_option (import, "dom0-llc-colors=", colors);
  has_colors |= colors != NULL;
  for (domain = 0; domain < writer->n_domains; domain++)
    has_colors |= (ib_is_booted (import, (uint32_t) domain)
		   && ib_get (import, "DOMU_COLORS", (uint32_t) domain));
  if (has_colors && !is_on)
    ib_put (import, " llc-coloring=on");
  return ib_end_string (import, args);
}

/* Append the name in Linux of the partition after the one that U-Boot loads
   from, which is where ImageBuilder's disk_image puts dom0's files.  Return 0,
   or -1 if LOAD_CMD does not contain it.  */
static int
put_root_device (struct ib_import *import)
{
  const char *load = ib_get (import, "DOM0_LOAD", 0), *colon, *device;
  uint64_t disk, partition;

  if (!load)
    load = ib_get (import, "LOAD_CMD", 0);
  colon = load ? strchr (load, ':') : NULL;
  if (!colon)
    return -1;
  for (device = colon; device > load && device[-1] != ' '; device--)
    ;
  if (ib_parse_number (device, (size_t) (colon - device), &disk)
      || ib_parse_number (colon + 1, strlen (colon + 1), &partition)
      || disk >= 26 || partition >= 128)
    return -1;
  if (strstr (load, "mmc"))
    {
      ib_put (import, "/dev/mmcblk");
      ib_put_number (import, disk);
      ib_put (import, "p");
    }
  else if (strstr (load, "scsi"))
    {
      ib_put (import, "/dev/sd");
      ib_put_char (import, (char) ('a' + disk));
    }
  else
    return -1;
  ib_put_number (import, partition + 1);
  return 0;
}

/* Dom0's command line: DOM0_CMD or ImageBuilder's default, and a root= if it
   has none.  */
static const char *
make_dom0_args (struct ib_import *import)
{
  const char *value = ib_get (import, "DOM0_CMD", 0);
  const char *args = ib_begin_string (import);

  ib_put (import, value ? value
	  : "console=hvc0 earlycon=xen earlyprintk=xen clk_ignore_unused");
  if (!value || !strstr (value, "root="))
    {
      size_t filled = import->filled;

      ib_put (import, " root=");
      if (!ib_get (import, "DOM0_ROOTFS", 0))
	ib_put (import, "/dev/ram0");
      else if (put_root_device (import))
	{
	  import->filled = filled;
	  ib_note_loss (import, "DOM0_ROOTFS", 0,
			"LOAD_CMD does not tell its partition: write root= into"
			" DOM0_CMD");
	}
    }
  return ib_end_string (import, args);
}

/* Add the properties of /chosen for Xen and dom0, and then the nodes.  */
void
ib_add_xen_properties (struct ib_writer *writer, int has_dom0)
{
  struct ib_import *import = writer->import;
  const char *heap = ib_get (import, "XEN_STATIC_HEAP", 0) ? "XEN_STATIC_HEAP"
    : "STATIC_HEAP";

  ib_add_cell_counts (writer);

  ib_check_text (import, "XEN_CMD", 0);
  ib_check_text (import, "DOM0_CMD", 0);
  import->xen_args = make_xen_args (writer, has_dom0);
  /* GRUB passes these characters on with a backslash before them.  */
  if (strchr (import->xen_args, '\'') || strchr (import->xen_args, '"')
      || strchr (import->xen_args, '\\'))
    {
      ib_add_string (writer, "xen,xen-bootargs", import->xen_args);
      import->xen_args = "";
    }
  if (has_dom0)
    ib_add_string (writer, "xen,dom0-bootargs", make_dom0_args (import));
  /* ImageBuilder writes two cells each, regardless of the root's.  */
  if (ib_get (import, heap, 0))
    ib_add_ranges (writer, "xen,static-heap", heap, 0,
		   import->base ? fdt_address_cells (import->base, 0) : 2,
		   import->base ? fdt_size_cells (import->base, 0) : 2);
}

void
ib_add_xen_modules (struct ib_writer *writer, int has_dom0)
{
  static const char *const dom0s[] =
    {
      "DOM0_RAMDISK", "DOM0_ROOTFS", "DOM0_CMD", "DOM0_MEM", "DOM0_VCPUS",
      "DOM0_COLORS"
    };
  size_t i;

  ib_add_module (writer, "xen-policy", MODULE ("xen,xsm-policy"), "XEN_POLICY",
		 0, NULL);
  if (has_dom0)
    {
      ib_add_module (writer, "dom0", MODULE ("multiboot,kernel"),
		     "DOM0_KERNEL", 0, NULL);
      ib_add_module (writer, "dom0-ramdisk", MODULE ("multiboot,ramdisk"),
		     "DOM0_RAMDISK", 0, NULL);
    }
  else
    for (i = 0; i < sizeof (dom0s) / sizeof (dom0s[0]); i++)
      if (ib_get (writer->import, dom0s[i], 0))
	ib_fail_variable (writer->import, dom0s[i], 0,
			  "is for a dom0, and there is no DOM0_KERNEL");
}
