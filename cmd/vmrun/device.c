/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: One device alone, jailed, as a vhost-user back-end for any VMM
 *
 * The same program, policy and jail as in a VM; the bus is a listening socket instead of an inherited
 * one. Runs in the foreground until SIGTERM or SIGINT, or until the device ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cmd/vmrun/vmrun.h"
#include "devices/core/fmt.h"
#include "runtime/jail.h"
#include "runtime/net.h"
#include "runtime/olog.h"
#include "runtime/process.h"
#include "runtime/spawn.h"

#define LEAVE_MS 2000

struct device_options {
	const char *socket;
	const char *path;
	const char *tap;
	bool readonly;
};

#define FIELD(f) offsetof(struct device_options, f)

static const struct option_spec options[] = {
	{"socket", 's', OPTION_STRING, "PATH", "listen here; removed at the end", FIELD(socket),
	 NULL},
	{"path", 0, OPTION_STRING, "IMAGE", "block: the raw image or block device", FIELD(path),
	 NULL},
	{"readonly", 0, OPTION_FLAG, NULL, "block: refuse writes", FIELD(readonly), NULL},
	{"tap", 0, OPTION_STRING, "NAME", "net: the TAP, made if it is not there", FIELD(tap),
	 NULL},
	{.name = NULL},
};

struct alone;
static int open_disk(struct alone *a, struct boot_dev *b, struct err *err);
static int open_tap(struct alone *a, struct boot_dev *b, struct err *err);

/** struct kind - A type of device; the option it needs, and alone may have, @needs; @open does with it */
static const struct kind {
	const char *type;
	const char *program;
	const char *policy;
	const char *needs;
	size_t needs_off;
	int (*open)(struct alone *a, struct boot_dev *b, struct err *err);
} kinds[] = {
	{"block", "vmrun-dev-block", "block_device_vhost_user", "--path", FIELD(path), open_disk},
	{"net", "vmrun-dev-net", "net_device_vhost_user", "--tap", FIELD(tap), open_tap},
	{"rng", "vmrun-dev-rng", "rng_device_vhost_user", NULL, 0, NULL},
};

/**
 * struct alone - One device and what it holds
 */
struct alone {
	const struct vmrun *v;
	const struct device_options *o;
	const struct kind *kind;
	int bus_fd;
	int res_fd;
	int signal_fd;
	int error_fd[2];
	uint64_t capacity_bytes;
	struct spawned proc;
};

static void cleanup_alone(struct alone *a)
{
	spawned_done(&a->proc);
	if (a->bus_fd >= 0)
		(void)unlink(a->o->socket);
	cleanup_close_fd(&a->bus_fd);
	cleanup_close_fd(&a->res_fd);
	cleanup_close_fd(&a->signal_fd);
	cleanup_close_fd(&a->error_fd[0]);
	cleanup_close_fd(&a->error_fd[1]);
}

static const struct kind *find_kind(const char *type)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	return NULL;
}

static const char *option_of(const struct device_options *o, const struct kind *k)
{
	return *(const char *const *)((const char *)o + k->needs_off);
}

static int check_options(struct vmrun *v, const struct device_options *o, const struct kind *k,
			 struct err *err)
{
	unsigned int i;
	int r = 0;

	if (!k)
		r = err_text(err, EINVAL, "device: unknown type; block, net and rng can run alone");
	else if (!o->socket || !*o->socket) /* the kernel would make up a name for an empty one */
		r = err_text(err, EINVAL, "device %s: --socket is missing", k->type);
	else if (k->needs && (!option_of(o, k) || !*option_of(o, k)))
		r = err_text(err, EINVAL, "device %s: %s is missing", k->type, k->needs);
	else if (o->readonly && k->open != open_disk)
		r = err_text(err, EINVAL, "device %s: --readonly is for block devices", k->type);
	for (i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++)
		if (&kinds[i] != k && kinds[i].needs && option_of(o, &kinds[i]))
			r = err_text(err, EINVAL, "device %s: %s is for %s devices", k->type,
				     kinds[i].needs, kinds[i].type);
	if (r < 0)
		v->exit_code = 2;
	return r;
}

static int listen_on(const char *path, struct err *err)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(sun.sun_path))
		return err_set(err, ENAMETOOLONG, "--socket %s", path);
	strcpy(sun.sun_path, path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		return err_set(err, errno, "--socket %s", path);
	if (listen(fd, 1) < 0) {
		const int r = err_set(err, errno, "--socket %s", path);

		(void)unlink(path);
		return r;
	}
	return TAKE_FD(fd);
}

static int open_disk(struct alone *a, struct boot_dev *b, struct err *err)
{
	const struct plan_fd file = {
		.source = PLAN_FD_FILE,
		.file = PLAN_FILE_DISK,
		.writable = !a->o->readonly,
		.path = (char *)a->o->path,
		.pointer = (char *)"--path",
	};
	int r = assets_open_file(&file, &a->res_fd, &a->capacity_bytes, &b->flags, err);

	b->flags |= a->o->readonly ? BOOT_DEV_READONLY : 0;
	b->block.capacity_bytes = a->capacity_bytes;
	return r;
}

/* Addresses, and whether it is up, are the caller's business. */
static int open_tap(struct alone *a, struct boot_dev *b, struct err *err)
{
	struct tap tap;
	int r = tap_open(a->o->tap, 1, &tap, err);

	if (r < 0)
		return r;
	a->res_fd = tap.fd[0];
	b->net.tun_flags = tap.tun_flags;
	net_name_mac("device", tap.name, b->net.mac);
	return 0;
}

static int catch_signals(struct alone *a, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	a->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (a->signal_fd < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_set(err, errno, "signals");
	if (pipe2(a->error_fd, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set(err, errno, "error pipe");
	return 0;
}

static int start(struct alone *a, struct err *err)
{
	struct boot_dev b = {.flags = 0};
	struct spawn_device d = {
		.program = a->kind->program,
		.policy = a->kind->policy,
		.boot = &b,
		.res_fd = &a->res_fd,
		.log_level = a->v->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
	};
	int r = 0;

	fmt_into(b.name, sizeof(b.name), "%s0", a->kind->type);
	fmt_into(b.type, sizeof(b.type), "%s", a->kind->type);
	if (a->kind->open) {
		r = a->kind->open(a, &b, err);
		b.nr_res = 1;
	}
	if (r == 0)
		r = catch_signals(a, err);
	if (r < 0)
		return r;
	a->bus_fd = listen_on(a->o->socket, err);
	if (a->bus_fd < 0)
		return a->bus_fd;
	b.flags |= BOOT_DEV_LISTEN;
	d.bus_fd = a->bus_fd;
	d.fsize_bytes = a->o->readonly ? 0 : a->capacity_bytes;
	d.error_fd = a->error_fd[1];
	r = spawn_device(&d, &a->proc, err);
	cleanup_close_fd(&a->error_fd[1]);
	a->error_fd[1] = -1;
	return r;
}

/* Only what it could not do in its jail is to be heard; all else is its log. */
static int hear(struct alone *a, struct err *err)
{
	struct jail_error e;
	struct ctl_msg m;

	if (jail_read_error(a->error_fd[0], &e) == 1)
		return err_set(err, e.code, "jail: %s", e.text);
	if (ctl_recv(a->proc.control, &m) != 1 || m.type != CTL_FAILED)
		return 0;
	olog_printable(m.text);
	return err_text(err, m.code && m.code < 4096 ? (int)m.code : EIO, "%s", m.text);
}

static void pass_log_on(struct alone *a)
{
	char text[LOG_LINE_BYTES + 1], *line, *end;
	const ssize_t n = read(a->proc.log, text, LOG_LINE_BYTES);

	if (n <= 0)
		return;
	text[n] = '\0';
	for (line = text; *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		olog_printable(line);
		dprintf(STDERR_FILENO, "%s\n", line);
	}
}

/* Closing the control socket is how a device is told to leave. */
static void tell_to_leave(struct alone *a)
{
	struct pollfd p = {.fd = a->proc.jailed.pidfd, .events = POLLIN};

	cleanup_close_fd(&a->proc.control);
	a->proc.control = -1;
	if (poll(&p, 1, LEAVE_MS) != 1)
		(void)process_signal(a->proc.jailed.pidfd, SIGKILL);
}

static int serve(struct alone *a, struct err *err)
{
	struct pollfd p[] = {
		{.fd = a->proc.jailed.pidfd, .events = POLLIN},
		{.fd = a->signal_fd, .events = POLLIN},
		{.fd = a->proc.control, .events = POLLIN},
		{.fd = a->proc.log, .events = POLLIN},
	};
	char how[64];

	for (;;) {
		if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			return err_set(err, errno, "poll");
		if (p[3].revents & POLLIN)
			pass_log_on(a);
		if (p[2].revents) {
			int r = hear(a, err);

			if (r < 0)
				return r;
			if (!(p[2].revents & POLLIN) || (p[2].revents & POLLHUP))
				p[2].fd = -1;
		}
		if (p[1].revents & POLLIN) {
			tell_to_leave(a);
			return 0;
		}
		if (p[0].revents & POLLIN)
			break;
	}
	if (hear(a, err) < 0)
		return -err->code;
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
		.bus_fd = -1,
		.res_fd = -1,
		.signal_fd = -1,
		.error_fd = {-1, -1},
	};
	int r = check_options(v, a.o, a.kind, err);

	spawned_init(&a.proc);
	if (r == 0)
		r = start(&a, err);
	return r < 0 ? r : serve(&a, err);
}

const struct verb verb_device = {
	.name = "device",
	.synopsis = "block --socket PATH --path IMAGE [--readonly] | net --socket PATH --tap NAME "
		    "| rng --socket PATH",
	.summary = "Run one device alone, jailed, as a vhost-user back-end for any VMM",
	.options = options,
	.opt_bytes = sizeof(struct device_options),
	.min_args = 1,
	.max_args = 1,
	.run = device,
};
