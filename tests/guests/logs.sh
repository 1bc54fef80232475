#!/bin/bash
# The supervisor's log: no process waits for its reader, and no process of a VM can fill it.
. "$(dirname "$0")/../lib.sh"
trap 'fsfreeze -u "$work/mnt" 2>/dev/null; umount "$work/mnt" 2>/dev/null; cleanup' EXIT
mkdir -p "$root"
vm=log$$ # a cgroup that no other test has
bundle "$work/$vm" idle

logging() { "$vmrun_bin" --root "$root" --log "$work/log" "$@"; }
# say PID TIMES TEXT: writes it, a line each time, to the log of a process, and prints how many were taken
say() {
	perl -e 'my ($pid, $times, $text) = @ARGV;
		$text = eval qq("$text");
		my $fd = syscall(438, syscall(434, $pid + 0, 0), 4, 0);
		$fd >= 0 or die "pidfd_getfd: $!";
		open(my $log, ">&=", $fd) or die "$!";
		my $taken = 0;
		for (1 .. $times) { $taken++ if (syswrite($log, $text) // 0) > 0 }
		print $taken' "$@"
}
ends() { # ends NAME: the VM's devices are watched, and it can be killed
	kill -9 "$(vm_pid $vm rng0)"
	succeeds "$1: the death of a device is seen" eventually 10 is_stopped $vm
	is "$1: and named" "$(vmrun state $vm | jq -r .vmrun.cause)" device-killed
	succeeds "$1: delete" timeout 20 "$vmrun_bin" --root "$root" delete $vm
}

# ---- a log that cannot be

for verb in "state none" "list" "kill none" "delete none" "create $work/$vm"; do
	# shellcheck disable=SC2086
	is "no such directory: $verb" "$("$vmrun_bin" --root "$root" --log "$work/nowhere/log" $verb 2>&1 >/dev/null; echo $?)" \
		"vmrun: --log $work/nowhere/log: No such file or directory"$'\n'1
done

# ---- a reader that is absent, or does not read

mkfifo "$work/log"
for verb in "state none" "list" "kill none" "delete none" "--version"; do
	# shellcheck disable=SC2086
	timeout 10 "$vmrun_bin" --root "$root" --log "$work/log" $verb >/dev/null 2>&1
	[ $? -lt 124 ] && ok "a FIFO without a reader: $verb" || not_ok "a FIFO without a reader: $verb"
done
timeout 20 "$vmrun_bin" --root "$root" --log "$work/log" create "$work/$vm" </dev/null >/dev/null 2>&1
is "a FIFO without a reader: create" $? 0
ends "a FIFO without a reader"

exec 9<>"$work/log"
dd if=/dev/zero of="$work/log" bs=4k oflag=nonblock 2>/dev/null
logging --log-level debug create "$work/$vm" </dev/null >/dev/null 2>&1
eventually 10 [ "$(say "$(vm_pid $vm rng0)" 3 'W no room')" = 3 ]
succeeds "a full FIFO: the supervisor answers" timeout 20 "$vmrun_bin" --root "$root" kill $vm URG
read_log() { dd if="$work/log" bs=64k iflag=nonblock 2>/dev/null | tr -d '\0' >>"$work/read"; }
logged() { read_log; grep -qa "$1" "$work/read"; }
succeeds "a full FIFO: a line says what was lost soon after there is room" eventually 10 logged '[0-9]* lines were lost here'
ends "a full FIFO"
succeeds "a full FIFO: what comes then is logged" eventually 10 logged 'rng0: killed by SIGKILL'
exec 9>&-

# `run` keeps standard error; its reader does not.
exec 8> >(exec sleep 600)
reader=$!
"$vmrun_bin" --root "$root" --debug run --keep "$work/$vm" </dev/null >/dev/null 2>&8 &
eventually 10 is_running $vm
dd if=/dev/zero of=/proc/self/fd/8 bs=4k oflag=nonblock 2>/dev/null
say "$(vm_pid $vm rng0)" 5 'W no room' >"$work/taken"
kill -9 "$(vm_pid $vm rng0)"
succeeds "standard error that no process reads: the end is seen" eventually 10 is_stopped $vm
kill $reader
wait
exec 8>&-
vmrun delete --force $vm

# A disk that stands still stops the process that writes to it; the VM must not need that process.
truncate -s 32M "$work/fs" && mkfs.ext4 -q "$work/fs" && mkdir "$work/mnt" && mount -o loop "$work/fs" "$work/mnt" 2>/dev/null
if mountpoint -q "$work/mnt"; then
	frozen() { timeout 20 "$vmrun_bin" --root "$root" --log "$work/mnt/log" "$@" </dev/null >/dev/null 2>&1; }
	: >"$work/mnt/log"
	fsfreeze -f "$work/mnt"
	frozen state none
	is "a frozen disk: state" $? 1
	frozen --log-level debug create "$work/$vm"
	is "a frozen disk: create" $? 0
	say "$(vm_pid $vm rng0)" 3 'W not now' >"$work/taken"
	succeeds "a frozen disk: the supervisor answers" timeout 20 "$vmrun_bin" --root "$root" kill $vm URG
	kill -9 "$(vm_pid $vm rng0)"
	succeeds "a frozen disk: the death of a device is seen" eventually 10 is_stopped $vm
	fsfreeze -u "$work/mnt"
	written() { grep -q 'none: container does not exist' "$work/mnt/log" && grep -q 'rng0: not now' "$work/mnt/log"; }
	succeeds "a frozen disk: what was on its way is there in the end" eventually 10 written
	succeeds "a frozen disk: delete" eventually 10 timeout 20 "$vmrun_bin" --root "$root" delete $vm
	umount "$work/mnt"
else
	skip "a frozen disk" "no loop devices"
fi

# ---- a process that says too much

rm "$work/log"
logging create "$work/$vm" </dev/null >/dev/null 2>&1
start=$SECONDS
for _ in $(seq 20); do say "$(vm_pid $vm rng0)" 20000 'E much' >/dev/null; done
lines=$(grep -c 'rng0: much' "$work/log")
most=$((300 + 2 * (SECONDS - start + 2)))
[ "$lines" -gt 20 ] && [ "$lines" -le $most ] && ok "400000 lines: the log takes its budget" ||
	not_ok "400000 lines: the log takes its budget: $lines, and $most are the most"
succeeds "400000 lines: the supervisor answers" timeout 20 "$vmrun_bin" --root "$root" kill $vm URG
ends "400000 lines"

# ---- one write, one line

logging --log-level debug create "$work/$vm" </dev/null >/dev/null 2>&1
say "$(vm_pid $vm rng0)" 1 'I one\nE forged\n' >/dev/null
say "$(vm_pid $vm rng0)" 1 "I $(printf 'x%.0s' {1..3000})E tail" >/dev/null
say "$(vm_pid $vm rng0)" 1 'last' >/dev/null
heard() { grep -q 'rng0: last' "$work/log"; }
succeeds "lines are heard" eventually 10 heard
is "a newline within a line makes no second one" "$(grep -c 'level=info msg="rng0: one"' "$work/log") $(grep -c forged "$work/log")" "1 0"
is "what is too long is cut, once" "$(grep -c 'rng0: xxx' "$work/log") $(grep -c tail "$work/log")" "1 0"
ends "lines"
