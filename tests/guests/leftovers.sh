#!/bin/bash
# After kill -9 of anything at any moment, delete --force leaves no process, mount, namespace, cgroup,
# socket or file of the VM.
. "$(dirname "$0")/../lib.sh"

bundle "$work/vm" idle
ours() { pgrep -f "$B/libexec/vmrun/|vmrun-vmm|vmrun-dev-|$root" | grep -vx -e $$ -e "$BASHPID" | sort; }
world() { # what a VM could leave behind
	cut -d' ' -f5- /proc/self/mountinfo | sort
	find /sys/fs/cgroup -name 'vmrun' -prune -exec find {} -mindepth 1 -type d \; 2>/dev/null | sort
	ls -A "$root" 2>/dev/null
	for p in /proc/[0-9]*/; do
		case $(cat "$p/comm" 2>/dev/null) in vmrun*) echo "process $(cat "$p/comm")" ;; esac
	done
}
is_clean() { [ "$(world)" = "$before" ]; }

clean() { # clean NAME
	succeeds "$1: delete --force succeeds" vmrun delete --force vm
	if eventually 5 is_clean; then ok "$1: nothing is left"; else
		not_ok "$1: something is left"
		diff <(echo "$before") <(world) | sed 's/^/# /'
	fi
	succeeds "$1: delete --force again succeeds too" vmrun delete --force vm
}

mkdir -p "$root"
before=$(world)

vmrun create "$work/vm" </dev/null >/dev/null && vmrun start vm
clean "a running VM"

for victim in vmm block0 rng0 serial0; do
	vmrun create "$work/vm" </dev/null >/dev/null && vmrun start vm
	kill -9 "$(vm_pid vm $victim)"
	succeeds "kill -9 of $victim: the VM stops" eventually 10 is_stopped vm
	case $victim in vmm) cause=vmm-killed ;; *) cause=device-killed ;; esac
	is "kill -9 of $victim: the cause is told" "$(vmrun state vm | jq -r .vmrun.cause)" $cause
	like "kill -9 of $victim: the signal is told" "$(vmrun state vm | jq -r .vmrun.detail)" "$victim.*(signal 9|SIGKILL)"
	clean "kill -9 of $victim"
done

for state in created running; do
	vmrun create "$work/vm" </dev/null >/dev/null
	[ $state = running ] && vmrun start vm
	kill -9 "$(vmrun state vm | jq -r .pid)"
	succeeds "kill -9 of the supervisor of a $state VM: it is stopped" eventually 10 is_stopped vm
	is "kill -9 of the supervisor: the cause is told" "$(vmrun state vm | jq -r .vmrun.cause)" supervisor-killed
	clean "kill -9 of the supervisor of a $state VM"
done

# kill -9 of create at many moments: after 0, 1, 2 ... ms of its life
bad=0
for ms in $(seq 0 2 60); do
	"$vmrun_bin" --root "$root" create "$work/vm" </dev/null >/dev/null 2>&1 &
	pid=$!
	sleep "$(printf '0.%03d' "$ms")"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	vmrun delete --force vm >"$work/out" 2>&1 || { bad=1; echo "# after $ms ms: $(cat "$work/out")"; }
	eventually 5 is_clean || { bad=1; echo "# after $ms ms:"; diff <(echo "$before") <(world) | sed 's/^/# /'; }
done
is "kill -9 of create at 31 moments: nothing is left" $bad 0

# Cycles leave the world as it was.
for i in $(seq 10); do
	vmrun run "$work/vm" </dev/null >/dev/null 2>&1 &
	eventually 10 test "$(vm_status vm)" = running || :
	eventually 10 vmrun kill vm KILL >/dev/null 2>&1
	wait
done
succeeds "ten runs ended by kill: nothing is left" is_clean
