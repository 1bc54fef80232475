#!/bin/bash
# Policies and code name each other: each policy line the function that makes the call, each function's
# "Syscalls:" tag only calls that the policy of its process allows. No policy allows what makes files, sockets or
# processes of nothing.
. "$(dirname "$0")/lib.bash"
arch=x86_64
dir=policies/$arch

# closure FILE: it and what it includes
closure() {
	echo "$1"
	sed -nE 's/^@include[ \t]+\.\/([^ \t#]+).*/\1/p' "$1" | while read -r inc; do closure "$dir/$inc"; done
}
# statements FILE...: "FILE LINE-NUMBER SYSCALL WHO" of each call that a line is about
statements() {
	awk '/^(\{[^}]*\}|[a-z_0-9]+)(\[[^]]*\])?[ \t]*:/ {
		calls = $0; sub(/:.*/, "", calls); gsub(/\[[^]]*\]/, "", calls); gsub(/[{},]/, " ", calls)
		who = $0; sub(/.*# */, "", who); sub(/ .*/, "", who)
		n = split(calls, call, " ")
		for (i = 1; i <= n; i++) print FILENAME, FNR, call[i], ($0 ~ /#/ ? who : "-")
	}' "$@"
}
# calls FILE...: the system calls their lines name
calls() { statements "$@" | cut -d' ' -f3 | LC_ALL=C sort -u; }

# A function's tag is in its header, a static one's above it.
{ files '*.c'; files '*.h' | grep '^devices/'; } | grep -E '^(devices|vmm|cmd)/' | xargs awk -f tests/lint/doc_tags.awk | sed 's/\.h /.c /' >"$work/tags"
echo '#include <sys/syscall.h>' | gcc -E -dM - | sed -nE 's/^#define SYS_([a-z0-9_]+) .*/\1/p' | LC_ALL=C sort -u >"$work/syscalls"

# check_line FILE LINE-NUMBER SYSCALL WHO: WHO is file:function
check_line() {
	local at=$1:$2 call=$3 file=${4%%:*} function=${4##*:} tag
	[[ $4 == *.c:* ]] || { echo "$at: $call: no \"# FILE.c:FUNCTION\" says who needs it"; return; }
	[ -e "$file" ] || { echo "$at: $call: there is no $file"; return; }
	grep -qE "^[a-zA-Z_].*[ *]$function\(" "$file" || { echo "$at: $call: $file has no $function()"; return; }
	tag=$(awk -v f="$file" -v n="$function" '$1 == f && $2 == n { $1 = $2 = $3 = ""; print $0 " " }' "$work/tags")
	[ "$call" = "*" ] || [ -z "$tag" ] || [[ $tag == *" $call "* ]] ||
		echo "$at: the Syscalls: tag of $function() does not have $call"
}
# A file that is the same for another architecture is a link there.
find policies/*/ -name '*.policy' -type f | LC_ALL=C sort >"$work/policies"
# shellcheck disable=SC2046
statements $(cat "$work/policies") | while read -r f n call who; do
	# The tag has the call's name on x86-64.
	check_line "$f" "$n" "$([[ $f == "$dir"/* ]] && echo "$call" || echo '*')" "$who"
done >"$work/lines"
[ -s "$work/policies" ] || echo "no policies found" >>"$work/lines"
verdict "each policy line names the function that needs it" "$work/lines"

sed -nE 's/^const struct device_ops ([a-z0-9_]+)_device = .*/\1/p' devices/*.c devices/*/*.c >"$work/devices"

# policies_of FILE: those of the device whose name its own begins with; of a file that a folder's devices share, theirs
policies_of() {
	local stem name own=
	stem=$(basename "$1" .c)
	while read -r name; do
		[[ $stem == "$name" || $stem == "${name}_"* ]] && own=$name
	done <"$work/devices"
	if [ -n "$own" ]; then
		closure "$dir/${own}_device.policy"
		return
	fi
	sed -nE 's/^const struct device_ops ([a-z0-9_]+)_device = .*/\1/p' "$(dirname "$1")"/*.c |
		while read -r name; do closure "$dir/${name}_device.policy"; done
}

# Which policy a file's functions run under: its own device's, the VMM's, or for the core any.
while read -r file function context words; do
	[ "$context" = setup ] && continue
	case $file in
	devices/core/* | cmd/*) under=("$dir"/*.policy) ;;
	devices/*) mapfile -t under < <(policies_of "$file") ;;
	vmm/*) mapfile -t under < <(closure "$dir/vmm_device.policy") ;;
	esac
	calls "${under[@]}" >"$work/allowed"
	for word in $words; do
		grep -qx "$word" "$work/syscalls" && ! grep -qx "$word" "$work/allowed" &&
			echo "$file: $function() says $word, which no policy of its process allows"
	done
done <"$work/tags" >"$work/untold"
[ -s "$work/tags" ] || echo "no Syscalls: tags found" >>"$work/untold"
verdict "each Syscalls: tag is allowed by a policy" "$work/untold"

while read -r name; do
	[ -e "$dir/${name}_device.policy" ] || echo "device $name: there is no $dir/${name}_device.policy"
done <"$work/devices" >"$work/missing"
verdict "each device has a policy" "$work/missing"

# What would undo the jail. The fs device opens below the directories that it was given, what holds a pod keeps its state
# on file, and what parses policies reads those that it is given.
forbidden='open|openat|openat2|open_by_handle_at|open_tree|creat|execve|execveat|clone|clone3|fork|vfork|socket|connect|bind'
forbidden+='|ptrace|process_vm_readv|process_vm_writev|mount|move_mount|fsopen|bpf|keyctl|perf_event_open|userfaultfd|io_uring_setup'
may() {
	cat <<'END'
fs.policy openat
fs.policy openat2
pod_device.policy openat
parser_device.policy openat
END
}
# shellcheck disable=SC2046
statements $(cat "$work/policies") | while read -r f n call _; do
	[[ $call =~ ^($forbidden)$ ]] && ! may | grep -qx "${f##*/} $call" && echo "$f:$n: $call"
done >"$work/undo"
verdict "no policy allows what would undo the jail" "$work/undo"

# Each architecture has every program, but for those that need KVM where there is none.
for other in policies/*/; do
	other=${other%/}
	for f in "$dir"/*.policy; do
		f=${f##*/}
		[ -e "$other/$f" ] && continue
		[ "$other" = policies/arm ] && [[ $f =~ ^(vmm|pod|parser)_device ]] && continue
		echo "there is no $other/$f"
	done
done >"$work/folders"
verdict "each architecture has each policy" "$work/folders"
