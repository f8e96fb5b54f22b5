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
 * RULE (number, name, severity, phase, check, says, hint), in the order in
 * which findings are told.  The includer defines RULE; the rules' enumeration,
 * their table and the manual's are made from this list, and each has a
 * tests/dts/bad-NAME.dts or a boot test of its own.
 *
 * A check of NULL belongs to a rule that only the loader can meet with.  In
 * SAYS and HINT, `$f' is the finding's file or property, `$o' its other node,
 * `$x' and `$y' its numbers in hexadecimal, `$n' and `$m' in decimal.
 */

RULE (TREE_MISSING, "tree-missing", ERROR, MET, NULL,
      "no device tree",
      "firmware may offer ACPI only: use --dtb or devicetree")
RULE (TREE_MALFORMED, "tree-malformed", ERROR, MET, NULL,
      "$f is not a well-formed device tree",
      "compile it again with dtc")
RULE (NOT_EL2, "not-el2", ERROR, TREE, check_not_el2,
      "firmware runs at EL$n, Xen needs EL2",
      "switch virtualization on in the firmware")
RULE (TOO_MANY_NODES, "too-many-nodes", ERROR, TREE, check_too_many_nodes,
      "too many domains, modules or memory ranges for this loader", NULL)
RULE (CONFIG_WANTED, "config-wanted", ERROR, TREE, check_config_wanted,
      "xen,uefi-cfg-load says that xen.cfg has the dom0, and it is not read",
      "name the dom0's modules in the tree")
RULE (NO_MODULE, "no-module", ERROR, TREE, check_no_module,
      "nothing to start: no module under /chosen",
      "a module is compatible with multiboot,module")
RULE (CELLS_MISSING, "cells-missing", ERROR, TREE, check_cells_missing,
      "$f is missing",
      "a domain says its own cells")
RULE (CELLS_IMPOSSIBLE, "cells-impossible", ERROR, TREE,
      check_cells_impossible,
      "$f is not from 1 to 4", NULL)
RULE (KIND_UNKNOWN, "kind-unknown", ERROR, TREE, check_kind_unknown,
      "the module's kind is not known",
      "say multiboot,kernel or multiboot,ramdisk")
RULE (NOT_A_MODULE, "not-a-module", ERROR, TREE, check_not_a_module,
      "Xen overlooks a module that is not compatible with multiboot,module",
      NULL)
RULE (NAME_MALFORMED, "name-malformed", ERROR, TREE, check_name_malformed,
      "$f is not one non-empty string", NULL)
RULE (REG_MISSING, "reg-missing", ERROR, TREE, check_reg_missing,
      "the module has neither a file's name nor reg",
      "say uefi,binary = \"FILE\"")
RULE (KERNEL_MISSING, "kernel-missing", ERROR, TREE, check_kernel_missing,
      "the domain has no kernel", NULL)
RULE (TWO_OF_A_KIND, "two-of-a-kind", ERROR, TREE, check_two_of_a_kind,
      "a second $f, beside $o", NULL)
RULE (FILE_MISSING, "file-missing", ERROR, MET, NULL,
      "cannot open $f", NULL)
RULE (FILE_EMPTY, "file-empty", ERROR, MET, NULL,
      "$f is empty", NULL)
RULE (ADDRESS_TOO_BIG, "address-too-big", ERROR, PLACED,
      check_address_too_big,
      "address $x or size $y does not fit the cells",
      "use 2 address and 2 size cells")
