#!/bin/bash
# Stock Linux guests on what net.sh leaves out: a macvtap with either back-end, a TAP the caller opened,
# several queues, rate limits, an interface that goes. Without vmx or svm the whole script runs inside one
# tests/kvmhost machine.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	dir=$PWD/${B:-build}/linux-modes
	rm -rf "$dir"
	set -e
	bundle-examples/build --image-size 16 --memory 192 --vcpus 4 --job tests/linux/jobs/net "$dir/modes"
	jq '.vm.devices += [
		{type: "net", mode: "macvtap", parent: "par0"},
		{type: "net", mode: "macvtap", parent: "par1", backend: "vhost"},
		{type: "net", mode: "fd", fd: 9},
		{type: "net", mode: "tap", name: "queues2", hostIp: "10.63.0.1/24", queues: 2},
		{type: "net", mode: "tap", name: "queues4", hostIp: "10.64.0.1/24", queues: 4},
		{type: "net", mode: "tap", name: "bytes", hostIp: "10.65.0.1/24", rateLimit: {
			toGuest: {bytesPerSecond: 2000000, burstBytes: 100000},
			fromGuest: {bytesPerSecond: 2000000, burstBytes: 100000}}},
		{type: "net", mode: "tap", name: "packets", hostIp: "10.66.0.1/24", rateLimit: {
			toGuest: {packetsPerSecond: 4, burstPackets: 16},
			fromGuest: {packetsPerSecond: 4, burstPackets: 16}}}]' \
		"$dir/modes/config.json" >"$dir/config" && mv "$dir/config" "$dir/modes/config.json"
	set +e
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
	# The host's part below is a network namespace of its own on a real machine too.
	exec unshare --net --mount "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
dir=$B/linux-modes
. tests/linux/guest.bash

trap 'ip -all netns delete; cleanup; kill $(jobs -p) 2>/dev/null' EXIT
mkdir -p "$root" /run/netns
if [ -z "${KVMHOST:-}" ]; then # where a macvtap's device number is looked up, of this network namespace
	mkdir "$work/sys" && mount -t sysfs none "$work/sys" && mount --bind "$work/sys/class" /sys/class &&
		mount --bind "$work/sys/devices" /sys/devices && umount "$work/sys"
fi
ip link set lo up

id=modes
# fetch URL: the sum of what the guest reads from a server
fetch() { ask $id "fetch${EPOCHREALTIME/./}" "wget -q -O - $1 | sha256sum | cut -d' ' -f1"; }
# count DEV rx|tx: bytes and packets so far, as the host sees them
count() { ip -j -s link show dev "$1" | jq -r ".[0].stats64.$2 | \"\(.bytes) \(.packets)\""; }
# large NAME DEV rx|tx BEFORE: since then the mean frame was larger than the MTU allows on a wire
large() {
	local bytes packets
	read -r bytes packets < <(count "$2" "$3")
	bytes=$((bytes - ${4% *})) packets=$((packets - ${4#* }))
	say "$1: $bytes bytes in $packets frames"
	if [ "$bytes" -gt $((packets * 1514)) ]; then ok "$1"; else not_ok "$1"; fi
}
uptime_cs() { cut -d' ' -f1 /proc/uptime | tr -d .; }
# within NAME AMOUNT BURST RATE SINCE: no more has passed than a bucket lets by: what was saved up, what the
# time since then brought, and one amount (BURST counts it) that the last credit paid for in part
within() {
	local most=$(($3 + $4 * ($(uptime_cs) - $5 + 1) / 100 + 1))
	say "$1: $2 of $most"
	if [ "$2" -le "$most" ]; then ok "$1"; else not_ok "$1: $2, not up to $most"; fi
}
far=(ip netns exec far)

# The world: two interfaces with another machine at their other ends.
ip netns add far
for n in 0 1; do
	ip link add par$n type veth peer name eth$n netns far
	ip link set par$n up
	ip -n far addr add 10.6$n.0.1/24 dev eth$n
	ip -n far link set eth$n up
done
mkdir "$work/www"
seq 1000000 | head -c 4M >"$work/www/data"
head -c 1M "$work/www/data" >"$work/www/part"
part=$(sha256sum <"$work/www/part" | cut -d' ' -f1)
busybox httpd -f -p 8080 -h "$work/www" &
"${far[@]}" busybox httpd -f -p 8080 -h "$work/www" &
before=$(world)
say "start"

boot $id with_tap 0x5002
ip addr add 10.62.0.1/24 dev fdtap
ip link set fdtap up
up $id 120
is_running $id || exit
# A device without an address has none on the kernel's command line: the guest finds its own.
ask $id addresses "for n in 0 1 2; do ip addr add 10.6\$n.0.2/24 dev eth\$n; ip link set eth\$n up; done; echo set" >/dev/null

# ---- macvtap: our back-end, and the kernel's ----
like "vhost: the kernel has a thread for it" "$(ps -eLo comm)" '^vhost-'
for n in 0 1; do
	case $n in 0) name="macvtap, user" ;; 1) name="macvtap, vhost" ;; esac
	guest=10.6$n.0.2 host=10.6$n.0.1
	is "$name: the state says so" "$(state $id $n mode)" macvtap
	is "$name: the guest has the macvtap's MAC" "$(ask $id mac$n cat /sys/class/net/eth$n/address)" \
		"$(ip -j link show dev "$(state $id $n tap)" | jq -r '.[0].address') "
	succeeds "$name: the far machine pings" "${far[@]}" busybox ping -c 3 -A -w 20 $guest
	is "$name: the far machine reads" "$(sum_of http://$guest/data "${far[@]}")" "$sum"
	is "$name: the guest reads" "$(fetch http://$host:8080/data)" "$sum "
done
say "macvtap done"

# ---- fd ----
is "fd: the state says so" "$(state $id 2 mode) $(state $id 2 tap)" "fd fdtap"
succeeds "fd: the host pings" pings 10.62.0.2
is "fd: the host reads" "$(sum_of http://10.62.0.2/data)" "$sum"
is "fd: the guest reads" "$(fetch http://10.62.0.1:8080/data)" "$sum "
say "fd done"

# ---- offloads, several queues: each CPU of the guest has a client and a server of its own ----
# features NAME ETH BIT...: these are in use
features() {
	local name=$1 bits bit
	bits=$(ask $id "features-$2" cat "/sys/class/net/$2/device/features")
	shift 2
	for bit; do
		[ "${bits:bit:1}" = 1 ] || { not_ok "$name: bit $bit of $bits"; return; }
	done
	ok "$name"
}
# CSUM GUEST_CSUM MTU MAC GUEST_TSO4 6 HOST_TSO4 6 MRG_RXBUF STATUS CTRL_VQ CTRL_RX; INDIRECT EVENT_IDX VERSION_1
usual=(0 1 3 5 7 8 11 12 15 16 17 18 28 29 32)
cpus="0 1 2 3"
# spread TAP ETH QUEUES GUEST HOST: transfers over all queues arrive, and take all queues
spread() {
	local tap=$1 eth=$2 queues=$3 guest=$4 host=$5 was now frames cpu q ring rings='' wanted='' jobs=''
	features "$tap: offloads and several queues" "$eth" "${usual[@]}" 22
	is "$tap: $queues pairs of queues" "$(ask $id "$tap-queues" "cd /sys/class/net/$eth/queues; ls -d rx-* tx-* | wc -l")" "$((2 * queues)) "
	was=$(ask $id "$tap-was" "interrupts $eth")
	frames=$(count "$tap" tx)
	is "$tap: each CPU of the guest reads" "$(ask $id "$tap-clients" \
		"for c in $cpus; do taskset -c \$c wget -q -O - http://$host:8080/part | sha256sum & done | sort -u | cut -d' ' -f1")" "$part "
	large "$tap: large frames to the guest" "$tap" tx "$frames"
	frames=$(count "$tap" rx)
	for cpu in $cpus; do
		sum_of "http://$guest:8$cpu/part" >"$work/sum$cpu" &
		jobs+=" $!"
	done
	# shellcheck disable=SC2086
	wait $jobs
	is "$tap: the host reads from each CPU" "$(sort -u "$work"/sum?)" "$part"
	large "$tap: large frames from the guest" "$tap" rx "$frames"
	now=$(ask $id "$tap-now" "interrupts $eth")
	say "$tap: interrupts $was"
	say "$tap: and then   $now"
	for ((q = 0; q < queues; q++)); do
		for ring in input.$q output.$q; do
			wanted+=" $ring"
			[[ " $was" =~ \ $ring=([0-9]+) ]] && [[ " $now" != *" $ring=${BASH_REMATCH[1]} "* ]] && rings+=" $ring"
		done
	done
	is "$tap: every ring was used" "$rings" "$wanted"
	say "$tap done"
}
ask $id servers "head -c 1048576 /run/www/data >/run/www/part; for c in $cpus; do taskset -c \$c httpd -p 8\$c -h /run/www; done; echo up" >/dev/null
spread queues2 eth3 2 10.63.0.2 10.63.0.1
spread queues4 eth4 4 10.64.0.2 10.64.0.1
features "one queue: offloads" eth5 "${usual[@]}"
features "the kernel's back-end: offloads" eth1 "${usual[@]}"

# ---- limits: what passed, compared with what that time allows ----
# A frame with offloads is up to 65562 bytes.
since=$(uptime_cs) frames=$(count bytes rx)
is "bytes: the host reads through a limit" "$(sum_of http://10.65.0.2/data)" "$sum"
within "bytes: no more came than the limit allows" $(($(count bytes rx | cut -d' ' -f1) - ${frames% *})) $((100000 + 65562)) 2000000 "$since"
since=$(uptime_cs) frames=$(count bytes tx)
is "bytes: the guest reads through a limit" "$(fetch http://10.65.0.1:8080/data)" "$sum "
within "bytes: no more went than the limit allows" $(($(count bytes tx | cut -d' ' -f1) - ${frames% *})) $((100000 + 65562)) 2000000 "$since"

# flooded NAME rx|tx BEFORE: of the packets offered since, a burst passes, and then as many as time allows
flooded() {
	passed() { echo $(($(count packets "$1" | cut -d' ' -f2) - ${2#* })); }
	burst_passed() { [ "$(passed "$@")" -ge 16 ]; }
	succeeds "packets: a burst $1" eventually 60 burst_passed "$2" "$3"
	within "packets: and then as many as time allows" "$(passed "$2" "$3")" 16 4 "$since"
}
# 2 datagrams of 60000 bytes are 82 packets, if each side knows the other's MAC.
succeeds "packets: the host pings" busybox ping -c 1 -w 30 10.66.0.2
since=$(uptime_cs) came=$(count packets rx) went=$(count packets tx)
busybox ping -c 2 -i 0.01 -w 2 -s 60000 10.66.0.2 >/dev/null &
ask $id flood "ping -c 2 -i 0.01 -w 2 -s 60000 10.66.0.1 >/dev/null; echo sent" >/dev/null
flooded "comes from the guest" rx "$came"
flooded "goes to the guest" tx "$went"
say "limits done"

# ---- interfaces that go, one of them while both sides wait for the limit ----
gone_lines() { [ "$(grep -c "interface is gone" "$work/$id.log")" = "$1" ]; }
succeeds "gone: no warning as long as they are there" gone_lines 0
succeeds "gone: one is deleted" ip link delete queues2
succeeds "gone: a line says so" eventually 30 gone_lines 1
succeeds "gone: another is deleted" ip link delete packets
succeeds "gone: another line says so" eventually 30 gone_lines 2
like "gone: what the guest sends goes nowhere" "$(ask $id nowhere "ping -c 2 -i 0.01 -w 1 10.63.0.1")" '100% packet loss'
succeeds "gone: once, however many queues and packets there are" gone_lines 2
ip link delete par0
ip link delete par1
is "gone: the parents of macvtaps, too: the VM lives on" "$(vm_status $id)" running
is "gone: its other interfaces work" "$(fetch http://10.62.0.1:8080/part) $(sum_of http://10.64.0.2/part)" "$part  $part"

# ---- the end ----
vmrun kill $id
ended $id poweroff 0
succeeds "$id: deleted" vmrun delete $id
before=$(grep -v '^par[01]' <<<"$before")
clean
say "end"
