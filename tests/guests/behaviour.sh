#!/bin/bash
# Freestanding guests on /dev/kvm: they print TAP, which is passed on, and the exit code is a reset's.
. "$(dirname "$0")/../lib.sh"

for guest in virtio pciscan rtc; do
	bundle "$work/$guest" $guest
	out=$(vmrun run "$work/$guest" </dev/null 2>"$work/err")
	code=$?
	tr -d '\r' <<<"$out" | grep -aE '^(ok|not ok)' | sed "s/ - / - $guest guest: /"
	is "$guest guest: ends by the reset it asked for" "$code" 32
	like "$guest guest: says that it reached its end" "$out" "^# $guest: done"
done

bundle "$work/hello" hello
is "hello: the guest's line arrives on standard output, whole" \
	"$(vmrun run "$work/hello" </dev/null 2>"$work/err" | tr -d '\r')" "hello from the guest"
is "hello: nothing on standard error" "$(cat "$work/err")" \
	"$(grep -a 'only emulates supervisor code' "$work/err" || :)"

is "hello: the kernel's file is read under the filter" \
	"$(vmrun --debug run "$work/hello" </dev/null 2>&1 | grep -aoE 'vmm (locked|load)$' | tr '\n' ' ')" "vmm locked vmm load "

vmrun create "$work/hello" </dev/null >"$work/out" 2>/dev/null
is "create returns with status created" "$(vm_status hello)" created
succeeds "start lets it run" vmrun start hello
succeeds "it stops on its own" eventually 20 is_stopped hello
is "create's standard output is the console" "$(tr -d '\r' <"$work/out")" "hello from the guest"
is "state names the cause" "$(vmrun state hello | jq -r .vmrun.cause)" reset
is "state names the exit code" "$(vmrun state hello | jq -r .vmrun.exitCode)" 32
succeeds "delete" vmrun delete hello
is "nothing is left in the state directory" "$(ls -A "$root")" ""

bundle "$work/wild" wild
vmrun create "$work/wild" </dev/null >/dev/null 2>&1
vmrun start wild
succeeds "a guest that runs code where there is no memory: it stops" eventually 20 is_stopped wild
like "by kvm-error, and state says where" "$(vmrun state wild | jq -r '.vmrun | "\(.cause) \(.exitCode) \(.detail)"')" \
	"^kvm-error 37 vcpu0: KVM internal error, suberror 0x[0-9a-f]+ at RIP 0xd0000000"
vmrun delete wild
vmrun run "$work/wild" </dev/null >/dev/null 2>"$work/err"
is "run exits with its code" $? 37
like "and says so" "$(cat "$work/err")" "vcpu0: KVM internal error, suberror 0x[0-9a-f]+ at RIP 0xd0000000"

# As large as a VM may be: 24 devices (one implied), disks with 16 queues.
mkdir -p "$work/large"
for i in {1..22}; do truncate -s 1M "$work/large/$i.img"; done
bundle "$work/large" hello "[$(printf '{"type": "block", "path": "%s.img", "queues": 16}, ' {1..22}) {\"type\": \"serial\"}]"
vmrun run "$work/large" </dev/null >"$work/out" 2>"$work/err"
is "24 devices, 16 queues each: the VM runs" "$?" 32
like "24 devices, 16 queues each: the guest speaks" "$(cat "$work/out" "$work/err")" "hello from the guest"

# The serial device must not wait in read() for bytes that another reader of the terminal or pipe took.
nonblocking() { # nonblocking PID FD: yes or no
	(( 8#$(awk '$1 == "flags:" { print $2 }' "/proc/$1/fdinfo/$2") & 8#4000 )) && echo yes || echo no
}
bundle "$work/idle" idle
mkfifo "$work/in" "$work/tty"
exec 8<>"$work/in" 9<>"$work/tty"
vmrun create "$work/idle" <&8 >&9 2>/dev/null
serial=$(vm_pid idle serial0)
is "serial: input and output are non-blocking" "$(nonblocking "$serial" 6) $(nonblocking "$serial" 7)" "yes yes"
is "serial: the caller's own stay as they were" "$(nonblocking $$ 8) $(nonblocking $$ 9)" "no no"
succeeds "serial: delete" vmrun delete --force idle
