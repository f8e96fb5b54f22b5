/* fuzz.h - what the fuzzers share  */
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

#ifndef FUZZ_HEADER
#define FUZZ_HEADER	1

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grub/xen_dom0less.h>

/* libFuzzer's.  */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate (uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size,
				unsigned int seed);
size_t LLVMFuzzerCustomCrossOver (const uint8_t *data1, size_t size1,
				  const uint8_t *data2, size_t size2,
				  uint8_t *out, size_t max_size,
				  unsigned int seed);

/* A finding: what has to hold does not.  */
static inline void
require (int holds, const char *what)
{
  if (holds)
    return;
  fprintf (stderr, "finding: %s\n", what);
  abort ();
}

/* The same for an oracle's answer: NULL, or what is wrong.  */
static inline void
require_right (const char *fault)
{
  require (!fault, fault);
}

/* SIZE bytes of DATA in a block of their own, which the sanitizer guards at
   both ends.  */
static inline void *
guard (const void *data, size_t size)
{
  void *block = malloc (size);

  require (block != NULL, "out of memory");
  memcpy (block, data, size);
  return block;
}

/* The same as a string.  */
static inline char *
guard_string (const void *data, size_t size)
{
  char *block = malloc (size + 1);

  require (block != NULL, "out of memory");
  memcpy (block, data, size);
  block[size] = '\0';
  return block;
}

/* Bytes that are taken one by one; zeros when there are no more.  */
struct input
{
  const uint8_t *at, *end;
};

static inline uint8_t
take8 (struct input *input)
{
  return input->at < input->end ? *input->at++ : 0;
}

static inline uint64_t
take64 (struct input *input)
{
  uint64_t value = 0;
  int i;

  for (i = 0; i < 8; i++)
    value |= (uint64_t) take8 (input) << 8 * i;
  return value;
}

/* What stands before the next zero, or all there is; the caller frees it.  */
static inline char *
take_string (struct input *input)
{
  size_t left = (size_t) (input->end - input->at);
  const uint8_t *zero = left ? memchr (input->at, 0, left) : NULL;
  size_t length = zero ? (size_t) (zero - input->at) : left;
  char *string = guard_string (input->at, length);

  input->at += length + (zero != NULL);
  return string;
}

#endif
