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
 * The steps of a boot.  They are the same in GRUB and in the host's
 * grub-dom0less-check, and stand on a platform (xen_dom0less_platform.h) that is
 * the firmware in one, and made up of files in the other.
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

/* What was read from a file, or made of it.  */
struct dom0less_buffer
{
  struct dom0less_pages pages;
  grub_size_t size;			/* in bytes */
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

  struct
  {
    char *path;				/* "(device)/directory/file" */
    char *args;				/* NULL: the tree's own are kept */
    struct dom0less_pages file;		/* until the firmware has loaded it */
    grub_size_t size;			/* of the file, in bytes */
    void *image;			/* the firmware's handle */
  } xen;

  /* The working tree; dom0less_set_tree replaces it.  */
  struct
  {
    void *fdt;				/* on the heap */
    char *name;				/* a file's, or what else to call it */
    int is_file;
    struct dom0less_overlay *overlays;	/* once they are read */
    int n_overlays;
  } tree;

  /* The xen.cfg, and what else gives names to files.  */
  struct
  {
    char *text;				/* cut into strings; NULL without */
    grub_size_t size;			/* of the text, in bytes */
    char *name;				/* the file's */
    char *section;			/* or NULL */
    struct dom0less_key *keys;
    int n_keys;
  } config;

  struct grub_dom0less_plan *plan;
  char **paths;				/* of each module, NULL: not loaded */
  struct dom0less_pages *images;	/* one for each of the plan's */
  struct dom0less_pages *claims;	/* what nobody else may get */
  grub_size_t n_claims;

  struct grub_dom0less_facts facts;	/* about Xen and the machine */
  struct grub_dom0less_memory *memory;	/* the firmware's map, in the facts */
  struct grub_dom0less_context context;	/* for the rules */
  struct
  {
    struct grub_dom0less_tally tally;
    char *error;			/* the last error, not yet printed */
    char *deferred;			/* lines to be printed later, or NULL */
    int n_warnings;
    int is_deferring;			/* lines are kept for later */
    int is_quiet;			/* warnings have been printed before */
  } findings;

  struct
  {
    struct dom0less_pages tree;		/* what Xen gets */
    struct dom0less_pages maps;		/* two memory maps */
    void *firmware_tree;		/* what was installed before ... */
    int is_installed;			/* ... if this is set */
  } handover;
};


/*
 * The steps.
 */

/* xen_dom0less_inputs.c */

/* Read Xen, the xen.cfg, the tree and the keys that BOOT->request asks for.  */
grub_err_t dom0less_read_inputs (struct dom0less_boot *boot);

/* Make BOOT->plan of the tree, and find each module's file.  */
grub_err_t dom0less_make_plan (struct dom0less_boot *boot);

/* Apply the rules of PHASE, with the memory map as it is now.  */
grub_err_t dom0less_check_rules (struct dom0less_boot *boot,
				 enum grub_dom0less_phase phase);

/* LIST, of COUNT elements of SIZE bytes on the heap, with room for one more.
   NULL is an error, and leaves LIST as it is.  */
void *dom0less_extend (void *list, grub_size_t count, grub_size_t size);

/* Give back all that BOOT owns, and BOOT itself.  Any part of it may be
   missing, so this is the way out of every step.  */
void dom0less_free (struct dom0less_boot *boot);

/* xen_dom0less_report.c */

/* Make BOOT->context tell of findings on the console.  */
void dom0less_init_findings (struct dom0less_boot *boot);

/* Print what was kept while BOOT's findings were deferred, and unless GRUB has an
   error to print, how many there are.  */
void dom0less_print_findings (const struct dom0less_boot *boot);

/* Make GRUB's error of the findings so far, if there is one among them.  */
grub_err_t dom0less_set_error_from_findings (struct dom0less_boot *boot);

/* Report WHAT against RULE at NODE, and judge.  */
grub_err_t dom0less_fail (struct dom0less_boot *boot,
			  enum grub_dom0less_rule_number rule, int node,
			  const char *what);

/* The first of the modules that IMAGE serves.  */
struct grub_dom0less_module *
dom0less_first_module (const struct dom0less_boot *boot, int image);

/* Report RULE about IMAGE's file: "PATH SEPARATOR WHAT".  */
grub_err_t dom0less_refuse_image (struct dom0less_boot *boot, int image,
				  enum grub_dom0less_rule_number rule,
				  const char *separator, const char *what);

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
char *dom0less_resolve_name (const struct dom0less_boot *boot, const char *name);

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

/* The bytes of BUFFER, which has pages.  */
void *dom0less_buffer_bytes (const struct dom0less_buffer *buffer);

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

/* Read what the Xen image in BOOT->xen.file says of itself into
   BOOT->facts.xen.  What it does not say stays unknown.  */
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
grub_err_t dom0less_read_keys (struct dom0less_boot *boot);

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
grub_err_t dom0less_read_tree (struct dom0less_boot *boot,
			       const char *name);

/* Make FDT, on the heap, BOOT's working tree, and free the one before.  Every
   pointer and offset into that one is void.  */
void dom0less_set_tree (struct dom0less_boot *boot, void *fdt);

/* Make BOOT->tree of the SIZE bytes at FDT, if they are a tree.  */
grub_err_t dom0less_adopt_tree (struct dom0less_boot *boot, const void *fdt,
				grub_size_t size);

/* Give BOOT->tree room for ROOM bytes more.  */
grub_err_t dom0less_grow_tree (struct dom0less_boot *boot, grub_size_t room);

/* Make BOOT->handover.tree of BOOT->tree and the plan.  */
grub_err_t dom0less_make_final_tree (struct dom0less_boot *boot);

/* xen_dom0less_verify.c */

/* Show the tree and every command line that Xen will see to the verifiers, which
   may refuse or measure them.  */
grub_err_t dom0less_verify (struct dom0less_boot *boot);

/* Show the verifiers all that Xen takes from memory which another loader has
   filled, if one of them measures.  The memory has to be claimed by then, so that
   it stays what it is.  */
grub_err_t dom0less_verify_placed (struct dom0less_boot *boot);

/* xen_dom0less_claim.c */

/* Take the memory of each image whose place the tree fixes.  */
grub_err_t dom0less_claim_fixed_places (struct dom0less_boot *boot);

/* Take every free piece of the plan's ranges, by the map as it is now, so that
   the firmware places nothing there: it allocates from the top of memory,
   which is where static ranges like to be.  */
grub_err_t dom0less_claim_ranges (struct dom0less_boot *boot);

/* xen_dom0less_kernel.c */

/* Turn BUFFER, the kernel of IMAGE, into what Xen takes and all of IMAGE's
   domains can use, in pages below LIMIT.  */
grub_err_t dom0less_prepare_kernel (struct dom0less_boot *boot, int image,
				    struct dom0less_buffer *buffer,
				    grub_uint64_t limit);

/* Refuse what another loader has placed as a kernel and Xen does not take as one,
   and a packed kernel that is placed for several domains: Xen can unpack it only
   once.  What cannot be read is not looked at.  */
grub_err_t dom0less_check_placed_kernels (struct dom0less_boot *boot);

/* xen_dom0less_load.c */

/* Show tree and command lines to the verifiers, claim the plan's ranges, and load
   every image and Xen's.  */
grub_err_t dom0less_load (struct dom0less_boot *boot);

/* xen_dom0less_show.c */

/* What DOMAIN's memory (in KiB) and virtual processors are.  Returns 0, and
   leaves both alone, if the tree does not say so; of the dom0 it never does.  */
int dom0less_domain_needs (const struct dom0less_boot *boot, int domain,
			   grub_uint64_t *memory, grub_uint32_t *cpus);

/* The number by which Xen calls DOMAIN: 0 is kept for a dom0, and the others are
   made in the tree's order (create_domUs).  */
int dom0less_domain_id (int domain);

/* Print the plan as a table, and the memory it gives a purpose in order.  */
void dom0less_show (struct dom0less_boot *boot);

#endif
