# tests/linux/guest.bash: stock Linux guests, started and listened to. Source it after tests/lib.sh; $dir
# holds the bundles, one by id.
PATH=$PATH:/usr/sbin:/sbin
declare -A input

# say TEXT: progress with the time, which TAP ignores
say() { echo "# $SECONDS s: $*"; }
# fact ID NAME: what the guest said of itself
fact() { tr -d '\r' <"$work/$1.console" | sed -n "s/^fact $2 *//p" | tail -n 1; }
said() { tr -d '\r' <"$work/$1.console" | grep -qa -- "$2"; }
ended_or_said() { said "$1" "$2" || ! is_running "$1"; }

# stuck ID: what a guest that does not get on was seen doing: its console's end, and each thread of the VM
# twice, with the CPU time it had and where it waits
stuck() {
	local p t
	tail -n 60 "$work/$1.console" | tr -d '\r' | sed 's/^/# /'
	for _ in 1 2; do
		for p in $(vm_pids "$1" 2>/dev/null); do
			for t in /proc/"$p"/task/*/; do
				echo "# $(cat "$t/comm"): $(cut -d' ' -f3,14,15 "$t/stat") $(cat "$t/wchan"): $(cat "$t/syscall")"
			done
		done
		sleep 2
	done
}

# boot ID: create and start, console to a file, console input from a pipe
boot() {
	mkfifo "$work/$1.in"
	exec {input[$1]}<>"$work/$1.in"
	vmrun create "$dir/$1" <"$work/$1.in" >"$work/$1.console" 2>"$work/$1.err" || cat "$work/$1.err"
	is "$1: created" "$(vm_status "$1")" created
	succeeds "$1: started" vmrun start "$1"
}
# up ID SECONDS: wait until its job says that it is ready
up() {
	if eventually "$2" ended_or_said "$1" '^fact ready' && said "$1" '^fact ready'; then
		ok "$1: comes up"
	else
		not_ok "$1: comes up"
		stuck "$1"
	fi
	say "$1 is up"
}
# ended ID CAUSE CODE: it stops, for this reason
ended() {
	succeeds "$1: ends" eventually 60 is_stopped "$1"
	is "$1: cause" "$(vmrun state "$1" | jq -r .vmrun.cause)" "$2"
	is "$1: exit code" "$(vmrun state "$1" | jq -r .vmrun.exitCode)" "$3"
	say "$1 ended"
}
at_least() { # at_least NAME GOT MIN MAX
	if [ "${2:-0}" -ge "$3" ] && [ "${2:-0}" -le "$4" ]; then ok "$1"; else not_ok "$1: $2 is not in $3..$4"; fi
}
