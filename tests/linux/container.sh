#!/bin/bash
# A directory rootfs/ and a config.json of `runc spec`, run by vmrun without an orchestrator: much data, many at once, bad input,
# a hostile rootfs.
#
# RUNTIME=runc tests/linux/container.sh asks runc the same. CONTAINER_MIB (8) go through each stream, CONTAINER_EXECS (50) run at once,
# CONTAINER_VICTIMS (fs), processes of the VM, die.
cd "$(dirname "$0")/../.." || exit 1
. tests/linux/containers.bash
containers_run "$@"
runtime=$(containers_runtime) name=${RUNTIME:-vmrun}
mkdir "$root"
oci() { "$runtime" --root "$root" "$@"; }
finish() {
	local id
	for id in $(oci list -q 2>/dev/null); do oci delete --force "$id"; done
	umount "$work/full" "$work/layers"
	cleanup
}
trap finish EXIT
mkdir "$work/full" && mount -t tmpfs -o size=1m full "$work/full"
mkdir "$work/layers" && mount -t tmpfs layers "$work/layers" && mkdir "$work/layers/upper" "$work/layers/work"

rootfs=$work/main/rootfs
mkdir -p "$work/main" "$work/hostile"
cp -a "$B/containers/rootfs" "$rootfs"
# bundle NAME FILTER: its config.json is that of `runc spec`, changed by jq
bundle() {
	mkdir -p "$work/$1"
	(cd "$work/$1" && rm -f config.json && runc spec && jq ".process.terminal = false | $2" config.json >new && mv new config.json)
}
# main SCRIPT: a filter that makes it the container's program
main() { jq -n --arg s "$1" '["sh", "-c", $s]' | sed '1s/^/.process.args = /'; }
in_main() { timeout $((120 * patience)) "$runtime" --root "$root" exec main "$@"; }
mib=${CONTAINER_MIB:-8} execs=${CONTAINER_EXECS:-50}
data() { seq 100000000 | head -c $((mib << 20)); }
sum_data=$(data | sha256sum)

bundle main "$(main 'trap "exit 3" TERM; echo up; while :; do sleep 1 & wait; done') | .root.readonly = false | .process.env += [\"A=b\"] |
	.mounts |= map(if .type == \"cgroup\" then .options -= [\"ro\"] else . end) +
	[{destination: \"/layers\", source: \"overlay\", type: \"overlay\", options: [\"lowerdir=$rootfs/etc\", \"upperdir=$work/layers/upper\", \"workdir=$work/layers/work\"]},
	{destination: \"/full\", source: \"$work/full\", type: \"bind\", options: [\"bind\"]}, {destination: \"/host\", source: \"/\", type: \"bind\", options: [\"rbind\"]}]"
oci run --detach --bundle "$work/main" --pid-file "$work/pid" main >"$work/main.out" 2>"$work/main.err" </dev/null || cat "$work/main.err"
is "run --detach: the pid file" "$(cat "$work/pid")" "$(oci state main | jq .pid)"
succeeds "it runs" eventually 30 grep -q up "$work/main.out"
[ "$name" != vmrun ] || is "its processes have at most 3072 KiB" "$(memory_over main 3072)" ""
rng_is() { in_main cat /sys/class/misc/hw_random/rng_current | grep -q "$1"; }
[ "$name" != vmrun ] || succeeds "the entropy device comes after the program" eventually 10 rng_is virtio_rng
say "main is up"

is "$mib MiB of input" "$(data | in_main sha256sum)" "$sum_data"
is "$mib MiB of output" "$(in_main sh -c "seq 100000000 | head -c $((mib << 20))" | sha256sum)" "$sum_data"
is "$mib MiB there and back" "$(data | in_main cat | sha256sum)" "$sum_data"
say "streams"
is "$execs at once" "$(for i in $(seq "$execs"); do
	(in_main sh -c "echo $i; exit $i"; echo "$i: $?") >"$work/exec.$i" 2>&1 &
done; wait; for i in $(seq "$execs"); do tr '\n' ' ' <"$work/exec.$i"; done)" "$(for i in $(seq "$execs"); do printf '%s %s: %s ' "$i" "$i" "$i"; done)"
say "many at once"
"$runtime" --root "$root" exec main sh -c 'yes >&2' >/dev/null 2>&1 &
flood=$!
mkfifo "$work/slow"
"$runtime" --root "$root" exec main sh -c 'seq 1000000' >"$work/slow" &
slow=$!
exec 7<"$work/slow"
read -r line <&7
answers "one that floods standard error and one that nobody reads do not stall others" 0 '^1 on$' in_main echo "$line on"
kill -9 $flood $slow
wait $flood $slow 2>/dev/null
exec 7<&-
no_yes() { ! in_main ps | grep -qE '\{?(yes|seq 1000000)'; }
# runc's program lives on.
[ "$name" = runc ] && in_main killall yes seq
succeeds "what an exec that was killed ran is gone" eventually 10 no_yes
is "endless input: the program ends" "$(yes | in_main head -n 1; echo "${PIPESTATUS[1]}")" "y
0"
is "endless output: its reader ends" "$(in_main yes | head -n 1; echo "${PIPESTATUS[0]}")" "y
141"
is "no input: it ends" "$(in_main cat </dev/null; echo $?)" 0
is "input that is closed: the rest is not" "$(in_main sh -c 'exec <&-; seq 3' </dev/null | tr '\n' ' ')" "1 2 3 "
long=$(printf '%0130000d' 7)
is "an argument of 130,000 bytes" "$(in_main sh -c 'echo ${#1}' x "$long")" 130000
answers "exec: killed by a signal" 137 '' in_main sh -c 'kill -9 $$'
is "an empty argument, and strange ones" "$(in_main sh -c 'for a; do printf "[%s]" "$a"; done' x '' $'a\nb' '"\\' é)" $'[][a\nb]["\\\\][é]'
wanted=ff
[ "$name" != runc ] || wanted=efbfbd # its JSON has no other bytes
is "an environment that is no UTF-8" "$(in_main env | grep -c ^A=b) $(oci exec -e RAW=$'\xff' main sh -c 'printf %s "$RAW"' | od -An -tx1 | tr -d ' ')" "1 $wanted"
answers "exec: no such program" "255|127" 'nonexistent.*executable file not found in \$PATH' in_main nonexistent
answers "exec: no such path" "255|127" 'nonexistent.*: stat /nonexistent: no such file or directory' in_main /nonexistent
answers "exec: not executable" "255|126" '/etc/passwd.*: permission denied' in_main /etc/passwd
answers "exec --cwd that is not there" 255 'nonexistent.*no such file or directory' oci exec --cwd /nonexistent/x main true
answers "exec: of no container" 255 'does not exist' oci exec nobody true
answers "exec --user, --cwd, --env" 0 '^1000:77 /tmp x$' oci exec --user 1000:77 --cwd /tmp --env X=x main sh -c 'echo $(id -u):$(id -g) $(pwd) $X'
answers "exec: HOME is the user's" 0 '^/home/user$' oci exec --user 1000 main sh -c 'echo $HOME'
if [ "$name" != runc ]; then # whose cgroup namespace the test is not in
	in_main mkdir /sys/fs/cgroup/below
	answers "exec --cgroup" 0 '^0::/below$' oci exec --cgroup below main cat /proc/self/cgroup
	answers "exec --cgroup that is not there" 255 "guest's cgroup none: no such file or directory" oci exec --cgroup none main true
fi
is "the rootfs is the host's" "$(in_main sh -c 'echo made >/root/made'; cat "$rootfs/root/made")" made
answers "an overlay of the host's directories" 0 '^root:' in_main sh -c 'echo more >>/layers/passwd; cat /layers/passwd'
is "what is written goes to its upper one" "$(tail -n 1 "$work/layers/upper/passwd") $(grep -c more "$rootfs/etc/passwd")" "more 0"
answers "a full disk of the host" 1 'No space left on device' in_main dd if=/dev/zero of=/full/file bs=64k
is "and the container lives" "$(in_main cat /full/file | wc -c)" 1048576
if [ "$name" != runc ]; then
	is "/ of the host, without vmrun's state" "$(in_main ls -A "/host$work/main"; in_main ls -A "/host$root")" "$(ls -A "$work/main")"
	answers "which cannot be moved away" 1 'busy' in_main busybox mv "/host$root" "/host$root.x"
	answers "nor with what it is in" 1 'busy' in_main busybox mv "/host$work" "/host$work.x"
	in_main touch "/host$work/main/written"
	is "and the rest is written" "$(ls "$work/main/written")" "$work/main/written"
fi
oci update --pids-limit 8 main
answers "update --pids-limit" "1|2" "can't fork" in_main sh -c 'for i in $(seq 10); do sleep 1 & done'
oci update --pids-limit=-1 main
answers "pause" 0 '' oci pause main
is "pause: the state" "$(oci state main | jq -r .status)" paused
answers "pause: no exec" 255 'paused' oci exec main true
answers "resume" 0 '' oci resume main
like "ps" "$(oci ps --format json main)" '^\[[0-9]+'
answers "delete: not while it runs" 1 'not stopped|running' oci delete main
answers "create: the name is taken" 1 'container with given ID already exists' oci create --bundle "$work/main" main
answers "kill" 0 '' oci kill main TERM
is_over() { [ "$(oci state "$1" 2>/dev/null | jq -r .status)" = stopped ]; }
succeeds "it ends" eventually 20 is_over main
answers "kill: not when it is stopped" 1 'container not running' oci kill main TERM
answers "delete" 0 '' oci delete main
answers "state: it is gone" 1 'does not exist' oci state main
answers "delete --force: of no container" 0 '' oci delete --force main
say "main is gone"

# The least memory that a container can have, all of it used; and its processes
bundle small "$(main 'sh -c "for i in \$(seq 40); do sleep 60 & done"; killall sleep; exec tail /dev/zero') |
	.root.path = \"$rootfs\" | .linux.resources = {memory: {limit: 83886080}, pids: {limit: 30}}"
answers "no more processes than pids.limit, and memory: killed" 137 "can't fork" oci run --bundle "$work/small" small
if [ "$name" != runc ]; then
	oci create --bundle "$work/small" small </dev/null >"$work/out" 2>&1
	oci start small
	succeeds "it ends again" eventually 60 is_over small
	like "state says why" "$(oci state small | jq -r '.vmrun.cause + " " + (.vmrun.exitCode | tostring) + " " + .vmrun.detail')" '^oom-killed 137 .*memory'
	answers "and it is deleted" 0 '' oci delete small
fi
say "small"

# kill -9 of a process of the VM while programs use it: no caller hangs, and nothing is left
victims=${CONTAINER_VICTIMS:-fs}
[ "$name" != runc ] || victims=
for victim in $victims; do
	oci run --detach --bundle "$work/main" --pid-file "$work/pid" main >"$work/out" 2>&1 </dev/null || cat "$work/out"
	rm -f "$work/pid.exec"
	oci exec --pid-file "$work/pid.exec" main sh -c 'while cat /bin/busybox; do :; done' >/dev/null 2>&1 </dev/null &
	exec=$!
	eventually 20 [ -s "$work/pid.exec" ]
	if [ "$victim" = supervisor ]; then pid=$(cat "$work/pid"); else
		pid=$(oci state main | jq -r --arg n "$victim" '.vmrun.processes[] | select(.name | startswith($n)) | .pid')
	fi
	kill -9 "$pid"
	wait $exec
	is "$victim is killed: exec ends" $? 137
	succeeds "$victim is killed: the container ends" eventually 20 is_over main
	answers "$victim is killed: delete" 0 '' oci delete main
	is "$victim is killed: nothing is left" "$(ls -A "$root"; pgrep -a 'vmrun|vmm')" ""
done
say "kills"

# fails NAME REGEX FILTER: run says why in one line, and leaves nothing
fails() {
	bundle bad ".root.path = \"$rootfs\" | $3"
	answers "$1" "1|126|127" "$2" oci run --bundle "$work/bad" bad
	is "$1: nothing is left" "$(ls -A "$root")" ""
}
fails "no such program" 'nonexistent.*executable file not found in \$PATH' '.process.args = ["nonexistent"]'
fails "not executable" '/etc/passwd.*: permission denied' '.process.args = ["/etc/passwd"]'
fails "unknown rlimit" 'RLIMIT_NONE' '.process.rlimits = [{type: "RLIMIT_NONE", soft: 1, hard: 1}]'
fails "unknown namespace" 'nonsense' '.linux.namespaces += [{type: "nonsense"}]'
fails "a mount's source is not there" '/nonexistent.*no such file or directory' '.mounts += [{destination: "/mnt", source: "/nonexistent", type: "bind", options: ["bind"]}]'
fails "a mount point cannot be made" '/etc/passwd' '.mounts += [{destination: "/etc/passwd/x", source: "tmpfs", type: "tmpfs"}]'
fails "unknown sysctl" 'vm.nonsense' '.linux.sysctl = {"vm.nonsense": "1"}'
fails "a hook is not there" '/nonexistent.*no such file or directory' '.hooks = {createRuntime: [{path: "/nonexistent"}]}'
fails "a hook fails" 'exit status 1' '.hooks = {createRuntime: [{path: "/bin/false"}]}'
fails "a hook takes too long" 'imed? ?out|timeout' '.hooks = {createRuntime: [{path: "/bin/sleep", args: ["sleep", "100"], timeout: 1}]}'
say "bad input"

# Interfaces that others made: the guest has them as they are, and reaches by each of them what they reach.
ip netns add links
for l in eth0 net1 bare; do
	ip link add "far-$l" type veth peer name $l netns links
	ip link set "far-$l" up
	ip netns exec links sysctl -qw "net.ipv6.conf.$l.accept_dad=0" "net.ipv6.conf.$l.accept_ra=0"
done
ip addr add 10.1.0.1/24 dev far-eth0
ip addr add 10.2.0.1/32 dev far-net1
ip route add 10.2.0.2 dev far-net1
ip addr add fd00:1::1/64 dev far-eth0 nodad
ip -n links -batch - <<'END'
link set lo up
link set eth0 mtu 1400 address 02:00:00:00:00:10 up
link set net1 up
addr add 10.1.0.2/24 dev eth0
addr add 10.1.0.3/24 brd + dev eth0
addr add fd00:1::2/64 dev eth0 nodad
addr add 10.2.0.2/32 dev net1
addr add fd00:2::2/128 dev net1 nodad
addr add 10.6.0.2/24 dev bare
route add default via 10.1.0.1 metric 100
route add default via 10.2.0.1 dev net1 onlink metric 200
route add 10.3.0.0/16 via 10.1.0.254 src 10.1.0.3
route add 10.4.0.0/16 dev net1 scope link
route add fd00:3::/48 via fd00:1::fe
route add default via fe80::1 dev net1 metric 300
neigh add 10.1.0.9 lladdr 02:00:00:00:00:99 dev eth0 nud permanent
neigh add fd00:1::9 lladdr 02:00:00:00:00:98 dev eth0 nud permanent
END
cat >"$rootfs/root/links" <<'END'
cd /sys/class/net
for l in *; do echo "$l $(cat $l/mtu $l/address | tr '\n' ' ') $(($(cat $l/flags) & 1))"; done
ip -o addr | sed 's/^[0-9]*: //; s/flags 02 *//; s/ *\\.*//' | sort
ip route | sed 's/ *$//'
ip -6 route | sed 's/ *$//' | sort
ip neigh | grep PERMANENT | sort
END
mkdir "$work/www" && echo reached >"$work/www/index.html"
busybox httpd -f -p 8000 -h "$work/www" &
httpd=$!
bundle links ".root.path = \"$rootfs\" | (.linux.namespaces[] | select(.type == \"network\")).path = \"/run/netns/links\" |
	$(main 'sh /root/links; echo reached $# ${#16}; for a in 10.1.0.1 10.2.0.1 [fd00:1::1]; do echo $(wget -q -O - http://$a:8000/) $a; done') |
	.process.args += [\"x\"] + [range(16) | \"x\" * 65536]"
got=$(oci run --bundle "$work/links" links 2>&1 </dev/null)
is "links, addresses, routes, neighbours are those of the namespace" \
	"$(diff <(ip netns exec links busybox sh "$rootfs/root/links") <(grep -v ^reached <<<"$got"))" ""
is "1 MiB of arguments, and the guest reaches others by each" "$(grep ^reached <<<"$got" | tr '\n' ' ')" "reached 16 65536 reached 10.1.0.1 reached 10.2.0.1 reached [fd00:1::1] "
kill $httpd
ip netns del links
say "links"

# A file system of its own as the root: ext4, which only the guest's memory sees written, and squashfs; where there is time
# (CONTAINER_IMAGES), erofs and damaged ones
if [ "$name" != runc ]; then
	mkfs.ext4 -q -d "$rootfs" "$work/root.ext4" 16M >/dev/null 2>&1
	mksquashfs "$rootfs" "$work/root.squashfs" -quiet -no-progress >/dev/null
	mkfs.erofs -zlz4 "$work/root.erofs" "$rootfs" >/dev/null 2>&1
	sum=$(sha256sum <"$work/root.ext4")
	bundle image ".root = {path: \"none\"} | .vm.image = {path: \"$work/root.ext4\", overlay: true} |
		$(main 'echo new >/etc/passwd && mkdir /made && rm /bin/yes && cat /etc/passwd; awk "\$2 == \"/\" {print \$1, \$3}" /proc/mounts')"
	answers "vm.image: what is written over it" 0 '^overlay overlay$' oci run --bundle "$work/image" image
	is "vm.image: it is not written" "$(sha256sum <"$work/root.ext4")" "$sum"
	for type in squashfs ${CONTAINER_IMAGES:+erofs}; do
		bundle image ".root = {path: \"none\"} | .vm.image = {path: \"$work/root.$type\"} |
			$(main 'echo new >/etc/passwd; awk "\$2 == \"/\" {print \$1, \$3, substr(\$4, 1, 2)}" /proc/mounts; sha256sum /bin/busybox')"
		said=$(oci run --bundle "$work/image" image 2>/dev/null </dev/null)
		is "vm.image: $type" "$said" "/dev/vda $type ro
$(sha256sum <"$rootfs/bin/busybox" | cut -d' ' -f1)  /bin/busybox"
	done
	if [ -n "${CONTAINER_IMAGES:-}" ]; then
		dd if=/dev/zero of="$work/root.ext4" bs=1k seek=2 count=1 conv=notrunc 2>/dev/null
		head -c 1M /dev/urandom >"$work/random"
		fails "vm.image: a damaged one" '/vm/image: mounting it: structure needs cleaning' ".root = {path: \"none\"} | .vm.image = {path: \"$work/root.ext4\"}"
		fails "vm.image: no file system" "/vm/image: no file system that the guest's kernel knows" ".root = {path: \"none\"} | .vm.image = {path: \"$work/random\"}"
	fi
	is "vm.image: nothing is left" "$(ls -A "$root")" ""
	say "images"
fi

# What the rootfs says leads nowhere on the host.
hostile=$work/hostile/rootfs
cp -a "$B/containers/rootfs" "$hostile"
mkdir "$work/outside"
echo hidden >"$work/outside/secret"
up=../../../../../../../..
ln -s "$up$work/outside" "$hostile/escape"
ln -s "$up$work/outside/secret" "$hostile/link"
ln -sf "$up$work/outside/secret" "$hostile/etc/group"
printf 'root:x:0:0::%s:/bin/sh\n' "$up$work/outside" >"$hostile/etc/passwd"
rm -r "$hostile/dev" "$hostile/proc"
ln -s "$up$work/outside" "$hostile/dev"
mkdir "$hostile/proc"
mkdir "$hostile/"$'new\nline' "$hostile/"$'\xff'
touch "$hostile/-rf" "$hostile/\"; exit"
mknod "$hostile/node" b 254 0
bundle hostile ".root.readonly = false | .mounts += [{destination: \"/escape/made\", source: \"tmpfs\", type: \"tmpfs\"},
	{destination: \"/link\", source: \"$rootfs/etc/passwd\", type: \"bind\", options: [\"bind\"]}] |
	$(main 'cat /link | head -n 1; ls / | grep -c .; ls /escape /dev/null; cat /escape/secret; echo x >/escape/new; echo end')"
oci run --bundle "$work/hostile" hostile >"$work/hostile.out" 2>&1 </dev/null
like "a hostile rootfs: it runs" "$? $(cat "$work/hostile.out")" '^0 root:x:0:0:root:/root:/bin/sh'
[ "$name" != runc ] || rm -f "$work/outside/"{core,fd,ptmx,std*} # which runc 1.1.5 makes where /dev leads to on the host
is "a hostile rootfs: nothing leaves it" "$(ls "$work/outside"; cat "$work/outside/secret")" "secret
hidden"
is "a hostile rootfs: nothing is read from outside" "$(grep -c hidden "$work/hostile.out")" 0
is "nothing is left" "$(ls -A "$root")" ""
say "end"
