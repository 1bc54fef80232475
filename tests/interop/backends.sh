#!/bin/bash
# Back-ends that we did not write, under our VMM: qemu-storage-daemon serves a disk to a guest of ours.
. "$(dirname "$0")/../lib.sh"
. bundle-examples/debs.sh
backends=$(debs_backends)
daemon=''
finish() {
	[ -z "$daemon" ] || kill -9 $daemon 2>/dev/null
	wait 2>/dev/null
	cleanup
}
trap finish EXIT

# serve OPTIONS: qemu-storage-daemon with $work/disk.img at $work/s
serve() {
	"$backends/qemu-storage-daemon" --blockdev driver=file,node-name=f,filename="$work/disk.img",discard=unmap \
		--export "type=vhost-user-blk,id=e,node-name=f,addr.type=unix,addr.path=$work/s$1" 2>"$work/daemon.err" &
	daemon=$!
	eventually 20 [ -S "$work/s" ] || cat "$work/daemon.err"
}
others='[{"type": "serial"}, {"type": "vhost-user", "device": "block", "socket": "'$work'/s"}, {"type": "rng"}]'
# guest GUEST NAME: it runs to its end, and all its checks pass
guest() {
	local out status
	bundle "$work/$1" "$1" "$others"
	out=$(vmrun run "$work/$1" </dev/null 2>"$work/err")
	status=$?
	is "$2: the guest ends by the reset it asked for" $status 32
	[ $status = 32 ] || cat "$work/err" "$work/daemon.err"
	tr -d '\r' <<<"$out" | grep -aE '^(ok|not ok)' | sed "s/ - / - $2: /"
	like "$2: it reached its end" "$out" "^# $1: done"
}

truncate -s 8M "$work/disk.img"
serve ,writable=on
guest sectors qemu-storage-daemon
guest virtio "qemu-storage-daemon, with the next VM"
# What virtio.c writes: 2048 bytes from sector 8 on
is "its file has what the guest wrote" \
	"$(dd if="$work/disk.img" bs=512 skip=8 count=4 2>/dev/null | sha256sum)" \
	"$(perl -e 'print pack "V", $_ * 4 * 2654435761 & 0xffffffff for 0 .. 511' | sha256sum)"
kill $daemon
wait $daemon
daemon=''

# ---- it does not note what is in flight, and answers in any order: its next process could not go on

serve ,writable=on
bundle "$work/returns" virtio '[{"type": "vhost-user", "device": "block", "socket": "'$work'/s", "onFailure": "restart"}]'
like "onFailure restart: is refused" "$(vmrun create "$work/returns" 2>&1 </dev/null)" \
	"/vm/devices/0/socket: onFailure: must be stop: the device does not note what is in flight .* \\($work/s\\)"
is "onFailure restart: nothing is left" "$(vmrun list -q)" ""

# ---- killed under its guest

bundle "$work/idle" idle "$others"
vmrun create "$work/idle" </dev/null >/dev/null 2>&1
vmrun start idle
kill -9 $daemon
wait $daemon 2>/dev/null
daemon=''
succeeds "killed: the VM ends" eventually 20 is_stopped idle
is "killed: the cause" "$(vmrun state idle | jq -r '.vmrun | .cause + ", " + .detail')" \
	"device-killed, /vm/devices/1/socket: the device's process is gone ($work/s)"
