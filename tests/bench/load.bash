# shellcheck shell=bash
# tests/bench/load.bash: programs of Debian's that make load, for the guest and for this machine, and disks
# for it; sourced after debs.sh.

# load_files TREE PROGRAM...: what a machine needs to run them, as lines "path there, file here"
load_files() {
	local tree=$1 libs ld program
	shift
	libs=$tree/usr/lib/x86_64-linux-gnu:$tree/lib/x86_64-linux-gnu:$tree/usr/lib/x86_64-linux-gnu/ceph
	ld=$(readlink -f /lib64/ld-linux-x86-64.so.2)
	echo "/lib64/ld-linux-x86-64.so.2 $ld"
	for program in "$@"; do
		echo "/bin/$program $tree/usr/bin/$program"
		"$ld" --library-path "$libs" --list "$tree/usr/bin/$program" |
			awk '$1 !~ "/" && $2 == "=>" { print "/lib/x86_64-linux-gnu/" $1, $3 }'
	done | sort -u | while read -r path file; do echo "$path $(readlink -f "$file")"; done
}

# load_into IMAGE: such lines, from standard input, into an ext4 image
load_into() {
	local path file commands
	commands=$(mktemp)
	printf 'mkdir %s\n' /lib /lib64 /lib/x86_64-linux-gnu >"$commands"
	while read -r path file; do
		printf 'write %s %s\nset_inode_field %s mode 0100755\n' "$file" "$path" "$path"
	done >>"$commands"
	debugfs -w -f "$commands" "$1" 2>&1
	rm -f "$commands"
}

# null_disk NAME MIB NS DIR: a file system on a disk in memory that answers after so long
null_disk() {
	local config=/sys/kernel/config/nullb/$1 device=/dev/$1
	[ -d /sys/kernel/config/nullb ] || modprobe null_blk nr_devices=0
	[ -d /sys/kernel/config/nullb ] || mount -t configfs none /sys/kernel/config
	mkdir "$config" || return
	echo 1 >"$config/memory_backed"
	echo 2 >"$config/irqmode"
	echo "$3" >"$config/completion_nsec"
	echo "$2" >"$config/size"
	echo 1 >"$config/power"
	[ -b "$device" ] || device=/dev/nullb$(cat "$config/index") # older kernels do not take the name
	mkfs.ext4 -q "$device" && mkdir -p "$4" && mount "$device" "$4"
}
