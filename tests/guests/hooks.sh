#!/bin/bash
# The hooks of config.json that run on the host: when, in what order, with which state, and what a failure means.
. "$(dirname "$0")/../lib.sh"
mkdir -p "$root"

# Each hook writes a line to $work/ran and the state that it read to $work/state.KIND. It fails, or hangs, on demand.
cat >"$work/hook" <<'END'
#!/bin/sh
work=$(dirname "$0") kind=$1
cat >"$work/state.$kind"
pid=$(jq .pid "$work/state.$kind")
alive=no && [ "$pid" != 0 ] && kill -0 "$pid" 2>/dev/null && alive=yes
echo "$kind $2 status=$(jq -r .status "$work/state.$kind") alive=$alive pidfile=$(cat "$work/pid" 2>/dev/null) left=$(ls -A "$work/state")" \
	>>"$work/ran"
echo "noise on stdout"
pwd >"$work/cwd"
[ ! -e "$work/hang.$kind" ] || exec sleep 100
[ ! -e "$work/fail.$kind" ] || { echo "$kind says why" >&2; exit 3; }
END
chmod +x "$work/hook"

two() { jq -nc --arg h "$work/hook" --arg k "$1" '[{path: $h, args: ["hook", $k, "1"]}, {path: $h, args: ["hook", $k, "2"]}]'; }
add_hooks() { # add_hooks BUNDLE: two of each kind
	local kind
	for kind in prestart createRuntime createContainer poststart poststop; do
		change "$1" --argjson h "$(two $kind)" ".hooks.$kind = \$h"
	done
}
change() { # change BUNDLE JQ-ARG...: edit its config.json
	local dir=$1
	shift
	jq "$@" "$dir/config.json" >"$work/c" && mv "$work/c" "$dir/config.json"
}
bundle "$work/vm" idle '[{"type": "serial"}]'
add_hooks "$work/vm"
change "$work/vm" '.annotations = {"org.example.a": "b"}'

create() { vmrun create --bundle "$work/vm" --pid-file "$work/pid" vm </dev/null >"$work/out" 2>"$work/err"; }
ran() { cut -d' ' -f1,2 "$work/ran" | tr '\n' ,; }
last() { sed -n '$s/^.* status=/status=/p' "$work/ran"; }
clean() { rm -f "$work"/ran "$work"/fail.* "$work"/hang.* "$work"/state.* "$work/pid" "$work/err"; }
left() { ls -A "$root" && ls "$work/pid" 2>/dev/null; }

# ---- the life of a VM

succeeds "create" create
is "the hooks of create, in order" "$(ran)" \
	"prestart 1,prestart 2,createRuntime 1,createRuntime 2,createContainer 1,createContainer 2,"
is "everything is prepared, nobody knows of it yet" "$(last)" "status=creating alive=yes pidfile= left=vm"
is "the state is complete" \
	"$(jq -c '[.ociVersion, .id, .bundle, .annotations["org.example.a"]]' "$work/state.createContainer")" \
	"[\"1.3.0\",\"vm\",\"$work/vm\",\"b\"]"
is "its pid is create's" "$(jq .pid "$work/state.prestart")" "$(cat "$work/pid")"
is "they run in the bundle" "$(cat "$work/cwd")" "$work/vm"
is "what they print is no output of create" "$(cat "$work/out" "$work/err" | grep -v 'emulates supervisor')" ""
rm "$work/ran"
succeeds "start" vmrun start vm
is "the hooks of start" "$(ran)" "poststart 1,poststart 2,"
like "the guest runs" "$(last)" "status=running alive=yes"
vmrun kill vm KILL
eventually 10 is_stopped vm
rm "$work/ran" && mv "$work/vm" "$work/gone"
succeeds "delete, when even the bundle is gone" vmrun delete vm
is "the hooks of delete" "$(ran)" "poststop 1,poststop 2,"
like "nothing is left" "$(last)" "status=stopped alive=no .*left=$"
is "they run in /, without the bundle" "$(cat "$work/cwd")" /
mv "$work/gone" "$work/vm"
clean

# ---- hooks that fail

before=""
for kind in prestart createRuntime createContainer; do
	touch "$work/fail.$kind"
	create && not_ok "create with a $kind hook that fails"
	is "a $kind hook that fails: create says why" "$(grep -v warning "$work/err")" \
		"vmrun: error running $kind hook #0: $work/hook: exit status 3: $kind says why"
	is "none after it, but poststop" "$(ran)" "$before$kind 1,poststop 1,poststop 2,"
	is "nothing is left" "$(left)" ""
	before="$before$kind 1,$kind 2,"
	clean
done

create
touch "$work/fail.poststart" "$work/fail.poststop"
is "a poststart hook that fails: start says why" "$(vmrun start vm 2>&1)" \
	"vmrun: vm: error running poststart hook #0: $work/hook: exit status 3: poststart says why"
eventually 10 is_stopped vm
is "the VM was killed" "$(vmrun state vm | jq -r .vmrun.cause)" killed
rm "$work/ran"
is "poststop hooks that fail are warnings" "$(vmrun delete vm 2>&1 | sed 's/#[01]: .*: //')" \
	"$(printf 'vmrun: warning: error running poststop hook poststop says why\n%.0s' 1 2)"
is "all of them run" "$(ran)" "poststop 1,poststop 2,"
is "nothing is left" "$(left | grep -v /pid)" ""
clean

touch "$work/hang.createRuntime"
change "$work/vm" '.hooks.createRuntime[0].timeout = 1'
create
is "a hook over its time" "$(grep -v warning "$work/err")" \
	"vmrun: error running createRuntime hook #0: $work/hook: timed out after 1 s"
is "nothing is left" "$(left)" ""
clean
change "$work/vm" '.hooks.prestart[1].path = "/no/such/hook" | del(.hooks.createRuntime[0].timeout)'
create
is "a hook that does not exist" "$(grep -v warning "$work/err")" \
	"vmrun: error running prestart hook #1: /no/such/hook: No such file or directory"
is "nothing is left" "$(left)" ""
clean
change "$work/vm" 'del(.hooks.prestart[1])'

# ---- ended while a hook runs

hangs() { grep -q "^createRuntime 1" "$work/ran" && pgrep -P "$creator" sleep >"$work/sleeper"; }
hang() {
	touch "$work/hang.createRuntime"
	"$vmrun_bin" --root "$root" create --bundle "$work/vm" vm </dev/null >/dev/null 2>"$work/err" &
	creator=$!
	eventually 10 hangs 2>/dev/null
}
hang
succeeds "delete --force while create runs a hook" vmrun delete --force vm
kill "$(cat "$work/sleeper")"
wait $creator && not_ok "that create"
is "nothing is left" "$(left)" ""
clean
hang
kill -KILL $creator
wait $creator 2>/dev/null
all_gone() { [ -z "$(left)" ] && ! kill -0 "$(cat "$work/sleeper")"; }
succeeds "create killed while it runs a hook: nothing is left, not even the hook" eventually 20 all_gone 2>/dev/null
clean

# ---- a process of the VM that dies while they run

bundle "$work/dies" idle '[{"type": "serial"}]'
change "$work/dies" --arg h "$work/kills" '.hooks.createContainer = [{path: $h, args: ["kills"], timeout: 30}]'
cat >"$work/kills" <<'END'
#!/bin/sh
state=$(cat)
kill -9 "$(echo "$state" | jq '.vmrun.processes[] | select(.name == "serial0").pid')"
work=$(dirname "$0")
[ ! -e "$work/waits" ] || until grep -q '^State:.Z' "/proc/$(echo "$state" | jq .pid)/status"; do sleep 0.05; done
END
chmod +x "$work/kills"
dies() { vmrun create "$work/dies" </dev/null >/dev/null 2>"$work/err"; }
touch "$work/waits"
dies
is "a device dies while a hook of create runs: create fails, and says how" "$? $(grep -v warning "$work/err")" "1 vmrun: serial0: killed by SIGKILL"
is "nothing is left" "$(left)" ""
rm "$work/waits"
said=
for i in 1 2 3 4 5 6 7 8 9 10; do
	if dies; then [ -n "$(vm_status dies)" ] || said="created, and not there"; else
		[ "$(grep -v warning "$work/err")" = "vmrun: serial0: killed by SIGKILL" ] || said=$(cat "$work/err")
	fi
	vmrun delete --force dies
done
is "ten times just before create is done: it fails for that reason, or there is such a VM" "$said" ""
rm -f "$work/err"

# ---- run

bundle "$work/run" hello '[{"type": "serial"}]'
add_hooks "$work/run"
run() { timeout 60 "$vmrun_bin" --root "$root" run --id vm "$work/run" </dev/null 2>"$work/err" | tr -d '\r'; }
is "run: the guest's output, and no other" "$(run)" "hello from the guest"
is "all hooks" "$(ran | sed 's/ [12]//g')" \
	"$(printf '%s,%s,' prestart{,} createRuntime{,} createContainer{,} poststart{,} poststop{,})"
clean
touch "$work/fail.poststart"
run >/dev/null
is "run with a poststart hook that fails" "$(grep -v warning "$work/err")" \
	"vmrun: error running poststart hook #0: $work/hook: exit status 3: poststart says why"
is "nothing is left" "$(left)" ""
is "poststop hooks ran" "$(ran | grep -o 'poststop.*')" "poststop 1,poststop 2,"
