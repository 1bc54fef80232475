#!/bin/bash
# /proc of every process of a running VM proves each stage of the jail.
. "$(dirname "$0")/../lib.sh"

bundle "$work/vm" idle
mkdir "$work/shared"
jq --arg d "$work/shared" '.vm.devices += [{type: "fs", tag: "shared", source: $d,
	uidMappings: [{containerID: 1, hostID: 100000, size: 65536}], gidMappings: [{containerID: 7, hostID: 8, size: 9}]}]' "$work/vm/config.json" >"$work/config" &&
	mv "$work/config" "$work/vm/config.json"
# posix_spawn() starts programs with libc's own signals, 32 and 33, ignored, and libc refuses to set them. A careless caller
# leaves an fd open.
perl -e 'for (32, 33) { syscall(13, $_, my $ignore = pack("Q4", 1, 0, 0, 0), 0, 8) } exec @ARGV' \
	"$vmrun_bin" --root "$root" create "$work/vm" </dev/null >/dev/null 9<"$work/vm/config.json"
succeeds "a VM with four devices runs" vmrun start vm
procs=$(vmrun state vm | jq -r '.vmrun.processes[] | "\(.name) \(.pid)"')
is "VMM and devices are the processes of it" "$(cut -d' ' -f1 <<<"$procs" | sort | tr '\n' ' ')" "block0 fs0 rng0 serial0 vmm "

# Figures of this VM's processes, which the checks below bound
figures=$work/figures
ones() { local n=$((16#$1)) k=0; while ((n)); do ((k += n & 1, n >>= 1)); done; echo $k; }
# mapped PID: KiB of the guest's RAM in its address space
mapped() {
	local range rest sum=0
	while read -r range rest; do
		[[ $rest == */memfd:guest-ram* || $rest =~ \ /#[0-9]+\ \(deleted\)$ ]] && ((sum += 16#${range#*-} - 16#${range%-*}))
	done <"/proc/$1/maps"
	echo $((sum / 1024))
}
# calls POLICY: how many system calls it allows
calls() { awk -v p="$1" '$0 == p { on = 1 } on && /system calls:/ { print $3; exit }' "$top/tests/golden/policies.txt"; }

status() { awk -v k="$2:" '$1 == k { $1 = ""; sub(/^[ \t]+/, ""); print }' "/proc/$1/status"; }

declare -A seen
while read -r name pid; do
	for ns in user mnt net pid ipc uts cgroup; do
		own=$(readlink "/proc/$pid/ns/$ns")
		if [ "$own" != "$(readlink /proc/self/ns/$ns)" ] && [ -z "${seen[$own]:-}" ]; then
			ok "$name has a $ns namespace of its own"
		else
			not_ok "$name shares its $ns namespace: $own"
		fi
		seen[$own]=$name
	done
	# chown, dac_override, fowner, fsetid, setuid, setgid, setfcap: for the files of the guest's users
	caps=0000000000000000
	[ "$name" = fs0 ] && caps=00000000800000db
	for cap in CapInh CapPrm CapEff CapBnd CapAmb; do
		is "$name: $cap is what it needs" "$(status "$pid" $cap)" $caps
	done
	is "$name: a seccomp filter is on" "$(status "$pid" Seccomp)" 2
	is "$name: in every thread" "$(cat /proc/"$pid"/task/*/status | awk '$1 == "Seccomp:"' | sort -u | wc -l)" 1
	# Devices of the VMM give up what maps memory as soon as they have theirs.
	programs=2
	case $name in vmm | serial0) programs=1 ;; esac
	is "$name: seccomp programs" "$(status "$pid" Seccomp_filters)" $programs
	is "$name: no new privileges" "$(status "$pid" NoNewPrivs)" 1
	uid=$(status "$pid" Uid | cut -d' ' -f1)
	[ "$uid" -ge 1879048192 ] && ok "$name: a host uid of the VM's own" || not_ok "$name: host uid $uid"
	is "$name: all four uids alike" "$(status "$pid" Uid | tr '\t ' '\n\n' | sort -u | wc -l)" 1
	is "$name: no supplementary group" "$(status "$pid" Groups | tr -d ' ')" ""
	is "$name: an empty root directory" "$(ls -A "/proc/$pid/root/")" ""
	is "$name: mounts nothing but that root, read-only" \
		"$(awk '{ print $5, substr($6, 1, 22) }' "/proc/$pid/mountinfo")" "/ ro,nosuid,nodev,noexec"
	is "$name: the host's name is hidden" "$(nsenter -t "$pid" -u uname -n)" jail
	# What fs makes has the mode that the guest asks for.
	[ "$name" = fs0 ] && umask=0000 || umask=0077
	is "$name: what it makes is its own" "$(status "$pid" Umask)" $umask
	# /proc gives the files of a process that is not dumpable to root, but never the directory
	is "$name: not dumpable" "$(stat -c %u "/proc/$pid/status")" 0
	is "$name: one program, executed by fd" "$(basename "$(readlink "/proc/$pid/exe" | sed 's/ (deleted)//')" | grep -c ^vmrun-)" 1
	is "$name: no core dumps" "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$pid/limits")" "0 0"
	is "$name: a stack of the usual size" "$(awk '/^Max stack size/ { print $4 }' "/proc/$pid/limits")" 8388608
	# Those of a write beyond RLIMIT_FSIZE (25), and of one without a reader (13), which devices ignore themselves.
	like "$name: a write that is refused is no death" "$(awk '$1 == "SigIgn:" { print $2 }' "/proc/$pid/status")" '^0*1001000$'
	case $name in vmm) ;; *)
		is "$name: may not start a process or thread" "$(awk '/^Max processes/ { print $3 }' "/proc/$pid/limits")" 0
		is "$name: maps the guest's RAM twice at most" "$(awk '/^Max address space/ { print $4 }' "/proc/$pid/limits")" \
			$((2 * 33554432 + (1 << 30))) ;;
	esac
	# Each has the guest's RAM once, the serial port not at all.
	ram=32768
	[ "$name" = serial0 ] && ram=0
	is "$name: KiB of the guest's RAM" "$(mapped "$pid")" $ram
	policy=${name%0}_device
	printf '#   %-8s %8s %6s %10s %12s %4s %8s\n' "$name" "$(calls "$policy")" "$(calls "${policy}_early")" \
		"$(for ns in cgroup ipc mnt net pid user uts; do readlink "/proc/$pid/ns/$ns" /proc/self/ns/$ns; done | sort | uniq -u | wc -l | awk '{ print $1 / 2 }')" \
		"$(ones "$(status "$pid" CapPrm)")" "$(ls "/proc/$pid/fd" | wc -l)" "$(mapped "$pid")" >>"$figures"
	is "$name: its environment is empty" "$(tr -d '\0' <"/proc/$pid/environ")" ""
done <<<"$procs"
printf '#   %-8s %8s %6s %10s %12s %4s %8s\n' process calls early namespaces capabilities fds "RAM KiB"
cat "$figures"

# fds NAME: each fd as "number kind"; sockets, pipes and eventfds by kind only
fds() {
	local pid f t
	pid=$(vm_pid vm "$1")
	for f in $(ls "/proc/$pid/fd" | sort -n); do
		t=$(readlink "/proc/$pid/fd/$f")
		case $t in
		/dev/null | /dev/kvm) ;;
		/memfd:*) t=memfd ;;
		anon_inode:*) t=${t#anon_inode:} t=${t//[\[\]]/} t=${t%%:*} ;;
		socket:* | pipe:*) t=${t%%:*} ;;
		*/disk.img) t=disk ;;
		/) t=directory ;;
		esac
		echo "$t"
	done | sort | uniq -c | awk '{ printf "%s%s*%d", (NR > 1 ? " " : ""), $2, $1 } END { print "" }'
}
expected=$top/tests/guests/jail.fds
for name in block0 fs0 rng0 serial0 vmm; do
	is "$name: exactly these fds" "$(fds $name)" "$(awk -v n=$name '$1 == n { $1 = ""; sub(/^ /, ""); print }' "$expected")"
done

# What a device shares, and its own fds, are roots of mounts that nothing leads out of.
pid=$(vm_pid vm fs0)
: >"$work/shared/here"
is "fs0: what is shared" "$(ls -A "/proc/$pid/fd/6/")" here
is "fs0: and no way up from it" "$(ls -A "/proc/$pid/fd/6/../../..")" here
is "fs0: its own fds, and no way up from them" "$(ls "/proc/$pid/fd/7/../..")" "$(ls "/proc/$pid/fd")"

is "fs0: its guest's users" "$(awk '$1 < 1879048192 { print $1, $2, $3 }' "/proc/$pid/uid_map" "/proc/$pid/gid_map" | tr '\n' ' ')" "1 100000 65536 7 8 9 "

# A process that breaks its policy is killed, and the VM stops and says which process it was.
succeeds "kill it" vmrun kill vm KILL
succeeds "it stops" eventually 10 is_stopped vm
is "the cause is recorded" "$(vmrun state vm | jq -r .vmrun.cause)" killed
succeeds "delete" vmrun delete vm

# A process that can do nothing any more, stopped as it is, dies with its supervisor.
succeeds "create it again" vmrun create "$work/vm" </dev/null
pids=$(vm_pids vm)
for pid in $(tail -n +2 <<<"$pids"); do kill -STOP "$pid"; done
kill -KILL "$(head -n 1 <<<"$pids")"
gone() { for pid in $pids; do [ ! -e "/proc/$pid" ] || return 1; done; }
succeeds "stopped processes die with their supervisor" eventually 10 gone
for pid in $pids; do kill -KILL "$pid" 2>/dev/null; done
succeeds "delete what is left" vmrun delete vm
