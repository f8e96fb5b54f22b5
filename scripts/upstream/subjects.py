"""What each subject brings: `without_SUBJECT` takes it away from the sources.

They are called from the last to the first, so each finds the sources without all later ones.
"""
LIBRARY = "grub-core/lib/xen_dom0less/"
LOADER = "grub-core/loader/arm64/xen_dom0less"
HEADER = "include/grub/xen_dom0less.h"
RULES = "include/grub/xen_dom0less_rules.h"
BOOT = LOADER + "_boot.h"
PLATFORM = LOADER + "_platform.h"
TEST = "grub-core/tests/xen_dom0less_test.c"
VECTORS = "grub-core/tests/xen_dom0less_vectors.h"
COMMAND_TEST = "tests/xen_dom0less_cmd_test.in"


def without_old_versions(sources):
    """GRUB's own tree has one version: nothing there asks for features of others."""
    sources.remove(LOADER + "_compat.h")
    for name in ("", "_direct", "_firmware", "_intercept"):
        sources.cut(f"{LOADER}{name}.c", '#include "xen_dom0less_compat.h"\n')
    sources.cut(LOADER + ".c", "dom0less_cmdline_size (argc, argv)", "grub_loader_cmdline_size (argc, argv)")
    sources.cut(LOADER + ".c", "return dom0less_create_cmdline (argc, argv, boot->xen.args, size);",
                "return grub_create_loader_cmdline (argc, argv, boot->xen.args, size,\n"
                "\t\t\t\t     GRUB_VERIFY_KERNEL_CMDLINE);")
    sources.cut(LOADER + ".c", "#include <grub/i18n.h>\n", "#include <grub/i18n.h>\n#include <grub/lib/cmdline.h>\n")

    sources.drop(LOADER + "_direct.c", "hook_without_buffer", "PROBE_HOOK")
    sources.edit(LOADER + "_direct.c", sources[LOADER + "_direct.c"].replace("PROBE_HOOK", "hook_with_buffer"))
    sources.cut(LOADER + "_intercept.c",
                "dom0less_call_read_hook (grub_file_progress_hook, step, buffer + done,\n\t\t\t\t file);",
                "grub_file_progress_hook (0, 0, step, buffer + done, file);")

    digest = LOADER + "_digest.c"
    sources.cut(digest, '#include "xen_dom0less_compat.h"\n')
    sources.drop(digest, "init_with_flags")
    sources.cut(digest, "init (void *context)\n{", "init (void *context, unsigned int flags __attribute__ ((unused)))\n{")
    sources.cut(digest, "DOM0LESS_MD_INIT (init, init_with_flags)", "init")

    firmware = LOADER + "_firmware.c"
    sources.cut(firmware, '#include "xen_dom0less_platform.h"\n', '''\
#include "xen_dom0less_platform.h"

/* EFI_DT_FIXUP_PROTOCOL.  Source: the protocol's specification,
   https://github.com/U-Boot-EFI/EFI_DT_FIXUP_PROTOCOL.  */
#define DT_FIXUP_GUID							\\
  { 0xe617d64c, 0xfe08, 0x46da,						\\
    { 0xf4, 0xdc, 0xbb, 0xd5, 0x87, 0x0c, 0x73, 0x00 } }
#define DT_APPLY_FIXUPS		1
#define DT_RESERVE_MEMORY	2

struct dt_fixup
{
  grub_efi_uint64_t revision;
  grub_efi_status_t (*fixup) (struct dt_fixup *self, void *fdt,
			      grub_efi_uintn_t *size,
			      grub_efi_uint32_t flags);
};
''')
    text = sources[firmware]
    for ours, theirs in (("static dom0less_guid_t guid", "static grub_guid_t guid"), ("(void *) &guid", "&guid"),
                         ("DOM0LESS_DT_", "DT_"), ("struct dom0less_dt_fixup", "struct dt_fixup")):
        text = text.replace(ours, theirs)
    sources.edit(firmware, text)


def without_manual(sources):
    sources.remove(*[path for path in sources if path.startswith("docs/")])


def without_digest(sources):
    sources.remove(LOADER + "_digest.c", LIBRARY + "sha256.c")
    sources.section(HEADER, "sha256.c")
    sources.drop(PLATFORM, "dom0less_register_digest", "dom0less_unregister_digest")
    sources.cut(LOADER + "_direct.c", "  dom0less_register_digest ();\n")
    sources.cut(LOADER + "_direct.c", "  dom0less_unregister_digest ();\n")


def without_direct(sources):
    sources.remove(LOADER + "_direct.c", LOADER + "_intercept.c", LOADER + "_intercept.h", LIBRARY + "layout.c",
                   LIBRARY + "transfer.c")
    sources.section(HEADER, "layout.c", "transfer.c")
    sources.drop(PLATFORM, "dom0less_platform_read_direct", "dom0less_platform_open_directly")
    sources.cut(LOADER + "_file.c", """\
  dom0less_platform_read_direct (file, dom0less_platform_at (pages->address));
  if (grub_errno)
    goto fail;
  *size = file->offset;
""", "  *size = 0;\n")
    sources.cut(LOADER + "_open.c", "dom0less_platform_open_directly (path, type)", "grub_file_open (path, type)")
    sources.drop("util/dom0less_host.c", "dom0less_platform_read_direct")


def without_host(sources):
    sources.remove(*[path for path in sources if path.startswith(("util/", "include/grub/util/"))])
    sources.drop(BOOT, "dom0less_filter")
    sources.cut(LOADER + "_unpack.c", "\ngrub_file_t\ndom0less_filter (", "\n\nstatic grub_file_t\ndom0less_filter (")


def without_handover(sources):
    sources.remove(LIBRARY + "handover.c", LOADER + "_handover.c", LOADER + "_regime.S")
    sources.section(HEADER, "handover.c")
    sources.cut(HEADER, """\
  struct grub_dom0less_regime regime;	/* EL2's, of the firmware */
  int is_vhe_only;			/* the processor has no other */
  int is_handover_off;			/* the user does not want it left */
  uint64_t code_start, code_size;	/* the loader's, which leaves it */
  uint64_t (*read) (uint64_t address);	/* for translation tables */
""")
    sources.drop(LIBRARY + "rules_tree.c", "dom0less_check_vhe", "dom0less_check_vhe_code")
    sources.drop(PLATFORM, "dom0less_platform_prepare_handover", "dom0less_platform_begin_handover")
    sources.cut(LOADER + "_start.c", "  dom0less_platform_begin_handover (boot);\n")
    sources.cut(LOADER + "_start.c", "  dom0less_platform_end_handover (boot);\n")
    sources.insert(LOADER + "_firmware.c", "dom0less_platform_read_tree", """\
void
dom0less_platform_read_processor (struct dom0less_boot *boot)
{
  grub_uint64_t level;

  asm volatile ("mrs %0, CurrentEL" : "=r" (level));
  boot->facts.exception_level = level >> 2 & 3;
}

""")
    sources.cut(LOADER + "_inputs.c", "  dom0less_platform_free (&boot->handover.maps);\n")
    sources.cut(BOOT, "    struct dom0less_pages maps;		/* two memory maps */\n")
    sources.cut(LOADER + ".c", """\
  if (dom0less_make_final_tree (boot))
    return grub_errno;
  return dom0less_platform_prepare_handover (boot);
""", "  return dom0less_make_final_tree (boot);\n")
    sources.cut(LOADER + ".c", """\
  /* The handover runs after the firmware's last service, too.  */
  boot->facts.code_start = (grub_addr_t) my_mod->base;
  boot->facts.code_size = my_mod->sz;
""")


def without_trust(sources):
    sources.remove(LIBRARY + "canonical.c", LOADER + "_verify.c")
    sources.section(HEADER, "canonical.c")
    sources.section(BOOT, "xen_dom0less_verify.c")
    sources.cut(HEADER, "  int is_enforcing;			/* only what is signed may be used */\n")
    sources.drop(LIBRARY + "rules_module.c", "dom0less_check_reg_unverified")
    opener = LOADER + "_open.c"
    sources.drop(opener, "must_verify", "opening", "witness_init", "witness", "find_verifier", "does_pgp_enforce",
                 "is_enforcement_wanted", "dom0less_platform_check_trust", "dom0less_platform_recheck_trust",
                 "dom0less_platform_verify", "dom0less_platform_is_measuring", "dom0less_platform_leave_unmeasured")
    sources.cut(opener, "#include <grub/lockdown.h>\n")
    sources.cut(opener, """\
  grub_file_t file;

  opening = path;
  is_shown = 0;
  grub_verifier_register (&witness);
  file = grub_file_open (path, type);
  grub_verifier_unregister (&witness);

  /* The file is there: it is the signature that is not.  */
  if (!file && is_shown && grub_errno == GRUB_ERR_FILE_NOT_FOUND)
    grub_errno = GRUB_ERR_BAD_SIGNATURE;
  if (file && must_verify && !(is_shown && does_pgp_enforce ()))
    {
      grub_file_close (file);
      grub_error (GRUB_ERR_ACCESS_DENIED, N_("nobody verifies files there"));
      return NULL;
    }
""", "  grub_file_t file = grub_file_open (path, type);\n\n")
    sources.drop(PLATFORM, "dom0less_platform_check_trust", "dom0less_platform_recheck_trust",
                 "dom0less_platform_verify", "dom0less_platform_is_measuring", "dom0less_platform_leave_unmeasured")
    sources.cut(BOOT, "#include <grub/verify.h>\n")
    sources.cut(LOADER + ".c", "  if (dom0less_platform_recheck_trust (boot)\n      || dom0less_check_rules",
                "  if (dom0less_check_rules")
    sources.cut(LOADER + ".c", "#include <grub/mm.h>\n", "#include <grub/mm.h>\n#include <grub/verify.h>\n")
    sources.cut(LOADER + "_inputs.c", "  if (dom0less_platform_check_trust (boot))\n    return grub_errno;\n")
    sources.cut(LOADER + "_load.c", """\
  if (dom0less_verify (boot) || dom0less_check_placed_kernels (boot)
      || dom0less_claim_fixed_places (boot) || dom0less_claim_ranges (boot)
      || dom0less_verify_placed (boot))
""", """\
  if (dom0less_check_placed_kernels (boot) || dom0less_claim_fixed_places (boot)
      || dom0less_claim_ranges (boot))
""")
    sources.section(VECTORS, "canonical.c")
    sources.drop(TEST, "test_canonical")
    sources.cut(TEST, "  test_canonical ();\n")


def without_kernels(sources):
    sources.remove(LIBRARY + "kernel.c", LOADER + "_kernel.c", LOADER + "_unpack.c")
    sources.section(HEADER, "kernel.c")
    sources.section(BOOT, "xen_dom0less_kernel.c", "xen_dom0less_unpack.c")
    sources.drop(PLATFORM, "dom0less_platform_load_filter", "dom0less_platform_is_readable")
    sources.drop(LOADER + "_open.c", "dom0less_platform_load_filter")
    sources.drop(LOADER + "_memory.c", "dom0less_platform_is_readable")
    sources.cut(LOADER + "_inputs.c", """\
  if (!boot->xen.path
      || dom0less_read_file (boot->xen.path, GRUB_FILE_TYPE_XEN_HYPERVISOR,
			     DOM0LESS_NO_LIMIT, NULL,
			     &boot->xen.file, &boot->xen.size))
    return grub_errno;
  return dom0less_read_xen_facts (boot);
""", """\
  if (!boot->xen.path)
    return grub_errno;
  return dom0less_read_file (boot->xen.path, GRUB_FILE_TYPE_XEN_HYPERVISOR,
			     DOM0LESS_NO_LIMIT, NULL,
			     &boot->xen.file, &boot->xen.size);
""")
    load = LOADER + "_load.c"
    sources.cut(load, """
	if (boot->plan->modules[i].kind == GRUB_DOM0LESS_KERNEL)
	  grub_dom0less_read_kernel (&boot->plan->modules[i].kernel,
				     dom0less_platform_at (address), size,
				     &boot->facts.xen);
""", "\n")
    sources.cut(load, """\
  if (dom0less_first_module (boot, image)->kind == GRUB_DOM0LESS_XSM_POLICY
      && !grub_dom0less_is_policy (dom0less_buffer_bytes (buffer),
				   buffer->size))
    return dom0less_refuse_image (boot, image,
				  GRUB_DOM0LESS_RULE_POLICY_FORMAT, "", "");
""")
    sources.cut(load, """\
  /* A copy too: one domain may take packed what several cannot.  */
  if (!grub_errno && module->kind == GRUB_DOM0LESS_KERNEL)
    dom0less_prepare_kernel (boot, image, &buffer, limit);
""")
    sources.cut(load, "dom0less_check_placed_kernels (boot) || dom0less_claim_fixed_places (boot)\n      || dom0less_claim_ranges",
                "dom0less_claim_fixed_places (boot) || dom0less_claim_ranges")
    sources.section(VECTORS, "kernel.c")
    sources.drop(TEST, "test_kernels")
    sources.cut(TEST, "  test_kernels ();\n")


def without_config(sources):
    sources.remove(LIBRARY + "config.c", LOADER + "_config.c")
    sources.section(HEADER, "config.c")
    sources.section(BOOT, "xen_dom0less_config.c")
    sources.drop(BOOT, "dom0less_key")
    sources.cut(BOOT, "  char **overlays;			/* these lists end with NULL */\n  char **modules;\n"
                "  const char *config;			/* NULL without */\n  const char *section;\n",
                "  char **overlays;			/* ends with NULL */\n")
    sources.cut(BOOT, """\
  /* The xen.cfg, and what else gives names to files.  */
  struct
  {
    char *text;				/* cut into strings; NULL without */
    grub_size_t size;			/* of the text, in bytes */
    char *name;				/* the file's */
    char *section;			/* or NULL */
    struct dom0less_key *keys;
    int n_keys;
  } config;

""")
    inputs = LOADER + "_inputs.c"
    sources.drop(inputs, "wants_config", "read_config_and_tree")
    sources.cut(inputs, "  char *name = NULL;\n  const char *dtb;\n", "  char *name = NULL;\n")
    sources.cut(inputs, """\
  else if (boot->config.text
	   && (dtb = grub_dom0less_config_value (boot->config.text,
						 boot->config.size,
						 boot->config.section, "dtb")))
    name = dom0less_resolve_name (boot, dtb);
""")
    sources.cut(inputs, """\
  if (read_xen (boot) || read_config_and_tree (boot))
    return grub_errno;
  return dom0less_read_keys (boot);
""", """\
  if (read_xen (boot))
    return grub_errno;
  return read_base (boot);
""")
    sources.cut(inputs, """\
      boot->paths[i] = dom0less_module_path (boot, boot->plan->modules + i);
      if (grub_errno)
	return grub_errno;
    }
  dom0less_report_unused_keys (boot);
""", """\
      const char *name = boot->plan->modules[i].name;

      if (name && !(boot->paths[i] = dom0less_resolve_name (boot, name)))
	return grub_errno;
    }
""")
    sources.cut(inputs, """\
  for (i = 0; i < boot->config.n_keys; i++)
    {
      grub_free (boot->config.keys[i].key);
      grub_free (boot->config.keys[i].path);
    }
""")
    sources.cut(inputs, "  grub_free (boot->config.keys);\n")
    sources.cut(inputs, """\
  grub_free (boot->config.text);
  grub_free (boot->config.name);
  grub_free (boot->config.section);
""")
    command = LOADER + ".c"
    sources.option(command, "config", "section", "module")
    sources.cut(command, "    OPTION_CONFIG,\n    OPTION_SECTION,\n    OPTION_MODULE,\n")
    sources.cut(command, """\
  request.config = state[OPTION_CONFIG].arg;
  request.section = state[OPTION_SECTION].arg;
  request.modules = state[OPTION_MODULE].args;
""")
    sources.cut(command, "grub_calloc (room, 2 * sizeof (*lists))", "grub_calloc (room, sizeof (*lists))")
    sources.cut(command, "  state[OPTION_MODULE].args = lists + room;\n")
    sources.section(VECTORS, "config.c")
    sources.drop(TEST, "cut", "test_config_entries", "test_config")
    sources.cut(TEST, "  test_config_entries ();\n  test_config ();\n")


def without_overlays(sources):
    sources.remove(LIBRARY + "overlay.c")
    sources.section(HEADER, "overlay.c")
    tree = LOADER + "_tree.c"
    sources.drop(tree, "NODE_SIZE", "report_misfit", "is_whole_tree", "read_overlays", "apply_overlay")
    sources.cut(tree, """\
  if (grub_dom0less_is_overlay (fdt) && fdt_path_offset (fdt, "/cpus") < 0)
    return dom0less_fail (boot, GRUB_DOM0LESS_RULE_TREE_IS_OVERLAY,
			  GRUB_DOM0LESS_NONE, boot->tree.name);
""")
    sources.cut(tree, """\
  if (need_chosen (boot) || read_overlays (boot))
    return grub_errno;
  for (i = 0; i < boot->tree.n_overlays; i++)
    if (apply_overlay (boot, boot->tree.overlays + i))
      return grub_errno;
""", "  if (need_chosen (boot))\n    return grub_errno;\n")
    sources.cut(tree, "dom0less_read_tree (struct dom0less_boot *boot, const char *name)\n{\n  int i;\n\n",
                "dom0less_read_tree (struct dom0less_boot *boot, const char *name)\n{\n")
    sources.drop(BOOT, "dom0less_overlay")
    sources.cut(BOOT, "  char **overlays;			/* ends with NULL */\n")
    sources.cut(BOOT, "    struct dom0less_overlay *overlays;	/* once they are read */\n    int n_overlays;\n")
    sources.cut(LOADER + "_inputs.c", """\
  for (i = 0; i < boot->tree.n_overlays; i++)
    {
      grub_free (boot->tree.overlays[i].path);
      grub_free (boot->tree.overlays[i].fdt);
    }
""")
    sources.cut(LOADER + "_inputs.c", "  grub_free (boot->tree.overlays);\n")
    command = LOADER + ".c"
    sources.option(command, "overlay")
    sources.cut(command, "    OPTION_DTB,\n    OPTION_OVERLAY,\n    OPTION_DRY_RUN,\n    N_OPTIONS\n", "    OPTION_DTB,\n    OPTION_DRY_RUN\n")
    sources.cut(command, "  request.overlays = state[OPTION_OVERLAY].args;\n")
    sources.drop(command, "dispatch")
    sources.cut(command, "  /* Help and completion go by the options; running it is for us.  */\n  if (cmd)\n    cmd->cmd->func = dispatch;\n")
    sources.section(VECTORS, "overlay.c")
    sources.drop(TEST, "is_misfit", "test_overlays")
    sources.cut(TEST, "  test_overlays ();\n")


def without_rules(sources):
    checks = [path for path in sources if path.startswith(LIBRARY + "rules_")]
    sources.remove(*checks, LIBRARY + "xen.c", LIBRARY + "passthrough.c")
    sources.section(HEADER, "xen.c", "passthrough.c")
    sources.cut(HEADER, "  struct grub_dom0less_xen xen;\n")
    sources.end_before(LIBRARY + "rules.h", "FOR_DOMAINS")
    load = LOADER + "_load.c"
    sources.drop(load, "check_device_tree")
    sources.cut(load, """\
  if (!grub_errno && module->kind == GRUB_DOM0LESS_DEVICE_TREE)
    check_device_tree (boot, image, &buffer);
""")
    sources.section(VECTORS, "xen.c")
    sources.end_before(VECTORS, "ONE")
    sources.drop(VECTORS, "rule_vector")
    sources.drop(TEST, "memory", "findings", "report", "test_xen", "test_rules")
    sources.cut(TEST, "  test_xen ();\n")
    sources.cut(TEST, "  test_rules ();\n")
    sources.cut(COMMAND_TEST, 'echo "5: a rule is broken"\nxen_dom0less --dtb /bad.dtb $xen $args\n')
    sources.cut(COMMAND_TEST, 'expect "5: a rule" "error: " "[kernel-missing] /chosen/DomA: "\n')
    sources.cut(COMMAND_TEST, "tree bad.dtb ''\n")
    sources.cut(COMMAND_TEST, ' --files="/bad.dtb=$work/bad.dtb"')
