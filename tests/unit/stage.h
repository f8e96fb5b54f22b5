/* stage.h - a machine for the rules, and what they find on it  */
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

#ifndef UNIT_SCENE_HEADER
#define UNIT_SCENE_HEADER	1

#include "support.h"
#include "xen_dom0less_vectors.h"

/*
 * The machine is QEMU's "virt" with 2 GiB from 0x40000000 on, whose first MiB
 * is the loader's and whose last the firmware's, with flash at 0x4000000; at
 * EL2, with a Xen of which nothing is known.  NEEDS is a list, divided by
 * semicolons, of what shall be different:
 *
 *   EL1			firmware runs there
 *   VHE				it has HCR_EL2.E2H set
 *   VHE alone			the processor has no other regime
 *   VHE for code		without, no code can be executed
 *   no handover			xen_dom0less_handover is 0
 *   no granule			TCR_EL2 names none
 *   signatures			only what is signed may be used
 *   unknown memory		there is no map
 *   firmware at ADDRESS	its MiB of RAM is that one
 *   N pieces of RAM		adjacent, and all of them free
 *   Xen MAJOR.MINOR[.PATCH]	with every option built in
 *   Xen without CONFIG		of its .config, CONFIG_ left out
 *   arguments TEXT		after XEN on the command line
 *   images at ADDRESS		files are loaded there, 64 KiB apart
 *   images of SIZE		bytes
 *   kernels loaded at ADDRESS	in their domains, as a uImage can say
 *   Xen at ADDRESS		its image lies there, in a MiB
 */

/* Read a plan from FDT, apply the rules as the loader does, and compare what
   they find with EXPECTED: one line for each finding, of which the finding's
   text must be the same as far as the line goes.  NULL expects none.  */
void assert_findings (const void *fdt, const char *needs,
		      const char *expected);

/* The same for the domains and modules of SOURCE on the fixtures' hardware,
   all of it within /chosen.  */
void assert_chosen (const char *source, const char *needs,
		    const char *expected);

#endif
