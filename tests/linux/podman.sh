#!/bin/bash
# Debian's podman and conmon run containers by vmrun, and what their user sees is what runc would have shown.
#
# RUNTIME=runc tests/linux/podman.sh asks runc the same, without a VM. One boot serves as many checks as it can.
cd "$(dirname "$0")/../.." || exit 1
. tests/linux/containers.bash
containers_run "$@"
containers_image
trap 'podman rm --all --force --time 0 >/dev/null 2>&1; cleanup' EXIT

has_logged() { grep -q "$1" /var/lib/containers/storage/vfs-containers/*/userdata/ctr.log; }

# One after the other: input, output, error, status
seq 500000 >"$work/numbers"
podman run --rm -i --network none $image sh -c 'sha256sum; echo error >&2; exit 7' <"$work/numbers" >"$work/out" 2>"$work/err"
is "run: exit status" $? 7
is "run -i: input" "$(cut -d' ' -f1 "$work/out")" "$(sha256sum <"$work/numbers" | cut -d' ' -f1)"
is "run: standard error is apart" "$(cat "$work/err")" error
is "run --rm: nothing is left" "$(podman ps --all --quiet)" ""
say "run"

# One container for most
mkdir -p "$work/data" "$work/fixed"
echo from-host >"$work/data/file"
echo one >"$work/one"
echo "FROM=a file" >"$work/env"
cat >"$work/data/main" <<'END'
trap 'echo usr1' USR1
trap 'echo term; exit 3' TERM
echo out; echo err >&2
httpd -p 8000 -h /data
echo ready
while :; do sleep 1 & wait; done
END
cat >"$work/data/facts" <<'END'
fact() { echo "$@"; }
fact id "$(id | sed 's/,1000(user)$//')"
fact hostname "$(hostname)"
fact cwd "$(pwd)"
fact env "$(env | grep -v '^HOSTNAME=' | sort | tr '\n' ' ')"
fact umask "$(umask)"
fact files "$(sed -n 's/^Max open files  *//p' /proc/1/limits)"
fact "$(grep -E '^Cap(Eff|Prm|Bnd|Inh|Amb)' /proc/self/status | tr '\n\t' '  ')"
fact "$(grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status | tr '\n\t' '  ')"
fact adj "$(cat /proc/self/oom_score_adj)"
fact dev "$(cd /dev && ls | tr '\n' ' ')"
fact null "$(stat -c '%A %t:%T %u:%g' /dev/null)"
fact links "$(readlink /dev/fd) $(readlink /dev/ptmx) $(readlink /dev/stdin)"
fact types "$(awk '$2 ~ "^/(proc|sys|dev|dev/pts|dev/shm|dev/mqueue|tmp|sys/fs/cgroup)$" { print $2, $3 }' /proc/mounts | sort -u | tr '\n' ' ')"
fact readonly "$(for d in / /fixed /sys /etc/one; do touch $d/x 2>&1 | sed 's/.*: //'; done | tr '\n' ' ')"
fact masked "$(cat /proc/kcore /proc/keys /proc/timer_list 2>&1 | head -c 10; ls /proc/acpi /sys/firmware | tr '\n' ' ')"
fact shm "$(df -k /dev/shm | awk 'NR == 2 { print $2 }')"
fact first "$(cat /proc/1/comm)"
fact hosts "$(grep -c "$(hostname)" /etc/hosts)"
fact links "$(cd /sys/class/net && ls | tr '\n' ' ')"
fact routes "$(ip route | sed 's/ src .*//' | tr '\n' ' ')"
fact mtu "$(cat /sys/class/net/eth0/mtu) $(grep -c 02:00:00:00:00:07 /sys/class/net/eth0/address)"
fact names "$(grep foo /etc/hosts; cat /etc/resolv.conf)"
fact sysctl "$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax)"
fact mounts "$(df -k /t2 | awk 'NR == 2 { print $2 }') $(cat /etc/two; touch /etc/two 2>&1)"
fact user "$(echo mine >/data/mine && stat -c %u:%g /data/mine)"
END
chmod 777 "$work/data"
options=(--hostname web1 --network bridge --mac-address 02:00:00:00:00:07 -v "$work/data:/data" -v "$work/fixed:/fixed:ro"
	-v "$work/one:/etc/one" --memory 256m --cpus 1 --read-only --tmpfs /tmp -u 1000:1000 --group-add 77 --ulimit nofile=512:600 --ulimit nproc=4096:4096
	--cap-drop all --cap-add chown -w /home/user -e "WORD=two  words" --pids-limit 100 --shm-size 8m --label a=b
	--init --security-opt no-new-privileges --add-host foo:10.1.2.3 --dns 10.9.9.9 --dns-option ndots:2 --sysctl net.ipv4.ip_forward=1 --sysctl kernel.shmmax=12345
	--env-file "$work/env" --mount type=tmpfs,destination=/t2,tmpfs-size=32k --mount "type=bind,source=$work/one,destination=/etc/two,ro=true,bind-propagation=rslave")
podman run -d --name web -p 18080:8000 "${options[@]}" $image sh /data/main >"$work/out" 2>&1
is "run -d: exit status" $? 0
like "run -d: prints the id" "$(cat "$work/out")" '^[0-9a-f]{64}$'
succeeds "run -d: it runs" eventually 20 has_logged ready
say "web is up"
podman exec web sh /data/facts >"$work/facts" 2>&1
is "exec" $? 0
like "run -u, --group-add" "$(cat "$work/facts")" '^id uid=1000\(user\) gid=1000\(user\) groups=.*77\(more\)'
like "run --hostname" "$(cat "$work/facts")" '^hostname web1$'
like "run -w" "$(cat "$work/facts")" '^cwd /home/user$'
like "run -e" "$(cat "$work/facts")" '^env .*HOME=/home/user .*WORD=two  words '
like "run --ulimit" "$(cat "$work/facts")" '^files 512  *600 '
like "run --cap-drop, --cap-add" "$(cat "$work/facts")" 'CapBnd: 0000000000000001'
like "run: seccomp" "$(cat "$work/facts")" 'Seccomp: 2'
like "run --read-only, -v :ro" "$(cat "$work/facts")" '^readonly (Read-only file system ){3}Not a directory'
like "run --shm-size" "$(cat "$work/facts")" '^shm 8192$'
is "run -v: the owner, as the host has it" "$(stat -c %u:%g "$work/data/mine")" 1000:1000
if [ "${RUNTIME:-vmrun}" != runc ]; then
	podman --runtime runc run --rm "${options[@]}" $image sh /data/facts >"$work/facts.runc" 2>&1
	is "the program sees what runc shows" "$(diff "$work/facts.runc" "$work/facts")" ""
fi
is "run -p: the host reaches it" "$(busybox timeout 60 busybox wget -q -O - http://127.0.0.1:18080/file)" from-host

answers "exec: exit status" 5 '^out$' podman exec web sh -c 'echo out; exit 5'
is "exec -i: input" "$(podman exec -i web sha256sum <"$work/numbers")" "$(sha256sum <"$work/numbers")"
answers "exec -u, -w, -e" 0 '^0 /tmp x$' podman exec -u 0:0 -w /tmp -e X=x web sh -c 'echo $(id -u) $(pwd) $X'
answers "exec: no such program" 127 'nonexistent.*executable file not found' podman exec web nonexistent
answers "exec: not executable" 126 'ermission denied' podman exec web /etc/passwd
is "exec -t: a terminal, and its size" "$(typed '' podman exec -t web sh -c 'sleep 1; tty; stty size')" "/dev/pts/0
40 132
status 0"
answers "cp: into it" 0 '' podman cp "$work/one" web:/data/copy
answers "exec: sees the copy" 0 '^one$' podman exec web cat /data/copy
answers "cp: out of it" 0 '' podman cp web:/etc/group "$work/group"
is "cp: the container's file" "$(cat "$work/group")" "$(cat "$B/containers/rootfs/etc/group")"
answers "cp: into its read-only root" 125 'read-only file system' podman cp "$work/one" web:/home/copied
[ ! -e /home/copied ] && ok "cp: never to the host" || not_ok "cp: never to the host"
if [ "${RUNTIME:-vmrun}" != runc ]; then
	answers "run --network container:" 126 'another container has a VM in this network namespace' podman run --rm --network container:web $image true
fi
answers "kill -s USR1" 0 '^web$' podman kill -s USR1 web
succeeds "kill: the program has it" eventually 10 has_logged usr1
podman logs web >"$work/out" 2>"$work/err"
is "logs" "$(head -n 2 "$work/out" | tr '\n' ' ')" "out ready "
is "logs: standard error" "$(cat "$work/err")" err
answers "pause" 0 web podman pause web
answers "pause: no exec" 255 'container state improper|paused' podman exec web true
answers "unpause" 0 web podman unpause web
answers "unpause: exec" 0 '^on$' podman exec web echo on
read -r pid id status <<<"$(podman inspect -f '{{.State.Pid}} {{.Id}} {{.State.Status}}' web)"
is "inspect: the state" "$status" running
like "inspect: its process is in its cgroup" "$(cat "/proc/$pid/cgroup")" "/libpod_parent/libpod-$id"
answers "stop: the program ends itself" 0 web podman stop -t 30 web
succeeds "stop: its last words" has_logged term
is "inspect: exit code" "$(podman inspect -f '{{.State.ExitCode}} {{.State.Status}}' web)" "3 exited"
succeeds "inspect: no process is left" test ! -d "/proc/$pid"
answers "rm" 0 web podman rm web
say "web is gone"

is "run -it: a terminal" "$(typed 'hello\n' podman run --rm -it --network none $image sh -c 'echo ready; read -r x; echo "got $x"; stty size; exit 9')" "ready
hello
got hello
40 132
status 9"
answers "run: no such program" 127 'nonexistent' podman run --rm --network none $image /nonexistent
answers "run: not executable" 126 'ermission denied' podman run --rm --network none $image /etc/passwd
is "nothing is left" "$(podman ps --all --quiet)" ""

# A pod: its infra container has no VM, one more has one. podman 4.3 puts a program on a pod's own cgroup v2 that denies all devices,
# where the cgroup manager is cgroupfs; runc fails there.
podman pod create --name pod --hostname web2 --network bridge -p 18081:8000 >"$work/out" 2>&1 || cat "$work/out"
answers "pod: its container" 0 '^[0-9a-f]{64}$' podman run -d --pod pod --name first -v "$work/data:/data" $image \
	sh -c 'trap "exit 3" TERM; httpd -p 8000 -h /data; hostname; echo ready; while :; do sleep 1 & wait; done'
says_ready() { podman logs first 2>&1 | grep -q ready; }
succeeds "pod: it runs" eventually 20 says_ready
is "pod: the hostname is the pod's" "$(podman logs first 2>&1 | head -n 1)" web2
is "pod -p: the host reaches it" "$(busybox timeout 60 busybox wget -q -O - http://127.0.0.1:18081/file)" from-host
if [ "${RUNTIME:-vmrun}" != runc ]; then
	answers "pod: a second container" 126 'another container has a VM in this network namespace: vmrun runs one container of a pod' \
		podman run --rm --pod pod --name second $image true
	is "pod: a second container: nothing is left of it" "$(podman ps --all --format '{{.Names}}' | grep -vE '^(first|.*-infra)$')" ""
fi
answers "pod stop" 0 '' podman pod stop -t 30 pod
is "pod stop: the program ended itself" "$(podman inspect -f '{{.State.ExitCode}} {{.State.Status}}' first)" "3 exited"
answers "pod start" 0 '' podman pod start pod
answers "pod rm -f" 0 '' podman pod rm -f -t 0 pod
is "pod: nothing is left" "$(podman ps --all --quiet; podman pod ps -q; ls -A /run/vmrun 2>/dev/null; ls /run/netns)" ""
say "pod is gone"

# A user who is not root, with devices that all may open
home=$work/home
chmod 755 "$work"
mkdir -p "$home" /run/user/1234
chown 1234:1234 "$home" /run/user/1234
for node in kvm:10:232 net/tun:10:200; do
	IFS=: read -r node major minor <<<"$node"
	mknod -m 666 "/run/${node##*/}" c "$major" "$minor" && mount --bind "/run/${node##*/}" "/dev/$node"
done
echo rootless:x:1234:1234::$home:/bin/sh >>/etc/passwd
echo rootless:x:1234: >>/etc/group
echo rootless:200000:65536 | tee -a /etc/subuid >>/etc/subgid
as_user() { setpriv --reuid 1234 --regid 1234 --clear-groups --inh-caps=-all env -i -C / PATH="$PATH" HOME="$home" XDG_RUNTIME_DIR=/run/user/1234 "$@"; }
if as_user test -x "$B/bin/vmrun"; then
	as_user podman import --quiet --change 'CMD=["/bin/sh"]' - $image <"$B/containers/rootfs.tar" >"$work/out" 2>&1 || cat "$work/out"
	answers "rootless: users, files, network, exit status" 7 '^1000:1000 0:0 1000:1000 10\.0\.2\.[0-9]+/24 10\.0\.2\.2$' \
		as_user podman run --rm -u 1000:1000 --network slirp4netns $image sh -c 'cd; touch x
			echo $(id -u):$(id -g) $(stat -c %u:%g /bin x) $(ip -o -4 addr show scope global | grep -o "10.0.2.[^ ]*/24") \
				$(ip route | grep -o "via [^ ]*" | cut -c5-); exit 7'
	# The same user without podman: its own files are root's in the container, which has no network.
	runtime=$(containers_runtime) name=${RUNTIME:-vmrun}
	[ "$name" = runc ] && spec=--rootless || spec=--container
	as_user mkdir -p "$home/bundle/rootfs" && as_user tar -C "$home/bundle/rootfs" -xf "$B/containers/rootfs.tar" 2>/dev/null
	as_user "$runtime" spec $spec --bundle "$home/bundle"
	# runs SCRIPT COMMAND...: as that user, by way of COMMAND
	runs() {
		jq --arg c "$1" '.process.terminal = false | .root.readonly = false | .process.args = ["sh", "-c", $c]' "$home/bundle/config.json" >"$work/config"
		cp "$work/config" "$home/bundle/config.json"
		as_user "${@:2}" "$runtime" run --bundle "$home/bundle" mine
	}
	answers "rootless without podman: users, files, exit status" 7 '^0:0 0:0$' runs 'touch /made; echo $(id -u):$(id -g) $(stat -c %u:%g /made); exit 7'
	is "rootless without podman: what it makes is the user's" "$(stat -c %u:%g "$home/bundle/rootfs/made")" 1234:1234
	if [ "$name" != runc ]; then
		chown 200004:200005 "$home/bundle/rootfs/made"
		answers "rootless without podman: all ids of /etc/subuid, by unshare" 0 '^5:6$' \
			runs 'stat -c %u:%g /made' unshare --map-root-user --map-auto
	fi
	is "rootless: nothing is left" "$(as_user podman ps --all --quiet; ls -A /run/user/1234/vmrun 2>/dev/null)" ""
else
	skip "rootless" "a user cannot reach $B"
fi
say "end"
