#!/bin/bash
# What a VM uses on the host: ps and events; its limits, changed; and verbs of other runtimes that a VM refuses.
. "$(dirname "$0")/../lib.sh"
mkdir -p "$root"
bundle "$work/busy" busy '[{"type": "serial"}]'
vmrun create --bundle "$work/busy" vm </dev/null >/dev/null 2>&1

numbers() { tr -s ' \n' '\n' | sort -n | tr '\n' ' '; }
all=$(vm_pids vm | numbers)
# The cgroup has threads of the kernel's that work for the VM, too.
programs() { while read -r pid; do [ ! -e "/proc/$pid/exe" ] || echo "$pid"; done; }
is "ps --format json: all processes" "$(vmrun ps --format json vm | jq -r '.[]' | programs | numbers)" "$all"
is "ps: the rows of the host's ps" "$(vmrun ps vm | awk 'NR > 1 { print $2 }' | programs | numbers)" "$all"
like "and its header" "$(vmrun ps vm | head -n 1)" "^UID +PID +PPID"
is "ps with options of ps" "$(vmrun ps vm -o pid,comm -e --no-headers 2>&1)" "vmrun: vm: couldn't find PID field in ps output"
is "any that show the PID" "$(vmrun ps vm -eo comm,pid | awk 'NR > 1 { print $NF }' | programs | numbers)" "$all"
is "ps finds no ps" "$(PATH=/nowhere vmrun ps vm 2>&1)" "vmrun: vm: ps: executable file not found in \$PATH"

vmrun start vm
stats() { vmrun events --stats vm; }
is "events --stats: one line" "$(stats | wc -l)" 1
is "of the VM" "$(stats | jq -c '[.type, .id]')" '["stats","vm"]'
if [ "$(stats | jq .data.memory.usage.usage)" -gt 0 ]; then
	before=$(stats | jq .data.cpu.usage.total)
	more() { [ "$(stats | jq .data.cpu.usage.total)" -gt "$before" ]; }
	succeeds "a guest that computes uses CPU time" eventually 20 more
	is "of the user's and the kernel's" "$(stats | jq '.data.cpu.usage | .user + .kernel > 0')" true
	like "as many processes and threads as there are" "$(stats | jq .data.pids.current)" "^[0-9]{1,2}$"
	is "memory, and the kernel's own list of it" "$(stats | jq '.data.memory | .usage.usage > 1000000 and (.raw | length > 10)')" true
else
	skip "what it uses" "no cgroups"
fi
# ---- new limits

if [ "$(stats | jq .data.memory.usage.usage)" -gt 0 ]; then
	limit() { stats | jq .data.memory.usage.limit; }
	vmrun update --memory 256M vm 2>/dev/null
	is "update --memory" "$(limit)" 268435456
	echo '{"memory": {"limit": 134217728, "swap": 0}, "cpu": {}}' | vmrun update -r - vm 2>/dev/null
	is "update --resources -: the zeros of callers change nothing" "$(limit)" 134217728
	is "less than the VM has, to be checked before" \
		"$(echo '{"memory": {"limit": 4194304, "checkBeforeUpdate": true}}' | vmrun update -r - vm 2>&1 | sed 's/the [0-9]* that/the N that/')" \
		"vmrun: vm: /linux/resources/memory/limit: 4194304 bytes are less than the N that the VM has now"
	is "nothing has changed" "$(limit)" 134217728
	vmrun update --memory=-1 vm 2>/dev/null
	is "update --memory -1: no limit" "$(stats | jq '.data.memory.usage.limit > 1e18')" true
	is "the next update begins with it" "$(jq -c .linux.resources.memory.limit "$root/vm/config.json")" -1
	# Where the kernel has them: CONTROLLER, FILE and value of v1, FILE and value of v2
	file_of() { # CONTROLLER V1 V2: the file of the one that this host has
		local d
		d=$(jq -r .linux.cgroupsPath "$root/vm/config.json" | grep / || echo /vmrun/vm)
		if [ -d "/sys/fs/cgroup/$1$d" ]; then cat "/sys/fs/cgroup/$1$d/$2"; else cat "/sys/fs/cgroup$d/$3"; fi
	}
	either() { [ -d "/sys/fs/cgroup/$1" ] && echo "$2" || echo "$3"; }
	vmrun update --memory 256M --memory-reservation 64M vm 2>/dev/null
	is "update --memory-reservation" "$(file_of memory memory.soft_limit_in_bytes memory.low)" 67108864
	if [ -n "$(file_of memory memory.memsw.limit_in_bytes memory.swap.max 2>/dev/null)" ]; then
		succeeds "update --memory-swap" vmrun update --memory-swap 300M vm
		is "counts both in v1, swap alone in v2" "$(file_of memory memory.memsw.limit_in_bytes memory.swap.max)" "$(either memory 314572800 46137344)"
	else
		skip "update --memory-swap" "the kernel does not count swap"
	fi
	vmrun update --cpu-share 512 vm
	is "update --cpu-share" "$(file_of cpu cpu.shares cpu.weight)" "$(either cpu 512 20)"
	vmrun update --cpu-quota 50000 vm
	is "update --cpu-quota" "$(file_of cpu cpu.cfs_quota_us cpu.max)" "$(either cpu 50000 "50000 100000")"
	vmrun update --cpu-period 200000 vm
	is "update --cpu-period" "$(file_of cpu cpu.cfs_period_us cpu.max)" "$(either cpu 200000 "50000 200000")"
	vmrun update --cpu-quota=-1 vm
	is "update --cpu-quota -1: no limit" "$(file_of cpu cpu.cfs_quota_us cpu.max)" "$(either cpu -1 "max 200000")"
	vmrun update --pids-limit 100 vm
	is "update --pids-limit" "$(file_of pids pids.max pids.max)" 100
	vmrun update --pids-limit=-1 vm
	is "update --pids-limit -1: no limit" "$(file_of pids pids.max pids.max)" max
	cpuset() { vmrun update --cpuset-cpus 0 --cpuset-mems 0 vm 2>&1 && file_of cpuset cpuset.cpus cpuset.cpus; }
	is "update --cpuset-cpus, --cpuset-mems" "$(cpuset)" \
		"$(either cpuset "vmrun: vm: /linux/resources/cpu/cpus: no cgroup is available (be root, or have one delegated): the VM has none" 0)"
	is "CPUs that the host does not have" "$(vmrun update --cpuset-cpus 0-4095 vm 2>&1 | sed 's/[0-9-]* (cpuset/N (cpuset/' | grep -c .)" 1
	if [ -n "$(file_of cpu cpu.idle cpu.idle 2>/dev/null)" ]; then
		succeeds "update --cpu-idle" vmrun update --cpu-idle 1 vm
		succeeds "another update of an idle one" vmrun update --pids-limit 90 vm
		is "is idle still" "$(file_of cpu cpu.idle cpu.idle)" 1
		vmrun update --cpu-idle 0 vm
		is "update --cpu-idle 0: it has its weight again" "$(file_of cpu cpu.idle cpu.idle; file_of cpu cpu.shares cpu.weight)" "0
$(either cpu 512 20)"
	else
		skip "update --cpu-idle" "this kernel has no such limit"
	fi
	like "a weight of 0 is none that was given" "$(vmrun update --cpu-share 0 --cpu-idle 0 vm 2>&1; file_of cpu cpu.shares cpu.weight)" "^$(either cpu 512 20)\$"
	is "a limit that a VM does not have" "$(vmrun update --blkio-weight 5 vm 2>&1)" \
		"vmrun: vm: /linux/resources/blockIO: vmrun cannot set this limit: leave it out"
	is "no limit" "$(vmrun update vm 2>&1; echo $?)" "$(printf 'vmrun: vm: no limit is given\n2')"
	is "none that is a number" "$(vmrun update --cpu-quota x vm 2>&1)" "vmrun: vm: option --cpu-quota wants a number"
fi

vmrun events --interval 100ms vm >"$work/events" &
lines() { [ "$(wc -l <"$work/events")" -ge 3 ]; }
succeeds "events: a line each time" eventually 20 lines
vmrun kill --all vm KILL
wait $!
is "until the VM has ended" $? 0
is "every line is one object" "$(jq -c .type "$work/events" | sort -u)" '"stats"'
succeeds "kill --all of a VM that has stopped" vmrun kill --all vm TERM
is "without --all" "$(vmrun kill vm TERM 2>&1)" "vmrun: vm: container not running"
for verb in ps "events --stats"; do
	# shellcheck disable=SC2086
	is "${verb% *} of one that has stopped" "$(vmrun $verb vm 2>&1)" "vmrun: vm: container not running"
done
is "events with a time that is none" "$(vmrun events --interval 5x vm 2>&1; echo $?)" \
	"$(printf 'vmrun: vm: option --interval wants a time such as 5s, not 5x\n2')"
for verb in checkpoint restore; do
	is "$verb" "$(vmrun $verb --image-path /x --bundle /y vm 2>&1; echo $?)" \
		"$(printf 'vmrun: a VM cannot be checkpointed or restored\n1')"
done

# What containers boot is a fact of the host.
check_of() {
	printf '%s\n' "$1" >"$work/host.json"
	vmrun --host-config "$work/host.json" check | grep '^.*  containers '
}
like "check: containers have a kernel" "$(check_of "{\"kernel\": \"$B/guests/hello.elf\", \"initrd\": \"$B/guests/hello.elf\"}")" \
	'^ok    containers  *.*/hello.elf boots them$'
like "check: a kernel that is missing" "$(check_of '{"kernel": "/nonexistent"}')" \
	'^warn  containers  *.*host.json: /kernel: /nonexistent: No such file or directory$'
like "check: a host file that is wrong" "$(check_of '{"kernel": 4}')" '^warn  containers  *.*host.json: /kernel: must be a string'
