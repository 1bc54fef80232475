#!/bin/bash
# `vmrun devices`, and inherited sockets for `vmrun device`.
. "$(dirname "$0")/../lib.sh"
pid=''
finish() {
	[ -z "$pid" ] || kill -9 $pid 2>/dev/null
	wait 2>/dev/null
	cleanup
}
trap finish EXIT

# answers SOCKET: a front-end gets the features
answers() {
	perl -e 'use Socket; alarm 10; socket(my $s, AF_UNIX, SOCK_STREAM, 0); connect($s, pack_sockaddr_un(shift)) or exit 1;
		syswrite $s, pack("LLL", 1, 1, 0); sysread($s, my $r, 20) == 20 or exit 1' "$1"
}
# A program of its own, so that $! is the pid of what it executes: PATH TYPE LISTEN CMD...: CMD with a socket at PATH as
# fd 3, in systemd's manner where LISTEN_FDS is set
cat >"$work/with-socket" <<'EOF2'
use Socket; use POSIX;
my ($path, $type, $listen) = splice(@ARGV, 0, 3);
$^F = 9;
socket(my $s, AF_UNIX, $type eq "dgram" ? SOCK_DGRAM : SOCK_STREAM, 0) or die;
bind($s, pack_sockaddr_un($path)) or die;
listen($s, 4) if $listen;
POSIX::dup2(fileno($s), 3);
$ENV{LISTEN_PID} = $$ if $ENV{LISTEN_FDS};
exec @ARGV;
EOF2
is_over() { ! kill -0 $pid 2>/dev/null; }
ends() { # ends NAME STATUS
	succeeds "$1: ends" eventually 10 is_over || kill -9 $pid
	wait $pid
	is "$1: exit code" $? "$2"
	pid=''
}

# ---- inherited sockets

perl "$work/with-socket" "$work/fd" stream 1 "$vmrun_bin" device rng --fd 3 2>"$work/err" &
pid=$!
succeeds "--fd: answers" eventually 20 answers "$work/fd"
kill $pid
ends "--fd" 0
is "--fd: its socket is the caller's to remove" "$(stat -c %F "$work/fd")" socket
LISTEN_FDS=1 perl "$work/with-socket" "$work/activated" stream 1 "$vmrun_bin" device rng 2>"$work/err" &
pid=$!
succeeds "LISTEN_FDS: answers" eventually 20 answers "$work/activated"
kill $pid
ends "LISTEN_FDS" 0

# refused NAME STATUS REGEX CMD...
refused() {
	local out status
	out=$(timeout 10 "${@:4}" 2>&1)
	status=$?
	is "$1: exit code" $status "$2"
	is "$1: one line" "$(wc -l <<<"$out")" 1
	like "$1: says why" "$out" "$3"
}
refused "a socket that does not listen" 1 "fd 3: is not a Unix stream socket that listens" \
	perl "$work/with-socket" "$work/1" stream 0 "$vmrun_bin" device rng --fd 3
refused "a datagram socket" 1 "fd 3: is not a Unix stream socket that listens" \
	perl "$work/with-socket" "$work/2" dgram 0 "$vmrun_bin" device rng --fd 3
refused "two sockets" 2 "LISTEN_FDS is 2, and it serves one" \
	env LISTEN_FDS=2 perl "$work/with-socket" "$work/3" stream 1 "$vmrun_bin" device rng
refused "sockets for another process" 2 "device rng: --socket is missing" env LISTEN_FDS=1 LISTEN_PID=1 "$vmrun_bin" device rng
refused "no fd" 1 "fd 77: Bad file descriptor" "$vmrun_bin" device rng --fd 77
refused "a standard stream" 2 "--fd: must be 3 to" "$vmrun_bin" device rng --fd 2
refused "both" 2 "exclude each other" "$vmrun_bin" device rng --fd 3 --socket "$work/s"

# ---- several devices, as crosvm's users spell them

truncate -s 1M "$work/disk.img"
"$vmrun_bin" devices --block "vhost=$work/vu-block,path=$work/disk.img,ro" --rng "vhost=$work/vu-rng" \
	--block "vhost=$work/vu-second,path=$work/disk.img,readonly=true,queues=2,o_direct" 2>"$work/err" &
pid=$!
for s in block rng second; do succeeds "devices: $s answers" eventually 20 answers "$work/vu-$s"; done
# Disks whose image, fd 6, is open with O_DIRECT, 040000
direct=0
for block in $(pgrep -f '^block0' -P "$(pgrep -P $pid -d,)"); do
	grep -qE '^flags:.*[4-7][0-7]{4}$' "/proc/$block/fdinfo/6" && direct=$((direct + 1))
done
is "devices: o_direct is one disk's" $direct 1
# The device of vu-rng: its supervisor's child
rng=$(pgrep -f '^rng0' -P "$(pgrep -P $pid -d,)")
jailed=$(cat "/proc/$rng/status" 2>/dev/null)
like "devices: each has its seccomp filter" "$jailed" '^Seccomp:[[:space:]]*2$'
kill -9 "$rng"
succeeds "devices: one that dies is reported" eventually 10 grep -q 'rng0: killed by SIGKILL' "$work/err"
succeeds "devices: and its socket removed" eventually 10 [ ! -e "$work/vu-rng" ]
succeeds "devices: the others go on" answers "$work/vu-block"
kill $pid
ends "devices: SIGTERM ends all" 1
like "devices: how many failed" "$(cat "$work/err")" "vmrun: devices: 1 of 3 ended before they should"
is "devices: nothing is left" "$(ls "$work" | grep vu-)" ""

"$vmrun_bin" devices --rng "vhost=$work/vu-rng" --block "vhost=$work/vu-block,path=$work/none" 2>"$work/err" &
pid=$!
succeeds "devices: one that cannot start is reported" eventually 10 grep -q "path: $work/none: No such file" "$work/err"
succeeds "devices: the other starts" eventually 20 answers "$work/vu-rng"
kill -9 $pid
wait $pid 2>/dev/null
pid=''
succeeds "devices: a SIGKILL ends all in order" eventually 10 [ ! -e "$work/vu-rng" ]

"$vmrun_bin" devices --rng "vhost=$work/vu-rng" --rng "vhost=$work/vu-more" &
pid=$!
succeeds "devices: two of a kind" eventually 20 answers "$work/vu-more"
kill $pid
ends "devices: in order" 0

# As a terminal's Ctrl-C, and twice: to the whole process group
setsid "$vmrun_bin" devices --rng "vhost=$work/vu-rng" --rng "vhost=$work/vu-more" 2>"$work/err" &
pid=$!
succeeds "devices: for Ctrl-C" eventually 20 answers "$work/vu-more"
kill -INT -- "-$pid"
kill -INT -- "-$pid" 2>/dev/null
ends "devices: Ctrl-C is in order" 0
is "devices: Ctrl-C: nothing is said" "$(cat "$work/err")" ""
is "devices: Ctrl-C: nothing is left" "$(ls "$work" | grep vu-)" ""

refused "devices: none" 2 "devices: none is given" "$vmrun_bin" devices
refused "devices: a kind that cannot run alone" 2 "unknown type; block, net" "$vmrun_bin" devices --serial "vhost=$work/s"
refused "devices: an unknown key" 2 "option --colour" "$vmrun_bin" devices --rng "vhost=$work/s,colour=red"
refused "devices: no socket" 2 "device block: --socket is missing" "$vmrun_bin" devices --block "path=$work/disk.img"
refused "devices: a word without its value" 2 "devices: --rng: option --socket wants a value" "$vmrun_bin" devices --rng vhost,queues=1
refused "devices: a second word without its value" 2 "devices: --block: option --path wants a value" \
	"$vmrun_bin" devices --block "vhost=$work/s,path,ro"
refused "devices: an empty word" 2 "an empty word" "$vmrun_bin" devices --rng "vhost=$work/s,"
refused "devices: a key of another kind" 2 "--path is for block devices" "$vmrun_bin" devices --rng "vhost=$work/s,path=x"
