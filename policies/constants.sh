#!/bin/bash
# policies/constants.sh CC ARCH OUT.c: the names that policies may use for numbers, with the values of ARCH's kernel headers
#
# Each macro of the headers below that is an integer becomes a line of a sorted table. Nothing here is a list of
# names, but for the few that are younger than the oldest headers we build with, at the end.
set -euo pipefail
export LC_ALL=C
cc=$1 arch=$2 out=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Debian has the headers of another architecture in linux-libc-dev-NAME-cross. A 32-bit ARM's structures are those of
# gcc -m32 whose 64-bit members are aligned to 8, and only sizes of structures depend on that: they are in ioctls' numbers.
case $arch in
x86_64) triplet=x86_64-linux-gnu flags=(-m64) ;;
aarch64) triplet=aarch64-linux-gnu flags=(-U__x86_64__ -D__aarch64__) ;;
arm) triplet=arm-linux-gnueabihf flags=(-m32 -malign-double -U__i386__ -D__arm__ -D__ARM_EABI__) ;;
*) echo "constants.sh: no headers are known for $arch" >&2; exit 1 ;;
esac
if [ "$(uname -m)" = "$arch" ]; then
	flags+=(-isystem "/usr/include/$triplet" -isystem /usr/include)
else
	flags+=(-isystem "/usr/$triplet/include")
	[ -e "/usr/$triplet/include/asm/errno.h" ] || {
		echo "constants.sh: no kernel headers for $arch in /usr/$triplet/include: run tests/deps" >&2
		exit 1
	}
fi
kernel=(-nostdinc -ffreestanding -isystem "$("$cc" -print-file-name=include)" "${flags[@]}")

for h in asm/{errno,fcntl,ioctls,mman,poll,prctl,resource,signal,socket,sockios,stat,termbits} \
	linux/{aio_abi,audit,blkzoned,bpf,capability,close_range,dma-buf,dma-heap,eventpoll,falloc,fanotify,fcntl,fiemap,filter} \
	linux/{fs,fscrypt,fsverity,futex,hidraw,if_tun,io_uring,ioctl,ioprio,ipc,kcmp,keyctl,kvm,landlock,loop,membarrier} \
	linux/{memfd,mempolicy,mman,mount,msg,netlink,nsfs,openat2,perf_event,personality,pidfd,poll,prctl,ptrace,random,reboot} \
	linux/{resource,rseq,rtc,sched,seccomp,securebits,sem,signalfd,sockios,stat,sync_file,tcp,time,timerfd,timex,tty} \
	linux/{udmabuf,udp,usbdevice_fs,userfaultfd,vfio,vhost,vtpm_proxy,wait,watchdog,xattr} \
	drm/drm; do
	printf '#if __has_include(<%s.h>)\n#include <%s.h>\n#endif\n' "$h" "$h"
done >"$work/kernel.h"
# Numbers of sockets are the kernel's too, but only C libraries have them in headers. They are the same for these architectures.
printf '#include <sys/%s.h>\n' socket eventfd >"$work/libc.h"

# integers HEADER FLAG...: "NAME VALUE" of each macro that is an integer, negative ones extended to 64 bits
integers() {
	local header=$1
	shift
	"$cc" "$@" -D_GNU_SOURCE -E -dM "$header" | sed -nE 's/^#define ([A-Za-z][A-Za-z0-9_]*) .+/\1/p' | sort -u >"$work/names"
	# What is no integer does not compile; the line of the error is that of the name. A name that is not declared is
	# reported once, so try again until all is well.
	while :; do
		{
			cat "$header"
			echo '#line 1 "try"'
			awk '{ print "static const unsigned long long c_" $1 " = (unsigned long long)(long long)((" $1 ") | 0);" }' "$work/names"
		} >"$work/try.c"
		"$cc" "$@" -D_GNU_SOURCE -w -fmax-errors=0 -fsyntax-only "$work/try.c" 2>"$work/errors" && break
		sed -nE 's/^try:([0-9]+):.* error: .*/\1/p' "$work/errors" | sort -u >"$work/wrong"
		[ -s "$work/wrong" ] || { cat "$work/errors" >&2; exit 1; }
		awk 'NR == FNR { wrong[$1] = 1; next } !(FNR in wrong)' "$work/wrong" "$work/names" >"$work/good"
		mv "$work/good" "$work/names"
	done
	{
		cat "$header"
		echo 'const unsigned long long all[] = {'
		awk '{ print "(unsigned long long)(long long)((" $1 ") | 0)," }' "$work/names"
		echo '};'
	} >"$work/all.c"
	"$cc" "$@" -D_GNU_SOURCE -w -fno-pic -c -o "$work/all.o" "$work/all.c"
	objcopy -O binary -j .rodata "$work/all.o" "$work/all.bin"
	od -An -v -tx8 -w8 "$work/all.bin" | tr -d ' ' | paste -d' ' "$work/names" -
}

integers "$work/kernel.h" "${kernel[@]}" >"$work/table"
integers "$work/libc.h" >"$work/libc"
# Younger than Linux 6.1's headers
cat >"$work/young" <<'END'
F_DUPFD_QUERY 0000000000000403
MADV_GUARD_INSTALL 0000000000000066
MADV_GUARD_REMOVE 0000000000000067
MAP_DROPPABLE 0000000000000008
MFD_EXEC 0000000000000010
MFD_NOEXEC_SEAL 0000000000000008
PR_GET_AUXV 0000000041555856
PR_GET_MDWE 0000000000000042
PR_SET_MDWE 0000000000000041
RWF_ATOMIC 0000000000000040
RWF_DONTCACHE 0000000000000080
RWF_NOAPPEND 0000000000000020
END
# The first that has a name counts.
awk '!seen[$1]++' "$work/table" "$work/libc" "$work/young" | sort >"$work/merged"
[ "$(wc -l <"$work/merged")" -gt 1000 ] || { echo "constants.sh: hardly any constants in $arch's headers" >&2; exit 1; }
{
	echo '/* SPDX-License-Identifier: BSD-3-Clause */'
	echo "/* Written by policies/constants.sh from the kernel's headers for $arch; not to be edited. */"
	printf '#include "policies/constants.h"\n\n'
	echo 'static const char names[] ='
	awk '{ print "\t\"" $1 "\\0\"" }' "$work/merged"
	printf ';\n\nstatic const uint32_t name[] = {\n'
	awk '{ print "\t" at + 0 ","; at += length($1) + 1 }' "$work/merged"
	printf '};\n\nstatic const uint64_t value[] = {\n'
	awk '{ print "\t0x" $2 "," }' "$work/merged"
	printf '};\n\nconst struct constants constants_%s = {%u, names, name, value};\n' "$arch" "$(wc -l <"$work/merged")"
} >"$out.tmp"
mv "$out.tmp" "$out"
