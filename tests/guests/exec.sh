#!/bin/bash
# vmrun exec, from the command line to a program that the guest plays (tests/guests/agent.c): streams, status, signals,
# terminals, what stays when it is detached, and what is refused.
. "$(dirname "$0")/../lib.sh"
mkdir -p "$root" "$work/c/rootfs/bin"
install -m 755 /dev/null "$work/c/rootfs/bin/sleep"
head -c 512 /dev/zero >"$work/initrd"
jq -n --arg k "$B/guests/agent.elf" --arg i "$work/initrd" '{kernel: $k, initrd: $i, memory: 67108864}' >"$work/host.json"
jq -n --arg id $$ '{ociVersion: "1.0.2", root: {path: "rootfs"}, linux: {cgroupsPath: "/vmrun/exec-($id)"}, process: {cwd: "/", args: ["sleep"], env: ["A=b"], user: {uid: 0, gid: 0}}}' \
	>"$work/c/config.json"
at=("$vmrun_bin" --root "$root" --host-config "$work/host.json")
vmrun() { timeout 30 "${at[@]}" "$@"; }
create() { vmrun create --bundle "$work/c" c </dev/null >"$work/create.out" 2>"$work/create.err" || { cat "$work/create.err"; exit 1; }; }
# said CMD...: what it says, and its status
said() { "$@" 2>&1; echo "status $?"; }

create
is "exec before the start" "$(said vmrun exec c exit 0)" "$(printf 'vmrun: c: cannot exec in a container that has not started\nstatus 255')"
vmrun start c

# ---- streams and status

is "its arguments, also those that look like options" "$(vmrun exec c args -t --help -- x)" "$(printf 'args\n-t\n--help\n--')"
is "its status" "$(said vmrun exec c exit 7)" "status 7"
is "standard input, to its end" "$(printf 'a\nb' | vmrun exec c cat)" "$(printf 'a\nb')"
is "standard output and error are two" "$(vmrun exec c err 5 2>/dev/null)$(vmrun exec c err 5 2>&1 >/dev/null)" xxxxx
is "3 MB of output" "$(vmrun exec c out 3000000 | wc -c)" 3000000
head -c 300000 /dev/urandom >"$work/data"
is "300 KB both ways, unchanged" "$(vmrun exec c cat <"$work/data" | cmp - "$work/data" && echo same)" same
vmrun exec c args x >"$work/file"
is "output into a file" "$(cat "$work/file")" "$(printf 'args\nx')"
is "a reader that leaves" "$(vmrun exec c out 1000000 | head -c 3)" xxx
is "a socket for all three streams: bytes both ways, and it blocks as before" "$(perl -e '
	use Socket; use Fcntl;
	socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) or die;
	if (!fork) { close $a; POSIX::dup2(fileno($b), $_) for 0 .. 2; exec @ARGV }
	syswrite $a, "to and fro"; shutdown($a, 1); read($a, my $s, 10); print $s; wait;
	print " status ", $? >> 8, " ", fcntl($b, F_GETFL, 0) & O_NONBLOCK ? "changed" : "unchanged"' -MPOSIX \
	"${at[@]}" exec c cat)" "to and fro status 0 unchanged"
is "no standard input" "$(said vmrun exec c cat <&-)" "status 0"
is "no standard output" "$(vmrun exec c args x >&-; echo "status $?")" "status 0"
is "none at all" "$(vmrun exec c args x <&- >&- 2>&-; echo "status $?")" "status 0"
is "/dev/null for all" "$(vmrun exec c cat </dev/null >/dev/null 2>&1; echo "status $?")" "status 0"
vmrun exec c args one two >"$work/same" 2>&1
vmrun exec c err 3 >>"$work/same" 2>&1
is "one file for output and error, which is appended to" "$(tr '\n' ' ' <"$work/same")" "args one two xxx"
vmrun exec c cat <"$work/same" >"$work/copy"
is "a file for input" "$(cmp "$work/same" "$work/copy" && echo same)" same

# ---- programs that do not run

like "no such program" "$(said vmrun exec c fail 21 2 | tr '\n' ' ')" '^vmrun: c: exec: "fail": executable file not found in \$PATH.* status 127 $'
like "one that may not be run" "$(said vmrun exec c fail 22 13 | tr '\n' ' ')" '^vmrun: c: exec .*[Pp]ermission denied.* status 126 $'

# ---- a guest that keeps a program's streams open

is "of one that has ended" "$(said timeout 20 cat < <(vmrun exec c hold 0))" "status 0"
is "of one that does not run" "$(said timeout 20 cat < <(vmrun exec c hold 21 2 2>/dev/null))" "status 0"

# ---- signals, and what stays when it is detached

"${at[@]}" exec --pid-file "$work/pid" c sleep >"$work/out" &
pid=$!
written() { [ -s "$work/pid" ]; }
eventually 10 written
is "the pid file has the pid of exec" "$(cat "$work/pid")" $pid
kill -USR1 $pid
wait $pid
is "a signal reaches the program, whose status is exec's" "$? $(cat "$work/out")" "138 signal 10"
rm "$work/pid"
vmrun exec --detach --pid-file "$work/pid" c sleep </dev/null >/dev/null 2>&1
is "detached: exec returns" $? 0
pid=$(cat "$work/pid")
files() { [ "$(ls "/proc/$pid/fd" | wc -l)" = 5 ]; }
succeeds "a process stands for it, with no file of the caller's" eventually 10 files
like "as small as may be" "$(awk '/^Private_Dirty|^Private_Clean/ { kb += $2 } END { print (kb < 1024) ? "small" : kb }' "/proc/$pid/smaps_rollup")" small
kill -TERM "$pid"
dead() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.*Z' "/proc/$1/status"; }
succeeds "it ends with the program" eventually 10 dead "$pid"
"${at[@]}" exec c sleep >"$work/out" 2>&1 &
pid=$!
running() { [ "$(vmrun exec c exit 0; echo $?)" = 0 ] && grep -q vmrun "/proc/$pid/comm"; }
eventually 10 running
kill -KILL $pid
wait $pid 2>/dev/null
is "an exec that is killed kills its program" "$(eventually 10 grep -q 'signal 9' "$work/out" && cat "$work/out")" "signal 9"
jobs=()
for i in $(seq 50); do "${at[@]}" exec c args "$i" >"$work/out.$i" & jobs+=($!); done
wait "${jobs[@]}"
is "50 at once" "$(cat "$work"/out.* | grep -v args | sort -n | tr '\n' ' ')" "$(seq 50 | tr '\n' ' ')"

# ---- process.json and terminals

jq -n '{cwd: "/", args: ["args", "from", "file"], terminal: false}' >"$work/p.json"
is "--process" "$(vmrun exec --process "$work/p.json" c)" "$(printf 'args\nfrom\nfile')"
jq '.args = []' "$work/p.json" >"$work/bad.json"
like "a file without a program" "$(said vmrun exec --process "$work/bad.json" c)" "bad.json: /args: "
is "-d -t without a socket for the terminal" "$(said vmrun exec -d -t c args)" \
	"$(printf 'vmrun: c: cannot allocate tty if vmrun will detach without setting console socket\nstatus 255')"
is "a socket without a terminal" "$(said vmrun exec --console-socket "$work/s" c args)" \
	"$(printf 'vmrun: c: cannot use console socket if vmrun will not detach or allocate tty\nstatus 255')"
is "-t, from a pipe" "$(vmrun exec -t c args x </dev/null)" "$(printf 'args\nx')"
is "-t, on a terminal: its size, and each new one" "$(perl -e '
	use POSIX; use Socket;
	my ($m, $pid); require "sys/ioctl.ph" if 0;
	open($m, "+<", "/dev/ptmx") or die; my $n = pack("i", 0); ioctl($m, 0x40045431, $n); # TIOCSPTLCK
	ioctl($m, 0x80045430, $n = pack("i", 0)); my $slave = "/dev/pts/" . unpack("i", $n); # TIOCGPTN
	sub size { ioctl($m, 0x5414, pack("S4", @_, 0, 0)) or die } # TIOCSWINSZ
	size(24, 80);
	if (!($pid = fork)) {
		POSIX::setsid(); open(my $s, "+<", $slave) or die;
		POSIX::dup2(fileno($s), $_) for 0 .. 2; exec @ARGV; }
	my $said = ""; my $step = 0;
	while (sysread($m, my $b, 4096)) {
		$said .= $b;
		size(30, 90), $step++ if $step == 0 && $said =~ /24 80/;
		size(40, 100), $step++ if $step == 1 && $said =~ /30 90/;
		last if $said =~ /40 100/;
	}
	waitpid($pid, 0); $said =~ s/\r//g; $said =~ s/\s+$//; $said =~ s/\n/,/g; print "$said status ", $? >> 8;
' "${at[@]}" exec -t c size)" "24 80,30 90,40 100 status 0"

# ---- refused

is "no command" "$(said vmrun exec c)" "$(printf 'vmrun: c: exec needs a command or --process\nstatus 2')"
is "no such container" "$(said vmrun exec nobody true)" "$(printf 'vmrun: nobody: container does not exist\nstatus 255')"
is "an unknown capability" "$(said vmrun exec -c CAP_NONE c true)" "$(printf 'vmrun: c: option --cap: unknown capability CAP_NONE\nstatus 255')"
is "a user by name" "$(said vmrun exec -u root c true)" "$(printf 'vmrun: c: option --user wants UID or UID:GID, not root\nstatus 255')"
vmrun pause c
is "paused" "$(said vmrun exec c true)" "$(printf 'vmrun: c: cannot exec in a paused container\nstatus 255')"
said vmrun exec --ignore-paused c exit 6 >"$work/ignoring" &
ignoring=$!
"${at[@]}" exec --ignore-paused c sleep >"$work/early" &
early=$!
catches() { [ $((0x$(awk '/^SigBlk/ { print $2 }' "/proc/$early/status") >> 9 & 1)) = 1 ]; }
eventually 10 catches
kill -USR1 $early
is "paused, and told to ignore that: another is refused meanwhile" "$(said vmrun exec c true)" "$(printf 'vmrun: c: cannot exec in a paused container\nstatus 255')"
vmrun resume c
wait $ignoring
eventually 20 dead $early || kill -TERM $early
wait $early
is "paused, and told to ignore that: a signal waits for its program" "$? $(cat "$work/early")" "138 signal 10"
is "paused, and told to ignore that: it begins when the container goes on" "$(cat "$work/ignoring")" "status 6"
is "--preserve-fds" "$(said vmrun exec --preserve-fds 1 c true)" "$(printf 'vmrun: c: --preserve-fds: a guest has no file descriptors of the host\nstatus 255')"
is "--cgroup with a controller" "$(said vmrun exec --cgroup cpu:/x c true)" \
	"$(printf "vmrun: c: option --cgroup wants a path below the container's cgroup, without a controller: cpu:/x\nstatus 255")"
is "--apparmor: what it is not" "$(said vmrun exec --apparmor x c exit 0)" \
	"$(printf "vmrun: warning: --apparmor is not carried out: the guest's kernel has no such policy\nstatus 0")"
"${at[@]}" exec c sleep >/dev/null &
pid=$!
eventually 10 running
vmrun kill c KILL
wait $pid
is "a container that ends under it" $? 137
eventually 10 is_stopped c
is "stopped" "$(said vmrun exec c true)" "$(printf 'vmrun: c: cannot exec in a stopped container\nstatus 255')"
vmrun delete c
bundle "$work/vm" idle '[{"type": "serial"}]'
vmrun create --bundle "$work/vm" vm </dev/null >/dev/null 2>&1
vmrun start vm
is "a guest of its own" "$(said vmrun exec vm true)" \
	"$(printf 'vmrun: vm: the guest has no vmrun-init: exec needs a bundle without vm.kernel\nstatus 255')"
