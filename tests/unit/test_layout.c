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
      { "btrfs", { { 144, 4, 4096 } }, 4096 },
      { "btrfs", { { 144, 4, 4096 }, { 188, 8, 0x361 } }, 4096 },
      /* RAID5 or RAID6.  */
      { "btrfs", { { 144, 4, 4096 }, { 188, 8, 0x3e1 } }, 0 },
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

/* The layout of ext4, and of XFS with groups of 1000 blocks, whose numbers
   have 10 bits, and inodes of 512 bytes.  */
static const struct grub_dom0less_layout ext4 = { .has_extents = 1 };
static const struct grub_dom0less_layout xfs
  = { .has_extents = 1, .inode = 512, .group = 1000, .group_shift = 10 };

TEST (leaves_tell_how_far_an_extent_goes)
{
  unsigned char *leaf = allocate (1024);
  size_t i;

  put_node (leaf, 0, extents, N (extents));
  for (i = 0; i < N (extent_vectors); i++)
    assert_int_equal (grub_dom0less_extent_run (&ext4, leaf, 1024,
					      extent_vectors[i].number,
					      extent_vectors[i].block),
		      extent_vectors[i].run);
  /* It points to leaves.  */
  put_node (leaf, 1, extents, N (extents));
  assert_int_equal (grub_dom0less_extent_run (&ext4, leaf, 1024, 0, 1000), 0);
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
      assert_int_equal (grub_dom0less_extent_run (&ext4, leaf, size, 0, 1000),
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
	assert_int_equal (grub_dom0less_extent_run (&ext4, table, 512,
						  extent_vectors[i].number,
						  extent_vectors[i].block),
			  extent_vectors[i].run);
      assert_int_equal (grub_dom0less_extent_run (&ext4, table, 512, 0, 2000), 20);
      /* Its blocks are not in extents.  */
      put (table + at + 32, 4, 0);
      assert_int_equal (grub_dom0less_extent_run (&ext4, table, 512, 0, 1000), 0);
    }
  assert_int_equal (grub_dom0less_extent_run (&ext4, table, 127, 0, 1000), 0);
  free (table);
}

TEST (a_block_of_two_inodes_tells_nothing)
{
  unsigned char *table = allocate (512);

  put_inode (table, extents, N (extents));
  put_inode (table + 256, extents, 1);
  assert_int_equal (grub_dom0less_extent_run (&ext4, table, 512, 0, 1000), 0);
  assert_int_equal (grub_dom0less_extent_run (&ext4, table, 512, 10, 5), 1);
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

static void
put_be (unsigned char *at, size_t size, uint64_t value)
{
  for (at += size; size; size--, value >>= 8)
    *--at = value & 0xff;
}

/* One in the second group, one of the largest length and file offset, and one
   that is not written.  */
static const struct
{
  uint64_t first, start, count;
  int is_unwritten;
} xfs_extents[] =
  {
    { 0, 1024 + 5, 10, 0 }, { 10, 7, 1, 0 },
    { ((uint64_t) 1 << 54) - 0x200000, ((uint64_t) 1 << 52) - 0x200000,
      0x1fffff, 0 },
    { 40, 100, 20, 1 }
  };

static const struct
{
  uint64_t number, block;
  unsigned int run;
} xfs_vectors[] =
  {
    { 0, 1005, 10 }, { 9, 1014, 1 }, { 10, 7, 1 },
    { ((uint64_t) 1 << 54) - 0x100000,
      (((uint64_t) 1 << 42) - 0x800) * 1000 + 0x100000, 0xfffff },
    { 0, 1029, 0 }, { 1, 1005, 0 }, { 11, 8, 0 }, { 40, 100, 0 }
  };

static void
put_xfs_extents (unsigned char *at)
{
  size_t i;

  for (i = 0; i < N (xfs_extents); i++, at += 16)
    {
      put_be (at, 8, (uint64_t) xfs_extents[i].is_unwritten << 63
	      | xfs_extents[i].first << 9 | xfs_extents[i].start >> 43);
      put_be (at + 8, 8, xfs_extents[i].start << 21 | xfs_extents[i].count);
    }
}

static void
check_xfs (const unsigned char *metadata, size_t size)
{
  size_t i;

  for (i = 0; i < N (xfs_vectors); i++)
    assert_int_equal (grub_dom0less_extent_run (&xfs, metadata, size,
						xfs_vectors[i].number,
						xfs_vectors[i].block),
		      xfs_vectors[i].run);
}

TEST (leaves_of_xfs_tell_how_far_an_extent_goes)
{
  static const struct
  {
    const char *magic;
    size_t header;
  } kinds[] = { { "BMAP", 24 }, { "BMA3", 72 } };
  size_t i, size, end;

  for (i = 0; i < N (kinds); i++)
    {
      end = kinds[i].header + 16 * N (xfs_extents);
      for (size = 0; size <= end; size++)
	{
	  unsigned char *leaf = allocate (size ? size : 1);
	  unsigned char whole[256] = "";

	  memcpy (whole, kinds[i].magic, 4);
	  put_be (whole + 6, 2, N (xfs_extents));
	  put_xfs_extents (whole + kinds[i].header);
	  memcpy (leaf, whole, size);
	  if (size == end)
	    check_xfs (leaf, size);
	  /* The second is there or is not.  */
	  assert_int_equal (grub_dom0less_extent_run (&xfs, leaf, size, 10, 7),
			    size >= kinds[i].header + 32);
	  if (size == end)
	    {
	      /* As many as there are.  */
	      put_be (leaf + 6, 2, 1);
	      assert_int_equal (grub_dom0less_extent_run (&xfs, leaf, size,
							  10, 7), 0);
	      /* It points to leaves.  */
	      put_be (leaf + 4, 2, 1);
	      assert_int_equal (grub_dom0less_extent_run (&xfs, leaf, size,
							  0, 1005), 0);
	    }
	  free (leaf);
	}
    }
}

/* An inode of VERSION with these extents.  */
static void
put_xfs_inode (unsigned char *inode, int version, int is_large)
{
  memset (inode, 0, 512);
  memcpy (inode, "IN", 2);
  inode[4] = version;
  inode[5] = 2;
  put_be (inode + 120, 8, is_large ? 0x10 : 0);
  put_be (inode + (is_large ? 24 : 76), is_large ? 8 : 4, N (xfs_extents));
  put_xfs_extents (inode + (version == 3 ? 176 : 100));
}

TEST (inodes_of_xfs_tell_how_far_an_extent_goes)
{
  unsigned char *sectors = allocate (1024);
  size_t at;

  for (at = 0; at < 1024; at += 512)
    {
      memset (sectors, 0, 1024);
      put_xfs_inode (sectors + at, 3, 0);
      check_xfs (sectors, 1024);
      put_xfs_inode (sectors + at, 3, 1);
      check_xfs (sectors, 1024);
      put_xfs_inode (sectors + at, 2, 0);
      check_xfs (sectors, 1024);
      /* Not as many, in another form, or no inode.  */
      put_be (sectors + at + 76, 4, 1);
      assert_int_equal (grub_dom0less_extent_run (&xfs, sectors, 1024, 10, 7),
			0);
      assert_int_equal (grub_dom0less_extent_run (&xfs, sectors, 1024, 0, 1005),
			10);
      sectors[at + 5] = 3;
      assert_int_equal (grub_dom0less_extent_run (&xfs, sectors, 1024, 0, 1005),
			0);
      put_xfs_inode (sectors + at, 3, 0);
      sectors[at] = 0;
      assert_int_equal (grub_dom0less_extent_run (&xfs, sectors, 1024, 0, 1005),
			0);
    }
  put_xfs_inode (sectors, 3, 0);
  put_xfs_inode (sectors + 512, 3, 0);
  assert_int_equal (grub_dom0less_extent_run (&xfs, sectors, 1024, 0, 1005), 0);
  assert_int_equal (grub_dom0less_extent_run (&xfs, sectors, 512, 0, 1005), 10);
  assert_int_equal (grub_dom0less_extent_run (&xfs, sectors, 511, 0, 1005), 0);
  /* More than the inode has room for.  */
  put_be (sectors + 76, 4, 0xffffffff);
  assert_int_equal (grub_dom0less_extent_run (&xfs, sectors, 512, 11, 5), 0);
  free (sectors);
}

TEST (only_xfs_with_plausible_inodes_has_extents)
{
  struct field fields[] = { { 6, 1, 0x10 }, { 84, 4, 0x01000000 },
			    { 104, 1, 2 }, { 124, 1, 16 } };
  struct grub_dom0less_layout layout;

  assert_int_equal (read_layout (&layout, "xfs", fields, 4), 0);
  assert_true (layout.has_extents);
  assert_int_equal (layout.inode, 512);
  assert_int_equal (layout.group, 1);
  assert_int_equal (layout.group_shift, 16);
  fields[3].value = 32;
  assert_int_equal (read_layout (&layout, "xfs", fields, 4), 0);
  assert_false (layout.has_extents);
  assert_int_equal (read_layout (&layout, "xfs", fields, 2), 0);
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
      cmocka_unit_test (only_ext4_with_extents_has_them),
      cmocka_unit_test (leaves_of_xfs_tell_how_far_an_extent_goes),
      cmocka_unit_test (inodes_of_xfs_tell_how_far_an_extent_goes),
      cmocka_unit_test (only_xfs_with_plausible_inodes_has_extents)
    };

  return RUN ("layout", tests);
}
