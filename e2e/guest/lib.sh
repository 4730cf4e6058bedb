# Shell functions for the scripts that tests run in the guest.

# nfs_mount SERVER:/path DIR [VERSION [more,options]]
nfs_mount() {
  mkdir -p "$2"
  mount -t nfs4 -o "vers=${3:-4.2},proto=tcp,sec=sys${4:+,$4}" "$1" "$2"
}

# nfs_unmount DIR   says who is in the way if it is busy
nfs_unmount() {
  umount "$1" && return
  fuser -vm "$1" 2>&1
  return 1
}

# as_user UID GID[,GID...] COMMAND...   the first group is the effective one, the others supplementary
as_user() {
  user=$1
  groups=$2
  shift 2
  setpriv --reuid="$user" --regid="${groups%%,*}" --groups="$groups" -- "$@"
}

fail() {
  echo "FAILED: $*"
  exit 1
}

# drop_caches   so that the next read goes to the server
drop_caches() {
  sync
  echo 3 > /proc/sys/vm/drop_caches
}
