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
#include "xen_dom0less_vectors.h"

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

TEST (files_are_read_line_by_line)
{
  size_t i;

  for (i = 0; i < N_VECTORS (config_vectors); i++)
    {
      char *entries = list (config_vectors[i].source);

      assert_string_equal (entries, config_vectors[i].entries);
      free (entries);
    }
}

TEST (values_are_found_in_their_section)
{
  size_t i;

  for (i = 0; i < N_VECTORS (value_vectors); i++)
    {
      char *text = cut (value_vectors[i].source);
      const char *value
	= grub_dom0less_config_value (text, strlen (value_vectors[i].source),
				      value_vectors[i].section,
				      value_vectors[i].key);

      if (value_vectors[i].value)
	{
	  assert_non_null (value);
	  assert_string_equal (value, value_vectors[i].value);
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

TEST (values_are_split_behind_the_first_word)
{
  size_t i;

  for (i = 0; i < N_VECTORS (split_vectors); i++)
    {
      char *value = format ("%s", split_vectors[i].value);
      char *rest = grub_dom0less_config_split (value);

      assert_string_equal (value, split_vectors[i].first);
      if (split_vectors[i].rest)
	{
	  assert_non_null (rest);
	  assert_string_equal (rest, split_vectors[i].rest);
	}
      else
	assert_null (rest);
      free (value);
    }
}

TEST (the_configuration_lies_beside_xen)
{
  size_t i, size;

  for (i = 0; i < N_VECTORS (config_name_vectors); i++)
    {
      const char *xen = config_name_vectors[i].xen;
      int attempt = config_name_vectors[i].attempt;
      const char *name = config_name_vectors[i].name;
      size_t length = name ? strlen (name) : 0;

      assert_int_equal (grub_dom0less_config_name (xen, attempt, NULL, 0),
			length);
      /* Nothing is written into what is too short.  */
      for (size = length; length && size <= length + 1; size++)
	{
	  char *buf = malloc (size);

	  assert_non_null (buf);
	  memset (buf, '?', size);
	  assert_int_equal (grub_dom0less_config_name (xen, attempt, buf, size),
			    length);
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
  void *fdt = copy_tree (base, room < 0 ? grub_dom0less_config_growth (size)
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
  void *fdt = apply ("/ { chosen { xen,uefi-cfg-load; }; };", XEN_CFG,
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
		     XEN_CFG, "none", -1, &status);

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

      free (apply (source, XEN_CFG, "section1", -1, &status));
      assert_int_equal (status, -FDT_ERR_EXISTS);
      free (source);
    }
}

TEST (too_little_room_is_an_error)
{
  int room, status = -1;

  for (room = 0; status != 0; room++)
    {
      free (apply ("/ { };", XEN_CFG, "section1", room, &status));
      assert_true (status == 0 || status == -FDT_ERR_NOSPACE);
      assert_true (room <= (int) grub_dom0less_config_growth (strlen (XEN_CFG)));
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
