/* dom0less_host.h - a machine made up of files, for the steps of a boot  */
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

#ifndef GRUB_UTIL_DOM0LESS_HOST_HEADER
#define GRUB_UTIL_DOM0LESS_HOST_HEADER	1

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define DOM0LESS_SHA256_SIZE	32

/* Where GRUB's tpm verifier puts command lines and files.  */
#define DOM0LESS_STRING_PCR	8
#define DOM0LESS_BINARY_PCR	9

/*
 * What xen_dom0less_boot.h calls the machine, on a host: the boot file system
 * is a folder, memory is the heap under made-up addresses.  Full names are
 * "/file" in that folder, and "host:/file" outside.  What is in it is resolved as
 * GRUB does: links, and `..', do not lead out of it.  Where only this host is in
 * the way (permissions, memory, a disk's error), the program ends by
 * grub_util_error: nothing is known of the machine then.
 */

/* The folder that NAME lies in, in memory that is the caller's.  */
char *dom0less_host_folder (const char *name);

/* Take the folder NAME as the boot file system, or as that folder of it that GRUB
   calls NAME_IN_GRUB ("/" for all of it, "/@" for a subvolume of btrfs).  What
   lies outside of the folder is not found.  Returns 0, or -1 with errno set.  */
int dom0less_host_init (const char *name, const char *name_in_grub);

/* The path on this host of the file that GRUB calls NAME, with or without a `/' at
   its beginning, in memory that is the caller's; NULL if that is outside of the
   folder.  */
char *dom0less_host_path (const char *name);

/* Use the memory map in TEXT, which is what GRUB's `lsefimmap' prints, instead
   of the tree's memory nodes.  Returns 0, or -1 if there is no line of a map in
   it.  */
int dom0less_host_memory_map (const char *text);

/* Whether the memory map is the machine's, and not that of a board's file whose
   memory nodes firmware may write anew.  */
int dom0less_host_is_memory_sure (void);

/* Use the file NAME, a path of the host, as the machine's own tree.  */
void dom0less_host_machine_tree (const char *name);

/* Let the SIZE BYTES, which have to stay, lie at ADDRESS: another loader will
   have put them there.  Returns 0, or -1 if there is something already.  */
int dom0less_host_memory (uint64_t address, void *bytes, size_t size);

/* Check as GRUB does where it enforces signatures.  */
void dom0less_host_enforce (void);

/* What GRUB's tpm verifier would extend a PCR by.  */
struct dom0less_measurement
{
  int pcr;
  unsigned char digest[DOM0LESS_SHA256_SIZE];
  int is_known;				/* 0: nobody has said what the bytes are */
  char *what;				/* a full name or a command line */
};

/* Measure each file as well that is opened from now on, which is to read it
   once more.  */
void dom0less_host_measure_files (void);

/* Measure LINE, a command line, as GRUB would.  */
void dom0less_host_measure (const char *line);

/* What was measured so far, *N of them, in order.  */
const struct dom0less_measurement *dom0less_host_measured (size_t *n);

/* Extend PCR by DIGEST, as the TPM does: both SHA-256.  */
void dom0less_host_extend (unsigned char *pcr, const unsigned char *digest);

/* Remember that the file with the full name NAME is needed.  Returns 0, or -1 if
   it is on a device of the machine's.  */
int dom0less_host_need (const char *name);

/* Call FUNCTION with the path on this host of each file that is needed, or was
   opened; IS_ELSEWHERE if this host, which knows nothing of the boot file
   system's top, takes that path for another file.  */
void dom0less_host_files (void (*function) (const char *path,
					    int is_elsewhere));

/* Open NAME, relative to FOLDER or to AT_FDCWD, as a stream to read from, and put
   its size in bytes into *SIZE unless that is NULL.  NULL, with errno, is an
   error: EINVAL where it is no regular file, EAGAIN where it has been replaced
   meanwhile.  */
FILE *dom0less_host_open (int folder, const char *name, off_t *size);

#endif
