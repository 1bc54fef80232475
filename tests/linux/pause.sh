#!/bin/bash
# A stock Linux guest that is paused for a minute, with I/O in flight: its clock is right afterwards, its random
# numbers are seeded anew, its disk has lost nothing. In that minute another one's disk and entropy source die while it
# writes and reads: it sees no error, and what it wrote is there. Without vmx or svm both run inside one tests/kvmhost machine.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	dir=$PWD/${B:-build}/linux-pause
	rm -rf "$dir"
	set -e
	# Debian's cloud flavour has no driver for the generation of a VM.
	bundle-examples/build --flavour amd64 --image-size 256 --memory 256 --job tests/linux/jobs/net "$dir/pause"
	bundle-examples/build --image-size 256 --memory 256 --job tests/linux/jobs/net "$dir/other"
	jq '.vm.image.onFailure = "restart" | .vm.devices = ((.vm.devices // []) | map(select(.type != "rng")))
		+ [{"type": "rng", "onFailure": "restart"}]' "$dir/other/config.json" >"$dir/config.json"
	mv "$dir/config.json" "$dir/other/config.json"
	set +e
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
dir=$B/linux-pause
. tests/linux/guest.bash

# deaths: a guest of which disk and entropy source die at work
deaths() {
	boot other
	up other 120
	is_running other || return
	restarted() { # restarted N: disk and entropy source so often
		vmrun state other | jq -e --argjson n "$1" '[.vmrun.processes[] | select(.name | test("^(block|rng)0$")) | .restarts == $n] |
			length == 2 and all' >/dev/null
	}
	# Writes that are flushed, each read back past the page cache, and random numbers.
	echo "io sh -c 'seq 10000000 | head -c 8388608 >/data.ref; for n in 1 2 3 4 5 6; do dd if=/data.ref of=/data.\$n bs=256k conv=fsync 2>/dev/null; dd if=/data.\$n iflag=direct bs=64k 2>/dev/null; dd if=/dev/hwrng of=/dev/null bs=64 count=64 2>/dev/null; done | sha256sum | cut -d\" \" -f1' " >&"${input[other]}"
	deaths=0
	while [ $deaths -lt 8 ] && ! said other '^fact io '; do
		kill -KILL "$(vm_pid other block0)" "$(vm_pid other rng0)"
		deaths=$((deaths + 1))
		eventually 30 restarted $deaths || not_ok "death $deaths: disk and entropy source are started again"
		sleep 2.5 # at most five in ten seconds
	done
	at_least "deaths of disk and entropy source in the middle of I/O" $deaths 3 8
	if await other 90 '^fact io '; then :; else stuck other; fi
	seq 10000000 | head -c 8M >"$work/ref"
	ref=$(for _ in 1 2 3 4 5 6; do cat "$work/ref"; done | sha256sum | cut -d' ' -f1)
	is "what was written is read" "$(fact other io)" "$ref "
	is "the guest saw no error" "$(ask other errors "dmesg | grep -ciE 'I/O error|blk_update|hung task'")" "0 "
	is "its file system is as it should be" "$(ask other fs "mount | grep -c '/dev/vda on / type ext4 (rw'")" "1 "
	vmrun kill other
	ended other poweroff 0
	succeeds "other: deleted" vmrun delete other
}

id=pause
boot $id
up $id 120
is_running $id || exit
# behind: the guest's clock, seconds behind the host's
behind() { echo $(($(date +%s) - $(ask $id "date${EPOCHREALTIME/./}" date +%s | tr -d ' '))); }
seeded() { ask $id "seeded${EPOCHREALTIME/./}" "dmesg | grep -c 'crng reseeded due to virtual machine fork'"; }
at_least "the guest's clock is right" "$(behind)" -2 20
is "the kernel's driver has the generation" "$(ask $id driver "ls /sys/bus/acpi/drivers/vmgenid | grep -c VMGENCTR")" "1 "
is "and has seen no other" "$(seeded)" "0 "
up_before=$(ask $id uptime "cut -d. -f1 /proc/uptime")
# Writes go on during the pauses: 32 MiB, in pieces, each flushed.
echo "io sh -c 'seq 10000000 | head -c 8388608 >/data.ref; for n in 1 2 3 4; do dd if=/data.ref of=/data.\$n bs=256k conv=fsync 2>/dev/null; done; cat /data.? | sha256sum | cut -d\" \" -f1' " >&"${input[$id]}"
for ((i = 0; i < 5; i++)); do
	vmrun pause $id && vmrun resume $id || not_ok "a pause in the middle of writes"
	sleep 0.5
done
succeeds "a pause" vmrun pause $id
paused=$SECONDS
deaths
until [ $((SECONDS - paused)) -ge 60 ]; do sleep 1; done
is "it lasts a minute" "$(vm_status $id)" paused
succeeds "a resume" vmrun resume $id
ref=$(seq 10000000 | head -c 8M >"$work/ref"; cat "$work/ref" "$work/ref" "$work/ref" "$work/ref" | sha256sum | cut -d' ' -f1)
if await $id 60 '^fact io '; then :; else stuck $id; fi
is "what was written has arrived" "$(fact $id io)" "$ref "
at_least "the guest's clock is right after the minute" "$(behind)" -2 20
at_least "its uptime shows the minute" "$(($(ask $id uptime2 "cut -d. -f1 /proc/uptime") - up_before))" 60 3600
is "no watchdog took the pause for a lock-up" "$(ask $id lockups "dmesg | grep -ciE 'soft lockup|rcu.*stall'")" "0 "
is "its random numbers were seeded anew each time" "$(seeded)" "6 "
vmrun kill $id
ended $id poweroff 0
succeeds "deleted" vmrun delete $id
