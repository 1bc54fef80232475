#!/bin/bash
# A create that hangs: others see it and can end it, and it leaves nothing.
. "$(dirname "$0")/../lib.sh"
mkdir -p "$root"
vm=new$$ # a cgroup that no other test has
bundle "$work/$vm" idle

# A vmrun whose VMM stands still before it is ready
mkdir -p "$work/libexec/vmrun"
cp -a "$B/bin" "$work/bin" && cp "$B"/libexec/vmrun/* "$work/libexec/vmrun/"
echo '.globl _start
_start:	mov $34, %eax # pause
	syscall
	jmp _start' | gcc -nostdlib -static -o "$work/libexec/vmrun/vmrun-vmm" -x assembler -

on_its_way() { [ -S "$root/$vm/control" ] && [ "$(vm_status $vm)" = creating ]; }
begin() {
	"$work/bin/vmrun" --root "$root" create "$work/$vm" </dev/null >/dev/null 2>"$work/err" &
	create=$!
	eventually 20 on_its_way || not_ok "create is on its way"
	supervisor=$(pgrep -P $create)
}
left() { ls -A "$root"; find /sys/fs/cgroup -path "*/vmrun/$vm*" 2>/dev/null; pgrep -s "$supervisor"; }
is_gone() { [ -z "$(left)" ]; }
ended() { # ended NAME REGEX: create failed with these words, and nothing is left
	wait $create
	is "$1: create fails" $? 1
	like "$1: create says why" "$(cat "$work/err")" "$2"
	succeeds "$1: nothing is left" eventually 10 is_gone
	is_gone || left | sed 's/^/# /'
}
quick() { timeout 20 "$vmrun_bin" --root "$root" "$@"; }

begin
like "start says what is going on" "$(quick start $vm 2>&1)" "is being created"
like "kill TERM says what is going on" "$(quick kill $vm 2>&1)" "is being created"
like "delete says what is going on" "$(quick delete $vm 2>&1)" "creating"
succeeds "kill KILL" quick kill $vm KILL
ended "kill KILL" "killed while it was created"

begin
succeeds "delete --force" quick delete --force $vm
ended "delete --force" "the supervisor was killed"

begin
kill -TERM "$supervisor"
ended "a signal to the supervisor" "interrupted by SIGTERM"

# A process that stands still meanwhile
begin
kill -STOP "$supervisor"
is "a stopped supervisor: state" "$(quick state $vm | jq -r .status)" creating
is "a stopped supervisor: list" "$(quick list -q)" $vm
like "a stopped supervisor: another create" "$(quick create "$work/$vm" 2>&1 </dev/null)" "already exists"
succeeds "a stopped supervisor: delete --force" quick delete --force $vm
ended "a stopped supervisor" "the supervisor was killed"

begin
kill -STOP $create
is "a stopped launcher: state" "$(quick state $vm | jq -r .status)" creating
succeeds "a stopped launcher: delete --force" quick delete --force $vm
is "a stopped launcher: its directory is gone" "$(ls -A "$root")" ""
kill -CONT $create
ended "a stopped launcher" "the supervisor was killed"

begin
kill -STOP "$supervisor"
kill -KILL $create
wait $create 2>/dev/null
succeeds "a launcher that dies while the supervisor is stopped: all is undone" eventually 10 is_gone

# A client that connects and does not ask keeps no other from asking.
vmrun create "$work/$vm" </dev/null >/dev/null 2>&1
cd "$root/$vm" || exit 1
perl -e 'use Socket;
	for (1 .. 40) {
		socket(my $s, AF_UNIX, SOCK_SEQPACKET, 0) or die; connect($s, pack_sockaddr_un("control")) or die;
		push @held, $s;
	}
	open(my $f, ">", shift); sleep 60' "$work/connected" &
holder=$!
cd "$top" || exit 1
eventually 20 [ -e "$work/connected" ]
succeeds "40 silent clients: kill KILL" quick kill $vm KILL
kill $holder
wait $holder 2>/dev/null
succeeds "delete" quick delete $vm

# Callers start what they have seen by state, though create has not returned.
jq --arg go "until [ -e $work/go ]; do sleep 0.02; done" '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", $go]}]' \
	"$work/$vm/config.json" >"$work/c" && mkdir "$work/late" && cp -r "$work/$vm/." "$work/late/" && mv "$work/c" "$work/late/config.json"
quick create "$work/late" </dev/null >/dev/null 2>"$work/err" &
create=$!
late() { vm_status late | grep -qxE "creating|created"; } # created, where the hook runs
succeeds "a hook holds create up" eventually 20 late
quick start late >"$work/start" 2>&1 &
start=$!
sleep 0.3 # it passes without that, too, but proves less
touch "$work/go"
wait $start
is "start waits for create" "$?$(cat "$work/start")" 0
wait $create
is "create: succeeds" $? 0
succeeds "late: delete --force" quick delete --force late

# Nor does create wait for a console's owner that does not take it.
jq '.process = {"terminal": true, "cwd": "/"}' "$work/$vm/config.json" >"$work/c" && mv "$work/c" "$work/$vm/config.json"
perl -e 'use Socket; use Fcntl;
	socket(my $l, AF_UNIX, SOCK_STREAM, 0) or die; bind($l, pack_sockaddr_un($ARGV[0])) or die; listen($l, 0);
	for (1 .. 3) {
		socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; fcntl($s, F_SETFL, O_NONBLOCK);
		connect($s, pack_sockaddr_un($ARGV[0])); push @held, $s;
	}
	open(my $f, ">", $ARGV[1]); sleep 60' "$work/console" "$work/full" &
holder=$!
eventually 20 [ -e "$work/full" ]
like "a console socket with a full queue" "$(quick create --console-socket "$work/console" "$work/$vm" 2>&1 </dev/null)" "console socket .*temporarily unavailable"
kill $holder
wait $holder 2>/dev/null
is "nothing is left" "$(ls -A "$root")" ""
