#!/bin/bash
# `vmrun run` as a job of a shell with a terminal: in the background, in the foreground, stopped.
. "$(dirname "$0")/../lib.sh"
bundle "$work/print" print '[{"type": "serial"}]'
jq '.vm.kernel.parameters = ["few"]' "$work/print/config.json" >"$work/c" && mv "$work/c" "$work/print/config.json"
bundle "$work/idle" idle '[{"type": "serial"}]'

# A shell on a terminal of its own: perl is the user who sees the other end and has the jobs.
cat >"$work/shell.pl" <<'PERL'
use POSIX qw(:sys_wait_h :signal_h :termios_h setsid tcsetpgrp getpgrp);
$| = 1;
my ($work, @vmrun) = @ARGV;
open(my $master, "+<", "/dev/ptmx") or die "ptmx: $!";
ioctl($master, 0x40045431, my $no = pack("i", 0)) or die "unlock: $!";
ioctl($master, 0x80045430, my $nr = pack("i", 0)) or die "number: $!";
setsid();
open(my $tty, "+<", "/dev/pts/" . unpack("i", $nr)) or die "tty: $!";
ioctl($tty, 0x540e, 0);
$SIG{TTOU} = $SIG{HUP} = "IGNORE";

sub ok { print($_[0] ? "ok" : "not ok", " - $_[1]\n") }
sub is_raw { my $t = POSIX::Termios->new; $t->getattr(fileno $tty); return !($t->getlflag & ICANON) }
sub eventually { my ($test) = @_; for (1 .. 600) { return 1 if $test->(); select(undef, undef, undef, 0.05) } return 0 }
sub state_is { my ($id, $want) = @_; return `@vmrun state $id 2>/dev/null` =~ /"status": ?"$want"/ }
sub give { tcsetpgrp(fileno $tty, $_[0]) or die "tcsetpgrp: $!" }
my $status; # of the job that last changed
sub job {
	my $pid = fork // die;
	if (!$pid) {
		POSIX::setpgid(0, 0);
		open(STDIN, "<&", $tty); open(STDOUT, ">", "$work/out"); open(STDERR, ">", "$work/err");
		$SIG{TTOU} = $SIG{HUP} = "DEFAULT";
		exec @vmrun, "run", @_;
	}
	return $pid;
}
sub stopped { open(my $f, "<", "/proc/$_[0]/stat") or return 0; return <$f> =~ /\) T / }
sub changed { my ($pid) = @_; my $r = waitpid($pid, WNOHANG); $status = $?; return $r == $pid }

my $job = job("$work/print");
ok(eventually(sub { changed($job) }) && WIFEXITED($status) && WEXITSTATUS($status) == 0, "run & goes on to its end");
ok(-s "$work/out" == 32000, "and its output is whole");
ok(!is_raw(), "the terminal is as it was");

$job = job("$work/idle");
ok(eventually(sub { state_is("idle", "running") }), "a second job, in the background");
syswrite($master, "for the shell\n");
select(undef, undef, undef, 0.3);
ok(!stopped($job) && !changed($job) && !is_raw(), "keys for the shell do not stop it");
sysread($tty, my $line, 100);
ok($line eq "for the shell\n", "and get there");
give($job);
kill(CONT => $job);
ok(eventually(\&is_raw), "fg: the guest has the terminal");
kill(TSTP => $job);
ok(eventually(sub { stopped($job) }) && !is_raw(), "stopped: the shell has it back");
ok(state_is("idle", "running"), "the VM runs on");
give(getpgrp());
kill(CONT => $job);
select(undef, undef, undef, 0.3);
ok(!stopped($job) && !changed($job) && !is_raw(), "bg: it leaves the terminal alone");
give($job);
ok(eventually(\&is_raw), "fg that does not say CONT: the guest has it again");
syswrite($master, "\x01x");
ok(eventually(sub { changed($job) }) && WIFEXITED($status) && WEXITSTATUS($status) == 137, "Ctrl-A x ends the VM");
ok(!is_raw(), "and the terminal is as it was");
kill(KILL => $job);
PERL
perl "$work/shell.pl" "$work" "$vmrun_bin" --root "$root"
