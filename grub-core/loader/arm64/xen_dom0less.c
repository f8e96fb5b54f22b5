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
#include <grub/extcmd.h>
#include <grub/i18n.h>
#include <grub/loader.h>
#include <grub/misc.h>
#include <grub/mm.h>

#include "xen_dom0less_boot.h"
#include "xen_dom0less_compat.h"

GRUB_MOD_LICENSE ("GPLv3+");

static grub_dl_t my_mod;

/* What `boot' will start.  */
static struct dom0less_boot *armed;

static const struct grub_arg_option options[] =
  {
    {"dtb", 'd', 0, N_("Use FILE instead of the loaded or the firmware's tree."),
     N_("FILE"), ARG_TYPE_FILE},
    {"overlay", 'o', GRUB_ARG_OPTION_REPEATABLE,
     N_("Apply the overlay FILE to the tree."), N_("FILE"), ARG_TYPE_FILE},
    {"config", 'c', 0, N_("Read the dom0 from Xen's configuration FILE."),
     N_("FILE"), ARG_TYPE_FILE},
    {"section", 's', 0, N_("Use section NAME of the configuration file."),
     N_("NAME"), ARG_TYPE_STRING},
    {"module", 'm', GRUB_ARG_OPTION_REPEATABLE,
     N_("Load FILE for the modules that say KEY or its number."),
     N_("[KEY=]FILE"), ARG_TYPE_STRING},
    {"dry-run", 'n', 0, N_("Load and show everything, and give it back."),
     0, 0},
    {0, 0, 0, 0, 0, 0}
  };

enum
  {
    OPTION_DTB,
    OPTION_OVERLAY,
    OPTION_CONFIG,
    OPTION_SECTION,
    OPTION_MODULE,
    OPTION_DRY_RUN
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
  for (i = 0; i < boot->n_keys; i++)
    {
      grub_free (boot->keys[i].key);
      grub_free (boot->keys[i].path);
    }
  grub_free (boot->images);
  grub_free (boot->claims);
  grub_free (boot->paths);
  grub_free (boot->keys);
  grub_free (boot->plan);
  grub_free (boot->memory);
  grub_free (boot->tree);
  grub_free (boot->tree_name);
  grub_free (boot->config);
  grub_free (boot->config_name);
  grub_free (boot->section);
  grub_free (boot->error);
  grub_free (boot->xen_args);
  grub_free (boot->xen);
  grub_free (boot);
}

static grub_err_t
gather_xen (struct dom0less_boot *boot)
{
  const struct dom0less_request *request = boot->request;

  boot->xen = dom0less_full_name (request->xen);
  if (!boot->xen)
    return grub_errno;
  if (request->n_xen_args)
    {
      grub_size_t size = dom0less_cmdline_size (request->n_xen_args,
						request->xen_args);

      boot->xen_args = grub_malloc (size);
      if (!boot->xen_args
	  || dom0less_create_cmdline (request->n_xen_args, request->xen_args,
				      boot->xen_args, size))
	return grub_errno;
      boot->scene.xen_args = boot->xen_args;
    }

  if (dom0less_read_file (boot->xen, GRUB_FILE_TYPE_XEN_HYPERVISOR,
			  GRUB_EFI_MAX_USABLE_ADDRESS, NULL,
			  &boot->xen_file, &boot->xen_size))
    return grub_errno;
  dom0less_read_xen_facts (boot);
  return GRUB_ERR_NONE;
}

/* The tree of --dtb, else the config's, else what there is.  */
static grub_err_t
gather_base (struct dom0less_boot *boot)
{
  char *name = NULL;
  const char *dtb;

  if (boot->request->dtb)
    name = dom0less_full_name (boot->request->dtb);
  else if (boot->config
	   && (dtb = grub_dom0less_config_value (boot->config,
						 boot->config_size,
						 boot->section, "dtb")))
    name = dom0less_resolve (boot, dtb);
  if (!grub_errno)
    dom0less_gather_tree (boot, name);
  grub_free (name);
  return grub_errno;
}

/* Whether the tree leaves its dom0 to a xen.cfg, and none has been read.  */
static int
wants_config (struct dom0less_boot *boot)
{
  int chosen = fdt_path_offset (boot->tree, "/chosen");

  return (!boot->config && chosen >= 0
	  && fdt_getprop (boot->tree, chosen, "xen,uefi-cfg-load", NULL));
}

static grub_err_t
gather_tree (struct dom0less_boot *boot)
{
  if (boot->request->config
      && dom0less_read_config (boot, boot->request->config))
    return grub_errno;
  if (gather_base (boot))
    return grub_errno;

  if (wants_config (boot))
    {
      if (dom0less_read_config (boot, NULL))
	return grub_errno;
      /* As for Xen's stub, the config's tree replaces the one that asked.  */
      if (!boot->request->dtb
	  && grub_dom0less_config_value (boot->config, boot->config_size,
					 boot->section, "dtb")
	  && gather_base (boot))
	return grub_errno;
    }
  if (boot->config)
    return dom0less_apply_config (boot);
  return GRUB_ERR_NONE;
}

static grub_err_t
gather (struct dom0less_boot *boot)
{
  dom0less_listen (boot);
  boot->machine.exception_level = dom0less_exception_level ();
  if (gather_xen (boot) || gather_tree (boot))
    return grub_errno;
  return dom0less_gather_keys (boot);
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
  /* Images may be shared less later on, down to one for each module.  */
  boot->images = grub_calloc (boot->plan->n_modules + 1,
			      sizeof (*boot->images));
  if (!boot->paths || !boot->images)
    return grub_errno;
  for (i = 0; i < boot->plan->n_modules; i++)
    {
      boot->paths[i] = dom0less_module_path (boot, boot->plan->modules + i);
      if (grub_errno)
	return grub_errno;
    }
  dom0less_report_unused_keys (boot);
  grub_dom0less_plan_share (boot->plan, (const char *const *) boot->paths);
  return GRUB_ERR_NONE;
}

static grub_err_t
check (struct dom0less_boot *boot, enum grub_dom0less_phase phase)
{
  if (dom0less_memory_map (boot))
    return grub_errno;
  grub_dom0less_check (&boot->scene, phase);
  return dom0less_judge (boot);
}

/* Between the command and `boot' the firmware may have freed memory that
   belongs to a range, or taken some for good.  */
static grub_err_t
look_again (struct dom0less_boot *boot)
{
  boot->is_quiet = 1;
  if (check (boot, GRUB_DOM0LESS_PHASE_TREE) || dom0less_claim (boot))
    return grub_errno;
  return check (boot, GRUB_DOM0LESS_PHASE_PLACED);
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
  if (look_again (armed) == GRUB_ERR_NONE
      && dom0less_install_tree (armed) == GRUB_ERR_NONE)
    dom0less_start_xen (armed);

  /* Xen's image is gone, so there is nothing left to boot.  The error stays
     while everything is put back.  */
  grub_error_push ();
  grub_loader_unset ();
  grub_error_pop ();
  return grub_errno;
}

/* From here on memory changes hands.  The loader of before goes first: if it
   is ours, what it claimed is what this one wants.  */
static grub_err_t
load (struct dom0less_boot *boot)
{
  grub_loader_unset ();
  if (dom0less_load (boot) || check (boot, GRUB_DOM0LESS_PHASE_PLACED))
    return grub_errno;
  return dom0less_patch_tree (boot);
}

/* GRUB gives each list of options room for half of the arguments, which is
   enough for `--overlay FILE'.  Written `--overlay=FILE' there may be more, and
   the list runs on into that of the modules, which lies behind it.  */
static int
do_lists_collide (const struct grub_arg_list *state)
{
  return (state[OPTION_MODULE].set
	  && state[OPTION_OVERLAY].args + state[OPTION_OVERLAY].set
	     >= state[OPTION_MODULE].args);
}

static grub_err_t
grub_cmd_xen_dom0less (grub_extcmd_context_t context, int argc, char **argv)
{
  struct grub_arg_list *state = context->state;
  struct dom0less_request request;
  struct dom0less_boot *boot;

  if (argc == 0)
    return grub_error (GRUB_ERR_BAD_ARGUMENT, N_("filename expected"));
  if (do_lists_collide (state))
    return grub_error (GRUB_ERR_BAD_ARGUMENT,
		       N_("too many --overlay=FILE: say --overlay FILE"));

  request.xen = argv[0];
  request.n_xen_args = argc - 1;
  request.xen_args = argv + 1;
  request.dtb = state[OPTION_DTB].arg;
  request.overlays = state[OPTION_OVERLAY].args;
  request.config = state[OPTION_CONFIG].arg;
  request.section = state[OPTION_SECTION].arg;
  request.modules = state[OPTION_MODULE].args;
  request.is_dry_run = state[OPTION_DRY_RUN].set;

  boot = grub_zalloc (sizeof (*boot));
  if (!boot)
    return grub_errno;
  boot->request = &request;

  if (gather (boot) || make_plan (boot))
    goto fail;
  if (check (boot, GRUB_DOM0LESS_PHASE_TREE) == GRUB_ERR_NONE)
    load (boot);
  if (request.is_dry_run)
    dom0less_show (boot);
  if (grub_errno || request.is_dry_run)
    goto fail;

  boot->request = NULL;
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
			      N_("[OPTION]... XEN [XEN_ARGUMENT]..."),
			      N_("Load Xen and every domain of a device tree."),
			      options);
  my_mod = mod;
}

GRUB_MOD_FINI (xen_dom0less)
{
  grub_unregister_extcmd (cmd);
}
