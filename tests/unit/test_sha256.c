/* test_sha256.c - SHA-256 around a function that processes whole blocks  */
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

#define BLOCK	GRUB_DOM0LESS_SHA256_BLOCK

/* The blocks that a digest has processed.  */
static unsigned char seen[8 * BLOCK];
static size_t seen_size;

static unsigned int
record (void *state, const void *blocks, size_t count)
{
  (void) state;
  assert_true (seen_size + count * BLOCK <= sizeof (seen));
  memcpy (seen + seen_size, blocks, count * BLOCK);
  seen_size += count * BLOCK;
  return 0;
}

/* FIPS 180-4, 5.1.1: a one bit, zeros, and the length in bits.  */
static size_t
pad (unsigned char *message, size_t size)
{
  size_t end = (size + 8) / BLOCK * BLOCK + BLOCK;

  memset (message + size, 0, end - size);
  message[size] = 0x80;
  message[end - 2] = size * 8 >> 8;
  message[end - 1] = size * 8 & 0xff;
  return end;
}

TEST (a_message_is_padded_whatever_its_pieces_are)
{
  unsigned char padded[8 * BLOCK];
  struct grub_dom0less_sha256 sha;
  size_t size, first, second, end, i;

  for (size = 0; size <= 3 * BLOCK; size++)
    for (first = 0; first <= size; first += first < 2 ? 1 : 31)
      for (second = 0; first + second <= size; second += second < 2 ? 1 : 61)
	{
	  /* Where the sanitizer sees what is read beyond it.  */
	  unsigned char *message = allocate (size + 1);

	  for (i = 0; i < size; i++)
	    padded[i] = message[i] = i + 1;
	  end = pad (padded, size);
	  seen_size = 0;
	  grub_dom0less_sha256_init (&sha, record);
	  grub_dom0less_sha256_write (&sha, message, first);
	  grub_dom0less_sha256_write (&sha, message + first, second);
	  grub_dom0less_sha256_write (&sha, message + first + second,
				      size - first - second);
	  grub_dom0less_sha256_final (&sha);
	  assert_int_equal (seen_size, end);
	  assert_memory_equal (seen, padded, end);
	  free (message);
	}
}

static uint32_t
rotate (uint32_t word, int bits)
{
  return word >> bits | word << (32 - bits);
}

/* The 32 bits behind the point of NUMBER's cube root.  */
static uint32_t
cube_root (uint32_t number)
{
  unsigned __int128 cube = (unsigned __int128) number << 96;
  uint64_t root = 0, bit;

  for (bit = (uint64_t) 1 << 35; bit; bit >>= 1)
    {
      unsigned __int128 next = root | bit;

      if (next * next * next <= cube)
	root |= bit;
    }
  return root;
}

static int
is_prime (uint32_t number)
{
  uint32_t divisor;

  for (divisor = 2; divisor * divisor <= number; divisor++)
    if (number % divisor == 0)
      return 0;
  return 1;
}

/* FIPS 180-4, 6.2.2, word by word.  */
static void
process (uint32_t *state, const unsigned char *block)
{
  uint32_t w[64], s[8], prime = 1, t1, t2;
  int t;

  memcpy (s, state, sizeof (s));
  for (t = 0; t < 64; t++)
    {
      if (t < 16)
	w[t] = ((uint32_t) block[4 * t] << 24 | block[4 * t + 1] << 16
		| block[4 * t + 2] << 8 | block[4 * t + 3]);
      else
	w[t] = ((rotate (w[t - 2], 17) ^ rotate (w[t - 2], 19) ^ w[t - 2] >> 10)
		+ w[t - 7]
		+ (rotate (w[t - 15], 7) ^ rotate (w[t - 15], 18)
		   ^ w[t - 15] >> 3)
		+ w[t - 16]);
      do
	prime++;
      while (!is_prime (prime));
      t1 = (s[7] + (rotate (s[4], 6) ^ rotate (s[4], 11) ^ rotate (s[4], 25))
	    + ((s[4] & s[5]) ^ (~s[4] & s[6])) + cube_root (prime) + w[t]);
      t2 = ((rotate (s[0], 2) ^ rotate (s[0], 13) ^ rotate (s[0], 22))
	    + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2])));
      memmove (s + 1, s, 7 * sizeof (s[0]));
      s[4] += t1;
      s[0] = t1 + t2;
    }
  for (t = 0; t < 8; t++)
    state[t] += s[t];
}

static unsigned int
transform (void *state, const void *blocks, size_t count)
{
  size_t i;

  for (i = 0; i < count; i++)
    process (state, (const unsigned char *) blocks + i * BLOCK);
  return 0;
}

static unsigned int
transform_one (void *state, const void *blocks, size_t count)
{
  return count ? transform (state, blocks, 1) : 0;
}

static unsigned int
transform_almost (void *state, const void *blocks, size_t count)
{
  transform (state, blocks, count);
  ((uint32_t *) state)[7] ^= 1;
  return 0;
}

/* FIPS 180-2, appendix B.1.  */
TEST (the_digest_is_that_of_the_standard)
{
  static const unsigned char abc[] =
    {
      0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
      0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
      0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
      0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad
    };
  struct grub_dom0less_sha256 sha;

  grub_dom0less_sha256_init (&sha, transform);
  grub_dom0less_sha256_write (&sha, "abc", 3);
  assert_memory_equal (grub_dom0less_sha256_final (&sha), abc, sizeof (abc));
}

TEST (the_self_test_tells_a_wrong_transform)
{
  assert_true (grub_dom0less_sha256_works (transform));
  assert_false (grub_dom0less_sha256_works (transform_one));
  assert_false (grub_dom0less_sha256_works (transform_almost));
}

int
main (void)
{
  const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (a_message_is_padded_whatever_its_pieces_are),
      cmocka_unit_test (the_digest_is_that_of_the_standard),
      cmocka_unit_test (the_self_test_tells_a_wrong_transform)
    };

  return RUN ("sha256", tests);
}
