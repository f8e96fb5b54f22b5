require recipes-bsp/grub/grub2.inc
require grub-dom0less.inc

SUMMARY = "Programs for dom0less Xen machines that GRUB boots"
DESCRIPTION = "grub-dom0less-check says before the reboot what would be wrong in a boot of a dom0less Xen; \
grub-dom0less-new and grub-dom0less-import write overlays and menu entries."

# The patches of GRUB's own recipes lie beside these.
FILESEXTRAPATHS:prepend := "${COREBASE}/meta/recipes-bsp/grub/files:"

S = "${WORKDIR}/grub-${PV}"

# Programs for the host alone: no boot loader is built.
GRUBPLATFORM:forcevariable = "none"
CACHED_CONFIGUREVARS += "ac_cv_path_HELP2MAN="
EXTRA_OECONF += "--enable-efiemu=no"

do_install() {
	install -d ${D}${bindir}
	for program in check import new; do
		install -m 0755 ${B}/grub-dom0less-$program ${D}${bindir}
	done
}

# grub-dom0less-new calls dtc.
RDEPENDS:${PN}:class-target = "dtc"
DEPENDS:append:class-native = " dtc-native"

BBCLASSEXTEND = "native nativesdk"
