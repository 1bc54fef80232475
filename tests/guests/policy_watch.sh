#!/bin/bash
# vmrun policy stats and learn: what a VM's processes do, held against their policies; the VM does not suffer from it.
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1
bundle "$work/vm" virtio
at=("$vmrun_bin" --root "$root")
learned=$work/learned

# ---- learn
vmrun policy learn -o "$learned" -- "${at[@]}" run "$work/vm" </dev/null >"$work/out" 2>"$work/err"
is "learn: exits as its command does" $? 32
like "learn: says what it is" "$(cat "$work/err")" "^vmrun: WARNING: policy learn: the seccomp filters of what it runs refuse nothing"
is "learn: a policy for each process" "$(ls "$learned" | tr '\n' ' ')" \
	"block_device.policy rng_device.policy serial_device.policy vmm_device.policy "
like "learn: rules for arguments, with their names" "$(cat "$learned/vmm_device.policy")" "^ioctl: arg1 == KVM_RUN # [0-9]+ times"
# calls FILE: those that it allows
calls() { vmrun policy explain "$1" | sed -n 's/^\([a-z0-9_]*\): .*/\1/p' | sort -u; }
for d in block_device rng_device serial_device vmm_device; do
	ours=policies/x86_64/${d}_early.policy
	[ -e "$ours" ] || ours=policies/x86_64/$d.policy
	is "learn: $d: no call that ours does not have" "$(comm -23 <(calls "$learned/$d.policy") <(calls "$ours"))" ""
done
is "learn: numbers of fds only if asked" "$(grep -h 'arg0 == [0-9]' "$learned"/*)" ""
vmrun --seccomp-policy-dir "$learned" run "$work/vm" </dev/null >"$work/out2" 2>"$work/err"
is "the same VM runs by what was learned" $? 32
is "and its devices work" "$(grep -ac '^ok' "$work/out2") $(grep -ac '^not ok' "$work/out2")" "$(grep -ac '^ok' "$work/out") 0"

cp -r policies/x86_64 "$work/text"
sed -i '/^getrandom/d' "$work/text/rng.policy"
echo 'getpid: 1' >>"$work/text/rng.policy"
vmrun policy learn --fds -- "${at[@]}" --seccomp-policy-dir "$work/text" run "$work/vm" </dev/null >"$work/out" 2>"$work/err"
is "learn: what the filters would refuse does not end the VM" $? 32
like "learn: but is learned" "$(cat "$work/out")" "^getrandom: arg2 == 0 # [0-9]+ times"
like "learn --fds" "$(cat "$work/out")" "^fstat: arg0 == 7 # [0-9]+ times"
vmrun policy learn --fds -o "$work/fds" -- "${at[@]}" run "$work/vm" </dev/null >/dev/null 2>"$work/err"
like "learn --fds: the disk's calls are the disk's" "$(cat "$work/fds/block_device.policy")" "^fdatasync: arg0 == 6 # [0-9]+ times"
is "without learn it does" "$(vmrun --seccomp-policy-dir "$work/text" run "$work/vm" </dev/null >/dev/null 2>&1; echo $?)" 38

vmrun policy learn -o "$work/none" -- "${at[@]}" run "$work/vm" </dev/null >"$work/out" 2>"$work/err"
# What a process waits for, and how often, differs from run to run.
is "learn: again, a policy for each process" "$(ls "$work/none")" "$(ls "$learned")"
rm -r "$work/none"

# ---- stats
bundle "$work/busy" busy
vmrun create --bundle "$work/busy" busy </dev/null >/dev/null 2>&1
vmrun start busy
vmrun policy stats --seconds 1 busy >"$work/out" 2>"$work/err"
is "stats: of a running VM" "$? $(cat "$work/err")" "0 "
like "stats: process, calls, rule, place" "$(cat "$work/out")" "^vmm +[1-9][0-9]*  ioctl: arg1 == KVM_RUN # vmm_device.policy:[0-9]+$"
like "stats: rules that were not used" "$(cat "$work/out")" "^block0 +0  fdatasync: arg0 == 6 # block.policy:[0-9]+$"
is "stats: each rule of each process" "$(awk '{ print $1 }' "$work/out" | sort | uniq -c | awk '{ print $2, $1 }')" \
	"$(for d in block rng serial vmm; do echo "$d$([ $d = vmm ] || echo 0) $(($(vmrun policy explain policies/x86_64/${d}_device.policy | wc -l) - 1))"; done)"
is "stats: no call that no rule allows" "$(grep -c 'no rule' "$work/out")" 0
vmrun --seccomp-policy-dir policies/x86_64 policy stats --seconds 1 busy >"$work/out" 2>&1
like "stats: by policies as text" "$(cat "$work/out")" "^vmm +[1-9][0-9]*  ioctl: arg1 == KVM_RUN # policies/x86_64/vmm_device.policy:[0-9]+$"
# Only those calls are in it that were made meanwhile, so the policies can be others.
mkdir "$work/other"
for p in block rng serial vmm; do echo 'read: arg2 > 0' >"$work/other/${p}_device.policy"; done
like "stats: calls that no rule allows" "$(vmrun --seccomp-policy-dir "$work/other" policy stats -s 1 busy)" \
	"^vmm +[1-9][0-9]*  no rule allows these calls, the first "
echo 'read: arg9 == 1' >"$work/other/vmm_device.policy"
like "stats: a policy that is wrong" "$(vmrun --seccomp-policy-dir "$work/other" policy stats -s 1 busy 2>&1)" \
	"^vmrun: busy: .*/other/vmm_device.policy:1:7: an action or arg0 to arg5 expected"

# traced: whether a process of the VM is
traced() { for p in $(vm_pids busy); do cat /proc/"$p"/task/*/status; done | grep -q '^TracerPid:[^0-9]*[1-9]'; }
for i in 1 2 3 4 5; do
	"${at[@]}" policy stats --seconds 100 busy >/dev/null 2>&1 &
	eventually 10 traced || not_ok "stats $i: traces"
	[ $i != 1 ] || like "stats: one at a time" "$(vmrun policy stats busy 2>&1)" "process [0-9]+ cannot be traced: Operation not permitted"
	kill -9 $!
	wait $! 2>/dev/null
done
untraced() { ! traced; }
succeeds "stats: killed, it lets go" eventually 10 untraced
is "stats: and the VM goes on" "$(vm_status busy) $(vmrun policy stats -s 1 busy | grep -c '^vmm *[1-9].*KVM_RUN')" "running 1"
"${at[@]}" policy stats --seconds 100 busy >"$work/out" 2>&1 &
eventually 10 traced
kill -INT $!
wait $!
is "stats: interrupted, it prints what it saw" "$? $(grep -c KVM_RUN "$work/out")" "0 1"

vmrun pause busy
vmrun policy stats -s 1 busy >"$work/out" 2>&1
is "stats: of a VM that is paused" "$? $(grep -c '^vmm ' "$work/out")" "0 $(($(vmrun policy explain policies/x86_64/vmm_device.policy | wc -l) - 1))"
vmrun resume busy
is "stats: and it can go on" "$(vm_status busy) $(vmrun policy stats -s 1 busy | grep -c '^vmm *[1-9].*KVM_RUN')" "running 1"

mkdir -p "$work/c/rootfs/bin"
install -m 755 /dev/null "$work/c/rootfs/bin/sleep"
head -c 512 /dev/zero >"$work/initrd"
jq -n --arg k "$B/guests/agent.elf" --arg i "$work/initrd" '{kernel: $k, initrd: $i, memory: 67108864}' >"$work/host.json"
echo '{"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "process": {"cwd": "/", "args": ["sleep"], "user": {"uid": 0, "gid": 0}}}' >"$work/c/config.json"
vmrun --host-config "$work/host.json" create --bundle "$work/c" c </dev/null >/dev/null 2>&1
vmrun start c
vmrun policy stats -s 1 c >"$work/out" 2>&1
is "stats: of a container" "$? $(awk '{ print $1 }' "$work/out" | sort -u | tr '\n' ' ')" "0 $(vmrun state c | jq -r '.vmrun.processes[].name' | sort -u | tr '\n' ' ')"
vmrun delete --force c

vmrun policy stats --run -o "$work/table" -- "${at[@]}" run "$work/vm" </dev/null >"$work/out" 2>"$work/err"
is "stats --run: exits as its command does" $? 32
like "stats --run: of each policy" "$(cat "$work/table")" "^rng_device +[1-9][0-9]*  getrandom: arg2 == 0 # rng.policy:[0-9]+$"
vmrun policy stats --run -o "$work/table" -- "${at[@]}" --seccomp-policy-dir "$work/text" run "$work/vm" </dev/null >"$work/out" 2>"$work/err"
is "stats --run: filters stay in force" $? 38
like "stats --run: and who is refused a call dies of that" "$(cat "$work/err")" \
	"rng0?: killed by its seccomp policy \(SIGSYS\): pid [0-9]+, getrandom\("
# shellcheck disable=SC2016
vmrun policy stats --run -s 2 -o "$work/table" -- sh -c 'echo $$ >"$1"; shift; exec "$@"' - "$work/pid" \
	"${at[@]}" device rng --socket "$work/sock" >/dev/null 2>&1 </dev/null
like "stats --run: a device alone" "$(cat "$work/table")" "^rng_device_vhost_user +[1-9]"
succeeds "and it goes on" kill -0 "$(cat "$work/pid")"
kill "$(cat "$work/pid")"
vmrun policy stats --run -o "$work/table" -- "${at[@]}" policy check policies/x86_64/rng_device.policy >/dev/null
like "stats --run: what parses policies" "$(cat "$work/table")" "^parser_device +[1-9][0-9]*  openat: "

# ---- what goes wrong
wrong() { # NAME EXIT REGEX ARG...
	local name=$1 code=$2 regex=$3 out is
	shift 3
	out=$("${at[@]}" policy "$@" 2>&1 </dev/null)
	is=$?
	is "$name" $is "$code"
	like "$name: its words" "$out" "$regex"
}
wrong "learn: no command" 2 "policy learn wants a command" learn
wrong "learn: no command behind --" 2 "policy learn wants a command" learn --
wrong "learn: a command that is not there" 1 "^vmrun: /nonexistent: No such file" learn -- /nonexistent
wrong "learn: one that is not in PATH" 1 "^vmrun: no-such-command: No such file" learn -- no-such-command
wrong "learn: one that runs no VM" 1 "^vmrun: no process behind a policy was seen" learn -o "$work/new" -- true
wrong "learn: a run that fails" 1 "^vmrun: no process behind a policy was seen" learn -o "$work/new" -- "${at[@]}" run "$work/nothing/"
is "learn: then there is no directory" "$(ls -d "$work/new" 2>&1 | grep -c 'No such file')" 1
wrong "learn: a directory that has files" 1 "$learned: Directory not empty" learn -o "$learned" -- true
wrong "learn: a directory in one that is missing" 1 "$work/a/b: No such file" learn -o "$work/a/b" -- "${at[@]}" run "$work/vm"
wrong "learn: a file" 1 "$work/out: Not a directory" learn -o "$work/out" -- true
wrong "learn: options of others" 2 "policy learn takes no --seconds" learn -s 3 -- true
wrong "stats: no ID" 2 "policy stats wants the ID of a VM, or --run and a command" stats
wrong "stats: two" 2 "policy stats wants an ID, or --run" stats a b
wrong "stats: no such VM" 1 "^vmrun: nosuch: .*does not exist" stats nosuch
wrong "stats: no number" 2 "option --seconds wants a number greater than 0" stats --seconds 0 busy
vmrun kill busy KILL
eventually 10 is_stopped busy
wrong "stats: one that has stopped" 1 "^vmrun: busy: container not running" stats busy
vmrun delete busy

# ---- learn is killed: what it let do anything is gone
"${at[@]}" policy learn -o "$work/new" -- "${at[@]}" run --id busy "$work/busy" </dev/null >/dev/null 2>&1 &
learner=$!
eventually 20 is_running busy || not_ok "learn: the VM runs"
kill -9 $learner
wait $learner 2>/dev/null
gone() { [ -z "$(ls -A "$root")" ]; }
succeeds "learn: killed, its VM ends" eventually 20 gone
is "learn: and no policy is written" "$(ls -d "$work/new" 2>&1 | grep -c 'No such file')" 1
