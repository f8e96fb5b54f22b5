/* test_overlay.c - why an overlay does not fit its base  */
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
#include "xen_dom0less_vectors.h"

static void *
make_part (const char *source)
{
  char *tree = format ("/ { %s };", source);
  void *fdt = make_tree (tree);

  free (tree);
  return fdt;
}

TEST (what_is_missing_is_named)
{
  size_t i;

  for (i = 0; i < N_VECTORS (overlay_vectors); i++)
    {
      void *base = make_part (overlay_vectors[i].base);
      void *overlay = make_part (overlay_vectors[i].overlay);
      const char *missing = NULL;
      int node = grub_dom0less_overlay_fault (base, overlay, &missing);

      if (overlay_vectors[i].missing)
	{
	  assert_true (node >= 0);
	  assert_string_equal (fdt_get_name (overlay, node, NULL),
			       overlay_vectors[i].fragment);
	  assert_string_equal (missing, overlay_vectors[i].missing);
	}
      else
	assert_true (node < 0);
      free (base);
      free (overlay);
    }
}

/* Fixups that dtc does not write.  */
TEST (fixups_without_a_fragment_are_an_error_of_libfdt)
{
  static const char *const fixups[] =
    { "soc;", "soc = \"\";", "soc = \"nowhere\";", "soc = [2f];",
      "soc = [61 62 63 64];" };
  size_t i;

  for (i = 0; i < sizeof (fixups) / sizeof (fixups[0]); i++)
    {
      char *source = format ("__fixups__ { %s };", fixups[i]);
      void *base = make_part (""), *overlay = make_part (source);
      const char *missing = NULL;

      assert_true (grub_dom0less_overlay_fault (base, overlay, &missing) < 0);
      assert_string_equal (missing, "soc");
      free (base);
      free (overlay);
      free (source);
    }
}

static int
check (const char *source)
{
  void *overlay = make_part (source);
  int err = grub_dom0less_check_overlay (overlay, fdt_totalsize (overlay));

  free (overlay);
  return err;
}

#define PARTS "a { p = <1 2>; b { q = <3>; }; };"

TEST (fixups_within_properties_are_fine)
{
  static const char *const fixups[] =
    { "", "__local_fixups__ { };", "__local_fixups__ { a { p = <0 4>; }; };",
      "__local_fixups__ { a { p = <1>; b { q = <0>; }; }; };",
      "__fixups__ { x = \"/a:p:4\", \"/a/b:q:0\"; };",
      /* These are refused by libfdt.  */
      "__local_fixups__ { z { p = <9>; }; };",
      "__local_fixups__ { a { z = <9>; }; }; z { p = <1>; };",
      "__fixups__ { x = \"/z:p:9\", \"/a:z:9\"; };",
      "__fixups__ { }; z { p = <1>; };" };
  size_t i;

  for (i = 0; i < sizeof (fixups) / sizeof (fixups[0]); i++)
    {
      char *source = format (PARTS "%s", fixups[i]);

      assert_int_equal (check (source), 0);
      free (source);
    }
}

/* libfdt would write there.  */
TEST (fixups_elsewhere_are_refused)
{
  static const char *const fixups[] =
    { "__local_fixups__ { a { p = <5>; }; };",
      "__local_fixups__ { a { p = <0 4 8>; }; };",
      "__local_fixups__ { a { p = <0xfffffffc>; }; };",
      "__local_fixups__ { a { b { q = <1>; }; }; };",
      "__local_fixups__ { d { s = <0>; }; }; d { s = [01 02 03]; };",
      "__local_fixups__ { p = <0>; };",
      "__fixups__ { x = \"/a:p:5\"; };", "__fixups__ { x = \"/a:p:8\"; };",
      "__fixups__ { x = \"/a:p:4\", \"/a/b:q:4\"; };",
      "__fixups__ { x = \"/a:p:4294967292\"; };",
      "__fixups__ { x = \"/a:p:-4\"; };", "__fixups__ { x = \"/a:p: 4\"; };",
      "__fixups__ { x = \"/a:p:\"; };", "__fixups__ { x = \"/a:p\"; };",
      "__fixups__ { x = \"/a\"; };", "__fixups__ { x = [2f 61 3a 70 3a 30]; };",
      /* To the fixups themselves.  */
      "__local_fixups__ { p = <0>; __local_fixups__ { p = <0>; }; };",
      "__local_fixups__ { __fixups__ { }; }; __fixups__ { x = \"/a:p:4\"; };",
      "__fixups__ { x = \"/__fixups__:x:0\"; };" };
  size_t i;

  for (i = 0; i < sizeof (fixups) / sizeof (fixups[0]); i++)
    {
      char *source = format ("p = [01]; " PARTS "%s", fixups[i]);

      assert_int_equal (check (source), -FDT_ERR_BADOVERLAY);
      free (source);
    }
}

/* libfdt's stack grows with each level.  */
TEST (overlays_have_a_depth)
{
  int levels, i;

  for (levels = 64; levels <= 65; levels++)
    {
      char *source = format ("%s", "");

      for (i = 0; i < levels; i++)
	{
	  char *more = format ("a { %s };", source);

	  free (source);
	  source = more;
	}
      assert_int_equal (check (source),
			levels == 64 ? 0 : -FDT_ERR_BADOVERLAY);
      free (source);
    }
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (what_is_missing_is_named),
      cmocka_unit_test (fixups_without_a_fragment_are_an_error_of_libfdt),
      cmocka_unit_test (fixups_within_properties_are_fine),
      cmocka_unit_test (fixups_elsewhere_are_refused),
      cmocka_unit_test (overlays_have_a_depth)
    };

  return RUN ("overlay", tests);
}
