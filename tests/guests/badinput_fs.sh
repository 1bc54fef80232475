#!/bin/bash
# Bad input of shared directories: one clear line naming the thing, the exit code of its kind, nothing left behind;
# and a death of any process of a VM that has one.
. "$(dirname "$0")/../lib.sh"
. tests/guests/badinput.bash
mkdir -p "$root" "$work"/{dir,other,dir:x,closed/in}
echo x >"$work/file"
mkfifo "$work/fifo"
ln -s dir "$work/link"
ln -s nowhere "$work/dangling"
x37=$(printf 'x%.0s' {1..37})

# fs NAME REGEX JSON: create is refused. both: --dry-run says the same
fs() { config "$1" ".vm.devices = $3" "$2"; }
both() {
	fs "$@"
	is "$1: --dry-run says the same" "$(vmrun create --dry-run "$work/b" 2>&1 >/dev/null)" "$(create 2>&1 </dev/null | grep -v warning:)"
}
one() { echo "[{\"type\": \"fs\", \"tag\": \"a\", $1}]"; }
named() { one "\"sources\": [{\"source\": \"$1\", \"name\": \"$2\"}]"; }
S="\"source\": \"$work/dir\"" at=/vm/devices/0

both "no tag" "$at/tag: required" "[{\"type\": \"fs\", $S}]"
both "an empty tag" "$at/tag: must not be empty" "[{\"type\": \"fs\", \"tag\": \"\", $S}]"
both "a long tag" "$at/tag: must be at most 36 bytes long, is 37" "[{\"type\": \"fs\", \"tag\": \"$x37\", $S}]"
both "a tag that is no text" "$at/tag: must be printable ASCII" "[{\"type\": \"fs\", \"tag\": \"a\\nb\", $S}]"
both "a tag in use" "/vm/devices/1/tag: a is $at's already" "$(one "$S") + $(one "$S")"
both "a tag in use by another's device" "/vm/devices/1/tag: a is $at's already" \
	"[{\"type\": \"vhost-user\", \"device\": \"fs\", \"tag\": \"a\", \"socket\": \"$work/s\"}] + $(one "$S")"
both "neither source nor sources" "$at: one of source and sources is required" '[{"type": "fs", "tag": "a"}]'
both "both of them" "$at: one of source and sources is required" "$(one "$S, \"sources\": [{$S, \"name\": \"x\"}]")"
both "an empty source" "$at: one of source and sources is required, and not empty" "$(one '"source": ""')"
both "no sources" "$at: one of source and sources is required, and not empty" "$(one '"sources": []')"
both "two sources of one name" "$at/sources/1/name: a second x" "$(one "\"sources\": [{$S, \"name\": \"x\"}, {$S, \"name\": \"x\"}]")"
for name in a/b . ..; do
	both "a source with the name $name" "$at/sources/0/name: must be the name of a file" "$(named "$work/dir" $name)"
done
both "a source without a name" "$at/sources/0/name: must not be empty" "$(named "$work/dir" '')"
both "too many sources" "$at/sources: must have at most 256 elements, has 257" \
	"$(one "\"sources\": [range(257) | {$S, \"name\": tostring}]")"
both "a cache that is none" "$at/cache: must be auto, none or always, is \"some\"" "$(one "$S, \"cache\": \"some\"")"
both "a property that is none" "$at/colour: " "$(one "$S, \"colour\": \"red\"")"

fs "no such directory" "$at/source: $work/nowhere: No such file" "$(one "\"source\": \"$work/nowhere\"")"
fs "no such directory among sources" "$at/sources/0/source: $work/nowhere: No such file" "$(named "$work/nowhere" x)"
fs "a link to nothing" "$at/source: $work/dangling: No such file" "$(one "\"source\": \"$work/dangling\"")"
fs "a file where a directory is wanted" "$at/source: $work/file: is not a directory" "$(one "\"source\": \"$work/file\"")"
for file in "$work/fifo" /dev/null; do
	fs "$file where a directory is wanted" "$at/source: $file: is not a directory" "$(one "\"source\": \"$file\"")"
	fs "$file among sources" "$at/sources/0/source: $file: is not a directory or regular file" "$(named $file x)"
done

mkdir "$work/alone" && mount -t tmpfs none "$work/alone" && mount --make-unbindable "$work/alone"
fs "a mount that cannot be bound" "$at/source: $work/alone: bind-mount it: Invalid argument" "$(one "\"source\": \"$work/alone\"")"
fs "one among sources" "$at/sources/0/source: $work/alone: bind-mount it: Invalid argument" "$(named "$work/alone" x)"
umount "$work/alone"

# vmrun's own state, whatever it is called; where it is below one of several sources, guests see an empty directory
among() { # among DIR READONLY
	local below=${root#"$work/"} fd
	[ "$1" != / ] || below=${root#/}
	edit ".vm.devices = $(one "\"sources\": [{\"source\": \"$1\", \"name\": \"x\", \"readonly\": $2}]")"
	succeeds "shares a directory above it: $1, read-only: $2" create </dev/null
	fd=$(find /proc/"$(vmrun state b | jq '.vmrun.processes[] | select(.name | startswith("fs")).pid')"/fd/*/x -maxdepth 0 2>/dev/null | head -n 1)
	is "its guest does not see it" "$(ls -A "$fd/$below" 2>&1)" ""
	is "and cannot write there" "$(touch "$fd/$below/file" 2>&1 | grep -c 'Read-only')" 1
	vmrun delete --force b
}
edit ".vm.devices = $(named "$work" x)"
succeeds "shares a directory where the state will be" "$vmrun_bin" --root "$work/later/state" create --bundle "$work/b" b </dev/null
"$vmrun_bin" --root "$work/later/state" delete --force b
mkdir "$work/x" && mount --bind "$work" "$work/x"
ln -s "$root" "$work/to-state"
for dir in "$root" "$work" "$work/to-state" "$work/x" /; do
	fs "shares the state of VMs: $dir" "$at/source: $dir: holds $root, where vmrun keeps the state" "$(one "\"source\": \"$dir\"")"
	case $dir in
	"$root" | "$work/to-state") fs "shares it among sources: $dir" "$at/sources/0/source: $dir: holds $root, where" "$(named "$dir" x)" ;;
	*) among "$dir" true && among "$dir" false ;;
	esac
	fs "shares it for reading: $dir" "$at/source: $dir: holds $root, where" "$(one "\"source\": \"$dir\", \"readonly\": true")"
	refused "a device alone: shares it: $dir" "--source: $dir: holds $root, where" \
		timeout 10 "$vmrun_bin" --root "$root" device fs --socket "$work/sock" --source "$dir"
done
refused "shares what will hold the state" "$at/source: $work/dir: holds $work/dir/a/b, where" \
	"$vmrun_bin" --root "$work/dir/a/b" create "$(edit ".vm.devices = $(one "$S")"; echo "$work/b")"
is "and nothing was made there" "$(ls "$work/dir")" ""
umount "$work/x"
mkdir "$work/outer" && bundle "$work/b" idle && vmrun create --bundle "$work/b" used </dev/null >"$work/out" 2>&1
for source in "\"source\": \"$root/used\"" "\"sources\": [{\"source\": \"$root/used/state.json\", \"name\": \"x\"}]"; do
	edit ".vm.devices = $(one "$source")"
	like "shares another VM's state: ${source:0:9}" "$(create 2>&1 </dev/null)" ": is in $root, where vmrun keeps the state"
done
vmrun delete --force used

# The command line
K=$B/guests/hello.elf
run() { # run REGEX SPEC [SPEC]: exits 2
	local regex=$1 words=(--shared-dir "$2")
	[ $# -lt 3 ] || words+=(--shared-dir "$3")
	refused "run ${words[*]//$work/...}" "$regex" timeout 10 "$vmrun_bin" --root "$root" run "${words[@]}" "$K"
	vmrun run "${words[@]}" "$K" >/dev/null 2>&1 </dev/null
	is "run ${words[*]//$work/...}: exits 2" $? 2
}
for spec in '' : "$work/dir" "$work/dir:" :tag; do
	run "--shared-dir: must be DIR:TAG, is \"$spec\"|option --shared-dir wants a value" "$spec"
done
for word in '' rw ro=1 cache= cache=some writeback=maybe posix_acl type=p9 uid=1; do
	run "--shared-dir: \"$word\" is none of ro, cache=" "$work/dir:tag:$word"
done
run '--shared-dir: "" is none of ro' "$work/dir:tag::ro"
run '--shared-dir: "tag" is none of ro' "$work/dir:x:tag"
run "$at/tag: must be at most 36 bytes long, is 37" "$work/dir:$x37"
run "/vm/devices/1/tag: tag is $at's already" "$work/dir:tag" "$work/dir:tag"
refused "run: a directory whose name is too long" "/source: must be at most 4095 bytes long" vmrun run --shared-dir "$(printf '/x%.0s' {1..3000}):tag" "$K"
refused "run: no such directory" "/source: $work/nowhere: No such file" vmrun run --shared-dir "$work/nowhere:tag" "$K"
vmrun run --shared-dir "$work/nowhere:tag" "$K" >/dev/null 2>&1 </dev/null
is "run: no such directory exits 1" $? 1
is "run: a relative path is one of the current directory" \
	"$(cd "$work" && vmrun run --dry-run --shared-dir dir:tag:ro "$K" 2>/dev/null | jq -c '[.processes[].sources | values[]]')" \
	"[{\"source\":\"$work/dir\",\"readonly\":true}]"

alone() { # alone CODE REGEX OPTION...
	local code=$1 regex=$2 name
	shift 2
	name=${*//$work/...}
	name="device fs ${name//[^[:print:]]/?}"
	refused "$name" "$regex" timeout 10 "$vmrun_bin" device fs --socket "$work/sock" "$@"
	timeout 10 "$vmrun_bin" device fs --socket "$work/sock" "$@" >/dev/null 2>&1
	is "$name: exits $code" $? "$code"
}
alone 2 "device fs: --source is missing"
alone 2 "option --source wants a value" --source ''
alone 2 "option --tag wants a value" --source "$work/dir" --tag ''
for tag in "$x37" $'a\nb' $'\xff'; do
	alone 2 "device fs: --tag: must be 1 to 36 bytes of printable ASCII" --source "$work/dir" --tag "$tag"
done
alone 2 "option --cache is one of: auto none always" --source "$work/dir" --cache some
alone 2 "device fs: --path is for block devices" --source "$work/dir" --path "$work/file"
alone 1 "--source: $work/nowhere: No such file" --source "$work/nowhere"
alone 1 "--source: $work/file: is not a directory" --source "$work/file"
alone 1 "--source: $work/file: is not a directory" --source "$work/dir" --source "$work/file"
refused "device rng --source" "device rng: --source is for fs devices" timeout 10 "$vmrun_bin" device rng --socket "$work/sock" --source "$work/dir"
refused "device block --tag" "device block: --tag is for fs devices" timeout 10 "$vmrun_bin" device block --socket "$work/sock" --path "$work/file" --tag x

# What the process may not have
edit ".vm.devices = $(one "$S")"
few() { (ulimit -n "$1" && shift && exec "$@"); }
refused "too few file descriptors" "needs 1024 file descriptors, and the limit is 600" few 600 "$vmrun_bin" --root "$root" create "$work/b"
refused "too few file descriptors: alone" "needs 1024 file descriptors, and the limit is 600" \
	few 600 timeout 10 "$vmrun_bin" device fs --socket "$work/sock" --source "$work/dir"
chmod 711 "$work" && chmod 700 "$work/closed" && chmod 777 "$work/other"
as_user() { setpriv --reuid 65534 --regid 65534 --clear-groups env -u XDG_RUNTIME_DIR "$@"; }
refused "a directory without permission" "--source: $work/closed/in: Permission denied" \
	as_user timeout 10 "$vmrun_bin" device fs --socket "$work/other/sock" --source "$work/closed/in"
for ns in user mnt; do
	refused "a user who may make no $ns namespace" "cannot make (a new|another) $ns namespace: .*user.max_${ns}_namespaces" \
		as_user unshare -Ur sh -c "echo 0 >/proc/sys/user/max_${ns}_namespaces; exec \"\$@\"" sh \
		timeout 10 setpriv --bounding-set -sys_admin --inh-caps -all "$vmrun_bin" device fs --socket "$work/other/sock" --source "$work/other"
done
is "no socket is left" "$(ls -A "$work/other")$(ls "$work" | grep sock)" ""
