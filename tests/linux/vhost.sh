#!/bin/bash
# The kernel's vhost-net under a freestanding guest; net.sh has Linux guests on it. Without vmx or svm the whole script runs
# inside one tests/kvmhost machine.
if [ "${1:-}" != --inside ]; then
	cd "$(dirname "$0")/../.." || exit 1
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --inside
fi
. "$(dirname "$0")/../lib.sh"
guest=10.9.8.2
bundle "$work/net" net '[{"type": "serial"}, {"type": "net", "backend": "vhost", "mac": "52:54:00:00:00:56", "mode": "tap",
	"hostIp": "10.9.8.1/24", "guestIp": "10.9.8.2"}]'
vmrun create "$work/net" </dev/null >"$work/out" 2>"$work/err" || sed 's/^/# /' "$work/err"
vmrun start net
eventually 30 grep -qa ' ready\|^not ok' "$work/out" || sed 's/^/# /' "$work/out"
succeeds "the guest answers" eventually 30 busybox ping -q -c 1 -W 2 $guest
succeeds "full frames" busybox timeout 60 busybox ping -q -c 20 -i 0.01 -s 1472 $guest
vmrun pause net && vmrun resume net
succeeds "after a pause" eventually 30 busybox ping -q -c 1 -W 2 $guest
echo over >/dev/udp/$guest/9
succeeds "the guest ends" eventually 30 is_stopped net
is "by powering off" "$(vmrun state net | jq -r .vmrun.cause)" poweroff
tr -d '\r' <"$work/out" | grep -a '^\(not \)\?ok'
