#!/bin/bash
# No unit uses itself through others, and no room of runtime/ does (tests/lint/floors).
. "$(dirname "$0")/lib.bash"

# circles NAME ARGUMENT...: of what floors shows
circles() {
	local name=$1
	shift
	tests/lint/floors "$@" >"$work/floors" 2>&1
	grep -vE '^floor|^         |^[0-9]+ units, [0-9]+ floors, 0 arrows that run up, 0 circles$' "$work/floors" >"$work/circles"
	grep -qE '^[1-9][0-9]* units' "$work/floors" || echo "no units found" >>"$work/circles"
	verdict "$name" "$work/circles"
}

circles "units stand above what they use"
circles "rooms of runtime/ stand above what they use" --rooms runtime
