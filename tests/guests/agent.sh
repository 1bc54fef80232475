#!/bin/bash
# Containers whose guest plays vmrun-init (agent.c): streams, status, signals, exec, and what dies or breaks the rules meanwhile.
. "$(dirname "$0")/../lib.sh"
vmrun() { "$vmrun_bin" --root "$root" --host-config "$work/vmrun.json" "$@"; }
echo initrd >"$work/initrd"
cat >"$work/vmrun.json" <<-JSON
	{"kernel": "$B/guests/agent.elf", "initrd": "$work/initrd", "memory": 67108864}
JSON

# container ARG...: the bundle $work/c, whose process has these arguments
container() {
	mkdir -p "$work/c/rootfs/bin"
	[ "$1" = nosuch ] || install -m 755 /dev/null "$work/c/rootfs/bin/$1" # which create looks for
	jq -n '{ociVersion: "1.0.2", root: {path: "rootfs"}, process: {cwd: "/", args: $ARGS.positional}}' --args "$@" \
		>"$work/c/config.json"
}
# does ARG...: such a container in the foreground; its status is the last line
does() {
	container "$@"
	timeout 60 "$vmrun_bin" --root "$root" --host-config "$work/vmrun.json" run --bundle "$work/c" c1 2>"$work/err"
	echo "status $?"
}
# begun ARG...: such a container, started in the background, its output in $work/out
begun() {
	container "$@"
	vmrun create --bundle "$work/c" c1 </dev/null >"$work/out" 2>"$work/err" && vmrun start c1
}
out_has() { grep -q "$1" "$work/out"; }
clean() { is "$1: nothing is left" "$(vmrun list -q; ls -A "$root")" ""; }

# ---- the foreground ----

is "arguments" "$(does args one 'two words' '')" "$(printf 'args\none\ntwo words\n\nstatus 0')"
is "a status" "$(does exit 7)" "status 7"
is "input to output" "$(seq 2000 | does cat | md5sum)" "$( (seq 2000; echo status 0) | md5sum)"
is "no input" "$(does cat </dev/null)" "status 0"
like "a socket to notify does not reach the guest, which is said" "$(container args; NOTIFY_SOCKET=/n vmrun run --bundle "$work/c" c1 2>&1)" \
	"^vmrun: warning: NOTIFY_SOCKET: "
is "output to a file" "$(does out 100000 >"$work/file"; head -c 100000 "$work/file" | tr -d x | wc -c; tail -c 9 "$work/file")" "$(printf '0\nstatus 0')"
is "much output" "$(does out 3000000 | head -c 3000000 | tr -d x | wc -c)" 0
does err 50000 >/dev/null
is "errors" "$(tail -c 50000 "$work/err" | tr -dc x | wc -c)" 50000
is "create looks for the program" "$(does nosuch)" "status 1"
is "create looks for the program: the words" "$(tail -n 1 "$work/err")" 'vmrun: exec: "nosuch": executable file not found in $PATH'
is "no such program" "$(does fail 21 2)" "status 127"
is "no such program: the words" "$(tail -n 1 "$work/err")" 'vmrun: exec: "fail": executable file not found in $PATH'
is "not executable" "$(does fail 22 13)" "status 126"
container sleep
"$vmrun_bin" --root "$root" --host-config "$work/vmrun.json" run --bundle "$work/c" c1 </dev/null >"$work/out" 2>/dev/null &
pid=$!
eventually 20 is_running c1
kill -RTMIN+2 $pid
wait $pid
is "a real-time signal to the foreground" "$? $(cat "$work/out")" "164 signal 36"
clean "the foreground"

# ---- create, start, kill, delete ----

succeeds "a container is started" begun sleep
is "it runs" "$(vm_status c1)" running
is "its root is in the state" "$(vmrun state c1 | jq -r .rootfs)" "$work/c/rootfs"
succeeds "a signal" vmrun kill c1 USR1
succeeds "a signal ends it" eventually 20 is_stopped c1
is "it heard it" "$(cat "$work/out")" "signal 10"
is "the cause" "$(vmrun state c1 | jq -r '"\(.vmrun.cause) \(.vmrun.exitCode)"')" "exited 138"
like "a signal to a stopped one" "$(vmrun kill c1 TERM 2>&1)" "container not running"
succeeds "it is deleted" vmrun delete c1
succeeds "another" begun sleep
kill -TERM "$(vmrun state c1 | jq .pid)"
succeeds "a signal to the pid ends it" eventually 20 is_stopped c1
is "it heard that" "$(cat "$work/out")" "signal 15"
vmrun delete c1
begun sleep
succeeds "a pause" vmrun pause c1
like "exec in a paused one" "$(vmrun exec c1 exit 3 2>&1)" "cannot exec in a paused container"
succeeds "a signal while it is paused" vmrun kill c1 USR2
succeeds "a resume" vmrun resume c1
succeeds "it hears it then" eventually 20 out_has "signal 12"
vmrun delete --force c1
begun sleep
succeeds "KILL" vmrun kill c1 KILL
succeeds "KILL ends it" eventually 20 is_stopped c1
is "KILL: the status" "$(vmrun state c1 | jq .vmrun.exitCode)" 137
vmrun delete c1
clean "create to delete"

# ---- exec ----

begun sleep
# Tables that are not used are not in memory, also where the host has huge pages for all.
is "its processes have at most 2880 KiB" "$(memory_over c1 2880)" ""
is "exec: output" "$(vmrun exec c1 args a b)" "$(printf 'args\na\nb')"
vmrun exec c1 exit 5
is "exec: status" $? 5
is "exec: input" "$(seq 500 | vmrun exec c1 cat | md5sum)" "$(seq 500 | md5sum)"
vmrun exec c1 fail 21 2 2>"$work/err"
is "exec: no such program" "$? $(cat "$work/err")" '127 vmrun: c1: exec: "fail": executable file not found in $PATH'
"$vmrun_bin" --root "$root" exec --pid-file "$work/pid" c1 sleep >"$work/slept" &
pid=$!
eventually 20 [ -s "$work/pid" ]
kill -USR1 $pid
wait $pid
is "exec: a signal" "$? $(cat "$work/slept")" "138 signal 10"
many() {
	local i pids=()
	for i in $(seq 50); do vmrun exec c1 args "$i" >"$work/many.$i" & pids+=($!); done
	for i in "${pids[@]}"; do wait "$i" || return; done
	for i in $(seq 50); do [ "$(cat "$work/many.$i")" = "$(printf 'args\n%s' "$i")" ] || return; done
}
succeeds "exec: 50 at once" many
sleep 60 | vmrun exec c1 cat >/dev/null &
vmrun exec c1 out 2000000 | sleep 60 &
eventually 20 [ "$(pgrep -fc -- "$root exec c1")" -ge 2 ]
is "exec: beside input that does not come, and output that is not read" "$(timeout 20 "$vmrun_bin" --root "$root" exec c1 args x)" "$(printf 'args\nx')"
pkill -f "^sleep 60"
vmrun kill c1 TERM
succeeds "exec: the container goes on until then" eventually 20 is_stopped c1
is "exec: in a stopped one" "$(vmrun exec c1 exit 0 2>&1)" "vmrun: c1: cannot exec in a stopped container"
vmrun delete c1

# ---- who dies, and who breaks the rules ----

for part in vmm=vmm-killed vsock0=device-killed fs0=device-killed supervisor=supervisor-killed; do
	victim=${part%=*}
	begun sleep
	rm -f "$work/pid"
	"$vmrun_bin" --root "$root" exec --pid-file "$work/pid" c1 sleep >/dev/null 2>&1 &
	pid=$!
	eventually 20 [ -s "$work/pid" ]
	if [ $victim = supervisor ]; then kill -9 "$(vmrun state c1 | jq .pid)"; else kill -9 "$(vm_pid c1 $victim)"; fi
	succeeds "$victim dies: the container ends" eventually 20 is_stopped c1
	is "$victim dies: the cause" "$(vmrun state c1 | jq -r .vmrun.cause)" "${part#*=}"
	wait $pid
	is "$victim dies: exec ends" $? 137
	succeeds "$victim dies: deleted" vmrun delete --force c1
done
begun sleep
kill -STOP "$(vm_pid c1 vsock0)"
is "vsock0 is silent: exec ends, and so do those that read from it" "$(timeout 30 "$vmrun_bin" --root "$root" exec c1 exit 0 2>&1; echo "status $?")" \
	"$(printf 'vmrun: c1: vsock0 does not answer\nstatus 255')"
succeeds "vsock0 is silent: the container ends" eventually 20 is_stopped c1
is "vsock0 is silent: the cause" "$(vmrun state c1 | jq -r '"\(.vmrun.cause) \(.vmrun.detail)"')" "device-killed vsock0: does not answer"
vmrun delete c1
for type in 0 1 2 5 99; do
	begun break $type
	succeeds "a guest that says record $type: the VM ends" eventually 20 is_stopped c1
	is "a guest that says record $type: the cause" "$(vmrun state c1 | jq -r .vmrun.cause)" init-lost
	vmrun delete c1
done
begun gone
succeeds "a guest whose init is gone: the VM ends" eventually 20 is_stopped c1
is "a guest whose init is gone: the status" "$(vmrun state c1 | jq .vmrun.exitCode)" 35
vmrun delete c1
clean "the end"
