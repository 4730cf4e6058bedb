# Shell functions for the scripts that tests run in the guest.

# nfs_mount SERVER:/path DIR [VERSION [more,options]]   an IPv6 server in brackets
nfs_mount() {
  mkdir -p "$2"
  case $1 in
    \[*) set -- "$1" "$2" "${3:-4.2}" "proto=tcp6${4:+,$4}" ;;
    *) set -- "$1" "$2" "${3:-4.2}" "proto=tcp${4:+,$4}" ;;
  esac
  mount -t nfs4 -o "vers=$3,sec=sys,$4" "$1" "$2"
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
