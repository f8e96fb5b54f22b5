/* xen_dom0less_platform.h - what the steps of a boot stand on  */
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

#ifndef XEN_DOM0LESS_PLATFORM_HEADER
#define XEN_DOM0LESS_PLATFORM_HEADER	1

#include "xen_dom0less_boot.h"

/*
 * In GRUB these are in xen_dom0less_memory.c, xen_dom0less_firmware.c,
 * xen_dom0less_direct.c, xen_dom0less_start.c and xen_dom0less_handover.c; on a
 * host, in util/dom0less_host*.c.
 */

/* Allocate COUNT pages that end at or below LIMIT, or anywhere.  */
#define DOM0LESS_NO_LIMIT	(~(grub_uint64_t) 0)
grub_err_t dom0less_platform_alloc (struct dom0less_pages *pages,
				    grub_uint64_t limit, grub_size_t count);

/* Allocate COUNT pages at ADDRESS.  */
grub_err_t dom0less_platform_alloc_at (struct dom0less_pages *pages,
				       grub_uint64_t address,
				       grub_size_t count);

/* Free PAGES, if there are any, and forget them.  */
void dom0less_platform_free (struct dom0less_pages *pages);

/* The byte at ADDRESS, in the machine's memory.  */
void *dom0less_platform_at (grub_uint64_t address);

/* Read the memory map into BOOT->memory and BOOT->facts.  */
grub_err_t dom0less_platform_memory_map (struct dom0less_boot *boot);

/* Whether the SIZE bytes at ADDRESS, which somebody else has put there, can be
   looked at.  */
int dom0less_platform_is_readable (const struct dom0less_boot *boot,
				   grub_uint64_t address, grub_uint64_t size);

/* Write SIZE bytes at ADDRESS back to the Point of Coherency.  */
void dom0less_platform_clean_cache (const void *address, grub_size_t size);

/* Read into BOOT->facts the exception level that the firmware, and so GRUB,
   runs at, and what EL2 runs by.  */
void dom0less_platform_read_processor (struct dom0less_boot *boot);

/* Allocate what the handover needs, into BOOT->handover.maps; nothing if the
   variable xen_dom0less_handover is 0.  */
grub_err_t dom0less_platform_prepare_handover (struct dom0less_boot *boot);

/* From here on Xen's image has the firmware's services by way of us, and to
   here.  */
void dom0less_platform_begin_handover (struct dom0less_boot *boot);
void dom0less_platform_end_handover (const struct dom0less_boot *boot);

/* NAME of the command line as a full name: "(device)/file", or on a host
   "/file" of the boot file system.  The caller's to free; NULL is an error.  */
char *dom0less_platform_full_name (const char *name);

/* Open the file of that full name.  LABEL, unless NULL, is what the file is for: a
   line with it is printed before the file is read.  NULL is an error, as is a
   file that no verifier has seen where every file needs a signature.
   GRUB_ERR_FILE_NOT_FOUND means that the file is not there, and nothing else.  */
grub_file_t dom0less_platform_open (const char *path, enum grub_file_type type,
				    const char *label);

/* Read FILE, from its beginning, to BUFFER, which is aligned to a page and has
   whole pages for it: what is possible by large transfers, and what lies between
   such pieces the ordinary way.  FILE->offset says how far it came; if nothing
   failed, ordinary reading can go on from there.  Returns how many bytes came
   by large transfers.  With the variable xen_dom0less_direct=0 it does
   nothing.  */
grub_size_t dom0less_platform_read_direct (grub_file_t file, void *buffer);

/* Open the file PATH as grub_file_open does, but have GRUB's verifiers read it
   directly if they want it whole.  The errors are grub_file_open's.  */
grub_file_t dom0less_open_directly (const char *path, enum grub_file_type type);

/* See what GRUB has to verify, and whether it can: BOOT->facts.is_enforcing is
   set where every file needs a signature.  Refuses where files should need one
   and do not: where GRUB is locked down, or its variable says so.  */
grub_err_t dom0less_platform_check_trust (struct dom0less_boot *boot);

/* The same before Xen is started: refuses if signatures have come to be enforced
   since, as nobody has asked for those of what is loaded.  */
grub_err_t dom0less_platform_recheck_trust (struct dom0less_boot *boot);

/* Load the filter MODULE of GRUB's.  */
grub_err_t dom0less_platform_load_filter (const char *module);

/* Show the command line LINE to the verifiers, which may write to it.  */
grub_err_t dom0less_platform_verify (char *line, enum grub_verify_string_type type);

/* Whether a verifier is there that looks at command lines: the one that
   measures.  */
int dom0less_platform_is_measuring (void);

/* What NODE has at ADDRESS should be measured and cannot be read: an error, if
   there is anybody to mind.  */
grub_err_t dom0less_platform_leave_unmeasured (struct dom0less_boot *boot, int node,
					       grub_uint64_t address);

/* Make BOOT->tree of what `devicetree' loaded, else of the firmware's tree.  */
grub_err_t dom0less_platform_read_tree (struct dom0less_boot *boot);

/* Ask the firmware to do to BOOT->tree, which is a file's, what it has done to
   its own: memory, addresses of network cards, and so on.  */
grub_err_t dom0less_platform_fix_up (struct dom0less_boot *boot);

/* Put BOOT->handover.tree into the EFI configuration table, and back what was
   there before.  If the firmware does not take that back, the table still points
   to BOOT->handover.tree, which is given up: its pages stay allocated.  */
grub_err_t dom0less_platform_install_tree (struct dom0less_boot *boot);
void dom0less_platform_restore_tree (struct dom0less_boot *boot);

/* Let the firmware make an image of BOOT->xen.file, and free the file.  */
grub_err_t dom0less_platform_load_xen (struct dom0less_boot *boot);

/* Start Xen.  Returns, with an error, only if Xen does.  */
grub_err_t dom0less_platform_start_xen (struct dom0less_boot *boot);

/* Let go of Xen's image, if it was loaded and not started.  */
void dom0less_platform_unload_xen (struct dom0less_boot *boot);

#endif
