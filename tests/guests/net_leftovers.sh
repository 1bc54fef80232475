#!/bin/bash
# After kill -9 of create at any moment, and after hundreds of VMs, the host's network is as it was. In
# namespaces of its own, so that it sees its own network, mounts and processes only.
[ "${1:-}" = --inside ] || exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" --inside
. "$(dirname "$0")/../lib.sh"
mkdir -p "$root"

# IPv6 gives interfaces addresses at its own time.
echo 1 | tee /proc/sys/net/ipv6/conf/{all,default}/disable_ipv6 >/dev/null
ip link set lo up
ip link add br0 address 02:00:00:00:00:01 type bridge && ip addr add 10.4.4.1/24 dev br0 && ip link set br0 mtu 1500 up
echo 1 >/proc/sys/net/ipv4/ip_forward

world() {
	ip -o link
	ip -o addr
	ip route
	nft list ruleset
	ip netns
	lsns -n -t net -o NS
	cut -d' ' -f5- /proc/self/mountinfo
	ls -A "$root"
}
is_clean() { [ "$(world)" = "$before" ]; }
before=$(world)

tag=$(date +%s%N)
private='{"type": "net", "masquerade": true}'
tap='{"type": "net", "mode": "tap", "hostIp": "10.9.8.1/24"}'
bridge='{"type": "net", "mode": "bridge", "bridge": "br0"}'

for mode in private tap bridge; do
	id=$mode$tag
	bundle "$work/$id" idle "[${!mode}]"
	bad=0 made=0
	for ms in $(seq 0 60); do
		"$vmrun_bin" --root "$root" create "$work/$id" </dev/null >/dev/null 2>&1 &
		pid=$!
		sleep "$(printf '0.%03d' "$ms")"
		kill -9 $pid 2>/dev/null
		wait $pid 2>/dev/null
		[ -e "$root/$id" ] && made=$((made + 1))
		vmrun delete --force "$id" >"$work/out" 2>&1 || { bad=1; echo "# after $ms ms: $(cat "$work/out")"; }
		eventually 5 is_clean || { bad=1; echo "# after $ms ms:"; diff <(echo "$before") <(world) | sed 's/^/# /'; }
	done
	is "$mode: kill -9 of create at 61 moments: nothing is left" $bad 0
	[ $made -gt 0 ] && ok "$mode: some of them were in the middle" || not_ok "$mode: none of them was in the middle"

	# The supervisor and the device, of a running VM and of one whose state file is older than it is.
	for victim in supervisor net0; do
		vmrun create "$work/$id" </dev/null >/dev/null 2>&1
		if [ $victim = supervisor ]; then pid=$(vmrun state "$id" | jq -r .pid); else pid=$(vm_pid "$id" $victim); fi
		kill -9 "$pid"
		succeeds "$mode: kill -9 of the $victim: delete --force succeeds" vmrun delete --force "$id"
		succeeds "$mode: kill -9 of the $victim: nothing is left" eventually 5 is_clean
	done
done

# A state file that names more than was made.
evil=evil$tag
bundle "$work/$evil" idle "[$private]"
ip link add keep type veth peer name keep1 && nft add table ip keep
before=$(world)
vmrun create "$work/$evil" </dev/null >/dev/null 2>&1
kill -9 "$(vmrun state "$evil" | jq -r .pid)"
cp "$root/$evil/state.json" "$work/state.json"
for edit in '.networks[0].hostInterface = "keep"' '.networks[0].table = "keep"' '.networks[0].mode = 3' '.networks = {}' \
	'.networks[0] = null' '.networks[0].device = "../x"' '.networks[0].joined = "keep"'; do
	jq "$edit" "$work/state.json" >"$root/$evil/state.json"
	if out=$(vmrun delete "$evil" 2>&1); then not_ok "refused: $edit"; else like "refused: $edit" "$out" 'state.json: damaged'; fi
done
cp "$work/state.json" "$root/$evil/state.json"
succeeds "the true one is carried out" vmrun delete --force "$evil"
succeeds "and only what was the VM's is gone" eventually 5 is_clean
ip link delete keep && nft delete table ip keep && before=$(world)

# Cycles leave the host as it was.
bad=0
for i in $(seq 50); do
	for id in private$tag tap$tag bridge$tag private$tag; do
		{ vmrun create "$work/$id" </dev/null && vmrun delete --force "$id"; } >"$work/out" 2>&1 || { bad=$((bad + 1)); cat "$work/out"; }
	done
done
is "200 cycles of create and delete succeed" $bad 0
succeeds "200 cycles: nothing is left" eventually 5 is_clean
