#!/bin/bash
# kill -9 at each step: of create, of its supervisor while it creates, and of each process of a container while it starts, runs a
# program more and ends. No caller hangs, and delete --force leaves nothing.
#
# A step is a system call (tests/linux/kill_at.c), so the same are met each time. KILL_EVERY (80) leaves out those between.
# In a PID namespace of its own, so that it sees its own processes only.
[ "${1:-}" = --inside ] || exec unshare --pid --fork --kill-child --mount-proc "$0" --inside
. "$(dirname "$0")/../lib.sh"
id=killed$(date +%s%N)
every_call=${KILL_EVERY:-80}
mkdir -p "$root" "$work/c/rootfs/bin" "$work/data"
install -m 755 /dev/null "$work/c/rootfs/bin/sleep"
echo initrd >"$work/initrd"
jq -n --arg k "$B/guests/agent.elf" --arg i "$work/initrd" '{kernel: $k, initrd: $i, memory: 67108864}' >"$work/host.json"
jq -n --arg id "$id" --arg data "$work/data" '{ociVersion: "1.0.2", root: {path: "rootfs"}, process: {cwd: "/", args: ["sleep"]},
	mounts: [{destination: "/data", type: "bind", source: $data, options: ["rbind"]}],
	hooks: {createRuntime: [{path: "/bin/true"}], poststart: [{path: "/bin/true"}]},
	linux: {cgroupsPath: "/vmrun/\($id)", namespaces: [{type: "network"}, {type: "uts"}, {type: "ipc"}],
		resources: {cpu: {shares: 512}}}}' >"$work/c/config.json"
kill_at=$B/tests/linux/kill_at
at=("$vmrun_bin" --root "$root" --host-config "$work/host.json")
vmrun() { timeout 30 "${at[@]}" "$@"; }
create=("${at[@]}" create --bundle "$work/c" --pid-file "$work/pid" "$id")

# world: what a container could leave behind
world() {
	cut -d' ' -f5- /proc/self/mountinfo | sort
	find /sys/fs/cgroup -type d -path "*/$id*" | sort
	ls -A "$root"
	ip -o link | cut -d' ' -f2 | sort
	ps -e -o comm= | grep -E '^(vmrun|vmm$|fs0|vsock0|serial0|rng0|net0)' # those that are dead and not reaped, too
}
is_clean() { [ "$(world)" = "$before" ]; }
# clean WHAT: delete --force works, and it has left nothing
clean() {
	vmrun delete --force "$id" >"$work/said" 2>&1 || bad "$1: delete --force: exit $?: $(cat "$work/said")"
	eventually 10 is_clean || bad "$1: left: $(diff <(echo "$before") <(world) | tr '\n' ' ')"
}
bad() {
	echo "# $*" | cut -c1-400
	bad=$((bad + 1))
}
steps() { # steps NAME: what came of the last series
	is "$1: no caller hangs, nothing is left" "$bad bad" "0 bad"
	[ "$n" -gt 0 ] || not_ok "$1: some steps"
	echo "# $1: one in $every of $n steps, $SECONDS s"
}
before=$(world)

# ---- create, and the processes that it starts: first the one that mounts what is shared, then the supervisor ----

every=$every_call
for victim in "" "--child 1" "--child 2"; do
	bad=0
	for ((n = 0; ; n += every)); do
		# shellcheck disable=SC2086
		timeout 60 "$kill_at" $victim $n "${create[@]}" </dev/null >/dev/null 2>"$work/said"
		rc=$?
		[ $rc != 0 ] || break
		case $victim.$rc in
		.137) ;;
		?*.1) [ "$(grep -vc warning: "$work/said")" = 1 ] || bad "call $n of $victim: create says $(cat "$work/said")" ;;
		*) bad "call $n of $victim: create: exit $rc: $(cat "$work/said")" ;;
		esac
		# What fails undoes itself.
		[ $rc = 137 ] || eventually 10 is_clean || bad "call $n of $victim: left: $(diff <(echo "$before") <(world) | tr '\n' ' ')"
		clean "call $n of create $victim"
	done
	clean "create"
	steps "create ${victim:-itself}"
done

# ---- start, exec and kill ----

# The VMM and the fs device make few calls of their own.
for part in supervisor:1 vmm:8 fs0:8 vsock0:1; do
	victim=${part%:*} every=$(((every_call + ${part#*:} - 1) / ${part#*:}))
	bad=0
	for ((n = 0; ; n += every)); do
		"${create[@]}" </dev/null >/dev/null 2>"$work/said" || bad "create: $(cat "$work/said")"
		if [ $victim = supervisor ]; then pid=$(cat "$work/pid"); else pid=$(vm_pid "$id" $victim); fi
		rm -f "$work/ready"
		"$kill_at" --pid $n "$pid" >"$work/ready" &
		tracer=$!
		eventually 10 [ -s "$work/ready" ] || bad "the tracer is not ready"
		vmrun start "$id" >"$work/said" 2>&1
		[ $? != 124 ] || bad "call $n of $victim: start hangs"
		vmrun exec "$id" args x >"$work/said" 2>&1 </dev/null
		[ $? != 124 ] || bad "call $n of $victim: exec hangs"
		kill -0 $tracer 2>/dev/null && vmrun kill "$id" USR1 >"$work/said" 2>&1
		eventually 20 is_stopped "$id" || bad "call $n of $victim: not stopped: $(vmrun state "$id" 2>&1 | jq -c .)"
		kill -9 $tracer 2>/dev/null
		wait $tracer
		rc=$?
		vmrun delete "$id" >"$work/said" 2>&1 || bad "call $n of $victim: delete: exit $?: $(cat "$work/said")"
		clean "call $n of $victim"
		[ $rc = 0 ] || break
	done
	steps "$victim"
done

# ---- run: while its guest boots, which this one never ends, and while its program runs ----

jq --arg k "$B/guests/idle.elf" '.kernel = $k' "$work/host.json" >"$work/idle.json"
bad=0 n=0
begin_run() { # begin_run HOST-CONFIG
	"$vmrun_bin" --root "$root" --host-config "$1" run --bundle "$work/c" "$id" </dev/null >"$work/out" 2>"$work/said" &
	pid=$!
	eventually 20 is_running "$id" || bad "run: not running"
}
for sig in INT TERM HUP; do
	begin_run "$work/idle.json"
	kill -$sig $pid
	since=$SECONDS
	wait $pid
	is "run, its guest boots: $sig ends it" "$? $(tail -n 1 "$work/said") $((SECONDS - since < 10))" \
		"$((128 + $(kill -l $sig))) vmrun: interrupted 1"
	succeeds "$sig: nothing is left" eventually 10 is_clean
done
begin_run "$work/idle.json"
kill -9 $pid
wait $pid 2>/dev/null
clean "run is killed while its guest boots"
begin_run "$work/host.json"
eventually 20 vmrun exec "$id" args x >/dev/null 2>&1
kill -9 $pid
wait $pid 2>/dev/null
clean "run is killed"
is "run is killed: nothing is left" $bad 0
