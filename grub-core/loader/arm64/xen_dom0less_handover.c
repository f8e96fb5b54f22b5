/* xen_dom0less_handover.c - the firmware's services while Xen's stub runs  */
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

#include <grub/efi/efi.h>
#include <grub/env.h>
#include <grub/misc.h>
#include <grub/safemath.h>

#include "xen_dom0less_platform.h"

/*
 * While Xen's stub runs, two of the firmware's services are replaced by
 * functions in this file.
 *
 * ExitBootServices is replaced for two reasons.  When it fails because the
 * memory map has changed, the stub reads the new map, adds each bank of RAM to
 * the banks that it already has, and stops in its page allocator before it has
 * a console (efi_exit_boot and efi_arch_process_memory_map, Xen 4.17 to master
 * of 2026).  And VHE has to be left after the firmware's last event and before
 * Xen's first page table, when no other code of ours runs.
 *
 * GetMemoryMap is replaced in order to know which map the stub has seen.
 *
 * Between ExitBootServices and switching to its own translation tables, the
 * stub of the same versions does the following.  It calls
 * SetVirtualAddressMap, cleans its tree and image to the Point of Coherency,
 * and clears SCTLR_EL2.M and C, keeping all other bits (efi_xen_start).  From
 * real_start_efi on it writes MAIR_EL2, TCR_EL2, SCTLR_EL2 and TTBR0_EL2, and
 * in C code VBAR_EL2, HCR_EL2, CPTR_EL2, MDCR_EL2, HSTR_EL2, VTCR_EL2,
 * CNTVOFF_EL2 and CNTHCTL_EL2.  It therefore needs the MMU on, and the stack,
 * its code and the firmware's runtime code mapped one to one.  The firmware's
 * own tables stay in use for this, and dom0less_check_vhe_code has examined
 * them.
 *
 * The following registers are not written here:
 *  - MAIR_EL2, VBAR_EL2, SP_EL2, TPIDR_EL2, ELR_EL2, SPSR_EL2, ESR_EL2,
 *    FAR_EL2 and MDCR_EL2, because they have the same meaning in both regimes;
 *  - VTTBR_EL2, VTCR_EL2 and the EL1 registers (named *_EL12 under VHE),
 *    because they concern EL1 and EL0, where nothing runs before Xen writes
 *    them;
 *  - CNTVOFF_EL2, which from now on affects EL2, because nothing reads the
 *    virtual counter until Xen writes it;
 *  - TTBR1_EL2, CONTEXTIDR_EL2 and the timer CNTHV_*_EL2, because the EL2
 *    regime does not have them or Xen does not use them.  The firmware has
 *    stopped its timers when ExitBootServices succeeds.
 *
 * Other processors have not been started.  The firmware leaves them to PSCI,
 * which starts each of them at Xen's address in the state that EL3 provides,
 * and not in the state of the firmware's own processor.
 */

/* In xen_dom0less_regime.S.  */
int dom0less_change_regime (const struct grub_dom0less_regime *regime);
extern const char dom0less_change_regime_end[];

typedef __typeof__ (((grub_efi_boot_services_t *) 0)->get_memory_map)
  get_memory_map_t;
typedef __typeof__ (((grub_efi_boot_services_t *) 0)->exit_boot_services)
  exit_boot_services_t;

/* The firmware's own services, and room for two maps.  They are static because
   Xen calls these functions without any context.  */
static get_memory_map_t get_memory_map;
static exit_boot_services_t exit_boot_services;
static char *seen_bytes, *now_bytes;
static grub_efi_uintn_t room;

/* The map that the stub has read last, and its key.  */
static struct grub_dom0less_map seen;
static grub_efi_uintn_t seen_key;

/* Additional room, because a map may grow while Xen's stub runs.  */
#define MORE_DESCRIPTORS	64

#define READ(name)							\
  ({ grub_uint64_t value_;						\
     asm volatile ("mrs %0, " name : "=r" (value_)); value_; })

static grub_uint64_t
read_memory (grub_uint64_t address)
{
  return *(volatile grub_uint64_t *) dom0less_platform_at (address);
}

static void
read_regime (struct grub_dom0less_regime *regime)
{
  regime->hcr = READ ("hcr_el2");
  regime->tcr = READ ("tcr_el2");
  regime->ttbr0 = READ ("ttbr0_el2");
  regime->sctlr = READ ("sctlr_el2");
  regime->cptr = READ ("cptr_el2");
  regime->cnthctl = READ ("cnthctl_el2");
}

static int
is_switched_off (void)
{
  const char *value = grub_env_get ("xen_dom0less_handover");

  return value && grub_strcmp (value, "0") == 0;
}

void
dom0less_platform_read_processor (struct dom0less_boot *boot)
{
  struct grub_dom0less_facts *facts = &boot->facts;

  facts->exception_level = READ ("CurrentEL") >> 2 & 3;
  facts->is_handover_off = is_switched_off ();
  facts->read = read_memory;
  if (facts->exception_level != 2)
    return;
  read_regime (&facts->regime);
  /* Read ID_AA64MMFR4_EL1.E2H0, which older assemblers cannot name: it is 0 if
     E2H can be 0, and negative if E2H is RES1.  On processors without the
     field it reads as 0.  */
  facts->is_vhe_only = (READ ("S3_0_C0_C7_4") >> 27 & 1) != 0;
}

static grub_efi_status_t
see_memory_map (grub_efi_uintn_t *size, grub_efi_memory_descriptor_t *map,
		grub_efi_uintn_t *key, grub_efi_uintn_t *step,
		grub_efi_uint32_t *version)
{
  grub_efi_status_t status = get_memory_map (size, map, key, step, version);

  if (status == GRUB_EFI_SUCCESS)
    {
      seen.size = 0;
      if (*size <= room)
	{
	  grub_memcpy (seen_bytes, map, *size);
	  seen.bytes = seen_bytes;
	  seen.size = *size;
	  seen.step = *step;
	  seen_key = *key;
	}
    }
  return status;
}

/* Return whether Xen can continue with the map that it has seen, although *KEY
   is no longer valid.  If so, set *KEY to the new key.  */
static int
is_still_sound (grub_efi_uintn_t *key)
{
  struct grub_dom0less_map now;
  grub_efi_uintn_t size = room, step = 0;
  grub_efi_uint32_t version;

  if (!seen.size || *key != seen_key
      || get_memory_map (&size, (grub_efi_memory_descriptor_t *) now_bytes,
			 key, &step, &version) != GRUB_EFI_SUCCESS)
    return 0;
  now.bytes = now_bytes;
  now.size = size;
  now.step = step;
  return grub_dom0less_map_holds (&seen, &now);
}

static void
leave_vhe (void)
{
  struct grub_dom0less_regime vhe, left;

  if (READ ("CurrentEL") >> 2 != 2)
    return;
  read_regime (&vhe);
  if (!grub_dom0less_is_vhe (&vhe))
    return;
  grub_dom0less_leave_vhe (&vhe, &left);
  dom0less_change_regime (&left);
}

/* Nothing may be allocated after the first call, and nothing is.  If a second
   call is not possible, or has failed as well, the stub must not read the map
   again.  For any other error it prints that it cannot exit, and stops.  */
static grub_efi_status_t
exit_for_xen (grub_efi_handle_t image, grub_efi_uintn_t key)
{
  grub_efi_status_t status = exit_boot_services (image, key);

  if (status == GRUB_EFI_INVALID_PARAMETER)
    {
      if (is_still_sound (&key))
	status = exit_boot_services (image, key);
      if (status == GRUB_EFI_INVALID_PARAMETER)
	status = GRUB_EFI_ABORTED;
    }
  if (status == GRUB_EFI_SUCCESS)
    leave_vhe ();
  return status;
}

/* Replace two of the boot services, and update the CRC32 of their table.  */
static void
set_services (get_memory_map_t map_service, exit_boot_services_t exit_service)
{
  grub_efi_boot_services_t *b = grub_efi_system_table->boot_services;
  grub_efi_uint32_t crc = 0;

  b->get_memory_map = map_service;
  b->exit_boot_services = exit_service;
  b->hdr.crc32 = 0;
  b->calculate_crc32 (b, b->hdr.header_size, &crc);
  b->hdr.crc32 = crc;
}

grub_err_t
dom0less_platform_prepare_handover (struct dom0less_boot *boot)
{
  grub_efi_uintn_t size = 0, step = 0;

  if (boot->facts.is_handover_off)
    return GRUB_ERR_NONE;
  if (grub_efi_get_memory_map (&size, NULL, NULL, &step, NULL) < 0)
    return grub_error (GRUB_ERR_IO,
		       N_("cannot read the firmware's memory map"));
  if (grub_mul (size, 2, &size) || grub_mul (step, MORE_DESCRIPTORS, &step)
      || grub_add (size, step, &size))
    return grub_error (GRUB_ERR_OUT_OF_RANGE, N_("overflow is detected"));
  return dom0less_platform_alloc (&boot->handover.maps, DOM0LESS_NO_LIMIT,
				  2 * DOM0LESS_PAGES (size));
}

void
dom0less_platform_begin_handover (struct dom0less_boot *boot)
{
  grub_efi_boot_services_t *b = grub_efi_system_table->boot_services;

  if (!boot->handover.maps.count)
    return;
  room = (boot->handover.maps.count / 2) << DOM0LESS_PAGE_SHIFT;
  seen_bytes = dom0less_platform_at (boot->handover.maps.address);
  now_bytes = seen_bytes + room;
  seen.size = 0;
  dom0less_platform_clean_cache ((const void *) dom0less_change_regime,
				 dom0less_change_regime_end
				 - (const char *) dom0less_change_regime);
  if (grub_dom0less_is_vhe (&boot->facts.regime))
    grub_dprintf ("xen_dom0less", "HCR_EL2.E2H is set, and will be cleared\n");

  get_memory_map = b->get_memory_map;
  exit_boot_services = b->exit_boot_services;
  set_services (see_memory_map, exit_for_xen);
}

void
dom0less_platform_end_handover (const struct dom0less_boot *boot)
{
  if (boot->handover.maps.count)
    set_services (get_memory_map, exit_boot_services);
}
