#!/bin/bash
# Network devices die while their guest sends and receives: they are started again, and the guest's protocol carries on.
[ "${1:-}" = --inside ] || exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" --inside
. "$(dirname "$0")/../lib.sh"
mkdir -p "$root" "$work/sys"
mount -t sysfs none "$work/sys" && mount --bind "$work/sys/class" /sys/class &&
	mount --bind "$work/sys/devices" /sys/devices && umount "$work/sys"
ip link set lo up
ip link add br0 type bridge && ip link set br0 up

rounds() { grep -ac round "$work/out"; }
goes_on() { [ "$(rounds)" -ge $((before + 2)) ]; }
begins() { grep -qa ' begins' "$work/out"; }
all_restarted() {
	vmrun state nets | jq -e --argjson n "$1" \
		'[.vmrun.processes[] | select(.name | test("^net")) | .restarts == $n] | length == 10 and all' >/dev/null
}

net='{"type": "net", "mode": "bridge", "bridge": "br0", "onFailure": "restart"}'
bundle "$work/nets" restart_net "[{\"type\": \"serial\"}$(printf ", $net%.0s" {1..10})]"
vmrun create "$work/nets" </dev/null >"$work/out" 2>"$work/err" && vmrun start nets
eventually 20 begins || { not_ok "the guest begins"; cat "$work/err"; exit 1; }
before=0
succeeds "ten network devices: the guest sends and receives" eventually 30 goes_on
for n in 1 2 3 4 5; do
	kill -KILL $(vmrun state nets | jq -r '.vmrun.processes[] | select(.name | test("^net")) | .pid')
	succeeds "death $n of ten network devices: all are started again" eventually 30 all_restarted $n
	before=$(rounds)
	succeeds "death $n of ten network devices: frames arrive" eventually 30 goes_on
done
vmrun kill nets
succeeds "ten network devices: the guest ends" eventually 60 is_stopped nets
tr -d '\r' <"$work/out" | grep -aE '^(ok|not ok|# restart_net: sent)'
is "ten network devices: by the reset it asked for" "$(vmrun state nets | jq -r .vmrun.cause)" reset
vmrun delete nets
is "nothing is left but the bridge" "$(ip -o link | grep -vcE ' (lo|br0):')" 0
