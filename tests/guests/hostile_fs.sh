#!/bin/bash
# A shared directory's process in enemy hands (tests/hostile/fs.c), in its real jail: what is not shared it cannot
# name, and what is shared for reading it cannot change. It is the one device that opens files.
. "$(dirname "$0")/../lib.sh"

# It takes them all before it answers anyone, and 2^20 would take it long.
[ "$(ulimit -Hn)" -lt 20000 ] || ulimit -n 20000
# On a file system of its own, so that what is outside the share is on the same one, and it can be full.
vol=$work/vol
mkdir "$vol" && mount -t tmpfs -o size=8m none "$vol"
trap 'umount -l "$vol"; cleanup' EXIT
mkdir -p "$vol"/{rw/dir/inner,ro,out}
echo secret | tee "$vol/secret" >"$vol/out/secret"
echo file >"$vol/rw/file" && echo fixed >"$vol/ro/fixed"
mknod -m 666 "$vol/rw/null" c 1 3
ln -s /etc/passwd "$vol/rw/link" && ln -s ../.. "$vol/rw/up"

mkdir -p "$work/hostile/bin" "$work/hostile/libexec/vmrun"
cp -a "$B/bin/vmrun" "$work/hostile/bin/" && cp -a "$B/libexec/vmrun/." "$work/hostile/libexec/vmrun/"
cp "$B/tests/hostile/vmrun-dev-fs" "$work/hostile/libexec/vmrun/"

# The names of extended attributes; the value of one in hex
attributes() { perl -e 'for (@ARGV) { my $b = "\0" x 999; my $n = syscall(194, $_, $b, 999); print "$_ ", substr($b, 0, $n), "\n" }' "$@"; }
attribute() { perl -e 'my $b = "\0" x 99; my $n = syscall(191, @ARGV, $b, 99); print unpack("H*", substr $b, 0, $n)' "$@"; }

host() { # what the host has that this device may not change
	stat -c '%n %F %a %u:%g %i %h %Y %Z' "$vol"/{ro,ro/fixed,secret,out/secret}
	attributes "$vol/ro" "$vol/ro/fixed"
	stat -c '%n %a %u:%g %i' /dev/null /dev/kvm "$work/hostile/libexec/vmrun/vmrun-dev-fs"
	# One inode for all eventfds of the host
	perl -e 'my $fd = syscall(290, 0, 0); printf "eventfd %o %d:%d\n", (stat "/proc/self/fd/$fd")[2, 4, 5]'
	cat "$vol"/{ro/fixed,secret,out/secret}
}
before=$(host)
bundle "$work/enemy" idle '[{"type": "serial"}, {"type": "fs", "tag": "data", "sources": [
	{"source": "'"$vol/rw"'", "name": "rw"}, {"source": "'"$vol/ro"'", "name": "ro", "readonly": true}]}]'
succeeds "in enemy hands: the VM is created" \
	"$work/hostile/bin/vmrun" --root "$root" --log "$work/log" create "$work/enemy"
report() { cat "$vol/rw/report" 2>/dev/null | tr -d '\0'; }
said() { grep -qxF "$1" <(report); }
eventually 20 said "the directory: move it" || not_ok "in enemy hands: comes as far as the directory"
mv "$vol/rw/dir" "$vol/out/dir" && touch "$vol/rw/moved"
eventually 20 said "all: tried" || not_ok "in enemy hands: tries it all"
is "in enemy hands: the VM is none the worse" "$(vm_status enemy)" created
report >"$work/report"

none="No such file or directory" readonly="Read-only file system" denied="Permission denied"
not="Operation not permitted" bad="Bad file descriptor" other="(Invalid c|C)ross-device link"
tried=0
while IFS='|' read -r what wanted; do
	like "in enemy hands: $what" "$(grep -F "$what: " "$work/report")" "^$what: ($wanted)\$"
	((++tried))
done <<-EOF2
	an absolute path|$none
	an absolute path from the share|$none
	/proc|$none
	/dev|$none
	above its root|is itself
	above its working directory|is itself
	above the share|is itself
	above the share, through a part|is itself
	above its own fds|is itself
	up and down|$none
	beside the part|$none
	up from its own fds|$none|Not a directory|$denied
	through a magic link|$none
	a link to the host|$none
	a link upwards|$none
	openat2 upwards|$none
	openat2 within a root|$none
	files behind its fds|0
	the path of a file|/rw/file|/file
	a device node that is there|$denied
	a block device's node|$denied|$not
	a whiteout|done
	a whiteout, opened|$denied
	an owner outside its map|Invalid argument
	a group outside its map|Invalid argument
	trusted attribute|$not
	security attribute|$not
	set-user-id|done
	capabilities|done
	link to what is for reading|$other
	link to the share|$other|$not
	move between the parts|$other
	a name beside the parts|$readonly
	a name among its fds|$none|$denied|$not
	ro: open|$readonly
	ro: open and cut|$readonly
	ro: open anew|$readonly
	ro: create|$readonly
	ro: no name|$readonly
	ro: mkdir|$readonly
	ro: mknod|$readonly
	ro: symlink|$readonly
	ro: link|$readonly
	ro: unlink|$readonly
	ro: rename|$readonly
	ro: chmod|$readonly
	ro: chown|$readonly
	ro: utimens|$readonly
	ro: setxattr|$readonly
	ro: removexattr|$readonly
	ro: chown, opened|$readonly
	ro: ftruncate|Invalid argument
	ro: fallocate|$bad
	ro: pwritev|$bad
	ro: copy|$bad
	write without end|No space left on device
	open files without end|No file descriptors available|Too many open files
	open files|[0-9]+
	moved: above it|$none
	moved: above what is in it|$none
	moved: beside it|$none
	moved: beside it, from below|$none
	moved: openat2 above it|$none
	moved: openat2 beside it|$none
	moved: within a root|$none
	moved: through its fd|$none
EOF2
is "in enemy hands: these were all" "$(($(wc -l <"$work/report") - 2))" $tried
succeeds "in enemy hands: no more files than the caller may have" \
	test "$(awk -F': ' '$1 == "open files" { print $2 }' "$work/report")" -lt "$(ulimit -Hn)"
is "in enemy hands: what is not its own is as it was" "$(host)" "$before"
# By its own path on the host this is root's own program, as devices/fs/README.md says.
is "in enemy hands: what the guest's root may make" "$(stat -c %a "$vol/rw/file")" 4755
like "in enemy hands: what the guest's root may make" "$(attribute "$vol/rw/file" security.capability)" ^0100000[23]00002000
vmrun delete --force enemy

# Each of these calls ends it.
while read -r call; do
	out=$(timeout 10 "$work/hostile/bin/vmrun" device fs --socket "$work/sock" --source "$vol" --tag "$call" 2>&1)
	like "in enemy hands: $call" "$out" "killed by .*SIGSYS"
done < <(sed -n 's/^\t{"\([a-z-]*\)", SYS_.*/\1/p' tests/hostile/fs.c)
is "in enemy hands: nothing came of those calls" "$(ls "$vol/rw/n" 2>/dev/null)" ""

# alone NAME UID RUN [OPTION...]: shares all as one, with the files that user's, until it has tried all but the move
chmod 711 "$work" && mkdir "$work/theirs" && chmod 777 "$work/theirs"
alone() {
	local name=$1 uid=$2 run=$3 what
	shift 3
	rm -rf "$vol"/rw/{report,moved,b,c} && mkdir -p "$vol/rw/dir/inner"
	chown -R "$uid:$uid" "$vol"
	# shellcheck disable=SC2086
	$run "$work/hostile/bin/vmrun" device fs --socket "$work/theirs/sock" --source "$vol" "$@" >/dev/null 2>"$work/err" &
	pid=$!
	eventually 20 said "the directory: move it" || not_ok "$name: tries all ($(cat "$work/err"))"
	kill $pid && wait $pid
	report >"$work/report"
	for what in "an absolute path" "up and down" "through a magic link" "openat2 upwards"; do
		is "$name: $what" "$(grep -F "$what: " "$work/report")" "$what: $none"
	done
	for what in "an owner outside its map" "a group outside its map" "trusted attribute" "security attribute"; do
		like "$name: $what" "$(grep -F "$what: " "$work/report")" ": (Invalid argument|$not)\$"
	done
	is "$name: whose set-user-id file it is" "$(stat -c '%u %a' "$vol/rw/file")" "$uid 4755"
	# Revision 3: they count below a user namespace whose root is that user
	is "$name: whose capabilities they are" "$(attribute "$vol/rw/file" security.capability)" \
		"0100000300002000000000000000000000000000$(printf %08x "$uid" | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/')"
}
alone "of a caller without privilege" 65534 "setpriv --reuid 65534 --regid 65534 --clear-groups env -u XDG_RUNTIME_DIR"
alone "of a mapped guest" 100000 "" --uid-map "0 100000 65536" --gid-map "0 100000 65536"
