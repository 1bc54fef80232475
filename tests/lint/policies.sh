#!/bin/bash
# Policies and code name each other: each policy line the function that makes the call, each function's
# "Syscalls:" tag only calls that the policy of its process allows.
. "$(dirname "$0")/lib.bash"
arch=x86_64
dir=policies/$arch

# closure FILE: it and what it includes
closure() {
	echo "$1"
	sed -nE 's/^@include[ \t]+\.\/([^ \t#]+).*/\1/p' "$1" | while read -r inc; do closure "$dir/$inc"; done
}
# calls FILE...: the system calls their lines name
calls() { sed -nE 's/^([a-z_0-9]+)[ \t]*:.*/\1/p' "$@" | LC_ALL=C sort -u; }

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
	[ -z "$tag" ] || [[ $tag == *" $call "* ]] ||
		echo "$at: the Syscalls: tag of $function() does not have $call"
}
for policy in "$dir"/*.policy; do
	awk -v f="$policy" '/^[a-z_0-9]+[ \t]*:/ {
		call = $1; sub(/:.*/, "", call)
		who = $0; sub(/.*# */, "", who); sub(/ .*/, "", who)
		print f, FNR, call, ($0 ~ /#/ ? who : "-")
	}' "$policy"
done | while read -r f n call who; do check_line "$f" "$n" "$call" "$who"; done >"$work/lines"
ls "$dir"/*.policy >/dev/null 2>&1 || echo "no policies found" >>"$work/lines"
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
