#!/bin/bash
# The modes of a network device on the host: what vmrun makes, what `vmrun state` says of it, and bad input.
# In namespaces of its own, so that it neither sees nor touches the machine's network.
[ "${1:-}" = --inside ] || exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" --inside
. "$(dirname "$0")/../lib.sh"
mkdir -p "$root"

# /sys of this network namespace, with the cgroups left where they are.
mkdir "$work/sys" && mount -t sysfs none "$work/sys" && mount --bind "$work/sys/class" /sys/class &&
	mount --bind "$work/sys/devices" /sys/devices && umount "$work/sys"
mkdir -p /run/netns && mount -t tmpfs none /run/netns
vm=net$(date +%s%N) other=other$(date +%s%N)
echo 1 | tee /proc/sys/net/ipv6/conf/{all,default}/disable_ipv6 >/dev/null
ip link set lo up

# net JSON [GUEST]: a bundle with one network device, {"type": "net", JSON}
net() { bundle "$work/b" "${2:-idle}" "[{\"type\": \"rng\"}, {\"type\": \"net\"$1}]"; }
# create [ID]: its messages, without waiting for the guest's output
create() {
	{ vmrun create --bundle "$work/b" "${1:-$vm}" </dev/null 2>&1 >/dev/null; echo $? >"$work/code"; } | grep -v 'KVM only emulates'
	return "$(cat "$work/code")"
}
delete() { vmrun delete --force "${1:-$vm}"; }
# of KEY: what `vmrun state` says about the first network
of() { vmrun state "$vm" | jq -r ".vmrun.networks[0].$1"; }
world() { ip -o link; ip -o addr; nft list ruleset; ip netns; cut -d' ' -f5- /proc/self/mountinfo; ls -A "$root"; }
is_clean() { [ "$(world)" = "$before" ]; }
# clean NAME: delete leaves nothing
clean() {
	succeeds "$1: delete succeeds" delete
	if eventually 5 is_clean; then ok "$1: nothing is left"; else
		not_ok "$1: something is left"
		diff <(echo "$before") <(world) | sed 's/^/# /'
		before=$(world)
	fi
}
before=$(world)
# fails NAME REGEX: create --bundle $work/b of another VM fails with one line
fails() {
	local out
	if out=$(create "$other"); then not_ok "$1: succeeded" && delete "$other"; else
		like "$1" "$(grep -v warning: <<<"$out")" "$2"
		is "$1: one line" "$(wc -l <<<"$out")" 1
	fi
	[ -e "$root/$other" ] && not_ok "$1: the state directory is left"
}

# ---- private ----
net ''
succeeds "private: create" create
is "private is the default" "$(of mode)" private
link=$(of hostInterface)
like "private: the host's interface has the address" "$(ip -4 -o addr show dev "$link")" "inet $(of hostAddress | sed 's/\./\\./g') "
like "private: an address of 100.64.0.0/10" "$(of hostAddress)" '^100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.[0-9]+\.[0-9]+/30$'
is "private: the guest's gateway is the host" "$(of gateway)/30" "$(of hostAddress)"
like "private: the veth is up" "$(ip -o link show dev "$link")" '[<,]UP[,>].*mtu 1500.*state UP'
like "private: its other end is in another namespace" "$(ip -d -o link show dev "$link")" 'link-netnsid.* veth'
like "private: a locally administered MAC" "$(of mac)" '^.[26ae]:..:..:..:..:..$'
is "private: a table of its own" "$(nft list tables)" "table inet vmrun_$vm"
is "private: it lets nothing be forwarded" "$(nft list table inet "vmrun_$vm" | grep -c "[io]ifname \"$link\" drop")" 2
mac=$(of mac) address=$(of hostAddress)
succeeds "private: start" vmrun start "$vm"
succeeds "the host's interface disappears under a running VM" ip link delete "$link"
sleep 0.2
is "and the VM lives on" "$(vm_status "$vm")" running
clean "private"
create
is "the same VM gets the same MAC" "$(of mac)" "$mac"
is "and the same network" "$(of hostAddress)" "$address"
net ''
succeeds "a second VM at the same time" create "$other"
like "has a network of its own" "$(vmrun state "$other" | jq -r '.vmrun.networks[0].hostAddress')" '^100\.'
is "two veths" "$(ip -o link show type veth | wc -l)" 2
delete "$other"
ip addr flush dev "$(of hostInterface)"
clean "private, its address removed by hand"
create && kill -9 "$(vmrun state "$vm" | jq -r .pid)"
clean "private, the supervisor killed"
ip link add taken type bridge && ip addr add "$address" dev taken
before=$(world)
create
like "a network that is taken is avoided: the next" "$(of hostAddress)" '^100\.'
[ "$(of hostAddress)" != "$address" ] && ok "it is another one" || not_ok "it is another one"
clean "private beside it"
ip link delete taken && before=$(world)

ip link set lo up && ip route add 100.64.0.0/10 dev lo table 52
fails "the pool is routed elsewhere, by a table that only rules lead to" \
	'/vm/devices/1: no network of 100.64.0.0/10 is free \(a route to 100.64.0.0/10, table 52 is in the way\): name another pool, or hostIp'
net ', "pool": "10.123.0.0/29"'
create
first=$(of hostAddress)
like "another pool" "$first" '^10\.123\.0\.[15]/30$'
succeeds "and a second VM" create "$other"
like "has the other network of it" "$(vmrun state "$other" | jq -r '.vmrun.networks[0].hostAddress')" '^10\.123\.0\.[15]/30$'
[ "$(vmrun state "$other" | jq -r '.vmrun.networks[0].hostAddress')" != "$first" ] && ok "another one" || not_ok "another one"
vmrun create --bundle "$work/b" "$other-3" </dev/null >/dev/null 2>"$work/err" && not_ok "a third one finds none" ||
	like "a third one finds none" "$(cat "$work/err")" 'no network of 10.123.0.0/29 is free'
delete "$other"
clean "private of another pool"
for i in 1 2 3 4; do vmrun create --bundle "$work/b" "$other$i" </dev/null >/dev/null 2>&1 & done
wait
is "four at a time, of two networks: two get one each" \
	"$(for i in 1 2 3 4; do vmrun state "$other$i" 2>/dev/null | jq -r '.vmrun.networks[0].hostAddress'; done | sort)" \
	"10.123.0.1/30
10.123.0.5/30"
for i in 1 2 3 4; do vmrun delete --force "$other$i"; done
ip route flush table 52

net ', "masquerade": true, "mtu": 1400, "hostIp": "10.9.8.1", "netmask": "255.255.255.0", "mac": "52:54:00:12:34:56"'
echo 0 >/proc/sys/net/ipv4/ip_forward
like "masquerade: forwarding is switched on, and a line says so" "$(create)" 'ip_forward was 0'
is "masquerade: forwarding is on" "$(cat /proc/sys/net/ipv4/ip_forward)" 1
is "masquerade: tables of its own" "$(nft list tables | sort)" "table bridge vmrun_$vm
table inet vmrun_$vm"
like "masquerade: the guest's address" "$(nft list ruleset)" "ip saddr 10\.9\.8\.2 .*masquerade"
is "masquerade: the state has the table" "$(of table)" "vmrun_$vm"
is "hostIp and netmask" "$(of hostAddress)" 10.9.8.1/24
is "the guest is the next one" "$(of guestAddress)" 10.9.8.2/24
is "mac" "$(of mac)" 52:54:00:12:34:56
like "mtu" "$(ip -o link show dev "$(of hostInterface)")" 'mtu 1400'
delete
is "with forwarding on there is no warning" "$(create)" ""
vmrun start "$vm" && vmrun kill "$vm" KILL && eventually 10 is_stopped "$vm"
is "when the VM is over its network is gone before delete" "$(ip -o link show type veth; nft list tables)" ""
clean "masquerade"

nft add table inet "vmrun_$other"
before=$(world)
fails "masquerade: the table's name is taken" "/vm/devices/1: .*vmrun_$other: File exists"
succeeds "masquerade: that table stays" eventually 5 is_clean
nft delete table inet "vmrun_$other"
before=$(world)

net ', "masquerade": true'
echo 0 >/proc/sys/net/ipv4/ip_forward
mount --bind /proc/sys/net/ipv4 /proc/sys/net/ipv4 && mount -o remount,bind,ro /proc/sys/net/ipv4
fails "masquerade: forwarding cannot be switched on" '/vm/devices/1/masquerade: .*ip_forward.*Read-only'
umount /proc/sys/net/ipv4
mount --bind /dev/null /proc/sys/net/ipv4/ip_forward
fails "masquerade: forwarding cannot be read" '/vm/devices/1/masquerade: .*ip_forward.*No data'
umount /proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv4/ip_forward
succeeds "masquerade: nothing is left then" eventually 5 is_clean

bundle "$work/b" idle '[{"type": "net", "masquerade": true}, {"type": "net", "masquerade": true}]'
create
is "two devices, two tables of each family" "$(nft list tables | wc -l)" 4
is "two devices, two MACs" "$(vmrun state "$vm" | jq -r '.vmrun.networks[].mac' | sort -u | wc -l)" 2
clean "two devices"

# ---- tap ----
net ', "mode": "tap", "name": "mytap", "hostIp": "10.9.8.1/24", "guestIp": "10.9.8.77"'
create
like "tap: has the name, the address, and is up" "$(ip -4 -o addr show dev mytap up)" 'inet 10\.9\.8\.1/24'
is "tap: state tells the name" "$(of tap)" mytap
is "tap: guestIp" "$(of guestAddress)" 10.9.8.77/24
fails "tap: in use by another VM" '/vm/devices/1: .*mytap.*in use'
net ', "mode": "tap", "hostIp": "10.9.8.5/16"'
fails "tap: the host's network is another VM's" '/vm/devices/1: hostIp 10\.9\.8\.5/16: .*in that network'
net ', "hostIp": "10.9.8.1/24"'
fails "private: the host's network is another VM's" '/vm/devices/1: hostIp 10\.9\.8\.1/24: .*in that network'
clean "tap"
ip link add mytap type bridge
net ', "mode": "tap", "name": "mytap"'
fails "tap: the name of another interface" '/vm/devices/1: .*mytap exists and is no TAP'
ip link delete mytap
net ', "mode": "tap"'
create
like "tap: without a name one is chosen" "$(of tap)" '^vt[0-9a-f]{10}$'
clean "tap without a name"
ip tuntap add dev mine mode tap && ip addr add 10.7.7.1/24 dev mine && ip link set mine up mtu 1300
before=$(world)
net ', "mode": "tap", "name": "mine", "hostIp": "10.7.7.1/24"'
succeeds "tap: one made beforehand is taken" create
is "tap: its MTU counts" "$(of mtu)" 1300
is "tap: one made beforehand is kept from private guests" "$(nft list ruleset | grep -c "oifname \"mine\".*drop")" 2
kill -9 "$(vmrun state "$vm" | jq -r .pid)"
clean "tap made beforehand"
net ', "mode": "tap", "name": "mine", "hostIp": "10.7.8.1/24"'
fails "tap: made beforehand with another address" 'mine was there before, without'
net ', "mode": "tap", "name": "mine", "mtu": 1500'
fails "tap: made beforehand with another MTU" 'mine was there before, with an MTU of 1300'
succeeds "and it is as it was" eventually 5 is_clean
ip link delete mine && before=$(world)

# ---- bridge ----
net ', "mode": "bridge", "bridge": "br0", "guestIp": "10.5.5.5/24", "gateway": "10.5.5.1"'
fails "bridge: does not exist" '/vm/devices/1: bridge br0 does not exist'
ip link add br0 type veth peer name br1
fails "bridge: is none" '/vm/devices/1: br0 is no bridge'
ip link delete br0
ip link add br0 address 02:00:00:00:00:01 type bridge && ip link set br0 mtu 1450 up
before=$(world)
create
like "bridge: the TAP is a port" "$(ip -o link show master br0)" "$(of tap).*mtu 1450.*[ ]master br0"
is "bridge: its MTU is the device's" "$(of mtu)" 1450
is "bridge: gateway" "$(of gateway)" 10.5.5.1
clean "bridge"
ip link set br0 mtu 65535 && before=$(world)
create
is "bridge: with a larger MTU than a TAP can have" "$(of mtu)" 65521
clean "bridge of large frames"
for i in $(seq 512); do
	echo "link add p$i master br0 type veth peer name q$i"
	[ "$i" -gt 511 ] || echo "link set q$i master br0"
done | ip -batch -
before=$(world)
fails "bridge: full" '/vm/devices/1: bridge br0 has no port left'
succeeds "bridge: nothing is left then" eventually 5 is_clean
for i in $(seq 512); do echo "link delete p$i"; done | ip -batch -
ip link delete br0 && before=$(world)

# ---- netns ----
ip netns add pod && ip netns exec pod sh -c "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6" && ip -n pod link set lo up
before=$(world)
net ', "mode": "netns", "netns": "/run/netns/pod"'
create
is "netns: nothing is joined before start" "$(of joined)" null
like "netns: a TAP is in the namespace" "$(ip -n pod -o link show)" " $(of tap): "
ip -n pod link add eth7 mtu 1380 address 02:00:00:00:77:77 type veth peer name far
ip -n pod addr add 10.3.3.3/16 dev eth7 && ip -n pod link set eth7 up && ip -n pod link set far up
ip -n pod route add default via 10.3.0.1
pod() { ip -n pod -o link; ip -n pod -o addr; ip -n pod route; ip netns exec pod tc qdisc show dev eth7; }
filters() { ip netns exec pod tc filter show dev "$1" parent ffff:; }
was=$(pod | grep -v "$(of tap)")
succeeds "netns: start" vmrun start "$vm"
is "netns: what came after create is joined" "$(of joined)" eth7
is "netns: its MAC is the guest's" "$(of mac)" 02:00:00:00:77:77
is "netns: its address" "$(of guestAddress)" 10.3.3.3/16
is "netns: its gateway" "$(of gateway)" 10.3.0.1
is "netns: its MTU" "$(of mtu)" 1380
like "netns: frames go to the TAP" "$(filters eth7)" "mirred.*Egress Redirect to device $(of tap)"
like "netns: and back" "$(filters "$(of tap)")" "mirred.*Egress Redirect to device eth7"
create "$other"
like "netns: an interface that is joined already" "$(vmrun start "$other" 2>&1)" 'eth7|File exists|exists'
delete "$other"
like "netns: which changes nothing" "$(filters eth7)" "mirred.*Egress Redirect to device $(of tap)"
kill -9 "$(vmrun state "$vm" | jq -r .pid)"
clean "netns, the supervisor killed"
as_it_was() { [ "$(pod)" = "$was" ]; }
succeeds "netns: the namespace is as it was" eventually 5 as_it_was
create && vmrun start "$vm" && vmrun kill "$vm" KILL && eventually 10 is_stopped "$vm"
succeeds "netns: so it is when the VM ends" eventually 5 as_it_was
clean "netns"
create && ip -n pod link delete eth7 && vmrun start "$vm"
is "netns: without an interface the VM starts nevertheless" "$(vm_status "$vm") $(of joined)" "running null"
clean "netns without an interface"
create && ip netns delete pod && before=$(world | grep -vx "$vm")
clean "netns, the namespace deleted by its owner"
# Several interfaces, of all kinds, with everything that a guest learns.
ip netns add pods && ip -n pods link set lo up && ip netns exec pods sh -c "echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6"
# wire N [up]: a veth into the namespace, eth<N> there
wire() { ip link add "far$1" up type veth peer name "eth$1" netns pods && ip -n pods link set "eth$1" "${2:-up}"; }
for n in 0 1 2 3; do wire $n; done
wire 4 down
ip -n pods addr add 10.3.0.5/16 dev eth0 && ip -n pods addr add 10.9.9.9/32 dev eth0 && ip -n pods addr add fd03::5/64 dev eth0 nodad
ip -n pods addr add 10.4.0.5/24 dev eth1
ip -n pods addr add fd06::5/64 dev eth3 nodad
ip -n pods addr add 10.6.0.5/24 dev eth4
ip -n pods route add default via 10.3.0.1 && ip -n pods route add default via 10.4.0.1 metric 50
ip -n pods route add 172.16.0.0/12 via 10.4.0.9 metric 7 && ip -n pods route add 10.77.0.0/16 dev eth1
ip -n pods route add 10.88.0.0/16 via 10.99.0.1 dev eth1 onlink
ip -n pods route add blackhole 10.99.0.0/16 && ip -n pods route add 10.98.0.0/16 via 10.4.0.1 table 7
ip -n pods -6 route add default via fd03::1 && ip -n pods -6 route add fd77::/48 dev eth0
ip -n pods neigh add 10.3.0.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent
ip -n pods neigh add fd03::77 lladdr 02:00:00:00:00:78 dev eth0 nud permanent
ip -n pods neigh add 10.3.0.78 lladdr 02:00:00:00:00:79 dev eth0 nud stale
before=$(world)
bundle "$work/b" cmdline '[{"type": "serial"}, {"type": "rng"}]'
sed -i 's|"vm":|"linux": {"namespaces": [{"type": "network", "path": "/run/netns/pods"}]}, &|' "$work/b/config.json"
is "netns: the plan has a device for each interface with addresses: not for one that is down, or has but a link-local one" \
	"$(vmrun create --dry-run --bundle "$work/b" "$vm" 2>/dev/null | jq -c '[.networks[] | .device, .netns]')" \
	'["net0","/run/netns/pods","net1","/run/netns/pods","net2","/run/netns/pods"]'
vmrun create --bundle "$work/b" "$vm" </dev/null >"$work/guest" 2>/dev/null
is "netns: so has the VM" "$(vmrun state "$vm" | jq -c '[.vmrun.networks[].device]')" '["net0","net1","net2"]'
ip -n pods addr add 10.5.0.5/24 dev eth2 && ip -n pods link set eth4 up && sleep 0.1
before=$(world | grep -vx "$vm")
out=$(vmrun start "$vm" 2>&1 >/dev/null | grep -v 'KVM only emulates')
is "netns: a line for each interface beyond, that came later" "$(wc -l <<<"$out")" 2
like "netns: it names the first and what to do" "$out" 'no device is left for interface eth3: add another \{"type": "net", "mode": "netns"\} to vm.devices'
like "netns: it names the second" "$out" 'no device is left for interface eth4: .*/run/netns/pods'
succeeds "netns: the guest ends" eventually 20 is_stopped "$vm"
is "netns: what the guest learns" "$(sed -n 's/^cmdline: //p' "$work/guest" | tr -d '\r' | grep -oE '(ip|rd\.|vmrun\.)[^ ]*')" "$(
	cat <<-END
	ip=10.3.0.5::10.3.0.1:255.255.0.0:$vm:eth0:off
	vmrun.addr=eth0,10.9.9.9/32
	vmrun.addr=eth0,fd03::5/64
	rd.route=[fd77::/48]:[::]:eth0
	rd.route=[::/0]:[fd03::1]:eth0
	vmrun.neigh=eth0,10.3.0.77,02:00:00:00:00:77
	vmrun.neigh=eth0,fd03::77,02:00:00:00:00:78
	ip=10.4.0.5:::255.255.255.0:$vm:eth1:off
	rd.route=10.77.0.0/16:0.0.0.0:eth1
	rd.route=10.99.0.1/32:0.0.0.0:eth1
	rd.route=10.88.0.0/16:10.99.0.1:eth1
	rd.route=172.16.0.0/12:10.4.0.9:eth1
	ip=10.5.0.5:::255.255.255.0:$vm:eth2:off
	END
)"
clean "netns with several interfaces"
sed -i 's/cmdline\.elf/idle.elf/' "$work/b/config.json"
create
vmrun start "$vm" 2>/dev/null
is "netns: the state has all that" "$(vmrun state "$vm" | jq -c '.vmrun.networks[] | [.joined, .addresses, .routes, .neighbours]')" \
	'["eth0",["10.3.0.5/16","10.9.9.9/32","fd03::5/64"],[{"destination":"fd77::/48","metric":1024},{"destination":"0.0.0.0/0","gateway":"10.3.0.1"},{"destination":"::/0","gateway":"fd03::1","metric":1024}],[{"address":"10.3.0.77","mac":"02:00:00:00:00:77"},{"address":"fd03::77","mac":"02:00:00:00:00:78"}]]
["eth1",["10.4.0.5/24"],[{"destination":"10.77.0.0/16"},{"destination":"10.99.0.1/32"},{"destination":"10.88.0.0/16","gateway":"10.99.0.1"},{"destination":"172.16.0.0/12","gateway":"10.4.0.9","metric":7},{"destination":"0.0.0.0/0","gateway":"10.4.0.1","metric":50}],null]
["eth2",["10.5.0.5/24"],null,null]
["eth3",["fd06::5/64"],null,null]
["eth4",["10.6.0.5/24"],null,null]'
kill -9 "$(vmrun state "$vm" | jq -r .pid)"
clean "netns with several interfaces, the supervisor killed"
is "netns: no ingress qdisc is left" "$(ip netns exec pods tc qdisc show | grep ingress)" ""

# An interface with a filter that is not vmrun's: vmrun neither takes it nor clears it.
ip netns exec pods tc qdisc add dev eth1 clsact
create
like "netns: an interface with another program's qdisc" "$(vmrun start "$vm" 2>&1)" 'net1: interface eth1 has an ingress qdisc'
is "netns: the VM is still created" "$(vm_status "$vm")" created
ip netns exec pods tc qdisc delete dev eth1 clsact
succeeds "netns: and starts when it is gone" vmrun start "$vm"
ip netns exec pods tc qdisc delete dev eth1 ingress && ip netns exec pods tc qdisc add dev eth1 ingress &&
	ip netns exec pods tc filter add dev eth1 parent ffff: protocol all u32 match u32 0 0 flowid 1:1
kill -9 "$(vmrun state "$vm" | jq -r .pid)"
clean "netns, a qdisc that another program replaced"
like "netns: it stays" "$(ip netns exec pods tc filter show dev eth1 parent ffff:)" u32
ip netns exec pods tc qdisc delete dev eth1 ingress

# More than the guest's kernel reads.
for n in $(seq 33); do ip -n pods route add "10.200.$n.0/24" via 10.3.0.1; done
create
like "netns: more routes than fit" "$(vmrun start "$vm" 2>&1)" 'net0: interface eth0 has more than 32 routes'
for n in $(seq 4 33); do ip -n pods route delete "10.200.$n.0/24"; done
for n in $(seq 15); do ip -n pods neigh add "fd03::1:2:3:$n" lladdr 02:00:00:00:00:77 dev eth0 nud permanent; done
succeeds "netns: with fewer it starts" vmrun start "$vm"
clean "netns with many neighbours"
jq '.vm.kernel.parameters = ["'"$(printf '%0900d' 0)"'"]' "$work/b/config.json" >"$work/new" && mv "$work/new" "$work/b/config.json"
create
like "netns: more words than the kernel takes" "$(vmrun start "$vm" 2>&1)" 'takes a command line of 2047 bytes, .* say ip= there'
is "netns: nothing was started" "$(vm_status "$vm")" created
clean "netns with too many words"
ip netns delete pods && for n in 0 1 2 3 4; do ip link delete "far$n" 2>/dev/null; done
before=$(world)
for path in /nowhere "$work" /dev/null /proc/self/ns/mnt; do
	net ", \"mode\": \"netns\", \"netns\": \"$path\""
	fails "netns: $path" "/vm/devices/1: .*$path"
done

: >"$work/own" && mount --bind /proc/self/ns/net "$work/own"
for path in /proc/self/ns/net "$work/own"; do
	net ", \"mode\": \"netns\", \"netns\": \"$path\""
	fails "netns: vmrun's own, by $path" "^vmrun: /vm/devices/1: $path is vmrun.s own network namespace,.* leave it out, or list .*\"hostNetwork\": true} in vm.devices"
done
bundle "$work/b" idle '[{"type": "rng"}]'
sed -i 's|"vm":|"linux": {"namespaces": [{"type": "network", "path": "/proc/self/ns/net"}]}, &|' "$work/b/config.json"
fails "netns: vmrun's own, of /linux" '/linux/namespaces/0: /proc/self/ns/net is vmrun.s own'
before=$(world)
net ', "mode": "netns", "netns": "/proc/self/ns/net", "hostNetwork": true'
succeeds "netns: vmrun's own, asked for: create" create
clean "netns: vmrun's own, asked for"
umount "$work/own" && before=$(world)

# ---- macvtap ----
ip link add par type veth peer name par1 && ip link set par up && ip link set par1 up && sleep 0.1
before=$(world)
net ', "mode": "macvtap", "parent": "par", "mac": "02:00:00:00:00:33"'
if out=$(create); then
	ok "macvtap: create"
	like "macvtap: on its parent, with its MAC" "$(ip -d -o link show type macvtap)" "@par.*02:00:00:00:00:33.*mode bridge"
	clean "macvtap"
	create && kill -9 "$(vmrun state "$vm" | jq -r .pid)"
	clean "macvtap, the supervisor killed"
else
	not_ok "macvtap: create: $out"
fi
net ', "mode": "macvtap", "parent": "nothere"'
fails "macvtap: no such parent" '/vm/devices/1: interface nothere does not exist'
net ', "mode": "macvtap", "parent": "lo"'
fails "macvtap: on the loopback interface" '/vm/devices/1: interface lo takes no macvtap$'
net ', "mode": "macvtap", "parent": "par", "mtu": 9000'
fails "macvtap: MTU larger than the parent's" '/vm/devices/1: mtu 9000 is more than the 1500 of interface par'
ip link add br0 type bridge && ip link set par1 master br0
net ', "mode": "macvtap", "parent": "par1"'
fails "macvtap: on a port of a bridge" '/vm/devices/1: interface par1 takes no macvtap while it is a port'
ip link delete br0
net ', "mode": "macvtap", "parent": "par", "name": "par1"'
fails "macvtap: the name of another interface" '/vm/devices/1: interface par1 exists'
succeeds "which stays" eventually 5 is_clean
ip link delete par && before=$(world)

# ---- fd ----
net ', "mode": "fd", "fd": 9'
direct() { "$@" "$vmrun_bin" --root "$root" create --bundle "$work/b" "$vm" 2>&1 >/dev/null </dev/null; }
succeeds "fd: create" direct with_tap 0x5002
is "fd: the state has its name" "$(of tap)" fdtap
like "fd: the device has it open" "$(ip -o link show dev fdtap)" fdtap
clean "fd"
fails "fd: not inherited" '/vm/devices/1: fd 9 was not inherited'
like "fd: no TAP" "$(create 9</dev/null)" '/vm/devices/1: fd 9 is no TAP'
like "fd: one without virtio's header" "$(direct with_tap 0x1002)" '/vm/devices/1: fd 9: .*IFF_VNET_HDR'

# ---- none, and its properties ----
net ', "mode": "none"'
succeeds "none: create" create
is "none: nothing is made" "$(world | grep -vx "$vm")" "$before"
clean "none"
poor() { setpriv --bounding-set=-net_admin,-sys_admin --inh-caps=-net_admin,-sys_admin "$@"; }
for mode in private tap private+masquerade; do
	needs='needs CAP_SYS_ADMIN and CAP_NET_ADMIN here'
	[ $mode = tap ] && needs='needs CAP_NET_ADMIN here'
	net ", \"mode\": \"${mode%+*}\"$([ $mode = ${mode%+*} ] || echo ', "masquerade": true')"
	like "$mode without CAP_NET_ADMIN: what is missing, what works" \
		"$(direct poor)" \
		"/vm/devices/1: .*\"${mode%+*}\" $needs; \"fd\" and \"none\""
	succeeds "$mode without CAP_NET_ADMIN: nothing is left" eventually 5 is_clean
done
net ', "backend": "vhost"'
mknod "$work/none" c 511 0 && { [ ! -e /dev/vhost-net ] || mount --bind "$work/none" /dev/vhost-net; }
fails "no /dev/vhost-net" '/vm/devices/1/backend: /dev/vhost-net .*user does not need it'
[ ! -e /dev/vhost-net ] || umount /dev/vhost-net
net ''
mount -t tmpfs none /dev/net
fails "no /dev/net/tun" '/vm/devices/1: /dev/net/tun.*modprobe tun'
umount /dev/net
succeeds "nothing is left" eventually 5 is_clean
