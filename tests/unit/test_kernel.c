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
#include "xen_dom0less_vectors.h"

#define N_FORMATS	(GRUB_DOM0LESS_FORMAT_OTHER + 1)

/* The file that HEADER describes, as long as SIZE.  */
static char *
make_file (const struct kernel_vector *header, size_t size)
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

  for (i = 0; i < N_VECTORS (kernel_vectors); i++)
    {
      char *bytes = make_file (kernel_vectors + i, GRUB_DOM0LESS_HEADER_SIZE);

      if (grub_dom0less_kernel_format (bytes, 100000)
	  != kernel_vectors[i].format)
	fail_msg ("not told: %s", kernel_vectors[i].what);
      free (bytes);
    }
}

/* The sanitizer sees to it that nothing behind the end is read.  */
TEST (short_files_are_not_read_beyond)
{
  size_t i, size;

  for (i = 0; i < N_VECTORS (kernel_vectors); i++)
    for (size = 0; size < GRUB_DOM0LESS_HEADER_SIZE; size++)
      {
	char *bytes = make_file (kernel_vectors + i, size);
	enum grub_dom0less_format found
	  = grub_dom0less_kernel_format (bytes, size);

	assert_true (found < N_FORMATS);
	if (size < 2)
	  assert_int_equal (found, GRUB_DOM0LESS_FORMAT_OTHER);
	free (bytes);
      }
}

TEST (no_more_is_wanted_than_what_tells_the_format)
{
  size_t i;

  for (i = 0; i < N_VECTORS (kernel_vectors); i++)
    if (!kernel_vectors[i].parts[1].bytes
	&& kernel_vectors[i].format != GRUB_DOM0LESS_FORMAT_OTHER)
      {
	size_t size = kernel_vectors[i].parts[0].offset
	  + kernel_vectors[i].parts[0].length;
	int is_image = kernel_vectors[i].format == GRUB_DOM0LESS_FORMAT_IMAGE;
	char *bytes;

	/* Of which Xen wants all.  */
	if (is_image)
	  size = GRUB_DOM0LESS_HEADER_SIZE;
	bytes = make_file (kernel_vectors + i, size);
	assert_int_equal (grub_dom0less_kernel_format (bytes, size),
			  kernel_vectors[i].format);
	if (is_image)
	  assert_int_not_equal (grub_dom0less_kernel_format (bytes, size - 1),
				GRUB_DOM0LESS_FORMAT_IMAGE);
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

/* A zboot file whose payload of 4 bytes lies at 64, with what Linux says of
   it; and 4 bytes behind it, little-endian.  */
static void
make_zboot (unsigned char *file, const char *compression)
{
  memset (file, 0, 72);
  memcpy (file, "MZ\0\0zimg", 8);
  file[8] = 64;
  file[12] = 4;
  memcpy (file + 24, compression, strlen (compression));
  memcpy (file + 64, "load\x78\x56\x34\xf2", 8);
}

TEST (zboot_headers_are_read)
{
  unsigned char file[72];
  struct grub_dom0less_zboot zboot;

  make_zboot (file, "zstd22");
  assert_int_equal (grub_dom0less_read_zboot (&zboot, file, sizeof (file)),
		    0);
  assert_int_equal (zboot.offset, 64);
  assert_int_equal (zboot.size, 4);
  assert_int_equal (zboot.unpacked, 0xf2345678);
  assert_string_equal (zboot.compression, "zstd22");

  /* gzip says its size itself.  */
  make_zboot (file, "gzip");
  assert_int_equal (grub_dom0less_read_zboot (&zboot, file, 68), 0);
  assert_int_equal (zboot.unpacked, 0);
}

TEST (zboot_headers_that_contradict_themselves_are_refused)
{
  static const struct
  {
    size_t size;
    int at;
    unsigned char value;
  } faults[] =
    {
      { 63, 0, 'M' },			/* cut within the header */
      { 71, 0, 'M' },			/* within the unpacked size */
      { 67, 0, 'M' },			/* within the payload */
      { 72, 4, 'Z' },			/* no zboot file */
      { 72, 8, 73 },			/* the payload begins behind the end */
      { 72, 11, 0x80 },
      { 72, 12, 0 },			/* is empty */
      { 72, 12, 9 },			/* or ends there */
      { 72, 15, 0xff },
      { 72, 12, 5 },			/* no room for the unpacked size */
    };
  size_t i;

  for (i = 0; i < sizeof (faults) / sizeof (faults[0]); i++)
    {
      unsigned char whole[72], *file = allocate (faults[i].size);
      struct grub_dom0less_zboot zboot;

      make_zboot (whole, "xzkern");
      whole[faults[i].at] = faults[i].value;
      memcpy (file, whole, faults[i].size);
      assert_int_equal (grub_dom0less_read_zboot (&zboot, file,
						  faults[i].size),
			-FDT_ERR_BADVALUE);
      free (file);
    }
}

TEST (zboot_compressions_are_strings)
{
  unsigned char file[72];
  struct grub_dom0less_zboot zboot;

  make_zboot (file, "12345678");
  assert_int_equal (grub_dom0less_read_zboot (&zboot, file, sizeof (file)),
		    -FDT_ERR_BADVALUE);
}

/* A member of the deflate data "D", with what FLAGS ask for.  Returns its size. */
static size_t
make_gzip (unsigned char *member, unsigned char flags)
{
  static const char parts[][8] = { "\4:\2\0ab", "\10:name", "\20:note",
				   "\2:hc" };
  static const size_t sizes[] = { 4, 5, 5, 2 };
  size_t at = 10, i;

  memset (member, 0, at);
  memcpy (member, "\x1f\x8b\x08", 3);
  member[3] = flags;
  for (i = 0; i < 4; i++)
    if (flags & parts[i][0])
      {
	memcpy (member + at, parts[i] + 2, sizes[i]);
	at += sizes[i];
      }
  memcpy (member + at, "D\4\3\2\1\x40\3\2\1", 9);
  return at + 9;
}

TEST (gzip_headers_are_read)
{
  unsigned char member[64];
  struct grub_dom0less_gzip gzip;
  unsigned int flags;
  size_t size, less;

  for (flags = 0; flags < 32; flags++)
    {
      size = make_gzip (member, flags);
      assert_int_equal (grub_dom0less_read_gzip (&gzip, member, size), 0);
      assert_int_equal (member[gzip.offset], 'D');
      assert_int_equal (gzip.size, 1);
      assert_int_equal (gzip.crc, 0x01020304);
      assert_int_equal (gzip.unpacked, 0x01020340);
      /* Without the data there is nothing left of it.  */
      memmove (member + size - 9, member + size - 8, 8);
      for (less = 0; less < size; less++)
	assert_int_equal (grub_dom0less_read_gzip (&gzip, member, less),
			  -FDT_ERR_BADVALUE);
    }
}

TEST (other_members_are_refused)
{
  unsigned char member[64];
  struct grub_dom0less_gzip gzip;
  size_t size = make_gzip (member, 0), i;

  for (i = 0; i < 4; i++)
    {
      make_gzip (member, 0);
      member[i] ^= 0x20;
      assert_int_equal (grub_dom0less_read_gzip (&gzip, member, size),
			-FDT_ERR_BADVALUE);
    }
}

TEST (xen_consumes_gzip)
{
  unsigned char header[GRUB_DOM0LESS_HEADER_SIZE] = { 0x1f, 0x8b, 8 };
  static const unsigned char uimage[] = { 0x27, 0x05, 0x19, 0x56 };

  assert_true (grub_dom0less_kernel_consumed (header, 100000));
  memcpy (header, uimage, sizeof (uimage));
  assert_false (grub_dom0less_kernel_consumed (header, 100000));
  header[31] = 1;
  assert_true (grub_dom0less_kernel_consumed (header, 100000));
  assert_false (grub_dom0less_kernel_consumed (header, 31));
  header[31] = 2;
  assert_false (grub_dom0less_kernel_consumed (header, 100000));
  header[0] = 0;
  assert_false (grub_dom0less_kernel_consumed (header, 100000));
}

TEST (policies_begin_with_a_number)
{
  assert_true (grub_dom0less_is_policy ("\x8c\xff\x7c\xf9", 4));
  assert_false (grub_dom0less_is_policy ("\x8c\xff\x7c\xf9", 3));
  assert_false (grub_dom0less_is_policy ("\xf9\x7c\xff\x8c", 4));
}

static const struct grub_dom0less_xen old = { .major = 4, .minor = 17 };
static const struct grub_dom0less_xen new = { .major = 4, .minor = 20 };

/* A uImage of SIZE bytes behind its header, which says so: an arm64 kernel of
   no compression for any address.  */
static unsigned char *
make_uimage (size_t size)
{
  unsigned char *bytes = allocate (64 + size);

  memcpy (bytes, "\x27\x05\x19\x56", 4);
  bytes[14] = (unsigned char) (size >> 8);
  bytes[15] = (unsigned char) size;
  bytes[29] = 22;
  return bytes;
}

/* Compare what is wrong with a uImage whose byte at OFFSET is VALUE to WORD,
   NULL if nothing is.  */
static void
assert_fault (size_t offset, unsigned char value,
	      const struct grub_dom0less_xen *xen, const char *word)
{
  unsigned char *bytes = make_uimage (256);
  const char *fault;

  bytes[offset] = value;
  fault = grub_dom0less_uimage_fault (bytes, 64 + 256, xen);
  if (!fault || !word ? fault != word : !strstr (fault, word))
    fail_msg ("%zu: %s", offset, fault ? fault : "(none)");
  free (bytes);
}

TEST (uimages_have_faults)
{
  unsigned char *bytes;

  assert_fault (29, 22, &new, NULL);
  assert_fault (29, 2, &new, NULL);
  assert_fault (29, 3, &new, "architecture");
  assert_fault (31, 1, &new, NULL);
  assert_fault (31, 1, &old, "4.18");
  assert_fault (31, 2, &old, "compression");
  assert_fault (31, 3, &new, "compression");
  assert_fault (23, 4, &new, "entry point");
  assert_fault (23, 4, &old, NULL);
  assert_fault (14, 1, &new, NULL);
  assert_fault (13, 1, &new, "cut short");
  bytes = make_uimage (0);
  assert_non_null (grub_dom0less_uimage_fault (bytes, 63, &new));
  assert_null (grub_dom0less_uimage_fault (bytes, 64, &new));
  free (bytes);
}

TEST (kernels_say_where_they_go)
{
  unsigned char *bytes = make_uimage (256);
  struct grub_dom0less_kernel kernel;

  bytes[16] = 0x40;
  grub_dom0less_read_kernel (&kernel, bytes, 64 + 256, &new);
  assert_int_equal (kernel.load, 0x40000000);
  assert_int_equal (kernel.size, 256);
  grub_dom0less_read_kernel (&kernel, bytes, 64 + 256, &old);
  assert_int_equal (kernel.load, 0);

  /* What gzip says at its end.  */
  bytes[31] = 1;
  bytes[64 + 256 - 2] = 3;
  grub_dom0less_read_kernel (&kernel, bytes, 64 + 256, &new);
  assert_int_equal (kernel.size, 0x30000);
  memcpy (bytes, "\x1f\x8b\x08", 4);
  grub_dom0less_read_kernel (&kernel, bytes, 64 + 256, &new);
  assert_int_equal (kernel.size, 0x30000);

  memset (bytes, 0, 64);
  memcpy (bytes + 0x38, "ARM\x64", 4);
  bytes[10] = 8;
  bytes[12] = 1;
  grub_dom0less_read_kernel (&kernel, bytes, 64 + 256, &new);
  assert_true (kernel.offset == UINT64_C (0x100080000));
  assert_int_equal (kernel.size, 64 + 256);

  /* Nothing is known of others.  */
  bytes[0x38] = 0;
  grub_dom0less_read_kernel (&kernel, bytes, 64 + 256, &new);
  assert_int_equal (kernel.size, 0);
  grub_dom0less_read_kernel (&kernel, bytes, 63, &new);
  assert_int_equal (kernel.size, 0);
  free (bytes);
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (policies_begin_with_a_number),
      cmocka_unit_test (formats_are_told),
      cmocka_unit_test (short_files_are_not_read_beyond),
      cmocka_unit_test (no_more_is_wanted_than_what_tells_the_format),
      cmocka_unit_test (formats_have_different_names),
      cmocka_unit_test (xen_takes_four_formats),
      cmocka_unit_test (zboot_headers_are_read),
      cmocka_unit_test (zboot_headers_that_contradict_themselves_are_refused),
      cmocka_unit_test (zboot_compressions_are_strings),
      cmocka_unit_test (gzip_headers_are_read),
      cmocka_unit_test (other_members_are_refused),
      cmocka_unit_test (xen_consumes_gzip),
      cmocka_unit_test (uimages_have_faults),
      cmocka_unit_test (kernels_say_where_they_go)
    };

  return RUN ("kernel", tests);
}
