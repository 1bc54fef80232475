#!/bin/bash
# A stock Linux guest whose interfaces are deleted on the host learns at once that their links are down,
# with either backend, and lives on. Without vmx or svm the whole script runs in a tests/kvmhost machine.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	dir=$PWD/${B:-build}/linux-net-link
	rm -rf "$dir"
	set -e
	bundle-examples/build --image-size 16 --memory 192 --job tests/linux/jobs/net "$dir/links"
	jq '.vm.devices += [
		{type: "net", mode: "tap", name: "vmtap0", hostIp: "10.9.0.1", netmask: "255.255.255.0"},
		{type: "net", mode: "tap", name: "vmtap1", hostIp: "10.9.1.1", netmask: "255.255.255.0",
		 backend: "vhost", queues: 2}]' "$dir/links/config.json" >"$dir/config"
	mv "$dir/config" "$dir/links/config.json"
	set +e
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
	exec unshare --net --mount "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
dir=$B/linux-net-link
. tests/linux/guest.bash
trap 'cleanup; kill $(jobs -p) 2>/dev/null' EXIT
mkdir -p "$root"
ip link set lo up

carrier() { ask links "$1" "cat /sys/class/net/$2/carrier"; }
# Looks for ten seconds, and says what it saw last and after how many looks
falls() {
	ask links "$1" "n=0; while [ \$n -lt 100 ] && [ \"\$(cat /sys/class/net/$2/carrier)\" = 1 ]; do n=\$((n + 1)); sleep 0.1; done; cat /sys/class/net/$2/carrier; echo after \$n" &
	sleep 0.5
	ip link delete "$3"
	wait $!
}
gone_lines() { grep -ac "host's interface is gone" "$work/links.log"; }

boot links
up links 120
is "both links are up" "$(carrier up0 eth0) $(carrier up1 eth1)" "1  1 "
for link in "0 user" "1 vhost"; do
	read -r n backend <<<"$link"
	succeeds "$backend: the host pings it" busybox ping -c 3 -w 20 "10.9.$n.2"
	like "$backend: its link falls" "$(falls "falls$n" "eth$n" "vmtap$n")" '^0 after [0-9]{1,2} $'
	is "$backend: one line says so" "$(gone_lines)" $((n + 1))
	like "$backend: what the guest sends goes nowhere" "$(ask links "nowhere$n" "ping -c 2 -w 4 10.9.$n.1")" \
		' 0 packets received|unreachable'
	like "$backend: and the device takes orders" \
		"$(ask links "orders$n" "ip link set eth$n down; ip link set eth$n up; cat /sys/class/net/eth$n/operstate")" '^down $'
	# The driver finds a device that starts, without a link.
	is "$backend: its driver can be bound again" \
		"$(ask links "anew$n" "cd /sys/bus/virtio/drivers/virtio_net; d=\$(basename \$(readlink /sys/class/net/eth$n/device)); echo \$d >unbind; echo \$d >bind; cd /; ip link set eth$n up; cat /sys/class/net/eth$n/carrier")" "0 "
done
is "no further line" "$(gone_lines)" 2
vmrun kill links
ended links poweroff 0
succeeds "deleted" vmrun delete links
