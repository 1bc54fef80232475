#!/bin/bash
# Devices in enemy hands that speak to their supervisor: a container's vsock device (tests/hostile/vsock.c), which plays vmrun-init
# too, and a network device (net.c). Whatever they say, the VM ends with a cause that names them, callers hear one line, and
# nothing is left.
[ "${1:-}" = --inside ] || exec unshare --net "$0" --inside
. "$(dirname "$0")/../lib.sh"
mkdir -p "$root" "$work/hostile/bin" "$work/hostile/libexec/vmrun" "$work/c/rootfs"
cp -a "$B/bin/vmrun" "$work/hostile/bin/" && cp -a "$B/libexec/vmrun/." "$work/hostile/libexec/vmrun/"
cp "$B"/tests/hostile/vmrun-dev-{vsock,net} "$work/hostile/libexec/vmrun/"
vmrun_bin=$work/hostile/bin/vmrun
install -m 755 /dev/null "$work/c/rootfs/enemy"
head -c 512 /dev/zero >"$work/initrd"
jq -n --arg k "$B/guests/agent.elf" --arg i "$work/initrd" '{kernel: $k, initrd: $i, memory: 67108864}' >"$work/host.json"
enemy() { vmrun --host-config "$work/host.json" --log "$work/log" --log-level warning "$@"; }
how_it_ended() { vmrun state c | jq -r '.vmrun | "\(.cause) \(.exitCode) \(.detail)"'; }

# container WHAT REGEX [WORDS]: such an enemy; how the VM ends, and what start says
container() {
	local what=$1
	jq -n '{ociVersion: "1.0.2", root: {path: "rootfs"}, process: {cwd: "/", args: $ARGS.positional}}' --args /enemy "$what" \
		>"$work/c/config.json"
	rm -f "$work/log"
	: | enemy create --bundle "$work/c" c >"$work/out" 2>&1 || not_ok "$what: create ($(cat "$work/out"))"
	timeout 30 "$vmrun_bin" --root "$root" start c >"$work/start" 2>&1
	eventually 20 is_stopped c
	like "$what: how it ends" "$(how_it_ended)" "^$2\$"
	like "$what: start" "$(cat "$work/start")" "^${3:-}\$"
	said=$(cat "$work/log" 2>/dev/null)
	succeeds "$what: says little" test "$(wc -l <<<"$said")" -lt 10
	succeeds "$what: delete" vmrun delete --force c
}
unruly="device-killed 38 vsock0: killed because it broke the rules of its control socket"
broken="init-lost 35 vmrun-init in the guest broke its protocol"
container nothing "exited 5 "
lies=$(sed -n 's/^\t{"\([a-z-]*\)", .*/\1/p' tests/hostile/control.h)
for lie in $lies endless-text; do container "$lie" "$unruly" ".*"; done
container port-of-none "exited 5 "
container answers-twice "(exited 5 |$unruly)" ".*"
container refuses 'init-lost 35 \?\[2Jno\?vmrun: forged line \?' 'vmrun: c: \?\[2Jno\?vmrun: forged line \?'
# The VMM may see the connection end before the supervisor sees the process.
container leaves "device-killed 38 (vsock0: exited with code 0|device vsock0: .*)" ".*"
container half-closes "device-killed 38 vsock0: .*" ".*"
container init-half-closes "init-lost 35 vmrun-init in the guest is gone" ".*"
container failed-nowhere "$broken" "vmrun: c: .*broke its protocol"
container failed-how "$broken" "vmrun: c: .*broke its protocol"
container failed-far "exited 1 mounting: no such file or directory" "vmrun: c: mounting: no such file or directory"
container half-a-record "init-lost 35 vmrun-init in the guest is gone" ".*"
container files "exited 5 "
for what in "description: write: Operation not permitted" "input: write: Bad file descriptor" \
	"output: read: Bad file descriptor"; do
	like "its files: $what" "$said" "vsock0: $what\"$"
done
for call in type pass mode socket reopen map; do container deadly-$call "device-killed 38 vsock0: killed by its seccomp policy .*" ".*"; done

# network WHAT REGEX: a network device that does what the last byte of its MAC says; how the VM ends
network() {
	bundle "$work/n" idle '[{"type": "rng"}, {"type": "net", "mac": "02:00:00:00:00:'"$(printf %02x "$1")"'"}]'
	rm -f "$work/log"
	enemy create --bundle "$work/n" c </dev/null >"$work/out" 2>&1 || not_ok "net $1: create ($(cat "$work/out"))"
	timeout 30 "$vmrun_bin" --root "$root" start c >/dev/null 2>&1
	eventually 20 is_stopped c
	like "net $1: how it ends" "$(how_it_ended)" "^$2\$"
	said=$(cat "$work/log")
	succeeds "net $1: says little" test "$(wc -l <<<"$said")" -lt 20
	succeeds "net $1: delete" vmrun delete --force c
}
before=$(ip -o link)
number=0
for lie in $lies; do
	case $lie in done | ended | half | calls) network $number "device-killed 38 net0: killed because it broke the rules.*" ;; esac
	((++number))
done
network 255 "device-killed 38 net0: killed by its seccomp policy .*"
for what in "a frame: done" "half a header: Invalid argument" "no frame: Invalid argument" "a checksum elsewhere: Invalid argument" \
	"segments of no type: Invalid argument" "segments of no size: Invalid argument"; do
	like "its TAP: $what" "$said" "net0: $what\"$"
done
is "no interface is left" "$(ip -o link)" "$before"
is "nothing is left" "$(ls -A "$root")" ""
