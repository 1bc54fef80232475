#!/bin/bash
# Our devices as stand-alone vhost-user back-ends of another VMM: QEMU boots a stock kernel from them.
. "$(dirname "$0")/../lib.sh"
. bundle-examples/debs.sh
PATH=$PATH:/usr/sbin:/sbin
qemu=$(debs_qemu)/qemu-system-x86_64
job=tests/linux/jobs/facts
bundle-examples/build --job $job "$work/vm"

accel=tcg
[ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo && accel=kvm

# device NAME ARGS...: start a back-end; it is there when its socket is
device() {
	local name=$1
	shift
	"$vmrun_bin" device "$@" --socket "$work/$name.sock" 2>"$work/$name.err" &
	eval "$name=\$!"
	eventually 10 [ -S "$work/$name.sock" ] || cat "$work/$name.err"
}
root_pid='' data_pid='' rng_pid='' qemu_pid=''
finish() {
	# shellcheck disable=SC2086
	kill $root_pid $data_pid $rng_pid $qemu_pid 2>/dev/null
	wait
	cleanup
}
trap finish EXIT

seq 1000000 | head -c 4M >"$work/data.img"
# The root disk is the top of a chain: what the guest changes, above a compressed image.
qemu-img convert -c -O qcow2 "$work/vm/root.img" "$work/vm/base.qcow2"
qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 "$work/vm/root.qcow2"
device root_pid block --path "$work/vm/root.qcow2" --format qcow2
device data_pid block --path "$work/data.img"
device rng_pid rng
mkfifo "$work/in" "$work/mon.in" "$work/mon.out"
exec {in}<>"$work/in"

fact() { tr -d '\r' <"$work/console" | sed -n "s/^fact $1 *//p" | tail -n 1; }
ready() { grep -qa '^fact ready' "$work/console" || ! kill -0 "$qemu_pid" 2>/dev/null; }

# boot MACHINE SUFFIX PARAM [OPTION...]: QEMU; SUFFIX ends the names of virtio devices on its bus, PARAM is the kernel's
boot() {
	timeout 150 "$qemu" -nodefaults -no-user-config -display none -no-reboot -M "$1" -accel $accel -m 256 \
		-object memory-backend-memfd,id=ram,size=256M,share=on -machine memory-backend=ram \
		-kernel "$work/vm/vmlinuz" -initrd "$work/vm/initrd.img" -append "console=ttyS0 quiet root=/dev/vda $3" \
		-chardev socket,id=root,path="$work/root_pid.sock" -device "vhost-user-blk$2,chardev=root,num-queues=1,queue-size=16" \
		-chardev socket,id=data,path="$work/data_pid.sock" -device "vhost-user-blk$2,chardev=data,num-queues=1,queue-size=1024" \
		-chardev socket,id=rng,path="$work/rng_pid.sock" -device "vhost-user-rng$2,chardev=rng" \
		-serial stdio -chardev pipe,id=mon,path="$work/mon" -mon mon "${@:4}" <"$work/in" >"$work/console" 2>"$work/qemu.err" &
	qemu_pid=$!
	eventually 110 ready
	if grep -qa '^fact ready' "$work/console"; then ok "$1: boots from our block device"; else
		not_ok "$1: boots from our block device"
		tail -n 30 "$work/qemu.err" "$work/console" "$work"/*_pid.err | sed 's/^/# /'
		return 1
	fi
}
# check MACHINE CONTENT: what the guest saw; CONTENT is the second disk's, as a sum
check() {
	like "$1: root is ext4, writable" "$(fact root)" '^/dev/vda / ext4 rw'
	is "$1: the second disk's size" "$(fact disk-sectors)" 8192
	is "$1: the second disk's content" "$(fact disk-sum)" "$2"
	is "$1: entropy is virtio's" "$(fact hwrng)" virtio_rng.0
	like "$1: entropy differs each time" "$(grep -a '^fact' "$work/console")" entropy-differs
}
# down MACHINE: press the power button
down() {
	echo done >&"$in"
	eventually 30 grep -qa 'Please press Enter' "$work/console"
	echo system_powerdown >"$work/mon.in"
	wait "$qemu_pid"
	is "$1: QEMU ends in order" $? 0
	qemu_pid=''
}
sum() { sha256sum <"$work/data.img" | cut -d' ' -f1; }

before=$(sum)
boot q35 -pci '' || exit 1
jailed=$(cat "/proc/$(pgrep -P "$root_pid")/status" 2>/dev/null)
like "the block device has its seccomp filter" "$jailed" '^Seccomp:[[:space:]]*2$'
like "the block device has no capability" "$jailed" '^CapPrm:[[:space:]]*0*$'
check q35 "$before"
down q35

# The same back-ends serve the next machine, by virtio-mmio. SeaBIOS has buffers there which QEMU's memory table leaves
# out; and the machine has no timer by which an emulated CPU could measure its own clock.
khz=$(awk '/cpu MHz/ { print int($4 * 1000); exit }' /proc/cpuinfo)
before=$(sum)
boot microvm '' tsc_early_khz=$khz -bios qboot.rom -global virtio-mmio.force-legacy=false || exit 1
check microvm "$before"
down microvm

like "the image is locked meanwhile" "$(qemu-img check "$work/vm/root.qcow2" 2>&1)" "Failed to .*lock"
kill "$root_pid"
wait "$root_pid"
is "a back-end that ends on a signal leaves no socket" "$(ls "$work/root_pid.sock" 2>/dev/null)" ""
root_pid=''
is "qemu-img finds its qcow2 image whole" "$(qemu-img check -q "$work/vm/root.qcow2" 2>&1)" ""
qemu-img convert -O raw "$work/vm/root.qcow2" "$work/vm/root.img"
succeeds "the file system is clean" e2fsck -fn "$work/vm/root.img"
is "the data it wrote is there" "$(debugfs -R 'cat /data' "$work/vm/root.img" 2>/dev/null | sha256sum)" \
	"$(seq 100000 | sha256sum)"
