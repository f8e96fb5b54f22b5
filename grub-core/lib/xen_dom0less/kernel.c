/* kernel.c - identify the format of a kernel or a policy  */
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

/* The header and the trailer of a gzip member, and the optional fields that
   the header's flags indicate.  */
#define GZIP_HEADER_SIZE	10
#define GZIP_TRAILER_SIZE	8
#define GZIP_HEADER_CRC		2
#define GZIP_EXTRA		4
#define GZIP_NAME		8
#define GZIP_COMMENT		16
#define GZIP_KNOWN_FLAGS	31

/* What identifies each format; the first match counts.  */
struct magic
{
  enum grub_dom0less_format format;
  unsigned char offset;
  unsigned char length;
  char bytes[9];
};

static const struct magic magics[] =
  {
    { GRUB_DOM0LESS_FORMAT_UIMAGE, 0, 4, "\x27\x05\x19\x56" },
    { GRUB_DOM0LESS_FORMAT_GZIP, 0, 2, "\x1f\x8b" },
    /* An image of this format is also a PE file, so it comes before the two PE
       formats.  */
    { GRUB_DOM0LESS_FORMAT_ZBOOT, 4, 4, "zimg" },
    { GRUB_DOM0LESS_FORMAT_IMAGE, 0x38, 4, "ARM\x64" },
    /* Before Linux 3.17, the header begins with a branch.  */
    { GRUB_DOM0LESS_FORMAT_IMAGE, 0, 4, "\x08\0\0\x14" },
    { GRUB_DOM0LESS_FORMAT_ZIMAGE, 0x24, 4, "\x18\x28\x6f\x01" },
    { GRUB_DOM0LESS_FORMAT_PE, 0, 2, "MZ" },
    { GRUB_DOM0LESS_FORMAT_ELF, 0, 4, "\x7f" "ELF" },
    { GRUB_DOM0LESS_FORMAT_XZ, 0, 6, "\xfd" "7zXZ" },
    { GRUB_DOM0LESS_FORMAT_ZSTD, 0, 4, "\x28\xb5\x2f\xfd" },
    { GRUB_DOM0LESS_FORMAT_LZ4, 0, 4, "\x02\x21\x4c\x18" },
    { GRUB_DOM0LESS_FORMAT_LZ4, 0, 4, "\x04\x22\x4d\x18" },
    { GRUB_DOM0LESS_FORMAT_BZIP2, 0, 3, "BZh" },
    { GRUB_DOM0LESS_FORMAT_DTB, 0, 4, "\xd0\x0d\xfe\xed" },
    { GRUB_DOM0LESS_FORMAT_CPIO, 0, 5, "07070" }
  };

enum grub_dom0less_format
grub_dom0less_kernel_format (const void *header, size_t size)
{
  size_t i;

  /* Xen requires the whole header of an Image.  */
  for (i = 0; i < sizeof (magics) / sizeof (magics[0]); i++)
    if ((magics[i].format != GRUB_DOM0LESS_FORMAT_IMAGE
	 || size >= GRUB_DOM0LESS_HEADER_SIZE)
	&& size >= (size_t) magics[i].offset + magics[i].length
	&& memcmp ((const char *) header + magics[i].offset,
		   magics[i].bytes, magics[i].length) == 0)
      return magics[i].format;
  return GRUB_DOM0LESS_FORMAT_OTHER;
}

const char *
grub_dom0less_format_name (enum grub_dom0less_format format)
{
  static const char *const names[] =
    {
      "an arm64 Image",
      "a gzip file",
      "an EFI zboot image",
      "a 32-bit zImage",
      "a uImage",
      "an ELF file",
      "a PE file that is no arm64 Image",
      "an xz file",
      "a zstd file",
      "an lz4 file",
      "a bzip2 file",
      "a device tree or FIT image",
      "a cpio archive",
      "of no known kind"
    };

  return names[format];
}

int
grub_dom0less_format_ok (enum grub_dom0less_format format)
{
  return (format == GRUB_DOM0LESS_FORMAT_IMAGE
	  || format == GRUB_DOM0LESS_FORMAT_GZIP
	  || format == GRUB_DOM0LESS_FORMAT_ZIMAGE
	  || format == GRUB_DOM0LESS_FORMAT_UIMAGE);
}

int
grub_dom0less_kernel_consumed (const void *header, size_t size)
{
  const unsigned char *bytes = header;

  switch (grub_dom0less_kernel_format (header, size))
    {
    case GRUB_DOM0LESS_FORMAT_GZIP:
      return 1;
    case GRUB_DOM0LESS_FORMAT_UIMAGE:
      /* ih_comp; 1 means gzip.  */
      return size > 31 && bytes[31] == 1;
    default:
      return 0;
    }
}

int
grub_dom0less_is_policy (const void *header, size_t size)
{
  /* 0xf97cff8c, the lower byte first.  */
  static const unsigned char magic[] = { 0x8c, 0xff, 0x7c, 0xf9 };

  return size >= sizeof (magic) && memcmp (header, magic, sizeof (magic)) == 0;
}

static uint32_t
read_le32 (const unsigned char *bytes)
{
  return ((uint32_t) bytes[3] << 24 | (uint32_t) bytes[2] << 16
	  | (uint32_t) bytes[1] << 8 | bytes[0]);
}

int
grub_dom0less_read_zboot (struct grub_dom0less_zboot *zboot,
			  const void *file, size_t size)
{
  const unsigned char *bytes = file;

  if (size < GRUB_DOM0LESS_HEADER_SIZE
      || grub_dom0less_kernel_format (file, size)
	 != GRUB_DOM0LESS_FORMAT_ZBOOT)
    return -FDT_ERR_BADVALUE;
  zboot->offset = read_le32 (bytes + 8);
  zboot->size = read_le32 (bytes + 12);
  memcpy (zboot->compression, bytes + 0x18, sizeof (zboot->compression));
  if (zboot->offset > size || zboot->size > size - zboot->offset
      || zboot->size == 0
      || !memchr (zboot->compression, '\0', sizeof (zboot->compression)))
    return -FDT_ERR_BADVALUE;

  /* Linux appends the unpacked size, except for gzip, which contains it.  */
  zboot->unpacked = 0;
  if (strcmp (zboot->compression, "gzip"))
    {
      if (size - zboot->offset - zboot->size < 4)
	return -FDT_ERR_BADVALUE;
      zboot->unpacked = read_le32 (bytes + zboot->offset + zboot->size);
    }
  return 0;
}

int
grub_dom0less_read_gzip (struct grub_dom0less_gzip *gzip,
			 const void *member, size_t size)
{
  static const unsigned char magic[] = { 0x1f, 0x8b, 8 };
  static const unsigned char strings[] = { GZIP_NAME, GZIP_COMMENT };
  const unsigned char *bytes = member, *end;
  size_t offset = GZIP_HEADER_SIZE, i;

  if (size < GZIP_HEADER_SIZE + GZIP_TRAILER_SIZE
      || memcmp (bytes, magic, sizeof (magic))
      || (bytes[3] & ~GZIP_KNOWN_FLAGS))
    return -FDT_ERR_BADVALUE;
  size -= GZIP_TRAILER_SIZE;

  if (bytes[3] & GZIP_EXTRA)
    {
      offset += 2;
      if (offset > size)
	return -FDT_ERR_BADVALUE;
      offset += bytes[offset - 2] | bytes[offset - 1] << 8;
    }
  for (i = 0; i < sizeof (strings); i++)
    if (bytes[3] & strings[i])
      {
	if (offset >= size
	    || !(end = memchr (bytes + offset, '\0', size - offset)))
	  return -FDT_ERR_BADVALUE;
	offset = end + 1 - bytes;
      }
  if (bytes[3] & GZIP_HEADER_CRC)
    offset += 2;
  if (offset >= size)
    return -FDT_ERR_BADVALUE;

  gzip->offset = offset;
  gzip->size = size - offset;
  gzip->crc = read_le32 (bytes + size);
  gzip->unpacked = read_le32 (bytes + size + 4);
  return 0;
}

static uint32_t
read_be32 (const unsigned char *bytes)
{
  return ((uint32_t) bytes[0] << 24 | (uint32_t) bytes[1] << 16
	  | (uint32_t) bytes[2] << 8 | bytes[3]);
}

/* The relevant fields of a uImage's header (U-Boot's include/image.h).  */
enum
  {
    UIMAGE_SIZE		= 12,		/* of what follows the header */
    UIMAGE_LOAD		= 16,
    UIMAGE_ENTRY	= 20,
    UIMAGE_ARCH		= 29,
    UIMAGE_COMPRESSION	= 31,
    UIMAGE_HEADER_SIZE	= 64,
    UIMAGE_ARM		= 2,
    UIMAGE_ARM64	= 22,
    UIMAGE_GZIP		= 1
  };

const char *
grub_dom0less_uimage_fault (const void *file, size_t size,
			    const struct grub_dom0less_xen *xen)
{
  const unsigned char *bytes = file;
  int is_old = grub_dom0less_xen_before (xen, 4, 18);

  if (size < UIMAGE_HEADER_SIZE
      || read_be32 (bytes + UIMAGE_SIZE) > size - UIMAGE_HEADER_SIZE)
    return "a uImage that is cut short";
  if (bytes[UIMAGE_ARCH] != UIMAGE_ARM && bytes[UIMAGE_ARCH] != UIMAGE_ARM64)
    return "a uImage for another architecture";
  if (bytes[UIMAGE_COMPRESSION] == UIMAGE_GZIP && is_old)
    return "a uImage of gzip, which Xen takes since 4.18";
  if (bytes[UIMAGE_COMPRESSION] > UIMAGE_GZIP)
    return "a uImage with a compression that Xen does not know";
  if (!is_old && !read_be32 (bytes + UIMAGE_LOAD)
      && read_be32 (bytes + UIMAGE_ENTRY))
    return "a uImage with an entry point and no load address";
  return NULL;
}

/* Before 4.18, Xen did not use the load address of a 64-bit uImage.  */
static void
read_uimage (struct grub_dom0less_kernel *kernel, const unsigned char *bytes,
	     size_t size, const struct grub_dom0less_xen *xen)
{
  if (!grub_dom0less_xen_before (xen, 4, 18))
    kernel->load = read_be32 (bytes + UIMAGE_LOAD);
  kernel->size = read_be32 (bytes + UIMAGE_SIZE);
  if (bytes[UIMAGE_COMPRESSION] == UIMAGE_GZIP)
    kernel->size = read_le32 (bytes + size - sizeof (uint32_t));
}

void
grub_dom0less_read_kernel (struct grub_dom0less_kernel *kernel,
			   const void *file, size_t size,
			   const struct grub_dom0less_xen *xen)
{
  const unsigned char *bytes = file;

  memset (kernel, 0, sizeof (*kernel));
  if (size < GRUB_DOM0LESS_HEADER_SIZE)
    return;
  switch (grub_dom0less_kernel_format (file, size))
    {
    case GRUB_DOM0LESS_FORMAT_IMAGE:
      kernel->size = size;
      /* Linux's image_size.  */
      kernel->needed = read_le32 (bytes + 16)
	| (uint64_t) read_le32 (bytes + 20) << 32;
      kernel->offset = read_le32 (bytes + 8)
	| (uint64_t) read_le32 (bytes + 12) << 32;
      break;
    case GRUB_DOM0LESS_FORMAT_GZIP:
      /* The text offset is included in it, and is usually 0.  */
      kernel->size = read_le32 (bytes + size - sizeof (uint32_t));
      break;
    case GRUB_DOM0LESS_FORMAT_UIMAGE:
      if (!grub_dom0less_uimage_fault (file, size, xen))
	read_uimage (kernel, bytes, size, xen);
      break;
    default:
      break;
    }
}
