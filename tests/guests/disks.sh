#!/bin/bash
# Disks of several kinds under one guest that asks for any sector; a host in trouble; and a disk that stands still.
. "$(dirname "$0")/../lib.sh"

loop='' frozen=''
end() {
	[ -z "$loop" ] || losetup -d "$loop"
	[ -z "$frozen" ] || fsfreeze -u "$work/still"
	vmrun delete --force stalled
	vmrun delete --force trouble
	umount "$work/little" "$work/tmpfs" "$work/ramfs" "$work/still" "$work/small" 2>/dev/null
	cleanup
}
trap end EXIT

# sectors NAME PATH REGEX [PROPERTY]: the guest on this disk, whose description matches REGEX
sectors() {
	bundle "$work/sectors" sectors "[{\"type\": \"serial\"}, {\"type\": \"block\", \"path\": \"$2\"${4:+, $4}}]"
	out=$(vmrun run "$work/sectors" </dev/null 2>"$work/err")
	is "$1: the guest ends by the reset it asked for" $? 32
	tr -d '\r' <<<"$out" | grep -aE '^(ok|not ok)' | sed "s/ - / - $1: /"
	like "$1: it reached its end" "$out" '^# sectors: done'
	like "$1: it learns what suits the disk" "$out" "^# sectors: $3"
}
truncate -s 8M "$work/file"
sectors "a file" "$work/file" "logical 512, physical 4096, discard 4096"
sectors "a file, direct" "$work/file" "logical (512|4096), physical 4096, discard 4096" '"direct": true'
mkdir "$work/tmpfs" && mount -t tmpfs none "$work/tmpfs" && truncate -s $((8 << 20 | 512)) "$work/tmpfs/file"
sectors "a file of an odd size in memory" "$work/tmpfs/file" "logical 512, physical 4096"
if loop=$(losetup --show -f -b 4096 "$work/file"); then
	sectors "a device with sectors of 4096 bytes" "$loop" "logical 512, physical 4096, discard 4096"
	sectors "such a device, direct" "$loop" "logical 4096, physical 4096, discard 4096" '"direct": true'
else
	skip "a device with sectors of 4096 bytes" "no loop device"
fi

mkdir "$work/ramfs" && mount -t ramfs none "$work/ramfs" && truncate -s 8M "$work/ramfs/file"
like "a file system without O_DIRECT" "$(vmrun run --block "$work/ramfs/file,direct" "$B/guests/sectors.elf" </dev/null 2>&1)" \
	"^vmrun: /vm/devices/0/path: $work/ramfs/file: cannot be direct: its file system has no O_DIRECT\$"
out=$(vmrun run --block "path=$work/file,o_direct=true,id=direct" "$B/guests/sectors.elf" </dev/null 2>&1)
like "run --block: the guest reaches its end" "$out" '^# sectors: done'
is "run --block: no check fails" "$(grep -c '^not ok' <<<"$out")" 0

# qcow2: the guest writes to the top of a chain. QEMU finds its sectors there, and the lower files' behind them.
seq 1 9999999 | head -c 8M >"$work/base"
qemu-img convert -c -O qcow2 "$work/base" "$work/packed.qcow2"
qemu-img create -q -f qcow2 -b packed.qcow2 -F qcow2 "$work/middle.qcow2"
chain() { # chain OPTIONS...: a new image at the top
	qemu-img create -q -f qcow2 -o "$1" -b middle.qcow2 -F qcow2 "$work/top.qcow2"
}
judged() { # judged NAME: by QEMU
	is "$1: qemu-img check" "$(qemu-img check -q "$work/top.qcow2" 2>&1)" ""
	[[ $1 = *"version 2"* ]] || is "$1: it is closed" "$(od -An -tx1 -j79 -N1 "$work/top.qcow2")" " 00"
	qemu-img convert -O raw "$work/top.qcow2" "$work/raw"
	succeeds "$1: what the guest did not touch is the base's" cmp -i 65536 "$work/raw" "$work/base"
	is "$1: what it touched is not" "$(head -c 65536 "$work/raw" | tr -d '\2\3' | tr -d '\0' | wc -c)" 0
}
chain cluster_size=65536
sectors "a chain of qcow2 images" "$work/top.qcow2" "logical 512, physical 4096, discard 65536" '"format": "qcow2"'
judged "a chain of qcow2 images"
chain cluster_size=512,refcount_bits=1
sectors "qcow2 with the smallest clusters" "$work/top.qcow2" "logical 512, physical 512, discard 512" '"format": "qcow2"'
judged "qcow2 with the smallest clusters"
chain compat=0.10
out=$(vmrun run --rwdisk "$work/top.qcow2,format=qcow2" "$B/guests/sectors.elf" </dev/null 2>&1)
like "qcow2 of version 2, without a bundle: the guest reaches its end" "$out" '^# sectors: done'
is "qcow2 of version 2, without a bundle: no check fails" "$(grep -c '^not ok' <<<"$out")" 0
judged "qcow2 of version 2, without a bundle"

# A host's file system without room, and an image that gets shorter: the guest sees I/O errors, no process dies, and all is well
# again when the host has mended it.
mkdir "$work/small" && truncate -s 16M "$work/small.img" && mkfs.ext4 -q -m 0 "$work/small.img" && mount -o loop "$work/small.img" "$work/small"
passes() { tr -d '\r' <"$work/out" | grep -ac "^# trouble: $1"; }
more() { [ "$(passes "$2")" -ge $((before + $1)) ]; }
sees() { # sees NAME PASSES WHAT: so many more say so; of two, one from its beginning
	before=$(passes "$3")
	succeeds "$1" eventually 30 more "$2" "$3"
}
trouble() { # trouble NAME PROPERTY
	local name=$1 device
	rm -f "$work/small/disk" && truncate -s 2M "$work/small/disk"
	cat /dev/zero >"$work/small/filler" 2>/dev/null
	bundle "$work/trouble" trouble "[{\"type\": \"serial\"}, {\"type\": \"block\", \"path\": \"$work/small/disk\"$2}]"
	vmrun --log "$work/log" create "$work/trouble" </dev/null >"$work/out" 2>/dev/null && vmrun start trouble
	device=$(vm_pid trouble block0)
	sees "$name: without room on the host requests fail" 1 "some failed"
	rm "$work/small/filler"
	sees "$name: with room again all goes well" 2 "all went well"
	truncate -s 512K "$work/small/disk"
	sees "$name: the image got shorter, and requests fail" 1 "some failed"
	truncate -s 2M "$work/small/disk"
	sees "$name: the image is whole again, and all goes well" 2 "all went well"
	is "$name: the disk's process is the same" "$(vm_pid trouble block0)" "$device"
	vmrun kill trouble
	succeeds "$name: the guest ends" eventually 30 is_stopped trouble
	is "$name: by the reset it asked for" "$(vmrun state trouble | jq -r .vmrun.cause)" reset
	tr -d '\r' <"$work/out" | grep -aE '^(ok|not ok)' | sed "s/ - / - $name: /"
	vmrun delete trouble
}
trouble "a host in trouble" ''
trouble "a host in trouble, direct" ', "direct": true'

# A host's file system without room for another cluster, which gets some while the guest waits for it.
mkdir "$work/little" && mount -t tmpfs -o size=3m none "$work/little"
qemu-img create -q -f qcow2 "$work/little/disk" 64M
bundle "$work/fulldisk" fulldisk "[{\"type\": \"serial\"}, {\"type\": \"block\", \"path\": \"$work/little/disk\", \"format\": \"qcow2\"}]"
vmrun create "$work/fulldisk" </dev/null >"$work/out" 2>/dev/null && vmrun start fulldisk
waits() { grep -qa '^# full disk: waits' "$work/out"; }
succeeds "a full disk: the guest waits for room" eventually 30 waits
mount -o remount,size=16m "$work/little"
succeeds "a full disk: the guest ends" eventually 30 is_stopped fulldisk
tr -d '\r' <"$work/out" | grep -aE '^(ok|not ok)'
is "a full disk: by the reset it asked for" "$(vmrun state fulldisk | jq -r .vmrun.cause)" reset
is "a full disk: qemu-img check" "$(qemu-img check -q "$work/little/disk" 2>&1)" ""
vmrun delete fulldisk

# A host's file system that stands still, for longer than any device may take to answer: the guest waits
# as it would for a real disk, sees its power button, and goes on when the file system does.
says() { tr -d '\r' <"$work/out" | grep -qa "^# stalled: $1"; }
run_stalled() { # run_stalled: a VM whose guest waits for a disk that stands still
	vmrun --log "$work/log" --log-level warning create "$work/stalled" </dev/null >"$work/out" 2>/dev/null &&
		vmrun start stalled
	eventually 20 says begins && fsfreeze -f "$work/still" && frozen=1 && eventually 20 says waits
}
thaw() { fsfreeze -u "$work/still" && frozen=; }
mkdir "$work/still" && truncate -s 32M "$work/still.img" && mkfs.ext4 -q "$work/still.img" &&
	mount -o loop "$work/still.img" "$work/still" && truncate -s 4M "$work/still/disk.img"
bundle "$work/stalled" stalled "[{\"type\": \"serial\"}, {\"type\": \"block\", \"path\": \"$work/still/disk.img\"}]"
succeeds "a disk that stands still: the guest waits for its reset" run_stalled
sleep 7
is "a disk that stands still: the VM lives" "$(vm_status stalled)" running
succeeds "a disk that stands still: the power button" vmrun kill stalled
succeeds "a disk that stands still: the guest sees it" eventually 20 says 'the power button'
thaw
succeeds "a disk that goes on: so does the guest" eventually 30 is_stopped stalled
is "a disk that goes on: the guest ends by the reset it asked for" "$(vmrun state stalled | jq -r .vmrun.cause)" reset
tr -d '\r' <"$work/out" | grep -aE '^(ok|not ok)' | sed "s/ - / - a disk that stood still: /"
is "a disk that stands still: one line says so" "$(grep -c 'block0 waits for the host' "$work/log")" 1
vmrun delete stalled

# Nothing wakes the device's process before the file system goes on: the VM is gone nevertheless.
groups() { find /sys/fs/cgroup -name stalled -type d; }
no_groups() { [ -z "$(groups)" ]; }
succeeds "a disk that stands still: the guest waits again" run_stalled
supervisor=$(vm_pids stalled | head -n 1)
succeeds "a disk that stands still: kill at once" timeout $((5 * patience)) "$vmrun_bin" --root "$root" kill stalled KILL
succeeds "a disk that stands still: delete at once" timeout $((5 * patience)) "$vmrun_bin" --root "$root" delete --force stalled
is "a disk that stands still: nothing is listed" "$(vmrun list -q)" ""
thaw
ended() { ! kill -0 "$supervisor" 2>/dev/null; }
succeeds "a disk that goes on: the supervisor ends" eventually 20 ended
succeeds "a disk that goes on: its cgroups are gone" eventually 20 no_groups
