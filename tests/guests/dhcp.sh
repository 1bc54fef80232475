#!/bin/bash
# A freestanding guest asks its device for its network: in each way of reaching the host, where the device has
# nothing to say, and where it must not. In a network namespace of its own.
[ "${1:-}" = --inside ] || exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" --inside
. "$(dirname "$0")/../lib.sh"
mkdir -p "$root" "$work/sys" /run/netns
mount -t tmpfs none /run/netns
mount -t sysfs none "$work/sys" && mount --bind "$work/sys/class" /sys/class &&
	mount --bind "$work/sys/devices" /sys/devices && umount "$work/sys"
ip link set lo up

# vm NAME JSON [CMD...]: run a guest with one network device, by way of CMD; what it says goes to $said
vm() {
	name=$1
	bundle "$work/$name.b" dhcp "[{\"type\": \"serial\"}, {\"type\": \"net\"$2}]"
	shift 2
	sed -i 's|"vm":|"hostname": "web", &|' "$work/$name.b/config.json"
	"$@" "$vmrun_bin" --root "$root" run --bundle "$work/$name.b" "$name" </dev/null >"$work/$name" 2>"$work/$name.err"
	is "$name: powers off" $? 0
	said=$(tr -d '\r' <"$work/$name")
	grep '^\(not \)\?ok' <<<"$said" | sed "s/- /- $name: /"
	grep -q '^dhcp: over' <<<"$said" || sed 's/^/# /' "$work/$name" "$work/$name.err"
}
about() { sed -n "s/^$1: *//p" <<<"$said"; }
hex() { printf '%02x' "$@"; }
text() { printf %s "$1" | od -An -tx1 | tr -d ' \n'; }

usual="53=05 54=$(hex 10 9 8 1) 51=ffffffff 1=ffffff00 26=$(hex 5 220) 3=$(hex 10 9 8 1) 12=$(text web)"
vm tap ', "mode": "tap", "hostIp": "10.9.8.1/24"'
is "tap: offered" "$(about discover)" "10.9.8.2 ${usual/53=05/53=02}"
is "tap: acknowledged, and another address refused" "$(about request)" "10.9.8.2 $usual
0.0.0.0 53=06 54=$(hex 10 9 8 1)"
is "tap: no IPv6" "$(about router), $(about dhcp6)" "no answer, no answer"

vm private ', "hostIp": "10.9.8.1/24", "mtu": 1400, "dns": ["9.9.9.9", "1.1.1.1", "2620:fe::9"]'
is "private: offered" "$(about discover)" "10.9.8.2 53=02 54=0a090801 51=ffffffff 1=ffffff00 26=0578 3=0a090801 6=0909090901010101 12=$(text web)"

ip link add br0 type bridge
ip link set br0 up
vm bridge ', "mode": "bridge", "bridge": "br0", "guestIp": "10.9.8.2/24"'
is "bridge: without a gateway" "$(about discover)" "10.9.8.2 53=02 54=c0000008 51=ffffffff 1=ffffff00 26=05dc 12=$(text web)"
vm unknown ', "mode": "bridge", "bridge": "br0"'
is "unknown address: no answer" "$(about discover) $(about request)" "no answer no answer
no answer"

vm off ', "mode": "tap", "hostIp": "10.9.8.1/24", "dhcp": false'
is "off: no answer" "$(about discover)" "no answer"
vm several ', "mode": "tap", "hostIp": "10.9.8.1/24", "queues": 4'
is "several queues: offered" "$(about discover)" "10.9.8.2 ${usual/53=05/53=02}"
vm limited ', "mode": "tap", "hostIp": "10.9.8.1/24", "rateLimit": {
	"toGuest": {"packetsPerSecond": 1, "burstPackets": 1}, "fromGuest": {"packetsPerSecond": 50, "burstPackets": 1}}'
is "with limits: offered" "$(about discover)" "10.9.8.2 ${usual/53=05/53=02}"
vm fd ', "mode": "fd", "fd": 9, "guestIp": "10.9.8.2/24", "gateway": "10.9.8.1"' with_tap 0x5002
is "fd: offered" "$(about discover)" "10.9.8.2 ${usual/53=05/53=02}"

# A namespace as a network plug-in leaves it: its addresses are known only at start.
ip netns add pod
ip -n pod link add eth0 address 02:00:00:00:00:55 type veth peer name host
ip -n pod link set eth0 mtu 1450 up
ip -n pod link set host up
ip netns exec pod sysctl -qw net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.eth0.disable_ipv6=0
ip -n pod addr add 10.9.8.2/32 dev eth0
ip -n pod addr add fd00::ff:fe00:55/64 dev eth0 nodad
ip -n pod addr add fd01::7/64 dev eth0 nodad
ip -n pod route add 169.254.1.1 dev eth0
ip -n pod route add default via 169.254.1.1
ip -n pod route add 10.77.0.0/16 via 169.254.1.1
ip -n pod -6 route add default via fe80::1 dev eth0
ip -n pod -6 route add fd77::/48 via fe80::1 dev eth0
vm netns ', "mode": "netns", "netns": "/run/netns/pod", "dns": ["2620:fe::9"]'
is "netns: the pod's routes" "$(about request | head -n 1)" \
	"10.9.8.2 53=05 54=a9fe0101 51=ffffffff 1=ffffffff 26=05aa 3=a9fe0101 12=$(text web) 121=00a9fe010120a9fe010100000000100a4da9fe0101"
like "netns: the router's own address, for 18 hours; addresses by DHCPv6, too" "$(about router)" \
	'^fe800000000000000000000000000001 4080ffff0000000000000000'
like "netns: MTU" "$(about router)" '05010000000005aa'
like "netns: an address of the MAC" "$(about router)" '030440c0ffffffffffffffff00000000fd000000000000000000000000000000'
like "netns: a network without" "$(about router)" '03044080ffffffffffffffff00000000fd010000000000000000000000000000'
like "netns: a route" "$(about router)" '18023000fffffffffd77000000000000'
like "netns: a name server" "$(about router)" '19030000ffffffff262000fe000000000000000000000009'
like "netns: DHCPv6 gives the other address" "$(about dhcp6)" \
	'^07010203.*00030028a1020304ffffffffffffffff00050018fd010000000000000000000000000007ffffffffffffffff'
ip netns delete pod

# What cannot be
bad() { # bad NAME JSON REGEX
	bundle "$work/bad" dhcp "[{\"type\": \"net\"$2}]"
	like "$1" "$(vmrun create --bundle "$work/bad" bad 2>&1 </dev/null)" "$3"
}
bad "DHCP is asked of the kernel's back-end" ', "backend": "vhost", "dhcp": true' \
	'/vm/devices/0/dhcp: means nothing with backend vhost, only with user'
bad "DHCP without an address" ', "mode": "bridge", "bridge": "br0", "dhcp": true' '/vm/devices/0/dhcp: needs guestIp'
ip link delete br0
is "nothing is left" "$(ip -o link | wc -l)" 1
