/* test_rules_module.c - rules of module nodes, case by case  */
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

TEST (long_bootargs)
{
  char *line = repeat ('x', 1024);
  char *tree = format (BARE ("domU1", KERNEL ("bootargs = \"%s\";")), line);
  char *just = format (BARE ("domU1", KERNEL ("bootargs = \"%s\";")),
		       line + 1);

  assert_chosen (tree, NULL, "[bootargs-long] /chosen/domU1/module@1: "
		 "bootargs has 1024 bytes, Xen takes 1023");
  assert_chosen (just, NULL, NULL);
  free (just);
  free (tree);
  free (line);
}

TEST (addresses_and_their_cells)
{
  static const struct rule_case cases[] =
    {
      { DOMAIN ("domU1", "#address-cells = <1>;"), "images at 0xffff0000",
	NULL },
      { DOMAIN ("domU1", "#address-cells = <1>;"), "images at 0x100000000",
	"[address-too-big] /chosen/domU1/module@1: address 0x100000000 or "
	"size 0x1000 does not fit" },
      { DOMAIN ("domU1", "#size-cells = <1>;"),
	"images of 0x100000000; unknown memory",
	"[address-too-big] /chosen/domU1/module@1: \n[domain-too-small] " },
      { DOMAIN ("domU1", ""), "images at 0x100000000", NULL }
    };

  RUN_CASES (cases);
}

/* A domain's name and an address of N digits, and the paths they make: 91
   bytes are not too long.  */
TEST (paths_of_modules)
{
  static const struct
  {
    size_t length;			/* of the domain's name */
    const char *needs;
    int path;				/* 0 if it is not too long */
  } cases[] =
    {
      { 67, "images at 0x50000000", 0 },	/* /chosen/N/module@50000000 */
      { 68, "images at 0x50000000", 92 },
      { 66, "images at 0x150000000", 0 },
      { 67, "images at 0x150000000", 92 }
    };
  size_t i;

  for (i = 0; i < sizeof (cases) / sizeof (cases[0]); i++)
    {
      char *name = repeat ('x', cases[i].length);
      char *tree = format (DOMAIN ("%s", ""), name, name);
      char *finds = cases[i].path
	? format ("[path-long] /chosen/%s/module@1: the module's path will "
		  "have %d bytes, Xen takes 91", name, cases[i].path)
	: format ("%s", "");

      assert_chosen (tree, cases[i].needs, finds);
      free (finds);
      free (tree);
      free (name);
    }
}

/* In /chosen itself, and without a new name.  */
TEST (paths_of_other_modules)
{
  char *name = repeat ('x', 84);
  char *tree = format ("#address-cells = <2>; #size-cells = <2>;"
		       PLACED ("%s", "kernel", AT_58), name + 1);

  assert_chosen (tree, NULL, NULL);
  free (tree);
  tree = format ("#address-cells = <2>; #size-cells = <2>;"
		 PLACED ("%s", "kernel", AT_58), name);
  assert_chosen (tree, NULL, "[path-long] ");
  free (tree);
  free (name);
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (long_bootargs),
      cmocka_unit_test (addresses_and_their_cells),
      cmocka_unit_test (paths_of_modules),
      cmocka_unit_test (paths_of_other_modules)
    };

  return RUN ("rules_module", tests);
}
