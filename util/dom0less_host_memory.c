/* dom0less_host_memory.c - the machine's memory map, and pages under made-up addresses  */
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

#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <grub/types.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/safemath.h>
#include <grub/util/misc.h>

#include "dom0less_host_internal.h"

/* As in the firmware, the first page is never allocated.  */
#define LOWEST_ADDRESS	((grub_uint64_t) 1 << DOM0LESS_PAGE_SHIFT)
/* Each piece may be claimed, and claims are kept in a list.  Xen has room for
   256 pieces.  */
#define MAX_TREE_MEMORY	1024
#define LIKELY_LIMIT	((grub_uint64_t) 1 << 32)

static const char *memory_map_text;


/* An allocation.  The bytes of a claim are usually not accessed, so they are
   only allocated on demand.  */
struct block
{
  struct block *next;
  grub_uint64_t address, size;
  void *bytes;
  int is_given;			/* the contents are the machine's */
};

static struct block *blocks;

/* The map as it was last read, without allocations; and whether the machine
   will have exactly this memory.  */
static struct grub_dom0less_memory *map;
static int n_map;
static int is_map_sure;

/* The plan of the tree, once it has been read.  */
static const struct grub_dom0less_plan *plan;

static struct block *
find_block (grub_uint64_t address, grub_uint64_t size)
{
  struct block *block;

  for (block = blocks; block; block = block->next)
    if (grub_dom0less_overlap (block->address, block->size, address, size))
      return block;
  return NULL;
}

static void
add_block (struct dom0less_pages *pages, grub_uint64_t address,
	   grub_size_t count)
{
  struct block *block = xmalloc (sizeof (*block));

  block->address = address;
  if (grub_mul (count, LOWEST_ADDRESS, &block->size))
    block->size = UINT64_MAX;
  block->bytes = NULL;
  block->is_given = 0;
  block->next = blocks;
  blocks = block;
  pages->address = address;
  pages->count = count;
}

/* Find the beginning of anything that overlaps the SIZE bytes at ADDRESS: an
   allocation, or a range of the tree's, which is only given to its owner.
   Return whether there is anything.  */
static int
find_obstacle (grub_uint64_t address, grub_uint64_t size,
	       grub_uint64_t *start)
{
  struct block *block = find_block (address, size);
  int i;

  if (block)
    *start = block->address;
  for (i = 0; !block && plan && i < plan->n_ranges; i++)
    if (grub_dom0less_overlap (plan->ranges[i].start, plan->ranges[i].size,
			       address, size))
      {
	*start = plan->ranges[i].start & ~(LOWEST_ADDRESS - 1);
	return 1;
      }
  return block != NULL;
}

/* Return the highest place for SIZE bytes between START and END, which is not
   below START; or 0 if there is none.  */
static grub_uint64_t
find_gap (grub_uint64_t start, grub_uint64_t end, grub_uint64_t size)
{
  while (end >= start && end - start >= size)
    if (!find_obstacle (end - size, size, &end))
      return end - size;
  return 0;
}

/* Store the number of bytes of COUNT pages in SIZE.  Fail for no pages, and
   for more than any memory has.  */
static grub_err_t
page_bytes (grub_size_t count, grub_uint64_t *size)
{
  if (count == 0 || grub_mul (count, LOWEST_ADDRESS, size))
    return grub_error (GRUB_ERR_OUT_OF_MEMORY, N_("out of memory"));
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_platform_alloc (struct dom0less_pages *pages, grub_uint64_t limit,
			 grub_size_t count)
{
  grub_uint64_t highest = 0, size, end;
  int i;

  pages->count = 0;
  if (page_bytes (count, &size))
    return grub_errno;
  /* Round the limit down, so that the topmost page need not be handled.  */
  limit &= ~(LOWEST_ADDRESS - 1);
  for (i = 0; i < n_map; i++)
    {
      grub_uint64_t gap;

      end = grub_dom0less_end (map[i].start, map[i].size);
      if (map[i].type != GRUB_DOM0LESS_MEMORY_FREE)
	continue;
      gap = find_gap (map[i].start ? map[i].start : LOWEST_ADDRESS,
		      end < limit ? end : limit, size);
      if (gap > highest)
	highest = gap;
    }
  /* Addresses become part of nodes' names, so choose realistic ones.  */
  if (!highest && !is_map_sure)
    highest = find_gap (LOWEST_ADDRESS,
			limit < LIKELY_LIMIT ? limit : LIKELY_LIMIT, size);
  if (!highest && !is_map_sure)
    highest = find_gap (LOWEST_ADDRESS, limit, size);
  if (!highest)
    return grub_error (GRUB_ERR_OUT_OF_MEMORY, N_("out of memory"));
  add_block (pages, highest, count);
  return GRUB_ERR_NONE;
}

/* Return whether START and SIZE are within one free piece of the map, as far
   as the map is known.  */
static int
is_free (grub_uint64_t start, grub_uint64_t size)
{
  int i;

  for (i = 0; i < n_map; i++)
    if (map[i].type == GRUB_DOM0LESS_MEMORY_FREE
	&& start >= map[i].start && size <= map[i].size
	&& start - map[i].start <= map[i].size - size)
      return 1;
  return !is_map_sure;
}

grub_err_t
dom0less_platform_alloc_at (struct dom0less_pages *pages, grub_uint64_t address,
			    grub_size_t count)
{
  grub_uint64_t size;

  pages->count = 0;
  if (page_bytes (count, &size))
    return grub_errno;
  if (find_block (address, size) || !is_free (address, size))
    return grub_error (GRUB_ERR_OUT_OF_MEMORY, N_("out of memory"));
  add_block (pages, address, count);
  return GRUB_ERR_NONE;
}

void
dom0less_platform_free (struct dom0less_pages *pages)
{
  struct block **at, *block;

  if (!pages->count)
    return;
  for (at = &blocks; (block = *at); at = &block->next)
    if (block->address == pages->address)
      {
	*at = block->next;
	if (block->bytes)
	  munmap (block->bytes, block->size);
	free (block);
	break;
      }
  pages->count = 0;
}

void *
dom0less_platform_at (grub_uint64_t address)
{
  struct block *block = find_block (address, 1);

  if (!block)
    grub_util_error ("nothing is at 0x%llx", (unsigned long long) address);
  /* The space that a tree reserves for a module may exceed this host's memory,
     and most of it is never accessed.  */
  if (!block->bytes)
    block->bytes = mmap (NULL, block->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (block->bytes == MAP_FAILED)
    grub_util_error (_("%llu bytes at 0x%llx: cannot be judged: %s"),
		     (unsigned long long) block->size,
		     (unsigned long long) block->address, strerror (errno));
  return (char *) block->bytes + (address - block->address);
}

static void
add_memory (enum grub_dom0less_memory_type type, grub_uint64_t start,
	    grub_uint64_t size)
{
  map = xrealloc (map, (n_map + 1) * sizeof (*map));
  map[n_map].type = type;
  map[n_map].start = start;
  map[n_map].size = size;
  n_map++;
}

/* The names in lsefimmap for memory that Xen can use, now or later.  */
static enum grub_dom0less_memory_type
type_of_word (const char *word)
{
  static const char *const loader[]
    = { "ldr-code", "ldr-data", "BS-code", "BS-data" };
  size_t i;

  if (strcmp (word, "conv-mem") == 0)
    return GRUB_DOM0LESS_MEMORY_FREE;
  for (i = 0; i < sizeof (loader) / sizeof (loader[0]); i++)
    if (strcmp (word, loader[i]) == 0)
      return GRUB_DOM0LESS_MEMORY_LOADER;
  return GRUB_DOM0LESS_MEMORY_FIRMWARE;
}

/* Read lines "TYPE START-END PAGES SIZE ATTRIBUTE...", even if a terminal has
   broken them: each word that is a range begins a new piece.  */
static void
read_map_text (void)
{
  char *text = xstrdup (memory_map_text), *word, *before = NULL, *state;
  enum grub_dom0less_memory_type type = GRUB_DOM0LESS_MEMORY_FIRMWARE;
  int write_back = 0;

  for (word = strtok_r (text, " \t\r\n", &state); word;
       before = word, word = strtok_r (NULL, " \t\r\n", &state))
    {
      unsigned long long start, end;
      grub_uint64_t size;
      int length = 0;

      if (before && sscanf (word, "%16llx-%16llx%n", &start, &end, &length) == 2
	  && !word[length] && end >= start)
	{
	  type = type_of_word (before);
	  write_back = 0;
	  if (grub_add (end - start, 1, &size))
	    size = UINT64_MAX;
	  add_memory (GRUB_DOM0LESS_MEMORY_FIRMWARE, start, size);
	}
      else if (strcmp (word, "WB") == 0 && n_map)
	write_back = 1;
      else if (strcmp (word, "RT") == 0)
	write_back = 0;
      else
	continue;
      if (n_map)
	map[n_map - 1].type = write_back ? type : GRUB_DOM0LESS_MEMORY_FIRMWARE;
    }
  free (text);
}

int
dom0less_host_memory_map (const char *text)
{
  int n;

  memory_map_text = text;
  read_map_text ();
  n = n_map;
  /* As on the firmware, the map is only read when it is first needed.  */
  n_map = 0;
  return n ? 0 : -1;
}

/* Read the tree's memory nodes.  All of this memory is taken to be free,
   because a tree does not contain more.  */
static grub_err_t
read_map_tree (const struct dom0less_boot *boot)
{
  const struct grub_dom0less_cells *cells = &boot->plan->root_cells;
  int node;

  if (cells->address <= 0 || cells->size <= 0)
    return GRUB_ERR_NONE;
  fdt_for_each_subnode (node, boot->tree.fdt, 0)
    {
      const char *type = grub_dom0less_string (boot->tree.fdt, node, "device_type");
      int len;
      const fdt32_t *cell = fdt_getprop (boot->tree.fdt, node, "reg", &len);
      const fdt32_t *end = cell + (cell ? len / (int) sizeof (*cell) : 0);

      if (!type || strcmp (type, "memory") || !cell)
	continue;
      while (end - cell >= cells->address + cells->size)
	{
	  uint64_t start, size;

	  if (grub_dom0less_read_cells (&cell, cells->address, &start)
	      || grub_dom0less_read_cells (&cell, cells->size, &size))
	    break;
	  if (!size)
	    continue;
	  if (n_map == MAX_TREE_MEMORY)
	    return grub_error (GRUB_ERR_BAD_OS,
			       N_("%s: memory in more than %d pieces"),
			       boot->tree.name, MAX_TREE_MEMORY);
	  add_memory (GRUB_DOM0LESS_MEMORY_FREE, start, size);
	}
    }
  return GRUB_ERR_NONE;
}

/* Return whether TREE's memory nodes describe the machine's memory.  Those in
   a board's file may be for the smallest model, or empty, because the firmware
   replaces them.  Firmware that does this leaves traces in the tree.  The
   memory in a tree for a virtual machine is also correct, because it was made
   together with the tree.  */
static int
has_firmware_been_here (const void *tree)
{
  static const char *const traces[]
    = { "kaslr-seed", "rng-seed", "linux,uefi-system-table", "u-boot,version",
	"u-boot,bootconf" };
  int chosen = fdt_path_offset (tree, "/chosen");
  size_t i;

  for (i = 0; chosen >= 0 && i < sizeof (traces) / sizeof (traces[0]); i++)
    if (fdt_getprop (tree, chosen, traces[i], NULL))
      return 1;
  return fdt_node_check_compatible (tree, 0, "linux,dummy-virt") == 0;
}

int
dom0less_host_is_memory_sure (void)
{
  return is_map_sure;
}

grub_err_t
dom0less_platform_memory_map (struct dom0less_boot *boot)
{
  plan = boot->plan;
  if (!n_map)
    {
      if (memory_map_text)
	read_map_text ();
      else if (read_map_tree (boot))
	return grub_errno;
      is_map_sure = n_map && (memory_map_text || !boot->tree.is_file
			      || has_firmware_been_here (boot->tree.fdt));
    }

  grub_free (boot->memory);
  boot->memory = grub_calloc (n_map + 1, sizeof (*map));
  if (!boot->memory)
    return grub_errno;
  if (n_map)
    memcpy (boot->memory, map, n_map * sizeof (*map));
  grub_dom0less_sort_memory (boot->memory, n_map);
  boot->facts.memory = boot->memory;
  boot->facts.n_memory = n_map;
  return GRUB_ERR_NONE;
}

int
dom0less_host_memory (grub_uint64_t address, void *bytes, size_t size)
{
  struct dom0less_pages pages;

  if (size > ~address || find_block (address, size))
    return -1;
  add_block (&pages, address, 0);
  blocks->size = size;
  blocks->bytes = bytes;
  blocks->is_given = 1;
  return 0;
}

/* Only the contents given to dom0less_host_memory are known.  */
int
dom0less_platform_is_readable (const struct dom0less_boot *boot
			       __attribute__ ((unused)),
			       grub_uint64_t address, grub_uint64_t size)
{
  struct block *block = find_block (address, 1);

  return (block && block->is_given
	  && size <= block->size - (address - block->address));
}

void
dom0less_platform_clean_cache (const void *address __attribute__ ((unused)),
			       grub_size_t size __attribute__ ((unused)))
{
}
