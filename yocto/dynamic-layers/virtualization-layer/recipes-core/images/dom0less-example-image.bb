SUMMARY = "A disk from which GRUB starts Xen and two domains"
LICENSE = "GPL-3.0-or-later"

inherit image

# All is in the boot partition: the domains live in their ramdisks.
IMAGE_INSTALL = ""
IMAGE_LINGUAS = ""
IMAGE_FSTYPES = "wic"
WKS_FILE = "dom0less-example.wks"
EFI_PROVIDER = "grub-efi"

DOM0LESS_RAMDISK_IMAGE ?= "core-image-minimal-initramfs"
# On arm64 Xen is an EFI program as it is.
IMAGE_EFI_BOOT_FILES = " \
    xen-${MACHINE};xen.efi \
    ${KERNEL_IMAGETYPE};kernel \
    ${DOM0LESS_RAMDISK_IMAGE}-${MACHINE}.cpio.gz;initramfs \
    dom0less-domains.dtbo;domains.dtbo \
"

do_image_wic[depends] += " \
    grub-efi:do_deploy xen:do_deploy virtual/kernel:do_deploy dom0less-domains:do_deploy \
    ${DOM0LESS_RAMDISK_IMAGE}:do_image_complete grub-dom0less-tools-native:do_populate_sysroot \
"

# A file with the machine's own tree: if it is given, what would not boot is an error of the build.
DOM0LESS_MACHINE_TREE ?= ""
check_boot_folder() {
	if [ -n "${DOM0LESS_MACHINE_TREE}" ]; then
		rm -rf ${WORKDIR}/boot-folder
		mkdir ${WORKDIR}/boot-folder
		for file in ${IMAGE_EFI_BOOT_FILES}; do
			cp -L ${DEPLOY_DIR_IMAGE}/${file%;*} ${WORKDIR}/boot-folder/${file#*;}
		done
		grub-dom0less-check --root=${WORKDIR}/boot-folder --xen=${WORKDIR}/boot-folder/xen.efi \
			--xen-args="console=dtuart" --overlay=${WORKDIR}/boot-folder/domains.dtbo \
			${DOM0LESS_MACHINE_TREE} || [ $? -eq 1 ]
	fi
}
do_image_wic[prefuncs] += "check_boot_folder"
