#!/bin/bash
# A device that is alive but silent ends the VM: the cause is recorded, with the device's name, and no process
# waits for ever. The detail of a device that died says how, no matter which process noticed first.
. "$(dirname "$0")/../lib.sh"

begins() { grep -qa '# busy: begins' "$work/out"; }

run_busy() { # run_busy: a VM whose guest uses its devices all the time
	vmrun create "$work/busy" </dev/null >"$work/out" 2>/dev/null && vmrun start busy
	eventually 20 begins || not_ok "the guest begins"
}
field() { vmrun state busy | jq -r ".vmrun.$1"; }

bundle "$work/busy" busy
# Not the serial port's: no process waits for its answer (console.sh).
for victim in block0; do
	run_busy
	kill -STOP "$(vm_pid busy $victim)"
	succeeds "$victim is stopped: the VM ends" eventually 30 is_stopped busy
	is "$victim is stopped: the cause is the device" "$(field cause)" device-killed
	is "$victim is stopped: the exit code is that cause's" "$(field exitCode)" 38
	like "$victim is stopped: the detail has its name and what it did" "$(field detail)" \
		"device $victim: .*(no answer in|timed out|ETIMEDOUT)"
	succeeds "$victim is stopped: delete" vmrun delete busy
done

# A VM that is stopped or frozen as a whole and goes on later has no broken device.
for victim in block0; do
	run_busy
	kill -STOP "$(vm_pid busy $victim)"
	sleep 0.5 # in which the VMM begins to wait for it
	kill -STOP "$(vm_pid busy vmm)"
	sleep 6 # more than it waits
	kill -CONT "$(vm_pid busy vmm)"
	kill -CONT "$(vm_pid busy $victim)"
	before=$(stat -c %s "$work/out")
	goes_on() { [ "$(stat -c %s "$work/out")" -gt $((before + 5)) ] && [ "$(vm_status busy)" = running ]; }
	succeeds "a pause of the VMM and $victim: the guest goes on" eventually 20 goes_on
	vmrun delete --force busy
done

# What a device says unasked. speak PID WHAT FDS [times]: takes the channel's end from block0 (the
# only socket behind its fixed slots) and sends WHAT, in hex, with so many fds.
speak() {
	perl -e 'my ($pid, $hex, $fds, $times) = @ARGV;
		my ($fd) = grep { $_ > 6 && readlink("/proc/$pid/fd/$_") =~ /^socket/ }
			map { m{(\d+)$} } glob "/proc/$pid/fd/*" or die "no channel";
		my $sock = syscall(438, syscall(434, $pid + 0, 0), $fd + 0, 0);
		$sock >= 0 or die "pidfd_getfd: $!";
		my $bytes = pack "H*", $hex;
		my $iov = pack "P Q", $bytes, length $bytes;
		my $rights = pack "Q i i i*", 16 + 4 * $fds, 1, 1, (0) x $fds;
		$rights .= "\0" x (-length($rights) % 8);
		my $msg = pack "Q L x4 P Q P Q i x4", 0, 0, $iov, 1, $rights, $fds ? length $rights : 0, 0;
		for (my $i = 0; !$times || $i < $times; $i++) {
			syscall(46, $sock, $msg, 0x4000) == length $bytes or die "sendmsg: $!";
		}' "$1" "$2" "$3" "${4:-1}"
}
changed=020000000100000000000000
while read -r what hex fds; do
	run_busy
	succeeds "$what: is said" speak "$(vm_pid busy block0)" $hex $fds
	succeeds "$what: the VM ends" eventually 30 is_stopped busy
	is "$what: the cause is the device" "$(field cause)" device-killed
	like "$what: the detail names it" "$(field detail)" "^device block0: (vhost-user|the device's own request): "
	vmrun delete --force busy
done <<-EOF2
	garbage 787878787878787878787878 0
	half-a-message 0200000001 0
	another-request 030000000100000000000000 0
	a-payload 0200000001000000080000000000000000000000 0
	an-answer 020000000500000000000000 0
	an-fd $changed 1
	many-fds $changed 20
EOF2

# A message that a device may send it may repeat: the guest and its manager go on.
vmrun create "$work/busy" </dev/null >"$work/out" 2>/dev/null
speak "$(vm_pid busy block0)" $changed 0 0 2>/dev/null &
flood=$!
succeeds "a flood of changes: the VM starts" timeout 30 "$vmrun_bin" --root "$root" start busy
succeeds "a flood of changes: the guest begins" eventually 30 begins
before=$(stat -c %s "$work/out")
succeeds "a flood of changes: the guest goes on" eventually 30 goes_on
is "a flood of changes: it was one" "$(kill -0 $flood && echo yes)" yes
vmrun delete --force busy
wait $flood

# A disk's process in enemy hands gets no more of the host's file system than its image.
mkdir -p "$work/hostile/bin" "$work/hostile/libexec/vmrun"
cp -a "$B/bin/vmrun" "$work/hostile/bin/" && cp -a "$B/libexec/vmrun/." "$work/hostile/libexec/vmrun/"
cp "$B/tests/hostile/vmrun-dev-block" "$work/hostile/libexec/vmrun/"
mkdir "$work/fs" && truncate -s 128M "$work/fs.img" && mkfs.ext4 -q "$work/fs.img" && mount -o loop "$work/fs.img" "$work/fs"
truncate -s 1M "$work/fs/disk.img"
bundle "$work/enemy" busy '[{"type": "block", "path": "'"$work"'/fs/disk.img"}]'
"$work/hostile/bin/vmrun" --root "$root" --log "$work/said" --log-level warning create "$work/enemy" </dev/null >/dev/null 2>&1
vmrun start enemy
eventually 20 is_stopped enemy
like "a disk in enemy hands: dies of what its policy does not allow" "$(vmrun state enemy | jq -r .vmrun.detail)" "^block0: killed by .*SIGSYS"
like "a disk in enemy hands: the detail has pid, call, arguments and the policy's line" "$(vmrun state enemy | jq -r .vmrun.detail)" \
	"pid [0-9]+, [a-z0-9_]+\((0x[0-9a-f]+, ){5}0x[0-9a-f]+\); [a-z_]+.policy(:[0-9]+ does not allow these arguments| has no line for it)"
like "a disk in enemy hands: so has a line of the log" "$(cat "$work/said")" "block0: its policy refuses [a-z0-9_]+\(0x"
said=$(cat "$work/said")
for what in "write at the end" "write far behind it" "write on and on"; do
	like "a disk in enemy hands: $what has an end" "$said" "block0: $what: File too large"
done
like "a disk in enemy hands: tried it all" "$said" "block0: and now for more"
is "a disk in enemy hands: the image is as large as it was" "$(stat -c %s "$work/fs/disk.img")" 1048576
succeeds "a disk in enemy hands: and its file has not grown" test "$(stat -c %b "$work/fs/disk.img")" -le 2064
umount "$work/fs"
vmrun delete --force enemy

# The VMM sees the sockets close, perhaps before the supervisor sees the process die.
bad=0
for i in 1 2 3 4 5; do
	run_busy
	kill -KILL "$(vm_pid busy block0)"
	eventually 20 is_stopped busy || bad=1
	[ "$(field cause)" = device-killed ] && [[ $(field detail) == block0:*SIGKILL* ]] || bad=1
	[ $bad = 0 ] || { echo "# run $i: $(field cause), $(field detail)"; break; }
	vmrun delete busy
done
is "the detail of a killed device has its signal, five times" $bad 0
vmrun delete --force busy >/dev/null 2>&1

# Also before the guest has run.
vmrun create "$work/busy" </dev/null >"$work/out" 2>/dev/null
kill -KILL "$(vm_pid busy serial0)"
succeeds "killed before start: the VM ends" eventually 20 is_stopped busy
is "killed before start: the cause is the device" "$(field cause)" device-killed
like "killed before start: the detail says how" "$(field detail)" "^serial0: .*SIGKILL"
