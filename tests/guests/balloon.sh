#!/bin/bash
# A balloon: memory leaves the host and comes back, as the host asks or the guest reports it; sizes that
# cannot be; a guest that names memory it does not have, or still uses.
. "$(dirname "$0")/../lib.sh"

mkdir "$work/b"
cat >"$work/b/config.json" <<-JSON
	{"ociVersion": "1.0.2", "vm": {"kernel": {"path": "$B/guests/balloon.elf"},
	 "hwConfig": {"memory": 134217728}, "devices": [{"type": "balloon", "size": 12288}]}}
JSON
console=$work/console
says() { tr -d '\r' <"$console" 2>/dev/null | grep -qa "^# balloon: $1"; }
# How much of guest RAM the host holds, in KiB: of the file, and as processes share it
held() { # the largest file that the VMM maps shared
	for map in $(awk '$2 == "rw-s" { print $1 }' "/proc/$vmm/maps"); do
		stat -Lc '%s %b' "/proc/$vmm/map_files/$map" 2>/dev/null
	done | sort -rn | awk 'NR == 1 { print $2 / 2 }'
}
pss() { for p in $(vm_pids b); do cat "/proc/$p/smaps_rollup"; done | awk '/^Pss:/ { n += $2 } END { print n }'; }
look() { # look WHEN: sets $held and $pss, after keeping what they were
	held_before=${held:-} pss_before=${pss:-}
	held=$(held) pss=$(pss)
	echo "# $1: $held KiB of guest RAM, PSS of the VM $pss KiB"
}
# changed NAME KIB: both have changed by this much, up to 4 MiB that belong to something else
changed() {
	local d
	for d in $((held - held_before - $2)) $((pss - pss_before - $2)); do
		[ "${d#-}" -le 4096 ] || { not_ok "$1"; echo "#   $d KiB besides"; return; }
	done
	ok "$1"
}
field() { vmrun balloon b | jq -r ".$1"; }

vmrun create "$work/b" </dev/null >"$console" 2>"$work/err"
is "created: the target of config.json" "$(field targetBytes)" 12288
is "created: nothing is given up" "$(field actualBytes)" 0
is "created: no statistics yet" "$(field statistics)" null
vmrun start b
vmm=$(vm_pid b vmm)
eventually 60 says full
look "the guest has used 64 MiB"

succeeds "64M is asked for" vmrun balloon b 64M
eventually 60 says inflated
look inflated
changed "inflated: 64 MiB have left the host" -65536
is "inflated: target" "$(field targetBytes)" 67108864
is "inflated: actual" "$(field actualBytes)" 67108864
is "the guest's RAM" "$(field memoryBytes)" 134217728
is "statistics: what the guest has" "$(field statistics.totalBytes)" 134217728
first=$(field statistics.freeBytes)
is "statistics: new ones each time" "$(field statistics.freeBytes)" $((first + 1))
is "statistics: they are not old" "$(field statisticsAreOld)" null

succeeds "nothing is asked for any more" vmrun balloon b 0
eventually 60 says deflated
look deflated
changed "deflated: 64 MiB are used again" 65536
is "deflated: actual" "$(field actualBytes)" 0
succeeds "a size in bytes" vmrun balloon b 4096
eventually 60 says reported
look reported
changed "reported: 32 MiB have left the host" -32768

fails() { # fails NAME WANTED CMD...: with this one line
	local name=$1 wanted=$2 got
	shift 2
	got=$("$@" 2>&1) && not_ok "$name: succeeded"
	is "$name" "$got" "vmrun: $wanted"
}
fails "more than RAM" "b: the balloon must be at most the guest's 134217728 bytes of RAM, not 134221824" \
	vmrun balloon b 134221824
fails "half a page" "b: the size of a balloon must be a multiple of 4096 bytes, is 100" vmrun balloon b 100
for size in x 1X 99999999T "" 1MB; do
	fails "size '$size'" "b: SIZE is a number of bytes, or one with K, M, G or T, not \"$size\"" \
		vmrun balloon b "$size"
done
vmrun balloon b 1.5M 2>/dev/null
is "a size that is none: exit code of a wrong command line" $? 2
is "a refused size changes nothing" "$(field targetBytes)" 4096

succeeds "the guest turns hostile" vmrun balloon b 8K
eventually 60 is_stopped b
tr -d '\r' <"$console" | grep -aE '^(ok|not ok)'
succeeds "the guest reached its end" says done
is "it ended by the reset it asked for" "$(vmrun state b | jq -r .vmrun.cause)" reset
fails "a VM that has stopped" "b: container not running" vmrun balloon b
fails "a VM that has stopped: set" "b: container not running" vmrun balloon b 1M
vmrun delete b

bundle "$work/none" idle
vmrun create "$work/none" none </dev/null >/dev/null 2>&1 || vmrun create --bundle "$work/none" none </dev/null >/dev/null
fails "a VM without a balloon" "none: the VM has no balloon: its config.json lists none" vmrun balloon none
fails "a VM without a balloon: set" "none: the VM has no balloon: its config.json lists none" vmrun balloon none 1M
vmrun delete --force none
