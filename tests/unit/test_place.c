/* test_place.c - ranges, their overlaps and what is claimed of them  */
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

#define TOP	UINT64_MAX

TEST (ranges_overlap_by_a_byte)
{
  assert_true (grub_dom0less_overlap (10, 10, 19, 1));
  assert_false (grub_dom0less_overlap (10, 10, 20, 1));
  assert_true (grub_dom0less_overlap (10, 10, 5, 6));
  assert_false (grub_dom0less_overlap (10, 10, 5, 5));
  assert_true (grub_dom0less_overlap (10, 10, 12, 2));
  assert_true (grub_dom0less_overlap (12, 2, 10, 10));
  assert_true (grub_dom0less_overlap (10, 10, 10, 10));
}

TEST (empty_ranges_overlap_nothing)
{
  assert_false (grub_dom0less_overlap (10, 0, 5, 20));
  assert_false (grub_dom0less_overlap (5, 20, 10, 0));
  assert_false (grub_dom0less_overlap (10, 0, 10, 0));
}

TEST (ranges_end_with_64_bits)
{
  assert_true (grub_dom0less_overlap (TOP - 1, 100, TOP - 1, 1));
  assert_true (grub_dom0less_overlap (0, TOP, TOP - 1, 1));
  assert_false (grub_dom0less_overlap (TOP - 9, 100, 0, 100));
}

/* What is claimed of the range in a piece of memory; no size is no claim.  */
static const struct
{
  uint64_t memory, memory_size, start, size, claim, claim_size;
} claims[] =
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
    /* At the end of all addresses.  */
    { TOP - 0x1fff, 0x2000, TOP - 0xfff, 0x1000, TOP - 0xfff, 0xfff },
    { TOP - 0x1fff, 0x1000, TOP - 0x1fff, TOP, TOP - 0x1fff, 0x1000 }
  };

TEST (claims_are_whole_pages_of_the_memory)
{
  size_t i;

  for (i = 0; i < sizeof (claims) / sizeof (claims[0]); i++)
    {
      struct grub_dom0less_memory memory =
	{ GRUB_DOM0LESS_MEMORY_FREE, claims[i].memory, claims[i].memory_size };
      uint64_t start = 0, size = 0;
      int found = grub_dom0less_claim (&memory, claims[i].start,
				       claims[i].size, &start, &size);

      assert_int_equal (found, claims[i].claim_size != 0);
      assert_int_equal (start, claims[i].claim);
      assert_int_equal (size, claims[i].claim_size);
    }
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (ranges_overlap_by_a_byte),
      cmocka_unit_test (empty_ranges_overlap_nothing),
      cmocka_unit_test (ranges_end_with_64_bits),
      cmocka_unit_test (claims_are_whole_pages_of_the_memory)
    };

  return RUN ("place", tests);
}
