#!/bin/bash
# A stock Linux guest that is paused for a minute, with I/O in flight: its clock is right afterwards, its random
# numbers are seeded anew, its disk has lost nothing. Without vmx or svm it runs inside one tests/kvmhost machine.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	dir=$PWD/${B:-build}/linux-pause
	rm -rf "$dir"
	set -e
	# Debian's cloud flavour has no driver for the generation of a VM.
	bundle-examples/build --flavour amd64 --image-size 256 --memory 256 --job tests/linux/jobs/net "$dir/pause"
	set +e
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
dir=$B/linux-pause
. tests/linux/guest.bash

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
sleep 60
is "it lasts a minute" "$(vm_status $id)" paused
succeeds "a resume" vmrun resume $id
ref=$(seq 10000000 | head -c 8M >"$work/ref"; cat "$work/ref" "$work/ref" "$work/ref" "$work/ref" | sha256sum | cut -d' ' -f1)
if eventually 60 said $id '^fact io '; then :; else stuck $id; fi
is "what was written has arrived" "$(fact $id io)" "$ref "
at_least "the guest's clock is right after the minute" "$(behind)" -2 20
at_least "its uptime shows the minute" "$(($(ask $id uptime2 "cut -d. -f1 /proc/uptime") - up_before))" 60 3600
is "no watchdog took the pause for a lock-up" "$(ask $id lockups "dmesg | grep -ciE 'soft lockup|rcu.*stall'")" "0 "
is "its random numbers were seeded anew each time" "$(seeded)" "6 "
vmrun kill $id
ended $id poweroff 0
succeeds "deleted" vmrun delete $id
