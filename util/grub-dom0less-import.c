/* grub-dom0less-import.c - convert an ImageBuilder config to a menu entry  */
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <grub/emu/misc.h>
#include <grub/i18n.h>
#include <grub/util/misc.h>

#include "imagebuilder/imagebuilder.h"

#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wmissing-declarations"
#include <argp.h>
#pragma GCC diagnostic error "-Wmissing-prototypes"
#pragma GCC diagnostic error "-Wmissing-declarations"

/* The exit status.  argp exits with 64 if the command line is wrong.  */
enum
  {
    ALL_CARRIED_OVER = 0,
    NOT_ALL_CARRIED_OVER = 1,
    NOTHING_WRITTEN = 2
  };

#define MAX_FILE_SIZE	(1 << 20)
#define MAX_TREE_SIZE	(64 << 20)
#define MAX_ERROR_SIZE	8192

static const struct argp_option options[] =
  {
    { "directory", 'd', N_("DIR"), 0,
      N_("names in CONFIG are relative to DIR, as with ImageBuilder's -d"
	 " [default: CONFIG's folder]; of the files there only DEVICE_TREE is"
	 " read, for CPUPOOL and STATIC_HEAP"), 0 },
    { "output", 'o', N_("DIR"), 0,
      N_("write into DIR [default: the current folder]"), 0 },
    { "prefix", 'p', N_("DIR"), 0,
      N_("the folder of all these files in GRUB's file system [default: /]"),
      0 },
    { 0, 0, 0, 0, 0, 0 }
  };

static const char doc[] =
  N_("Convert CONFIG, from which ImageBuilder generates a U-Boot script, to the"
     " files from which GRUB's command xen_dom0less boots the same machine.\v"
     "If NAME is CONFIG's name up to its last dot, this program"
     " writes\n\n"
     "  NAME.dtbo  an overlay for DEVICE_TREE, or for the firmware's tree if\n"
     "             CONFIG names none: the domains, and where their files are\n"
     "  NAME.cfg   a menu entry for grub.cfg\n\n"
     "Copy NAME.dtbo to the directory of the files that CONFIG names, which is"
     " the top of a file system that GRUB reads as $root, or --prefix=DIR"
     " there.  Include NAME.cfg in grub.cfg.\n\n"
     "CONFIG is read, but not executed.  It may contain assignments with the"
     " shell's quotes, optionally after export, and $NAME, ${NAME} and"
     " ${NAME[N]} of earlier assignments.  Anything that ImageBuilder would"
     " refuse is an error.  For each variable that is not converted, a line"
     " `warning: ...' is printed on standard error; variables that are not"
     " needed, because they are only for U-Boot, are listed in one line"
     " `note: ...'.\n\n"
     "Exit status: 0 if everything was converted, 1 if not, 2 after an error,"
     " when nothing is written, 64 if the command line is wrong.");

struct arguments
{
  char *config;
  char *directory;
  char *output;
  char *prefix;
};

static error_t
argp_parser (int key, char *arg, struct argp_state *state)
{
  struct arguments *arguments = state->input;

  switch (key)
    {
    case 'd':
      arguments->directory = arg;
      break;
    case 'o':
      arguments->output = arg;
      break;
    case 'p':
      arguments->prefix = arg;
      break;
    case ARGP_KEY_ARG:
      if (arguments->config)
	argp_error (state, "%s", _("more than one CONFIG"));
      arguments->config = arg;
      break;
    case ARGP_KEY_NO_ARGS:
      argp_error (state, "%s", _("CONFIG is missing"));
      break;
    default:
      return ARGP_ERR_UNKNOWN;
    }
  return 0;
}

static const struct argp argp =
  { options, argp_parser, N_("CONFIG"), doc, NULL, NULL, NULL };

/* The file that is being written, until it is renamed.  */
static char *unfinished[2];

static int has_ended;

/* GRUB's own code exits with 1 after a fatal error, but here this would mean
   that not everything was converted.  */
static void
end_for_want (void)
{
  size_t i;

  for (i = 0; i < sizeof (unfinished) / sizeof (unfinished[0]); i++)
    if (unfinished[i])
      unlink (unfinished[i]);
  if (has_ended)
    return;
  fflush (NULL);
  _exit (NOTHING_WRITTEN);
}

/* End the program with the message that FORMAT produces.  */
static void __attribute__ ((noreturn, format (printf, 1, 2)))
die (const char *format, ...)
{
  va_list arguments;
  char text[MAX_ERROR_SIZE];

  va_start (arguments, format);
  vsnprintf (text, sizeof (text), format, arguments);
  va_end (arguments);
  grub_dom0less_make_plain (text);
  fprintf (stderr, "error: %s\n", text);
  has_ended = 1;
  exit (NOTHING_WRITTEN);
}


/*
 * Reading.
 */

/* Return the contents of the file PATH, of at most MAX_SIZE bytes.  NULL, with
   errno set, is an error.  */
static char *
read_file (const char *path, size_t max_size, size_t *size)
{
  FILE *file;
  char *content;
  struct stat status;
  int err, fd = open (path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

  if (fd < 0)
    return NULL;
  /* A FIFO or a device may never end.  */
  if (fstat (fd, &status) || !S_ISREG (status.st_mode))
    {
      close (fd);
      errno = S_ISDIR (status.st_mode) ? EISDIR : EINVAL;
      return NULL;
    }
  file = fdopen (fd, "rb");
  if (!file)
    return NULL;
  content = xmalloc (max_size + 1);
  *size = fread (content, 1, max_size + 1, file);
  err = ferror (file) ? errno : *size > max_size ? EFBIG : 0;
  fclose (file);
  if (err)
    {
      free (content);
      errno = err;
      return NULL;
    }
  return content;
}

/* Return PATH's folder, ready to be followed by a `/'.  */
static char *
folder_of (const char *path)
{
  char *folder = xstrdup (path), *slash = strrchr (folder, '/');

  if (!slash)
    return xstrdup (".");
  slash[slash == folder] = '\0';
  return folder;
}

/* Return CONFIG's name without folders and without the last suffix.  */
static char *
name_of (const char *config)
{
  const char *slash = strrchr (config, '/'), *c;
  char *name = xstrdup (slash ? slash + 1 : config), *dot;
  uint32_t code;
  int length;

  dot = strrchr (name, '.');
  if (dot && dot != name)
    *dot = '\0';
  /* The name is used in the menu entry, where a newline would end a line.  */
  for (c = name; *c; c += length ? length : 1)
    {
      length = grub_dom0less_character (c, &code);
      if (!grub_dom0less_is_shown (code))
	die (_("%s: rename it: there is a control character in its name"),
	     config);
    }
  return name;
}

/* Normalize the value of `--prefix': empty, or with a leading and without a
   trailing `/'.  */
static char *
prefix_of (const char *directory)
{
  char *prefix, *last;

  while (*directory == '/')
    directory++;
  prefix = xasprintf ("/%s", directory);
  last = prefix + strlen (prefix) - 1;
  while (last >= prefix && *last == '/')
    *last-- = '\0';
  return prefix;
}

/* Return DIRECTORY in the form in which names in CONFIG would begin with it:
   absolute, and without a trailing `/'; or NULL.  It need not exist.  */
static char *
absolute_name (const char *directory)
{
  char *name = *directory == '/' ? xstrdup (directory)
    : realpath (directory, NULL);
  size_t length = name ? strlen (name) : 0;

  while (length && name[length - 1] == '/')
    name[--length] = '\0';
  return name;
}

/* Return the tree that DEVICE_TREE names, or NULL if it is not on this
   machine.  */
static void *
read_base (struct ib_import *import, const char *directory)
{
  struct ib_variable *variable;
  const char *fault;
  char *path, *tree;
  size_t size;

  variable = ib_lookup (import, "DEVICE_TREE", strlen ("DEVICE_TREE"), 0);
  if (!variable || !*variable->value)
    return NULL;
  path = xasprintf ("%s/%s", *variable->value == '/' ? "" : directory,
		    variable->value);
  tree = read_file (path, MAX_TREE_SIZE, &size);
  fault = tree ? grub_dom0less_tree_fault (tree, size) : NULL;
  if (fault)
    die (_("%s: it is no device tree: %s"), path, fault);
  free (path);
  return tree;
}

/* Exit because of IMPORT->error in the file CONFIG.  */
static void __attribute__ ((noreturn))
die_of_error (const struct ib_import *import, const char *config)
{
  char *line = import->line ? xasprintf ("%u: ", import->line) : xstrdup (" ");

  die ("%s:%s%s%s%s", config, line, import->subject ? import->subject : "",
       import->subject ? " " : "", import->error);
}


/*
 * Writing.
 */

/* Print WORD in a way that both GRUB's script language and a shell read as
   that word.  */
static void
print_word (FILE *file, const char *word)
{
  static const char plain[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,=@+-";

  if (*word && !word[strspn (word, plain)])
    {
      fputs (word, file);
      return;
    }
  putc ('\'', file);
  for (; *word; word++)
    if (*word == '\'')
      fputs ("'\\''", file);
    else
      putc (*word, file);
  putc ('\'', file);
}

static void
print_option (FILE *file, const char *option, const char *value)
{
  fprintf (file, " %s ", option);
  print_word (file, value);
}

/* Write the menu entry.  OVERLAY is the overlay that was written.  */
static void
print_entry (FILE *file, struct ib_import *import, const char *name,
	     const char *overlay, int n_dt_overlays)
{
  const char *device_tree = ib_file (import, "DEVICE_TREE", 0);
  char *title = xasprintf (_("Xen (%s)"), name), *words, *word;
  int i;

  fputs ("menuentry ", file);
  print_word (file, title);
  fputs (" {\n\tinsmod xen_dom0less\n\txen_dom0less", file);
  if (device_tree)
    print_option (file, "--dtb", device_tree);
  for (i = 0; i < n_dt_overlays; i++)
    print_option (file, "--overlay", ib_file (import, "DT_OVERLAY", i));
  print_option (file, "--overlay", overlay);
  putc (' ', file);
  print_word (file, ib_file (import, "XEN", 0));

  words = xstrdup (import->xen_args);
  for (word = strtok (words, " "); word; word = strtok (NULL, " "))
    {
      putc (' ', file);
      print_word (file, word);
    }
  fputs ("\n}\n", file);
  free (words);
  free (title);
}

/* Return whether PATH, which may not exist, is the file CONFIG.  */
static int
is_same_file (const char *path, const char *config)
{
  struct stat ours, theirs;

  return (stat (path, &ours) == 0 && stat (config, &theirs) == 0
	  && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino);
}

/* Both files are written or none.  They have temporary names until they are
   complete, chosen so that nobody can have created a link there.  */
static FILE *
create (char **name, const char *path)
{
  mode_t mask = umask (0);
  FILE *file;
  int fd;

  umask (mask);
  *name = xasprintf ("%s.XXXXXX", path);
  fd = mkstemp (*name);
  if (fd < 0)
    {
      free (*name);
      *name = NULL;
      die ("%s: %s", path, strerror (errno));
    }
  file = fdopen (fd, "wb");
  if (!file || fchmod (fd, 0666 & ~mask))
    die ("%s: %s", path, strerror (errno));
  return file;
}

static void
finish (FILE *file, const char *path)
{
  int failed = ferror (file);

  if (fclose (file) || failed)
    die ("%s: %s", path, strerror (errno));
}

/* Rename the file *NAME to PATH.  */
static void
move (char **name, const char *path)
{
  if (rename (*name, path))
    die ("%s: %s", path, strerror (errno));
  free (*name);
  *name = NULL;
}

/* Print the name of VARIABLE in its original form, but with its own variables
   replaced.  */
static void
print_variable (const struct ib_variable *variable)
{
  fputs (variable->name, stderr);
  if (IB_IS_PAIR (variable->index))
    fprintf (stderr, "[%u,%u]", IB_FIRST (variable->index),
	     IB_SECOND (variable->index));
  else if (variable->has_index)
    fprintf (stderr, "[%u]", IB_FIRST (variable->index));
}

/* Print what is not converted and what is not needed.  Return whether
   everything was converted.  */
static int
print_losses (struct ib_import *import, const char *config)
{
  const struct ib_variable *variable;
  const char *separator;
  int i, all = 1;

  for (i = 0; i < import->n_variables; i++)
    {
      variable = &import->variables[i];
      if (!variable->loss)
	continue;
      all = 0;
      fprintf (stderr, "warning: %s:%u: ", config, variable->line);
      print_variable (variable);
      fprintf (stderr, variable->is_part
	       ? _(" is carried over in part: %s\n")
	       : _(" is not carried over: %s\n"), variable->loss);
    }

  separator = _("note: not needed here:");
  for (i = 0; i < import->n_variables; i++)
    {
      variable = &import->variables[i];
      if (variable->loss || variable->used)
	continue;
      fprintf (stderr, "%s ", separator);
      print_variable (variable);
      separator = ",";
    }
  if (*separator == ',')
    putc ('\n', stderr);
  return all;
}

/* Print what to do next.  With a prefix, only the user knows the root of
   GRUB's file system on this machine.  */
static void
print_advice (struct ib_import *import, const char *directory,
	      const char *dtbo, const char *cfg, int n_dt_overlays)
{
  const char *root = *import->prefix ? "ROOT" : directory, *file;
  char *path;
  int i;

  printf (_("%s and %s are written. Before the reboot:\n"), dtbo, cfg);
  fputs ("    grub-dom0less-check", stdout);
  print_option (stdout, "--root", root);
  path = xasprintf ("%s%s", root, ib_file (import, "XEN", 0));
  print_option (stdout, "--xen", path);
  free (path);
  for (i = 0; i < n_dt_overlays; i++)
    {
      path = xasprintf ("%s%s", root, ib_file (import, "DT_OVERLAY", i));
      print_option (stdout, "--overlay", path);
      free (path);
    }
  print_option (stdout, "--overlay", dtbo);
  if (*import->xen_args)
    print_option (stdout, "--xen-args", import->xen_args);
  file = ib_file (import, "DEVICE_TREE", 0);
  if (file)
    {
      path = xasprintf ("%s%s", root, file);
      putchar (' ');
      print_word (stdout, path);
      free (path);
    }
  putchar ('\n');
}


int
main (int argc, char *argv[])
{
  static struct ib_import import;
  struct arguments arguments;
  char *text, *name, *overlay, *dtbo, *cfg;
  size_t size;
  void *fdt = NULL;
  FILE *file;
  int err, i, n_dt_overlays;

  grub_util_host_init (&argc, &argv);
  memset (&arguments, 0, sizeof (arguments));
  if (argp_parse (&argp, argc, argv, 0, 0, &arguments) != 0)
    exit (NOTHING_WRITTEN);
  atexit (end_for_want);
  if (!arguments.directory)
    arguments.directory = folder_of (arguments.config);
  if (!arguments.output)
    arguments.output = xstrdup (".");

  name = name_of (arguments.config);
  dtbo = xasprintf ("%s/%s.dtbo", arguments.output, name);
  cfg = xasprintf ("%s/%s.cfg", arguments.output, name);
  if (is_same_file (cfg, arguments.config)
      || is_same_file (dtbo, arguments.config))
    die (_("%s: it would be overwritten: choose another --output"),
	 arguments.config);

  text = read_file (arguments.config, MAX_FILE_SIZE, &size);
  if (!text)
    die ("%s: %s", arguments.config, strerror (errno));
  import.prefix = prefix_of (arguments.prefix ? arguments.prefix : "");
  import.directory = absolute_name (arguments.directory);
  /* A value usually consists of text in the file; it can only be longer if
     values contain other values.  */
  import.room_size = 16 * size + (1 << 16);
  import.room = xmalloc (import.room_size);
  if (ib_parse (&import, text, size))
    die_of_error (&import, arguments.config);

  import.base = read_base (&import, arguments.directory);
  for (size = 1 << 16, err = 1; err > 0 && size <= MAX_TREE_SIZE; size *= 2)
    {
      fdt = xrealloc (fdt, size);
      err = ib_overlay (&import, fdt, size);
    }
  if (err > 0)
    die (_("%s: the overlay is too large"), arguments.config);

  /* The file names that the entry will contain.  */
  n_dt_overlays = ib_dt_overlays (&import);
  if (!import.error && !ib_file (&import, "XEN", 0))
    ib_fail (&import, 0, "XEN", "is not set");
  for (i = 0; i < n_dt_overlays; i++)
    if (!ib_file (&import, "DT_OVERLAY", i))
      ib_fail (&import, 0, xasprintf ("DT_OVERLAY[%d]", i), "is not set");
  overlay = xasprintf ("%s/%s.dtbo", import.prefix, name);
  if (import.error)
    die_of_error (&import, arguments.config);

  file = create (&unfinished[0], dtbo);
  fwrite (fdt, 1, fdt_totalsize (fdt), file);
  finish (file, dtbo);
  file = create (&unfinished[1], cfg);
  print_entry (file, &import, name, overlay, n_dt_overlays);
  finish (file, cfg);
  move (&unfinished[0], dtbo);
  move (&unfinished[1], cfg);

  err = !print_losses (&import, arguments.config);
  print_advice (&import, arguments.directory, dtbo, cfg, n_dt_overlays);
  has_ended = 1;
  return err ? NOT_ALL_CARRIED_OVER : ALL_CARRIED_OVER;
}
