/* test_layout.c - where file systems put the blocks of a file  */
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

#define N(table)	(sizeof (table) / sizeof ((table)[0]))

/* A number of SIZE bytes, the lowest first, at AT.  */
static void
put (unsigned char *at, int size, uint64_t value)
{
  for (; size; size--, value >>= 8)
    *at++ = value & 0xff;
}

/* The layout of NAME by BYTES of a superblock, each at its offset, which is
   kept where the sanitizer sees what is read beyond it.  */
struct field
{
  int offset, size;
  uint64_t value;
};

static int
read_layout (struct grub_dom0less_layout *layout, const char *name,
	     const struct field *fields, size_t count)
{
  unsigned char *superblock = allocate (GRUB_DOM0LESS_SUPERBLOCK_SIZE);
  size_t i;
  int err;

  for (i = 0; i < count; i++)
    put (superblock + fields[i].offset, fields[i].size, fields[i].value);
  err = grub_dom0less_read_layout (layout, name, superblock);
  free (superblock);
  return err;
}

TEST (blocks_are_of_the_size_that_the_superblock_states)
{
  static const struct
  {
    const char *name;
    struct field fields[3];
    uint32_t block;		/* 0: impossible */
  } vectors[] =
    {
      { "fat", { { 11, 2, 512 }, { 13, 1, 1 } }, 512 },
      { "fat", { { 11, 2, 4096 }, { 13, 1, 128 } }, 512 << 10 },
      { "fat", { { 11, 2, 512 }, { 13, 1, 3 } }, 0 },
      { "fat", { { 11, 2, 512 }, { 13, 1, 0 } }, 0 },
      { "fat", { { 11, 2, 0 }, { 13, 1, 8 } }, 0 },
      { "fat", { { 11, 2, 256 }, { 13, 1, 1 } }, 0 },
      { "exfat", { { 108, 1, 9 }, { 109, 1, 3 } }, 4096 },
      { "exfat", { { 108, 1, 12 }, { 109, 1, 13 } }, 32 << 20 },
      { "exfat", { { 108, 1, 12 }, { 109, 1, 14 } }, 0 },
      { "exfat", { { 108, 1, 255 }, { 109, 1, 255 } }, 0 },
      { "ext2", { { 24, 4, 0 } }, 1024 },
      { "ext2", { { 24, 4, 6 } }, 64 << 10 },
      { "ext2", { { 24, 4, 16 } }, 0 },
      { "xfs", { { 6, 1, 0x10 } }, 4096 },
      { "xfs", { { 4, 4, 0xffffffff } }, 0 },
      { "jfs", { { 16, 4, 4096 } }, 4096 },
      { "f2fs", { { 0, 1, 0 } }, 4096 },
      { "iso9660", { { 0, 1, 0 } }, 2048 },
      { "hfsplus", { { 0, 1, 'H' }, { 1, 1, '+' }, { 42, 1, 0x10 } }, 4096 },
      { "hfsplus", { { 0, 1, 'H' }, { 1, 1, 'X' }, { 42, 1, 2 } }, 512 },
      { "hfsplus", { { 0, 1, 'B' }, { 1, 1, 'D' }, { 42, 1, 0x10 } }, 0 },
      { "btrfs", { { 11, 2, 512 } }, 0 },
      { "", { { 11, 2, 512 } }, 0 }
    };
  struct grub_dom0less_layout layout;
  size_t i;

  for (i = 0; i < N (vectors); i++)
    {
      int err = read_layout (&layout, vectors[i].name, vectors[i].fields,
			     N (vectors[i].fields));

      if (err != (vectors[i].block ? 0 : -1)
	  || (!err && layout.block != vectors[i].block))
	fail_msg ("vector %d, %s: %d, %u", (int) i, vectors[i].name, err,
		  layout.block);
    }
}

TEST (superblocks_have_their_places)
{
  uint32_t offset = 1;

  assert_int_equal (grub_dom0less_superblock ("fat", &offset), 0);
  assert_int_equal (offset, 0);
  assert_int_equal (grub_dom0less_superblock ("ext2", &offset), 0);
  assert_int_equal (offset, 1024);
  assert_int_equal (grub_dom0less_superblock ("jfs", &offset), 0);
  assert_int_equal (offset, 32768);
  assert_int_equal (grub_dom0less_superblock ("ntfs", &offset), -1);
}

/* A FAT of so many CLUSTERS of 2 KiB, with its tables of TABLE sectors.  */
static struct grub_dom0less_layout
make_fat (int bits, uint32_t clusters, uint32_t table, int flags)
{
  uint32_t before = 8 + 2 * table + (bits == 32 ? 0 : 33);
  uint32_t total = before + 4 * clusters + 3;
  struct field fields[] =
    {
      { 11, 2, 512 }, { 13, 1, 4 }, { 14, 2, 8 }, { 16, 1, 2 },
      /* Of these 513 entries the last has a sector of its own.  */
      { 17, 2, bits == 32 ? 0 : 513 },
      { 19, 2, total < 0x10000 ? total : 0 },
      { 32, 4, total < 0x10000 ? 0 : total },
      { 22, 2, bits == 32 ? 0 : table },
      { 36, 4, bits == 32 ? table : 0xffffffff },
      { 40, 1, flags }
    };
  struct grub_dom0less_layout layout;

  assert_int_equal (read_layout (&layout, "fat", fields, N (fields)), 0);
  assert_int_equal (layout.block, 2048);
  return layout;
}

TEST (tables_of_fat_are_told_apart)
{
  struct grub_dom0less_layout layout;

  assert_int_equal (make_fat (12, 4085, 20, 0).entry, 0);
  layout = make_fat (16, 4086, 20, 0x80);
  assert_int_equal (layout.entry, 2);
  assert_int_equal (layout.table, 8 * 512);
  assert_int_equal (layout.data, (8 + 40 + 33) * 512);
  assert_int_equal (layout.end, 4088);

  layout = make_fat (32, 100000, 800, 0);
  assert_int_equal (layout.entry, 4);
  assert_int_equal (layout.data, (8 + 1600) * 512);
  assert_int_equal (layout.end, 100002);
  /* The table decides if it is too small, and the driver if but one counts.  */
  assert_int_equal (make_fat (32, 100000, 700, 0).end, 700 * 128);
  assert_int_equal (make_fat (32, 100000, 800, 0x81).entry, 0);
}

TEST (a_volume_without_room_has_no_cluster)
{
  struct field fields[] =
    { { 11, 2, 512 }, { 13, 1, 1 }, { 14, 2, 32 }, { 16, 1, 2 },
      { 19, 2, 40 }, { 36, 4, 10 } };
  struct grub_dom0less_layout layout;

  assert_int_equal (read_layout (&layout, "fat", fields, N (fields)), 0);
  assert_int_equal (grub_dom0less_fat_cluster (&layout, layout.data), 0);
}

TEST (clusters_begin_behind_all_else)
{
  struct grub_dom0less_layout layout = make_fat (16, 5000, 30, 0);

  assert_int_equal (grub_dom0less_fat_cluster (&layout, layout.data), 2);
  assert_int_equal (grub_dom0less_fat_cluster (&layout, layout.data + 2048),
		    3);
  assert_int_equal (grub_dom0less_fat_cluster (&layout, layout.data + 512), 0);
  assert_int_equal (grub_dom0less_fat_cluster (&layout, layout.data - 2048),
		    0);
  assert_int_equal (grub_dom0less_fat_cluster (&layout, layout.data
					       + 4999 * 2048), 5001);
  assert_int_equal (grub_dom0less_fat_cluster (&layout, layout.data
					       + 5000 * 2048), 0);
  layout.entry = 0;
  assert_int_equal (grub_dom0less_fat_cluster (&layout, layout.data), 0);
}

TEST (rows_of_clusters_end_where_the_file_goes_elsewhere)
{
  static const struct
  {
    uint32_t entries[3];
    uint64_t cluster;
    unsigned int run;
  } vectors[] =
    {
      { { 11, 12, 13 }, 10, 3 },
      { { 11, 12, 14 }, 10, 2 },
      { { 11, 11, 12 }, 10, 1 },
      { { 9, 12, 13 }, 10, 0 },
      { { 0, 12, 13 }, 10, 0 },
      { { 11, 0xfffffff, 13 }, 10, 1 },
      /* The last cluster is 5001.  */
      { { 5000, 5001, 5002 }, 4999, 2 },
    };
  unsigned char *table;
  size_t i, j;
  int entry;

  for (entry = 2; entry <= 4; entry += 2)
    for (i = 0; i < N (vectors); i++)
      {
	struct grub_dom0less_layout layout
	  = make_fat (entry * 8, entry == 2 ? 5000 : 100000, 800, 0);

	layout.end = 5002;
	table = allocate (3 * entry);
	for (j = 0; j < 3; j++)
	  put (table + entry * j, entry,
	       vectors[i].entries[j] | (entry == 4 ? 0xa0000000 : 0));
	assert_int_equal (grub_dom0less_fat_run (&layout, table, 3,
						 vectors[i].cluster),
			  vectors[i].run);
	free (table);
      }
}

/* A node of an extent tree, for SIZE bytes at NODE, with these extents.  */
struct extent
{
  uint32_t first;
  unsigned int count;
  uint64_t start;
};

static void
put_node (unsigned char *node, unsigned int depth,
	  const struct extent *extents, int count)
{
  put (node, 2, 0xf30a);
  put (node + 2, 2, count);
  put (node + 4, 2, count);
  put (node + 6, 2, depth);
  for (node += 12; count--; node += 12, extents++)
    {
      put (node, 4, extents->first);
      put (node + 4, 2, extents->count);
      put (node + 6, 2, extents->start >> 32);
      put (node + 8, 4, extents->start);
    }
}

static const struct extent extents[] =
  { { 0, 10, 1000 }, { 10, 1, 5 }, { 20, 32768, (uint64_t) 3 << 32 },
    { 40000, 32769, 90000 } };

static const struct
{
  uint64_t number, block;
  unsigned int run;
} extent_vectors[] =
  {
    { 0, 1000, 10 }, { 4, 1004, 6 }, { 9, 1009, 1 }, { 10, 5, 1 },
    { 20, (uint64_t) 3 << 32, 32768 },
    { 32787, ((uint64_t) 3 << 32) + 32767, 1 },
    /* Elsewhere than the extent has it.  */
    { 4, 1005, 0 }, { 10, 1010, 0 }, { 20, 0, 0 },
    /* In no extent, and in one that is not written.  */
    { 11, 6, 0 }, { 32788, ((uint64_t) 3 << 32) + 32768, 0 },
    { 40000, 90000, 0 }
  };

TEST (leaves_tell_how_far_an_extent_goes)
{
  unsigned char *leaf = allocate (1024);
  size_t i;

  put_node (leaf, 0, extents, N (extents));
  for (i = 0; i < N (extent_vectors); i++)
    assert_int_equal (grub_dom0less_ext4_run (leaf, 1024,
					      extent_vectors[i].number,
					      extent_vectors[i].block),
		      extent_vectors[i].run);
  /* It points to leaves.  */
  put_node (leaf, 1, extents, N (extents));
  assert_int_equal (grub_dom0less_ext4_run (leaf, 1024, 0, 1000), 0);
  free (leaf);
}

TEST (leaves_are_not_read_beyond)
{
  size_t size;

  for (size = 0; size <= 12 * 5; size++)
    {
      unsigned char node[12 * 5];
      unsigned char *leaf = allocate (size ? size : 1);

      put_node (node, 0, extents, N (extents));
      memcpy (leaf, node, size);
      assert_int_equal (grub_dom0less_ext4_run (leaf, size, 0, 1000),
			size == 12 * 5 ? 10 : 0);
      free (leaf);
    }
}

/* An inode with these extents.  */
static void
put_inode (unsigned char *inode, const struct extent *list, int count)
{
  put (inode, 2, 0x81a4);
  put (inode + 32, 4, 0x80000);
  put_node (inode + 40, 0, list, count);
}

TEST (inodes_tell_how_far_an_extent_goes)
{
  static const struct extent other[] = { { 0, 20, 2000 } };
  unsigned char *table = allocate (512);
  size_t i, at;

  for (at = 0; at < 512; at += 128)
    {
      memset (table, 0, 512);
      put_inode (table + (at + 256) % 512, other, N (other));
      put_inode (table + at, extents, N (extents));
      for (i = 0; i < N (extent_vectors); i++)
	assert_int_equal (grub_dom0less_ext4_run (table, 512,
						  extent_vectors[i].number,
						  extent_vectors[i].block),
			  extent_vectors[i].run);
      assert_int_equal (grub_dom0less_ext4_run (table, 512, 0, 2000), 20);
      /* Its blocks are not in extents.  */
      put (table + at + 32, 4, 0);
      assert_int_equal (grub_dom0less_ext4_run (table, 512, 0, 1000), 0);
    }
  assert_int_equal (grub_dom0less_ext4_run (table, 127, 0, 1000), 0);
  free (table);
}

TEST (a_block_of_two_inodes_tells_nothing)
{
  unsigned char *table = allocate (512);

  put_inode (table, extents, N (extents));
  put_inode (table + 256, extents, 1);
  assert_int_equal (grub_dom0less_ext4_run (table, 512, 0, 1000), 0);
  assert_int_equal (grub_dom0less_ext4_run (table, 512, 10, 5), 1);
  free (table);
}

TEST (only_ext4_with_extents_has_them)
{
  struct field fields[] = { { 24, 4, 2 }, { 96, 4, 0x42 } };
  struct grub_dom0less_layout layout;

  assert_int_equal (read_layout (&layout, "ext2", fields, 2), 0);
  assert_true (layout.has_extents);
  assert_int_equal (read_layout (&layout, "ext2", fields, 1), 0);
  assert_false (layout.has_extents);
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (blocks_are_of_the_size_that_the_superblock_states),
      cmocka_unit_test (superblocks_have_their_places),
      cmocka_unit_test (tables_of_fat_are_told_apart),
      cmocka_unit_test (a_volume_without_room_has_no_cluster),
      cmocka_unit_test (clusters_begin_behind_all_else),
      cmocka_unit_test (rows_of_clusters_end_where_the_file_goes_elsewhere),
      cmocka_unit_test (leaves_tell_how_far_an_extent_goes),
      cmocka_unit_test (leaves_are_not_read_beyond),
      cmocka_unit_test (inodes_tell_how_far_an_extent_goes),
      cmocka_unit_test (a_block_of_two_inodes_tells_nothing),
      cmocka_unit_test (only_ext4_with_extents_has_them)
    };

  return RUN ("layout", tests);
}
