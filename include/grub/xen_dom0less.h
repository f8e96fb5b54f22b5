/* xen_dom0less.h - what the steps of a dom0less boot promise each other  */
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
 * The pure half: trees in, plans and findings out.  No GRUB, no EFI, no I/O
 * and no allocation, so that the same sources serve GRUB, the host's tools,
 * the unit tests and the fuzzers.  Addresses and sizes are physical and in
 * bytes everywhere.  Node offsets are libfdt's and live until the tree is
 * next edited; strings that a plan points to lie in the tree.
 */

#include <stddef.h>
#include <stdint.h>

#include <libfdt.h>

/* How much a plan can hold.  Xen takes 30 distinct modules, but many nodes may
   share one: these are limits on nodes, with an error of their own.  Nodes that
   lack a compatible are only counted: each costs an edit of the tree.  */
#define GRUB_DOM0LESS_MAX_DOMAINS	64
#define GRUB_DOM0LESS_MAX_MODULES	192
#define GRUB_DOM0LESS_MAX_RANGES	320
#define GRUB_DOM0LESS_MAX_STRAYS	64
#define GRUB_DOM0LESS_MAX_BARE		256
#define GRUB_DOM0LESS_MAX_REFERENCES	1024
/* Xen has room for 32 (NR_SHMEM_BANKS), each of which several domains share.  */
#define GRUB_DOM0LESS_MAX_SHARED	128

/* What a tree may be like.  Every tree of /chosen's domains has some five
   levels, and Linux reads 64; a name has at most 31 bytes in the Devicetree
   Specification, which not everybody keeps to.  Both bound what a search for one
   node or one property may cost.  Xen maps 2 MiB for its tree, and its EFI stub
   adds a page (MAX_FDT_SIZE and efi_arch_use_config_file).  */
#define GRUB_DOM0LESS_MAX_DEPTH		64
#define GRUB_DOM0LESS_MAX_NAME		255
#define GRUB_DOM0LESS_MAX_TREE		((2 << 20) - 4096)

/* A module's domain when its node lies in /chosen itself.  */
#define GRUB_DOM0LESS_DOM0	(-1)

/* What has not been said by the tree, or not yet been found out.  */
#define GRUB_DOM0LESS_NONE	(-1)

/* What the tree says, but not in the form that it has to have.  */
#define GRUB_DOM0LESS_MALFORMED	(-2)

/* What a module is, in the order in which Xen looks for it.  */
enum grub_dom0less_kind
  {
    GRUB_DOM0LESS_KERNEL,
    GRUB_DOM0LESS_RAMDISK,
    GRUB_DOM0LESS_XSM_POLICY,
    GRUB_DOM0LESS_DEVICE_TREE,
    GRUB_DOM0LESS_UNKNOWN
  };

/* All that depends on the kind alone.  */
struct grub_dom0less_kind_facts
{
  const char *name;			/* to show */
  const char *compatible;		/* NULL for an unknown kind */
  const char *old_compatible;		/* the dom0's before Xen 4.12, or NULL */
  int in_chosen;			/* whether Xen takes it as the dom0's, */
  int in_domain;			/* and as a domain's */
};

/* Source: process_multiboot_node in Xen's bootfdt.c; Xen's
   docs/misc/arm/device-tree/booting.txt.  */
extern const struct grub_dom0less_kind_facts
  grub_dom0less_kinds[GRUB_DOM0LESS_UNKNOWN + 1];

/* The cells that a node's "reg" like properties are written in: 1 to 4 each,
   0 where the tree has something else, GRUB_DOM0LESS_NONE where nothing.  */
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

/* Where a kernel goes in its domain's memory, in bytes.  Zeroed, it says that
   nothing is known.  */
struct grub_dom0less_kernel
{
  uint64_t size;			/* that Xen copies, unpacked */
  uint64_t needed;			/* with what it uses behind itself */
  uint64_t offset;			/* from the first bank's beginning ... */
  uint64_t load;			/* ... unless it has a fixed address */
};

struct grub_dom0less_module
{
  int node;
  int domain;				/* index, or GRUB_DOM0LESS_DOM0 */
  enum grub_dom0less_kind kind;
  struct grub_dom0less_cells cells;
  const char *name;			/* the file's, or a key; or NULL */
  int64_t index;			/* mb-index, or GRUB_DOM0LESS_NONE, or
					   GRUB_DOM0LESS_MALFORMED */
  int has_reg;				/* the tree brought an address */
  uint64_t address;
  uint64_t size;
  int image;				/* what is loaded for it, or NONE */
  int keeps_name;			/* an alias or a symbol leads to it */
  struct grub_dom0less_kernel kernel;	/* when it is loaded, and is one */
};

/* A module that Xen finds in the tree although it is none of the plan's, so that
   nobody here loads it: a node somewhere else, or the ramdisk of an earlier
   kernel.  */
struct grub_dom0less_stray
{
  int node;
  int is_initrd;			/* linux,initrd-start and -end */
  int has_place;			/* 0: what says where is malformed */
  uint64_t address;
  uint64_t size;
};

/* What is read once and lies in memory once, for one node or for several.  */
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
    GRUB_DOM0LESS_PLACED		/* a module that the tree placed */
  };

/* Memory that the tree gives a purpose.  */
struct grub_dom0less_range
{
  enum grub_dom0less_range_kind kind;
  int node;
  uint64_t start;
  uint64_t size;
  int domain;				/* that NODE is, or belongs to; or NONE */
};

/* A node that others point to by its phandle, which is not 0: a processor, a
   pool of processors or an event channel.  */
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
  int chosen;				/* a negative libfdt error without */
  int reserved;				/* /reserved-memory, as well */
  struct grub_dom0less_cells cells;	/* /chosen's, 2 and 2 if not said */
  struct grub_dom0less_cells root_cells;
  int overflow;				/* the first node without a place */
  int n_bare;				/* nodes that lack a compatible */
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
 * plan.c: from the tree to the plan.
 */

/* What is wrong with the SIZE bytes at FDT, as a tree: NULL, or what to tell of
   it, "its blocks overlap".  Every tree passes here before anything else is done
   with it, and in time that is proportional to SIZE.  Beyond libfdt's
   fdt_check_full, which is for reading only: the header, the reservations, the
   structure and the strings do not share a byte and are aligned, because edits
   rely on that; depth and names have the limits above; a node's properties come
   before its subnodes, because libfdt does not see any that come later, and others
   do.  FDT is aligned to 8 bytes.
   Source: Devicetree Specification 0.4, chapter 5.  */
const char *grub_dom0less_tree_fault (const void *fdt, size_t size);

/* How many bytes FDT, which has no fault, takes without the room in it.  */
size_t grub_dom0less_tree_size (const void *fdt);

/* Fill PLAN from FDT, in which grub_dom0less_tree_fault has found nothing.  PLAN
   is the caller's, and may be uninitialized.  Nothing is judged here: what the tree
   leaves out or says wrongly is kept as it stands for the rules, and nodes
   beyond the plan's limits set PLAN->overflow.
   Source: Xen's docs/misc/arm/device-tree/booting.txt.  */
void grub_dom0less_plan_read (struct grub_dom0less_plan *plan,
			      const void *fdt);

/* Decide which modules share an image: fill PLAN->images and each named
   module's image.  PATHS has one resolved file name (or NULL for a module
   that is not loaded) for each of PLAN's modules.  Modules share when path
   and kind are equal and all belong to domUs: Xen 4.20 loses a dom0 whose
   kernel a domU shares.  A module with an address of its own is alone.  */
void grub_dom0less_plan_share (struct grub_dom0less_plan *plan,
			       const char *const *paths);

/* Give every module of IMAGE but the first an image of its own, which will be
   loaded apart.  */
void grub_dom0less_plan_unshare (struct grub_dom0less_plan *plan, int image);

/* Whether NODE is a module by the name that Xen 4.4 used, xen,multiboot-module, and
   not by the newer one, which can be added to its compatible.  */
int grub_dom0less_is_old_module (const void *fdt, int node);

/* Read CELLS (0 to 4) big-endian cells at *CELL, move *CELL behind them and
   put the number into *VALUE.  Returns 0, or -FDT_ERR_BADVALUE if it does
   not fit 64 bits.  */
int grub_dom0less_read_cells (const fdt32_t **cell, int cells,
			      uint64_t *value);

/* Read NODE's property NAME, which is one cell, into VALUE.  Returns 0;
   -FDT_ERR_NOTFOUND if it is missing; -FDT_ERR_BADVALUE if it is not of four
   bytes.  */
int grub_dom0less_read_u32 (const void *fdt, int node, const char *name,
			    uint32_t *value);

/* NODE's property NAME as one cell, or FALLBACK where it is not there or not
   of four bytes.  */
uint32_t grub_dom0less_u32 (const void *fdt, int node, const char *name,
			    uint32_t fallback);

/* The same of the first cell, whatever is behind it, as Xen's
   dt_property_read_u32 has it.  */
uint32_t grub_dom0less_first_u32 (const void *fdt, int node, const char *name,
				  uint32_t fallback);

/* NODE's property NAME if it is one non-empty, terminated string, else NULL.
   The string lies in FDT.  */
const char *grub_dom0less_string (const void *fdt, int node, const char *name);

/* The last component of NODE's path, always a string.  */
const char *grub_dom0less_node_name (const void *fdt, int node);

/* Write the path of FDT's NODE into BUF of SIZE bytes, cut to fit and always
   terminated if SIZE is not 0, and return its length without the end even if it
   did not fit; "?" if there is no such node.  For nodes of PLAN, which has been
   read from FDT or is NULL, that takes no walk through the tree.  */
size_t grub_dom0less_node_path (const struct grub_dom0less_plan *plan,
				const void *fdt, int node, char *buf,
				size_t size);

/* "static-mem", "static-heap", "shared-mem", "reserved" or "module".  */
const char *grub_dom0less_range_name (enum grub_dom0less_range_kind kind);


/*
 * early.c: what else Xen takes for a module.
 */

/* Fill PLAN->strays from FDT, of which PLAN's modules have been read: whatever
   Xen's early parser finds that is none of them, in the order of the nodes.  It
   takes nodes at most three levels deep whose path begins with "/chosen", be
   it "/chosen-old/x" or /chosen itself; compares "compatible" without regard to
   case; and looks for an initrd in every "chosen" or "chosen@...".
   grub_dom0less_plan_read calls this.
   Source: early_scan_node and process_chosen_node in Xen's bootfdt.c, since 4.20
   bootinfo-fdt.c.  */
void grub_dom0less_read_strays (struct grub_dom0less_plan *plan,
				const void *fdt);


/*
 * name.c: from names in the tree to GRUB's.
 */

/* Write the GRUB file name that NAME means into BUF of SIZE bytes, always
   terminated if SIZE is not 0, and return its length without the end even if
   it did not fit (a longer BUF is then wanted).  XEN is the hypervisor's own
   full name, "(device)/directory/file".
   `(device)/path' stands as it is; `/path' is on XEN's device; anything else
   is relative to XEN's directory, as in Xen's own EFI stub; `\' is `/'.  */
size_t grub_dom0less_format_path (const char *xen, const char *name,
				  char *buf, size_t size);


/*
 * config.c: Xen's own configuration file, xen.cfg.
 * Source: Xen's docs/misc/efi.pandoc; xen/common/efi/boot.c has the rest.
 */

/* One line "KEY=VALUE".  Zero it to begin.  */
struct grub_dom0less_entry
{
  const char *section;		/* behind its `[', or NULL before the first */
  const char *key;		/* not terminated: KEY_LENGTH bytes */
  size_t key_length;
  char *value;			/* terminated */
  char *next;			/* where the next line begins */
};

/* Cut the SIZE bytes of TEXT into terminated lines, and blank their comments
   and indentation.  TEXT is the caller's, with one byte more than SIZE.  */
void grub_dom0less_config_cut (char *text, size_t size);

/* Go on to the next line of TEXT, which is cut, that has a key.  Returns 0 at
   the end.  */
int grub_dom0less_config_next (char *text, size_t size,
			       struct grub_dom0less_entry *entry);

/* Whether ENTRY stands in SECTION; every entry does if that is NULL.  */
int grub_dom0less_config_in_section (const struct grub_dom0less_entry *entry,
				     const char *section);

/* Whether ENTRY's key is KEY, and whether it is one at all.  */
int grub_dom0less_config_is (const struct grub_dom0less_entry *entry,
			     const char *key);
int grub_dom0less_config_known (const struct grub_dom0less_entry *entry);

/* The first value of KEY in the first SECTION of that name, or anywhere if
   SECTION is NULL; NULL if there is none.  */
char *grub_dom0less_config_value (char *text, size_t size,
				  const char *section, const char *key);

/* End VALUE behind its first word.  Returns the second one, or NULL.  */
char *grub_dom0less_config_split (char *value);

/* Write the name of the file that Xen's EFI stub looks for at its ATTEMPT,
   from 0 on, beside XEN: "xen-4.17.efi" gives xen-4.17.cfg, xen-4.cfg and
   xen.cfg.
   Returns the length without the end, nothing written if that is not less
   than SIZE; 0 when there is no further one.  */
size_t grub_dom0less_config_name (const char *xen, int attempt,
				  char *buf, size_t size);

/* How many bytes grub_dom0less_config_apply may add to a tree.  */
size_t grub_dom0less_config_growth (size_t text_size);

/* Write the dom0 of SECTION into FDT: its modules, with their files' names,
   into /chosen, and its options as Xen's command line.  Values of TEXT are
   split.  Returns 0 or a negative libfdt error; -FDT_ERR_EXISTS is a node
   that the tree has already.  */
int grub_dom0less_config_apply (void *fdt, char *text, size_t size,
				const char *section);


/*
 * overlay.c: apply an overlay to a tree.
 */

/* Why an overlay does not fit.  The strings lie in the overlay, or are ours.  */
struct grub_dom0less_misfit
{
  int node;			/* of the overlay: where the mistake is */
  const char *missing;		/* a label or a path that the base lacks, or */
  const char *fault;		/* what is wrong with that node, or with fixups
				   that it has */
};

/* How many bytes grub_dom0less_merge works in.  */
size_t grub_dom0less_merge_size (const void *base, const void *overlay);

/* Apply OVERLAY to BASE, as libfdt's fdt_overlay_apply would, in WORK, which is
   the caller's and has grub_dom0less_merge_size bytes, aligned for any type.
   grub_dom0less_tree_fault has found nothing in the two.  BASE is not changed;
   OVERLAY is: it is a copy.  Takes time proportional to the two, whatever is in
   them, and writes to nothing but WORK and values within OVERLAY.
   Returns 0, and WORK is what grub_dom0less_write_merged takes as long as both are left
   alone; or a negative libfdt error with MISFIT filled in.
   Beyond libfdt's rules, which leave these unsaid: a path has at most 1023
   bytes, a merged tree the depth of any; a phandle is not 0, and fixups change
   neither phandles nor fixups and symbols.
   Source: libfdt's fdt_overlay.c; Documentation/dt-object-internal.txt of dtc.  */
int grub_dom0less_merge (void *work, const void *base, void *overlay,
			 struct grub_dom0less_misfit *misfit);

/* Write the tree that WORK has become into BUF of SIZE bytes, if it fits, and
   return how many bytes it takes.  */
size_t grub_dom0less_write_merged (const void *work, void *buf, size_t size);


/*
 * kernel.c: what a kernel file is.
 */

struct grub_dom0less_xen;

enum grub_dom0less_format
  {
    GRUB_DOM0LESS_FORMAT_IMAGE,		/* arm64 Image */
    GRUB_DOM0LESS_FORMAT_GZIP,
    GRUB_DOM0LESS_FORMAT_ZBOOT,		/* EFI zboot, which Xen refuses */
    GRUB_DOM0LESS_FORMAT_ZIMAGE,	/* 32-bit zImage */
    GRUB_DOM0LESS_FORMAT_UIMAGE,
    GRUB_DOM0LESS_FORMAT_ELF,		/* these and the rest: refused */
    GRUB_DOM0LESS_FORMAT_PE,
    GRUB_DOM0LESS_FORMAT_XZ,
    GRUB_DOM0LESS_FORMAT_ZSTD,
    GRUB_DOM0LESS_FORMAT_LZ4,
    GRUB_DOM0LESS_FORMAT_BZIP2,
    GRUB_DOM0LESS_FORMAT_DTB,
    GRUB_DOM0LESS_FORMAT_CPIO,
    GRUB_DOM0LESS_FORMAT_OTHER
  };

/* As many bytes of a file as tell its format.  */
#define GRUB_DOM0LESS_HEADER_SIZE	64

/* The format of a file of SIZE bytes that begins with HEADER, of which
   min (SIZE, GRUB_DOM0LESS_HEADER_SIZE) bytes are read.
   Source: xen/arch/arm/kernel.c; Linux's Documentation/arch/arm64/booting.rst
   and drivers/firmware/efi/libstub/zboot-header.S.  */
enum grub_dom0less_format grub_dom0less_kernel_format (const void *header,
						       size_t size);

/* A name to show, such as "an ELF file".  */
const char *grub_dom0less_format_name (enum grub_dom0less_format format);

/* Whether Xen starts a kernel of FORMAT.  */
int grub_dom0less_format_ok (enum grub_dom0less_format format);

/* Read KERNEL from the SIZE bytes of a FILE that XEN takes.
   Source: kernel_zimage64_probe, kernel_uimage_probe and kernel_decompress in
   Xen's kernel.c.  */
void grub_dom0less_read_kernel (struct grub_dom0less_kernel *kernel,
				const void *file, size_t size,
				const struct grub_dom0less_xen *xen);

/* What XEN does not take in the SIZE bytes of a FILE that is a uImage; NULL if
   it takes it.  Source: kernel_uimage_probe in Xen's kernel.c.  */
const char *grub_dom0less_uimage_fault (const void *file, size_t size,
					const struct grub_dom0less_xen *xen);

/* Whether a file of SIZE bytes that begins with HEADER is a policy that Xen's
   XSM looks at: Xen panics at any other.  Source: xen/xsm/xsm_policy.c.  */
int grub_dom0less_is_policy (const void *header, size_t size);

/* What an EFI zboot image holds.  */
struct grub_dom0less_zboot
{
  uint32_t offset, size;		/* of the compressed kernel, in bytes */
  uint32_t unpacked;			/* its size, or 0 where gzip says it */
  char compression[8];			/* "gzip", "zstd", "xz", ...  */
};

/* Read ZBOOT from a whole zboot file of SIZE bytes.  Returns 0, or
   -FDT_ERR_BADVALUE if it contradicts itself.  */
int grub_dom0less_read_zboot (struct grub_dom0less_zboot *zboot,
			      const void *file, size_t size);

/* What a gzip member says of itself.  */
struct grub_dom0less_gzip
{
  size_t offset, size;			/* of the deflate data, in bytes */
  uint32_t unpacked;			/* what they unpack to, modulo 2^32 */
  uint32_t crc;				/* CRC-32 of that */
};

/* Read GZIP from the SIZE bytes of a MEMBER with nothing behind it; if there is
   more, only the offset holds.  Returns 0, or -FDT_ERR_BADVALUE if it is none.
   Source: RFC 1952, 2.3.  */
int grub_dom0less_read_gzip (struct grub_dom0less_gzip *gzip,
			     const void *member, size_t size);

/* Whether Xen unpacks such a kernel in place, frees what it was, and so leaves
   nothing to a second domain: a gzip file, or a uImage of one.  HEADER has
   GRUB_DOM0LESS_HEADER_SIZE bytes.  */
int grub_dom0less_kernel_consumed (const void *header, size_t size);


/*
 * xen.c: what a Xen image says of itself.
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

/* Zeroed, it says that nothing is known.  */
struct grub_dom0less_xen
{
  int major, minor;			/* 0, 0 if the version is not known */
  int patch;				/* the third number, or NONE */
  int has_config;			/* whether OPTIONS counts */
  unsigned int options;			/* GRUB_DOM0LESS_XEN_... built in */
};

/* Whether XEN is known to be older than MAJOR.MINOR.  */
int grub_dom0less_xen_before (const struct grub_dom0less_xen *xen,
			      int major, int minor);

/* Whether XEN is known to be 4.MINOR or newer.  */
int grub_dom0less_xen_since (const struct grub_dom0less_xen *xen, int minor);

/* Find Xen's version in the SIZE bytes of its IMAGE: the first UTF-16 string
   "Xen MAJOR.MINOR" or "Xen MAJOR.MINOR.PATCH", which its EFI stub greets with.
   XEN is left as it is if there is none.  */
void grub_dom0less_xen_version (struct grub_dom0less_xen *xen,
				const void *image, size_t size);

/* The offset at or behind START of what looks like a gzip member in the SIZE
   bytes of IMAGE, or SIZE if there is none: one of them is Xen's .config.  */
size_t grub_dom0less_xen_gzip (const void *image, size_t size, size_t start);

/* Read XEN's options from the LEN bytes of TEXT, if they are a .config of
   Xen's.  Returns whether they are.  */
int grub_dom0less_xen_config (struct grub_dom0less_xen *xen,
			      const char *text, size_t len);


/*
 * passthrough.c: a domain's own device tree.
 */

/* What is wrong with the SIZE bytes at TREE, the partial device tree of a
   domain on a machine with the tree HOST, for XEN: NULL if nothing is found.
   *NODE is where in TREE, *IS_FATAL whether Xen panics; if not, it hands over
   less than TREE says.
   Source: Xen's docs/misc/arm/passthrough.txt, and domain_handle_dtb_bootmodule
   in its dom0less-build.c.  */
const char *
grub_dom0less_passthrough_fault (const void *tree, size_t size,
				 const void *host,
				 const struct grub_dom0less_xen *xen,
				 int *node, int *is_fatal);


/*
 * place.c: where things may lie.
 */

/* What a piece of the firmware's memory map is to Xen.  */
enum grub_dom0less_memory_type
  {
    GRUB_DOM0LESS_MEMORY_FREE,		/* now, and so when Xen runs */
    GRUB_DOM0LESS_MEMORY_LOADER,	/* in use now, Xen's when it runs */
    GRUB_DOM0LESS_MEMORY_FIRMWARE	/* never Xen's */
  };

struct grub_dom0less_memory
{
  enum grub_dom0less_memory_type type;
  uint64_t start;
  uint64_t size;
};

/* Sort the N pieces of MEMORY by their starts.  */
void grub_dom0less_sort_memory (struct grub_dom0less_memory *memory, int n);

/* Whether the two ranges share a byte.  Empty ranges share none; a range that
   would run beyond 64 bits ends there.  */
int grub_dom0less_overlap (uint64_t start1, uint64_t size1,
			   uint64_t start2, uint64_t size2);

/* How many bytes from OFFSET of a domain's first bank on, which has BANK bytes, a
   kernel of SIZE bytes has before Xen's copy of a RAMDISK of so many bytes, or the
   domain's tree, begins; 0 if Xen finds no room for these.
   Source: place_modules in Xen's kernel.c.  */
uint64_t grub_dom0less_kernel_room (uint64_t bank, uint64_t offset,
				    uint64_t size, uint64_t ramdisk);

/* The address behind SIZE bytes from START, or the last of all if there is
   none.  */
uint64_t grub_dom0less_end (uint64_t start, uint64_t size);

/* The pages of 4 KiB that SIZE bytes at ADDRESS lie in: PAGES of them, from START
   on.  Returns 0, or -1 if SIZE is 0 or the bytes go on beyond the last
   address.  */
int grub_dom0less_span (uint64_t address, uint64_t size,
			uint64_t *start, uint64_t *pages);

/* The part of START and SIZE that lies in MEMORY, widened to whole pages of
   4 KiB but not beyond MEMORY.  Returns whether there is one.  */
int grub_dom0less_clip_to_pages (const struct grub_dom0less_memory *memory,
				 uint64_t start, uint64_t size,
				 uint64_t *claim_start, uint64_t *claim_size);


/*
 * layout.c: where file systems put the blocks of a file.
 */

/* How many bytes of a superblock are looked at.  */
#define GRUB_DOM0LESS_SUPERBLOCK_SIZE	128

/* What a superblock says.  Offsets are in bytes from the beginning of what the
   file system lies on.  */
struct grub_dom0less_layout
{
  uint32_t block;		/* bytes that are always in one piece */

  /* Of ext4: leaves and inodes are worth a look.  */
  int has_extents;

  /* Of FAT: the table, unless ENTRY is 0.  */
  uint32_t entry;		/* bytes */
  uint64_t table;		/* where it begins */
  uint64_t data;		/* where cluster 2 begins */
  uint64_t end;			/* the number after the last cluster's */
};

/* Where the superblock is of a file system that GRUB calls NAME, in OFFSET.
   Returns 0, or -1 for one that is not known here.  */
int grub_dom0less_superblock (const char *name, uint32_t *offset);

/* Read the SUPERBLOCK of a file system that GRUB calls NAME,
   GRUB_DOM0LESS_SUPERBLOCK_SIZE bytes of it, into LAYOUT.  Returns 0, or -1 if
   it is not known here or impossible: LAYOUT->block is a power of two from 512
   to 32 MiB.
   Sources: Microsoft's FAT and exFAT specifications; Linux,
   Documentation/filesystems/ext4/super.rst, f2fs.rst and fs/jfs/jfs_superblock.h;
   XFS Algorithms & Data Structures; Apple's TN1150; ECMA-119.  */
int grub_dom0less_read_layout (struct grub_dom0less_layout *layout,
			       const char *name, const void *superblock);

/* The number of the cluster at OFFSET; 0 if LAYOUT has no table, or no cluster
   begins there.  */
uint64_t grub_dom0less_fat_cluster (const struct grub_dom0less_layout *layout,
				    uint64_t offset);

/* With the COUNT ENTRIES of LAYOUT's table that begin with CLUSTER's: how many of
   them say, one after the other, that a file goes on in the next cluster.  */
uint64_t grub_dom0less_fat_run (const struct grub_dom0less_layout *layout,
				const void *entries, size_t count,
				uint64_t cluster);

/* How many blocks of a file follow each other, from its block NUMBER, which is
   BLOCK of the file system: by METADATA of SIZE bytes, which is a leaf of the
   file's extent tree, or a part of the table of inodes that has the file's.
   0 if that is not told, or by two inodes.  Extents that are reserved but not
   written tell nothing.
   Source: Linux, Documentation/filesystems/ext4/ifork.rst and inodes.rst.  */
uint32_t grub_dom0less_ext4_run (const void *metadata, size_t size,
				 uint64_t number, uint64_t block);


/*
 * handover.c: between the firmware's last service and Xen.
 *
 * Firmware may run in the EL2&0 translation regime (HCR_EL2.E2H = 1, VHE),
 * where TCR_EL2, CPTR_EL2 and CNTHCTL_EL2 have another layout than Xen writes
 * without a look.  Source: the Arm Architecture Reference Manual (DDI 0487),
 * D8 (the VMSA) and D24 (the registers).
 */

/* What EL2 runs by.  xen_dom0less_regime.S knows the order.  */
struct grub_dom0less_regime
{
  uint64_t hcr;				/* HCR_EL2 */
  uint64_t tcr;				/* TCR_EL2 */
  uint64_t ttbr0;			/* TTBR0_EL2 */
  uint64_t sctlr;			/* SCTLR_EL2 */
  uint64_t cptr;			/* CPTR_EL2 */
  uint64_t cnthctl;			/* CNTHCTL_EL2 */
};

/* Whether REGIME is EL2&0.  One of zeros is not.  */
int grub_dom0less_is_vhe (const struct grub_dom0less_regime *regime);

/* Make LEFT of VHE, which is EL2&0: the EL2 regime with the same translation
   tables, and with what is trapped as it was.  */
void grub_dom0less_leave_vhe (const struct grub_dom0less_regime *vhe,
			      struct grub_dom0less_regime *left);

/* What a translation table says of a page or a block.  */
struct grub_dom0less_leaf
{
  uint64_t start;			/* of what it maps, */
  uint64_t size;			/* or does not map, in bytes */
  uint64_t address;			/* where that is mapped to */
  int runs_now;				/* whether EL2 can execute it so, */
  int runs_then;			/* and in the EL2 regime; 0 unmapped */
};

/* Find LEAF for ADDRESS in the tables of REGIME, which is EL2&0, of any
   granule; READ gives the 64 bits at a physical address.  Permission
   indirection (TCR2_EL2.PIE) is not known here: reading TCR2_EL2 is fatal
   where EL3 traps it.  */
void grub_dom0less_walk (const struct grub_dom0less_regime *regime,
			 uint64_t (*read) (uint64_t address),
			 uint64_t address, struct grub_dom0less_leaf *leaf);

struct grub_dom0less_facts;

/* Whether some of the SIZE bytes from START on can be executed now, and not, or
   not at the same physical address, when FACTS has left VHE: *LOST is the
   first.  */
int grub_dom0less_lost_code (const struct grub_dom0less_facts *facts,
			     uint64_t start, uint64_t size, uint64_t *lost);

/* Why FACTS cannot leave VHE, or NULL if it can.  */
const char *
grub_dom0less_vhe_fault (const struct grub_dom0less_facts *facts);

/* A memory map as GetMemoryMap gives it; SIZE and STEP are in bytes.  */
struct grub_dom0less_map
{
  const void *bytes;
  size_t size;
  size_t step;				/* from descriptor to descriptor */
};

/* Whether a Xen that has SEEN one map may go on when it is NOW another: all its
   RAM still is RAM, and all that it has to give a virtual address it knows.
   Memory that has become free since is lost, and nothing else.
   Source: Xen's xen/arch/arm/efi/efi-boot.h (what is RAM) and
   xen/common/efi/boot.c (efi_exit_boot).  */
int grub_dom0less_map_holds (const struct grub_dom0less_map *seen,
			     const struct grub_dom0less_map *now);


/*
 * patch.c: from the plan to the tree that Xen gets.
 */

/* How many bytes grub_dom0less_write_plan may add to a tree with PLAN's modules
   and a Xen command line of XEN_ARGS (or NULL).  */
size_t grub_dom0less_plan_growth (const struct grub_dom0less_plan *plan,
				  const char *xen_args);

/* Write into FDT, the tree PLAN was read from, with room for
   grub_dom0less_plan_growth bytes more: for each module that has an image its
   address and size, in its cells; the node's name module@ADDRESS, unless an alias or
   a symbol leads to the node; no property that names a file; and XEN_ARGS, unless NULL, as Xen's command line.
   /chosen's cells are written if it lacks them, and a compatible that means
   nothing into its children, and domains', that lack one.  PLAN's offsets are invalid
   afterwards.  Returns 0 or a negative libfdt error; -FDT_ERR_BADVALUE is an
   address or a size that does not fit its cells.
   Source: Xen's xen/arch/arm/efi/efi-boot.h, which overwrites "reg" wherever
   it still finds "xen,uefi-binary".  */
int grub_dom0less_write_plan (void *fdt, const struct grub_dom0less_plan *plan,
			      const char *xen_args);

/* Whether VALUE can be written in CELLS cells.  */
int grub_dom0less_fits (uint64_t value, int cells);


/*
 * canonical.c: a tree as what it says, however it is stored.
 */

/* Write the canonical form of FDT into BUF of SIZE bytes, if it fits, and return
   its length in bytes.  Two trees have the same form if they have the same
   nodes and properties in the same order; what firmware makes anew at each
   boot (/chosen's rng-seed and kaslr-seed) and memory reservations, which
   Xen's EFI stub deletes, are left out.  All numbers are big-endian, of 32
   bits: a node is 1, its name, its properties, its subnodes, 2; a property is
   3, its name, its value's length, its value; a name ends with a zero
   byte.  */
size_t grub_dom0less_canonical (const void *fdt, void *buf, size_t size);


/*
 * transfer.c: what of a file a disk can move to its place at once.
 */

/* Bytes of a file that follow each other on the disk as well.  All numbers are in
   bytes, from the beginning of the file and of the whole disk.  */
#define GRUB_DOM0LESS_NOWHERE	(~(uint64_t) 0)
struct grub_dom0less_run
{
  uint64_t offset, size;
  uint64_t place;		/* or NOWHERE: they are not known to lie there */
};

/* A part of a disk, in bytes.  */
struct grub_dom0less_extent
{
  uint64_t start, size;
};

/* SIZE bytes, which are whole sectors from number SECTOR of the disk on; SKIP
   bytes of the run lie before them.  There are none if SIZE is 0.  */
struct grub_dom0less_transfer
{
  uint64_t skip, size;
  uint64_t sector;
};

/* If NEXT goes on where RUN ends, in the file and on the disk or in both cases
   nowhere, make it part of RUN.  Returns whether it did.  */
int grub_dom0less_join_runs (struct grub_dom0less_run *run,
			     const struct grub_dom0less_run *next);

/* Make TRANSFER of the sectors, of 1 << SECTOR_SHIFT bytes, that can be moved at
   once to where byte RUN->offset + TRANSFER->skip of the file belongs.  They are
   whole, so those that RUN has only a part of are left out; but the last may go
   on for up to BEHIND bytes, which are for the file's last run: what is there in
   memory, and nobody's.  None is beyond PARTITION, which a disk's driver, unlike
   GRUB's cache, does not look at; a RUN that is not all in it has none.  What
   TRANSFER leaves out has to be read in another way.  */
void grub_dom0less_plan_transfer (struct grub_dom0less_transfer *transfer,
				  const struct grub_dom0less_run *run,
				  uint64_t behind,
				  const struct grub_dom0less_extent *partition,
				  unsigned int sector_shift);


/*
 * text.c: what of a string from a tree can be shown.
 */

/* Read the character that TEXT, not empty, begins with into CODE.  Returns how
   many bytes it has, or 0 if they are not well-formed UTF-8 (RFC 3629); CODE is
   then the first byte.  */
int grub_dom0less_character (const char *text, uint32_t *code);

/* Whether the character CODE is only seen: a terminal obeys control characters,
   those of C1 as well, and others change the direction of what stands around
   them or end a line.  */
int grub_dom0less_is_shown (uint32_t code);

/* Replace in TEXT whatever is not only seen, and each byte that is no
   character, by a `?'.  Returns the length, which does not grow.  */
size_t grub_dom0less_make_plain (char *text);


/*
 * rules.c: what Xen would die of.
 */

enum grub_dom0less_severity
  {
    GRUB_DOM0LESS_WARNING,
    GRUB_DOM0LESS_ERROR
  };

/* When a rule can be decided.  */
enum grub_dom0less_phase
  {
    GRUB_DOM0LESS_WITH_TREE,		/* before anything is loaded */
    GRUB_DOM0LESS_WITH_ADDRESSES,		/* when every image has its place */
    GRUB_DOM0LESS_BY_LOADER		/* where the loader meets with it */
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

/* How many findings of one rule are told.  A tree of 1 MiB has room for 80,000
   mistakes, and nobody reads so many lines.  */
#define GRUB_DOM0LESS_MAX_TOLD	16

/* How many there were, told or not.  Zeroed to begin with.  */
struct grub_dom0less_tally
{
  unsigned int found[GRUB_DOM0LESS_RULES];
};

/* What is known of the machine.  Zeroed, it says that nothing is.  */
struct grub_dom0less_facts
{
  int exception_level;			/* the firmware's: 1, 2, or 0 */
  int is_enforcing;			/* only what is signed may be used */
  const struct grub_dom0less_memory *memory;	/* in the firmware's pieces,
						   sorted by their starts */
  int n_memory;				/* 0 if the map is not known */
  struct grub_dom0less_xen xen;
  uint64_t xen_start, xen_size;		/* where Xen's image lies, if it does */
  struct grub_dom0less_regime regime;	/* EL2's, of the firmware */
  int is_vhe_only;			/* the processor has no other */
  int is_handover_off;			/* the user does not want it left */
  uint64_t code_start, code_size;	/* the loader's, which leaves it */
  uint64_t (*read) (uint64_t address);	/* for translation tables */
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
  unsigned int more;			/* not 0: so many more than were told,
					   and nothing else */
  const struct grub_dom0less_plan *plan;	/* the context's */
};

struct grub_dom0less_context
{
  const void *fdt;			/* as the plan was read from it */
  const struct grub_dom0less_plan *plan;
  const struct grub_dom0less_facts *facts;
  const char *xen_args;			/* will replace the tree's, or NULL */
  void (*report) (void *data, const struct grub_dom0less_finding *finding);
  void *data;
  struct grub_dom0less_tally *tally;	/* NULL: every finding is told */
};

extern const struct grub_dom0less_rule
  grub_dom0less_rules[GRUB_DOM0LESS_RULES];

/* Apply the rules of PHASE to CONTEXT; findings go to CONTEXT->report, in the
   table's order, and of one rule GRUB_DOM0LESS_MAX_TOLD and then one that says
   how many more there are.  Takes time proportional to the tree's size: a rule
   looks at each property once, and at each pair of what the plan has room for.  */
void grub_dom0less_apply_rules (const struct grub_dom0less_context *context,
				enum grub_dom0less_phase phase);

/* Report how many more there are of those rules that have no check.  */
void grub_dom0less_report_more (const struct grub_dom0less_context *context);

/* Tell CONTEXT of a finding against RULE that only its caller could see.  */
void grub_dom0less_report (const struct grub_dom0less_context *context,
			   enum grub_dom0less_rule_number rule, int node,
			   int other, const char *file,
			   uint64_t number0, uint64_t number1);

/* What a rule's message and hint leave to the finding.  */
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

/* The placeholder that *TEMPLATE begins with, and move *TEMPLATE behind it; it stays
   where it is if there is none.  */
enum grub_dom0less_placeholder
grub_dom0less_read_placeholder (const char **template);

/* Write FINDING, which is about FDT (NULL if there is no tree), as a line
   without an end, "[rule] /node: sentence; hint", into BUF of SIZE bytes, cut
   to fit and always terminated.  The hint is left out if it does not fit.
   Returns the length.  */
size_t grub_dom0less_finding_text (const struct grub_dom0less_finding *finding,
				   const void *fdt, char *buf, size_t size);

#endif
