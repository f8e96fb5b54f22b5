/* test_name.c - names in the tree, and the files that they mean  */
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

TEST (names_resolve)
{
  size_t i;

  for (i = 0; i < N_VECTORS (name_vectors); i++)
    {
      char buf[128];

      assert_int_equal (grub_dom0less_format_path (name_vectors[i].xen,
						   name_vectors[i].name,
						   buf, sizeof (buf)),
			strlen (name_vectors[i].file));
      assert_string_equal (buf, name_vectors[i].file);
    }
}

/* Each buffer is a block of its own, guarded by the sanitizer.  */
TEST (short_buffers_are_cut_and_terminated)
{
  const char *file = "(hd0,gpt2)/boot/xen/vmlinuz";
  size_t size, length = strlen (file);

  assert_int_equal (grub_dom0less_format_path (XEN, "vmlinuz", NULL, 0), length);
  for (size = 1; size <= length + 1; size++)
    {
      char *buf = malloc (size);

      assert_non_null (buf);
      assert_int_equal (grub_dom0less_format_path (XEN, "vmlinuz", buf, size),
			length);
      assert_int_equal (strlen (buf), size - 1);
      assert_memory_equal (buf, file, size - 1);
      free (buf);
    }
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (names_resolve),
      cmocka_unit_test (short_buffers_are_cut_and_terminated)
    };

  return RUN ("name", tests);
}
