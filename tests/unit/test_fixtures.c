/* test_fixtures.c - every rule by its fixture, every fixture by its rule  */
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

#include "stage.h"

#include <dirent.h>

#define BOOT_TESTS	"tests/boot"
#define MAX_FIXTURES	256
#define MAX_LINES	16384

/* What good trees are good for, when they do not say otherwise.  */
static const char *const machines[] =
  {
    NULL, "unknown memory", "Xen 4.17", "Xen 4.18", "Xen 4.20", "Xen 4.21",
    "Xen 5.0"
  };

struct fixture
{
  char name[128];
  char needs[256];			/* none if empty */
  char finds[MAX_LINES];
};

static struct fixture fixtures[MAX_FIXTURES];
static int n_fixtures;

/* Append what stands behind LABEL in LINE, a line of a comment, to TEXT.  */
static void
read_label (const char *line, const char *label, char *text, size_t size)
{
  const char *at = strstr (line, label);

  if (at)
    snprintf (text + strlen (text), size - strlen (text), "%s%s",
	      at + strlen (label), size == MAX_LINES ? "\n" : "");
}

static void
read_fixture (struct fixture *fixture)
{
  char *path = format (FIXTURES "/%s.dts", fixture->name);
  FILE *file = fopen (path, "r");
  char line[4096];

  assert_non_null (file);
  while (fgets (line, sizeof (line), file) && strcmp (line, " */\n"))
    {
      line[strcspn (line, "\n")] = '\0';
      read_label (line, " * Finds: ", fixture->finds,
		  sizeof (fixture->finds));
      read_label (line, " * Needs: ", fixture->needs,
		  sizeof (fixture->needs));
    }
  fclose (file);
  free (path);
}

/* The rule that FIXTURE breaks, or NULL if it is good.  */
static const struct grub_dom0less_rule *
fixture_rule (const char *name)
{
  int i;

  if (strncmp (name, "good-", 5) == 0)
    return NULL;
  for (i = 0; i < GRUB_DOM0LESS_RULES; i++)
    {
      const struct grub_dom0less_rule *rule = grub_dom0less_rules + i;
      const char *prefix = rule->severity == GRUB_DOM0LESS_ERROR
	? "bad-" : "warn-";

      if (strncmp (name, prefix, strlen (prefix)) == 0
	  && strcmp (name + strlen (prefix), rule->name) == 0)
	return rule;
    }
  fail_msg ("%s.dts: there is no such rule of this severity", name);
  return NULL;
}

/* Every line of FIXTURE's findings has to be of its RULE.  */
static void
check_lines (const struct fixture *fixture,
	     const struct grub_dom0less_rule *rule)
{
  char *beginning = format ("[%s] ", rule->name);
  const char *line = fixture->finds;

  if (!*line)
    fail_msg ("%s.dts does not say what it finds", fixture->name);
  for (; *line; line = strchr (line, '\n') + 1)
    if (strncmp (line, beginning, strlen (beginning)) != 0)
      fail_msg ("%s.dts finds %s", fixture->name, line);
  free (beginning);
}

static void
find_what_they_say (void **state)
{
  const struct fixture *fixture = *state;
  const struct grub_dom0less_rule *rule = fixture_rule (fixture->name);
  void *fdt = load_fixture (fixture->name);
  size_t i;

  if (rule)
    check_lines (fixture, rule);
  if (rule || *fixture->needs)
    assert_findings (fdt, fixture->needs, fixture->finds);
  else
    for (i = 0; i < sizeof (machines) / sizeof (machines[0]); i++)
      assert_findings (fdt, machines[i], fixture->finds);
  free (fdt);
}

static int
has_fixture (const struct grub_dom0less_rule *rule)
{
  int i;

  for (i = 0; i < n_fixtures; i++)
    if (fixture_rule (fixtures[i].name) == rule)
      return 1;
  return 0;
}

TEST (rules_have_fixtures)
{
  int i, missing = 0;

  for (i = 0; i < GRUB_DOM0LESS_RULES; i++)
    {
      const struct grub_dom0less_rule *rule = grub_dom0less_rules + i;

      if (rule->phase == GRUB_DOM0LESS_BY_LOADER || has_fixture (rule))
	continue;
      print_error ("no fixture for %s\n", rule->name);
      missing++;
    }
  assert_int_equal (missing, 0);
}

/* Whether the file PATH has RULE's name behind a quote or a bracket, and so
   not in a comment.  */
static int
mentions (const char *path, const struct grub_dom0less_rule *rule)
{
  size_t size, length = strlen (rule->name);
  char *bytes = read_file (path, &size), *text;
  const char *at;
  int found = 0;

  assert_non_null (bytes);
  text = format ("\n%.*s", (int) size, bytes);
  for (at = text; !found && (at = strstr (at, rule->name)); at += length)
    found = strchr ("\"'[", at[-1]) && strchr ("\"']\\", at[length]);
  free (text);
  free (bytes);
  return found;
}

static int
has_boot_test (const struct grub_dom0less_rule *rule)
{
  DIR *directory = opendir (BOOT_TESTS);
  struct dirent *entry;
  int found = 0;

  assert_non_null (directory);
  while (!found && (entry = readdir (directory)))
    if (strncmp (entry->d_name, "test_", 5) == 0)
      {
	char *path = format (BOOT_TESTS "/%s", entry->d_name);

	found = mentions (path, rule);
	free (path);
      }
  closedir (directory);
  return found;
}

/* What no tree can break by itself, the loader meets with in a boot test.  */
TEST (other_rules_have_boot_tests)
{
  int i, missing = 0;

  for (i = 0; i < GRUB_DOM0LESS_RULES; i++)
    {
      const struct grub_dom0less_rule *rule = grub_dom0less_rules + i;

      if (rule->phase != GRUB_DOM0LESS_BY_LOADER || has_boot_test (rule))
	continue;
      print_error ("no test in " BOOT_TESTS " expects %s\n", rule->name);
      missing++;
    }
  assert_int_equal (missing, 0);
}

static int
compare_fixtures (const void *a, const void *b)
{
  return strcmp (((const struct fixture *) a)->name,
		 ((const struct fixture *) b)->name);
}

static void
list_fixtures (void)
{
  DIR *directory = opendir (FIXTURES);
  struct dirent *entry;
  size_t length;

  if (!directory)
    abort ();
  while ((entry = readdir (directory)))
    {
      length = strlen (entry->d_name);
      if (length <= 4 || strcmp (entry->d_name + length - 4, ".dts") != 0)
	continue;
      if (n_fixtures == MAX_FIXTURES)
	abort ();
      snprintf (fixtures[n_fixtures].name, sizeof (fixtures[0].name), "%.*s",
		(int) length - 4, entry->d_name);
      n_fixtures++;
    }
  closedir (directory);
  qsort (fixtures, (size_t) n_fixtures, sizeof (fixtures[0]),
	 compare_fixtures);
}

static int
read_fixtures (void **state __attribute__ ((unused)))
{
  int i;

  for (i = 0; i < n_fixtures; i++)
    read_fixture (fixtures + i);
  return 0;
}

int
main (void)
{
  static struct CMUnitTest tests[MAX_FIXTURES + 2] =
    {
      cmocka_unit_test (rules_have_fixtures),
      cmocka_unit_test (other_rules_have_boot_tests)
    };
  size_t n = 2;
  int i;

  list_fixtures ();
  for (i = 0; i < n_fixtures; i++, n++)
    {
      tests[n].name = fixtures[i].name;
      tests[n].test_func = find_what_they_say;
      tests[n].initial_state = fixtures + i;
    }
  return _cmocka_run_group_tests ("fixtures", tests, n, read_fixtures, NULL);
}
