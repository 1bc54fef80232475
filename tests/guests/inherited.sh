#!/bin/bash
# What vmrun inherits by exec says nothing about a VM: signals, limits, umask, timers, streams.
. "$(dirname "$0")/../lib.sh"
mkdir -p "$root"
vm=inh$$ # a cgroup that no other test has
bundle "$work/$vm" hello '[{"type": "serial"}]'

# settled NAME CMD...: CMD in front of vmrun changes nothing; the VM runs to its end, and vmrun sees it
settled() {
	local name=$1 out code
	shift
	out=$(timeout -k 2 30 "$@" "$vmrun_bin" --root "$root" run --id "$vm" "$work/$vm" </dev/null 2>"$work/err" | tr -d '\r'
		echo "exit ${PIPESTATUS[0]}")
	is "$name: the VM runs, and its end is seen" "$out" "$(printf 'hello from the guest\nexit 32')"
	vmrun delete --force $vm
}
# named NAME LIMIT ULIMIT...: create is refused by a line that names the limit, and leaves nothing
named() {
	local name=$1 limit=$2 out
	shift 2
	out=$(set +u; (ulimit "$@" && timeout -k 2 30 "$vmrun_bin" --root "$root" create "$work/$vm"; echo "exit $?") </dev/null 2>&1 |
		grep -v warning: | cat)
	like "$name: is named" "$out" "^vmrun: $limit is [0-9]+, and [0-9]+ are needed"
	like "$name: as an error, not a death" "$out" '^exit 1$'
	is "$name: nothing is left" "$(ls -A "$root")" ""
	vmrun delete --force $vm
}
limited() { (ulimit "${@:1:2}" && exec "${@:3}"); }
export -f limited
under() { settled "ulimit $1 $2" bash -c 'limited "$@"' sh "$1" "$2"; }

settled "SIGCHLD ignored" env --ignore-signal=CHLD
settled "every signal ignored" env --ignore-signal
settled "every signal blocked" env --block-signal
# root ignores the modes of files, unless it cannot
settled "umask 0777" bash -c 'umask 0777; exec setpriv --bounding-set -dac_override,-dac_read_search "$@"' sh
settled "a timer that ran out" perl -MPOSIX -e 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGALRM)); alarm 1; select undef, undef, undef, 1.1; exec @ARGV'
settled "no standard input" bash -c 'exec "$@" <&-' sh
settled "no standard error" bash -c 'exec "$@" 2>&-' sh
for l in "-Sf 0" "-Sn 16" "-Su 1" "-Sv 65536" "-Ss 64" "-s unlimited" "-Si 0" "-l 0"; do
	# shellcheck disable=SC2086
	under $l
done

# Without standard streams, the first fds that vmrun opens must not be taken for them.
vmrun create "$work/$vm" <&- >&- 2>&-
is "no standard stream at all: created" "$(vm_status $vm)" created
vmrun start $vm
succeeds "no standard stream at all: the VM ends" eventually 20 is_stopped $vm
vmrun delete --force $vm

for l in "-f 0" "-f 1" "-f 1024"; do
	# shellcheck disable=SC2086
	named "ulimit $l" RLIMIT_FSIZE $l
done
named "ulimit -u 1" RLIMIT_NPROC -u 1
named "ulimit -n 64" RLIMIT_NOFILE -n 64
named "ulimit -v 40000" RLIMIT_AS -v 40000
named "ulimit -d 20000" RLIMIT_DATA -d 20000

bundle "$work/$vm.idle" idle
truncate -s 64M "$work/$vm/disk.img"
bundle "$work/$vm" hello
named "a disk larger than a file may be" RLIMIT_FSIZE -f 40000

perl -e 'use Time::HiRes "ualarm"; ualarm 300000, 300000; exec @ARGV' \
	"$vmrun_bin" --root "$root" run "$work/$vm.idle" </dev/null >/dev/null 2>&1 &
pid=$!
eventually 20 is_running $vm.idle
sleep 0.5 # in which the timer runs out
vmrun kill $vm.idle KILL
wait $pid
is "a timer that runs out: the VM runs until it is killed" $? 137
vmrun delete --force $vm.idle

# nohup does say something: the terminal may go, the VM stays.
env --ignore-signal=HUP "$vmrun_bin" device rng --socket "$work/sock" >/dev/null 2>&1 &
device=$!
env --ignore-signal=HUP "$vmrun_bin" --root "$root" run "$work/$vm.idle" </dev/null >/dev/null 2>&1 &
pid=$!
eventually 20 is_running $vm.idle
eventually 20 [ -S "$work/sock" ]
kill -HUP $pid $device
like "SIGHUP ignored: it stays ignored" "$(awk '$1 == "SigIgn:" { print $2 }' /proc/$pid/status)" '[13579bdf]$'
vmrun kill $vm.idle KILL
wait $pid
is "and the VM ran until it was killed" $? 137
kill $device
wait $device
is "a device alone: likewise" $? 0
