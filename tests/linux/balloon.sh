#!/bin/bash
# A stock Linux guest gives memory up, takes it back, reports what is free, and takes back what it was asked
# for before it would kill a process. Without vmx or svm all of it runs inside one tests/kvmhost machine.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	dir=$PWD/${B:-build}/linux-balloon
	rm -rf "$dir"
	set -e
	bundle-examples/build --image-size 16 --memory 192 --job tests/linux/jobs/net "$dir/vm"
	# Its page cache is what the guest has to give: a disk that it reads.
	truncate -s 160M "$dir/vm/cache.img"
	jq '.vm.devices += [{type: "block", path: "cache.img", readonly: true}, {type: "balloon"}]' \
		"$dir/vm/config.json" >"$dir/config" && mv "$dir/config" "$dir/vm/config.json"
	set +e
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
dir=$B/linux-balloon
. tests/linux/guest.bash

pss_mib() { for p in $(vm_pids vm); do cat "/proc/$p/smaps_rollup"; done | awk '/^Pss:/ { n += $2 } END { print int(n / 1024) }'; }
field() { vmrun balloon vm | jq -r ".$1"; }
actual_is() { [ "$(field actualBytes)" = $(($1 << 20)) ]; }
actual_below() { [ "$(field actualBytes)" -lt $(($1 << 20)) ]; }
pss_below() { [ "$(pss_mib)" -lt "$1" ]; }
# look WHEN: sets $pss, after keeping what it was
look() {
	before=${pss:-0} pss=$(pss_mib)
	say "$1: PSS of the VM $pss MiB; balloon $(vmrun balloon vm | jq -c '[.targetBytes, .actualBytes, .statistics.freeBytes, .statistics.diskCacheBytes]')"
}

boot vm
up vm 120
features=$(ask vm features 'cat /sys/bus/virtio/drivers/virtio_balloon/virtio*/features')
like "the driver takes statistics, deflate on OOM, reports" "$features" '^0110(01|11)'
look "after boot"
is "the guest's own view of its RAM" "$(($(field statistics.totalBytes) >> 20 <= 192))" 1

# Linux drops the cache of a disk that no process has open.
ask vm cache 'sleep 100000 </dev/vdb >/dev/null 2>&1 & cat /dev/vdb >/dev/null; echo read' >/dev/null
look "its page cache is full"
at_least "the page cache is the host's memory" $((pss - before)) 50 160
at_least "statistics say how much of it is cache (MiB)" $(($(field statistics.diskCacheBytes) >> 20)) 50 192
succeeds "64M is asked for" vmrun balloon vm 64M
succeeds "the guest gives it up" eventually 60 actual_is 64
look "inflated"
at_least "64 MiB have left the host" $((before - pss)) 56 160

succeeds "it gets everything back" vmrun balloon vm 0
succeeds "and takes it" eventually 60 actual_is 0
ask vm again 'cat /dev/vdb >/dev/null; echo read' >/dev/null
look "deflated, and read again"
at_least "the guest uses it" $((pss - before)) 40 160

# What the guest frees it reports after two seconds, in blocks of 2 MiB.
ask vm drop 'echo 3 >/proc/sys/vm/drop_caches; echo dropped' >/dev/null
succeeds "memory that the guest frees leaves the host" eventually 60 pss_below $((pss - 40))
look "the guest has dropped its cache"

# 96 MiB of 192 are in the balloon, and then a process wants more than is left.
succeeds "96M is asked for" vmrun balloon vm 96M
succeeds "the guest gives it up" eventually 60 actual_is 96
look "inflated again"
is "a process of the guest gets memory from the balloon" \
	"$(ask vm hungry 'dd if=/dev/zero of=/run/fill bs=1M count=70 2>/dev/null && wc -c </run/fill')" "$((70 << 20)) "
look "the guest was hungry"
succeeds "deflated on OOM: actual is less than the target" actual_below 96
is "the target stays" "$(field targetBytes)" $((96 << 20))
is "no process was killed" "$(ask vm killed 'dmesg | grep -c "Killed process"')" "0 "

succeeds "kill presses the power button" vmrun kill vm
ended vm poweroff 0
succeeds "deleted" vmrun delete vm
