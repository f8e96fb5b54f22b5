/* dom0less_host.h - a platform that consists of files, for the steps of a
   boot  */
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

/* The PCRs that GRUB's tpm verifier extends with command lines and with
   files.  */
#define DOM0LESS_STRING_PCR	8
#define DOM0LESS_BINARY_PCR	9

/*
 * On a host, the platform (xen_dom0less_platform.h) consists of files: the
 * boot file system is a folder, and memory is the heap under invented
 * addresses.  Full names are "/file" within that folder, and "host:/file"
 * outside.  Names in the folder are resolved as GRUB does; links and `..' do
 * not lead out of it.  If only this host is to blame (permissions, memory, a
 * disk's error), the program ends by grub_util_error, because nothing is known
 * about the machine then.
 */

/* Return the folder of NAME, in memory that the caller has to free.  */
char *dom0less_host_folder (const char *name);

/* Use the folder NAME as the boot file system, or as the folder of it that
   GRUB calls NAME_IN_GRUB ("/" for all of it, "/@" for a subvolume of btrfs).
   What is outside of the folder is not found.  Return 0, or -1 with errno
   set.  */
int dom0less_host_init (const char *name, const char *name_in_grub);

/* Return the path on this host of the file that GRUB calls NAME, with or
   without a leading `/', in memory that the caller has to free; or NULL if it
   is outside of the folder.  */
char *dom0less_host_path (const char *name);

/* Use the memory map in TEXT, which is the output of GRUB's `lsefimmap',
   instead of the tree's memory nodes.  Return 0, or -1 if no line of it
   belongs to a map.  */
int dom0less_host_memory_map (const char *text);

/* Return whether the memory map is that of the machine, and not of a board's
   file in which firmware may replace the memory nodes.  */
int dom0less_host_is_memory_sure (void);

/* Use the file NAME, a path on the host, as the machine's own tree.  */
void dom0less_host_machine_tree (const char *name);

/* Return the folder of this host that is used as the boot file system.  */
const char *dom0less_host_root (void);

/* State that another loader will place the SIZE BYTES, which have to stay, at
   ADDRESS.  Return 0, or -1 if there is something already.  */
int dom0less_host_memory (uint64_t address, void *bytes, size_t size);

/* Check as GRUB does when it enforces signatures.  */
void dom0less_host_enforce (void);

/* A value by which GRUB's tpm verifier would extend a PCR.  */
struct dom0less_measurement
{
  int pcr;
  unsigned char digest[DOM0LESS_SHA256_SIZE];
  int is_known;				/* 0: the contents are not known */
  char *what;				/* a full name or a command line */
};

/* Also measure each file that is opened from now on, by reading it once
   more.  */
void dom0less_host_measure_files (void);

/* Measure LINE, a command line, as GRUB would.  */
void dom0less_host_measure (const char *line);

/* Return all measurements so far, *N of them, in order.  */
const struct dom0less_measurement *dom0less_host_measured (size_t *n);

/* Extend PCR by DIGEST as a TPM does, both of SHA-256.  */
void dom0less_host_extend (unsigned char *pcr, const unsigned char *digest);

/* Record that the file with the full name NAME is needed.  Return 0, or -1 if
   it is on another device of the machine.  */
int dom0less_host_need (const char *name);

/* Call FUNCTION with the path on this host of each file that is needed, or was
   opened.  IS_ELSEWHERE is set if on this host, which does not know the top of
   the boot file system, that path leads to another file.  */
void dom0less_host_files (void (*function) (const char *path,
					    int is_elsewhere));

/* Open NAME, relative to FOLDER or to AT_FDCWD, for reading, and store its
   size in bytes in *SIZE unless that is NULL.  NULL, with errno set, is an
   error: EINVAL if it is not a regular file, EAGAIN if it has been replaced
   meanwhile.  */
FILE *dom0less_host_open (int folder, const char *name, off_t *size);

#endif
