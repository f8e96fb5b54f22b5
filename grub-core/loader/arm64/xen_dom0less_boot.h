/* xen_dom0less_boot.h - everything that one boot owns  */
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

#ifndef XEN_DOM0LESS_BOOT_HEADER
#define XEN_DOM0LESS_BOOT_HEADER	1

#include <grub/efi/api.h>
#include <grub/cpu/efi/memory.h>
#include <grub/err.h>
#include <grub/file.h>
#include <grub/types.h>
#include <grub/xen_dom0less.h>

#define DOM0LESS_PAGE_SHIFT	12

/* Pages of EFI memory; none if COUNT is 0.  */
struct dom0less_pages
{
  grub_efi_physical_address_t address;
  grub_efi_uintn_t count;
};

struct dom0less_boot
{
  char *xen;				/* "(device)/directory/file" */
  char *xen_args;			/* NULL: the tree's own stay */
  void *tree;				/* the working tree, on the heap */
  const char *tree_name;		/* a file's, or what else to call it */
  struct grub_dom0less_plan *plan;
  char **paths;				/* of each module, NULL: not loaded */
  struct grub_dom0less_memory *memory;	/* the firmware's map */
  struct grub_dom0less_machine machine;
  struct grub_dom0less_scene scene;
  int n_errors;
  char *error;				/* the last error's text, untold */

  struct dom0less_pages *images;	/* one for each of the plan's */
  struct dom0less_pages *claims;	/* what nobody else may get */
  grub_size_t n_claims;
  struct dom0less_pages xen_file;	/* until Xen's image is made of it */
  grub_size_t xen_size;
  grub_efi_handle_t xen_image;
  struct dom0less_pages final_tree;	/* what Xen gets */

  void *firmware_tree;			/* what was installed before ... */
  int installed;			/* ... if this is set */
};

/* xen_dom0less_file.c */

/* Read the file PATH, opened as TYPE, to its end, whatever it says its size
   is: into PAGES at or below LIMIT, the size in bytes into *SIZE.  PAGES is
   the caller's to free, and has no pages after an error.  LABEL, unless NULL,
   is what the file is for: a line with it is printed while the file loads.  */
grub_err_t dom0less_read_file (const char *path, enum grub_file_type type,
			       grub_efi_physical_address_t limit,
			       const char *label,
			       struct dom0less_pages *pages,
			       grub_size_t *size);

/* xen_dom0less_memory.c */

/* Allocate COUNT pages as TYPE says (any, at most ADDRESS, or at ADDRESS).  */
grub_err_t dom0less_pages_alloc (struct dom0less_pages *pages,
				 grub_efi_allocate_type_t type,
				 grub_efi_physical_address_t address,
				 grub_efi_uintn_t count);

/* Free PAGES, if there are any, and forget them.  */
void dom0less_pages_free (struct dom0less_pages *pages);

/* Read the firmware's memory map into BOOT->memory and BOOT->machine.  */
grub_err_t dom0less_memory_map (struct dom0less_boot *boot);

/* Take every free piece of the plan's ranges, so that the firmware places
   nothing there: it allocates from the top of memory, which is where static
   ranges like to be.  */
grub_err_t dom0less_claim (struct dom0less_boot *boot);

/* Write SIZE bytes at ADDRESS back to the Point of Coherency.  */
void dom0less_clean_cache (const void *address, grub_size_t size);

/* xen_dom0less_tree.c */

/* Read the base tree, from the file NAME or, if that is NULL, the one that
   `devicetree' loaded or the firmware's, into BOOT->tree.  */
grub_err_t dom0less_gather_tree (struct dom0less_boot *boot,
				 const char *name);

/* Make BOOT->final_tree of BOOT->tree and the plan.  */
grub_err_t dom0less_patch_tree (struct dom0less_boot *boot);

/* Put BOOT->final_tree into the EFI configuration table, and back what was
   there before.  */
grub_err_t dom0less_install_tree (struct dom0less_boot *boot);
void dom0less_restore_tree (struct dom0less_boot *boot);

/* xen_dom0less_start.c */

/* The exception level that the firmware, and so GRUB, runs at.  */
int dom0less_exception_level (void);

/* Let the firmware make an image of BOOT->xen_file, and free the file.  */
grub_err_t dom0less_load_xen (struct dom0less_boot *boot);

/* Start Xen.  Returns, with an error, only if Xen does.  */
grub_err_t dom0less_start_xen (struct dom0less_boot *boot);

/* Let go of Xen's image, if it was loaded and not started.  */
void dom0less_unload_xen (struct dom0less_boot *boot);

#endif
