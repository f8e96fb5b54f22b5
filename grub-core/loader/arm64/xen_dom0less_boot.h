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
 * grub-dom0less-check, and use a platform (xen_dom0less_platform.h), which is
 * the firmware in GRUB and consists of files on the host.
 */

#define DOM0LESS_PAGE_SHIFT	12
#define DOM0LESS_PAGE_MASK	(((grub_uint64_t) 1 << DOM0LESS_PAGE_SHIFT) - 1)

/* The number of pages that SIZE bytes occupy.  */
#define DOM0LESS_PAGES(size)					\
  (((size) >> DOM0LESS_PAGE_SHIFT)				\
   + (((size) & DOM0LESS_PAGE_MASK) != 0))

/* Pages of the machine's memory; none if COUNT is 0.  */
struct dom0less_pages
{
  grub_uint64_t address;
  grub_size_t count;
};

/* The contents of a file, or what has been made from them.  */
struct dom0less_buffer
{
  struct dom0less_pages pages;
  grub_size_t size;			/* in bytes */
};

/* What the command line requests.  The strings belong to the caller.  */
struct dom0less_request
{
  const char *xen;
  const char *dtb;			/* NULL: loaded or the firmware's */
  char **overlays;			/* these lists end with NULL */
  char **modules;
  const char *config;			/* or NULL */
  const char *section;
};

/* A file to which nodes refer by a key or by a number.  */
struct dom0less_key
{
  char *key;				/* or NULL */
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
  const struct dom0less_request *request;	/* NULL once loaded */

  struct
  {
    char *path;				/* "(device)/directory/file" */
    char *args;				/* NULL: keep the tree's own */
    struct dom0less_pages file;		/* until the firmware has loaded it */
    grub_size_t size;			/* of the file, in bytes */
    void *image;			/* the firmware's handle */
  } xen;

  /* The working tree; dom0less_set_tree replaces it.  */
  struct
  {
    void *fdt;				/* on the heap */
    char *name;				/* the file's, or a description */
    int is_file;
    struct dom0less_overlay *overlays;	/* once they are read */
    int n_overlays;
  } tree;

  /* The xen.cfg, and the keys that stand for files.  */
  struct
  {
    char *text;				/* cut into strings, or NULL */
    grub_size_t size;			/* of the text, in bytes */
    char *name;				/* the file's */
    char *section;			/* or NULL */
    struct dom0less_key *keys;
    int n_keys;
  } config;

  struct grub_dom0less_plan *plan;
  char **paths;				/* of each module, NULL: not loaded */
  struct dom0less_pages *images;	/* one for each of the plan's */
  struct dom0less_pages *claims;	/* memory kept from others */
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
    int is_quiet;			/* warnings were already printed */
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

/* Read Xen, the xen.cfg, the tree and the keys that BOOT->request names.  */
grub_err_t dom0less_read_inputs (struct dom0less_boot *boot);

/* Make BOOT->plan from the tree, and find each module's file.  */
grub_err_t dom0less_make_plan (struct dom0less_boot *boot);

/* Apply the rules of PHASE to the current memory map.  */
grub_err_t dom0less_check_rules (struct dom0less_boot *boot,
				 enum grub_dom0less_phase phase);

/* Return LIST, which has COUNT elements of SIZE bytes on the heap, with room
   for one more.  NULL is an error; LIST is then unchanged.  */
void *dom0less_extend (void *list, grub_size_t count, grub_size_t size);

/* Free everything that BOOT owns, and BOOT itself.  Any part of it may be
   missing, so this also cleans up after a step that has failed.  */
void dom0less_free (struct dom0less_boot *boot);

/* xen_dom0less_report.c */

/* Make BOOT->context report findings on the console.  */
void dom0less_init_findings (struct dom0less_boot *boot);

/* Print the lines that were deferred.  If GRUB has no error to print, also
   print the number of findings.  */
void dom0less_print_findings (const struct dom0less_boot *boot);

/* If there is an error among the findings so far, make the last one GRUB's
   error.  */
grub_err_t dom0less_set_error_from_findings (struct dom0less_boot *boot);

/* Report a finding about WHAT and NODE against RULE, and set GRUB's error if
   the rule is an error.  */
grub_err_t dom0less_fail (struct dom0less_boot *boot,
			  enum grub_dom0less_rule_number rule, int node,
			  const char *what);

/* Do the same with the cure HINT, or with the rule's if HINT is NULL.  */
grub_err_t dom0less_fail_with_hint (struct dom0less_boot *boot,
				    enum grub_dom0less_rule_number rule,
				    int node, const char *what,
				    const char *hint);

/* Return the first of the modules that use IMAGE.  */
struct grub_dom0less_module *
dom0less_first_module (const struct dom0less_boot *boot, int image);

/* Report a finding against RULE about IMAGE's file: "PATH SEPARATOR WHAT".  */
grub_err_t dom0less_refuse_image (struct dom0less_boot *boot, int image,
				  enum grub_dom0less_rule_number rule,
				  const char *separator, const char *what);

/* Return the name to show for DOMAIN, an index of the plan or
   GRUB_DOM0LESS_DOM0.  */
const char *dom0less_domain_name (const struct dom0less_boot *boot,
				  int domain);

/* Print TEXT, which comes from a tree.  Characters that could control the
   terminal are replaced.  */
void dom0less_print (const char *text);

/* Return GRUB's MESSAGE without the "FILE.c:FUNCTION:LINE:" of newer
   versions.  */
const char *dom0less_bare_message (const char *message);

/* xen_dom0less_file.c */

/* Return the full name of the file that NAME means in a tree or a xen.cfg.
   The caller has to free it.  NULL is an error.  */
char *dom0less_resolve_name (const struct dom0less_boot *boot, const char *name);

/* Read the file PATH, opened as TYPE, to its end, regardless of the size that
   it reports.  Store its contents in PAGES below LIMIT and their size in bytes
   in *SIZE.  The caller has to free PAGES, which has no pages after an error.
   If LABEL, which says what the file is for, is not NULL, print a line with it
   before reading.  */
grub_err_t dom0less_read_file (const char *path, enum grub_file_type type,
			       grub_uint64_t limit, const char *label,
			       struct dom0less_pages *pages,
			       grub_size_t *size);

/* The same for a FILE that is already open, and stays open.  */
grub_err_t dom0less_read_all (grub_file_t file, grub_uint64_t limit,
			      struct dom0less_pages *pages,
			      grub_size_t *size);

/* Return the bytes of BUFFER, which has pages.  */
void *dom0less_buffer_bytes (const struct dom0less_buffer *buffer);

/* Read the file PATH, opened as TYPE, onto the heap.  A zero byte follows its
   *SIZE bytes.  The caller has to free the result.  NULL is an error.  */
char *dom0less_read_text (const char *path, enum grub_file_type type,
			  grub_size_t *size);

/* xen_dom0less_unpack.c */

/* Return the file that the first of GRUB's decompressors to recognize BELOW
   makes of it, or BELOW itself.  NULL is an error; BELOW has then been
   closed.  */
grub_file_t dom0less_filter (grub_file_t below);

/* Unpack the SIZE bytes at PACKED into PAGES below LIMIT, and store their size
   in *UNPACKED.  COMPRESSION is the name in a zboot image: "gzip", "xzkern" or
   "zstd22".  For zstd, *UNPACKED has to contain the size beforehand.  */
grub_err_t dom0less_unpack (const void *packed, grub_size_t size,
			    const char *compression, grub_uint64_t limit,
			    struct dom0less_pages *pages,
			    grub_size_t *unpacked);

/* Read the version and the options of the Xen image in BOOT->xen.file into
   BOOT->facts.xen.  What the image does not state remains unknown.  */
grub_err_t dom0less_read_xen_facts (struct dom0less_boot *boot);

/* xen_dom0less_config.c */

/* Read the xen.cfg NAME, or if it is NULL, the one that Xen's EFI stub would
   find in Xen's directory; then the files to which it is chained, up to the
   one that has the section.  */
grub_err_t dom0less_read_config (struct dom0less_boot *boot,
				 const char *name);

/* Write the dom0 that the config describes into BOOT->tree.  */
grub_err_t dom0less_apply_config (struct dom0less_boot *boot);

/* Collect the keys of --module and of the config.  */
grub_err_t dom0less_read_keys (struct dom0less_boot *boot);

/* Return the full name of MODULE's file: the file that a key stands for, or
   the one that the name in the tree resolves to.  NULL without an error means
   that nothing is to be loaded.  The caller has to free the name.  */
char *dom0less_module_path (struct dom0less_boot *boot,
			    const struct grub_dom0less_module *module);

/* Warn about keys that no module has used.  */
void dom0less_report_unused_keys (struct dom0less_boot *boot);

/* xen_dom0less_tree.c */

/* Read the base tree into BOOT->tree: from the file NAME, or from the machine
   if that is NULL.  Apply the request's overlays to it, and if it came from a
   file, let the firmware fix it up.  */
grub_err_t dom0less_read_tree (struct dom0less_boot *boot,
			       const char *name);

/* Make FDT, which is on the heap, BOOT's working tree, and free the previous
   one.  All pointers and offsets into the previous tree become invalid.  */
void dom0less_set_tree (struct dom0less_boot *boot, void *fdt);

/* Copy the SIZE bytes at FDT to BOOT->tree, if they are a valid tree.  */
grub_err_t dom0less_adopt_tree (struct dom0less_boot *boot, const void *fdt,
				grub_size_t size);

/* Enlarge BOOT->tree by ROOM bytes.  */
grub_err_t dom0less_grow_tree (struct dom0less_boot *boot, grub_size_t room);

/* Make BOOT->handover.tree from BOOT->tree and the plan.  */
grub_err_t dom0less_make_final_tree (struct dom0less_boot *boot);

/* xen_dom0less_verify.c */

/* Show the tree, and every command line that Xen will see, to the verifiers,
   which may refuse or measure them.  */
grub_err_t dom0less_verify (struct dom0less_boot *boot);

/* If a verifier measures, show it everything that Xen takes from memory which
   another loader has filled.  This memory must have been claimed before, so
   that it no longer changes.  */
grub_err_t dom0less_verify_placed (struct dom0less_boot *boot);

/* xen_dom0less_claim.c */

/* Allocate the memory of each image whose place the tree fixes.  */
grub_err_t dom0less_claim_fixed_places (struct dom0less_boot *boot);

/* Allocate every piece of the plan's ranges that is free in the current memory
   map, so that the firmware places nothing there: it allocates from the top of
   memory, where static ranges often are.  */
grub_err_t dom0less_claim_ranges (struct dom0less_boot *boot);

/* xen_dom0less_kernel.c */

/* Convert BUFFER, the kernel of IMAGE, to a format that Xen accepts and that
   all domains of IMAGE can use, in pages below LIMIT.  */
grub_err_t dom0less_prepare_kernel (struct dom0less_boot *boot, int image,
				    struct dom0less_buffer *buffer,
				    grub_uint64_t limit);

/* Check the kernels that another loader has placed.  Refuse those in a format
   that Xen does not accept, and packed ones that several domains use, because
   Xen can unpack a kernel only once.  Memory that cannot be read is not
   checked.  */
grub_err_t dom0less_check_placed_kernels (struct dom0less_boot *boot);

/* xen_dom0less_load.c */

/* Show the tree and the command lines to the verifiers, claim the plan's
   ranges, and load all images and Xen.  */
grub_err_t dom0less_load (struct dom0less_boot *boot);

/* xen_dom0less_show.c */

/* Store DOMAIN's memory (in KiB) and its number of virtual processors.  Return
   0 and store nothing if the tree does not specify them, as for a dom0.  */
int dom0less_domain_needs (const struct dom0less_boot *boot, int domain,
			   grub_uint64_t *memory, grub_uint32_t *cpus);

/* Return the number that Xen gives DOMAIN: 0 is reserved for a dom0, and the
   others are assigned in the tree's order (create_domUs).  */
int dom0less_domain_id (int domain);

/* Print the plan as a table, followed by the memory that it uses, sorted by
   address.  */
void dom0less_show (struct dom0less_boot *boot);

#endif
