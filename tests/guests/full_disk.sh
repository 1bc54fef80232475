#!/bin/bash
# The disk of the state directory is full: create and start say so in one line and leave things as they were; a container that runs
# goes on, and can be used and ended.
[ "${1:-}" = --inside ] || exec unshare --pid --fork --kill-child --mount --mount-proc "$0" --inside
. "$(dirname "$0")/../lib.sh"
id=full$(date +%s%N)
mkdir -p "$root" "$work/c/rootfs/bin"
install -m 755 /dev/null "$work/c/rootfs/bin/sleep"
echo initrd >"$work/initrd"
jq -n --arg k "$B/guests/agent.elf" --arg i "$work/initrd" '{kernel: $k, initrd: $i, memory: 67108864}' >"$work/host.json"
jq -n --arg id "$id" '{ociVersion: "1.0.2", root: {path: "rootfs"}, process: {cwd: "/", args: ["sleep"]},
	linux: {cgroupsPath: "/vmrun/\($id)", namespaces: [{type: "network"}]}}' >"$work/c/config.json"
vmrun() { timeout 30 "$vmrun_bin" --root "$root" --host-config "$work/host.json" "$@"; }
pages=256
mount -t tmpfs -o size=$((pages * 4096)) full "$root" || exit 1
trap 'umount -l "$root"; cleanup' EXIT

# left_free PAGES: of the disk
left_free() {
	rm -f "$root/fill"
	dd if=/dev/zero of="$root/fill" bs=4096 count=$((pages - $1)) 2>/dev/null
}
world() {
	find /sys/fs/cgroup -type d -path "*/$id*"
	ls -A "$root"
	ps -e -o comm= | grep -E '^(vmrun|vmm$|fs0|vsock0|serial0|rng0|net0)'
}
create() { vmrun create --bundle "$work/c" "$id" </dev/null >"$work/out" 2>"$work/said"; }

left_free 0
before=$(world)
bad=0
for ((n = 0; n < pages; n++)); do
	left_free $n
	create && break
	[[ $(grep -v warning: "$work/said") =~ ^[^$'\n']*"No space left on device"$ ]] || bad="$bad; with $n: $(cat "$work/said")"
	[ "$(world)" = "$before" ] || bad="$bad; with $n is left: $(world)"
done
is "create, with less room than it needs" "$bad $((n > 0 && n < pages))" "0 1"
left_free 0
dd if=/dev/zero of="$root/fill" bs=4096 oflag=append conv=notrunc 2>/dev/null
like "start" "$(vmrun start "$id" 2>&1)" "^vmrun: $id: .*No space left on device$"
is "start: it is created as before" "$(vm_status "$id")" created
left_free 0
rm "$root/fill"
succeeds "start, once there is room" vmrun start "$id"
left_free 0
dd if=/dev/zero of="$root/fill" bs=4096 oflag=append conv=notrunc 2>/dev/null
is "exec" "$(vmrun exec "$id" args x)" "$(printf 'args\nx')"
like "pause" "$(vmrun pause "$id" 2>&1)" "^vmrun: $id: .*No space left on device$"
is "pause: it runs as before" "$(vm_status "$id")" running
succeeds "kill" vmrun kill "$id" TERM
succeeds "it ends" eventually 10 is_stopped "$id"
succeeds "delete" vmrun delete "$id"
is "nothing is left" "$(world)" "$before"
