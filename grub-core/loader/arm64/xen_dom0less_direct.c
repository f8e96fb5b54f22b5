/* xen_dom0less_direct.c - files on disks, past GRUB's cache  */
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

#include <grub/types.h>
#include <grub/disk.h>
#include <grub/env.h>
#include <grub/file.h>
#include <grub/fs.h>
#include <grub/misc.h>
#include <grub/partition.h>

#include "xen_dom0less_boot.h"
#include "xen_dom0less_compat.h"

/*
 * GRUB's file systems read block by block through a cache of 32 KiB pieces, and
 * copy every byte twice.  But they tell where each block lies: a file's read
 * hook is called with the sector of every piece of data.  So a file is asked for
 * the first byte of each of its blocks, with a disk that gives the data no
 * thought, and blocks that follow each other are then read at once, by the
 * disk's own driver, to where they belong.
 *
 * This is exact because
 *
 * - a file system stores a block in one piece, and the block size is the one
 *   that its superblock states.  Only file systems that are listed below are
 *   read so: their drivers take data to the caller as they are on the disk;
 * - an extent of ext4, whose driver reads the same leaf anew for every block, is
 *   taken whole as the leaf says if it puts the block where the driver does;
 * - a block whose reading did not call the hook exactly once, for that byte, is
 *   read the ordinary way: a hole, data that lie in the inode, or an error;
 * - a file that a verifier or a decompressor has replaced is not of these file
 *   systems, and a file from the network is on no disk.
 */

#define MIN_BLOCK	GRUB_DISK_SECTOR_SIZE
#define MAX_BLOCK	((grub_size_t) 32 << 20)	/* exFAT's largest */

/* GRUB's cache asks for this much at a time.  */
#define CACHE_PIECE	((grub_size_t) GRUB_DISK_CACHE_SIZE		\
			 << GRUB_DISK_SECTOR_BITS)

/* Larger transfers gain nothing, and the progress indicator is for people.  */
#define MAX_TRANSFER	((grub_size_t) 8 << 20)

#define NOWHERE		(~(grub_disk_addr_t) 0)

/* No grub_disk_dev_id is that.  */
#define NO_DEVICE	0x10ff

/* What is needed of a superblock, from where it starts.  */
#define SUPERBLOCK_SIZE	128

/* Leaves of ext4's extent tree.  An extent of more blocks than that is not
   written yet.  */
#define EXT4_MAGIC		0xf30a
#define EXT4_ENTRY_SIZE		12	/* also of the header */
#define EXT4_MAX_BLOCKS		32768

static grub_size_t
fat_block (const grub_uint8_t *boot)
{
  /* Bytes in a sector, sectors in a cluster.  */
  return (grub_size_t) (boot[11] | boot[12] << 8) * boot[13];
}

static grub_size_t
exfat_block (const grub_uint8_t *boot)
{
  /* The same as powers of two.  */
  unsigned int shift = boot[108] + boot[109];

  return shift < 32 ? (grub_size_t) 1 << shift : 0;
}

static grub_size_t
ext_block (const grub_uint8_t *superblock)
{
  return superblock[24] < 16 ? (grub_size_t) 1024 << superblock[24] : 0;
}

static grub_size_t
xfs_block (const grub_uint8_t *superblock)
{
  return grub_be_to_cpu32 (grub_get_unaligned32 (superblock + 4));
}

static grub_size_t
jfs_block (const grub_uint8_t *superblock)
{
  return grub_le_to_cpu32 (grub_get_unaligned32 (superblock + 16));
}

static grub_size_t
hfsplus_block (const grub_uint8_t *header)
{
  /* Else it lies within an HFS, and its superblock elsewhere.  */
  if (header[0] != 'H' || (header[1] != '+' && header[1] != 'X'))
    return 0;
  return grub_be_to_cpu32 (grub_get_unaligned32 (header + 40));
}

static grub_size_t
f2fs_block (const grub_uint8_t *superblock __attribute__ ((unused)))
{
  return 4096;
}

static grub_size_t
iso9660_block (const grub_uint8_t *descriptor __attribute__ ((unused)))
{
  return 2048;
}

/* The file systems that are read directly: GRUB's name, where the superblock
   lies, and the size of a block by it.  docs/design.md says why the others are
   not.  */
static const struct
{
  const char *name;
  grub_off_t superblock;
  grub_size_t (*block) (const grub_uint8_t *superblock);
} file_systems[] =
  {
    { "fat", 0, fat_block },
    { "exfat", 0, exfat_block },
    { "ext2", 1024, ext_block },
    { "xfs", 0, xfs_block },
    { "f2fs", 1024, f2fs_block },
    { "jfs", 32768, jfs_block },
    { "hfsplus", 1024, hfsplus_block },
    { "iso9660", 32768, iso9660_block },
  };

/* The size of a block by FILE's superblock; 0 if that cannot be told.  */
static grub_size_t
read_block_size (grub_file_t file)
{
  grub_uint8_t superblock[SUPERBLOCK_SIZE];
  grub_size_t size;
  unsigned int i;

  for (i = 0; i < ARRAY_SIZE (file_systems); i++)
    if (grub_strcmp (file->fs->name, file_systems[i].name) == 0)
      {
	if (grub_disk_read (file->device->disk, 0, file_systems[i].superblock,
			    sizeof (superblock), superblock))
	  {
	    grub_errno = GRUB_ERR_NONE;
	    return 0;
	  }
	size = file_systems[i].block (superblock);
	if (size < MIN_BLOCK || size > MAX_BLOCK || (size & (size - 1)))
	  return 0;
	return size;
      }
  return 0;
}

/* Bytes of a file that follow each other on the disk, or are NOWHERE.  */
struct run
{
  grub_off_t offset;
  grub_size_t size;
  grub_disk_addr_t sector;
};

/* A file that is asked where its blocks are.  */
struct probe
{
  struct grub_disk_dev dev;	/* stands in for REAL, while it is asked */
  grub_disk_dev_t real;
  grub_file_t file;
  grub_size_t block;		/* in bytes, a power of two */
  grub_disk_addr_t start, end;	/* of the partition */
  grub_size_t largest;		/* transfer, in bytes; 0: none works */

  /* What one call of the hook has told.  */
  int calls;
  grub_disk_addr_t sector;
  unsigned int offset;
  unsigned int length;

  /* What a leaf has told: how many bytes, and from which sector.  */
  grub_size_t extent_size;
  grub_disk_addr_t extent_sector;
};

static void
note_place (struct probe *probe, grub_disk_addr_t sector, unsigned int offset,
	    unsigned int length)
{
  probe->calls++;
  probe->sector = sector;
  probe->offset = offset;
  probe->length = length;
}

static void
hook_without_buffer (grub_disk_addr_t sector, unsigned int offset,
		     unsigned int length, void *probe)
{
  note_place (probe, sector, offset, length);
}

static grub_err_t
hook_with_buffer (grub_disk_addr_t sector, unsigned int offset,
		  unsigned int length,
		  char *buffer __attribute__ ((unused)), void *probe)
{
  note_place (probe, sector, offset, length);
  return GRUB_ERR_NONE;
}

#define PROBE_HOOK							\
  DOM0LESS_READ_HOOK (hook_without_buffer, hook_with_buffer)

/* If the SIZE bytes of METADATA are a leaf of ext4's extent tree, note how far the
   extent goes that has the block at the file's offset.  Source: Linux,
   Documentation/filesystems/ext4/ifork.rst.  */
static void
note_extent (struct probe *probe, const grub_uint8_t *metadata,
	     grub_size_t size)
{
  const grub_uint16_t *header = (const void *) metadata;
  const grub_uint8_t *entry;
  grub_uint64_t wanted = probe->file->offset / probe->block;
  grub_uint64_t first, count, block;
  unsigned int i, depth, entries;

  if (size < EXT4_ENTRY_SIZE
      || grub_le_to_cpu16 (header[0]) != EXT4_MAGIC)
    return;
  entries = grub_le_to_cpu16 (header[1]);
  depth = grub_le_to_cpu16 (header[3]);
  if (depth || entries > size / EXT4_ENTRY_SIZE - 1)
    return;

  for (i = 1; i <= entries; i++)
    {
      entry = metadata + i * EXT4_ENTRY_SIZE;
      first = grub_le_to_cpu32 (grub_get_unaligned32 (entry));
      count = grub_le_to_cpu16 (grub_get_unaligned16 (entry + 4));
      if (wanted < first || wanted - first >= count || count > EXT4_MAX_BLOCKS)
	continue;
      block = grub_le_to_cpu16 (grub_get_unaligned16 (entry + 6));
      block = (block << 32) | grub_le_to_cpu32 (grub_get_unaligned32 (entry + 8));
      block += wanted - first;
      probe->extent_size = (count - (wanted - first)) * probe->block;
      probe->extent_sector = probe->start + block * (probe->block
						     >> GRUB_DISK_SECTOR_BITS);
    }
}

/* Read SIZE of the disk's own sectors at SECTOR, unless they are data.  GRUB's
   cache first asks for a piece of its own size; told that this is impossible it
   asks for the sectors of that one byte, keeps nothing, and calls the hook.  */
static grub_err_t
read_metadata (struct grub_disk *disk, grub_disk_addr_t sector,
	       grub_size_t size, char *buffer)
{
  struct probe *probe = (struct probe *) disk->dev;
  grub_size_t bytes = size << disk->log_sector_size;
  struct grub_disk whole;

  if (disk->read_hook == PROBE_HOOK)
    return bytes == CACHE_PIECE ? GRUB_ERR_READ_ERROR : GRUB_ERR_NONE;
  if (probe->dev.id == probe->real->id)
    return probe->real->disk_read (disk, sector, size, buffer);

  /* To be cached under the real number, and never under this one.  */
  if (bytes >= CACHE_PIECE)
    return GRUB_ERR_READ_ERROR;
  whole = *disk;
  whole.dev = probe->real;
  whole.partition = NULL;
  if (grub_disk_read (&whole, grub_disk_from_native_sector (disk, sector), 0,
		      bytes, buffer))
    return grub_errno;
  note_extent (probe, (const grub_uint8_t *) buffer, bytes);
  return GRUB_ERR_NONE;
}

/* How many of the disk's own sectors hold SIZE bytes.  */
static grub_disk_addr_t
to_sectors (grub_disk_t disk, grub_size_t size)
{
  return grub_convert_sector (size, 0, disk->log_sector_size);
}

/* GRUB's SECTOR as one of the disk's own, or the next that begins later.  */
static grub_disk_addr_t
to_native_sector (grub_disk_t disk, grub_disk_addr_t sector)
{
  return grub_convert_sector (sector, GRUB_DISK_SECTOR_BITS,
			      disk->log_sector_size);
}

/* Where the block of the file at OFFSET lies, and how many bytes with it.  */
static struct run
find_piece (struct probe *probe, grub_off_t offset)
{
  grub_file_t file = probe->file;
  grub_disk_t disk = file->device->disk;
  grub_off_t left = file->size - offset;
  struct run piece = { .offset = offset, .sector = NOWHERE };
  grub_disk_addr_t native, sectors;
  grub_ssize_t got;
  char data;

  probe->calls = 0;
  probe->extent_size = 0;
  file->offset = offset;
  file->read_hook = PROBE_HOOK;
  file->read_hook_data = probe;
  disk->dev = &probe->dev;
  got = file->fs->fs_read (file, &data, 1);
  disk->dev = probe->real;
  file->read_hook = NULL;

  piece.size = probe->block < left ? probe->block : left;
  if (got != 1 || grub_errno || probe->calls != 1 || probe->length != 1
      || probe->offset != 0)
    {
      /* If this was an error, the ordinary read has it as well.  */
      grub_errno = GRUB_ERR_NONE;
      return piece;
    }
  if (probe->extent_size && probe->extent_sector == probe->sector)
    piece.size = probe->extent_size < left ? probe->extent_size : left;

  /* The disk's driver reads whole sectors, and has no eye on where the partition
     ends.  */
  native = to_native_sector (disk, probe->sector);
  sectors = grub_disk_from_native_sector (disk,
					  to_sectors (disk, piece.size));
  if (grub_disk_from_native_sector (disk, native) == probe->sector
      && probe->sector <= probe->end
      && sectors <= probe->end - probe->sector)
    piece.sector = probe->sector;
  return piece;
}

/* The run of pieces that begins at OFFSET.  */
static struct run
find_run (struct probe *probe, grub_off_t offset)
{
  struct run run = find_piece (probe, offset), piece;
  grub_disk_addr_t next;

  while (offset + run.size < probe->file->size)
    {
      piece = find_piece (probe, offset + run.size);
      next = run.sector;
      if (next != NOWHERE)
	next += run.size >> GRUB_DISK_SECTOR_BITS;
      if (piece.sector != next)
	break;
      run.size += piece.size;
    }
  return run;
}

/* Read RUN by the disk's own driver.  Returns 0 if it has failed, with whatever
   little was asked of it.  */
static int
read_sectors (struct probe *probe, const struct run *run, char *buffer)
{
  grub_file_t file = probe->file;
  grub_disk_t disk = file->device->disk;
  grub_disk_addr_t sector = to_native_sector (disk, run->sector);
  grub_size_t done = 0, size;

  file->offset = file->progress_offset = run->offset;
  while (done < run->size)
    {
      if (!probe->largest)
	return 0;
      size = run->size - done;
      if (size > probe->largest)
	size = probe->largest;
      if (disk->dev->disk_read (disk, sector + (done >> disk->log_sector_size),
				to_sectors (disk, size), buffer + done))
	{
	  grub_dprintf ("xen_dom0less", "%s: a transfer of 0x%" PRIxGRUB_SIZE
			" bytes failed\n", file->name, size);
	  grub_errno = GRUB_ERR_NONE;
	  probe->largest = ALIGN_DOWN (probe->largest / 2, CACHE_PIECE);
	  continue;
	}
      if (grub_file_progress_hook)
	dom0less_call_read_hook (grub_file_progress_hook, size,
				 buffer + done, file);
      done += size;
    }
  file->offset = run->offset + run->size;
  return 1;
}

/* Read RUN the ordinary way, as far as that goes.  */
static void
read_ordinarily (grub_file_t file, const struct run *run, char *buffer)
{
  grub_size_t done = 0;
  grub_ssize_t got;

  file->offset = run->offset;
  while (done < run->size)
    {
      got = grub_file_read (file, buffer + done, run->size - done);
      if (got <= 0)
	break;
      done += got;
    }
}

/* The size of FILE's blocks, or 0 if it cannot be read directly.  */
static grub_size_t
find_block_size (grub_file_t file)
{
  const char *direct = grub_env_get ("xen_dom0less_direct");
  const char *obstacle = NULL;
  grub_size_t block = 0;

  if (direct && grub_strcmp (direct, "0") == 0)
    obstacle = "xen_dom0less_direct is 0";
  else if (!file->device || !file->device->disk)
    obstacle = "it is on no disk";
  /* Where a page does not hold whole sectors, neither do our pages; and a
     sector has to be less than a piece of the cache.  */
  else if (file->device->disk->log_sector_size > DOM0LESS_PAGE_SHIFT)
    obstacle = "its disk has sectors of more than a page";
  else
    {
      block = read_block_size (file);
      if (!block)
	obstacle = "its file system is not one of those";
    }
  if (obstacle)
    grub_dprintf ("xen_dom0less", "%s is not read directly: %s\n",
		  file->name, obstacle);
  return block;
}

grub_size_t
dom0less_read_direct (grub_file_t file, void *buffer)
{
  struct probe probe = { .file = file, .block = find_block_size (file) };
  grub_size_t direct = 0;
  grub_disk_t disk;
  struct run run;

  if (!probe.block)
    return 0;

  disk = file->device->disk;
  probe.real = disk->dev;
  probe.dev = *disk->dev;
  probe.dev.disk_read = read_metadata;
  /* Where metadata can say more, they have to come by and not from the cache,
     which goes by this number.  */
  if (grub_strcmp (file->fs->name, "ext2") == 0)
    probe.dev.id = NO_DEVICE;
  probe.largest = (grub_size_t) disk->max_agglomerate * CACHE_PIECE;
  if (probe.largest > MAX_TRANSFER)
    probe.largest = MAX_TRANSFER;
  if (disk->partition)
    probe.start = grub_partition_get_start (disk->partition);
  probe.end = probe.start + grub_disk_native_sectors (disk);

  for (run.offset = 0; run.offset < file->size; run.offset += run.size)
    {
      run = find_run (&probe, run.offset);
      if (run.sector != NOWHERE
	  && read_sectors (&probe, &run, (char *) buffer + run.offset))
	direct += run.size;
      else
	read_ordinarily (file, &run, (char *) buffer + run.offset);
      if (file->offset != run.offset + run.size)
	break;
    }
  grub_dprintf ("xen_dom0less", "%s: 0x%" PRIxGRUB_SIZE " of 0x%"
		PRIxGRUB_UINT64_T " bytes read directly, in blocks of 0x%"
		PRIxGRUB_SIZE "\n", file->name, direct,
		(grub_uint64_t) file->size, probe.block);
  return direct;
}
