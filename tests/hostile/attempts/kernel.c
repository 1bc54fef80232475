/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets, what is shared by names, and interfaces of the kernel that no device needs */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>

#include "tests/hostile/attempts/attempt.h"

#define BAD	 1L
#define FAMILIES 48
#define SHM_KEY	 0x766d7275 /* a segment that the suite makes */

static char buf[4096];
static struct iovec no_bytes = {(void *)BAD, 1};

/* An fd goes with it: of what the process holds, its end of the control socket */
static struct {
	struct cmsghdr head;
	int fd[2];
} rights = {
	.head = {.cmsg_len = CMSG_LEN(sizeof(int)),
		 .cmsg_level = SOL_SOCKET,
		 .cmsg_type = SCM_RIGHTS},
	.fd = {BOOT_FD_CONTROL},
};

static struct msghdr passing = {
	.msg_iov = &no_bytes,
	.msg_iovlen = 1,
	.msg_control = &rights,
	.msg_controllen = sizeof(rights),
};

static long connect_to(const void *addr, socklen_t len, int family)
{
	const long fd = CALL3(SYS_socket, family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	long rc;

	if (fd < 0)
		return fd;
	rc = CALL3(SYS_connect, fd, addr, len);
	CALL1(SYS_close, fd);
	return rc;
}

/* tests/guests/hostile_attempts.sh listens there. */
static long connect_abstract(long each UNUSED)
{
	static const struct sockaddr_un un = {AF_UNIX, "\0vmrun-hostile"};

	return connect_to(&un, sizeof(sa_family_t) + 14, AF_UNIX);
}

static long connect_path(long each UNUSED)
{
	static const struct sockaddr_un un = {AF_UNIX, "/tmp/vmrun-nonexistent"};
	const long rc = connect_to(&un, sizeof(un), AF_UNIX);

	return rc == -ENOENT && CALL2(SYS_access, "/tmp", 0) == 0 ? 0 : rc;
}

static long connect_tcp(long each UNUSED)
{
	const struct sockaddr_in in = {AF_INET, htons(1), {htonl(INADDR_LOOPBACK)}, {0}};

	return connect_to(&in, sizeof(in), AF_INET);
}

#define ON_SOCKET .each = EACH_SOCKET
#define ALL	  .each = EACH_NUMBER, .number = FAMILIES, .gives = GIVES_FD

static const struct attempt sockets[] = {
	{"socket, stream", SYS_socket, {EACH, SOCK_STREAM, 0}, ALL},
	{"socket, datagram", SYS_socket, {EACH, SOCK_DGRAM, 0}, ALL},
	{"socket, seqpacket", SYS_socket, {EACH, SOCK_SEQPACKET, 0}, ALL},
	{"socket, raw", SYS_socket, {EACH, SOCK_RAW, 0}, ALL},
	{"socket, packets", SYS_socket, {AF_PACKET, SOCK_RAW, 0x300}, .gives = GIVES_FD},
	{"socket, IP", SYS_socket, {AF_INET, SOCK_RAW, IPPROTO_ICMP}, .gives = GIVES_FD},
	{"socketpair", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, BAD}, .reached = EFAULT},
	{"an abstract name", .run = connect_abstract},
	{"a path", .run = connect_path, .reached = ECONNREFUSED},
	{"TCP to the host", .run = connect_tcp, .reached = ECONNREFUSED},
	{"connect", SYS_connect, {EACH, (long)buf, 2}, ON_SOCKET, .reached = EISCONN},
	{"bind", SYS_bind, {EACH, (long)buf, 2}, ON_SOCKET},
	{"listen", SYS_listen, {EACH, 1}, ON_SOCKET},
	{"accept", SYS_accept, {EACH, 0, 0}, ON_SOCKET, .gives = GIVES_FD},
	{"accept4", SYS_accept4, {EACH, 0, 0, SOCK_CLOEXEC}, ON_SOCKET, .gives = GIVES_FD},
	{"getsockname", SYS_getsockname, {EACH, (long)buf, (long)(buf + 64)}, ON_SOCKET},
	{"getpeername", SYS_getpeername, {EACH, (long)buf, (long)(buf + 64)}, ON_SOCKET},
	{"getsockopt",
	 SYS_getsockopt,
	 {EACH, SOL_SOCKET, SO_PEERCRED, (long)buf, (long)(buf + 64)},
	 ON_SOCKET},
	{"setsockopt", SYS_setsockopt, {EACH, SOL_SOCKET, SO_PASSCRED, (long)buf, 4}, ON_SOCKET},
	{"recvfrom",
	 SYS_recvfrom,
	 {EACH, BAD, 1, MSG_DONTWAIT | MSG_PEEK, 0, 0},
	 ON_SOCKET,
	 .may = "vmm",
	 .error = ANY_ERROR},
	{"sendto an address", SYS_sendto, {EACH, BAD, 1, MSG_DONTWAIT, (long)buf, 2}, ON_SOCKET},
	{"sendto out of band", SYS_sendto, {EACH, BAD, 1, MSG_OOB, 0, 0}, ON_SOCKET},
	{"recvmsg out of band", SYS_recvmsg, {EACH, BAD, MSG_OOB | MSG_DONTWAIT}, ON_SOCKET},
	{"recvmmsg", SYS_recvmmsg, {EACH, BAD, 1, MSG_DONTWAIT, 0}, ON_SOCKET},
};

/* The message cannot be read, so what would be passed is not. */
static const struct attempt fds[] = {
	{"sendmsg of an fd", SYS_sendmsg, {EACH, (long)&passing, 0}, ON_SOCKET, .reached = EFAULT},
	{"sendmsg of an fd, as the VMM sends",
	 SYS_sendmsg,
	 {EACH, (long)&passing, MSG_NOSIGNAL},
	 ON_SOCKET,
	 .reached = EFAULT,
	 .may = "vmm",
	 .error = EFAULT},
	{"sendmmsg of an fd",
	 SYS_sendmmsg,
	 {EACH, (long)&passing, 1, 0},
	 ON_SOCKET,
	 .reached = EFAULT},
	{"recvmsg of fds that stay open",
	 SYS_recvmsg,
	 {EACH, (long)&passing, MSG_TRUNC | MSG_DONTWAIT},
	 ON_SOCKET},
};

/* The jail calls its host so. */
static long host_name(long each UNUSED)
{
	struct utsname *u = (struct utsname *)buf;
	const long rc = CALL1(SYS_uname, buf);

	return rc < 0 ? rc : strcmp(u->nodename, "jail") == 0 ? -ENODATA : 0;
}

static const struct attempt names[] = {
	{"the host's name", .run = host_name},
	{"sethostname", SYS_sethostname, {BAD, 4}, .reached = EFAULT},
	{"setdomainname", SYS_setdomainname, {BAD, 4}, .reached = EFAULT},
	{"shmget", SYS_shmget, {SHM_KEY, 0, 0}},
	{"shmat", SYS_shmat, {-1, 0, 0}},
	{"semget", SYS_semget, {SHM_KEY, 1, 0}},
	{"msgget", SYS_msgget, {SHM_KEY, 0}},
	{"mq_open", SYS_mq_open, {PATH("a"), O_RDWR, 0, 0}, .gives = GIVES_FD},
	{"sysinfo", SYS_sysinfo, {(long)buf}},
	{"times", SYS_times, {(long)buf}},
	{"getrusage", SYS_getrusage, {0, (long)buf}},
	{"getcpu", SYS_getcpu, {(long)buf, 0, 0}},
	{"settimeofday", SYS_settimeofday, {0, 0}},
	{"adjtimex", SYS_adjtimex, {(long)(buf + 1024)}},
	{"clock_gettime of the CPU", SYS_clock_gettime, {CLOCK_PROCESS_CPUTIME_ID, (long)buf}},
	{"clock_nanosleep", SYS_clock_nanosleep, {CLOCK_MONOTONIC, 0, (long)(buf + 1024), 0}},
};

static const struct attempt keyrings[] = {
	{"add_key",
	 SYS_add_key,
	 {PATH("user"), PATH("vmrun"), PATH("x"), 1, KEY_SPEC_PROCESS_KEYRING}},
	{"request_key", SYS_request_key, {PATH("user"), PATH("none"), 0, 0}, .reached = ENOKEY},
	{"the session's keyring", SYS_keyctl, {KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0}},
	{"the user's keyring", SYS_keyctl, {KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1}},
	{"read a key", SYS_keyctl, {KEYCTL_READ, KEY_SPEC_SESSION_KEYRING, 0, 0}},
	{"join another", SYS_keyctl, {KEYCTL_JOIN_SESSION_KEYRING, 0}},
};

static const union bpf_attr map = {
	.map_type = BPF_MAP_TYPE_ARRAY,
	.key_size = 4,
	.value_size = 4,
	.max_entries = 1,
};
static const struct perf_event_attr event = {
	.type = PERF_TYPE_SOFTWARE,
	.size = sizeof(event),
	.config = PERF_COUNT_SW_CPU_CLOCK,
	.exclude_kernel = 1,
};

static const struct attempt kernel[] = {
	{"bpf", SYS_bpf, {BPF_MAP_CREATE, (long)&map, sizeof(map)}, .gives = GIVES_FD},
	{"perf_event_open", SYS_perf_event_open, {(long)&event, 0, -1, -1, 0}, .gives = GIVES_FD},
	{"io_uring_setup", SYS_io_uring_setup, {1, (long)(buf + 2048)}, .gives = GIVES_FD},
	{"io_uring_register", SYS_io_uring_register, {EACH, 8, 0, 0}, .each = EACH_FD},
	{"io_uring_enter", SYS_io_uring_enter, {EACH, 0, 0, 0, 0, 0}, .each = EACH_FD},
	{"io_setup", SYS_io_setup, {1, (long)(buf + 2048)}},
	{"userfaultfd", SYS_userfaultfd, {0}, .gives = GIVES_FD},
	{"userfaultfd of user code", SYS_userfaultfd, {1}, .gives = GIVES_FD},
	{"landlock_create_ruleset", SYS_landlock_create_ruleset, {0, 0, 1}},
	{"init_module", SYS_init_module, {BAD, 1, BAD}, .reached = EFAULT},
	{"finit_module", SYS_finit_module, {-1, BAD, 0}, .reached = EBADF},
	{"delete_module", SYS_delete_module, {PATH("no_such"), O_NONBLOCK}, .reached = ENOENT},
	{"kexec_load", SYS_kexec_load, {0, 99, 0, 0}, .reached = EINVAL},
	{"reboot", SYS_reboot, {0, 0, 0, 0}, .reached = EINVAL},
	{"swapon", SYS_swapon, {PATH("/nonexistent"), 0}, .reached = ENOENT},
	{"acct", SYS_acct, {PATH("/nonexistent")}, .reached = ENOENT},
	{"quotactl", SYS_quotactl, {0x80000700, PATH("/dev/null"), 0, 0}, .reached = ENOTBLK},
	{"syslog", SYS_syslog, {10, 0, 0}},
	{"iopl", SYS_iopl, {3}},
	{"ioperm", SYS_ioperm, {0x80, 1, 1}},
	{"modify_ldt", SYS_modify_ldt, {0, (long)buf, sizeof(buf)}},
	{"set_thread_area", SYS_set_thread_area, {(long)buf}},
	{"lookup_dcookie", SYS_lookup_dcookie, {0, (long)buf, 16}},
	{"rseq", SYS_rseq, {BAD, 32, 0, 0}},
	{"membarrier", SYS_membarrier, {0, 0, 0}},
	{"listns", 470, {(long)(buf + 2048), (long)buf, 1, 0}},
	{"an unknown call", 1022},
	{"a number beyond all", 0x3fffffff},
	{"a negative number", -4},
};

const struct attempt_theme attempt_themes_kernel[] = {
	THEME("sockets", sockets),
	THEME("fds passed on", fds),
	THEME("shared names and clocks", names),
	THEME("keyrings", keyrings),
	THEME("interfaces of the kernel", kernel),
	{0},
};
