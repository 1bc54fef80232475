#!/bin/bash
# Disks of several kinds under one guest that asks for any sector; a disk that stands still is waited for.
. "$(dirname "$0")/../lib.sh"

loop=
end() {
	[ -z "$loop" ] || losetup -d "$loop"
	umount "$work/tmpfs" 2>/dev/null
	cleanup
}
trap end EXIT

# sectors NAME PATH REGEX: the guest on this disk, which says of itself what REGEX says
sectors() {
	bundle "$work/sectors" sectors "[{\"type\": \"serial\"}, {\"type\": \"block\", \"path\": \"$2\"}]"
	out=$(vmrun run "$work/sectors" </dev/null 2>"$work/err")
	is "$1: the guest ends by the reset it asked for" $? 32
	tr -d '\r' <<<"$out" | grep -aE '^(ok|not ok)' | sed "s/ - / - $1: /"
	like "$1: it reached its end" "$out" '^# sectors: done'
	like "$1: it is told what suits the disk" "$out" "^# sectors: $3"
}
truncate -s 8M "$work/file"
sectors "a file" "$work/file" "logical 512, physical 4096, discard 4096"
mkdir "$work/tmpfs" && mount -t tmpfs none "$work/tmpfs" && truncate -s $((8 << 20 | 512)) "$work/tmpfs/file"
sectors "a file of an odd size in memory" "$work/tmpfs/file" "logical 512, physical 4096"
if loop=$(losetup --show -f -b 4096 "$work/file"); then
	sectors "a device with sectors of 4096 bytes" "$loop" "logical 512, physical 4096, discard 4096"
else
	skip "a device with sectors of 4096 bytes" "no loop device"
fi
