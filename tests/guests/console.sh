#!/bin/bash
# The last output of a guest, when no process reads it yet, or the serial device cannot write it.
. "$(dirname "$0")/../lib.sh"

bundle "$work/print" print '[{"type": "serial"}, {"type": "block", "path": "disk.img"}, {"type": "net"}]'
all=$(for i in {0..2999}; do printf 'line %04d of three thousand....\n' "$i"; done | md5sum)
few=$(for i in {0..999}; do printf 'line %04d of three thousand....\n' "$i"; done | md5sum)

alone() { [ "$(vmrun state print 2>/dev/null | jq -c '[.status, [.vmrun.processes[].name]]')" = '["running",["serial0"]]' ]; }
cause() { vmrun state print | jq -r .vmrun.cause; }

vmrun run "$work/print" </dev/null 2>/dev/null | { eventually 60 alone; md5sum; } >"$work/sum"
is "run: a reader that begins late gets every byte" "$(cat "$work/sum")" "$all"

# Fewer lines, in a FIFO that was nearly full before; its reader is fd 9.
jq '.vm.kernel.parameters = ["few"]' "$work/print/config.json" >"$work/c" && mv "$work/c" "$work/print/config.json"
end_unread() { # NAME
	rm -f "$work/out"
	mkfifo "$work/out"
	exec 9<>"$work/out"
	head -c 60000 /dev/zero >&9
	vmrun create "$work/print" </dev/null >"$work/out" 2>/dev/null && vmrun start print
	succeeds "$1: the end waits for the reader" eventually 60 alone
}

end_unread "create, start"
is "meanwhile the guest's network is gone" "$(vmrun state print | jq -c '.vmrun.networks // []')" "[]"
is "and kill has no guest left to press the power button for" "$(vmrun kill print 2>&1)" ""
succeeds "which changes nothing" alone
is "then it gets every byte" "$(timeout 30 head -c 92000 <&9 | tail -c 32000 | md5sum)" "$few"
succeeds "and the VM ends" eventually 20 is_stopped print
is "by what the guest did" "$(cause)" poweroff
vmrun delete print
end_unread "kill"
succeeds "kill KILL" vmrun kill print KILL
succeeds "ends the wait" eventually 5 is_stopped print
vmrun delete print
end_unread "delete"
succeeds "delete --force ends the wait" timeout 20 "$vmrun_bin" --root "$root" delete --force print
end_unread "no reader"
exec 9<&-
succeeds "a reader that leaves ends the wait" eventually 20 is_stopped print
vmrun delete print

vmrun create "$work/print" </dev/null >"$work/file" 2>/dev/null
serial=$(vm_pid print serial0) vmm=$(vm_pid print vmm)
kill -STOP "$serial"
vmrun start print
succeeds "a guest does not wait for a device that stands still" eventually 60 sh -c "! kill -0 $vmm 2>/dev/null"
kill -CONT "$serial"
succeeds "it ends when the device moves again" eventually 20 is_stopped print
is "which is no reason to say that the device failed" "$(cause)" poweroff
is "and every byte has arrived" "$(md5sum <"$work/file")" "$few"
