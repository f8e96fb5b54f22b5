/* test_passthrough.c - what Xen makes of a domain's own device tree  */
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

#include "support.h"

#define HOST	"/ { pl031@9010000 { compatible = \"arm,pl031\"; }; };"
#define CELLS	"#address-cells = <2>; #size-cells = <2>;"
#define REG	"xen,reg = <0 0x9010000 0 0x1000 0 0x9010000>;"
#define PATH	"xen,path = \"/pl031@9010000\";"
#define FORCE	"xen,force-assign-without-iommu;"
#define DEVICE(says) "/ { passthrough { " CELLS "rtc { " says " }; }; };"

static const struct
{
  const char *tree;
  const char *fault;		/* a part of it, or NULL */
  const char *node;		/* where */
  int is_fatal;
  int minor;			/* Xen's, or 0 if it is not known */
} cases[] =
  {
    { DEVICE (REG PATH FORCE), NULL, NULL, 0, 0 },
    { DEVICE (REG FORCE), NULL, NULL, 0, 0 },
    { DEVICE ("words = \"\";"), NULL, NULL, 0, 0 },
    { DEVICE (REG), "without xen,path", "rtc", 1, 0 },
    { DEVICE (PATH FORCE), "without xen,reg", "rtc", 1, 0 },
    { DEVICE (REG "xen,path = \"/nowhere\";"), "no node of the machine",
      "rtc", 1, 0 },
    { DEVICE (REG "xen,path = [2f];"), "no node of the machine", "rtc", 1,
      0 },
    { DEVICE ("xen,reg = <0 0x9010000 0 0x200 0 0x9010000>;" PATH),
      "whole pages", "rtc", 1, 0 },
    { DEVICE ("xen,reg = <0 0x9010000 0 0x1000 0 0x9010200>;" PATH),
      "whole pages", "rtc", 1, 0 },
    { DEVICE ("xen,reg = <0 0x9010000 0x1000 0 0x9010000>;" PATH),
      "no whole number", "rtc", 0, 0 },
    /* The root's cells do not count; those that are not there are 2 and 1.  */
    { "/ { " CELLS "passthrough { rtc { " REG PATH " }; }; };", "whole", "rtc",
      0, 0 },
    { "/ { passthrough { rtc { xen,reg = <0 0x9010000 0x1000 0 0x9010000>;"
      PATH " }; }; };", NULL, NULL, 0, 0 },
    { "/ { passthrough { #address-cells = <3>; rtc { " REG PATH " }; }; };",
      "not 1 or 2", "rtc", 1, 0 },
    { "/ { passthrough { " CELLS "bus { #address-cells = <1>;"
      "rtc { xen,reg = <0x9010000 0x1000 0x9010000>;" PATH "}; }; }; };",
      NULL, NULL, 0, 0 },
    { "/ { rtc { " REG PATH " }; };", "no node /passthrough", "", 0, 0 },
    { "/ { passthrough { a { phandle = <0xfde8>; }; }; };", NULL, NULL, 0,
      21 },
    { "/ { passthrough { a { phandle = <0xfde8>; }; }; };",
      "phandle is one of Xen's", "", 1, 22 },
    { "/ { passthrough { a { phandle = <0xfde6>; }; }; };", NULL, NULL, 0, 22 }
  };

TEST (trees_are_judged_as_xen_reads_them)
{
  void *host = make_tree (HOST);
  size_t i;

  for (i = 0; i < sizeof (cases) / sizeof (cases[0]); i++)
    {
      void *tree = make_tree (cases[i].tree);
      struct grub_dom0less_xen xen = { .major = cases[i].minor ? 4 : 0,
				       .minor = cases[i].minor };
      int node, is_fatal;
      const char *fault
	= grub_dom0less_passthrough_fault (tree, fdt_totalsize (tree), host,
					   &xen, &node, &is_fatal);

      if (!fault || !cases[i].fault
	  ? fault != cases[i].fault
	  : !strstr (fault, cases[i].fault) || is_fatal != cases[i].is_fatal
	    || strcmp (fdt_get_name (tree, node, NULL), cases[i].node))
	fail_msg ("%s\n%s, %d", cases[i].tree, fault ? fault : "(none)",
		  is_fatal);
      free (tree);
    }
  free (host);
}

TEST (what_is_no_tree_is_refused)
{
  void *host = make_tree (HOST);
  struct grub_dom0less_xen xen = { .major = 0 };
  int node, is_fatal;
  const char *fault
    = grub_dom0less_passthrough_fault ("no tree", 7, host, &xen, &node,
				       &is_fatal);

  assert_non_null (fault);
  assert_true (is_fatal);
  assert_int_equal (node, 0);
  free (host);
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (trees_are_judged_as_xen_reads_them),
      cmocka_unit_test (what_is_no_tree_is_refused)
    };

  return RUN ("passthrough", tests);
}
