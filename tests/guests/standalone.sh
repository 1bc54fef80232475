#!/bin/bash
# `vmrun device`: its socket, its front-ends, and that it ends on a signal, whatever its device does.
. "$(dirname "$0")/../lib.sh"
s=$work/sock
tap=vma$$
pid=''
finish() {
	[ -z "$pid" ] || kill -9 $pid 2>/dev/null
	wait 2>/dev/null
	ip link del $tap 2>/dev/null
	cleanup
}
trap finish EXIT

# alone ARGS...: start a back-end; $pid, and its device $child
alone() {
	"$vmrun_bin" device "$@" --socket "$s" >/dev/null 2>"$work/err" &
	pid=$!
	eventually 20 listens || { not_ok "device $* listens"; cat "$work/err"; }
	child=$(pgrep -P $pid)
}
listens() { perl -e 'use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0); connect($s, pack_sockaddr_un(shift)) or exit 1' "$s"; }
is_over() { ! kill -0 $pid 2>/dev/null; }
over() { # over NAME: it ends soon, and its device with it
	succeeds "$1: it ends" eventually 10 is_over || kill -9 $pid
	wait $pid
	succeeds "$1: its device too" eventually 10 sh -c "! readlink /proc/$child/exe >/dev/null"
	pid=''
}

# ---- what exists at its path

alone rng
kill -9 $pid
wait $pid 2>/dev/null
succeeds "a SIGKILL takes the device along" eventually 10 sh -c "! readlink /proc/$child/exe >/dev/null"
is "a SIGKILL leaves the socket" "$(stat -c %F "$s")" socket
alone rng
ok "the next one takes its place"
inode=$(stat -c %i "$s")
like "a live one is left alone" "$(timeout 10 "$vmrun_bin" device rng --socket "$s" 2>&1)" "socket $s: a process listens on it"
is "and still there" "$(stat -c %i "$s")" "$inode"
succeeds "and listens" listens
kill $pid
over "SIGTERM"
is "it removes its socket" "$(ls "$s" 2>/dev/null)" ""

refused() { # refused NAME WORDS: what already exists stays as it is
	local before
	before=$(stat -c '%F %i' "$s")
	like "$1: is refused" "$(timeout 10 "$vmrun_bin" device rng --socket "$s" 2>&1)" "socket $s: $2\$"
	is "$1: stays" "$(stat -c '%F %i' "$s")" "$before"
	rm -rf "$s"
}
stale() { perl -e 'use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0); bind($s, pack_sockaddr_un(shift)) or die' "$1"; }
echo x >"$s"; refused "a file" "is a file"
mkdir "$s"; refused "a directory" "is a directory"
stale "$work/other"; ln -s "$work/other" "$s"; refused "a symbolic link" "is a symbolic link"
stale "$s"; chown 1 "$s"; refused "another user's socket" "belongs to another user"
is "nothing else is left" "$(cd "$work" && ls)" "$(printf 'err\nother')"

alone rng
mv "$s" "$work/moved"
stale "$s"
kill $pid
over "another socket at its path"
is "another socket at its path: is not removed" "$(stat -c %F "$s")" socket
rm -f "$s" "$work/moved"

# ---- one front-end at a time

cat >"$work/clients" <<'EOF2'
use Socket; use IO::Handle;
sub front_end { socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; connect($s, pack_sockaddr_un($ARGV[0])) or die; $s }
sub ask { # REQUEST PAYLOAD BYTES: the answer's payload
	my ($s, $request, $payload, $bytes) = @_;
	syswrite($s, pack("LLL", $request, 1, length $payload) . $payload);
	return "" unless $bytes;
	my $got = "";
	while (length $got < 12 + $bytes) { sysread($s, $got, 12 + $bytes - length $got, length $got) or return "closed" }
	return substr $got, 12;
}
# A front-end may be turned away before it asks.
$SIG{PIPE} = "IGNORE"; alarm 20;
EOF2
alone rng
is "the first is served, the second turned away, the third served after the first" "$(perl -e "$(cat "$work/clients")"'
	my $first = front_end();
	print length ask($first, 1, "", 8), " ";
	my $second = front_end();
	print ask($second, 1, "", 8), " ";
	print length ask($first, 1, "", 8), " ";
	close $first;
	my $third;
	for (1 .. 100) { $third = front_end(); last if length ask($third, 1, "", 8) == 8; select undef, undef, undef, 0.05 }
	print length ask($third, 1, "", 8);' "$s")" "8 closed 8 8"
kill $pid
over "SIGTERM after front-ends"
like "the log tells of the second" "$(cat "$work/err")" "rng0: a second front-end was turned away"

queues='my $s = front_end(); my $features = ask($s, 1, "", 8); ask($s, 15, "", 8); ask($s, 16, pack("Q", 1), 0);
	print unpack "Q", ask($s, 17, "", 8)'
truncate -s 1M "$work/disk"
alone block --path "$work/disk" --queues 4
is "block --queues 4" "$(perl -e "$(cat "$work/clients")$queues" "$s")" 4
kill $pid
over "block"
like "block --queues 17" "$(timeout 10 "$vmrun_bin" device block --path "$work/disk" --socket "$s" --queues 17 2>&1)" "queues is 1 to 16"
like "rng --size 1M" "$(timeout 10 "$vmrun_bin" device rng --socket "$s" --size 1M 2>&1)" "device rng: --size is for balloon devices"
like "balloon --size 17592186048512" "$(timeout 10 "$vmrun_bin" device balloon --socket "$s" --size 17592186048512 2>&1)" "balloon0: a balloon cannot have 17592186048512 bytes"
like "rng --queues 2" "$(timeout 10 "$vmrun_bin" device rng --socket "$s" --queues 2 2>&1)" "queues is 1 to 1"
alone net --tap $tap --queues 2
is "net --queues 2: the TAP has two" "$(ls /sys/class/net/$tap/queues | grep -c rx)" 2
like "net --queues 2: the front-end learns it" "$(perl -e "$(cat "$work/clients")$queues" "$s")" '^[2-5]$'
kill $pid
over "net"

# ---- a device that misbehaves

# perl with the device's own end of its control socket: PID keep|send
control='my ($pid, $what) = @ARGV;
	my $sock = syscall(438, syscall(434, $pid + 0, 0), 3, 0);
	$sock >= 0 or die "pidfd_getfd: $!";
	my $bytes = "x" x 16;
	my $iov = pack "P Q", $bytes, length $bytes;
	my $rights = pack "Q i i i x4", 20, 1, 1, $sock;
	my $msg = pack "Q L x4 P Q P Q i x4", 0, 0, $iov, 1, $rights, length $rights, 0;
	syscall(46, $sock, $msg, 0x4000) if $what eq "send";
	$| = 1; print "done\n"; sleep 60 if $what eq "keep"'
alone rng
perl -e "$control" "$child" keep >"$work/kept" &
keeper=$!
eventually 10 grep -qs done "$work/kept"
kill -9 "$child"
over "its control socket kept elsewhere, a device that dies"
like "its control socket kept elsewhere: the end is reported" "$(cat "$work/err")" "rng0: killed by SIGKILL"
kill $keeper
wait $keeper 2>/dev/null

alone rng
perl -e "$control" "$child" send >"$work/sent"
over "its control socket sent to its parent"
like "its control socket sent to its parent: is reported" "$(cat "$work/err")" "rng0: broke the rules of its control socket"

alone rng
kill -STOP "$child"
kill $pid
over "a device that stands still"

mkfifo "$work/unread"
exec 9<>"$work/unread"
"$vmrun_bin" device rng --socket "$s" >/dev/null 2>"$work/unread" &
pid=$!
eventually 20 listens
child=$(pgrep -P $pid)
dd if=/dev/zero of="$work/unread" bs=4k oflag=nonblock 2>/dev/null
perl -e "$(cat "$work/clients")"'my $first = front_end(); ask($first, 1, "", 8); for (1 .. 50) { my $s = front_end(); ask($s, 1, "", 8) }' "$s"
kill $pid
over "lines that no process reads"

"$vmrun_bin" device rng --socket "$s" >/dev/null 2>"$work/unread" &
pid=$!
eventually 20 listens
child=$(pgrep -P $pid)
kill -9 "$child"
succeeds "an error that no process reads: its socket is gone" eventually 10 [ ! -e "$s" ]
kill $pid
over "an error that no process reads"

like "a limit that is too low" "$( (ulimit -n 64; timeout 10 "$vmrun_bin" device rng --socket "$s" 2>&1) )" "^vmrun: RLIMIT_NOFILE is 64, and 256 are needed"

# Front-ends that stop in the middle: they hold only themselves up, and neither the next one nor the end.
stops='use Fcntl; my $s = front_end(); my $what = $ARGV[1]; $| = 1;
	syswrite($s, substr(pack("LLL", 1, 1, 0), 0, 6)) if $what eq "header";
	syswrite($s, pack("LLL", 5, 1, 40) . "x" x 20) if $what eq "payload";
	if ($what eq "deaf") { fcntl($s, F_SETFL, O_NONBLOCK); 1 while syswrite($s, pack("LLL", 1, 1, 0) x 64) }
	print "stopped\n"; sleep 60'
for what in header payload deaf; do
	alone rng
	perl -e "$(cat "$work/clients"); alarm 0; $stops" "$s" $what >"$work/stopped-$what" &
	stopped=$!
	succeeds "$what, then silence: it comes so far" eventually 10 grep -qs stopped "$work/stopped-$what"
	kill $stopped
	wait $stopped 2>/dev/null
	is "$what, then silence: the next one is served" "$(perl -e "$(cat "$work/clients")"'
		for (1 .. 100) { my $s = front_end(); last if 8 == ($n = length ask($s, 1, "", 8)); select undef, undef, undef, 0.05 } print $n' "$s")" 8
	perl -e "$(cat "$work/clients"); alarm 0; $stops" "$s" $what >"$work/again-$what" &
	stopped=$!
	succeeds "$what, then silence: again" eventually 10 grep -qs stopped "$work/again-$what"
	kill $pid
	over "$what, then silence: SIGTERM"
	kill $stopped
	wait $stopped 2>/dev/null
done

# A front-end that leaves makes room for the next at once, whatever it sent before.
alone rng
is "leaving and coming, 200 times" "$(perl -e "$(cat "$work/clients")"'
	my $bad = 0;
	for (1 .. 200) { my $s = front_end(); syswrite($s, pack("LLL", 1, 1, 0) x 3) if $_ % 2; close $s; $s = front_end(); $bad += length ask($s, 1, "", 8) != 8 }
	print $bad' "$s")" 0
kill $pid
over "leaving and coming"

# A vsock device without a guest: its host's sockets are there, and clients see the end at once.
alone vsock --cid 7 --host-socket "$work/host"
dial() { perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => shift) or exit 1; print $s shift; $s->flush; print <$s>' -- "$@"; }
is "vsock: no guest, no connection" "$(dial "$work/host" $'CONNECT 1\n')$?" 0
is "vsock: nor without a line" "$(dial "$work/host" $'\n')$?" 0
succeeds "vsock: and it lives" kill -0 $pid
kill $pid
over "vsock"
is "vsock: it removes its sockets" "$(cd "$work" && ls -d host*)" ""
like "vsock: a file where a socket should be" "$(touch "$work/host"; timeout 10 "$vmrun_bin" device vsock --cid 7 --host-socket "$work/host" --socket "$s" 2>&1)" \
	"socket $work/host: is a file"
