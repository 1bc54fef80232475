#!/bin/bash
# Consoles die while their guests read and print: they are started again, and no byte is lost, in either direction.
. "$(dirname "$0")/../lib.sh"
trap 'kill $(jobs -p) 2>/dev/null; cleanup' EXIT

nr=10
console='{"type": "console", "onFailure": "restart", "log": "con.log", "logBytes": 1073741824, "ports": [{"name": "org.example.echo"}]}'
restarts() { vmrun state "$1" | jq -r '.vmrun.processes[] | select(.name == "console0") | .restarts // 0'; }
has_restarts() { [ "$(restarts "$1")" = "$2" ]; }
echoes() { [ "$(stat -c %s "$work/$1.out")" -ge $((before + 4096)) ]; }
shows() { eventually 20 grep -qa -- "$2" "$1"; }
# feed VM: lines for it, until there is a file that ends it; each is different
feed() { perl -e 'my ($vm, $end, $ref) = @ARGV; open(my $f, ">", $ref) or die; $| = 1; $SIG{PIPE} = "IGNORE";
	for (my $n = 0; ! -e $end; $n++) { my $line = sprintf("%s line %07d, which nobody else has\n", $vm, $n); print {$f} $line; print $line }
	close($f); print "off\n"' "$1" "$work/end" "$work/$1.ref" >"$work/$1.in"; }

for ((i = 0; i < nr; i++)); do
	bundle "$work/vm$i" hvc "[$console]"
	mkfifo "$work/vm$i.in"
	exec {input[i]}<>"$work/vm$i.in"
	vmrun --log "$work/vm$i.log" --log-level warning create "$work/vm$i" <"$work/vm$i.in" >"$work/vm$i.out" 2>/dev/null
	vmrun start vm$i
	if [ $i = 0 ]; then # before there is more to see than the last 64 KiB
		"$vmrun_bin" --root "$root" console vm0 </dev/null >"$work/user" &
		user=$!
	fi
	feed vm$i &
done
(for i in 1 2 3 4 5; do eventually 60 test -e "$work/go$i"; echo "port line $i"; done; eventually 60 test -e "$work/end") |
	"$vmrun_bin" --root "$root" console --port org.example.echo vm1 >"$work/port" &
for n in 1 2 3 4 5; do
	for ((i = 0; i < nr; i++)); do pids[i]=$(vm_pid vm$i console0); done
	touch "$work/go$n"
	kill -KILL "${pids[@]}"
	good=yes
	for ((i = 0; i < nr; i++)); do
		eventually 30 has_restarts vm$i $n || good="vm$i is not started again"
		before=$(stat -c %s "$work/vm$i.out")
		eventually 30 echoes vm$i || good="vm$i does not go on"
	done
	is "death $n of $nr consoles: all are started again, and their guests go on" "$good" yes
done
touch "$work/end"
for ((i = 0; i < nr; i++)); do
	succeeds "vm$i: its guest ends" eventually 60 is_stopped vm$i
	{ printf '!ready\n'; cat "$work/vm$i.ref"; printf 'bye\n'; } >"$work/wanted"
	grep -av '^from the serial port' "$work/vm$i.out" >"$work/got"
	if cmp "$work/wanted" "$work/got" >"$work/cmp" 2>&1; then ok "vm$i: each line came back once"; else
		not_ok "vm$i: each line came back once"
		sed 's/^/# /' "$work/cmp"
	fi
	is "vm$i: the log has the same" "$(md5sum <"$work/vm$i/con.log")" "$(md5sum <"$work/got")"
	is "vm$i: by what the guest did" "$(vmrun state vm$i | jq -r .vmrun.cause)" poweroff
done
wait $user
# What comes twice begins anywhere in a line.
is "who was attached stays attached: no line is missing" "$(comm -23 <(LC_ALL=C sort -u "$work/vm0.ref") <(LC_ALL=C sort -u "$work/user"))" ""
is "and of each death at most 4 KiB come twice" "$(($(stat -c %s "$work/user") <= $(stat -c %s "$work/vm0.out") + 5 * 4096))" 1
is "a user of a named port, too" "$(sort -u "$work/port" | grep -c '^port line [1-5]$')" 5
is "their log has a line for each" "$(cat "$work"/vm*.log | grep -cE 'console0: killed by SIGKILL: it is started again \(restart [1-5]\)')" 50
for ((i = 0; i < nr; i++)); do vmrun delete vm$i; done
