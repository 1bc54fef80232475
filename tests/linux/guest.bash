# tests/linux/guest.bash: stock Linux guests, started and listened to. Source it after tests/lib.sh; $dir
# holds the bundles, one by id.
PATH=$PATH:/usr/sbin:/sbin
declare -A input supervisor

# say TEXT: progress with the time, which TAP ignores
say() { echo "# $SECONDS s: $*"; }
# lines ID: what the guest has printed, without a line that it is still printing
lines() { head -n "$(wc -l <"$work/$1.console")" "$work/$1.console" | tr -d '\r'; }
# fact ID NAME: what the guest reported
fact() { lines "$1" | sed -En "s/^fact $2( +|$)//p" | tail -n 1; }
said() { lines "$1" | grep -qa -- "$2"; }
# await ID SECONDS REGEX: until the guest has printed such a line; fails if the VM ends without one. It does not look again and
# again as eventually does: that takes most of an emulated processor, and the guest waits for the same one.
await() {
	local from to status pid=${supervisor[$1]:-$(vmrun state "$1" | jq .pid)}
	exec {from}< <(exec tail -n +1 -f -s 0.05 --pid="$pid" "$work/$1.console")
	to=$!
	timeout $(($2 * patience)) grep -qa -- "$3" <&$from
	status=$?
	exec {from}<&-
	kill $to 2>/dev/null
	return $status
}

# stuck ID: what a guest that hangs is doing: the end of its console, and each thread of the VM twice, with its
# CPU time and where it waits
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

# boot ID [CMD...]: create, by way of CMD, and start; console and log to files, console input from a pipe
boot() {
	mkfifo "$work/$1.in"
	exec {input[$1]}<>"$work/$1.in"
	"${@:2}" "$vmrun_bin" --root "$root" --log-level warning --log "$work/$1.log" create "$dir/$1" \
		<"$work/$1.in" >"$work/$1.console" 2>"$work/$1.err" || cat "$work/$1.err"
	is "$1: created" "$(vm_status "$1")" created
	succeeds "$1: started" vmrun start "$1"
}
# up ID SECONDS: wait until its job says that it is ready
up() {
	supervisor[$1]=$(vmrun state "$1" | jq .pid)
	if await "$1" "$2" '^fact ready'; then
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

# With the job `net`, which serves a file and does what the console says:

sum=$(seq 1000000 | head -c 4M | sha256sum | cut -d' ' -f1) # of that file
# ask ID TAG CMD...: the guest's answer; a guest that left a question open gets no further ones
ask() {
	local id=$1 tag=$2
	shift 2
	if [ ! -e "$work/$id.mute" ]; then
		echo "$tag $*" >&"${input[$id]}"
		if await "$id" 60 "^fact $tag "; then
			fact "$id" "$tag"
			return
		fi
		touch "$work/$id.mute"
		stuck "$id" >&2
	fi
	echo "no answer"
}
sum_of() { # sum_of URL [CMD...]: of what a server gives this host, or gives the place where CMD runs things
	"${@:2}" busybox timeout $((60 * patience)) busybox wget -q -O - "$1" | sha256sum | cut -d' ' -f1
}
pings() { busybox ping -c 3 -A -w 20 "$@" >/dev/null; }
# state ID NUMBER KEY: what the state says of a network
state() { vmrun state "$1" | jq -r ".vmrun.networks[$2].$3"; }
world() { ip -o link show | cut -d' ' -f2 | sort; ip -o addr show | awk '{ print $2, $4 }' | sort; nft list tables; tc qdisc show | grep ingress; ls -A "$root"; }
is_clean() { [ "$(world)" = "$before" ]; }
# clean: the host's network is as it was when $before was set
clean() {
	if eventually 5 is_clean; then ok "nothing is left"; else
		not_ok "something is left"
		diff <(echo "$before") <(world) | sed 's/^/# /'
	fi
}
