/* xen_dom0less_vectors.h - inputs of the library, and the expected results  */
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

#ifndef XEN_DOM0LESS_VECTORS_HEADER
#define XEN_DOM0LESS_VECTORS_HEADER	1

/*
 * These tables are used by two tests: GRUB's functional test
 * xen_dom0less_test, inside the firmware, and the project's unit tests, on the
 * host.  Trees are sources in the part of dtc's language that
 * xen_dom0less_test.c understands: nodes, and properties that are empty or
 * consist of strings, <cells> and [bytes].
 */

#include <grub/xen_dom0less.h>

#define N_VECTORS(table)	(sizeof (table) / sizeof ((table)[0]))


/* name.c */

#define XEN	"(hd0,gpt2)/boot/xen/xen.efi"

static const struct
{
  const char *xen, *name, *file;
} name_vectors[] =
  {
    /* Relative to Xen's folder, as in Xen's own EFI stub.  */
    { XEN, "vmlinuz", "(hd0,gpt2)/boot/xen/vmlinuz" },
    { XEN, "guests/vmlinuz", "(hd0,gpt2)/boot/xen/guests/vmlinuz" },
    { XEN, "../vmlinuz", "(hd0,gpt2)/boot/xen/../vmlinuz" },
    { "(hd0,gpt2)/xen.efi", "vmlinuz", "(hd0,gpt2)/vmlinuz" },
    /* On Xen's device.  */
    { XEN, "/vmlinuz", "(hd0,gpt2)/vmlinuz" },
    { XEN, "/", "(hd0,gpt2)/" },
    /* Used as it is.  */
    { XEN, "(hd1)/vmlinuz", "(hd1)/vmlinuz" },
    { XEN, "(lvm/vg-boot)/x/vmlinuz", "(lvm/vg-boot)/x/vmlinuz" },
    /* Never a block list.  */
    { XEN, "(hd1)vmlinuz", "(hd1)/vmlinuz" },
    { XEN, "(hd1)0+1", "(hd1)/0+1" },
    { XEN, "(hd1)", "(hd1)/" },
    /* A device without a closing parenthesis is not a device.  */
    { XEN, "(hd1", "(hd0,gpt2)/boot/xen/(hd1" },
    /* EFI's slashes.  */
    { XEN, "guests\\vmlinuz", "(hd0,gpt2)/boot/xen/guests/vmlinuz" },
    { XEN, "\\vmlinuz", "(hd0,gpt2)/vmlinuz" },
    { XEN, "(hd1)\\vmlinuz", "(hd1)/vmlinuz" },
    { "(hd0)\\efi\\xen.efi", "vmlinuz", "(hd0)/efi/vmlinuz" },
    /* A slash in the device's own name does not belong to the path.  */
    { "(lvm/vg-boot)/xen.efi", "vmlinuz", "(lvm/vg-boot)/vmlinuz" },
    { "(lvm/vg-boot)/xen.efi", "/vmlinuz", "(lvm/vg-boot)/vmlinuz" },
    /* Xen's name without a device, or an empty name.  */
    { "/boot/xen.efi", "vmlinuz", "/boot/vmlinuz" },
    { "/boot/xen.efi", "/vmlinuz", "/vmlinuz" },
    { "xen.efi", "vmlinuz", "vmlinuz" },
    { "", "vmlinuz", "vmlinuz" },
    { XEN, "", "(hd0,gpt2)/boot/xen/" }
  };


/* place.c */

#define TOP	UINT64_MAX

/* Two ranges, and whether they overlap.  */
static const struct
{
  uint64_t start1, size1, start2, size2;
  int overlap;
} overlap_vectors[] =
  {
    { 10, 10, 19, 1, 1 },
    { 10, 10, 20, 1, 0 },
    { 10, 10, 5, 6, 1 },
    { 10, 10, 5, 5, 0 },
    { 10, 10, 12, 2, 1 },
    { 12, 2, 10, 10, 1 },
    { 10, 10, 10, 10, 1 },
    /* Empty ranges overlap nothing.  */
    { 10, 0, 5, 20, 0 },
    { 5, 20, 10, 0, 0 },
    { 10, 0, 10, 0, 0 },
    /* Ranges end at 64 bits.  */
    { TOP - 1, 100, TOP - 1, 1, 1 },
    { 0, TOP, TOP - 1, 1, 1 },
    { TOP - 9, 100, 0, 100, 0 },
    { TOP - 9, 10, TOP, 1, 1 },
    { TOP, 1, TOP, 100, 1 },
    { TOP - 9, 9, TOP, 1, 0 }
  };

/* The part of a range that is claimed in a piece of memory; if the size is 0,
   there is no claim.  */
static const struct
{
  uint64_t memory, memory_size, start, size, claim, claim_size;
} claim_vectors[] =
  {
    { 0x1000, 0x4000, 0x2000, 0x1000, 0x2000, 0x1000 },
    /* Whole pages.  */
    { 0x1000, 0x4000, 0x2001, 0x1, 0x2000, 0x1000 },
    { 0x1000, 0x4000, 0x2fff, 0x2, 0x2000, 0x2000 },
    /* Not beyond the piece.  */
    { 0x1000, 0x4000, 0x0, 0x10000, 0x1000, 0x4000 },
    { 0x1000, 0x4000, 0x4800, 0x1000, 0x4000, 0x1000 },
    { 0x1000, 0x4000, 0x800, 0x900, 0x1000, 0x1000 },
    { 0x1000, 0x4000, 0x800, 0x800, 0, 0 },
    { 0x1000, 0x4000, 0x5000, 0x1000, 0, 0 },
    { 0x1000, 0x4000, 0x2000, 0, 0, 0 },
    { 0x1000, 0, 0x1000, 0x1000, 0, 0 },
    /* At the highest address.  */
    { TOP - 0x1fff, 0x2000, TOP - 0xfff, 0x1000, TOP - 0xfff, 0x1000 },
    { TOP - 0x1fff, 0x2000, TOP, 1, TOP - 0xfff, 0x1000 },
    { TOP - 0x1fff, 0x1000, TOP - 0x1fff, TOP, TOP - 0x1fff, 0x1000 }
  };


/* kernel.c */

struct kernel_vector
{
  const char *what;
  enum grub_dom0less_format format;
  struct
  {
    size_t offset;
    const char *bytes;
    size_t length;
  } parts[2];
};

#define PART(offset, bytes)	{ offset, bytes, sizeof (bytes) - 1 }
#define NO_PART			{ 0, NULL, 0 }

/* Based on the descriptions of the formats.  Where a file has the same
   information in more than one place, it is in all of them.  */
static const struct kernel_vector kernel_vectors[] =
  {
    { "Image with an EFI stub", GRUB_DOM0LESS_FORMAT_IMAGE,
      { PART (0, "MZ"), PART (56, "ARM\x64") } },
    { "Image without", GRUB_DOM0LESS_FORMAT_IMAGE,
      { PART (0, "\0\0\0\x14"), PART (56, "ARM\x64") } },
    { "gzip", GRUB_DOM0LESS_FORMAT_GZIP,
      { PART (0, "\x1f\x8b\x08"), NO_PART } },
    { "EFI zboot", GRUB_DOM0LESS_FORMAT_ZBOOT,
      { PART (0, "MZ\0\0zimg"), PART (24, "gzip") } },
    { "zImage", GRUB_DOM0LESS_FORMAT_ZIMAGE,
      { PART (0x24, "\x18\x28\x6f\x01"), NO_PART } },
    { "zImage with an EFI stub", GRUB_DOM0LESS_FORMAT_ZIMAGE,
      { PART (0, "MZ"), PART (0x24, "\x18\x28\x6f\x01") } },
    { "uImage", GRUB_DOM0LESS_FORMAT_UIMAGE,
      { PART (0, "\x27\x05\x19\x56"), NO_PART } },
    { "Image of before Linux 3.17", GRUB_DOM0LESS_FORMAT_IMAGE,
      { PART (0, "\x08\0\0\x14"), NO_PART } },
    { "ELF", GRUB_DOM0LESS_FORMAT_ELF,
      { PART (0, "\x7f" "ELF"), NO_PART } },
    { "PE", GRUB_DOM0LESS_FORMAT_PE, { PART (0, "MZ"), NO_PART } },
    { "xz", GRUB_DOM0LESS_FORMAT_XZ,
      { PART (0, "\xfd" "7zXZ\0"), NO_PART } },
    { "zstd", GRUB_DOM0LESS_FORMAT_ZSTD,
      { PART (0, "\x28\xb5\x2f\xfd"), NO_PART } },
    { "lz4, old", GRUB_DOM0LESS_FORMAT_LZ4,
      { PART (0, "\x02\x21\x4c\x18"), NO_PART } },
    { "lz4", GRUB_DOM0LESS_FORMAT_LZ4,
      { PART (0, "\x04\x22\x4d\x18"), NO_PART } },
    { "bzip2", GRUB_DOM0LESS_FORMAT_BZIP2, { PART (0, "BZh9"), NO_PART } },
    { "device tree", GRUB_DOM0LESS_FORMAT_DTB,
      { PART (0, "\xd0\x0d\xfe\xed"), NO_PART } },
    { "cpio", GRUB_DOM0LESS_FORMAT_CPIO, { PART (0, "070701"), NO_PART } },
    { "text", GRUB_DOM0LESS_FORMAT_OTHER, { PART (0, "#!/bin/sh"), NO_PART } }
  };


/* xen.c */

/* UTF-16 text in an image, and the version that is found.  */
static const struct
{
  const char *text;
  int major, minor;
} version_vectors[] =
  {
    { "Xen 4.17.5 (c/s ) EFI loader\r\n", 4, 17 },
    { "Xen 4.20.3-pre", 4, 20 },
    { "Xen 4.9", 4, 9 },
    { "Xen 12.345", 12, 345 },
    { "Xen 1.2", 1, 2 },
    { "Xon 3.1, Xen 4.17", 4, 17 },
    /* Text before the greeting.  */
    { "XXen XSM Xen heap Xen 4.Xen 4 Xen 4.22.0", 4, 22 },
    { "Xen 4.20 and Xen 4.17", 4, 20 },
    { "Xen 0.1", 0, 0 },
    { "Xen 4", 0, 0 },
    { "Xen 4.", 0, 0 },
    { "Xen 4.x", 0, 0 },
    { "Xen x.4", 0, 0 },
    { "Xen 1234.5", 0, 0 },
    { "Xen 1001.5", 0, 0 },
    { "Xen ", 0, 0 },
    { "Xen", 0, 0 },
    { "X", 0, 0 },
    { "", 0, 0 }
  };


/* Texts that are read one after the other; whether each is a .config of Xen's,
   and the options that are known afterwards.  */
static const struct
{
  const char *text;
  int is_config;
  unsigned int options;
} option_vectors[] =
  {
    { "", 0, 0 },
    { "\n\n", 0, 0 },
    { "CONFIG_X86=y\nCONFIG_STATIC_MEMORY=y\n", 0, 0 },
    { "CONFIG_ARM=yes\n", 0, 0 },
    { "#\n# Automatically generated\n#\nCONFIG_64BIT=y\nCONFIG_ARM_64=y\n"
      "CONFIG_ARM=y\n# CONFIG_STATIC_MEMORY is not set\n"
      "CONFIG_STATIC_SHM=y\n\nCONFIG_LLC_COLORING=y", 1,
      GRUB_DOM0LESS_XEN_STATIC_SHM | GRUB_DOM0LESS_XEN_LLC_COLORING },
    /* Reading it again adds nothing.  */
    { "CONFIG_ARM=y\nCONFIG_ARM64_SVE=y\nCONFIG_SBSA_VUART_CONSOLE=y\n"
      "CONFIG_DOM0LESS_BOOT=y\nCONFIG_STATIC_MEMORY=y\nCONFIG_STATIC_SHM=n\n"
      "XCONFIG_LLC_COLORING=y\n", 1,
      GRUB_DOM0LESS_XEN_SVE | GRUB_DOM0LESS_XEN_VPL011
      | GRUB_DOM0LESS_XEN_DOM0LESS | GRUB_DOM0LESS_XEN_STATIC_MEMORY }
  };


/* config.c */

/* The example from the discussion on xen-devel, in the terms of Xen's
   documentation.  */
#define XEN_CFG	\
  "[global]\n" \
  "default=section1\n" \
  "\n" \
  "[section1]\n" \
  "options=console=vga,com1 com1=57600 loglvl=all noreboot\n" \
  "kernel=vmlinuz-3.0.31-0.4-xen root=/dev/sda1  quiet\n" \
  "ramdisk=initrd-3.0.31-0.4-xen\n" \
  "xsm=policy with words\n" \
  "dtb=devtree.dtb\n" \
  "binary=vmlinuz-guest domu-kernel\n"

/* Each entry as "SECTION/KEY=VALUE;".  */
static const struct
{
  const char *source, *entries;
} config_vectors[] =
  {
    { "", "" },
    { "a=b", "/a=b;" },
    { "a=b\n", "/a=b;" },
    { "a=b\r\nc=d\r\n", "/a=b;/c=d;" },
    { "a=b\n[s]\nc=d\n[t]\ne=f\n", "/a=b;s/c=d;t/e=f;" },
    /* Blanks before a key and before a value are removed; others are kept.  */
    { "  a=  b c  \n", "/a=b c  ;" },
    { "a =b\n", "/a =b;" },
    { "a=\n", "/a=;" },
    { "=b\n", "/=b;" },
    /* A tab ends a line, as it does for Xen.  */
    { "a=b\tc=d\n", "/a=b;/c=d;" },
    /* Comments.  */
    { "# a=b\n; c=d\n e=f\n", "/e=f;" },
    { "a=b # c\nd=e ; f\n", "/a=b ;/d=e ; f;" },
    { "#\n#a\n", "" },
    /* Lines without a key.  */
    { "a\nb c\n=\n[s\n]\n", "/=;" },
    { "a=b=c\n", "/a=b=c;" },
    { "\n\n\na=b\n\n\n", "/a=b;" }
  };

static const struct
{
  const char *source, *section, *key, *value;
} value_vectors[] =
  {
    { XEN_CFG, "global", "default", "section1" },
    { XEN_CFG, "global", "chain", NULL },
    { XEN_CFG, "section1", "kernel",
      "vmlinuz-3.0.31-0.4-xen root=/dev/sda1  quiet" },
    { XEN_CFG, "section1", "default", NULL },
    { XEN_CFG, "section2", "kernel", NULL },
    { XEN_CFG, "section", "kernel", NULL },
    { XEN_CFG, "section11", "kernel", NULL },
    { XEN_CFG, NULL, "kernel",
      "vmlinuz-3.0.31-0.4-xen root=/dev/sda1  quiet" },
    { XEN_CFG, NULL, "kerne", NULL },
    { XEN_CFG, NULL, "kernel2", NULL },
    /* The first value counts, in the first section of that name.  */
    { "[s]\na=1\na=2\n", "s", "a", "1" },
    { "[s]\na=1\n[s]\na=2\nb=3\n", "s", "a", "1" },
    { "[s]\na=1\n[s]\na=2\nb=3\n", "s", "b", NULL },
    { "[s]\na=1\n[t]\nb=2\n[s]\nc=3\n", "s", "c", NULL },
    { "[s]\na=1\n[t]\nb=2\n", "t", "b", "2" },
    { "[s]\n[t]\n[s]\na=1\n", "s", "a", NULL },
    { "a=1\n[s]\na=2\n", "s", "a", "2" },
    { "a=1\n[s]\na=2\n", NULL, "a", "1" },
    { "[s]x\na=2\n", "s", "a", "2" },
    { "[s\na=2\n", "s", "a", NULL }
  };

static const struct
{
  const char *value, *first, *rest;
} split_vectors[] =
  {
    { "file", "file", NULL },
    { "file args", "file", "args" },
    { "file  two  words ", "file", "two  words " },
    { "file  ", "file", NULL },
    { "", "", NULL }
  };

static const struct
{
  const char *xen;
  int attempt;
  const char *name;			/* or none */
} config_name_vectors[] =
  {
    { "(hd0,gpt2)/xen.efi", 0, "(hd0,gpt2)/xen.cfg" },
    { "(hd0,gpt2)/xen.efi", 1, NULL },
    { "(hd0)/boot/xen-4.17-arm64.efi", 0, "(hd0)/boot/xen-4.17-arm64.cfg" },
    { "(hd0)/boot/xen-4.17-arm64.efi", 1, "(hd0)/boot/xen-4.17.cfg" },
    { "(hd0)/boot/xen-4.17-arm64.efi", 2, "(hd0)/boot/xen-4.cfg" },
    { "(hd0)/boot/xen-4.17-arm64.efi", 3, "(hd0)/boot/xen.cfg" },
    { "(hd0)/boot/xen-4.17-arm64.efi", 4, NULL },
    { "(hd0)/xen_a.efi", 1, "(hd0)/xen.cfg" },
    { "(hd0)/xen", 0, NULL },
    /* Dots in folders and devices do not belong to the file's name.  */
    { "(hd0)/xen.d/xen", 0, NULL },
    { "(hd0)\\xen.d\\xen.efi", 1, NULL },
    { "(lvm/a.b)xen", 0, NULL },
    { "xen.efi", 0, "xen.cfg" },
    { "xen", 0, NULL },
    { "", 0, NULL },
    { "(hd0)/.efi", 0, "(hd0)/.cfg" },
    { "(hd0)/xen.", 0, "(hd0)/xen.cfg" }
  };


/* overlay.c */

#define LABELS "soc { phandle = <1>; }; __symbols__ { soc = \"/soc\"; };"
#define INTO(number, target, what) \
  "fragment@" number " { " target "; __overlay__ { " what " }; };"

/* Overlays that do not fit a base: the node with the mistake, and a label or a
   path that is missing there, or another reason.  If all are NULL, the overlay
   fits.  */
static const struct
{
  const char *base, *overlay;
  const char *node, *missing, *fault;
} overlay_vectors[] =
  {
    /* These fit.  */
    { "", "", NULL, NULL, NULL },
    { "chosen { };", INTO ("0", "target-path = \"/chosen\"", ""), NULL, NULL,
      NULL },
    { "", INTO ("0", "target-path = \"/\"", "a { };")
      INTO ("1", "target-path = \"/a\"", ""), NULL, NULL, NULL },
    { "", "fragment@0 { target-path = \"/nowhere\"; };", NULL, NULL, NULL },
    { LABELS, INTO ("0", "target = <0xffffffff>", "")
      "__fixups__ { soc = \"/fragment@0:target:0\"; };", NULL, NULL, NULL },
    { "", INTO ("0", "target-path = \"/\"", "p = <1 2>; b { q = <3>; };")
      "__local_fixups__ { fragment@0 { __overlay__ { p = <0 4>;"
      " b { q = <0>; }; }; }; };", NULL, NULL, NULL },
    /* Paths.  */
    { "", INTO ("0", "target-path = \"/\"", "")
      INTO ("1", "target-path = \"/chosen\"", ""), "/fragment@1", "/chosen",
      NULL },
    /* Labels, as targets or deeper.  Labels are resolved first.  */
    { "", INTO ("0", "target = <0xffffffff>", "")
      "__fixups__ { soc = \"/fragment@0:target:0\"; };", "/fragment@0", "soc",
      NULL },
    { LABELS, INTO ("1", "target = <0xffffffff>", "x { y = <0>; };")
      "__fixups__ { soc = \"/fragment@1:target:0\";"
      "gic = \"/fragment@1/__overlay__/x:y:0\"; };", "/fragment@1", "gic",
      NULL },
    { "", INTO ("0", "target-path = \"/chosen\"", "")
      INTO ("1", "target = <0xffffffff>", "")
      "__fixups__ { soc = \"/fragment@1:target:0\"; };", "/fragment@1", "soc",
      NULL },
    { "__symbols__ { soc = \"/soc\"; };", INTO ("0", "target = <0>", "")
      "__fixups__ { soc = \"/fragment@0:target:0\"; };", "/fragment@0", "soc",
      NULL },
    /* Invalid targets.  */
    { "", INTO ("0", "target-path = <1>", ""), "/fragment@0", NULL,
      "it has no target" },
    { "", INTO ("0", "target-path = \"\"", ""), "/fragment@0", NULL,
      "it has no target" },
    { "", INTO ("0", "target = <5>", ""), "/fragment@0", NULL,
      "its target is nobody's phandle" },
    { "", INTO ("0", "target = <1 1>", ""), "/fragment@0", NULL,
      "its target is no phandle" },
    { "", INTO ("0", "target = <0xffffffff>", ""), "/fragment@0", NULL,
      "its target is no phandle" },
    /* Phandles.  */
    { "", "a { phandle = <0>; };", "/a", NULL,
      "its phandle has no place among the base's" },
    { "b { phandle = <0xfffffffd>; };", "a { phandle = <2>; };", "/a", NULL,
      "its phandle has no place among the base's" },
    { "b { phandle = <0xfffffffd>; };", "a { phandle = <1>; };", NULL, NULL,
      NULL },
    { "", "a { phandle = <1 2>; };", "/a", NULL, "its phandle is not one cell" },
    { "", "__local_fixups__ { n { phandle = <1>; }; };", "/__local_fixups__/n",
      NULL, "a phandle among fixups or symbols" },
    { "", "__symbols__ { linux,phandle = <1>; };", "/__symbols__", NULL,
      "a phandle among fixups or symbols" },
    /* Fixups that would write to other places.  */
    { "", "a { p = <1 2>; }; __local_fixups__ { a { p = <5>; }; };",
      "/__local_fixups__/a", NULL, "a fixup outside of its property" },
    { "", "a { p = <1 2>; }; __local_fixups__ { a { p = <0 4 8>; }; };",
      "/__local_fixups__/a", NULL, "a fixup outside of its property" },
    { "", "a { p = <1>; }; __local_fixups__ { a { p = <0xfffffffc>; }; };",
      "/__local_fixups__/a", NULL, "a fixup outside of its property" },
    { "", "a { p = \"ab\"; }; __local_fixups__ { a { p = <0>; }; };",
      "/__local_fixups__/a", NULL, "a fixup outside of its property" },
    { "", "a { p = <1>; }; __local_fixups__ { a { p = \"a\"; }; };",
      "/__local_fixups__/a", NULL, "a fixup that is not whole cells" },
    { "", "a { }; __local_fixups__ { a { p = <0>; }; };", "/__local_fixups__/a",
      NULL, "a fixup of a property that is not there" },
    { "", "__local_fixups__ { a { p = <0>; }; };", "/__local_fixups__/a", NULL,
      "a fixup of no node of a fragment" },
    { "", "__local_fixups__ { __fixups__ { x = <0>; }; }; __fixups__ { x; };",
      "/__local_fixups__/__fixups__", NULL,
      "a fixup of no node of a fragment" },
    { "", "a { phandle = <1>; }; __local_fixups__ { a { phandle = <0>; }; };",
      "/__local_fixups__/a", NULL, "a phandle among fixups or symbols" },
    { LABELS, "__fixups__ { soc = \"/__fixups__:soc:0\"; };", "/__fixups__",
      NULL, "a fixup of fixups or symbols" },
    { LABELS, "a { phandle = <1>; }; __fixups__ { soc = \"/a:phandle:0\"; };",
      "/__fixups__", NULL, "a fixup of a phandle" },
    { LABELS, "a { p = <1>; }; __fixups__ { soc = \"/a:p:0\", \"/a:p:1\"; };",
      "/__fixups__", NULL, "a fixup outside of its property" },
    { LABELS, "a { p = <1>; }; __fixups__ { soc = \"/a:p:4294967292\"; };",
      "/__fixups__", NULL, "a fixup outside of its property" },
    { LABELS, "a { p = <1>; }; __fixups__ { soc = \"/a:p:-4\"; };",
      "/__fixups__", NULL, "a fixup outside of its property" },
    { LABELS, "a { p = <1>; }; __fixups__ { soc = \"/a:p: 0\"; };",
      "/__fixups__", NULL, "a fixup outside of its property" },
    { LABELS, "a { p = <1>; }; __fixups__ { soc = \"/a:p:\"; };",
      "/__fixups__", NULL, "a fixup outside of its property" },
    { LABELS, "a { p = <1>; }; __fixups__ { soc = \"/a:p\"; };",
      "/__fixups__", NULL, "a fixup that is no PATH:PROPERTY:OFFSET" },
    { LABELS, "a { p = <1>; }; __fixups__ { soc = \"/a\"; };",
      "/__fixups__", NULL, "a fixup that is no PATH:PROPERTY:OFFSET" },
    { LABELS, "a { p = <1>; }; __fixups__ { soc = \"/a::0\"; };",
      "/__fixups__", NULL, "a fixup that is no PATH:PROPERTY:OFFSET" },
    { LABELS, "__fixups__ { soc; };", "/__fixups__", NULL,
      "a fixup that is no PATH:PROPERTY:OFFSET" },
    { LABELS, "__fixups__ { soc = \"\"; };", "/__fixups__", NULL,
      "a fixup that is no PATH:PROPERTY:OFFSET" },
    { LABELS, "__fixups__ { soc = <0x2f613a70>; };", "/__fixups__", NULL,
      "a fixup that is no PATH:PROPERTY:OFFSET" },
    { LABELS, "__fixups__ { soc = \"/z:p:9\"; };", "/__fixups__", NULL,
      "a fixup of a node that is not there" },
    { "", "__local_fixups__ { __overlay__ { }; };",
      "/__local_fixups__", NULL, "fixups or symbols in __overlay__" },
    /* Symbols.  */
    { "", "__symbols__ { s = \"/nowhere/__overlay__/x\"; };", "/__symbols__",
      NULL, "a symbol in no fragment" },
    { "", "__symbols__ { s = <1>; };", "/__symbols__", NULL,
      "a symbol that is no path" },
    { "", "__symbols__ { s = \"/fragment@0\"; };", NULL, NULL, NULL }
  };


/* patch.c */

/* An address and a size, and whether they fit the cells.  */
static const struct
{
  uint64_t address, size;
  int address_cells, size_cells, status;
} fit_vectors[] =
  {
    { 0xffffffff, 0xffffffff, 1, 1, 0 },
    { 0x100000000, 1, 1, 1, -FDT_ERR_BADVALUE },
    { 1, 0x100000000, 1, 1, -FDT_ERR_BADVALUE },
    { 0x100000000, 1, 2, 1, 0 },
    { 1, 0x100000000, 1, 2, 0 },
    { 1, 0x100000000, 4, 1, -FDT_ERR_BADVALUE },
    { UINT64_MAX, UINT64_MAX, 2, 2, 0 },
    { UINT64_MAX, UINT64_MAX, 3, 4, 0 },
    { 1, 1, 5, 1, -FDT_ERR_BADVALUE },
    { 1, 1, 1, 0, -FDT_ERR_BADVALUE }
  };


/* A kernel for two domains, each with its own cells, and a ramdisk of each.  */
#define PATCH_SOURCE							\
  "chosen { domU1 { compatible = \"xen,domain\"; #address-cells = <2>;"	\
  "#size-cells = <1>;" KERNEL ("") MODULE ("m", "ramdisk", "A", "") "};"	\
  "domU2 { compatible = \"xen,domain\"; #address-cells = <3>;"		\
  "#size-cells = <1>;" KERNEL ("") MODULE ("m", "ramdisk", "B", "") "};"	\
  "};"

/* The resulting nodes, if each image has 0x1234567 bytes, and they are placed
   from 0xb0000000 on at intervals of 1 MiB.  */
static const struct
{
  const char *node, *reg;
  int length;
} patch_vectors[] =
  {
    { "/chosen/domU1/module@b0000000",
      "\0\0\0\0\xb0\0\0\0\x01\x23\x45\x67", 12 },
    { "/chosen/domU1/module@b0100000",
      "\0\0\0\0\xb0\x10\0\0\x01\x23\x45\x67", 12 },
    { "/chosen/domU2/module@b0000000",
      "\0\0\0\0\0\0\0\0\xb0\0\0\0\x01\x23\x45\x67", 16 },
    { "/chosen/domU2/module@b0200000",
      "\0\0\0\0\0\0\0\0\xb0\x20\0\0\x01\x23\x45\x67", 16 }
  };


/* canonical.c */

#define CANONICAL_SOURCE \
  "p = <0x01020304>; a { empty; b@1 { }; }; c { };"

static const char canonical_form[]
  = "\0\0\0\1" "\0"
    "\0\0\0\3" "p\0" "\0\0\0\4" "\1\2\3\4"
    "\0\0\0\1" "a\0"
    "\0\0\0\3" "empty\0" "\0\0\0\0"
    "\0\0\0\1" "b@1\0" "\0\0\0\2"
    "\0\0\0\2"
    "\0\0\0\1" "c\0" "\0\0\0\2"
    "\0\0\0\2";


/*
 * The rules: the contents of /chosen, added to the hardware below, and the
 * expected findings.  Each line is the beginning of a finding; NULL means
 * none.  The machine is QEMU's "virt" with 2 GiB from 0x40000000 on.  The
 * first MiB of RAM is the loader's, the last the firmware's, and there is
 * flash at 0x4000000.  It runs at EL2, with a Xen of which nothing is known. 
 * Files are loaded to 0x50000000.
 */

struct rule_vector
{
  const char *chosen, *finds;
};

#define HARDWARE							\
  "#address-cells = <2>; #size-cells = <2>; compatible = \"test\";"	\
  "cpus { cpu@0 { device_type = \"cpu\"; reg = <0>; }; };"		\
  "memory@40000000 { device_type = \"memory\";"				\
  "reg = <0 0x40000000 0 0x80000000>; };"				\
  "uart@9000000 { compatible = \"arm,pl011\"; };"
#define CONSOLE	"stdout-path = \"/uart@9000000\";"

/* A domain NAME that satisfies all rules, with the additional properties
   SAYS.  */
#define GUEST(name, says)	BARE (name, says KERNEL (""))

/* Modules, with the additional properties SAYS.  */
#define KERNEL(says)	MODULE ("module@1", "kernel", "vmlinuz", says)
#define RAMDISK(says)	MODULE ("module@2", "ramdisk", "ramdisk", says)
#define MODULE(node, kind, file, says)					\
  node " { compatible = \"multiboot," kind "\", \"multiboot,module\";"	\
  "uefi,binary = \"" file "\"; " says "};"

/* A module that the tree has placed; it has no name, so nothing is loaded.  */
#define PLACED(node, kind, reg)						\
  node " { compatible = \"multiboot," kind "\", \"multiboot,module\";"	\
  "reg = <" reg ">; };"

/* A domain that contains only MODULES.  */
#define BARE(name, modules)						\
  name " { compatible = \"xen,domain\"; #address-cells = <2>;"		\
  "#size-cells = <2>; memory = <0 0x10000>; cpus = <1>;" modules "};"

#define ONE(module)	BARE ("domU1", KERNEL ("") module)
#define AT		"/chosen/domU1/m: "

#define SAYS(says)	ONE ("m { compatible = \"multiboot,ramdisk\","	\
			     "\"multiboot,module\";" says "};")

#define PAIR(module1, module2)	BARE ("domU1", module1) BARE ("domU2", module2)
#define AT_58	"0 0x58000000 0 0x1000"
#define AT_59	"0 0x59000000 0 0x1000"
#define IN_58	"0 0x58000800 0 0x1000"

#define GOOD	GUEST ("domU1", "")

#define STALE	"[initrd-stale] /chosen: "
#define PRESENT	"[initrd-present] /chosen: "

#define DISABLED	"[domain-disabled] /chosen/domU1: "

#define ENHANCED(value)	GUEST ("domU1", "xen,enhanced" value ";")
#define ALONE		"[enhanced-alone] /chosen/domU1: "

#define STATIC_MEM	"xen,static-mem = <0 0x60000000 0 0x4000000>;"

#define POOLED(value)							\
  GUEST ("domU1", "domain-cpupool = " value ";")			\
  "pool { compatible = \"xen,cpupool\"; phandle = <0x77>; };"		\
  "other { compatible = \"x\"; phandle = <0x78>; };"
#define NO_POOL		"[cpupool-missing] /chosen/domU1: "

/* Static memory and heap at REG.  */
#define STATIC(name, reg)	GUEST (name, "xen,static-mem = <" reg ">;")
#define HEAP(reg)		"xen,static-heap = <" reg ">;"

#define MEM_60		"0 0x60000000 0 0x4000000"
/* Sufficient for a domain.  */
#define ROOM		" 0 0x70000000 0 0x8000000"

#define SHARED(name, says)						\
  name " { compatible = \"xen,domain-shared-memory-v1\"; " says "};"
#define ID(id)		"xen,shm-id = \"" id "\";"
#define AT_60		"xen,shared-mem = <0 0x60000000 0 0x6000000 0 0x1000>;"
#define AT_61		"xen,shared-mem = <0 0x61000000 0 0x6000000 0 0x1000>;"
#define LONGER		"xen,shared-mem = <0 0x60000000 0 0x6000000 0 0x2000>;"
#define OVERLAP		"[ranges-overlap] /chosen/domU2/s: shared-mem at "

static const struct rule_vector rule_vectors[] =
  {
    /* Kinds of modules, and their places.  */
    { ONE ("m { compatible = \"multiboot,module\";"
	   "uefi,binary = \"x\"; };"), "[kind-unknown] " AT },
    { ONE ("m { compatible = \"x\"; uefi,binary = \"x\"; };"),
      "[kind-unknown] " AT "\n[not-a-module] " AT },
    { ONE ("m { compatible = \"multiboot,ramdisk\";"
	   "uefi,binary = \"x\"; };"), "[not-a-module] " AT },
    { ONE ("m { compatible = \"xen,xsm-policy\", \"multiboot,module\";"
	   "uefi,binary = \"x\"; };"),
      "[kind-misplaced] " AT "Xen does not take a xen,xsm-policy here" },
    { ONE ("m { compatible = \"xen,linux-initrd\", \"multiboot,module\";"
	   "uefi,binary = \"x\"; };"),
      "[kind-misplaced] " AT "Xen does not take a xen,linux-initrd here" },
    { BARE ("domU1", "m { compatible = \"xen,linux-zimage\","
	    "\"multiboot,module\"; uefi,binary = \"x\"; };"),
      "[kind-misplaced] " AT "Xen does not take a xen,linux-zimage here" },
    { ONE ("") "p { compatible = \"multiboot,device-tree\","
      "\"multiboot,module\"; uefi,binary = \"x\"; };",
      "[kind-misplaced] /chosen/p: Xen does not take a "
      "multiboot,device-tree here" },
    { ONE ("") "p { compatible = \"xen,xsm-policy\", \"multiboot,module\";"
      "uefi,binary = \"x\"; };", NULL },
    /* Names and command lines.  */
    { SAYS ("uefi,binary = \"a\", \"b\";"),
      "[string-malformed] " AT "uefi,binary is not one string" },
    { SAYS ("uefi,binary;"), "[string-malformed] " AT },
    { SAYS ("uefi,binary = \"a\"; xen,uefi-binary = <1>;"),
      "[string-malformed] " AT "xen,uefi-binary" },
    { SAYS ("uefi,binary = \"a\"; bootargs = \"\";"), NULL },
    { SAYS ("uefi,binary = \"a\"; bootargs;"),
      "[string-malformed] " AT "bootargs" },
    { SAYS ("uefi,binary = \"a\"; bootargs = \"\", \"\";"),
      "[string-malformed] " AT "bootargs" },
    { SAYS ("uefi,binary = \"a\"; xen,uefi-binary = \"a\";"), NULL },
    { SAYS ("uefi,binary = \"a\"; xen,uefi-binary = \"b\";"),
      "[names-differ] " AT },
    { SAYS (""), "[reg-missing] " AT },
    { SAYS ("reg = <0 0x58000000 0 0x1000>;"), NULL },
    { SAYS ("mb-index = <3>;"), NULL },
    { SAYS ("mb-index = <0 3>;"), "[index-malformed] " AT },
    /* Kernels, and two of a kind.  */
    { BARE ("domU1", RAMDISK ("")),
      "[kernel-missing] /chosen/domU1: " },
    /* The dom0's kernel is not the domain's.  */
    { KERNEL ("") BARE ("domU1", ""), "[kernel-missing] " },
    { BARE ("domU1", KERNEL ("") MODULE ("m", "kernel", "k", "")
	    MODULE ("n", "kernel", "k", "")),
      "[two-of-a-kind] " AT "a second kernel, beside "
      "/chosen/domU1/module@1\n"
      "[two-of-a-kind] /chosen/domU1/n: a second kernel, beside "
      "/chosen/domU1/module@1" },
    /* A module whose kind is not known.  */
    { ONE ("m { compatible = \"multiboot,module\"; uefi,binary = \"x\"; };"
	   "n { compatible = \"multiboot,module\"; uefi,binary = \"x\"; };"),
      "[kind-unknown] \n[kind-unknown] " },
    /* Domains may share modules of the same kind.  */
    { PAIR (PLACED ("m", "kernel", AT_58), PLACED ("m", "kernel", AT_58)),
      NULL },
    { PAIR (PLACED ("m", "kernel", AT_58) PLACED ("n", "ramdisk", AT_59),
	    PLACED ("m", "kernel", AT_59)),
      "[kinds-share] /chosen/domU2/m: same address as /chosen/domU1/n" },
    { "#address-cells = <2>; #size-cells = <2>;"
      BARE ("domU1", PLACED ("m", "kernel", AT_58))
      PLACED ("k", "kernel", AT_58),
      "[dom0-shares] /chosen/k: same address as /chosen/domU1/m" },
    { PAIR (PLACED ("m", "kernel", AT_58), PLACED ("m", "kernel", IN_58)),
      "[modules-overlap] /chosen/domU2/m: 0x58000800 overlaps "
      "/chosen/domU1/m" },
    /* The same address, but a file is loaded there.  */
    { PAIR (PLACED ("m", "kernel", AT_58),
	    KERNEL ("reg = <" AT_58 ">;")),
      "[modules-overlap] /chosen/domU2/module@1: " },
    { PAIR (KERNEL ("reg = <" AT_58 ">;"), KERNEL ("reg = <" AT_59 ">;")),
      NULL },
    /* /chosen's ranges.  */
    { "ranges;" GOOD, NULL },
    { "ranges = <0>;" GOOD, "[chosen-ranges] /chosen: " },
    /* Properties left by an earlier kernel.  */
    { "linux,initrd-end = <1>;" GOOD, NULL },
    { "linux,initrd-start = <1>; linux,initrd-end = <2>;" GOOD,
      PRESENT },
    { "linux,initrd-start = <0 1>; linux,initrd-end = <1 0>;" GOOD,
      PRESENT },
    { "linux,initrd-start = <0 1>; linux,initrd-end = <2>;" GOOD,
      PRESENT },
    { "linux,initrd-start = <1>;" GOOD, STALE },
    { "linux,initrd-start = <1>; linux,initrd-end = <1>;" GOOD,
      STALE },
    { "linux,initrd-start = <1 0>; linux,initrd-end = <2>;" GOOD,
      STALE },
    { "linux,initrd-start; linux,initrd-end = <2>;" GOOD, STALE },
    { "linux,initrd-start = <1>; linux,initrd-end = <0 0 2>;" GOOD,
      STALE },
    /* Disabled domains.  */
    { GUEST ("domU1", "status = \"okay\";"), NULL },
    { GUEST ("domU1", "status = \"ok\";"), NULL },
    { GUEST ("domU1", "status = \"disabled\";"), DISABLED },
    { GUEST ("domU1", "status = \"fail-sss\";"), DISABLED },
    /* Event channels without a dom0.  */
    { ENHANCED (""), ALONE },
    { ENHANCED (" = \"enabled\""), ALONE },
    { ENHANCED (" = \"no-xenstore\""), NULL },
    { ENHANCED ("") MODULE ("dom0", "kernel", "k", ""), NULL },
    { ENHANCED ("") MODULE ("dom0", "ramdisk", "k", ""), ALONE },
    /* Directly mapped domains.  */
    { GUEST ("domU1", "direct-map;"),
      "[direct-map-alone] /chosen/domU1: " },
    { GUEST ("domU1", "direct-map; " STATIC_MEM), NULL },
    { GUEST ("domU1", STATIC_MEM), NULL },
    /* Interrupts and pools of processors.  */
    { GUEST ("domU1", "nr_spis = <960>;"), NULL },
    { GUEST ("domU1", "nr_spis = <961>;"),
      "[nr-spis-impossible] /chosen/domU1: nr_spis is 961, Xen takes at "
      "most 960" },
    { GUEST ("domU1", "nr_spis = <0xffffffff>;"),
      "[nr-spis-impossible] /chosen/domU1: nr_spis is 4294967295" },
    { POOLED ("<0x77>"), NULL },
    { POOLED ("<0x78>"), NO_POOL },
    { POOLED ("<0x79>"), NO_POOL },
    { POOLED ("<0>"), NO_POOL },
    { POOLED ("<0xffffffff>"), NO_POOL },
    { POOLED ("<0x77 0x77>"), NULL },
    { POOLED ("\"pool\""), NO_POOL },
    /* Modules must be outside of ranges.  */
    { STATIC ("domU1", MEM_60)
      GUEST ("domU2", PLACED ("m", "ramdisk", "0 0x64000000 0 0x1000")),
      NULL },
    { STATIC ("domU1", MEM_60)
      GUEST ("domU2", PLACED ("m", "ramdisk", "0 0x63fff000 0 0x1000")),
      "[module-in-range] /chosen/domU2/m: 0x63fff000 lies in the "
      "memory of /chosen/domU1" },
    { HEAP (MEM_60 ROOM)
      BARE ("domU1", KERNEL ("reg = <0 0x5f000000 0 0x2000000>;")),
      "[module-in-range] /chosen/domU1/module@1: 0x5f000000 " },
    /* A range belongs to one owner.  */
    { STATIC ("domU1", MEM_60) STATIC ("domU2", "0 0x64000000 0 0x4000000"),
      NULL },
    { STATIC ("domU1", MEM_60) STATIC ("domU2", "0 0x63000000 0 0x4000000"),
      "[ranges-overlap] /chosen/domU2: static-mem at 0x63000000 "
      "overlaps /chosen/domU1" },
    { HEAP (MEM_60 ROOM) STATIC ("domU1", MEM_60),
      "[ranges-overlap] /chosen/domU1: static-mem at 0x60000000 overlaps "
      "/chosen" },
    /* Shared memory may be shared if it is the same.  */
    { GUEST ("domU1", SHARED ("s", ID ("a") AT_60))
      GUEST ("domU2", SHARED ("s", ID ("a") AT_60)), NULL },
    { GUEST ("domU1", SHARED ("s", ID ("a") AT_60))
      GUEST ("domU2", SHARED ("s", ID ("b") AT_60)),
      OVERLAP "0x60000000 overlaps /chosen/domU1/s" },
    { GUEST ("domU1", SHARED ("s", ID ("a") AT_60))
      GUEST ("domU2", SHARED ("s", ID ("a") LONGER)), OVERLAP },
    { GUEST ("domU1", SHARED ("s", ID ("a") AT_60))
      GUEST ("domU2", SHARED ("s", ID ("b") AT_61)), NULL },
    { STATIC ("domU1", MEM_60)
      GUEST ("domU2", SHARED ("s", ID ("a") AT_60)), OVERLAP },
    /* Ranges must be aligned.  */
    { HEAP ("0 0x60010000 0 0x10000" ROOM) GOOD, NULL },
    { HEAP ("0 0x60001000 0 0x10000" ROOM) GOOD,
      "[range-unaligned] /chosen: static-heap at 0x60001000 is not aligned "
      "to 0x10000 bytes" },
    { HEAP ("0 0x60010000 0 0x1000" ROOM) GOOD, "[range-unaligned] " },
    { STATIC ("domU1", "0 0x60000001 0 0x4000000"),
      "[range-unaligned] /chosen/domU1: static-mem at 0x60000001 is not "
      "aligned to 0x1000 bytes" }
  };

/* Return whether each line of FOUND begins with the corresponding one of
   FINDS.  */
static inline int
is_as_expected (const char *found, const char *finds)
{
  for (; *finds; finds += *finds == '\n', found++)
    {
      while (*finds && *finds != '\n' && *finds == *found)
	finds++, found++;
      if (*finds && *finds != '\n')
	return 0;
      while (*found != '\n')
	found++;
    }
  return *found == '\0';
}

#endif
