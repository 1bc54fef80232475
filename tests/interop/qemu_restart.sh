#!/bin/bash
# Our stand-alone block device dies while a stock kernel in QEMU writes and reads, and a loop starts it again, as
# systemd's Restart=always would: QEMU connects again and hands it what was in flight, and the guest sees no error.
. "$(dirname "$0")/../lib.sh"
. bundle-examples/debs.sh
PATH=$PATH:/usr/sbin:/sbin
qemu=$(debs_qemu)/qemu-system-x86_64
bundle-examples/build --job tests/linux/jobs/net "$work/vm"
keeper='' qemu_pid=''
finish() {
	# shellcheck disable=SC2086
	kill $keeper $qemu_pid 2>/dev/null
	wait 2>/dev/null
	cleanup
}
trap finish EXIT

# The loop: systemd's part, with a listening socket that outlives the device's processes.
cat >"$work/keep" <<'END'
use Socket; use POSIX;
my ($path, $log, @cmd) = @ARGV;
socket(my $l, AF_UNIX, SOCK_STREAM, 0) or die; bind($l, pack_sockaddr_un($path)) or die; listen($l, 4) or die;
$SIG{TERM} = sub { kill "TERM", $pid if $pid; exit };
while (1) {
	$pid = fork();
	unless ($pid) {
		open(STDERR, ">>", $log);
		POSIX::dup2(fileno($l), 3) unless fileno($l) == 3;
		open(my $three, "<&=", 3); fcntl($three, F_SETFD, 0);
		@ENV{"LISTEN_FDS", "LISTEN_PID"} = (1, $$);
		exec @cmd;
	}
	waitpid($pid, 0);
	select undef, undef, undef, 0.1; # RestartSec
}
END
truncate -s 16M "$work/disk"
perl "$work/keep" "$work/s" "$work/device.err" "$vmrun_bin" device block --path "$work/disk" &
keeper=$!
eventually 10 [ -S "$work/s" ]
touch "$work/console"
mkfifo "$work/in"
exec {in}<>"$work/in"
accel=tcg
[ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo && accel=kvm
timeout 170 "$qemu" -nodefaults -no-user-config -display none -no-reboot -M q35 -accel $accel -m 256 \
	-object memory-backend-memfd,id=ram,size=256M,share=on -machine memory-backend=ram \
	-kernel "$work/vm/vmlinuz" -initrd "$work/vm/initrd.img" -append "console=ttyS0 quiet root=/dev/vda" \
	-drive file="$work/vm/root.img",if=none,id=root,format=raw,snapshot=on -device virtio-blk-pci,drive=root \
	-chardev socket,id=disk,path="$work/s",reconnect=1 -device vhost-user-blk-pci,chardev=disk,num-queues=1,queue-size=128 \
	-serial stdio <"$work/in" >"$work/console" 2>"$work/qemu.err" &
qemu_pid=$!
fact() { tr -d '\r' <"$work/console" | sed -n "s/^fact $1 *//p" | tail -n 1; }
said() { grep -qa "^fact $1" "$work/console" || ! kill -0 "$qemu_pid" 2>/dev/null; }
ask() { # ask TAG CMD...
	echo "$*" >&"$in"
	eventually 60 said "$1" && fact "$1"
}
eventually 90 said ready
if grep -qa '^fact ready' "$work/console"; then ok "the guest boots"; else
	not_ok "the guest boots"
	tail -n 30 "$work/qemu.err" "$work/console" "$work/device.err" | sed 's/^/# /'
	exit
fi

# Four writers, each at its own part of the disk: a generation after the other is written past the page cache, and read
# back. Each says how many there were and how many were wrong.
ask prepare 'seq 300000 | head -c 1500000 >/run/ref; test -b /dev/vdb && echo disk' >/dev/null
ask begin 'w() { bad=0 g=0; until [ -e /run/stop ]; do g=$((g + 1)); dd if=/run/ref of=/dev/vdb bs=4k count=16 skip=$((g % 300)) seek=$(($1 * 1024)) oflag=direct 2>/dev/null || bad=$((bad + 1)); a=$(dd if=/run/ref bs=4k count=16 skip=$((g % 300)) 2>/dev/null | md5sum); b=$(dd if=/dev/vdb bs=4k count=16 skip=$(($1 * 1024)) iflag=direct 2>/dev/null | md5sum); [ "$a" = "$b" ] || bad=$((bad + 1)); done; echo "$bad of $g" >/run/out.$1; }; for r in 0 1 2 3; do (exec >/dev/null 2>&1; w $r) & done; echo on' >/dev/null
pids() { # the device's supervisor, and the device
	supervisor=$(pgrep -P $keeper) && child=$(pgrep -P "$supervisor")
}
serves() { # a new device has a front-end, and notes what is in flight
	pids 2>/dev/null && [ "$child" != "$last" ] && grep -q in-flight "/proc/$child/maps" 2>/dev/null
}
last=''
for death in {1..8}; do
	eventually 20 serves || { not_ok "death $death: another device has taken over"; break; }
	sleep 0.2
	last=$child
	if [ $((death % 3)) = 0 ]; then kill -9 "$supervisor"; else kill -9 "$child"; fi
done
is "eight deaths of the device, two of them with its supervisor" "$death" 8
eventually 20 serves
ask stop 'touch /run/stop; until [ "$(ls /run/out.* 2>/dev/null | wc -l)" = 4 ]; do sleep 1; done; cat /run/out.*' >/dev/null
like "each writer read what it had written" "$(fact stop)" '^(0 of [1-9][0-9]* ){4}$'
[ "$(fact stop)" ] || { tail -n 20 "$work/console" "$work/qemu.err"; exit; }
is "the guest saw no error" "$(ask errors "dmesg | grep -ciE 'I/O error|blk_update|hung task'")" "0 "
seq 300000 | head -c 1500000 >"$work/ref"
part() { dd if="$1" bs=4k skip="$2" count=16 2>/dev/null | md5sum; }
read -r _ _ g0 _ _ g1 _ _ g2 _ _ g3 <<<"$(fact stop)"
n=0
for g in "$g0" "$g1" "$g2" "$g3"; do
	is "part $n of the disk has the last generation" "$(part "$work/disk" $((n * 1024)))" "$(part "$work/ref" $((g % 300)))"
	n=$((n + 1))
done
echo "# generations: $(fact stop)"
like "the log has the cause" "$(cat "$work/device.err")" "block0: killed by SIGKILL"
kill $qemu_pid
wait $qemu_pid 2>/dev/null
qemu_pid=''
