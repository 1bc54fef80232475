#!/bin/bash
# A static function has the prefix of its file, so that grep finds the one that is meant: the file's name, or the first
# word of it. No two files have one of the same name.
. "$(dirname "$0")/lib.bash"

# families: the files that go by a shorter word
families() {
	cat <<'END'
cmd/vmrun-dev.c                   dev
cmd/vmrun-vmm.c                   vmm
devices/core/fdio.c               fd
devices/core/virtqueue.c          vq
devices/net/vhost_net.c           vn
devices/vsock/vhost_vsock.c       vv
devices/vsock/vhost_vsock_relay.c relay
vmm/kvm.c                         vm
END
}

files '*.c' '*.h' | grep -v '^tests/' | tr '\n' '\0' |
	xargs -0 sed -nE 's/^static ([^=;()]*[ *])?([a-z_0-9]+)\(.*/\2/;T;F;p' | paste -d' ' - - | sort -u >"$work/statics"
[ -s "$work/statics" ] || echo "no static functions found" >"$work/names"
awk '
	{ n[$2]++; where[$2] = where[$2] " " $1 }
	END { for (name in n) if (n[name] > 1) print name ":" where[name] }' "$work/statics" | sort >>"$work/names"
verdict "no static function has the name of another file's" "$work/names"

# inline functions of headers are for others
grep '\.c ' "$work/statics" | awk 'NR == FNR { family[$1] = $2; next } {
	stem = $1; gsub(/.*\/|\.c$/, "", stem); sub(/_.*/, "", stem)
	if ($1 in family) word = family[$1]; else word = stem
	if (index($2 "_", word "_") != 1) print $1 ": " $2 "() lacks the prefix " word "_"
}' <(families) - >"$work/prefix"
verdict "static functions have the prefix of their file" "$work/prefix"
