#!/bin/bash
# Stock Linux guests on the network: each mode that ends in traffic, both backends, ping and checksummed
# TCP in every direction. Without vmx or svm the whole script runs inside one tests/kvmhost machine.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	dir=$PWD/${B:-build}/linux-net
	rm -rf "$dir"
	set -e
	build() { bundle-examples/build --image-size 16 --memory 192 --job tests/linux/jobs/net "$@"; }
	# config ID FILTER: change a bundle
	config() { jq "$2" "$dir/$1/config.json" >"$dir/config" && mv "$dir/config" "$dir/$1/config.json"; }
	# What the example offers, and beside it a TAP among the host's interfaces.
	build --net "$dir/private"
	config private '.vm.devices += [{type: "net", mode: "tap", name: "vmtap0", mac: "52:54:00:12:34:56",
		hostIp: "10.9.0.1", netmask: "255.255.255.0", mtu: 9000}]'
	# The kernel's back-end, several queues.
	build --vcpus 2 "$dir/bridge"
	config bridge '.vm.devices += [{type: "net", mode: "bridge", bridge: "vmbr0", backend: "vhost",
		guestIp: "192.168.50.2/24", gateway: "192.168.50.1", queues: 2}]'
	# As podman and containerd do it: a namespace, and no devices.
	build "$dir/pod"
	config pod '.linux.namespaces = [{type: "network", path: "/run/netns/pod"}]'
	build "$dir/pods"
	# One is listed, with the kernel's back-end: the other is made like it.
	config pods '.linux.namespaces = [{type: "network", path: "/run/netns/pods"}] |
		.vm.devices += [{type: "net", backend: "vhost"}]'
	set +e
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
	# The host's part below is a network namespace of its own on a real machine too.
	exec unshare --net --mount "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
dir=$B/linux-net
. tests/linux/guest.bash

trap 'ip -all netns delete; cleanup; kill $(jobs -p) 2>/dev/null' EXIT
mkdir -p "$root" /run/netns
ip link set lo up

# both_ways ID GUEST HOST: ping and TCP from the host to the guest and back
tag=0
both_ways() {
	succeeds "$1: the host pings $2" pings "$2"
	succeeds "$1: in fragments" pings -s 20000 "$2"
	is "$1: the host reads from $2" "$(sum_of "http://$2/data")" "$sum"
	tag=$((tag + 1))
	like "$1: the guest pings $3" "$(ask "$1" "ping$tag" "ping -c 3 -A -w 20 $3")" ' 3 packets received| 0% packet loss'
	is "$1: the guest reads from $3" "$(ask "$1" "read$tag" "wget -q -O - http://$3:8080/data | sha256sum | cut -d' ' -f1")" "$sum "
	is "$1: and eight at a time" "$(ask "$1" "eight$tag" "for i in 1 2 3 4 5 6 7 8; do wget -q -O - http://$3:8080/data | sha256sum & done | sort -u | cut -d' ' -f1")" "$sum "
	say "$1: $2 done"
}
create() { vmrun create "$dir/$1" <"$work/$1.in" >"$work/$1.console"; }

# The world: a server without a route back to a guest, a bridge, a pod's namespace.
ip netns add outside
ip link add out0 type veth peer name eth0 netns outside
ip addr add 203.0.113.1/24 dev out0
ip link set out0 up
ip -n outside addr add 203.0.113.2/24 dev eth0
ip -n outside link set eth0 up
ip link add vmbr0 type bridge
ip addr add 192.168.50.1/24 dev vmbr0
ip link set vmbr0 up
ip link add podbr0 type bridge
ip addr add 10.88.0.1/16 dev podbr0
ip link set podbr0 up
ip netns add pod
mkdir "$work/www"
seq 1000000 | head -c 4M >"$work/www/data"
busybox httpd -f -p 8080 -h "$work/www" &
ip netns exec outside busybox httpd -f -vv -p 8080 -h "$work/www" 2>"$work/outside.log" &
before=$(world)
say "start"

boot private
boot bridge
up private 120
up bridge 120
# ---- private, with masquerading; and beside it a TAP ----
guest=$(state private 0 guestAddress) host=$(state private 0 hostAddress)
is "private: the state says so" "$(state private 0 mode)" private
is "private: the guest has the address" "$(ask private addr "ip -4 -o addr show eth0 | awk '{print \$4}'")" "$guest "
is "private: the guest has the MAC" "$(ask private mac cat /sys/class/net/eth0/address)" "$(state private 0 mac) "
is "private: the host has its address" "$(ip -4 -o addr show dev "$(state private 0 hostInterface)" | awk '{print $4}')" "$host"
both_ways private "${guest%/*}" "${host%/*}"
is "private: the guest reads from beyond the host" \
	"$(ask private out "wget -q -O - http://203.0.113.2:8080/data | sha256sum | cut -d' ' -f1")" "$sum "
like "private: as the host" "$(cat "$work/outside.log")" '203\.0\.113\.1\]?:'
is "private: a table of its own" "$(nft list tables | grep -c "inet vmrun_private")" 1

is "tap: the state says so" "$(state private 1 mode) $(state private 1 tap) $(state private 1 mac)" "tap vmtap0 52:54:00:12:34:56"
is "tap: the guest's side" "$(ask private tapside "cat /sys/class/net/eth1/address /sys/class/net/eth1/mtu; ip -4 -o addr show eth1 | awk '{print \$4}'")" \
	"52:54:00:12:34:56 9000 10.9.0.2/24 "
is "tap: the host's side" "$(ip -o link show dev vmtap0 | grep -o 'mtu [0-9]*')" "mtu 9000"
both_ways private 10.9.0.2 10.9.0.1

# ---- bridge, vhost ----
is "bridge: the state says so" "$(state bridge 0 mode) $(state bridge 0 bridge)" "bridge vmbr0"
like "bridge: the TAP is a port" "$(ip -o link show master vmbr0)" "$(state bridge 0 tap)"
like "bridge: the kernel has a thread for it" "$(ps -eLo comm)" '^vhost-'
is "bridge: two queue pairs" "$(ask bridge queues "ls -d /sys/class/net/eth0/queues/rx-* | wc -l")" "2 "
both_ways bridge 192.168.50.2 192.168.50.1
like "bridge: the default route" "$(ask bridge route "ip route show default")" 'default via 192.168.50.1'
succeeds "bridge: deleted" vmrun delete --force bridge
is "bridge: the TAP is gone" "$(ip -o link show master vmbr0)" ""

# ---- a pod's namespace, filled between create and start ----
mkfifo "$work/pod.in"
exec {input[pod]}<>"$work/pod.in"
succeeds "pod: created before its interface" create pod
ip link add pod0 type veth peer name eth0 netns pod
ip link set pod0 master podbr0 mtu 1400 up
ip -n pod link set eth0 address 0e:88:00:00:00:05 mtu 1400
ip -n pod addr add 10.88.0.5/16 dev eth0
ip -n pod link set eth0 up
ip -n pod route add default via 10.88.0.1
succeeds "pod: started" vmrun start pod
up pod 120
is "pod: the state says so" "$(state pod 0 mode) $(state pod 0 netns) $(state pod 0 joined) $(state pod 0 guestAddress)" \
	"netns /run/netns/pod eth0 10.88.0.5/16"
is "pod: the guest has MAC, MTU and address of the interface" \
	"$(ask pod side "cat /sys/class/net/eth0/address /sys/class/net/eth0/mtu; ip -4 -o addr show eth0 | awk '{print \$4}'")" \
	"0e:88:00:00:00:05 1400 10.88.0.5/16 "
like "pod: and its route" "$(ask pod route ip route show default)" 'default via 10.88.0.1'
both_ways pod 10.88.0.5 10.88.0.1
succeeds "pod: deleted" vmrun delete --force pod
is "pod: no ingress qdisc is left" "$(tc -n pod qdisc show | grep ingress)" ""
succeeds "pod: the namespace has its network back" ip netns exec pod busybox ping -c 1 -w 10 10.88.0.1
ip netns delete pod

# ---- a pod's namespace with two interfaces, filled before create, as podman and containerd do it ----
ip netns add pods
ip link add pods0 type veth peer name eth0 netns pods
ip link add pods1 type veth peer name eth1 netns pods
ip addr add 10.90.0.1/24 dev pods0
ip addr add 10.90.0.77/24 dev pods0
ip addr add fd90::1/64 dev pods0 nodad
ip addr add 10.91.0.1/24 dev pods1
# Beyond gateways: 10.92.0.1 by eth0's second word, fd92::1 by its IPv6 gateway.
ip addr add 10.92.0.1/32 dev lo
ip addr add fd92::1/128 dev lo
ip link set pods0 up
ip link set pods1 up
ip -n pods addr add 10.90.0.5/24 dev eth0
ip -n pods addr add fd90::5/64 dev eth0 nodad
ip -n pods addr add 10.91.0.5/24 dev eth1
ip -n pods link set eth0 up
ip -n pods link set eth1 up
ip -n pods route add default via 10.91.0.1
ip -n pods route add 10.92.0.0/16 via 10.90.0.77
ip -n pods route add 10.94.0.0/16 dev eth1
ip -n pods -6 route add default via fd90::1
ip -n pods neigh add 10.90.0.99 lladdr 02:00:00:00:00:99 dev eth0 nud permanent
boot pods
up pods 120
is "pods: a device for each interface" "$(state pods 0 joined) $(state pods 1 joined)" "eth0 eth1"
is "pods: the kernel has a thread for each" "$(ps -eLo comm | grep -c '^vhost-')" 2
is "pods: eth0 has IPv4 and IPv6" "$(ask pods addrs "ip -o addr show eth0 | grep -v fe80: | awk '{print \$4}'")" "10.90.0.5/24 fd90::5/64 "
is "pods: eth1 has its address" "$(ask pods addr1 "ip -4 -o addr show eth1 | awk '{print \$4}'")" "10.91.0.5/24 "
like "pods: the default route is eth1's" "$(ask pods route ip route show default)" 'default via 10.91.0.1 dev eth1'
like "pods: the extra route is eth0's" "$(ask pods extra "ip route | grep ^10.92")" '10.92.0.0/16 via 10.90.0.77 dev eth0'
like "pods: the on-link route is eth1's" "$(ask pods direct "ip route | grep ^10.94")" '10.94.0.0/16 dev eth1'
like "pods: the IPv6 default route" "$(ask pods route6 ip -6 route show default)" 'default via fd90::1 dev eth0'
like "pods: the neighbour is permanent" "$(ask pods neigh "ip neigh | grep 10.90.0.99")" '02:00:00:00:00:99.* PERMANENT'
for n in 0 1; do
	succeeds "pods: the host pings 10.9$n.0.5" pings "10.9$n.0.5"
	like "pods: the guest pings 10.9$n.0.1" "$(ask pods "four$n" "ping -c 3 -A -w 20 10.9$n.0.1")" ' 0% packet loss'
done
pings6() { busybox ping6 -c 3 -w 20 "$@" >/dev/null; }
succeeds "pods: the host pings it by IPv6" pings6 fd90::5
for host in fd90::1 fd92::1; do
	like "pods: the guest pings $host" "$(ask pods "six${host%::1}" "ping6 -c 3 -w 20 $host")" ' 0% packet loss'
done
like "pods: the guest pings by the extra route" "$(ask pods far "ping -c 3 -A -w 20 10.92.0.1")" ' 0% packet loss'
succeeds "pods: deleted" vmrun delete --force pods
is "pods: no ingress qdisc is left" "$(tc -n pods qdisc show | grep ingress)" ""
ip netns delete pods
ip addr delete 10.92.0.1/32 dev lo
ip addr delete fd92::1/128 dev lo

# ---- the end ----
vmrun kill private
ended private poweroff 0
succeeds "private: deleted" vmrun delete private
clean
say "end"
