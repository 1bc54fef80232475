#!/bin/bash
# A freestanding guest with a vsock device, and programs of the host at its Unix sockets: both directions, clients
# that say nothing or nonsense, sockets at long paths, what is left after a kill -9.
. "$(dirname "$0")/../lib.sh"
# shellcheck disable=SC2046
trap 'kill $(jobs -p) 2>/dev/null; cleanup' EXIT

# dial SOCKET [TEXT...]: connect, send each TEXT, shut the sending side, print all that comes
dial() {
	perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => shift) or exit 1; $s->autoflush(1);
		print $s $_ for @ARGV; $s->shutdown(1); local $/; print <$s>' -- "$@"
}
# hear SOCKET FILE: accept one connection, write all that comes to FILE
hear() {
	timeout 120 perl -MIO::Socket::UNIX -e 'my ($p, $f) = @ARGV; my $l = IO::Socket::UNIX->new(Local => $p, Listen => 1) or die "$!";
		my $s = $l->accept; open(my $o, ">", $f); print $o $_ while <$s>; close $o; rename($f, "$f.all")' -- "$@"
}
# boot NAME JSON SOCKET: the guest, with a program that it can connect to
boot() {
	bundle "$work/$1.b" vsock "[{\"type\": \"serial\"}, {\"type\": \"vsock\", \"cid\": 42$2}]"
	vmrun create --bundle "$work/$1.b" "$1" </dev/null >"$work/$1" 2>"$work/$1.err" || sed 's/^/# /' "$work/$1.err"
	hear "$3_5000" "$work/$1.heard" &
	eventually 10 test -S "$3_5000"
	vmrun start "$1" && eventually 30 grep -qa 'vsock: CID 42 ready\|^not ok' "$work/$1"
}
# over NAME SOCKET: have it end, and look at its output
over() {
	is "$1: the guest accepts the connection that ends it" "$(dial "$2" $'CONNECT 23\n' | cut -d' ' -f1)" OK
	succeeds "$1: ends" eventually 20 is_stopped "$1"
	grep -a '^\(not \)\?ok' "$work/$1" | tr -d '\r' | sed "s/- /- $1: /"
	is "$1: powers off" "$(vmrun state "$1" | jq -r .vmrun.cause)" poweroff
}

s=$work/vm.sock
boot plain ", \"socket\": \"$s\"" "$s"
succeeds "the guest's line arrives" eventually 10 test -e "$work/plain.heard.all"
is "it is the guest's" "$(cat "$work/plain.heard.all")" "hello from the guest"
like "the host connects, and the guest sends back what it got" "$(dial "$s" $'CONNECT 22\nfirst\n' $'second\n')" '^second$'
like "the answer has a port of the host's" "$(dial "$s" $'CONNECT 22\n')" '^OK [1-9][0-9]*$'
like "in pieces" "$(dial "$s" CON 'NECT 2' $'2\n' x)" '^OK'
is "a port that the guest does not listen on: end of file" "$(dial "$s" $'CONNECT 24\n')" ""
for line in $'\n' $'CONNECT\n' $'CONNECT \n' $'CONNECT x\n' $'CONNECT 4294967296\n' $'CONNECT 22 \n' $'connect 22\n' \
	'CONNECT 22' $'CONNECT 00000000000000000000000000022\n' ''; do
	is "not a line: ${line//$'\n'/\\n}" "$(dial "$s" "$line")" ""
done
# More clients that say nothing than there are places for them: each loses its own after 2 s, others wait.
perl -MIO::Socket::UNIX -e 'my @s = map { IO::Socket::UNIX->new(Peer => $ARGV[0]) } 1 .. 40; sleep 30' -- "$s" &
silent=$!
like "clients that say nothing do not keep others out" "$(dial "$s" $'CONNECT 22\n')" '^OK'
kill $silent
head -c 3000000 /dev/urandom >"$work/bytes"
perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]); print $s "CONNECT 22\n"; $s->flush;
	my $ok = <$s>; local $/; my $in = do { open(my $f, "<", $ARGV[1]); <$f> };
	if (my $pid = fork) { my $all = <$s>; print $all; waitpid($pid, 0) } else { print $s $in; $s->flush; $s->shutdown(1) }' \
	-- "$s" "$work/bytes" >"$work/bytes.back"
succeeds "3 MB there and back" cmp "$work/bytes" "$work/bytes.back"
over plain "$s"
is "the socket is gone with the VM" "$(ls "$s" "$s"_seqpacket 2>/dev/null)" ""
vmrun delete plain

# The state directory is the default; delete removes what others made there too.
boot own "" "$root/own/vsock"
over own "$root/own/vsock"
succeeds "own: delete" vmrun delete own
is "own: nothing is left" "$(ls "$root")" ""

# A path longer than an address has room for, relative to the bundle, and a supervisor that is killed
long=$(printf 'd%.0s' {1..100})
mkdir -p "$work/long.b/$long"
bundle "$work/long.b" vsock "[{\"type\": \"serial\"}, {\"type\": \"vsock\", \"cid\": 42, \"socket\": \"$long/sock\"}]"
(cd "$work/long.b/$long" && hear sock_5000 "$work/long.heard") &
eventually 10 test -S "$work/long.b/$long/sock_5000"
vmrun run --detach "$work/long.b" </dev/null >"$work/long" 2>/dev/null
succeeds "long: the guest is there" eventually 30 grep -qa 'vsock: CID 42 ready' "$work/long"
succeeds "long: its line arrives" eventually 10 test -e "$work/long.heard.all"
is "long: it is the guest's" "$(cat "$work/long.heard.all")" "hello from the guest"
like "long: the host connects" "$(cd "$work/long.b/$long" && dial sock $'CONNECT 22\n')" '^OK'
kill -9 "$(vm_pids long.b | head -n 1)"
succeeds "long: delete after a kill -9" vmrun delete --force long.b
is "long: its sockets are gone" "$(cd "$work/long.b/$long" && echo *)" sock_5000

# Without a bundle
hear "$work/cli.sock_5000" "$work/cli.heard" &
eventually 10 test -S "$work/cli.sock_5000"
vmrun run --id cli --detach --vsock "42,socket=$work/cli.sock" "$B/guests/vsock.elf" </dev/null >"$work/cli" 2>/dev/null
succeeds "run --vsock: the guest is there" eventually 30 grep -qa 'vsock: CID 42 ready' "$work/cli"
out=$(vmrun run --id second --vsock 42 "$B/guests/vsock.elf" </dev/null 2>&1)
is "a CID in use: one line" "$(grep -v "KVM only emulates" <<<"$out")" "vmrun: /vm/devices/0/cid: 42 is the CID of cli already"
is "a CID in use: nothing is left" "$(ls "$root")" cli
over cli "$work/cli.sock"
vmrun delete cli

# Bad input: one line, and nothing left
refused() { # refused WHAT JSON REGEX
	bundle "$work/bad.b" vsock "[{\"type\": \"vsock\"$2}]"
	vmrun create --bundle "$work/bad.b" bad </dev/null >"$work/bad.out" 2>&1 && not_ok "$1 is refused"
	out=$(grep -v "KVM only emulates" "$work/bad.out")
	is "$1: one line" "$(wc -l <<<"$out")" 1
	like "$1: it says why" "$out" "$3"
	is "$1: nothing is left" "$(ls "$root")" ""
}
touch "$work/file"
refused "no CID" "" '/vm/devices/0/cid: required'
refused "the host's CID" ', "cid": 2' '/vm/devices/0/cid: must be .*3'
refused "a CID that is none" ', "cid": 4294967295' '/vm/devices/0/cid: must be'
refused "a second device" ', "cid": 3}, {"type": "vsock", "cid": 4' '/vm/devices/1: a VM has one vsock only'
refused "a file in the socket's place" ", \"cid\": 3, \"socket\": \"$work/file\"" "/vm/devices/0/socket: socket $work/file: is a file"
refused "a socket in no directory" ', "cid": 3, "socket": "none/sock"' '/vm/devices/0/socket: .*none/sock: No such file'
refused "ports without the kernel" ', "cid": 3, "listen": [5000]' '/vm/devices/0/listen: means nothing with backend user'
mknod "$work/none" c 511 0 && { [ ! -e /dev/vhost-vsock ] || mount --bind "$work/none" /dev/vhost-vsock; }
refused "no /dev/vhost-vsock" ', "cid": 3, "backend": "vhost"' \
	'/vm/devices/0/backend: /dev/vhost-vsock \(modprobe vhost_vsock; backend user does not need it\): No such'
[ ! -e /dev/vhost-vsock ] || umount /dev/vhost-vsock
is "the file stays" "$(ls "$work/file")" "$work/file"
