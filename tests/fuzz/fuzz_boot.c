/* fuzz_boot.c - the whole way: a tree, an overlay, a xen.cfg, and the verdict  */
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
#include "grub.h"

#include "xen_dom0less_platform.h"

#define PAGE		4096
#define MAX_MEMORY	16

/*
 * What the steps of a boot (grub-core/loader/arm64) want of GRUB and of a
 * machine, and no more than that.  The files are parts of the input.
 */

grub_err_t grub_errno;
char grub_errmsg[256];

static struct
{
  const uint8_t *bytes;
  size_t size;
} files[3];

enum
  {
    TREE,
    OVERLAY,
    CONFIG
  };

static struct input facts;
static grub_uint64_t next_address;

grub_err_t
grub_error (grub_err_t code, const char *format, ...)
{
  va_list values;

  va_start (values, format);
  vsnprintf (grub_errmsg, sizeof (grub_errmsg), format, values);
  va_end (values);
  return grub_errno = code;
}

/* Formatted, so that a string without an end is found, and forgotten.  */
int
grub_printf (const char *format, ...)
{
  va_list values;
  int length;

  va_start (values, format);
  length = vsnprintf (NULL, 0, format, values);
  va_end (values);
  return length;
}

char *
grub_xasprintf (const char *format, ...)
{
  va_list values;
  char *text;
  int length;

  va_start (values, format);
  length = vsnprintf (NULL, 0, format, values);
  va_end (values);
  text = malloc ((size_t) length + 1);
  require (text != NULL, "out of memory");
  va_start (values, format);
  vsnprintf (text, (size_t) length + 1, format, values);
  va_end (values);
  return text;
}

const char *
grub_env_get (const char *name)
{
  return strcmp (name, "root") == 0 ? "hd0" : NULL;
}

char *
dom0less_platform_full_name (const char *name)
{
  return strdup (name);
}

char *
dom0less_resolve_name (const struct dom0less_boot *boot, const char *name)
{
  size_t size = grub_dom0less_format_path (boot->xen.path, name, NULL, 0) + 1;
  char *path = malloc (size);

  grub_dom0less_format_path (boot->xen.path, name, path, size);
  return path;
}

char *
dom0less_read_text (const char *path, enum grub_file_type type,
		    grub_size_t *size)
{
  size_t length = strlen (path);
  int i = length && path[length - 1] >= '0' && path[length - 1] <= '2'
    ? path[length - 1] - '0' : -1;

  (void) type;
  if (i < 0)
    {
      grub_error (GRUB_ERR_FILE_NOT_FOUND, "file `%s' not found", path);
      return NULL;
    }
  *size = files[i].size;
  return guard_string (files[i].bytes, files[i].size);
}

grub_err_t
dom0less_read_file (const char *path, enum grub_file_type type,
		    grub_uint64_t limit, const char *label,
		    struct dom0less_pages *pages, grub_size_t *size)
{
  (void) path, (void) type, (void) limit, (void) label;
  pages->count = 0;
  *size = 0;
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_read_xen_facts (struct dom0less_boot *boot)
{
  struct grub_dom0less_xen *xen = &boot->facts.xen;

  xen->major = take8 (&facts) & 1 ? 4 : 0;
  xen->minor = xen->major ? 16 + take8 (&facts) % 8 : 0;
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_platform_read_tree (struct dom0less_boot *boot)
{
  void *fdt = guard (files[TREE].bytes, files[TREE].size);

  dom0less_adopt_tree (boot, fdt, files[TREE].size);
  free (fdt);
  return grub_errno;
}

grub_err_t
dom0less_platform_fix_up (struct dom0less_boot *boot)
{
  (void) boot;
  return GRUB_ERR_NONE;
}

void
dom0less_platform_read_processor (struct dom0less_boot *boot)
{
  boot->facts.exception_level = 2;
}

grub_err_t
dom0less_platform_check_trust (struct dom0less_boot *boot)
{
  boot->facts.is_enforcing = take8 (&facts) & 1;
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_platform_memory_map (struct dom0less_boot *boot)
{
  struct input input = facts;
  int i, n = take8 (&input) % MAX_MEMORY;

  free (boot->memory);
  boot->memory = calloc ((size_t) n + 1, sizeof (*boot->memory));
  for (i = 0; i < n; i++)
    {
      boot->memory[i].type = (enum grub_dom0less_memory_type)
	(take8 (&input) % 3);
      boot->memory[i].start = take64 (&input) & -(uint64_t) PAGE;
      boot->memory[i].size = take64 (&input) & -(uint64_t) PAGE;
    }
  grub_dom0less_sort_memory (boot->memory, n);
  boot->facts.memory = boot->memory;
  boot->facts.n_memory = n;
  return GRUB_ERR_NONE;
}

/* Pages are the heap's.  */
grub_err_t
dom0less_platform_alloc (struct dom0less_pages *pages, grub_uint64_t limit,
			 grub_size_t count)
{
  (void) limit;
  pages->address = (uintptr_t) malloc (count * PAGE);
  pages->count = count;
  return GRUB_ERR_NONE;
}

void
dom0less_platform_free (struct dom0less_pages *pages)
{
  if (pages->count)
    free (dom0less_platform_at (pages->address));
  pages->count = 0;
}

void *
dom0less_platform_at (grub_uint64_t address)
{
  return (void *) (uintptr_t) address;
}

void
dom0less_platform_restore_tree (struct dom0less_boot *boot)
{
  (void) boot;
}

void
dom0less_platform_unload_xen (struct dom0less_boot *boot)
{
  (void) boot;
}

/* What dom0less_load would do: every image has a place.  */
static void
place (struct dom0less_boot *boot)
{
  struct grub_dom0less_plan *plan = boot->plan;
  int i;

  for (i = 0; i < plan->n_modules; i++)
    if (plan->modules[i].image != GRUB_DOM0LESS_NONE)
      {
	if (!plan->modules[i].has_reg)
	  plan->modules[i].address = next_address += 16 * PAGE;
	plan->modules[i].size = 1 + take8 (&facts);
      }
}

/* The command's own order (xen_dom0less.c).  */
static void
run (const struct dom0less_request *request)
{
  struct dom0less_boot *boot = calloc (1, sizeof (*boot));
  const void *fdt;

  if (!boot)
    abort ();
  boot->request = request;
  dom0less_init_findings (boot);
  if (dom0less_read_inputs (boot) || dom0less_make_plan (boot)
      || dom0less_check_rules (boot, GRUB_DOM0LESS_WITH_TREE))
    goto fail;
  place (boot);
  if (dom0less_check_rules (boot, GRUB_DOM0LESS_WITH_ADDRESSES)
      || dom0less_make_final_tree (boot))
    goto fail;

  fdt = dom0less_platform_at (boot->handover.tree.address);
  require (fdt_check_full (fdt, boot->handover.tree.count * PAGE) == 0,
	   "Xen gets what is no tree");
  dom0less_show (boot);

 fail:
  require (!boot->findings.error || grub_errno, "an error that nobody has told");
  require (!boot->tree.fdt
	   || fdt_check_full (boot->tree.fdt, fdt_totalsize (boot->tree.fdt)) == 0,
	   "the working tree is none");
  dom0less_free (boot);
  grub_errno = GRUB_ERR_NONE;
}

/* The file that begins at DATA: what a tree's header says, or all there is.
   Returns what is behind it.  */
static const uint8_t *
cut (int i, const uint8_t *data, const uint8_t *end)
{
  struct fdt_header header;
  size_t size = (size_t) (end - data);

  if (size >= sizeof (header))
    {
      memcpy (&header, data, sizeof (header));
      if (fdt_magic (&header) == FDT_MAGIC && fdt_totalsize (&header) < size)
	size = fdt_totalsize (&header);
    }
  files[i].bytes = data;
  files[i].size = size;
  return data + size;
}

/* The input: a byte of choices behind a tree and an overlay, what the machine is
   like up to a zero, and a xen.cfg.  */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  char *overlays[] = { (char *) (uintptr_t) "/1", NULL, NULL };
  char *modules[] = { (char *) (uintptr_t) "KEY=/module",
		      (char *) (uintptr_t) "/module", NULL };
  struct dom0less_request request
    = { "(hd0)/xen.efi", NULL, overlays, modules, NULL, NULL };
  const uint8_t *end = data + size, *zero;
  uint8_t choices;

  data = cut (OVERLAY, cut (TREE, data, end), end);
  choices = data < end ? *data++ : 0;
  zero = data < end ? memchr (data, 0, (size_t) (end - data)) : NULL;
  facts.at = data;
  facts.end = zero ? zero : end;
  files[CONFIG].bytes = zero ? zero + 1 : end;
  files[CONFIG].size = (size_t) (end - files[CONFIG].bytes);
  next_address = (grub_uint64_t) choices << 24;

  if (choices & 1)
    overlays[0] = NULL;
  else if (choices & 2)
    overlays[1] = overlays[0];
  if (choices & 4)
    request.dtb = "/0";
  if (choices & 8)
    request.config = "/2";
  if (choices & 16)
    request.section = "s";
  run (&request);
  return 0;
}
