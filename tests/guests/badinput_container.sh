#!/bin/bash
# Bad input of containers: one clear line naming the thing, the exit code of its kind, nothing left behind. Nothing here boots.
. "$(dirname "$0")/../lib.sh"
. tests/guests/badinput.bash
mkdir -p "$root" "$work"/b/{rootfs/bin,dir}
install -m 755 /dev/null "$work/b/rootfs/bin/true"
cp "$B/guests/hello.elf" "$work/vmlinuz"
: >"$work/empty"
mkfifo "$work/fifo"
ln -s dir "$work/b/link"
echo "{\"kernel\": \"$work/vmlinuz\", \"initrd\": \"$work/vmlinuz\", \"annotations\": [\"org.vmrun.memory\"]}" >"$work/host.json"

base='{"ociVersion": "1.2.0", "root": {"path": "rootfs"}, "process": {"args": ["/bin/true"], "cwd": "/"}}'
create() { vmrun --host-config "$work/host.json" create "$work/b"; }
# container NAME JQ REGEX: create of the base, edited by a jq program, is refused
container() {
	jq "$2" <<<"$base" >"$work/b/config.json"
	refused "$1" "$3" create
}

container "a process without arguments" 'del(.process.args)' '^vmrun: /process/args: required'
container "no working directory" 'del(.process.cwd)' '/process/cwd: required'
container "a relative working directory" '.process.cwd = "x"' '/process/cwd: must be an absolute path'
container "an environment that is none" '.process.env = ["A"]' '/process/env/0: must be NAME=value'
container "an argument that is too long" '.process.args = ["x" * 131072]' '/process/args/0: must be at most 131071 bytes long, is 131072'
container "a resource limit of no type" '.process.rlimits = [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]' '/process/rlimits/0/type: must be RLIMIT_CPU, .* \.\.\., is "RLIMIT_X"'
container "a second resource limit of a type" '.process.rlimits = [{"type": "RLIMIT_CPU", "soft": 1, "hard": 1} | ., .]' '/process/rlimits/1: a second RLIMIT_CPU'
container "a sysctl that is a path" '.linux.sysctl = {"../x": "1"}' '/linux/sysctl/..~1x: is no name of a sysctl'
container "a namespace of no type" '.linux.namespaces = [{"type": "x"}]' '/linux/namespaces/0/type: must be '
container "a relative path to mask" '.linux.maskedPaths = ["proc"]' '/linux/maskedPaths/0: must be an absolute path'
container "a filter with a listener" '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x"}' '/linux/seccomp/listenerPath: '
container "a filter for no machine" '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_Z80"]}' '/linux/seccomp/architectures/0: SCMP_ARCH_Z80 is no arch'
container "too little memory" '.linux.resources.memory.limit = 33554432' '/linux/resources/memory/limit: 33554432 bytes are too few'
container "a vsock device of one's own" '.vm.devices = [{"type": "vsock", "cid": 9}]' '/vm/devices/0: the vsock device of a container'

: >"$work/b/rootfs/text" && chmod 644 "$work/b/rootfs/text" && ln -s /etc/passwd "$work/b/rootfs/bin/out" && mkdir "$work/b/rootfs/bin/directory"
container "no such program" '.process.args = ["nosuch", "x"]' '^vmrun: exec: "nosuch": executable file not found in \$PATH$'
container "no such program in another PATH" '.process.args = ["true"] | .process.env = ["PATH=/sbin:/x"]' '^vmrun: exec: "true": executable file not found'
container "a program without a name" '.process.args = [""] | .process.env = ["PATH=."]' '^vmrun: exec: "": executable file not found in \$PATH$'
container "no such file" '.process.args = ["/nosuch"]' '^vmrun: exec: "/nosuch": stat /nosuch: no such file or directory$'
container "a program that links lead outside to" '.process.args = ["out"]' '^vmrun: exec: "out": executable file not found'
container "one that is not executable" '.process.args = ["/text"]' '^vmrun: exec: "/text": permission denied$'
container "a directory" '.process.args = ["directory"]' '^vmrun: exec: "directory": executable file not found'
container "one below the working directory" '.process.args = ["./true"] | .process.cwd = "/x"' '^vmrun: exec: "./true": stat ./true: no such file or directory'

container "a missing root" '.root.path = "nowhere"' "/root/path: .*/b/nowhere: No such file"
container "a root that is a file" ".root.path = \"$work/empty\"" '/root/path: .*/empty: is not a directory'
# bind NAME SOURCE REGEX: a bind of this source is refused
bind() { container "$1" ".mounts = [{destination: \"/d\", type: \"bind\", source: \"$2\", options: [\"rbind\"]}]" "$3"; }
bind "a source that is missing" "$work/nowhere" '/mounts/0/source: .*/nowhere: No such file'
bind "a source that is missing in the bundle" nowhere '/mounts/0/source: .*/b/nowhere: No such file'
bind "a source that is a fifo" "$work/fifo" '/mounts/0/source: .*/fifo: is a fifo of the host'
bind "a source that is a device" /dev/null '/mounts/0/source: /dev/null: is a device of the host.*list it in /linux/devices'
bind "a source that is vmrun's own state" "$root" 'where vmrun keeps the state of VMs'
# overlay NAME OPTIONS REGEX
overlay() { container "an overlay $1" ".mounts = [{destination: \"/d\", type: \"overlay\", options: [$2]}]" "$3"; }
overlay "without layers" '"ro"' '/mounts/0/options: an overlay needs "lowerdir="'
overlay "of a relative path" '"lowerdir=a"' '/mounts/0/options: an overlay needs "lowerdir="'
overlay "of what is missing" "\"lowerdir=$work/nowhere\"" '/mounts/0/source: .*/nowhere: mount the overlay: No such file'
overlay "of vmrun's own state" "\"lowerdir=/dev:$root\"" 'where vmrun keeps the state of VMs'
container "a mount of no type" '.mounts = [{destination: "/d"}]' '/mounts/0/type: required, unless'
container "a mount with a map of ids" '.mounts = [{destination: "/d", type: "bind", source: "dir", options: ["idmap"]}]' '/mounts/0/options/0: mounts with maps of ids'
container "more binds than there is room for" '.mounts = [range(256) | {destination: "/d", type: "bind", source: "dir"}]' \
	'/mounts/255/source: a container can have 255 directories'

container "an annotation that the host does not allow" '.annotations = {"org.vmrun.kernel": "/x"}' \
	"/annotations/org.vmrun.kernel: not allowed by this host: .*$work/host.json does not have it"
container "an annotation out of range" '.annotations = {"org.vmrun.memory": "1"}' '/annotations/org.vmrun.memory: must be 33554432 to'

jq 'del(.process)' <<<"$base" >"$work/b/config.json"
create </dev/null >/dev/null 2>&1
is "no process: create" $? 0
is "no process: start" "$(vmrun start b 2>&1)" "vmrun: b: /process: required to start a container"
is "and it is as before" "$(vmrun state b | jq -r .status)" created
vmrun delete b
said=$(vmrun --host-config "$work/host.json" run "$work/b" 2>&1 </dev/null)
is "no process: run" "$? $(grep -v warning <<<"$said")" "1 vmrun: /process: required to start a container"
is "no process: run: nothing is left" "$(ls -A "$root")" ""

# host NAME JSON REGEX: create with this file of the host is refused
host() {
	echo "$2" >"$work/host.json"
	container "$1" . "$3"
}
host "the host's file: not JSON" '{' "$work/host.json: line 2, column 1: not JSON"
host "the host's file: an unknown property" '{"kernal": "/x"}' "$work/host.json: /kernal: unknown property"
host "the host's file: a missing kernel" '{"kernel": "/nowhere"}' "$work/host.json: /kernel: /nowhere: No such file"
host "the host's file: a missing initrd" "{\"kernel\": \"$work/vmlinuz\", \"initrd\": \"/nowhere\"}" "$work/host.json: /initrd: /nowhere: No such file"
host "the host's file: a kernel that is none" "{\"kernel\": \"$work/host.json\"}" "$work/host.json: /kernel: .*neither an ELF file nor a bzImage"
rm "$work/host.json"
container "the host's file: missing, though named" . "$work/host.json: No such file"
# As it is before make guest: a vmrun without a guest beside it
mkdir -p "$work"/{bin,libexec} && ln -s "$(realpath "$B/libexec/vmrun")" "$work/libexec/vmrun" && cp "$vmrun_bin" "$work/bin/vmrun" && echo '{}' >"$work/host.json"
create() { "$work/bin/vmrun" --root "$root" --host-config "$work/host.json" create "$work/b"; }
container "no kernel" . "make guest.*$work/(share/vmrun|guest)/vmlinuz: No such file"
is "and no state directory of theirs" "$(ls -A "$root")" ""
