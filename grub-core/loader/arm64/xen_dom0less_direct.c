/* xen_dom0less_direct.c - read files from disks without GRUB's cache  */
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
#include <grub/efi/efi.h>
#include <grub/env.h>
#include <grub/file.h>
#include <grub/fs.h>
#include <grub/misc.h>
#include <grub/partition.h>
#include <grub/safemath.h>

#include "xen_dom0less_platform.h"
#include "xen_dom0less_intercept.h"
#include "xen_dom0less_compat.h"

/*
 * Most of GRUB's file systems read block by block through a cache of 32 KiB
 * pieces, and copy every byte twice.  But they also report where each block
 * lies: a file's read hook is called with the sector of every piece of data.
 * Therefore the file system is asked for the first byte of each of the file's
 * blocks (a probe), on a disk that discards the request for data.  Contiguous
 * blocks are then read at once by the disk's own driver, directly to their
 * destination.  Some file systems request contiguous blocks at once by
 * themselves: xen_dom0less_intercept.c is for these, and for volumes.
 *
 * The result is exact for the following reasons:
 *
 * - A file system stores a block in one piece, and its superblock states the
 *   size of a block.  Only the file systems that layout.c knows are read in
 *   this way; their drivers return data as they are on the disk.
 * - If FAT's table or an extent of ext4 or XFS says that more blocks follow the
 *   one that the driver has located, this is relied upon.  The driver would
 *   use the same table, leaf or inode for each of these blocks.
 * - A block for which the hook was not called exactly once, for the requested
 *   byte, is read in the ordinary way: it is a hole, its data are in the
 *   inode, or there is an error.
 * - If a verifier or a decompressor has replaced the file, its file system is
 *   not one of these; and a file from the network is not on a disk.
 */

/* The largest transfer to request from the firmware.  GRUB's own limit is 640
   KiB, because of a bug in some EFI implementations; but Linux's and Xen's EFI
   stubs make arm64 firmware read whole files at once, and a failed transfer is
   repeated in halves.  Larger transfers gain little, and would make the
   progress indicator too coarse.  */
#define MAX_TRANSFER	((grub_size_t) 8 << 20)

/* A number that no grub_disk_dev_id has.  */
#define NO_DEVICE	0x10ff

/* Usually enough for a leaf of an extent tree or for a disk's sector.  */
#define METADATA_SIZE	4096

/* State of the search for the blocks of a file.  */
struct probe
{
  struct grub_disk_dev dev;	/* replaces REAL during a probe */
  grub_disk_dev_t real;
  grub_file_t file;
  struct grub_dom0less_layout layout;
  struct grub_dom0less_extent partition;
  grub_size_t behind;		/* bytes of the buffer after the file's end */
  grub_size_t largest;		/* transfer, in bytes; 0: none works */
  unsigned int asked;		/* the number of probes */

  /* What the hook has recorded during one probe.  */
  int calls;
  grub_disk_addr_t sector;
  unsigned int offset;
  unsigned int length;

  /* The metadata that the driver read last, which may contain extents.  */
  grub_uint8_t metadata[METADATA_SIZE];
  grub_size_t metadata_size;

  /* The beginning of the next run if it has been found already, else of size
     0.  */
  struct grub_dom0less_run ahead;
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

/* Read SIZE sectors of the disk from SECTOR on if they are metadata, and skip
   them if they are data.  For data, GRUB's cache first requests a piece of its
   own size; when that fails, it requests only the sectors of the byte, stores
   nothing in the cache, and calls the hook.  */
static grub_err_t
read_metadata (struct grub_disk *disk, grub_disk_addr_t sector,
	       grub_size_t size, char *buffer)
{
  struct probe *probe = (struct probe *) disk->dev;
  grub_size_t bytes = size << disk->log_sector_size;
  struct grub_disk whole;

  if (disk->read_hook == PROBE_HOOK)
    return bytes == DOM0LESS_CACHE_PIECE ? GRUB_ERR_READ_ERROR : GRUB_ERR_NONE;
  if (probe->dev.id == probe->real->id)
    return probe->real->disk_read (disk, sector, size, buffer);

  /* Metadata are cached under the real device's number, and never under this
     one.  */
  if (bytes >= DOM0LESS_CACHE_PIECE)
    return GRUB_ERR_READ_ERROR;
  whole = *disk;
  whole.dev = probe->real;
  whole.partition = NULL;
  if (grub_disk_read (&whole, grub_disk_from_native_sector (disk, sector), 0,
		      bytes, buffer))
    return grub_errno;
  probe->metadata_size = bytes <= METADATA_SIZE ? bytes : 0;
  grub_memcpy (probe->metadata, buffer, probe->metadata_size);
  return GRUB_ERR_NONE;
}

/* Make the driver read the file's inode, which contains extents, up to four on
   ext4.  The driver reads it only when it opens a file.  */
static void
show_inode (struct probe *probe)
{
  grub_file_t file = probe->file;
  grub_disk_t disk = file->device->disk;
  struct grub_file again = { .device = file->device, .fs = file->fs };
  const char *path = grub_strchr (file->name, ')');

  disk->dev = &probe->dev;
  if (file->fs->fs_open (&again, path ? path + 1 : file->name)
      == GRUB_ERR_NONE)
    file->fs->fs_close (&again);
  disk->dev = probe->real;
  grub_errno = GRUB_ERR_NONE;
}

/* Return the number of contiguous blocks from CLUSTER on, up to WANTED or
   slightly more.  */
static grub_uint64_t
count_clusters (struct probe *probe, grub_uint64_t cluster,
		grub_uint64_t wanted)
{
  const struct grub_dom0less_layout *layout = &probe->layout;
  grub_uint64_t first = cluster, run;
  grub_size_t count;

  do
    {
      count = METADATA_SIZE / layout->entry;
      if (count > layout->end - cluster)
	count = layout->end - cluster;
      if (grub_disk_read (probe->file->device->disk, 0,
			  layout->table + cluster * layout->entry,
			  count * layout->entry, probe->metadata))
	{
	  grub_errno = GRUB_ERR_NONE;
	  break;
	}
      run = grub_dom0less_fat_run (layout, probe->metadata, count, cluster);
      cluster += run;
    }
  while (run == count && cluster - first < wanted);
  return cluster - first + 1;
}

/* Return how many of the LEFT blocks of the file from OFFSET on are known to
   be contiguous.  The driver has located the first at PLACE on the disk.  */
static grub_uint64_t
count_blocks (struct probe *probe, grub_off_t offset, grub_uint64_t left,
	      grub_uint64_t place)
{
  const struct grub_dom0less_layout *layout = &probe->layout;
  grub_uint64_t cluster, run = 0;

  if (grub_sub (place, probe->partition.start, &place))
    return 1;
  cluster = grub_dom0less_fat_cluster (layout, place);
  if (cluster)
    run = count_clusters (probe, cluster, left);
  else if (layout->has_extents)
    run = grub_dom0less_extent_run (layout, probe->metadata,
				    probe->metadata_size,
				    offset / layout->block,
				    place / layout->block);
  return run ? run : 1;
}

/* Return whether the driver reports exactly one location for the block of the
   file at OFFSET, which is then PROBE->sector.  */
static int
ask_driver (struct probe *probe, grub_off_t offset)
{
  grub_file_t file = probe->file;
  grub_disk_t disk = file->device->disk;
  grub_ssize_t got;
  grub_err_t err;
  char data;

  probe->asked++;
  probe->calls = 0;
  file->offset = offset;
  file->read_hook = PROBE_HOOK;
  file->read_hook_data = probe;
  disk->dev = &probe->dev;
  got = file->fs->fs_read (file, &data, 1);
  disk->dev = probe->real;
  file->read_hook = NULL;

  /* The ordinary read will report the same error.  */
  err = grub_errno;
  grub_errno = GRUB_ERR_NONE;
  return (got == 1 && !err && probe->calls == 1 && probe->length == 1
	  && probe->offset == 0);
}

/* Find the location of the block of the file at OFFSET, and the size of what
   is known to be contiguous from there.  */
static struct grub_dom0less_run
find_piece (struct probe *probe, grub_off_t offset)
{
  grub_uint64_t block = probe->layout.block;
  grub_uint64_t left = probe->file->size - offset, blocks;
  struct grub_dom0less_run piece
    = { .offset = offset, .place = GRUB_DOM0LESS_NOWHERE };

  piece.size = block < left ? block : left;
  if (!ask_driver (probe, offset)
      || grub_mul (probe->sector, (grub_uint64_t) GRUB_DISK_SECTOR_SIZE,
		   &piece.place))
    {
      piece.place = GRUB_DOM0LESS_NOWHERE;
      return piece;
    }
  blocks = count_blocks (probe, offset, left / block + (left % block != 0),
			 piece.place);
  piece.size = blocks > left / block ? left : blocks * block;
  return piece;
}

/* Find the contiguous run that begins at OFFSET of the file.  */
static struct grub_dom0less_run
find_run (struct probe *probe, grub_off_t offset)
{
  struct grub_dom0less_run run = probe->ahead, piece;

  if (run.size == 0)
    run = find_piece (probe, offset);
  probe->ahead.size = 0;
  while (offset + run.size < probe->file->size)
    {
      piece = find_piece (probe, offset + run.size);
      if (!grub_dom0less_join_runs (&run, &piece))
	{
	  probe->ahead = piece;
	  break;
	}
    }
  return run;
}

/* Read SIZE bytes of the file from OFFSET on into BUFFER in the ordinary way,
   until there is an error.  */
static void
read_ordinarily (grub_file_t file, grub_off_t offset, grub_size_t size,
		 char *buffer)
{
  grub_size_t done = 0;
  grub_ssize_t got;

  file->offset = offset;
  while (done < size)
    {
      got = grub_file_read (file, buffer + done, size - done);
      if (got <= 0)
	break;
      done += got;
    }
}

/* Read SIZE sectors of a volume by the driver of LVM and RAID, which may be
   intercepted.  Like a disk's disk_read, but return the number of bytes that
   were read, or 0 after an error.  */
static grub_size_t
read_volume (struct probe *probe, grub_disk_addr_t sector, grub_size_t size,
	     char *buffer)
{
  grub_disk_t disk = probe->file->device->disk;
  grub_size_t bytes = size << disk->log_sector_size;
  struct dom0less_intercept intercept
    = { .buffer = buffer, .size = bytes, .largest = &probe->largest,
	.file = probe->file };
  grub_size_t filled;
  grub_err_t err;

  dom0less_begin_intercept (&intercept);
  err = disk->dev->disk_read (disk, sector, size, buffer);
  filled = dom0less_end_intercept (&intercept);
  if (filled)
    return filled;
  grub_errno = GRUB_ERR_NONE;
  return err ? 0 : bytes;
}

/* Read TRANSFER, which begins at byte OFFSET of the file, into BUFFER by the
   disk's own driver.  Return the number of bytes that were read before even
   the smallest transfer failed.  */
static grub_size_t
read_sectors (struct probe *probe, grub_off_t offset,
	      const struct grub_dom0less_transfer *transfer, char *buffer)
{
  grub_file_t file = probe->file;
  grub_disk_t disk = file->device->disk;
  grub_size_t done = 0, got;

  file->offset = file->progress_offset = offset;
  if (disk->dev->id != GRUB_DISK_DEVICE_DISKFILTER_ID)
    return dom0less_transfer (disk, disk->dev->disk_read, transfer->sector,
			      transfer->size >> disk->log_sector_size, buffer,
			      &probe->largest, file);
  while (done < transfer->size)
    {
      got = read_volume (probe, transfer->sector
			 + (done >> disk->log_sector_size),
			 (transfer->size - done) >> disk->log_sector_size,
			 buffer + done);
      if (got == 0)
	break;
      done += got;
    }
  return done;
}

/* Read RUN into BUFFER: whole sectors by transfers, and the rest in the
   ordinary way.  FILE->offset is then the end of what has been read.  Return
   the number of bytes that were read by transfers.  */
static grub_size_t
read_run (struct probe *probe, const struct grub_dom0less_run *run,
	  char *buffer)
{
  grub_file_t file = probe->file;
  struct grub_dom0less_transfer transfer;
  grub_uint64_t behind = 0;
  grub_size_t direct, done;

  if (run->offset + run->size == file->size)
    behind = probe->behind;
  grub_dom0less_plan_transfer (&transfer, run, behind, &probe->partition,
			       file->device->disk->log_sector_size);

  read_ordinarily (file, run->offset, transfer.skip, buffer);
  if (file->offset != run->offset + transfer.skip)
    return 0;
  direct = read_sectors (probe, file->offset, &transfer,
			 buffer + transfer.skip);
  done = transfer.skip + direct;
  if (done >= run->size)
    {
      /* The transfer included bytes after the file's end.  */
      direct -= done - run->size;
      done = run->size;
    }
  read_ordinarily (file, run->offset + done, run->size - done, buffer + done);
  return direct;
}

/* Read the superblock of FILE's file system.  Return 0 if layout.c does not
   know that file system.  */
static int
read_layout (struct grub_dom0less_layout *layout, grub_file_t file)
{
  grub_uint8_t superblock[GRUB_DOM0LESS_SUPERBLOCK_SIZE];
  grub_uint32_t offset;

  if (grub_dom0less_superblock (file->fs->name, &offset))
    return 0;
  if (grub_disk_read (file->device->disk, 0, offset, sizeof (superblock),
		      superblock))
    {
      grub_errno = GRUB_ERR_NONE;
      return 0;
    }
  return grub_dom0less_read_layout (layout, file->fs->name, superblock) == 0;
}

/* Return whether FILE can be read directly, and its file system's LAYOUT.  */
static int
find_layout (struct grub_dom0less_layout *layout, grub_file_t file)
{
  const char *direct = grub_env_get ("xen_dom0less_direct");
  const char *obstacle = NULL;

  if (direct && grub_strcmp (direct, "0") == 0)
    obstacle = "xen_dom0less_direct is 0";
  else if (!file->device || !file->device->disk)
    obstacle = "it is on no disk";
  /* A sector has to be smaller than a piece of the cache.  Today's disks have
     no sectors larger than a page.  */
  else if (file->device->disk->log_sector_size > DOM0LESS_PAGE_SHIFT)
    obstacle = "its disk has sectors of more than a page";
  else if (!read_layout (layout, file))
    obstacle = "its file system is not one of those";
  if (obstacle)
    grub_dprintf ("xen_dom0less", "%s is not read directly: %s\n",
		  file->name, obstacle);
  return !obstacle;
}

/* Read the file into BUFFER by its driver, which requests runs of blocks by
   itself, and is intercepted.  Return the number of bytes that were read by
   transfers.  FILE->offset is then the end of what has been read.  */
static grub_size_t
read_intercepting (struct probe *probe, char *buffer)
{
  grub_file_t file = probe->file;
  grub_disk_t disk = file->device->disk;
  unsigned int max_agglomerate = disk->max_agglomerate;
  struct dom0less_intercept intercept
    = { .largest = &probe->largest, .file = file };
  grub_size_t direct = 0, filled;
  grub_ssize_t got;

  /* A transfer has a limit of its own, and each call takes btrfs's driver about
     a hundred bytes of heap, which it does not free after an error.  */
  disk->max_agglomerate = GRUB_DISK_MAX_MAX_AGGLOMERATE;
  file->read_hook = NULL;
  while (file->offset < file->size)
    {
      intercept.buffer = buffer + file->offset;
      intercept.size = file->size - file->offset;
      file->progress_offset = file->offset;
      probe->asked++;
      dom0less_begin_intercept (&intercept);
      got = file->fs->fs_read (file, intercept.buffer, intercept.size);
      filled = dom0less_end_intercept (&intercept);
      if (filled)
	direct += intercept.direct;
      else if (got > 0)
	filled = got;
      else
	break;
      file->offset += filled;
    }
  /* The ordinary read will report the same error.  */
  grub_errno = GRUB_ERR_NONE;
  disk->max_agglomerate = max_agglomerate;
  return direct;
}

/* Read the file into BUFFER by probing for its blocks.  Return the number of
   bytes that were read by transfers.  FILE->offset is then the end of what has
   been read.  */
static grub_size_t
read_probing (struct probe *probe, char *buffer)
{
  grub_file_t file = probe->file;
  grub_disk_t disk = file->device->disk;
  struct grub_dom0less_run run;
  grub_size_t direct = 0;

  probe->real = disk->dev;
  probe->dev = *disk->dev;
  probe->dev.disk_read = read_metadata;
  if (disk->partition
      && grub_mul (grub_partition_get_start (disk->partition),
		   (grub_uint64_t) GRUB_DISK_SECTOR_SIZE,
		   &probe->partition.start))
    return 0;
  /* If the disk's size is unknown, it is reported as a very large number.  */
  if (grub_mul (grub_disk_native_sectors (disk),
		(grub_uint64_t) GRUB_DISK_SECTOR_SIZE,
		&probe->partition.size))
    probe->partition.size = ~(grub_uint64_t) 0;
  if (probe->layout.has_extents)
    {
      /* The driver's requests for extents have to reach read_metadata instead
	 of being served from the cache, which identifies disks by this
	 number.  */
      probe->dev.id = NO_DEVICE;
      show_inode (probe);
    }

  for (run.offset = 0; run.offset < file->size; run.offset += run.size)
    {
      run = find_run (probe, run.offset);
      direct += read_run (probe, &run, buffer + run.offset);
      if (file->offset != run.offset + run.size)
	break;
    }
  return direct;
}

/* Read FILE into BUFFER, which has BEHIND bytes more than the file.  */
static grub_size_t
read_direct (grub_file_t file, void *buffer, grub_size_t behind)
{
  struct probe probe = { .file = file, .behind = behind };
  grub_disk_t disk;
  grub_size_t direct;

  if (!find_layout (&probe.layout, file))
    return 0;

  disk = file->device->disk;
  probe.largest = (grub_size_t) disk->max_agglomerate * DOM0LESS_CACHE_PIECE;
  if (probe.largest > MAX_TRANSFER || disk->dev->id == GRUB_DISK_DEVICE_EFIDISK_ID)
    probe.largest = MAX_TRANSFER;
  if (probe.layout.reads_runs)
    direct = read_intercepting (&probe, buffer);
  else
    direct = read_probing (&probe, buffer);
  grub_dprintf ("xen_dom0less", "%s: 0x%" PRIxGRUB_SIZE " of 0x%"
		PRIxGRUB_UINT64_T " bytes read directly, in blocks of 0x%"
		PRIxGRUB_UINT32_T ", with %u questions\n", file->name, direct,
		(grub_uint64_t) file->size, probe.layout.block, probe.asked);
  return direct;
}

/* The file that GRUB's verifiers have read last in one piece, and where they
   keep its bytes until it is closed.  */
static grub_file_t verified_file;
static char *verified_bytes;

grub_size_t
dom0less_platform_read_direct (grub_file_t file, void *buffer)
{
  if (file == verified_file)
    {
      /* The firmware copies by more than a byte at a time.  */
      grub_efi_system_table->boot_services->copy_mem (buffer, verified_bytes,
						      file->size);
      file->offset = file->size;
      return 0;
    }
  /* The buffer extends to the end of the file's last page.  */
  return read_direct (file, buffer, -file->size & DOM0LESS_PAGE_MASK);
}

/* A file system that replaces REAL while the verifiers' filter reads a
   file.  */
struct stand_in
{
  struct grub_fs fs;
  grub_fs_t real;
  char *bytes;			/* where the whole file was read to */
};

/* The fs_read of the replacement: read a whole file directly.  */
static grub_ssize_t
read_whole (grub_file_t file, char *buffer, grub_size_t size)
{
  struct stand_in *stand_in = (struct stand_in *) file->fs;
  grub_off_t start = file->offset, done;

  file->fs = stand_in->real;
  if (start == 0 && size == file->size)
    {
      stand_in->bytes = buffer;
      read_direct (file, buffer, 0);
    }
  /* If there was no error, read what is left in the ordinary way.  */
  done = file->offset - start;
  if (!grub_errno)
    {
      read_ordinarily (file, file->offset, size - done, buffer + done);
      done = file->offset - start;
    }
  file->fs = &stand_in->fs;
  /* grub_file_read advances the offset itself.  */
  file->offset = start;
  return grub_errno ? -1 : (grub_ssize_t) done;
}

static grub_file_filter_t verify_filter;

/* Let GRUB's own filter verify FILE, and serve the single call by which it
   reads the whole file with a direct read.  The filter still decides which
   verifiers are called, in which order, and which files are not verified; and
   it returns what it has read.  */
static grub_file_t
verify_directly (grub_file_t file, enum grub_file_type type)
{
  struct stand_in stand_in = { .fs = *file->fs, .real = file->fs };
  grub_file_t verified;

  stand_in.fs.fs_read = read_whole;
  file->fs = &stand_in.fs;
  verified = verify_filter (file, type);
  file->fs = stand_in.real;
  /* GRUB's file system for verified files reads from the buffer that was
     verified.  */
  if (verified && stand_in.bytes
      && grub_strcmp (verified->fs->name, "verified_read") == 0)
    {
      verified_file = verified;
      verified_bytes = stand_in.bytes;
    }
  return verified;
}

grub_file_t
dom0less_platform_open_directly (const char *path, enum grub_file_type type)
{
  grub_file_filter_t *filter = &grub_file_filters[GRUB_FILE_FILTER_VERIFY];
  grub_file_t file;

  /* Another file may get the address of one that was closed.  */
  verified_file = NULL;
  verify_filter = *filter;
  if (verify_filter)
    *filter = verify_directly;
  dom0less_register_digest ();
  file = grub_file_open (path, type);
  dom0less_unregister_digest ();
  *filter = verify_filter;
  return file;
}
