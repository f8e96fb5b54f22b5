/* dom0less_host.c - a machine made up of files, for the steps of a boot  */
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

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <grub/types.h>
#include <grub/crypto.h>
#include <grub/emu/misc.h>
#include <grub/fs.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/safemath.h>
#include <grub/util/dom0less_host.h>
#include <grub/util/misc.h>

#include "xen_dom0less_platform.h"

/* No name in a tree resolves to one that begins so.  */
#define HOST		"host:"
#define HOST_LENGTH	(sizeof (HOST) - 1)

/* As in GRUB's fshelp.c, the one that is too much.  */
#define TOO_MANY_LINKS	8

/* A folder is opened to go through it, not to read it.  */
#ifdef O_PATH
# define O_FOLDER	(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#else
# define O_FOLDER	(O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#endif

/* As with the firmware, the first page is nobody's.  */
#define LOWEST_ADDRESS	((grub_uint64_t) 1 << DOM0LESS_PAGE_SHIFT)
/* Each piece may be claimed, and claims are in a list; Xen has room for 256.  */
#define MAX_TREE_MEMORY	1024
#define LIKELY_LIMIT	((grub_uint64_t) 1 << 32)

/* Many times what Xen takes.  */
#define MAX_TREE_SIZE	(64 << 20)

static char *root;		/* without a slash at its end */
static int root_folder;
static const char *memory_map_text;
static const char *machine_tree = "/sys/firmware/fdt";
static int is_enforcing;

/* What is needed, by its path on this host.  */
static struct
{
  char *path;
  int is_elsewhere;		/* the host takes PATH for another file */
} *files;
static size_t n_files;

char *
dom0less_host_folder (const char *name)
{
  const char *slash = strrchr (name, '/');
  char *folder = xstrdup (slash ? name : ".");

  if (slash)
    folder[slash == name ? 1 : slash - name] = '\0';
  return folder;
}

int
dom0less_host_init (const char *name)
{
  struct stat status;
  size_t length;

  root = realpath (name, NULL);
  if (!root || stat (root, &status))
    return -1;
  if (!S_ISDIR (status.st_mode))
    {
      errno = ENOTDIR;
      return -1;
    }
  root_folder = open (root, O_FOLDER);
  if (root_folder < 0)
    return -1;
  length = strlen (root);
  if (root[length - 1] == '/')
    root[length - 1] = '\0';
  return 0;
}

void
dom0less_host_memory_map (const char *text)
{
  memory_map_text = text;
}

void
dom0less_host_machine_tree (const char *name)
{
  machine_tree = name;
}

void
dom0less_host_enforce (void)
{
  is_enforcing = 1;
}


/*
 * Measurements: the steps open files and show command lines in GRUB's order.
 */

static struct dom0less_measurement *measured;
static size_t n_measured;
static int are_files_measured;

void
dom0less_host_measure_files (void)
{
  are_files_measured = 1;
}

static struct dom0less_measurement *
add_measurement (int pcr, char *what)
{
  struct dom0less_measurement *measurement;

  measured = xrealloc (measured, (n_measured + 1) * sizeof (*measured));
  measurement = measured + n_measured++;
  measurement->pcr = pcr;
  measurement->what = what;
  measurement->is_known = 1;
  return measurement;
}

static void
measure (int pcr, const void *bytes, size_t size, const char *what)
{
  struct dom0less_measurement *measurement
    = add_measurement (pcr, xstrdup (what));

  grub_crypto_hash (GRUB_MD_SHA256, measurement->digest, bytes, size);
}

void
dom0less_host_measure (const char *line)
{
  measure (DOM0LESS_STRING_PCR, line, strlen (line), line);
}

const struct dom0less_measurement *
dom0less_host_measured (size_t *n)
{
  *n = n_measured;
  return measured;
}

void
dom0less_host_extend (unsigned char *pcr, const unsigned char *digest)
{
  unsigned char both[2 * DOM0LESS_SHA256_SIZE];

  memcpy (both, pcr, DOM0LESS_SHA256_SIZE);
  memcpy (both + DOM0LESS_SHA256_SIZE, digest, DOM0LESS_SHA256_SIZE);
  grub_crypto_hash (GRUB_MD_SHA256, pcr, both, sizeof (both));
}

/* Whatever a decompressor makes of FILE, a verifier gets it as it is.  */
static void
measure_file (grub_file_t file, const char *name)
{
  char *bytes = xmalloc (file->size + 1);
  grub_ssize_t got = grub_file_read (file, bytes, file->size);

  if (got >= 0)
    measure (DOM0LESS_BINARY_PCR, bytes, got, name);
  free (bytes);
  grub_errno = GRUB_ERR_NONE;
  grub_file_seek (file, 0);
}


/*
 * Names.  Below the root they are resolved as GRUB's fshelp.c does, with the
 * boot file system on its own: `..' does not leave its top, where a link with a
 * `/' begins, and what is mounted upon it is not there.
 */

struct folder
{
  int fd;
  unsigned long long mount;	/* 0 if that is not known */
  char *name;			/* NULL: the root */
};

struct walk
{
  struct folder *folders;	/* from the root down */
  size_t depth;
  int links;
  int is_file;			/* the last name is not a folder's: ... */
  char *name;			/* ... of this one, in the last folder */
  struct stat status;
  char *path;			/* below the root, with no link but the last */
};

/* Which mount the folder FD is of; 0 if the system does not say so.  */
static unsigned long long
mount_of (int fd)
{
#ifdef STATX_MNT_ID
  struct statx status;

  if (statx (fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) == 0
      && (status.stx_mask & STATX_MNT_ID))
    return status.stx_mnt_id;
#endif
  return fd < 0;
}

/* End the program, because of errno: NAME may be there on the machine, and nobody
   here can tell.  */
static void __attribute__ ((noreturn))
cannot_judge (const char *name)
{
  const char *why = strerror (errno);
  char *plain = xstrdup (name);

  grub_dom0less_make_plain (plain);
  grub_util_error (_("%s: cannot be judged: %s"), plain, why);
}

static void
push_folder (struct walk *walk, int fd, char *name)
{
  struct folder *folder;

  walk->folders = xrealloc (walk->folders,
			    (walk->depth + 1) * sizeof (*walk->folders));
  folder = walk->folders + walk->depth++;
  folder->fd = fd;
  folder->mount = mount_of (fd);
  folder->name = name;
}

/* Go back to the DEPTH upper folders.  */
static void
pop_folders (struct walk *walk, size_t depth)
{
  while (walk->depth > depth)
    {
      struct folder *folder = walk->folders + --walk->depth;

      /* The root's stays.  */
      if (folder->name)
	close (folder->fd);
      free (folder->name);
    }
}

static void
end_walk (struct walk *walk)
{
  pop_folders (walk, 0);
  free (walk->folders);
  free (walk->name);
  free (walk->path);
}

/* Remember where WALK stands before it looks for REST.  */
static void
remember_path (struct walk *walk, const char *rest)
{
  char *path = xstrdup (""), *longer;
  size_t i;

  for (i = 1; i < walk->depth; i++, path = longer)
    {
      longer = xasprintf ("%s/%s", path, walk->folders[i].name);
      free (path);
    }
  free (walk->path);
  walk->path = xasprintf ("%s/%s", path, rest);
  free (path);
}

static char *
read_link (int folder, const char *name)
{
  char target[PATH_MAX];
  ssize_t length = readlinkat (folder, name, target, sizeof (target) - 1);

  if (length < 0)
    return NULL;
  target[length] = '\0';
  return xstrdup (target);
}

static grub_err_t go_along (struct walk *walk, const char *path, int is_own);

/* Go on to NAME, which is in WALK's last folder and now WALK's.  */
static grub_err_t
go_to (struct walk *walk, char *name)
{
  struct folder *folder = walk->folders + walk->depth - 1;
  int fd;

  walk->name = name;
  if (S_ISLNK (walk->status.st_mode))
    {
      char *target;
      grub_err_t err;

      if (++walk->links == TOO_MANY_LINKS)
	return grub_error (GRUB_ERR_SYMLINK_LOOP,
			   N_("too deep nesting of symlinks"));
      target = read_link (folder->fd, name);
      if (!target)
	cannot_judge (name);
      free (name);
      walk->name = NULL;
      if (target[0] == '/')
	pop_folders (walk, 1);
      err = go_along (walk, target, 0);
      free (target);
      return err;
    }
  if (!S_ISDIR (walk->status.st_mode))
    {
      walk->is_file = 1;
      return GRUB_ERR_NONE;
    }

  fd = openat (folder->fd, name, O_FOLDER);
  if (fd < 0)
    cannot_judge (name);
  walk->name = NULL;
  push_folder (walk, fd, name);
  if (walk->folders[walk->depth - 1].mount != walk->folders[0].mount)
    return grub_error (GRUB_ERR_FILE_NOT_FOUND,
		       N_("`%s' is another file system's, mounted there"),
		       name);
  return GRUB_ERR_NONE;
}

/* Follow PATH from where WALK stands; its own path if IS_OWN, else a link's.  */
static grub_err_t
go_along (struct walk *walk, const char *path, int is_own)
{
  while (1)
    {
      size_t length;
      char *name;

      path += strspn (path, "/");
      if (!*path)
	return GRUB_ERR_NONE;
      if (walk->is_file)
	return grub_error (GRUB_ERR_BAD_FILE_TYPE, N_("not a directory"));

      length = strcspn (path, "/");
      name = xmalloc (length + 1);
      memcpy (name, path, length);
      name[length] = '\0';
      if (is_own)
	remember_path (walk, path[length + strspn (path + length, "/")]
		       ? path : name);
      path += length;
      if (strcmp (name, ".") == 0 || strcmp (name, "..") == 0)
	{
	  if (name[1] && walk->depth > 1)
	    pop_folders (walk, walk->depth - 1);
	  free (name);
	  continue;
	}

      if (fstatat (walk->folders[walk->depth - 1].fd, name, &walk->status,
		   AT_SYMLINK_NOFOLLOW))
	{
	  if (errno != ENOENT && errno != ENAMETOOLONG)
	    cannot_judge (name);
	  free (name);
	  return grub_error (GRUB_ERR_FILE_NOT_FOUND, N_("not found"));
	}
      if (go_to (walk, name))
	return grub_errno;
    }
}

/* Find PATH, which begins with a `/', below the root.  WALK has to be ended
   after an error as well.  */
static grub_err_t
walk_to (struct walk *walk, const char *path)
{
  memset (walk, 0, sizeof (*walk));
  push_folder (walk, root_folder, NULL);
  walk->path = xstrdup (path);
  return go_along (walk, path, 1);
}

/* NAME with its folder made absolute and free of links.  What is not there
   keeps its name, for the error to tell.  */
static char *
absolute_name (const char *name)
{
  const char *slash = strrchr (name, '/');
  char *folder = dom0less_host_folder (name);
  char *real = realpath (folder, NULL);
  char *path;

  if (real)
    path = xasprintf ("%s/%s", strcmp (real, "/") ? real : "",
		      slash ? slash + 1 : name);
  else
    path = xstrdup (name);
  free (folder);
  free (real);
  return path;
}

/* Whether the folder of PATH, which is below the root, is of its file system.  */
static int
is_on_root (const char *path)
{
  char *folder = dom0less_host_folder (path);
  struct walk walk;
  int is_there = walk_to (&walk, folder) == GRUB_ERR_NONE;

  grub_errno = GRUB_ERR_NONE;
  end_walk (&walk);
  free (folder);
  return is_there;
}

char *
dom0less_platform_full_name (const char *name)
{
  char *path = absolute_name (name);
  size_t length = strlen (root);
  char *full;

  if (strncmp (path, root, length) == 0 && path[length] == '/'
      && is_on_root (path + length))
    full = grub_strdup (path + length);
  else
    full = grub_xasprintf (HOST "%s", path);
  free (path);
  return full;
}

/* Remember that PATH, of this host, is needed.  */
static void
remember (char *path, int is_elsewhere)
{
  size_t i;

  for (i = 0; i < n_files; i++)
    if (strcmp (files[i].path, path) == 0)
      {
	free (path);
	return;
      }
  files = xrealloc (files, (n_files + 1) * sizeof (*files));
  files[n_files].path = path;
  files[n_files++].is_elsewhere = is_elsewhere;
}

int
dom0less_host_need (const char *name)
{
  struct walk walk;
  struct stat as_seen;
  char *path;
  int is_there, is_seen;

  if (strncmp (name, HOST, HOST_LENGTH) == 0)
    {
      remember (xstrdup (name + HOST_LENGTH), 0);
      return 0;
    }
  if (name[0] == '(')
    return -1;
  is_there = walk_to (&walk, name) == GRUB_ERR_NONE && walk.is_file;
  grub_errno = GRUB_ERR_NONE;
  path = xasprintf ("%s%s", root, walk.path);
  is_seen = stat (path, &as_seen) == 0;
  remember (path, is_there != is_seen
	    || (is_there && (as_seen.st_dev != walk.status.st_dev
			     || as_seen.st_ino != walk.status.st_ino)));
  end_walk (&walk);
  return 0;
}

void
dom0less_host_files (void (*function) (const char *path, int is_elsewhere))
{
  size_t i;

  for (i = 0; i < n_files; i++)
    function (files[i].path, files[i].is_elsewhere);
}


/*
 * Files.
 */

static grub_ssize_t
host_read (struct grub_file *file, char *buf, grub_size_t len)
{
  size_t got;

  if (fseeko (file->data, file->offset, SEEK_SET))
    got = 0;
  else
    got = fread (buf, 1, len, file->data);
  if (got < len && ferror ((FILE *) file->data))
    cannot_judge (file->name ? file->name : "?");
  return got;
}

static grub_err_t
host_close (struct grub_file *file)
{
  if (file->data)
    fclose (file->data);
  return GRUB_ERR_NONE;
}

static struct grub_fs host_fs =
  {
    .name = "host",
    .fs_read = host_read,
    .fs_close = host_close
  };

/* What is no file to GRUB is not touched: to open a device may do something,
   and to open a FIFO may take for ever.  */
FILE *
dom0less_host_open (int folder, const char *name, off_t *size)
{
  struct stat status, opened;
  FILE *stream;
  int fd;

  if (fstatat (folder, name, &status, 0))
    return NULL;
  if (!S_ISREG (status.st_mode))
    {
      errno = EINVAL;
      return NULL;
    }
  fd = openat (folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0)
    return NULL;
  if (fstat (fd, &opened) || opened.st_dev != status.st_dev
      || opened.st_ino != status.st_ino)
    {
      close (fd);
      errno = EAGAIN;
      return NULL;
    }
  if (size)
    *size = opened.st_size;
  stream = fdopen (fd, "rb");
  if (!stream)
    close (fd);
  return stream;
}

/* More than there is memory would have to be read.  */
static int
is_too_large (off_t size)
{
  return size / sysconf (_SC_PAGESIZE) >= sysconf (_SC_PHYS_PAGES);
}

/* The file NAME in FOLDER, which messages call PATH.  */
static grub_file_t
open_host_file (int folder, const char *name, const char *path)
{
  off_t size;
  FILE *stream = dom0less_host_open (folder, name, &size);
  grub_file_t file;

  if (!stream)
    {
      /* In GRUB's words.  */
      if (errno == ENOENT || errno == ENOTDIR)
	grub_error (GRUB_ERR_FILE_NOT_FOUND, N_("file `%s' not found"), path);
      else if (errno == EINVAL)
	grub_error (GRUB_ERR_BAD_FILE_TYPE, N_("not a regular file"));
      else
	cannot_judge (path);
      return NULL;
    }
  if (is_too_large (size))
    {
      errno = EFBIG;
      cannot_judge (path);
    }

  file = grub_zalloc (sizeof (*file));
  if (!file)
    {
      fclose (stream);
      return NULL;
    }
  file->fs = &host_fs;
  file->data = stream;
  file->size = size;
  /* For errors; GRUB frees it.  */
  file->name = grub_strdup (path);
  return file;
}

/* The file NAME below the root.  */
static grub_file_t
open_root_file (const char *name)
{
  struct walk walk;
  grub_file_t file = NULL;

  if (walk_to (&walk, name) == GRUB_ERR_NONE)
    {
      if (walk.is_file)
	file = open_host_file (walk.folders[walk.depth - 1].fd, walk.name,
			       name);
      else
	grub_error (GRUB_ERR_BAD_FILE_TYPE, N_("not a regular file"));
    }
  else if (grub_errno == GRUB_ERR_FILE_NOT_FOUND)
    {
      char *why = xstrdup (dom0less_bare_message (grub_errmsg));

      if (strcmp (why, "not found") == 0)
	grub_error (GRUB_ERR_FILE_NOT_FOUND, N_("file `%s' not found"), name);
      else
	grub_error (GRUB_ERR_FILE_NOT_FOUND, N_("file `%s' not found: %s"),
		    name, why);
      free (why);
    }
  end_walk (&walk);
  return file;
}

/* What stands for Xen when nobody has named it: nothing can be learnt from it.
   GRUB reads no byte of it.  */
static grub_file_t
open_nothing (void)
{
  grub_file_t file = grub_zalloc (sizeof (*file));

  if (file)
    file->fs = &host_fs;
  return file;
}

grub_file_t
dom0less_platform_open (const char *name, enum grub_file_type type)
{
  grub_file_t file;

  if (strcmp (name, "/") == 0
      && (type & GRUB_FILE_TYPE_MASK) == GRUB_FILE_TYPE_XEN_HYPERVISOR)
    return open_nothing ();
  if (dom0less_host_need (name))
    {
      grub_error (GRUB_ERR_UNKNOWN_DEVICE, N_("%s is on another device"),
		  name);
      return NULL;
    }
  if (name[0] == '/')
    file = open_root_file (name);
  else
    file = open_host_file (AT_FDCWD, name + HOST_LENGTH, name + HOST_LENGTH);
  if (file && are_files_measured)
    measure_file (file, name);
  if (!file || (type & GRUB_FILE_TYPE_NO_DECOMPRESS))
    return file;
  return dom0less_filter (file);
}

/* What GRUB will want on the machine is not known.  */
grub_err_t
dom0less_platform_check_trust (struct dom0less_boot *boot)
{
  boot->facts.is_enforcing = is_enforcing;
  return GRUB_ERR_NONE;
}

void
dom0less_platform_announce (grub_file_t file __attribute__ ((unused)),
			    const char *label __attribute__ ((unused)),
			    const char *path __attribute__ ((unused)))
{
}

/* A host has no firmware to be asked.  */
grub_size_t
dom0less_platform_read_direct (grub_file_t file __attribute__ ((unused)),
			       void *buffer __attribute__ ((unused)))
{
  return 0;
}

/* They are part of this program.  */
grub_err_t
dom0less_platform_load_filter (const char *module __attribute__ ((unused)))
{
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_platform_verify (char *line,
			  enum grub_verify_string_type type __attribute__ ((unused)))
{
  dom0less_host_measure (line);
  return GRUB_ERR_NONE;
}

int
dom0less_platform_is_measuring (void)
{
  return are_files_measured;
}

grub_err_t
dom0less_platform_leave_unmeasured (struct dom0less_boot *boot __attribute__ ((unused)),
				    int node __attribute__ ((unused)),
				    grub_uint64_t address)
{
  add_measurement (DOM0LESS_STRING_PCR,
		   xasprintf ("what lies at 0x%llx",
			      (unsigned long long) address))->is_known = 0;
  return GRUB_ERR_NONE;
}


/*
 * Memory.
 */

/* What is allocated: a claim's bytes are never touched, so it has none before
   somebody asks for them.  */
struct block
{
  struct block *next;
  grub_uint64_t address, size;
  void *bytes;
  int is_given;			/* the bytes are what the machine will have */
};

static struct block *blocks;

/* The map as it was last read, without what is allocated; and whether the
   machine will have that memory and no other.  */
static struct grub_dom0less_memory *map;
static int n_map;
static int is_map_sure;

/* Of the tree, once it has been read.  */
static const struct grub_dom0less_plan *plan;

static struct block *
find_block (grub_uint64_t address, grub_uint64_t size)
{
  struct block *block;

  for (block = blocks; block; block = block->next)
    if (grub_dom0less_overlap (block->address, block->size, address, size))
      return block;
  return NULL;
}

static void
add_block (struct dom0less_pages *pages, grub_uint64_t address,
	   grub_size_t count)
{
  struct block *block = xmalloc (sizeof (*block));

  block->address = address;
  if (grub_mul (count, LOWEST_ADDRESS, &block->size))
    block->size = UINT64_MAX;
  block->bytes = NULL;
  block->is_given = 0;
  block->next = blocks;
  blocks = block;
  pages->address = address;
  pages->count = count;
}

/* Where what is in the way of SIZE bytes at ADDRESS begins: what is allocated, or
   any range of the tree's, which nobody but its owner gets.  Returns whether there
   is anything.  */
static int
find_obstacle (grub_uint64_t address, grub_uint64_t size,
	       grub_uint64_t *start)
{
  struct block *block = find_block (address, size);
  int i;

  if (block)
    *start = block->address;
  for (i = 0; !block && plan && i < plan->n_ranges; i++)
    if (grub_dom0less_overlap (plan->ranges[i].start, plan->ranges[i].size,
			       address, size))
      {
	*start = plan->ranges[i].start & ~(LOWEST_ADDRESS - 1);
	return 1;
      }
  return block != NULL;
}

/* The highest place for SIZE bytes from START up to END, which is not below it;
   0 if there is none.  */
static grub_uint64_t
find_gap (grub_uint64_t start, grub_uint64_t end, grub_uint64_t size)
{
  while (end >= start && end - start >= size)
    if (!find_obstacle (end - size, size, &end))
      return end - size;
  return 0;
}

/* The bytes of COUNT pages, in SIZE.  There are none, and more than there is of
   all memory, that nobody has.  */
static grub_err_t
page_bytes (grub_size_t count, grub_uint64_t *size)
{
  if (count == 0 || grub_mul (count, LOWEST_ADDRESS, size))
    return grub_error (GRUB_ERR_OUT_OF_MEMORY, N_("out of memory"));
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_platform_alloc (struct dom0less_pages *pages, grub_uint64_t limit,
			 grub_size_t count)
{
  grub_uint64_t highest = 0, size, end;
  int i;

  pages->count = 0;
  if (page_bytes (count, &size))
    return grub_errno;
  /* The topmost page is not worth an overflow.  */
  limit &= ~(LOWEST_ADDRESS - 1);
  for (i = 0; i < n_map; i++)
    {
      grub_uint64_t gap;

      end = grub_dom0less_end (map[i].start, map[i].size);
      if (map[i].type != GRUB_DOM0LESS_MEMORY_FREE)
	continue;
      gap = find_gap (map[i].start ? map[i].start : LOWEST_ADDRESS,
		      end < limit ? end : limit, size);
      if (gap > highest)
	highest = gap;
    }
  /* Addresses are part of nodes' names, so they had better be likely ones.  */
  if (!highest && !is_map_sure)
    highest = find_gap (LOWEST_ADDRESS,
			limit < LIKELY_LIMIT ? limit : LIKELY_LIMIT, size);
  if (!highest && !is_map_sure)
    highest = find_gap (LOWEST_ADDRESS, limit, size);
  if (!highest)
    return grub_error (GRUB_ERR_OUT_OF_MEMORY, N_("out of memory"));
  add_block (pages, highest, count);
  return GRUB_ERR_NONE;
}

/* Whether START and SIZE lie in one free piece of the map, as far as there is
   one.  */
static int
is_free (grub_uint64_t start, grub_uint64_t size)
{
  int i;

  for (i = 0; i < n_map; i++)
    if (map[i].type == GRUB_DOM0LESS_MEMORY_FREE
	&& start >= map[i].start && size <= map[i].size
	&& start - map[i].start <= map[i].size - size)
      return 1;
  return !is_map_sure;
}

grub_err_t
dom0less_platform_alloc_at (struct dom0less_pages *pages, grub_uint64_t address,
			    grub_size_t count)
{
  grub_uint64_t size;

  pages->count = 0;
  if (page_bytes (count, &size))
    return grub_errno;
  if (find_block (address, size) || !is_free (address, size))
    return grub_error (GRUB_ERR_OUT_OF_MEMORY, N_("out of memory"));
  add_block (pages, address, count);
  return GRUB_ERR_NONE;
}

void
dom0less_platform_free (struct dom0less_pages *pages)
{
  struct block **at, *block;

  if (!pages->count)
    return;
  for (at = &blocks; (block = *at); at = &block->next)
    if (block->address == pages->address)
      {
	*at = block->next;
	if (block->bytes)
	  munmap (block->bytes, block->size);
	free (block);
	break;
      }
  pages->count = 0;
}

void *
dom0less_platform_at (grub_uint64_t address)
{
  struct block *block = find_block (address, 1);

  if (!block)
    grub_util_error ("nothing is at 0x%llx", (unsigned long long) address);
  /* The room that a tree gives a module may be more than this host has, and
     most of it is never touched.  */
  if (!block->bytes)
    block->bytes = mmap (NULL, block->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (block->bytes == MAP_FAILED)
    grub_util_error (_("%llu bytes at 0x%llx: cannot be judged: %s"),
		     (unsigned long long) block->size,
		     (unsigned long long) block->address, strerror (errno));
  return (char *) block->bytes + (address - block->address);
}

static void
add_memory (enum grub_dom0less_memory_type type, grub_uint64_t start,
	    grub_uint64_t size)
{
  map = xrealloc (map, (n_map + 1) * sizeof (*map));
  map[n_map].type = type;
  map[n_map].start = start;
  map[n_map].size = size;
  n_map++;
}

/* The words that lsefimmap has for memory that is Xen's, or will be.  */
static enum grub_dom0less_memory_type
type_of_word (const char *word)
{
  static const char *const loader[]
    = { "ldr-code", "ldr-data", "BS-code", "BS-data" };
  size_t i;

  if (strcmp (word, "conv-mem") == 0)
    return GRUB_DOM0LESS_MEMORY_FREE;
  for (i = 0; i < sizeof (loader) / sizeof (loader[0]); i++)
    if (strcmp (word, loader[i]) == 0)
      return GRUB_DOM0LESS_MEMORY_LOADER;
  return GRUB_DOM0LESS_MEMORY_FIRMWARE;
}

/* Read lines "TYPE START-END PAGES SIZE ATTRIBUTE...", wherever a terminal has
   broken them: a word that is a range begins a new one.  */
static void
read_map_text (void)
{
  char *text = xstrdup (memory_map_text), *word, *before = NULL, *state;
  enum grub_dom0less_memory_type type = GRUB_DOM0LESS_MEMORY_FIRMWARE;
  int write_back = 0;

  for (word = strtok_r (text, " \t\r\n", &state); word;
       before = word, word = strtok_r (NULL, " \t\r\n", &state))
    {
      unsigned long long start, end;
      grub_uint64_t size;
      int length = 0;

      if (before && sscanf (word, "%16llx-%16llx%n", &start, &end, &length) == 2
	  && !word[length] && end >= start)
	{
	  type = type_of_word (before);
	  write_back = 0;
	  if (grub_add (end - start, 1, &size))
	    size = UINT64_MAX;
	  add_memory (GRUB_DOM0LESS_MEMORY_FIRMWARE, start, size);
	}
      else if (strcmp (word, "WB") == 0 && n_map)
	write_back = 1;
      else if (strcmp (word, "RT") == 0)
	write_back = 0;
      else
	continue;
      if (n_map)
	map[n_map - 1].type = write_back ? type : GRUB_DOM0LESS_MEMORY_FIRMWARE;
    }
  free (text);
}

/* The tree's memory nodes: all of it free, as far as a tree can say.  */
static grub_err_t
read_map_tree (const struct dom0less_boot *boot)
{
  const struct grub_dom0less_cells *cells = &boot->plan->root_cells;
  int node;

  if (cells->address <= 0 || cells->size <= 0)
    return GRUB_ERR_NONE;
  fdt_for_each_subnode (node, boot->tree, 0)
    {
      const char *type = grub_dom0less_string (boot->tree, node, "device_type");
      int len;
      const fdt32_t *cell = fdt_getprop (boot->tree, node, "reg", &len);
      const fdt32_t *end = cell + (cell ? len / (int) sizeof (*cell) : 0);

      if (!type || strcmp (type, "memory") || !cell)
	continue;
      while (end - cell >= cells->address + cells->size)
	{
	  uint64_t start, size;

	  if (grub_dom0less_read_cells (&cell, cells->address, &start)
	      || grub_dom0less_read_cells (&cell, cells->size, &size))
	    break;
	  if (!size)
	    continue;
	  if (n_map == MAX_TREE_MEMORY)
	    return grub_error (GRUB_ERR_BAD_OS,
			       N_("%s: memory in more than %d pieces"),
			       boot->tree_name, MAX_TREE_MEMORY);
	  add_memory (GRUB_DOM0LESS_MEMORY_FREE, start, size);
	}
    }
  return GRUB_ERR_NONE;
}

/* Whether TREE's memory nodes say what the machine has.  A board's file may have
   what the smallest model has, or nothing of it, because firmware writes the
   nodes anew.  It leaves traces where it does; and who makes a tree for a virtual
   machine makes its memory, too.  */
static int
has_firmware_been_here (const void *tree)
{
  static const char *const traces[]
    = { "kaslr-seed", "rng-seed", "linux,uefi-system-table", "u-boot,version",
	"u-boot,bootconf" };
  int chosen = fdt_path_offset (tree, "/chosen");
  size_t i;

  for (i = 0; chosen >= 0 && i < sizeof (traces) / sizeof (traces[0]); i++)
    if (fdt_getprop (tree, chosen, traces[i], NULL))
      return 1;
  return fdt_node_check_compatible (tree, 0, "linux,dummy-virt") == 0;
}

int
dom0less_host_is_memory_sure (void)
{
  return is_map_sure;
}

grub_err_t
dom0less_platform_memory_map (struct dom0less_boot *boot)
{
  plan = boot->plan;
  if (!n_map)
    {
      if (memory_map_text)
	read_map_text ();
      else if (read_map_tree (boot))
	return grub_errno;
      is_map_sure = n_map && (memory_map_text || !boot->tree_is_file
			      || has_firmware_been_here (boot->tree));
    }

  grub_free (boot->memory);
  boot->memory = grub_calloc (n_map + 1, sizeof (*map));
  if (!boot->memory)
    return grub_errno;
  if (n_map)
    memcpy (boot->memory, map, n_map * sizeof (*map));
  grub_dom0less_sort_memory (boot->memory, n_map);
  boot->facts.memory = boot->memory;
  boot->facts.n_memory = n_map;
  return GRUB_ERR_NONE;
}

int
dom0less_host_memory (grub_uint64_t address, void *bytes, size_t size)
{
  struct dom0less_pages pages;

  if (size > ~address || find_block (address, size))
    return -1;
  add_block (&pages, address, 0);
  blocks->size = size;
  blocks->bytes = bytes;
  blocks->is_given = 1;
  return 0;
}

/* Only what dom0less_host_memory was told of is known.  */
int
dom0less_platform_is_readable (const struct dom0less_boot *boot
			       __attribute__ ((unused)),
			       grub_uint64_t address, grub_uint64_t size)
{
  struct block *block = find_block (address, 1);

  return (block && block->is_given
	  && size <= block->size - (address - block->address));
}

void
dom0less_platform_clean_cache (const void *address __attribute__ ((unused)),
			       grub_size_t size __attribute__ ((unused)))
{
}


/*
 * The firmware, of which there is none.
 */

void
dom0less_platform_read_processor (struct dom0less_boot *boot
				  __attribute__ ((unused)))
{
}

/* By default the tree of the machine that we run on.  */
grub_err_t
dom0less_platform_read_tree (struct dom0less_boot *boot)
{
  off_t size;
  FILE *stream = dom0less_host_open (AT_FDCWD, machine_tree, &size);
  char *fdt;

  if (!stream && (errno == ENOENT || errno == ENOTDIR))
    return dom0less_fail (boot, GRUB_DOM0LESS_RULE_TREE_MISSING,
			  GRUB_DOM0LESS_NONE, NULL);
  if (!stream)
    cannot_judge (machine_tree);
  if (size > MAX_TREE_SIZE)
    {
      errno = EFBIG;
      cannot_judge (machine_tree);
    }
  fdt = xmalloc (size + 1);
  size = fread (fdt, 1, size, stream);
  if (ferror (stream))
    cannot_judge (machine_tree);
  fclose (stream);
  dom0less_adopt_tree (boot, fdt, size);
  free (fdt);
  return grub_errno;
}

grub_err_t
dom0less_platform_fix_up (struct dom0less_boot *boot __attribute__ ((unused)))
{
  return GRUB_ERR_NONE;
}

/* What an image of Xen is made of is known: where it will lie is not.  */
grub_err_t
dom0less_platform_load_xen (struct dom0less_boot *boot)
{
  dom0less_platform_free (&boot->xen_file);
  return GRUB_ERR_NONE;
}

void
dom0less_platform_unload_xen (struct dom0less_boot *boot __attribute__ ((unused)))
{
}

void
dom0less_platform_restore_tree (struct dom0less_boot *boot __attribute__ ((unused)))
{
}
