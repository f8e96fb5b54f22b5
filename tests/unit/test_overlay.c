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

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (what_is_missing_is_named),
      cmocka_unit_test (fixups_without_a_fragment_are_an_error_of_libfdt)
    };

  return RUN ("overlay", tests);
}
