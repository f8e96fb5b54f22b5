/* replay.c - run a fuzzer's target on files, without a fuzzer  */
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

/* For a finding under a debugger, and for gcov, which libFuzzer is none of.  */
#include "fuzz.h"

int
main (int argc, char **argv)
{
  int i;

  for (i = 1; i < argc; i++)
    {
      FILE *file = fopen (argv[i], "rb");
      uint8_t *data;
      long size;

      require (file != NULL, argv[i]);
      fseek (file, 0, SEEK_END);
      size = ftell (file);
      rewind (file);
      data = malloc ((size_t) size + 1);
      require (data && fread (data, 1, (size_t) size, file) == (size_t) size,
	       argv[i]);
      fclose (file);
      LLVMFuzzerTestOneInput (data, (size_t) size);
      free (data);
    }
  return 0;
}
