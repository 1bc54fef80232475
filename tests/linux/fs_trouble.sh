#!/bin/bash
# Shared directories that the host fails: full, over a quota, removed, unmounted, served by a process that hangs and dies.
# At last the device itself is killed at work.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	. bundle-examples/debs.sh
	dir=$PWD/${B:-build}/linux-fs-trouble
	rm -rf "$dir"
	debs_backends >/dev/null && bundle-examples/build --image-size 8 --job tests/linux/jobs/ask "$dir/fs" || exit
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
. bundle-examples/debs.sh
dir=$B/linux-fs-trouble
. tests/linux/guest.bash
servers=()
finish() {
	local d
	kill -9 "${servers[@]}" 2>/dev/null
	wait 2>/dev/null
	for d in small lazy slow/1 slow/2; do umount -l "$work/$d" 2>/dev/null; done
	cleanup
}
trap finish EXIT
asks() { ask fs "$@"; }

# small: 8 MiB of ext4, of which user 1000 may have one
mkdir "$work"/{small,gone,lazy,slow,beside}
truncate -s 8M "$work/small.img"
mke2fs -q -F -t ext4 -O quota -E quotatype=usrquota "$work/small.img"
mount -o loop,usrquota "$work/small.img" "$work/small"
perl -e 'syscall(179, 0x80000800, $ARGV[0], 1000, pack("Q8 L x4", 1024, 1024, (0) x 6, 1)) == 0 or die "quotactl: $!\n"' \
	"$(findmnt -n -o SOURCE "$work/small")" || not_ok "a quota is set"
install -d -o 1000 -g 1000 "$work/small/user"
# lazy: a tmpfs; gone: a directory
mount -t tmpfs -o size=1m lazy "$work/lazy"
echo lazy >"$work/lazy/file"
echo gone >"$work/gone/file"
# slow: two files that other processes serve, and a directory beside them
echo beside >"$work/beside/file"
for n in 1 2; do
	truncate -s 8M "$work/$n.img"
	: >"$work/slow/$n"
	"$(debs_backends)/qemu-storage-daemon" --blockdev driver=file,node-name=f,filename="$work/$n.img" \
		--export type=fuse,id=e,node-name=f,mountpoint="$work/slow/$n",writable=on 2>"$work/server.err" &
	servers+=($!)
	eventually 20 mountpoint -q "$work/slow/$n" || cat "$work/server.err"
done

cp -r "$dir/fs" "$work/fs"
dir=$work
jq --arg work "$work" '.vm.devices += [
	{type: "fs", tag: "small", source: "\($work)/small"},
	{type: "fs", tag: "gone", source: "\($work)/gone"},
	{type: "fs", tag: "lazy", source: "\($work)/lazy"},
	{type: "fs", tag: "slow", sources: [
		{source: "\($work)/slow/1", name: "1"}, {source: "\($work)/slow/2", name: "2"}, {source: "\($work)/beside", name: "beside"}]}]' \
	"$dir/fs/config.json" >"$work/config" && mv "$work/config" "$dir/fs/config.json"
boot fs
up fs 180
is "the guest mounts them" "$(asks mount 'echo u:x:1000:1000::/:/bin/sh >>/etc/passwd; for t in small gone lazy slow; do mkdir /$t; mount -t virtiofs $t /$t && echo $t; done')" "small gone lazy slow "

# ---- no room
like "a user beyond its quota" "$(asks quota 'su u -c "dd if=/dev/zero of=/small/user/file bs=64k count=64"')" 'Disk quota exceeded'
is "it has what it may have, with its directory" "$(stat -c "%u %s" "$work/small/user/file")" "1000 $((1048576 - 4096))"
like "a disk that is full" "$(asks full 'dd if=/dev/zero of=/small/big bs=64k')" 'No space left on device'
is "with room again it is written" "$(asks room 'rm /small/big && echo again >/small/again && cat /small/again')" "again "

# ---- no source
umount -l "$work/lazy"
is "a file system that is unmounted stays the guest's" "$(asks lazy 'cat /lazy/file; echo more >/lazy/more; cat /lazy/more')" "lazy more "
rm -r "$work/gone"
is "a directory that is removed" "$(asks gone 'sleep 2; (cat /gone/file; touch /gone/new; ls /gone) 2>&1 | sed "s/.*: //"')" \
	"No such file or directory No such file or directory "

# ---- a server that hangs
kill -STOP ${servers[0]}
is "it holds up who uses it" "$(asks hangs '(dd if=/slow/1 of=/tmp/got bs=1M count=1 ; echo $? >/tmp/status) >/dev/null 2>&1 & sleep 2; cat /tmp/status')" \
	"cat: can't open '/tmp/status': No such file or directory "
is "but not other files of the same device" "$(asks beside 'cat /slow/beside/file; echo more >/slow/beside/more; ls /slow/beside')" "beside file more "
kill -CONT ${servers[0]}
is "it goes on when the server does" "$(asks goes-on 'for i in $(seq 100); do [ -e /tmp/status ] && break; sleep 0.1; done; cat /tmp/status; wc -c </tmp/got')" "0 1048576 "
kill -KILL ${servers[0]}
wait ${servers[0]} 2>/dev/null
like "it dies: errors" "$(asks dies 'dd if=/slow/1 of=/tmp/got bs=1M skip=2 count=1')" 'not connected|abort|Input/output error'
is "and no more than that" "$(asks after 'cat /slow/beside/file')" "beside "

# ---- the device is killed at work, while another one waits for a server
kill -STOP "${servers[1]}"
is "four writers, and one who waits" "$(asks load '(dd if=/slow/2 bs=1M count=1 >/dev/null 2>&1 &); for i in 1 2 3 4; do (while :; do dd if=/dev/zero of=/small/load$i bs=64k count=8; done >/dev/null 2>&1 &); done; sleep 2; echo work')" "work "
pids=$(vm_pids fs)
kill -KILL "$(vm_pid fs fs0)"
ended fs device-killed 38
is "and says which" "$(vmrun state fs | jq -r .vmrun.detail)" "fs0: killed by SIGKILL"
kill -KILL "${servers[1]}"
wait "${servers[1]}" 2>/dev/null
succeeds "deleted" vmrun delete fs
is "nothing is left in the state directory" "$(ls -A "$root")" ""
is "and no process" "$(for p in $pids; do readlink "/proc/$p/exe"; done)" ""
succeeds "nothing holds its source" umount "$work/small"
say "end"
