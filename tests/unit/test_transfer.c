/* test_transfer.c - what of a file a disk can move to its place at once  */
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

#include "disk.h"
#include "support.h"

#define N(table)	(sizeof (table) / sizeof ((table)[0]))
#define NOWHERE		GRUB_DOM0LESS_NOWHERE
#define TOP		(~(uint64_t) 0)

static const struct grub_dom0less_extent everything = { 0, TOP };

/* The file of COUNT blocks, but for its last MISSING bytes.  */
static size_t
read_blocks (unsigned int sector_shift, uint32_t block,
	     const uint64_t *places, size_t count, size_t missing)
{
  struct disk disk
    = { sector_shift, everything, block, places, count * block - missing };
  const char *fault;
  size_t direct;

  fault = read_disk (&disk, &direct);
  if (fault)
    fail_msg ("sectors of %u, blocks of %u, %u without %u: %s",
	      1u << sector_shift, (unsigned int) block, (unsigned int) count,
	      (unsigned int) missing, fault);
  return direct;
}

TEST (a_file_in_one_piece_is_moved_as_one)
{
  uint64_t places[5];
  unsigned int shift, i;
  uint32_t block;

  for (shift = 9; shift <= 12; shift++)
    for (block = 1 << shift; block <= 64 << 10; block *= 2)
      {
	for (i = 0; i < N (places); i++)
	  places[i] = (7 + i) * (uint64_t) block;
	/* The page goes on where the file ends.  */
	assert_int_equal (read_blocks (shift, block, places, N (places), 1),
			  N (places) * block - 1);
	assert_int_equal (read_blocks (shift, block, places, N (places), 0),
			  N (places) * block);
      }
}

/* Where the file's runs begin and end within sectors, of the disk and of the
   file: three blocks from each place within a sector, then a hole, then more.  */
TEST (no_byte_goes_beyond_the_pages)
{
  uint64_t places[16];
  unsigned int shift, from, hole, missing, turns, i;
  uint32_t block;

  for (shift = 9; shift <= 12; shift++)
    for (block = 512; block <= 64 << 10; block *= 2)
      {
	/* Blocks of a sector, after which all begins anew.  */
	turns = (block >> shift) ? 1 : (1 << shift) / block;
	for (from = 0; from < turns; from++)
	  for (hole = 0; hole <= turns; hole++)
	    for (missing = 0; missing < block;
		 missing += missing < 2 ? 1 : block / 3 + 1)
	      {
		for (i = 0; i < N (places); i++)
		  places[i] = (i < 3 ? 100 + from + i
			       : 200 + 3 * from + i) * (uint64_t) block;
		for (i = 0; i < hole; i++)
		  places[3 + i] = GRUB_DOM0LESS_NOWHERE;
		read_blocks (shift, block, places, 4 + hole + from % 3,
			     missing);
	      }
      }
}

TEST (blocks_that_begin_within_a_sector_are_moved_as_well)
{
  /* Of sectors of 4 KiB: three quarters of one, two, a quarter.  */
  static const uint64_t places[]
    = { 9 << 10, 10 << 10, 11 << 10, 12 << 10, 13 << 10, 14 << 10, 15 << 10,
	16 << 10, 17 << 10, 18 << 10, 19 << 10, 20 << 10 };

  assert_int_equal (read_blocks (12, 1024, places, 12, 0), 8192);
  /* With a file's end, and the room behind it.  */
  assert_int_equal (read_blocks (12, 1024, places, 10, 100), 8192 - 1024 - 100);
  /* There is too little room in the page.  */
  assert_int_equal (read_blocks (12, 1024, places, 12, 100), 8192);
  assert_int_equal (read_blocks (12, 1024, places, 3, 0), 0);
}

TEST (transfers_stay_within_the_partition)
{
  static const struct
  {
    struct grub_dom0less_run run;
    uint64_t behind;
    struct grub_dom0less_extent partition;
    struct grub_dom0less_transfer transfer;
  } vectors[] =
    {
      { { 0, 8192, 8192 }, 0, { 8192, 8192 }, { 0, 8192, 2 } },
      { { 0, 8192, 8192 }, 0, { 8192, 8191 }, { 0, 0, 0 } },
      { { 0, 8192, 8192 }, 0, { 8193, 8192 }, { 0, 0, 0 } },
      { { 0, 8192, 16384 }, 0, { 0, 16384 }, { 0, 0, 0 } },
      { { 0, 8192, 16384 }, 0, { 0, 16383 }, { 0, 0, 0 } },
      /* The last sector is there, or is not.  */
      { { 0, 5000, 8192 }, 3192, { 8192, 8192 }, { 0, 8192, 2 } },
      { { 0, 5000, 8192 }, 3191, { 8192, 8192 }, { 0, 4096, 2 } },
      { { 0, 5000, 8192 }, 3192, { 8192, 8191 }, { 0, 4096, 2 } },
      { { 0, 5000, 8192 }, 3192, { 8192, 5000 }, { 0, 4096, 2 } },
      { { 0, 5000, 8192 }, 3192, { 8192, 4999 }, { 0, 0, 0 } },
      { { 0, 1, 8192 }, 4095, { 8192, 4096 }, { 0, 4096, 2 } },
      { { 0, 1, 8192 }, 4095, { 8192, 4095 }, { 0, 0, 0 } },
      /* Within a sector.  */
      { { 0, 8192, 9216 }, 0, { 8192, 16384 }, { 3072, 4096, 3 } },
      { { 0, 3072, 9216 }, 0, { 8192, 16384 }, { 0, 0, 0 } },
      { { 0, 3071, 9216 }, TOP, { 8192, 16384 }, { 0, 0, 0 } },
      { { 0, 3073, 9216 }, 4095, { 8192, 16384 }, { 3072, 4096, 3 } },
      /* Nowhere, and at the end of all numbers.  */
      { { 0, 8192, NOWHERE }, TOP, { 0, TOP }, { 0, 0, 0 } },
      { { 0, 4096, TOP - 4095 }, 0, { 0, TOP }, { 0, 0, 0 } },
      { { 0, 4095, TOP - 4095 }, TOP, { 0, TOP }, { 0, 0, 0 } },
      { { 0, 4096, TOP - 8191 }, 0, { 0, TOP }, { 0, 4096, (TOP >> 12) - 1 } },
      { { 0, 4097, TOP - 8191 }, TOP, { 0, TOP },
	{ 0, 4096, (TOP >> 12) - 1 } },
      { { 0, 4096, TOP - 4096 }, TOP, { 0, TOP }, { 1, 0, 0 } },
      { { 0, TOP, 0 }, TOP, { 0, TOP }, { 0, TOP - 4095, 0 } },
      { { 0, TOP, 1 }, 0, { 0, TOP }, { 0, 0, 0 } },
      { { TOP, 4096, 0 }, 0, { 0, TOP }, { 0, 4096, 0 } },
      { { 0, 0, 4096 }, TOP, { 0, TOP }, { 0, 0, 0 } },
    };
  struct grub_dom0less_transfer transfer;
  size_t i;

  for (i = 0; i < N (vectors); i++)
    {
      grub_dom0less_plan_transfer (&transfer, &vectors[i].run,
				   vectors[i].behind, &vectors[i].partition,
				   12);
      if (transfer.size != vectors[i].transfer.size
	  || (transfer.size
	      && (transfer.skip != vectors[i].transfer.skip
		  || transfer.sector != vectors[i].transfer.sector))
	  || (!transfer.size && transfer.skip))
	fail_msg ("vector %d: %#llx after %#llx at %#llx", (int) i,
		  (unsigned long long) transfer.size,
		  (unsigned long long) transfer.skip,
		  (unsigned long long) transfer.sector);
    }
}

TEST (runs_join_where_they_go_on)
{
  static const struct
  {
    struct grub_dom0less_run run, next;
    uint64_t size;
  } vectors[] =
    {
      { { 0, 10, 100 }, { 10, 5, 110 }, 15 },
      { { 0, 10, 100 }, { 10, 5, 111 }, 0 },
      { { 0, 10, 100 }, { 11, 5, 110 }, 0 },
      { { 0, 10, 100 }, { 10, 5, NOWHERE }, 0 },
      { { 0, 10, NOWHERE }, { 10, 5, NOWHERE }, 15 },
      { { 0, 10, NOWHERE }, { 10, 5, 9 }, 0 },
      { { 0, 10, NOWHERE - 10 }, { 10, 5, NOWHERE }, 0 },
      { { 0, 10, NOWHERE - 9 }, { 10, 5, 0 }, 0 },
      { { 0, TOP, NOWHERE }, { TOP, 1, NOWHERE }, 0 },
      { { 1, TOP, 0 }, { 0, 1, TOP }, 0 },
    };
  size_t i;

  for (i = 0; i < N (vectors); i++)
    {
      struct grub_dom0less_run run = vectors[i].run;
      int joined = grub_dom0less_join_runs (&run, &vectors[i].next);

      assert_int_equal (joined, vectors[i].size != 0);
      assert_int_equal (run.size,
			joined ? vectors[i].size : vectors[i].run.size);
    }
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (a_file_in_one_piece_is_moved_as_one),
      cmocka_unit_test (no_byte_goes_beyond_the_pages),
      cmocka_unit_test (blocks_that_begin_within_a_sector_are_moved_as_well),
      cmocka_unit_test (transfers_stay_within_the_partition),
      cmocka_unit_test (runs_join_where_they_go_on)
    };

  return RUN ("transfer", tests);
}
