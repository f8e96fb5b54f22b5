/* test_functional.c - GRUB's functional test, on the host  */
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

/* The very source that runs inside the firmware, here with sanitizers.  */
#include "xen_dom0less_test.c"

/* The canonical form of FDT, which is freed.  */
static char *
make_form (void *fdt, size_t *length)
{
  char *form;

  assert_non_null (fdt);
  *length = grub_dom0less_canonical (fdt, NULL, 0);
  form = allocate (*length);
  grub_dom0less_canonical (fdt, form, *length);
  free (fdt);
  return form;
}

static void
assert_as_dtc_has_it (const char *chosen)
{
  char *body = format (HARDWARE "chosen { %s };", chosen);
  char *source = format ("/ { %s };", body);
  size_t length1, length2;
  char *form1 = make_form (build_tree (body), &length1);
  char *form2 = make_form (make_tree (source), &length2);

  if (length1 != length2 || memcmp (form1, form2, length1))
    fail_msg ("dtc makes another tree of %s", chosen);
  free (form1);
  free (form2);
  free (source);
  free (body);
}

TEST (trees_are_as_dtc_makes_them)
{
  size_t i;

  for (i = 0; i < N_VECTORS (rule_vectors); i++)
    assert_as_dtc_has_it (rule_vectors[i].chosen);
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (xen_dom0less_test_passes),
      cmocka_unit_test (trees_are_as_dtc_makes_them)
    };

  return RUN ("functional", tests);
}
