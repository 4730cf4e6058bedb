# The guest's end of the command channel, a serial line whose other end the host holds. Lines, both ways:
#   host -> guest   run ID      run jobs/ID.sh in a session of its own, output into jobs/ID.out
#                   kill ID     kill that session
#                   sysrq C     /proc/sysrq-trigger (w: who is stuck, on the console)
#                   ping ID
#                   poweroff
#   guest -> host   ready UPTIME,  done ID STATUS,  pong ID
# Jobs run side by side. The agent itself touches only memory and the line, so it answers while a file system hangs.
exec 3<>/dev/ttyS0
busybox stty raw -echo <&3
mkdir /run/e2e/pids

run_job() {
  busybox setsid /bin/sh /run/e2e/guest/job.sh "$1" > "/run/e2e/jobs/$1.out" 2>&1 < /dev/null 3>&-
  status=$?
  # hostfs writes back when a file is closed, and a child in the background may keep this one open: so open and close it once more.
  : >> "/run/e2e/jobs/$1.out"
  echo "done $1 $status" >&3
}

echo "ready $(cut -d' ' -f1 /proc/uptime)" >&3
while read -r verb argument <&3; do
  case $verb in
    run) run_job "$argument" & ;;
    kill) [ -e "/run/e2e/pids/$argument" ] && kill -KILL "-$(cat "/run/e2e/pids/$argument")" ;;
    sysrq) echo "$argument" > /proc/sysrq-trigger ;;
    ping) echo "pong $argument" >&3 ;;
    poweroff) break ;;
  esac
done
busybox poweroff -n -f
