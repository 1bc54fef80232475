#!/bin/bash
# A stock Linux guest whose disk, network device and entropy source die while it writes and reads: it sees no error, and what
# it wrote is there. Without vmx or svm it runs inside one tests/kvmhost machine.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	dir=$PWD/${B:-build}/linux-restart
	rm -rf "$dir"
	set -e
	bundle-examples/build --image-size 256 --memory 256 --job tests/linux/jobs/net "$dir/restart"
	jq '.vm.image.onFailure = "restart" | .vm.devices = ((.vm.devices // []) | map(select(.type != "rng")))
		+ [{"type": "rng", "onFailure": "restart"}]' "$dir/restart/config.json" >"$dir/config.json"
	mv "$dir/config.json" "$dir/restart/config.json"
	set +e
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
dir=$B/linux-restart
. tests/linux/guest.bash

id=restart
boot $id
up $id 120
is_running $id || exit
restarted() { # restarted N: disk and entropy source so often
	vmrun state $id | jq -e --argjson n "$1" '[.vmrun.processes[] | select(.name | test("^(block|rng)0$")) | .restarts == $n] |
		length == 2 and all' >/dev/null
}
# Writes that are flushed, each read back past the page cache, and random numbers.
echo "io sh -c 'seq 10000000 | head -c 8388608 >/data.ref; for n in 1 2 3 4 5 6; do dd if=/data.ref of=/data.\$n bs=256k conv=fsync 2>/dev/null; dd if=/data.\$n iflag=direct bs=64k 2>/dev/null; dd if=/dev/hwrng of=/dev/null bs=64 count=64 2>/dev/null; done | sha256sum | cut -d\" \" -f1' " >&"${input[$id]}"
deaths=0
while [ $deaths -lt 8 ] && ! said $id '^fact io '; do
	kill -KILL "$(vm_pid $id block0)" "$(vm_pid $id rng0)"
	deaths=$((deaths + 1))
	eventually 30 restarted $deaths || not_ok "death $deaths: disk and entropy source are started again"
	sleep 2.5 # at most five in ten seconds
done
at_least "deaths of disk and entropy source in the middle of I/O" $deaths 3 8
if eventually 90 said $id '^fact io '; then :; else stuck $id; fi
seq 10000000 | head -c 8M >"$work/ref"
ref=$(for _ in 1 2 3 4 5 6; do cat "$work/ref"; done | sha256sum | cut -d' ' -f1)
is "what was written is read" "$(fact $id io)" "$ref "
is "the guest saw no error" "$(ask $id errors "dmesg | grep -ciE 'I/O error|blk_update|hung task'")" "0 "
is "its file system is as it should be" "$(ask $id fs "mount | grep -c '/dev/vda on / type ext4 (rw'")" "1 "
vmrun kill $id
ended $id poweroff 0
succeeds "deleted" vmrun delete $id
