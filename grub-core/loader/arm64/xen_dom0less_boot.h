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

/* What the command line asks for.  The strings are the caller's.  */
struct dom0less_request
{
  const char *xen;
  int n_xen_args;
  char **xen_args;
  const char *dtb;			/* NULL: loaded or the firmware's */
  char **overlays;			/* these lists end with NULL */
  char **modules;
  const char *config;			/* NULL without */
  const char *section;
  int is_dry_run;
};

/* A file that nodes call by a key or by a number.  */
struct dom0less_key
{
  char *key;				/* NULL without */
  char *path;
  int index;				/* or GRUB_DOM0LESS_NONE */
  int is_used;
};

struct dom0less_boot
{
  const struct dom0less_request *request;	/* until it is armed */
  char *xen;				/* "(device)/directory/file" */
  char *xen_args;			/* NULL: the tree's own stay */
  void *tree;				/* the working tree, on the heap */
  char *tree_name;			/* a file's, or what else to call it */
  int tree_is_file;
  char *config;				/* xen.cfg's text, cut; or NULL */
  char *config_name;
  grub_size_t config_size;
  char *section;			/* the config's section, or NULL */
  struct dom0less_key *keys;
  int n_keys;
  struct grub_dom0less_plan *plan;
  char **paths;				/* of each module, NULL: not loaded */
  struct grub_dom0less_memory *memory;	/* the firmware's map */
  struct grub_dom0less_machine machine;
  struct grub_dom0less_scene scene;
  char *error;				/* the last error's text, untold */
  int is_quiet;				/* warnings were told before */
  int is_forced;			/* no rule refuses, nothing is claimed */

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

/* xen_dom0less_report.c */

/* Make BOOT->scene tell of findings on the console.  With the variable
   xen_dom0less_force=1 no rule refuses and nothing is claimed: the tests' way
   to show that what is refused, and what is claimed, matters.  */
void dom0less_listen (struct dom0less_boot *boot);

/* Make GRUB's error of the findings so far, if there is one among them.  */
grub_err_t dom0less_judge (struct dom0less_boot *boot);

/* Report WHAT against RULE at NODE, and judge.  */
grub_err_t dom0less_refuse (struct dom0less_boot *boot,
			    enum grub_dom0less_rule_number rule, int node,
			    const char *what);

/* What to call DOMAIN, an index of the plan or GRUB_DOM0LESS_DOM0.  */
const char *dom0less_domain_name (const struct dom0less_boot *boot,
				  int domain);

/* GRUB's message without the source file and line of newer versions.  */
const char *dom0less_bare_message (const char *message);

/* xen_dom0less_file.c */

/* NAME of the command line as "(device)/file": without a slash GRUB would read
   a block list.  The caller's to free; NULL is an error.  */
char *dom0less_full_name (const char *name);

/* NAME as a tree or a xen.cfg means it, likewise.  */
char *dom0less_resolve (const struct dom0less_boot *boot, const char *name);


/* Read the file PATH, opened as TYPE, to its end, whatever it says its size
   is: into PAGES at or below LIMIT, the size in bytes into *SIZE.  PAGES is
   the caller's to free, and has no pages after an error.  LABEL, unless NULL,
   is what the file is for: a line with it is printed while the file loads.  */
grub_err_t dom0less_read_file (const char *path, enum grub_file_type type,
			       grub_efi_physical_address_t limit,
			       const char *label,
			       struct dom0less_pages *pages,
			       grub_size_t *size);

/* The same with a FILE that is open, and stays so.  */
grub_err_t dom0less_read_all (grub_file_t file,
			      grub_efi_physical_address_t limit,
			      struct dom0less_pages *pages,
			      grub_size_t *size);

/* Read the file PATH, opened as TYPE, onto the heap, with a zero byte behind
   its *SIZE bytes.  The caller's to free; NULL is an error.  */
char *dom0less_read_text (const char *path, enum grub_file_type type,
			  grub_size_t *size);

/* xen_dom0less_unpack.c */

/* Unpack the SIZE bytes at PACKED, which COMPRESSION ("gzip", "xzkern",
   "zstd22", as in a zboot image) names, into PAGES at or below LIMIT; *UNPACKED is the size, which has to be
   known before for zstd.  */
grub_err_t dom0less_unpack (const void *packed, grub_size_t size,
			    const char *compression,
			    grub_efi_physical_address_t limit,
			    struct dom0less_pages *pages,
			    grub_size_t *unpacked);

/* Read what the Xen image in BOOT->xen_file says of itself into
   BOOT->machine.xen.  What it does not say stays unknown.  */
void dom0less_read_xen_facts (struct dom0less_boot *boot);

/* xen_dom0less_config.c */

/* Read the xen.cfg NAME, or with NULL the one that Xen's EFI stub would find
   beside Xen, and the files it is chained to, up to the one that has the
   section.  */
grub_err_t dom0less_read_config (struct dom0less_boot *boot,
				 const char *name);

/* Write what the config says of the dom0 into BOOT->tree.  */
grub_err_t dom0less_apply_config (struct dom0less_boot *boot);

/* Collect the keys of --module and of the config.  */
grub_err_t dom0less_gather_keys (struct dom0less_boot *boot);

/* The GRUB name of MODULE's file: the one that a key stands for, or what the
   tree's name resolves to; NULL without an error if nothing is to be loaded.
   The caller's to free.  */
char *dom0less_module_path (struct dom0less_boot *boot,
			    const struct grub_dom0less_module *module);

/* Warn of keys that no module has used.  */
void dom0less_report_unused_keys (struct dom0less_boot *boot);

/* xen_dom0less_show.c */

/* Print the plan as a table, and the memory it gives a purpose in order.  */
void dom0less_show (struct dom0less_boot *boot);

/* xen_dom0less_load.c */

/* Load every image of the plan, and Xen's.  */
grub_err_t dom0less_load (struct dom0less_boot *boot);

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

/* Take every free piece of the plan's ranges, by the map as it is now, so that
   the firmware places nothing there: it allocates from the top of memory, which is where static
   ranges like to be.  */
grub_err_t dom0less_claim (struct dom0less_boot *boot);

/* Write SIZE bytes at ADDRESS back to the Point of Coherency.  */
void dom0less_clean_cache (const void *address, grub_size_t size);

/* xen_dom0less_tree.c */

/* Read the base tree, from the file NAME or, if that is NULL, the one that
   `devicetree' loaded or the firmware's, into BOOT->tree; apply the request's
   overlays to it, and let the firmware fix it up if it came from a file.  */
grub_err_t dom0less_gather_tree (struct dom0less_boot *boot,
				 const char *name);

/* Give BOOT->tree room for ROOM bytes more.  */
grub_err_t dom0less_grow_tree (struct dom0less_boot *boot, grub_size_t room);

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
