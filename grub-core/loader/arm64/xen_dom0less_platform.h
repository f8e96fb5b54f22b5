/* xen_dom0less_platform.h - the platform that the steps of a boot use  */
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
 * In GRUB these functions are in xen_dom0less_memory.c, xen_dom0less_open.c,
 * xen_dom0less_direct.c, xen_dom0less_firmware.c, xen_dom0less_start.c and
 * xen_dom0less_handover.c; on a host, they are in util/dom0less_host*.c.
 */

/* Allocate COUNT pages that end at or below LIMIT, which may be
   DOM0LESS_NO_LIMIT.  */
#define DOM0LESS_NO_LIMIT	(~(grub_uint64_t) 0)
grub_err_t dom0less_platform_alloc (struct dom0less_pages *pages,
				    grub_uint64_t limit, grub_size_t count);

/* Allocate COUNT pages at ADDRESS.  */
grub_err_t dom0less_platform_alloc_at (struct dom0less_pages *pages,
				       grub_uint64_t address,
				       grub_size_t count);

/* Free PAGES if there are any, and mark them as freed.  */
void dom0less_platform_free (struct dom0less_pages *pages);

/* Return a pointer to the byte at ADDRESS of the machine's memory.  */
void *dom0less_platform_at (grub_uint64_t address);

/* Read the memory map into BOOT->memory and BOOT->facts.  */
grub_err_t dom0less_platform_memory_map (struct dom0less_boot *boot);

/* Return whether the SIZE bytes at ADDRESS, which another loader has filled,
   can be read.  */
int dom0less_platform_is_readable (const struct dom0less_boot *boot,
				   grub_uint64_t address, grub_uint64_t size);

/* Clean the SIZE bytes at ADDRESS to the Point of Coherency.  */
void dom0less_platform_clean_cache (const void *address, grub_size_t size);

/* Store the exception level of the firmware, and therefore of GRUB, and the
   registers of EL2 in BOOT->facts.  */
void dom0less_platform_read_processor (struct dom0less_boot *boot);

/* Allocate what the handover needs in BOOT->handover.maps.  Do nothing if the
   variable xen_dom0less_handover is 0.  */
grub_err_t dom0less_platform_prepare_handover (struct dom0less_boot *boot);

/* Begin and end the time in which Xen's image calls two of the firmware's
   services through this loader.  */
void dom0less_platform_begin_handover (struct dom0less_boot *boot);
void dom0less_platform_end_handover (const struct dom0less_boot *boot);

/* Return NAME, from the command line, as a full name: "(device)/file", or on a
   host "/file" of the boot file system.  The caller has to free it.  NULL is
   an error.  */
char *dom0less_platform_full_name (const char *name);

/* Open the file with the full name PATH.  If LABEL, which says what the file
   is for, is not NULL, print a line with it before the file is read.  NULL is
   an error.  It is also an error if every file needs a signature, and no
   verifier has seen this one.  GRUB_ERR_FILE_NOT_FOUND always means that the
   file does not exist.  */
grub_file_t dom0less_platform_open (const char *path, enum grub_file_type type,
				    const char *label);

/* Read FILE from its beginning into BUFFER, which is aligned to a page and
   extends to the end of the file's last page.  Use large transfers where
   possible, and read what lies between them in the ordinary way.  FILE->offset
   is then the end of what has been read; unless there was an error, ordinary
   reads can continue from there.  Return the number of bytes that were read by
   large transfers.  With the variable xen_dom0less_direct=0 this does
   nothing.  */
grub_size_t dom0less_platform_read_direct (grub_file_t file, void *buffer);

/* Open the file PATH as grub_file_open does.  If GRUB's verifiers read the
   whole file, serve that read directly.  The errors are those of
   grub_file_open.  */
grub_file_t dom0less_platform_open_directly (const char *path,
					     enum grub_file_type type);

/* Let verifiers find a SHA-256 that uses the processor's own instructions, if
   GRUB has loaded its own SHA-256 and nothing speaks against the instructions:
   the variable xen_dom0less_sha256=0, the processor, the firmware or a
   self-test.  */
void dom0less_register_digest (void);

/* Undo that.  */
void dom0less_unregister_digest (void);

/* Find out whether signatures are enforced, and set BOOT->facts.is_enforcing
   accordingly.  Refuse if they should be enforced but are not: if GRUB is
   locked down, or its variable check_signatures is on.  */
grub_err_t dom0less_platform_check_trust (struct dom0less_boot *boot);

/* Check the same before Xen is started.  Refuse if signatures have become
   enforced since the files were loaded without them.  */
grub_err_t dom0less_platform_recheck_trust (struct dom0less_boot *boot);

/* Load GRUB's module MODULE, which contains a file filter.  */
grub_err_t dom0less_platform_load_filter (const char *module);

/* Show the string LINE to the verifiers, which may write to it.  */
grub_err_t dom0less_platform_verify (char *line, enum grub_verify_string_type type);

/* Return whether there is a verifier of command lines, which is the one that
   measures.  */
int dom0less_platform_is_measuring (void);

/* Handle memory at ADDRESS that should be measured for NODE but cannot be
   read.  This is an error, unless nothing is measured.  */
grub_err_t dom0less_platform_leave_unmeasured (struct dom0less_boot *boot, int node,
					       grub_uint64_t address);

/* Copy the tree that `devicetree' has loaded, or else the firmware's, to
   BOOT->tree.  */
grub_err_t dom0less_platform_read_tree (struct dom0less_boot *boot);

/* Let the firmware apply to BOOT->tree, which came from a file, the changes
   that it has made to its own tree, such as memory nodes and the addresses of
   network cards.  */
grub_err_t dom0less_platform_fix_up (struct dom0less_boot *boot);

/* Install BOOT->handover.tree in the EFI configuration table, and restore the
   previous entry.  If the firmware does not accept the previous entry, the
   table still points to BOOT->handover.tree, so its pages stay allocated for
   good.  */
grub_err_t dom0less_platform_install_tree (struct dom0less_boot *boot);
void dom0less_platform_restore_tree (struct dom0less_boot *boot);

/* Let the firmware load an image from BOOT->xen.file, and free the file.  */
grub_err_t dom0less_platform_load_xen (struct dom0less_boot *boot);

/* Start Xen.  This returns only if Xen does, which is an error.  */
grub_err_t dom0less_platform_start_xen (struct dom0less_boot *boot);

/* Unload Xen's image, if it was loaded and has not been started.  */
void dom0less_platform_unload_xen (struct dom0less_boot *boot);

#endif
