#!/bin/sh
# PID 1 in the guest's final root: devices, name, network; then the agent.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TMPDIR=/tmp
. /run/e2e/settings

[ -e /sbin/modprobe ] || ln -s /bin/busybox /sbin/modprobe
ln -sf /proc/self/mounts /etc/mtab
mkdir -p /dev/shm /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t devpts devpts /dev/pts
for link in fd:/proc/self/fd stdin:/proc/self/fd/0 stdout:/proc/self/fd/1 stderr:/proc/self/fd/2; do
  [ -e "/dev/${link%%:*}" ] || ln -s "${link#*:}" "/dev/${link%%:*}"
done

busybox hostname "$E2E_NAME"
echo "127.0.0.1 localhost $E2E_NAME" > /etc/hosts
case $E2E_ADDRESSES in *:*) modprobe ipv6 ;; esac
ip link set lo up
for nic in /sys/class/net/vec*; do
  nic=${nic##*/}
  [ -e "/sys/class/net/$nic" ] || break
  for address in $E2E_ADDRESSES; do
    case $address in
      *:*) ip -6 addr add "$address" dev "$nic" nodad ;;
      *) ip addr add "$address" dev "$nic" ;;
    esac
  done
  ip link set "$nic" ${E2E_MTU:+mtu "$E2E_MTU"} up
  echo "export E2E_NIC=$nic" >> /run/e2e/settings
done
for gateway in $E2E_GATEWAYS; do ip route add default via "$gateway"; done

# What a client calls itself must differ from guest to guest and must not change within one.
modprobe nfs
echo "$E2E_UNIQUE_ID" > /sys/module/nfs/parameters/nfs4_unique_id

cd /root
. /run/e2e/guest/agent.sh
