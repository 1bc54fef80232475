#!/bin/bash
# podman and conmon with a container whose guest plays vmrun-init (agent.c): who is killed, and what podman's user sees of it.
# What needs a Linux guest is in tests/linux/podman.sh.
if [ "${1:-}" != --inside ]; then
	cd "$(dirname "$0")/../.." || exit 1
	. bundle-examples/debs.sh
	. tests/linux/containers.bash
	tree=$(debs_tree "${containers_packages[@]}") || exit
	containers_enter "$tree" -- bash "$0" --inside
	exit
fi
. "$(dirname "$0")/../lib.sh"
. tests/linux/containers.bash
mkdir -p /etc/vmrun "$work/rootfs"/{bin,etc,proc,sys,dev,tmp}
echo initrd >"$work/initrd"
jq -n --arg k "$B/guests/agent.elf" --arg i "$work/initrd" '{kernel: $k, initrd: $i, memory: 67108864}' >/etc/vmrun/vmrun.json
for program in sleep args exit out; do install -m 755 /dev/null "$work/rootfs/bin/$program"; done
echo root:x:0:0:root:/root:/bin/sh >"$work/rootfs/etc/passwd"
tar -C "$work/rootfs" -cf "$work/rootfs.tar" .
podman import --quiet "$work/rootfs.tar" localhost/agent:1 >"$work/out" 2>&1 || cat "$work/out"
image=localhost/agent:1
podman() { timeout 60 podman "$@"; }
finish() {
	podman rm --all --force --time 0 >/dev/null 2>&1
	cleanup
}
trap finish EXIT
run() { podman run --network none "$@"; }
state() { podman inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$1"; }
pid_of() { "$vmrun_bin" state "$(podman inspect -f '{{.Id}}' "$1")" | jq --arg n "$2" 'if $n == "" then .pid else .vmrun.processes[] | select(.name == $n) | .pid end'; }
up() { podman exec "$1" args up >/dev/null 2>&1; }
nothing_left() { [ -z "$(ls -A /run/vmrun 2>/dev/null)" ] && ! pgrep -f "^$B/(bin/vmrun|libexec/vmrun/)" >/dev/null; }

answers "run" 7 '' run --rm $image exit 7
answers "20 MB of output" 0 '^20000000$' bash -c 'podman run --rm --network none '$image' out 20000000 | wc -c'
answers "run --timeout" 255 '' run --rm --timeout 1 $image sleep
answers "run -d" 0 '' run -d --name c $image sleep
answers "restart, of one that runs" 0 '^c$' podman restart -t 5 c
is "it runs" "$(state c)" "running 0"
# podman copies in the mount namespace of the pid that create gave.
echo copied >"$work/one"
answers "cp: into it" 0 '' podman cp "$work/one" c:/tmp/copy.$$
is "it is there" "$(cat "$(podman mount c)/tmp/copy.$$")" copied
answers "cp: out of it" 0 '' podman cp c:/etc/passwd "$work/passwd"
is "of its own" "$(cat "$work/passwd")" "$(cat "$work/rootfs/etc/passwd")"
answers "cp: a host's file that it lacks" 125 'no such file' podman cp c:/etc/fstab "$work/fstab"
answers "cp: where the guest has a file system of its own" 125 'read-only file system' podman cp "$work/one" c:/dev/copy.$$
is "nothing is written to the host" "$(ls -d /tmp/copy.$$ /dev/copy.$$ 2>/dev/null)" ""
answers "--network container:" 126 'another container has a VM in this network namespace: vmrun runs one container of a pod' \
	podman run --rm --network container:c $image exit 7
answers "checkpoint" 125 'CRIU' podman container checkpoint c
answers "stop" 0 '^c$' podman stop -t 5 c
is "its status" "$(state c)" "exited 143"
answers "restart, of one that has stopped" 0 '^c$' podman restart c
answers "pause" 0 '^c$' podman pause c
answers "kill of a paused one" 0 '^c$' podman kill c
answers "wait" 0 '^137$' podman wait c
answers "rm" 0 '^c$' podman rm c
answers "run --restart" 4 '' run --name c --restart on-failure:2 $image exit 4
is "run --restart: how often" "$(podman inspect -f '{{.RestartCount}} {{.State.Status}}' c)" "2 exited"
answers "rm of it" 0 '^c$' podman rm c
succeeds "nothing is left" eventually 10 nothing_left

for part in vmm=33 fs0=38 =137; do
	victim=${part%=*}
	run --rm --name c $image sleep >/dev/null 2>&1 </dev/null &
	caller=$!
	eventually 20 up c
	kill -9 "$(pid_of c "$victim")"
	wait $caller
	is "${victim:-supervisor} is killed: run --rm ends" "$? $(podman ps --all --quiet)" "${part#*=} "
	succeeds "${victim:-supervisor} is killed: nothing is left" eventually 10 nothing_left
done

# Without conmon podman does not have the runtime delete: so it is with runc.
run -d --name c $image sleep >/dev/null 2>&1
id=$(podman inspect -f '{{.Id}}' c)
kill -9 "$(podman inspect -f '{{.State.ConmonPid}}' c)"
answers "conmon is killed: the container runs on" 0 '^on$' podman exec c args on
answers "conmon is killed: rm --force" 0 '^c$' podman rm --force --time 0 c
answers "conmon is killed: delete" 0 '' "$vmrun_bin" delete --force "$id"
succeeds "conmon is killed: nothing is left" eventually 10 nothing_left

command podman run --network none --name c $image sleep >/dev/null 2>&1 </dev/null &
caller=$!
eventually 20 up c
kill -9 $caller
wait $caller 2>/dev/null
answers "podman is killed: the container runs on" 0 '^on$' podman exec c args on
answers "podman is killed: rm --force" 0 '^c$' podman rm --force --time 0 c
succeeds "podman is killed: nothing is left" eventually 10 nothing_left
