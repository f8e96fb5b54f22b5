/* xen_dom0less_digest.c - SHA-256 by the processor's own instructions  */
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

#include <grub/types.h>
#include <grub/crypto.h>
#include <grub/env.h>
#include <grub/misc.h>

#include "xen_dom0less_platform.h"
#include "xen_dom0less_compat.h"

/*
 * GRUB's digests are libgcrypt's in C.  While a file is verified, a digest that
 * uses the processor's SHA-256 instructions stands before GRUB's in the list of
 * digests, so that verifiers find it by the same name.  It is a copy of GRUB's
 * with other functions: object identifier, sizes and whatever else a version
 * of GRUB keeps there stay.  Afterwards the list is as it was.
 *
 * The vector registers are the caller's to use in UEFI boot services (UEFI
 * specification, 2.3.6.4), and GRUB is compiled without them, so nobody's values
 * are lost.  The transform leaves v8 to v15 alone.
 */

/* From libgcrypt's sha256-armv8-aarch64-ce.S, which calls it
   _gcry_sha256_transform_armv8_ce (Makefile.core.def).  */
unsigned int dom0less_sha256_transform (void *state, const void *blocks,
					grub_size_t count);

#define CURRENT_EL_SHIFT	2
#define CPACR_EL1_FPEN		(3 << 20)	/* CPTR_EL2's too, with E2H */
#define CPTR_EL2_TFP		(1 << 10)
#define HCR_EL2_E2H		((grub_uint64_t) 1 << 34)
#define ISAR0_SHA2_SHIFT	12
#define ISAR0_FIELD		15

#define READ_REGISTER(name)						\
  ({ grub_uint64_t value_; asm volatile ("mrs %0, " #name : "=r" (value_)); \
     value_; })

/* Return whether using vector registers is trapped.  Sources: the Arm
   Architecture Reference Manual (DDI 0487), CPACR_EL1 and CPTR_EL2.  */
static int
are_vectors_trapped (void)
{
  if (READ_REGISTER (CurrentEL) >> CURRENT_EL_SHIFT == 1)
    return (READ_REGISTER (cpacr_el1) & CPACR_EL1_FPEN) != CPACR_EL1_FPEN;
  if (READ_REGISTER (hcr_el2) & HCR_EL2_E2H)
    return (READ_REGISTER (cptr_el2) & CPACR_EL1_FPEN) != CPACR_EL1_FPEN;
  return (READ_REGISTER (cptr_el2) & CPTR_EL2_TFP) != 0;
}

/* Return what speaks against the instructions, or NULL.  */
static const char *
find_obstacle (void)
{
  const char *variable = grub_env_get ("xen_dom0less_sha256");

  if (variable && grub_strcmp (variable, "0") == 0)
    return "xen_dom0less_sha256 is 0";
  if (!(READ_REGISTER (id_aa64isar0_el1) >> ISAR0_SHA2_SHIFT & ISAR0_FIELD))
    return "the processor does not have them";
  if (are_vectors_trapped ())
    return "the firmware traps them";
  if (!grub_dom0less_sha256_works (dom0less_sha256_transform))
    return "they failed their test";
  return NULL;
}

static void
init (void *context)
{
  grub_dom0less_sha256_init (context, dom0less_sha256_transform);
}

static void
init_with_flags (void *context, unsigned int flags __attribute__ ((unused)))
{
  init (context);
}

static void
write (void *context, const void *bytes, grub_size_t size)
{
  grub_dom0less_sha256_write (context, bytes, size);
}

static void
final (void *context)
{
  grub_dom0less_sha256_final (context);
}

/* The digest lies where its last block was.  */
static unsigned char *
read (void *context)
{
  return ((struct grub_dom0less_sha256 *) context)->block;
}

static gcry_md_spec_t digest;
static int is_registered;

/* Find GRUB's SHA-256 if it is loaded.  A verifier loads what it needs by
   itself.  */
static const gcry_md_spec_t *
find_loaded (void)
{
  void (*autoload) (const char *) = grub_crypto_autoload_hook;
  const gcry_md_spec_t *found;

  grub_crypto_autoload_hook = NULL;
  found = grub_crypto_lookup_md_by_name ("sha256");
  grub_crypto_autoload_hook = autoload;
  return found;
}

void
dom0less_register_digest (void)
{
  const gcry_md_spec_t *grubs = find_loaded ();
  const char *obstacle;

  if (!grubs)
    return;
  obstacle = find_obstacle ();
  if (obstacle)
    {
      grub_dprintf ("xen_dom0less", "SHA-256 instructions are not used: %s\n",
		    obstacle);
      return;
    }
  digest = *grubs;
  digest.init = DOM0LESS_MD_INIT (init, init_with_flags);
  digest.write = write;
  digest.final = final;
  digest.read = read;
  digest.contextsize = sizeof (struct grub_dom0less_sha256);
  grub_md_register (&digest);
  is_registered = 1;
  grub_dprintf ("xen_dom0less", "SHA-256 instructions are used\n");
}

void
dom0less_unregister_digest (void)
{
  if (is_registered)
    grub_md_unregister (&digest);
  is_registered = 0;
}
