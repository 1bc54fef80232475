#!/bin/bash
# After kill -9 of anything at any moment, delete --force leaves no process, mount, namespace, cgroup,
# socket or file of the VM. In a PID namespace of its own, so that it sees its own processes only.
[ "${1:-}" = --inside ] || exec unshare --pid --fork --kill-child --mount-proc "$0" --inside
. "$(dirname "$0")/../lib.sh"

id=left$(date +%s%N)
mkdir "$work/shared" && echo x >"$work/file"
bundle "$work/$id" idle '[{"type": "serial"}, {"type": "block", "path": "disk.img"}, {"type": "rng"},
	{"type": "fs", "tag": "data", "sources": [{"source": "'"$work"'/shared", "name": "shared"},
		{"source": "'"$work"'/file", "name": "file", "readonly": true}]}]'
world() { # what a VM could leave behind
	cut -d' ' -f5- /proc/self/mountinfo | sort
	find /sys/fs/cgroup -path "*/vmrun/$id*" 2>/dev/null | sort
	ls -A "$root" 2>/dev/null
	for p in /proc/[0-9]*/; do
		case $(cat "$p/comm" 2>/dev/null) in vmrun*|vmm|block0|rng0|serial0|fs0) echo "process $(cat "$p/comm")" ;; esac
	done
}
is_clean() { [ "$(world)" = "$before" ]; }

clean() { # clean NAME
	succeeds "$1: delete --force succeeds" vmrun delete --force "$id"
	if eventually 5 is_clean; then ok "$1: nothing is left"; else
		not_ok "$1: something is left"
		diff <(echo "$before") <(world) | sed 's/^/# /'
	fi
	succeeds "$1: delete --force again succeeds too" vmrun delete --force "$id"
}

mkdir -p "$root"
before=$(world)

vmrun create "$work/$id" </dev/null >/dev/null && vmrun start "$id"
clean "a running VM"

for victim in vmm block0 rng0 serial0 fs0; do
	vmrun create "$work/$id" </dev/null >/dev/null && vmrun start "$id"
	kill -9 "$(vm_pid "$id" $victim)"
	succeeds "kill -9 of $victim: the VM stops" eventually 10 is_stopped "$id"
	case $victim in vmm) cause=vmm-killed ;; *) cause=device-killed ;; esac
	is "kill -9 of $victim: the cause is recorded" "$(vmrun state "$id" | jq -r .vmrun.cause)" $cause
	like "kill -9 of $victim: the signal is recorded" "$(vmrun state "$id" | jq -r .vmrun.detail)" "$victim.*(signal 9|SIGKILL)"
	clean "kill -9 of $victim"
done

for state in created running; do
	vmrun create "$work/$id" </dev/null >/dev/null
	[ $state = running ] && vmrun start "$id"
	kill -9 "$(vmrun state "$id" | jq -r .pid)"
	succeeds "kill -9 of the supervisor of a $state VM: it is stopped" eventually 10 is_stopped "$id"
	is "kill -9 of the supervisor: the cause is recorded" "$(vmrun state "$id" | jq -r .vmrun.cause)" supervisor-killed
	clean "kill -9 of the supervisor of a $state VM"
done

# kill -9 of create at many moments: after 0, 1, 2 ... ms of its life
bad=0
for ms in $(seq 0 2 60); do
	"$vmrun_bin" --root "$root" create "$work/$id" </dev/null >/dev/null 2>&1 &
	pid=$!
	sleep "$(printf '0.%03d' "$ms")"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	vmrun delete --force "$id" >"$work/out" 2>&1 || { bad=1; echo "# after $ms ms: $(cat "$work/out")"; }
	eventually 5 is_clean || { bad=1; echo "# after $ms ms:"; diff <(echo "$before") <(world) | sed 's/^/# /'; }
done
is "kill -9 of create at 31 moments: nothing is left" $bad 0

# Cycles leave the host as it was.
for i in $(seq 10); do
	vmrun run "$work/$id" </dev/null >/dev/null 2>&1 &
	eventually 10 is_running "$id" || :
	eventually 10 vmrun kill "$id" KILL >/dev/null 2>&1
	wait
done
succeeds "ten runs ended by kill: nothing is left" is_clean
