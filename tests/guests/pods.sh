#!/bin/bash
# What holds a pod, as containerd and CRI-O call it, and the namespaces that a container is in for those who look.
# In namespaces of its own, so that it neither sees nor touches the machine's network.
[ "${1:-}" = --inside ] || exec unshare --net --mount "$0" --inside
. "$(dirname "$0")/../lib.sh"
mkdir -p "$root" /run/netns && mount -t tmpfs none /run/netns
ip netns add pod
cri='"io.kubernetes.cri.container-type": "sandbox"'
crio='"io.kubernetes.cri-o.ContainerType": "sandbox"'
podman='"io.container.manager": "libpod"'
program='"/pause"'

# holder ANNOTATION NAMESPACES: a bundle whose program tells that it ran
holder() {
	mkdir -p "$work/b/rootfs"
	printf '#!/bin/sh\n: >%s/ran\n' "$work" >"$work/b/rootfs/pause" && chmod +x "$work/b/rootfs/pause"
	cat >"$work/b/config.json" <<-JSON
	{"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "hostname": "web-0", "annotations": {$1},
	 "process": {"args": [$program], "cwd": "/", "user": {"uid": 0, "gid": 0}}, "linux": {"namespaces": [$2]}}
	JSON
}
ns() { echo "{\"type\": \"$1\"${2:+, \"path\": \"$2\"}}"; }
usual="$(ns pid), $(ns network /run/netns/pod), $(ns ipc), $(ns uts), $(ns mount)"
create() { timeout 20 "$vmrun_bin" --root "$root" --log "$work/log" create --bundle "$work/b" --pid-file "$work/pid" pod </dev/null 2>&1; }
inode() { readlink "/proc/$1/ns/$2"; }
state() { vmrun state pod | jq -r "$1"; }
nothing_left() { [ -z "$(ls -A "$root")" ] && ! ls -d /sys/fs/cgroup/{,*/}vmrun/pod >/dev/null 2>&1; }

for mark in cri crio podman; do
	[ $mark = podman ] && program='"/catatonit", "-P"' || program='"/pause"'
	holder "${!mark}" "$usual"
	# The substitution ends when the last process that has the pipe has closed it.
	is "$mark: create prints nothing, and keeps no stdio" "$(create)" ""
	pid=$(cat "$work/pid")
	is "$mark: created" "$(state '"\(.status) \(.pid)"')" "created $pid"
	is "$mark: it has no VM" "$(state '.vmrun.processes | length')$(pgrep -P "$pid")" 0
	is "$mark: it is in the pod's network namespace" "$(inode "$pid" net)" "net:[$(stat -Lc %i /run/netns/pod)]"
	for n in ipc uts; do
		[ "$(inode "$pid" $n)" != "$(inode self $n)" ] && ok "$mark: $n namespace: a new one" || not_ok "$mark: $n namespace: a new one"
	done
	is "$mark: those who join it have the pod's hostname" "$(nsenter -u -t "$pid" uname -n)" web-0
	is "$mark: its files are its own: its directory, lock, cgroups, sockets" \
		"$(readlink "/proc/$pid"/fd/* | grep -vE "^(/$|/dev/null|$root/pod|/sys/fs/cgroup/|socket:|anon_inode:|$work/log)")" ""
	succeeds "$mark: start" vmrun start pod
	is "$mark: its jail: no capabilities, nor new privileges, a seccomp filter" \
		"$(awk '/^(Cap|NoNewPrivs|Seccomp:)/ { printf "%s%s ", $1, $2 }' "/proc/$pid/status" | sed 's/:0000000000000000 /:0 /g')" \
		"CapInh:0 CapPrm:0 CapEff:0 CapBnd:0 CapAmb:0 NoNewPrivs:1 Seccomp:2 "
	is "$mark: an empty root, read-only, and no other mount" "$(ls -A "/proc/$pid/root/"; awk '{ print $5, substr($6, 1, 2) }' "/proc/$pid/mountinfo")" "/ ro"
	is "$mark: exec" "$(vmrun exec pod true 2>&1)" "vmrun: pod: the container holds a pod, and runs nothing: exec in a container of the pod"
	is "$mark: running" "$(state .status)" running
	like "$mark: a second start" "$(vmrun start pod 2>&1)" 'cannot start an already running container$'
	is "$mark: it is listed" "$(vmrun list --format json | jq -r '.[] | "\(.id) \(.status)"')" "pod running"
	succeeds "$mark: pause" vmrun pause pod
	is "$mark: paused" "$(state .status)" paused
	succeeds "$mark: resume" vmrun resume pod
	succeeds "$mark: a signal that such programs ignore" vmrun kill pod USR1
	is "$mark: running still" "$(state .status)" running
	like "$mark: delete of a running one" "$(vmrun delete pod 2>&1)" 'cannot delete a container that is not stopped: running$'
	succeeds "$mark: TERM" vmrun kill pod
	succeeds "$mark: ends it" eventually 5 is_stopped pod
	is "$mark: as those programs end" "$(state '.vmrun | "\(.cause) \(.exitCode)"')" "exited 0"
	like "$mark: a signal then" "$(vmrun kill pod 2>&1)" 'container not running'
	succeeds "$mark: and with --all" vmrun kill --all pod KILL
	succeeds "$mark: delete" vmrun delete pod
	succeeds "$mark: nothing is left" nothing_left
done
program='"/pause"'
[ -e "$work/ran" ] && not_ok "its program never ran" || ok "its program never ran"
[ -e /run/netns/pod ] && ok "the namespace stays" || not_ok "the namespace stays"

holder "$cri" "$usual"
create
succeeds "KILL before the start" vmrun kill pod KILL
eventually 5 is_stopped pod
is "is 137" "$(state '.vmrun | "\(.cause) \(.exitCode)"')" "killed 137"
vmrun delete pod
create
succeeds "delete of a created one" vmrun delete pod
create && vmrun start pod && kill -TERM "$(cat "$work/pid")"
succeeds "kill(2) ends it as kill does" eventually 5 is_stopped pod
is "with 0" "$(state .vmrun.exitCode)" 0
succeeds "delete --force of a stopped one" vmrun delete --force pod
for when in created running; do
	create
	[ $when = running ] && vmrun start pod
	kill -9 "$(cat "$work/pid")"
	succeeds "$when, killed: it has stopped" eventually 5 is_stopped pod
	is "$when, killed: 137" "$(state .vmrun.exitCode)" 137
	succeeds "$when, killed: delete" vmrun delete pod
	succeeds "$when, killed: nothing is left" nothing_left
done
# makes PID NUMBER: its next system call is that one; PTRACE_SEIZE, _INTERRUPT, _SYSCALL, _POKEUSER, _DETACH
makes() {
	perl -e 'my ($pid, $nr) = @ARGV;
		sub trace { syscall(101, $_[0], $pid + 0, $_[1], $_[2]) >= 0 or die "ptrace $_[0]: $!" }
		trace(0x4206, 0, 0), trace(0x4207, 0, 0), waitpid($pid, 0);
		trace(24, 0, 0), waitpid($pid, 0);
		trace(6, 15 * 8, $nr + 0), trace(17, 0, 0)' "$1" "$2"
}
create && vmrun start pod
if [ "$(awk '/^TracerPid/ { print $2 }' "/proc/$(cat "$work/pid")/status")" = 0 ]; then
	makes "$(cat "$work/pid")" 39
	succeeds "a call that its policy refuses: it has stopped" eventually 5 is_stopped pod
	like "and state says which" "$(state '.vmrun | "\(.cause): \(.detail)"')" \
		"^supervisor-killed: the supervisor was killed by its seccomp policy \(SIGSYS\): pid $(cat "$work/pid"), getpid\("
	succeeds "and it is deleted" vmrun delete pod
	succeeds "and nothing is left" nothing_left
else
	echo "ok - a call that its policy refuses # SKIP another traces it (make rules)"
	vmrun delete --force pod
fi
create && vmrun start pod
succeeds "delete --force of a running one" vmrun delete --force pod
succeeds "nothing is left" nothing_left

# Its state has the annotations, of which callers give many.
holder "$cri, $(jq -nr '[range(4) | "\"k\(.)\": \"\("x" * 60000)\""] | join(", ")')" "$usual"
create
succeeds "annotations of 240 KB: start" vmrun start pod
succeeds "annotations of 240 KB: kill" vmrun kill pod
eventually 5 is_stopped pod
is "annotations of 240 KB: ends as others do" "$(state '.vmrun | "\(.cause) \(.exitCode)"') $(state '.annotations | length')" "exited 0 5"
vmrun delete pod

# A log that is a pipe, and a client that leaves while the pod stands still
holder "$cri" "$usual"
mkfifo "$work/fifo"
exec 8<>"$work/fifo"
vmrun --log "$work/fifo" --log-level debug create --bundle "$work/b" --pid-file "$work/pid" pod </dev/null
kill -STOP "$(cat "$work/pid")"
"$vmrun_bin" --root "$root" kill pod USR1 &
client=$!
# It has asked: it is in poll, recvfrom, recvmsg or ppoll.
eventually 10 grep -qE '^(7|45|47|271) ' /proc/$client/syscall
kill -9 $client
wait $client 2>/dev/null
kill -CONT "$(cat "$work/pid")"
like "a line for a log that is a pipe" "$(timeout 20 grep -m 1 "a client left" <&8)" 'level=debug msg="a client left before its answer"'
exec 8>&-
vmrun delete pod

# A user who is not root
mkdir -m 755 "$work/user" && cp -r "$work/b" "$work/user/b" && chown -R 65534:65534 "$work/user" && chmod 755 "$work"
holder "$cri" "$(ns pid)" && cp "$work/b/config.json" "$work/user/b/"
as_user() { setpriv --reuid=65534 --regid=65534 --clear-groups "$vmrun_bin" --root "$work/user/state" "$@" </dev/null 2>&1; }
is "another user: create" "$(as_user create --bundle "$work/user/b" pod)" ""
succeeds "another user: start" as_user start pod
succeeds "another user: kill" as_user kill pod
has_stopped() { as_user state pod | grep -q '"stopped"'; }
succeeds "another user: it has stopped" eventually 5 has_stopped
succeeds "another user: delete" as_user delete pod

# ---- namespaces of the wrong kind: all pairs of what is asked for and what is there, one line each

for type in network ipc uts pid mount user cgroup time; do
	for found in net ipc uts mnt pid user cgroup; do
		[ "$type" = "${found/net/network}" ] && continue
		holder "$cri" "$(ns $type /proc/self/ns/$found)"
		case $type in
		network | ipc | uts) wanted="/proc/self/ns/$found is a namespace, but no $type namespace" ;;
		*) wanted="a virtual machine cannot join a $type namespace" ;;
		esac
		is "$type by the path of $found" "$(create | grep -v warning)" "vmrun: /linux/namespaces/0/path: $wanted"
	done
done
holder "$cri" "$(ns pid), $(ns uts /proc/self/ns/nowhere)"
like "a path that leads nowhere" "$(create)" '^vmrun: /linux/namespaces/1/path: uts namespace /proc/self/ns/nowhere: No such file'
holder "$cri" "$(ns ipc), $(ns ipc)"
like "one kind twice" "$(create)" '^vmrun: /linux/namespaces/1: a second ipc namespace$'
succeeds "nothing is left of any" nothing_left

holder "$cri" "$(ns pid), $(ns mount)"
create && pid=$(cat "$work/pid")
for n in net ipc uts; do
	is "$n namespace not listed: the caller's" "$(inode "$pid" $n)" "$(inode self $n)"
done
vmrun delete pod
holder "$cri" "$(ns network)"
create && pid=$(cat "$work/pid")
[ "$(inode "$pid" net)" != "$(inode self net)" ] && ok "a new network namespace" || not_ok "a new network namespace"
is "has a loopback device and nothing else" "$(nsenter -n -t "$pid" ip -o link | wc -l)" 1
vmrun delete pod

# ---- a container of the pod: a VM in its namespaces, and one only. Its kernel is a tiny one of ours, which does not start it

jq -n --arg kernel "$B/guests/idle.elf" --arg initrd "$B/guests/idle.elf" '{kernel: $kernel, initrd: $initrd}' >"$work/vmrun.json"
work_load() { # work_load NAME NAMESPACES
	mkdir -p "$work/$1/rootfs/bin"
	install -m 755 /dev/null "$work/$1/rootfs/bin/true" # which create looks for
	jq -n --argjson ns "[$2]" '{ociVersion: "1.0.2", root: {path: "rootfs"}, process: {args: ["/bin/true"], cwd: "/"},
		annotations: {"io.kubernetes.cri.container-type": "container"}, linux: {namespaces: $ns}}' >"$work/$1/config.json"
}
create_load() { # its errors; a file, and no pipe, because the container keeps its standard error
	local status
	timeout 20 "$vmrun_bin" --root "$root" --host-config "$work/vmrun.json" --log "$work/log" create --bundle "$work/$1" \
		--pid-file "$work/$1.pid" "$1" </dev/null >/dev/null 2>"$work/said"
	status=$?
	cat "$work/said"
	return $status
}
ip link add far type veth peer name eth0 netns pod && ip -n pod addr add 10.7.0.2/24 dev eth0 && ip -n pod link set eth0 up
holder "$cri" "$usual"
create
pod=$(cat "$work/pid")
work_load one "$(ns pid), $(ns mount), $(ns network "/proc/$pod/ns/net"), $(ns ipc "/proc/$pod/ns/ipc"), $(ns uts "/proc/$pod/ns/uts")"
is "a container in the pod's namespaces" "$(create_load one)" ""
for n in net ipc uts; do is "its supervisor is in the pod's $n" "$(inode "$(cat "$work/one.pid")" $n)" "$(inode "$pod" $n)"; done
is "with a device for the interface" "$(vmrun state one | jq -c '[.vmrun.networks[] | .mode, .tap]')" '["netns","vmrun0"]'
[ "$(inode "$(vm_pid one net0)" net)" != "$(inode "$pod" net)" ] && ok "whose process is elsewhere" || not_ok "whose process is elsewhere"
cp -r "$work/one" "$work/two"
is "a second container of the pod: one line" "$(create_load two)" "vmrun: /linux/namespaces/2: another container has a VM in this network \
namespace: vmrun runs one container of a pod, and this would be the second"
is "and nothing of it" "$(ls "$root")" "one
pod"
kill -9 "$(cat "$work/one.pid")"
eventually 5 is_stopped one
succeeds "the first is gone: the second comes to be" eventually 5 create_load two
vmrun delete two
vmrun delete one
vmrun delete pod
is "the pod's interface is as before" "$(ip -n pod -o link show eth0 | grep -c 'UP'; ip -n pod -o link | wc -l; tc -n pod qdisc show dev eth0 ingress)" "1
2"
work_load one "$(ns pid), $(ns network), $(ns ipc), $(ns uts)"
is "a container with namespaces of its own" "$(create_load one)" ""
pid=$(cat "$work/one.pid")
for n in net ipc uts; do
	[ "$(inode "$pid" $n)" != "$(inode self $n)" ] && ok "$n: a new one" || not_ok "$n: a new one"
done
is "has lo, and the TAP of a spare device" "$(nsenter -n -t "$pid" ip -o link | cut -d: -f2 | tr -d '\n')" " lo vmrun0"
succeeds "an interface may come until the start" ip link add late type veth peer name eth0 netns "$pid"
# Callers enter the mount namespace of that pid to copy files: they see the container's, and those of the host nowhere.
mkdir -p "$work/data"
echo bound >"$work/data/file"
echo one >"$work/one/rootfs/file" && mkdir "$work/one/rootfs/data" "$work/one/rootfs/proc"
ln -s /proc/1/root/etc "$work/one/rootfs/out"
vmrun delete one
jq --arg d "$work/data" '.mounts = [{destination: "/proc", type: "proc", source: "proc"},
	{destination: "/data", type: "bind", source: $d, options: ["rbind", "ro"]}, {destination: "/none", type: "tmpfs", source: "tmpfs"},
	{destination: "/run/init", type: "bind", source: ($d + "/file"), options: ["bind"]}] | .process.args = ["/run/init", "true"]
	| .vm.devices = [{type: "console", ports: [{name: "c"}], onFailure: "restart"}]' \
	"$work/one/config.json" >"$work/c" && mv "$work/c" "$work/one/config.json"
is "a container with mounts, one of which brings its program" "$(create_load one)" ""
pid=$(cat "$work/one.pid")
cp "$(command -v busybox)" "$work/one/rootfs/bin/"
joined() { nsenter -m -t "$pid" /bin/busybox "$@" 2>&1; }
is "who joins its mount namespace: its files" "$(joined ls /; joined cat /file /data/file)" "bin
data
file
out
proc
one
bound"
is "/proc is the guest's" "$(joined ls /proc; joined touch /proc/x)" "touch: /proc/x: Read-only file system"
is "what is bound read-only" "$(joined touch /data/x)" "touch: /data/x: Read-only file system"
like "no link leads to the host" "$(joined ls /out/)" 'No such file'
joined sh -c 'echo new >/written'
is "a file written there" "$(cat "$work/one/rootfs/written")" new
kill -9 "$(vm_pid one console0)" # which is started again from there
again() { [ "$(vmrun state one | jq '.vmrun.processes[] | select(.name == "console0") | .restarts')" = 1 ]; }
succeeds "a device that is started again" eventually 10 again
is "and its jail" "$(ls -A "/proc/$(vm_pid one console0)/root/")" ""
is "has no mount but its root" "$(wc -l <"/proc/$(vm_pid one console0)/mountinfo")" 1
is "they see the same afterwards" "$(joined cat /file)" one
[ "$(joined ls /)" = "$(ls /)" ] && not_ok "and not the host's" || ok "and not the host's"
vmrun delete one
late_is_gone() { ! ip link show late >/dev/null 2>&1; }
succeeds "which goes with the namespace" eventually 10 late_is_gone
work_load one "$(ns pid)"
like "the host's network" "$(create_load one)" "^vmrun: /linux/namespaces: has no network namespace, and a virtual machine cannot share the host's"
work_load one "$(ns pid /proc/self/ns/pid), $(ns network)"
is "the processes of another: one line" "$(create_load one)" "vmrun: /linux/namespaces/0/path: a virtual machine cannot join a pid namespace"
work_load one "$(ns network)"
timeout 20 "$vmrun_bin" --root "$root" --host-config "$work/vmrun.json" create --bundle "$work/one" one </dev/null >/dev/null 2>"$work/said"
is "the host's processes and IPC: a line for each" "$(grep -o 'namespaces: .*' "$work/said")" \
	"namespaces: has no pid namespace, but a virtual machine has processes of its own, and does not see the host's
namespaces: has no ipc namespace, but a virtual machine has IPC of its own, and not the host's"
vmrun delete one
succeeds "nothing is left" nothing_left

# ---- a device program of cgroup v2 above them, as podman puts one on a pod's cgroup: it denies all nodes

v2=/sys/fs/cgroup
[ -e $v2/cgroup.controllers ] || v2=$v2/unified
denied=$v2/denied.$$
if mkdir "$denied" && "$B/tests/linux/deny_devices" "$denied"; then
	mkdir "$denied/caller"
	trap 'vmrun delete --force pod >/dev/null 2>&1; cleanup; rmdir $denied/* $denied 2>/dev/null' EXIT
	# denied CMD...: as conmon calls vmrun, from inside, with streams that were opened outside
	denied() { (echo "$BASHPID" >"$denied/caller/cgroup.procs" && exec "$@") </dev/null 2>&1; }
	like "a device program: it denies" "$(denied cat /dev/zero)" 'Operation not permitted'
	in_denied() { jq ".linux.cgroupsPath = \"/${denied##*/}/$1\"" "$2/config.json" >"$work/c" && mv "$work/c" "$2/config.json"; }
	denied_create() { # ID BUNDLE
		denied timeout 20 "$vmrun_bin" --root "$root" --host-config "$work/vmrun.json" --log "$work/log" create --bundle "$2" --pid-file "$work/$1.pid" "$1" >"$work/said"
		cat "$work/said"
	}
	holder "$cri" "$usual" && in_denied pod "$work/b"
	is "what holds a pod: from outside" "$(create)" ""
	is "it is in that group" "$(cat "$denied/pod/cgroup.procs")" "$(cat "$work/pid")"
	succeeds "it ends" vmrun delete --force pod
	is "what holds a pod: from inside" "$(denied_create pod "$work/b")" ""
	pod=$(cat "$work/pod.pid")
	work_load one "$(ns pid), $(ns mount), $(ns network "/proc/$pod/ns/net"), $(ns ipc "/proc/$pod/ns/ipc"), $(ns uts "/proc/$pod/ns/uts")"
	in_denied one "$work/one"
	is "a container of the pod, from outside: its TAP, /dev/null" "$(create_load one)" ""
	is "its processes are in that group" "$(wc -l <"$denied/one/cgroup.procs")" "$(vm_pids one | wc -l)"
	vmrun delete --force one
	is "from inside: KVM, too" "$(denied_create one "$work/one")" ""
	vmrun delete --force one
	# A macvtap has a node of its own, whose number is in this network's /sys.
	mkdir "$work/sys" && mount -t sysfs none "$work/sys"
	for d in class devices; do mount --bind "$work/sys/$d" /sys/$d; done
	ip link add under type veth peer name under2
	jq '.vm = {kernel: {path: "'"$B"'/guests/idle.elf"}, hwConfig: {memory: 33554432}, devices: [{type: "net", mode: "macvtap", parent: "under"}]}
		| del(.linux.namespaces)' "$work/one/config.json" >"$work/c" && mv "$work/c" "$work/one/config.json"
	is "a macvtap" "$(create_load one | grep -v warning)" ""
	vmrun delete --force one
	vmrun delete --force pod
	umount /sys/class /sys/devices "$work/sys"
	succeeds "nothing is left" nothing_left
	succeeds "of the groups below, too" rmdir "$denied/caller" "$denied"
else
	skip "a device program" "no cgroup v2 that this user may write to"
fi
