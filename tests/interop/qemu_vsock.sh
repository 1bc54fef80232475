#!/bin/bash
# Our vsock device as a stand-alone vhost-user back-end of another VMM: a stock kernel in QEMU, with programs of the
# host at the device's Unix sockets.
. "$(dirname "$0")/../lib.sh"
. bundle-examples/debs.sh
PATH=$PATH:/usr/sbin:/sbin
qemu=$(debs_qemu)/qemu-system-x86_64
bundle-examples/build --flavour amd64 --image-size 24 --job tests/linux/jobs/net --module vmw_vsock_virtio_transport \
	--program "$B/tests/linux/vsock_peer" "$work/vm"
device_pid='' qemu_pid=''
finish() {
	# shellcheck disable=SC2046
	kill $device_pid $qemu_pid $(jobs -p) 2>/dev/null
	wait
	cleanup
}
trap finish EXIT

sock=$work/host
"$vmrun_bin" device vsock --cid 77 --host-socket "$sock" --socket "$work/vu" 2>"$work/device.err" &
device_pid=$!
eventually 10 test -S "$work/vu" || cat "$work/device.err"
mkfifo "$work/in"
touch "$work/console"
exec {in}<>"$work/in"
accel=tcg
[ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo && accel=kvm
timeout 150 "$qemu" -nodefaults -no-user-config -display none -no-reboot -M q35 -accel $accel -m 256 \
	-object memory-backend-memfd,id=ram,size=256M,share=on -machine memory-backend=ram \
	-kernel "$work/vm/vmlinuz" -initrd "$work/vm/initrd.img" -append "console=ttyS0 quiet root=/dev/vda" \
	-drive file="$work/vm/root.img",if=virtio,format=raw \
	-chardev socket,id=vsock,path="$work/vu" -device vhost-user-vsock-pci,chardev=vsock \
	-serial stdio <"$work/in" >"$work/console" 2>"$work/qemu.err" &
qemu_pid=$!
fact() { tr -d '\r' <"$work/console" | sed -n "s/^fact $1 *//p" | tail -n 1; }
said() { tr -d '\r' <"$work/console" | grep -qa "^fact $1 " || ! kill -0 "$qemu_pid" 2>/dev/null; }
ask() { # ask TAG CMD...
	echo "$*" >&"$in"
	eventually 40 said "$1" && fact "$1"
}
peer() { timeout 40 "$B/tests/linux/vsock_peer" "$@"; }

eventually 90 grep -qa '^fact ready' "$work/console" || tail -n 30 "$work/qemu.err" "$work/console" "$work/device.err" | sed 's/^/# /'
peer echo "unix:${sock}_2000" >/dev/null &
peer echo "messages:unix:${sock}_2001" >/dev/null &
ask serve "vsock_peer echo vsock:0:1000 >/dev/null 2>&1 & vsock_peer echo messages:vsock:0:1001 >/dev/null 2>&1 & sleep 1; echo on" >/dev/null
like "the host reaches the guest" "$(peer test "bridge:$sock:1000" 8 262144)" '^ok'
like "the guest reaches the host" "$(ask out vsock_peer test vsock:2:2000 8 262144)" '^ok'
like "messages to the guest" "$(peer messages "messages:bridge:$sock:1001" 100)" '^ok'
like "messages to the host" "$(ask messages vsock_peer messages messages:vsock:2:2001 100)" '^ok'
like "many connections" "$(peer storm "bridge:$sock:1000" 300)" '^ok'
like "a port that no program listens on" "$(ask none vsock_peer storm vsock:2:9 1)" '^failed: vsock: Connection reset'
kill "$qemu_pid"
wait "$qemu_pid" 2>/dev/null
qemu_pid=''
is "a client of a guest that is gone: end of file" "$(peer storm "bridge:$sock:1000" 1)" "failed: the guest does not accept: Success"
kill "$device_pid"
wait "$device_pid"
is "it leaves no socket" "$(cd "$work" && ls -d host vu host_seqpacket 2>/dev/null)" ""
device_pid=''
is "it has nothing to complain about" "$(cat "$work/device.err")" ""
