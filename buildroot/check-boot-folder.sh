#!/bin/sh
# Buildroot's post-image script: see whether GRUB would boot what the images' boot folder has.
set -eu
# value NAME: what Buildroot's configuration says.
value() { sed -n "s/^$1=\"\(.*\)\"\$/\1/p" "$BR2_CONFIG"; }

grep -q '^BR2_DOM0LESS_CHECK=y' "$BR2_CONFIG" || exit 0
folder=$BINARIES_DIR/$(value BR2_DOM0LESS_BOOT_FOLDER)
tree=$(value BR2_DOM0LESS_MACHINE_TREE)
set -- --root="$folder" --grub-cfg="$folder/EFI/BOOT/grub.cfg"
[ -z "$tree" ] || set -- "$@" --machine-tree="$tree"
status=0
"$HOST_DIR/bin/grub-dom0less-check" "$@" || status=$?
# Warnings are for people to read.
[ "$status" -le 1 ] || { echo "check-boot-folder: grub-dom0less-check ended with $status" >&2; exit 1; }
