# tests/lib.sh: what the shell tests share. Source it; it prints TAP lines and cleans up after itself.
#
# $work is a private directory, $root a private state directory. A test that ends early fails: tests/check
# wants exit status 0 as well as "ok" lines.
set -u
umask 022 # a state directory that others can write to is refused
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
top=$PWD
B=${B:-build}
case $B in /*) ;; *) B=$top/$B ;; esac
work=$(mktemp -d)
root=$work/state
vmrun_bin=$B/bin/vmrun

vmrun() { "$vmrun_bin" --root "$root" "$@"; }

cleanup() {
	local d
	# A child that a signal ends before bash has cleared its trap comes here too.
	[ "$BASHPID" = $$ ] || return
	for d in "$root"/*/; do
		[ -d "$d" ] && vmrun delete --force "$(basename "$d")" >/dev/null 2>&1
	done
	rm -rf "$work"
}
trap cleanup EXIT

ok() { echo "ok - $*"; }
not_ok() { echo "not ok - $*"; }
skip() { echo "ok - $1 # SKIP $2"; }

# is NAME GOT WANTED
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else
		not_ok "$1"
		printf '#   got:    %s\n#   wanted: %s\n' "${2//$'\n'/ | }" "${3//$'\n'/ | }"
	fi
}
# like NAME GOT REGEX: some line of GOT matches
like() {
	if grep -qaE -- "$3" <<<"$2"; then ok "$1"; else
		not_ok "$1"
		printf '#   got:    %s\n#   wanted: /%s/\n' "${2//$'\n'/ | }" "$3"
	fi
}
# succeeds NAME CMD...: the command succeeds
succeeds() {
	local name=$1 said=$work/.said.$BASHPID status
	shift
	# A file, and no pipe: a process that it leaves in the background keeps its standard error.
	("$@") >"$said" 2>&1
	status=$?
	if [ $status = 0 ]; then ok "$name"; else
		not_ok "$name"
		printf '#   exit %s: %s\n' $status "$(cat "$said")"
	fi
}
# Bounds allow for a machine this many times slower: an emulated one has run at an eighth of its usual speed.
patience=${KVMHOST:+10}
patience=${patience:-1}
# There to look takes long, on the processor that what is waited for needs.
between=${KVMHOST:+0.25}
between=${between:-0.05}
# eventually SECONDS CMD...: poll until it succeeds; a bound, not a measurement
eventually() {
	local end=$((SECONDS + $1 * patience))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep "$between"
	done
}

# bundle DIR GUEST [DEVICES_JSON]: a bundle for a freestanding guest, 32 MiB, one vCPU
default_devices='[{"type": "serial"}, {"type": "block", "path": "disk.img"}, {"type": "rng"}]'
bundle() {
	mkdir -p "$1"
	[ -e "$1/disk.img" ] || truncate -s 1M "$1/disk.img"
	cat >"$1/config.json" <<-JSON
	{"ociVersion": "1.0.2",
	 "vm": {"kernel": {"path": "$B/guests/$2.elf"}, "hwConfig": {"vcpus": 1, "memory": 33554432},
	        "devices": ${3:-$default_devices}}}
	JSON
}

# with_tap FLAGS CMD...: run it with a TAP, fdtap, open as fd 9
with_tap() {
	perl -e 'use POSIX; my $f = shift; open(my $t, "+<", "/dev/net/tun") or die "$!";
		ioctl($t, 0x400454ca, my $q = pack("Z16 s x22", "fdtap", oct $f)) or die "$!";
		POSIX::dup2(fileno($t), 9); exec @ARGV' -- "$@"
}

# processes of a VM, one pid a line: the supervisor first
vm_pids() { vmrun state "$1" | jq -r '.pid, .vmrun.processes[].pid'; }
vm_pid() { vmrun state "$1" | jq -r --arg n "$2" '.vmrun.processes[] | select(.name == $n) | .pid'; }
# vm_memory ID: each process of a VM with its memory in KiB, shared pages divided among their users, without the guest's RAM
vm_memory() {
	vmrun state "$1" | jq -r '"supervisor \(.pid)", (.vmrun.processes[] | "\(.name) \(.pid)")' | while read -r name pid; do
		awk -v n="$name" '/^[0-9a-f]+-[0-9a-f]+ / { ram = /memfd:|anon_inode| \/#[0-9]+ \(deleted\)$/ } /^Pss:/ && !ram { s += $2 }
			END { print n, s }' "/proc/$pid/smaps"
	done
}
# memory_over ID KIB: those rows, if it is more in all
memory_over() { vm_memory "$1" | awk -v max="$2" '{ s += $2; t = t $0 "; " } END { if (NR < 2 || s > max) print t s }'; }
vm_status() { vmrun state "$1" 2>/dev/null | jq -r .status; }
is_stopped() { [ "$(vm_status "$1")" = stopped ]; }
is_running() { [ "$(vm_status "$1")" = running ]; }
