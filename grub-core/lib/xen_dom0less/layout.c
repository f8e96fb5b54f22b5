/* layout.c - where file systems store the blocks of a file  */
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

#include <grub/xen_dom0less.h>

#include <string.h>

#define MIN_BLOCK	512
#define MAX_BLOCK	((uint32_t) 32 << 20)	/* exFAT's largest */

/* Offsets in bytes from the start of each structure.  */
#define FAT_DIRECTORY_ENTRY	32
#define FAT32_FLAGS		40
#define FAT32_FLAG_ONE_TABLE	0x80

/* A volume with this number of clusters or fewer has a table of 12 bits.  */
#define FAT12_CLUSTERS		4085

#define EXT_FEATURES		96	/* incompatible features */
#define EXT_FEATURE_EXTENTS	0x40
#define EXT4_MAGIC		0xf30a
#define EXT4_ENTRY		12	/* also the size of the header */
#define EXT4_WRITTEN		32768	/* longer means not written */
#define EXT4_INODE		128	/* or a multiple */
#define EXT4_INODE_FLAGS	32
#define EXT4_INODE_FLAG_EXTENTS	0x80000
#define EXT4_INODE_ROOT		40
#define EXT4_INODE_ROOT_SIZE	60

#define XFS_GROUP		84	/* blocks of an allocation group */
#define XFS_INODE_SIZE		104
#define XFS_GROUP_SHIFT		124
#define XFS_EXTENT		16
#define XFS_EXTENT_UNWRITTEN	((uint64_t) 1 << 63)
#define XFS_LEAF		"BMAP"
#define XFS_LEAF_HEADER		24
#define XFS_LEAF_CRC		"BMA3"	/* with checksums */
#define XFS_LEAF_CRC_HEADER	72
#define XFS_INODE_HEADER	100
#define XFS_INODE_CRC_HEADER	176
#define XFS_INODE_EXTENTS	2	/* the format of the data fork */
#define XFS_INODE_FLAG2_LARGE	0x10	/* numbers of extents have 64 bits */

#define BTRFS_SECTOR		144
#define BTRFS_FEATURES		188	/* incompatible features */
#define BTRFS_FEATURE_RAID56	0x80

static uint32_t
le16 (const unsigned char *bytes)
{
  return bytes[0] | bytes[1] << 8;
}

static uint32_t
le32 (const unsigned char *bytes)
{
  return le16 (bytes) | le16 (bytes + 2) << 16;
}

static uint32_t
be16 (const unsigned char *bytes)
{
  return bytes[0] << 8 | bytes[1];
}

static uint32_t
be32 (const unsigned char *bytes)
{
  return ((uint32_t) bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8
	  | bytes[3]);
}

static uint64_t
be64 (const unsigned char *bytes)
{
  return (uint64_t) be32 (bytes) << 32 | be32 (bytes + 4);
}

static void
read_fat (struct grub_dom0less_layout *layout, const unsigned char *boot)
{
  uint32_t sector = le16 (boot + 11), per_cluster = boot[13];
  uint64_t reserved = le16 (boot + 14), tables = boot[16];
  uint64_t root = le16 (boot + 17) * FAT_DIRECTORY_ENTRY;
  uint64_t total = le16 (boot + 19) ? le16 (boot + 19) : le32 (boot + 32);
  uint64_t table = le16 (boot + 22) ? le16 (boot + 22) : le32 (boot + 36);
  int is_fat32 = le16 (boot + 22) == 0;
  uint64_t before, clusters;

  layout->block = sector * per_cluster;
  if (layout->block == 0)
    return;

  before = reserved + tables * table + (root + sector - 1) / sector;
  clusters = total > before ? (total - before) / per_cluster : 0;
  if (is_fat32 ? boot[FAT32_FLAGS] & FAT32_FLAG_ONE_TABLE
      : clusters <= FAT12_CLUSTERS)
    return;
  layout->entry = is_fat32 ? 4 : 2;
  layout->table = reserved * sector;
  layout->data = before * sector;
  layout->end = clusters + 2;
  if (layout->end > table * sector / layout->entry)
    layout->end = table * sector / layout->entry;
}

static void
read_exfat (struct grub_dom0less_layout *layout, const unsigned char *boot)
{
  /* The sizes of a sector in bytes, and of a cluster in sectors, as powers of
     two.  */
  unsigned int shift = boot[108] + boot[109];

  layout->block = shift < 32 ? (uint32_t) 1 << shift : 0;
}

static void
read_ext (struct grub_dom0less_layout *layout, const unsigned char *superblock)
{
  layout->block = superblock[24] < 16 ? (uint32_t) 1024 << superblock[24] : 0;
  layout->has_extents = (le32 (superblock + EXT_FEATURES)
			 & EXT_FEATURE_EXTENTS) != 0;
}

static void
read_xfs (struct grub_dom0less_layout *layout, const unsigned char *superblock)
{
  uint32_t inode = be16 (superblock + XFS_INODE_SIZE);

  layout->block = be32 (superblock + 4);
  layout->group = be32 (superblock + XFS_GROUP);
  layout->group_shift = superblock[XFS_GROUP_SHIFT];
  if (inode >= XFS_INODE_CRC_HEADER + XFS_EXTENT && layout->group_shift < 32)
    {
      layout->inode = inode;
      layout->has_extents = 1;
    }
}

static void
read_btrfs (struct grub_dom0less_layout *layout,
	    const unsigned char *superblock)
{
  layout->reads_runs = 1;
  if (!(le32 (superblock + BTRFS_FEATURES) & BTRFS_FEATURE_RAID56))
    layout->block = le32 (superblock + BTRFS_SECTOR);
}

static void
read_jfs (struct grub_dom0less_layout *layout, const unsigned char *superblock)
{
  layout->block = le32 (superblock + 16);
}

static void
read_hfsplus (struct grub_dom0less_layout *layout, const unsigned char *header)
{
  /* Otherwise the volume is inside an HFS volume, and its superblock
     elsewhere.  */
  if (header[0] == 'H' && (header[1] == '+' || header[1] == 'X'))
    layout->block = be32 (header + 40);
}

static void
read_f2fs (struct grub_dom0less_layout *layout,
	   const unsigned char *superblock __attribute__ ((unused)))
{
  layout->block = 4096;
}

static void
read_iso9660 (struct grub_dom0less_layout *layout,
	      const unsigned char *descriptor __attribute__ ((unused)))
{
  layout->block = 2048;
  layout->reads_runs = 1;
}

/* docs/design.md explains why the others are missing.  */
static const struct file_system
{
  char name[8];
  uint32_t superblock;
  void (*read) (struct grub_dom0less_layout *layout,
		const unsigned char *superblock);
} file_systems[] =
  {
    { "fat", 0, read_fat },
    { "exfat", 0, read_exfat },
    { "ext2", 1024, read_ext },
    { "xfs", 0, read_xfs },
    { "f2fs", 1024, read_f2fs },
    { "jfs", 32768, read_jfs },
    { "hfsplus", 1024, read_hfsplus },
    { "iso9660", 32768, read_iso9660 },
    { "btrfs", 65536, read_btrfs },
  };

static const struct file_system *
find_file_system (const char *name)
{
  size_t i;

  for (i = 0; i < sizeof (file_systems) / sizeof (file_systems[0]); i++)
    if (strcmp (file_systems[i].name, name) == 0)
      return file_systems + i;
  return NULL;
}

int
grub_dom0less_superblock (const char *name, uint32_t *offset)
{
  const struct file_system *file_system = find_file_system (name);

  if (!file_system)
    return -1;
  *offset = file_system->superblock;
  return 0;
}

int
grub_dom0less_read_layout (struct grub_dom0less_layout *layout,
			   const char *name, const void *superblock)
{
  const struct file_system *file_system = find_file_system (name);

  memset (layout, 0, sizeof (*layout));
  if (!file_system)
    return -1;
  file_system->read (layout, superblock);
  if (layout->block < MIN_BLOCK || layout->block > MAX_BLOCK
      || (layout->block & (layout->block - 1)))
    return -1;
  return 0;
}

uint64_t
grub_dom0less_fat_cluster (const struct grub_dom0less_layout *layout,
			   uint64_t offset)
{
  uint64_t cluster;

  if (!layout->entry || offset < layout->data
      || (offset - layout->data) % layout->block)
    return 0;
  cluster = (offset - layout->data) / layout->block + 2;
  return cluster < layout->end ? cluster : 0;
}

uint64_t
grub_dom0less_fat_run (const struct grub_dom0less_layout *layout,
		       const void *entries, size_t count, uint64_t cluster)
{
  const unsigned char *entry = entries;
  uint64_t next, run;

  for (run = 0; run < count; run++, entry += layout->entry)
    {
      /* The four highest bits are reserved.  */
      next = layout->entry == 4 ? le32 (entry) & 0xfffffff : le16 (entry);
      if (next != cluster + run + 1 || next >= layout->end)
	break;
    }
  return run;
}

/* Return how many blocks are contiguous from block NUMBER of the file on,
   which is the disk's BLOCK, according to the node of SIZE bytes at NODE.
   Return 0 if this is not a leaf, or does not place that block there.  */
static uint32_t
count_extent (const unsigned char *node, size_t size, uint64_t number,
	      uint64_t block)
{
  size_t entries, i;

  if (size < EXT4_ENTRY || le16 (node) != EXT4_MAGIC)
    return 0;
  entries = le16 (node + 2);
  /* The depth of the nodes below.  */
  if (le16 (node + 6) != 0 || entries > size / EXT4_ENTRY - 1)
    return 0;

  for (i = 1; i <= entries; i++)
    {
      const unsigned char *entry = node + i * EXT4_ENTRY;
      uint32_t first = le32 (entry), count = le16 (entry + 4);
      uint64_t start = (uint64_t) le16 (entry + 6) << 32 | le32 (entry + 8);

      if (number >= first && number - first < count && count <= EXT4_WRITTEN
	  && start + (number - first) == block)
	return count - (number - first);
    }
  return 0;
}

static uint32_t
count_ext4 (const unsigned char *metadata, size_t size, uint64_t number,
	    uint64_t block)
{
  const unsigned char *inode = metadata;
  uint32_t found = 0;
  size_t i;

  if (size >= EXT4_ENTRY && le16 (metadata) == EXT4_MAGIC)
    return count_extent (metadata, size, number, block);

  for (i = 0; i < size / EXT4_INODE; i++, inode += EXT4_INODE)
    if (le32 (inode + EXT4_INODE_FLAGS) & EXT4_INODE_FLAG_EXTENTS)
      {
	uint32_t count = count_extent (inode + EXT4_INODE_ROOT,
				       EXT4_INODE_ROOT_SIZE, number, block);

	/* If there are two, only one can be the file's, so the file system is
	   damaged.  */
	if (count && found)
	  return 0;
	found += count;
      }
  return found;
}

/* Return how many blocks are contiguous from block NUMBER of the file on, which
   is the disk's BLOCK, according to COUNT extents of XFS, or as many of them as
   SIZE bytes contain.  */
static uint32_t
count_xfs_extent (const struct grub_dom0less_layout *layout,
		  const unsigned char *extent, uint64_t count, size_t size,
		  uint64_t number, uint64_t block)
{
  if (count > size / XFS_EXTENT)
    count = size / XFS_EXTENT;
  for (; count; count--, extent += XFS_EXTENT)
    {
      /* From the highest bit on: a flag, 54 bits of the first block's number in
	 the file, 52 of its group's number and its own in the group, and 21 of
	 the number of blocks.  */
      uint64_t high = be64 (extent), low = be64 (extent + 8);
      uint64_t first = (high & ~XFS_EXTENT_UNWRITTEN) >> 9;
      uint64_t start = (high & 0x1ff) << 43 | low >> 21;
      uint32_t length = low & 0x1fffff;
      uint64_t in_group = start & (((uint64_t) 1 << layout->group_shift) - 1);

      start = (start >> layout->group_shift) * layout->group + in_group;
      if (number >= first && number - first < length
	  && !(high & XFS_EXTENT_UNWRITTEN) && start + (number - first) == block)
	return length - (number - first);
    }
  return 0;
}

/* The same, according to an INODE of LAYOUT->inode bytes.  */
static uint32_t
count_xfs_inode (const struct grub_dom0less_layout *layout,
		 const unsigned char *inode, uint64_t number, uint64_t block)
{
  int is_v3 = inode[4] >= 3;
  size_t header = is_v3 ? XFS_INODE_CRC_HEADER : XFS_INODE_HEADER;
  uint64_t count = be32 (inode + 76);

  if (inode[0] != 'I' || inode[1] != 'N' || inode[5] != XFS_INODE_EXTENTS)
    return 0;
  if (is_v3 && be64 (inode + 120) & XFS_INODE_FLAG2_LARGE)
    count = be64 (inode + 24);
  return count_xfs_extent (layout, inode + header, count,
			   layout->inode - header, number, block);
}

static uint32_t
count_xfs (const struct grub_dom0less_layout *layout,
	   const unsigned char *metadata, size_t size, uint64_t number,
	   uint64_t block)
{
  int is_crc = size >= 4 && memcmp (metadata, XFS_LEAF_CRC, 4) == 0;
  size_t header = is_crc ? XFS_LEAF_CRC_HEADER : XFS_LEAF_HEADER;
  uint32_t found = 0, count;
  size_t i;

  if (size >= header && (is_crc || memcmp (metadata, XFS_LEAF, 4) == 0))
    /* The level of a leaf is 0.  */
    return be16 (metadata + 4) ? 0
      : count_xfs_extent (layout, metadata + header, be16 (metadata + 6),
			  size - header, number, block);

  for (i = 0; i < size / layout->inode; i++)
    {
      count = count_xfs_inode (layout, metadata + i * layout->inode, number,
			       block);
      if (count && found)
	return 0;
      found += count;
    }
  return found;
}

uint32_t
grub_dom0less_extent_run (const struct grub_dom0less_layout *layout,
			  const void *metadata, size_t size, uint64_t number,
			  uint64_t block)
{
  return layout->inode ? count_xfs (layout, metadata, size, number, block)
    : count_ext4 (metadata, size, number, block);
}
