#!/bin/bash
# Every program that is jailed in enemy hands (tests/hostile/README.md): VMM and devices make hundreds of calls that no device
# needs, in one VM, behind the policies that ship. Each call has an expected outcome. The VM gains nothing and loses nothing: its
# guest then runs to its own end. Some die of one such call, with the handler that ships, and state has the call by name.
. "$(dirname "$0")/../lib.sh"
enemy=$B/tests/hostile/enemy
mkdir -p "$work/bin" "$work/libexec" "$work/share"
cp "$B/bin/vmrun" "$work/bin/" && ln -s "$enemy/libexec/vmrun" "$work/libexec/vmrun"
everything='[{"type": "serial"}, {"type": "block", "path": "disk.img"}, {"type": "rng"}, {"type": "balloon"}, {"type": "net"},
	{"type": "console"}, {"type": "vsock", "cid": 42}, {"type": "fs", "tag": "data", "source": "'$work'/share"}]'
bundle "$work/enemies" virtio "$everything"
names="vmm serial0 block0 rng0 balloon0 net0 console0 vsock0 fs0"

bundle "$work/neighbour" idle
vmrun create "$work/neighbour" </dev/null >/dev/null 2>&1 && vmrun start neighbour
# A log waits for no disk: on a busy one it may lose a line.
for _ in 1 2 3 4; do
	rm -f "$work/log"
	timeout 60 "$work/bin/vmrun" --root "$root" --log "$work/log" --log-level warning run "$work/enemies" </dev/null >"$work/out" 2>&1
	code=$?
	grep -q 'lines were lost' "$work/log" || break
done
is "nine processes in enemy hands: their guest ends by the reset it asked for" $code 32
like "and its devices work" "$(grep -ac '^not ok' "$work/out") $(grep -ac '^ok' "$work/out")" '^0 [1-9][0-9]*$'
is "its neighbour runs" "$(vm_status neighbour)" running
vmrun delete --force neighbour
is "nothing is left" "$(ls -A "$root")$(ls -A "$work/share")" ""

said=$(sed -n 's/.*msg="\(.*\)"$/\1/p' "$work/log")
themes=$(grep -ho 'THEME("[^"]*"' "$top"/tests/hostile/attempts/*.c | cut -d'"' -f2 | sort)
is "no call came through that should not" "$(grep 'not refused' <<<"$said")" ""
printf '# %-10s %8s %8s %8s %8s\n' process made refused failed "carried out"
for name in $names; do
	mine=$(sed -n "s/^$name: attempts: \(.*\): made/\1: made/p" <<<"$said")
	wanted=$themes
	# They have no guest RAM to map: the VMM's own is among the files that it holds.
	case $name in vmm | serial0) wanted=$(grep -v '^guest RAM$' <<<"$themes") ;; esac
	is "$name: tried every theme" "$(sed 's/: made.*//' <<<"$mine" | sort)" "$wanted"
	read -r made refused failed done wrong < <(awk '{ for (i = 1; i < NF; i++) if ($i ~ /^(made|refused|failed|done|wrong)$/) n[$i] += $(i + 1) }
		END { print n["made"], n["refused"], n["failed"], n["done"], n["wrong"] }' <<<"$mine")
	is "$name: $made calls, none with another outcome than expected" "$wrong" 0
	printf '# %-10s %8d %8d %8d %8d\n' "$name" "$made" "$refused" "$failed" "$done"
	[ "$made" -gt 1000 ] || not_ok "$name: only $made calls"

	# Every number once, with arguments that are all ones: what came through is what the golden file has, no more.
	policy=$(sed 's/[0-9]*$/_device/' <<<"$name")
	always=$(awk -v p="$policy" '$1 == p { on = NR } on && NR == on + 1 { $1 = ""; print }' tests/golden/policies.txt | tr ' ' '\n' |
		grep -vE '^(exit_group|rt_sigreturn|)$' | sort)
	some=$(awk -v p="$policy" '$1 == p { on = NR } on && NR == on + 2 { $1 = $2 = ""; print }' tests/golden/policies.txt | tr ' ' '\n' | sort)
	through=$(sed -n "s/^$name: sweep: made [0-9]*; through://p" <<<"$said" | tr ' ' '\n' | while read -r nr; do
		[ -z "$nr" ] || awk -v nr="$nr" '$1 == "#define" && $3 == nr && sub(/^__NR_/, "", $2) { print $2 }' \
			/usr/include/x86_64-linux-gnu/asm/unistd_64.h
	done | sort)
	is "$name: each call that its policy always allows came through" "$(comm -23 <(echo "$always") <(echo "$through"))" ""
	is "$name: and none that its policy does not have" "$(comm -23 <(echo "$through") <(sort <<<"$always"$'\n'"$some"))" ""
done

# die PROCESS WHAT REGEX: that process alone, by the handler that ships
die() {
	HOSTILE="$1:$2" timeout 60 "$enemy/bin/vmrun" --root "$root" run "$work/enemies" </dev/null >"$work/out" 2>&1
	like "$1, $2" "$(cat "$work/out")" "$3"
	is "$1, $2: nothing is left" "$(ls -A "$root")" ""
}
for name in $names; do
	policy=$(sed 's/[0-9]*$/_device/' <<<"$name")
	call=ptrace
	[ "$name" = serial0 ] && call=execve
	[ "$name" = vmm ] && call=fork
	die "$name" "die $call" "$name: killed by its seccomp policy \(SIGSYS\).*: pid [0-9]+, $call\(0x.*\); $policy.policy has no line for it"
	die "$name" "abi x32" "$name: killed by .*SIGSYS"
done
die rng0 "abi i386" "rng0: killed by .*SIG(SYS|SEGV)"
