# shellcheck shell=bash
# tests/linux/containers.bash: programs of Debian's that run containers, where they expect to be, and nothing of this machine
# changed: they are unpacked into the cache, and a mount namespace has them over /usr. Source it after debs.sh.

containers_packages=(podman conmon containerd buildah netavark iptables)

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
	disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
		"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
	END
}
