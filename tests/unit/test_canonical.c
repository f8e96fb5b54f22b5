/* test_canonical.c - a tree as what it says, however it is stored  */
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

struct form
{
  char *bytes;
  size_t length;
};

/* The canonical form of SOURCE's tree, in a block of exactly its size.  */
static struct form
make_form (const char *source)
{
  void *fdt = make_tree (source);
  struct form form;

  form.length = grub_dom0less_canonical (fdt, NULL, 0);
  form.bytes = allocate (form.length);
  assert_int_equal (grub_dom0less_canonical (fdt, form.bytes, form.length),
		    form.length);
  free (fdt);
  return form;
}

static int
is_same_form (const char *source1, const char *source2)
{
  struct form form1 = make_form (source1), form2 = make_form (source2);
  int same = (form1.length == form2.length
	      && memcmp (form1.bytes, form2.bytes, form1.length) == 0);

  free (form1.bytes);
  free (form2.bytes);
  return same;
}

TEST (bytes_are_as_documented)
{
  struct form form = make_form ("/ { " CANONICAL_SOURCE " };");

  assert_int_equal (form.length, sizeof (canonical_form) - 1);
  assert_memory_equal (form.bytes, canonical_form, form.length);
  free (form.bytes);
}

TEST (what_changes_at_each_boot_is_left_out)
{
  assert_true (is_same_form
	       ("/ { chosen { rng-seed = <1>; a = <1>; kaslr-seed = <2>; }; };",
		"/ { chosen { a = <1>; kaslr-seed = <3 4>; }; };"));
  assert_true (is_same_form ("/memreserve/ 0x1000 0x1000; / { };", "/ { };"));
}

TEST (all_else_counts)
{
  static const char *const others[] =
    {
      "/ { chosen { a = <2>; }; };", "/ { chosen { b = <1>; }; };",
      "/ { chosen { a = <1 1>; }; };", "/ { chosen { a = [00 00 00]; }; };",
      "/ { choose { a = <1>; }; };", "/ { a = <1>; chosen { }; };",
      "/ { chosen { a = <1>; }; b { }; };", "/ { chosen { b { a = <1>; }; }; };",
      "/ { b { chosen { a = <1>; }; }; };",
      "/ { chosen { a = <1>; b { rng-seed = <1>; }; }; };",
      "/ { rng-seed = <1>; chosen { a = <1>; }; };"
    };
  size_t i, j;

  for (i = 0; i < sizeof (others) / sizeof (others[0]); i++)
    {
      assert_false (is_same_form ("/ { chosen { a = <1>; }; };", others[i]));
      for (j = 0; j < i; j++)
	assert_false (is_same_form (others[i], others[j]));
    }
}

/* Space in the tree, and where strings lie, mean nothing.  */
TEST (storage_does_not_count)
{
  void *fdt = make_tree ("/ { a { b = \"x\"; c = \"y\"; }; };");
  size_t size = fdt_totalsize (fdt) + 512;
  char *other = allocate (size);
  size_t length = grub_dom0less_canonical (fdt, NULL, 0);
  char *form1 = allocate (length), *form2 = allocate (length);
  int node;

  assert_int_equal (fdt_open_into (fdt, other, (int) size), 0);
  node = fdt_path_offset (other, "/a");
  assert_int_equal (fdt_setprop_string (other, node, "z", "gone"), 0);
  assert_int_equal (fdt_delprop (other, node, "z"), 0);
  assert_int_equal (grub_dom0less_canonical (fdt, form1, length), length);
  assert_int_equal (grub_dom0less_canonical (other, form2, length), length);
  assert_memory_equal (form1, form2, length);
  free (form1);
  free (form2);
  free (other);
  free (fdt);
}

/* A buffer that is too small is not written beyond.  */
TEST (short_buffers_are_safe)
{
  void *fdt = make_tree ("/ { a { b = \"x\"; }; };");
  size_t length = grub_dom0less_canonical (fdt, NULL, 0), size;

  for (size = 0; size < length; size++)
    {
      char *form = allocate (size);

      assert_int_equal (grub_dom0less_canonical (fdt, form, size), length);
      free (form);
    }
  free (fdt);
}

static const struct CMUnitTest tests[] =
  {
    cmocka_unit_test (bytes_are_as_documented),
    cmocka_unit_test (what_changes_at_each_boot_is_left_out),
    cmocka_unit_test (all_else_counts),
    cmocka_unit_test (storage_does_not_count),
    cmocka_unit_test (short_buffers_are_safe)
  };

int
main (void)
{
  return RUN ("canonical.c", tests);
}
