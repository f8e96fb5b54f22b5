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
#include <grub/extcmd.h>
#include <grub/i18n.h>
#include <grub/loader.h>
#include <grub/misc.h>
#include <grub/mm.h>

#include "xen_dom0less_platform.h"
#include "xen_dom0less_compat.h"

GRUB_MOD_LICENSE ("GPLv3+");

static grub_dl_t my_mod;

/* What `boot' will start; NULL if nothing is loaded.  */
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
     N_("Load FILE for the modules with this KEY or index."),
     N_("[KEY=]FILE"), ARG_TYPE_STRING},
    {"dry-run", 'n', 0, N_("Load and show everything, then free it again."),
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
    OPTION_DRY_RUN,
    N_OPTIONS
  };

/* Check again what may have changed since the command: the firmware may have
   freed memory that belongs to a range, or allocated some of it.  */
static grub_err_t
recheck (struct dom0less_boot *boot)
{
  boot->findings.is_quiet = 1;
  if (dom0less_platform_recheck_trust (boot)
      || dom0less_check_rules (boot, GRUB_DOM0LESS_WITH_TREE)
      || dom0less_claim_ranges (boot))
    return grub_errno;
  return dom0less_check_rules (boot, GRUB_DOM0LESS_WITH_ADDRESSES);
}

static grub_err_t
unload (void)
{
  dom0less_free (armed);
  armed = NULL;
  grub_dl_unref (my_mod);
  return GRUB_ERR_NONE;
}

static grub_err_t
start (void)
{
  if (recheck (armed) == GRUB_ERR_NONE
      && dom0less_platform_install_tree (armed) == GRUB_ERR_NONE)
    dom0less_platform_start_xen (armed);

  /* Xen's image is gone, so there is nothing left to boot.  Unloading must not
     overwrite the error.  */
  grub_error_push ();
  grub_loader_unset ();
  grub_error_pop ();
  return grub_errno;
}

/* Load everything.  From here on memory changes hands, so the previous loader
   is unloaded first: if it is ours, it has claimed the memory that this boot
   is going to claim.  */
static grub_err_t
load (struct dom0less_boot *boot)
{
  grub_loader_unset ();
  if (dom0less_load (boot)
      || dom0less_check_rules (boot, GRUB_DOM0LESS_WITH_ADDRESSES))
    return grub_errno;
  if (dom0less_make_final_tree (boot))
    return grub_errno;
  return dom0less_platform_prepare_handover (boot);
}

/* Join the ARGC arguments after XEN into one string.  If there are none,
   BOOT->xen.args stays NULL.  */
static grub_err_t
join_xen_args (struct dom0less_boot *boot, int argc, char **argv)
{
  grub_size_t size;

  if (!argc)
    return GRUB_ERR_NONE;
  size = dom0less_cmdline_size (argc, argv);
  boot->xen.args = grub_malloc (size);
  if (!boot->xen.args)
    return grub_errno;
  return dom0less_create_cmdline (argc, argv, boot->xen.args, size);
}

static grub_err_t
grub_cmd_xen_dom0less (grub_extcmd_context_t context, int argc, char **argv)
{
  struct grub_arg_list *state = context->state;
  int is_dry_run = state[OPTION_DRY_RUN].set;
  struct dom0less_request request;
  struct dom0less_boot *boot;

  if (argc == 0)
    return grub_error (GRUB_ERR_BAD_ARGUMENT,
		       N_("XEN is missing, the hypervisor's file name"));

  request.xen = argv[0];
  request.dtb = state[OPTION_DTB].arg;
  request.overlays = state[OPTION_OVERLAY].args;
  request.config = state[OPTION_CONFIG].arg;
  request.section = state[OPTION_SECTION].arg;
  request.modules = state[OPTION_MODULE].args;

  boot = grub_zalloc (sizeof (*boot));
  if (!boot)
    return grub_errno;
  boot->request = &request;
  /* After the firmware's last service, the handover still runs this code.  */
  boot->facts.code_start = (grub_addr_t) my_mod->base;
  boot->facts.code_size = my_mod->sz;
  dom0less_init_findings (boot);
  boot->findings.is_deferring = is_dry_run;

  if (join_xen_args (boot, argc - 1, argv + 1) == GRUB_ERR_NONE
      && dom0less_read_inputs (boot) == GRUB_ERR_NONE
      && dom0less_make_plan (boot) == GRUB_ERR_NONE)
    {
      if (dom0less_check_rules (boot, GRUB_DOM0LESS_WITH_TREE) == GRUB_ERR_NONE)
	load (boot);
      if (is_dry_run)
	dom0less_show (boot);
    }
  if (is_dry_run)
    dom0less_print_findings (boot);
  if (grub_errno || is_dry_run)
    goto fail;

  boot->request = NULL;
  armed = boot;
  grub_dl_ref (my_mod);
  grub_loader_set (start, unload, 0);
  return GRUB_ERR_NONE;

 fail:
  dom0less_free (boot);
  return grub_errno;
}

/* Parse the ARGC words of ARGV and run the command, as GRUB does for each
   grub_extcmd, except for the size of the lists for repeatable options.  GRUB
   allocates half as many elements as there are words (grub_arg_list_alloc),
   which suffices only if every value is a word of its own, and its parser does
   not check.  With `--module=FILE' there may be as many values as words.  */
static grub_err_t
dispatch (struct grub_command *command, int argc, char **argv)
{
  struct grub_arg_list state[N_OPTIONS] = { { 0 } };
  struct grub_extcmd_context context
    = { .state = state, .extcmd = command->data };
  grub_size_t room = (grub_size_t) argc + 1;	/* with the NULL at the end */
  char **lists = grub_calloc (room, 2 * sizeof (*lists));
  int n_words = 0;
  char **words = NULL;

  if (!lists)
    return grub_errno;
  state[OPTION_OVERLAY].args = lists;
  state[OPTION_MODULE].args = lists + room;
  if (grub_arg_parse (context.extcmd, argc, argv, state, &words, &n_words))
    grub_cmd_xen_dom0less (&context, n_words, words);
  grub_free (words);
  grub_free (lists);
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
  /* GRUB's help and completion use the options, but the command is run by
     dispatch.  */
  if (cmd)
    cmd->cmd->func = dispatch;
  my_mod = mod;
}

GRUB_MOD_FINI (xen_dom0less)
{
  grub_unregister_extcmd (cmd);
}
