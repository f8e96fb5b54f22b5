/* cases.h - tables of trees and what the rules find in them  */
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

#ifndef UNIT_CASES_HEADER
#define UNIT_CASES_HEADER	1

#include "stage.h"

/* A domain NAME that no rule minds, which says SAYS as well, and so may take
   back or change what stands before.  */
#define DOMAIN(name, says)						\
  name " { compatible = \"xen,domain\"; #address-cells = <2>;"		\
  "#size-cells = <2>; memory = <0 0x10000>; cpus = <1>;"		\
  KERNEL ("") "};" name " {" says "};"

/* What /chosen says, on which machine, and what is found; see context.h.  */
struct rule_case
{
  const char *chosen, *needs, *finds;
};

#define RUN_CASES(table) \
  run_cases (table, sizeof (table) / sizeof (table[0]))

static inline void
run_cases (const struct rule_case *cases, size_t n)
{
  size_t i;

  for (i = 0; i < n; i++)
    assert_chosen (cases[i].chosen, cases[i].needs, cases[i].finds);
}

#endif
