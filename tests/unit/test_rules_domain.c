/* test_rules_domain.c - rules of domain nodes, case by case  */
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

#include "cases.h"

#define ARGS	"bootargs = \"quiet\";"

/* 40 letters.  */
#define LONG	"a-domain-with-a-name-of-just-forty-chars"

/* A domain with bootargs.  */
#define SPEAKING(name) DOMAIN (name, "module@1 {" ARGS "};")

TEST (names)
{
  static const struct rule_case cases[] =
    {
      { SPEAKING ("domU@1"), NULL, "[domain-name-unit] /chosen/domU@1: " },
      { DOMAIN ("domU@1", ""), NULL, NULL },
      { SPEAKING (LONG), NULL, NULL },
      { SPEAKING (LONG "x"), NULL, "[domain-name-long] /chosen/" LONG "x: "
	"Xen loses the bootargs of a domain whose name has 41 of 40 bytes" },
      { DOMAIN (LONG "x", ""), NULL, NULL },
      /* The bootargs are another domain's.  */
      { DOMAIN ("domU@1", "") SPEAKING ("domU2"), NULL, NULL }
    };

  RUN_CASES (cases);
}

#define MEMORY(value)	DOMAIN ("domU1", "memory = " value ";")
#define MALFORMED	"[memory-malformed] /chosen/domU1: "
#define BYTES		"[memory-bytes] /chosen/domU1: "
#define TOO_MUCH	"[memory-too-much] /chosen: "

#define LONG_MEMORY	"[property-size] /chosen/domU1: memory has "

/* 2 GiB less a MiB, less a page_info for each page, less page tables for that
   much and a processor; in KiB.  */
#define ALL		"0x1f640c"

TEST (memory)
{
  static const struct rule_case cases[] =
    {
      { MEMORY ("<0 0x20000>"), NULL, NULL },
      { MEMORY ("<0x20000>"), NULL, MALFORMED },
      { MEMORY ("<0 0x20000 0>"), NULL, LONG_MEMORY "12 bytes instead of 8" },
      { MEMORY ("<0 0 0x20000>"), NULL, MALFORMED "\n" LONG_MEMORY },
      { MEMORY ("<0 0>"), NULL, MALFORMED },
      { MEMORY ("<0 0x20004>"), NULL, NULL },
      { MEMORY ("<0 0x20002>"), NULL, MALFORMED },
      { MEMORY ("\"128M\""), NULL, MALFORMED },
      { DOMAIN ("domU1", "/delete-property/ memory;"), NULL, MALFORMED },
      { MEMORY ("<0 " ALL ">"), NULL, NULL },
      { MEMORY ("<0 0x1f6410>"), NULL,
	TOO_MUCH "the domains need 2067472 KiB, of which the machine has 2067470"
      },
      { MEMORY ("<0 " ALL ">") DOMAIN ("domU2", "memory = <0 4>;"), NULL,
	TOO_MUCH },
      /* More or less page tables.  */
      { MEMORY ("<0 " ALL ">") "domU1 { cpus = <2>; };", NULL, TOO_MUCH },
      { MEMORY ("<0 0x1f6410>") "domU1 { xen,domain-p2m-mem-mb = <9>; };",
	NULL, NULL },
      /* A dom0, too.  */
      { MEMORY ("<0 0x1e0000>") KERNEL (""), NULL, TOO_MUCH },
      { MEMORY ("<0 0x1e0000>") KERNEL (""), "arguments dom0_mem=64M", NULL },
      { MEMORY ("<0 0x1e0000>") KERNEL (""), "arguments dom0_mem=65536",
	NULL },
      { MEMORY ("<0 0x1e0000>") KERNEL (""), "arguments dom0_mem=67108864b",
	NULL },
      { MEMORY ("<0 0x1e0000>") KERNEL (""), "arguments dom0_mem=1g",
	TOO_MUCH },
      /* Together more than 64 bits can hold.  */
      { MEMORY ("<0xffffffff 0xfffffffc>") DOMAIN ("domU2", ""), NULL,
	TOO_MUCH "the domains need 18446744073709551615 KiB" },
      { MEMORY ("<0 0x8000000>"), NULL, BYTES },
      { MEMORY ("<0 0x8000004>"), NULL, TOO_MUCH },
      { MEMORY ("<1 0>"), NULL, TOO_MUCH },
      { MEMORY ("<0 0x7fe00000>"), NULL, BYTES },
      /* As many bytes as there are KiB, and more.  */
      { MEMORY ("<0 0x7ff00000>"), NULL, BYTES },
      { MEMORY ("<0 0x80000000>"), NULL, TOO_MUCH },
      /* What the machine has is not known.  */
      { MEMORY ("<0 0x8000000>"), "unknown memory", NULL }
    };

  RUN_CASES (cases);
}

#define CPUS(value)	DOMAIN ("domU1", "cpus = " value ";")
#define IMPOSSIBLE	"[cpus-impossible] /chosen/domU1: cpus is missing, " \
			"or not from 1 to 128"

/* It may be anywhere.  */
#define GICV2	"gic { compatible = \"arm,gic-400\"; };"

TEST (cpus)
{
  static const struct rule_case cases[] =
    {
      { CPUS ("<1>"), NULL, NULL },
      { CPUS ("<128>"), NULL, NULL },
      { CPUS ("<129>"), NULL, IMPOSSIBLE },
      { CPUS ("<0>"), NULL, IMPOSSIBLE },
      { CPUS ("<0 1>"), NULL, IMPOSSIBLE "\n[property-size] " },
      { CPUS ("<1 0>"), NULL,
	"[property-size] /chosen/domU1: cpus has 8 bytes instead of 4" },
      { CPUS ("<32>"), "Xen 4.21", NULL },
      { CPUS ("<33>"), "Xen 4.21", "[cpus-impossible] /chosen/domU1: "
	"cpus is missing, or not from 1 to 32" },
      { CPUS ("<33>"), "Xen 4.22", NULL },
      /* What its own tree adds is not known.  */
      { CPUS ("<64>") "domU1 { module@3 { compatible = "
	"\"multiboot,device-tree\", \"multiboot,module\";"
	"uefi,binary = \"own.dtb\"; }; };", "Xen 4.21", NULL },
      { CPUS ("<8>") GICV2, NULL, NULL },
      { CPUS ("<9>") GICV2, NULL, "[cpus-impossible] /chosen/domU1: "
	"cpus is missing, or not from 1 to 8" },
      { DOMAIN ("domU1", "/delete-property/ cpus;"), NULL, IMPOSSIBLE }
    };

  RUN_CASES (cases);
}

#define COLORS	DOMAIN ("domU1", "llc-colors = \"0\";")
#define OFF	"[llc-colors-off] /chosen/domU1: "

TEST (colors)
{
  static const struct rule_case cases[] =
    {
      { COLORS, NULL, OFF },
      { COLORS, "arguments llc-coloring", NULL },
      { COLORS, "arguments llc-coloring=on", NULL },
      { COLORS, "arguments a llc-coloring=yes b", NULL },
      { COLORS, "arguments llc-coloring=true", NULL },
      { COLORS, "arguments llc-coloring=enable", NULL },
      { COLORS, "arguments llc-coloring=1", NULL },
      { COLORS, "arguments llc-coloring=off", OFF },
      { COLORS, "arguments llc-coloring=ona", OFF },
      { COLORS, "arguments llc-coloring=", NULL },
      { COLORS, "arguments llc-size=1M llc-nr-ways=16", NULL },
      { COLORS, "arguments llc-size=1M", OFF },
      { COLORS, "arguments llc-coloring=off llc-size=1M llc-nr-ways=16",
	OFF },
      { COLORS, "arguments no-llc-coloring llc-size=1M llc-nr-ways=16", OFF },
      { DOMAIN ("domU1", STATIC_MEM), "arguments llc-coloring",
	"[llc-colors-static] /chosen/domU1: " },
      { COLORS, "arguments llc-colorings=on", OFF },
      { COLORS, "arguments xllc-coloring=on", OFF },
      { COLORS, "arguments no-llc-coloring", OFF },
      { COLORS, "arguments llc", OFF },
      /* The last one counts.  */
      { COLORS, "arguments llc-coloring=on llc-coloring=no", OFF },
      { COLORS, "arguments llc-coloring=no llc-coloring=on", NULL },
      { COLORS, "arguments llc-coloring=no llc-coloring", NULL },
      { DOMAIN ("domU1", "llc-colors = \"0\"; " STATIC_MEM),
	"arguments llc-coloring", "[llc-colors-static] /chosen/domU1: " }
    };

  RUN_CASES (cases);
}

#define BUILT_OUT(what)	"[not-built-in] /chosen/domU1: " what ","
#define SHARING								\
  "shm { compatible = \"xen,domain-shared-memory-v1\";"			\
  "xen,shm-id = \"id\"; xen,shared-mem = <0 0x60000000 0 0x6000000 "	\
  "0 0x1000>; };"

TEST (what_xen_was_built_without)
{
  static const struct rule_case cases[] =
    {
      { DOMAIN ("domU1", STATIC_MEM), "Xen without STATIC_MEMORY",
	BUILT_OUT ("xen,static-mem") },
      { DOMAIN ("domU1", STATIC_MEM), "Xen without ARM64_SVE", NULL },
      { DOMAIN ("domU1", ""), "Xen without STATIC_MEMORY", NULL },
      { DOMAIN ("domU1", "sve = <128>;"), "Xen without ARM64_SVE",
	BUILT_OUT ("sve") },
      { DOMAIN ("domU1", "vpl011;"), "Xen without SBSA_VUART_CONSOLE",
	BUILT_OUT ("vpl011") },
      { COLORS, "arguments llc-coloring; Xen without LLC_COLORING",
	BUILT_OUT ("llc-colors") },
      { DOMAIN ("domU1", SHARING), "Xen without STATIC_SHM",
	"[not-built-in] /chosen/domU1/shm: xen,shared-mem" },
      { DOMAIN ("domU1", ""), "Xen 4.20; Xen without DOM0LESS_BOOT",
	BUILT_OUT ("xen,domain") },
      /* Nobody could leave it out before.  */
      { DOMAIN ("domU1", ""), "Xen 4.19; Xen without DOM0LESS_BOOT", NULL },
      { KERNEL (""), "Xen 4.20; Xen without DOM0LESS_BOOT", NULL }
    };

  RUN_CASES (cases);
}

#define UNKNOWN(what) \
  "[property-unknown] /chosen/domU1: this Xen does not know " what

TEST (properties)
{
  static const struct rule_case cases[] =
    {
      { DOMAIN ("domU1", "colour = \"red\";"), NULL, UNKNOWN ("colour") },
      { DOMAIN ("domU1", "sve = <128>;"), NULL, NULL },
      { DOMAIN ("domU1", "sve = <128>;"), "Xen 4.17", UNKNOWN ("sve") },
      { DOMAIN ("domU1", "sve = <128>;"), "Xen 4.18", NULL },
      { DOMAIN ("domU1", "nr_spis = <1>; phandle = <7>; name = \"domU1\";"),
	"Xen 4.17", NULL },
      { DOMAIN ("domU1", "capabilities = <1>; a = <1>;"), "Xen 4.20",
	UNKNOWN ("capabilities") "\n" UNKNOWN ("a") }
    };

  RUN_CASES (cases);
}

/* What a domain may say, since which minor release of Xen 4, and the option
   that it needs: Xen's docs/misc/arm/device-tree/booting.txt, release by
   release.  */
#define FIRST_RELEASE	12

static const struct
{
  const char *says, *name;
  int since;
  const char *option;
} known[] =
  {
    { "phandle = <1>;", "phandle", 0, NULL },
    { "linux,phandle = <1>;", "linux,phandle", 0, NULL },
    { "name = \"domU1\";", "name", 0, NULL },
    { "vpl011;", "vpl011", FIRST_RELEASE, "SBSA_VUART_CONSOLE" },
    { "nr_spis = <1>;", "nr_spis", 13, NULL },
    { STATIC_MEM, "xen,static-mem", 16, "STATIC_MEMORY" },
    { "#xen,static-mem-address-cells = <2>;",
      "#xen,static-mem-address-cells", 16, NULL },
    { "#xen,static-mem-size-cells = <2>;", "#xen,static-mem-size-cells", 16,
      NULL },
    { "xen,enhanced = \"no-xenstore\";", "xen,enhanced", 17, NULL },
    { "xen,domain-p2m-mem-mb = <64>;", "xen,domain-p2m-mem-mb", 17, NULL },
    { "sve = <128>;", "sve", 18, "ARM64_SVE" },
    { "max_grant_version = <1>;", "max_grant_version", 18, NULL },
    { "max_grant_frames = <64>;", "max_grant_frames", 18, NULL },
    { "max_maptrack_frames = <64>;", "max_maptrack_frames", 18, NULL },
    { "passthrough = \"enabled\";", "passthrough", 19, NULL },
    { "llc-colors = \"0\";", "llc-colors", 20, "LLC_COLORING" },
    { "capabilities = <1>;", "capabilities", 21, NULL },
    { "trap-unmapped-accesses = <1>;", "trap-unmapped-accesses", 21, NULL },
    { "xen,sci_type = \"none\";", "xen,sci_type", 21, NULL }
  };

/* What Xen has to be told for the property NAME.  */
static const char *
arguments_for (const char *name)
{
  return strcmp (name, "llc-colors") ? "" : "arguments llc-coloring; ";
}

static void
assert_release (size_t i, int minor, const char *finds)
{
  char *tree = format (DOMAIN ("domU1", "%s"), known[i].says);
  char *needs = format ("%sXen 4.%d", arguments_for (known[i].name), minor);

  assert_chosen (tree, needs, finds);
  free (needs);
  free (tree);
}

TEST (properties_release_by_release)
{
  size_t i;

  for (i = 0; i < sizeof (known) / sizeof (known[0]); i++)
    {
      char *unknown = format (UNKNOWN ("%s"), known[i].name);

      /* Without domains there are none of their properties.  */
      if (known[i].since <= FIRST_RELEASE)
	assert_release (i, FIRST_RELEASE, NULL);
      else
	{
	  assert_release (i, known[i].since - 1, unknown);
	  assert_release (i, known[i].since, NULL);
	}
      free (unknown);
    }
}

TEST (properties_option_by_option)
{
  size_t i, j;

  for (i = 0; i < sizeof (known) / sizeof (known[0]); i++)
    for (j = 0; j < sizeof (known) / sizeof (known[0]); j++)
      {
	char *tree, *needs, *finds;

	if (!known[j].option)
	  continue;
	tree = format (DOMAIN ("domU1", "%s"), known[i].says);
	needs = format ("%sXen without %s", arguments_for (known[i].name),
			known[j].option);
	finds = i == j ? format (BUILT_OUT ("%s"), known[i].name) : NULL;
	assert_chosen (tree, needs, finds);
	free (finds);
	free (needs);
	free (tree);
      }
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (names),
      cmocka_unit_test (memory),
      cmocka_unit_test (cpus),
      cmocka_unit_test (colors),
      cmocka_unit_test (what_xen_was_built_without),
      cmocka_unit_test (properties),
      cmocka_unit_test (properties_release_by_release),
      cmocka_unit_test (properties_option_by_option)
    };

  return RUN ("rules_domain", tests);
}
