/* test_rules.c - the table of rules, and the words of a finding  */
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

#define FOR_RULES(rule) \
  for ((rule) = grub_dom0less_rules; \
       (rule) < grub_dom0less_rules + GRUB_DOM0LESS_RULES; (rule)++)

TEST (names_are_words_of_their_own)
{
  const struct grub_dom0less_rule *rule, *other;

  FOR_RULES (rule)
    {
      assert_true (*rule->name);
      assert_int_equal (strspn (rule->name, "abcdefghijklmnopqrstuvwxyz"
				"0123456789-"), strlen (rule->name));
      for (other = grub_dom0less_rules; other < rule; other++)
	assert_string_not_equal (rule->name, other->name);
    }
}

/* As GRUB's own errors: no full stop, and nothing that is no placeholder.  */
static void
check_template (const char *template)
{
  const char *at;

  assert_true (*template);
  assert_int_not_equal (template[strlen (template) - 1], '.');
  for (at = strpbrk (template, "{}$"); at; at = strpbrk (at, "{}$"))
    if (!grub_dom0less_read_placeholder (&at))
      fail_msg ("a placeholder of \"%s\" is unknown", template);
}

TEST (words_are_templates)
{
  const struct grub_dom0less_rule *rule;

  FOR_RULES (rule)
    {
      check_template (rule->message);
      if (rule->hint)
	check_template (rule->hint);
    }
}

TEST (the_loader_checks_what_it_meets)
{
  const struct grub_dom0less_rule *rule;

  FOR_RULES (rule)
    assert_int_equal (rule->check == NULL,
		      rule->phase == GRUB_DOM0LESS_BY_LOADER);
}

/* A rule and a finding to put together.  */
static const char *
text (const char *says, const char *hint, const void *fdt, int node,
      int other, const char *file, uint64_t number0, uint64_t number1)
{
  static char buf[1024];
  struct grub_dom0less_rule rule =
    { "the-rule", GRUB_DOM0LESS_ERROR, GRUB_DOM0LESS_WITH_TREE, NULL, says,
      hint };
  struct grub_dom0less_finding finding =
    { &rule, node, other, file, { number0, number1 }, 0, NULL, NULL };

  size_t length = grub_dom0less_finding_text (&finding, fdt, buf,
					      sizeof (buf));

  assert_int_equal (length, strlen (buf));
  return buf;
}

#define NONE	GRUB_DOM0LESS_NONE

TEST (findings_have_words)
{
  void *fdt = make_tree ("/ { chosen { domU1 { module@1 { }; }; b { }; }; };");
  int module = node_at (fdt, "/chosen/domU1/module@1");
  int b = node_at (fdt, "/chosen/b");

  assert_string_equal (text ("says", NULL, fdt, NONE, NONE, NULL, 0, 0),
		       "[the-rule] says");
  assert_string_equal (text ("says", "hint", fdt, module, NONE, NULL, 0, 0),
		       "[the-rule] /chosen/domU1/module@1: says; hint");
  assert_string_equal (text ("says", NULL, fdt, 0, NONE, NULL, 0, 0),
		       "[the-rule] /: says");
  assert_string_equal (text ("{file}, {file} beside {other}", "{file}", fdt, b, module, "it", 0,
			     0),
		       "[the-rule] /chosen/b: it, it beside "
		       "/chosen/domU1/module@1; it");
  assert_string_equal (text ("{hex} {hex2} {number} {number2}", NULL, fdt, NONE, NONE, NULL,
			     UINT64_C (0xfedcba9876543210), 0),
		       "[the-rule] 0xfedcba9876543210 0x0 "
		       "18364758544493064720 0");
  assert_string_equal (text ("{hex} {number}", NULL, fdt, NONE, NONE, NULL, UINT64_MAX,
			     0),
		       "[the-rule] 0xffffffffffffffff 18446744073709551615");
  assert_string_equal (text ("{hex2}{number2}", NULL, fdt, NONE, NONE, NULL, 0, 10),
		       "[the-rule] 0xa10");
  free (fdt);
}

/* A finding may have a cure of its own; one that only counts has none.  */
TEST (findings_have_hints)
{
  struct grub_dom0less_rule rule =
    { "the-rule", GRUB_DOM0LESS_ERROR, GRUB_DOM0LESS_WITH_TREE, NULL, "says",
      "hint" };
  struct grub_dom0less_finding finding =
    { &rule, NONE, NONE, "it", { 0, 0 }, 0, NULL, "another for {file}" };
  char buf[64];

  grub_dom0less_finding_text (&finding, NULL, buf, sizeof (buf));
  assert_string_equal (buf, "[the-rule] says; another for it");
  finding.hint = NULL;
  assert_string_equal (grub_dom0less_finding_hint (&finding), "hint");
  finding.more = 1;
  assert_null (grub_dom0less_finding_hint (&finding));
}

TEST (what_is_not_there_is_a_question_mark)
{
  void *fdt = make_tree ("/ { };");

  assert_string_equal (text ("{file} {other}", NULL, fdt, NONE, NONE, NULL, 0, 0),
		       "[the-rule] ? ?");
  assert_string_equal (text ("says {other}", NULL, NULL, 8, 8, NULL, 0, 0),
		       "[the-rule] ?: says ?");
  assert_string_equal (text ("says", NULL, fdt, 4, NONE, NULL, 0, 0),
		       "[the-rule] ?: says");
  free (fdt);
}

/* A tree's names are a stranger's, and the terminal obeys some characters.  */
TEST (control_characters_are_not_shown)
{
  assert_string_equal (text ("{file}", NULL, NULL, NONE, NONE,
			     "\x1b[2J\x01\x7f\n\r\t x\xc3\xa4", 0, 0),
		       "[the-rule] ?[2J????? x\xc3\xa4");
}

TEST (texts_are_cut_to_fit)
{
  static const char *const whole = "[the-rule] says it all; a hint";
  static const char *const without = "[the-rule] says it all";
  struct grub_dom0less_rule rule =
    { "the-rule", GRUB_DOM0LESS_ERROR, GRUB_DOM0LESS_WITH_TREE, NULL,
      "says it all", "a hint" };
  struct grub_dom0less_finding finding =
    { &rule, NONE, NONE, NULL, { 0, 0 }, 0, NULL, NULL };
  size_t size;

  assert_int_equal (grub_dom0less_finding_text (&finding, NULL, NULL, 0), 0);
  for (size = 1; size <= strlen (whole) + 2; size++)
    {
      /* The hint goes as a whole, the rest by the letter.  */
      const char *expected = size > strlen (whole) ? whole : without;
      size_t length = strlen (expected) < size ? strlen (expected) : size - 1;
      char *buf = malloc (size);

      assert_non_null (buf);
      assert_int_equal (grub_dom0less_finding_text (&finding, NULL, buf, size),
			length);
      assert_int_equal (strlen (buf), length);
      assert_memory_equal (buf, expected, length);
      free (buf);
    }
}

static void
count (void *data, const struct grub_dom0less_finding *finding)
{
  const struct grub_dom0less_finding **last = data;

  assert_null (*last);
  *last = finding;
  assert_ptr_equal (finding->rule,
		    grub_dom0less_rules + GRUB_DOM0LESS_RULE_FILE_MISSING);
  assert_int_equal (finding->node, 1);
  assert_int_equal (finding->other, 2);
  assert_string_equal (finding->file, "file");
  assert_int_equal (finding->number[0], 3);
  assert_int_equal (finding->number[1], 4);
}

TEST (the_loader_reports_as_rules_do)
{
  const struct grub_dom0less_finding *last = NULL;
  struct grub_dom0less_context context =
    { NULL, NULL, NULL, NULL, count, &last, NULL };

  grub_dom0less_report (&context, GRUB_DOM0LESS_RULE_FILE_MISSING, 1, 2, "file",
			3, 4);
  assert_non_null (last);
}

/* Everything that was told, one line for each.  */
struct told
{
  const void *fdt;
  int n;
  char last[192];
};

static void
tell (void *data, const struct grub_dom0less_finding *finding)
{
  struct told *told = data;

  told->n++;
  grub_dom0less_finding_text (finding, told->fdt, told->last,
			      sizeof (told->last));
}

/* Of one rule so many findings, and then how many more there are, each time.  */
TEST (findings_have_a_limit)
{
  static struct grub_dom0less_plan plan;
  struct grub_dom0less_facts facts = { 0 };
  struct grub_dom0less_tally tally = { { 0 } };
  struct told told = { NULL, 0, "" };
  struct grub_dom0less_context context
    = { NULL, &plan, &facts, NULL, tell, &told, &tally };
  int n, i, round;

  for (n = 15; n <= 19; n++)
    {
      char *source = format ("%s", ""), *more;
      void *fdt;

      for (i = 0; i < n; i++)
	{
	  more = format ("%s m%d { compatible = \"multiboot,module\"; };",
			 source, i);
	  free (source);
	  source = more;
	}
      more = format ("/ { cpus { %s }; };", source);
      told.fdt = context.fdt = fdt = make_tree (more);
      grub_dom0less_plan_read (&plan, fdt);
      for (round = 0; round < 2; round++)
	{
	  told.n = 0;
	  grub_dom0less_apply_rules (&context, GRUB_DOM0LESS_WITH_TREE);
	  assert_int_equal (told.n, n <= 16 ? n : 17);
	  free (more);
	  more = n == 16 || n == 15
	    ? format ("[nested-module] /cpus/m%d: Xen's EFI stub overlooks a "
		      "module here; move it into /chosen or into a domain",
		      n - 1)
	    : format ("[nested-module] and %d more", n - 16);
	  assert_string_equal (told.last, more);
	}
      told.n = 0;
      for (i = 0; i < n; i++)
	grub_dom0less_report (&context, GRUB_DOM0LESS_RULE_KEY_UNUSED, NONE,
			      NONE, "k", 0, 0);
      grub_dom0less_report_more (&context);
      grub_dom0less_report_more (&context);
      assert_int_equal (told.n, n <= 16 ? n : 17);
      free (more);
      free (source);
      free (fdt);
    }
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (names_are_words_of_their_own),
      cmocka_unit_test (words_are_templates),
      cmocka_unit_test (the_loader_checks_what_it_meets),
      cmocka_unit_test (findings_have_words),
      cmocka_unit_test (findings_have_hints),
      cmocka_unit_test (what_is_not_there_is_a_question_mark),
      cmocka_unit_test (control_characters_are_not_shown),
      cmocka_unit_test (texts_are_cut_to_fit),
      cmocka_unit_test (the_loader_reports_as_rules_do),
      cmocka_unit_test (findings_have_a_limit)
    };

  return RUN ("rules", tests);
}
