#!/bin/bash
# The shape of the tree: top-level entries, a README.md in each folder of sources, an SPDX line in each
# source, and no trace of the machine it was written on.
. "$(dirname "$0")/lib.bash"

tracked() { git ls-files 2>/dev/null || find . -path ./build -prune -o -type f -print | sed 's|^\./||'; }
tracked >"$work/tracked"

cut -d/ -f1 "$work/tracked" | LC_ALL=C sort -u | grep -vxE \
	'Makefile|cmd|runtime|vmm|devices|policies|bundle-examples|tests|README\.md|LICENSE|\.ci|\.clang-format|\.clang-tidy|\.gitignore|\.gitattributes|\.editorconfig|\.github' |
	sed 's/$/: not an entry of the top level/' >"$work/top"
[ -s "$work/tracked" ] || echo "no files" >>"$work/top"
verdict "the top level has only its fixed entries" "$work/top"

# README.md is for the first five minutes. Those of the folders have a page; the two that are the reference of
# config.json have two, and that of disks has the measurements behind their shape.
lines_max() {
	case $1 in
	README.md) echo 170 ;;
	devices/fs/README.md) echo 110 ;; # a reference of properties and of what each operation does
	runtime/config/README.md) echo 170 ;;
	runtime/net/README.md) echo 150 ;;
	devices/block/README.md) echo 90 ;;
	*) echo 70 ;;
	esac
}
{
	echo .
	echo bundle-examples
	files '*.c' | grep -v '^tests/' | xargs -n 1 dirname | sed 's|^cmd/.*|cmd|'
	echo runtime
	echo tests
} | LC_ALL=C sort -u | while read -r folder; do
	readme=$folder/README.md
	[ -s "$readme" ] || echo "$readme is missing"
done >"$work/readme"
grep -E '(^|/)README\.md$' "$work/tracked" | while read -r f; do
	lines=$(wc -l <"$f") max=$(lines_max "$f")
	[ "$lines" -le "$max" ] || echo "$f: $lines lines, more than $max"
done >>"$work/readme"
awk 'length > 100 { print FILENAME ":" FNR ": " length " columns, more than 100" }' README.md >>"$work/readme"
verdict "each folder of sources has a README.md, none too long" "$work/readme"

# Paths from the root that a README names, but for foo, which is an example's name, and patterns.
grep -E '(^|/)README\.md$' "$work/tracked" | xargs grep -noE '`(cmd|runtime|vmm|devices|policies|bundle-examples|tests)/[a-z0-9_./-]*`' |
	grep -v foo | while IFS=: read -r f n path; do
	path=${path//\`/}
	[ -e "$path" ] || echo "$f:$n: there is no $path"
done >"$work/named"
verdict "READMEs name files that exist" "$work/named"

grep -E '\.([chS]|policy)$' "$work/tracked" | while read -r f; do
	[ -e "$f" ] && ! head -n 1 "$f" | grep -q 'SPDX-License-Identifier: BSD-3-Clause' &&
		echo "$f: first line names no licence"
done >"$work/spdx"
verdict "each source says its licence in its first line" "$work/spdx"

# Paths of this machine, home directories, and hosts other than public places to read.
text() { grep -vE '^tests/fuzz/corpus/' "$work/tracked" | tr '\n' '\0' | xargs -0 -r grep -nI "$@" /dev/null 2>/dev/null; }
# whole PATH: lines that have it, neither as the end of a longer path nor as the beginning of another name
whole() { text -P -e "(?<![\\w.\$}/-])\\Q$1\\E(?![\\w-])" | sed 's/^/path of this machine: /'; }
here=$(pwd) parent=$(dirname "$(pwd)")
{
	case $here in
	/*/*) whole "$here" ;; # a folder of the root is named as it may be: /src, /vmrun
	esac
	case $parent in
	/ | /root | /home | /tmp | /opt | /srv | /usr | /usr/src | /var | /mnt | /media) ;;
	*) whole "$parent" ;;
	esac
	text -E -e '/home/[a-z]+/' | sed 's/^/home of a person: /'
	text -E -e 'https?://' | grep -oE '^[^:]+:[0-9]+|https?://[^/ )>"'"'"']+' | awk '
		/^http/ { sub(/https?:\/\//, ""); print where ": " $0; next } { where = $0 }' |
		grep -vE ': (www\.)?(github\.com|opencontainers\.org|kernel\.org|docs\.kernel\.org|qemu\.org|qemu\.readthedocs\.io|docs\.oasis-open\.org|uefi\.org|spdx\.org|opensource\.org|example\.(com|org)|man7\.org|testanything\.org|llvm\.org|localhost|\$|([0-9]+\.){3}[0-9]+(:|$))' |
		sed 's/^/host: /'
} >"$work/places"
verdict "no file names a machine, a home or a package host" "$work/places"
