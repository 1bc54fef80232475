# shellcheck shell=bash
# debs.sh: Debian packages into a cache, without installing them; sourced by bundle-examples and tests.
#
# The archive is the one this machine's apt uses already, and its apt.conf (proxy, credentials) holds.
# Lists and packages live in a private apt state below the cache, so nothing of the machine's own
# changes. Everything here happens once per cache; afterwards no network is needed.
#
#   debs_dir              the cache; made if it is missing
#   debs_kernel FLAVOUR   unpacked linux-image-FLAVOUR; prints its directory (boot/, lib/modules/)
#   debs_kernel_renew FLAVOUR  that of the cache goes, if apt's lists at hand have a newer one
#   debs_modules KERNEL DIR MODULE...  modules of such a directory, and what they need, into DIR; prints the order
#   debs_qemu             unpacked QEMU; prints its directory (qemu-system-x86_64, version)
#   debs_backends         unpacked back-ends; prints their directory (virtiofsd, qemu-storage-daemon)
#   debs_tree PACKAGE...  unpacked packages, and what they need and this machine lacks; prints their directory

# debs_dir: print the cache's directory
debs_dir() {
	local d=${VMRUN_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vmrun}
	mkdir -p "$d" && (cd "$d" && pwd -P)
}

debs_die() {
	echo "${debs_name:-${0##*/}}: $*" >&2
	exit 1
}

# debs_apt PROGRAM ARGS...: apt-get or apt-cache on the private state, asking nothing
debs_apt() {
	local s prog=$1
	s=$(debs_dir)/apt
	shift
	DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$prog" -q \
		-o "Dir::Etc::sourcelist=$s/sources" -o "Dir::Etc::sourceparts=$s/none" \
		-o "Dir::Etc::preferences=$s/none/none" -o "Dir::Etc::preferencesparts=$s/none" \
		-o "Dir::State=$s/state" -o "Dir::Cache=$s/cache" -o "Dir::Log=$s/log" \
		-o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 \
		-o APT::Update::Post-Invoke-Success= -o APT::Update::Post-Invoke= \
		-o DPkg::Post-Invoke= -o APT::Update::Pre-Invoke= -o DPkg::Pre-Install-Pkgs= \
		-o Acquire::Retries=3 -o Acquire::Languages=none "$@" </dev/null
}

# debs_quiet LOG CMD...: run CMD, show the end of its output only if it fails
debs_quiet() {
	local log=$1
	shift
	"$@" >"$log" 2>&1 || {
		tail -n 15 "$log" >&2
		return 1
	}
}

# debs_sources [SUFFIX...]: sources of this release, with the given suites beside it
debs_sources() {
	local s key=/usr/share/keyrings/debian-archive-keyring.gpg code suffix uri
	s=$(debs_dir)/apt
	code=$(. /etc/os-release && echo "${ID:-}:${VERSION_CODENAME:-}")
	case $code in
	debian:?*) code=${code#debian:} ;;
	*) debs_die "needs Debian's archive, and this is not a Debian release (/etc/os-release)" ;;
	esac
	# Asked of apt itself: it knows both source formats, and no mirror has to be named here.
	uri=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(CREATED_BY) $(REPO_URI)' |
		awk -v c="$code" '$1 ~ "^(" c "|stable)$" && $2 == "main" && $3 == "Packages" { print $4; exit }')
	[ -n "$uri" ] || debs_die "apt knows no archive for Debian $code main"
	mkdir -p "$s/none" "$s/state/lists/partial" "$s/cache/archives/partial" "$s/log"
	for suffix in '' "$@"; do
		echo "deb [signed-by=$key] $uri $code$suffix main"
	done >"$s/sources.new"
	# Kernels get their fixes from the security archive, which is at another address.
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(CREATED_BY) $(REPO_URI)' |
		awk -v k="$key" '$1 ~ "-security$" && $2 == "main" && $3 == "Packages" {
			print "deb [signed-by=" k "] " $4 " " $1 " main"; exit }' >>"$s/sources.new"
	mv "$s/sources.new" "$s/sources"
}

# debs_update: lists into the private state; with backports if they are available
debs_update() {
	local s
	s=$(debs_dir)/apt
	[ -z "$(find "$s/updated" -mmin -60 2>/dev/null)" ] || return 0
	echo "${debs_name:-${0##*/}}: reading the package lists of this machine's Debian archive" >&2
	debs_sources -backports
	if ! debs_apt apt-get update -o APT::Update::Error-Mode=any >"$s/log/update" 2>&1; then
		debs_sources
		debs_quiet "$s/log/update" debs_apt apt-get update -o APT::Update::Error-Mode=any ||
			debs_die "apt-get update failed"
	fi
	touch "$s/updated"
}

# debs_unpack DIR DEB...: unpack into DIR, which appears only when it is complete
debs_unpack() {
	local dir=$1 deb
	shift
	rm -rf "$dir.new"
	mkdir -p "$dir.new"
	for deb in "$@"; do
		dpkg-deb -x "$deb" "$dir.new" || return 1
	done
}

# debs_locked FUNCTION ARGS...: one of several processes does it, the others wait and find it done
debs_locked() {
	local c
	c=$(debs_dir) || return 1
	(
		flock 9
		"$@"
	) 9>"$c/lock"
}

debs_kernel_make() {
	local dir=$1 flavour=$2 s pkg deb version
	[ ! -e "$dir" ] || return 0
	s=$(debs_dir)/apt
	debs_update
	# linux-image-amd64 is empty and depends on the package of one version.
	pkg=$(debs_apt apt-cache depends "linux-image-$flavour" |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1)
	[ -n "$pkg" ] || debs_die "the archive has no linux-image-$flavour"
	echo "${debs_name:-${0##*/}}: downloading $pkg (once)" >&2
	(cd "$s/cache/archives" && debs_quiet "$s/log/download" debs_apt apt-get download "$pkg") ||
		debs_die "cannot download $pkg"
	deb=$(find "$s/cache/archives" -name "${pkg}_*.deb" | head -n 1)
	debs_unpack "$dir" "$deb" || debs_die "cannot unpack $deb"
	[ -d "$dir.new/lib/modules" ] || ln -s usr/lib "$dir.new/lib"
	version=$(basename "$dir.new"/boot/vmlinuz-*)
	version=${version#vmlinuz-}
	depmod -b "$dir.new" "$version" || debs_die "depmod failed"
	echo "$version" >"$dir.new/version"
	dpkg-deb -f "$deb" Version >"$dir.new/package"
	rm -f "$deb"
	mv "$dir.new" "$dir"
}

# debs_kernel FLAVOUR: amd64, cloud-amd64; prints the directory it is unpacked in
debs_kernel() {
	local c
	c=$(debs_dir) || return 1
	[ -e "$c/linux-$1" ] || debs_locked debs_kernel_make "$c/linux-$1" "$1" || return 1
	echo "$c/linux-$1"
}

# debs_kernel_of PROGRAM... FLAVOUR: the version of its package that this apt-cache would install; nothing where it knows none
debs_kernel_of() {
	"${@:1:$#-1}" show --no-all-versions "linux-image-${!#}" 2>/dev/null | sed -n 's/^Version: //p'
}

# debs_kernel_renew FLAVOUR: so that debs_kernel takes the newest one. Lists are as their owner, the machine or this cache, read
# them last, so it needs no network; one that cannot be downloaded leaves the old one.
debs_kernel_renew() {
	local dir known has=0
	dir=$(debs_dir)/linux-$1
	[ -e "$dir" ] || return 0
	[ ! -s "$dir/package" ] || has=$(cat "$dir/package")
	for known in "$(debs_kernel_of apt-cache "$1")" "$(debs_kernel_of debs_apt apt-cache "$1")"; do
		[ -n "$known" ] && dpkg --compare-versions "$known" gt "$has" || continue
		rm -rf "$dir.newest"
		if (debs_locked debs_kernel_make "$dir.newest" "$1"); then
			rm -rf "$dir.old" && mv "$dir" "$dir.old" && mv "$dir.newest" "$dir" && rm -rf "$dir.old"
		fi
		return 0
	done
}

# debs_modules KERNEL DIR MODULE...: modules of an unpacked kernel, and what they need, into DIR, as the kernel loads them;
# prints the names of their files in the order of loading
debs_modules() {
	local kernel=$1 dir=$2 m path
	shift 2
	for m in "$@"; do
		modprobe -S "$(cat "$kernel/version")" -d "$kernel" --show-depends "$m" || debs_die "no module $m"
	done | while read -r m path _; do
		[ "$m" = insmod ] || continue
		m=$(basename "${path%%.ko*}").ko
		case $path in
		*.xz) xz -dc "$path" >"$dir/$m" ;;
		*.zst) zstd -qdc "$path" >"$dir/$m" ;;
		*) cp "$path" "$dir/$m" ;;
		esac
		echo "$m"
	done | awk '!seen[$0]++'
}

debs_qemu_make() {
	local dir=$1 s release=() version
	[ ! -e "$dir" ] || return 0
	s=$(debs_dir)/apt
	debs_update
	version=$(debs_apt apt-cache show --no-all-versions qemu-system-x86 |
		sed -n 's/^Version: [0-9]*:\([0-9]*\).*/\1/p')
	# Before 10, several vCPUs of an emulated AMD-V machine lock up.
	if [ "${version:-0}" -lt 10 ] && grep -q -- -backports "$s/sources"; then
		release=(-t "$(sed -n 's/.* \([a-z]*-backports\) .*/\1/p' "$s/sources")")
	fi
	echo "${debs_name:-${0##*/}}: downloading QEMU (once)" >&2
	rm -f "$s/cache/archives"/*.deb
	# apt works out which of QEMU's libraries this machine lacks; --reinstall fetches QEMU itself
	# even where the same version is installed.
	debs_quiet "$s/log/download" debs_apt apt-get install -y --download-only --reinstall \
		--no-install-recommends "${release[@]}" \
		qemu-system-x86 qemu-system-common qemu-system-data seabios ||
		debs_die "cannot download QEMU"
	debs_unpack "$dir" "$s/cache/archives"/*.deb || debs_die "cannot unpack QEMU"
	rm -f "$s/cache/archives"/*.deb
	cat >"$dir.new/qemu-system-x86_64" <<-'END'
	#!/bin/sh
	d=$(dirname "$(readlink -f "$0")")
	LD_LIBRARY_PATH=$d/lib/x86_64-linux-gnu:$d/usr/lib/x86_64-linux-gnu
	export LD_LIBRARY_PATH
	exec "$d/usr/bin/qemu-system-x86_64" -L "$d/usr/share/qemu" -L "$d/usr/share/seabios" "$@"
	END
	chmod +x "$dir.new/qemu-system-x86_64"
	"$dir.new/qemu-system-x86_64" --version |
		sed -n 's/.*version \([0-9.]*\).*/\1/p' >"$dir.new/version"
	[ -s "$dir.new/version" ] || debs_die "the downloaded QEMU does not run"
	mv "$dir.new" "$dir"
}

# debs_qemu: prints the directory QEMU is unpacked in
debs_qemu() {
	local c
	c=$(debs_dir) || return 1
	[ -e "$c/qemu" ] || debs_locked debs_qemu_make "$c/qemu" || return 1
	echo "$c/qemu"
}

debs_backends_make() {
	local dir=$1 s code name
	[ ! -e "$dir" ] || return 0
	s=$(debs_dir)/apt
	debs_update
	code=$(. /etc/os-release && echo "$VERSION_CODENAME")
	echo "${debs_name:-${0##*/}}: downloading virtiofsd and qemu-storage-daemon (once)" >&2
	rm -f "$s/cache/archives"/*.deb
	debs_quiet "$s/log/download" debs_apt apt-get install -y --download-only --reinstall --allow-downgrades \
		--no-install-recommends "qemu-system-common/$code" || debs_die "cannot download qemu-system-common"
	debs_unpack "$dir" "$s/cache/archives"/*.deb || debs_die "cannot unpack qemu-system-common"
	rm -f "$s/cache/archives"/*.deb
	for name in usr/bin/qemu-storage-daemon usr/lib/qemu/virtiofsd; do
		[ -x "$dir.new/$name" ] || debs_die "qemu-system-common of $code has no $name"
		cat >"$dir.new/${name##*/}" <<-END
		#!/bin/sh
		d=\$(dirname "\$(readlink -f "\$0")")
		LD_LIBRARY_PATH=\$d/lib/x86_64-linux-gnu:\$d/usr/lib/x86_64-linux-gnu
		export LD_LIBRARY_PATH
		exec "\$d/$name" "\$@"
		END
		chmod +x "$dir.new/${name##*/}"
	done
	mv "$dir.new" "$dir"
}

# debs_backends: prints the directory with virtiofsd and qemu-storage-daemon, as this release has them
debs_backends() {
	local c
	c=$(debs_dir) || return 1
	[ -e "$c/backends" ] || debs_locked debs_backends_make "$c/backends" || return 1
	echo "$c/backends"
}

debs_tree_make() {
	local dir=$1 s
	shift
	[ ! -e "$dir" ] || return 0
	s=$(debs_dir)/apt
	debs_update
	echo "${debs_name:-${0##*/}}: downloading $* (once)" >&2
	rm -f "$s/cache/archives"/*.deb
	debs_quiet "$s/log/download" debs_apt apt-get install -y --download-only --reinstall --no-install-recommends "$@" &&
		debs_unpack "$dir" "$s/cache/archives"/*.deb || return 1
	rm -f "$s/cache/archives"/*.deb
	mv "$dir.new" "$dir"
}

# debs_tree PACKAGE...: prints the directory they are unpacked in
debs_tree() {
	local dir
	dir=$(debs_dir)/tree-$(tr ' ' - <<<"$*")
	[ -e "$dir" ] || debs_locked debs_tree_make "$dir" "$@" || debs_die "$* cannot be downloaded"
	echo "$dir"
}
