#!/bin/bash
# Stock Linux guests with vsock: bytes and messages both ways, many connections at once and in all, peers that never
# read; first with a device of ours, then with the kernel's vhost-vsock. Without vmx or svm the whole script runs inside one tests/kvmhost machine.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	dir=$PWD/${B:-build}/linux-vsock
	rm -rf "$dir"
	set -e
	bundle-examples/build --flavour amd64 --image-size 24 --memory 256 --job tests/linux/jobs/net \
		--module vmw_vsock_virtio_transport --program "${B:-build}/tests/linux/vsock_peer" "$dir/vs"
	jq '.vm.devices += [{type: "vsock", cid: 42}]' "$dir/vs/config.json" >"$dir/config"
	mv "$dir/config" "$dir/vs/config.json"
	mkdir -p "$dir/vh"
	ln "$dir/vs"/* "$dir/vh"
	rm "$dir/vh/config.json" "$dir/vh/root.img"
	cp "$dir/vs/root.img" "$dir/vh"
	jq '(.vm.devices[] | select(.type == "vsock")) += {cid: 43, backend: "vhost", listen: [2000]}' \
		"$dir/vs/config.json" >"$dir/vh/config.json"
	set +e
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
dir=$B/linux-vsock
. tests/linux/guest.bash
trap 'kill $(jobs -p) 2>/dev/null; cleanup' EXIT
peer() { timeout $((20 * patience)) "$B/tests/linux/vsock_peer" "$@"; }
vm=vs sock=$root/vs/vsock
# guest TAG CMD...: what vsock_peer says in the guest
guest() { ask $vm "$1" "vsock_peer ${*:2}"; }
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
	"$B/tests/linux/vsock_peer" echo "${kind}unix:${sock}_2000" >/dev/null 2>&1 & # as long as this script
	echo "background vsock_peer echo ${kind}vsock:0:1000 >/dev/null 2>&1 &" >&"${input[$vm]}"
	await $vm 20 "^fact background" && eventually 20 guest_listens && eventually 10 test -S "${sock}_2000"
}
flood() { # peers on both sides that never read
	rm -f "$work/flood"
	peer flood "bridge:$sock:1000" >"$work/flood" 2>&1 &
	eventually 30 test -s "$work/flood"
	like "a peer that never reads is full after what it was promised and what sockets hold" \
		"$(cat "$work/flood")" '^full after [0-9]+ bytes'
	echo "flood vsock_peer flood vsock:2:2000 >/dev/null 2>&1 &" >&"${input[$vm]}"
}
guest_listens() { peer storm "${kind}bridge:$sock:1000" 1 >/dev/null; }

boot vs
up vs 120
is_running vs || exit
if serve ''; then ok "both sides listen"; else not_ok "both sides listen"; fi
both "32 streams of 256 KiB there and back, all at once, with checks" test 32 262144
both "one of 8 MiB" test 1 8388608
flood
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

# The kernel carries it.
kind=''
like "check names /dev/vhost-vsock" "$(vmrun check)" '^ok    vhost-vsock  *.dev.vhost-vsock is usable'
boot vh
vm=vh sock=$root/vh/vsock
# second JSON: a VM of another state directory with these properties is refused, and leaves nothing
second() {
	mkdir -p "$work/second"
	ln -sf "$dir/vh"/* "$work/second"
	rm "$work/second/config.json"
	jq "del(.vm.image, .root) | (.vm.devices[] | select(.type == \"vsock\")) += $1" "$dir/vh/config.json" >"$work/second/config.json"
	"$vmrun_bin" --root "$work/elsewhere" create "$work/second" </dev/null 2>&1
	ls "$work/elsewhere" 2>/dev/null
}
is "a CID in use on this host: one line, and nothing is left" "$(second '{}')" \
	"vmrun: /vm/devices/2/cid: 43 is the CID of another guest of this host"
is "so is a port" "$(second '{cid: 44}')" "vmrun: /vm/devices/2/listen: port 2000: Address already in use"
up vh 120
is_running vh || exit
if serve ''; then ok "both sides listen"; else not_ok "both sides listen"; fi
both "16 streams of 256 KiB by the kernel" test 16 262144
like "a program that uses AF_VSOCK itself" "$(peer test vsock:43:1000 16 262144)" '^ok'
flood
both "others go on" test 4 262144
both "200 connections, one after the other" storm 200
both "300 at once" hold 300
like "a port that the guest does not listen on: the end" "$(peer storm "bridge:$sock:1001" 1)" '^failed: the guest does not accept'
# A connection that is open before a pause, and speaks after it has begun
perl -MIO::Socket::UNIX -e 'my ($p, $go) = @ARGV; my $s = IO::Socket::UNIX->new(Peer => $p); $| = 1; print $s "CONNECT 1000\n"; $s->flush;
	print scalar <$s>; select(undef, undef, undef, 0.05) until -e $go; print $s "back\n"; $s->flush; print scalar <$s>' \
	-- "$sock" "$work/go" >"$work/open" &
eventually 20 grep -sq OK "$work/open"
succeeds "paused" vmrun pause vh
touch "$work/go"
sleep 1
is "a guest that is paused does not answer" "$(grep -c back "$work/open")" 0
succeeds "resumed" vmrun resume vh
succeeds "then it does" eventually 20 grep -q back "$work/open"
echo "seq vsock_peer echo messages:vsock:0:1002 >/dev/null 2>&1 &" >&"${input[vh]}"
await vh 20 "^fact seq"
sequence() { peer messages messages:vsock:43:1002 50 | grep '^ok'; }
succeeds "messages by AF_VSOCK" eventually 10 sequence
is "there is no socket for them" "$(ls "${sock}_seqpacket" 2>&1 >/dev/null | grep -c 'No such file')" 1
kill -9 "$(vmrun state vh | jq '.vmrun.processes[] | select(.name == "vsock0").pid')"
ended vh device-killed 38
succeeds "deleted" vmrun delete vh
is "nothing is left" "$(ls "$root")" ""
again() { vmrun create "$dir/vh" </dev/null >"$work/again" 2>&1; }
succeeds "the CID and the port are free" again
succeeds "and again after a delete by force" vmrun delete --force vh
