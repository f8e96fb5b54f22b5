/* domains.c - write the nodes of the domains  */
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

static void
add_memory (struct ib_writer *writer, uint32_t index)
{
  uint64_t kib, sum;
  fdt64_t value;

  if (ib_get (writer->import, "DOMU_STATIC_MEM", index))
    {
      sum = ib_add_ranges (writer, "xen,static-mem", "DOMU_STATIC_MEM", index,
			   2, 2);
      kib = sum / 1024;
      if (ib_get_number (writer->import, "DOMU_DIRECT_MAP", index, 1, 1))
	ib_add_empty (writer, "direct-map");
    }
  else
    kib = 1024 * ib_get_number (writer->import, "DOMU_MEM", index,
				UINT64_MAX / 1024, 0);
  /* As in ImageBuilder, 0 means the same as no value.  */
  if (!kib)
    kib = 512 * 1024;
  value = cpu_to_fdt64 (kib);
  ib_add_bytes (writer, "memory", &value, sizeof (value));
}

/* The bits of DOMU_CAPS: names or numbers, separated by `|'.  */
static void
add_capabilities (struct ib_writer *writer, uint32_t index)
{
  static const struct
  {
    const char *name;
    uint32_t bits;
  } names[] =
    {
      { "none", 0 }, { "control", 1 }, { "hardware", 2 }, { "xenstore", 4 },
      { "dom0", 7 }, { "domain0", 7 }
    };
  const char *words = ib_get (writer->import, "DOMU_CAPS", index), *word;
  size_t length, n, i;
  uint64_t bits = 0, number;

  if (!words)
    return;
  while ((word = ib_next_word (&words, "| ", &length)))
    {
      for (n = 0; n < sizeof (names) / sizeof (names[0]); n++)
	{
	  /* Upper or lower case.  */
	  if (strlen (names[n].name) != length)
	    continue;
	  for (i = 0; i < length && (word[i] | 0x20) == names[n].name[i]; i++)
	    ;
	  if (i == length)
	    break;
	}
      if (n < sizeof (names) / sizeof (names[0]))
	bits |= names[n].bits;
      else if (ib_parse_number (word, length, &number) == 0 && number <= 7)
	bits |= number;
      else
	{
	  ib_fail_variable (writer->import, "DOMU_CAPS", index,
			    "has a word that is no capability");
	  return;
	}
    }
  ib_add_cell (writer, "capabilities", bits);
}

/* The variables that are numbers both here and in the tree.  */
static void
add_numbers (struct ib_writer *writer, uint32_t index)
{
  static const struct
  {
    const char *name, *property;
    uint32_t max;
  } numbers[] =
    {
      { "DOMU_NR_SPIS", "nr_spis", UINT32_MAX },
      { "DOMU_GRANT_VER", "max_grant_version", UINT32_MAX },
      { "DOMU_GRANT_FRAMES", "max_grant_frames", UINT32_MAX },
      { "DOMU_MAPTRACK_FRAMES", "max_maptrack_frames", UINT32_MAX },
      { "DOMU_P2M_MEM_MB", "xen,domain-p2m-mem-mb", UINT32_MAX },
      { "DOMU_TRAP_UNMAP", "trap-unmapped-accesses", 1 }
    };
  size_t i;

  for (i = 0; i < sizeof (numbers) / sizeof (numbers[0]); i++)
    if (ib_get (writer->import, numbers[i].name, index))
      ib_add_cell (writer, numbers[i].property,
		   ib_get_number (writer->import, numbers[i].name, index,
				  numbers[i].max, 0));
}

/* Add a node for each of the CPUS virtual processors that has an affinity.  */
static void
add_affinities (struct ib_writer *writer, uint32_t index, uint64_t cpus)
{
  static const char name[] = "DOMU_VCPU_HARD_AFFINITY";
  struct ib_import *import = writer->import;
  const struct ib_variable *variable = import->variables;
  const char *value;
  int i;

  for (i = 0; i < import->n_variables; i++, variable++)
    {
      if (strcmp (variable->name, name) || !IB_IS_PAIR (variable->index)
	  || IB_FIRST (variable->index) != index
	  || IB_SECOND (variable->index) >= cpus)
	continue;
      value = ib_get_colors (import, name, variable->index);
      if (!value)
	continue;
      ib_begin_node (writer, ib_join_number (import, "vcpu",
					     IB_SECOND (variable->index)));
      ib_add_string (writer, "compatible", "xen,vcpu");
      ib_add_cell (writer, "id", IB_SECOND (variable->index));
      ib_add_string (writer, "hard-affinity", value);
      ib_end_node (writer);
    }
}

/* The words are an ID, the host's address, the guest's address, and a size;
   the second may be missing.  */
static void
add_shared_memory (struct ib_writer *writer, uint32_t index)
{
  struct ib_import *import = writer->import;
  const char *words = ib_get (import, "DOMU_SHARED_MEM", index);
  const char *id, *word, *rest;
  size_t id_length, length, n = 0;
  unsigned char *at;
  uint64_t number;

  if (!words)
    return;
  id = ib_next_word (&words, " ", &id_length);
  for (rest = words; ib_next_word (&rest, " ", &length); n++)
    ;
  if (n != 2 && n != 3)
    {
      ib_fail_variable (import, "DOMU_SHARED_MEM", index,
			"is not ID, host's address, guest's address, size");
      return;
    }

  ib_begin_node (writer, "shared-mem");
  ib_add_string (writer, "compatible", "xen,domain-shared-memory-v1");
  ib_add_string (writer, "xen,shm-id", ib_join (import, "", id, id_length));
  at = ib_add_cells (writer, "xen,shared-mem", 2 * n);
  for (; (word = ib_next_word (&words, " ", &length)); at += at ? 8 : 0)
    if (ib_parse_number (word, length, &number))
      ib_fail_variable (import, "DOMU_SHARED_MEM", index,
			"has a word that is no number, or too big a one");
    else if (at)
      ib_write_cells (at, number, 2);
  ib_end_node (writer);
}

void
ib_add_domain (struct ib_writer *writer, uint32_t index, int has_dom0)
{
  struct ib_import *import = writer->import;
  const char *colors, *bootargs, *passthrough;
  uint64_t enhanced, cpus;
  int has_uart, pool;

  ib_begin_node (writer, ib_join_number (import, "domU", index));
  ib_add_string (writer, "compatible", "xen,domain");
  ib_add_cell_counts (writer);
  add_memory (writer, index);
  cpus = ib_get_number (import, "DOMU_VCPUS", index, UINT32_MAX, 1);
  ib_add_cell (writer, "cpus", cpus);
  has_uart = ib_get_number (import, "DOMU_VPL011", index, 1, 1) != 0;
  if (has_uart)
    ib_add_empty (writer, "vpl011");
  enhanced = ib_get_number (import, "DOMU_ENHANCED", index, 2, has_dom0);
  if (enhanced)
    ib_add_string (writer, "xen,enhanced",
		   enhanced == 1 ? "enabled" : "no-xenstore");
  colors = ib_get_colors (import, "DOMU_COLORS", index);
  if (colors)
    ib_add_string (writer, "llc-colors", colors);
  if (ib_get_pool (writer, index, &pool))
    ib_add_cell (writer, "domain-cpupool", ib_pool_phandle (pool));
  add_numbers (writer, index);
  add_capabilities (writer, index);
  passthrough = ib_get (import, "DOMU_PASSTHROUGH_PROP", index);
  if (passthrough && strcmp (passthrough, "enabled") == 0)
    ib_add_string (writer, "passthrough", passthrough);

  if (!ib_get (import, "DOMU_KERNEL", index))
    ib_fail_variable (import, "DOMU_KERNEL", index, "is not set");
  ib_check_text (import, "DOMU_CMD", index);
  bootargs = ib_get (import, "DOMU_CMD", index);
  if (!bootargs && has_uart)
    bootargs = "console=ttyAMA0";
  ib_add_module (writer, "kernel", MODULE ("multiboot,kernel"), "DOMU_KERNEL",
		 index, bootargs);
  ib_add_module (writer, "ramdisk", MODULE ("multiboot,ramdisk"),
		 "DOMU_RAMDISK", index, NULL);
  ib_add_module (writer, "device-tree", MODULE ("multiboot,device-tree"),
		 "DOMU_PASSTHROUGH_DTB", index, NULL);
  add_affinities (writer, index, cpus);
  add_shared_memory (writer, index);
  ib_add_events (writer, index);
  ib_end_node (writer);
}
