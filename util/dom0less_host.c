/* dom0less_host.c - a machine made up of files, for the steps of a boot  */
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
#include <sys/stat.h>

#include <grub/types.h>
#include <grub/crypto.h>
#include <grub/emu/misc.h>
#include <grub/fs.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/safemath.h>
#include <grub/util/dom0less_host.h>
#include <grub/util/misc.h>

#include "xen_dom0less_boot.h"

#define HOST		"(host)"
#define HOST_LENGTH	(sizeof (HOST) - 1)

/* As with the firmware, the first page is nobody's.  */
#define LOWEST_ADDRESS	((grub_uint64_t) 1 << DOM0LESS_PAGE_SHIFT)
#define LIKELY_LIMIT	((grub_uint64_t) 1 << 32)

static char *root;		/* without a slash at its end */
static const char *memory_map_text;
static const char *machine_tree = "/sys/firmware/fdt";
static int is_enforcing;
static char **files;
static size_t n_files;

char *
dom0less_host_folder (const char *name)
{
  const char *slash = strrchr (name, '/');
  char *folder = xstrdup (slash ? name : ".");

  if (slash)
    folder[slash == name ? 1 : slash - name] = '\0';
  return folder;
}

int
dom0less_host_init (const char *name)
{
  struct stat status;
  size_t length;

  root = realpath (name, NULL);
  if (!root || stat (root, &status))
    return -1;
  if (!S_ISDIR (status.st_mode))
    {
      errno = ENOTDIR;
      return -1;
    }
  length = strlen (root);
  if (root[length - 1] == '/')
    root[length - 1] = '\0';
  return 0;
}

void
dom0less_host_memory_map (const char *text)
{
  memory_map_text = text;
}

void
dom0less_host_machine_tree (const char *name)
{
  machine_tree = name;
}

void
dom0less_host_enforce (void)
{
  is_enforcing = 1;
}


/*
 * Measurements: the steps open files and show command lines in GRUB's order.
 */

static struct dom0less_measurement *measured;
static size_t n_measured;
static int are_files_measured;

void
dom0less_host_measure_files (void)
{
  are_files_measured = 1;
}

static struct dom0less_measurement *
add_measurement (int pcr, char *what)
{
  struct dom0less_measurement *measurement;

  measured = xrealloc (measured, (n_measured + 1) * sizeof (*measured));
  measurement = measured + n_measured++;
  measurement->pcr = pcr;
  measurement->what = what;
  measurement->is_known = 1;
  return measurement;
}

static void
measure (int pcr, const void *bytes, size_t size, const char *what)
{
  struct dom0less_measurement *measurement
    = add_measurement (pcr, xstrdup (what));

  grub_crypto_hash (GRUB_MD_SHA256, measurement->digest, bytes, size);
}

void
dom0less_host_measure (const char *line)
{
  measure (DOM0LESS_STRING_PCR, line, strlen (line), line);
}

const struct dom0less_measurement *
dom0less_host_measured (size_t *n)
{
  *n = n_measured;
  return measured;
}

void
dom0less_host_extend (unsigned char *pcr, const unsigned char *digest)
{
  unsigned char both[2 * DOM0LESS_SHA256_SIZE];

  memcpy (both, pcr, DOM0LESS_SHA256_SIZE);
  memcpy (both + DOM0LESS_SHA256_SIZE, digest, DOM0LESS_SHA256_SIZE);
  grub_crypto_hash (GRUB_MD_SHA256, pcr, both, sizeof (both));
}

/* Whatever a decompressor makes of FILE, a verifier gets it as it is.  */
static void
measure_file (grub_file_t file, const char *name)
{
  char *bytes = xmalloc (file->size + 1);
  grub_ssize_t got = grub_file_read (file, bytes, file->size);

  if (got >= 0)
    measure (DOM0LESS_BINARY_PCR, bytes, got, name);
  free (bytes);
  grub_errno = GRUB_ERR_NONE;
  grub_file_seek (file, 0);
}


/*
 * Files.
 */

/* NAME with its folder made absolute and free of links.  What is not there
   keeps its name, for the error to tell.  */
static char *
absolute_name (const char *name)
{
  const char *slash = strrchr (name, '/');
  char *folder = dom0less_host_folder (name);
  char *real = realpath (folder, NULL);
  char *path;

  if (real)
    path = xasprintf ("%s/%s", strcmp (real, "/") ? real : "",
		      slash ? slash + 1 : name);
  else
    path = xstrdup (name);
  free (folder);
  free (real);
  return path;
}

char *
dom0less_full_name (const char *name)
{
  char *path = absolute_name (name);
  size_t length = strlen (root);
  char *full;

  if (strncmp (path, root, length) == 0 && path[length] == '/')
    full = grub_strdup (path + length);
  else
    full = grub_xasprintf (HOST "%s", path);
  free (path);
  return full;
}

char *
dom0less_host_path (const char *path)
{
  if (strncmp (path, HOST, HOST_LENGTH) == 0)
    return xstrdup (path + HOST_LENGTH);
  if (path[0] == '(')
    return NULL;
  return xasprintf ("%s%s", root, path);
}

int
dom0less_host_need (const char *name)
{
  char *path = dom0less_host_path (name);
  size_t i;

  if (!path)
    return -1;
  for (i = 0; i < n_files; i++)
    if (strcmp (files[i], path) == 0)
      {
	free (path);
	return 0;
      }
  files = xrealloc (files, (n_files + 1) * sizeof (*files));
  files[n_files++] = path;
  return 0;
}

void
dom0less_host_files (void (*function) (const char *path))
{
  size_t i;

  for (i = 0; i < n_files; i++)
    function (files[i]);
}

static grub_ssize_t
host_read (struct grub_file *file, char *buf, grub_size_t len)
{
  size_t got;

  if (fseeko (file->data, file->offset, SEEK_SET))
    got = 0;
  else
    got = fread (buf, 1, len, file->data);
  if (got < len && ferror ((FILE *) file->data))
    {
      grub_error (GRUB_ERR_READ_ERROR, "%s", strerror (errno));
      return -1;
    }
  return got;
}

static grub_err_t
host_close (struct grub_file *file)
{
  if (file->data)
    fclose (file->data);
  return GRUB_ERR_NONE;
}

static struct grub_fs host_fs =
  {
    .name = "host",
    .fs_read = host_read,
    .fs_close = host_close
  };

/* The file PATH of the host, named NAME.  */
static grub_file_t
open_host_file (const char *path, const char *name)
{
  struct stat status;
  FILE *stream = fopen (path, "rb");
  grub_file_t file;

  if (!stream)
    {
      /* In GRUB's words.  */
      if (errno == ENOENT || errno == ENOTDIR)
	grub_error (GRUB_ERR_FILE_NOT_FOUND, N_("file `%s' not found"), name);
      else
	grub_error (GRUB_ERR_FILE_READ_ERROR, "%s: %s", name, strerror (errno));
      return NULL;
    }
  if (fstat (fileno (stream), &status) || S_ISDIR (status.st_mode))
    {
      grub_error (GRUB_ERR_BAD_FILE_TYPE, N_("not a regular file"));
      fclose (stream);
      return NULL;
    }

  file = grub_zalloc (sizeof (*file));
  if (!file)
    {
      fclose (stream);
      return NULL;
    }
  file->fs = &host_fs;
  file->data = stream;
  file->size = status.st_size;
  return file;
}

/* What stands for Xen when nobody has named it: nothing can be learnt from it.
   GRUB reads no byte of it.  */
static grub_file_t
open_nothing (void)
{
  grub_file_t file = grub_zalloc (sizeof (*file));

  if (file)
    file->fs = &host_fs;
  return file;
}

grub_file_t
dom0less_open (const char *name, enum grub_file_type type)
{
  char *path;
  grub_file_t file;

  if (strcmp (name, "/") == 0)
    return open_nothing ();
  if (dom0less_host_need (name))
    {
      grub_error (GRUB_ERR_UNKNOWN_DEVICE, N_("%s is on another device"),
		  name);
      return NULL;
    }
  path = dom0less_host_path (name);
  file = open_host_file (path, name[0] == '/' ? name : path);
  free (path);
  if (file && are_files_measured)
    measure_file (file, name);
  if (!file || (type & GRUB_FILE_TYPE_NO_DECOMPRESS))
    return file;
  return dom0less_filter (file);
}

/* What GRUB will want on the machine is not known.  */
grub_err_t
dom0less_look_at_trust (struct dom0less_boot *boot)
{
  boot->machine.is_enforcing = is_enforcing;
  return GRUB_ERR_NONE;
}

void
dom0less_announce (grub_file_t file __attribute__ ((unused)),
		   const char *label __attribute__ ((unused)),
		   const char *path __attribute__ ((unused)))
{
}

/* A host has no firmware to be asked.  */
grub_size_t
dom0less_read_direct (grub_file_t file __attribute__ ((unused)),
		      void *buffer __attribute__ ((unused)))
{
  return 0;
}

/* They are part of this program.  */
grub_err_t
dom0less_load_filter (const char *module __attribute__ ((unused)))
{
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_verify (char *line,
		 enum grub_verify_string_type type __attribute__ ((unused)))
{
  dom0less_host_measure (line);
  return GRUB_ERR_NONE;
}

int
dom0less_is_measuring (void)
{
  return are_files_measured;
}

grub_err_t
dom0less_leave_unmeasured (struct dom0less_boot *boot __attribute__ ((unused)),
			   int node __attribute__ ((unused)),
			   grub_uint64_t address)
{
  add_measurement (DOM0LESS_STRING_PCR,
		   xasprintf ("what lies at 0x%llx",
			      (unsigned long long) address))->is_known = 0;
  return GRUB_ERR_NONE;
}


/*
 * Memory.
 */

/* What is allocated: a claim's bytes are never touched, so it has none before
   somebody asks for them.  */
struct block
{
  struct block *next;
  grub_uint64_t address, size;
  void *bytes;
  int is_given;			/* the bytes are what the machine will have */
};

static struct block *blocks;

/* The map as it was last read, without what is allocated.  */
static struct grub_dom0less_memory *map;
static int n_map;

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

/* The highest place for SIZE bytes from START up to END, which is not below it;
   0 if there is none.  */
static grub_uint64_t
find_gap (grub_uint64_t start, grub_uint64_t end, grub_uint64_t size)
{
  while (end >= start && end - start >= size)
    {
      struct block *block = find_block (end - size, size);

      if (!block)
	return end - size;
      end = block->address;
    }
  return 0;
}

/* The bytes of COUNT pages, in SIZE.  There are none, and more than there is of
   all memory, that nobody has.  */
static grub_err_t
page_bytes (grub_size_t count, grub_uint64_t *size)
{
  if (count == 0 || grub_mul (count, LOWEST_ADDRESS, size))
    return grub_error (GRUB_ERR_OUT_OF_MEMORY, N_("out of memory"));
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_pages_alloc (struct dom0less_pages *pages, grub_uint64_t limit,
		      grub_size_t count)
{
  grub_uint64_t highest = 0, size, end;
  int i;

  pages->count = 0;
  if (page_bytes (count, &size))
    return grub_errno;
  /* The topmost page is not worth an overflow.  */
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
  /* Addresses are part of nodes' names, so they had better be likely ones.  */
  if (!n_map)
    highest = find_gap (LOWEST_ADDRESS,
			limit < LIKELY_LIMIT ? limit : LIKELY_LIMIT, size);
  if (!n_map && !highest)
    highest = find_gap (LOWEST_ADDRESS, limit, size);
  if (!highest)
    return grub_error (GRUB_ERR_OUT_OF_MEMORY, N_("out of memory"));
  add_block (pages, highest, count);
  return GRUB_ERR_NONE;
}

/* Whether START and SIZE lie in one free piece of the map, if there is a map.  */
static int
is_free (grub_uint64_t start, grub_uint64_t size)
{
  int i;

  for (i = 0; i < n_map; i++)
    if (map[i].type == GRUB_DOM0LESS_MEMORY_FREE
	&& start >= map[i].start && size <= map[i].size
	&& start - map[i].start <= map[i].size - size)
      return 1;
  return !n_map;
}

grub_err_t
dom0less_pages_alloc_at (struct dom0less_pages *pages, grub_uint64_t address,
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
dom0less_pages_free (struct dom0less_pages *pages)
{
  struct block **at, *block;

  if (!pages->count)
    return;
  for (at = &blocks; (block = *at); at = &block->next)
    if (block->address == pages->address)
      {
	*at = block->next;
	free (block->bytes);
	free (block);
	break;
      }
  pages->count = 0;
}

void *
dom0less_at (grub_uint64_t address)
{
  struct block *block = find_block (address, 1);

  if (!block)
    grub_util_error ("nothing is at 0x%llx", (unsigned long long) address);
  if (!block->bytes)
    block->bytes = xcalloc (1, block->size);
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

/* The words that lsefimmap has for memory that is Xen's, or will be.  */
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

/* Read lines "TYPE START-END PAGES SIZE ATTRIBUTE...", wherever a terminal has
   broken them: a word that is a range begins a new one.  */
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

/* The tree's memory nodes: all of it free, as far as a tree can say.  */
static void
read_map_tree (const struct dom0less_boot *boot)
{
  const struct grub_dom0less_cells *cells = &boot->plan->root_cells;
  int node;

  if (cells->address <= 0 || cells->size <= 0)
    return;
  fdt_for_each_subnode (node, boot->tree, 0)
    {
      const char *type = grub_dom0less_string (boot->tree, node, "device_type");
      int len;
      const fdt32_t *cell = fdt_getprop (boot->tree, node, "reg", &len);
      const fdt32_t *end = cell + (cell ? len / (int) sizeof (*cell) : 0);

      if (!type || strcmp (type, "memory") || !cell)
	continue;
      while (end - cell >= cells->address + cells->size)
	{
	  uint64_t start, size;

	  if (grub_dom0less_read_cells (&cell, cells->address, &start)
	      || grub_dom0less_read_cells (&cell, cells->size, &size))
	    break;
	  if (size)
	    add_memory (GRUB_DOM0LESS_MEMORY_FREE, start, size);
	}
    }
}

/* Without a map nothing can be claimed, but nothing has to lie in a range.  */
static void
avoid_ranges (const struct dom0less_boot *boot)
{
  struct dom0less_pages pages;
  int i;

  for (i = 0; i < boot->plan->n_ranges; i++)
    {
      const struct grub_dom0less_range *range = boot->plan->ranges + i;
      uint64_t start, count;

      /* A range of all memory leaves none for anything else.  */
      if (range->kind != GRUB_DOM0LESS_PLACED
	  && !find_block (range->start, range->size)
	  && grub_dom0less_span (range->start, range->size, &start,
				 &count) == 0)
	add_block (&pages, start, count);
    }
}

grub_err_t
dom0less_memory_map (struct dom0less_boot *boot)
{
  if (!n_map)
    {
      if (memory_map_text)
	read_map_text ();
      else
	read_map_tree (boot);
      if (!n_map)
	avoid_ranges (boot);
    }

  grub_free (boot->memory);
  boot->memory = grub_calloc (n_map + 1, sizeof (*map));
  if (!boot->memory)
    return grub_errno;
  if (n_map)
    memcpy (boot->memory, map, n_map * sizeof (*map));
  boot->machine.memory = boot->memory;
  boot->machine.n_memory = n_map;
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

/* Only what dom0less_host_memory was told of is known.  */
int
dom0less_is_readable (const struct dom0less_boot *boot
		      __attribute__ ((unused)),
		      grub_uint64_t address, grub_uint64_t size)
{
  struct block *block = find_block (address, 1);

  return (block && block->is_given
	  && size <= block->size - (address - block->address));
}

void
dom0less_clean_cache (const void *address __attribute__ ((unused)),
		      grub_size_t size __attribute__ ((unused)))
{
}


/*
 * The firmware, of which there is none.
 */

void
dom0less_look_at_processor (struct dom0less_boot *boot
			    __attribute__ ((unused)))
{
}

/* By default the tree of the machine that we run on.  */
grub_err_t
dom0less_gather_loaded (struct dom0less_boot *boot)
{
  FILE *stream = fopen (machine_tree, "rb");
  char *fdt = NULL;
  size_t size = 0, got = 0;

  if (!stream)
    return dom0less_refuse (boot, GRUB_DOM0LESS_RULE_TREE_MISSING,
			    GRUB_DOM0LESS_NONE, NULL);
  do
    {
      size += got;
      fdt = xrealloc (fdt, size + BUFSIZ);
      got = fread (fdt + size, 1, BUFSIZ, stream);
    }
  while (got);
  fclose (stream);
  dom0less_adopt_tree (boot, fdt, size);
  free (fdt);
  return grub_errno;
}

grub_err_t
dom0less_fix_up (struct dom0less_boot *boot __attribute__ ((unused)))
{
  return GRUB_ERR_NONE;
}

/* What an image of Xen is made of is known: where it will lie is not.  */
grub_err_t
dom0less_load_xen (struct dom0less_boot *boot)
{
  dom0less_pages_free (&boot->xen_file);
  return GRUB_ERR_NONE;
}

void
dom0less_unload_xen (struct dom0less_boot *boot __attribute__ ((unused)))
{
}

void
dom0less_restore_tree (struct dom0less_boot *boot __attribute__ ((unused)))
{
}
