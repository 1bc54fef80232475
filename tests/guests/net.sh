#!/bin/bash
# A freestanding guest on a TAP: ARP and ping, frames in many buffers, a ring that runs dry, limits, no
# TAP at all, an interface that goes. In a network namespace of its own.
[ "${1:-}" = --inside ] || exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" --inside
. "$(dirname "$0")/../lib.sh"
mkdir -p "$root" "$work/sys"
mount -t sysfs none "$work/sys" && mount --bind "$work/sys/class" /sys/class &&
	mount --bind "$work/sys/devices" /sys/devices && umount "$work/sys"
ip link set lo up
guest=10.9.8.2

# net NAME JSON: boot a guest with one network device; its output goes to $work/NAME
net() {
	name=$1
	bundle "$work/$name.b" net "[{\"type\": \"serial\"}, {\"type\": \"net\"$2}]"
	vmrun run --bundle "$work/$name.b" "$name" </dev/null >"$work/$name" 2>"$work/$name.err" &
	vm=$!
	eventually 20 grep -qa 'net: ready\|^not ok' "$work/$name" || sed 's/^/# /' "$work/$name" "$work/$name.err"
}
# pings NAME ARGS...: every one is answered
pings() {
	local what=$1
	shift
	# On a busy machine the guest may be slower than the host's patience with ARP.
	eventually 30 busybox ping -q -c 1 -W 2 $guest >/dev/null
	succeeds "$name: $what" busybox timeout 60 busybox ping -q "$@" "$guest"
}
# finish CODE: have the guest end, look at its output
finish() {
	echo over >/dev/udp/$guest/9
	wait "$vm"
	is "$name: powers off" $? "${1:-0}"
	grep -a '^\(not \)\?ok' "$work/$name" | sed "s/- /- $name: /"
}
tap='"mode": "tap", "hostIp": "10.9.8.1/24", "guestIp": "10.9.8.2"'

net usual ", $tap"
pings "ping" -c 20 -i 0.01
pings "full frames" -c 20 -i 0.01 -s 1472
pings "fragments, more of them than buffers" -c 3 -i 0.01 -s 40000
succeeds "usual: pings again after its ring ran dry" busybox ping -q -c 3 "$guest"
finish
like "usual: it saw them" "$(cat "$work/usual")" 'net: pings [1-9]'

net jumbo ", $tap, \"mtu\": 9000"
pings "frames in several buffers" -c 10 -i 0.01 -s 8000
pings "small ones after large ones" -c 20 -i 0.01
pings "as large as they get" -c 5 -i 0.01 -s 8972
finish
like "jumbo: it saw them" "$(cat "$work/jumbo")" 'in several buffers'

# 20 a second and a burst of one: twelve answers take half a second, and would take a tenth without.
net limited ", $tap, \"rateLimit\": {\"fromGuest\": {\"packetsPerSecond\": 20, \"burstPackets\": 1},
	\"toGuest\": {\"bytesPerSecond\": 100000, \"burstBytes\": 2000}}"
begin=${EPOCHREALTIME/./}
pings "all come in the end" -c 12 -i 0.01
[ $((${EPOCHREALTIME/./} - begin)) -ge 500000 ] && ok "limited: later than without a limit" ||
	not_ok "limited: later than without a limit"
finish

net gone ", $tap, \"name\": \"vmtap0\""
pings "ping" -c 3
ip link delete vmtap0
finish 0 2>/dev/null # without a way to say so: its link is the reason
like "gone: the guest learns it at once" "$(cat "$work/gone")" 'net: the link went down'
like "gone: and the host's user" "$(cat "$work/gone.err")" "host's interface is gone"
is "gone: once" "$(grep -c "interface is gone" "$work/gone.err")" 1

is "nothing is left" "$(ip -o link | wc -l)" 1
