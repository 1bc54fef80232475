#!/bin/bash
# A stock Linux guest that asks for its network, as installed disks and cloud images do: busybox's udhcpc, the
# kernel's own IPv6, and systemd-networkd, the client of Debian's cloud images, by DHCP, router advertisements
# and DHCPv6. Without vmx or svm the whole script runs inside one tests/kvmhost machine.
if [ "${1:-}" != --built ]; then
	cd "$(dirname "$0")/../.." || exit 1
	dir=$PWD/${B:-build}/linux-dhcp
	rm -rf "$dir"
	set -e
	bundle-examples/build --image-size 16 --memory 256 --job tests/linux/jobs/net "$dir/asks"
	# systemd-networkd with its libraries, to be run in a chroot
	networkd=/lib/systemd/systemd-networkd tree=$dir/networkd
	mkdir -p "$tree"/{proc,sys,dev,run,etc/systemd/network,tmp,var}
	for f in $networkd $(ldd $networkd | grep -o '/[^ :]*' | sort -u); do
		install -D "$f" "$tree/$f"
	done
	echo "systemd-network:x:998:998::/:/" >"$tree/etc/passwd"
	echo "systemd-network:x:998:" >"$tree/etc/group"
	echo 0123456789abcdef0123456789abcdef >"$tree/etc/machine-id"
	printf '[Match]\nName=eth1\n[Network]\nDHCP=yes\n' >"$tree/etc/systemd/network/eth1.network"
	truncate -s 64M "$dir/networkd.img"
	mke2fs -q -F -t ext4 -E root_owner=0:0 -d "$tree" "$dir/networkd.img"
	# With an "ip=" of the user's no other words come to the kernel's command line.
	jq --arg disk "$dir/networkd.img" '.hostname = "web" | .vm.kernel.parameters += ["ip=dhcp"] | .vm.devices += [
		{type: "block", path: $disk, format: "raw"},
		{type: "net", mode: "tap", name: "vmtap0", hostIp: "10.9.0.1/24", guestIp: "10.9.0.77", mtu: 1400,
		 dns: ["9.9.9.9", "1.1.1.1"]},
		{type: "net", mode: "netns", netns: "/run/netns/pod", dns: ["9.9.9.9", "2620:fe::9"]}]' \
		"$dir/asks/config.json" >"$dir/config"
	mv "$dir/config" "$dir/asks/config.json"
	set +e
	grep -qwE 'vmx|svm' /proc/cpuinfo || exec tests/kvmhost/run "$0" --built
	# The host's part below is a network namespace of its own on a real machine too.
	exec unshare --net --mount "$0" --built
fi
. "$(dirname "$0")/../lib.sh"
dir=$B/linux-dhcp
. tests/linux/guest.bash
trap 'ip -all netns delete; cleanup; kill $(jobs -p) 2>/dev/null' EXIT
mkdir -p "$root" /run/netns
ip link set lo up
id=asks

# A pod as network plug-ins make them: a /32, a gateway outside, IPv6 by the router's link-local address, an
# address made of the MAC and one that is not. Its router is a namespace at the other end of its link.
ip netns add pod
ip netns add router
ip -n pod link add eth0 address 02:00:00:00:00:55 type veth peer name pod0 netns router
ip netns exec router sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv4.ip_forward=1
ip -n router link set lo up
ip -n router link set pod0 mtu 1450 up
ip -n router addr add 169.254.1.1/32 dev pod0
ip -n router addr add fe80::1/64 dev pod0 nodad
for a in 10.77.0.1/32 fd77::1/128; do ip -n router addr add $a dev lo; done
ip -n router route add 10.9.1.2 dev pod0
for net in fd00::/64 fd01::/64; do ip -n router -6 route add $net dev pod0; done
ip -n pod link set eth0 mtu 1450 up
ip -n pod addr add 10.9.1.2/32 dev eth0
for a in fd00::ff:fe00:55/64 fd01::7/64; do ip -n pod addr add $a dev eth0 nodad; done
ip -n pod route add 169.254.1.1 dev eth0
for to in default 10.77.0.0/16; do ip -n pod route add $to via 169.254.1.1; done
for to in default fd77::/48; do ip -n pod -6 route add $to via fe80::1 dev eth0; done
before=$(world)

boot $id
up $id 120
is_running $id || exit
like "the command line says nothing" "$(ask $id cmdline 'cat /proc/cmdline')" 'ip=dhcp *$'
# until_or SECONDS CONDITION: a wait for the guest to carry out
until_or() { echo "n=0; until $2 || [ \$n = $1 ]; do sleep 1; n=\$((n + 1)); done"; }

# ---- udhcpc ----
ask $id script 'printf "#!/bin/sh\necho \$1 >>/run/reasons\n[ \$1 = deconfig ] && exit\nenv >/run/env\nip addr replace \$ip/\$mask dev \$interface\nip link set \$interface mtu \$mtu\nip route replace default via \$router\n" >/run/script; chmod +x /run/script; ip link set eth0 up; echo made' >/dev/null
ask $id udhcpc "udhcpc -b -p /run/pid -i eth0 -s /run/script -O mtu -O hostname -t 20 -T 1 2>&1" >/dev/null
said=$(ask $id env "$(until_or 20 'grep -q bound /run/reasons'); cat /run/env")
for word in ip=10.9.0.77 mask=24 subnet=255.255.255.0 router=10.9.0.1 serverid=10.9.0.1 mtu=1400 hostname=web \
	lease=4294967295 'dns=9.9.9.9 1.1.1.1'; do
	like "udhcpc: $word" "$said" "(^| )$word "
done
succeeds "udhcpc: the host pings" pings 10.9.0.77
is "udhcpc: the host reads" "$(sum_of http://10.9.0.77/data)" "$sum"
# By a socket of the guest's kernel, which leaves the checksum to the device
like "udhcpc: renews" "$(ask $id renew "kill -USR1 \$(cat /run/pid); $(until_or 20 'grep -q renew /run/reasons'); cat /run/reasons")" 'bound renew'
say "udhcpc done"

# ---- the kernel's own IPv6 ----
out=$(ask $id auto "ip link set eth1 up; $(until_or 20 'ip -6 addr show dev eth1 | grep fd00:: | grep -qv tentative'); ip -6 addr show dev eth1; ip -6 route show dev eth1; cat /proc/sys/net/ipv6/conf/eth1/mtu")
like "kernel: the address that its MAC makes" "$out" 'inet6 fd00::ff:fe00:55/64 scope global'
like "kernel: a network on the link" "$out" 'fd01::/64 '
like "kernel: the router" "$out" 'default via fe80::1 '
like "kernel: the MTU" "$out" '1450 *$'
like "kernel: reaches what lies behind the router" "$(ask $id ping6 "ping -6 -c 3 -A -w 20 -I fd00::ff:fe00:55 fd77::1")" ' 3 packets received'
say "kernel's IPv6 done"

# ---- systemd-networkd, as in Debian's cloud images; without udev it wants a read-only /sys ----
ask $id mount 'ip link set eth1 down; cd /run; mkdir n; mount /dev/vdb n && mount -t proc proc n/proc && mount --bind /sys n/sys && mount -o remount,bind,ro n/sys && mount -t devtmpfs dev n/dev && mount -t tmpfs run n/run && mkdir -p n/run/systemd/netif/links n/run/systemd/netif/leases && chown -R 998:998 n/run/systemd/netif && echo mounted' >/dev/null
ask $id networkd "SYSTEMD_LOG_LEVEL=debug chroot /run/n /lib/systemd/systemd-networkd >/run/log 2>&1 & echo begun" >/dev/null
out=$(ask $id network "$(until_or 40 'ip addr show dev eth1 | grep -q fd01::7 && ip addr show dev eth1 | grep -q 10.9.1.2 && ip -6 route | grep -q fd77 && ! ip addr show dev eth1 | grep -q tentative'); ip addr show dev eth1; ip route show dev eth1; ip -6 route show dev eth1; cat /sys/class/net/eth1/mtu")
like "networkd: the IPv4 address" "$out" 'inet 10\.9\.1\.2/32 '
like "networkd: the IPv6 address of DHCPv6" "$out" 'inet6 fd01::7/128 '
like "networkd: and that of its MAC" "$out" 'inet6 fd00::ff:fe00:55/64 '
like "networkd: the default route" "$out" 'default via 169\.254\.1\.1 '
like "networkd: a route to that gateway" "$out" ' 169\.254\.1\.1 dev eth1 scope link'
like "networkd: a further route" "$out" '10\.77\.0\.0/16 via 169\.254\.1\.1 '
like "networkd: the IPv6 router" "$out" 'default via fe80::1 '
like "networkd: a further IPv6 route" "$out" 'fd77::/48 via fe80::1 '
like "networkd: the MTU" "$out" '1450 *$'
out=$(ask $id state 'cat /run/n/run/systemd/netif/leases/* /run/n/run/systemd/netif/links/*')
like "networkd: name servers of both families" "$out" '9\.9\.9\.9.*2620:fe::9|2620:fe::9.*9\.9\.9\.9'
like "networkd: the hostname" "$out" 'HOSTNAME=web'
like "networkd: reaches what lies behind the router" "$(ask $id ping77 "ping -c 3 -A -w 20 10.77.0.1")" ' 3 packets received'
like "networkd: by IPv6, from the other address" "$(ask $id ping677 "ping -6 -c 3 -A -w 20 -I fd01::7 fd77::1")" ' 3 packets received'
succeeds "networkd: the guest is reached" ip netns exec router busybox ping -c 3 -A -w 20 10.9.1.2
[ -z "${DHCP_LOG:-}" ] || ask $id log "tail -n 60 /run/log" | fold -w 200 | sed 's/^/# /'
say "networkd done"

vmrun kill $id
ended $id poweroff 0
succeeds "$id: deleted" vmrun delete $id
clean
say "end"
