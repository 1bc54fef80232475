#!/bin/bash
# Sources: files of at most 400 lines, functions of at most 40. Tests: 600 and 100.
. "$(dirname "$0")/lib.bash"

# over SOURCES TESTS: of lines "N NAME", those with an N that is too large
over() { awk -v s="$1" -v t="$2" '{ max = $2 ~ /^tests\// ? t : s } $1 > max { print $2 ": " $1 " lines, more than " max }'; }

{ files '*.c' '*.h' '*.sh' '*.S'; ls Makefile; } | xargs wc -l | awk '$2 != "total" { print $1, $2 }' | sort -rn >"$work/files"
over 400 600 <"$work/files" >"$work/long_files"
grep -v ' tests/' "$work/files" | head -n 3 | awk '{ print "# largest files: " $2 " " $1 }'

# A function's body lies between "{" and "}" in the first column.
files '*.c' | xargs awk '
	/^[a-zA-Z_].*\(/ { head = $0 }
	/^\{/ { start = FNR; name = head; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
	/^\}/ && start { print FNR - start - 1, FILENAME ":" name; start = 0 }
' | sort -rn >"$work/functions"
over 40 100 <"$work/functions" >"$work/long_functions"
[ -s "$work/functions" ] || echo "no functions found" >>"$work/long_functions"
grep -v ' tests/' "$work/functions" | head -n 5 | awk '{ print "# largest functions: " $2 " " $1 }'

verdict "no file is too long" "$work/long_files"
verdict "no function is too long" "$work/long_functions"
