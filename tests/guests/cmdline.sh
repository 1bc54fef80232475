#!/bin/bash
# What a guest learns at start: the kernel's command line as it finds it, MAC and MTU of its network
# device, in a namespace that was empty at create. In namespaces of its own.
[ "${1:-}" = --inside ] || exec unshare --net --mount "$0" --inside
. "$(dirname "$0")/../lib.sh"
id=told$$
mkdir -p "$root" /run/netns && mount -t tmpfs none /run/netns
trap 'cleanup; ip -all netns delete 2>/dev/null' EXIT

# guest DEVICES PARAMETERS [HOSTNAME]: makes the bundle
guest() {
	bundle "$work/$id" cmdline "[{\"type\": \"serial\"}, {\"type\": \"rng\"}$1]"
	jq --argjson p "$2" --arg h "${3:-}" \
		'.vm.kernel.parameters = $p | if $h == "" then . else .hostname = $h end' \
		"$work/$id/config.json" >"$work/new" && mv "$work/new" "$work/$id/config.json"
}
said() { sed -n "s/^$1: //p" <<<"$out" | tr -d '\r'; }
run() { out=$(vmrun run "$work/$id" </dev/null 2>"$work/err"); }
base="console=ttyS0 reboot=k panic=-1"

guest '' '[]'
run
is "without a network the command line is create's" "$(said cmdline)" "$base"
guest '' '["quiet", "--", "one", "two"]'
run
is "words for init stay words for init" "$(said cmdline)" "$base quiet -- one two"

tap=', {"type": "net", "mode": "tap", "hostIp": "192.0.2.1", "netmask": "255.255.255.0", "mac": "02:00:5e:10:20:f3"'
ip="ip=192.0.2.2::192.0.2.1:255.255.255.0:$id:eth0:off"
guest "$tap, \"mtu\": 1400}" '["quiet"]'
run
is "tap: the kernel gets its address" "$(said cmdline)" "$base quiet $ip"
is "tap: the device has the MAC" "$(said mac)" 02:00:5e:10:20:f3
is "tap: the device has the MTU" "$(said mtu)" 1400
guest "$tap}" '["--", "one"]' alice
run
is "tap: the address comes before words for init, with the hostname" "$(said cmdline)" \
	"$base hostname=alice ${ip/:$id:/:alice:} -- one"
guest "$tap}" '["ip=dhcp"]'
run
is "tap: a user's own ip= is not added to" "$(said cmdline)" "$base ip=dhcp"

# As CNI does it: the namespace exists at create, its interface only before start.
ip netns add pod
guest ', {"type": "net", "mode": "netns", "netns": "/run/netns/pod"}' '[]'
vmrun create "$work/$id" </dev/null >"$work/out" 2>"$work/err"
is "netns: created without an interface" "$(vm_status $id)" created
ip link add host0 type veth peer name eth0 netns pod
ip -n pod link set eth0 address 02:aa:bb:cc:dd:ee mtu 1450 up
ip -n pod addr add 198.51.100.7/24 dev eth0
ip link set host0 up
ip -n pod route add default via 198.51.100.1
succeeds "netns: start" vmrun start $id
succeeds "netns: it stops on its own" eventually 20 is_stopped $id
out=$(cat "$work/out")
is "netns: the kernel gets the interface's address" "$(said cmdline)" \
	"$base ip=198.51.100.7::198.51.100.1:255.255.255.0:$id:eth0:off"
is "netns: the device has the interface's MAC" "$(said mac)" 02:aa:bb:cc:dd:ee
is "netns: the device has the interface's MTU" "$(said mtu)" 1450
succeeds "netns: delete" vmrun delete $id

# Several pieces of a message to the VMM.
for n in $(seq 20); do ip -n pod route add "10.$n.0.0/16" via 198.51.100.1; done
vmrun create "$work/$id" </dev/null >"$work/out" 2>"$work/err"
succeeds "many words: start" vmrun start $id
succeeds "many words: it stops on its own" eventually 20 is_stopped $id
out=$(cat "$work/out")
is "many words: all arrive, once" "$(said cmdline)" "$base ip=198.51.100.7::198.51.100.1:255.255.255.0:$id:eth0:off$(
	printf ' rd.route=10.%d.0.0/16:198.51.100.1:eth0' $(seq 20))"
succeeds "many words: delete" vmrun delete $id

# The kernel takes 2047 bytes: create's part fits, with the address it does not.
words=$(printf '"%0500d", "%0500d", "%0500d", "%0490d"' 0 0 0 0)
guest "$tap}" "[$words]"
out=$(vmrun create "$work/$id" </dev/null 2>&1 >/dev/null)
like "too long a command line: create says so where it knows" "$out" "takes a command line of 2047 bytes, .*it has 20[0-9][0-9]:"
is "too long a command line: nothing is created" "$(ls "$root")" ""
is "too long a command line: no TAP is left" "$(ip -o link show type tun)" ""
guest ', {"type": "net", "mode": "netns", "netns": "/run/netns/pod"}' "[$words]"
vmrun create "$work/$id" </dev/null >"$work/out" 2>"$work/err"
is "too long a command line: created" "$(vm_status $id)" created
out=$(vmrun start $id 2>&1)
like "too long a command line: start says so" "$out" "takes a command line of 2047 bytes, .*it has [23][0-9][0-9][0-9]:"
is "too long a command line: the VM is still created" "$(vm_status $id)" created
out=$(vmrun start $id 2>&1)
like "too long a command line: and says so again" "$out" "takes a command line of 2047 bytes"
succeeds "too long a command line: kill" vmrun kill $id KILL
succeeds "too long a command line: stopped" eventually 10 is_stopped $id
is "too long a command line: the guest never ran" "$(cat "$work/out")" ""
vmrun delete $id
run
is "too long a command line: run fails" "$?" 33
like "too long a command line: run says why" "$(cat "$work/err")" "takes a command line of 2047 bytes"
