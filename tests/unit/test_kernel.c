/* test_kernel.c - the formats of kernel files  */
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

#define N_FORMATS	(GRUB_DOM0LESS_FORMAT_OTHER + 1)

struct header
{
  const char *what;
  enum grub_dom0less_format format;
  struct
  {
    size_t offset;
    const char *bytes;
    size_t length;
  } parts[2];
};

#define PART(offset, bytes)	{ offset, bytes, sizeof (bytes) - 1 }
#define NO_PART			{ 0, NULL, 0 }

/* Written from the formats' own descriptions, with what stands at more than
   one place where a file has both.  */
static const struct header headers[] =
  {
    { "Image with an EFI stub", GRUB_DOM0LESS_FORMAT_IMAGE,
      { PART (0, "MZ"), PART (56, "ARM\x64") } },
    { "Image without", GRUB_DOM0LESS_FORMAT_IMAGE,
      { PART (0, "\0\0\0\x14"), PART (56, "ARM\x64") } },
    { "gzip", GRUB_DOM0LESS_FORMAT_GZIP,
      { PART (0, "\x1f\x8b\x08"), NO_PART } },
    { "EFI zboot", GRUB_DOM0LESS_FORMAT_ZBOOT,
      { PART (0, "MZ\0\0zimg"), PART (24, "gzip") } },
    { "zImage", GRUB_DOM0LESS_FORMAT_ZIMAGE,
      { PART (0x24, "\x18\x28\x6f\x01"), NO_PART } },
    { "zImage with an EFI stub", GRUB_DOM0LESS_FORMAT_ZIMAGE,
      { PART (0, "MZ"), PART (0x24, "\x18\x28\x6f\x01") } },
    { "uImage", GRUB_DOM0LESS_FORMAT_UIMAGE,
      { PART (0, "\x27\x05\x19\x56"), NO_PART } },
    { "ELF", GRUB_DOM0LESS_FORMAT_ELF,
      { PART (0, "\x7f" "ELF"), NO_PART } },
    { "PE", GRUB_DOM0LESS_FORMAT_PE, { PART (0, "MZ"), NO_PART } },
    { "xz", GRUB_DOM0LESS_FORMAT_XZ,
      { PART (0, "\xfd" "7zXZ\0"), NO_PART } },
    { "zstd", GRUB_DOM0LESS_FORMAT_ZSTD,
      { PART (0, "\x28\xb5\x2f\xfd"), NO_PART } },
    { "lz4, old", GRUB_DOM0LESS_FORMAT_LZ4,
      { PART (0, "\x02\x21\x4c\x18"), NO_PART } },
    { "lz4", GRUB_DOM0LESS_FORMAT_LZ4,
      { PART (0, "\x04\x22\x4d\x18"), NO_PART } },
    { "bzip2", GRUB_DOM0LESS_FORMAT_BZIP2, { PART (0, "BZh9"), NO_PART } },
    { "device tree", GRUB_DOM0LESS_FORMAT_DTB,
      { PART (0, "\xd0\x0d\xfe\xed"), NO_PART } },
    { "cpio", GRUB_DOM0LESS_FORMAT_CPIO, { PART (0, "070701"), NO_PART } },
    { "text", GRUB_DOM0LESS_FORMAT_OTHER, { PART (0, "#!/bin/sh"), NO_PART } }
  };

/* The file that HEADER describes, as long as SIZE.  */
static char *
make_file (const struct header *header, size_t size)
{
  char *bytes = malloc (size ? size : 1);
  int i;

  assert_non_null (bytes);
  memset (bytes, 0, size);
  for (i = 0; i < 2; i++)
    {
      size_t offset = header->parts[i].offset;

      if (header->parts[i].bytes && offset < size)
	memcpy (bytes + offset, header->parts[i].bytes,
		header->parts[i].length < size - offset
		? header->parts[i].length : size - offset);
    }
  return bytes;
}

TEST (formats_are_told)
{
  size_t i;

  for (i = 0; i < sizeof (headers) / sizeof (headers[0]); i++)
    {
      char *bytes = make_file (headers + i, GRUB_DOM0LESS_HEADER_SIZE);

      print_message ("%s\n", headers[i].what);
      assert_int_equal (grub_dom0less_kernel_format (bytes, 100000),
			headers[i].format);
      free (bytes);
    }
}

/* The sanitizer sees to it that nothing behind the end is read.  */
TEST (short_files_are_not_read_beyond)
{
  size_t i, size;

  for (i = 0; i < sizeof (headers) / sizeof (headers[0]); i++)
    for (size = 0; size < GRUB_DOM0LESS_HEADER_SIZE; size++)
      {
	char *bytes = make_file (headers + i, size);
	enum grub_dom0less_format format
	  = grub_dom0less_kernel_format (bytes, size);

	assert_true (format < N_FORMATS);
	if (size < 2)
	  assert_int_equal (format, GRUB_DOM0LESS_FORMAT_OTHER);
	free (bytes);
      }
}

TEST (formats_have_different_names)
{
  int i, j;

  for (i = 0; i < N_FORMATS; i++)
    for (j = 0; j < i; j++)
      assert_string_not_equal
	(grub_dom0less_format_name ((enum grub_dom0less_format) i),
	 grub_dom0less_format_name ((enum grub_dom0less_format) j));
}

TEST (xen_takes_four_formats)
{
  int i, n = 0;

  for (i = 0; i < N_FORMATS; i++)
    n += grub_dom0less_format_ok ((enum grub_dom0less_format) i) != 0;
  assert_int_equal (n, 4);
  assert_true (grub_dom0less_format_ok (GRUB_DOM0LESS_FORMAT_IMAGE));
  assert_true (grub_dom0less_format_ok (GRUB_DOM0LESS_FORMAT_GZIP));
  assert_true (grub_dom0less_format_ok (GRUB_DOM0LESS_FORMAT_ZIMAGE));
  assert_true (grub_dom0less_format_ok (GRUB_DOM0LESS_FORMAT_UIMAGE));
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (formats_are_told),
      cmocka_unit_test (short_files_are_not_read_beyond),
      cmocka_unit_test (formats_have_different_names),
      cmocka_unit_test (xen_takes_four_formats)
    };

  return RUN ("kernel", tests);
}
