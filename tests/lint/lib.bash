# Shared by the structural checks; sourced from the root of the tree.
# Each check prints TAP lines; complaints stand above its "not ok" line.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
B=${B:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# files PATTERN...: files that match, under the source folders
files() {
	local folder args=()
	for p in "$@"; do args+=(-o -name "$p"); done
	for folder in cmd runtime vmm devices policies tests; do
		[ -d $folder ] && find $folder -type f \( "${args[@]:1}" \)
	done | LC_ALL=C sort
}

# verdict NAME FILE: "ok" when the list of complaints is empty
verdict() {
	if [ -s "$2" ]; then
		sed 's/^/# /' "$2"
		echo "not ok - $1"
		return 1
	fi
	echo "ok - $1"
}
