/* xen_dom0less_config.c - xen.cfg, and files that have a key  */
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

#include <grub/file.h>
#include <grub/misc.h>
#include <grub/mm.h>

#include "xen_dom0less_platform.h"

/* The maximum length of one name, and of a chain of files.  */
#define NAME_SIZE	512
#define MAX_CHAIN	16

/* Replace the config by the file PATH.  BOOT takes ownership of PATH.  */
static grub_err_t
read_one (struct dom0less_boot *boot, char *path)
{
  grub_free (boot->config.text);
  grub_free (boot->config.name);
  boot->config.name = path;
  boot->config.text = dom0less_read_text (path, GRUB_FILE_TYPE_CONFIG,
					  &boot->config.size);
  if (boot->config.text)
    grub_dom0less_config_cut (boot->config.text, boot->config.size);
  return grub_errno;
}

static char *
config_value (struct dom0less_boot *boot, const char *section,
	      const char *key)
{
  return grub_dom0less_config_value (boot->config.text, boot->config.size,
				     section, key);
}

/* Read the first file that exists among the names that Xen's stub would
   try.  */
static grub_err_t
find_beside_xen (struct dom0less_boot *boot)
{
  char name[NAME_SIZE];
  int attempt;
  grub_size_t length;

  for (attempt = 0;
       (length = grub_dom0less_config_name (boot->xen.path, attempt, name,
					    sizeof (name))) > 0;
       attempt++)
    {
      char *path;

      if (length >= sizeof (name))
	continue;
      path = grub_strdup (name);
      if (!path || read_one (boot, path) == GRUB_ERR_NONE)
	return grub_errno;
      /* If a file exists but is refused, do not try the next name.  */
      if (grub_errno != GRUB_ERR_FILE_NOT_FOUND)
	return grub_errno;
      grub_errno = GRUB_ERR_NONE;
    }
  return dom0less_fail (boot, GRUB_DOM0LESS_RULE_CONFIG_MISSING,
			GRUB_DOM0LESS_NONE, boot->xen.path);
}

static void
report_about_config (struct dom0less_boot *boot,
		     enum grub_dom0less_rule_number rule, const char *what)
{
  char *text = grub_xasprintf ("%s: %s", boot->config.name, what);

  grub_dom0less_report (&boot->context, rule, GRUB_DOM0LESS_NONE,
			GRUB_DOM0LESS_NONE, text ? text : what, 0, 0);
  grub_free (text);
}

static void
report_unknown_keys (struct dom0less_boot *boot)
{
  struct grub_dom0less_entry entry;

  grub_memset (&entry, 0, sizeof (entry));
  while (grub_dom0less_config_next (boot->config.text, boot->config.size,
				    &entry))
    if (!grub_dom0less_config_known (&entry))
      {
	char *key = grub_strndup (entry.key, entry.key_length);

	report_about_config (boot, GRUB_DOM0LESS_RULE_CONFIG_UNKNOWN,
			     key ? key : "?");
	grub_free (key);
      }
}

/* Return whether SECTION has any lines.  */
static int
has_section (struct dom0less_boot *boot, const char *section)
{
  struct grub_dom0less_entry entry;

  grub_memset (&entry, 0, sizeof (entry));
  while (grub_dom0less_config_next (boot->config.text, boot->config.size,
				    &entry))
    if (grub_dom0less_config_in_section (&entry, section))
      return 1;
  return 0;
}

grub_err_t
dom0less_read_config (struct dom0less_boot *boot, const char *name)
{
  int chain;
  const char *next, *section;
  char *path;

  if (name)
    {
      path = dom0less_platform_full_name (name);
      if (!path || read_one (boot, path))
	return grub_errno;
    }
  else if (find_beside_xen (boot))
    return grub_errno;

  section = boot->request->section;
  if (!section)
    section = config_value (boot, "global", "default");
  /* The name of the section is needed after the text that contains it has been
     freed.  */
  if (section && !(boot->config.section = grub_strdup (section)))
    return grub_errno;

  for (chain = 0;
       !config_value (boot, boot->config.section, "kernel")
       && (next = config_value (boot, "global", "chain")); chain++)
    {
      if (chain == MAX_CHAIN)
	return grub_error (GRUB_ERR_BAD_ARGUMENT,
			   N_("%s: chain has no end"), boot->config.name);
      path = dom0less_resolve_name (boot, next);
      if (!path || read_one (boot, path))
	return grub_errno;
    }

  if (boot->config.section && !has_section (boot, boot->config.section))
    {
      report_about_config (boot, GRUB_DOM0LESS_RULE_CONFIG_SECTION,
			   boot->config.section);
      return dom0less_set_error_from_findings (boot);
    }
  report_unknown_keys (boot);
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_apply_config (struct dom0less_boot *boot)
{
  int err;

  if (dom0less_grow_tree (boot,
			  grub_dom0less_config_growth (boot->config.size)))
    return grub_errno;
  err = grub_dom0less_config_apply (boot->tree.fdt, boot->config.text,
				    boot->config.size, boot->config.section);
  if (err == -FDT_ERR_EXISTS)
    return dom0less_fail (boot, GRUB_DOM0LESS_RULE_CONFIG_CONFLICT,
			  GRUB_DOM0LESS_NONE, boot->config.name);
  if (err)
    return grub_error (GRUB_ERR_BAD_OS, N_("%s does not fit the tree: %s"),
		       boot->config.name, fdt_strerror (err));
  return GRUB_ERR_NONE;
}

/* Add a key of LENGTH bytes for PATH.  BOOT takes ownership of PATH.  */
static grub_err_t
add_key (struct dom0less_boot *boot, const char *key, grub_size_t length,
	 char *path, int index)
{
  struct dom0less_key *keys;

  if (!path)
    return grub_errno;
  keys = dom0less_extend (boot->config.keys, boot->config.n_keys,
			  sizeof (*keys));
  if (!keys)
    {
      grub_free (path);
      return grub_errno;
    }
  boot->config.keys = keys;
  keys += boot->config.n_keys++;
  keys->path = path;
  keys->index = index;
  keys->is_used = 0;
  keys->key = length ? grub_strndup (key, length) : NULL;
  return grub_errno;
}

grub_err_t
dom0less_read_keys (struct dom0less_boot *boot)
{
  struct grub_dom0less_entry entry;
  char **module;

  for (module = boot->request->modules; *module; module++)
    {
      const char *sign = grub_strchr (*module, '=');
      const char *file = sign ? sign + 1 : *module;

      if (add_key (boot, *module, sign ? sign - *module : 0,
		   dom0less_platform_full_name (file),
		   (int) (module - boot->request->modules)))
	return grub_errno;
    }

  grub_memset (&entry, 0, sizeof (entry));
  while (boot->config.text
	 && grub_dom0less_config_next (boot->config.text, boot->config.size,
				       &entry))
    if (grub_dom0less_config_in_section (&entry, boot->config.section)
	&& grub_dom0less_config_is (&entry, "binary"))
      {
	char *key = grub_dom0less_config_split (entry.value);

	if (!key)
	  {
	    report_about_config (boot, GRUB_DOM0LESS_RULE_CONFIG_UNKNOWN,
				 "binary= without a key");
	    continue;
	  }
	grub_dom0less_config_split (key);
	if (add_key (boot, key, grub_strlen (key),
		     dom0less_resolve_name (boot, entry.value),
		     GRUB_DOM0LESS_NONE))
	  return grub_errno;
      }
  return GRUB_ERR_NONE;
}

char *
dom0less_module_path (struct dom0less_boot *boot,
		      const struct grub_dom0less_module *module)
{
  struct dom0less_key *end = boot->config.keys + boot->config.n_keys, *key;

  for (key = boot->config.keys; key < end; key++)
    if (module->name ? key->key && grub_strcmp (key->key, module->name) == 0
	: module->index >= 0 && key->index == module->index)
      {
	key->is_used = 1;
	return grub_strdup (key->path);
      }
  if (module->name)
    return dom0less_resolve_name (boot, module->name);
  if (module->index >= 0)
    grub_dom0less_report (&boot->context, GRUB_DOM0LESS_RULE_INDEX_UNKNOWN,
			  module->node, GRUB_DOM0LESS_NONE, NULL,
			  (grub_uint64_t) module->index, 0);
  return NULL;
}

void
dom0less_report_unused_keys (struct dom0less_boot *boot)
{
  struct dom0less_key *end = boot->config.keys + boot->config.n_keys, *key;

  /* A key in a xen.cfg may be intended for the tree of another section.  */
  for (key = boot->config.keys; key < end; key++)
    if (!key->is_used && key->index != GRUB_DOM0LESS_NONE)
      grub_dom0less_report (&boot->context, GRUB_DOM0LESS_RULE_KEY_UNUSED,
			    GRUB_DOM0LESS_NONE, GRUB_DOM0LESS_NONE,
			    key->key ? key->key : key->path, 0, 0);
}
