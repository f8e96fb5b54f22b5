/* xen_dom0less_fault.c - everything that can go wrong, once each  */
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

/*
 * For the tests alone, and in no package: a module with the command `faults'
 * and, for each function of GRUB's that can fail, a fault_ of its own.  What
 * calls these is a copy of the very xen_dom0less.mod that is shipped, in which
 * names of functions, and nothing else, have been replaced (tests/boot/faults.py).
 *
 *     faults KIND COMMAND [ARGUMENT]...
 *
 * runs COMMAND, and `boot' if that has succeeded, again and again.  The Nth
 * time the Nth call of KIND fails, until there is no Nth:
 *
 *     call     a function of GRUB's or the firmware's that the loader calls
 *     disk     the disk's driver reads some sectors, for whomever
 *     short    a file ends in the middle of what it had to give
 *
 * After each COMMAND is run without a fault.  Both times memory must be as it
 * was: the heap to the byte, the firmware's map to the page.
 */

#include <grub/command.h>
#include <grub/disk.h>
#include <grub/dl.h>
#include <grub/efi/efi.h>
#include <grub/efi/fdtload.h>
#include <grub/file.h>
#include <grub/lib/cmdline.h>
#include <grub/loader.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/mm_private.h>
#include <grub/term.h>
#include <grub/verify.h>

#include "xen_dom0less_compat.h"

GRUB_MOD_LICENSE ("GPLv3+");

enum kind
  {
    NONE,
    CALL,
    DISK,
    SHORT
  };

static const char *const kind_names[] = { "none", "call", "disk", "short" };

/* What fails, and what has failed.  */
static enum kind kind;
static int countdown;
static const char *failed;
static void *failed_at;
static grub_file_t ended;
static grub_disk_addr_t bad_sector;
static grub_size_t n_bad_sectors;

static int
is_due (enum kind of_kind, const char *name, void *caller)
{
  if (kind != of_kind || countdown == 0 || --countdown)
    return 0;
  failed = name;
  failed_at = caller;
  return 1;
}

#define IS_DUE(kind) is_due (kind, __func__, __builtin_return_address (0))

/*
 * The functions that the loader calls, as GRUB declares them.
 */

static void *
no_memory (void)
{
  grub_error (GRUB_ERR_OUT_OF_MEMORY, "out of memory");
  return NULL;
}

void *fault_grub_malloc (grub_size_t size);
void *
fault_grub_malloc (grub_size_t size)
{
  return IS_DUE (CALL) ? no_memory () : grub_malloc (size);
}

void *fault_grub_zalloc (grub_size_t size);
void *
fault_grub_zalloc (grub_size_t size)
{
  return IS_DUE (CALL) ? no_memory () : grub_zalloc (size);
}

void *fault_grub_calloc (grub_size_t count, grub_size_t size);
void *
fault_grub_calloc (grub_size_t count, grub_size_t size)
{
  return IS_DUE (CALL) ? no_memory () : grub_calloc (count, size);
}

void *fault_grub_realloc (void *memory, grub_size_t size);
void *
fault_grub_realloc (void *memory, grub_size_t size)
{
  return IS_DUE (CALL) ? no_memory () : grub_realloc (memory, size);
}

char *fault_grub_strdup (const char *text);
char *
fault_grub_strdup (const char *text)
{
  return IS_DUE (CALL) ? no_memory () : grub_strdup (text);
}

char *fault_grub_strndup (const char *text, grub_size_t length);
char *
fault_grub_strndup (const char *text, grub_size_t length)
{
  return IS_DUE (CALL) ? no_memory () : grub_strndup (text, length);
}

char *fault_grub_xasprintf (const char *format, ...)
  __attribute__ ((format (GNU_PRINTF, 1, 2)));
char *
fault_grub_xasprintf (const char *format, ...)
{
  va_list values;
  char *text;

  if (IS_DUE (CALL))
    return no_memory ();
  va_start (values, format);
  text = grub_xvasprintf (format, values);
  va_end (values);
  return text;
}

void *fault_grub_efi_allocate_pages_real
  (grub_efi_physical_address_t address, grub_efi_uintn_t count,
   grub_efi_allocate_type_t allocate_type, grub_efi_memory_type_t memory_type);
void *
fault_grub_efi_allocate_pages_real
  (grub_efi_physical_address_t address, grub_efi_uintn_t count,
   grub_efi_allocate_type_t allocate_type, grub_efi_memory_type_t memory_type)
{
  return IS_DUE (CALL) ? no_memory ()
    : grub_efi_allocate_pages_real (address, count, allocate_type,
				    memory_type);
}

int fault_grub_efi_get_memory_map
  (grub_efi_uintn_t *size, grub_efi_memory_descriptor_t *map,
   grub_efi_uintn_t *key, grub_efi_uintn_t *step,
   grub_efi_uint32_t *version);
int
fault_grub_efi_get_memory_map
  (grub_efi_uintn_t *size, grub_efi_memory_descriptor_t *map,
   grub_efi_uintn_t *key, grub_efi_uintn_t *step,
   grub_efi_uint32_t *version)
{
  return IS_DUE (CALL) ? -1
    : grub_efi_get_memory_map (size, map, key, step, version);
}

grub_efi_loaded_image_t *fault_grub_efi_get_loaded_image
  (grub_efi_handle_t image);
grub_efi_loaded_image_t *
fault_grub_efi_get_loaded_image (grub_efi_handle_t image)
{
  return IS_DUE (CALL) ? NULL : grub_efi_get_loaded_image (image);
}

grub_file_t fault_grub_file_open (const char *name, enum grub_file_type type);
grub_file_t
fault_grub_file_open (const char *name, enum grub_file_type type)
{
  if (!IS_DUE (CALL))
    return grub_file_open (name, type);
  grub_error (GRUB_ERR_READ_ERROR, "cannot open it");
  return NULL;
}

grub_ssize_t fault_grub_file_read (grub_file_t file, void *buffer,
				   grub_size_t size);
grub_ssize_t
fault_grub_file_read (grub_file_t file, void *buffer, grub_size_t size)
{
  grub_ssize_t got;

  if (IS_DUE (CALL))
    {
      grub_error (GRUB_ERR_READ_ERROR, "cannot read it");
      return -1;
    }
  if (file == ended)
    return 0;
  got = grub_file_read (file, buffer, size);
  if (got > 0 && IS_DUE (SHORT))
    {
      ended = file;
      file->offset -= got - got / 2;
      return got / 2;
    }
  return got;
}

void *fault_grub_fdt_load (grub_size_t room);
void *
fault_grub_fdt_load (grub_size_t room)
{
  return IS_DUE (CALL) ? no_memory () : grub_fdt_load (room);
}

grub_dl_t fault_grub_dl_load (const char *name);
grub_dl_t
fault_grub_dl_load (const char *name)
{
  if (!IS_DUE (CALL))
    return grub_dl_load (name);
  grub_error (GRUB_ERR_FILE_NOT_FOUND, "no module of that name");
  return NULL;
}

grub_err_t fault_grub_verify_string (char *text,
				     enum grub_verify_string_type type);
grub_err_t
fault_grub_verify_string (char *text, enum grub_verify_string_type type)
{
  return IS_DUE (CALL)
    ? grub_error (GRUB_ERR_BAD_SIGNATURE, "a verifier refuses the string")
    : grub_verify_string (text, type);
}

grub_err_t fault_grub_create_loader_cmdline
  (int argc, char **argv, char *buffer, grub_size_t size,
   enum grub_verify_string_type type);
grub_err_t
fault_grub_create_loader_cmdline
  (int argc, char **argv, char *buffer, grub_size_t size,
   enum grub_verify_string_type type)
{
  return IS_DUE (CALL)
    ? grub_error (GRUB_ERR_BAD_SIGNATURE, "a verifier refuses the string")
    : grub_create_loader_cmdline (argc, argv, buffer, size, type);
}

/* A firmware that fixes trees up, as EDK2 does not, and wants more room for
   that than there is at first.  */
static int has_wanted_room;

static grub_efi_status_t
fault_fixup (struct dom0less_dt_fixup *self __attribute__ ((unused)),
	     void *fdt __attribute__ ((unused)), grub_efi_uintn_t *size,
	     grub_efi_uint32_t flags)
{
  if (IS_DUE (CALL))
    return GRUB_EFI_OUT_OF_RESOURCES;
  if (has_wanted_room || !(flags & DOM0LESS_DT_APPLY_FIXUPS))
    return GRUB_EFI_SUCCESS;
  has_wanted_room = 1;
  *size += 4096;
  return GRUB_EFI_BUFFER_TOO_SMALL;
}

void *fault_grub_efi_locate_protocol (grub_guid_t *guid, void *registration);
void *
fault_grub_efi_locate_protocol (grub_guid_t *guid __attribute__ ((unused)),
				void *registration __attribute__ ((unused)))
{
  static struct dom0less_dt_fixup fixup = { 0x10000, fault_fixup };

  return IS_DUE (CALL) ? NULL : &fixup;
}

/*
 * The firmware's, which are called by its table, and the disk's.
 */

static __typeof__ (((grub_efi_boot_services_t *) 0)->load_image) load_image;
static __typeof__ (((grub_efi_boot_services_t *) 0)->start_image) start_image;
static __typeof__ (((grub_efi_boot_services_t *) 0)
		   ->install_configuration_table) install_table;
static __typeof__ (((struct grub_disk_dev *) 0)->disk_read) disk_read;
static grub_disk_dev_t disk_device;

static grub_efi_status_t __grub_efi_api
fault_load_image (grub_efi_boolean_t policy, grub_efi_handle_t parent,
		  grub_efi_device_path_t *path, void *source,
		  grub_efi_uintn_t size, grub_efi_handle_t *image)
{
  return IS_DUE (CALL) ? GRUB_EFI_OUT_OF_RESOURCES
    : load_image (policy, parent, path, source, size, image);
}

/* The two that the loader has in its hands while Xen runs.  */
static __typeof__ (((grub_efi_boot_services_t *) 0)->get_memory_map)
  get_memory_map;
static __typeof__ (((grub_efi_boot_services_t *) 0)->exit_boot_services)
  exit_boot_services;

static grub_efi_uint32_t
sum_of_table (void)
{
  grub_efi_boot_services_t *b = grub_efi_system_table->boot_services;
  grub_efi_uint32_t said = b->hdr.crc32, sum = 0;

  b->hdr.crc32 = 0;
  b->calculate_crc32 (b, b->hdr.header_size, &sum);
  b->hdr.crc32 = said;
  return sum;
}

/* While Xen runs both are the loader's, and at all other times the firmware's;
   the sum of the table is always right.  */
static void
look_at_services (int are_loaders)
{
  grub_efi_boot_services_t *b = grub_efi_system_table->boot_services;

  if ((b->get_memory_map != get_memory_map) != are_loaders
      || (b->exit_boot_services != exit_boot_services) != are_loaders)
    grub_fatal ("somebody else has the firmware's services");
  if (b->hdr.crc32 != sum_of_table ())
    grub_fatal ("the sum of the firmware's services is wrong");
}

/* As if Xen had come back, always; or as if the firmware did not want to start
   it, which leaves the image to whoever has loaded it.  */
static grub_efi_status_t __grub_efi_api
fault_start_image (grub_efi_handle_t image,
		   grub_efi_uintn_t *size __attribute__ ((unused)),
		   grub_efi_char16_t **data __attribute__ ((unused)))
{
  look_at_services (1);
  if (IS_DUE (CALL))
    return GRUB_EFI_SECURITY_VIOLATION;
  grub_efi_system_table->boot_services->unload_image (image);
  return GRUB_EFI_ABORTED;
}

static grub_efi_status_t __grub_efi_api
fault_install_table (grub_guid_t *guid, void *table)
{
  return IS_DUE (CALL) ? GRUB_EFI_OUT_OF_RESOURCES
    : install_table (guid, table);
}

/* From then on nothing that was asked for there can be read: whoever fails to
   read much tries to read less.  */
static grub_err_t
fault_disk_read (grub_disk_t disk, grub_disk_addr_t sector, grub_size_t size,
		 char *buffer)
{
  if (IS_DUE (DISK))
    {
      bad_sector = sector;
      n_bad_sectors = size;
    }
  if (sector < bad_sector + n_bad_sectors && bad_sector < sector + size)
    return grub_error (GRUB_ERR_READ_ERROR, "a bad sector");
  return disk_read (disk, sector, size, buffer);
}

static void
swap_in (void)
{
  grub_efi_boot_services_t *b = grub_efi_system_table->boot_services;

  load_image = b->load_image;
  start_image = b->start_image;
  install_table = b->install_configuration_table;
  get_memory_map = b->get_memory_map;
  exit_boot_services = b->exit_boot_services;
  disk_read = disk_device->disk_read;
  b->load_image = fault_load_image;
  b->start_image = fault_start_image;
  b->install_configuration_table = fault_install_table;
  disk_device->disk_read = fault_disk_read;
  b->hdr.crc32 = sum_of_table ();
}

static void
swap_out (void)
{
  grub_efi_boot_services_t *b = grub_efi_system_table->boot_services;

  b->load_image = load_image;
  b->start_image = start_image;
  b->install_configuration_table = install_table;
  disk_device->disk_read = disk_read;
  b->hdr.crc32 = sum_of_table ();
}

/*
 * What memory is used for.
 */

#define N_TYPES		GRUB_EFI_MAX_MEMORY_TYPE
#define MAP_SIZE	(64 << 10)

struct usage
{
  grub_ssize_t heap;			/* bytes that somebody has */
  grub_ssize_t pages[N_TYPES];		/* without those of the heap */
};

static char map[MAP_SIZE] __attribute__ ((aligned (16)));

static void
measure (struct usage *usage)
{
  grub_efi_uintn_t size = sizeof (map), step, at;
  grub_size_t heap_size = 0;
  grub_mm_region_t region;

  grub_memset (usage, 0, sizeof (*usage));
  for (region = grub_mm_base; region; region = region->next)
    {
      grub_mm_header_t block = region->first;

      heap_size += sizeof (*region) + region->pre_size + region->size
	+ region->post_size;
      usage->heap += region->size;
      if (block->magic == GRUB_MM_FREE_MAGIC)
	do
	  {
	    usage->heap -= block->size << GRUB_MM_ALIGN_LOG2;
	    block = block->next;
	  }
	while (block != region->first);
    }

  if (grub_efi_get_memory_map (&size, (void *) map, NULL, &step, NULL) != 1)
    grub_fatal ("no memory map");
  for (at = 0; at + step <= size; at += step)
    {
      grub_efi_memory_descriptor_t *entry = (void *) (map + at);

      if (entry->type < N_TYPES)
	usage->pages[entry->type] += entry->num_pages;
    }
  usage->pages[GRUB_EFI_LOADER_DATA] -= heap_size >> 12;
  /* What the heap takes and what the firmware's pool does.  */
  usage->pages[GRUB_EFI_CONVENTIONAL_MEMORY] = 0;
}

/* Pages that are given back have to be somebody's.  */
static int n_freed_twice;

void fault_grub_efi_free_pages (grub_efi_physical_address_t address,
				grub_efi_uintn_t count);
void
fault_grub_efi_free_pages (grub_efi_physical_address_t address,
			   grub_efi_uintn_t count)
{
  grub_efi_uintn_t size = sizeof (map), step, at;

  if (grub_efi_get_memory_map (&size, (void *) map, NULL, &step, NULL) != 1)
    grub_fatal ("no memory map");
  for (at = 0; at + step <= size; at += step)
    {
      grub_efi_memory_descriptor_t *entry = (void *) (map + at);

      if (entry->type == GRUB_EFI_CONVENTIONAL_MEMORY
	  && address >= entry->physical_start
	  && address - entry->physical_start < entry->num_pages << 12)
	n_freed_twice++;
    }
  grub_efi_free_pages (address, count);
}

/* Print what is more in AFTER than in BEFORE.  Returns whether it is a leak:
   the firmware's own pool may take a page now and then.  */
static int
compare (const struct usage *before, const struct usage *after)
{
  int type, leaks = before->heap != after->heap;

  if (n_freed_twice)
    {
      grub_printf (" FREED TWICE %d", n_freed_twice);
      n_freed_twice = 0;
      leaks = 1;
    }
  if (before->heap != after->heap)
    grub_printf (" LEAK heap %ld", (long) (after->heap - before->heap));
  for (type = 0; type < N_TYPES; type++)
    if (before->pages[type] != after->pages[type]
	&& type != GRUB_EFI_BOOT_SERVICES_DATA)
      {
	grub_printf (" LEAK type %d %ld", type,
		     (long) (after->pages[type] - before->pages[type]));
	leaks = 1;
      }
  return leaks;
}

/* GRUB has no function for it, but it drops the cache when the heap is full and
   cannot grow.  */
static void
drop_disk_cache (void)
{
  grub_mm_add_region_func_t grow = grub_mm_add_region_fn;

  grub_mm_add_region_fn = NULL;
  grub_free (grub_malloc ((grub_size_t) 1 << 40));
  grub_mm_add_region_fn = grow;
  grub_errno = GRUB_ERR_NONE;
}

/*
 * The command.
 */

static grub_command_t command;
static int n_arguments;
static char **arguments;

/* Run the command with the Nth call failing, none if N is 0; WITH_BOOT goes on
   to Xen's start, which never succeeds.  Nothing is printed meanwhile, and GRUB's
   error is left in MESSAGE.  */
static grub_err_t
run (int n, int with_boot, char *message, grub_size_t size)
{
  struct grub_term_output *outputs = grub_term_outputs;
  grub_err_t err;

  grub_term_outputs = NULL;
  drop_disk_cache ();
  failed = NULL;
  ended = NULL;
  n_bad_sectors = 0;
  has_wanted_room = 0;
  countdown = n;
  err = command->func (command, n_arguments, arguments);
  if (!err && with_boot && grub_loader_is_loaded ())
    err = grub_loader_boot ();
  countdown = 0;
  ended = NULL;
  n_bad_sectors = 0;
  grub_snprintf (message, size, "%s", grub_errno ? grub_errmsg : "");
  if (err != grub_errno)
    grub_snprintf (message, size, "returned %d, but error %d", err,
		   grub_errno);
  grub_errno = GRUB_ERR_NONE;
  grub_loader_unset ();
  grub_errno = GRUB_ERR_NONE;
  drop_disk_cache ();
  grub_term_outputs = outputs;
  return err;
}

/* Where in the loader the failed call was.  */
static unsigned long
offset_in_loader (void)
{
  grub_dl_t module = grub_dl_get ("xen_dom0less");
  grub_dl_segment_t segment;

  for (segment = module ? module->segment : NULL; segment;
       segment = segment->next)
    if ((char *) failed_at >= (char *) segment->addr
	&& (char *) failed_at < (char *) segment->addr + segment->size)
      return (char *) failed_at - (char *) segment->addr;
  return 0;
}

static grub_err_t
grub_cmd_faults (grub_command_t self __attribute__ ((unused)),
		 int argc, char **argv)
{
  struct usage start, before, after;
  char usual[256], message[256], again[256];
  grub_err_t expected;
  int n, is_refused, leaks = 0, refused = 0, passed = 0, lost = 0;

  if (argc < 2)
    return grub_error (GRUB_ERR_BAD_ARGUMENT, "KIND COMMAND expected");
  for (kind = SHORT; kind > NONE; kind--)
    if (grub_strcmp (argv[0], kind_names[kind]) == 0)
      break;
  if (kind == NONE)
    return grub_error (GRUB_ERR_BAD_ARGUMENT, "no such kind of fault");
  command = grub_command_find (argv[1]);
  if (!command)
    return grub_errno;
  n_arguments = argc - 2;
  arguments = argv + 2;

  for (disk_device = grub_disk_dev_list;
       disk_device->id != GRUB_DISK_DEVICE_EFIDISK_ID;
       disk_device = disk_device->next)
    ;

  swap_in ();
  /* What GRUB does once: modules, caches, the heap's growth.  */
  run (0, 1, usual, sizeof (usual));
  expected = run (0, 0, again, sizeof (again));
  run (0, 1, usual, sizeof (usual));
  grub_printf ("without a fault: %s\n", usual);

  measure (&start);
  for (n = 1;; n++)
    {
      measure (&before);
      run (n, 1, message, sizeof (message));
      if (!failed)
	break;
      is_refused = grub_strcmp (message, usual) != 0;
      grub_printf ("%d %s %lx %s %s", n, failed, offset_in_loader (),
		   is_refused ? "refused" : "passed", message);
      look_at_services (0);
      measure (&after);
      leaks += compare (&before, &after);
      if (run (0, 0, again, sizeof (again)) != expected)
	{
	  grub_printf (" THEN %s", again);
	  lost++;
	}
      measure (&after);
      leaks += compare (&before, &after);
      grub_printf ("\n");
      if (is_refused)
	refused++;
      else
	passed++;
    }
  measure (&after);
  grub_printf ("%s: %d fault points, %d refused, %d passed, %d then not, "
	       "%d leaks; firmware's pool %ld pages;",
	       kind_names[kind], n - 1, refused, passed, lost, leaks,
	       (long) (after.pages[GRUB_EFI_BOOT_SERVICES_DATA]
		       - start.pages[GRUB_EFI_BOOT_SERVICES_DATA]));
  compare (&start, &after);
  grub_printf ("\n");
  swap_out ();
  return GRUB_ERR_NONE;
}

static grub_command_t cmd;

GRUB_MOD_INIT (xen_dom0less_fault)
{
  cmd = grub_register_command ("faults", grub_cmd_faults,
			       "KIND COMMAND [ARGUMENT]...",
			       "Let each call of COMMAND fail in turn.");
}

GRUB_MOD_FINI (xen_dom0less_fault)
{
  grub_unregister_command (cmd);
}
