/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/constants.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <linux/kvm.h>
#include <linux/vhost.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

struct constant {
	const char *name;
	uint64_t value;
};

/* Through int64_t, so that a negative int (AT_FDCWD) is sign-extended as a caller would pass it. */
#define C(name)                                                                                    \
	{                                                                                          \
#name, (uint64_t)(int64_t)(name)                                                   \
	}

/* One group a paragraph, filled. */
/* clang-format off */
static const struct constant constants[] = {
	/* mmap, mprotect, madvise */
	C(PROT_NONE), C(PROT_READ), C(PROT_WRITE), C(PROT_EXEC), C(MAP_SHARED), C(MAP_PRIVATE),
	C(MAP_FIXED), C(MAP_FIXED_NOREPLACE), C(MAP_ANONYMOUS), C(MAP_NORESERVE), C(MAP_STACK),
	C(MAP_POPULATE), C(MAP_HUGETLB), C(MAP_SHARED_VALIDATE), C(MADV_NORMAL), C(MADV_DONTNEED),
	C(MADV_REMOVE), C(MADV_FREE), C(MADV_DONTFORK), C(MADV_DONTDUMP), C(MADV_HUGEPAGE),
	C(MADV_NOHUGEPAGE), C(MADV_MERGEABLE), C(MADV_POPULATE_WRITE),
	/* open, fcntl, lseek, fallocate, stat, preadv2 */
	C(O_RDONLY), C(O_WRONLY), C(O_RDWR), C(O_CLOEXEC), C(O_NONBLOCK), C(O_PATH), C(O_DIRECTORY),
	C(O_NOFOLLOW), C(O_CREAT), C(O_EXCL), C(O_TRUNC), C(O_APPEND), C(O_DIRECT), C(AT_FDCWD),
	C(AT_EMPTY_PATH), C(AT_NO_AUTOMOUNT), C(AT_STATX_DONT_SYNC), C(AT_SYMLINK_FOLLOW), C(AT_SYMLINK_NOFOLLOW), C(AT_REMOVEDIR),
	C(F_DUPFD), C(F_DUPFD_CLOEXEC), C(F_GETFD), C(F_SETFD), C(F_GETFL),
	C(F_SETFL), C(F_ADD_SEALS), C(F_GET_SEALS), C(F_OFD_GETLK), C(F_OFD_SETLK), C(LOCK_SH),
	C(LOCK_EX), C(LOCK_UN), C(LOCK_NB), C(FD_CLOEXEC), C(SEEK_SET), C(SEEK_CUR),
	C(SEEK_END), C(SEEK_DATA), C(SEEK_HOLE), C(FALLOC_FL_KEEP_SIZE), C(FALLOC_FL_PUNCH_HOLE),
	C(FALLOC_FL_ZERO_RANGE), C(RWF_HIPRI), C(RWF_DSYNC), C(RWF_SYNC), C(RWF_NOWAIT),
	C(RWF_APPEND),
	/* sockets */
	C(AF_UNIX), C(AF_INET), C(AF_INET6), C(AF_NETLINK), C(AF_VSOCK), C(SOCK_STREAM),
	C(SOCK_DGRAM), C(SOCK_SEQPACKET), C(SOCK_CLOEXEC), C(SOCK_NONBLOCK), C(SOL_SOCKET), C(SO_PEERCRED),
	C(SO_ERROR), C(SHUT_RD), C(SHUT_WR), C(SHUT_RDWR), C(MSG_DONTWAIT), C(MSG_NOSIGNAL),
	C(MSG_CMSG_CLOEXEC), C(MSG_PEEK), C(MSG_TRUNC), C(MSG_WAITALL),
	/* processes, threads, signals */
	C(CLONE_VM), C(CLONE_FS), C(CLONE_FILES), C(CLONE_SIGHAND), C(CLONE_THREAD),
	C(CLONE_SYSVSEM), C(CLONE_SETTLS), C(CLONE_PARENT_SETTID), C(CLONE_CHILD_CLEARTID),
	C(FUTEX_WAIT), C(FUTEX_WAKE), C(FUTEX_WAIT_BITSET), C(FUTEX_WAIT_PRIVATE),
	C(FUTEX_WAKE_PRIVATE), C(FUTEX_WAIT_BITSET_PRIVATE), C(FUTEX_PRIVATE_FLAG),
	C(FUTEX_CLOCK_REALTIME), C(PR_SET_NAME), C(PR_SET_PDEATHSIG), C(PR_SET_DUMPABLE),
	C(SIGABRT), C(SIGHUP), C(SIGINT), C(SIGKILL), C(SIGTERM), C(SIGUSR1), C(SIGUSR2),
	C(SIG_BLOCK), C(SIG_UNBLOCK), C(SIG_SETMASK), C(CLOCK_MONOTONIC), C(CLOCK_REALTIME),
	C(CLOCK_BOOTTIME), C(GRND_NONBLOCK), C(GRND_RANDOM), C(RLIMIT_NOFILE),
	/* epoll, timers, eventfd, memfd */
	C(EPOLL_CTL_ADD), C(EPOLL_CTL_MOD), C(EPOLL_CTL_DEL), C(EPOLL_CLOEXEC), C(EFD_CLOEXEC),
	C(EFD_NONBLOCK), C(TFD_CLOEXEC), C(TFD_NONBLOCK), C(TFD_TIMER_ABSTIME),
	C(TFD_TIMER_CANCEL_ON_SET), C(MFD_CLOEXEC), C(MFD_ALLOW_SEALING),
	/* io_uring */
	C(IORING_ENTER_GETEVENTS), C(IORING_ENTER_EXT_ARG), C(IORING_ENTER_SQ_WAKEUP),
	/* ioctls: terminals, block devices, tap, vhost */
	C(FIONBIO), C(FIONREAD), C(TCGETS), C(TCSETS), C(TIOCGWINSZ), C(TIOCSTI), C(BLKDISCARD),
	C(BLKZEROOUT), C(BLKFLSBUF), C(BLKGETSIZE64), C(TUNSETIFF), C(TUNSETOFFLOAD),
	C(TUNSETVNETHDRSZ), C(TUNSETQUEUE), C(VHOST_GET_FEATURES), C(VHOST_SET_FEATURES),
	C(VHOST_SET_OWNER), C(VHOST_SET_MEM_TABLE), C(VHOST_SET_VRING_NUM), C(VHOST_SET_VRING_ADDR),
	C(VHOST_SET_VRING_BASE), C(VHOST_GET_VRING_BASE), C(VHOST_SET_VRING_KICK),
	C(VHOST_SET_VRING_CALL), C(VHOST_SET_VRING_ERR), C(VHOST_NET_SET_BACKEND),
	C(VHOST_VSOCK_SET_RUNNING),
	/* ioctls: KVM */
	C(KVM_GET_API_VERSION), C(KVM_CREATE_VM), C(KVM_CHECK_EXTENSION), C(KVM_GET_VCPU_MMAP_SIZE),
	C(KVM_GET_SUPPORTED_CPUID), C(KVM_CREATE_VCPU), C(KVM_SET_USER_MEMORY_REGION), C(KVM_RUN),
	C(KVM_IOEVENTFD), C(KVM_IRQFD), C(KVM_SET_GSI_ROUTING), C(KVM_IRQ_LINE), C(KVM_SIGNAL_MSI),
	C(KVM_GET_REGS), C(KVM_SET_REGS), C(KVM_SET_ONE_REG), C(KVM_GET_ONE_REG), C(KVM_GET_CLOCK),
	C(KVM_SET_CLOCK), C(KVM_GET_MP_STATE), C(KVM_SET_MP_STATE),
#ifdef __x86_64__
	C(KVM_CREATE_IRQCHIP), C(KVM_CREATE_PIT2), C(KVM_GET_SREGS), C(KVM_SET_SREGS),
	C(KVM_GET_SREGS2), C(KVM_SET_CPUID2), C(KVM_GET_MSRS), C(KVM_SET_MSRS), C(KVM_GET_FPU),
	C(KVM_SET_FPU), C(KVM_GET_LAPIC), C(KVM_SET_LAPIC), C(KVM_KVMCLOCK_CTRL), C(KVM_NMI),
	C(KVM_SET_TSS_ADDR), C(KVM_SET_IDENTITY_MAP_ADDR), C(KVM_INTERRUPT),
#endif
};

static const struct constant errnos[] = {
	C(EPERM), C(ENOENT), C(ESRCH), C(EINTR), C(EIO), C(ENXIO), C(E2BIG), C(ENOEXEC), C(EBADF),
	C(ECHILD), C(EAGAIN), C(ENOMEM), C(EACCES), C(EFAULT), C(ENOTBLK), C(EBUSY), C(EEXIST),
	C(EXDEV), C(ENODEV), C(ENOTDIR), C(EISDIR), C(EINVAL), C(ENFILE), C(EMFILE), C(ENOTTY),
	C(ETXTBSY), C(EFBIG), C(ENOSPC), C(ESPIPE), C(EROFS), C(EMLINK), C(EPIPE), C(EDOM),
	C(ERANGE), C(EDEADLK), C(ENAMETOOLONG), C(ENOLCK), C(ENOSYS), C(ENOTEMPTY), C(ELOOP),
	C(ENOMSG), C(EIDRM), C(ECHRNG), C(EL2NSYNC), C(EL3HLT), C(EL3RST), C(ELNRNG), C(EUNATCH),
	C(ENOCSI), C(EL2HLT), C(EBADE), C(EBADR), C(EXFULL), C(ENOANO), C(EBADRQC), C(EBADSLT),
	C(EBFONT), C(ENOSTR), C(ENODATA), C(ETIME), C(ENOSR), C(ENONET), C(ENOPKG), C(EREMOTE),
	C(ENOLINK), C(EADV), C(ESRMNT), C(ECOMM), C(EPROTO), C(EMULTIHOP), C(EDOTDOT), C(EBADMSG),
	C(EOVERFLOW), C(ENOTUNIQ), C(EBADFD), C(EREMCHG), C(ELIBACC), C(ELIBBAD), C(ELIBSCN),
	C(ELIBMAX), C(ELIBEXEC), C(EILSEQ), C(ERESTART), C(ESTRPIPE), C(EUSERS), C(ENOTSOCK),
	C(EDESTADDRREQ), C(EMSGSIZE), C(EPROTOTYPE), C(ENOPROTOOPT), C(EPROTONOSUPPORT),
	C(ESOCKTNOSUPPORT), C(EOPNOTSUPP), C(EPFNOSUPPORT), C(EAFNOSUPPORT), C(EADDRINUSE),
	C(EADDRNOTAVAIL), C(ENETDOWN), C(ENETUNREACH), C(ENETRESET), C(ECONNABORTED), C(ECONNRESET),
	C(ENOBUFS), C(EISCONN), C(ENOTCONN), C(ESHUTDOWN), C(ETOOMANYREFS), C(ETIMEDOUT),
	C(ECONNREFUSED), C(EHOSTDOWN), C(EHOSTUNREACH), C(EALREADY), C(EINPROGRESS), C(ESTALE),
	C(EUCLEAN), C(ENOTNAM), C(ENAVAIL), C(EISNAM), C(EREMOTEIO), C(EDQUOT), C(ENOMEDIUM),
	C(EMEDIUMTYPE), C(ECANCELED), C(ENOKEY), C(EKEYEXPIRED), C(EKEYREVOKED), C(EKEYREJECTED),
	C(EOWNERDEAD), C(ENOTRECOVERABLE), C(ERFKILL), C(EHWPOISON),
};
/* clang-format on */

static const struct constant *constants_find_in(const struct constant *table, size_t nr,
						const char *name, size_t len)
{
	for (size_t i = 0; i < nr; i++) {
		if (strlen(table[i].name) == len && !memcmp(table[i].name, name, len))
			return &table[i];
	}
	return NULL;
}

bool constants_find(const char *name, size_t len, uint64_t *ret)
{
	const struct constant *c = constants_find_in(constants, ARRAY_SIZE(constants), name, len);

	if (!c)
		return false;
	*ret = c->value;
	return true;
}

int constants_errno(const char *name, size_t len)
{
	const struct constant *c = constants_find_in(errnos, ARRAY_SIZE(errnos), name, len);

	return c ? (int)c->value : 0;
}
