#!/bin/bash
# Pausing and resuming a VM: its time stands still and goes on, whatever its guest and its devices are doing.
. "$(dirname "$0")/../lib.sh"
still=
cleanup_pause() {
	[ -z "$still" ] || { fsfreeze -u "$work/still"; vmrun delete --force stalled; } 2>/dev/null
	vmrun delete --force stalled 2>/dev/null
	mountpoint -q "$work/still" && umount "$work/still"
	vmrun delete --force busy 2>/dev/null
	mountpoint -q "$work/busy" && umount "$work/busy"
	cleanup
}
trap cleanup_pause EXIT

# A guest that uses disk and serial port all the time, and sets its disk up again each time. The disk is in memory: a
# pause waits for a disk of the host 5 s, and under other tests' load a real one may take longer.
mkdir "$work/busy" && mount -t tmpfs -o size=8M busy "$work/busy"
bundle "$work/busy" busy
vmrun create "$work/busy" </dev/null >"$work/out" 2>/dev/null
is "a created VM cannot be paused" "$(vmrun pause busy 2>&1)" "vmrun: busy: container not running"
vmrun start busy
is "a running VM cannot be resumed" "$(vmrun resume busy 2>&1)" "vmrun: busy: container not paused"
# used: the CPU time of the VM's processes, in ticks
used() {
	local p
	for p in $(vm_pids busy); do cut -d' ' -f14,15 "/proc/$p/stat"; done | xargs
}
rounds() {
	local i
	for ((i = 0; i < 40; i++)); do
		vmrun pause busy && [ "$(vm_status busy)" = paused ] && vmrun resume busy && [ "$(vm_status busy)" = running ] || return
	done
}
succeeds "40 pauses and resumes" rounds
succeeds "another pause" vmrun pause busy
is "the state says so" "$(vm_status busy)" paused
# stands_still: no process of the VM uses the CPU for a second. Output on its way is written first.
stands_still() {
	local before
	before=$(used)
	sleep 1
	[ "$(used)" = "$before" ]
}
succeeds "no process of a paused VM uses the CPU" eventually 20 stands_still
is "a second pause is refused" "$(vmrun pause busy 2>&1)" "vmrun: busy: container not running"
is "so is a start" "$(vmrun start busy 2>&1)" "vmrun: busy: cannot start a container in the paused state"
is "so is delete" "$(vmrun delete busy 2>&1)" "vmrun: busy: cannot delete a container that is not stopped: paused"
like "list shows it" "$(vmrun list)" '^busy .*paused'
size=$(stat -c %s "$work/out")
succeeds "a resume" vmrun resume busy
goes_on() { [ "$(stat -c %s "$work/out")" -gt "$size" ]; }
succeeds "the guest goes on" eventually 20 goes_on
succeeds "a paused VM can be killed" bash -c "'$vmrun_bin' --root '$root' pause busy && '$vmrun_bin' --root '$root' kill busy KILL"
succeeds "and ends" eventually 20 is_stopped busy
is "as killed" "$(vmrun state busy | jq -r .vmrun.cause)" killed
is "a stopped VM cannot be paused" "$(vmrun pause busy 2>&1)" "vmrun: busy: container not running"
is "nor resumed" "$(vmrun resume busy 2>&1)" "vmrun: busy: container not paused"
vmrun delete busy

# What dies in a pause is noticed, and delete --force takes a paused VM.
for victim in vmm block0 supervisor; do
	vmrun create "$work/busy" </dev/null >"$work/out" 2>/dev/null && vmrun start busy && vmrun pause busy
	if [ $victim = supervisor ]; then pid=$(vmrun state busy | jq .pid); else pid=$(vm_pid busy $victim); fi
	kill -9 "$pid"
	succeeds "$victim dies in a pause: the VM ends" eventually 20 is_stopped busy
	case $victim in vmm | supervisor) cause=$victim-killed ;; *) cause=device-killed ;; esac
	is "$victim dies in a pause: the cause" "$(vmrun state busy | jq -r .vmrun.cause)" "$cause"
	succeeds "$victim dies in a pause: deleted" vmrun delete --force busy
done
vmrun create "$work/busy" </dev/null >"$work/out" 2>/dev/null && vmrun start busy && vmrun pause busy
succeeds "a paused VM: delete --force" vmrun delete --force busy
is "nothing is left" "$(vmrun list -q)" ""

# A disk of the host that stands still: the pause is given up in bounded time, and the guest lives on.
says() { tr -d '\r' <"$work/out" | grep -qa "^# stalled: $1"; }
mkdir "$work/still" && truncate -s 32M "$work/still.img" && mkfs.ext4 -q "$work/still.img" &&
	mount -o loop "$work/still.img" "$work/still" && truncate -s 4M "$work/still/disk.img"
bundle "$work/stalled" stalled "[{\"type\": \"serial\"}, {\"type\": \"block\", \"path\": \"$work/still/disk.img\"}]"
vmrun create "$work/stalled" </dev/null >"$work/out" 2>/dev/null && vmrun start stalled
succeeds "a disk that stands still: the guest waits for it" eval 'eventually 20 says begins && fsfreeze -f "$work/still" && still=1 && eventually 20 says waits'
like "a disk that stands still: no pause" "$(vmrun pause stalled 2>&1)" "^vmrun: stalled: block0 waits for the host's disk: the container goes on"
is "a disk that stands still: the VM runs" "$(vm_status stalled)" running
succeeds "a disk that stands still: the power button" vmrun kill stalled
succeeds "a disk that stands still: the guest sees it" eventually 20 says 'the power button'
fsfreeze -u "$work/still" && still=
succeeds "a disk that goes on: so does the guest" eventually 30 is_stopped stalled
is "a disk that goes on: the guest ends by the reset it asked for" "$(vmrun state stalled | jq -r .vmrun.cause)" reset
tr -d '\r' <"$work/out" | grep -aE '^(ok|not ok)' | sed "s/ - / - a disk that stood still: /"

# Devices whose processes stand still: one of ours, and a back-end of others.
truncate -s 64K "$work/small"
"$vmrun_bin" device block --path "$work/small" --socket "$work/s" 2>"$work/device.err" &
alone=$!
eventually 20 [ -S "$work/s" ] || cat "$work/device.err"
goes_on() { [ "$(grep -ac round "$work/out")" -gt "$before" ]; }
before=0
bundle "$work/other" restart '[{"type": "serial"}, {"type": "vhost-user", "device": "block", "socket": "'$work'/s", "onFailure": "restart"}]'
vmrun create "$work/other" </dev/null >"$work/out" 2>/dev/null && vmrun start other && eventually 20 goes_on
child=$(pgrep -P $alone)
kill -STOP "$child"
is "a back-end that stands still: no pause" "$(vmrun pause other 2>&1)" \
	"vmrun: other: /vm/devices/1/socket: the back-end does not answer ($work/s): the container goes on"
kill -CONT "$child"
before=$(grep -ac round "$work/out")
succeeds "a back-end that goes on: so does the guest" eventually 20 goes_on
succeeds "a back-end that goes on: a pause" vmrun pause other
kill -STOP "$child"
like "a back-end that stands still: no resume, and the VM ends" "$(vmrun resume other 2>&1)" \
	"^vmrun: other: /vm/devices/1/socket: no answer in 5000 ms \($work/s\)"
succeeds "a back-end that stands still: it ends soon" eventually 20 is_stopped other
is "a back-end that stands still: the cause" "$(vmrun state other | jq -r .vmrun.cause)" device-killed
kill -9 $alone
vmrun delete --force other
vmrun create "$work/busy" </dev/null >"$work/out" 2>/dev/null && vmrun start busy && eventually 20 [ -s "$work/out" ]
kill -STOP "$(vm_pid busy block0)"
is "a device that stands still: no pause" "$(vmrun pause busy 2>&1)" "vmrun: busy: block0 does not answer: the container goes on"
kill -CONT "$(vm_pid busy block0)"
succeeds "a device that goes on: a pause" eventually 20 vmrun pause busy
