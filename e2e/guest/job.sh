# One job of the agent: leads a session of its own, so that all of it can be killed.
echo $$ > "/run/e2e/pids/$1"
. /run/e2e/settings
. /run/e2e/guest/lib.sh
. "/run/e2e/jobs/$1.sh"
