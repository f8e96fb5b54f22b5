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

#include <grub/err.h>
#include <grub/file.h>
#include <grub/types.h>
#include <grub/verify.h>
#include <grub/xen_dom0less.h>

/*
 * The steps of a boot, and the machine that they stand on.  The steps are the
 * same in GRUB and in the host's grub-dom0less-check; the machine is the
 * firmware in one, and made up of files in the other.
 */

#define DOM0LESS_PAGE_SHIFT	12
#define DOM0LESS_PAGE_MASK	(((grub_uint64_t) 1 << DOM0LESS_PAGE_SHIFT) - 1)

/* How many pages SIZE bytes take.  */
#define DOM0LESS_PAGES(size)					\
  (((size) >> DOM0LESS_PAGE_SHIFT)				\
   + (((size) & DOM0LESS_PAGE_MASK) != 0))

/* Pages of the machine's memory; none if COUNT is 0.  */
struct dom0less_pages
{
  grub_uint64_t address;
  grub_size_t count;
};

/* What the command line asks for.  The strings are the caller's.  */
struct dom0less_request
{
  const char *xen;
  const char *dtb;			/* NULL: loaded or the firmware's */
  char **overlays;			/* these lists end with NULL */
  char **modules;
  const char *config;			/* NULL without */
  const char *section;
};

/* A file that nodes call by a key or by a number.  */
struct dom0less_key
{
  char *key;				/* NULL without */
  char *path;
  int index;				/* or GRUB_DOM0LESS_NONE */
  int is_used;
};

struct dom0less_overlay
{
  char *path;
  void *fdt;				/* as it was read */
  grub_size_t size;
};

struct dom0less_boot
{
  const struct dom0less_request *request;	/* until it is armed */
  char *xen;				/* "(device)/directory/file" */
  char *xen_args;			/* NULL: the tree's own stay */
  void *tree;				/* the working tree, on the heap */
  char *tree_name;			/* a file's, or what else to call it */
  int tree_is_file;
  struct dom0less_overlay *overlays;	/* once they are read */
  int n_overlays;
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
  struct grub_dom0less_tally tally;
  char *error;				/* the last error's text, untold */
  int is_quiet;				/* warnings were told before */

  struct dom0less_pages *images;	/* one for each of the plan's */
  struct dom0less_pages *claims;	/* what nobody else may get */
  grub_size_t n_claims;
  struct dom0less_pages xen_file;	/* until Xen's image is made of it */
  grub_size_t xen_size;
  void *xen_image;			/* the firmware's handle */
  struct dom0less_pages final_tree;	/* what Xen gets */
  struct dom0less_pages maps;		/* two memory maps of the handover */

  void *firmware_tree;			/* what was installed before ... */
  int installed;			/* ... if this is set */
};


/*
 * The steps.
 */

/* xen_dom0less_gather.c */

/* Read Xen, the xen.cfg, the tree and the keys that BOOT->request asks for.  */
grub_err_t dom0less_gather (struct dom0less_boot *boot);

/* Make BOOT->plan of the tree, and find each module's file.  */
grub_err_t dom0less_make_plan (struct dom0less_boot *boot);

/* Apply the rules of PHASE, with the memory map as it is now.  */
grub_err_t dom0less_check (struct dom0less_boot *boot,
			   enum grub_dom0less_phase phase);

/* LIST, of COUNT elements of SIZE bytes on the heap, with room for one more.
   NULL is an error, and leaves LIST as it is.  */
void *dom0less_extend (void *list, grub_size_t count, grub_size_t size);

/* Give back all that BOOT owns, and BOOT itself.  Any part of it may be
   missing, so this is the way out of every step.  */
void dom0less_free (struct dom0less_boot *boot);

/* xen_dom0less_report.c */

/* Make BOOT->scene tell of findings on the console.  */
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

/* Print TEXT, which comes from a tree: what a terminal could obey is not shown
   to it.  */
void dom0less_print (const char *text);

/* GRUB's message without the "FILE.c:FUNCTION:LINE:" of newer versions.  */
const char *dom0less_bare_message (const char *message);

/* xen_dom0less_file.c */

/* NAME as a tree or a xen.cfg means it, as a full name.  The caller's to free;
   NULL is an error.  */
char *dom0less_resolve (const struct dom0less_boot *boot, const char *name);

/* Read the file PATH, opened as TYPE, to its end, whatever it says its size
   is: into PAGES below LIMIT, the size in bytes into *SIZE.  PAGES is
   the caller's to free, and has no pages after an error.  LABEL, unless NULL,
   is what the file is for: a line with it is printed while the file loads.  */
grub_err_t dom0less_read_file (const char *path, enum grub_file_type type,
			       grub_uint64_t limit, const char *label,
			       struct dom0less_pages *pages,
			       grub_size_t *size);

/* The same with a FILE that is open, and stays so.  */
grub_err_t dom0less_read_all (grub_file_t file, grub_uint64_t limit,
			      struct dom0less_pages *pages,
			      grub_size_t *size);

/* Read the file PATH, opened as TYPE, onto the heap, with a zero byte behind
   its *SIZE bytes.  The caller's to free; NULL is an error.  */
char *dom0less_read_text (const char *path, enum grub_file_type type,
			  grub_size_t *size);

/* xen_dom0less_unpack.c */

/* What the first of GRUB's decompressors that knows the file BELOW makes of it,
   or BELOW itself.  NULL is an error, and BELOW is closed.  */
grub_file_t dom0less_filter (grub_file_t below);

/* Unpack the SIZE bytes at PACKED, which COMPRESSION ("gzip", "xzkern",
   "zstd22", as in a zboot image) names, into PAGES below LIMIT; *UNPACKED is
   the size, which has to be known before for zstd.  */
grub_err_t dom0less_unpack (const void *packed, grub_size_t size,
			    const char *compression, grub_uint64_t limit,
			    struct dom0less_pages *pages,
			    grub_size_t *unpacked);

/* Read what the Xen image in BOOT->xen_file says of itself into
   BOOT->machine.xen.  What it does not say stays unknown.  */
grub_err_t dom0less_read_xen_facts (struct dom0less_boot *boot);

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

/* The full name of MODULE's file: the one that a key stands for, or what the
   tree's name resolves to; NULL without an error if nothing is to be loaded.
   The caller's to free.  */
char *dom0less_module_path (struct dom0less_boot *boot,
			    const struct grub_dom0less_module *module);

/* Warn of keys that no module has used.  */
void dom0less_report_unused_keys (struct dom0less_boot *boot);

/* xen_dom0less_tree.c */

/* Read the base tree, from the file NAME or, if that is NULL, the one that the
   machine has, into BOOT->tree; apply the request's overlays to it, and let the
   firmware fix it up if it came from a file.  */
grub_err_t dom0less_gather_tree (struct dom0less_boot *boot,
				 const char *name);

/* Make BOOT->tree of the SIZE bytes at FDT, if they are a tree.  */
grub_err_t dom0less_adopt_tree (struct dom0less_boot *boot, const void *fdt,
				grub_size_t size);

/* Give BOOT->tree room for ROOM bytes more.  */
grub_err_t dom0less_grow_tree (struct dom0less_boot *boot, grub_size_t room);

/* Make BOOT->final_tree of BOOT->tree and the plan.  */
grub_err_t dom0less_patch_tree (struct dom0less_boot *boot);

/* xen_dom0less_load.c */

/* Show the tree and the command lines to the verifiers, claim the plan's ranges
   and load every image, and Xen's.  */
grub_err_t dom0less_load (struct dom0less_boot *boot);

/* Take every free piece of the plan's ranges, by the map as it is now, so that
   the firmware places nothing there: it allocates from the top of memory,
   which is where static ranges like to be.  */
grub_err_t dom0less_claim (struct dom0less_boot *boot);

/* xen_dom0less_show.c */

/* What DOMAIN's memory (in KiB) and virtual processors are.  Returns 0, and
   leaves both alone, if the tree does not say so; of the dom0 it never does.  */
int dom0less_domain_needs (const struct dom0less_boot *boot, int domain,
			   grub_uint64_t *memory, grub_uint32_t *cpus);

/* Print the plan as a table, and the memory it gives a purpose in order.  */
void dom0less_show (struct dom0less_boot *boot);


/*
 * The machine: xen_dom0less_memory.c, xen_dom0less_firmware.c,
 * xen_dom0less_direct.c, xen_dom0less_start.c and xen_dom0less_handover.c; on a
 * host
 * util/dom0less_host.c.
 */

/* Allocate COUNT pages that end at or below LIMIT, or anywhere.  */
#define DOM0LESS_NO_LIMIT	(~(grub_uint64_t) 0)
grub_err_t dom0less_pages_alloc (struct dom0less_pages *pages,
				 grub_uint64_t limit, grub_size_t count);

/* Allocate COUNT pages at ADDRESS.  */
grub_err_t dom0less_pages_alloc_at (struct dom0less_pages *pages,
				    grub_uint64_t address,
				    grub_size_t count);

/* Free PAGES, if there are any, and forget them.  */
void dom0less_pages_free (struct dom0less_pages *pages);

/* The byte at ADDRESS, in the machine's memory.  */
void *dom0less_at (grub_uint64_t address);

/* Read the memory map into BOOT->memory and BOOT->machine.  */
grub_err_t dom0less_memory_map (struct dom0less_boot *boot);

/* Whether the SIZE bytes at ADDRESS, which somebody else has put there, can be
   looked at.  */
int dom0less_is_readable (const struct dom0less_boot *boot,
			  grub_uint64_t address, grub_uint64_t size);

/* Write SIZE bytes at ADDRESS back to the Point of Coherency.  */
void dom0less_clean_cache (const void *address, grub_size_t size);

/* Read into BOOT->machine the exception level that the firmware, and so GRUB,
   runs at, and what EL2 runs by.  */
void dom0less_look_at_processor (struct dom0less_boot *boot);

/* Allocate what the handover needs, into BOOT->maps; nothing if the variable
   xen_dom0less_handover is 0.  */
grub_err_t dom0less_prepare_handover (struct dom0less_boot *boot);

/* From here on Xen's image has the firmware's services by way of us, and to
   here.  */
void dom0less_begin_handover (struct dom0less_boot *boot);
void dom0less_end_handover (const struct dom0less_boot *boot);

/* NAME of the command line as a full name: "(device)/file", or on a host
   "/file" of the boot file system.  The caller's to free; NULL is an error.  */
char *dom0less_full_name (const char *name);

/* Open the file of that full name.  NULL is an error, as is a file that no
   verifier has seen where every file needs a signature.  GRUB_ERR_FILE_NOT_FOUND
   means that the file is not there, and nothing else.  */
grub_file_t dom0less_open (const char *path, enum grub_file_type type);

/* Read FILE, from its beginning, to BUFFER, which is aligned to a page and has
   whole pages for it: what is possible by large transfers, and what lies between
   such pieces the ordinary way.  FILE->offset says how far it came; if nothing
   failed, ordinary reading can go on from there.  Returns how many bytes came
   by large transfers.  With the variable xen_dom0less_direct=0 it does
   nothing.  */
grub_size_t dom0less_read_direct (grub_file_t file, void *buffer);

/* Say that FILE is being read, and be seen to before it takes its time.  */
void dom0less_announce (grub_file_t file, const char *label,
			const char *path);

/* See what GRUB has to verify, and whether it can: BOOT->machine.is_enforcing is
   set where every file needs a signature.  Refuses where files should need one
   and do not: where GRUB is locked down, or its variable says so.  */
grub_err_t dom0less_look_at_trust (struct dom0less_boot *boot);

/* The same before Xen is started: refuses if signatures have come to be enforced
   since, as nobody has asked for those of what is loaded.  */
grub_err_t dom0less_look_at_trust_again (struct dom0less_boot *boot);

/* Load the filter MODULE of GRUB's.  */
grub_err_t dom0less_load_filter (const char *module);

/* Show the command line LINE to the verifiers, which may write to it.  */
grub_err_t dom0less_verify (char *line, enum grub_verify_string_type type);

/* Whether a verifier is there that looks at command lines: the one that
   measures.  */
int dom0less_is_measuring (void);

/* What NODE has at ADDRESS should be measured and cannot be read: an error, if
   there is anybody to mind.  */
grub_err_t dom0less_leave_unmeasured (struct dom0less_boot *boot, int node,
				      grub_uint64_t address);

/* Make BOOT->tree of what `devicetree' loaded, else of the firmware's tree.  */
grub_err_t dom0less_gather_loaded (struct dom0less_boot *boot);

/* Ask the firmware to do to BOOT->tree, which is a file's, what it has done to
   its own: memory, addresses of network cards, and so on.  */
grub_err_t dom0less_fix_up (struct dom0less_boot *boot);

/* Put BOOT->final_tree into the EFI configuration table, and back what was
   there before.  If the firmware does not take that back, the table still points
   to BOOT->final_tree, which is given up: its pages stay allocated.  */
grub_err_t dom0less_install_tree (struct dom0less_boot *boot);
void dom0less_restore_tree (struct dom0less_boot *boot);

/* Let the firmware make an image of BOOT->xen_file, and free the file.  */
grub_err_t dom0less_load_xen (struct dom0less_boot *boot);

/* Start Xen.  Returns, with an error, only if Xen does.  */
grub_err_t dom0less_start_xen (struct dom0less_boot *boot);

/* Let go of Xen's image, if it was loaded and not started.  */
void dom0less_unload_xen (struct dom0less_boot *boot);

#endif
