# shellcheck shell=bash
# tests/linux/containers.bash: programs of Debian's that run containers, where they expect to be, and nothing of this machine
# changed: they are unpacked into the cache, and a mount namespace has them over /usr. Source it at the top of the tree.

containers_packages=(podman conmon containerd buildah netavark iptables catatonit containernetworking-plugins slirp4netns uidmap curl protobuf-compiler erofs-utils)

# containers_enter TREE... -- CMD...: CMD with these trees of packages over /usr and /etc; what it writes to /etc, /var and /run,
# and its networks, end with it. RUNTIME, or vmrun, is what podman runs containers with.
containers_enter() {
	local trees=()
	while [ "$1" != -- ]; do
		trees+=("$1")
		shift
	done
	shift
	unshare --mount --net bash -euc "$(declare -f containers_mount containers_configure)
		containers_mount ${trees[*]@Q}
		containers_configure ${RUNTIME:-vmrun} ${B:-build}
		"'exec "$@"' - "$@"
}

# containers_mount TREE...: in a namespace of its own
containers_mount() {
	local t lower d
	t=$(mktemp -d)
	mount -t tmpfs -o mode=755 containers "$t"
	for d in usr etc var; do
		lower=$(for tree in "$@"; do [ ! -d "$tree/$d" ] || printf '%s:' "$tree/$d"; done)
		mkdir "$t/$d" "$t/$d.work"
		mount -t overlay -o "lowerdir=$lower/$d,upperdir=$t/$d,workdir=$t/$d.work" overlay "/$d"
	done
	mount -t tmpfs -o mode=755 run /run
	ip link set lo up
}

# containers_configure RUNTIME BUILD: no registry, no systemd, no limits that a caller without CAP_SYS_RESOURCE cannot raise
containers_configure() {
	local tool
	rm -rf /etc/cni
	for tool in iptables ip6tables; do ln -sf "$tool-nft" "/usr/sbin/$tool"; done # what update-alternatives does
	mkdir -p /etc/containers /etc/containerd
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >/etc/containers/policy.json
	cat >/etc/containers/storage.conf <<-END
	[storage]
	driver = "vfs"
	runroot = "/run/containers/storage"
	graphroot = "/var/lib/containers/storage"
	END
	cat >/etc/containers/containers.conf <<-END
	[containers]
	log_driver = "k8s-file"
	default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
	[network]
	network_backend = "netavark"
	[engine]
	cgroup_manager = "cgroupfs"
	events_logger = "file"
	runtime = "$1"
	runtime_supports_json = ["runc", "vmrun"]
	runtime_supports_nocgroup = ["runc", "vmrun"]
	runtime_supports_kvm = ["vmrun"]
	[engine.runtimes]
	vmrun = ["$(readlink -f "$2")/bin/vmrun"]
	END
	cat >/etc/containerd/config.toml <<-END
	version = 2
	disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
		"io.containerd.snapshotter.v1.zfs"]
	[plugins."io.containerd.grpc.v1.cri"]
	  sandbox_image = "localhost/pause:1"
	[plugins."io.containerd.grpc.v1.cri".cni]
	  bin_dir = "/usr/lib/cni"
	[plugins."io.containerd.grpc.v1.cri".containerd]
	  snapshotter = "native"
	  default_runtime_name = "vmrun"
	[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.vmrun]
	  runtime_type = "io.containerd.runc.v2"
	  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.vmrun.options]
	    BinaryName = "$(PATH=$(readlink -f "$2")/bin:$PATH type -P "$1")"
	END
	mkdir -p /etc/cni/net.d
	cat >/etc/cni/net.d/pods.conflist <<-END
	{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "pods", "isGateway": true, "ipam":
		{"type": "host-local", "ranges": [[{"subnet": "10.99.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
	END
}

# containers_rootfs DIR: busybox and what the tests use of it, users root and user
containers_rootfs() {
	local a
	mkdir -p "$1"/{bin,etc,proc,sys,dev,tmp,root,home/user,var,run}
	cp "$(command -v busybox)" "$1/bin/busybox"
	for a in awk cat chmod cut dd df echo env false grep head hostname httpd id ip kill killall ls mkdir mount od printf ps pwd readlink rm \
		sed seq sh sha256sum sleep sort stat stty tail touch tr true tty umount wc wget yes; do
		ln -s busybox "$1/bin/$a"
	done
	printf '%s\n' root:x:0:0:root:/root:/bin/sh user:x:1000:1000:user:/home/user:/bin/sh >"$1/etc/passwd"
	printf '%s\n' root:x:0: user:x:1000: more:x:77:user >"$1/etc/group"
	chown 1000:1000 "$1/home/user"
}

# containers_run "$@": a script goes on with those programs, as `SCRIPT --inside`; where the processor has neither vmx nor svm on an
# emulated machine, which runc needs only if RUNC_IN_KVMHOST is set
containers_run() {
	local tree self
	if [ "${1:-}" = --inside ]; then
		. tests/lib.sh
		return
	fi
	. bundle-examples/debs.sh
	self=tests/linux/$(basename "$0")
	tree=$(debs_tree "${containers_packages[@]}") || exit
	# A process costs much on the emulated machine.
	rm -rf "${B:-build}/containers"
	containers_rootfs "${B:-build}/containers/rootfs"
	tar -C "${B:-build}/containers/rootfs" -cf "${B:-build}/containers/rootfs.tar" .
	if [ "${RUNTIME:-vmrun}${RUNC_IN_KVMHOST:-}" = runc ] || grep -qwE 'vmx|svm' /proc/cpuinfo; then
		containers_enter "$tree" -- bash "$self" --inside
	else
		tests/kvmhost/run bash -euc "$(declare -f containers_enter containers_mount containers_configure)"'
			containers_enter "$1" -- bash "$2" --inside' - "$tree" "$self"
	fi
	exit
}

# For the tests, after tests/lib.sh:

# say TEXT: progress with the time, which TAP ignores
say() { echo "# $SECONDS s: $*"; }
# containers_runtime: the program of it
containers_runtime() { PATH=$B/bin:$PATH type -P "${RUNTIME:-vmrun}"; }
# containers_image: an image of it for podman
image=localhost/busybox:1
containers_image() {
	podman import --quiet --change 'CMD=["/bin/sh"]' "$B/containers/rootfs.tar" $image >"$work/out" 2>&1 || cat "$work/out"
}

# answers NAME STATUS REGEX CMD...: its exit status, one of several with | between them, and what it prints, in any case
answers() {
	local name=$1 status=$2 regex=$3 said rc
	shift 3
	said=$("$@" 2>&1 </dev/null)
	rc=$?
	if [[ $rc =~ ^($status)$ ]] && grep -qaiE -- "$regex" <<<"$said"; then ok "$name"; else
		not_ok "$name"
		printf '#   exit %s, wanted %s with /%s/:\n' $rc "$status" "$regex"
		sed 's/^/#   /' <<<"$said"
	fi
}
# typed TEXT CMD...: CMD on a terminal of 40 rows and 132 columns, where TEXT is typed when it says "ready"
typed() {
	local text=$1 out=$work/typed
	shift
	[ -p "$out.in" ] || mkfifo "$out.in"
	: >"$out"
	script -qfec "stty rows 40 cols 132; ${*@Q}; echo status \$?" "$out" <"$out.in" >/dev/null &
	exec 8>"$out.in"
	eventually 30 grep -qaE 'ready|status' "$out"
	printf '%b' "$text" >&8
	wait $!
	exec 8>&-
	grep -av '^Script ' "$out" | tr -d '\r'
}
