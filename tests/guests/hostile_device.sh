#!/bin/bash
# A device that is alive but silent ends the VM: the cause is recorded, with the device's name, and nobody
# waits for ever. A device that died is told by how it died, whoever noticed first.
. "$(dirname "$0")/../lib.sh"

begins() { grep -qa '# busy: begins' "$work/out"; }

run_busy() { # run_busy: a VM whose guest uses its devices all the time
	vmrun create "$work/busy" </dev/null >"$work/out" 2>/dev/null && vmrun start busy
	eventually 20 begins || not_ok "the guest begins"
}
field() { vmrun state busy | jq -r ".vmrun.$1"; }

bundle "$work/busy" busy
for victim in block0 serial0; do
	run_busy
	kill -STOP "$(vm_pid busy $victim)"
	succeeds "$victim is stopped: the VM ends" eventually 30 is_stopped busy
	is "$victim is stopped: the cause is the device" "$(field cause)" device-killed
	is "$victim is stopped: the exit code is that cause's" "$(field exitCode)" 38
	like "$victim is stopped: the detail names it and says what it did" "$(field detail)" \
		"device $victim: .*(no answer in|timed out|ETIMEDOUT)"
	succeeds "$victim is stopped: delete" vmrun delete busy
done

# A VM that is stopped or frozen as a whole, and goes on later, has no broken device.
for victim in block0 serial0; do
	run_busy
	kill -STOP "$(vm_pid busy $victim)"
	sleep 0.5 # in which the VMM begins to wait for it
	kill -STOP "$(vm_pid busy vmm)"
	sleep 6 # more than it waits
	kill -CONT "$(vm_pid busy vmm)"
	kill -CONT "$(vm_pid busy $victim)"
	before=$(stat -c %s "$work/out")
	goes_on() { [ "$(stat -c %s "$work/out")" -gt $((before + 5)) ] && [ "$(vm_status busy)" = running ]; }
	succeeds "a pause of the VMM and $victim: the guest goes on" eventually 20 goes_on
	vmrun delete --force busy
done

# The VMM sees the sockets close, perhaps before anyone sees the process die.
bad=0
for i in 1 2 3 4 5; do
	run_busy
	kill -KILL "$(vm_pid busy block0)"
	eventually 20 is_stopped busy || bad=1
	[ "$(field cause)" = device-killed ] && [[ $(field detail) == block0:*SIGKILL* ]] || bad=1
	[ $bad = 0 ] || { echo "# run $i: $(field cause), $(field detail)"; break; }
	vmrun delete busy
done
is "a killed device is told by its signal, five times" $bad 0
vmrun delete --force busy >/dev/null 2>&1

# Before the guest has run, too.
vmrun create "$work/busy" </dev/null >"$work/out" 2>/dev/null
kill -KILL "$(vm_pid busy serial0)"
succeeds "killed before start: the VM ends" eventually 20 is_stopped busy
is "killed before start: the cause is the device" "$(field cause)" device-killed
like "killed before start: the detail says how" "$(field detail)" "^serial0: .*SIGKILL"
