/* dom0less_host_name.c - resolve names below the root as GRUB does  */
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
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <grub/types.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/util/misc.h>

#include "dom0less_host_internal.h"

/* The number of links that is too many, as in GRUB's fshelp.c.  */
#define TOO_MANY_LINKS	8

/* Open a folder only to pass through it, not to read it.  */
#ifdef O_PATH
# define O_FOLDER	(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#else
# define O_FOLDER	(O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#endif

static char *root;		/* without a trailing slash */
static int root_folder;

/* GRUB's name of ROOT, without a trailing slash: "" if it is the top of the
   file system, and "/@" if it is that subvolume.  Files outside of it are not
   visible here.  */
static const char *prefix = "";

/* A file that is needed, by its path on this host.  */
static struct
{
  char *path;
  int is_elsewhere;		/* on the host, PATH leads elsewhere */
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

/* Return the part of PATH, a name of GRUB's, that is below ROOT; or NULL if it
   is outside.  */
static const char *
skip_prefix (const char *path)
{
  size_t length = strlen (prefix);

  return (strncmp (path, prefix, length) == 0
	  && (path[length] == '/' || !path[length]) ? path + length : NULL);
}

int
dom0less_host_init (const char *name, const char *name_in_grub)
{
  struct stat status;
  size_t length;
  char *copy;

  copy = xstrdup (name_in_grub);
  for (length = strlen (copy); length && copy[length - 1] == '/'; length--)
    copy[length - 1] = '\0';
  prefix = copy;

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

const char *
dom0less_host_root (void)
{
  return *root ? root : "/";
}

/*
 * Names below the root are resolved as in GRUB's fshelp.c, which sees only the
 * boot file system: `..' does not lead out of its top, a link with a leading
 * `/' begins there, and file systems mounted on it do not exist.
 */

char *
dom0less_host_path (const char *name)
{
  char *path = xasprintf ("%s%s", name[0] == '/' ? "" : "/", name);
  const char *below = *prefix && name[0] ? skip_prefix (path) : path;
  char *full = below ? xasprintf ("%s%s", root, below) : NULL;

  free (path);
  return full;
}

/* Return the number of the mount to which the folder FD belongs; 0 if the
   system does not report it.  */
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

/* Return to the DEPTH topmost folders.  */
static void
pop_folders (struct walk *walk, size_t depth)
{
  while (walk->depth > depth)
    {
      struct folder *folder = walk->folders + --walk->depth;

      /* Keep the root's own name.  */
      if (folder->name)
	close (folder->fd);
      free (folder->name);
    }
}

void
dom0less_host_end_walk (struct walk *walk)
{
  pop_folders (walk, 0);
  free (walk->folders);
  free (walk->name);
  free (walk->path);
}

/* Record the position of WALK before it looks for REST.  */
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

/* Enter NAME, which is in WALK's last folder.  WALK takes ownership of
   NAME.  */
static grub_err_t
go_to (struct walk *walk, char *name)
{
  struct folder *folder = walk->folders + walk->depth - 1;
  int fd;

  walk->name = name;
  if (S_ISLNK (walk->status.st_mode))
    {
      char *target;
      const char *below;
      grub_err_t err;

      if (++walk->links == TOO_MANY_LINKS)
	return grub_error (GRUB_ERR_SYMLINK_LOOP,
			   N_("too deep nesting of symlinks"));
      target = read_link (folder->fd, name);
      if (!target)
	dom0less_host_cannot_judge (name);
      free (name);
      walk->name = NULL;
      if (target[0] == '/')
	pop_folders (walk, 1);
      below = target[0] == '/' ? skip_prefix (target) : target;
      if (below)
	err = go_along (walk, below, 0);
      else
	err = grub_error (GRUB_ERR_FILE_NOT_FOUND,
			  N_("a link to `%s', which is not below `%s' in GRUB"),
			  target, prefix);
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
    dom0less_host_cannot_judge (name);
  walk->name = NULL;
  push_folder (walk, fd, name);
  if (walk->folders[walk->depth - 1].mount != walk->folders[0].mount)
    return grub_error (GRUB_ERR_FILE_NOT_FOUND,
		       N_("`%s' is another file system's, mounted there"),
		       name);
  return GRUB_ERR_NONE;
}

/* Follow PATH from the current position of WALK; IS_OWN means that PATH is
   WALK's own, and not that of a link.  */
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
	  int is_up = name[1] != '\0';

	  free (name);
	  if (is_up && walk->depth > 1)
	    pop_folders (walk, walk->depth - 1);
	  else if (is_up && *prefix)
	    return grub_error (GRUB_ERR_FILE_NOT_FOUND,
			       N_("it leads out of `%s'"), prefix);
	  continue;
	}

      if (fstatat (walk->folders[walk->depth - 1].fd, name, &walk->status,
		   AT_SYMLINK_NOFOLLOW))
	{
	  if (errno != ENOENT && errno != ENAMETOOLONG)
	    dom0less_host_cannot_judge (name);
	  free (name);
	  return grub_error (GRUB_ERR_FILE_NOT_FOUND, N_("not found"));
	}
      if (go_to (walk, name))
	return grub_errno;
    }
}

grub_err_t
dom0less_host_walk (struct walk *walk, const char *path)
{
  const char *below = skip_prefix (path);

  memset (walk, 0, sizeof (*walk));
  push_folder (walk, root_folder, NULL);
  walk->path = xstrdup (below ? below : path);
  if (!below)
    return grub_error (GRUB_ERR_FILE_NOT_FOUND,
		       N_("`/' is the file system's top for GRUB, and only `%s' is "
			  "seen here"), prefix);
  return go_along (walk, below, 1);
}

/* Return NAME with its folder made absolute and free of links.  The name of a
   missing file is kept for the error message.  */
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

/* Return whether the folder of PATH, which is below the root, is on the root's
   file system.  */
static int
is_on_root (const char *path)
{
  char *folder = dom0less_host_folder (path);
  char *name = xasprintf ("%s%s", prefix, folder);
  struct walk walk;
  int is_there = dom0less_host_walk (&walk, name) == GRUB_ERR_NONE;

  grub_errno = GRUB_ERR_NONE;
  dom0less_host_end_walk (&walk);
  free (name);
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
    full = grub_xasprintf ("%s%s", prefix, path + length);
  else
    full = grub_xasprintf (HOST "%s", path);
  free (path);
  return full;
}

/* Record that PATH, on this host, is needed.  */
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
  /* A file that is not visible here has no path on this host.  */
  if (!skip_prefix (name))
    return 0;
  is_there = dom0less_host_walk (&walk, name) == GRUB_ERR_NONE && walk.is_file;
  grub_errno = GRUB_ERR_NONE;
  path = xasprintf ("%s%s", root, walk.path);
  is_seen = stat (path, &as_seen) == 0;
  remember (path, is_there != is_seen
	    || (is_there && (as_seen.st_dev != walk.status.st_dev
			     || as_seen.st_ino != walk.status.st_ino)));
  dom0less_host_end_walk (&walk);
  return 0;
}

void
dom0less_host_files (void (*function) (const char *path, int is_elsewhere))
{
  size_t i;

  for (i = 0; i < n_files; i++)
    function (files[i].path, files[i].is_elsewhere);
}
