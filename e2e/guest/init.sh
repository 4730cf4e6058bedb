#!/bin/busybox sh
# The guest's first program, run by its kernel straight off the host's root tree (hostfs, read-only).
# It builds a root that can be written and is thrown away: the host's tree below, a tmpfs above; and goes on in it with boot.sh.
# Kernel command line: E2E_OUT=<directory of this guest on the host>, which holds
#   guest/   these scripts (a link)      settings   shell variables for boot.sh      jobs/   scripts and their output
bb=/bin/busybox
$bb mount -t proc proc /proc
$bb mount -t sysfs sys /sys
for word in $($bb cat /proc/cmdline); do
  case $word in E2E_*=*) export "$word" ;; esac
done

die() {
  echo "e2e guest: $*"
  $bb poweroff -n -f
}

$bb insmod "/usr/lib/uml/modules/$($bb uname -r)/kernel/fs/overlayfs/overlay.ko" || die "no overlayfs"
# /mnt is only a place to stand on: it exists on every Debian, and the new root hides it.
$bb mount -t tmpfs -o mode=755 tmpfs /mnt
$bb mkdir /mnt/upper /mnt/work /mnt/root
root=/mnt/root
$bb mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay $root || die "no root"
for dir in proc sys dev; do $bb mount -o bind /$dir $root/$dir; done
for dir in run mnt tmp; do $bb mount -t tmpfs -o mode=1777 tmpfs $root/$dir; done
$bb mkdir -p $root/lib/modules $root/run/e2e/guest $root/run/e2e/jobs
$bb mount -o bind /usr/lib/uml/modules $root/lib/modules
$bb mount -o bind "$E2E_OUT/guest" $root/run/e2e/guest
$bb cp "$E2E_OUT/settings" $root/run/e2e/settings
$bb mount -t hostfs -o "$E2E_OUT/jobs" none $root/run/e2e/jobs || die "no job directory"
# PID 1 shares its root with the kernel's threads, so modprobe, which the kernel itself calls, moves along.
exec $bb chroot $root /bin/sh /run/e2e/guest/boot.sh
