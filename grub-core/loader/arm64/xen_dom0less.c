/* xen_dom0less.c - the command: start Xen and its domains from a tree  */
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

#include <grub/command.h>
#include <grub/dl.h>
#include <grub/efi/efi.h>
#include <grub/env.h>
#include <grub/extcmd.h>
#include <grub/i18n.h>
#include <grub/loader.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/term.h>

#include "xen_dom0less_boot.h"
#include "xen_dom0less_compat.h"

GRUB_MOD_LICENSE ("GPLv3+");

/* A finding's line: GRUB keeps 256 bytes of an error, and newer versions put
   a source file and a line before it.  */
#define TEXT_SIZE	192

#define ADDRESS_LIMIT_32	0xffffffffULL

static grub_dl_t my_mod;

/* What `boot' will start.  */
static struct dom0less_boot *armed;

static const struct grub_arg_option options[] =
  {
    {"dtb", 'd', 0, N_("Use FILE instead of the loaded or the firmware's tree."),
     N_("FILE"), ARG_TYPE_FILE},
    {0, 0, 0, 0, 0, 0}
  };

enum options
  {
    OPTION_DTB
  };

/* Give back all that BOOT owns, and BOOT itself.  Any part of it may be
   missing, so this is the way out of every step.  */
static void
free_boot (struct dom0less_boot *boot)
{
  int i;
  grub_size_t claim;

  if (!boot)
    return;

  dom0less_restore_tree (boot);
  dom0less_unload_xen (boot);
  dom0less_pages_free (&boot->final_tree);
  dom0less_pages_free (&boot->xen_file);
  for (i = 0; boot->images && i < boot->plan->n_images; i++)
    dom0less_pages_free (boot->images + i);
  for (claim = 0; claim < boot->n_claims; claim++)
    dom0less_pages_free (boot->claims + claim);
  for (i = 0; boot->paths && i < boot->plan->n_modules; i++)
    grub_free (boot->paths[i]);

  grub_free (boot->images);
  grub_free (boot->claims);
  grub_free (boot->paths);
  grub_free (boot->plan);
  grub_free (boot->memory);
  grub_free (boot->tree);
  grub_free (boot->error);
  grub_free (boot->xen_args);
  grub_free (boot->xen);
  grub_free (boot);
}

/* Tell of FINDING.  The last error is kept back: it becomes GRUB's own, which
   stops a menu entry and is printed with the same beginning.  */
static void
report (void *data, const struct grub_dom0less_finding *finding)
{
  struct dom0less_boot *boot = data;
  char text[TEXT_SIZE];

  grub_dom0less_finding_text (finding, boot->tree, text, sizeof (text));
  if (finding->rule->severity == GRUB_DOM0LESS_WARNING)
    {
      grub_printf ("warning: %s\n", text);
      return;
    }

  if (boot->error)
    grub_printf ("error: %s\n", boot->error);
  grub_free (boot->error);
  boot->error = grub_strdup (text);
  boot->n_errors++;
}

/* Make GRUB's error of the findings so far, if there is one among them.  */
static grub_err_t
judge (struct dom0less_boot *boot)
{
  if (boot->n_errors && !grub_errno)
    grub_error (GRUB_ERR_BAD_OS, "%s", boot->error);
  return grub_errno;
}

/* NAME as "(device)/file": without a slash GRUB would read a block list.  */
static char *
full_name (const char *name)
{
  const char *root = grub_env_get ("root");

  if (name[0] == '(')
    return grub_strdup (name);
  return grub_xasprintf ("(%s)%s%s", root ? root : "",
			 name[0] == '/' ? "" : "/", name);
}

static grub_err_t
gather (struct dom0less_boot *boot, const char *dtb, int argc, char **argv)
{
  char *dtb_name = NULL;

  boot->machine.exception_level = dom0less_exception_level ();
  boot->scene.machine = &boot->machine;
  boot->scene.report = report;
  boot->scene.data = boot;

  boot->xen = full_name (argv[0]);
  if (!boot->xen)
    return grub_errno;
  if (argc > 1)
    {
      grub_size_t size = dom0less_cmdline_size (argc - 1, argv + 1);

      boot->xen_args = grub_malloc (size);
      if (!boot->xen_args
	  || dom0less_create_cmdline (argc - 1, argv + 1, boot->xen_args,
				      size))
	return grub_errno;
      boot->scene.xen_args = boot->xen_args;
    }

  if (dtb && !(dtb_name = full_name (dtb)))
    return grub_errno;
  dom0less_gather_tree (boot, dtb_name);
  judge (boot);
  grub_free (dtb_name);
  if (grub_errno)
    return grub_errno;

  return dom0less_read_file (boot->xen, GRUB_FILE_TYPE_XEN_HYPERVISOR,
			     GRUB_EFI_MAX_USABLE_ADDRESS, NULL,
			     &boot->xen_file, &boot->xen_size);
}

/* The GRUB name of MODULE's file, or NULL with no error if it has none.  */
static char *
resolve (struct dom0less_boot *boot,
	 const struct grub_dom0less_module *module)
{
  grub_size_t size;
  char *path;

  if (!module->name)
    return NULL;
  size = grub_dom0less_resolve (boot->xen, module->name, NULL, 0) + 1;
  path = grub_malloc (size);
  if (path)
    grub_dom0less_resolve (boot->xen, module->name, path, size);
  return path;
}

static grub_err_t
make_plan (struct dom0less_boot *boot)
{
  int i;

  boot->plan = grub_malloc (sizeof (*boot->plan));
  if (!boot->plan)
    return grub_errno;
  grub_dom0less_plan_read (boot->plan, boot->tree);
  boot->scene.plan = boot->plan;

  boot->paths = grub_calloc (boot->plan->n_modules + 1, sizeof (char *));
  if (!boot->paths)
    return grub_errno;
  for (i = 0; i < boot->plan->n_modules; i++)
    {
      boot->paths[i] = resolve (boot, boot->plan->modules + i);
      if (grub_errno)
	return grub_errno;
    }
  grub_dom0less_plan_share (boot->plan, (const char *const *) boot->paths);
  boot->images = grub_calloc (boot->plan->n_images + 1,
			      sizeof (*boot->images));
  return grub_errno;
}

static grub_err_t
check (struct dom0less_boot *boot)
{
  if (dom0less_memory_map (boot))
    return grub_errno;
  grub_dom0less_check (&boot->scene, GRUB_DOM0LESS_PHASE_TREE);
  return judge (boot);
}

/* Show every command line that Xen will see and GRUB's helper has not made to
   the verifiers, which may refuse or measure it.  */
static grub_err_t
verify_command_lines (struct dom0less_boot *boot)
{
  int node;

  for (node = boot->plan->chosen; node >= 0;
       node = fdt_next_node (boot->tree, node, NULL))
    {
      int is_chosen = node == boot->plan->chosen;
      const char *line;
      char *copy;

      if (is_chosen && boot->xen_args)
	continue;
      line = grub_dom0less_string (boot->tree, node, is_chosen
				   ? "xen,xen-bootargs" : "bootargs");
      if (!line)
	continue;
      copy = grub_strdup (line);
      if (!copy)
	return grub_errno;
      grub_verify_string (copy, is_chosen ? GRUB_VERIFY_KERNEL_CMDLINE
			  : GRUB_VERIFY_MODULE_CMDLINE);
      grub_free (copy);
      if (grub_errno)
	return grub_errno;
    }
  return GRUB_ERR_NONE;
}

/* Up to where IMAGE may lie, so that its address fits all its nodes.  */
static grub_efi_physical_address_t
address_limit (const struct grub_dom0less_plan *plan, int image)
{
  int i;

  for (i = 0; i < plan->n_modules; i++)
    if (plan->modules[i].image == image && plan->modules[i].cells.address == 1)
      return ADDRESS_LIMIT_32;
  return GRUB_EFI_MAX_USABLE_ADDRESS;
}

static char *
image_label (struct dom0less_boot *boot, int image)
{
  const struct grub_dom0less_module *module
    = boot->plan->modules + boot->plan->images[image].module;
  const char *domain = module->domain == GRUB_DOM0LESS_DOM0 ? "dom0"
    : grub_dom0less_node_name (boot->tree,
			       boot->plan->domains[module->domain].node);
  int more = boot->plan->images[image].users - 1;

  if (more)
    return grub_xasprintf ("%s (and %d more): %s", domain, more,
			   grub_dom0less_kind_name (module->kind));
  return grub_xasprintf ("%s: %s", domain,
			 grub_dom0less_kind_name (module->kind));
}

/* GRUB's message without the source file and line of newer versions.  */
static const char *
bare_message (const char *message)
{
  const char *colon = grub_strstr (message, ".c:");

  if (!colon)
    return message;
  colon = grub_strchr (colon + 3, ':');
  return colon ? colon + 1 : message;
}

static grub_err_t
load_image (struct dom0less_boot *boot, int image)
{
  int i, first = boot->plan->images[image].module;
  const char *path = boot->paths[first];
  struct dom0less_pages *pages = boot->images + image;
  grub_size_t size;
  char *label;

  label = image_label (boot, image);
  if (!label)
    return grub_errno;
  dom0less_read_file (path,
		      GRUB_FILE_TYPE_XEN_MODULE | GRUB_FILE_TYPE_NO_DECOMPRESS,
		      address_limit (boot->plan, image), label, pages, &size);
  grub_free (label);

  if (grub_errno)
    {
      char *what = grub_xasprintf ("%s: %s", path,
				   bare_message (grub_errmsg));

      grub_errno = GRUB_ERR_NONE;
      grub_dom0less_report (&boot->scene, GRUB_DOM0LESS_RULE_FILE_MISSING,
			    boot->plan->modules[first].node,
			    GRUB_DOM0LESS_NONE, what ? what : path, 0, 0);
      grub_free (what);
      return judge (boot);
    }
  if (size == 0)
    {
      grub_dom0less_report (&boot->scene, GRUB_DOM0LESS_RULE_FILE_EMPTY,
			    boot->plan->modules[first].node,
			    GRUB_DOM0LESS_NONE, path, 0, 0);
      return judge (boot);
    }

  dom0less_clean_cache ((void *) (grub_addr_t) pages->address, size);
  for (i = 0; i < boot->plan->n_modules; i++)
    if (boot->plan->modules[i].image == image)
      {
	boot->plan->modules[i].address = pages->address;
	boot->plan->modules[i].size = size;
      }
  return GRUB_ERR_NONE;
}

static grub_err_t
load (struct dom0less_boot *boot)
{
  int i;

  if (verify_command_lines (boot) || dom0less_claim (boot))
    return grub_errno;
  for (i = 0; i < boot->plan->n_images; i++)
    if (load_image (boot, i))
      return grub_errno;
  if (dom0less_load_xen (boot))
    return grub_errno;
  grub_dom0less_check (&boot->scene, GRUB_DOM0LESS_PHASE_PLACED);
  return judge (boot);
}

static grub_err_t
unload (void)
{
  free_boot (armed);
  armed = NULL;
  grub_dl_unref (my_mod);
  return GRUB_ERR_NONE;
}

static grub_err_t
start (void)
{
  if (dom0less_install_tree (armed) == GRUB_ERR_NONE)
    dom0less_start_xen (armed);
  /* Xen's image is gone, so there is nothing left to boot.  The error stays
     while everything is put back.  */
  grub_error_push ();
  grub_loader_unset ();
  grub_error_pop ();
  return grub_errno;
}

static grub_err_t
grub_cmd_xen_dom0less (grub_extcmd_context_t context, int argc, char **argv)
{
  struct grub_arg_list *state = context->state;
  struct dom0less_boot *boot;

  if (argc == 0)
    return grub_error (GRUB_ERR_BAD_ARGUMENT, N_("filename expected"));

  boot = grub_zalloc (sizeof (*boot));
  if (!boot)
    return grub_errno;

  if (gather (boot, state[OPTION_DTB].set ? state[OPTION_DTB].arg : NULL,
	      argc, argv)
      || make_plan (boot)
      || check (boot))
    goto fail;

  /* From here on memory changes hands.  The loader of before goes first: if it
     is ours, what it claimed is what this one wants.  */
  grub_loader_unset ();
  if (load (boot) || dom0less_patch_tree (boot))
    goto fail;

  armed = boot;
  grub_dl_ref (my_mod);
  grub_loader_set (start, unload, 0);
  return GRUB_ERR_NONE;

 fail:
  free_boot (boot);
  return grub_errno;
}

static grub_extcmd_t cmd;

GRUB_MOD_INIT (xen_dom0less)
{
  cmd = grub_register_extcmd ("xen_dom0less", grub_cmd_xen_dom0less,
			      GRUB_COMMAND_OPTIONS_AT_START,
			      N_("[--dtb FILE] XEN [XEN_ARGUMENT]..."),
			      N_("Load Xen and every domain of a device tree."),
			      options);
  my_mod = mod;
}

GRUB_MOD_FINI (xen_dom0less)
{
  grub_unregister_extcmd (cmd);
}
