#!/bin/bash
# Debian's virtiofsd shares a directory into a stock guest, and its qemu-storage-daemon serves it a disk.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	. bundle-examples/debs.sh
	dir=$PWD/${B:-build}/linux-vhost-user
	rm -rf "$dir"
	set -e
	debs_backends >/dev/null
	bundle-examples/build --image-size 16 --job tests/linux/jobs/share "$dir/shares"
	set +e
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
. bundle-examples/debs.sh
dir=$B/linux-vhost-user
. tests/linux/guest.bash
backends=$(debs_backends)
fs_pid='' disk_pid=''
finish() {
	# shellcheck disable=SC2086
	kill $fs_pid $disk_pid 2>/dev/null
	wait 2>/dev/null
	cleanup
}
trap finish EXIT

# As jobs/share counts it
sums() { (cd "$1" && find . | LC_ALL=C sort | while read -r f; do echo "$(stat -c %a "$f") $f $(readlink "$f")"; [ -f "$f" ] && sha256sum <"$f"; done | sha256sum | cut -d' ' -f1); }

mkdir "$work/tree" "$work/tree/sub"
for n in 1 2 3; do seq $((n * 10000)) >"$work/tree/sub/file$n"; done
seq 5000 >"$work/tree/moves"
seq 5000 >"$work/tree/cut"
echo x >"$work/tree/removed"
ln -s sub/file1 "$work/tree/link"
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
jq --arg work "$work" '.vm.devices += [
	{type: "vhost-user", device: "fs", socket: "\($work)/fs.sock", tag: "share"},
	{type: "vhost-user", device: "block", socket: "\($work)/disk.sock"}]' \
	"$dir/shares/config.json" >"$work/config" && mv "$work/config" "$dir/shares/config.json"
before=$(sums "$work/tree")
boot shares
up shares 180
is "the directory is a virtiofs" "$(fact shares type)" virtiofs
is "the guest sees each file as it is" "$(fact shares sums)" "$before"
like "it changes files" "$(lines shares)" '^fact changed'
is "a large file" "$(fact shares big)" $((32 << 20))
is "what it wrote is there" "$(sha256sum <"$work/tree/made/data" | cut -d' ' -f1)" "$(seq 100000 | sha256sum | cut -d' ' -f1)"
is "what it moved is there" "$(cat "$work/tree/made/moved")" "$(seq 5000)"
is "what it cut is short" "$(stat -c %s "$work/tree/cut")" 1000
is "what it removed is gone" "$(ls "$work/tree/removed" 2>/dev/null)" ""
is "modes and links" "$(stat -c %a "$work/tree/made") $(readlink "$work/tree/made/link")" "751 data"
is "both sides see the same" "$(fact shares after)" "$(sums "$work/tree")"
is "also after it was mounted again" "$(fact shares again)" "$(sums "$work/tree")"
echo host >"$work/tree/from-host"
is "the guest sees what the host writes" "$(ask shares host 'cat /mnt/from-host')" "host "
is "the disk's size" "$(fact shares disk-sectors)" 8192
is "the disk's content" "$(fact shares disk-sum)" "$(seq 1000000 | head -c 4M | sha256sum | cut -d' ' -f1)"
like "the disk is written" "$(lines shares)" '^fact disk-written'
is "what was written to the disk is there" "$(sha256sum <"$work/disk.img")" \
	"$({ seq 1000000 | head -c 1M; seq 1000000 | head -c 2M; seq 1000000 | head -c 4M | tail -c 1M; } | sha256sum)"
succeeds "shares: kill presses the power button" vmrun kill shares
ended shares poweroff 0
succeeds "shares: deleted" vmrun delete shares
is "nothing is left in the state directory" "$(ls -A "$root")" ""
say "end"
