/* test_config.c - Xen's own configuration file  */
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

/* The example of the thread, in the words of Xen's documentation.  */
#define EXAMPLE	\
  "[global]\n" \
  "default=section1\n" \
  "\n" \
  "[section1]\n" \
  "options=console=vga,com1 com1=57600 loglvl=all noreboot\n" \
  "kernel=vmlinuz-3.0.31-0.4-xen root=/dev/sda1  quiet\n" \
  "ramdisk=initrd-3.0.31-0.4-xen\n" \
  "xsm=policy with words\n" \
  "dtb=devtree.dtb\n" \
  "binary=vmlinuz-guest domu-kernel\n"

/* SOURCE cut, in a block of exactly its size.  */
static char *
cut (const char *source)
{
  size_t size = strlen (source);
  char *text = malloc (size + 1);

  assert_non_null (text);
  memcpy (text, source, size);
  text[size] = 'x';
  grub_dom0less_config_cut (text, size);
  assert_int_equal (text[size], '\0');
  return text;
}

/* What the entries of SOURCE are, each as "SECTION/KEY=VALUE;".  */
static char *
list (const char *source)
{
  struct grub_dom0less_entry entry;
  char *text = cut (source), *found = format ("%s", "");

  memset (&entry, 0, sizeof (entry));
  while (grub_dom0less_config_next (text, strlen (source), &entry))
    {
      const char *section = entry.section ? entry.section : "";
      char *more = format ("%s%.*s/%.*s=%s;", found,
			   (int) strcspn (section, "]"), section,
			   (int) entry.key_length, entry.key, entry.value);

      free (found);
      found = more;
    }
  free (text);
  return found;
}

static const struct
{
  const char *source, *entries;
} files[] =
  {
    { "", "" },
    { "a=b", "/a=b;" },
    { "a=b\n", "/a=b;" },
    { "a=b\r\nc=d\r\n", "/a=b;/c=d;" },
    { "a=b\n[s]\nc=d\n[t]\ne=f\n", "/a=b;s/c=d;t/e=f;" },
    /* Blanks before a key and before a value go, others stay.  */
    { "  a=  b c  \n", "/a=b c  ;" },
    { "a =b\n", "/a =b;" },
    { "a=\n", "/a=;" },
    { "=b\n", "/=b;" },
    /* A tab ends a line, as it does for Xen.  */
    { "a=b\tc=d\n", "/a=b;/c=d;" },
    /* Comments.  */
    { "# a=b\n; c=d\n e=f\n", "/e=f;" },
    { "a=b # c\nd=e ; f\n", "/a=b ;/d=e ; f;" },
    { "#\n#a\n", "" },
    /* Lines without a key.  */
    { "a\nb c\n=\n[s\n]\n", "/=;" },
    { "a=b=c\n", "/a=b=c;" },
    { "\n\n\na=b\n\n\n", "/a=b;" }
  };

TEST (files_are_read_line_by_line)
{
  size_t i;

  for (i = 0; i < sizeof (files) / sizeof (files[0]); i++)
    {
      char *entries = list (files[i].source);

      assert_string_equal (entries, files[i].entries);
      free (entries);
    }
}

static const struct
{
  const char *source, *section, *key, *value;
} values[] =
  {
    { EXAMPLE, "global", "default", "section1" },
    { EXAMPLE, "global", "chain", NULL },
    { EXAMPLE, "section1", "kernel",
      "vmlinuz-3.0.31-0.4-xen root=/dev/sda1  quiet" },
    { EXAMPLE, "section1", "default", NULL },
    { EXAMPLE, "section2", "kernel", NULL },
    { EXAMPLE, "section", "kernel", NULL },
    { EXAMPLE, "section11", "kernel", NULL },
    { EXAMPLE, NULL, "kernel",
      "vmlinuz-3.0.31-0.4-xen root=/dev/sda1  quiet" },
    { EXAMPLE, NULL, "kerne", NULL },
    { EXAMPLE, NULL, "kernel2", NULL },
    /* The first one counts, in the first section of the name.  */
    { "[s]\na=1\na=2\n", "s", "a", "1" },
    { "[s]\na=1\n[s]\na=2\nb=3\n", "s", "a", "1" },
    { "[s]\na=1\n[s]\na=2\nb=3\n", "s", "b", NULL },
    { "[s]\na=1\n[t]\nb=2\n[s]\nc=3\n", "s", "c", NULL },
    { "[s]\na=1\n[t]\nb=2\n", "t", "b", "2" },
    { "[s]\n[t]\n[s]\na=1\n", "s", "a", NULL },
    { "a=1\n[s]\na=2\n", "s", "a", "2" },
    { "a=1\n[s]\na=2\n", NULL, "a", "1" },
    { "[s]x\na=2\n", "s", "a", "2" },
    { "[s\na=2\n", "s", "a", NULL }
  };

TEST (values_are_found_in_their_section)
{
  size_t i;

  for (i = 0; i < sizeof (values) / sizeof (values[0]); i++)
    {
      char *text = cut (values[i].source);
      const char *value
	= grub_dom0less_config_value (text, strlen (values[i].source),
				      values[i].section, values[i].key);

      if (values[i].value)
	{
	  assert_non_null (value);
	  assert_string_equal (value, values[i].value);
	}
      else
	assert_null (value);
      free (text);
    }
}

TEST (entries_stand_in_sections)
{
  struct grub_dom0less_entry entry;

  memset (&entry, 0, sizeof (entry));
  assert_true (grub_dom0less_config_in_section (&entry, NULL));
  assert_false (grub_dom0less_config_in_section (&entry, "s"));
  entry.section = "s] what stands behind";
  assert_true (grub_dom0less_config_in_section (&entry, NULL));
  assert_true (grub_dom0less_config_in_section (&entry, "s"));
  assert_false (grub_dom0less_config_in_section (&entry, ""));
  assert_false (grub_dom0less_config_in_section (&entry, "s] what"));
}

TEST (keywords_are_known)
{
  static const char *const keys[] =
    { "default", "chain", "options", "kernel", "ramdisk", "xsm", "dtb",
      "binary", "video", "ucode" };
  static const char *const others[] =
    { "", "kernels", "kerne", "Kernel", "initrd", "kernel " };
  struct grub_dom0less_entry entry;
  size_t i;

  memset (&entry, 0, sizeof (entry));
  for (i = 0; i < sizeof (keys) / sizeof (keys[0]); i++)
    {
      entry.key = keys[i];
      entry.key_length = strlen (keys[i]);
      assert_true (grub_dom0less_config_known (&entry));
      assert_true (grub_dom0less_config_is (&entry, keys[i]));
    }
  for (i = 0; i < sizeof (others) / sizeof (others[0]); i++)
    {
      entry.key = others[i];
      entry.key_length = strlen (others[i]);
      assert_false (grub_dom0less_config_known (&entry));
    }
}

static const struct
{
  const char *value, *first, *rest;
} splits[] =
  {
    { "file", "file", NULL },
    { "file args", "file", "args" },
    { "file  two  words ", "file", "two  words " },
    { "file  ", "file", NULL },
    { "", "", NULL }
  };

TEST (values_are_split_behind_the_first_word)
{
  size_t i;

  for (i = 0; i < sizeof (splits) / sizeof (splits[0]); i++)
    {
      char *value = format ("%s", splits[i].value);
      char *rest = grub_dom0less_config_split (value);

      assert_string_equal (value, splits[i].first);
      if (splits[i].rest)
	{
	  assert_non_null (rest);
	  assert_string_equal (rest, splits[i].rest);
	}
      else
	assert_null (rest);
      free (value);
    }
}

static const struct
{
  const char *xen;
  int attempt;
  const char *name;			/* or none */
} config_names[] =
  {
    { "(hd0,gpt2)/xen.efi", 0, "(hd0,gpt2)/xen.cfg" },
    { "(hd0,gpt2)/xen.efi", 1, NULL },
    { "(hd0)/boot/xen-4.17-arm64.efi", 0, "(hd0)/boot/xen-4.17-arm64.cfg" },
    { "(hd0)/boot/xen-4.17-arm64.efi", 1, "(hd0)/boot/xen-4.17.cfg" },
    { "(hd0)/boot/xen-4.17-arm64.efi", 2, "(hd0)/boot/xen-4.cfg" },
    { "(hd0)/boot/xen-4.17-arm64.efi", 3, "(hd0)/boot/xen.cfg" },
    { "(hd0)/boot/xen-4.17-arm64.efi", 4, NULL },
    { "(hd0)/xen_a.efi", 1, "(hd0)/xen.cfg" },
    { "(hd0)/xen", 0, NULL },
    /* Dots of folders and devices are not the file's.  */
    { "(hd0)/xen.d/xen", 0, NULL },
    { "(hd0)\\xen.d\\xen.efi", 1, NULL },
    { "(lvm/a.b)xen", 0, NULL },
    { "xen.efi", 0, "xen.cfg" },
    { "xen", 0, NULL },
    { "", 0, NULL },
    { "(hd0)/.efi", 0, "(hd0)/.cfg" },
    { "(hd0)/xen.", 0, "(hd0)/xen.cfg" }
  };

TEST (the_configuration_lies_beside_xen)
{
  size_t i, size;

  for (i = 0; i < sizeof (config_names) / sizeof (config_names[0]); i++)
    {
      const char *name = config_names[i].name ? config_names[i].name : "";
      size_t length = strlen (name);

      assert_int_equal (grub_dom0less_config_name (config_names[i].xen,
						   config_names[i].attempt,
						   NULL, 0), length);
      /* Nothing is written into what is too short.  */
      for (size = length; length && size <= length + 1; size++)
	{
	  char *buf = malloc (size);

	  assert_non_null (buf);
	  memset (buf, '?', size);
	  assert_int_equal (grub_dom0less_config_name (config_names[i].xen,
						       config_names[i].attempt,
						       buf, size), length);
	  if (size > length)
	    assert_string_equal (buf, name);
	  else
	    assert_int_equal (buf[0], '?');
	  free (buf);
	}
    }
}

/* Apply CONFIG to the tree of SOURCE, in a block with as much room as was
   promised, or ROOM if that is not negative.  Returns the tree.  */
static void *
apply (const char *source, const char *config, const char *section, int room,
       int *status)
{
  size_t size = strlen (config);
  void *base = make_tree (source);
  void *fdt = copy_tree (base, room < 0 ? grub_dom0less_config_room (size)
			 : (size_t) room);
  char *text = cut (config);

  *status = grub_dom0less_config_apply (fdt, text, size, section);
  free (text);
  free (base);
  assert_int_equal (fdt_check_full (fdt, fdt_totalsize (fdt)), 0);
  return fdt;
}

static void
assert_module (const void *fdt, const char *path,
	       enum grub_dom0less_kind kind, const char *file,
	       const char *bootargs)
{
  static struct grub_dom0less_plan plan;
  int i, node = node_at (fdt, path);
  const char *found = fdt_getprop (fdt, node, "bootargs", NULL);

  grub_dom0less_plan_read (&plan, fdt);
  for (i = 0; i < plan.n_modules; i++)
    if (plan.modules[i].node == node)
      break;
  assert_true (i < plan.n_modules);
  assert_int_equal (plan.modules[i].domain, GRUB_DOM0LESS_DOM0);
  assert_int_equal (plan.modules[i].kind, kind);
  assert_string_equal (plan.modules[i].name, file);
  assert_int_equal (fdt_node_check_compatible (fdt, node, "multiboot,module"),
		    0);
  if (bootargs)
    {
      assert_non_null (found);
      assert_string_equal (found, bootargs);
    }
  else
    assert_null (found);
}

TEST (the_dom0_is_written_into_chosen)
{
  int status;
  void *fdt = apply ("/ { chosen { xen,uefi-cfg-load; }; };", EXAMPLE,
		     "section1", -1, &status);
  int chosen = node_at (fdt, "/chosen");

  assert_int_equal (status, 0);
  assert_null (fdt_getprop (fdt, chosen, "xen,uefi-cfg-load", NULL));
  assert_string_equal (fdt_getprop (fdt, chosen, "xen,xen-bootargs", NULL),
		       "console=vga,com1 com1=57600 loglvl=all noreboot");
  assert_module (fdt, "/chosen/kernel", GRUB_DOM0LESS_KERNEL,
		 "vmlinuz-3.0.31-0.4-xen", "root=/dev/sda1  quiet");
  assert_module (fdt, "/chosen/ramdisk", GRUB_DOM0LESS_RAMDISK,
		 "initrd-3.0.31-0.4-xen", NULL);
  assert_module (fdt, "/chosen/xsm", GRUB_DOM0LESS_XSM_POLICY, "policy",
		 NULL);
  free (fdt);
}

TEST (a_tree_without_chosen_gets_one)
{
  int status;
  void *fdt = apply ("/ { };", "kernel=k\n", NULL, -1, &status);

  assert_int_equal (status, 0);
  assert_module (fdt, "/chosen/kernel", GRUB_DOM0LESS_KERNEL, "k", NULL);
  assert_null (fdt_getprop (fdt, node_at (fdt, "/chosen"),
			    "xen,xen-bootargs", NULL));
  free (fdt);
}

TEST (a_section_without_a_dom0_adds_nothing)
{
  int status;
  void *fdt = apply ("/ { chosen { xen,xen-bootargs = \"mine\"; }; };",
		     EXAMPLE, "none", -1, &status);

  assert_int_equal (status, 0);
  assert_int_equal (fdt_first_subnode (fdt, node_at (fdt, "/chosen")),
		    -FDT_ERR_NOTFOUND);
  assert_string_equal (fdt_getprop (fdt, node_at (fdt, "/chosen"),
				    "xen,xen-bootargs", NULL), "mine");
  free (fdt);
}

TEST (what_the_tree_has_already_is_an_error)
{
  static const char *const nodes[] = { "kernel", "ramdisk", "xsm" };
  size_t i;

  for (i = 0; i < sizeof (nodes) / sizeof (nodes[0]); i++)
    {
      char *source = format ("/ { chosen { %s { }; }; };", nodes[i]);
      int status;

      free (apply (source, EXAMPLE, "section1", -1, &status));
      assert_int_equal (status, -FDT_ERR_EXISTS);
      free (source);
    }
}

TEST (too_little_room_is_an_error)
{
  int room, status = -1;

  for (room = 0; status != 0; room++)
    {
      free (apply ("/ { };", EXAMPLE, "section1", room, &status));
      assert_true (status == 0 || status == -FDT_ERR_NOSPACE);
      assert_true (room <= (int) grub_dom0less_config_room (strlen (EXAMPLE)));
    }
}

/* The least text for the most that it asks for.  */
TEST (the_room_is_enough_for_short_texts)
{
  int status;

  free (apply ("/ { };", "kernel=k a\nramdisk=r\nxsm=x\noptions=\n", NULL, -1,
	       &status));
  assert_int_equal (status, 0);
  free (apply ("/ { };", "kernel=\nramdisk=\nxsm=\noptions=", NULL, -1,
	       &status));
  assert_int_equal (status, 0);
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (files_are_read_line_by_line),
      cmocka_unit_test (values_are_found_in_their_section),
      cmocka_unit_test (entries_stand_in_sections),
      cmocka_unit_test (keywords_are_known),
      cmocka_unit_test (values_are_split_behind_the_first_word),
      cmocka_unit_test (the_configuration_lies_beside_xen),
      cmocka_unit_test (the_dom0_is_written_into_chosen),
      cmocka_unit_test (a_tree_without_chosen_gets_one),
      cmocka_unit_test (a_section_without_a_dom0_adds_nothing),
      cmocka_unit_test (what_the_tree_has_already_is_an_error),
      cmocka_unit_test (too_little_room_is_an_error),
      cmocka_unit_test (the_room_is_enough_for_short_texts)
    };

  return RUN ("config", tests);
}
