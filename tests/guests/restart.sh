#!/bin/bash
# Devices die while their guest keeps requests in flight: they are started again, and nothing is lost.
. "$(dirname "$0")/../lib.sh"
trap 'kill $(jobs -p) 2>/dev/null; cleanup' EXIT

field() { vmrun state "$1" | jq -r ".vmrun.$2"; }
restarts() { vmrun state "$1" | jq -r --arg n "$2" '.vmrun.processes[] | select(.name == $n) | .restarts // 0'; }
# devices NR TYPE [qcow2]: so many of them, with a comma in front; disks are $work/disk1 ... or $work/qcow21 ...
devices() {
	local i
	for ((i = 1; i <= $1; i++)); do
		printf ', {"type": "%s", "onFailure": "restart"' "$2"
		[ "$2" != block ] || printf ', "path": "%s/%s%d", "format": "%s"' "$work" "${3:-disk}" "$i" "${3:-raw}"
		printf '}'
	done
}

rounds() { grep -ac round "$work/$1.out"; }
before=0
goes_on() { [ "$(rounds "$1")" -ge $((before + 2)) ]; }
# all_restarted VM NAME... : each of them so often
all_restarted() {
	vmrun state "$1" | jq -e --argjson n "$2" --arg re "$3" \
		'[.vmrun.processes[] | select(.name | test($re)) | .restarts == $n] | length > 0 and all' >/dev/null
}
pipe() { # pipe VM: its log. A pipe has room for all its lines; a busy disk may not take them in time.
	mkfifo "$work/$1.pipe"
	cat <>"$work/$1.pipe" >"$work/$1.log" & # it has no end, also when all others have closed it
}
begins() { grep -qa ' begins' "$work/$1.out"; }
run() { # run VM: its guest begins
	pipe "$1"
	vmrun --log "$work/$1.pipe" --log-level warning create "$work/$1" </dev/null >"$work/$1.out" 2>/dev/null &&
		vmrun start "$1" && eventually 20 begins "$1" && return
	not_ok "$1: the guest begins"
	exit 1
}
# finish VM: the power button has the guest look at everything
finish() {
	vmrun kill "$1"
	succeeds "$1: the guest ends" eventually 60 is_stopped "$1"
	tr -d '\r' <"$work/$1.out" | grep -aE '^(ok|not ok)' | sed "s/ - / - $1: /"
	is "$1: by the reset it asked for" "$(field "$1" cause)" reset
	vmrun delete "$1"
}

# deaths VM NR: its NR disks and entropy sources are killed at the same moment, five times
deaths() {
	local n
	for n in 1 2 3 4 5; do
		kill -KILL $(vmrun state "$1" | jq -r '.vmrun.processes[] | select(.name | test("block|rng")) | .pid')
		succeeds "$1: death $n of $2 devices: all are started again" eventually 30 all_restarted "$1" $n 'block|rng'
		before=$(rounds "$1")
		succeeds "$1: death $n of $2 devices: the guest goes on" eventually 30 goes_on "$1"
	done
}
# Ten disks and ten entropy sources: 50 deaths of each.
for i in {1..10}; do truncate -s 64K "$work/disk$i"; done
bundle "$work/many" restart "[{\"type\": \"serial\"}$(devices 10 block)$(devices 10 rng)]"
run many
# Each has memory of its own for what it has in flight: a device that maps all of its file sees no other's.
eventually 20 goes_on many
noted() { cat $(vmrun state many | jq -r '.vmrun.processes[] | select(.name | test("block|rng")) | "/proc/\(.pid)/maps"') | awk '/memfd:in-flight/ { print $5 }'; }
is "twenty devices note what is in flight, each in a file of its own" "$(noted | sort -u | wc -l) of $(noted | wc -l)" "20 of 20"
deaths many twenty
logged() { [ "$(grep -cE '(block|rng)[0-9]: killed by SIGKILL: it is started again \(restart [1-5]\)' "$work/many.log")" = 100 ]; }
eventually 10 logged && ok "their log has a line for each" || {
	not_ok "their log has a line for each"
	grep -v "killed by SIGKILL: it is started" "$work/many.log" | sed "s/^/# /"
}
finish many

# Ten disks that take new clusters at each write, for some time: each image has all that was answered.
for i in {1..10}; do qemu-img create -q -f qcow2 -o cluster_size=512 "$work/qcow2$i" 64K; done
bundle "$work/clusters" restart "[{\"type\": \"serial\"}$(devices 10 block qcow2)$(devices 1 rng)]"
run clusters
deaths clusters eleven
finish clusters
whole=0
for i in {1..10}; do # lost clusters are allowed
	qemu-img check "$work/qcow2$i" >"$work/check" 2>&1
	[[ $? = [03] ]] && whole=$((whole + 1)) || sed 's/^/# /' "$work/check"
done
is "clusters: images without damage, says QEMU" $whole 10

bundle "$work/one" restart "[{\"type\": \"serial\"}$(devices 1 block)$(devices 1 rng)]"
run one

# The budget: however fast it is killed, at most five restarts in ten seconds.
until is_stopped one; do
	[ $SECONDS -lt $((60 * patience)) ] || break
	kill -KILL "$(vm_pid one rng0)" 2>/dev/null
done
is "killed again and again: the VM stops" "$(vm_status one)" stopped
is "killed again and again: the cause is the device" "$(field one cause)" device-killed
is "killed again and again: the detail says why" "$(field one detail)" "rng0: killed by SIGKILL, after 5 restarts in 10 s"
is "killed again and again: the exit code is that cause's" "$(field one exitCode)" 38
succeeds "killed again and again: delete" vmrun delete one

# Before the guest runs; and a device that is stopped instead of killed is no death.
vmrun create "$work/one" </dev/null >"$work/one.out" 2>/dev/null
kill -KILL "$(vm_pid one block0)"
succeeds "killed before start: it is started again" eventually 30 all_restarted one 1 block
succeeds "killed before start: start" vmrun start one
before=0
succeeds "killed before start: the guest goes on" eventually 30 goes_on one
kill -STOP "$(vm_pid one block0)"
sleep 0.2
kill -KILL "$(vm_pid one rng0)"
succeeds "another one is stopped: it is started again nevertheless" eventually 30 all_restarted one 1 rng
kill -KILL "$(vm_pid one block0)"
succeeds "a stopped one is killed: it is started again" eventually 30 all_restarted one 2 block
before=$(rounds one)
succeeds "a stopped one is killed: the guest goes on" eventually 30 goes_on one
finish one

# A disk in enemy hands, which its policy kills each time: the cause is on record.
mkdir -p "$work/hostile/bin" "$work/hostile/libexec/vmrun"
cp -a "$B/bin/vmrun" "$work/hostile/bin/" && cp -a "$B/libexec/vmrun/." "$work/hostile/libexec/vmrun/"
cp "$B/tests/hostile/vmrun-dev-block" "$work/hostile/libexec/vmrun/"
bundle "$work/enemy" restart "[{\"type\": \"serial\"}$(devices 1 block)]"
pipe enemy
"$work/hostile/bin/vmrun" --root "$root" --log "$work/enemy.pipe" --log-level warning create "$work/enemy" </dev/null >/dev/null 2>&1
vmrun start enemy
succeeds "SIGSYS each time: the VM stops" eventually 30 is_stopped enemy
like "SIGSYS each time: the detail has policy and restarts" "$(field enemy detail)" \
	"^block0: killed by its seccomp policy \(SIGSYS\).*, after 5 restarts in 10 s$"
logged() { [ "$(grep -c 'block0: killed by its seccomp policy (SIGSYS).*: it is started again' "$work/enemy.log")" = 5 ]; }
succeeds "SIGSYS each time: a line for each" eventually 10 logged
vmrun delete enemy

# Balloons that die while their guests give memory up, hold it given up, and take it back: ten of them, five times each.
mkdir "$work/balloon"
cat >"$work/balloon/config.json" <<-JSON
	{"ociVersion": "1.0.2", "vm": {"kernel": {"path": "$B/guests/balloon.elf"},
	 "hwConfig": {"memory": 134217728}, "devices": [{"type": "balloon", "size": 12288, "onFailure": "restart"}]}}
JSON
balloons=$(echo balloon{0..9})
each() { # each CMD...: of all balloons
	local b
	for b in $balloons; do "$@" "$b" || return; done
}
says() { tr -d '\r' <"$work/$2.out" | grep -qa "^# balloon: $1"; }
size() { [ "$(vmrun balloon "$2" | jq -r '"\(.targetBytes) \(.actualBytes)"')" = "$1" ]; }
killed() { kill -KILL "$(vm_pid "$2" balloon0)" && eventually 30 all_restarted "$2" "$1" balloon; }
begin() { vmrun create --bundle "$work/balloon" "$1" </dev/null >"$work/$1.out" 2>/dev/null && vmrun start "$1"; }
want() { vmrun balloon "$2" "$1"; }
content() { ! grep -aq '^not ok' "$work/$1.out" && grep -aq '^ok - uses them' "$work/$1.out" && vmrun delete --force "$1"; }
succeeds "balloons: the guests run" eval 'each begin && eventually 60 each says full'
each want 64M
succeeds "balloons: two deaths each while their guests give up memory" eval 'each killed 1 && each killed 2'
succeeds "balloons: the guests give up all" eventually 90 each says inflated
succeeds "balloons: target and size" eventually 10 each size "67108864 67108864"
succeeds "balloons: another death" each killed 3
succeeds "balloons: target and size after it" eventually 10 each size "67108864 67108864"
each want 0
succeeds "balloons: two deaths each while the guests take it back" eval 'each killed 4 && each killed 5'
succeeds "balloons: the guests take all back" eventually 90 each says deflated
succeeds "balloons: target and size in the end" eventually 10 each size "0 0"
succeeds "balloons: the guests saw nothing wrong" each content
