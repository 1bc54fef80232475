#!/bin/bash
# What may include what: cmd -> runtime -> core, cmd -> vmm -> core, cmd -> device -> core; room by room in runtime/ and vmm/.
. "$(dirname "$0")/lib.bash"

# rules: folder prefix (longest first), then what its own includes and its system includes may be
rules() {
	cat <<'END'
devices/core/         ^devices/core/
devices/block/        ^devices/(core|block)/
devices/net/          ^devices/(core|net)/
devices/vsock/        ^devices/(core|vsock)/
devices/fs/           ^devices/(core|fs)/
devices/console/      ^devices/(core|console)/
devices/              ^devices/core/
vmm/x86/              ^(vmm|devices/core)/
vmm/virtio/           ^(vmm/virtio|devices/core)/|^vmm/(arch|bus|device_hook|kvm)\.h$
vmm/                  ^(vmm/virtio|devices/core)/|^vmm/[^/]*\.h$
runtime/util/         ^(runtime/util|devices/core)/
runtime/config/       ^(runtime/(config|util)|devices/core)/
runtime/plan/         ^(runtime/(plan|config|util)|devices/core)/
runtime/host/         ^(runtime/(host|plan|util)|devices/core)/
runtime/netlink/      ^(runtime/(netlink|util)|devices/core)/
runtime/net/          ^(runtime/(net|netlink|plan|config|util)|devices/core)/
runtime/jail/         ^(runtime/(jail|host|net|netlink|plan|util)|devices/core)/
runtime/state/        ^(runtime/(state|net|plan|config|util)|devices/core)/
runtime/supervisor/   ^(runtime/(supervisor|state|jail|host|net|plan|util)|devices/core)/|^policies/policy\.h$
policies/             ^(policies|devices/core)/
cmd/vmrun/            ^(cmd/vmrun|runtime|policies|devices/core)/
cmd/vmrun-init/       ^(cmd/vmrun-init|devices/core)/
cmd/vmrun-dev.c       ^(cmd/[^/]*\.h$|devices/)
cmd/vmrun-vmm.c       ^(cmd/[^/]*\.h$|vmm/[^/]*\.h$|devices/core/)
END
}

# libraries that never enter a jailed process, by the headers that bring them
foreign='^(json-c/|libmnl/|seccomp\.h|sys/capability\.h|ncurses)'
jailed='^(devices/|vmm/|cmd/[^/]*\.[ch]$)'

files '*.c' '*.h' | grep -v '^tests/' >"$work/files"
while read -r f; do
	allowed=$(rules | awk -v f="$f" 'index(f, $1) == 1 { print $2; exit }')
	[ "$allowed" ] || { echo "$f: no row says what it may include" >>"$work/arrows"; continue; }
	# shellcheck disable=SC2013
	for inc in $(sed -nE 's/^[ \t]*#[ \t]*include[ \t]*"([^"]+)".*/\1/p' "$f"); do
		[[ $inc =~ $allowed ]] || echo "$f includes $inc"
		[ -e "$inc" ] || echo "$f includes \"$inc\", which is no path from the root"
	done >>"$work/arrows"
	[[ $f =~ $jailed ]] || continue
	for inc in $(sed -nE 's/^[ \t]*#[ \t]*include[ \t]*<([^>]+)>.*/\1/p' "$f"); do
		[[ $inc =~ $foreign ]] && echo "$f, part of a jailed program, includes <$inc>"
	done >>"$work/foreign"
done <"$work/files"
touch "$work/arrows" "$work/foreign"
[ -s "$work/files" ] || echo "no sources found" >>"$work/arrows"

verdict "includes follow the arrows of the design" "$work/arrows"
verdict "jailed programs include no host library" "$work/foreign"

# The same for what is linked: a jailed program is static and needs nothing.
for p in "$B"/libexec/vmrun/*; do
	[ -x "$p" ] || continue
	readelf -d "$p" 2>/dev/null | grep NEEDED | sed "s|^|${p##*/}: |"
	readelf -l "$p" 2>/dev/null | grep INTERP | sed "s|^|${p##*/}: |"
done >"$work/linked"
verdict "jailed programs need no shared library and no loader" "$work/linked"
