require grub-dom0less.inc

# What the command needs comes along, by GRUB's list of dependencies; xz kernels and signatures do not.
GRUB_BUILDIN:append:aarch64 = " xen_dom0less gzio xzio"
