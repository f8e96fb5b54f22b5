/* test_overlay.c - overlays that fit their base, and those that do not  */
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

#include "oracle.h"
#include "support.h"
#include "xen_dom0less_vectors.h"

static void *
make_part (const char *source)
{
  char *tree = format ("/ { %s };", source);
  void *fdt = make_tree (tree);

  free (tree);
  return fdt;
}

/* Apply OVERLAY to BASE in blocks of exactly the promised sizes.  Returns the
   tree, or NULL with MISFIT filled in, whose strings last until the next.  */
static void *
merge (const void *base, const void *overlay,
       struct grub_dom0less_misfit *misfit)
{
  void *work = allocate (grub_dom0less_merge_size (base, overlay));
  size_t size = fdt_totalsize (overlay);
  void *copy = allocate (size), *merged = NULL;
  static char missing[2048];

  memcpy (copy, overlay, size);
  if (grub_dom0less_merge (work, base, copy, misfit) == 0)
    {
      size = grub_dom0less_write_merged (work, NULL, 0);
      merged = allocate (size);
      assert_int_equal (grub_dom0less_write_merged (work, merged, size), size);
      assert_null (grub_dom0less_tree_fault (merged, size));
    }
  else if (misfit->missing)
    {
      snprintf (missing, sizeof (missing), "%s", misfit->missing);
      misfit->missing = missing;
    }
  free (copy);
  free (work);
  return merged;
}

/* Apply OVERLAY to BASE: the outcome is libfdt's.  Both are freed.  */
static void
assert_as_libfdt (void *base, void *overlay)
{
  struct grub_dom0less_misfit misfit = { 0, NULL, NULL, NULL };
  void *merged = merge (base, overlay, &misfit);
  const char *fault;

  if (!merged)
    fail_msg ("%s", misfit.fault ? misfit.fault : misfit.missing);
  fault = find_merge_fault (base, overlay, merged);
  if (fault)
    fail_msg ("%s", fault);
  free (merged);
  free (overlay);
  free (base);
}

TEST (what_is_wrong_is_named)
{
  size_t i;

  for (i = 0; i < N_VECTORS (overlay_vectors); i++)
    {
      void *base = make_part (overlay_vectors[i].base);
      void *overlay = make_part (overlay_vectors[i].overlay);
      struct grub_dom0less_misfit misfit = { 0, NULL, NULL, NULL };
      void *merged = merge (base, overlay, &misfit);
      char node[256];

      assert_int_equal (!merged, overlay_vectors[i].node != NULL);
      if (!merged)
	{
	  grub_dom0less_node_path (NULL, overlay, misfit.node, node,
				   sizeof (node));
	  assert_string_equal (node, overlay_vectors[i].node);
	  assert_true (!misfit.missing != !misfit.fault);
	  assert_string_equal (misfit.missing ? misfit.missing : misfit.fault,
			       misfit.missing ? overlay_vectors[i].missing
			       : overlay_vectors[i].fault);
	}
      free (merged);
      free (base);
      free (overlay);
    }
}

#define BASE	\
  "aliases { s = \"/soc\"; };" \
  "soc { phandle = <3>; p; a@2 { phandle = <7>; v = <1>; }; a@1 { w; };" \
  " b { linux,phandle = <9>; }; };" \
  "__symbols__ { soc = \"/soc\"; a = \"/soc/a@2\"; b = \"s/b\"; };"

TEST (the_outcome_is_libfdts)
{
  static const char *const overlays[] =
    {
      "",
      /* New nodes and properties come first, and what is there stays.  */
      INTO ("0", "target-path = \"/soc\"", "p = <5>; q; c { d; }; e { };"),
      INTO ("0", "target-path = \"/\"", "soc { b { x; }; }; chosen { y; };"),
      /* A name without a unit stands for the first that has one.  */
      INTO ("0", "target-path = \"/soc/a\"", "v = <2>; u;")
      INTO ("1", "target-path = \"/soc\"", "a { t; }; a@3 { }; a@1 { s; };")
      INTO ("2", "target-path = \"/soc/a\"", "third;"),
      INTO ("0", "target-path = \"s\"", "x;")
      INTO ("1", "target-path = \"s/b\"", "x;"),
      /* A fragment for what another has made.  */
      INTO ("0", "target-path = \"/\"", "n { phandle = <1>; };")
      INTO ("1", "target-path = \"/n\"", "m { };"),
      /* Phandles of its own, of the base, and both for one node.  */
      INTO ("0", "target-path = \"/\"", "r = <1 2 1>; n { phandle = <1>; };"
	    "m { linux,phandle = <2>; };")
      "__local_fixups__ { fragment@0 { __overlay__ { r = <0 4 8>; }; }; };",
      INTO ("0", "target = <0xffffffff>", "r = <0xffffffff 0xffffffff>;")
      "__fixups__ { a = \"/fragment@0:target:0\","
      "\"/fragment@0/__overlay__:r:4\"; b = \"/fragment@0/__overlay__:r:0\"; };",
      INTO ("0", "target-path = \"/soc\"", "r = <4>; phandle = <4>;"
	    "b { phandle = <5>; s = <5 4>; };")
      "__local_fixups__ { fragment@0 { __overlay__ { r = <0>;"
      " b { s = <0 4>; }; }; }; };",
      INTO ("0", "target-path = \"/\"", "r = [00 00 00 00 01]; n { phandle = "
	    "<1>; };")
      "__local_fixups__ { fragment@0 { __overlay__ { r = <1>; }; }; };",
      /* Symbols, by paths and by phandles.  */
      INTO ("0", "target-path = \"/soc\"", "n { m { }; };")
      INTO ("1", "target = <0xffffffff>", "k { };")
      INTO ("2", "target-path = \"/\"", "root { };")
      "__fixups__ { b = \"/fragment@1:target:0\"; };"
      "__symbols__ { m = \"/fragment@0/__overlay__/n/m\";"
      " k = \"/fragment@1/__overlay__/k\"; a = \"/fragment@0/__overlay__/n\";"
      " root = \"/fragment@2/__overlay__/root\"; none = \"/fragment@0\";"
      " other = \"/fragment@0/something\"; };",
      /* What is no fragment is passed over.  */
      "x { y { }; }; fragment@9 { target-path = \"/nowhere\"; };"
    };
  size_t i;

  for (i = 0; i < sizeof (overlays) / sizeof (overlays[0]); i++)
    assert_as_libfdt (make_part (BASE), make_part (overlays[i]));
  assert_as_libfdt (make_part (""), make_part (INTO ("0",
						     "target-path = \"/\"", "n"
						     " { };")
					       "__symbols__ { n = \"/fragment@"
					       "0/__overlay__/n\"; };"));
}

/* Reservations stay; nothing is added that nobody has asked for.  */
TEST (what_is_not_touched_stays)
{
  void *base = make_tree ("/memreserve/ 0x1000 0x2000; / { a { }; };");

  assert_as_libfdt (base, make_part (INTO ("0", "target-path = \"/a\"",
					   "b { };")));
}

static char *
nest (const char *inside, int levels)
{
  char *source = format ("%s", inside), *more;

  for (; levels; levels--)
    {
      more = format ("a { %s };", source);
      free (source);
      source = more;
    }
  return source;
}

/* Overlays that go on where another has ended, and so on.  */
TEST (trees_do_not_grow_too_deep)
{
  int levels;

  for (levels = 30; levels <= 36; levels++)
    {
      char *inside = nest ("", levels);
      char *source = format (INTO ("0", "target-path = \"/\"", "%s"), inside);
      char *target = format ("%s", ""), *more;
      struct grub_dom0less_misfit misfit = { 0, NULL, NULL, NULL };
      void *base = make_part (""), *overlay = make_part (source);
      void *once = merge (base, overlay, &misfit), *twice;
      int i;

      assert_non_null (once);
      for (i = 0; i < levels; i++)
	{
	  more = format ("%s/a", target);
	  free (target);
	  target = more;
	}
      free (overlay);
      free (source);
      source = format (INTO ("0", "target-path = \"%s\"", "%s"), target,
		       inside);
      overlay = make_part (source);
      twice = merge (once, overlay, &misfit);
      if (1 + 2 * levels <= GRUB_DOM0LESS_MAX_DEPTH)
	assert_non_null (twice);
      else
	{
	  assert_null (twice);
	  assert_string_equal (misfit.fault,
			       "it would lie deeper than 64 levels");
	}
      free (twice);
      free (once);
      free (base);
      free (overlay);
      free (source);
      free (target);
      free (inside);
    }
}

/* Whatever a symbol's path and its name are, nobody reads past their ends; and
   a path that is too long is none.  */
TEST (long_paths_are_no_paths)
{
  size_t length;

  for (length = 1022; length <= 1025; length++)
    {
      char *slashes = repeat ('/', length - 3);
      char *source = format (INTO ("0", "target-path = \"%ssoc\"", "x;"),
			     slashes);
      void *base = make_part (BASE), *overlay = make_part (source);
      struct grub_dom0less_misfit misfit = { 0, NULL, NULL, NULL };
      void *merged = merge (base, overlay, &misfit);

      assert_int_equal (merged != NULL, length <= 1023);
      free (merged);
      free (base);
      free (overlay);
      free (source);
      free (slashes);
    }
}

int
main (void)
{
  static const struct CMUnitTest tests[] =
    {
      cmocka_unit_test (what_is_wrong_is_named),
      cmocka_unit_test (the_outcome_is_libfdts),
      cmocka_unit_test (what_is_not_touched_stays),
      cmocka_unit_test (trees_do_not_grow_too_deep),
      cmocka_unit_test (long_paths_are_no_paths)
    };

  return RUN ("overlay", tests);
}
