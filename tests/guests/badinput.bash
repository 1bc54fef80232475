# tests/guests/badinput.bash: what the tests of bad input share; sourced after lib.sh

# refused NAME REGEX CMD...: fails with one line on stderr that matches, and leaves nothing
refused() {
	local name=$1 regex=$2 out code
	shift 2
	out=$("$@" 2>&1 >/dev/null </dev/null)
	code=$?
	out=$(grep -v '^vmrun: warning:' <<<"$out")
	if [ $code -ne 0 ] && [ $code -lt 126 ] && [ "$(wc -l <<<"$out")" -eq 1 ] && grep -qE -- "$regex" <<<"$out" &&
		[ -z "$(ls -A "$root" 2>/dev/null)" ]; then
		ok "$name"
	else
		not_ok "$name"
		printf '#   exit %s, left: %s\n#   said:   %s\n#   wanted: /%s/\n' $code "$(ls -A "$root")" "${out//$'\n'/ | }" "$regex"
	fi
}
# edit JQ: a bundle with config.json edited by a jq program
edit() {
	bundle "$work/b" hello
	jq "$1" "$work/b/config.json" >"$work/c" && mv "$work/c" "$work/b/config.json"
}
create() { vmrun create "$work/b"; }
# config NAME JQ REGEX: create of an edited config.json is refused
config() {
	edit "$2"
	refused "$1" "$3" create
}
