"""The series in their order: name, title, and of each patch the subject, the summary and the message."""

SERIES = [
    ("loader", "loader/arm64: Boot a dom0less Xen from a device tree", [
        ("libfdt", "lib/libfdt: Import libfdt @VERSION@", """\
The library on device trees of the device tree compiler, @VERSION@, as it was
released: what the loader of dom0less Xen machines, which the next patches
add, reads and edits trees with. It is dual-licensed, GPL-2.0-or-later or
BSD-2-Clause, and nothing is changed in it. grub-dev.texi says how to update
it.

libfdt_env.h is ours: each user of libfdt writes that file for itself. What is
compiled becomes the module dom0less, which the next patch fills: every global
name of a module is seen by all others, so libfdt must not be in two of them.

fdt_overlay.c is left out: an overlay's local fixups can make it write
anywhere. Overlays come later in code of our own."""),
        ("library", "lib/xen_dom0less: Read and complete the tree of a dom0less Xen", """\
A dom0less Xen starts several domains by itself. They are described in the
device tree, where each module's node has to say in reg where a loader has
put it.

This is the half of such a loader that knows no firmware: it reads a plan of
domains, modules and memory ranges out of a tree, and writes the addresses
into the tree. There is no I/O and no allocation in it, so that programs on
the host, tests and fuzzers use the same sources. A tree may come from
anybody: it is checked in linear time before anything else is done with it."""),
        ("command", "loader/arm64: Add the command xen_dom0less", """\
Xen's EFI stub can load the files that the nodes of a dom0less device tree
name, but not when GRUB has started it, because it has no file system then;
and the commands xen_hypervisor and xen_module know a dom0 only. So there has
been no way to boot such a machine through GRUB.

The command xen_dom0less loads what the tree names: uefi,binary in a module's
node is a file beside Xen, as was agreed on xen-devel in September 2021.
Files that several domains name are read once. Memory that the tree gives a
purpose is claimed before anything is loaded. What is left over after an error
is nothing: the firmware's memory and tables are as they were."""),
        ("tests", "tests: Add tests of xen_dom0less", """\
The functional test runs vectors of lib/xen_dom0less inside the firmware. The
other test gives the command what it takes and what it refuses. Both run on
arm64-efi and are skipped elsewhere."""),
        ("nodes", "docs: Document the command xen_dom0less", """\
The command, its two modules, and a line for the news."""),
    ]),
    ("rules", "lib/xen_dom0less: Find what Xen would hang or panic on", [
        ("rules", "lib/xen_dom0less: Check a tree as Xen will read it", """\
Xen reads its tree before it has a console. What it does not take there ends
in silence: a domain without a kernel, two modules in one place, static
memory that the firmware keeps. Each such case is a rule, which has a name, a
sentence and a cure. The loader applies them before it loads anything, those
about addresses when everything has one, and all once more at boot."""),
    ]),
    ("overlays", "xen_dom0less: Overlays", [
        ("overlays", "xen_dom0less: Apply overlays to the tree", """\
Who has a board mostly has its tree from the firmware, and wants to add
domains to that and not to replace it.

This is code of our own instead of libfdt's fdt_overlay.c, which writes where
an overlay's local fixups tell it to, and takes time that is quadratic in the
overlay's size. It takes time proportional to both trees and writes to nothing
but its own work space and values inside the overlay."""),
    ]),
    ("config", "xen_dom0less: xen.cfg, and files by a key", [
        ("config", "xen_dom0less: Read a dom0 from xen.cfg, and files by a key", """\
Xen's EFI stub takes its dom0 from a xen.cfg, alone or beside the domains of a
tree that has xen,uefi-cfg-load. Who has one need not change it. A module may
also be called by a key, or by its mb-index, and the command line then says
which file that is."""),
    ]),
    ("kernels", "xen_dom0less: What kernels and Xen say of themselves", [
        ("kernels", "xen_dom0less: Look into kernels, and into Xen", """\
Xen panics at a kernel that it does not take, and it unpacks a gzip kernel in
place, so that a second domain finds none. Kernels are looked at when they are
loaded; EFI zboot images, which Xen does not take and distributions install,
are unpacked, and so is a gzip kernel that several domains share.

Xen's image says which version it is and how it was configured. Rules that
depend on either now know."""),
    ]),
    ("trust", "xen_dom0less: Signatures and measurements", [
        ("trust", "xen_dom0less: Let verifiers see all that Xen will see", """\
Files are shown to GRUB's verifiers as any file is. What Xen takes besides is
the tree, whatever has been made of it, command lines in it, and memory that
somebody else has filled: these are shown as strings.

Lockdown asks somebody to verify Xen and trees, but any verifier will do, the
one that measures too; and nobody for a domain's modules. So the command
refuses to load anything where GRUB is locked down, or check_signatures is
set, and signatures are not enforced for all files."""),
    ]),
    ("handover", "xen_dom0less: From the firmware's last service to Xen", [
        ("handover", "xen_dom0less: Leave VHE, and repeat ExitBootServices, for Xen", """\
EDK2 of 2025 runs in the EL2&0 regime, HCR_EL2.E2H = 1, where a processor has
it. Xen, 4.17 to today's, writes TCR_EL2 in the layout of the other regime and
dies at its first vector. And when ExitBootServices fails because the map has
changed, Xen's stub adds all memory once more and stops in its allocator.
Neither leaves a word on any console.

While Xen's stub runs, GetMemoryMap and ExitBootServices are ours. The latter
is repeated with the new map's key if Xen can go on with the map it has seen,
and then the regime is changed, with the same translation tables. Rules say
beforehand where that is not possible."""),
    ]),
    ("host", "util: Programs for dom0less Xen machines", [
        ("host", "util: Add programs for dom0less Xen machines", """\
grub-dom0less-check runs every step of a boot on the host, using the loader's
own code, and reports what it finds, before the reboot. grub-dom0less-import
and grub-dom0less-new write an overlay and a menu entry, from an ImageBuilder
configuration or from a few words for each domain; grub-dom0less-sign
signs what a boot reads, and 21_xen_dom0less writes menu entries for the trees
in /boot/dom0less. The commands are completed by bash."""),
    ]),
    ("direct", "xen_dom0less: Read files past the disk cache", [
        ("direct", "xen_dom0less: Read files past the disk cache", """\
A file is read block by block through a cache of 32 KiB pieces, and each byte
is copied twice. The file system's driver is asked instead, by a disk that
answers without reading, where each block lies; what follows each other on the
disk is read at once, to where it belongs. Drivers that ask for long runs by
themselves get them at once, too, and nothing is copied to the cache. Whatever
is not understood is read in the ordinary way."""),
    ]),
    ("digest", "xen_dom0less: SHA-256 by the processor's instructions", [
        ("digest", "xen_dom0less: Hash files by the processor's instructions", """\
Whoever verifies signatures waits for SHA-256, which GRUB has in C alone.
libgcrypt comes with a transform that uses the processor's instructions, and
GRUB does not build it. It is built into this module, under a name of ours,
and stands before GRUB's own digest while a file is verified, if the processor
has the instructions, the firmware does not trap them, and a test goes well."""),
    ]),
    ("manual", "docs: The manual of xen_dom0less", [
        ("manual", "docs: Add the manual and manual pages of xen_dom0less", """\
How to boot a dom0less Xen machine: the command, what it reads in a tree and
writes there, every finding and its cure, the host's programs, and how files
are verified and measured."""),
    ]),
]

# GRUB 2.12's libgcrypt does not have the transform.
NEWER = {"2.12": {"digest"}}
