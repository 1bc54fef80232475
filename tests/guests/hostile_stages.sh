#!/bin/bash
# The jail with stages left out (tests/hostile/jail/stages.c), and a device in enemy hands in it: which stage stops what. With the
# filter nothing gets through, whatever else is missing. Without it the other stages are what is left: the table in
# tests/hostile/README.md is what is found here; UPDATE_GOLDEN=1 writes it.
. "$(dirname "$0")/../lib.sh"
enemy=$B/tests/hostile/enemy/bin/vmrun
readme=$top/tests/hostile/README.md
bundle "$work/stages" idle

# What can be reached if nothing is in the way: an abstract socket, and a segment of shared memory
perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; bind($s, pack_sockaddr_un("\0vmrun-hostile")) or die "$!"; listen($s, 99);
	my $id = shmget(0x766d7275, 4096, 01666) // die "$!"; $| = 1; print "up\n"; sleep' >"$work/up" &
listener=$!
trap 'kill $listener 2>/dev/null; ipcrm -M 0x766d7275 2>/dev/null; cleanup' EXIT
eventually 10 test -s "$work/up"
nr_themes=$(($(grep -ho 'THEME("' tests/hostile/attempts/*.c | wc -l) - 1)) # without that of guest RAM, which comes later

# try STAGES: the process makes its attempts; "THEME:TRIED:NUMBERS" of each into $work/made
try() {
	rm -f "$work/log"
	# With a filter it goes on to the sweep; the log may come later than create's end.
	WITHOUT=$1 HOSTILE=rng0:all timeout 60 "$enemy" --root "$root" --log "$work/log" --log-level warning create "$work/stages" \
		</dev/null >"$work/out" 2>&1 && eventually 10 grep -q 'rng0: sweep' "$work/log"
	vmrun delete --force stages >/dev/null 2>&1
	sed -n 's/.*msg="rng0: attempts: \(.*\): made .* of \([0-9]*\); through:\(.*\)"$/\1:\2:\3/p' "$work/log" >"$work/made"
}
# without STAGES: the attempts that got through, "THEME: NUMBER" a line
without() {
	# A log waits for no disk: on a busy one it may lose a line.
	for _ in 1 2 3 4; do
		try "$1"
		[ "$(grep -vc '^guest RAM' "$work/made")" != $nr_themes ] || break
	done
	while IFS=: read -r theme _ numbers; do
		for n in $numbers; do echo "$theme: $n"; done
	done <"$work/made" | sort
}
# more THEME FILE: of the theme, how many are in FILE and not in the base
more() { comm -13 "$work/base" "$2" | grep -c "^$1: "; }

for stage in "" user pid net ipc uts root landlock capabilities limits dumpable; do
	is "with the filter, without ${stage:-anything missing}: what gets through" "$(without "$stage" | grep -v '^guest RAM')" ""
	is "with the filter, without ${stage:-anything missing}: all was tried" "$(grep -vc '^guest RAM' "$work/made")" $nr_themes
done

without seccomp >"$work/base"
is "without a filter: all was tried" "$(wc -l <"$work/made")" $nr_themes
cp "$work/made" "$work/themes"
columns="root landlock root,landlock user capabilities user,capabilities pid pid,dumpable net net,landlock ipc uts limits"
for stages in $columns; do
	without "seccomp,$stages" >"$work/of.$stages"
	[ "$(wc -l <"$work/made")" = $nr_themes ] || not_ok "without a filter and $stages: all was tried: $(cat "$work/out")"
done
table() {
	echo "| attempts at | tried | no filter | ${columns// / | }" | sed 's/,/, /g; s/$/ |/'
	echo "|---|---|---$(printf '|---%.0s' $columns)|"
	while IFS=: read -r theme nr _; do
		printf '| %s | %d | %d' "$theme" "$nr" "$(grep -c "^$theme: " "$work/base")"
		for stages in $columns; do printf ' | %s' "$(more "$theme" "$work/of.$stages" | sed 's/^0$//')"; done
		echo ' |'
	done <"$work/themes"
}
table | sed 's/  */ /g' >"$work/table"
if [ -n "${UPDATE_GOLDEN:-}" ]; then
	awk -v t="$work/table" '/^\| attempts at/ { while ((getline l < t) > 0) print l; skip = 1 } !/^\|/ { skip = 0 } !skip' "$readme" >"$work/new" &&
		cat "$work/new" >"$readme"
fi
if [ "$(perl -e 'print syscall(444, 0, 0, 1)')" -ge 6 ]; then
	is "the table in tests/hostile/README.md" "$(diff <(sed -n '/^| attempts at/,/^$/p' "$readme" | grep .) "$work/table")" ""
else
	skip "the table in tests/hostile/README.md" "this kernel's Landlock is older than ABI 6"
fi
is "nothing is left" "$(ls -A "$root")" ""
