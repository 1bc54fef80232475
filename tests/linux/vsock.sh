#!/bin/bash
# A stock Linux guest with vsock: bytes and messages both ways, many connections at once and in all, peers that never
# read. Without vmx or svm the whole script runs inside one tests/kvmhost machine.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	dir=$PWD/${B:-build}/linux-vsock
	rm -rf "$dir"
	set -e
	bundle-examples/build --flavour amd64 --image-size 24 --memory 256 --job tests/linux/jobs/net \
		--module vmw_vsock_virtio_transport --program "${B:-build}/tests/linux/vsock_peer" "$dir/vs"
	jq '.vm.devices += [{type: "vsock", cid: 42}]' "$dir/vs/config.json" >"$dir/config"
	mv "$dir/config" "$dir/vs/config.json"
	set +e
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
dir=$B/linux-vsock
. tests/linux/guest.bash
trap 'kill $(jobs -p) 2>/dev/null; cleanup' EXIT
peer() { timeout $((20 * patience)) "$B/tests/linux/vsock_peer" "$@"; }
sock=$root/vs/vsock
# guest TAG CMD...: what vsock_peer says in the guest
guest() { ask vs "$1" "vsock_peer ${*:2}"; }
# both WHAT TEST ARG...: from the host to the guest, and from the guest to the host
tag=0
both() {
	tag=$((tag + 1))
	like "$1: the host connects" "$(peer "$2" "${kind}bridge:$sock:1000" "${@:3}")" '^ok'
	like "$1: the guest connects" "$(guest "tag$tag" "$2" "${kind}vsock:2:2000" "${@:3}")" '^ok'
	say "$1"
}
serve() { # serve KIND: the echoes on both sides
	kind=$1
	rm -f "${sock}_2000"
	peer echo "${kind}unix:${sock}_2000" >/dev/null 2>&1 &
	echo "background vsock_peer echo ${kind}vsock:0:1000 >/dev/null 2>&1 &" >&"${input[vs]}"
	eventually 20 said vs "^fact background" && eventually 20 guest_listens && eventually 10 test -S "${sock}_2000"
}
guest_listens() { peer storm "${kind}bridge:$sock:1000" 1 >/dev/null; }

boot vs
up vs 120
is_running vs || exit
if serve ''; then ok "both sides listen"; else not_ok "both sides listen"; fi
both "32 streams of 256 KiB there and back, all at once, with checks" test 32 262144
both "one of 8 MiB" test 1 8388608
peer flood "bridge:$sock:1000" >"$work/flood" 2>&1 &
eventually 30 test -s "$work/flood"
like "a peer that never reads is full after what it was promised and what sockets hold" \
	"$(cat "$work/flood")" '^full after [0-9]+ bytes'
echo "flood vsock_peer flood vsock:2:2000 >/dev/null 2>&1 &" >&"${input[vs]}"
both "others go on" test 8 262144
both "1000 connections, one after the other" storm 1000
# A limit of 4096 open files, usual for a kernel, leaves room for 1984.
both "1500 at once" hold 1500
both "and one more afterwards" test 1 262144
ask vs stop "killall vsock_peer" >/dev/null
# shellcheck disable=SC2046
kill $(jobs -p)
if serve messages:; then ok "both sides listen for messages"; else not_ok "both sides listen for messages"; fi
both "messages of 1 to 60000 bytes" messages 200
vmrun kill vs
ended vs poweroff 0
is "the log has nothing of vsock" "$(grep -c vsock "$work/vs.log")" 0
succeeds "deleted" vmrun delete vs
is "nothing is left" "$(ls "$root")" ""
