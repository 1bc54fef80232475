#!/bin/bash
# Our fs device as a stand-alone vhost-user back-end of QEMU, whose stock guest uses a directory.
. "$(dirname "$0")/../lib.sh"
. bundle-examples/debs.sh
. tests/linux/fs.bash
PATH=$PATH:/usr/sbin:/sbin
qemu=$(debs_qemu)/qemu-system-x86_64
bundle-examples/build --image-size 16 --job tests/linux/jobs/fs "$work/vm"
accel=tcg
[ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo && accel=kvm

share_pid='' fixed_pid='' qemu_pid=''
finish() {
	# shellcheck disable=SC2086
	kill $share_pid $fixed_pid $qemu_pid 2>/dev/null
	wait
	cleanup
}
trap finish EXIT
said_fact() { tr -d '\r' <"$work/console" | sed -n "s/^fact $1 *//p" | tail -n 1; }
ready() { grep -qa '^fact ready' "$work/console" || ! kill -0 "$qemu_pid" 2>/dev/null; }

tree_make "$work/tree"
mkdir "$work/fixed"
echo fixed >"$work/fixed/file"
before=$(sums "$work/tree")
"$vmrun_bin" device fs --source "$work/tree" --socket "$work/share.sock" 2>"$work/share.err" &
share_pid=$!
"$vmrun_bin" device fs --source "$work/fixed" --readonly --socket "$work/fixed.sock" 2>"$work/fixed.err" &
fixed_pid=$!
eventually 10 [ -S "$work/share.sock" ] || cat "$work/share.err"
eventually 10 [ -S "$work/fixed.sock" ] || cat "$work/fixed.err"
jailed=$(cat "/proc/$(pgrep -P "$share_pid")/status" 2>/dev/null)
like "the device has its seccomp filter" "$jailed" '^Seccomp:[[:space:]]*2$'
like "and seven capabilities" "$jailed" '^CapBnd:[[:space:]]*00000000800000db$'
is "its root is empty" "$(ls -A "/proc/$(pgrep -P "$share_pid")/root/")" ""

mkfifo "$work/in"
exec {in}<>"$work/in"
timeout 400 "$qemu" -nodefaults -no-user-config -display none -no-reboot -M q35 -accel $accel -m 256 \
	-object memory-backend-memfd,id=ram,size=256M,share=on -machine memory-backend=ram \
	-kernel "$work/vm/vmlinuz" -initrd "$work/vm/initrd.img" -append "console=ttyS0 quiet root=/dev/vda" \
	-drive "file=$work/vm/root.img,format=raw,if=virtio" \
	-chardev socket,id=share,path="$work/share.sock" -device vhost-user-fs-pci,chardev=share,tag=share \
	-chardev socket,id=fixed,path="$work/fixed.sock" -device vhost-user-fs-pci,chardev=fixed,tag=fixed \
	-serial stdio <"$work/in" >"$work/console" 2>"$work/qemu.err" &
qemu_pid=$!
eventually 300 ready
tree_check "$work/tree" "$before"
kill "$qemu_pid"
wait "$qemu_pid"
qemu_pid=''
is "the device waits for the next front-end" "$(kill -0 "$share_pid" 2>&1)" ""
