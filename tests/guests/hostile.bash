# tests/guests/hostile.bash: a VM with each kind of device, whose guest attacks. Source it after lib.sh, in a network
# namespace of the test's own.
#
# The guest uses all queues once, says "# NAME: begins", and attacks when the power button is pressed. It prints TAP,
# resets all devices, says "# NAME: done", and powers off at the next press. Between both words each process must stay the
# one that there was, with as many fds, and not grow by more than $hostile_kib. HOSTILE_SANITIZED is a build
# with sanitizers, whose VMM and devices run without jails; they leave reports there, in sanitizer.PID.
hostile_kib=1024
if [ -n "${HOSTILE_SANITIZED:-}" ]; then
	mkdir -p "$work/sanitized/bin" "$work/sanitized/libexec"
	cp -a "$B/bin/vmrun" "$work/sanitized/bin/"
	cp -a "$HOSTILE_SANITIZED/libexec/vmrun" "$work/sanitized/libexec/"
	vmrun_bin=$work/sanitized/bin/vmrun
	rm -f "$HOSTILE_SANITIZED"/sanitizer.*
fi
mkdir -p "$root" "$work/sys" "$work/share"
mount -t sysfs none "$work/sys" && mount --bind "$work/sys/class" /sys/class &&
	mount --bind "$work/sys/devices" /sys/devices && umount "$work/sys"
ip link set lo up

# hostile_bundle NAME VCPUS BYTES [PARAMETER...]: tests/guests/NAME.c in a machine of BYTES of RAM
hostile_bundle() {
	local words
	words=$(printf '%s\n' "${@:4}" | jq -R . | jq -sc 'map(select(. != ""))')
	mkdir -p "$work/$1.b"
	truncate -s 1M "$work/$1.b/disk.img"
	cat >"$work/$1.b/config.json" <<-JSON
		{"ociVersion": "1.0.2", "vm": {
		 "kernel": {"path": "$B/guests/$1.elf", "parameters": $words},
		 "hwConfig": {"vcpus": $2, "memory": $3},
		 "devices": [{"type": "serial"}, {"type": "rng"}, {"type": "balloon"}, {"type": "vsock", "cid": 7},
		  {"type": "block", "path": "disk.img", "queues": 2}, {"type": "fs", "tag": "share", "source": "$work/share"},
		  {"type": "net", "mode": "tap", "hostIp": "10.9.8.1/24", "guestIp": "10.9.8.2", "queues": 2},
		  {"type": "console", "ports": [{"name": "org.example.port"}]}]}}
	JSON
}

# What each process holds: name, pid, number of fds
hostile_fds() {
	vmrun state "$1" | jq -r '"supervisor \(.pid)", (.vmrun.processes[] | "\(.name) \(.pid)")' | while read -r name pid; do
		echo "$name $pid $(ls "/proc/$pid/fd" 2>/dev/null | wc -l)"
	done
}
# Its words; what its console says is in between.
hostile_text() { tr -cd '[:print:]\n' <"$work/$1.out"; }
hostile_says() { hostile_text "$1" | grep -qE "$2"; }
hostile_over() { hostile_says "$1" "# $1: done" || is_stopped "$1"; }

# hostile_run NAME SECONDS: run it, and look at its processes
hostile_run() {
	local name=$1 fds memory grown
	vmrun --log "$work/$name.log" --log-level warning run --detach ${HOSTILE_SANITIZED:+--disable-sandbox} \
		--bundle "$work/$name.b" "$name" < <(yes 2>/dev/null) >"$work/$name.out" 2>"$work/$name.err"
	is "$name: runs" "$(vm_status "$name")" running
	vmrun console --port org.example.port "$name" < <(yes 2>/dev/null) >/dev/null 2>&1 &
	succeeds "$name: begins" eventually 30 hostile_says "$name" "# $name: begins"
	fds=$(hostile_fds "$name")
	memory=$(vm_memory "$name")
	vmrun kill "$name" TERM
	succeeds "$name: gets to its end" eventually "$2" hostile_over "$name"
	hostile_text "$name" | grep -oE '(ok|not ok) - .*' | sed "s/ - / - $name: /"
	is "$name: the VM runs" "$(vm_status "$name")" running
	is "$name: the processes are the same, with as many fds" "$(hostile_fds "$name")" "$fds"
	grown=$(paste -d ' ' <(echo "$memory") <(vm_memory "$name") | awk -v max=$hostile_kib '$4 - $2 > max { print }')
	is "$name: no process has grown by more than $hostile_kib KiB" "$grown" ""
	paste -d ' ' <(echo "$memory") <(vm_memory "$name") | awk '{ s = s " " $1 " " $4 - $2 } END { print "# grown, KiB:" s }'
	vmrun kill "$name" TERM
	succeeds "$name: the power button ends it" eventually 20 is_stopped "$name"
	is "$name: the cause" "$(vmrun state "$name" | jq -r .vmrun.cause)" poweroff
	is "$name: nothing worse in the log" "$(grep -acE 'SIG[A-Z]+|assert|refused' "$work/$name.log")" 0
	vmrun delete "$name"
	[ -z "${HOSTILE_SANITIZED:-}" ] ||
		is "$name: no sanitizer reports" "$(cat "$HOSTILE_SANITIZED"/sanitizer.* 2>/dev/null | head -n 40)" ""
}
