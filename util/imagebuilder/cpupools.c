/* cpupools.c - CPU pools  */
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

/* The tree refers to a CPU by its phandle, so pools require DEVICE_TREE.  When
   libfdt applies the overlay, it changes the overlay's own phandles, and the
   cells that __local_fixups__ lists; all other phandles are the base's.  */

uint32_t
ib_pool_phandle (int pool)
{
  return (uint32_t) pool + 1;
}

/* Find the CPU of POOL whose name is the LENGTH bytes at NAME.  */
static int
read_cpu (struct ib_writer *writer, int pool, const char *name, size_t length)
{
  const void *base = writer->import->base;
  struct ib_cpu *cpu = &writer->cpus[writer->n_cpus];
  int node, i;

  for (i = 0; i < writer->n_cpus; i++)
    if (writer->cpus[i].length == length
	&& memcmp (writer->cpus[i].name, name, length) == 0)
      return ib_fail_variable (writer->import, "CPUPOOL", (uint32_t) pool,
			       "has a CPU for the second time");
  node = fdt_path_offset (base, "/cpus");
  if (node >= 0)
    node = fdt_subnode_offset_namelen (base, node, name, (int) length);
  if (node < 0)
    return ib_fail_variable (writer->import, "CPUPOOL", (uint32_t) pool,
			     "has a CPU that is not in DEVICE_TREE");
  if (writer->n_cpus == MAX_CPUS)
    return ib_fail_variable (writer->import, "CPUPOOL", (uint32_t) pool,
			     "has too many CPUs");

  cpu->pool = pool;
  cpu->name = name;
  cpu->length = length;
  cpu->phandle = fdt_get_phandle (base, node);
  cpu->is_new = cpu->phandle == 0;
  if (cpu->is_new)
    cpu->phandle = ib_pool_phandle (writer->n_pools + writer->n_cpus);
  writer->n_cpus++;
  return 0;
}

/* Read all CPUPOOLs.  */
int
ib_read_pools (struct ib_writer *writer)
{
  struct ib_import *import = writer->import;
  const char *words, *names, *list, *name;
  size_t length;
  int pool, n_pools;

  n_pools = (int) ib_get_number (import, "NUM_CPUPOOLS", 0, MAX_CPUPOOLS, 0);
  if (!import->base)
    {
      for (pool = 0; pool < n_pools; pool++)
	ib_note_loss (import, "CPUPOOL", (uint32_t) pool,
		      "its CPUs are found in DEVICE_TREE only, and that is"
		      " not in --directory");
      return 0;
    }

  writer->n_pools = n_pools;
  for (pool = 0; pool < n_pools; pool++)
    {
      words = ib_get (import, "CPUPOOL", (uint32_t) pool);
      list = words ? ib_next_word (&words, " ", &length) : NULL;
      if (!list)
	return ib_fail_variable (import, "CPUPOOL", (uint32_t) pool,
				 "is not set");
      for (names = list; names < words;)
	{
	  name = ib_next_word (&names, ", ", &length);
	  if (name && name < words && read_cpu (writer, pool, name, length))
	    return -1;
	}
    }
  return 0;
}

/* The properties of POOL's node.  */
void
ib_add_pool (struct ib_writer *writer, int pool)
{
  const char *words, *word, *scheduler = NULL;
  size_t length;
  unsigned char *at;
  int i, n = 0;

  ib_begin_node (writer,
		 ib_join_number (writer->import, "cpupool_", (uint64_t) pool));
  ib_add_string (writer, "compatible", "xen,cpupool");
  ib_add_cell (writer, "phandle", ib_pool_phandle (pool));
  for (i = 0; i < writer->n_cpus; i++)
    n += writer->cpus[i].pool == pool;
  at = ib_add_cells (writer, "cpupool-cpus", (size_t) n);
  for (i = 0; at && i < writer->n_cpus; i++)
    if (writer->cpus[i].pool == pool)
      {
	ib_write_cells (at, writer->cpus[i].phandle, 1);
	at += 4;
      }

  /* The first word lists the CPUs; if there is another, the last is the
     scheduler.  */
  words = ib_get (writer->import, "CPUPOOL", (uint32_t) pool);
  for (n = 0; (word = ib_next_word (&words, " ", &length)); n++)
    scheduler = ib_join (writer->import, "", word, length);
  if (n > 1)
    ib_add_string (writer, "cpupool-sched", scheduler);
  ib_end_node (writer);
}

/* Return whether domain INDEX is in a pool, and in which one.  */
int
ib_get_pool (struct ib_writer *writer, uint32_t index, int *pool)
{
  uint64_t number;

  if (!ib_get (writer->import, "DOMU_CPUPOOL", index))
    return 0;
  if (!writer->n_pools)
    {
      ib_note_loss (writer->import, "DOMU_CPUPOOL", index,
		    "there is no such CPUPOOL here");
      return 0;
    }
  number = ib_get_number (writer->import, "DOMU_CPUPOOL", index,
			  (uint64_t) writer->n_pools - 1, 0);
  *pool = (int) number;
  return 1;
}
