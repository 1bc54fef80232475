#!/bin/bash
# vmrun as orchestrators call it: what they rely on beyond one command after the other.
. "$(dirname "$0")/../lib.sh"
mkdir -p "$root"
bundle "$work/vm" idle '[{"type": "serial"}]'

create() { vmrun create --bundle "$work/vm" "$@" vm </dev/null >/dev/null 2>"$work/err"; }

# ---- output that cannot be written is a failure, not an empty document

create
for cmd in "state vm" "list" "list --format json" "features" "create --dry-run $work/vm"; do
	# shellcheck disable=SC2086
	out=$(vmrun $cmd 2>&1 >/dev/full | grep -v warning)
	is "${cmd%% /*}: a full standard output is told" "$out" "vmrun: standard output: No space left on device"
done
vmrun delete --force vm
