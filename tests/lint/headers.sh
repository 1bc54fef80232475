#!/bin/bash
# Every header compiles alone, has the guard of its path, and is included somewhere.
. "$(dirname "$0")/lib.bash"

files '*.h' >"$work/headers"
[ -s "$work/headers" ] || echo "no headers found" >>"$work/alone"
while read -r h; do
	flags=(-I. -D_GNU_SOURCE)
	[[ $h == tests/guests/* ]] && flags=(-Itests/guests -ffreestanding)
	echo "#include \"$PWD/$h\"" |
		gcc -std=gnu11 -fsyntax-only -Wall -Wextra -Wmissing-prototypes "${flags[@]}" -x c - >"$work/log" 2>&1
	[ -s "$work/log" ] && { echo "$h:"; head -n 5 "$work/log"; } >>"$work/alone"
	guard=VMRUN_$(echo "$h" | tr 'a-z/.-' 'A-Z___')
	grep -q "^#ifndef $guard\$" "$h" || echo "$h: its guard is not $guard" >>"$work/guards"
done <"$work/headers"
touch "$work/alone" "$work/guards"
verdict "headers compile alone" "$work/alone"
verdict "header guards are named after their paths" "$work/guards"
