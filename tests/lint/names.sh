#!/bin/bash
# A static function's name stands in one file: grep finds the one that is meant.
. "$(dirname "$0")/lib.bash"

files '*.c' '*.h' | grep -v '^tests/' | tr '\n' '\0' | xargs -0 sed -nE 's/^static ([^=;()]*[ *])?([a-z_0-9]+)\(.*/\2/;T;F;p' |
	paste -d' ' - - | sort -u | awk '
	{ n[$2]++; where[$2] = where[$2] " " $1 }
	END { for (name in n) if (n[name] > 1) print name ":" where[name] }' | sort >"$work/names"
verdict "no static function has the name of another file's" "$work/names"
