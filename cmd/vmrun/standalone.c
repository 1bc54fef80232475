/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: One device alone, jailed, as a vhost-user back-end for any VMM
 *
 * The same program, policy and jail as in a VM; the bus is a listening socket instead of an inherited
 * one. Runs in the foreground until SIGTERM or SIGINT, or until the device ends: neither is waited for by
 * way of a socket, of which the device may have given its end away.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include "cmd/vmrun/vmrun.h"
#include "devices/core/fmt.h"
#include "devices/core/kind.h"
#include "runtime/host/inherited.h"
#include "runtime/jail/jail.h"
#include "runtime/jail/spawn.h"
#include "runtime/net/net.h"
#include "runtime/supervisor/programs.h"
#include "runtime/supervisor/signals.h"
#include "runtime/util/clock.h"
#include "runtime/util/listen.h"
#include "runtime/util/oci_log.h"
#include "runtime/util/process.h"

#define LEAVE_MS       2000
#define LAST_LINES_MAX 64 /* more than a pipe has room for packets */

/** What is waited for */
enum { NEWS_DEATH, NEWS_SIGNAL, NEWS_CONTROL, NEWS_LOG, NEWS };

struct device_options {
	const char *socket;
	const char *path;
	const char *format;
	const char *tap;
	uint64_t queues;
	bool readonly;
};

#define FIELD(f) offsetof(struct device_options, f)

static const struct option_spec options[] = {
	{"socket", 's', OPTION_STRING, "PATH",
	 "listen here; removed at the end, and before if nobody listens on it", FIELD(socket),
	 NULL},
	{"path", 0, OPTION_STRING, "IMAGE", "block: the raw image or block device", FIELD(path),
	 NULL},
	{"format", 0, OPTION_STRING, "raw", "block: take the image as raw, whatever it looks like",
	 FIELD(format), NULL},
	{"readonly", 0, OPTION_FLAG, NULL, "block: refuse writes", FIELD(readonly), NULL},
	{"tap", 0, OPTION_STRING, "NAME", "net: the TAP, made if it is not there", FIELD(tap),
	 NULL},
	{"queues", 0, OPTION_COUNT, "N",
	 "block: 1 to 16 queues; net: 1 to 4 pairs, the TAP being new if more than 1",
	 FIELD(queues), NULL},
	{.name = NULL},
};

struct alone;
static int open_disk(struct alone *a, struct boot_dev *b, struct err *err);
static int open_tap(struct alone *a, struct boot_dev *b, struct err *err);

/**
 * struct need - What a kind of device works with
 * @option:	Required of this kind, refused of the others
 * @open:	Opens what the option names
 */
static const struct need {
	enum kind_id kind;
	const char *option;
	size_t option_off;
	int (*open)(struct alone *a, struct boot_dev *b, struct err *err);
} needs[] = {
	{KIND_BLOCK, "--path", FIELD(path), open_disk},
	{KIND_NET, "--tap", FIELD(tap), open_tap},
};

/**
 * struct alone - One device and what it holds
 * @need:	NULL for a device that needs nothing
 * @log:	Where its lines go: the --log file, or standard error
 * @listen_again_ns: When its log, being over its budget, is read again
 */
struct alone {
	const struct vmrun *v;
	const struct device_options *o;
	const struct kind *kind;
	const struct need *need;
	struct listener bus;
	int res_fd[BOOT_RES_MAX];
	int signal_fd;
	int error_fd[2];
	struct disk disk;
	struct program program;
	struct spawned proc;
	struct oci_log log;
	uint64_t listen_again_ns;
};

static void cleanup_alone(struct alone *a)
{
	unsigned int i;

	spawned_done(&a->proc);
	listen_done(&a->bus);
	oci_log_close(&a->log);
	for (i = 0; i < BOOT_RES_MAX; i++)
		cleanup_close_fd(&a->res_fd[i]);
	cleanup_close_fd(&a->program.fd);
	cleanup_close_fd(&a->error_fd[0]);
	cleanup_close_fd(&a->error_fd[1]);
	/* What is left, to tell of an error, must not outlive a signal. */
	signals_release(a->signal_fd);
}

/* The kind of this type that can run alone, or NULL */
static const struct kind *find_kind(const char *type)
{
	for (unsigned int i = 0; i < KINDS; i++) {
		if (kind_table[i].flags & KIND_ALONE && strcmp(kind_table[i].name, type) == 0)
			return &kind_table[i];
	}
	return NULL;
}

static const struct need *find_need(const struct kind *k)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(needs); i++) {
		if (k == &kind_table[needs[i].kind])
			return &needs[i];
	}
	return NULL;
}

static const char *option_of(const struct device_options *o, const struct need *n)
{
	return *(const char *const *)((const char *)o + n->option_off);
}

/* "block, net and rng" */
static void name_kinds(char *ret, size_t size)
{
	size_t len = 0;
	unsigned int left = 0;

	for (unsigned int i = 0; i < KINDS; i++)
		left += (kind_table[i].flags & KIND_ALONE) != 0;
	for (unsigned int i = 0; i < KINDS; i++) {
		if (!(kind_table[i].flags & KIND_ALONE))
			continue;
		left--;
		len += fmt_into(ret + len, size - len, "%s%s", kind_table[i].name,
				left > 1    ? ", "
				: left == 1 ? " and "
					    : "");
	}
}

static int check_options(struct vmrun *v, const struct alone *a, struct err *err)
{
	const struct device_options *o = a->o;
	const char *const type = a->kind ? a->kind->name : "";
	char kinds[128];
	int r = 0;

	name_kinds(kinds, sizeof(kinds));
	if (!a->kind)
		r = err_text(err, EINVAL, "device: unknown type; %s can run alone", kinds);
	else if (!o->socket || !*o->socket) /* the kernel would make up a name for an empty one */
		r = err_text(err, EINVAL, "device %s: --socket is missing", type);
	else if (a->need && (!option_of(o, a->need) || !*option_of(o, a->need)))
		r = err_text(err, EINVAL, "device %s: %s is missing", type, a->need->option);
	else if ((o->readonly || o->format) && a->kind != &kind_table[KIND_BLOCK])
		r = err_text(err, EINVAL, "device %s: --%s is for block devices", type,
			     o->readonly ? "readonly" : "format");
	else if (o->format && strcmp(o->format, "raw") != 0)
		r = err_text(err, EINVAL, "device %s: --format: must be raw, is \"%s\"", type,
			     o->format);
	else if (o->queues > a->kind->queues.most)
		r = err_text(err, EINVAL, "device %s: --queues is 1 to %u", type,
			     a->kind->queues.most);
	for (unsigned int i = 0; r == 0 && i < ARRAY_SIZE(needs); i++)
		if (&needs[i] != a->need && option_of(o, &needs[i]))
			r = err_text(err, EINVAL, "device %s: %s is for %s devices", type,
				     needs[i].option, kind_table[needs[i].kind].name);
	if (r < 0)
		v->exit_code = 2;
	return r;
}

static int open_disk(struct alone *a, struct boot_dev *b, struct err *err)
{
	const struct plan_fd file = {
		.source = PLAN_FD_FILE,
		.file = PLAN_FILE_DISK,
		.writable = !a->o->readonly,
		.raw = a->o->format != NULL,
		.path = (char *)a->o->path,
		.pointer = (char *)"--path",
	};
	int r = assets_open_file(&file, &a->res_fd[0], &a->disk, err);

	if (r == 0 && !a->o->readonly && !(a->disk.dev_flags & BOOT_DEV_RAW_BLK))
		r = inherited_need(RLIMIT_FSIZE, a->disk.settings.capacity_bytes, err);
	b->flags |= a->disk.dev_flags | (a->o->readonly ? BOOT_DEV_READONLY : 0);
	boot_set_settings(b, &a->disk.settings, sizeof(a->disk.settings));
	b->nr_queues = (uint16_t)a->o->queues;
	b->nr_res = 1;
	return r;
}

/* Addresses, and whether it is up, are the caller's business. */
static int open_tap(struct alone *a, struct boot_dev *b, struct err *err)
{
	struct net_settings net = {.mtu = 0};
	struct tap tap;
	int r = tap_open(a->o->tap, a->o->queues ? (unsigned int)a->o->queues : 1, &tap, err);

	if (r < 0)
		return r;
	memcpy(a->res_fd, tap.fd, tap.nr * sizeof(tap.fd[0]));
	b->nr_res = (uint16_t)tap.nr;
	b->nr_queues = (uint16_t)(a->kind->queues.each * tap.nr + a->kind->queues.more);
	net.tun_flags = tap.tun_flags;
	net_name_mac("device", tap.name, net.mac);
	boot_set_settings(b, &net, sizeof(net));
	return 0;
}

static int catch_signals(struct alone *a, struct err *err)
{
	static const int caught[] = {SIGINT, SIGTERM, SIGHUP, 0};

	signal(SIGPIPE, SIG_IGN);
	a->signal_fd = signals_catch(caught, err);
	if (a->signal_fd < 0)
		return a->signal_fd;
	if (pipe2(a->error_fd, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set(err, errno, "error pipe");
	return 0;
}

static int start(struct alone *a, struct err *err)
{
	struct boot_dev b = {.flags = 0};
	struct spawn_device d = {
		.program = &a->program,
		.boot = &b,
		.res_fd = a->res_fd,
		.log_level = a->v->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
	};
	int r = 0;

	fmt_into(b.name, sizeof(b.name), "%s0", a->kind->name);
	fmt_into(b.type, sizeof(b.type), "%s", a->kind->name);
	if (a->v->log)
		r = vmrun_open_log(a->v, &a->log, err);
	else
		oci_log_stderr(d.log_level, &a->log);
	if (r == 0)
		r = inherited_need(RLIMIT_NOFILE, INHERITED_JAIL_FILES, err);
	if (r == 0 && a->need)
		r = a->need->open(a, &b, err);
	if (r == 0)
		r = catch_signals(a, err);
	if (r == 0)
		r = programs_find(a->kind->program, a->kind->policy_alone, &a->program, err);
	if (r == 0)
		r = listen_at(a->o->socket, &a->bus, err);
	if (r < 0)
		return r;
	b.flags |= BOOT_DEV_LISTEN;
	d.bus_fd = a->bus.fd;
	d.fsize_bytes = a->o->readonly ? 0 : a->disk.settings.capacity_bytes;
	d.error_fd = a->error_fd[1];
	r = spawn_device(&d, &a->proc, err);
	cleanup_close_fd(&a->error_fd[1]);
	a->error_fd[1] = -1;
	return r;
}

/* Only what it could not do in its jail is to be heard, and that it is ready; all else is its log. */
static int hear(struct alone *a, struct err *err)
{
	struct jail_error e;
	struct ctl_msg m;
	int r;

	if (jail_read_error(a->error_fd[0], &e) == 1)
		return jail_describe(&e, err);
	r = a->proc.control < 0 ? 0 : ctl_recv(a->proc.control, &m);
	if (r == -EAGAIN)
		return 0;
	if (r == 1 && m.type == CTL_READY && !a->proc.ready) {
		a->proc.ready = true;
		return 0;
	}
	if (r == 1 && m.type == CTL_FAILED) {
		(void)fmt_printable(m.text);
		return err_text(err, m.code && m.code < 4096 ? (int)m.code : EIO, "%s", m.text);
	}
	/* Without it the device cannot be told to leave, and leaves. */
	cleanup_close_fd(&a->proc.control);
	a->proc.control = -1;
	if (r == 0)
		return 0;
	(void)process_signal(a->proc.jailed.pidfd, SIGKILL);
	return err_text(err, EPROTO, "%s: broke the rules of its control socket", a->proc.name);
}

static void pass_log_on(struct alone *a, bool last)
{
	enum spawned_said said = SPAWNED_LINE;
	struct spawned_line line;
	unsigned int n = 0;

	a->listen_again_ns = 0;
	while (said == SPAWNED_LINE && n++ < LAST_LINES_MAX) {
		said = spawned_read(&a->proc, last, &line, &a->listen_again_ns);
		if (said == SPAWNED_LINE)
			oci_log_write(&a->log, line.level, "%s: %s", a->proc.name, line.text);
	}
	if (said == SPAWNED_END) {
		cleanup_close_fd(&a->proc.log);
		a->proc.log = -1;
	}
}

/* Closing the control socket is how a device is told to leave. */
static void tell_to_leave(struct alone *a)
{
	struct pollfd p = {.fd = a->proc.jailed.pidfd, .events = POLLIN};
	struct signalfd_siginfo info;

	while (read(a->signal_fd, &info, sizeof(info)) == sizeof(info))
		;
	cleanup_close_fd(&a->proc.control);
	a->proc.control = -1;
	if (poll(&p, 1, LEAVE_MS) != 1)
		(void)process_signal(a->proc.jailed.pidfd, SIGKILL);
}

static int wait_for_news(const struct alone *a, struct pollfd p[NEWS], struct err *err)
{
	const uint64_t at_ns = a->listen_again_ns, now = at_ns ? clock_ns() : 0;
	const int ms = at_ns > now ? (int)((at_ns - now) / 1000000) + 1 : 0;

	p[NEWS_CONTROL].fd = a->proc.control;
	p[NEWS_LOG].fd = at_ns ? -1 : a->proc.log;
	if (poll(p, NEWS, at_ns ? ms : -1) < 0 && errno != EINTR)
		return err_set(err, errno, "poll");
	return 0;
}

static int serve(struct alone *a, struct err *err)
{
	struct pollfd p[NEWS] = {
		[NEWS_DEATH] = {.fd = a->proc.jailed.pidfd, .events = POLLIN},
		[NEWS_SIGNAL] = {.fd = a->signal_fd, .events = POLLIN},
		[NEWS_CONTROL] = {.events = POLLIN},
		[NEWS_LOG] = {.events = POLLIN},
	};
	char how[64];
	int r = 0;

	while (r == 0 && !p[NEWS_DEATH].revents) {
		r = wait_for_news(a, p, err);
		if (p[NEWS_LOG].revents || a->listen_again_ns)
			pass_log_on(a, false);
		if (r == 0 && p[NEWS_SIGNAL].revents) {
			tell_to_leave(a);
			return 0;
		}
		if (r == 0 && p[NEWS_CONTROL].revents)
			r = hear(a, err);
	}
	pass_log_on(a, true);
	if (r == 0)
		r = hear(a, err);
	if (r < 0)
		return r;
	(void)spawned_reap(&a->proc);
	spawned_describe(&a->proc, how, sizeof(how));
	return err_text(err, EIO, "%s: %s", a->proc.name, how);
}

static int device(struct vmrun *v, const struct verb_args *args, struct err *err)
{
	__attribute__((cleanup(cleanup_alone))) struct alone a = {
		.v = v,
		.o = args->opt,
		.kind = find_kind(args->arg[0]),
		.bus = {.fd = -1},
		.program = {.fd = -1},
		.signal_fd = -1,
		.error_fd = {-1, -1},
		.log = {.fd = -1},
	};
	int r;

	a.need = a.kind ? find_need(a.kind) : NULL;
	r = check_options(v, &a, err);
	memset(a.res_fd, 0xff, sizeof(a.res_fd));
	spawned_init(&a.proc);
	if (r == 0)
		r = start(&a, err);
	return r < 0 ? r : serve(&a, err);
}

const struct verb verb_device = {
	.name = "device",
	.synopsis = "TYPE --socket PATH [OPTION]...",
	.summary = "Run one device alone, jailed, as a vhost-user back-end for any VMM",
	.options = options,
	.opt_bytes = sizeof(struct device_options),
	.min_args = 1,
	.max_args = 1,
	.stateless = true,
	.run = device,
};
