/* xen_dom0less.h - the interface of the library: plans, rules and formats  */
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

#ifndef GRUB_XEN_DOM0LESS_HEADER
#define GRUB_XEN_DOM0LESS_HEADER	1

/*
 * The library of functions that neither use GRUB or EFI, nor do I/O, nor
 * allocate memory, so that the same sources can be built into GRUB, the host's
 * tools, the unit tests and the fuzzers.  Addresses are physical, and
 * addresses and sizes are in bytes everywhere.  Node offsets are libfdt's and
 * remain valid until the tree is edited; strings in a plan point into the
 * tree.
 */

#include <stddef.h>
#include <stdint.h>

#include <libfdt.h>

/* The capacity of a plan.  Xen accepts 30 distinct modules, but many nodes may
   share one of them, so these are limits on nodes, with a rule of their own.
   Nodes without a compatible are only counted; each requires an edit of the
   tree.  */
#define GRUB_DOM0LESS_MAX_DOMAINS	64
#define GRUB_DOM0LESS_MAX_MODULES	192
#define GRUB_DOM0LESS_MAX_RANGES	320
#define GRUB_DOM0LESS_MAX_STRAYS	64
#define GRUB_DOM0LESS_MAX_BARE		256
#define GRUB_DOM0LESS_MAX_REFERENCES	1024
/* Xen has room for 32 (NR_SHMEM_BANKS), each shared by several domains.  */
#define GRUB_DOM0LESS_MAX_SHARED	128

/* Limits on trees.  Trees with domains in /chosen have about five levels, and
   Linux reads up to 64.  The Devicetree Specification limits names to 31
   bytes, which is not always observed.  Both limits bound the cost of a search
   for one node or property.  Xen maps 2 MiB for its tree, and its EFI stub
   adds a page (MAX_FDT_SIZE and efi_arch_use_config_file).  */
#define GRUB_DOM0LESS_MAX_DEPTH		64
#define GRUB_DOM0LESS_MAX_NAME		255
#define GRUB_DOM0LESS_MAX_TREE		((2 << 20) - 4096)

/* The domain of a module whose node lies in /chosen itself.  */
#define GRUB_DOM0LESS_DOM0	(-1)

/* A value that the tree does not contain, or that is not known yet.  */
#define GRUB_DOM0LESS_NONE	(-1)

/* A value that the tree contains in a form that is not valid.  */
#define GRUB_DOM0LESS_MALFORMED	(-2)

/* The kinds of modules, in the order in which Xen tests for them.  */
enum grub_dom0less_kind
  {
    GRUB_DOM0LESS_KERNEL,
    GRUB_DOM0LESS_RAMDISK,
    GRUB_DOM0LESS_XSM_POLICY,
    GRUB_DOM0LESS_DEVICE_TREE,
    GRUB_DOM0LESS_UNKNOWN
  };

/* Everything that depends on the kind alone.  */
struct grub_dom0less_kind_facts
{
  const char *name;			/* the name to show */
  const char *compatible;		/* NULL for an unknown kind */
  const char *old_compatible;		/* a dom0's before Xen 4.12, or NULL */
  int in_chosen;			/* whether it is valid for a dom0, */
  int in_domain;			/* and for a domain */
};

/* Source: process_multiboot_node in Xen's bootfdt.c; Xen's
   docs/misc/arm/device-tree/booting.txt.  */
extern const struct grub_dom0less_kind_facts
  grub_dom0less_kinds[GRUB_DOM0LESS_UNKNOWN + 1];

/* The numbers of cells in "reg" and similar properties of a node: 1 to 4 each,
   0 if the property is invalid, GRUB_DOM0LESS_NONE if it is missing.  */
struct grub_dom0less_cells
{
  int address;
  int size;
};

struct grub_dom0less_domain
{
  int node;
  struct grub_dom0less_cells cells;	/* of its modules */
};

/* How a kernel occupies its domain's memory, in bytes.  If all members are 0,
   nothing is known.  */
struct grub_dom0less_kernel
{
  uint64_t size;			/* that Xen copies, unpacked */
  uint64_t needed;			/* including the memory after it */
  uint64_t offset;			/* from the first bank's start ... */
  uint64_t load;			/* ... unless it has a fixed address */
};

struct grub_dom0less_module
{
  int node;
  int domain;				/* index, or GRUB_DOM0LESS_DOM0 */
  enum grub_dom0less_kind kind;
  struct grub_dom0less_cells cells;
  const char *name;			/* a file name or a key; or NULL */
  int64_t index;			/* mb-index, or GRUB_DOM0LESS_NONE, or
					   GRUB_DOM0LESS_MALFORMED */
  int has_reg;				/* from the tree */
  uint64_t address;
  uint64_t size;
  int image;				/* loaded for this node, or NONE */
  int keeps_name;			/* an alias or a symbol refers to it */
  struct grub_dom0less_kernel kernel;	/* of a kernel, once it is loaded */
};

/* A module that Xen finds in the tree although it is not one of the plan's, so
   it is not loaded here: a node in another place, or the ramdisk of an earlier
   kernel.  */
struct grub_dom0less_stray
{
  int node;
  int is_initrd;			/* linux,initrd-start and -end */
  int has_place;			/* 0: the location is malformed */
  uint64_t address;
  uint64_t size;
};

/* A file that is read once and is in memory once, for one or several
   nodes.  */
struct grub_dom0less_image
{
  int module;				/* the first of its modules */
  int users;				/* how many modules share it */
};

enum grub_dom0less_range_kind
  {
    GRUB_DOM0LESS_STATIC_MEM,
    GRUB_DOM0LESS_STATIC_HEAP,
    GRUB_DOM0LESS_SHARED_MEM,
    GRUB_DOM0LESS_RESERVED,
    GRUB_DOM0LESS_PLACED		/* a module placed by the tree */
  };

/* Memory that the tree uses for a particular purpose.  */
struct grub_dom0less_range
{
  enum grub_dom0less_range_kind kind;
  int node;
  uint64_t start;
  uint64_t size;
  int domain;				/* of NODE or its parent; or NONE */
};

/* A node to which others refer by its phandle (not 0): a processor, a pool of
   processors or an event channel.  */
struct grub_dom0less_reference
{
  uint32_t phandle;
  int node;
  int parent;
};

/* A node of shared memory, in the order of the tree.  */
struct grub_dom0less_shared
{
  int node;
  int domain;				/* index, or GRUB_DOM0LESS_DOM0 */
};

struct grub_dom0less_plan
{
  int chosen;				/* negative libfdt error if missing */
  int reserved;				/* /reserved-memory, too */
  struct grub_dom0less_cells cells;	/* /chosen's; 2 and 2 if missing */
  struct grub_dom0less_cells root_cells;
  int overflow;				/* the first that exceeds a limit */
  int n_bare;				/* nodes without a compatible */
  int n_domains, n_modules, n_images, n_ranges, n_strays;
  struct grub_dom0less_domain domains[GRUB_DOM0LESS_MAX_DOMAINS];
  struct grub_dom0less_module modules[GRUB_DOM0LESS_MAX_MODULES];
  struct grub_dom0less_image images[GRUB_DOM0LESS_MAX_MODULES];
  struct grub_dom0less_range ranges[GRUB_DOM0LESS_MAX_RANGES];
  int n_references;
  struct grub_dom0less_reference references[GRUB_DOM0LESS_MAX_REFERENCES];
  struct grub_dom0less_stray strays[GRUB_DOM0LESS_MAX_STRAYS];
  struct grub_dom0less_shared shared[GRUB_DOM0LESS_MAX_SHARED];
  int n_shared;
};


/*
 * plan.c: read the plan from the tree.
 */

/* Check the SIZE bytes at FDT as a tree.  Return NULL if there is no fault, or
   else a description such as "its blocks overlap".  Every tree has to pass
   this check before anything else is done with it; the time is proportional to
   SIZE. libfdt's fdt_check_full is for trees that are only read.  Beyond it,
   the header, the reservations, the structure and the strings must not overlap
   and must be aligned, because edits rely on that; depth and names have the
   limits above; and a node's properties must come before its subnodes, because
   libfdt does not see later ones, while others do.  FDT is aligned to 8
   bytes.
   Source: Devicetree Specification 0.4, chapter 5.  */
const char *grub_dom0less_tree_fault (const void *fdt, size_t size);

/* Return the size of FDT, which has no fault, without unused space.  */
size_t grub_dom0less_tree_size (const void *fdt);

/* Fill PLAN from FDT, which has passed grub_dom0less_tree_fault.  PLAN belongs
   to the caller, and may be uninitialized.  Nothing is judged here: what is
   missing or wrong in the tree is recorded for the rules, and nodes beyond the
   plan's limits set PLAN->overflow.
   Source: Xen's docs/misc/arm/device-tree/booting.txt.  */
void grub_dom0less_plan_read (struct grub_dom0less_plan *plan,
			      const void *fdt);

/* Decide which modules share an image: fill PLAN->images, and the image of
   each module that has a file.  PATHS contains one resolved file name for each
   of PLAN's modules, or NULL for a module that is not loaded.  Modules share
   an image if their paths and kinds are equal and all belong to domUs: Xen
   4.20 loses a dom0 whose kernel a domU shares.  A module with a reg does not
   share.  */
void grub_dom0less_plan_share (struct grub_dom0less_plan *plan,
			       const char *const *paths);

/* Give every module of IMAGE but the first an image of its own, to be loaded
   separately.  */
void grub_dom0less_plan_unshare (struct grub_dom0less_plan *plan, int image);

/* Return whether NODE is a module only by the name that Xen 4.4 used,
   xen,multiboot-module, so that the newer name has to be added to its
   compatible.  */
int grub_dom0less_is_old_module (const void *fdt, int node);

/* Read CELLS (0 to 4) big-endian cells at *CELL, advance *CELL past them and
   store the number in *VALUE.  Return 0, or -FDT_ERR_BADVALUE if it does not
   fit in 64 bits.  */
int grub_dom0less_read_cells (const fdt32_t **cell, int cells,
			      uint64_t *value);

/* Read NODE's property NAME, which is one cell, into VALUE.  Return 0;
   -FDT_ERR_NOTFOUND if it is missing; -FDT_ERR_BADVALUE if it does not have
   four bytes.  */
int grub_dom0less_read_u32 (const void *fdt, int node, const char *name,
			    uint32_t *value);

/* Return NODE's property NAME as one cell, or FALLBACK if it is missing or
   does not have four bytes.  */
uint32_t grub_dom0less_u32 (const void *fdt, int node, const char *name,
			    uint32_t fallback);

/* The same for the first cell, whatever follows it, as Xen's
   dt_property_read_u32 reads it.  */
uint32_t grub_dom0less_first_u32 (const void *fdt, int node, const char *name,
				  uint32_t fallback);

/* Return NODE's property NAME if it is one non-empty, terminated string, or
   else NULL.  The string is in FDT.  */
const char *grub_dom0less_string (const void *fdt, int node, const char *name);

/* Return the last component of NODE's path, which is always a string.  */
const char *grub_dom0less_node_name (const void *fdt, int node);

/* Write the path of FDT's NODE into BUF of SIZE bytes, truncated if necessary
   and always terminated unless SIZE is 0.  Return the length without the
   terminator, even if it did not fit.  The path is "?" if there is no such
   node.  For nodes of PLAN, which has been read from FDT or is NULL, no walk
   through the tree is necessary.  */
size_t grub_dom0less_node_path (const struct grub_dom0less_plan *plan,
				const void *fdt, int node, char *buf,
				size_t size);

/* "static-mem", "static-heap", "shared-mem", "reserved" or "module".  */
const char *grub_dom0less_range_name (enum grub_dom0less_range_kind kind);


/*
 * early.c: what else Xen treats as a module.
 */

/* Fill PLAN->strays from FDT, after PLAN's modules have been read, with
   everything that Xen's early parser finds and that is not one of them, in the
   order of the nodes.  The parser considers nodes at most three levels deep
   whose path begins with "/chosen", such as "/chosen-old/x" or /chosen itself;
   compares "compatible" without regard to case; and looks for an initrd in
   every "chosen" or "chosen@...".  grub_dom0less_plan_read calls this
   function.
   Source: early_scan_node and process_chosen_node in Xen's bootfdt.c, since
   4.20 bootinfo-fdt.c.  */
void grub_dom0less_read_strays (struct grub_dom0less_plan *plan,
				const void *fdt);


/*
 * name.c: convert names in the tree to GRUB's.
 */

/* Write the GRUB file name that NAME means into BUF of SIZE bytes, always
   terminated unless SIZE is 0.  Return its length without the terminator, even
   if it did not fit, so that the caller can provide a longer BUF.  XEN is the
   hypervisor's own full name, "(device)/directory/file".  `(device)/path' is
   used as it is; `/path' is on XEN's device; anything else is relative to
   XEN's directory, as in Xen's own EFI stub; `\' means `/'.  */
size_t grub_dom0less_format_path (const char *xen, const char *name,
				  char *buf, size_t size);


/*
 * config.c: Xen's own configuration file, xen.cfg.
 * Source: Xen's docs/misc/efi.pandoc; xen/common/efi/boot.c has the rest.
 */

/* One line "KEY=VALUE".  Initialize it with zeros.  */
struct grub_dom0less_entry
{
  const char *section;		/* after its `[', or NULL before the first */
  const char *key;		/* not terminated: KEY_LENGTH bytes */
  size_t key_length;
  char *value;			/* terminated */
  char *next;			/* where the next line begins */
};

/* Split the SIZE bytes of TEXT into terminated lines, and replace comments and
   indentation by blanks.  TEXT belongs to the caller and has one byte more
   than SIZE.  */
void grub_dom0less_config_cut (char *text, size_t size);

/* Advance ENTRY to the next line of TEXT that has a key.  TEXT has been split.
   Return 0 at the end.  */
int grub_dom0less_config_next (char *text, size_t size,
			       struct grub_dom0less_entry *entry);

/* Return whether ENTRY is in SECTION; if that is NULL, every entry is.  */
int grub_dom0less_config_in_section (const struct grub_dom0less_entry *entry,
				     const char *section);

/* Return whether ENTRY's key is KEY, and whether it is a known keyword.  */
int grub_dom0less_config_is (const struct grub_dom0less_entry *entry,
			     const char *key);
int grub_dom0less_config_known (const struct grub_dom0less_entry *entry);

/* Return the first value of KEY in the first section named SECTION, or
   anywhere if SECTION is NULL; or NULL if there is none.  */
char *grub_dom0less_config_value (char *text, size_t size,
				  const char *section, const char *key);

/* Terminate VALUE after its first word.  Return the second word, or NULL.  */
char *grub_dom0less_config_split (char *value);

/* Write the name of the file that Xen's EFI stub tries in its ATTEMPT, counted
   from 0, next to XEN: "xen-4.17.efi" gives xen-4.17.cfg, xen-4.cfg and
   xen.cfg.  Return the length without the terminator, or 0 if there are no
   more attempts.  If the length is not less than SIZE, nothing has been
   written.  */
size_t grub_dom0less_config_name (const char *xen, int attempt,
				  char *buf, size_t size);

/* The number of bytes that grub_dom0less_config_apply may add to a tree.  */
size_t grub_dom0less_config_growth (size_t text_size);

/* Write the dom0 of SECTION into FDT: its modules, with the names of their
   files, into /chosen, and its options as Xen's command line.  Values in TEXT
   are split.  Return 0 or a negative libfdt error; -FDT_ERR_EXISTS means that
   the tree already has one of the nodes.  */
int grub_dom0less_config_apply (void *fdt, char *text, size_t size,
				const char *section);


/*
 * overlay.c: apply an overlay to a tree.
 */

/* Why an overlay does not fit.  The strings are in the overlay, or
   constant.  */
struct grub_dom0less_misfit
{
  int node;			/* of the overlay, with the mistake */
  const char *missing;		/* a label or a path that the base lacks, or */
  const char *fault;		/* what is wrong with that node, or with fixups
				   that it has */
  const char *hint;		/* the cure, or NULL: the rule's */
};

/* Return whether FDT has a fragment, which can be applied to a tree.  */
int grub_dom0less_is_overlay (const void *fdt);

/* The number of bytes of memory that grub_dom0less_merge needs.  */
size_t grub_dom0less_merge_size (const void *base, const void *overlay);

/* Apply OVERLAY to BASE, as libfdt's fdt_overlay_apply would.  WORK is memory
   of the caller's, aligned for any type, of grub_dom0less_merge_size bytes.
   Both trees have passed grub_dom0less_tree_fault.  BASE is not changed;
   OVERLAY is, so it should be a copy.  The time is proportional to the size of
   the two trees, whatever they contain, and nothing is written outside of WORK
   and of values within OVERLAY.  Return 0; WORK is then valid for
   grub_dom0less_write_merged as long as both trees are left alone.  Otherwise
   return a negative libfdt error, with MISFIT filled in.  These rules are
   stricter than libfdt's, which do not cover them: a path has at most 1023
   bytes, and a merged tree at most the depth of any other; a phandle is not 0;
   and fixups change neither phandles nor fixups and symbols.
   Source: libfdt's fdt_overlay.c; Documentation/dt-object-internal.txt of
   dtc.  */
int grub_dom0less_merge (void *work, const void *base, void *overlay,
			 struct grub_dom0less_misfit *misfit);

/* Write the merged tree in WORK into BUF of SIZE bytes, if it fits, and return
   its size in bytes.  */
size_t grub_dom0less_write_merged (const void *work, void *buf, size_t size);


/*
 * kernel.c: the formats of kernel files.
 */

struct grub_dom0less_xen;

enum grub_dom0less_format
  {
    GRUB_DOM0LESS_FORMAT_IMAGE,		/* arm64 Image */
    GRUB_DOM0LESS_FORMAT_GZIP,
    GRUB_DOM0LESS_FORMAT_ZBOOT,		/* EFI zboot, which Xen refuses */
    GRUB_DOM0LESS_FORMAT_ZIMAGE,	/* 32-bit zImage */
    GRUB_DOM0LESS_FORMAT_UIMAGE,
    GRUB_DOM0LESS_FORMAT_ELF,		/* refused, as all that follow */
    GRUB_DOM0LESS_FORMAT_PE,
    GRUB_DOM0LESS_FORMAT_XZ,
    GRUB_DOM0LESS_FORMAT_ZSTD,
    GRUB_DOM0LESS_FORMAT_LZ4,
    GRUB_DOM0LESS_FORMAT_BZIP2,
    GRUB_DOM0LESS_FORMAT_DTB,
    GRUB_DOM0LESS_FORMAT_CPIO,
    GRUB_DOM0LESS_FORMAT_OTHER
  };

/* The number of bytes at the beginning of a file that identify its format.  */
#define GRUB_DOM0LESS_HEADER_SIZE	64

/* Return the format of a file of SIZE bytes that begins with HEADER, of which
   min (SIZE, GRUB_DOM0LESS_HEADER_SIZE) bytes are read.
   Source: xen/arch/arm/kernel.c; Linux's Documentation/arch/arm64/booting.rst
   and drivers/firmware/efi/libstub/zboot-header.S.  */
enum grub_dom0less_format grub_dom0less_kernel_format (const void *header,
						       size_t size);

/* Return a description of FORMAT to show, such as "an ELF file".  */
const char *grub_dom0less_format_name (enum grub_dom0less_format format);

/* Return whether Xen can start a kernel of FORMAT.  */
int grub_dom0less_format_ok (enum grub_dom0less_format format);

/* Read KERNEL from the SIZE bytes of a FILE in a format that XEN accepts.
   Source: kernel_zimage64_probe, kernel_uimage_probe and kernel_decompress in
   Xen's kernel.c.  */
void grub_dom0less_read_kernel (struct grub_dom0less_kernel *kernel,
				const void *file, size_t size,
				const struct grub_dom0less_xen *xen);

/* Return why XEN does not accept the SIZE bytes of a FILE that is a uImage, or
   NULL if it does.  Source: kernel_uimage_probe in Xen's kernel.c.  */
const char *grub_dom0less_uimage_fault (const void *file, size_t size,
					const struct grub_dom0less_xen *xen);

/* Return whether a file of SIZE bytes that begins with HEADER has the format
   of an XSM policy; Xen panics if it has not.  Source:
   xen/xsm/xsm_policy.c.  */
int grub_dom0less_is_policy (const void *header, size_t size);

/* The contents of an EFI zboot image.  */
struct grub_dom0less_zboot
{
  uint32_t offset, size;		/* of the compressed kernel, in bytes */
  uint32_t unpacked;			/* its size, or 0 if gzip states it */
  char compression[8];			/* "gzip", "zstd", "xz", ...  */
};

/* Read ZBOOT from a whole zboot file of SIZE bytes.  Return 0, or
   -FDT_ERR_BADVALUE if the header is inconsistent.  */
int grub_dom0less_read_zboot (struct grub_dom0less_zboot *zboot,
			      const void *file, size_t size);

/* What a gzip member states in its header and trailer.  */
struct grub_dom0less_gzip
{
  size_t offset, size;			/* of the deflate data, in bytes */
  uint32_t unpacked;			/* size when unpacked, modulo 2^32 */
  uint32_t crc;				/* CRC-32 of the unpacked data */
};

/* Read GZIP from the SIZE bytes of a MEMBER that ends there; if more bytes
   follow, only the offset is valid.  Return 0, or -FDT_ERR_BADVALUE if it is
   not gzip.
   Source: RFC 1952, 2.3.  */
int grub_dom0less_read_gzip (struct grub_dom0less_gzip *gzip,
			     const void *member, size_t size);

/* Return whether Xen unpacks such a kernel in place and frees the original, so
   that a second domain cannot use it: a gzip file, or a uImage that contains
   one.  HEADER has GRUB_DOM0LESS_HEADER_SIZE bytes.  */
int grub_dom0less_kernel_consumed (const void *header, size_t size);


/*
 * xen.c: what a Xen image contains about itself.
 */

enum
  {
    GRUB_DOM0LESS_XEN_STATIC_MEMORY	= 1 << 0,
    GRUB_DOM0LESS_XEN_STATIC_SHM	= 1 << 1,
    GRUB_DOM0LESS_XEN_LLC_COLORING	= 1 << 2,
    GRUB_DOM0LESS_XEN_SVE		= 1 << 3,
    GRUB_DOM0LESS_XEN_VPL011		= 1 << 4,
    GRUB_DOM0LESS_XEN_DOM0LESS		= 1 << 5,
    GRUB_DOM0LESS_XEN_CPUPOOLS		= 1 << 6,
    GRUB_DOM0LESS_XEN_ESPI		= 1 << 7,
    GRUB_DOM0LESS_XEN_MPU		= 1 << 8,
    GRUB_DOM0LESS_XEN_NS16550		= 1 << 9,	/* drivers from here on */
    GRUB_DOM0LESS_XEN_CADENCE		= 1 << 10,
    GRUB_DOM0LESS_XEN_LINFLEX		= 1 << 11,
    GRUB_DOM0LESS_XEN_IMX_LPUART	= 1 << 12,
    GRUB_DOM0LESS_XEN_IMX_UART		= 1 << 13,
    GRUB_DOM0LESS_XEN_MVEBU		= 1 << 14,
    GRUB_DOM0LESS_XEN_MESON		= 1 << 15,
    GRUB_DOM0LESS_XEN_PL011		= 1 << 16,
    GRUB_DOM0LESS_XEN_OMAP		= 1 << 17,
    GRUB_DOM0LESS_XEN_SCIF		= 1 << 18,
    GRUB_DOM0LESS_XEN_GICV2		= 1 << 19,
    GRUB_DOM0LESS_XEN_GICV3		= 1 << 20,
    GRUB_DOM0LESS_XEN_SCMI_SMC		= 1 << 21
  };

/* If all members are 0, nothing is known.  */
struct grub_dom0less_xen
{
  int major, minor;			/* 0 and 0 if not known */
  int patch;				/* the third number, or NONE */
  int has_config;			/* whether OPTIONS is valid */
  unsigned int options;			/* GRUB_DOM0LESS_XEN_... built in */
};

/* Return whether XEN is known to be older than MAJOR.MINOR.  */
int grub_dom0less_xen_before (const struct grub_dom0less_xen *xen,
			      int major, int minor);

/* Return whether XEN is known to be 4.MINOR or newer.  */
int grub_dom0less_xen_since (const struct grub_dom0less_xen *xen, int minor);

/* Find Xen's version in the SIZE bytes of its IMAGE: the first UTF-16 string
   "Xen MAJOR.MINOR" or "Xen MAJOR.MINOR.PATCH", which is the greeting of its
   EFI stub.  If there is none, XEN is not changed.  */
void grub_dom0less_xen_version (struct grub_dom0less_xen *xen,
				const void *image, size_t size);

/* Return the offset, at or after START, of what looks like a gzip member in
   the SIZE bytes of IMAGE, or SIZE if there is none.  One of them is Xen's
   .config.  */
size_t grub_dom0less_xen_gzip (const void *image, size_t size, size_t start);

/* If the LEN bytes of TEXT are a .config of Xen's, read XEN's options from
   them.  Return whether they are.  */
int grub_dom0less_xen_config (struct grub_dom0less_xen *xen,
			      const char *text, size_t len);


/*
 * passthrough.c: a domain's own device tree.
 */

/* Check the SIZE bytes at TREE, the partial device tree of a domain, for XEN
   on a machine with the tree HOST.  Return the fault, or NULL if none is
   found.  NODE is the node of TREE that has it.  *IS_FATAL is whether Xen
   panics; if not, the domain does not get everything that TREE describes.
   Source: Xen's docs/misc/arm/passthrough.txt, and
   domain_handle_dtb_bootmodule in its dom0less-build.c.  */
const char *
grub_dom0less_passthrough_fault (const void *tree, size_t size,
				 const void *host,
				 const struct grub_dom0less_xen *xen,
				 int *node, int *is_fatal);


/*
 * place.c: ranges of memory.
 */

/* How Xen can use a piece of the firmware's memory map.  */
enum grub_dom0less_memory_type
  {
    GRUB_DOM0LESS_MEMORY_FREE,		/* free now, and when Xen runs */
    GRUB_DOM0LESS_MEMORY_LOADER,	/* in use now, but free when Xen runs */
    GRUB_DOM0LESS_MEMORY_FIRMWARE	/* never free for Xen */
  };

struct grub_dom0less_memory
{
  enum grub_dom0less_memory_type type;
  uint64_t start;
  uint64_t size;
};

/* Sort the N pieces of MEMORY by their starts.  */
void grub_dom0less_sort_memory (struct grub_dom0less_memory *memory, int n);

/* Return whether the two ranges overlap.  Empty ranges overlap none; a range
   that would extend beyond 64 bits ends there.  */
int grub_dom0less_overlap (uint64_t start1, uint64_t size1,
			   uint64_t start2, uint64_t size2);

/* For a kernel of SIZE bytes at OFFSET of a domain's first bank, which has
   BANK bytes: return how many bytes there are before Xen's copy of a RAMDISK
   of so many bytes, or the domain's tree; or 0 if there is no room for
   these.
   Source: place_modules in Xen's kernel.c.  */
uint64_t grub_dom0less_kernel_room (uint64_t bank, uint64_t offset,
				    uint64_t size, uint64_t ramdisk);

/* Return the address after SIZE bytes from START, or the highest address if
   there is none.  */
uint64_t grub_dom0less_end (uint64_t start, uint64_t size);

/* Find the pages of 4 KiB that contain the SIZE bytes at ADDRESS: PAGES of
   them, beginning at START.  Return 0, or -1 if SIZE is 0 or the bytes extend
   beyond the highest address.  */
int grub_dom0less_span (uint64_t address, uint64_t size,
			uint64_t *start, uint64_t *pages);

/* Reduce START and SIZE to the part within MEMORY, and extend it to whole
   pages of 4 KiB, but not beyond MEMORY.  Return whether there is such a
   part.  */
int grub_dom0less_clip_to_pages (const struct grub_dom0less_memory *memory,
				 uint64_t start, uint64_t size,
				 uint64_t *claim_start, uint64_t *claim_size);


/*
 * layout.c: where file systems store the blocks of a file.
 */

/* The number of bytes of a superblock that are read.  */
#define GRUB_DOM0LESS_SUPERBLOCK_SIZE	256

/* The contents of a superblock.  Offsets are in bytes from the beginning of
   the volume.  */
struct grub_dom0less_layout
{
  uint32_t block;		/* bytes that are always contiguous */

  /* Whether GRUB's driver returns the data as they are on the disk, and reads
     what is contiguous by one request.  */
  int reads_runs;

  /* ext4 and XFS: whether leaves and inodes may contain extents.  */
  int has_extents;

  /* XFS, unless INODE is 0.  */
  uint32_t inode;		/* size of an inode in bytes */
  uint32_t group;		/* blocks of an allocation group */
  unsigned int group_shift;	/* bits of a block's number within a group */

  /* FAT: the table, unless ENTRY is 0.  */
  uint32_t entry;		/* size of an entry in bytes */
  uint64_t table;		/* offset of the table */
  uint64_t data;		/* offset of cluster 2 */
  uint64_t end;			/* the number after the last cluster's */
};

/* Store the offset of the superblock of a file system that GRUB calls NAME in
   OFFSET.  Return 0, or -1 if the file system is not known here.  */
int grub_dom0less_superblock (const char *name, uint32_t *offset);

/* Read the SUPERBLOCK, of GRUB_DOM0LESS_SUPERBLOCK_SIZE bytes, of a file
   system that GRUB calls NAME into LAYOUT.  Return 0, or -1 if the file system
   is not known here or the superblock is invalid.  LAYOUT->block is a power of
   two from 512 to 32 MiB.
   A btrfs with RAID5 or RAID6 is invalid here, because GRUB's driver
   reconstructs what it cannot read.
   Sources: Microsoft's FAT and exFAT specifications; Linux,
   Documentation/filesystems/ext4/super.rst, f2fs.rst,
   fs/jfs/jfs_superblock.h and include/uapi/linux/btrfs_tree.h; XFS Algorithms &
   Data Structures; Apple's TN1150; ECMA-119.  */
int grub_dom0less_read_layout (struct grub_dom0less_layout *layout,
			       const char *name, const void *superblock);

/* Return the number of the cluster at OFFSET, or 0 if LAYOUT has no table, or
   if no cluster begins there.  */
uint64_t grub_dom0less_fat_cluster (const struct grub_dom0less_layout *layout,
				    uint64_t offset);

/* ENTRIES are COUNT entries of LAYOUT's table, from CLUSTER's on.  Return how
   many of them, from the first on, state that a file continues in the next
   cluster.  */
uint64_t grub_dom0less_fat_run (const struct grub_dom0less_layout *layout,
				const void *entries, size_t count,
				uint64_t cluster);

/* Return how many blocks of a file are contiguous from its block NUMBER on,
   which is BLOCK of the file system, counted from the volume's beginning.
   LAYOUT has extents, and METADATA, of SIZE bytes, is a leaf of the file's
   extent tree, or the sectors or blocks that contain its inode.  Return 0 if
   it does not say so, or if two inodes do.  Extents that are reserved but not
   written do not count.
   Sources: Linux, Documentation/filesystems/ext4/ifork.rst and inodes.rst; XFS
   Algorithms & Data Structures, "Data Extents".  */
uint32_t grub_dom0less_extent_run (const struct grub_dom0less_layout *layout,
				   const void *metadata, size_t size,
				   uint64_t number, uint64_t block);


/*
 * sha256.c: SHA-256 around a function that processes whole blocks.
 * Source: FIPS 180-4.
 */

#define GRUB_DOM0LESS_SHA256_SIZE	32	/* bytes of a digest */
#define GRUB_DOM0LESS_SHA256_BLOCK	64	/* bytes */

/* Process COUNT blocks from BLOCKS on into STATE, eight words in this machine's
   byte order.  What it returns is not used: that is the signature of
   libgcrypt's functions.  */
typedef unsigned int (*grub_dom0less_sha256_transform_t) (void *state,
							  const void *blocks,
							  size_t count);

struct grub_dom0less_sha256
{
  grub_dom0less_sha256_transform_t transform;
  uint64_t size;		/* bytes so far */
  uint32_t state[8];
  unsigned char block[GRUB_DOM0LESS_SHA256_BLOCK];	/* not yet whole */
};

/* Begin a message.  */
void grub_dom0less_sha256_init (struct grub_dom0less_sha256 *sha,
				grub_dom0less_sha256_transform_t transform);

/* Add SIZE bytes to the message.  */
void grub_dom0less_sha256_write (struct grub_dom0less_sha256 *sha,
				 const void *bytes, size_t size);

/* End the message.  Returns its digest, which lies in SHA and is good until
   the next message begins.  */
const unsigned char *
grub_dom0less_sha256_final (struct grub_dom0less_sha256 *sha);

/* Return whether TRANSFORM gives the known digest of a known message.  */
int grub_dom0less_sha256_works (grub_dom0less_sha256_transform_t transform);


/*
 * handover.c: from the firmware's last service to Xen.  Firmware may run in
 * the EL2&0 translation regime (HCR_EL2.E2H = 1, VHE), where TCR_EL2, CPTR_EL2
 * and CNTHCTL_EL2 have a layout other than the one that Xen writes without
 * checking.  Source: the Arm Architecture Reference Manual (DDI 0487), D8 (the
 * VMSA) and D24 (the registers).
 */

/* The registers that determine how EL2 runs.  xen_dom0less_regime.S relies on
   their order.  */
struct grub_dom0less_regime
{
  uint64_t hcr;				/* HCR_EL2 */
  uint64_t tcr;				/* TCR_EL2 */
  uint64_t ttbr0;			/* TTBR0_EL2 */
  uint64_t sctlr;			/* SCTLR_EL2 */
  uint64_t cptr;			/* CPTR_EL2 */
  uint64_t cnthctl;			/* CNTHCTL_EL2 */
};

/* Return whether REGIME is EL2&0.  A regime of zeros is not.  */
int grub_dom0less_is_vhe (const struct grub_dom0less_regime *regime);

/* Convert VHE, which is EL2&0, to LEFT: the EL2 regime with the same
   translation tables and the same traps.  */
void grub_dom0less_leave_vhe (const struct grub_dom0less_regime *vhe,
			      struct grub_dom0less_regime *left);

/* The properties of a page or a block in a translation table.  */
struct grub_dom0less_leaf
{
  uint64_t start;			/* of the area that it maps, */
  uint64_t size;			/* or leaves unmapped, in bytes */
  uint64_t address;			/* the output address */
  int runs_now;				/* executable at EL2 in EL2&0, */
  int runs_then;			/* and in the EL2 regime; 0 unmapped */
};

/* Find LEAF for ADDRESS in the tables of REGIME, which is EL2&0, with any
   granule.  READ returns the 64 bits at a physical address.  Permission
   indirection (TCR2_EL2.PIE) is not taken into account, because reading
   TCR2_EL2 is fatal where EL3 traps it.  */
void grub_dom0less_walk (const struct grub_dom0less_regime *regime,
			 uint64_t (*read) (uint64_t address),
			 uint64_t address, struct grub_dom0less_leaf *leaf);

struct grub_dom0less_facts;

/* Return whether any of the SIZE bytes from START on can be executed now, but
   could not be executed at the same physical address after FACTS has left VHE.
   *LOST is the first of them.  */
int grub_dom0less_lost_code (const struct grub_dom0less_facts *facts,
			     uint64_t start, uint64_t size, uint64_t *lost);

/* Return why FACTS cannot leave VHE, or NULL if it can.  */
const char *
grub_dom0less_vhe_fault (const struct grub_dom0less_facts *facts);

/* A memory map as returned by GetMemoryMap; SIZE and STEP are in bytes.  */
struct grub_dom0less_map
{
  const void *bytes;
  size_t size;
  size_t step;				/* from descriptor to descriptor */
};

/* Return whether a Xen that has SEEN one map may continue when the current map
   is NOW: all RAM in the former must still be RAM, and the former must contain
   everything that needs a virtual address.  The only loss is memory that has
   become free since.
   Source: Xen's xen/arch/arm/efi/efi-boot.h (what is RAM) and
   xen/common/efi/boot.c (efi_exit_boot).  */
int grub_dom0less_map_holds (const struct grub_dom0less_map *seen,
			     const struct grub_dom0less_map *now);


/*
 * patch.c: write the plan into the tree for Xen.
 */

/* The number of bytes that grub_dom0less_write_plan may add to a tree with
   PLAN's modules and the command line XEN_ARGS (or NULL) for Xen.  */
size_t grub_dom0less_plan_growth (const struct grub_dom0less_plan *plan,
				  const char *xen_args);

/* Write PLAN into FDT, the tree it was read from, which has room for
   grub_dom0less_plan_growth more bytes.  For each module that has an image,
   write its address and size in its cells, rename the node to module@ADDRESS
   unless an alias or a symbol refers to it, and delete the properties that
   name files.  Unless XEN_ARGS is NULL, make it Xen's command line.  Add the
   cell counts of /chosen if they are missing, and a meaningless compatible to
   each child of /chosen and of domains that has none.  PLAN's offsets are
   invalid afterwards.  Return 0 or a negative libfdt error; -FDT_ERR_BADVALUE
   means that an address or a size does not fit its cells.
   Source: Xen's xen/arch/arm/efi/efi-boot.h, which overwrites "reg" in every
   node that still has "xen,uefi-binary".  */
int grub_dom0less_write_plan (void *fdt, const struct grub_dom0less_plan *plan,
			      const char *xen_args);

/* Return whether VALUE fits in CELLS cells.  */
int grub_dom0less_fits (uint64_t value, int cells);


/*
 * canonical.c: a form of the tree that does not depend on its storage.
 */

/* Write the canonical form of FDT into BUF of SIZE bytes, if it fits, and
   return its length in bytes.  Two trees have the same form if they have the
   same nodes and properties in the same order.  The form omits what firmware
   generates anew at each boot (rng-seed and kaslr-seed of /chosen), and memory
   reservations, which Xen's EFI stub deletes.  All numbers are big-endian and
   have 32 bits: a node is 1, its name, its properties, its subnodes, and 2; a
   property is 3, its name, the length of its value, and the value; a name ends
   with a zero byte.  */
size_t grub_dom0less_canonical (const void *fdt, void *buf, size_t size);


/*
 * transfer.c: the part of a file that a disk can transfer directly.
 */

/* Bytes of a file that are contiguous on the disk as well.  All numbers are in
   bytes, from the beginning of the file and of the whole disk.  */
#define GRUB_DOM0LESS_NOWHERE	(~(uint64_t) 0)
struct grub_dom0less_run
{
  uint64_t offset, size;
  uint64_t place;		/* or NOWHERE if the place is not known */
};

/* A part of a disk, in bytes.  */
struct grub_dom0less_extent
{
  uint64_t start, size;
};

/* SIZE bytes, a whole number of sectors from number SECTOR of the disk on;
   SKIP bytes of the run precede them.  If SIZE is 0, there are none.  */
struct grub_dom0less_transfer
{
  uint64_t skip, size;
  uint64_t sector;
};

/* If NEXT continues RUN, both in the file and either on the disk or with
   neither place known, make it part of RUN.  Return whether it does.  */
int grub_dom0less_join_runs (struct grub_dom0less_run *run,
			     const struct grub_dom0less_run *next);

/* Make TRANSFER of the sectors, of 1 << SECTOR_SHIFT bytes, that can be
   transferred directly to the place of byte RUN->offset + TRANSFER->skip of
   the file.  Only whole sectors are transferred, so sectors that RUN shares
   are left out; but in the file's last run, the last sector may extend up to
   BEHIND bytes beyond it, because this part of the buffer is unused.  No
   sector lies beyond PARTITION, which a disk's driver does not check, unlike
   GRUB's cache; for a RUN that is not entirely in it, TRANSFER is empty.
   Whatever TRANSFER leaves out has to be read in another way.  */
void grub_dom0less_plan_transfer (struct grub_dom0less_transfer *transfer,
				  const struct grub_dom0less_run *run,
				  uint64_t behind,
				  const struct grub_dom0less_extent *partition,
				  unsigned int sector_shift);


/*
 * text.c: make strings from trees safe to print.
 */

/* Store the first character of TEXT, which is not empty, in CODE.  Return the
   number of its bytes, or 0 if they are not well-formed UTF-8 (RFC 3629); CODE
   is then the first byte.  */
int grub_dom0less_character (const char *text, uint32_t *code);

/* Return whether printing the character CODE has no other effect.  Control
   characters, including those of C1, control a terminal; other characters
   change the direction of the text around them, or end a line.  */
int grub_dom0less_is_shown (uint32_t code);

/* Replace each character in TEXT that is not plain, and each byte that is not
   part of a character, by a `?'.  Return the length, which does not grow.  */
size_t grub_dom0less_make_plain (char *text);


/*
 * rules.c: conditions that would make Xen fail.
 */

enum grub_dom0less_severity
  {
    GRUB_DOM0LESS_WARNING,
    GRUB_DOM0LESS_ERROR
  };

/* When a rule can be applied.  */
enum grub_dom0less_phase
  {
    GRUB_DOM0LESS_WITH_TREE,		/* before anything is loaded */
    GRUB_DOM0LESS_WITH_ADDRESSES,		/* when every image has its place */
    GRUB_DOM0LESS_BY_LOADER		/* by the loader itself */
  };

/* The rules' numbers: GRUB_DOM0LESS_RULE_... of xen_dom0less_rules.h.  */
enum grub_dom0less_rule_number
  {
#define RULE(number, name, severity, phase, check, message, hint)	\
    GRUB_DOM0LESS_RULE_ ## number,
#include <grub/xen_dom0less_rules.h>
#undef RULE
    GRUB_DOM0LESS_RULES
  };

/* The number of findings of one rule that are reported.  A tree of 1 MiB has
   room for 80,000 mistakes, and nobody reads so many lines.  */
#define GRUB_DOM0LESS_MAX_REPORTED	16

/* The number of findings of each rule, reported or not.  Initialize it with
   zeros.  */
struct grub_dom0less_tally
{
  unsigned int found[GRUB_DOM0LESS_RULES];
};

/* The facts about the machine.  If all members are 0, nothing is known.  */
struct grub_dom0less_facts
{
  int exception_level;			/* 1 or 2; 0: not known */
  int is_enforcing;			/* signatures are enforced */
  const struct grub_dom0less_memory *memory;	/* sorted by start */
  int n_memory;				/* 0 if the map is not known */
  struct grub_dom0less_xen xen;
  uint64_t xen_start, xen_size;		/* of Xen's image; 0 if not loaded */
  struct grub_dom0less_regime regime;	/* of EL2, as the firmware runs */
  int is_vhe_only;			/* the processor cannot leave it */
  int is_handover_off;			/* the user does not want to leave it */
  uint64_t code_start, code_size;	/* the code that leaves it */
  uint64_t (*read) (uint64_t address);	/* reads translation tables */
};

struct grub_dom0less_context;

struct grub_dom0less_rule
{
  const char *name;			/* its identifier, [a-z0-9-]+ */
  enum grub_dom0less_severity severity;
  enum grub_dom0less_phase phase;
  void (*check) (const struct grub_dom0less_context *context);
  const char *message;			/* a template, see rules.c */
  const char *hint;			/* what to do; may be NULL */
};

struct grub_dom0less_finding
{
  const struct grub_dom0less_rule *rule;
  int node;				/* or GRUB_DOM0LESS_NONE */
  int other;				/* a second node, or NONE */
  const char *file;			/* a file or a property, or NULL */
  uint64_t number[2];
  /* If not 0, the finding only stands for so many others of the rule.  */
  unsigned int more;
  const struct grub_dom0less_plan *plan;	/* the context's */
  const char *hint;			/* NULL: the rule's */
};

struct grub_dom0less_context
{
  const void *fdt;			/* as the plan was read from it */
  const struct grub_dom0less_plan *plan;
  const struct grub_dom0less_facts *facts;
  const char *xen_args;			/* replaces the tree's, or NULL */
  void (*report) (void *data, const struct grub_dom0less_finding *finding);
  void *data;
  struct grub_dom0less_tally *tally;	/* NULL: report every finding */
};

extern const struct grub_dom0less_rule
  grub_dom0less_rules[GRUB_DOM0LESS_RULES];

/* Apply the rules of PHASE to CONTEXT, in the table's order, and pass findings
   to CONTEXT->report: of each rule at most GRUB_DOM0LESS_MAX_REPORTED, and then
   one that contains the number of the others.  The time is proportional to the
   tree's size: a rule examines each property once, and each pair of elements
   of the plan.  */
void grub_dom0less_apply_rules (const struct grub_dom0less_context *context,
				enum grub_dom0less_phase phase);

/* Report how many more findings there are of the rules that have no check.  */
void grub_dom0less_report_more (const struct grub_dom0less_context *context);

/* Report to CONTEXT a finding against RULE that only the caller can make.  */
void grub_dom0less_report (const struct grub_dom0less_context *context,
			   enum grub_dom0less_rule_number rule, int node,
			   int other, const char *file,
			   uint64_t number0, uint64_t number1);

/* Report a finding of NODE and FILE with the cure HINT.  If HINT is NULL, it has
   the hint of its rule.  */
void grub_dom0less_report_with_hint (const struct grub_dom0less_context *context,
				     enum grub_dom0less_rule_number rule,
				     int node, const char *file,
				     const char *hint);

/* Return the hint of FINDING, which is a template like a rule's, or NULL.  */
const char *
grub_dom0less_finding_hint (const struct grub_dom0less_finding *finding);

/* The parts of a rule's message and hint that depend on the finding.  */
enum grub_dom0less_placeholder
  {
    GRUB_DOM0LESS_NO_PLACEHOLDER,
    GRUB_DOM0LESS_FILE,
    GRUB_DOM0LESS_OTHER,
    GRUB_DOM0LESS_NUMBER,
    GRUB_DOM0LESS_NUMBER2,
    GRUB_DOM0LESS_HEX,
    GRUB_DOM0LESS_HEX2
  };

/* Return the placeholder at the beginning of *TEMPLATE, and advance *TEMPLATE
   past it; if there is none, *TEMPLATE is not changed.  */
enum grub_dom0less_placeholder
grub_dom0less_read_placeholder (const char **template);

/* Write FINDING about FDT (or NULL if there is no tree) as a line without a
   newline, "[rule] /node: sentence; hint", into BUF of SIZE bytes, truncated
   if necessary and always terminated.  The hint is omitted if it does not fit.
   Return the length.  */
size_t grub_dom0less_finding_text (const struct grub_dom0less_finding *finding,
				   const void *fdt, char *buf, size_t size);

#endif
