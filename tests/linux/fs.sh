#!/bin/bash
# Directories of the host in a stock guest, by our own device.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	dir=$PWD/${B:-build}/linux-fs
	rm -rf "$dir"
	. tests/linux/fs.bash
	fs_headers='linux/can linux/netfilter_ipv4 linux/sched'
	fs_build "$dir/fs" && fixed_make "$dir/fixed" || exit
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
dir=$B/linux-fs
. tests/linux/guest.bash
. tests/linux/fs.bash
said_fact() { fact fs "$1"; }
guest_does() { ask fs "$@"; }
fixed=$dir/fixed

tree_make "$work/tree"
mkdir -p "$work/part/sub" "$work/mapped"
chown 100000:100000 "$work/mapped"
seq 10000 >"$work/part/sub/file1"
echo single >"$work/single"
cp -r "$dir/fs" "$work/fs"
dir=$work
jq --arg work "$work" --arg fixed "$fixed" '.vm.devices += [
	{type: "fs", tag: "share", source: "\($work)/tree"},
	{type: "fs", tag: "mapped", source: "\($work)/mapped", hostLocks: true, uidMappings: [{containerID: 0, hostID: 100000, size: 1000}],
		gidMappings: [{containerID: 0, hostID: 200000, size: 1000}, {containerID: 1000, hostID: 100000, size: 1}]},
	{type: "fs", tag: "fixed", source: $fixed, readonly: true},
	{type: "fs", tag: "uncached", source: "\($work)/tree", cache: "none"},
	{type: "fs", tag: "writeback", source: "\($work)/tree", writeback: true},
	{type: "fs", tag: "usr", source: "/usr", readonly: true},
	{type: "fs", tag: "parts", sources: [{source: "\($work)/part", name: "tree"},
		{source: "\($work)/single", name: "single", readonly: true}]}]' \
	"$dir/fs/config.json" >"$work/config" && mv "$work/config" "$dir/fs/config.json"
before=$(sums "$work/tree")
boot fs
up fs 180
lines fs | sed -n 's|^fact progress|# guest:|p'
tree_check "$work/tree" "$before" "$fixed"
fsx_check "$work/tree" uncached
fsx_check "$work/tree" writeback
git_check "$work/tree"
is "parts have their names" "$(said_fact parts)" "single tree  single 10000"
is "a part is written" "$(said_fact part-written)" yes
like "a read-only part is not" "$(said_fact part-refused)" 'Read-only file system'
echo host >"$work/tree/from-host"
is "the guest sees what the host writes" "$(ask fs host 'cat /share/from-host')" "host "
mv "$work/tree/from-host" "$work/tree/renamed"
is "and what it renames" "$(ask fs renamed 'sleep 2; cat /share/renamed; ls /share/from-host')" "host ls: /share/from-host: No such file or directory "
rm -r "$work/tree/w1"
is "and what it removes" "$(ask fs gone 'sleep 2; ls -d /share/w1')" "ls: /share/w1: No such file or directory "
touch "$work/mapped/theirs"
is "mapped owners, as the guest has them" "$(ask fs mapped 'mkdir /m; mount -t virtiofs mapped /m; cd /m; stat -c %u:%g .; echo x >f; chown 5:6 f; stat -c %u:%g f theirs')" \
	"0:1000 5:6 65534:65534 "
is "and as the host has them" "$(stat -c %u:%g "$work/mapped/f")" 100005:200006
like "an owner without a map" "$(ask fs unmapped 'cd /m; chown 4000 f; echo y >theirs')" 'f: Invalid argument .*theirs: Permission denied'
lock_file() { timeout $((60 * patience)) "$B/tests/linux/lock_file" "$@"; }
host_tries() { echo "$(lock_file flock try "$work/mapped/flock") $(lock_file fcntl try "$work/mapped/fcntl")"; }
host_has() { [ "$(host_tries)" = "had had" ]; }
is "the guest has locks" "$(ask fs mine 'for k in flock fcntl; do lock_file $k try /m/$k 1000 >/m/said.$k 2>&1 & done; until [ -s /m/said.flock ] && [ -s /m/said.fcntl ]; do sleep 1; done; cat /m/said.*')" "had had "
is "the host meets them" "$(host_tries)" "taken taken"
is "until their owners end" "$(ask fs ended 'killall lock_file; echo ended')" "ended "
succeeds "then the host has them" eventually 10 host_has
for kind in flock fcntl; do "$B/tests/linux/lock_file" $kind wait "$work/mapped/$kind" 1000 >"$work/said.$kind" & done
eventually 10 test -s "$work/said.flock" -a -s "$work/said.fcntl"
is "the guest meets the host's" "$(ask fs taken 'for k in flock fcntl; do lock_file $k try /m/$k; done')" "taken taken "
holders=$(jobs -p)
(sleep 2; kill $holders) &
is "and waits for them" "$(ask fs held 'for k in flock fcntl; do lock_file $k wait /m/$k; done')" "had had "
storm_check "$work/tree"
[ -z "${FS_MANY:-}" ] || many_check "$work/tree"
succeeds "kill presses the power button" vmrun kill fs
ended fs poweroff 0
succeeds "deleted" vmrun delete fs
is "nothing is left in the state directory" "$(ls -A "$root")" ""
say "end"
