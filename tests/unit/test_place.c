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
      int found = grub_dom0less_clip_to_pages (&memory, claim_vectors[i].start,
					       claim_vectors[i].size, &start, &size);

      assert_int_equal (found, claim_vectors[i].claim_size != 0);
      assert_int_equal (start, claim_vectors[i].claim);
      assert_int_equal (size, claim_vectors[i].claim_size);
    }
}

#define MIB	UINT64_C (0x100000)

/* By the ways that Xen's place_modules tries one after the other.  */
TEST (modules_are_laid_as_xen_lays_them)
{
  /* The bank, the kernel's place and size, the ramdisk's; and the room.  */
  static const uint64_t cases[][5] =
    {
      /* At 128 MiB.  */
      { 256 * MIB, 0, 32 * MIB, 126 * MIB, 128 * MIB },
      { 256 * MIB, MIB, 32 * MIB, 126 * MIB, 127 * MIB },
      { 256 * MIB, 0, 129 * MIB, 126 * MIB, 0 },
      /* At the end of less.  */
      { 64 * MIB, 0, 32 * MIB, 28 * MIB, 34 * MIB },
      { 64 * MIB, 0, 32 * MIB - 1, 0, 62 * MIB },
      { 64 * MIB, 0, 32 * MIB, 30 * MIB, 0 },
      { 64 * MIB, 0, 32 * MIB + 1, 28 * MIB, 0 },
      /* Before the kernel.  */
      { 64 * MIB, 32 * MIB, 30 * MIB, 28 * MIB, 32 * MIB },
      { 64 * MIB, 30 * MIB, 34 * MIB, 28 * MIB, 0 },
      /* Nowhere.  */
      { 64 * MIB, 64 * MIB, 0, 0, 0 },
      { 64 * MIB, MIB, 64 * MIB, 0, 0 },
      { 64 * MIB, 0, MIB, 65 * MIB, 0 },
      { 0, 0, 0, 0, 0 },
      /* In all there is.  */
      { UINT64_MAX, 0, 1, UINT64_MAX, UINT64_MAX },
      { UINT64_MAX, 1, UINT64_MAX, 0, 0 }
    };
  size_t i;

  for (i = 0; i < sizeof (cases) / sizeof (cases[0]); i++)
    assert_int_equal (grub_dom0less_kernel_room (cases[i][0], cases[i][1],
						 cases[i][2], cases[i][3]),
		      cases[i][4]);
}

TEST (ends_stay_in_64_bits)
{
  assert_true (grub_dom0less_end (0, 0) == 0);
  assert_true (grub_dom0less_end (10, 5) == 15);
  assert_true (grub_dom0less_end (UINT64_MAX - 5, 5) == UINT64_MAX);
  assert_true (grub_dom0less_end (UINT64_MAX - 5, 6) == UINT64_MAX);
  assert_true (grub_dom0less_end (UINT64_MAX, UINT64_MAX) == UINT64_MAX);
}

TEST (spans_are_whole_pages_of_64_bits)
{
  static const struct
  {
    uint64_t address, size, start, pages;	/* 0: there is none */
  } vectors[] =
    {
      { 0, 0, 0, 0 }, { 4096, 0, 0, 0 }, { UINT64_MAX, 0, 0, 0 },
      { 0, 1, 0, 1 }, { 0, 4096, 0, 1 }, { 0, 4097, 0, 2 },
      { 4095, 1, 0, 1 }, { 4095, 2, 0, 2 }, { 4097, 4095, 4096, 1 },
      { 4097, 4096, 4096, 2 },
      { UINT64_MAX, 1, UINT64_MAX - 4095, 1 }, { UINT64_MAX, 2, 0, 0 },
      { UINT64_MAX - 4095, 4096, UINT64_MAX - 4095, 1 },
      { UINT64_MAX - 4095, 4097, 0, 0 },
      { 0, UINT64_MAX, 0, (uint64_t) 1 << 52 },
      { 1, UINT64_MAX, 0, (uint64_t) 1 << 52 },
      { 2, UINT64_MAX, 0, 0 }, { 4096, UINT64_MAX, 0, 0 },
      { 4096, UINT64_MAX - 4095, 4096, ((uint64_t) 1 << 52) - 1 }
    };
  size_t i;

  for (i = 0; i < sizeof (vectors) / sizeof (vectors[0]); i++)
    {
      uint64_t start = 0, pages = 0;
      int err = grub_dom0less_span (vectors[i].address, vectors[i].size,
				    &start, &pages);

      if (err != (vectors[i].pages ? 0 : -1) || start != vectors[i].start
	  || pages != vectors[i].pages)
	fail_msg ("vector %d: %d, %#llx, %#llx", (int) i, err,
		  (unsigned long long) start, (unsigned long long) pages);
    }
}

TEST (memory_is_sorted)
{
  struct grub_dom0less_memory memory[9];
  int n, i, step;

  /* Each order in which every STEPth comes next, and with some that are equal.  */
  for (n = 0; n <= 9; n++)
    for (step = 1; step <= 10; step++)
      {
	uint64_t sum = 0, sorted = 0;

	for (i = 0; i < n; i++)
	  {
	    memory[i].start = (uint64_t) (i * step % 11 / 2) << 60;
	    memory[i].size = (uint64_t) i + 1;
	    sum += memory[i].start / 3 + memory[i].size * 100;
	  }
	grub_dom0less_sort_memory (memory, n);
	for (i = 0; i < n; i++)
	  {
	    sorted += memory[i].start / 3 + memory[i].size * 100;
	    assert_true (i == 0 || memory[i - 1].start <= memory[i].start);
	  }
	assert_true (sum == sorted);
      }
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (ranges_overlap_by_a_byte),
      cmocka_unit_test (memory_is_sorted),
      cmocka_unit_test (claims_are_whole_pages_of_the_memory),
      cmocka_unit_test (modules_are_laid_as_xen_lays_them),
      cmocka_unit_test (ends_stay_in_64_bits),
      cmocka_unit_test (spans_are_whole_pages_of_64_bits)
    };

  return RUN ("place", tests);
}
