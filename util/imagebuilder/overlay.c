/* overlay.c - write the whole overlay  */
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

/* Begin fragment NUMBER, for the node PATH.  `end_fragment' ends it.  */
static void
begin_fragment (struct ib_writer *writer, int number, const char *path)
{
  ib_begin_node (writer, ib_join_number (writer->import, "fragment@",
					 (uint64_t) number));
  ib_add_string (writer, "target-path", path);
  ib_begin_node (writer, "__overlay__");
}

static void
end_fragment (struct ib_writer *writer)
{
  ib_end_node (writer);
  ib_end_node (writer);
}

/* /chosen.  The nodes of an overlay are added in reverse order, because libfdt
   inserts a new node before its siblings.  U-Boot's `fdt mknod' does the same,
   so they can be written in the order of the config: Xen then numbers the
   domains as with ImageBuilder's script, from the last to the first.  */
static void
add_chosen (struct ib_writer *writer)
{
  struct ib_import *import = writer->import;
  int has_dom0 = ib_get (import, "DOM0_KERNEL", 0) != NULL, i;

  if (!has_dom0 && !writer->n_domains)
    ib_fail (import, 0, NULL, "neither DOM0_KERNEL nor NUM_DOMUS is set");
  ib_begin_node (writer, "chosen");
  ib_add_xen_properties (writer, has_dom0);
  ib_add_xen_modules (writer, has_dom0);
  for (i = 0; i < writer->n_domains; i++)
    if (ib_is_booted (import, (uint32_t) i))
      ib_add_domain (writer, (uint32_t) i, has_dom0);
  for (i = 0; i < writer->n_pools; i++)
    ib_add_pool (writer, i);
  ib_end_node (writer);
}

/* Write a fragment for each device that dom0 must not get.  Return the number
   of the next fragment.  */
static int
add_passthrough (struct ib_writer *writer, int number)
{
  struct ib_import *import = writer->import;
  const char *words, *word;
  size_t length;
  int domain, n_overlays = ib_dt_overlays (import);

  for (domain = 0; domain < writer->n_domains; domain++)
    {
      words = ib_get (import, "DOMU_PASSTHROUGH_PATHS", (uint32_t) domain);
      if (words && ib_is_booted (import, (uint32_t) domain)
	  && !ib_get (import, "DOMU_PASSTHROUGH_DTB", (uint32_t) domain))
	ib_note_part (import, "DOMU_PASSTHROUGH_PATHS", (uint32_t) domain,
		      "these nodes are kept from dom0, but the domain's partial"
		      " device tree is not made here: make it, and name it in"
		      " DOMU_PASSTHROUGH_DTB");
      while (words && (word = ib_next_word (&words, " ", &length)))
	{
	  if (*word != '/')
	    ib_fail_variable (import, "DOMU_PASSTHROUGH_PATHS",
			      (uint32_t) domain,
			      "has a word that is no path of a node");
	  else if (import->base && !n_overlays
		   && fdt_path_offset_namelen (import->base, word,
					       (int) length) < 0)
	    ib_fail_variable (import, "DOMU_PASSTHROUGH_PATHS",
			      (uint32_t) domain,
			      "names a node that is not in DEVICE_TREE");
	  begin_fragment (writer, number++,
			  ib_join (import, "", word, length));
	  ib_add_empty (writer, "xen,passthrough");
	  end_fragment (writer);
	}
    }
  return number;
}

/* Write a fragment for each CPU in a pool that has no phandle yet.  */
static void
add_cpus (struct ib_writer *writer, int number)
{
  const struct ib_cpu *cpu;

  for (cpu = writer->cpus; cpu < writer->cpus + writer->n_cpus; cpu++)
    if (cpu->is_new)
      {
	begin_fragment (writer, number++, ib_join (writer->import, "/cpus/",
						   cpu->name, cpu->length));
	ib_add_cell (writer, "phandle", cpu->phandle);
	end_fragment (writer);
      }
}

/* List the cells that contain phandles of the overlay: nodes with the names of
   those in fragment 0, and for each property with such cells a property of the
   same name that contains their offsets.  */
static void
add_local_fixups (struct ib_writer *writer)
{
  struct ib_import *import = writer->import;
  unsigned char *at;
  int i, k, n, pool, offset;

  ib_begin_node (writer, "__local_fixups__");
  ib_begin_node (writer, "fragment@0");
  ib_begin_node (writer, "__overlay__");
  ib_begin_node (writer, "chosen");
  for (i = 0; i < writer->n_domains; i++)
    {
      int has_pool = (ib_is_booted (import, (uint32_t) i)
		      && ib_get_pool (writer, (uint32_t) i, &pool));

      if (!has_pool && !ib_has_event (writer, (uint32_t) i))
	continue;
      ib_begin_node (writer, ib_join_number (import, "domU", (uint64_t) i));
      if (has_pool)
	ib_add_cell (writer, "domain-cpupool", 0);
      ib_add_event_fixups (writer, (uint32_t) i);
      ib_end_node (writer);
    }
  for (i = 0; i < writer->n_pools; i++)
    {
      for (k = n = 0; k < writer->n_cpus; k++)
	n += writer->cpus[k].pool == i && writer->cpus[k].is_new;
      if (!n)
	continue;
      ib_begin_node (writer,
		     ib_join_number (import, "cpupool_", (uint64_t) i));
      at = ib_add_cells (writer, "cpupool-cpus", (size_t) n);
      for (k = offset = 0; at && k < writer->n_cpus; k++)
	if (writer->cpus[k].pool == i)
	  {
	    if (writer->cpus[k].is_new)
	      {
		ib_write_cells (at, (uint64_t) offset, 1);
		at += 4;
	      }
	    offset += 4;
	  }
      ib_end_node (writer);
    }
  ib_end_node (writer);
  ib_end_node (writer);
  ib_end_node (writer);
  ib_end_node (writer);
}

int
ib_overlay (struct ib_import *import, void *fdt, size_t size)
{
  struct ib_writer writer;
  int number;

  memset (&writer, 0, sizeof (writer));
  writer.import = import;
  writer.fdt = fdt;
  import->filled = import->parsed;

  writer.n_domains = (int) ib_get_number (import, "NUM_DOMUS", 0,
					  GRUB_DOM0LESS_MAX_DOMAINS, 0);
  if (ib_read_pools (&writer) || ib_read_events (&writer))
    return -1;

  writer.err = fdt_create (fdt, (int) size);
  if (!writer.err)
    writer.err = fdt_finish_reservemap (fdt);
  ib_begin_node (&writer, "");
  /* The target is not /chosen itself, because a tree may have none.  */
  begin_fragment (&writer, 0, "/");
  add_chosen (&writer);
  end_fragment (&writer);
  number = add_passthrough (&writer, 1);
  add_cpus (&writer, number);
  if (writer.n_pools || writer.n_events)
    add_local_fixups (&writer);
  ib_end_node (&writer);
  if (!writer.err)
    writer.err = fdt_finish (fdt);

  if (import->error)
    return -1;
  if (writer.err)
    return 1;
  ib_note_losses (import);
  return 0;
}
