/* xen_dom0less_rules.h - every rule, once  */
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

/*
 * Each rule is one line RULE (number, name, severity, phase, check, message,
 * hint).  The rules are in the order in which findings are reported.  The
 * includer defines RULE: the enumeration and the table of the rules, and the
 * prototypes of the checks, are generated from this list.  Tests compare the
 * manual with it, and require a tests/dts/bad-NAME.dts (or warn-NAME.dts) for
 * each rule that has a check, and a boot test for each that has none.
 *
 * If CHECK is NULL, only the loader can decide the rule.  MESSAGE and HINT may
 * contain placeholders: {file} is the finding's file or property, {other} its
 * other node, {number} and {number2} are its numbers, {hex} and {hex2} the same
 * in hexadecimal.
 */

RULE (TREE_MISSING, "tree-missing", ERROR, BY_LOADER, NULL,
      "no device tree",
      "firmware may offer ACPI only: use --dtb or devicetree")
RULE (TREE_MALFORMED, "tree-malformed", ERROR, BY_LOADER, NULL,
      "not a well-formed device tree: {file}",
      "compile it again with dtc")
RULE (TREE_IS_OVERLAY, "tree-is-overlay", ERROR, BY_LOADER, NULL,
      "{file} is an overlay, not the machine's tree",
      "give it with --overlay")
RULE (TREE_TOO_BIG, "tree-too-big", ERROR, BY_LOADER, NULL,
      "Xen's tree has {number} bytes, at most {number2} are possible, with {file}", NULL)
RULE (SIGNATURES_OFF, "signatures-off", ERROR, BY_LOADER, NULL,
      "{file}, but files could be loaded without a signature",
      "load pgp, set check_signatures=enforce, load again")
RULE (SHIM, "shim", ERROR, BY_LOADER, NULL,
      "shim does not allow GRUB to load Xen",
      "start GRUB with keys of your own and without shim")
RULE (NOT_EL2, "not-el2", ERROR, WITH_TREE, dom0less_check_not_el2,
      "firmware runs at EL{number}, Xen needs EL2",
      "switch virtualization on in the firmware")
RULE (VHE, "vhe", ERROR, WITH_TREE, dom0less_check_vhe,
      "firmware runs with HCR_EL2.E2H set, Xen cannot, and {file}", NULL)
RULE (TOO_MANY_NODES, "too-many-nodes", ERROR, WITH_TREE,
      dom0less_check_too_many_nodes,
      "too many domains, modules or memory ranges for this loader", NULL)
RULE (NO_HARDWARE, "no-hardware", ERROR, WITH_TREE, dom0less_check_no_hardware,
      "the tree describes no processors",
      "Xen needs the machine's whole tree, not /chosen alone")

RULE (OVERLAY_MISFIT, "overlay-misfit", ERROR, BY_LOADER, NULL,
      "cannot apply {file}",
      "for a tree without __symbols__, say target-path")
RULE (OVERLAY_MALFORMED, "overlay-malformed", ERROR, BY_LOADER, NULL,
      "cannot apply {file}", "compile it again with dtc -@")
RULE (OVERLAY_IS_TREE, "overlay-is-tree", ERROR, BY_LOADER, NULL,
      "{file} is no overlay: nothing in it has an __overlay__",
      "a machine's whole tree replaces the other one: --dtb")
RULE (CONFIG_MISSING, "config-missing", ERROR, BY_LOADER, NULL,
      "xen,uefi-cfg-load requires a xen.cfg beside {file}", "--config FILE")
RULE (CONFIG_SECTION, "config-section", ERROR, BY_LOADER, NULL,
      "no such section: {file}", "--section NAME")
RULE (CONFIG_CONFLICT, "config-conflict", ERROR, BY_LOADER, NULL,
      "the tree has a node already that {file} would add", NULL)
RULE (CONFIG_UNKNOWN, "config-unknown", WARNING, BY_LOADER, NULL,
      "{file} is no keyword of Xen's", NULL)
RULE (NO_MODULE, "no-module", ERROR, WITH_TREE, dom0less_check_no_module,
      "nothing to start: no module under /chosen",
      "a module is compatible with multiboot,module")
RULE (NOT_A_DOMAIN, "not-a-domain", ERROR, WITH_TREE,
      dom0less_check_not_a_domain,
      "Xen overlooks a domain that is compatible with {file}",
      "compatible = \"xen,domain\"")
RULE (NESTED_MODULE, "nested-module", ERROR, WITH_TREE,
      dom0less_check_nested_module,
      "Xen's EFI stub overlooks a module here",
      "move it into /chosen or into a domain")
RULE (DOMAIN_MISPLACED, "domain-misplaced", ERROR, WITH_TREE,
      dom0less_check_domain_misplaced,
      "Xen overlooks a domain here", "move it into /chosen")
RULE (CHOSEN_RANGES, "chosen-ranges", ERROR, WITH_TREE,
      dom0less_check_chosen_ranges,
      "Xen's EFI stub refuses ranges that are not empty", NULL)
RULE (COMPATIBLE_MISSING, "compatible-missing", WARNING, WITH_TREE,
      dom0less_check_compatible_missing,
      "Xen's EFI stub stops at a node without compatible: it gets one", NULL)
RULE (TREE_DEEP, "tree-deep", ERROR, WITH_TREE, dom0less_check_tree_deep,
      "the node is {number} levels deep, this Xen hangs at {number2} and more", NULL)
RULE (TREE_DEEP_UNSURE, "tree-deep-unsure", WARNING, WITH_TREE,
      dom0less_check_tree_deep_unsure,
      "the node is {number} levels deep, where early releases of Xen 4.{number2} hang",
      NULL)
RULE (CELLS_MISSING, "cells-missing", ERROR, WITH_TREE,
      dom0less_check_cells_missing,
      "{file} is missing",
      "a domain says its own cells")
RULE (CELLS_IMPOSSIBLE, "cells-impossible", ERROR, WITH_TREE,
      dom0less_check_cells_impossible,
      "{file} is not from 1 to {number}", NULL)
RULE (INITRD_STALE, "initrd-stale", ERROR, WITH_TREE, dom0less_check_initrd_stale,
      "linux,initrd-start and -end make no range, and Xen stops",
      "delete both")
RULE (INITRD_PRESENT, "initrd-present", WARNING, WITH_TREE,
      dom0less_check_initrd_present,
      "Xen makes a dom0's ramdisk of linux,initrd-start and -end",
      "delete both")
RULE (CONSOLE_MISSING, "console-missing", WARNING, WITH_TREE,
      dom0less_check_console_missing,
      "Xen will be silent: {file}", NULL)
RULE (CONSOLE_UNDRIVEN, "console-undriven", WARNING, WITH_TREE,
      dom0less_check_console_undriven,
      "Xen will be silent: it has no driver for {other}",
      "dtuart= can name another UART")
RULE (GIC_UNDRIVEN, "gic-undriven", ERROR, WITH_TREE,
      dom0less_check_gic_undriven,
      "Xen has no driver for any interrupt controller here, such as {other}",
      "it drives GICv2 and GICv3")
RULE (BOOTARGS_IGNORED, "bootargs-ignored", WARNING, WITH_TREE,
      dom0less_check_bootargs_ignored,
      "without a dom0 Xen ignores bootargs",
      "say xen,xen-bootargs, or give arguments after XEN")
RULE (XEN_ARGS_LONG, "xen-args-long", WARNING, WITH_TREE,
      dom0less_check_xen_args_long,
      "Xen cuts its command line of {number} bytes at {number2}", NULL)
RULE (OPTION_AFTER_XEN, "option-after-xen", WARNING, WITH_TREE,
      dom0less_check_option_after_xen,
      "Xen gets the argument {file}, and ignores it",
      "an option of xen_dom0less belongs before XEN")

RULE (DOMAIN_NAME_UNIT, "domain-name-unit", ERROR, WITH_TREE,
      dom0less_check_domain_name_unit,
      "Xen loses the bootargs of a domain with a @ in its name", NULL)
RULE (DOMAIN_NAME_LONG, "domain-name-long", ERROR, WITH_TREE,
      dom0less_check_domain_name_long,
      "Xen loses the bootargs of a domain whose name has {number} of {number2} bytes",
      NULL)
RULE (DOMAIN_DISABLED, "domain-disabled", WARNING, WITH_TREE,
      dom0less_check_domain_disabled,
      "Xen ignores status: the domain will start", "delete the node instead")
RULE (DISABLED_STATIC_MEM, "disabled-static-mem", ERROR, WITH_TREE,
      dom0less_check_disabled_static_mem,
      "Xen starts a disabled domain, but leaves its xen,static-mem out",
      "delete the node instead")
RULE (MEMORY_MALFORMED, "memory-malformed", ERROR, WITH_TREE,
      dom0less_check_memory_malformed,
      "memory is not one 64-bit number of KiB, a multiple of 4",
      "memory = <0 0x20000>")
RULE (MEMORY_BYTES, "memory-bytes", WARNING, WITH_TREE, dom0less_check_memory_bytes,
      "memory is {number} KiB: were {number} bytes meant?", NULL)
RULE (MEMORY_TOO_MUCH, "memory-too-much", ERROR, WITH_TREE,
      dom0less_check_memory_too_much,
      "the domains need {number} KiB, of which the machine has {number2} left for them",
      "memory is in KiB: <0 0x40000> is 256 MiB")
RULE (HEAP_TOO_SMALL, "heap-too-small", ERROR, WITH_TREE,
      dom0less_check_heap_too_small,
      "the domains need {number} KiB of xen,static-heap, which has {number2}",
      "memory is in KiB: <0 0x40000> is 256 MiB")
RULE (CPUS_IMPOSSIBLE, "cpus-impossible", ERROR, WITH_TREE,
      dom0less_check_cpus_impossible,
      "cpus is missing, or not from 1 to {number2}", NULL)
RULE (PROPERTY_SIZE, "property-size", WARNING, WITH_TREE,
      dom0less_check_property_size,
      "{file} has {number} bytes instead of {number2}",
      "Xen ignores what is too short, and the end of what is too long")
RULE (VALUE_IMPOSSIBLE, "value-impossible", ERROR, WITH_TREE,
      dom0less_check_value_impossible,
      "{file} is {number}, which Xen does not take", NULL)
RULE (VALUE_UNKNOWN, "value-unknown", WARNING, WITH_TREE,
      dom0less_check_value_unknown,
      "Xen ignores {file}, whose value it does not know", NULL)
RULE (CAPABILITIES_CONFLICT, "capabilities-conflict", ERROR, WITH_TREE,
      dom0less_check_capabilities_conflict,
      "Xen refuses these capabilities: {file}", NULL)
RULE (SCI_IMPOSSIBLE, "sci-impossible", ERROR, WITH_TREE,
      dom0less_check_sci_impossible,
      "Xen refuses this xen,sci_type: {file}", NULL)
RULE (VCPU_IMPOSSIBLE, "vcpu-impossible", ERROR, WITH_TREE,
      dom0less_check_vcpu_impossible,
      "Xen has no such {file}", NULL)
RULE (ENHANCED_ALONE, "enhanced-alone", ERROR, WITH_TREE,
      dom0less_check_enhanced_alone,
      "xen,enhanced needs a dom0, or since Xen 4.21 a domain with xenstore",
      "xen,enhanced = \"no-xenstore\" does not")
RULE (DIRECT_MAP_ALONE, "direct-map-alone", ERROR, WITH_TREE,
      dom0less_check_direct_map_alone,
      "direct-map needs xen,static-mem", NULL)
RULE (VPL011_DIRECT, "vpl011-direct", ERROR, WITH_TREE,
      dom0less_check_vpl011_direct,
      "with direct-map vpl011 takes the place of Xen's UART, and it cannot: {file}",
      NULL)
RULE (REDISTRIBUTORS_FEW, "redistributors-few", ERROR, WITH_TREE,
      dom0less_check_redistributors_few,
      "with direct-map each of its {number} vCPUs needs one of the machine's {number2} redistributors",
      NULL)
RULE (NR_SPIS_IMPOSSIBLE, "nr-spis-impossible", ERROR, WITH_TREE,
      dom0less_check_nr_spis_impossible,
      "nr_spis is {number}, Xen takes at most {number2}, and at least 1 with vpl011", NULL)
RULE (CPUPOOL_MISSING, "cpupool-missing", ERROR, WITH_TREE,
      dom0less_check_cpupool_missing,
      "domain-cpupool points at no node that is compatible with xen,cpupool",
      NULL)
RULE (CPUPOOL_MALFORMED, "cpupool-malformed", ERROR, WITH_TREE,
      dom0less_check_cpupool_malformed,
      "Xen cannot make this pool: {file}", NULL)
RULE (EVENT_CHANNEL_BROKEN, "event-channel-broken", ERROR, WITH_TREE,
      dom0less_check_event_channel_broken,
      "Xen cannot connect this event channel: {file}", NULL)
RULE (LLC_COLORS_STATIC, "llc-colors-static", ERROR, WITH_TREE,
      dom0less_check_llc_colors_static,
      "LLC coloring and xen,static-mem exclude each other", NULL)
RULE (LLC_COLORS_OFF, "llc-colors-off", ERROR, WITH_TREE,
      dom0less_check_llc_colors_off,
      "llc-colors needs llc-coloring=on among Xen's arguments", NULL)
RULE (NOT_BUILT_IN, "not-built-in", ERROR, WITH_TREE, dom0less_check_not_built_in,
      "{file}, which this Xen was built without", NULL)
RULE (PROPERTY_UNKNOWN, "property-unknown", WARNING, WITH_TREE,
      dom0less_check_property_unknown,
      "this Xen does not know {file}", NULL)

RULE (KIND_UNKNOWN, "kind-unknown", ERROR, WITH_TREE, dom0less_check_kind_unknown,
      "the module's kind is not known",
      "say multiboot,kernel or multiboot,ramdisk")
RULE (KIND_MISPLACED, "kind-misplaced", ERROR, WITH_TREE,
      dom0less_check_kind_misplaced,
      "Xen does not take a {file} here", NULL)
RULE (NOT_A_MODULE, "not-a-module", ERROR, WITH_TREE, dom0less_check_not_a_module,
      "Xen overlooks a module that is not compatible with multiboot,module",
      NULL)
RULE (MODULE_OLD, "module-old", WARNING, WITH_TREE, dom0less_check_module_old,
      "Xen's EFI stub does not know xen,multiboot-module: multiboot,module is added",
      NULL)
RULE (STRING_MALFORMED, "string-malformed", ERROR, WITH_TREE,
      dom0less_check_string_malformed,
      "{file} is not one string", NULL)
RULE (INDEX_MALFORMED, "index-malformed", ERROR, WITH_TREE,
      dom0less_check_index_malformed,
      "mb-index is not one cell", "write one number, as in mb-index = <0>")
RULE (NAMES_DIFFER, "names-differ", ERROR, WITH_TREE, dom0less_check_names_differ,
      "uefi,binary and xen,uefi-binary name two files", NULL)
RULE (REG_MISSING, "reg-missing", ERROR, WITH_TREE, dom0less_check_reg_missing,
      "the module has neither a file's name nor reg",
      "say uefi,binary = \"FILE\"")
RULE (RANGE_MALFORMED, "range-malformed", ERROR, WITH_TREE,
      dom0less_check_range_malformed,
      "{file} is no whole number of addresses and sizes in these cells", NULL)
RULE (REG_UNVERIFIED, "reg-unverified", ERROR, WITH_TREE,
      dom0less_check_reg_unverified,
      "nobody has verified what lies at {hex}",
      "name a file instead: uefi,binary = \"FILE\"")
RULE (REG_UNMEASURED, "reg-unmeasured", ERROR, BY_LOADER, NULL,
      "what lies at {hex} cannot be measured",
      "name a file instead: uefi,binary = \"FILE\"")
RULE (KERNEL_MISSING, "kernel-missing", ERROR, WITH_TREE,
      dom0less_check_kernel_missing,
      "the domain has no kernel", NULL)
RULE (TWO_OF_A_KIND, "two-of-a-kind", ERROR, WITH_TREE,
      dom0less_check_two_of_a_kind,
      "a second {file}, beside {other}", NULL)
RULE (BOOTARGS_LONG, "bootargs-long", ERROR, WITH_TREE,
      dom0less_check_bootargs_long,
      "bootargs has {number} bytes, Xen takes {number2}", NULL)
RULE (TOO_MANY_BOOTARGS, "too-many-bootargs", ERROR, WITH_TREE,
      dom0less_check_too_many_bootargs,
      "Xen loses the bootargs of all modules but {number2}", NULL)
RULE (KINDS_SHARE, "kinds-share", ERROR, WITH_TREE, dom0less_check_kinds_share,
      "same address as {other}, which is of another kind", NULL)
RULE (DOM0_SHARES, "dom0-shares", ERROR, WITH_TREE, dom0less_check_dom0_shares,
      "same address as {other}: Xen loses the dom0's", "place it twice")
RULE (MODULES_OVERLAP, "modules-overlap", ERROR, WITH_TREE,
      dom0less_check_modules_overlap,
      "{hex} overlaps {other}", NULL)

RULE (MODULE_IN_RANGE, "module-in-range", ERROR, WITH_TREE,
      dom0less_check_module_in_range,
      "{hex} lies in the memory of {other}", NULL)
RULE (RANGES_OVERLAP, "ranges-overlap", ERROR, WITH_TREE,
      dom0less_check_ranges_overlap,
      "{file} at {hex} overlaps {other}", NULL)
RULE (RANGE_OVER_FIRMWARE, "range-over-firmware", ERROR, WITH_TREE,
      dom0less_check_range_over_firmware,
      "{file} at {hex} lies over the firmware's own memory at {hex2}", NULL)
RULE (RANGE_OUTSIDE_RAM, "range-outside-ram", ERROR, WITH_TREE,
      dom0less_check_range_outside_ram,
      "{file} at {hex} is not in RAM from {hex2} on", NULL)
RULE (RANGE_UNALIGNED, "range-unaligned", ERROR, WITH_TREE,
      dom0less_check_range_unaligned,
      "{file} at {hex2} is not aligned to {hex} bytes", NULL)
RULE (STATIC_MEM_SUM, "static-mem-sum", ERROR, WITH_TREE,
      dom0less_check_static_mem_sum,
      "xen,static-mem has {number} KiB, memory says {number2}", NULL)
RULE (SHARED_MEM_MALFORMED, "shared-mem-malformed", ERROR, WITH_TREE,
      dom0less_check_shared_mem_malformed,
      "{file} is missing or not as Xen takes it", NULL)
RULE (SHARED_MEM_CONFLICT, "shared-mem-conflict", ERROR, WITH_TREE,
      dom0less_check_shared_mem_conflict,
      "{file}, unlike {other}", "one xen,shm-id is one area with one owner")
RULE (SHARED_MEM_HOST, "shared-mem-host", ERROR, WITH_TREE,
      dom0less_check_shared_mem_host,
      "before 4.20 Xen requires a host address in xen,shared-mem", NULL)
RULE (SHARED_MEM_GUEST, "shared-mem-guest", ERROR, WITH_TREE,
      dom0less_check_shared_mem_guest,
      "Xen cannot map xen,shared-mem at the guest's {hex}: {file}", NULL)
RULE (TOO_MANY_PIECES, "too-many-pieces", WARNING, WITH_TREE,
      dom0less_check_too_many_pieces,
      "RAM is in {number} pieces, before 4.21 Xen uses {number2}: the rest is lost", NULL)

RULE (INDEX_UNKNOWN, "index-unknown", ERROR, BY_LOADER, NULL,
      "mb-index {number} was not given", "--module FILE, once for each index")
RULE (KEY_UNUSED, "key-unused", WARNING, BY_LOADER, NULL,
      "no module names {file}", NULL)
RULE (FILE_MISSING, "file-missing", ERROR, BY_LOADER, NULL,
      "cannot load {file}", NULL)
RULE (FILE_UNREADABLE, "file-unreadable", ERROR, BY_LOADER, NULL,
      "cannot read {file}", NULL)
RULE (FILE_REFUSED, "file-refused", ERROR, BY_LOADER, NULL,
      "GRUB does not accept {file}", NULL)
RULE (FILE_EMPTY, "file-empty", ERROR, BY_LOADER, NULL,
      "{file} is empty", NULL)
RULE (FILE_TOO_BIG, "file-too-big", ERROR, BY_LOADER, NULL,
      "{file} has {number} bytes, reg has room for {number2}", NULL)
RULE (ADDRESS_IN_USE, "address-in-use", ERROR, BY_LOADER, NULL,
      "{hex} is not free for {file}", NULL)
RULE (POLICY_FORMAT, "policy-format", ERROR, BY_LOADER, NULL,
      "{file} is no policy for Xen's XSM", NULL)
RULE (DEVICE_TREE_BROKEN, "device-tree-broken", ERROR, BY_LOADER, NULL,
      "Xen stops at {file}", NULL)
RULE (DEVICE_LOST, "device-lost", WARNING, BY_LOADER, NULL,
      "Xen hands over less than it should: {file}", NULL)
RULE (KERNEL_FORMAT, "kernel-format", ERROR, BY_LOADER, NULL,
      "{file}, which Xen does not take as a kernel", NULL)
RULE (KERNEL_BROKEN, "kernel-broken", ERROR, BY_LOADER, NULL,
      "cannot unpack {file}", NULL)
RULE (KERNEL_CONSUMED, "kernel-consumed", ERROR, BY_LOADER, NULL,
      "Xen unpacks the kernel at {hex} for {other}, and frees it",
      "place it twice, or unpacked")
RULE (ADDRESS_TOO_BIG, "address-too-big", ERROR, WITH_ADDRESSES,
      dom0less_check_address_too_big,
      "address {hex} or size {hex2} does not fit the cells",
      "use 2 address and 2 size cells")
RULE (TOO_MANY_MODULES, "too-many-modules", ERROR, WITH_ADDRESSES,
      dom0less_check_too_many_modules,
      "{number} different modules, Xen takes {number2}",
      "domains that name one file share it")
RULE (PATH_LONG, "path-long", ERROR, WITH_ADDRESSES, dom0less_check_path_long,
      "the module's path will have {number} bytes, Xen takes {number2}", NULL)
RULE (MODULE_IN_PIECES, "module-in-pieces", ERROR, WITH_ADDRESSES,
      dom0less_check_module_in_pieces,
      "{hex} is in two of the firmware's pieces of RAM", "Xen frees it twice")
RULE (DOMAIN_TOO_SMALL, "domain-too-small", ERROR, WITH_ADDRESSES,
      dom0less_check_domain_too_small,
      "kernel, ramdisk and device tree take {number} KiB, the domain's first bank has"
      " {number2}", "memory is in KiB: <0 0x40000> is 256 MiB")
RULE (KERNEL_OUTSIDE, "kernel-outside", ERROR, WITH_ADDRESSES,
      dom0less_check_kernel_outside,
      "the kernel is to lie at {hex}, the domain's memory begins at {hex2}",
      "another load address; 0 lets Xen choose")
RULE (IMAGE_IN_RANGE, "image-in-range", ERROR, WITH_ADDRESSES,
      dom0less_check_image_in_range,
      "firmware gave memory at {hex}, which belongs to {other}", NULL)
RULE (XEN_IN_RANGE, "xen-in-range", ERROR, WITH_ADDRESSES, dom0less_check_xen_in_range,
      "firmware put Xen's image at {hex}, into this memory", NULL)
RULE (VHE_CODE, "vhe-code", ERROR, WITH_ADDRESSES, dom0less_check_vhe_code,
      "firmware's tables let {hex} execute with HCR_EL2.E2H set only",
      "Xen needs it clear")
