#!/bin/bash
# Files of at most 600 lines, functions of at most 100.
. "$(dirname "$0")/lib.bash"
FILE_MAX=600 FUNCTION_MAX=100

{ files '*.c' '*.h' '*.sh' '*.S'; ls Makefile; } | xargs wc -l | awk '$2 != "total"' | sort -rn >"$work/files"
awk -v max=$FILE_MAX '$1 > max { print $2 ": " $1 " lines, more than " max }' "$work/files" >"$work/long_files"
head -n 3 "$work/files" | awk '{ print "# largest files: " $2 " " $1 }'

# A function's body lies between "{" and "}" in the first column.
files '*.c' | xargs awk '
	/^[a-zA-Z_].*\(/ { head = $0 }
	/^\{/ { start = FNR; name = head; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
	/^\}/ && start { print FNR - start - 1, FILENAME ":" name; start = 0 }
' | sort -rn >"$work/functions"
awk -v max=$FUNCTION_MAX '$1 > max { print $2 ": " $1 " lines, more than " max }' "$work/functions" >"$work/long_functions"
[ -s "$work/functions" ] || echo "no functions found" >>"$work/long_functions"
head -n 5 "$work/functions" | awk '{ print "# largest functions: " $2 " " $1 }'

verdict "no file is longer than $FILE_MAX lines" "$work/long_files"
verdict "no function is longer than $FUNCTION_MAX lines" "$work/long_functions"
