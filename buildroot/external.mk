# GRUB gets the project's patches from patches/grub2 (BR2_GLOBAL_PATCH_DIR). They add to GRUB's lists of modules and
# programs, of which its own autogen.sh makes makefiles; Buildroot's autoreconf does not know these lists.
define DOM0LESS_GRUB2_AUTOGEN
	cd $(@D) && PATH=$(BR_PATH) FROM_BOOTSTRAP=1 PYTHON=python3 ./autogen.sh
endef
GRUB2_PRE_CONFIGURE_HOOKS += DOM0LESS_GRUB2_AUTOGEN
HOST_GRUB2_PRE_CONFIGURE_HOOKS += DOM0LESS_GRUB2_AUTOGEN
