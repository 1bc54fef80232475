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

# ---- killed and started again under a guest that keeps requests in flight and checks each answer

others='[{"type": "serial"}, {"type": "vhost-user", "device": "block", "socket": "'$work'/s", "onFailure": "restart"}]'
rounds() { grep -ac round "$work/out"; }
goes_on() { [ "$(rounds)" -ge $((before + 3)) ]; }
serve ,writable=on
bundle "$work/restart" restart "$others"
vmrun --log "$work/log" --log-level warning create "$work/restart" </dev/null >"$work/out" 2>/dev/null
succeeds "killed: the guest begins" vmrun start restart
before=0
succeeds "killed: the guest runs" eventually 20 goes_on
for n in 1 2 3 4 5; do # more in ten seconds are too many
	kill -9 $daemon
	wait $daemon 2>/dev/null
	rm -f "$work/s"
	serve ,writable=on
	before=$(rounds)
	succeeds "killed: the guest goes on after death $n" eventually 20 goes_on
done
is "killed: a line for each" "$(grep -c "/vm/devices/1/socket: the back-end is gone, connecting again ($work/s)" "$work/log")" 5
vmrun kill restart
succeeds "killed: the guest ends" eventually 30 is_stopped restart
tr -d '\r' <"$work/out" | grep -aE '^(ok|not ok)' | sed "s/ - / - killed: /"
is "killed: by the reset it asked for" "$(vmrun state restart | jq -r .vmrun.cause)" reset
vmrun delete restart

vmrun create "$work/restart" </dev/null >"$work/out" 2>/dev/null
vmrun start restart
before=0
succeeds "gone for good: the guest runs" eventually 20 goes_on
kill -9 $daemon
wait $daemon 2>/dev/null
daemon=''
succeeds "gone for good: the VM ends" eventually 20 is_stopped restart
is "gone for good: the cause" "$(vmrun state restart | jq -r '.vmrun | .cause + ", " + .detail')" \
	"device-killed, /vm/devices/1/socket: the back-end is gone and did not come back in 10 s ($work/s)"
