/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/standalone.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "devices/core/fmt.h"
#include "runtime/host/backing.h"
#include "runtime/host/inherited.h"
#include "runtime/host/share.h"
#include "runtime/jail/jail.h"
#include "runtime/jail/spawn.h"
#include "runtime/net/net.h"
#include "runtime/supervisor/child.h"
#include "runtime/supervisor/front_ends.h"
#include "runtime/supervisor/signals.h"
#include "runtime/supervisor/standalone_vsock.h"
#include "runtime/util/clock.h"
#include "runtime/util/listen.h"

/* Deaths and signals do not come by a socket, because the device may have passed its end on. */
enum { NEWS_DEATH, NEWS_SIGNAL, NEWS_CONTROL, NEWS_LOG, NEWS_VSOCK, NEWS_FRONT_END, NEWS };

/**
 * struct standing - A stand-alone device and what it holds
 * @listener:	Where its front-ends connect
 * @front_ends:	Those that did
 * @vsock:	The sockets of a vsock device; NULL for others
 * @listen_again_ns: When its log, over its budget now, is read again
 */
struct standing {
	const struct standalone *wanted;
	struct oci_log *log;
	struct listener listener;
	struct front_ends front_ends;
	int res_fd[BOOT_RES_MAX];
	int signal_fd;
	int error_fd[2];
	struct disk disk;
	struct program program;
	struct spawned proc;
	struct standalone_vsock *vsock;
	uint64_t listen_again_ns;
};

static void standalone_done(struct standing *a)
{
	spawned_done(&a->proc);
	standalone_vsock_free(a->vsock);
	front_ends_done(&a->front_ends);
	listen_done(&a->listener);
	for (unsigned int i = 0; i < BOOT_RES_MAX; i++)
		cleanup_close_fd(&a->res_fd[i]);
	cleanup_close_fd(&a->program.fd);
	cleanup_close_fd(&a->error_fd[0]);
	cleanup_close_fd(&a->error_fd[1]);
	/* From here on a signal ends the program, also while it reports an error. */
	signals_release(a->signal_fd);
}
#define cleanup_standing __attribute__((cleanup(standalone_done)))

static int standalone_open_backing(struct standing *a, const struct plan_fd *image,
				   struct boot_dev *b, struct err *err)
{
	struct backing backing;
	int rc = backing_open(image, a->res_fd[0], &backing, err);

	if (rc < 0)
		return rc;
	a->disk.settings.qcow2 = backing_qcow2_bits(&backing);
	for (unsigned int i = 0; i < backing.nr; i++)
		a->res_fd[1 + i] = TAKE_FD(backing.fd[i]);
	b->nr_res = (uint16_t)(1 + backing.nr);
	backing_done(&backing);
	return 0;
}

static int standalone_open_disk(struct standing *a, struct boot_dev *b, struct err *err)
{
	const struct plan_fd file = {
		.source = PLAN_FD_FILE,
		.file = PLAN_FILE_DISK,
		.writable = !a->wanted->readonly,
		.direct = a->wanted->direct,
		.format = a->wanted->format,
		.path = (char *)a->wanted->path,
		.pointer = (char *)"--path",
	};
	int rc = assets_open_file(&file, &a->res_fd[0], &a->disk, err);

	b->nr_res = 1;
	if (rc == 0 && file.format == DISK_QCOW2)
		rc = standalone_open_backing(a, &file, b, err);
	if (rc == 0 && !a->wanted->readonly && !(a->disk.dev_flags & BOOT_DEV_RAW_BLK))
		rc = inherited_need(RLIMIT_FSIZE, a->disk.most_bytes, err);
	b->flags |= a->disk.dev_flags | (a->wanted->readonly ? BOOT_DEV_READONLY : 0);
	boot_set_settings(b, &a->disk.settings, sizeof(a->disk.settings));
	b->nr_queues = (uint16_t)a->wanted->queues;
	return rc;
}

static void standalone_fill_lease(const struct standalone_net *n, struct net_lease *ret)
{
	struct net_record r = {.guest = n->guest, .gateway = n->gateway};

	if (n->guest6.family)
		r.addr[r.nr_addrs++] = n->guest6;
	if (n->gateway6.family)
		r.route[r.nr_routes++] = (struct net_route){
			.dst = {.family = AF_INET6},
			.gateway = n->gateway6,
		};
	net_lease_alone(&r, n->dns, n->nr_dns, n->hostname, ret);
}

/* The caller gives the TAP its addresses and switches it on. */
static int standalone_open_tap(struct standing *a, struct boot_dev *b, struct err *err)
{
	struct net_settings net = {.mtu = a->wanted->net.mtu};
	struct tap tap;
	int rc = tap_open(a->wanted->tap, a->wanted->queues ? a->wanted->queues : 1, &tap, err);

	if (rc < 0)
		return rc;
	memcpy(a->res_fd, tap.fd, tap.nr * sizeof(tap.fd[0]));
	b->nr_res = (uint16_t)tap.nr;
	b->nr_queues = (uint16_t)(a->wanted->kind->queues.each * tap.nr +
				  a->wanted->kind->queues.more);
	net.tun_flags = tap.tun_flags;
	net_name_mac("device", tap.name, net.mac);
	standalone_fill_lease(&a->wanted->net, &net.lease);
	boot_set_settings(b, &net, sizeof(net));
	return 0;
}

static int standalone_set_balloon(struct standing *a, struct boot_dev *b, struct err *err UNUSED)
{
	const struct balloon_settings balloon = {
		.size_bytes = a->wanted->size_bytes,
		.deflate_on_oom = true,
	};

	boot_set_settings(b, &balloon, sizeof(balloon));
	return 0;
}

static int standalone_open_vsock(struct standing *a, struct boot_dev *b, struct err *err)
{
	const struct vsock_settings vsock = {.cid = a->wanted->cid, .conns = bridge_connections()};

	boot_set_settings(b, &vsock, sizeof(vsock));
	return standalone_vsock_new(&a->vsock, a->wanted->host_socket, &a->proc.control, err);
}

/* hvc0 is this process's standard input and output. */
static int standalone_open_console(struct standing *a, struct boot_dev *b, struct err *err)
{
	const struct console_settings console = {.nr_ports = 1};

	for (int i = STDIN_FILENO; i <= STDOUT_FILENO; i++) {
		a->res_fd[i] = fcntl(i, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (a->res_fd[i] < 0)
			return err_set(err, errno, "standard input and output");
	}
	b->nr_res = 2;
	boot_set_settings(b, &console, sizeof(console));
	return 0;
}

static int standalone_open_share(struct standing *a, struct boot_dev *b, struct err *err)
{
	const struct plan_source source = {
		.path = (char *)a->wanted->source,
		.pointer = (char *)"--source",
		.readonly = a->wanted->readonly,
	};
	struct fs_settings fs = {.cache = a->wanted->cache};
	const char *tag = a->wanted->tag ? a->wanted->tag : kind_table[KIND_FS].name;

	memcpy(fs.tag, tag, strnlen(tag, sizeof(fs.tag)));
	b->nr_res = 2;
	b->flags |= a->wanted->readonly ? BOOT_DEV_READONLY : 0;
	boot_set_settings(b, &fs, sizeof(fs));
	return share_open(&source, 1, &a->res_fd[0], err);
}

/* Kinds that have settings, or need something of the host */
static const struct opener {
	enum kind_id kind;
	int (*open)(struct standing *a, struct boot_dev *b, struct err *err);
} openers[] = {
	{KIND_BLOCK, standalone_open_disk},	 {KIND_NET, standalone_open_tap},
	{KIND_BALLOON, standalone_set_balloon},	 {KIND_VSOCK, standalone_open_vsock},
	{KIND_CONSOLE, standalone_open_console}, {KIND_FS, standalone_open_share},
};

static int standalone_open_resources(struct standing *a, struct boot_dev *b, struct err *err)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(openers); i++)
		if (a->wanted->kind == &kind_table[openers[i].kind])
			return openers[i].open(a, b, err);
	return 0;
}

static int standalone_catch_signals(struct standing *a, struct err *err)
{
	static const int caught[] = {SIGINT, SIGTERM, SIGHUP, 0};

	signal(SIGPIPE, SIG_IGN);
	a->signal_fd = signals_catch(caught, err);
	return a->signal_fd < 0 ? a->signal_fd : 0;
}

/* A disk does not grow; standard output, and what is shared, may be files without a natural limit. */
static uint64_t standalone_fsize_limit(const struct standing *a)
{
	if (a->wanted->kind == &kind_table[KIND_CONSOLE] || a->wanted->kind == &kind_table[KIND_FS])
		return RLIM_INFINITY;
	return a->wanted->readonly ? 0 : a->disk.most_bytes;
}

static int standalone_spawn(struct standing *a, struct boot_dev *b, struct err *err)
{
	struct spawn_device d = {
		.kind = a->wanted->kind,
		.program = &a->program,
		.record = b,
		.res_fd = a->res_fd,
		.fsize_bytes = standalone_fsize_limit(a),
		.log_level = a->wanted->log_level,
		.uids = a->wanted->uids.nr ? &a->wanted->uids : NULL,
		.gids = a->wanted->gids.nr ? &a->wanted->gids : NULL,
	};
	int rc = child_error_pipe(a->error_fd, err);

	if (rc < 0)
		return rc;
	d.error_fd = a->error_fd[1];
	rc = spawn_device(&d, &a->proc, err);
	cleanup_close_fd(&a->error_fd[1]);
	a->error_fd[1] = -1;
	return rc;
}

static int standalone_start(struct standing *a, struct err *err)
{
	const struct kind *k = a->wanted->kind;
	struct boot_dev b = {.flags = BOOT_DEV_ALONE};
	int rc = inherited_need(RLIMIT_NOFILE, INHERITED_JAIL_FILES, err);

	fmt_into(b.name, sizeof(b.name), "%s0", k->name);
	fmt_into(b.type, sizeof(b.type), "%s", k->name);
	if (rc == 0)
		rc = standalone_open_resources(a, &b, err);
	if (rc == 0)
		rc = standalone_catch_signals(a, err);
	if (rc == 0)
		rc = programs_find(k->program, k->policy_alone, NULL, &a->wanted->policies,
				   &a->program, err);
	if (rc == 0)
		rc = a->wanted->fd ? listen_inherit(a->wanted->fd, &a->listener, err)
				   : listen_at(a->wanted->socket, SOCK_STREAM, &a->listener, err);
	a->front_ends.listen_fd = a->listener.fd;
	return rc < 0 ? rc : standalone_spawn(a, &b, err);
}

/* It may say that it is ready, or why it cannot be, and speak of its front-end; all else goes to its log. */
static int standalone_hear(struct standing *a, struct err *err)
{
	struct jail_error e;
	struct ctl_msg m;
	int rc;

	if (jail_read_error(a->error_fd[0], &e) == 1)
		return jail_describe(&e, err);
	rc = a->proc.control < 0 ? 0 : child_hear(&a->proc, &m);
	if (rc == -EAGAIN)
		return 0;
	if (rc == 1 && m.type == CTL_READY && !a->proc.ready) {
		a->proc.ready = true;
		return 0;
	}
	if (rc == 1 && a->proc.ready &&
	    (front_ends_heard(&a->front_ends, &m) || standalone_vsock_heard(a->vsock, &m)))
		return 0;
	if (rc == 1 && m.type == CTL_FAILED)
		return child_failure(&m, err);
	child_dismiss(&a->proc);
	if (rc == 0)
		return 0;
	child_kill(&a->proc);
	return err_text(err, EPROTO, "%s: broke the rules of its control socket", a->proc.name);
}

static void standalone_pass_log_on(struct standing *a, bool last)
{
	enum spawned_said said = SPAWNED_LINE;

	a->listen_again_ns = 0;
	for (unsigned int n = 0; said == SPAWNED_LINE && n < CHILD_LINES_MAX; n++)
		said = child_pass_line(&a->proc, last, a->log, &a->listen_again_ns);
	if (said == SPAWNED_END) {
		cleanup_close_fd(&a->proc.log);
		a->proc.log = -1;
	}
}

static void standalone_dismiss(struct standing *a)
{
	struct pollfd p = {.fd = a->proc.jailed.pidfd, .events = POLLIN};
	struct signalfd_siginfo info;

	while (read(a->signal_fd, &info, sizeof(info)) == sizeof(info))
		;
	child_dismiss(&a->proc);
	if (poll(&p, 1, CHILD_LEAVE_MS) != 1)
		child_kill(&a->proc);
}

static int standalone_wait_for_news(const struct standing *a, struct pollfd p[NEWS],
				    struct err *err)
{
	const uint64_t again_ns = a->listen_again_ns,
		       vsock_ns = a->vsock ? a->vsock->bridge.at_ns : 0;
	const uint64_t at_ns = again_ns && (!vsock_ns || again_ns < vsock_ns) ? again_ns : vsock_ns;
	const uint64_t now = at_ns ? clock_ns() : 0;
	const int ms = at_ns > now ? (int)((at_ns - now) / 1000000) + 1 : 0;

	p[NEWS_CONTROL].fd = a->proc.control;
	p[NEWS_LOG].fd = again_ns && again_ns > now ? -1 : a->proc.log;
	p[NEWS_VSOCK].fd = a->vsock ? a->vsock->loop.epoll_fd : -1;
	p[NEWS_FRONT_END].fd = a->proc.ready && a->proc.control >= 0 ? front_ends_fd(&a->front_ends)
								     : -1;
	if (poll(p, NEWS, at_ns ? ms : -1) < 0 && errno != EINTR)
		return err_set(err, errno, "poll");
	return 0;
}

static int standalone_serve(struct standing *a, struct err *err)
{
	struct pollfd p[NEWS] = {
		[NEWS_DEATH] = {.fd = a->proc.jailed.pidfd, .events = POLLIN},
		[NEWS_SIGNAL] = {.fd = a->signal_fd, .events = POLLIN},
		[NEWS_CONTROL] = {.events = POLLIN},
		[NEWS_LOG] = {.events = POLLIN},
		[NEWS_VSOCK] = {.events = POLLIN},
		[NEWS_FRONT_END] = {.events = POLLIN},
	};
	char how[SPAWNED_HOW_BYTES];
	int rc = 0;

	while (rc == 0 && !p[NEWS_DEATH].revents) {
		rc = standalone_wait_for_news(a, p, err);
		if (p[NEWS_LOG].revents || a->listen_again_ns)
			standalone_pass_log_on(a, false);
		if (rc == 0 && p[NEWS_SIGNAL].revents) {
			standalone_dismiss(a);
			return 0;
		}
		if (rc == 0 && p[NEWS_CONTROL].revents)
			rc = standalone_hear(a, err);
		if (rc == 0 && p[NEWS_FRONT_END].revents && a->proc.control >= 0)
			front_ends_accept(&a->front_ends, a->proc.control, a->proc.name, a->log);
		if (rc == 0)
			rc = standalone_vsock_turn(a->vsock, err);
	}
	standalone_pass_log_on(a, true);
	if (rc == 0)
		rc = standalone_hear(a, err);
	if (rc < 0)
		return rc;
	(void)spawned_reap(&a->proc);
	programs_describe(&a->program, &a->proc, how, sizeof(how));
	return err_text(err, EIO, "%s: %s", a->proc.name, how);
}

int standalone_run(const struct standalone *d, struct oci_log *log, struct err *err)
{
	cleanup_standing struct standing a = {
		.wanted = d,
		.log = log,
		.listener = {.fd = -1},
		.front_ends = {.fd = -1},
		.signal_fd = -1,
		.program = {.fd = -1},
		.error_fd = {-1, -1},
	};
	int rc;

	memset(a.res_fd, 0xff, sizeof(a.res_fd));
	spawned_init(&a.proc);
	rc = standalone_start(&a, err);
	return rc < 0 ? rc : standalone_serve(&a, err);
}
