/* test_early.c - modules that Xen sees and a plan does not load  */
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
#include "oracle.h"

#include <inttypes.h>

#define OLD(name, reg) \
  name " { compatible = \"xen,multiboot-module\"; reg = <" reg ">; };"
#define NEW(name, reg) \
  name " { compatible = \"multiboot,kernel\", \"multiboot,module\";" \
  "reg = <" reg ">; };"
#define CELLS(address, size) \
  "#address-cells = <" address ">; #size-cells = <" size ">;"
#define FOUND	"0x58000000+0x1000"

/* What the root has, and a line "PATH: ADDRESS+SIZE" for each stray.  */
static const struct
{
  const char *root, *strays;
} cases[] =
  {
    { "chosen { }; soc {" NEW ("m", AT_58) "};", "" },
    { NEW ("m", AT_58) "other { x {" OLD ("m", AT_58) "}; };", "" },
    /* Modules of the plan are none, whatever they are called.  */
    { "chosen {" NEW ("m", AT_58) OLD ("n", AT_58)
      "d { compatible = \"xen,domain\";" CELLS ("2", "2") NEW ("m", AT_58)
      OLD ("n", AT_58) "}; };", "" },
    /* Nested, down to the third level.  */
    { "chosen { x {" NEW ("m", AT_58) OLD ("n", AT_58) "}; };",
      "/chosen/x/m: " FOUND "\n/chosen/x/n: " FOUND "\n" },
    { "chosen { x { y {" NEW ("m", AT_58) "}; }; };", "" },
    { "chosen { d { compatible = \"xen,domain\"; x {" NEW ("m", AT_58)
      "}; }; };", "" },
    { "chosen { m { compatible = \"multiboot,module\"; reg = <" AT_58 ">;"
      NEW ("n", AT_58) "}; };",
      "/chosen/m/n: " FOUND "\n" },
    /* Seven characters of a path.  */
    { "chosen { }; chosen-old {" CELLS ("2", "2") NEW ("m", AT_58) "};",
      "/chosen-old/m: " FOUND "\n" },
    { "chosenx {" CELLS ("2", "2") "y {" OLD ("m", AT_58) "}; };",
      "/chosenx/y/m: " FOUND "\n" },
    { "chose {" CELLS ("2", "2") NEW ("m", AT_58) "}; Chosen {"
      CELLS ("2", "2") NEW ("m", AT_58) "};", "" },
    { CELLS ("2", "2") NEW ("chosen", AT_58), "/chosen: " FOUND "\n" },
    { CELLS ("2", "2") "chosen { }; " NEW ("chosen2", AT_58),
      "/chosen2: " FOUND "\n" },
    /* Letters of any size, and any place in the list.  */
    { "chosen { m { compatible = \"MultiBoot,Module\"; reg = <" AT_58 ">; };"
      "n { compatible = \"x\", \"XEN,multiboot-module\", \"y\"; reg = <" AT_58
      ">; }; };", "/chosen/m: " FOUND "\n/chosen/n: " FOUND "\n" },
    { "chosen { m { compatible = \"multiboot,modules\"; };"
      "n { compatible = \"multiboot,modul\"; }; o { compatible = \"\"; }; };",
      "" },
    /* One that has no end goes on in what lies behind it: a zero.  */
    { "chosen { m { compatible = [4d 75 6c 74 69 62 6f 6f 74 2c 6d 6f 64 75 6c "
      "65]; }; };", "/chosen/m: nowhere\n" },
    /* Cells come from above, and whatever they are.  */
    { "chosen-x { y { m { compatible = \"multiboot,module\";"
      "reg = <0 0x58000000 0x1000>; }; }; };", "/chosen-x/y/m: " FOUND "\n" },
    { CELLS ("1", "1") "chosen { x {" NEW ("m", AT_58) "}; };",
      "/chosen/x/m: " FOUND "\n" },
    { "chosen {" CELLS ("1", "1") "x {" NEW ("m", "0x58000000 0x1000")
      "}; y {" CELLS ("2", "0") NEW ("n", AT_58) "}; };",
      "/chosen/x/m: " FOUND "\n/chosen/y/n: 0x58000000+0x0\n" },
    { "chosen { x {" CELLS ("0xffffffff", "2") NEW ("m", AT_58) "}; };",
      "/chosen/x/m: nowhere\n" },
    { "chosen { x {" CELLS ("3", "1") NEW ("m", "7 0 0x58000000 0x1000")
      "}; };", "/chosen/x/m: " FOUND "\n" },
    { "chosen { x {" NEW ("m", "0 0x58000000 0") "}; };",
      "/chosen/x/m: nowhere\n" },
    { "chosen { x { m { compatible = \"multiboot,module\"; }; }; };",
      "/chosen/x/m: nowhere\n" },
    /* Ramdisks, in one cell or two.  */
    { "chosen { linux,initrd-start = <0x58000000>;"
      "linux,initrd-end = <0 0x58001000>; };", "/chosen: " FOUND " initrd\n" },
    { "chosen { }; chosen@1 { linux,initrd-start = <0 0x58000000>;"
      "linux,initrd-end = <0x58001000>; };", "/chosen@1: " FOUND " initrd\n" },
    { "chosen { linux,initrd-end = <0x58001000>; }; chosen-1 {"
      "linux,initrd-start = <0>; linux,initrd-end = <1>; };", "" },
    { "chosen { linux,initrd-start = <0x58000000>; };",
      "/chosen: nowhere initrd\n" },
    { "chosen { linux,initrd-start; linux,initrd-end = <1>; };",
      "/chosen: nowhere initrd\n" },
    { "chosen { linux,initrd-start = <0>; linux,initrd-end = <0 0 1>; };",
      "/chosen: nowhere initrd\n" },
    { "chosen { linux,initrd-start = <1>; linux,initrd-end = <1>; };",
      "/chosen: nowhere initrd\n" },
    { "chosen { linux,initrd-start = <2>; linux,initrd-end = <1>; x {"
      NEW ("m", AT_58) "}; };",
      "/chosen: nowhere initrd\n/chosen/x/m: " FOUND "\n" }
  };

TEST (strays_are_what_xen_takes_besides)
{
  static struct grub_dom0less_plan plan;
  size_t c;
  int i;

  for (c = 0; c < sizeof (cases) / sizeof (cases[0]); c++)
    {
      char *source = format ("/ { %s };", cases[c].root);
      void *fdt = make_tree (source);
      char found[1024] = "", path[128], *at = found;

      memset (&plan, 0xa5, sizeof (plan));
      grub_dom0less_plan_read (&plan, fdt);
      assert_null (find_plan_fault (fdt, &plan));
      for (i = 0; i < plan.n_strays; i++)
	{
	  const struct grub_dom0less_stray *stray = plan.strays + i;

	  assert_int_equal (fdt_get_path (fdt, stray->node, path,
					  sizeof (path)), 0);
	  at += sprintf (at, "%s: ", path);
	  if (stray->has_place)
	    at += sprintf (at, "0x%" PRIx64 "+0x%" PRIx64, stray->address,
			   stray->size);
	  else
	    at += sprintf (at, "nowhere");
	  at += sprintf (at, stray->is_initrd ? " initrd\n" : "\n");
	}
      if (strcmp (found, cases[c].strays))
	fail_msg ("%s\nhas\n%sand not\n%s", source, found, cases[c].strays);
      free (fdt);
      free (source);
    }
}

TEST (strays_have_a_limit)
{
  static struct grub_dom0less_plan plan;
  int n, i;

  for (n = GRUB_DOM0LESS_MAX_STRAYS; n <= GRUB_DOM0LESS_MAX_STRAYS + 1; n++)
    {
      char *nodes = format ("%s", ""), *source;
      void *fdt;

      for (i = 0; i < n; i++)
	{
	  char *more = format ("%s" OLD ("m%d", AT_58), nodes, i);

	  free (nodes);
	  nodes = more;
	}
      source = format ("/ { chosen { x { %s }; }; };", nodes);
      fdt = make_tree (source);
      grub_dom0less_plan_read (&plan, fdt);
      assert_null (find_plan_fault (fdt, &plan));
      assert_int_equal (plan.n_strays, GRUB_DOM0LESS_MAX_STRAYS);
      assert_int_equal (plan.overflow != 0, n > GRUB_DOM0LESS_MAX_STRAYS);
      free (fdt);
      free (source);
      free (nodes);
    }
}

#define UNVERIFIED(node) \
  "[reg-unverified] " node ": nobody has verified what lies at 0x58000000"
#define INITRD \
  "linux,initrd-start = <0x58000000>; linux,initrd-end = <0x58001000>;"

/* Where signatures are enforced nothing runs that no signature is of.  */
TEST (what_nobody_has_verified)
{
  static const struct rule_case rule_cases[] =
    {
      { GOOD, "signatures", NULL },
      { INITRD GOOD, NULL, PRESENT },
      { INITRD GOOD, "signatures",
	PRESENT "\n" UNVERIFIED ("/chosen") },
      { GOOD "x { compatible = \"x\";" OLD ("m", AT_58) "};", NULL, NULL },
      { GOOD "x { compatible = \"x\";" OLD ("m", AT_58) "};", "signatures",
	UNVERIFIED ("/chosen/x/m") },
      { GOOD "x { compatible = \"x\";" OLD ("m", "1") "};", "signatures",
	"[reg-unverified] /chosen/x/m: " },
      { GOOD "m { compatible = \"Multiboot,module\"; reg = <" AT_58 ">; };",
	"signatures", UNVERIFIED ("/chosen/m") },
      { GOOD "}; chosen-old {" CELLS ("2", "2") OLD ("m", AT_58),
	"signatures", UNVERIFIED ("/chosen-old/m") },
      { GOOD "}; chosen@0 {" INITRD, "signatures",
	"[initrd-present] /chosen@0: \n" UNVERIFIED ("/chosen@0") }
    };

  RUN_CASES (rule_cases);
}

/* Each takes one of Xen's places for modules.  */
TEST (strays_count)
{
  char *nodes = format ("%s", "");
  int i;

  for (i = 0; i < 30; i++)
    {
      char *more = format ("%s" OLD ("m%d", AT_58), nodes, i), *tree;

      free (nodes);
      nodes = more;
      tree = format (GOOD "x { compatible = \"x\"; %s };", nodes);
      assert_chosen (tree, NULL, i == 29 ? "[too-many-modules] /chosen: 31 "
		     "different modules, Xen takes 30" : NULL);
      free (tree);
    }
  free (nodes);
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (strays_are_what_xen_takes_besides),
      cmocka_unit_test (strays_have_a_limit),
      cmocka_unit_test (what_nobody_has_verified),
      cmocka_unit_test (strays_count)
    };

  return RUN ("early", tests);
}
