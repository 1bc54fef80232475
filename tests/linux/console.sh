#!/bin/bash
# Stock Linux guests on hvc0, without named ports and with one: input and output, a MiB of it, the terminal's size,
# users who attach and detach. Without vmx or svm the whole script runs inside one tests/kvmhost machine.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	dir=$PWD/${B:-build}/linux-console
	rm -rf "$dir"
	set -e
	for id in plain ports; do
		bundle-examples/build --image-size 16 --memory 192 --job tests/linux/jobs/net --module virtio_console "$dir/$id"
	done
	jq '.vm.devices += [{type: "console"}]' "$dir/plain/config.json" >"$dir/config" && mv "$dir/config" "$dir/plain/config.json"
	jq '.vm.devices += [{type: "console", onFailure: "restart", ports: [{name: "org.example.echo"}]}]' "$dir/ports/config.json" >"$dir/config" &&
		mv "$dir/config" "$dir/ports/config.json"
	set +e
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
dir=$B/linux-console
. tests/linux/guest.bash
trap 'kill $(jobs -p) 2>/dev/null; cleanup' EXIT

# A user: `vmrun console` on a terminal of 33 rows and 99 columns, 50 and 132 after SIGUSR1. Standard input is what is
# typed, standard output what is seen; exits with the status of `vmrun console`, which gets SIGTERM at the end of input.
cat >"$work/user.pl" <<'PERL'
use POSIX;
open(my $m, "+<", "/dev/ptmx") or die; ioctl($m, 0x40045431, my $no = pack("i", 0)) or die;
ioctl($m, 0x80045430, my $nr = pack("i", 0)) or die; open(my $t, "+<", "/dev/pts/" . unpack("i", $nr)) or die;
sub size { ioctl($m, 0x5414, pack("S4", @_, 0, 0)) or die }
$SIG{USR1} = sub { size(50, 132) };
size(33, 99);
my $pid = fork // die;
if (!$pid) { setsid(); ioctl($t, 0x540e, 0); POSIX::dup2(fileno($t), $_) for 0 .. 2; exec @ARGV }
close($t);
my $buf;
for (;;) {
	vec(my $r = "", fileno $m, 1) = 1; vec($r, 0, 1) = 1;
	select($r, undef, undef, undef) > 0 or next; # SIGUSR1
	if (vec($r, fileno $m, 1)) { sysread($m, $buf, 65536) or last; syswrite(STDOUT, $buf) }
	if (vec($r, 0, 1)) { sysread(STDIN, $buf, 4096) or last; syswrite($m, $buf) }
}
kill(TERM => $pid); waitpid($pid, 0); exit(WIFEXITED($?) ? WEXITSTATUS($?) : 1);
PERL
user() { exec perl "$work/user.pl" "$vmrun_bin" --root "$root" console "$@"; }
has_size() { [ "$(ask "$1" "size${EPOCHREALTIME/./}" "stty size </dev/hvc0")" = "$2 " ]; }
holds() { grep -qa -- "$2" "$1"; }
is_long() { [ "$(stat -c %s "$1")" -ge 65536 ]; }

boot plain
boot ports
up plain 120
up ports 120
is_running plain && is_running ports || exit
mib=$({ seq 1 150000 | tr '\n' ' '; echo; } | sha256sum) # what `fact` makes of it
for id in plain ports; do
	is "$id: hvc0 is the guest's console" "$(ask $id active cat /sys/class/tty/console/active)" "hvc0 "
	is "$id: a MiB comes out whole" "$(ask $id big seq 1 150000 | sha256sum)" "$mib"
	"$vmrun_bin" --root "$root" console $id </dev/null >"$work/$id.late" &
	eventually 20 is_long "$work/$id.late"
	kill $!
	wait $! 2>/dev/null
	is "$id: who attaches later gets the last 64 KiB" "$(sha256sum <"$work/$id.late")" "$(tail -c 65536 "$work/$id.console" | sha256sum)"
	mkfifo "$work/$id.keys"
	user $id <"$work/$id.keys" >"$work/$id.seen" &
	exec 8>"$work/$id.keys"
	succeeds "$id: the guest has the terminal's size" eventually 20 has_size $id "33 99"
	kill -USR1 $!
	succeeds "$id: also after it has changed" eventually 20 has_size $id "50 132"
	printf 'typed echo by a user\n' >&8
	succeeds "$id: what the user types the guest reads, and the user sees the answer" eventually 20 holds "$work/$id.seen" '^fact typed by a user'
	printf '\001d' >&8
	wait $!
	is "$id: Ctrl-A d detaches" $? 0
	exec 8>&-
	is "$id: and the VM runs on" "$(vm_status $id)" running
done
# The link in /dev/virtio-ports is udev's, of which this guest has none.
node=$(ask ports node "basename \$(dirname \$(grep -l org.example.echo /sys/class/virtio-ports/*/name))" | tr -d ' ')
like "ports: the port has its name" "$node" '^vport[0-9]+p1$'
echo "port exec 3<>/dev/$node; read -r line <&3; echo \"got \$line\" >&3; echo \$line" >&"${input[ports]}"
{ echo hello; sleep $((2 * patience)); } | vmrun console --port org.example.echo ports >"$work/port" &
succeeds "ports: it goes both ways" eventually 20 holds "$work/port" '^got hello'
is "ports: no byte of it came to hvc0" "$(grep -ac '^got' "$work/ports.console")" 0
# The console dies four times while the guest prints a MiB, and reads what is typed.
restarts() { vmrun state ports | jq -r '.vmrun.processes[] | select(.name == "console0") | .restarts // 0'; }
has_restarts() { [ "$(restarts)" = "$1" ]; }
echo "again seq 1 150000" >&"${input[ports]}"
for n in 1 2 3 4; do
	kill -KILL "$(vm_pid ports console0)"
	eventually 30 has_restarts $n || not_ok "ports: death $n: the console is started again"
	sleep 1
done
echo "then echo typed in between" >&"${input[ports]}"
succeeds "ports: what was typed comes" await ports 60 '^fact then typed in between'
is "ports: four deaths, and the MiB is whole" "$(fact ports again | sha256sum)" "$mib"
is "ports: the size is as it was" "$(ask ports sizelater "stty size </dev/hvc0")" "50 132 "
for id in plain ports; do
	vmrun kill $id
	ended $id poweroff 0
	succeeds "$id: deleted" vmrun delete $id
done
