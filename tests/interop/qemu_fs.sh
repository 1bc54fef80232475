#!/bin/bash
# Our fs device as a stand-alone vhost-user back-end of QEMU, whose stock guest uses a directory.
. "$(dirname "$0")/../lib.sh"
. bundle-examples/debs.sh
. tests/linux/fs.bash
PATH=$PATH:/usr/sbin:/sbin
qemu=$(debs_qemu)/qemu-system-x86_64
fs_build "$work/vm"
accel=tcg
[ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo && accel=kvm

qemu_pid='' devices=() chardevs=()
finish() {
	kill "${devices[@]}" $qemu_pid 2>/dev/null
	wait
	cleanup
}
trap finish EXIT
said_fact() { tr -d '\r' <"$work/console" | sed -En "s/^fact $1( +|$)//p" | tail -n 1; }
said() { grep -qa "^fact $1" "$work/console" || ! kill -0 "$qemu_pid" 2>/dev/null; }
# guest_does TAG COMMAND: its answer
guest_does() {
	echo "$1 $2" >&"$in"
	eventually $((200 + ${FS_MANY:-0} / 50)) said "$1 "
	said_fact "$1"
}
# device TAG DIR [OPTION...]: a device of ours, and how QEMU uses it
device() {
	local tag=$1 dir=$2
	shift 2
	"$vmrun_bin" device fs --source "$dir" --socket "$work/$tag.sock" "$@" 2>"$work/$tag.err" &
	devices+=($!)
	chardevs+=(-chardev "socket,id=$tag,path=$work/$tag.sock" -device "vhost-user-fs-pci,chardev=$tag,tag=$tag")
	eventually 10 [ -S "$work/$tag.sock" ] || cat "$work/$tag.err"
}

tree_make "$work/tree"
fixed_make "$work/fixed"
before=$(sums "$work/tree")
device share "$work/tree"
device fixed "$work/fixed" --readonly
device usr /usr --readonly
device uncached "$work/tree" --cache none
share_pid=${devices[0]}
jailed=$(cat "/proc/$(pgrep -P "$share_pid")/status" 2>/dev/null)
like "the device has its seccomp filter" "$jailed" '^Seccomp:[[:space:]]*2$'
like "and seven capabilities" "$jailed" '^CapBnd:[[:space:]]*00000000800000db$'
is "its root is empty" "$(ls -A "/proc/$(pgrep -P "$share_pid")/root/")" ""

mkfifo "$work/in"
exec {in}<>"$work/in"
timeout 900 "$qemu" -nodefaults -no-user-config -display none -no-reboot -M q35 -accel $accel -m 256 \
	-object memory-backend-memfd,id=ram,size=256M,share=on -machine memory-backend=ram \
	-kernel "$work/vm/vmlinuz" -initrd "$work/vm/initrd.img" -append "console=ttyS0 quiet root=/dev/vda fsx=$fsx_steps,$fsx_seed" \
	-drive "file=$work/vm/root.img,format=raw,if=virtio" \
	"${chardevs[@]}" -serial stdio <"$work/in" >"$work/console" 2>"$work/qemu.err" &
qemu_pid=$!
eventually 300 said ready
tree_check "$work/tree" "$before" "$work/fixed"
fsx_check "$work/tree" uncached
git_check "$work/tree"
storm_check "$work/tree"
many_check "$work/tree"
kill "$qemu_pid"
wait "$qemu_pid"
qemu_pid=''
is "the device waits for the next front-end" "$(kill -0 "$share_pid" 2>&1)" ""
