#!/bin/sh
# Serves with our own stack where the container may have one (NET_ADMIN and /dev/net/tun), and with the kernel's sockets where not. The stack has an address of its
# own behind the container's, so what comes for the NFS port is sent on to it. Arguments go to `nfs4 serve`.
set -eu

port=2049
own=10.78.0.2
# Who may connect at all is decided by where the port is published.
clients=${NFS4_CLIENTS:-*}

may_have_a_stack() {
  effective=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
  # CAP_NET_ADMIN
  [ $(((0x$effective >> 12) & 1)) = 1 ] && [ -c /dev/net/tun ]
}

serve() {
  exec node --max-semi-space-size=4 /opt/nfs4/packages/cli/dist/bin.js serve --port "$port" --state-dir /var/lib/nfs4/server --clients "$clients" "$@"
}

if ! may_have_a_stack; then
  echo "without NET_ADMIN and /dev/net/tun there is no stack of our own here: using the kernel's sockets" >&2
  serve --host=0.0.0.0 "$@"
fi

if [ "$(cat /proc/sys/net/ipv4/ip_forward)" != 1 ] && ! echo 1 2>/dev/null >/proc/sys/net/ipv4/ip_forward; then
  echo "this container may not forward packets to our stack: start it with --sysctl net.ipv4.ip_forward=1" >&2
  exit 1
fi

nft -f - <<RULES
table ip nfs4 {
  chain prerouting {
    type nat hook prerouting priority dstnat
    fib daddr type local tcp dport $port dnat to $own
  }
}
RULES
serve --address "$own/24" "$@"
