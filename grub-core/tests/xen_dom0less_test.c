/* xen_dom0less_test.c - test the library with its vectors inside the
   firmware  */
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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grub/test.h>

#include "xen_dom0less_vectors.h"

GRUB_MOD_LICENSE ("GPLv3+");

/* Sufficient for every tree and text of the vectors, patched or not.  */
#define TREE_SIZE	8192
#define TEXT_SIZE	1024

/* The memory map in the facts for the rules.  */
#define MIB		UINT64_C (0x100000)
#define RAM		UINT64_C (0x40000000)
#define RAM_END		UINT64_C (0xc0000000)

static const struct grub_dom0less_memory memory[] =
  {
    { GRUB_DOM0LESS_MEMORY_FIRMWARE, 64 * MIB, 64 * MIB },
    { GRUB_DOM0LESS_MEMORY_LOADER, RAM, MIB },
    { GRUB_DOM0LESS_MEMORY_FREE, RAM + MIB, RAM_END - RAM - 2 * MIB },
    { GRUB_DOM0LESS_MEMORY_FIRMWARE, RAM_END - MIB, MIB }
  };

#define IMAGES		UINT64_C (0x50000000)
#define IMAGE_SIZE	4096

/* This is too large for the stack.  */
static struct grub_dom0less_plan plan;

static const char *
skip_blanks (const char *source)
{
  while (*source == ' ')
    source++;
  return source;
}

/* Read a property's value at *SOURCE, which consists of strings and cells up
   to a semicolon, into VALUE.  Return its length, or -1 if it is not
   understood.  */
static int
read_value (const char **source, char *value, size_t size)
{
  const char *at = skip_blanks (*source);
  size_t length = 0;
  char *end;

  while (*at && *at != ';')
    {
      if (length + sizeof (fdt32_t) > size)
	return -1;
      if (*at == '"')
	{
	  for (at++; *at && *at != '"' && length + 1 < size; at++)
	    value[length++] = *at;
	  if (*at++ != '"')
	    return -1;
	  value[length++] = '\0';
	}
      else if (*at == '<' || *at == '>' || *at == ',')
	at++;
      else
	{
	  fdt32_t cell = cpu_to_fdt32 (strtoul (at, &end, 0));

	  if (end == at)
	    return -1;
	  memcpy (value + length, &cell, sizeof (cell));
	  length += sizeof (cell);
	  at = end;
	}
      at = skip_blanks (at);
    }
  *source = at;
  return (int) length;
}

/* Write the node or property at SOURCE into FDT.  Return the rest of SOURCE,
   or NULL if it is not understood.  */
static const char *
write_one (void *fdt, const char *source)
{
  char name[64], value[256];
  size_t n = 0;
  int length = 0, status;

  if (*source == '}')
    {
      source = skip_blanks (source + 1);
      return *source == ';' && fdt_end_node (fdt) == 0 ? source + 1 : NULL;
    }

  while (*source && *source != ' ' && *source != ';' && n + 1 < sizeof (name))
    name[n++] = *source++;
  name[n] = '\0';
  source = skip_blanks (source);
  if (*source == '{')
    status = fdt_begin_node (fdt, name);
  else
    {
      if (*source == '=')
	{
	  source++;
	  length = read_value (&source, value, sizeof (value));
	}
      if (*source != ';' || length < 0)
	return NULL;
      status = fdt_property (fdt, name, value, length);
    }
  return status == 0 ? source + 1 : NULL;
}

/* Return a tree whose root contains SOURCE, in a block of TREE_SIZE bytes.  If
   it cannot be made, return NULL after reporting a failure.  */
static void *
build_tree (const char *source)
{
  const char *at = source;
  void *fdt = malloc (TREE_SIZE);

  if (fdt && fdt_create (fdt, TREE_SIZE) == 0
      && fdt_finish_reservemap (fdt) == 0 && fdt_begin_node (fdt, "") == 0)
    while (at && *(at = skip_blanks (at)))
      at = write_one (fdt, at);
  if (fdt && at && fdt_end_node (fdt) == 0 && fdt_finish (fdt) == 0
      && fdt_open_into (fdt, fdt, TREE_SIZE) == 0)
    return fdt;
  grub_test_assert (0, "no tree of \"%s\"", source);
  free (fdt);
  return NULL;
}

static void
test_names (void)
{
  size_t i;

  for (i = 0; i < N_VECTORS (name_vectors); i++)
    {
      const char *file = name_vectors[i].file;
      char name[64];
      size_t length = grub_dom0less_format_path (name_vectors[i].xen,
						 name_vectors[i].name, name,
						 sizeof (name));

      grub_test_assert (length == strlen (file) && strcmp (name, file) == 0,
			"%s beside %s is %s", name_vectors[i].name,
			name_vectors[i].xen, name);
    }
}

static void
test_places (void)
{
  size_t i;

  for (i = 0; i < N_VECTORS (overlap_vectors); i++)
    grub_test_assert (grub_dom0less_overlap (overlap_vectors[i].start1,
					     overlap_vectors[i].size1,
					     overlap_vectors[i].start2,
					     overlap_vectors[i].size2)
		      == overlap_vectors[i].overlap,
		      "overlap %d", (int) i);

  for (i = 0; i < N_VECTORS (claim_vectors); i++)
    {
      struct grub_dom0less_memory piece =
	{ GRUB_DOM0LESS_MEMORY_FREE, claim_vectors[i].memory,
	  claim_vectors[i].memory_size };
      uint64_t start = 0, size = 0;
      int found = grub_dom0less_clip_to_pages (&piece, claim_vectors[i].start,
					       claim_vectors[i].size, &start, &size);

      grub_test_assert (!found == !claim_vectors[i].claim_size
			&& start == claim_vectors[i].claim
			&& size == claim_vectors[i].claim_size,
			"claim %d: 0x%llx at 0x%llx", (int) i,
			(unsigned long long) size, (unsigned long long) start);
    }
}

static void
test_kernels (void)
{
  size_t i, j;

  for (i = 0; i < N_VECTORS (kernel_vectors); i++)
    {
      char header[GRUB_DOM0LESS_HEADER_SIZE];
      enum grub_dom0less_format found;

      memset (header, 0, sizeof (header));
      for (j = 0; j < N_VECTORS (kernel_vectors[i].parts); j++)
	if (kernel_vectors[i].parts[j].bytes)
	  memcpy (header + kernel_vectors[i].parts[j].offset,
		  kernel_vectors[i].parts[j].bytes,
		  kernel_vectors[i].parts[j].length);
      found = grub_dom0less_kernel_format (header, 100000);
      grub_test_assert (found == kernel_vectors[i].format,
			"%s is taken for %s", kernel_vectors[i].what,
			grub_dom0less_format_name (found));
    }
}

static void
test_xen (void)
{
  struct grub_dom0less_xen xen;
  size_t i, length;

  for (i = 0; i < N_VECTORS (version_vectors); i++)
    {
      const char *text = version_vectors[i].text;
      char image[128];

      memset (image, 0, sizeof (image));
      memset (&xen, 0, sizeof (xen));
      for (length = 0; text[length]; length++)
	image[2 * length] = text[length];
      grub_dom0less_xen_version (&xen, image, 2 * length);
      grub_test_assert (xen.major == version_vectors[i].major
			&& xen.minor == version_vectors[i].minor,
			"\"%s\" is %d.%d", text, xen.major, xen.minor);
    }

  memset (&xen, 0, sizeof (xen));
  for (i = 0; i < N_VECTORS (option_vectors); i++)
    {
      const char *text = option_vectors[i].text;
      int is_config = grub_dom0less_xen_config (&xen, text, strlen (text));

      grub_test_assert (!is_config == !option_vectors[i].is_config
			&& xen.options == option_vectors[i].options,
			"options of \"%s\" are 0x%x", text, xen.options);
    }
}

/* Put a copy of SOURCE, split into lines, into TEXT.  */
static size_t
cut (char *text, const char *source)
{
  size_t size = strlen (source);

  memcpy (text, source, size);
  grub_dom0less_config_cut (text, size);
  return size;
}

static void
test_config_entries (void)
{
  size_t i;

  for (i = 0; i < N_VECTORS (config_vectors); i++)
    {
      struct grub_dom0less_entry entry;
      char text[TEXT_SIZE], found[TEXT_SIZE] = "";
      size_t size = cut (text, config_vectors[i].source), length = 0;

      memset (&entry, 0, sizeof (entry));
      while (grub_dom0less_config_next (text, size, &entry))
	{
	  const char *section = entry.section;

	  while (section && *section && *section != ']')
	    found[length++] = *section++;
	  found[length++] = '/';
	  memcpy (found + length, entry.key, entry.key_length);
	  length += entry.key_length;
	  length += (size_t) snprintf (found + length, TEXT_SIZE - length,
				       "=%s;", entry.value);
	}
      grub_test_assert (strcmp (found, config_vectors[i].entries) == 0,
			"\"%s\" has %s", config_vectors[i].source, found);
    }
}

static int
is_same (const char *text, const char *other)
{
  return text && other ? strcmp (text, other) == 0 : text == other;
}

static void
test_config (void)
{
  char text[TEXT_SIZE];
  const char *value;
  size_t i;

  for (i = 0; i < N_VECTORS (value_vectors); i++)
    {
      size_t size = cut (text, value_vectors[i].source);

      value = grub_dom0less_config_value (text, size,
					  value_vectors[i].section,
					  value_vectors[i].key);
      grub_test_assert (is_same (value, value_vectors[i].value),
			"%s %d is %s", value_vectors[i].key, (int) i,
			value ? value : "nothing");
    }

  for (i = 0; i < N_VECTORS (split_vectors); i++)
    {
      memcpy (text, split_vectors[i].value,
	      strlen (split_vectors[i].value) + 1);
      value = grub_dom0less_config_split (text);
      grub_test_assert (is_same (text, split_vectors[i].first)
			&& is_same (value, split_vectors[i].rest),
			"\"%s\" is split behind \"%s\"",
			split_vectors[i].value, text);
    }

  for (i = 0; i < N_VECTORS (config_name_vectors); i++)
    {
      size_t length
	= grub_dom0less_config_name (config_name_vectors[i].xen,
				     config_name_vectors[i].attempt, text,
				     sizeof (text));

      grub_test_assert (is_same (length ? text : NULL,
				 config_name_vectors[i].name),
			"%s has %s at %d", config_name_vectors[i].xen,
			length ? text : "nothing",
			config_name_vectors[i].attempt);
    }
}

/* Apply OVERLAY to BASE, and check that the result is a tree.  Return whether
   MISFIT and the path of its node, in NODE of TEXT_SIZE bytes, give the reason
   why it is not.  */
static int
is_misfit (const void *base, void *overlay, char *node,
	   struct grub_dom0less_misfit *misfit)
{
  void *work = malloc (grub_dom0less_merge_size (base, overlay));
  void *merged = malloc (TREE_SIZE);
  int err;

  grub_test_assert (work && merged, "out of memory");
  if (!work || !merged)
    {
      free (merged);
      free (work);
      return 0;
    }
  err = grub_dom0less_merge (work, base, overlay, misfit);
  if (err)
    grub_dom0less_node_path (NULL, overlay, misfit->node, node, TEXT_SIZE);
  else
    {
      size_t size = grub_dom0less_write_merged (work, merged, TREE_SIZE);

      grub_test_assert (size <= TREE_SIZE
			&& !grub_dom0less_tree_fault (merged, size),
			"an overlay makes a tree that is none");
    }
  free (merged);
  free (work);
  return err != 0;
}

static void
test_overlays (void)
{
  size_t i;

  for (i = 0; i < N_VECTORS (overlay_vectors); i++)
    {
      void *base = build_tree (overlay_vectors[i].base);
      void *overlay = build_tree (overlay_vectors[i].overlay);
      struct grub_dom0less_misfit misfit = { 0, NULL, NULL, NULL };
      char node[TEXT_SIZE];

      if (base && overlay)
	grub_test_assert
	  (is_same (is_misfit (base, overlay, node, &misfit) ? node : NULL,
		    overlay_vectors[i].node)
	   && is_same (misfit.missing, overlay_vectors[i].missing)
	   && is_same (misfit.fault, overlay_vectors[i].fault),
	   "overlay %d: %s %s", (int) i,
	   misfit.missing ? misfit.missing : "",
	   misfit.fault ? misfit.fault : "");
      free (base);
      free (overlay);
    }
}

/* Read the plan of FDT, and share images by their names.  */
static void
read_plan (const void *fdt)
{
  const char *paths[GRUB_DOM0LESS_MAX_MODULES];
  int i;

  grub_dom0less_plan_read (&plan, fdt);
  for (i = 0; i < plan.n_modules; i++)
    paths[i] = plan.modules[i].index != GRUB_DOM0LESS_NONE ? "by index"
      : plan.modules[i].name;
  grub_dom0less_plan_share (&plan, paths);
}

/* Place the plan's images of SIZE bytes from ADDRESS on, at intervals of 1
   MiB.  */
static void
place_images (uint64_t address, uint64_t size)
{
  int i;

  for (i = 0; i < plan.n_modules; i++)
    if (plan.modules[i].image != GRUB_DOM0LESS_NONE)
      {
	if (!plan.modules[i].has_reg)
	  plan.modules[i].address
	    = address + (uint64_t) plan.modules[i].image * MIB;
	plan.modules[i].size = size;
      }
}

static void
test_patch (void)
{
  void *fdt = build_tree (PATCH_SOURCE);
  const char *args;
  size_t i;

  if (!fdt)
    return;
  read_plan (fdt);
  place_images (UINT64_C (0xb0000000), 0x1234567);
  grub_test_assert (plan.n_domains == 2 && plan.n_modules == 4
		    && plan.n_images == 3 && plan.n_ranges == 0,
		    "%d domains, %d modules, %d images, %d ranges",
		    plan.n_domains, plan.n_modules, plan.n_images,
		    plan.n_ranges);
  grub_test_assert (grub_dom0less_write_plan (fdt, &plan, "console=dtuart") == 0,
		    "no tree for Xen");

  for (i = 0; i < N_VECTORS (patch_vectors); i++)
    {
      int node = fdt_path_offset (fdt, patch_vectors[i].node);
      int length = 0;
      const void *reg = fdt_getprop (fdt, node, "reg", &length);

      grub_test_assert (reg && length == patch_vectors[i].length
			&& memcmp (reg, patch_vectors[i].reg,
				   (size_t) length) == 0
			&& !fdt_getprop (fdt, node, "uefi,binary", NULL),
			"%s is not as it should be", patch_vectors[i].node);
    }
  args = fdt_getprop (fdt, fdt_path_offset (fdt, "/chosen"),
		      "xen,xen-bootargs", NULL);
  grub_test_assert (is_same (args, "console=dtuart"), "arguments are %s",
		    args ? args : "lost");
  free (fdt);
}

static void
test_fits (void)
{
  size_t i;

  for (i = 0; i < N_VECTORS (fit_vectors); i++)
    {
      char source[TEXT_SIZE];
      void *fdt;
      int status;

      snprintf (source, sizeof (source),
		"chosen { d { compatible = \"xen,domain\";"
		"#address-cells = <%d>; #size-cells = <%d>;"
		"m { uefi,binary = \"x\"; }; }; };",
		fit_vectors[i].address_cells, fit_vectors[i].size_cells);
      fdt = build_tree (source);
      if (!fdt)
	return;
      read_plan (fdt);
      place_images (fit_vectors[i].address, fit_vectors[i].size);
      status = grub_dom0less_write_plan (fdt, &plan, NULL);
      grub_test_assert (status == fit_vectors[i].status, "cells %d: %d",
			(int) i, status);
      free (fdt);
    }
}

static void
test_canonical (void)
{
  void *fdt = build_tree (CANONICAL_SOURCE);
  char form[sizeof (canonical_form)];
  size_t length;

  if (!fdt)
    return;
  length = grub_dom0less_canonical (fdt, form, sizeof (form));
  grub_test_assert (length == sizeof (canonical_form) - 1
		    && memcmp (form, canonical_form, length) == 0,
		    "another form of %d bytes", (int) length);
  free (fdt);
}

/* The findings of the rules.  */
struct findings
{
  const void *fdt;
  int n_errors;
  size_t length;
  char text[TEXT_SIZE];
};

static void
report (void *data, const struct grub_dom0less_finding *finding)
{
  struct findings *findings = data;

  if (findings->length + 2 > TEXT_SIZE)
    return;
  findings->length
    += grub_dom0less_finding_text (finding, findings->fdt,
				   findings->text + findings->length,
				   TEXT_SIZE - findings->length - 1);
  findings->text[findings->length++] = '\n';
  findings->text[findings->length] = '\0';
  findings->n_errors += finding->rule->severity == GRUB_DOM0LESS_ERROR;
}

static void
test_rules (void)
{
  struct grub_dom0less_facts facts;
  size_t i;

  memset (&facts, 0, sizeof (facts));
  facts.exception_level = 2;
  facts.memory = memory;
  facts.n_memory = N_VECTORS (memory);
  for (i = 0; i < N_VECTORS (rule_vectors); i++)
    {
      const char *finds = rule_vectors[i].finds;
      struct findings findings = { NULL, 0, 0, "" };
      struct grub_dom0less_context context =
	{ NULL, &plan, &facts, NULL, report, &findings, NULL };
      char source[2 * TEXT_SIZE];
      void *fdt;

      snprintf (source, sizeof (source), HARDWARE "chosen { " CONSOLE "%s };",
		rule_vectors[i].chosen);
      fdt = build_tree (source);
      if (!fdt)
	return;
      context.fdt = findings.fdt = fdt;
      read_plan (fdt);
      grub_dom0less_apply_rules (&context, GRUB_DOM0LESS_WITH_TREE);
      if (!findings.n_errors)
	{
	  place_images (IMAGES, IMAGE_SIZE);
	  grub_dom0less_apply_rules (&context, GRUB_DOM0LESS_WITH_ADDRESSES);
	}
      grub_test_assert (is_as_expected (findings.text, finds ? finds : ""),
			"%s\nfinds: %s", rule_vectors[i].chosen,
			findings.text);
      free (fdt);
    }
}

static void
xen_dom0less_test (void)
{
  test_names ();
  test_places ();
  test_kernels ();
  test_xen ();
  test_config_entries ();
  test_config ();
  test_overlays ();
  test_patch ();
  test_fits ();
  test_canonical ();
  test_rules ();
}

GRUB_FUNCTIONAL_TEST (xen_dom0less_test, xen_dom0less_test);
