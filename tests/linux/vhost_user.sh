#!/bin/bash
# Debian's virtiofsd shares a directory into a stock guest, and its qemu-storage-daemon serves it a disk.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	. bundle-examples/debs.sh
	dir=$PWD/${B:-build}/linux-vhost-user
	rm -rf "$dir"
	. tests/linux/fs.bash
	fs_headers='linux/can linux/netfilter_ipv4 linux/sched'
	debs_backends >/dev/null && fs_build "$dir/shares" && fixed_make "$dir/fixed" || exit
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
. bundle-examples/debs.sh
dir=$B/linux-vhost-user
. tests/linux/guest.bash
. tests/linux/fs.bash
said_fact() { fact shares "$1"; }
guest_does() { ask shares "$@"; }
fixed=$dir/fixed
backends=$(debs_backends)
fs_pid='' disk_pid=''
finish() {
	# shellcheck disable=SC2086
	kill $fs_pid $disk_pid 2>/dev/null
	wait 2>/dev/null
	cleanup
}
trap finish EXIT

tree_make "$work/tree"
seq 1000000 | head -c 4M >"$work/disk.img"

"$backends/virtiofsd" --socket-path="$work/fs.sock" -o source="$work/tree" 2>"$work/fs.err" &
fs_pid=$!
"$backends/qemu-storage-daemon" --blockdev driver=file,node-name=f,filename="$work/disk.img" \
	--export "type=vhost-user-blk,id=e,node-name=f,addr.type=unix,addr.path=$work/disk.sock,writable=on" 2>"$work/disk.err" &
disk_pid=$!
eventually 20 [ -S "$work/disk.sock" ] || cat "$work/disk.err"
eventually 20 [ -S "$work/fs.sock" ] || cat "$work/fs.err"

cp -r "$dir/shares" "$work/shares"
dir=$work
jq --arg work "$work" --arg fixed "$fixed" '.vm.devices += [
	{type: "vhost-user", device: "fs", socket: "\($work)/fs.sock", tag: "share"},
	{type: "fs", tag: "fixed", source: $fixed, readonly: true},
	{type: "vhost-user", device: "block", socket: "\($work)/disk.sock"}]' \
	"$dir/shares/config.json" >"$work/config" && mv "$work/config" "$dir/shares/config.json"
before=$(sums "$work/tree")
boot shares
up shares 180
lines shares | sed -n 's|^fact progress|# guest:|p'
tree_check "$work/tree" "$before" "$fixed"
storm_check "$work/tree"
echo host >"$work/tree/from-host"
is "the guest sees what the host writes" "$(ask shares host 'cat /share/from-host')" "host "
is "the disk's size and content" "$(ask shares disk 'cat /sys/block/vdb/size; sha256sum </dev/vdb | cut -d" " -f1')" \
	"8192 $(seq 1000000 | head -c 4M | sha256sum | cut -d' ' -f1) "
like "the disk is written" "$(ask shares written 'seq 1000000 | head -c 2097152 | dd of=/dev/vdb bs=64k seek=16 conv=fsync 2>&1')" 'records out'
is "what was written to the disk is there" "$(sha256sum <"$work/disk.img")" \
	"$({ seq 1000000 | head -c 1M; seq 1000000 | head -c 2M; seq 1000000 | head -c 4M | tail -c 1M; } | sha256sum)"
succeeds "shares: kill presses the power button" vmrun kill shares
ended shares poweroff 0
succeeds "shares: deleted" vmrun delete shares
is "nothing is left in the state directory" "$(ls -A "$root")" ""
say "end"
