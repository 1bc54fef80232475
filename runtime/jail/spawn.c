/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/jail/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "devices/core/fmt.h"
#include "policies/policy.h"
#include "runtime/host/ram.h"
#include "runtime/util/stream.h"

#define LIBEXEC "../libexec/vmrun"

/* The VMM holds an eventfd or two per queue and vector; a device three per queue and its resources. */
#define VMM_NOFILE    2048
#define DEVICE_NOFILE 128
#define VMM_THREADS   16 /* beside vCPUs and, on kernels that count by user alone, the siblings */
#define MEMLOCK_BYTES 65536
#define SPACE_BYTES   (1ULL << 30) /* of a device, beside the guest's RAM */

/* ---- programs ---- */

int spawn_program(const char *program, const char *policy, struct err *err)
{
	char path[PATH_MAX];
	const ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(LIBEXEC) - 64);
	char *slash;
	int fd;

	if (!policy_find(policy))
		return err_text(err, ENOENT, "this vmrun was built without a policy '%s'", policy);
	if (n <= 0)
		return err_set(err, errno, "/proc/self/exe (mount /proc)");
	path[n] = '\0';
	slash = strrchr(path, '/');
	fmt_into(slash + 1, sizeof(path) - (size_t)(slash + 1 - path), LIBEXEC "/%s", program);
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "program %s", path);
	return fd;
}

int spawn_programs(const struct plan *p, int ret_fd[PLAN_PROCS_MAX], struct err *err)
{
	int fd[PLAN_PROCS_MAX] = {0};
	unsigned int i;

	for (i = 0; i < p->nr_procs; i++) {
		fd[i] = spawn_program(p->proc[i].program, p->proc[i].policy, err);
		if (fd[i] < 0) {
			const int r = fd[i];

			while (i-- > 0)
				close(fd[i]);
			return r;
		}
	}
	memcpy(ret_fd, fd, sizeof(fd[0]) * p->nr_procs);
	return 0;
}

/* ---- what they share ---- */

int spawn_prepare(struct spawn *s, struct err *err)
{
	unsigned int i;

	s->ram_fd = -1;
	memset(s->link, 0xff, sizeof(s->link));
	s->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (s->null_fd < 0)
		return err_set(err, errno, "/dev/null");
	s->ram_fd = ram_open(s->plan->mem_bytes, err);
	if (s->ram_fd < 0)
		return s->ram_fd;
	for (i = 1; i < s->plan->nr_procs; i++) {
		const bool virtio = s->plan->proc[i].bus == BOOT_BUS_VIRTIO;

		if (socketpair(AF_UNIX, (virtio ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC, 0,
			       s->link[i - 1]) < 0)
			return err_set(err, errno, "socket to %s", s->plan->proc[i].name);
	}
	return 0;
}

void spawn_done(struct spawn *s)
{
	unsigned int i, end;

	cleanup_close_fd(&s->null_fd);
	cleanup_close_fd(&s->ram_fd);
	for (i = 0; i < BOOT_DEVICES_MAX; i++) {
		tap_close(&s->tap[i]);
		for (end = 0; end < 2; end++)
			cleanup_close_fd(&s->link[i][end]);
	}
	s->null_fd = s->ram_fd = -1;
	memset(s->link, 0xff, sizeof(s->link));
}

/* ---- one process ---- */

/* Which of plan->net process @index is; -1 for one that is no network device */
static int net_of(const struct plan *p, unsigned int index)
{
	unsigned int i;

	for (i = 0; i < p->nr_nets; i++)
		if (p->net[i].proc == index)
			return (int)i;
	return -1;
}

static int tap_fd(const struct spawn *s, unsigned int index, unsigned int pair)
{
	const int net = net_of(s->plan, index);

	return net >= 0 && pair < s->tap[net].nr ? s->tap[net].fd[pair] : -1;
}

static int source_fd(const struct spawn *s, unsigned int index, unsigned int slot)
{
	const struct plan_fd *f = &s->plan->proc[index].fd[slot];

	switch (f->source) {
	case PLAN_FD_NULL: return s->null_fd;
	case PLAN_FD_RAM: return s->ram_fd;
	case PLAN_FD_KVM: return s->assets->kvm;
	case PLAN_FD_FILE:
	case PLAN_FD_VHOST: return s->assets->proc[index].fd[slot];
	case PLAN_FD_TAP: return tap_fd(s, index, f->index);
	/* The VMM has the first end of each pair. */
	case PLAN_FD_LINK: return s->link[f->index][index != 0];
	case PLAN_FD_STDIN: return s->stdio[0];
	case PLAN_FD_STDOUT: return s->stdio[1];
	case PLAN_FD_CONSOLE: return s->console[slot != BOOT_FD_RES];
	case PLAN_FD_NONE:
	case PLAN_FD_CONTROL:
	case PLAN_FD_LOG: break;
	}
	return -1;
}

static bool is_line(enum plan_fd_source source)
{
	return source == PLAN_FD_STDIN || source == PLAN_FD_STDOUT || source == PLAN_FD_CONSOLE;
}

/* RLIMIT_FSIZE: a disk cannot outgrow its capacity; other files that are open for writing (standard
 * output may be one) have no natural limit; without any, nothing is ever written. */
static uint64_t fsize_limit(const struct plan_proc *p, const struct jail *j, uint64_t disk_bytes)
{
	uint64_t limit = 0;
	unsigned int i;

	if (!p->writes_file)
		return 0;
	for (i = 0; i < p->nr_fds; i++) {
		struct stat st;

		/* The seals keep RAM at its size; only files of the plan count. */
		if (p->fd[i].source == PLAN_FD_FILE && p->fd[i].writable)
			limit = limit > disk_bytes ? limit : disk_bytes;
		else if ((p->fd[i].source == PLAN_FD_STDOUT ||
			  p->fd[i].source == PLAN_FD_CONSOLE) &&
			 fstat(j->fd[i], &st) == 0 && S_ISREG(st.st_mode))
			return RLIM_INFINITY;
	}
	return limit;
}

static struct jail_limits limits_of(const struct spawn *s, unsigned int index, const struct jail *j)
{
	const bool vmm = index == 0;
	const struct plan_proc *p = &s->plan->proc[index];
	struct jail_limits l = {
		.nofile = vmm ? VMM_NOFILE : DEVICE_NOFILE,
		.fsize_bytes = fsize_limit(p, j, s->assets->proc[index].disk_bytes),
		.memlock_bytes = MEMLOCK_BYTES,
		/* A new memory table is mapped beside the old one. Page tables of the host's have no other bound: a
		 * device could map the RAM thousands of times. The VMM's policy lets it map nothing. */
		.space_bytes = vmm ? RLIM_INFINITY : 2 * s->plan->mem_bytes + SPACE_BYTES,
	};
	unsigned int i;

	/* Since Linux 6.4 the kernel's side of a network device is threads of its process. */
	for (i = 0; i < p->nr_fds; i++)
		if (p->fd[i].source == PLAN_FD_VHOST)
			l.nproc = (l.nproc ? l.nproc : 1) + 1;
	/* Kernels before 5.14 count all processes of the user, and a rootless user has others. */
	if (vmm && s->ids.alone)
		l.nproc = s->plan->nr_vcpus + s->plan->nr_procs + VMM_THREADS;
	else if (vmm)
		l.nproc = RLIM_INFINITY;
	return l;
}

static void fill_header(struct boot_hdr *h, enum boot_kind kind, size_t bytes, enum log_level level)
{
	*h = (struct boot_hdr){
		.magic = BOOT_MAGIC,
		.version = BOOT_VERSION,
		.kind = (uint16_t)kind,
		.bytes = (uint32_t)bytes,
		.log_level = level,
	};
}

static int fill_filter(struct boot_filter *f, const char *name, struct err *err)
{
	const struct policy *policy = policy_find(name);

	if (!policy || policy->count == 0 || policy->count > BOOT_FILTER_MAX)
		return err_text(err, EINVAL, "policy '%s' is missing or too long", name);
	f->count = policy->count;
	memcpy(f->insn, policy->insn, policy->count * sizeof(f->insn[0]));
	return 0;
}

static int send_boot_vmm(const struct spawn *s, int control, struct err *err)
{
	const struct plan *p = s->plan;
	struct boot_vmm b = {
		.mem_bytes = p->mem_bytes,
		.nr_vcpus = p->nr_vcpus,
		.nr_devices = p->nr_procs - 1,
		.flags = p->has_initrd ? BOOT_VMM_INITRD : 0,
	};
	unsigned int i;
	int r;

	fill_header(&b.hdr, BOOT_KIND_VMM, sizeof(b), s->log_level);
	for (i = 0; i < b.nr_devices; i++) {
		const struct plan_proc *d = &p->proc[1 + i];

		memcpy(b.device[i].name, d->name, sizeof(d->name));
		b.device[i].bus = d->bus;
		b.device[i].virtio_id = d->virtio_id;
	}
	memcpy(b.cmdline, p->cmdline, sizeof(b.cmdline));
	r = fill_filter(&b.filter, p->proc[0].policy, err);
	return r < 0 ? r : boot_send(control, &b, sizeof(b), err);
}

static int send_boot_dev(const struct spawn *s, unsigned int index, int control, struct err *err)
{
	const struct plan_proc *p = &s->plan->proc[index];
	struct boot_dev b = {
		.flags = p->dev_flags,
		.nr_res = (uint16_t)(p->nr_fds - BOOT_FD_RES),
		.nr_queues = p->nr_queues,
	};
	int r;

	fill_header(&b.hdr, BOOT_KIND_DEVICE, sizeof(b), s->log_level);
	memcpy(b.name, p->name, sizeof(b.name));
	fmt_into(b.type, sizeof(b.type), "%s", p->type);
	boot_set_settings(&b, p->settings, p->settings_bytes);
	r = fill_filter(&b.filter, p->policy, err);
	return r < 0 ? r : boot_send(control, &b, sizeof(b), err);
}

/**
 * struct channels - Control socket and log pipe of a process in the making
 */
struct channels {
	int control[2]; /* ours, its */
	int log[2];	/* ours, its */
};

static void cleanup_channels(struct channels *c)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		cleanup_close_fd(&c->control[i]);
		cleanup_close_fd(&c->log[i]);
	}
}

static int make_channels(struct channels *c, const char *name, struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, c->control) < 0)
		return err_set(err, errno, "control socket of %s", name);
	/* Ours never waits for a peer; its own end is the program's business. */
	if (fcntl(c->control[0], F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, errno, "control socket of %s", name);
	/* Packets: what it writes at once is read at once. */
	if (pipe2(c->log, O_CLOEXEC | O_NONBLOCK | O_DIRECT) < 0)
		return err_set(err, errno, "log pipe of %s", name);
	return 0;
}

#define cleanup_channels_of __attribute__((cleanup(cleanup_channels)))

static int start(const struct jail *j, struct channels *c, struct spawned *ret, struct err *err)
{
	struct spawned p;
	int r;

	spawned_init(&p);
	r = jail_spawn(j, &p.jailed, err);
	if (r < 0)
		return r;
	fmt_into(p.name, sizeof(p.name), "%s", j->name);
	p.control = TAKE_FD(c->control[0]);
	p.log = TAKE_FD(c->log[0]);
	*ret = p;
	return 0;
}

int spawn_process(const struct spawn *s, unsigned int index, struct spawned *ret, struct err *err)
{
	const struct plan_proc *p = &s->plan->proc[index];
	cleanup_channels_of struct channels c = {{-1, -1}, {-1, -1}};
	cleanup_fd int in = -1, out = -1;
	struct jail j = {
		.name = p->name,
		.program_fd = s->program_fd[index],
		.nr_fds = p->nr_fds,
		.ids = s->ids,
		.oom_score_adj = s->oom_score_adj,
		.error_fd = s->error_fd,
		.index = index,
	};
	unsigned int i;
	int r = make_channels(&c, p->name, err);

	if (r < 0)
		return r;
	for (i = 0; i < p->nr_fds; i++)
		j.fd[i] = source_fd(s, index, i);
	j.fd[BOOT_FD_CONTROL] = c.control[1];
	j.fd[BOOT_FD_LOG] = c.log[1];
	for (i = 0; i < p->nr_fds; i++)
		if (j.fd[i] < 0)
			return err_text(err, EBADF, "%s: nothing to put into fd %u", p->name, i);
	/* Where that cannot be had the caller's own has to do. */
	if (p->nr_fds > BOOT_FD_RES + 1 && is_line(p->fd[BOOT_FD_RES].source)) {
		in = stream_own(j.fd[BOOT_FD_RES]);
		out = stream_own(j.fd[BOOT_FD_RES + 1]);
		j.fd[BOOT_FD_RES] = in >= 0 ? in : j.fd[BOOT_FD_RES];
		j.fd[BOOT_FD_RES + 1] = out >= 0 ? out : j.fd[BOOT_FD_RES + 1];
	}
	j.limits = limits_of(s, index, &j);
	/* The record waits in the socket: the program finds it when it gets there. */
	r = index ? send_boot_dev(s, index, c.control[0], err)
		  : send_boot_vmm(s, c.control[0], err);
	if (r == 0)
		r = start(&j, &c, ret, err);
	if (r == 0)
		ret->nr_res = index ? p->nr_fds - BOOT_FD_RES : 0;
	return r;
}

int spawn_device(const struct spawn_device *d, struct spawned *ret, struct err *err)
{
	cleanup_channels_of struct channels c = {{-1, -1}, {-1, -1}};
	cleanup_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	cleanup_fd int program = spawn_program(d->program, d->policy, err);
	struct jail j = {
		.name = d->boot->name,
		.program_fd = program,
		.nr_fds = BOOT_FD_RES + d->boot->nr_res,
		/* How much its front-ends have to share is theirs to say. */
		.limits = {DEVICE_NOFILE, 0, d->fsize_bytes, MEMLOCK_BYTES, RLIM_INFINITY},
		.oom_score_adj = JAIL_OOM_INHERITED,
		.error_fd = d->error_fd,
	};
	unsigned int i;
	int r;

	if (program < 0)
		return program;
	r = userns_choose(&j.ids, err);
	if (r == 0)
		r = make_channels(&c, d->boot->name, err);
	if (r < 0)
		return r;
	for (i = 0; i < BOOT_FD_CONTROL; i++)
		j.fd[i] = null;
	j.fd[BOOT_FD_CONTROL] = c.control[1];
	j.fd[BOOT_FD_LOG] = c.log[1];
	j.fd[BOOT_FD_BUS] = d->bus_fd;
	for (i = 0; i < d->boot->nr_res; i++)
		j.fd[BOOT_FD_RES + i] = d->res_fd[i];
	fill_header(&d->boot->hdr, BOOT_KIND_DEVICE, sizeof(*d->boot), d->log_level);
	r = fill_filter(&d->boot->filter, d->policy, err);
	if (r == 0)
		r = boot_send(c.control[0], d->boot, sizeof(*d->boot), err);
	return r < 0 ? r : start(&j, &c, ret, err);
}
