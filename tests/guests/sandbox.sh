#!/bin/bash
# --disable-sandbox: the same VM without jails, which says so; and nothing of it without the option.
. "$(dirname "$0")/../lib.sh"

status() { awk -v k="$2:" '$1 == k { print $2 }' "/proc/$1/status"; }
bundle "$work/vm" idle
bundle "$work/virtio" virtio

# The plan differs in what confines, and in nothing else.
plan() { vmrun run --dry-run "$@" "$work/vm" 2>/dev/null; }
is "the plan: its policies and a mark are all the difference" \
	"$(plan --disable-sandbox | jq -S .)" "$(plan | jq -S '.sandboxDisabled = true | del(.processes[].policy)')"
is "the plan without it has a policy for each process" \
	"$(plan | jq -r '[.processes[] | .policy != null] | all, length' | tr '\n' ' ')" "true 4 "

vmrun --log "$work/log" run --disable-sandbox --detach "$work/vm" </dev/null 2>"$work/err" >"$work/out"
is "the VM runs" "$(vm_status vm)" running
is "it says so, although a log takes warnings" "$(grep -c 'WITHOUT JAILS' "$work/err")" 1
is "it says so in the log, which takes errors only" "$(grep -c 'WITHOUT JAILS' "$work/log")" 1
is "state marks it" "$(vmrun state vm | jq .vmrun.sandboxDisabled)" true
for pid in $(vm_pids vm | tail -n +2); do
	name=$(cat "/proc/$pid/comm")
	is "$name: no filter" "$(status "$pid" Seccomp)" 0
	is "$name: the caller's user" "$(status "$pid" Uid)" "$(id -u)"
	is "$name: the caller's capabilities" "$(status "$pid" CapEff)" "$(status $$ CapEff)"
	is "$name: the caller's namespaces" "$(readlink "/proc/$pid"/ns/{user,mnt,net,pid,ipc,uts})" \
		"$(readlink /proc/self/ns/{user,mnt,net,pid,ipc,uts})"
done
pids=$(vm_pids vm)
gone() { for p in $pids; do [ ! -e "/proc/$p" ] || return 1; done; }
kill -9 "$(head -n 1 <<<"$pids")"
succeeds "its processes die with the supervisor" eventually 10 gone
is "state marks it after the end" "$(vmrun state vm | jq .vmrun.sandboxDisabled)" true
succeeds "delete" vmrun delete vm

out=$(vmrun run --disable-sandbox "$work/virtio" </dev/null 2>/dev/null)
is "its devices work: the guest ends by the reset it asked for" $? 32
tr -d '\r' <<<"$out" | grep -aE '^(ok|not ok)' | sed 's/ - / - without a sandbox: /'

vmrun run --detach "$work/vm" </dev/null 2>"$work/err" >"$work/out"
is "without the option: state has no mark" "$(vmrun state vm | jq .vmrun.sandboxDisabled)" null
is "without the option: a filter in each" \
	"$(for pid in $(vm_pids vm | tail -n +2); do status "$pid" Seccomp; done | sort -u)" 2
is "without the option: nothing is said of it" "$(grep -ci 'sandbox\|jails' "$work/err")" 0
vmrun delete --force vm
is "create does not know it" "$(vmrun create --disable-sandbox "$work/vm" 2>&1)" "vmrun: create: unknown option --disable-sandbox"
