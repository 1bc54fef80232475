#!/bin/bash
# Bad input: one clear line naming the thing, exit code not 0, nothing left behind.
. "$(dirname "$0")/../lib.sh"
. tests/guests/badinput.bash
mkdir -p "$root"

mkdir "$work/empty"
refused "no config.json" "config.json.*No such file" vmrun create --bundle "$work/empty" x
refused "no such bundle" "nowhere" vmrun create --bundle "$work/nowhere" x
bundle "$work/b" hello
echo '{"ociVersion": "1.0.2",
  "root" }' >"$work/b/config.json"
refused "not JSON: line and column" "config.json: line 2, column [0-9]+: " create
: >"$work/b/config.json"
refused "an empty config.json" "config.json" create

config "a wrong type" '.vm.hwConfig.vcpus = "two"' '/vm/hwConfig/vcpus: '
config "a number out of range: no vCPU" '.vm.hwConfig.vcpus = 0' '/vm/hwConfig/vcpus: .*1 to 32'
config "a number out of range: 33 vCPUs" '.vm.hwConfig.vcpus = 33' '/vm/hwConfig/vcpus: .*1 to 32'
config "too little memory" '.vm.hwConfig.memory = 1048576' '/vm/hwConfig/memory: '
config "an unknown enum" '.vm.image = {"path": "disk.img", "format": "gif"}' '/vm/image/format: '
config "an unknown device" '.vm.devices[1].type = "toaster"' '/vm/devices/1/type: .*toaster'
config "a disk without a path" 'del(.vm.devices[1].path)' '/vm/devices/1/path: '
config "a bad version" '.ociVersion = "banana"' '/ociVersion: '
config "no kernel" 'del(.vm.kernel)' '/vm/kernel'
config "no vm" 'del(.vm)' '/vm'

config "a missing kernel" '.vm.kernel.path = "/nonexistent/vmlinuz"' '/vm/kernel/path: .*/nonexistent/vmlinuz.*No such file'
config "a kernel that is a directory" '.vm.kernel.path = "/"' '/vm/kernel/path: .*directory'
: >"$work/nothing"
config "an empty kernel" ".vm.kernel.path = \"$work/nothing\"" '/vm/kernel/path: .*empty'
echo 'I am no kernel, I am a text file of some length, to be sure that it is longer than any header.' >"$work/text"
config "neither ELF nor bzImage" ".vm.kernel.path = \"$work/text\"" 'kernel.*neither'
cp "$B/guests/hello.elf" "$work/arm.elf" && printf '\xb7' | dd of="$work/arm.elf" bs=1 seek=18 conv=notrunc 2>/dev/null
config "a kernel for another machine" ".vm.kernel.path = \"$work/arm.elf\"" 'kernel.*machine'
for n in 3 17 64 100 200 4097 $(($(stat -c %s "$B/guests/hello.elf") / 2)); do
	[ "$n" -lt "$(stat -c %s "$B/guests/hello.elf")" ] || continue
	head -c "$n" "$B/guests/hello.elf" >"$work/short.elf"
	config "a kernel cut off after $n bytes" ".vm.kernel.path = \"$work/short.elf\"" 'kernel'
done
truncate -s 40M "$work/big.initrd"
config "an initrd that does not fit" ".vm.kernel.initrd = \"$work/big.initrd\"" 'initrd.*(fit|small)'
config "a missing initrd" '.vm.kernel.initrd = "/nonexistent/initrd"' '/vm/kernel/initrd: .*/nonexistent/initrd'

config "a missing image" '.vm.devices[1].path = "/nonexistent/disk"' '/vm/devices/1/path: .*/nonexistent/disk.*No such file'
config "an image that is a directory" '.vm.devices[1].path = "/tmp"' '/vm/devices/1/path: .*directory'
config "an empty image" ".vm.devices[1].path = \"$work/nothing\"" '/vm/devices/1/path: .*empty'
config "an image that is no multiple of 512" ".vm.devices[1].path = \"$work/text\"" '/vm/devices/1/path: .*512'
{ printf 'QFI\xfb'; head -c 1020 /dev/zero; } >"$work/qcow2"
config "a format that is not read" ".vm.devices[1].path = \"$work/qcow2\"" \
	'/vm/devices/1/path: .*looks like a qcow2 image: say "format": "qcow2" .*"format": "raw"'
config "a format that is not known" '.vm.devices[1].format = "vmdk"' '/vm/devices/1/format: must be raw or qcow2, is "vmdk"'
config "a qcow2 image that is none" ".vm.devices[1].path = \"$work/qcow2\" | .vm.devices[1].format = \"qcow2\"" \
	'/vm/devices/1/path: .*qcow2 of version 0'
printf KDMV >"$work/vmdk" && truncate -s 64K "$work/vmdk"
config "a vmdk image" ".vm.devices[1].path = \"$work/vmdk\"" '/vm/devices/1/path: .*vmdk image.*convert'
qemu-img create -q -f qcow2 -u -b /etc/passwd -F raw "$work/nosy.qcow2" 1M
config "an image that names a file of the host's" ".vm.devices[1].path = \"$work/nosy.qcow2\" | .vm.devices[1].format = \"qcow2\"" \
	"/vm/devices/1/path: .*backing file /etc/passwd is not in the image's directory or below it"
# With format raw it is raw: its guest wrote that.
bundle "$work/b" hello "[{\"type\": \"block\", \"path\": \"$work/qcow2\", \"format\": \"raw\"}]"
vmrun run "$work/b" </dev/null >"$work/out" 2>&1
is "a raw disk that looks like qcow2: the VM runs" $? 32
vmrun run --rwdisk "$work/qcow2,format=raw" "$B/guests/hello.elf" </dev/null >"$work/out" 2>&1
is "the same without a bundle" $? 32
for option in -r --rwroot -d --rwdisk; do
	refused "without a bundle, $option: looks like another format" 'path: .*qcow2.*"format": "raw"' \
		vmrun run $option "$work/qcow2" "$B/guests/hello.elf"
	refused "without a bundle, $option: a format that is not known" '/format: must be raw or qcow2, is "vmdk"' \
		vmrun run $option "$work/qcow2,format=vmdk" "$B/guests/hello.elf"
done
refused "a device alone: looks like another format" 'path: .*qcow2.*--format raw' timeout 5 "$vmrun_bin" device block --socket "$work/sock" --path "$work/qcow2"
refused "a device alone: a format that is not known" 'format: must be raw or qcow2, is "qed"' timeout 5 "$vmrun_bin" device block --socket "$work/sock" --path "$work/qcow2" --format qed

refused "a device alone: no name for its socket" "option --socket wants a value" timeout 5 "$vmrun_bin" device rng --socket ''
refused "a device alone: half a page" "device balloon: --size must be a multiple of 4096 bytes, is 100" timeout 5 "$vmrun_bin" device balloon --socket "$work/sock" --size 100
refused "a device alone: one map of ids" "uid-map and --gid-map belong together" timeout 5 "$vmrun_bin" device fs --socket "$work/sock" --source "$work" --uid-map "0 0 1"
refused "a device alone: no map" "gid-map: must be .INSIDE OUTSIDE COUNT.* is .0 0" timeout 5 "$vmrun_bin" device fs --socket "$work/sock" --source "$work" --uid-map "0 0 1" --gid-map "0 0"
mkdir -m 777 "$work/any" && chmod a+x "$work"
refused "a device alone: ids that are not the caller's" "uid-map: without CAP_SETUID .*own id, 1000, can be mapped" \
	timeout 5 setpriv --reuid=1000 --regid=1000 --clear-groups "$vmrun_bin" device fs --socket "$work/any/sock" --source "$work/any" --uid-map "0 0 1" --gid-map "0 1000 1"
is "and nothing is left" "$(ls -A "$work/any")" ""
refused "a device alone: no CID" "device vsock: --cid is 3 to 4294967294" timeout 5 "$vmrun_bin" device vsock --socket "$work/sock" --host-socket "$work/h"
refused "a device alone: the host's CID" "device vsock: --cid is 3 to 4294967294" timeout 5 "$vmrun_bin" device vsock --socket "$work/sock" --host-socket "$work/h" --cid 2
refused "a device alone: no socket for the host's programs" "device vsock: --host-socket is missing" timeout 5 "$vmrun_bin" device vsock --socket "$work/sock" --cid 3
refused "a device alone: a CID for a disk" "device rng: --cid is for vsock devices" timeout 5 "$vmrun_bin" device rng --socket "$work/sock" --cid 3
refused "a device alone: no name for its TAP" "option --tap wants a value" timeout 5 "$vmrun_bin" device net --socket "$work/sock" --tap ''
refused "a device alone: a TAP of no name" "\"all\" is no interface name" timeout 5 "$vmrun_bin" device net --socket "$work/sock" --tap all
# net_alone REGEX OPTION...: a device alone, net, with options that it refuses
net_alone() {
	refused "a device alone, net: ${*:2}" "device net: $1" timeout 5 "$vmrun_bin" device net --socket "$work/sock" --tap vmb$$ "${@:2}"
	is "exit status" "$(timeout 5 "$vmrun_bin" device net --socket "$work/sock" --tap vmb$$ "${@:2}" 2>/dev/null; echo $?)" 2
}
net_alone '--guest-ip: must be like 10.0.0.2/24, is "10.0.0.2"' --guest-ip 10.0.0.2
net_alone '--guest-ip: must be /1 to /31, is /32' --guest-ip 10.0.0.2/32
net_alone '--guest-ip: 10.0.0.0/24 is the address of its network' --guest-ip 10.0.0.0/24
net_alone '--guest-ip: 10.0.0.255/24 is the broadcast address of its network' --guest-ip 10.0.0.255/24
net_alone '--guest-ip: 127.0.0.1/8 is a loopback address' --guest-ip 127.0.0.1/8
net_alone '--guest-ip: 224.0.0.1/24 is a multicast address' --guest-ip 224.0.0.1/24
net_alone '--gateway needs --guest-ip' --gateway 10.0.0.1
net_alone '--gateway: must be like 10.0.0.2, is "10.0.0.1/24"' --guest-ip 10.0.0.2/24 --gateway 10.0.0.1/24
net_alone '--gateway: 10.0.1.1 is outside the guest.s network' --guest-ip 10.0.0.2/24 --gateway 10.0.1.1
net_alone '--gateway: 10.0.0.2 is the guest.s own address' --guest-ip 10.0.0.2/24 --gateway 10.0.0.2
net_alone '--gateway: 10.0.0.255 is the broadcast address' --guest-ip 10.0.0.2/24 --gateway 10.0.0.255
net_alone '--guest-ip6: must be like fd00::2/64, is "10.0.0.2/24"' --guest-ip6 10.0.0.2/24
net_alone '--guest-ip6: fd00::/64 is the address of its network' --guest-ip6 fd00::/64
net_alone '--guest-ip6: fe80::2/64 is a link-local address' --guest-ip6 fe80::2/64
net_alone '--gateway6 needs --guest-ip6' --gateway6 fe80::1
net_alone '--gateway6: fd00::1 is no link-local address' --guest-ip6 fd00::2/64 --gateway6 fd00::1
net_alone '--dns: 0.0.0.0 is no address' --guest-ip 10.0.0.2/24 --dns 0.0.0.0
net_alone '--dns: 255.255.255.255 is a broadcast address' --guest-ip 10.0.0.2/24 --dns 255.255.255.255
net_alone '--dns: ff02::1 is a multicast address' --guest-ip6 fd00::2/64 --dns ff02::1
net_alone '--dns: :: is no address' --guest-ip6 fd00::2/64 --dns ::
net_alone '--dns fd00::1 needs --guest-ip6' --guest-ip 10.0.0.2/24 --dns fd00::1
net_alone '--hostname: must be 1 to 64 letters' --guest-ip 10.0.0.2/24 --hostname 'a b'
net_alone '--mtu: must be 68 to 65521' --mtu 67
net_alone '--mtu: must be 1280 or more with IPv6' --mtu 1279 --guest-ip6 fd00::2/64
is "no TAP is left" "$(ls /sys/class/net | grep -x vmb$$)" ""
is "and no socket is left" "$(ls "$work" | grep sock)" ""
bundle "$work/b" hello
for id in '' . .. a/b 'a b' "$(printf 'x%.0s' {1..1025})"; do
	refused "the id '${id:0:12}'" "id" vmrun create --bundle "$work/b" "$id"
done

# A command line that is wrong by itself exits 2; what only the host, a bundle or a VM shows to be wrong exits 1.
# usage REGEX ARGUMENT...
usage() {
	local regex=$1
	shift
	refused "vmrun $*" "$regex" timeout 5 "$vmrun_bin" --root "$root" "$@"
	timeout 5 "$vmrun_bin" --root "$root" "$@" >/dev/null 2>&1 </dev/null
	is "vmrun $*: exits 2" $? 2
}
kernel=$B/guests/hello.elf
usage "no verb" --debug
usage "unknown verb 'frobnicate'" frobnicate
usage "create: unknown option --frobnicate" create --frobnicate
usage "usage: vmrun state ID" state
usage "container id cannot be empty" state ''
usage "invalid container id" kill a/b
usage "invalid container id" create --id 'a b' "$work/b"
usage "with --bundle an ID is required" create --bundle "$work/b"
usage "two ids given: a and b" create --bundle "$work/b" --id a b
usage "x: unknown signal 'BOO'" kill x BOO
usage "x: SIZE is a number" balloon x 1Q
usage "x: --port: a name has at most 31 bytes" console --port "$(printf 'x%.0s' {1..32})" x
usage "--full prints the example of a VM, and --bundle says" spec --full --bundle "$work"
usage "stop: SOCKET is empty" stop ''
usage "option --root wants a value" --root '' list
usage "option --format is one of" list --format xml
usage "run: option -s wants a value" run -s --dry-run "$kernel"
usage "run: option --host_ip wants a value" run --host_ip '' "$kernel"
usage "run: option -m wants a number greater than 0" run -m 0 "$kernel"
usage "memory: must be 33554432 to" run -m 1 "$kernel"
usage "go with a kernel, not with a bundle" run -m 64
usage "vcpus: must be 1 to 32" run -c 33 "$kernel"
usage "-r and --rwroot exclude each other" run -r a --rwroot b "$kernel"
usage "format: must be raw or qcow2" run -d "$work/qcow2,format=vmdk" "$kernel"
usage "--netmask goes with --host_ip" run --netmask 24 "$kernel"
usage "--mac goes with --host_ip" run --mac 52:54:00:12:34:56 "$kernel"
usage "hostIp: 10.0.0.0/24 is the address of its network" run --host_ip 10.0.0.0 --netmask 24 "$kernel"
usage "--net: unknown key \"gurk\"" run --net gurk=1 "$kernel"
usage "--vsock: cid: must be a number, is \"x\"" run --vsock x "$kernel"
usage "cid: must be 3 to" run --vsock 2 "$kernel"
usage "-t excludes --detach" run -t --detach "$kernel"
usage "device: unknown type" device toaster --socket "$work/sock"
usage "device rng: --fd: must be 3 to 2147483647, is 99999999999999" device rng --fd 99999999999999
usage "device rng: --socket is missing" device rng
usage "devices: none is given" devices
refused "no kernel, no bundle" "nowhere: No such file" vmrun run -m 64 nowhere
vmrun run -m 64 nowhere >/dev/null 2>&1
is "a file that does not exist exits 1" $? 1
for words in --help --version "help" "run --help" list "spec --full" check features; do
	# shellcheck disable=SC2086
	is "vmrun $words: a full standard output is an error" \
		"$(cd "$work/empty" && vmrun $words 2>&1 >/dev/full; echo $?)" "$(printf 'vmrun: standard output: No space left on device\n1')"
done
for verb in start state kill pause resume delete balloon console; do
	refused "$verb of nothing" "^vmrun: none: container does not exist$" vmrun $verb none
	vmrun $verb none >/dev/null 2>&1 </dev/null
	is "$verb of nothing exits 1" $? 1
done

hide=$B/libexec/vmrun
cp -a "$B/bin" "$work/bin" && mkdir -p "$work/libexec/vmrun" && cp "$hide"/* "$work/libexec/vmrun/"
rm "$work/libexec/vmrun/vmrun-dev-rng"
refused "a device program missing from libexec" "vmrun-dev-rng" "$work/bin/vmrun" --root "$root" create "$work/b"

# A state directory that cannot be written, one that is full.
mkdir "$work/ro" && mount -t tmpfs -o ro none "$work/ro"
refused "a read-only state directory" "$work/ro/state.*Read-only" "$vmrun_bin" --root "$work/ro/state" create "$work/b"
umount "$work/ro"
mkdir "$work/full" && mount -t tmpfs -o size=4k none "$work/full" && head -c 4096 /dev/zero >"$work/full/x"
refused "a full state directory" "No space left" "$vmrun_bin" --root "$work/full" create "$work/b"
is "and nothing is left in it" "$(ls "$work/full")" x
umount "$work/full"

# A state directory that another user may have filled.
mkdir "$work/theirs" "$work/shared"
chown 65534 "$work/theirs" && chmod 777 "$work/shared"
for verb in "create $work/b" list "state x" "delete --force x" "run --id x $work/b"; do
	# shellcheck disable=SC2086
	refused "${verb%% *} in a state directory of another user" "theirs belongs to uid 65534.*--root" "$vmrun_bin" --root "$work/theirs" $verb
	# shellcheck disable=SC2086
	refused "${verb%% *} in one that all may write to" "others can write to .*shared: chmod go-w.*--root" "$vmrun_bin" --root "$work/shared" $verb
done
is "nothing is left in them" "$(ls -A "$work/theirs" "$work/shared" | grep -v : | grep .)" ""

# No /dev/kvm, and no permission on it.
refused "no /dev/kvm" "/dev/kvm" unshare -m sh -c 'mount -t tmpfs none /dev && mknod /dev/null c 1 3 && exec "$@"' sh \
	"$vmrun_bin" --root "$root" create "$work/b"

# Namespaces that the kernel refuses: which, why, and what to do.
for ns in user pid mnt net ipc uts cgroup; do
	refused "no $ns namespace may be made" "cannot make a new $ns namespace: user.max_${ns}_namespaces is 0" \
		unshare -Ur sh -c "echo 0 >/proc/sys/user/max_${ns}_namespaces && exec \"\$@\"" sh "$vmrun_bin" --root "$root" create "$work/b"
done
refused "a device alone: no net namespace may be made" "user.max_net_namespaces is 0" \
	timeout 10 unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"' sh "$vmrun_bin" device rng --socket "$work/sock"
is "and its socket is gone" "$(ls "$work" | grep sock)" ""
in_chroot() { # in_chroot CMD...: the host's files below a directory that is no mount point
	mkdir -p "$work/host"
	# shellcheck disable=SC2016
	unshare -m sh -c 'cd "$1" || exit; shift
		for d in /usr /lib /lib64 /bin /proc /dev /sys /tmp "$1" "$2"; do
			[ -L $d ] && cp -a $d ./$d && continue
			[ -d $d ] && mkdir -p ./$d && mount --rbind $d ./$d
		done; shift 2; exec chroot . "$@"' sh "$work/host" "$top" "$B" "$@"
}
refused "in a chroot" "cannot make a new user namespace in a chroot: .*pivot_root" in_chroot "$vmrun_bin" --root "$root" create "$work/b"

without_proc() { unshare -m sh -c 'umount -l -R /proc; exec "$@"' sh "$@"; }
refused "without /proc" "config.json .mount /proc.: No such file" without_proc "$vmrun_bin" --root "$root" create "$work/b"
refused "without /proc, a kernel alone" "/proc/self/exe .mount /proc.: No such file" without_proc "$vmrun_bin" --root "$root" run "$B/guests/hello.elf"

# A user without a state directory still learns what the host can do.
for verb in check features "spec -b $work/nowhere"; do
	# shellcheck disable=SC2086
	is "${verb%% *} needs no state directory" \
		"$(cd / && setpriv --reuid 65534 --regid 65534 --clear-groups env -u XDG_RUNTIME_DIR "$vmrun_bin" $verb 2>&1 | grep -c XDG)" 0
done

# A path that is not a file is not replaced by one, and a FIFO without a writer does not make create wait.
mkfifo "$work/fifo"
refused "a pid file that is a FIFO" "--pid-file .*fifo: .*not a regular file" vmrun create --pid-file "$work/fifo" "$work/b"
[ -p "$work/fifo" ] && ok "it stays one" || not_ok "it was replaced"
refused "a config.json that is a FIFO" "fifo: not a regular file" timeout 10 "$vmrun_bin" --root "$root" create --config "$work/fifo" "$work/b"
for p in "$work/fifo" /dev/ptmx /dev/null "$work"; do
	config "a kernel that is $p" ".vm.kernel.path = \"$p\"" '/vm/kernel/path: .*(not a regular file|directory)'
	config "an initrd that is $p" ".vm.kernel.initrd = \"$p\"" '/vm/kernel/initrd: .*(not a regular file|directory)'
	config "a disk that is $p" ".vm.devices[1].path = \"$p\"" '/vm/devices/1/path: .*(neither a regular file nor|directory)'
	refused "a device alone: a disk that is $p" '--path: .*(neither a regular file nor|directory)' \
		timeout 10 "$vmrun_bin" device block --socket "$work/sock" --path "$p"
done

# Every verb prints its usage, with --help and when it is called wrongly.
for verb in $(vmrun --help | awk 'NF == 0 { verbs = 0 } verbs { print $1 } $1 == "Verbs:" { verbs = 1 }'); do
	usage=$(vmrun "$verb" --help | sed -n '1s/^Usage: //p')
	like "$verb --help" "$usage" "^vmrun $verb( [^(]*[^ (])?$"
	case $verb in exec | ps | checkpoint | restore) continue ;; esac # what follows is another program's
	[ "$verb" != policy ] || continue # it has verbs of its own, which policy.sh asks
	is "$verb with arguments that it does not take" "$(vmrun "$verb" x y z 2>&1)" "vmrun: usage: $usage"
done

# In use, and in the wrong state.
bundle "$work/b" idle
vmrun create --bundle "$work/b" one </dev/null >/dev/null
fails() { # fails NAME REGEX CMD...: as refused, with a VM there
	local name=$1 regex=$2 out
	shift 2
	if out=$("$@" 2>&1 </dev/null); then not_ok "$name: succeeded"; else like "$name" "$out" "$regex"; fi
}
fails "an id in use" "already exists" vmrun create --bundle "$work/b" one
fails "a disk in use by another VM" "disk.img.*(use|locked)" vmrun create --bundle "$work/b" two
is "the second one is not there" "$(vmrun list -q)" one
vmrun start one
fails "start of a running one" "already running" vmrun start one
fails "delete of a running one" "running" vmrun delete one
vmrun kill one KILL && eventually 10 is_stopped one
fails "start of a stopped one" "stopped" vmrun start one
fails "kill of a stopped one" "not running" vmrun kill one
succeeds "kill --all of a stopped one" vmrun kill --all one
fails "an unknown signal" "SIGBANANA|BANANA" vmrun kill one BANANA
succeeds "delete of a stopped one" vmrun delete one
fails "delete of nothing" "does not exist" vmrun delete one
succeeds "delete --force of nothing" vmrun delete --force one
is "nothing is left" "$(ls -A "$root")" ""
