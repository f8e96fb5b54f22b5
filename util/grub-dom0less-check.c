/* grub-dom0less-check.c - check whether Xen would start a device tree's
   domains  */
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
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wmissing-declarations"
#include <argp.h>
#pragma GCC diagnostic error "-Wmissing-prototypes"
#pragma GCC diagnostic error "-Wmissing-declarations"

#include <grub/emu/misc.h>
#include <grub/i18n.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/util/dom0less_host.h>
#include <grub/util/dom0less_menu.h>
#include <grub/util/dom0less_output.h>
#include <grub/util/misc.h>

#include "progname.h"
#include "xen_dom0less_platform.h"

/* The maximum length of a finding's line; in GRUB it is shorter.  */
#define TEXT_SIZE	4096

enum
  {
    EXIT_FINE,
    EXIT_WARNINGS,
    EXIT_ERRORS,
    EXIT_UNJUDGED,
    EXIT_USAGE = 64
  };

/* A file that is longer is neither a map nor a list of PCRs.  */
#define MAX_TEXT_SIZE	(16 << 20)

/* The folder of GRUB's files on an installed system.  */
#define BOOT		"/boot"

enum
  {
    OPTION_DIFF = 256,
    OPTION_EXPLAIN,
    OPTION_GRUB_CFG,
    OPTION_MAP,
    OPTION_MEMORY,
    OPTION_MODEL,
    OPTION_NAME_OF_ROOT,
    OPTION_OUTPUT,
    OPTION_FORCE
  };

static struct argp_option options[] =
  {
    {"root", 'r', N_("DIR"), 0,
     N_("the root of the boot file system, where a name in the tree that begins "
	"with `/' starts [default=the folder of XEN, else of DTB; if that is in "
	"/boot, the root of its file system]"), 0},
    {"name-of-root", OPTION_NAME_OF_ROOT, N_("PATH"), 0,
     N_("what GRUB calls DIR, where DIR is not the top of its file system, but "
	"a subvolume of btrfs or a ZFS dataset, as grub-mkrelpath DIR prints "
	"it"), 0},
    {"xen", 'x', N_("FILE"), 0,
     N_("the hypervisor, below DIR: names in the tree are relative to its "
	"folder, and its version and options are read [default=none, names are "
	"relative to DIR]"), 0},
    {"xen-args", 'a', N_("ARGS"), 0,
     N_("the arguments after XEN in GRUB's command"), 0},
    {"overlay", 'o', N_("FILE"), 0,
     N_("apply the overlay FILE to the tree; may be given several times"), 0},
    {"config", 'c', N_("FILE"), 0,
     N_("read the dom0 from the xen.cfg FILE"), 0},
    {"enforced", 'e', 0, 0,
     N_("refuse what GRUB refuses if it enforces signatures"), 0},
    {"section", 's', N_("NAME"), 0,
     N_("use section NAME of the xen.cfg"), 0},
    {"module", 'm', N_("[KEY=]FILE"), 0,
     N_("use FILE for the modules with this KEY or index; may be given "
	"several times"), 0},
    {"memory-map", 'M', N_("FILE"), 0,
     N_("the output of GRUB's lsefimmap on the machine "
	"[default=the tree's memory nodes]"), 0},
    {"memory", OPTION_MEMORY, N_("ADDRESS=FILE"), 0,
     N_("another loader puts FILE into memory at ADDRESS, for modules that have "
	"only reg in the tree; may be given several times"), 0},
    {"machine-tree", 't', N_("FILE"), 0,
     N_("the machine's own tree, which is used if there is no DTB "
	"[default=/sys/firmware/fdt]"), 0},
    {"command", 'C', N_("LINE"), 0,
     N_("the command as GRUB runs it, its words joined by single spaces; "
	"for --pcr"), 0},
    {"grub-cfg", OPTION_GRUB_CFG, N_("FILE"), 0,
     N_("check every xen_dom0less command of the grub.cfg FILE, instead of DTB, "
	"--xen and so on"), 0},
    {"diff", OPTION_DIFF, N_("PLAN"), 0,
     N_("print what has changed since PLAN, which --json has printed; instead of "
	"DTB, another such PLAN may be given"), 1},
    {"files", 'f', 0, 0,
     N_("print only the files that this boot reads, one per line"), 1},
    {"json", 'j', 0, 0, N_("print everything as JSON"), 1},
    {"model", OPTION_MODEL, 0, 0, N_("print only the tree's model"), 1},
    {"pcr", 'p', N_("FILE"), 0,
     N_("print the values of PCRs 8 and 9 after the command; FILE contains their "
	"values before it, in the format of tpm2_pcrread"), 1},
    {"map", OPTION_MAP, N_("FILE"), 0,
     N_("draw the memory as SVG, and write it to FILE"), 1},
    {"output", OPTION_OUTPUT, N_("FILE"), 0,
     N_("write the tree that Xen would get into FILE, unless there are errors"),
     1},
    {"force", OPTION_FORCE, 0, 0,
     N_("continue in spite of errors"), 1},
    {"explain", OPTION_EXPLAIN, N_("RULE"), 0,
     N_("explain RULE and exit"), 2},
    {0, 0, 0, 0, 0, 0}
  };

/* A NULL-terminated list.  */
struct list
{
  char **item;
  size_t n;
};

struct arguments
{
  const char *root, *name_of_root;
  const char *grub_cfg;
  const char *memory_map;
  const char *map;
  const char *output_tree;
  const char *pcr;
  const char *diff;
  const char *command;
  char *xen_args;
  struct list overlays, modules, memory;
  struct dom0less_request request;
  enum { OUTPUT_TEXT, OUTPUT_FILES, OUTPUT_JSON, OUTPUT_MODEL,
	 OUTPUT_PCR, OUTPUT_DIFF } output;
};

/* Whether to continue after errors found by rules.  The claims are made in any
   case.  */
static int is_forced;

static void
append (struct list *list, char *item)
{
  list->item = xrealloc (list->item, (list->n + 2) * sizeof (*list->item));
  if (item)
    list->item[list->n++] = item;
  list->item[list->n] = NULL;
}

/* Print the TEMPLATE of a rule, with words for its placeholders.  */
static void
print_template (const char *template)
{
  static const char *const words[] =
    {
      [GRUB_DOM0LESS_FILE] = "NAME",
      [GRUB_DOM0LESS_OTHER] = "NODE",
      [GRUB_DOM0LESS_NUMBER] = "NUMBER",
      [GRUB_DOM0LESS_NUMBER2] = "NUMBER",
      [GRUB_DOM0LESS_HEX] = "0xNUMBER",
      [GRUB_DOM0LESS_HEX2] = "0xNUMBER"
    };

  while (*template)
    {
      enum grub_dom0less_placeholder placeholder
	= grub_dom0less_read_placeholder (&template);

      if (placeholder)
	fputs (words[placeholder], stdout);
      else
	putchar (*template++);
    }
  putchar ('\n');
}

static void __attribute__ ((noreturn))
explain (const char *name)
{
  static const char *const decided[] =
    {
      [GRUB_DOM0LESS_WITH_TREE] = "from the tree, before anything is loaded",
      [GRUB_DOM0LESS_WITH_ADDRESSES] = "when every file has its place in memory",
      [GRUB_DOM0LESS_BY_LOADER] = "where the loader meets with it"
    };
  const struct grub_dom0less_rule *rule;

  for (rule = grub_dom0less_rules;
       rule < grub_dom0less_rules + GRUB_DOM0LESS_RULES; rule++)
    if (strcmp (rule->name, name) == 0)
      {
	printf ("%s: %s, seen %s\n\n", rule->name,
		rule->severity == GRUB_DOM0LESS_ERROR
		? "an error" : "a warning", decided[rule->phase]);
	print_template (rule->message);
	if (rule->hint)
	  {
	    fputs ("Cure: ", stdout);
	    print_template (rule->hint);
	  }
	exit (EXIT_FINE);
      }

  fprintf (stderr, "%s: there is no rule %s; these are:\n", program_name,
	   name);
  for (rule = grub_dom0less_rules;
       rule < grub_dom0less_rules + GRUB_DOM0LESS_RULES; rule++)
    fprintf (stderr, "  %s\n", rule->name);
  exit (EXIT_USAGE);
}

static error_t
argp_parser (int key, char *arg, struct argp_state *state)
{
  struct arguments *arguments = state->input;

  switch (key)
    {
    case 'r':
      arguments->root = arg;
      break;
    case OPTION_GRUB_CFG:
      arguments->grub_cfg = arg;
      break;
    case OPTION_NAME_OF_ROOT:
      arguments->name_of_root = arg;
      break;
    case 'x':
      arguments->request.xen = arg;
      break;
    case 'a':
      arguments->xen_args = arg;
      break;
    case 'o':
      append (&arguments->overlays, arg);
      break;
    case 'c':
      arguments->request.config = arg;
      break;
    case 's':
      arguments->request.section = arg;
      break;
    case 'm':
      append (&arguments->modules, arg);
      break;
    case 'M':
      arguments->memory_map = arg;
      break;
    case 't':
      dom0less_host_machine_tree (arg);
      break;
    case 'e':
      dom0less_host_enforce ();
      break;
    case 'C':
      arguments->command = arg;
      break;
    case 'p':
      arguments->output = OUTPUT_PCR;
      arguments->pcr = arg;
      break;
    case OPTION_DIFF:
      arguments->output = OUTPUT_DIFF;
      arguments->diff = arg;
      break;
    case 'f':
      arguments->output = OUTPUT_FILES;
      break;
    case 'j':
      arguments->output = OUTPUT_JSON;
      break;
    case OPTION_MODEL:
      arguments->output = OUTPUT_MODEL;
      break;
    case OPTION_MAP:
      arguments->map = arg;
      break;
    case OPTION_OUTPUT:
      arguments->output_tree = arg;
      break;
    case OPTION_FORCE:
      is_forced = 1;
      break;
    case OPTION_MEMORY:
      append (&arguments->memory, arg);
      break;
    case OPTION_EXPLAIN:
      explain (arg);
    case ARGP_KEY_ARG:
      if (state->arg_num)
	argp_error (state, _("more than one tree"));
      arguments->request.dtb = arg;
      break;
    default:
      return ARGP_ERR_UNKNOWN;
    }
  return 0;
}

static struct argp argp =
  {
    options, argp_parser, N_("[DTB]"),
    N_("Print what GRUB's command xen_dom0less would load, and what would go "
       "wrong.  Without DTB, the tree is that of the machine that this program "
       "runs on.\v"
       "Exit status: 0 if all is fine, 1 after warnings, 2 after errors, 3 if "
       "this could not be found out, 64 if the command line is wrong."),
    NULL, NULL, NULL
  };

static struct dom0less_lines lines;

/* The exit status if the program ends before there is a verdict.  */
static int verdict = EXIT_UNJUDGED;

/* GRUB's own code exits with 1 after a fatal error, but here this would mean
   that there are warnings.  */
static void
end_unjudged (void)
{
  if (verdict != EXIT_UNJUDGED)
    return;
  fflush (NULL);
  _exit (EXIT_UNJUDGED);
}

/* Exit with STATUS, unless the output could not be written.  */
static void __attribute__ ((noreturn))
finish (int status)
{
  if (fflush (stdout) || ferror (stdout))
    grub_util_error (_("cannot write: %s"), strerror (errno));
  verdict = status;
  exit (status);
}

/* Return a copy of TEXT that is safe to print.  The caller has to free it.  */
static char *
plain (const char *text)
{
  char *copy = xstrdup (text);

  grub_dom0less_make_plain (copy);
  return copy;
}

static void
add_line (enum grub_dom0less_severity severity,
	  const struct grub_dom0less_finding *finding, char *node, char *text)
{
  struct dom0less_line *line;

  lines.line = xrealloc (lines.line, (lines.n + 1) * sizeof (*line));
  line = lines.line + lines.n++;
  line->severity = severity;
  line->rule = finding ? finding->rule->name : NULL;
  line->hint = finding ? grub_dom0less_finding_hint (finding) : NULL;
  line->count = finding && finding->more ? (int) finding->more : 1;
  line->node = node;
  line->text = text;
}

/* Return whether FINDING may be due only to the memory nodes of a board's
   file.  */
static int
is_guess (const struct grub_dom0less_finding *finding)
{
  enum grub_dom0less_rule_number rule = finding->rule - grub_dom0less_rules;

  return (!dom0less_host_is_memory_sure ()
	  && (rule == GRUB_DOM0LESS_RULE_RANGE_OUTSIDE_RAM
	      || rule == GRUB_DOM0LESS_RULE_MEMORY_TOO_MUCH));
}

static void
report (void *data, const struct grub_dom0less_finding *finding)
{
  struct dom0less_boot *boot = data;
  enum grub_dom0less_severity severity = finding->rule->severity;
  char text[TEXT_SIZE];
  size_t length;

  length = grub_dom0less_finding_text (finding, boot->tree.fdt, text,
				       sizeof (text));
  if (is_guess (finding))
    {
      severity = GRUB_DOM0LESS_WARNING;
      snprintf (text + length, sizeof (text) - length, "%s",
		_("; by the file's memory nodes, which firmware may replace: "
		  "--memory-map knows"));
    }
  add_line (severity, finding,
	    finding->node == GRUB_DOM0LESS_NONE
	    ? NULL : dom0less_node_path (boot, finding->node),
	    xstrdup (text));
  /* Without a tree or a file it is impossible to continue.  */
  if (severity == GRUB_DOM0LESS_ERROR && !boot->findings.error
      && !(is_forced && finding->rule->phase != GRUB_DOM0LESS_BY_LOADER))
    boot->findings.error = grub_strdup (text);
}

/* The loader of the running Linux has added its own properties to /chosen of
   /sys/firmware/fdt.  The firmware's own tree does not have them.  */
static grub_err_t
forget_linux (void *fdt)
{
  static const char *const names[]
    = { "bootargs", "linux,initrd-start", "linux,initrd-end" };
  int chosen = fdt_path_offset (fdt, "/chosen");
  size_t i;

  if (chosen < 0 || !fdt_getprop (fdt, chosen, "linux,uefi-system-table", NULL))
    return GRUB_ERR_NONE;
  for (i = 0; i < sizeof (names) / sizeof (names[0]); i++)
    {
      int err = fdt_delprop (fdt, chosen, names[i]);

      if (err && err != -FDT_ERR_NOTFOUND)
	return grub_error (GRUB_ERR_BAD_OS, "%s: %s", names[i],
			   fdt_strerror (err));
    }
  return GRUB_ERR_NONE;
}

/* Files on other devices of the machine are not visible here.  */
static void
leave_other_devices (struct dom0less_boot *boot)
{
  int i;

  for (i = 0; i < boot->plan->n_modules; i++)
    if (boot->paths[i] && dom0less_host_need (boot->paths[i]))
      {
	char *path = plain (boot->paths[i]);

	fprintf (stderr, "note: %s: not looked at, on another device\n", path);
	free (path);
	grub_free (boot->paths[i]);
	boot->paths[i] = NULL;
      }
  grub_dom0less_plan_share (boot->plan, (const char *const *) boot->paths);
}

/* The contents of memory that another loader has filled are not known
   either.  */
static void
leave_memory (const struct dom0less_boot *boot)
{
  const struct grub_dom0less_module *module;
  int i;

  for (i = 0; i < boot->plan->n_modules; i++)
    {
      module = boot->plan->modules + i;
      if (module->has_reg && !boot->paths[i]
	  && !dom0less_platform_is_readable (boot, module->address, 1))
	{
	  char *path = dom0less_node_path (boot, module->node);

	  fprintf (stderr, "note: %s: not looked at, in memory at 0x%llx;"
		   " --memory can give its bytes\n", path,
		   (unsigned long long) module->address);
	  free (path);
	}
    }
}

/* Carry out all steps of GRUB's command that precede the start of Xen.  */
static void
go_through (struct dom0less_boot *boot)
{
  if (dom0less_read_inputs (boot))
    return;
  if (forget_linux (boot->tree.fdt) || dom0less_make_plan (boot))
    return;
  leave_other_devices (boot);
  leave_memory (boot);
  if (dom0less_check_rules (boot, GRUB_DOM0LESS_WITH_TREE) == GRUB_ERR_NONE
      && dom0less_load (boot) == GRUB_ERR_NONE
      && dom0less_check_rules (boot, GRUB_DOM0LESS_WITH_ADDRESSES) == GRUB_ERR_NONE)
    dom0less_make_final_tree (boot);
}

/* Print the findings of SEVERITY, unless STREAM is NULL.  Return their
   number.  */
static int
print_lines (FILE *stream, enum grub_dom0less_severity severity)
{
  int i, found = 0;

  for (i = 0; i < lines.n; i++)
    if (lines.line[i].severity == severity)
      {
	if (stream)
	  fprintf (stream, "%s: %s\n",
		   severity == GRUB_DOM0LESS_ERROR ? "error" : "warning",
		   lines.line[i].text);
	found += lines.line[i].count;
      }
  return found;
}

/* Print one path per line.  Readers will take each line for a file of this
   host.  */
static void
print_path (const char *path, int is_elsewhere)
{
  const char *at;

  for (at = path; *at; at++)
    {
      uint32_t code;
      int length = grub_dom0less_character (at, &code);

      /* Even in invalid UTF-8, a terminal may act on bytes of C1.  */
      if (!grub_dom0less_is_shown (code))
	grub_util_error (_("%s: rename it: with such a character in its name "
			   "it cannot be listed"), plain (path));
      at += length ? length - 1 : 0;
    }
  if (is_elsewhere)
    grub_util_error (_("%s: on this host that is another file than in the "
		       "boot file system, because of a link: mount that as /"),
		     plain (path));
  puts (path);
}

/* Read the digits after "NUMBER :" in TEXT into PCR.  */
static void
read_pcr (const char *text, int number, unsigned char *pcr)
{
  char label[8];
  const char *at;
  int i;

  snprintf (label, sizeof (label), "%d :", number);
  for (at = text; (at = strstr (at, label)); at++)
    if (at == text || at[-1] == ' ' || at[-1] == '\n')
      break;
  at = at ? strstr (at, "0x") : NULL;
  for (i = 0; at && i < DOM0LESS_SHA256_SIZE; i++)
    if (sscanf (at + 2 + 2 * i, "%2hhx", &pcr[i]) != 1)
      at = NULL;
  if (!at)
    {
      fprintf (stderr, "%s: no value of PCR %d, of SHA-256\n", program_name,
	       number);
      finish (EXIT_USAGE);
    }
}

/* Print PCRs in the format of tpm2_pcrread.  Return 0 if one of them cannot be
   predicted.  */
static int
print_pcrs (const char *before)
{
  static const int numbers[] = { DOM0LESS_STRING_PCR, DOM0LESS_BINARY_PCR };
  unsigned char pcr[DOM0LESS_SHA256_SIZE];
  const struct dom0less_measurement *measured;
  size_t i, j, n;

  measured = dom0less_host_measured (&n);
  for (j = 0; j < n; j++)
    if (!measured[j].is_known)
      {
	fprintf (stderr, "%s: PCR %d cannot be predicted without %s: "
		 "--memory ADDRESS=FILE\n", program_name, measured[j].pcr,
		 measured[j].what);
	return 0;
      }
  printf ("  sha256:\n");
  for (i = 0; i < sizeof (numbers) / sizeof (numbers[0]); i++)
    {
      read_pcr (before, numbers[i], pcr);
      for (j = 0; j < n; j++)
	if (measured[j].pcr == numbers[i])
	  dom0less_host_extend (pcr, measured[j].digest);
      printf ("    %d : 0x", numbers[i]);
      for (j = 0; j < sizeof (pcr); j++)
	printf ("%02X", pcr[j]);
      printf ("\n");
    }
  return 1;
}

/* Exit with STATUS, and print the reason why NAME cannot be used.  */
static void __attribute__ ((noreturn))
fail (int status, const char *name)
{
  const char *why = errno == EINVAL ? _("not a regular file")
    : strerror (errno);

  fprintf (stderr, "%s: %s: %s\n", program_name, plain (name), why);
  finish (status);
}

/* Print the differences between the plans BEFORE and AFTER.  Return whether
   there are any.  */
static int
print_changes (const char *before, const char *after)
{
  int n = dom0less_compare_plans (stdout, before, after);

  printf ("%d difference%s\n", n, n == 1 ? "" : "s");
  return n != 0;
}

/* Print the differences between the plan BEFORE and that of BOOT.  Return
   whether there are any.  */
static int
print_changes_of_boot (const char *before, const struct dom0less_boot *boot)
{
  char *after;
  size_t size;
  FILE *stream = open_memstream (&after, &size);
  int is_changed;

  if (!stream)
    fail (EXIT_UNJUDGED, "--diff");
  dom0less_write_json (stream, boot, &lines);
  fclose (stream);
  is_changed = print_changes (before, after);
  free (after);
  return is_changed;
}

/* Print what was requested by OUTPUT.  Return the exit status.  */
static int
say (struct dom0less_boot *boot, const struct arguments *arguments)
{
  FILE *stream = stderr;
  int errors, warnings, is_predicted = 1, is_changed = 0;

  switch (arguments->output)
    {
    case OUTPUT_TEXT:
      if (boot->plan && boot->images)
	dom0less_show (boot);
      stream = stdout;
      break;
    case OUTPUT_FILES:
      dom0less_host_files (print_path);
      break;
    case OUTPUT_JSON:
      dom0less_write_json (stdout, boot, &lines);
      stream = NULL;
      break;
    case OUTPUT_PCR:
      is_predicted = print_pcrs (arguments->pcr);
      break;
    case OUTPUT_DIFF:
      is_changed = print_changes_of_boot (arguments->diff, boot);
      break;
    case OUTPUT_MODEL:
      if (dom0less_model (boot))
	puts (plain (dom0less_model (boot)));
      break;
    }
  errors = print_lines (stream, GRUB_DOM0LESS_ERROR);
  warnings = print_lines (stream, GRUB_DOM0LESS_WARNING);
  if (arguments->output == OUTPUT_TEXT)
    printf ("%d error%s, %d warning%s\n", errors, errors == 1 ? "" : "s",
	    warnings, warnings == 1 ? "" : "s");
  if (errors || !is_predicted)
    return EXIT_ERRORS;
  return warnings || is_changed ? EXIT_WARNINGS : EXIT_FINE;
}

static void
draw_map (const struct dom0less_boot *boot, const char *name)
{
  FILE *stream = fopen (name, "w");

  if (stream)
    dom0less_write_map (stream, boot);
  if (!stream || ferror (stream) || fclose (stream))
    fail (EXIT_UNJUDGED, name);
}

/* The final tree exists only if no earlier step has failed.  */
static void
write_tree (const struct dom0less_boot *boot, const char *name)
{
  const void *fdt;
  FILE *stream;

  if (!boot->handover.tree.count || boot->findings.error)
    return;
  fdt = dom0less_platform_at (boot->handover.tree.address);
  stream = fopen (name, "wb");
  if (stream)
    fwrite (fdt, 1, fdt_totalsize (fdt), stream);
  if (!stream || ferror (stream) || fclose (stream))
    fail (EXIT_UNJUDGED, name);
}

/* Return the contents of the file NAME, with a zero after its *SIZE bytes.  */
static char *
read_file (const char *name, size_t *file_size)
{
  off_t size;
  FILE *stream = dom0less_host_open (AT_FDCWD, name, &size);
  char *text;

  if (!stream)
    fail (EXIT_USAGE, name);
  errno = EFBIG;
  if (size > MAX_TEXT_SIZE)
    fail (EXIT_USAGE, name);
  text = xmalloc (size + 1);
  size = fread (text, 1, size, stream);
  if (ferror (stream))
    fail (EXIT_USAGE, name);
  text[size] = '\0';
  fclose (stream);
  *file_size = size;
  return text;
}

static char *
read_text (const char *name)
{
  size_t size;

  return read_file (name, &size);
}

/* Parse "ADDRESS=FILE" of --memory.  */
static void
fill_memory (const char *argument)
{
  char *end, *bytes;
  size_t size;
  unsigned long long address;

  errno = 0;
  address = strtoull (argument, &end, 0);
  if (errno || end == argument || *end != '=')
    {
      fprintf (stderr, "%s: --memory %s: not ADDRESS=FILE\n", program_name,
	       argument);
      exit (EXIT_USAGE);
    }
  bytes = read_file (end + 1, &size);
  if (dom0less_host_memory (address, bytes, size))
    {
      fprintf (stderr, "%s: --memory %s: there is no room\n", program_name,
	       argument);
      exit (EXIT_USAGE);
    }
}

/* Return whether FOLDER is /boot of the running system, or in it.  */
static int
is_in_boot (const char *folder)
{
  char *real = realpath (folder, NULL);
  int is_there = real && strncmp (real, BOOT, sizeof (BOOT) - 1) == 0
    && (real[sizeof (BOOT) - 1] == '/' || !real[sizeof (BOOT) - 1]);

  free (real);
  return is_there;
}

/* Replace FOLDER by the topmost folder of its file system that is mounted
   there.  */
static char *
top_of_file_system (char *folder)
{
  char *real = realpath (folder, NULL);
  struct stat status, above;

  free (folder);
  while (real && real[1])
    {
      char *up = dom0less_host_folder (real);

      if (stat (real, &status) || stat (up, &above)
	  || status.st_dev != above.st_dev)
	{
	  free (up);
	  break;
	}
      free (real);
      real = up;
    }
  return real ? real : xstrdup ("/");
}

/* Set up the boot file system and Xen from ARGUMENTS.  */
static void
place (struct arguments *arguments)
{
  struct dom0less_request *request = &arguments->request;
  const char *name_of_root = arguments->name_of_root;
  char *folder;

  if (arguments->root)
    folder = xstrdup (arguments->root);
  else if (request->xen)
    folder = dom0less_host_folder (request->xen);
  else
    folder = dom0less_host_folder (arguments->grub_cfg ? arguments->grub_cfg
				   : request->dtb ? request->dtb : "");
  if (!arguments->root && is_in_boot (folder))
    {
      folder = top_of_file_system (folder);
      if (!name_of_root)
	name_of_root = grub_make_system_path_relative_to_its_root (folder);
    }
  if (dom0less_host_init (folder, name_of_root ? name_of_root : "/"))
    fail (EXIT_USAGE, folder);

  free (folder);
}

/* Check that there is a Xen, and that GRUB can find it.  */
static void
find_xen (struct dom0less_request *request)
{
  char *name;

  if (!request->xen)
    request->xen = dom0less_host_path ("");
  name = dom0less_platform_full_name (request->xen);
  if (!name || name[0] != '/')
    {
      fprintf (stderr, "%s: %s is not below %s\n", program_name,
	       plain (request->xen), plain (dom0less_host_path ("")));
      finish (EXIT_USAGE);
    }
  grub_free (name);
}

void grub_init_all (void);
void grub_gcry_init_all (void);

/* Carry out all steps with ARGUMENTS, and print what they request.  Return the
   exit status.  */
static int
check (struct arguments *arguments)
{
  struct dom0less_boot *boot = xcalloc (1, sizeof (*boot));
  int status;

  arguments->request.overlays = arguments->overlays.item;
  arguments->request.modules = arguments->modules.item;
  find_xen (&arguments->request);
  boot->request = &arguments->request;
  if (arguments->output == OUTPUT_JSON || arguments->output == OUTPUT_PCR
      || arguments->output == OUTPUT_DIFF)
    dom0less_host_measure_files ();
  /* GRUB measures these two before it opens the first file.  */
  if (arguments->command)
    dom0less_host_measure (arguments->command);
  if (arguments->xen_args)
    {
      boot->xen.args = grub_strdup (arguments->xen_args);
      dom0less_host_measure (arguments->xen_args);
    }
  boot->context.facts = &boot->facts;
  boot->context.report = report;
  boot->context.data = boot;
  boot->context.tally = &boot->findings.tally;

  go_through (boot);
  if (grub_errno && !boot->findings.error)
    add_line (GRUB_DOM0LESS_ERROR, NULL, NULL,
	      plain (dom0less_bare_message (grub_errmsg)));
  status = say (boot, arguments);
  if (arguments->map && boot->plan)
    draw_map (boot, arguments->map);
  if (arguments->output_tree)
    write_tree (boot, arguments->output_tree);
  dom0less_free (boot);
  return status;
}

/* Return the file on this host that GRUB calls NAME.  A name on another device
   is not changed, and a name without a leading `/' begins at the top.  */
static char *
find_file (const char *name)
{
  char *path = name[0] == '(' ? xstrdup (name) : dom0less_host_path (name);

  if (path)
    return path;
  printf ("error: %s: not found below %s, which is GRUB's `/'\n",
	  plain (name), plain (dom0less_host_root ()));
  finish (EXIT_ERRORS);
}

/* Parse the options and arguments of GRUB's command COMMAND.  Return the reason
   for which GRUB refuses them, or NULL.  */
static const char *
parse_command (const struct dom0less_menu_command *command,
	       struct arguments *arguments)
{
  static const struct option known[] =
    {
      { "dtb", required_argument, NULL, 'd' },
      { "overlay", required_argument, NULL, 'o' },
      { "config", required_argument, NULL, 'c' },
      { "section", required_argument, NULL, 's' },
      { "module", required_argument, NULL, 'm' },
      { "dry-run", no_argument, NULL, 'n' },
      { NULL, 0, NULL, 0 }
    };
  int key, i;

  opterr = 0;
  optind = 0;
  while ((key = getopt_long (command->argc, command->argv, "+d:o:c:s:m:n",
			     known, NULL)) != -1)
    switch (key)
      {
      case 'd':
	arguments->request.dtb = find_file (optarg);
	break;
      case 'o':
	append (&arguments->overlays, find_file (optarg));
	break;
      case 'c':
	arguments->request.config = find_file (optarg);
	break;
      case 's':
	arguments->request.section = optarg;
	break;
      case 'm':
	{
	  const char *sign = strchr (optarg, '=');
	  char *file = find_file (sign ? sign + 1 : optarg);

	  append (&arguments->modules, xasprintf
		  ("%.*s%s", sign ? (int) (sign + 1 - optarg) : 0, optarg, file));
	  free (file);
	  break;
	}
      case 'n':
	break;
      default:
	return xasprintf ("GRUB refuses this option, or its value is missing: %s",
			  command->argv[optind - 1]);
      }
  if (optind == command->argc)
    return "XEN is missing, the hypervisor's file name";
  arguments->request.xen = find_file (command->argv[optind]);
  for (i = optind + 1; i < command->argc; i++)
    {
      char *before = arguments->xen_args;

      arguments->xen_args = before ? xasprintf ("%s %s", before,
						command->argv[i])
	: xstrdup (command->argv[i]);
      free (before);
    }
  return NULL;
}

/* The results for all commands of a menu so far.  */
struct menu
{
  const struct arguments *arguments;
  int n_commands;
  int status;
};

/* Check COMMAND in a separate process, because each command is a boot of its
   own.  */
static void
check_command (const struct dom0less_menu_command *command, void *data)
{
  struct menu *menu = data;
  struct arguments arguments = *menu->arguments;
  int status = EXIT_UNJUDGED;
  const char *fault;
  pid_t child;

  printf ("%s%s:\n", menu->n_commands++ ? "\n" : "",
	  plain (command->entry ? command->entry : "outside of all entries"));
  if (command->unknown)
    printf ("not judged: nothing sets $%s\n", plain (command->unknown));
  fflush (NULL);
  child = command->unknown ? 0 : fork ();
  if (child < 0)
    grub_util_error (_("cannot fork: %s"), strerror (errno));
  if (child == 0 && !command->unknown)
    {
      fault = parse_command (command, &arguments);
      if (fault)
	{
	  printf ("error: %s\n", plain (fault));
	  finish (EXIT_ERRORS);
	}
      finish (check (&arguments));
    }
  if (child > 0 && waitpid (child, &status, 0) == child)
    status = WIFEXITED (status) ? WEXITSTATUS (status) : EXIT_UNJUDGED;
  /* A command that could not be judged is worse than a warning.  */
  if (status > EXIT_UNJUDGED)
    status = EXIT_UNJUDGED;
  if (menu->status != EXIT_ERRORS && (status > menu->status))
    menu->status = status;
  if (status == EXIT_ERRORS)
    menu->status = EXIT_ERRORS;
}

static int
check_menu (const struct arguments *arguments)
{
  struct menu menu = { arguments, 0, EXIT_FINE };
  int line;

  if (arguments->output != OUTPUT_TEXT || arguments->map
      || arguments->output_tree || arguments->request.dtb
      || arguments->request.xen)
    {
      fprintf (stderr, "%s: --grub-cfg says itself what is booted, and is answered "
	       "in text\n", program_name);
      finish (EXIT_USAGE);
    }
  line = dom0less_menu_read (read_text (arguments->grub_cfg), check_command,
			     &menu);
  if (line)
    {
      printf ("error: %s:%d: GRUB cannot parse this\n",
	      plain (arguments->grub_cfg), line);
      return EXIT_ERRORS;
    }
  printf ("%s%d xen_dom0less command%s\n", menu.n_commands ? "\n" : "",
	  menu.n_commands, menu.n_commands == 1 ? "" : "s");
  return menu.status;
}

/* Read the file NAME, which has to be a plan.  */
static char *
read_plan (const char *name)
{
  char *text = read_text (name);

  if (dom0less_is_plan (text))
    return text;
  fprintf (stderr, "%s: %s: no plan, as --json prints it\n", program_name,
	   plain (name));
  finish (EXIT_USAGE);
}

/* Return the plan that was given in place of the tree NAME, or NULL.  */
static char *
plan_instead_of_tree (const char *name)
{
  FILE *stream = dom0less_host_open (AT_FDCWD, name, NULL);
  int first = EOF;

  if (stream)
    {
      first = getc (stream);
      fclose (stream);
    }
  /* Neither a tree nor a compressed file begins with this character.  */
  return first == '{' ? read_plan (name) : NULL;
}

int
main (int argc, char *argv[])
{
  struct arguments arguments;
  char *plan = NULL;
  size_t i;

  grub_util_host_init (&argc, &argv);
  memset (&arguments, 0, sizeof (arguments));
  append (&arguments.overlays, NULL);
  append (&arguments.modules, NULL);
  append (&arguments.memory, NULL);
  argp_err_exit_status = EXIT_USAGE;
  argp_parse (&argp, argc, argv, 0, 0, &arguments);
  atexit (end_unjudged);

  /* Register decompressors and checksums.  */
  grub_init_all ();
  grub_gcry_init_all ();
  if (arguments.memory_map
      && dom0less_host_memory_map (read_text (arguments.memory_map)))
    {
      fprintf (stderr, "%s: %s: no memory map, as lsefimmap prints it\n",
	       program_name, plain (arguments.memory_map));
      finish (EXIT_USAGE);
    }
  if (arguments.pcr)
    arguments.pcr = read_text (arguments.pcr);
  if (arguments.diff)
    {
      arguments.diff = read_plan (arguments.diff);
      plan = arguments.request.dtb
	? plan_instead_of_tree (arguments.request.dtb) : NULL;
    }
  if (plan)
    finish (print_changes (arguments.diff, plan) ? EXIT_WARNINGS : EXIT_FINE);
  place (&arguments);
  for (i = 0; i < arguments.memory.n; i++)
    fill_memory (arguments.memory.item[i]);

  finish (arguments.grub_cfg ? check_menu (&arguments) : check (&arguments));
}
