#!/bin/bash
# The VM's cgroup: its own and no other's, with every limit that was asked for, and gone with the VM.
. "$(dirname "$0")/../lib.sh"

id=cg$$
base=/sys/fs/cgroup memory=/sys/fs/cgroup v2=/sys/fs/cgroup
[ -d $base/memory ] && memory=$base/memory
[ -d $base/unified ] && v2=$base/unified
[ -e $v2/cgroup.controllers ] || v2=
if ! { [ -d $base/memory ] || grep -qw memory "$v2/cgroup.controllers"; } 2>/dev/null; then
	skip "cgroups" "no memory controller"
	exit 0
fi

# groups PATH: the directories of a cgroup in every hierarchy
groups() { ls -d $base/*/"$1" $base/"$1" 2>/dev/null | sort -u; }
# root_of ROOT CMD...: vmrun with another state directory
root_of() { local r=$work/$1; shift; "$vmrun_bin" --root "$r" "$@"; }
status_of() { root_of "$1" state "$2" 2>/dev/null | jq -r .status; }
# config JQ: the bundle $work/b, a guest that stays, edited
config() {
	bundle "$work/b" "${2:-idle}" '[{"type": "serial"}]'
	jq "$1" "$work/b/config.json" >"$work/c" && mv "$work/c" "$work/b/config.json"
}
create() { root_of "${2:-state}" create --bundle "$work/b" "$1" </dev/null 2>&1 >/dev/null; }
# refused NAME ID REGEX [ROOT]: create fails in these words, before its deadline of 60 s, and leaves nothing
refused() {
	local out began=$SECONDS
	out=$(create "$2" "${4:-state}") && not_ok "$1: created"
	like "$1: it says why" "$(grep -v warning: <<<"$out")" "$3"
	is "$1: nothing is left" "$(ls -A "$work/${4:-state}")" ""
	[ $((SECONDS - began)) -lt 45 ] || not_ok "$1: took $((SECONDS - began)) s"
}
# strange: a process that belongs to no VM
strange() { sleep 100 </dev/null >/dev/null 2>&1 & stranger=$!; }
mkdir -p "$root" "$work/other"
# Leftovers of one test would be in the way of the next.
done_with() {
	local r d
	for r in state other; do
		for d in "$work/$r"/*/; do [ -d "$d" ] && root_of $r delete --force "$(basename "$d")"; done
	done
}
trap 'done_with; cleanup' EXIT

# ---- the leaf goes with the VM ----
config .
create $id >/dev/null
is "its processes are in it" "$(grep -c "/vmrun/$id\$" "/proc/$(vmrun state $id | jq .pid)/cgroup")" "$(groups "vmrun/$id" | wc -l)"
vmrun start $id && vmrun kill $id KILL
succeeds "it stops" eventually 10 is_stopped $id
is "the end of the VM removes its cgroup" "$(groups "vmrun/$id")" ""
succeeds "and delete the rest" vmrun delete $id

# ---- processes and cgroups of others ----
create $id >/dev/null
leaf=$(groups "vmrun/$id" | tail -n 1)
mkdir -p "$leaf/a/b" "$leaf/c"
succeeds "groups that others made below it: delete removes them too" vmrun delete --force $id
is "and nothing is left" "$(groups "vmrun/$id")" ""

create $id >/dev/null
strange
echo $stranger >"$(groups "vmrun/$id" | tail -n 1)/cgroup.procs"
began=$SECONDS
out=$(vmrun delete --force $id 2>&1)
is "a process that others put there: delete fails" $? 1
like "and names it" "$out" "process $stranger \\(sleep\\)"
[ $((SECONDS - began)) -lt $((8 * patience)) ] && ok "at once" || not_ok "after $((SECONDS - began)) s"
succeeds "the process lives" kill -0 $stranger
is "the VM does not" "$(vm_status $id)" stopped
kill -9 $stranger && wait $stranger 2>/dev/null
succeeds "without it delete succeeds" vmrun delete $id
is "and removes the cgroup" "$(groups "vmrun/$id")" ""

# ---- two VMs, one path ----
create $id >/dev/null && vmrun start $id
refused "one id in two state directories" $id "vmrun/$id belongs to another VM" other
is "the first one runs on" "$(vm_status $id)" running
for path in "/vmrun/$id" "/vmrun/$id/below" "/vmrun/$id/below/deeper" "vmrun/../../vmrun/$id" "/vmrun" "//vmrun/."; do
	config ".linux.cgroupsPath = \"$path\""
	refused "the path $path" "$id-2" '/linux/cgroupsPath|belongs to another VM' other
done
is "the first one runs on after that" "$(vm_status $id)" running
config '.linux.cgroupsPath = "/vmrun/'$id'-tree/a"'
create tree >/dev/null
config '.linux.cgroupsPath = "/vmrun/'$id'-tree"'
refused "a path above another VM's" $id-2 "has cgroups below it" other
is "that one is still there" "$(vm_status tree)" created
vmrun delete --force tree
vmrun delete --force $id

# Two at a time: one gets it, and the other leaves it alone.
config .linux.cgroupsPath=\"/vmrun/$id\"
create one state >/dev/null & create two other >/dev/null &
wait
vmrun delete one 2>/dev/null || root_of other delete two
is "two creates at a time: one has failed" "$(ls "$work/state" "$work/other" | grep -c '[oe]$')" 0
done_with

# A supervisor that was killed leaves its cgroup to the next VM.
create one >/dev/null
kill -9 "$(vmrun state one | jq .pid)"
succeeds "a killed supervisor: stopped" eventually 10 is_stopped one
again() { create two other >/dev/null; }
succeeds "its cgroup is taken by the next VM" eventually 10 again
succeeds "delete of the first succeeds" vmrun delete one
is "and leaves the second alone" "$(status_of other two)" created
done_with
is "both gone, nothing is left" "$(groups "vmrun/$id")" ""

# A cgroup that others made is used, and stays theirs.
mkdir "$memory/$id"
config .linux.cgroupsPath=\"/$id\"
create one >/dev/null
is "a cgroup that was there" "$(vm_status one)" created
vmrun delete --force one
succeeds "stays" rmdir "$memory/$id"
is "what was made goes" "$(groups $id)" ""
cpu=$(dirname "$(ls $base/cpu/cpu.cfs_quota_us $v2/cpu.stat 2>/dev/null | head -n 1)")
mkdir "$memory/$id" "$cpu/$id" 2>/dev/null
for n in 1 5 1; do
	swap=
	[ ! -e "$memory/$id/memory.memsw.limit_in_bytes" ] || swap=", swap: ${n}0000000"
	config ".linux.cgroupsPath = \"/$id\" | .linux.resources = {memory: {limit: ${n}0000000$swap}, cpu: {quota: ${n}0000, burst: ${n}0000}}"
	is "limits of another VM are there: $n" "$(create one | grep -vE 'emulates|may kill')" ""
	vmrun delete --force one
done
rmdir "$memory/$id" "$cpu/$id" 2>/dev/null
mkdir "$memory/$id"
strange
echo $stranger >"$memory/$id/cgroup.procs"
refused "a cgroup with processes in it" one "has processes in it"
succeeds "which live on" kill -0 $stranger
kill -9 $stranger && wait $stranger 2>/dev/null
rmdir "$memory/$id"

# ---- limits ----
in_memory() { cat "$memory/vmrun/$id/$1" "$memory/vmrun/$id/$2" 2>/dev/null; }
config '.linux.resources = {memory: {limit: 200000001, reservation: 100000000, useHierarchy: true, checkBeforeUpdate: true},
	cpu: {shares: 512, quota: 50000, period: 20000, burst: 10000, cpus: "0, 0-0", mems: "0"},
	pids: {limit: 100}, devices: [{allow: false, access: "rwm"}]}'
out=$(create $id)
is "limits: no warning" "$(grep -v emulates <<<"$out")" ""
is "memory, in pages" "$(in_memory memory.limit_in_bytes memory.max)" 199999488
is "reservation" "$(in_memory memory.soft_limit_in_bytes memory.low)" 99999744
if [ $memory = $base ]; then
	is "quota and period" "$(cat "$base/vmrun/$id/cpu.max")" "50000 20000"
	is "shares" "$(cat "$base/vmrun/$id/cpu.weight")" 20
	is "burst" "$(cat "$base/vmrun/$id/cpu.max.burst")" 10000
else
	is "quota, period, burst, shares" "$(cat $base/cpu/vmrun/$id/cpu.{cfs_quota_us,cfs_period_us,cfs_burst_us,shares} | xargs)" \
		"50000 20000 10000 512"
fi
is "cpus and mems" "$(cat $base/{cpuset/,}vmrun/$id/cpuset.{cpus,mems} 2>/dev/null | xargs)" "0 0"
is "pids" "$(cat $base/{pids/,}vmrun/$id/pids.max 2>/dev/null)" 100
vmrun delete --force $id
config '.linux.resources.pids = {}'
is "pids: {} is legal" "$(create $id | grep -v emulates)" ""
vmrun delete --force $id

limit() { config ".linux.resources.$1"; refused "$1" $id "$2"; }
limit 'cpu.cpus = "4000-4001"' '^vmrun: /linux/resources/cpu/cpus: '
limit 'cpu.cpus = "1-0"' '^vmrun: /linux/resources/cpu/cpus: '
limit 'cpu.mems = "99"' '^vmrun: /linux/resources/cpu/mems: '
limit 'memory = {limit: 100000000, swap: 99999999}' '^vmrun: /linux/resources/memory/swap: '
limit 'pids.limit = 2' '^vmrun: /linux/resources/pids/limit: .*need'
limit 'blockIO.weight = 100' '^vmrun: /linux/resources/blockIO: '
limit 'cpu = {quota: 10000, burst: 20000}' '^vmrun: /linux/resources/cpu/burst: '
limit 'unified = {"cgroup.procs": "1"}' '^vmrun: /linux/resources/unified/cgroup.procs: '
limit 'unified = {"nosuch.max": "1"}' '^vmrun: /linux/resources/unified/nosuch.max: .*no controller nosuch'
[ $memory = $base ] && limit 'memory.swappiness = 10' '^vmrun: /linux/resources/memory/swappiness: .*v2'

# Without a cgroup a VM without limits runs; one with limits does not.
config .
hidden() { unshare -m bash -c 'umount -R /sys/fs/cgroup || umount -l /sys/fs/cgroup; "$@"' sh "$vmrun_bin" --root "$root" "$@" </dev/null 2>&1 >/dev/null; }
succeeds "no cgroups on this host, no limits" hidden create --bundle "$work/b" $id
vmrun delete --force $id
config '.linux.resources.memory.limit = 100000000'
like "no cgroups on this host, but a limit" "$(hidden create --bundle "$work/b" $id)" "^vmrun: /linux/resources/memory/limit: "

readonly_here() {
	unshare -m bash -c 'for m in $(findmnt -rno TARGET -t cgroup,cgroup2); do mount -o remount,bind,ro "$m"; done; "$@"' sh \
		"$vmrun_bin" --root "$root" "$@" </dev/null 2>&1 >/dev/null
}
like "cgroups that are read-only, and a limit" "$(readonly_here create --bundle "$work/b" $id)" \
	"^vmrun: /linux/resources/memory/limit: no cgroup is available .*Read-only"
config .
succeeds "cgroups that are read-only, no limit" readonly_here create --bundle "$work/b" $id
vmrun delete --force $id
config '.linux.resources.memory.limit = 100000000'

# A read-only copy and hundreds of other mounts come before the hierarchies.
many() {
	unshare -m bash -c '
		mount -t tmpfs none "$1"; d=$1/$(printf "x%.0s" {1..100}); mkdir -p "$d/0" "$1/ro"
		mount --rbind "$2" "$1/ro" && mount -o remount,bind,ro "$1/ro"
		for i in $(seq 400); do mkdir "$d/$i"; mount --bind "$d/0" "$d/$i"; done
		mount --make-private "$2"; mkdir "$1/new"; mount --bind "$2" "$1/new"; umount -l "$2"; mount --bind "$1/new" "$2"
		shift 2; "$@"' sh "$work/mounts" $memory "$vmrun_bin" --root "$root" "$@" </dev/null 2>&1 >/dev/null
}
mkdir "$work/mounts"
succeeds "behind 400 mounts and a read-only copy" many create --bundle "$work/b" $id
like "the VM is in its cgroup" "$(in_memory memory.limit_in_bytes memory.max)" '^99999744$'
vmrun delete --force $id

# ---- names ----
for name in tasks cgroup.procs memory.limit_in_bytes memory.max _x "cpu.$(printf 'x%.0s' {1..251})"; do
	is "the id ${name:0:30}" "$(create "$name" | grep -v emulates)" ""
	vmrun delete --force "$name" || not_ok "delete of ${name:0:30}"
done
config '.linux.cgroupsPath = "/vmrun/cgroup.procs"'
refused "a path that is a file" $id "is a file of the cgroup file system"

# ---- groups that stand still ----
# frozen NAME DIR FILE YES NO: before create, above it, and under a running VM
frozen() {
	local name=$1 dir=$2/$id-frozen file=$3
	mkdir "$dir" 2>/dev/null && [ -e "$dir/$file" ] || { skip "$name" "no $file"; return; }
	echo "$4" >"$dir/$file"
	config ".linux.cgroupsPath = \"/$id-frozen\""
	refused "$name: frozen" $id "frozen"
	config ".linux.cgroupsPath = \"/$id-frozen/a/b\""
	refused "$name: frozen above" $id "frozen"
	echo "$5" >"$dir/$file"
	config .
	create $id >/dev/null && vmrun start $id
	for p in $(vm_pids $id); do echo "$p" >"$dir/cgroup.procs"; done
	strange
	echo $stranger >"$dir/cgroup.procs"
	echo "$4" >"$dir/$file"
	succeeds "$name: a frozen VM can be deleted" timeout $((9 * patience)) "$vmrun_bin" --root "$root" delete --force $id
	is "$name: nothing is left of it" "$(ls -A "$root"; groups "vmrun/$id")" ""
	is "$name: a process beside it stays, frozen" "$(cat "$dir/cgroup.procs") $(cat "$dir/$file")" "$stranger $4"
	echo "$5" >"$dir/$file"
	kill -9 $stranger && wait $stranger 2>/dev/null
	rmdir $(groups $id-frozen)
}
frozen "v1 freezer" $base/freezer freezer.state FROZEN THAWED
[ -z "$v2" ] || frozen "v2" $v2 cgroup.freeze 1 0

# ---- memory ----
config .
create $id >/dev/null
own=$(cat "/proc/$(vmrun state $id | jq .pid)/oom_score_adj")
for p in $(vmrun state $id | jq .vmrun.processes[].pid); do
	[ "$(cat "/proc/$p/oom_score_adj")" -gt "$own" ] || not_ok "process $p goes no sooner than the supervisor"
done
ok "jailed processes go first"
vmrun delete --force $id
config '.process = {cwd: "/", oomScoreAdj: 950}'
create $id >/dev/null
scores() { for p in $(vm_pids $id); do cat "/proc/$p/oom_score_adj"; done | xargs; }
# Where root may not either, as in some containers, both are equal.
raised="950 1000 1000 1000" wanted=$raised
if (echo -999 >/proc/self/oom_score_adj) 2>/dev/null; then wanted="-999 950 950 950"; fi
is "/process/oomScoreAdj" "$(scores)" "$wanted"
vmrun delete --force $id
setpriv --bounding-set=-sys_resource "$vmrun_bin" --root "$root" create --bundle "$work/b" $id </dev/null >/dev/null 2>&1
is "/process/oomScoreAdj without CAP_SYS_RESOURCE" "$(scores)" "$raised"
vmrun delete --force $id
config '.process = {cwd: "/", oomScoreAdj: 0} | .linux.resources.memory.limit = 16777216'
setpriv --bounding-set=-sys_resource "$vmrun_bin" --root "$root" create --bundle "$work/b" $id </dev/null >/dev/null 2>&1
is "the less there is, the sooner the others go" "$(scores)" "0 250 250 250"
vmrun delete --force $id

for bytes in 4096 300000 1000000 3000000 4194304; do
	# The last is enough for some VMs, but not for one with so many devices.
	config ".linux.resources.memory.limit = $bytes | .vm.devices += [range(18) | {type: \"block\", path: \"/disk\\(.)\"}]"
	sed -i "s|/disk|$work/disk|" "$work/b/config.json"
	for n in {0..17}; do truncate -s 1M "$work/disk$n"; done
	refused "a limit of $bytes bytes" $id "^vmrun: /linux/resources/memory/limit: $bytes bytes.*memory"
	is "a limit of $bytes bytes: no cgroup is left" "$(groups "vmrun/$id")" ""
done
config '.linux.resources.memory.limit = 16000000' hungry
create $id >/dev/null && vmrun --log "$work/log" start $id
succeeds "a guest that uses more than the limit: it ends" eventually 20 is_stopped $id
is "the cause is recorded" "$(vmrun state $id | jq -r .vmrun.cause)" oom-killed
like "and which limit it was" "$(vmrun state $id | jq -r .vmrun.detail)" "killed by SIGKILL.*/linux/resources/memory/limit, 16000000 bytes"
vmrun delete $id
out=$("$vmrun_bin" --root "$root" run --bundle "$work/b" $id </dev/null 2>&1 >/dev/null)
is "run exits with its code" $? 137
like "and says it" "$out" "out of memory"
is "nothing is left" "$(ls -A "$root"; groups "vmrun/$id")" ""
