#!/bin/bash
# The shape of the tree: top-level entries, a README.md of a page in each folder, an SPDX line in each
# source, and nothing that tells where it was written.
. "$(dirname "$0")/lib.bash"

tracked() { git ls-files 2>/dev/null || find . -path ./build -prune -o -type f -print | sed 's|^\./||'; }
tracked >"$work/tracked"

cut -d/ -f1 "$work/tracked" | LC_ALL=C sort -u | grep -vxE \
	'Makefile|cmd|runtime|vmm|devices|policies|bundle-examples|tests|README\.md|LICENSE|\.ci|\.clang-format|\.clang-tidy|\.gitignore|\.gitattributes|\.editorconfig|\.github' |
	sed 's/$/: not an entry of the top level/' >"$work/top"
[ -s "$work/tracked" ] || echo "no files" >>"$work/top"
verdict "the top level has only its fixed entries" "$work/top"

for folder in cmd runtime vmm devices policies bundle-examples tests; do
	readme=$folder/README.md
	if [ ! -s $readme ]; then
		echo "$readme is missing"
	elif [ "$(wc -l <$readme)" -gt 70 ]; then
		echo "$readme: $(wc -l <$readme) lines, more than 70"
	fi
done >"$work/readme"
verdict "each folder has a README.md of at most a page" "$work/readme"

grep -E '\.([chS]|policy)$' "$work/tracked" | while read -r f; do
	[ -e "$f" ] && ! head -n 1 "$f" | grep -q 'SPDX-License-Identifier: BSD-3-Clause' &&
		echo "$f: first line names no licence"
done >"$work/spdx"
verdict "each source says its licence in its first line" "$work/spdx"

# Paths of the machine this stands on, homes of people, and hosts other than public places to read.
text() { grep -vE '^tests/fuzz/corpus/' "$work/tracked" | tr '\n' '\0' | xargs -0 -r grep -nI "$@" /dev/null 2>/dev/null; }
here=$(pwd) parent=$(dirname "$(pwd)")
{
	[ "$here" = / ] || text -F -e "$here" | sed 's/^/path of this machine: /'
	case $parent in
	/ | /root | /home | /tmp | /opt | /srv | /usr | /usr/src | /var | /mnt | /media) ;;
	*) text -F -e "$parent/" | sed 's/^/path of this machine: /' ;;
	esac
	text -E -e '/home/[a-z]+/' | sed 's/^/home of a person: /'
	text -E -e 'https?://' | grep -oE '^[^:]+:[0-9]+|https?://[^/ )>"'"'"']+' | awk '
		/^http/ { sub(/https?:\/\//, ""); print where ": " $0; next } { where = $0 }' |
		grep -vE ': (www\.)?(github\.com|opencontainers\.org|kernel\.org|docs\.kernel\.org|qemu\.org|qemu\.readthedocs\.io|docs\.oasis-open\.org|uefi\.org|spdx\.org|opensource\.org|example\.(com|org)|man7\.org|testanything\.org|llvm\.org|localhost|\$|([0-9]+\.){3}[0-9]+(:|$))' |
		sed 's/^/host: /'
} >"$work/places"
verdict "no file names a machine, a home or a package host" "$work/places"
