#!/bin/bash
# Our network device as a stand-alone vhost-user back-end of QEMU: a stock kernel's ping, and checksummed
# TCP both ways, with and without offloads; the addresses by the command line, by DHCP and by a router's
# advertisement. In a network namespace of its own.
[ "${1:-}" = --inside ] || exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" --inside
. "$(dirname "$0")/../lib.sh"
. bundle-examples/debs.sh
PATH=$PATH:/usr/sbin:/sbin
mkdir -p "$work/sys"
mount -t sysfs none "$work/sys" && mount --bind "$work/sys/class" /sys/class &&
	mount --bind "$work/sys/devices" /sys/devices && umount "$work/sys"
qemu=$(debs_qemu)/qemu-system-x86_64
bundle-examples/build --job tests/linux/jobs/net "$work/vm"
ip link set lo up
host=10.9.8.1 guest=10.9.8.2 device_pid='' qemu_pid='' web_pid=''
finish() {
	# shellcheck disable=SC2086
	kill $device_pid $qemu_pid $web_pid 2>/dev/null
	wait
	cleanup
}
trap finish EXIT
mkdir "$work/www"
seq 1000000 | head -c 4M >"$work/www/data"
sum=$(sha256sum <"$work/www/data" | cut -d' ' -f1)
mkfifo "$work/in"
exec {in}<>"$work/in"
accel=tcg
[ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo && accel=kvm

fact() { tr -d '\r' <"$work/console" | sed -n "s/^fact $1 *//p" | tail -n 1; }
said() { grep -qa "^fact $1" "$work/console" || ! kill -0 "$qemu_pid" 2>/dev/null; }
# ask TAG CMD...: what the guest answers
ask() {
	echo "$*" >&"$in"
	eventually 90 said "$1"
	fact "$1"
}
# boot MACHINE SUFFIX PARAM OPTIONS [OPTION...]: back-end and QEMU; SUFFIX ends the names of virtio devices on its bus,
# PARAM is the kernel's, OPTIONS are the network device's
boot() {
	"$vmrun_bin" device net --socket "$work/net.sock" --tap vmtap0 --guest-ip $guest/24 --gateway $host \
		--dns 9.9.9.9 --guest-ip6 fd98::2/64 --gateway6 fe80::98 --dns 2620:fe::9 --mtu 1480 --hostname alone 2>"$work/device.err" &
	device_pid=$!
	eventually 10 [ -S "$work/net.sock" ] || cat "$work/device.err"
	ip addr add $host/24 dev vmtap0 && ip addr add fe80::98/64 dev vmtap0 nodad && ip link set vmtap0 up
	timeout 240 "$qemu" -nodefaults -no-user-config -display none -no-reboot -M "$1" -accel $accel -m 256 \
		-object memory-backend-memfd,id=ram,size=256M,share=on -machine memory-backend=ram \
		-kernel "$work/vm/vmlinuz" -initrd "$work/vm/initrd.img" \
		-append "console=ttyS0 quiet root=/dev/vda $3" \
		-drive file="$work/vm/root.img",if=none,id=root,format=raw,snapshot=on -device "virtio-blk$2,drive=root" \
		-chardev socket,id=net,path="$work/net.sock" -netdev vhost-user,id=net,chardev=net \
		-device "virtio-net$2,netdev=net,rx_queue_size=1024,tx_queue_size=1024,mac=52:54:00:11:22:33$4" \
		-serial stdio "${@:5}" <"$work/in" >"$work/console" 2>"$work/qemu.err" &
	qemu_pid=$!
	eventually 120 said ready
	if grep -qa '^fact ready' "$work/console"; then ok "$name: boots"; else
		not_ok "$name: boots"
		tail -n 30 "$work/qemu.err" "$work/console" "$work/device.err" | sed 's/^/# /'
	fi
}
# talk: in both directions
talk() {
	# On a busy machine QEMU may be slower than the host's patience with ARP.
	eventually 60 busybox ping -q -c 1 -W 2 $guest >/dev/null
	succeeds "$name: the host pings" busybox ping -q -c 5 -i 0.05 $guest
	succeeds "$name: in fragments" busybox ping -q -c 3 -i 0.05 -s 20000 $guest
	is "$name: the host reads" "$(busybox timeout 90 busybox wget -q -O - "$guest/data" | sha256sum | cut -d' ' -f1)" "$sum"
	is "$name: the guest reads" \
		"$(ask fetched "wget -q -O - $host:8080/data | sha256sum | cut -d' ' -f1" | tr -d ' ')" "$sum"
	like "$name: nothing was lost on the way" "$(ask drops 'cat /sys/class/net/eth0/statistics/rx_errors')" '^0 *$'
}
end() {
	kill "$qemu_pid" 2>/dev/null
	wait "$qemu_pid"
	qemu_pid=''
	kill "$device_pid"
	wait "$device_pid"
	is "$name: the back-end ends in order" $? 0
	device_pid=''
	is "$name: nothing is left" "$(ls "$work/net.sock" 2>/dev/null; ip -o link | wc -l)" 1
}
busybox httpd -f -p 8080 -h "$work/www" &
web_pid=$!

name=default
boot q35 -pci "ip=$guest::$host:255.255.255.0::eth0:off" ,romfile=
jailed=$(cat "/proc/$(pgrep -P "$device_pid")/status" 2>/dev/null)
like "the device has its seccomp filter" "$jailed" '^Seccomp:[[:space:]]*2$'
like "the device has no capability" "$jailed" '^CapPrm:[[:space:]]*0*$'
talk
features=$(ask features 'cat /sys/bus/virtio/devices/virtio1/features /sys/bus/virtio/devices/virtio0/features')
like "offloads, mergeable buffers and event index are in use" "$features" '11.{9}1.*1'
end

# By virtio-mmio; qemu.sh says why so.
name="plain, microvm"
boot microvm -device "ip=dhcp tsc_early_khz=$(awk '/cpu MHz/ { print int($4 * 1000); exit }' /proc/cpuinfo)" \
	,mrg_rxbuf=off,csum=off,guest_csum=off,gso=off,event_idx=off,indirect_desc=off \
	-bios qboot.rom -global virtio-mmio.force-legacy=false
said=$(ask dhcp 'printf "#!/bin/sh\n[ \$1 = bound ] || exit 0\nenv\nip addr add \$ip/\$mask dev \$interface\nip route add default via \$router\n" >/run/script; chmod +x /run/script; ip link set eth0 up; udhcpc -i eth0 -n -q -s /run/script -O mtu -O hostname -t 20 -T 1 2>/dev/null')
for word in ip=$guest dns=9.9.9.9 mtu=1480 hostname=alone; do
	like "$name: the guest asks, by a MAC that QEMU chose: $word" "$said" "(^| )$word "
done
said=$(ask router 'n=0; until ip -6 route show dev eth0 | grep -q default || [ $n = 20 ]; do sleep 1; n=$((n + 1)); done; ip -6 route show dev eth0; echo mtu $(cat /proc/sys/net/ipv6/conf/eth0/mtu)')
for words in 'default via fe80::98 ' 'fd98::/64 ' 'mtu 1480 '; do
	like "$name: an IPv6 router is advertised: $words" "$said" "$words"
done
succeeds "$name: the router pings by IPv6" busybox ping -6 -q -c 3 -i 0.05 fe80::5054:ff:fe11:2233%vmtap0
talk
end
