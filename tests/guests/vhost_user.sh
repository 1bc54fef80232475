#!/bin/bash
# Devices that programs of others serve, by sockets: two VMs' worth of ours, and back-ends that will not do.
. "$(dirname "$0")/../lib.sh"
pids=''
finish() {
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill $pids 2>/dev/null
	wait 2>/dev/null
	cleanup
}
trap finish EXIT

# A path that is longer than a socket's address
long=$work/$(printf 'd%.0s' {1..90})/$(printf 'e%.0s' {1..90})
mkdir -p "$long"
alone() { # alone NAME TYPE ARGS...: a back-end at $long/NAME.sock
	"$vmrun_bin" device "${@:2}" --socket "$long/$1.sock" 2>"$work/$1.err" &
	pids="$pids $!"
	eval "$1=$!"
	eventually 20 [ -S "$long/$1.sock" ] || cat "$work/$1.err"
}
block='' rng=''
truncate -s 8M "$work/disk"
alone block block --path "$work/disk"
alone rng rng

others='[{"type": "serial"}, {"type": "vhost-user", "device": "block", "socket": "'$long'/block.sock"},
	{"type": "vhost-user", "device": "rng", "socket": "'$long'/rng.sock"}, {"type": "rng"}]'
bundle "$work/others" virtio "$others"
for n in first second; do
	out=$(vmrun run "$work/others" </dev/null 2>/dev/null)
	is "$n: the guest ends by the reset it asked for" $? 32
	tr -d '\r' <<<"$out" | grep -aE '^(ok|not ok)' | sed "s/ - / - $n: /"
	like "$n: it reached its end" "$out" '^# virtio: done'
done

# ---- a back-end that dies under its guest

bundle "$work/dies" idle "$others"
create() { vmrun create "$work/$1" </dev/null >/dev/null 2>"$work/$1.err" || cat "$work/$1.err"; }
create dies
is "it will die: created" "$(vm_status dies)" created
is "it will die: the VM has no process for it" "$(vmrun state dies | jq -r '[.vmrun.processes[].name] | join(" ")')" "vmm serial0 rng0"
succeeds "it will die: started" vmrun start dies
kill -9 "$(pgrep -P "$block")"
succeeds "it dies: the VM ends" eventually 10 is_stopped dies
is "it dies: the cause" "$(vmrun state dies | jq -r .vmrun.cause)" device-killed
like "it dies: the detail names the socket" "$(vmrun state dies | jq -r .vmrun.detail)" \
	"^/vm/devices/1/socket: the device's process is gone \\(${long:0:150}"
vmrun delete dies

# ---- back-ends killed and started again, under a guest that keeps requests in flight and checks each answer

truncate -s 64K "$work/small"
rounds() { grep -ac round "$work/restart.out"; }
goes_on() { [ "$(rounds)" -ge $((before + 3)) ]; }
unlocked() { ! grep -q ":$(stat -c %i "$work/small") " /proc/locks; }
gone() { # gone NAME: a SIGKILL for its supervisor takes the device along, and then, a thread after the other, its lock
	local pid=${!1} child
	child=$(pgrep -P "$pid")
	kill -9 "$pid" "$child"
	wait "$pid" 2>/dev/null
	succeeds "$1 is killed" eventually 10 sh -c "! readlink /proc/$child/exe >/dev/null"
	[ "$1" != small ] || eventually 10 unlocked || not_ok "its disk is free"
	rm -f "$long/$1.sock"
}
small='' entropy=''
alone small block --path "$work/small"
alone entropy rng
bundle "$work/restart" restart '[{"type": "serial"},
	{"type": "vhost-user", "device": "block", "socket": "'$long'/small.sock", "onFailure": "restart"},
	{"type": "vhost-user", "device": "rng", "socket": "'$long'/entropy.sock", "onFailure": "restart"}]'
vmrun --log "$work/restart.log" --log-level warning create "$work/restart" </dev/null >"$work/restart.out" 2>/dev/null
succeeds "restart: the guest begins" vmrun start restart
before=0
succeeds "restart: it runs" eventually 20 goes_on
for n in 1 2 3; do # five in ten seconds are the most
	gone small
	gone entropy
	alone small block --path "$work/small"
	alone entropy rng
	before=$(rounds)
	succeeds "restart: the guest goes on after death $n" eventually 20 goes_on
done
is "restart: state has the count" "$(vmrun state restart | jq -c .vmrun.backEnds)" \
	'[{"name":"block0","restarts":3},{"name":"rng1","restarts":3}]'
succeeds "restart: a line for each" [ "$(grep -c 'the back-end is gone, connecting again' "$work/restart.log")" -ge 6 ]
vmrun kill restart
succeeds "restart: the guest ends" eventually 30 is_stopped restart
tr -d '\r' <"$work/restart.out" | grep -aE '^(ok|not ok)' | sed "s/ - / - restart: /"
is "restart: by the reset it asked for" "$(vmrun state restart | jq -r .vmrun.cause)" reset
vmrun delete restart

vmrun create "$work/restart" </dev/null >"$work/restart.out" 2>/dev/null
vmrun start restart
before=0
succeeds "gone for good: the guest runs" eventually 20 goes_on
gone small
succeeds "gone for good: the VM ends" eventually 20 is_stopped restart
like "gone for good: the cause" "$(vmrun state restart | jq -r '.vmrun | .cause + ", " + .detail')" \
	"^device-killed, /vm/devices/1/socket: the back-end is gone and did not come back in 10 s \\("
vmrun delete restart

# ---- back-ends that will not do: each one line, which names the socket, and nothing is left

cat >"$work/peer" <<'EOF2'
use Socket;
my ($path, $how) = @ARGV;
socket(my $l, AF_UNIX, SOCK_STREAM, 0) or die; bind($l, pack_sockaddr_un($path)) or die;
exit if $how eq "stale";
listen($l, 4) or die;
sleep 100 if $how eq "deaf";
accept(my $s, $l) or die;
my ($request, $flags, $bytes, $rest);
sub answer { syswrite($s, pack("LLL", $_[0], $_[1], length $_[2]) . $_[2]) }
sub hear { sysread($s, my $h, 12); ($request, $flags, $bytes) = unpack("LLL", $h); sysread($s, $rest, $bytes) if $bytes }
if ($how eq "hangs up") { exit }
if ($how eq "early") { answer(1, 5, pack("Q", 5 << 30)); answer(2, 5, pack("Q", 0)) }
if ($how eq "nonsense") { syswrite($s, "HTTP/1.1 400 Bad Request\r\n\r\n") }
if ($how eq "huge") { hear(); syswrite($s, pack("LLL", 1, 5, 0xffffffff)) }
if ($how eq "half") { hear(); syswrite($s, pack("LLL", 1, 5, 8) . "abc") }
if ($how eq "old") { hear(); answer(1, 5, pack("Q", 1 << 30)) }
if ($how eq "fewer") { hear(); answer(1, 5, pack("Q", 1 << 32)); hear() }
sleep 100;
EOF2
# refused NAME HOW DEVICE REGEX: create fails within its bound and says so
refused() {
	local s=$work/$1.sock out status
	perl "$work/peer" "$s" "$2" &
	local peer=$!
	eventually 10 [ -S "$s" ]
	[ "$2" != stale ] || wait $peer
	bundle "$work/$1" idle '[{"type": "serial"}, {"type": "vhost-user", "device": "'$3'", "socket": "'$s'"}]'
	out=$(timeout $((30 * patience)) "$vmrun_bin" --root "$root" create "$work/$1" 2>&1 >/dev/null </dev/null)
	status=$?
	kill $peer 2>/dev/null
	out=$(grep -v 'warning: KVM only' <<<"$out")
	{
		is "$1: create fails" $status 1
		is "$1: one line" "$(wc -l <<<"$out")" 1
		like "$1: says why, and where" "$out" "/vm/devices/1/socket: $4"
		like "$1: names the socket" "$out" "$s"
		is "$1: nothing is left" "$(ls "$root/$1" 2>/dev/null)" ""
	} >"$work/$1.tap"
}
refused stale stale block ".*no process listens" &
refused closes "hangs up" block "the device's process is gone|Broken pipe|Connection reset" &
refused silent mute block "no answer in 5000 ms" &
refused deaf deaf block "no answer in 5000 ms" &
refused early early block "answer" &
refused nonsense nonsense block "vhost-user: message of .* is too large" &
refused huge huge block "vhost-user: message of 4294967295 bytes" &
refused half half block "no answer in 5000 ms" &
refused old old block "the device does not offer VIRTIO_F_VERSION_1" &
refused fewer fewer block "the device does not tell its configuration" &
for p in $(jobs -p); do
	case " $pids " in *" $p "*) ;; *) wait "$p" ;; esac
done
cat "$work"/*.tap
echo x >"$work/file"
bundle "$work/file-bundle" idle '[{"type": "vhost-user", "device": "rng", "socket": "'"$work"'/file"}]'
like "a file is no socket" "$(vmrun create "$work/file-bundle" 2>&1 </dev/null)" "/vm/devices/0/socket: $work/file: is not a socket"
is "no VM is left" "$(vmrun list -q)" ""
