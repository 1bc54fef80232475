#!/bin/bash
# vmrun policy: policies checked, compiled, explained and compared, by a process that can do nothing else.
. "$(dirname "$0")/../lib.sh"
p=$work/p
mkdir -p "$p/sub"
cat >"$p/common.policy" <<-'END'
	read: 1
	ioctl: arg1 == TCGETS || \
	       arg1 == FIONBIO
END
cat >"$p/a.policy" <<-'END'
	@include ./common.policy
	{write, close}: 1
	ioctl: arg1 == 0x5451  # by number
END
printf '@include ./common.policy\nwrite: return EPERM\nioctl: arg1 == FIOCLEX\n@default trap\n' >"$p/b.policy"
printf 'read: 1\nwrite: arg0 == NOTHING\n' >"$p/wrong.policy"
printf '@include %s/a.policy\n' "$p" >"$p/sub/absolute.policy"
cd "$p" || exit 1

is "check: a line for each" "$(vmrun policy check a.policy b.policy | sed 's/, .*//')" $'a.policy: 5 rules\nb.policy: 4 rules'
is "check: file, line, column and word" "$(vmrun policy check wrong.policy 2>&1)" \
	'vmrun: wrong.policy:2:16: x86_64 has no constant "NOTHING"'
vmrun policy check wrong.policy a.policy /nonexistent >out 2>err
is "check: fails for one of several" $? 1
is "check: each that is wrong has a line" "$(cut -c1-25 err)" $'vmrun: wrong.policy:2:16:\nvmrun: /nonexistent: No s'
like "check: and goes on" "$(cat out)" '^a.policy: 5 rules'
is "check: an include by an absolute path" "$(vmrun policy check sub/absolute.policy | sed 's/, .*//')" "sub/absolute.policy: 5 rules"
is "check --arch" "$(vmrun policy check --arch arm a.policy | sed 's/, .*//')" "a.policy: 5 rules"
echo 'open: 1' >open.policy
is "check --arch: a call that another has" "$(vmrun policy check --arch aarch64 open.policy 2>&1)" \
	'vmrun: open.policy:1:1: aarch64 has no system call "open"'
printf 'read: arg0 == 1\nread: 1\n' >covered.policy
like "check: warns of conditions without effect" "$(vmrun policy check covered.policy 2>&1)" \
	'^vmrun: warning: covered.policy:2: the conditions of read in covered.policy:1 have no effect'

is "explain: each rule, and where it comes from" "$(vmrun policy explain a.policy)" "$(cat <<-'END'
	read: 1 # common.policy:1
	ioctl: arg1 == TCGETS || arg1 == FIONBIO # common.policy:2
	ioctl: arg1 == 0x5451 # a.policy:3
	write: 1 # a.policy:2
	close: 1 # a.policy:2
	@default kill-process
END
)"
for i in {1..2000}; do echo "ioctl: arg1 == $i"; done >large.policy
is "explain: as many rules as there may be" "$(vmrun policy explain large.policy | grep -c '^ioctl')" 2000
is "diff: nothing" "$(vmrun policy diff a.policy sub/absolute.policy; echo $?)" 0
is "diff: what only one has" "$(vmrun policy diff a.policy b.policy 2>err; echo $?)" "$(cat <<-'END'
	-write: 1 # a.policy:2
	-close: 1 # a.policy:2
	-@default kill-process
	+write: return EPERM # b.policy:2
	+@default trap
	1
END
)"
vmrun policy compile a.policy -o a.bpf
is "compile: whole instructions" "$(($(stat -c %s a.bpf) % 8 == 0 && $(stat -c %s a.bpf) > 80))" 1
# ld [4] (arch); the first instruction of each
is "compile: BPF" "$(od -An -tx1 -N8 a.bpf | tr -d ' ')" 2000000004000000
vmrun policy compile --arch aarch64 a.policy -o b.bpf
is "compile --arch" "$(od -An -tx4 -j12 -N4 b.bpf | tr -d ' ')" c00000b7

bad() { # NAME REGEX ARG...: wrong by itself
	local name=$1 regex=$2 out code
	shift 2
	out=$(vmrun policy "$@" 2>&1)
	code=$?
	is "$name" "$code" 2
	like "$name: its words" "$out" "$regex"
}
bad "no file" "policy check wants files" check
bad "one file too many" "policy explain wants one file" explain a.policy b.policy
bad "no such verb" "must be check, compile, explain, diff, stats or learn" list a.policy
bad "no output" "policy compile: --output is missing" compile a.policy
bad "output of a check" "policy check takes no --output" check -o x a.policy
bad "no such architecture" "must be x86_64, aarch64 or arm, is \"vax\"" check --arch vax a.policy

# The parser is behind a policy of its own: what it may not do, it does not do even when told.
mkfifo fifo
like "a FIFO is not waited for" "$(timeout 5 "$vmrun_bin" policy check fifo 2>&1)" "fifo: not a regular file"
is "errors reach the log" "$(vmrun --log "$work/log" policy check wrong.policy 2>/dev/null; grep -c NOTHING "$work/log")" 1
wrong=0
for f in "$top"/tests/fuzz/corpus/policy/*; do
	timeout 10 "$vmrun_bin" policy check "$f" >/dev/null 2>err || { [ $? = 1 ] && ! grep -q killed err; } || { wrong=1; echo "# $f: $(cat err)"; }
done
is "the fuzzer's seeds: refused or taken, the parser lives" $wrong 0

# ---- policies as text in place of those compiled in
cd "$top" || exit 1
cp -r "$top/policies/x86_64" "$work/text"
bundle "$work/vm" virtio
vmrun --seccomp-policy-dir "$work/text" run "$work/vm" </dev/null >"$work/out" 2>"$work/err"
is "text policies: the guest ends by the reset it asked for" $? 32
is "text policies: its devices work" "$(tr -d '\r' <"$work/out" | grep -ac '^not ok')" 0
sed -i '/^getrandom/d' "$work/text/rng.policy"
echo 'getpid: 1' >>"$work/text/rng.policy"
jq '.vm.seccompPolicyDir = "../text"' "$work/vm/config.json" >"$work/c" && mv "$work/c" "$work/vm/config.json"
vmrun run "$work/vm" </dev/null >/dev/null 2>"$work/err"
is "vm.seccompPolicyDir: relative to the bundle, and in force" $? 38
like "a device dies of what the text does not allow, and says so" "$(cat "$work/err")" \
	"rng0?: killed by its seccomp policy \(SIGSYS\): pid [0-9]+, getrandom\(0x[0-9a-f]+, 0x[0-9a-f]+, 0x0, .*; rng_device.policy has no line for it"
echo 'getrandom: arg2 == GRND_RANDOM' >"$work/text/rng.policy"
vmrun run "$work/vm" </dev/null >/dev/null 2>"$work/err"
like "arguments that the text does not allow: its line" "$(cat "$work/err")" \
	"getrandom\(.*; rng.policy:1 does not allow these arguments"
vmrun --seccomp-policy-dir policies/x86_64 run "$work/vm" </dev/null >/dev/null 2>&1
is "the option comes before the property" $? 32
is "dry-run shows it" "$(vmrun create --dry-run "$work/vm" | jq -r .seccompPolicyDir)" "$work/vm/../text"

none() { # NAME REGEX: no VM is made
	is "$1" "$(vmrun create "$work/vm" 2>&1 </dev/null | grep -cE -- "$2")" 1
	is "$1: nothing is left" "$(ls -A "$root")" ""
}
echo 'getrandom: arg7 == 1' >>"$work/text/rng.policy"
none "wrong text: its place" "text/rng.policy:[0-9]+:12: an action or arg0 to arg5 expected at \"arg7\""
cp policies/x86_64/rng.policy "$work/text/"
rm "$work"/text/*_early.policy
sed -i 's/^@include .*vu_backend.policy$/&\n@include .\/vu_memory.policy/' "$work/text/"*_device.policy
vmrun run "$work/vm" </dev/null >"$work/out" 2>&1
is "one policy for a device is in force from the first" "$? $(tr -d '\r' <"$work/out" | grep -ac '^not ok')" "32 0"
rm "$work/text/rng.policy"
none "a file that is missing" "rng_device.policy:[0-9]+:10: .*/rng.policy: No such file"
rm "$work/text/rng_device.policy"
none "a policy that is missing" "/rng_device.policy: No such file"
like "device: likewise" "$(vmrun --seccomp-policy-dir "$work" device rng --socket "$work/s" 2>&1)" "rng_device_vhost_user.policy: No such file"
