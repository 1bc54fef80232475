#!/bin/bash
# vmrun as orchestrators call it: what they rely on beyond one command after the other.
. "$(dirname "$0")/../lib.sh"
mkdir -p "$root"
bundle "$work/vm" idle '[{"type": "serial"}]'

create() { vmrun create --bundle "$work/vm" "$@" vm </dev/null >/dev/null 2>"$work/err"; }

# ---- output that cannot be written is a failure, not an empty document

create
for cmd in "state vm" "list" "list --format json" "features" "create --dry-run $work/vm"; do
	# shellcheck disable=SC2086
	out=$(vmrun $cmd 2>&1 >/dev/full | grep -v warning)
	like "${cmd%% /*}: a full standard output is an error" "$out" "^vmrun: (vm: )?standard output: No space left on device$"
done
vmrun delete --force vm

# ---- state files that are too large for a hurried reader, damaged, or gone

jq '.annotations = ([range(400)] | map({key: "org.example.k\(.)", value: ("v/" * 450)}) | from_entries)' \
	"$work/vm/config.json" >"$work/c" && cp -r "$work/vm" "$work/large" && mv "$work/c" "$work/large/config.json"
vmrun create --bundle "$work/large" vm </dev/null >/dev/null 2>&1
is "annotations of 360 KB: state can be read back" "$(vmrun state vm | jq '.annotations | length')" 400
succeeds "and the VM deleted" vmrun delete vm

for damage in '{' '' '[]' '{"id": "x"}' '{"id": 1, "status": []}' "$(printf '\377\376')" "$(printf '[%.0s' {1..4000})"; do
	create
	pids=$(vm_pids vm)
	printf %s "$damage" >"$root/vm/state.json"
	is "state.json '${damage:0:12}': one clear line" "$(vmrun state vm 2>&1)" "vmrun: vm: state.json: damaged"
	is "list names it" "$(vmrun list -q 2>&1)" "vmrun: warning: vm: state.json: damaged"
	succeeds "delete --force ends the VM nevertheless" vmrun delete --force vm
	gone=yes
	for pid in $pids; do ! readlink "/proc/$pid/exe" >/dev/null || gone="$pid is there"; done
	is "its processes are gone, and its directory" "$gone$(ls -A "$root")" yes
done

# ---- at once: one wins, the others get the true reason

at_once() { # at_once N CMD...: what N of them say, sorted and counted
	local n=$1 i
	shift
	for i in $(seq "$n"); do ("$@" 2>&1 && echo done) & done | grep -v warning | sort | uniq -c | sed 's/^ *//'
	wait
}
bad=0
for i in $(seq 10); do
	create
	out=$(at_once 3 vmrun delete --force vm)
	[ "$out" = "3 done" ] || { bad=1; echo "# $out"; }
	create
	out=$(at_once 3 vmrun delete vm | grep -vE '^[12] vmrun: vm: container does not exist$')
	grep -qE '^[123] done$' <<<"$out" && [ "$(wc -l <<<"$out")" -eq 1 ] || { bad=1; echo "# $out"; }
done
is "three deletes at once, ten times" $bad 0
create
is "three starts at once" "$(at_once 3 vmrun start vm)" "$(printf '1 done\n2 vmrun: vm: cannot start an already running container')"
vmrun delete --force vm

# ---- a start that cannot be recorded has not happened

mkdir "$work/small" && mount -t tmpfs -o size=64k none "$work/small"
small() { "$vmrun_bin" --root "$work/small" "$@"; }
small create --bundle "$work/vm" vm </dev/null >/dev/null 2>&1
head -c 64k /dev/zero >"$work/small/fill" 2>/dev/null
like "start with a full state directory fails" "$(small start vm 2>&1)" "state.json: No space left on device"
is "the VM is still created" "$(small state vm | jq -r .status)" created
rm "$work/small/fill"
succeeds "start with room again" small start vm
is "it runs" "$(small state vm | jq -r .status)" running
head -c 64k /dev/zero >"$work/small/fill" 2>/dev/null
small kill vm KILL
small_stopped() { [ "$(small state vm | jq -r .status)" = stopped ]; }
eventually 10 small_stopped
is "how it ended is written down without room as well" "$(small state vm | jq -r .vmrun.cause)" killed
small delete --force vm
umount "$work/small"

# ---- a supervisor that hangs

create
pid=$(vmrun state vm | jq .pid)
kill -STOP "$pid"
cd "$root/vm" || exit 1
perl -e 'use Socket; use Fcntl;
	for (1 .. 12) {
		socket(my $s, AF_UNIX, SOCK_SEQPACKET, 0) or die; fcntl($s, F_SETFL, O_NONBLOCK);
		connect($s, pack_sockaddr_un("control")); push @held, $s;
	}
	sleep 60' &
holder=$!
cd "$top" || exit 1
eventually 10 sh -c "[ \$(grep -c '/control$' /proc/net/unix) -ge 9 ]"
succeeds "kill KILL of one with a full backlog" timeout 30 "$vmrun_bin" --root "$root" kill vm KILL
kill $holder
wait $holder 2>/dev/null
succeeds "delete after that" vmrun delete --force vm

# ---- low limits

disks=$(for i in $(seq 22); do truncate -s 4k "$work/d$i"; printf '{"type": "block", "path": "%s"}, ' "$work/d$i"; done)
bundle "$work/many" hello "[$disks{\"type\": \"serial\"}, {\"type\": \"rng\"}]"
jq '.vm.hwConfig.vcpus = 32' "$work/many/config.json" >"$work/c" && mv "$work/c" "$work/many/config.json"
is "24 devices and 32 vCPUs under ulimit -Sn 64" \
	"$(ulimit -Sn 64; timeout 60 "$vmrun_bin" --root "$root" run --id vm "$work/many" </dev/null 2>"$work/err" | tr -d '\r')" \
	"hello from the guest"

# ---- what the caller has and the VM must not

setpriv --groups 4,6 "$vmrun_bin" --root "$root" create --bundle "$work/vm" vm </dev/null >/dev/null 2>&1
is "the caller's groups are dropped" "$(for pid in $(vm_pids vm); do awk '$1 == "Groups:" { print NF }' "/proc/$pid/status"; done | sort -u)" 1
vmrun delete --force vm

# ---- roots with fewer rights than root

hello() { # hello CMD...: what a guest says whose VM is run through CMD
	timeout 60 "$@" "$vmrun_bin" --root "$root" run --id vm "$work/hello" </dev/null 2>"$work/err" | tr -d '\r'
}
bundle "$work/hello" hello '[{"type": "serial"}]'
is "root of a user namespace with one id" "$(hello unshare -Ur)" "hello from the guest"
is "root without capabilities" "$(hello setpriv --bounding-set=-all)" "hello from the guest"
is "root without CAP_SYS_ADMIN" "$(hello setpriv --bounding-set=-sys_admin)" "hello from the guest"

# Two VMs whose supervisors have one pid, each in a pid namespace of its own, are two users of the host.
below() { local pid; for pid in $(pgrep -P "$1"); do echo "$pid"; below "$pid"; done; }
runs=
for id in one two; do
	unshare --pid --fork --mount-proc "$vmrun_bin" --root "$root" run --id $id "$work/vm" </dev/null >/dev/null 2>&1 &
	runs="$runs $!"
	eventually 10 is_running $id || not_ok "a VM in a pid namespace runs"
done
is "in two pid namespaces: one pid" "$(for id in one two; do vm_pid $id vmm; done | sort -u | wc -l)" 1
is "and two uids" "$(for pid in $runs; do for p in $(below "$pid"); do awk '$1 == "Uid:" && $2 >= 1879048192 { print $2 }' "/proc/$p/status"; done; done | sort -u | wc -l)" 2
for id in one two; do vmrun kill $id KILL; done
wait

# An id that vmrun makes up is free, also where every run has the same pid.
for i in 1 2; do
	is "run of a kernel, $i, in a fresh pid namespace" "$(timeout 60 unshare --pid --fork --mount-proc "$vmrun_bin" --root "$root" \
		run --keep -m 32 "$B/guests/hello.elf" </dev/null 2>"$work/err" | tr -d '\r')" "hello from the guest"
done
is "each has its id" "$(vmrun list -q | grep -cE '^vm-[0-9a-f]{12}$')" 2
for id in $(vmrun list -q); do vmrun delete "$id"; done

# ---- pid file

echo precious >"$work/victim"
ln -s victim "$work/.pid"
create --pid-file "$work/pid"
is "the pid file: digits only, the supervisor's pid" "$(od -An -c "$work/pid")" "$(vmrun state vm | jq -j .pid | od -An -c)"
is "a link in the way of its temporary name is not followed" "$(cat "$work/victim")" precious
vmrun delete --force vm

# ---- process.terminal in the foreground, standard output a file

bundle "$work/term" hello '[{"type": "serial"}]'
jq '.process = {"terminal": true, "cwd": "/"}' "$work/term/config.json" >"$work/c" && mv "$work/c" "$work/term/config.json"
vmrun run "$work/term" </dev/null >"$work/out" 2>"$work/err"
is "run > file of a VM with a terminal" "$(tr -d '\r' <"$work/out")" "hello from the guest"

# ---- one line for any name

is "a newline in a name" "$(vmrun create --bundle $'/nowhere\nvmrun: \e[2Jdone' vm 2>&1)" \
	"vmrun: bundle /nowhere?vmrun: ?[2Jdone: No such file or directory"
vmrun --log "$work/log" --log-format json create --bundle $'/no"where\\\n\377' vm >/dev/null 2>&1
is "in the log it is JSON" "$(jq -r '.level' "$work/log")" error
dir=$work/$'\e[2J\302\233n\303\274\nx'
cp -r "$work/vm" "$dir"
vmrun create --bundle "$dir" vm </dev/null >/dev/null 2>&1
table=$(vmrun list)
is "list: a name is shown, and moves no cursor" "$(grep -oa "$work[^ ]*" <<<"$table")" "$work/?[2J?n"$'\303\274'"?x"
column() { local LC_ALL=C.UTF-8 line=$(sed -n "$1p" <<<"$table"); line=${line%%$2*}; echo ${#line}; }
is "list: the columns stay where they are" "$(column 2 20[0-9][0-9]-)" "$(column 1 CREATED)"
is "list: JSON has it unchanged" "$(vmrun list --format json | jq -r '.[0].bundle')" "$dir"
vmrun delete --force vm

# ---- create interrupted at any moment leaves nothing, without a delete

nothing_left() { local left; left=$(ls -A "$root") && [ -z "$left" ]; }
bad=0
for sig in TERM INT HUP; do
	for ms in 0 1 2 3 4 5 6 7 8 9 10 12; do
		# through env: a shell's background jobs ignore INT
		env --default-signal=INT "$vmrun_bin" --root "$root" create --bundle "$work/vm" vm </dev/null >/dev/null 2>"$work/err" &
		pid=$!
		sleep "$(printf '0.%03d' $ms)"
		kill -$sig $pid 2>/dev/null
		wait $pid 2>/dev/null
		status=$?
		if [ $status -eq 0 ]; then vmrun delete vm; continue; fi
		# One that fails on its own was not interrupted.
		[ "$(kill -l $status 2>/dev/null)" = $sig ] && eventually 10 nothing_left && continue
		bad=1
		echo "# $sig after $ms ms: exit $status, $(tail -n 1 "$work/err"), left: $(ls "$root/vm")"
		vmrun delete --force vm
	done
done
is "TERM, INT, HUP to create at 12 moments each" $bad 0
