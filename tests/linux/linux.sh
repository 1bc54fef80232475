#!/bin/bash
# Stock Debian kernels end to end, in as few boots as the checks allow: a boot costs seconds where the
# machine is emulated. Without vmx or svm the whole script runs inside one tests/kvmhost machine.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	dir=$PWD/${B:-build}/linux
	jobs=tests/linux/jobs
	rm -rf "$dir"
	set -e
	bundle-examples/build --image-size 16 --job $jobs/facts "$dir/first"
	bundle-examples/build --image-size 16 --job $jobs/facts --kernel vmlinux --root squashfs --memory 5120 --vcpus 4 "$dir/second"
	# The stock kernel itself needs 72 MiB; 8 of them are the files of its event tracing.
	bundle-examples/build --image-size 16 --job $jobs/panic --kernel vmlinux --memory 64 \
		--param initcall_blacklist=tracer_init_tracefs "$dir/third"
	bundle-examples/build --image-size 16 --job $jobs/reboot --vcpus 4 "$dir/fourth"
	# Beside the root disk, one with known content: a qcow2 image above a raw one.
	seq 1000000 | head -c 4M >"$dir/first/data.img"
	qemu-img create -q -f qcow2 -b data.img -F raw "$dir/first/data.qcow2"
	jq '.vm.devices += [{type: "block", path: "data.qcow2", format: "qcow2", serial: "scratch-1"}]' \
		"$dir/first/config.json" >"$dir/config" && mv "$dir/config" "$dir/first/config.json"
	set +e
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
dir=$B/linux
. tests/linux/guest.bash
fs_clean() { succeeds "$1: its file system is clean" e2fsck -fn "$dir/$1/root.img"; }
file_of() { debugfs -R "cat $2" "$dir/$1/root.img" 2>/dev/null; }

say "start"
# Two at a time: bzImage, ext4, one vCPU, two disks; and vmlinux, squashfs, four vCPUs, RAM beyond 4 GiB.
boot first
boot second
# vm_huge_kib ID: how much of its RAM the VMM, and KVM through it, sees in huge pages
vm_huge_kib() { awk '/^ShmemPmdMapped:/ { n += $2 } END { print n }' "/proc/$(vm_pid "$1" vmm)/smaps"; }
up first 120
up second 120

is "first: one CPU" "$(fact first cpus)" 1
at_least "first: guest RAM is in huge pages (KiB of them)" "$(vm_huge_kib first)" 32768 262144
at_least "first: 256 MiB less the kernel's own" "$(fact first memory-mib)" 180 256
like "first: root is ext4, writable" "$(fact first root)" '^/dev/vda / ext4 rw'
at_least "first: the clock is right" "$(($(date +%s) - $(fact first date)))" -2 130
at_least "first: the real-time clock keeps what hwclock sets" "$(fact first rtc-kept)" 1000000000 1000000100
is "first: its alarm comes" "$(fact first rtc-alarm-left)" "[]"
is "first: by the clock's interrupt" "$(fact first rtc-irq)" 1
is "first: no ACPI error" "$(fact first acpi-errors)" 0
is "first: knows that it is on KVM" "$(fact first hypervisor)" 1
is "first: has kvm-clock" "$(fact first kvm-clock)" 1
at_least "first: virtio interrupts are MSI-X" "$(fact first msi)" 4 64
is "first: entropy is virtio's" "$(fact first hwrng)" virtio_rng.0
like "first: entropy differs each time" "$(grep -a '^fact' "$work/first.console")" entropy-differs
at_least "first: entropy has all values" "$(fact first entropy-values)" 250 256
is "first: the disk's serial" "$(fact first disk-serial)" scratch-1
is "first: the disk's size" "$(fact first disk-sectors)" 8192
is "first: the disk's content" "$(fact first disk-sum)" "$(seq 1000000 | head -c 4M | sha256sum | cut -d' ' -f1)"
is "first: disks are writable" "$(fact first disk-ro)" 00
echo "hello guest" >&"${input[first]}"
succeeds "first: input reaches the guest" await first 30 '^fact console-input hello guest'

is "second: four CPUs" "$(fact second cpus)" 4
at_least "second: 5 GiB" "$(fact second memory-mib)" 4800 5120
like "second: root is squashfs, read-only" "$(fact second root)" '^/dev/vda / squashfs ro'
is "second: nothing could be written" "$(fact second wrote)" ""
is "second: no ACPI error" "$(fact second acpi-errors)" 0
is "second: entropy is virtio's" "$(fact second hwrng)" virtio_rng.0

in_cgroup=yes
for pid in $(vm_pids first); do
	grep -q /vmrun/first "/proc/$pid/cgroup" || in_cgroup="no: $pid $(tr '\n' ' ' <"/proc/$pid/cgroup")"
done
is "first: all its processes are in its cgroup" "$in_cgroup" yes

# The power button for one, Ctrl-Alt-Del for the other.
echo >&"${input[second]}"
succeeds "first: kill presses the power button" vmrun kill first
succeeds "second: kill INT is Ctrl-Alt-Del" vmrun kill second INT
ended first poweroff 0
ended second poweroff 0
succeeds "first: its shutdown script ran" said first 'vmrun example: shutting down'
succeeds "second: its shutdown script ran" said second 'vmrun example: shutting down'
fs_clean first
like "first: the shutdown script's file is there" "$(file_of first /shutdown-was-orderly)" '[0-9]{4}'
is "first: the data it wrote is there" "$(file_of first /data | sha256sum)" "$(seq 100000 | sha256sum)"
is "first: qemu-img finds the second disk whole" "$(qemu-img check -q "$dir/first/data.qcow2" 2>&1)" ""
qemu-img convert -O raw "$dir/first/data.qcow2" "$dir/first/data.raw"
is "first: what it wrote to the second disk is there" "$(sha256sum <"$dir/first/data.raw")" \
	"$({ seq 1000000 | head -c 1M; yes | tr -d '\n' | tr y x | head -c 1M; seq 1000000 | head -c 4M | tail -c 2M; } | sha256sum)"
succeeds "first: deleted" vmrun delete first
succeeds "second: deleted" vmrun delete second

# Little memory and a panic; and four writers, then a reset.
boot third
succeeds "third: ends" eventually 240 is_stopped third
say "third ended"
at_least "third: had little memory" "$(fact third memory-mib)" 16 64
is "third: a panic is recorded" "$(vmrun state third | jq -r '"\(.vmrun.cause) \(.vmrun.exitCode)"')" "panic 34"
said third '^fact ready' || stuck third
succeeds "third: deleted" vmrun delete third

vmrun run "$dir/fourth" </dev/null >"$work/fourth.console" 2>"$work/fourth.err"
is "fourth: run exits with the code of a reset" $? 32
said fourth '^fact ready' || tail -n 40 "$work/fourth.console" | tr -d '\r' | sed 's/^/# /'
say "fourth ended"
for n in 1 2 3 4; do
	is "fourth: writer $n" "$(file_of fourth /data$n | sha256sum)" "$(seq ${n}00000 ${n}50000 | sha256sum)"
done
is "nothing is left in the state directory" "$(ls -A "$root")" ""

# Freestanding guests and jails again, under this machine's kernel and its cgroup v2.
if [ -n "${KVMHOST:-}" ] && [ -e "$B/guests/idle.elf" ]; then
	for t in behaviour jail cgroups; do
		if tests/guests/$t.sh >"$work/$t.out" 2>&1; then
			sed -n 's/^\(\(not \)\{0,1\}ok - \)/\1kvmhost: /p; /^#/p' "$work/$t.out"
		else
			not_ok "kvmhost: $t"
			sed 's/^/# /' "$work/$t.out"
		fi
		say "$t ended"
	done
fi
say "end"
