#!/bin/bash
# vmrun-init in the guest that `make guest` builds: its boot, and sessions of a container there, with a disk for its root and shared
# directories; a script plays the supervisor.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	make -s guest || exit
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
dir=$work
. tests/linux/guest.bash
trap 'kill $(jobs -p) 2>/dev/null; cleanup' EXIT
mac=52:54:00:99:00:02

mkdir -p "$work"/init "$work"/root/{bin,etc,proc,dev,sys,tmp,mnt} "$work"/m0/sub
cp "$(command -v busybox)" "$work/root/bin/"
for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$work/root/bin/$applet"; done
truncate -s 16M "$work/root.img"
mke2fs -q -F -t ext4 -E root_owner=0:0 -d "$work/root" "$work/root.img"
echo shared >"$work/m0/in"
echo single >"$work/m1"
jq -n --arg guest "$B/guest" --arg work "$work" --arg mac "$mac" '{
	ociVersion: "1.0.2",
	vm: {kernel: {path: "\($guest)/vmlinuz", initrd: "\($guest)/initrd", parameters: ["quiet"]},
		hwConfig: {vcpus: 1, memory: 167772160},
		devices: [{type: "serial"}, {type: "rng"}, {type: "vsock", cid: 77},
			{type: "net", mode: "private", mac: $mac, hostIp: "10.99.0.1/24", guestIp: "10.99.0.2"},
			{type: "block", path: "\($work)/root.img"},
			{type: "fs", tag: "vmrun", sources: [{source: "\($work)/m0", name: "m0"}, {source: "\($work)/m1", name: "m1"}]}]}}' >"$work/init/config.json"
said() { sed -n "s/^fact $1 //p" "$work/said" | sed 's/  */ /g; s/ $//'; } # the spaces of programs do not count

mkfifo "$work/init.in"
exec 9<>"$work/init.in"
vmrun create "$work/init" <&9 >"$work/init.console" 2>"$work/init.err" || cat "$work/init.err"
tests/linux/agent_host "$root/init/vsock" "$mac" >"$work/said" 2>&1 &
succeeds "the script listens" eventually 10 grep -q ready "$work/said"
succeeds "started" vmrun start init
if ! eventually 40 grep -q '^fact exit' "$work/said"; then
	not_ok "all has happened"
	sed 's/^/# /' "$work/said"
	stuck init
fi
is "process 1 says hello, after $(said seconds) s" "$(said hello)" "hello 0 1"
is "a container starts, in $(said create) s" "$(said first)" started
is "and speaks" "$(said up)" "up |"
is "exec sees it" "$(said facts)" "inside | sh | 40 | 1 | single | bin | data | dev | etc | lost+found | mnt | proc | sys | tmp | 0 | 0::/ | ro | \
virtio_blk | virtio_net | virtio_rng | virtiofs | vmw_vsock_virtio_transport | \
/dev/vda / ext4 | vmrun /data virtiofs | vmrun /etc/one virtiofs | exited 0"
is "the network is as it was described" "$(said net)" "1: lo inet 127.0.0.1/8 | 2: eth7 inet 10.99.0.2/24 | 1400 | \
default via 10.99.0.1 dev eth7 | 10.99.0.0/24 dev eth7 scope link src 10.99.0.2 | 1 | exited 0"
is "a shared directory" "$(said data) $(cat "$work/m0/out" "$work/m0/sub/made")" "shared | 1 | exited 0 changed"$'\n'0
is "two streams and a status" "$(said status)" "out | errors | exited 42"
is "a signal's status" "$(said signal)" "exited 137"
is "a short program, in $(said exec) s" "$(said true)" "exited 0"
is "no such program" "$(said none)" "failed code 2 step 21"
is "a terminal" "$(said tty)" "/dev/pts/0 | 24 80 | 3"
like "the container has 40 processes at most" "$(said forks)" "can't fork: Resource temporarily unavailable"
is "its cgroup has others below" "$(said below)" "0::/sub | exited 0"
is "exec joins where process 1 is" "$(said joins)" "0::/sub | exited 0"
is "lack of memory is told from a kill" "$(said memory)" "exited 137 oom"
is "3 MB there and back, $(said mbytes) MB/s" "$(said bytes)" "3145776 same 0"
is "15 at once, in $(said many_seconds) s" "$(said many)" 15
is "what was written last comes" "$(said last)" "588895 100000 |"
is "also errors" "$(said last_errors)" "end |"
is "then the status" "$(said exit)" "exited 7"
is "nothing is on the console" "$(grep -ac vmrun-init "$work/init.console")" 0
ended init poweroff 0
succeeds "deleted" vmrun delete init
is "the disk has what was written" "$(debugfs -R 'cat /tmp/kept' "$work/root.img" 2>/dev/null)" kept
succeeds "and is clean" e2fsck -fn "$work/root.img"
