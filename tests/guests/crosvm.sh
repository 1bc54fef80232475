#!/bin/bash
# crosvm's command line: run -s and stop, --host_ip, --netmask and --mac, -u. In a network namespace of its own.
[ "${1:-}" = --inside ] || exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" --inside
. "$(dirname "$0")/../lib.sh"
mkdir -p "$root" "$work/sys"
mount -t sysfs none "$work/sys" && mount --bind "$work/sys/class" /sys/class &&
	mount --bind "$work/sys/devices" /sys/devices && umount "$work/sys"
ip link set lo up

idle=$B/guests/idle.elf
run() { vmrun run --detach "$@" </dev/null >/dev/null 2>"$work/err" || cat "$work/err"; }
fails() { # fails NAME WANTED CMD...: with this one line, and leaves nothing behind
	local name=$1 wanted=$2 got
	shift 2
	got=$("$@" 2>&1 </dev/null | grep -v '^vmrun: warning: KVM only') && [ -z "$got" ] && not_ok "$name: no line"
	is "$name" "$got" "vmrun: $wanted"
	is "$name: nothing is left" "$(vmrun list -q)" ""
}
listens() { [ -S "$1" ]; }

# A VM as crosvm's users start one, and end it.
run -s "$work/sock" --id one -m 64 -c 1 -u --host_ip 10.9.7.1 --netmask 255.255.255.0 --mac 02:00:00:00:00:01 "$idle"
succeeds "it runs" eventually 20 is_running one
succeeds "its socket is at the path" listens "$work/sock"
is "state names it" "$(vmrun state one | jq -r .vmrun.socket)" "$work/sock"
like "--host_ip, --netmask: the host's address" "$(ip -o -4 address)" ' 10\.9\.7\.1/24 '
is "--mac: the guest's" "$(vmrun state one | jq -r '.vmrun.networks[0].mac')" 02:00:00:00:00:01
is "its network device is a TAP" "$(vmrun state one | jq -r '.vmrun.networks[0].mode')" tap
succeeds "stop" vmrun stop "$work/sock"
succeeds "stop: it ends at once" eventually 20 is_stopped one
is "stop: the cause" "$(vmrun state one | jq -r '"\(.vmrun.cause) \(.vmrun.exitCode)"')" "killed 137"
is "stop again" "$(vmrun stop "$work/sock" 2>&1)" "vmrun: $work/sock: container not running"
vmrun delete one
is "delete removes the socket" "$(ls "$work/sock" 2>/dev/null)" ""
is "and the TAP" "$(ip -o link | wc -l)" 1

# In the foreground, without an id; the user's other shell stops it.
mkdir "$work/dir"
vmrun run -s "$work/dir" -m 32 "$idle" </dev/null >/dev/null 2>&1 &
vm=$!
made() { listens "$work"/dir/vm-*.sock; }
succeeds "a directory: a name is made below it" eventually 20 made
path=$(echo "$work"/dir/vm-*.sock)
is "a directory: the name is the VM's id" "$path" "$work/dir/$(vmrun list -q).sock"
succeeds "a directory: it runs" eventually 20 is_running "$(vmrun list -q)"
succeeds "stop by that name" vmrun stop "$path"
wait "$vm"
is "run exits with the code" $? 137
is "nothing is left in the directory" "$(ls "$work/dir")" ""

# Any path: long, relative, another user's file in place of it.
long=$work/$(printf 'x%.0s' {1..120})
mkdir "$long"
run -s "$long/sock" --id long "$idle"
succeeds "a path of $((${#long} + 5)) bytes: stop" vmrun stop "$long/sock"
vmrun delete --force long
(cd "$work/dir" && run -s sock --id relative "$idle")
is "a relative path: state has it whole" "$(vmrun state relative | jq -r .vmrun.socket)" "$work/dir/sock"
rm "$work/dir/sock" && echo mine >"$work/dir/sock"
vmrun delete --force relative
is "a file that took its place is left alone" "$(cat "$work/dir/sock")" mine
rm "$work/dir/sock"
run -s "$work/sock" --id crash "$idle"
kill -9 "$(vm_pids crash | head -n 1)"
is "the supervisor is dead: stop" "$(vmrun stop "$work/sock" 2>&1)" "vmrun: $work/sock: container not running"
vmrun delete --force crash
is "the supervisor was dead: delete removes the socket" "$(ls "$work/sock" 2>/dev/null)" ""

touch "$work/file"
fails "-s: a file that exists" "--socket $work/file: File exists" vmrun run -s "$work/file" "$idle"
is "-s: it is left alone" "$(stat -c %F "$work/file")" "regular empty file"
fails "-s: no such directory" "--socket $work/none/sock: No such file or directory" vmrun run -s "$work/none/sock" "$idle"
fails "-s: empty" "run: option -s wants a value" vmrun run -s "" "$idle"
fails "stop: no such file" "$work/none: No such file or directory" vmrun stop "$work/none"
fails "stop: another kind of file" "$work/file: vmrun run --socket has not made it" vmrun stop "$work/file"
ln -s /etc/passwd "$work/link"
fails "stop: another link" "$work/link: vmrun run --socket has not made it" vmrun stop "$work/link"
ln -s "$work/gone/control" "$work/stale"
fails "stop: a VM that is gone" "$work/stale: container not running" vmrun stop "$work/stale"
fails "--mac alone" "--mac goes with --host_ip" vmrun run --mac 02:00:00:00:00:01 "$idle"
fails "--netmask alone" "--netmask goes with --host_ip" vmrun run --netmask 255.255.255.0 "$idle"
fails "--host_ip: no address" "/vm/devices/0/hostIp: must be an IPv4 address such as 10.0.0.1 or 10.0.0.1/24, is \"x\"" \
	vmrun run --host_ip x --netmask 255.255.255.0 "$idle"

# --balloon, which crosvm always has
run --balloon --id balloon -m 64 "$idle"
is "--balloon" "$(vmrun balloon balloon | jq .targetBytes)" 0
vmrun delete --force balloon

# run --detach returns when the guest runs, and not when it is about to.
early=0
for _ in $(seq 25); do
	run --id soon -m 64 "$idle"
	is_running soon || early=$((early + 1))
	vmrun delete --force soon
done
is "run --detach: the guest runs each time it returns" "$early" 0
