#!/bin/bash
# The emulated machine itself: what goes in, what comes out, what must not.
. "$(dirname "$0")/../lib.sh"
. bundle-examples/debs.sh
debs_name=kvmhost
# The first run downloads and says so, on the standard error that is checked below.
debs_qemu >/dev/null && debs_kernel amd64 >/dev/null || exit 1

cat >"$work/job" <<-'EOF2'
echo to-stdout; echo to-stderr >/dev/stderr
pwd; echo "arg $1"; echo "env $KVMHOST_TEST"; readlink /proc/self/fd/0
grep -qw svm /proc/cpuinfo && [ -c /dev/kvm ] && echo has-kvm
stat -f -c %T /sys/fs/cgroup
echo from-guest >"$KVMHOST_OUT/file"
echo changed >"$(dirname "$0")/mine" && cat "$(dirname "$0")/mine"
sleep 1000 &
exit 37
EOF2
echo original >"$work/mine"
mkdir "$work/a dir"
out=$(cd "$work/a dir" && KVMHOST_TEST="two  words" KVMHOST_OUT="$work/out" KVMHOST_TIMEOUT=600 \
	"$top/tests/kvmhost/run" bash "$work/job" "it's" 2>"$work/err")
is "the command's exit status comes out" $? 37
like "standard output comes out" "$out" '^to-stdout$'
is "standard error comes out apart" "$(cat "$work/err")" to-stderr
like "it runs in the caller's directory" "$out" "^$work/a dir\$"
like "arguments arrive" "$out" "^arg it's\$"
like "the environment arrives" "$out" '^env two  words$'
like "it has hardware virtualization" "$out" '^has-kvm$'
like "it has cgroup v2" "$out" '^cgroup2fs$'
is "KVMHOST_OUT takes files out" "$(cat "$work/out/file")" from-guest
like "files can be written there" "$out" '^changed$'
is "what it writes stays there" "$(cat "$work/mine")" original

out=$(KVMHOST_TIMEOUT=1 tests/kvmhost/run true 2>&1)
is "a machine that takes too long is killed: status 124" $? 124
is "and that is said in one line" "$out" "kvmhost: killed after 1 s"
