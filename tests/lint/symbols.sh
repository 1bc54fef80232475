#!/bin/bash
# What the code that meets the guest calls: the undefined symbols of each device's objects, and of the
# core as a whole, against tests/lint/symbols/NAME.txt. An unused entry has to go as well.
. "$(dirname "$0")/lib.bash"

# What compilers put in by themselves, differently from release to release.
made='_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|__(asan|ubsan|sanitizer)_.*|_?_?(mem(cpy|set|move|cmp)|str(len|ncmp))(_chk)?'

# check NAME OBJECT...: symbols used and not defined among the objects
check() {
	local name=$1 list=tests/lint/symbols/$1.txt
	shift
	nm --defined-only "$@" 2>/dev/null | awk 'NF == 3 { print $3 }' | LC_ALL=C sort -u >"$work/defined"
	nm -u "$@" 2>/dev/null | awk 'NF == 2 { print $2 }' | grep -vxE "$made" | LC_ALL=C sort -u |
		LC_ALL=C comm -23 - "$work/defined" >"$work/calls"
	sed 's/[ \t]*#.*//; /^$/d' "$list" 2>/dev/null | LC_ALL=C sort -u >"$work/allowed"
	{
		[ -s "$work/allowed" ] || echo "$list is missing or empty"
		[ -s "$work/calls" ] || echo "no object has a symbol: not built?"
		LC_ALL=C comm -23 "$work/calls" "$work/allowed" | sed 's/^/not in the list: /'
		LC_ALL=C comm -13 "$work/calls" "$work/allowed" | sed 's/^/in the list, not used: /'
	} >"$work/bad"
	verdict "symbols used by $name" "$work/bad"
}

# The objects of the sources, not all objects: those of removed sources stay in build/.
core=(devices/core/*.c)
core=("${core[@]/#/$B/obj/}")
check core "${core[@]/%.c/.o}"
# A device is what its table needs of devices/: the linker finds it.
sed -nE 's/^const struct device_ops ([a-z0-9_]+)_device = .*/\1/p' devices/*.c devices/*/*.c >"$work/names"
[ -s "$work/names" ] || echo "not ok - there are devices"
while read -r name; do
	ld -r -u "${name}_device" -o "$work/$name.o" "$B/lib/devices.a"
	check "$name" "$work/$name.o"
done <"$work/names"
