/* sha256.c - SHA-256 around a function that processes whole blocks  */
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

/* In bytes: a block, and the length at the end of the last one.  */
#define BLOCK	GRUB_DOM0LESS_SHA256_BLOCK
#define LENGTH	8

void
grub_dom0less_sha256_init (struct grub_dom0less_sha256 *sha,
			   grub_dom0less_sha256_transform_t transform)
{
  static const uint32_t initial[8] =
    {
      0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
    };

  sha->transform = transform;
  sha->size = 0;
  memcpy (sha->state, initial, sizeof (initial));
}

void
grub_dom0less_sha256_write (struct grub_dom0less_sha256 *sha,
			    const void *bytes, size_t size)
{
  const unsigned char *rest = bytes;
  size_t used = sha->size % BLOCK, part = BLOCK - used;

  sha->size += size;
  if (used)
    {
      if (part > size)
	part = size;
      memcpy (sha->block + used, rest, part);
      rest += part;
      size -= part;
      if (used + part < BLOCK)
	return;
      sha->transform (sha->state, sha->block, 1);
    }
  if (size >= BLOCK)
    sha->transform (sha->state, rest, size / BLOCK);
  memcpy (sha->block, rest + size / BLOCK * BLOCK, size % BLOCK);
}

static void
put_be32 (unsigned char *at, uint32_t value)
{
  at[0] = value >> 24;
  at[1] = value >> 16;
  at[2] = value >> 8;
  at[3] = value;
}

const unsigned char *
grub_dom0less_sha256_final (struct grub_dom0less_sha256 *sha)
{
  size_t used = sha->size % BLOCK;
  uint64_t bits = sha->size * 8;
  int i;

  sha->block[used++] = 0x80;
  if (used > BLOCK - LENGTH)
    {
      memset (sha->block + used, 0, BLOCK - used);
      sha->transform (sha->state, sha->block, 1);
      used = 0;
    }
  memset (sha->block + used, 0, BLOCK - LENGTH - used);
  put_be32 (sha->block + BLOCK - 8, bits >> 32);
  put_be32 (sha->block + BLOCK - 4, bits);
  sha->transform (sha->state, sha->block, 1);
  for (i = 0; i < 8; i++)
    put_be32 (sha->block + 4 * i, sha->state[i]);
  return sha->block;
}

int
grub_dom0less_sha256_works (grub_dom0less_sha256_transform_t transform)
{
  /* Of the bytes 7 * i for i from 0 to 999: several blocks in one call, a block
     that is put together, and a length that is no multiple of a block.  */
  static const unsigned char expected[GRUB_DOM0LESS_SHA256_SIZE] =
    {
      0x89, 0xf4, 0xff, 0x56, 0xa2, 0x5d, 0xd1, 0xdb,
      0x06, 0xa4, 0xce, 0x60, 0x33, 0x60, 0x37, 0x75,
      0xd7, 0x05, 0xfb, 0x96, 0xf3, 0x0f, 0x86, 0x93,
      0x73, 0x3f, 0xef, 0x60, 0x2a, 0x1c, 0xa5, 0x32
    };
  struct grub_dom0less_sha256 sha;
  unsigned char message[1000];
  size_t i;

  for (i = 0; i < sizeof (message); i++)
    message[i] = 7 * i;
  grub_dom0less_sha256_init (&sha, transform);
  grub_dom0less_sha256_write (&sha, message, 1);
  grub_dom0less_sha256_write (&sha, message + 1, sizeof (message) - 1);
  return memcmp (grub_dom0less_sha256_final (&sha), expected,
		 sizeof (expected)) == 0;
}
