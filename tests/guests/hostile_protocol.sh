#!/bin/bash
# Each program that is jailed in enemy hands, one at a time, speaks to its supervisor and to its peer as no protocol allows
# (tests/hostile/attempts/lies.h): the VM ends with a cause, the log is short and names the process, nothing is left. A flood of log
# lines, and of mappings of the guest's RAM, harm no one: the guest ends as it wants to.
. "$(dirname "$0")/../lib.sh"
enemy=$B/tests/hostile/enemy/bin/vmrun
mkdir "$work/share"
everything='[{"type": "serial"}, {"type": "block", "path": "disk.img"}, {"type": "rng"}, {"type": "balloon"}, {"type": "net"},
	{"type": "console"}, {"type": "vsock", "cid": 42}, {"type": "fs", "tag": "data", "source": "'$work/share'"}]'
bundle "$work/lies" idle "$everything"
bundle "$work/floods" virtio "$everything"

bundle "$work/bystander" idle
vmrun create "$work/bystander" </dev/null >/dev/null 2>&1 && vmrun start bystander

enemy() { HOSTILE="$1:$2" timeout -k 1 60 "$enemy" --root "$root" --log "$work/log" --log-level warning "${@:3}" </dev/null >"$work/out" 2>&1; }
# lie PROCESS WHAT REGEX: what create says, or state when the VM has ended
lie() {
	rm -f "$work/log"
	if enemy "$1" "$2" create "$work/lies"; then
		vmrun start lies >"$work/start" 2>&1
		eventually 20 is_stopped lies || not_ok "$1, $2: the VM ends"
		vmrun state lies | jq -r '.vmrun | "\(.cause): \(.detail)"' >"$work/out"
		vmrun delete --force lies
	fi
	like "$1, $2" "$(cat "$work/out")" "$3"
	[ ! -e "$work/log" ] || [ "$(wc -l <"$work/log")" -lt 20 ] || not_ok "$1, $2: $(wc -l <"$work/log") lines in the log"
}
# flood PROCESS WHAT REGEX: the guest ends by the reset that it asks for, and the log has some of it
flood() {
	rm -f "$work/log"
	enemy "$1" "$2" run "$work/floods"
	is "$1, $2: the guest ends as it wants to" $? 32
	like "$1, $2: the log" "$(cat "$work/log")" "$3"
	[ "$(wc -l <"$work/log")" -lt 300 ] || not_ok "$1, $2: $(wc -l <"$work/log") lines in the log"
}
unruly="killed because it broke the rules of its control socket"
for name in vmm serial0 block0 rng0 balloon0 net0 console0 vsock0 fs0; do
	for what in done half unknown-type endless-text; do
		lie $name "control $what" "$name: $unruly"
	done
	lie $name "early done" "^vmrun: $name: $unruly before it was ready"
	for what in garbage half endless; do
		# The first device of the VMM is the serial port.
		lie $name "channel $what" "(device |device-killed: |vmrun: )${name/vmm/serial0}: "
	done
	flood $name log "$name: .*line 0 of a flood"
	case $name in vmm | serial0) continue ;; esac
	flood $name memory "$name: memory: mapped [0-9]+ times, then (Out of memory|Cannot allocate memory)"
done
is "its neighbour runs" "$(vm_status bystander)" running
vmrun delete --force bystander
is "nothing is left" "$(ls -A "$root")$(ls -A "$work/share")" ""
