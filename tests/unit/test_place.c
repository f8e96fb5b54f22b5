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
#include "xen_dom0less_vectors.h"

TEST (ranges_overlap_by_a_byte)
{
  size_t i;

  for (i = 0; i < N_VECTORS (overlap_vectors); i++)
    assert_int_equal (grub_dom0less_overlap (overlap_vectors[i].start1,
					     overlap_vectors[i].size1,
					     overlap_vectors[i].start2,
					     overlap_vectors[i].size2),
		      overlap_vectors[i].overlap);
}

TEST (claims_are_whole_pages_of_the_memory)
{
  size_t i;

  for (i = 0; i < N_VECTORS (claim_vectors); i++)
    {
      struct grub_dom0less_memory memory =
	{ GRUB_DOM0LESS_MEMORY_FREE, claim_vectors[i].memory,
	  claim_vectors[i].memory_size };
      uint64_t start = 0, size = 0;
      int found = grub_dom0less_claim (&memory, claim_vectors[i].start,
				       claim_vectors[i].size, &start, &size);

      assert_int_equal (found, claim_vectors[i].claim_size != 0);
      assert_int_equal (start, claim_vectors[i].claim);
      assert_int_equal (size, claim_vectors[i].claim_size);
    }
}

#define MIB	UINT64_C (0x100000)

/* By the ways that Xen's place_modules tries one after the other.  */
TEST (modules_fit_as_xen_lays_them)
{
  /* At 128 MiB.  */
  assert_true (grub_dom0less_modules_fit (256 * MIB, 0, 32 * MIB, 126 * MIB));
  assert_false (grub_dom0less_modules_fit (256 * MIB, 0, 129 * MIB,
					   126 * MIB));
  /* At the end of less.  */
  assert_true (grub_dom0less_modules_fit (64 * MIB, 0, 32 * MIB, 28 * MIB));
  assert_true (grub_dom0less_modules_fit (64 * MIB, 0, 32 * MIB - 1, 0));
  assert_false (grub_dom0less_modules_fit (64 * MIB, 0, 32 * MIB, 30 * MIB));
  assert_false (grub_dom0less_modules_fit (64 * MIB, 0, 32 * MIB + 1,
					   28 * MIB));
  /* Before the kernel.  */
  assert_true (grub_dom0less_modules_fit (64 * MIB, 32 * MIB, 30 * MIB,
					  28 * MIB));
  assert_false (grub_dom0less_modules_fit (64 * MIB, 30 * MIB, 34 * MIB,
					   28 * MIB));
  /* Nowhere.  */
  assert_false (grub_dom0less_modules_fit (64 * MIB, 64 * MIB, 0, 0));
  assert_false (grub_dom0less_modules_fit (64 * MIB, MIB, 64 * MIB, 0));
  assert_false (grub_dom0less_modules_fit (64 * MIB, 0, MIB, 65 * MIB));
  assert_false (grub_dom0less_modules_fit (0, 0, 0, 0));
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (ranges_overlap_by_a_byte),
      cmocka_unit_test (claims_are_whole_pages_of_the_memory),
      cmocka_unit_test (modules_fit_as_xen_lays_them)
    };

  return RUN ("place", tests);
}
