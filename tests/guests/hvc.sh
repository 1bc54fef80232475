#!/bin/bash
# The virtio console: a VM's input and output, users who attach, named ports, the log file, terminals and their size.
. "$(dirname "$0")/../lib.sh"
console='{"type": "console", "ports": [{"name": "org.example.echo"}], "log": "con.log", "logBytes": 65536}'
bundle "$work/hvc" hvc "[$console]"
bundle "$work/plain" hvc '[{"type": "console"}]'
bundle "$work/serial" idle '[{"type": "serial"}]'
for i in {0..32767}; do printf 'line %05d of 32 thousand......\n' "$i"; done >"$work/big"
has() { grep -qa -- "$2" "$1"; }
# shows FILE TEXT: it will
shows() { eventually 20 has "$1" "$2"; }

# ---- input, output, ports, the log file
mkfifo "$work/in"
exec 7<>"$work/in"
vmrun create "$work/hvc" <"$work/in" >"$work/out" 2>"$work/err"
cp "$work/hvc/con.log" "$work/before"
vmrun start hvc
succeeds "hvc0 is the VM's output, emergency write first" shows "$work/out" '^!ready$'
echo hello >&7
succeeds "and its input" shows "$work/out" '^hello$'
(echo to the port; sleep 1) | timeout 5 "$vmrun_bin" --root "$root" console --port org.example.echo hvc >"$work/port" &
succeeds "a named port goes both ways" shows "$work/port" '^to the port$'
echo port >&7
succeeds "and has lines of the guest's own" shows "$work/port" '^hello from the port$'
wait $!
timeout 2 "$vmrun_bin" --root "$root" console --port org.example.echo hvc </dev/null >"$work/again"
is "a user who attaches later gets what was said first" "$(cat "$work/again")" "$(cat "$work/port")"
like "no such port" "$(vmrun console --port none hvc 2>&1 </dev/null)" '^vmrun: hvc: the console has no port none$'

# A user who does not read: the guest waits 2 s, and goes on.
"$vmrun_bin" --root "$root" console hvc </dev/null >"$work/deaf" 2>&1 &
deaf=$!
succeeds "a user attaches" shows "$work/deaf" '^hello$'
kill -STOP $deaf
echo big >&7
succeeds "one that does not read stops no other" shows "$work/out" '^line 32767'
is "and the output is whole" "$(grep -a ^line "$work/out" | md5sum)" "$(md5sum <"$work/big")"
kill -CONT $deaf
succeeds "it gets the end of it" shows "$work/deaf" '^line 32767'
kill $deaf
wait $deaf
is "a signal ends it" $? 143
is "the log has all of the beginning, up to its cap" "$(md5sum <"$work/hvc/con.log")" "$(head -c 65536 "$work/out" | md5sum)"
mv "$work/hvc/con.log" "$work/hvc/con.log.1"
kill -HUP "$(vmrun state hvc | jq .pid)"
succeeds "SIGHUP opens it anew" eventually 5 test -e "$work/hvc/con.log"
echo "after the hangup" >&7
succeeds "and it goes on" shows "$work/hvc/con.log" '^after the hangup$'
is "which does not end the VM" "$(vm_status hvc)" running
echo off >&7
succeeds "the guest ends" eventually 20 is_stopped hvc
like "its last words arrive" "$(tail -n 2 "$work/out")" '^bye$'
like "and what it wrote to the serial port" "$(tail -n 1 "$work/out")" '^from the serial port$'
vmrun delete hvc

# ---- the device alone, for a VM that has it by its socket: hvc0 is that process's input and output
mkfifo "$work/alone.in"
exec 6<>"$work/alone.in"
"$vmrun_bin" device console --socket "$work/alone.sock" <"$work/alone.in" >>"$work/alone.out" 2>"$work/alone.err" &
alone=$!
eventually 20 test -S "$work/alone.sock" || cat "$work/alone.err"
bundle "$work/front" hvc "[{\"type\": \"serial\"}, {\"type\": \"vhost-user\", \"device\": \"console\", \"socket\": \"$work/alone.sock\"}]"
for n in first second; do
	vmrun create "$work/front" </dev/null >"$work/front.out" 2>"$work/err" || cat "$work/err"
	vmrun start front
	succeeds "device console: the $n VM has it" shows "$work/alone.out" '^!ready$'
	echo "for the $n" >&6
	succeeds "device console: the $n VM reads its input" shows "$work/alone.out" "^for the $n$"
	echo off >&6
	succeeds "device console: the $n VM ends" eventually 20 is_stopped front
	like "device console: the last words of the $n arrive" "$(tail -n 1 "$work/alone.out")" '^bye$'
	is "device console: the $n VM's own output has none of it" "$(cat "$work/front.out")" "from the serial port"
	vmrun delete front
	is "device console: it waits for another front-end" "$(kill -0 $alone 2>&1)" ""
	: >"$work/alone.out"
done
kill $alone
wait $alone
is "device console: SIGTERM ends it" $? 0
is "device console: without a word" "$(cat "$work/alone.err")" ""

# ---- what is refused
like "console of a VM that has none" "$(vmrun create "$work/serial" </dev/null >/dev/null; vmrun console serial 2>&1 </dev/null)" \
	'no virtio console: its config.json lists none'
vmrun delete --force serial
like "console of a VM that does not exist" "$(vmrun console none 2>&1)" 'container does not exist'
like "run -t without a console" "$(vmrun run -t "$work/serial" 2>&1 </dev/null)" '^vmrun: -t: no virtio console: add \{"type": "console"\} to /vm/devices$'
like "run -t without a terminal" "$(vmrun run -t "$work/plain" 2>&1 </dev/null)" 'standard input is not a terminal'
bad() { # bad NAME DEVICES REGEX
	bundle "$work/bad" hvc "$2"
	like "$1" "$(vmrun create "$work/bad" 2>&1 >/dev/null </dev/null)" "$3"
}
bad "two consoles" '[{"type": "console"}, {"type": "console"}]' '/vm/devices/1: a VM has one console only'
bad "two ports of one name" '[{"type": "console", "ports": [{"name": "a"}, {"name": "a"}]}]' '/ports/1/name: a second a'
bad "a name with a slash" '[{"type": "console", "ports": [{"name": "a/b"}]}]' 'must be letters'
bad "a cap without a log" '[{"type": "console", "logBytes": 65536}]' '/logBytes: goes with a log'
bad "a log that is a directory" '[{"type": "console", "log": "."}]' 'is not a regular file'
is "nothing is left of them" "$(ls -A "$root")" ""

# ---- terminals: perl is the user, and listens at --console-socket
jq '.process = {terminal: true, cwd: "/", args: ["x"], user: {uid: 0, gid: 0}, consoleSize: {height: 33, width: 99}}' \
	"$work/plain/config.json" >"$work/c" && mkdir "$work/tty" && cp "$work/c" "$work/tty/config.json"
long=$work/$(printf 'x%.0s' {1..120})
mkdir "$long"
cat >"$work/user.pl" <<'PERL'
use POSIX qw(:sys_wait_h :termios_h setsid tcsetpgrp getpgrp);
use Socket;
use IO::Handle;
$| = 1;
my ($work, $long, @vmrun) = @ARGV;
sub ok { print($_[0] ? "ok" : "not ok", " - $_[1]\n") }
sub eventually { my ($test) = @_; for (1 .. 400) { return 1 if $test->(); select(undef, undef, undef, 0.05) } return 0 }
sub winsize { my ($fd, $rows, $cols) = @_; ioctl($fd, 0x5414, pack("S4", $rows, $cols, 0, 0)) or die "size: $!" }
my (%seen, $status);
# What has come out of a terminal matches
sub says { my ($fd, $re, $name) = @_;
	ok(eventually(sub { my $buf; vec(my $r = "", fileno $fd, 1) = 1;
		$seen{fileno $fd} .= $buf while select(my $x = $r, undef, undef, 0) && sysread($fd, $buf, 65536);
		return ($seen{fileno $fd} // "") =~ $re }), $name) or print "# $seen{fileno $fd}\n" }
sub changed { my ($pid) = @_; my $r = waitpid($pid, WNOHANG); $status = $?; return $r == $pid }
sub state_is { my ($id, $want) = @_; return `@vmrun state $id 2>/dev/null` =~ /"status": ?"$want"/ }
# A terminal of its own, with a job on it
sub job {
	open(my $master, "+<", "/dev/ptmx") or die "ptmx: $!";
	ioctl($master, 0x40045431, my $no = pack("i", 0)) or die;
	ioctl($master, 0x80045430, my $nr = pack("i", 0)) or die;
	open(my $tty, "+<", "/dev/pts/" . unpack("i", $nr)) or die "tty: $!";
	winsize($master, 40, 100);
	my $pid = fork // die;
	if (!$pid) {
		setsid();
		ioctl($tty, 0x540e, 0);
		open(STDIN, "<&", $tty); open(STDOUT, ">&", $tty); open(STDERR, ">", "$work/err");
		exec @vmrun, @_;
	}
	return ($master, $tty, $pid);
}
sub is_raw { my $t = POSIX::Termios->new; $t->getattr(fileno $_[0]); return !($t->getlflag & ICANON) }

my ($m, $tty, $pid) = job("run", "-t", "$work/plain");
says($m, qr/ready/, "run -t: the guest is on the terminal");
ok(is_raw($tty), "which is raw");
syswrite($m, "size\n");
says($m, qr/size 0100x0040/, "and gives the guest its size");
winsize($m, 50, 132);
ok(eventually(sub { syswrite($m, "size\n"); select(undef, undef, undef, 0.2); my $buf;
	sysread($m, $buf, 65536); return $buf =~ /size 0132x0050/ }), "also when that changes");
syswrite($m, "\x01d");
ok(eventually(sub { changed($pid) }) && WIFEXITED($status) && WEXITSTATUS($status) == 0, "Ctrl-A d detaches");
ok(!is_raw($tty), "the terminal is as it was");
ok(state_is("plain", "running"), "and the VM runs on");

my ($m1, $tty1, $pid1) = job("console", "plain");
says($m1, qr/ready.*size 0100x0040/s, "console shows what was said before");
my ($m2, $tty2, $pid2) = job("console", "plain");
says($m2, qr/ready/, "a second user attaches");
syswrite($m1, "by one\n");
says($m1, qr/by one/, "the first sees what the first types");
says($m2, qr/by one/, "and so does the second");
syswrite($m2, "by two, \x01\x01\n");
says($m1, qr/by two, \x01\r?\n/, "and the other way round; Ctrl-A twice is one");
winsize($m2, 24, 80);
ok(eventually(sub { syswrite($m1, "size\n"); select(undef, undef, undef, 0.2); my $buf;
	sysread($m1, $buf, 65536); return $buf =~ /size 0080x0024/ }), "the last size counts");
kill(TERM => $pid2);
ok(eventually(sub { changed($pid2) }) && WIFEXITED($status) && WEXITSTATUS($status) == 143, "a signal ends a user");
ok(!is_raw($tty2), "whose terminal is as it was");
syswrite($m1, "\x01x");
ok(eventually(sub { changed($pid1) }) && eventually(sub { state_is("plain", "stopped") }), "Ctrl-A x ends the VM");
ok(!is_raw($tty1), "and the terminal is as it was");
system(@vmrun, "delete", "plain");

# Every way out gives the terminal back: signals, the end of the VM, a supervisor that is killed.
sub pid_of { my ($name) = @_; return `@vmrun state plain` =~ ($name eq "supervisor" ? qr/"pid": ?(\d+)/ : qr/"$name",\s*"pid": ?(\d+)/) ? $1 : die }
sub ways_out { my ($verb, $id, %ways) = @_;
	for my $how (sort keys %ways) {
		my ($end, $want) = @{$ways{$how}};
		system(@vmrun, "create", "$work/plain"), system(@vmrun, "start", "plain") if $verb eq "console" && !state_is("plain", "running");
		my ($m, $tty, $pid) = job($verb, $verb eq "run" ? "-t" : (), $id);
		says($m, qr/ready/, "$verb, $how: attached");
		eventually(sub { is_raw($tty) });
		$end->($m, $pid);
		ok(eventually(sub { changed($pid) }) && WIFEXITED($status) && WEXITSTATUS($status) == $want, "$verb, $how: ends with $want") or print "# $status\n";
		ok(!is_raw($tty), "$verb, $how: the terminal is as it was");
		delete $seen{fileno $m};
		system(@vmrun, "delete", "--force", "plain") if !state_is("plain", "running");
	}
}
open(STDIN, "<", "/dev/null");
open(my $stdout, ">&", \*STDOUT); open(STDOUT, ">", "/dev/null"); # of the VMs that are created
my $quiet = \*STDOUT; select($stdout); $| = 1;
ways_out("console", "plain",
	"SIGINT" => [sub { kill(INT => $_[1]) }, 130],
	"SIGHUP" => [sub { kill(HUP => $_[1]) }, 129],
	"SIGQUIT" => [sub { kill(QUIT => $_[1]) }, 131],
	"the guest ends" => [sub { syswrite($_[0], "off\n") }, 0],
	"the VMM is killed" => [sub { kill(KILL => pid_of("vmm")) }, 0],
	"the supervisor is killed" => [sub { kill(KILL => pid_of("supervisor")) }, 0]);
system(@vmrun, "delete", "--force", "plain");
ways_out("run", "$work/plain",
	"SIGINT, twice" => [sub { kill(INT => $_[1]); select(undef, undef, undef, 0.3); kill(INT => $_[1]) }, 137],
	"the guest ends" => [sub { syswrite($_[0], "off\n") }, 0],
	"the VMM is killed" => [sub { kill(KILL => pid_of("vmm")) }, 33],
	"the supervisor is killed" => [sub { kill(KILL => pid_of("supervisor")) }, 137]);
open(STDOUT, ">&", $stdout); select(STDOUT); $| = 1;

# As conmon does: listen, receive the master, own it
chdir($long);
my ($listen, $peer);
socket($listen, AF_UNIX, SOCK_STREAM, 0) && bind($listen, pack_sockaddr_un("s")) && listen($listen, 1) or die "$!";
ok(system("@vmrun create --console-socket $long/s --bundle $work/tty tty </dev/null >/dev/null 2>$work/err") == 0,
	"--console-socket at a path of more than 107 bytes");
accept($peer, $listen);
# struct msghdr by hand: one byte or more, one fd
my ($data, $ctl) = ("\0" x 4096, "\0" x 24);
my $iov = pack("P Q", $data, 4096); # "P": a pointer to it
my $msg = pack("Q L x4 P Q P Q L x4", 0, 0, $iov, 1, $ctl, 24, 0);
my $n = syscall(47, fileno $peer, $msg, 0);
my ($len, $level, $type, $fd) = unpack("Q l l l", $ctl);
ok($n >= 1 && $n < 4096 && $len == 20 && $level == 1 && $type == 1, "one message, one fd");
open(my $master, "+<&=", $fd) or die "master: $!";
ioctl($master, 0x5413, my $size = "\0" x 8);
ok(join(",", unpack("S2", $size)) eq "33,99", "the terminal has consoleSize");
system(@vmrun, "start", "tty");
says($master, qr/ready/, "the guest is at the other end");
syswrite($master, "size\n");
says($master, qr/size 0099x0033/, "and has consoleSize too");
winsize($master, 60, 160);
ok(eventually(sub { syswrite($master, "size\n"); select(undef, undef, undef, 0.2); my $buf;
	sysread($master, $buf, 65536); return $buf =~ /size 0160x0060/ }), "its owner sets the size");
close($master);
select(undef, undef, undef, 0.3);
ok(state_is("tty", "running"), "the owner closes it: the VM goes on");
system(@vmrun, "delete", "--force", "tty");
PERL
perl "$work/user.pl" "$work" "$long" "$vmrun_bin" --root "$root"
