#!/bin/bash
# kill -9 of create, of exec and of each process of a container's VM: no caller hangs, and nothing is left.
if [ "${1:-}" != --inside ]; then
	cd "$(dirname "$0")/../.." || exit 1
	. bundle-examples/debs.sh
	. tests/linux/containers.bash
	containers_run "$0"
fi
. "$(dirname "$0")/../lib.sh"
. tests/linux/containers.bash
mkdir "$work/c"
cp -a "$B/containers/rootfs" "$work/c/rootfs"
(cd "$work/c" && runc spec && jq '.process.terminal = false | .process.args = ["sh", "-c", "echo up; while :; do sleep 1 & wait; done"]' \
	config.json >new && mv new config.json)
ours() { pgrep -f "$B/bin/vmrun|vmrun-vmm|vmrun-dev" | grep -vw $$; }
none_left() { ! ours >/dev/null; }
# clean NAME: neither state nor process is left
clean() {
	is "$1: no state is left" "$(ls -A "$root")" ""
	if eventually 10 none_left; then ok "$1: no process is left"; else
		not_ok "$1: a process is left"
		for p in $(ours); do echo "# $p $(tr '\0' ' ' <"/proc/$p/cmdline")"; done
	fi
}
# whole CMD...: it returns, with its status in $whole
whole() {
	timeout $((30 * patience)) "$@" >"$work/out" 2>&1 </dev/null
	whole=$?
}

for ms in 10 30 60 100 200 400; do
	"$vmrun_bin" --root "$root" create --bundle "$work/c" c </dev/null >"$work/out" 2>&1 &
	pid=$!
	sleep "$(printf '0.%03d' $ms)"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	whole vmrun delete --force c
	[ $whole = 0 ] || is "create is killed after $ms ms: delete --force" "$whole: $(cat "$work/out")" 0:
	clean "create is killed after $ms ms"
done

for victim in supervisor vmm fs vsock; do
	whole vmrun create --bundle "$work/c" --pid-file "$work/pid" c
	is "$victim: created" "$whole $(cat "$work/out")" "0 "
	whole vmrun start c
	is "$victim: started" "$whole $(cat "$work/out")" "0 "
	timeout $((60 * patience)) "$vmrun_bin" --root "$root" exec c sleep 1000 >"$work/exec" 2>&1 </dev/null &
	exec=$!
	whole vmrun exec c true
	is "$victim: exec" $whole 0
	if [ $victim = supervisor ]; then pid=$(cat "$work/pid"); else pid=$(vm_pid c $victim); fi
	kill -9 "$pid"
	wait $exec
	like "$victim is killed: exec ends" $? '^(137|1|255)$'
	succeeds "$victim is killed: stopped" eventually 10 is_stopped c
	whole vmrun exec c true
	like "$victim is killed: no exec" "$whole $(cat "$work/out")" '^255 .*not running|stopped'
	whole vmrun delete c
	is "$victim is killed: delete" "$whole $(cat "$work/out")" "0 "
	clean "$victim is killed"
done
say "end"
