#!/bin/bash
# The guest as the attacker, in a machine with each kind of device: rings that break each rule, and that change while they
# are read; registers; storms. HOSTILE_LONG=1 takes them longer, a hundred times in parts. In a network namespace of its own.
[ "${1:-}" = --inside ] || exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" --inside
. "$(dirname "$0")/../lib.sh"
. tests/guests/hostile.bash

seconds=120
[ -z "${HOSTILE_LONG:-}" ] || seconds=3000
while read -r guest vcpus memory; do
	hostile_bundle "$guest" "$vcpus" $((memory << 20)) ${HOSTILE_LONG:+long}
	hostile_run "$guest" $seconds
done <<-END
	hostile_rings 1 $((3 * 1024 + 64))
	hostile_race 2 32
	hostile_pci 1 32
	hostile_storm 1 32
END
