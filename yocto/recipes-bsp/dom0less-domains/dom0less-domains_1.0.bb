SUMMARY = "An overlay with two domains, for the machine's own device tree"
LICENSE = "GPL-3.0-or-later"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/GPL-3.0-or-later;md5=1c76c4cc354acaac30ed4d5eefea7245"

inherit deploy nopackages

DEPENDS = "grub-dom0less-tools-native dtc-native"
INHIBIT_DEFAULT_DEPS = "1"
PACKAGE_ARCH = "${MACHINE_ARCH}"

# Each word is a domain, as grub-dom0less-new's --domain takes it. The files are those of the boot partition.
DOM0LESS_DOMAINS ?= " \
    name=DomA,kernel=kernel,ramdisk=initramfs,memory=256M \
    name=DomB,kernel=kernel,ramdisk=initramfs,memory=256M \
"
DOM0LESS_XEN_ARGS ?= "console=dtuart"

do_compile() {
	set --
	for domain in ${DOM0LESS_DOMAINS}; do
		set -- "$@" "--domain=$domain"
	done
	cd ${B}
	grub-dom0less-new "$@" --xen=xen.efi --xen-args="${DOM0LESS_XEN_ARGS}" --output=domains
}

do_deploy() {
	install -m 0644 ${B}/domains.dtbo ${DEPLOYDIR}/dom0less-domains.dtbo
	install -m 0644 ${B}/domains.dts ${DEPLOYDIR}/dom0less-domains.dts
}
addtask deploy after do_compile before do_build
