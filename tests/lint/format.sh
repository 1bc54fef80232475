#!/bin/bash
# Layout of the C files as .clang-format has it; headers are laid out by hand. Releases of clang-format differ in details, so only the
# one the tree was formatted with judges.
. "$(dirname "$0")/lib.bash"
NAME="C files are laid out by clang-format"

tool=
for t in clang-format-14 clang-format; do
	command -v $t >/dev/null && $t --version | grep -q 'version 14\.' && tool=$t && break
done
if [ -z "$tool" ]; then
	echo "ok - $NAME # SKIP clang-format 14 is not installed"
	exit 0
fi
files '*.c' | while read -r f; do
	$tool --dry-run -Werror "$f" >/dev/null 2>&1 || echo "$f"
done >"$work/differ"
[ -s "$work/differ" ] && echo "# $(wc -l <"$work/differ") of $(files '*.c' | wc -l) files differ: $tool -i FILE"
verdict "$NAME" "$work/differ"
