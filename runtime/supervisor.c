/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "devices/core/fmt.h"
#include "runtime/cgroup.h"
#include "runtime/destroy.h"
#include "runtime/supervisor_priv.h"

#define ACK	"ok"
#define UNDO_MS 10000

/** struct report - Supervisor to launcher, once: code 0, or an errno value and why */
struct report {
	int32_t code;
	char text[ERR_MSG_BYTES];
};

/* ---- the supervisor's side ---- */

static void tell_launcher(struct supervisor *s, const struct err *err)
{
	struct report r = {0};

	if (err) {
		r.code = err->code;
		fmt_into(r.text, sizeof(r.text), "%s", err->msg);
	}
	/* A launcher that is gone is noticed by its end of file. */
	if (s->report >= 0 && send(s->report, &r, sizeof(r), MSG_NOSIGNAL) < 0)
		olog_write(&s->log, LOG_LEVEL_DEBUG, "the launcher is gone");
}

/* The ack, or end of file: the launcher died, or could not write its pid file. */
static void on_launcher(void *arg, int fd, uint32_t events UNUSED)
{
	struct supervisor *s = arg;
	char ack[sizeof(ACK)];
	const bool ok = recv(fd, ack, sizeof(ack), MSG_DONTWAIT) == sizeof(ack);
	struct err err;

	loop_del(&s->loop, fd);
	cleanup_close_fd(&s->report);
	s->report = -1;
	if (!ok || s->stage != STAGE_READY) {
		err_text(&err, EPIPE, "the creating process is gone");
		supervisor_fail(s, &err);
		return;
	}
	s->stage = STAGE_CREATED;
	phases_mark(s->phases, "created");
	if (s->autostart && supervisor_start(s, &err) < 0)
		supervisor_end(s, END_VMM_KILLED, err.msg, true);
}

static int all_ready(struct supervisor *s, struct err *err)
{
	unsigned int i;
	int r;

	for (i = 0; i < s->nr; i++)
		if (!s->proc[i].ready)
			return 0;
	loop_del(&s->loop, s->error_fd);
	cleanup_close_fd(&s->error_fd);
	s->error_fd = -1;
	s->stage = STAGE_READY;
	s->state->status = STATE_CREATED;
	s->state->supervisor = (struct process){getpid(), process_identify(getpid())};
	for (i = 0; i < s->nr; i++) {
		struct state_proc *p = &s->state->proc[i];
		const pid_t pid = s->proc[i].jailed.pid;

		memcpy(p->name, s->proc[i].name, sizeof(p->name));
		p->process = (struct process){pid, process_identify(pid)};
	}
	s->state->nr_procs = s->nr;
	r = state_save(s->dir, s->state, err);
	if (r == 0)
		tell_launcher(s, NULL);
	return r;
}

/* Nothing of the launcher's stays open: a caller that reads its output to the end must get there. */
static int let_go_of_stdio(int null)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (dup2(null, fd) < 0)
			return -errno;
	return 0;
}

static int let_go(struct supervisor *s, struct err *err)
{
	unsigned int i;
	int r = 0;

	for (i = 0; r == 0 && i < s->nr; i++)
		r = jail_go(&s->proc[i].jailed);
	return r < 0 ? err_set(err, -r, "jail") : 0;
}

/*
 * The first move costs a grace period of the kernel (5 to 15 ms), the others next to nothing. What is
 * allocated before is charged to the caller's cgroup: with a memory limit nobody runs a program before
 * it is in its place, and only building the jails overlaps with the wait. Without one, being a little
 * off in the caller's favour is better than keeping him waiting. With v2 alone there is no move at all.
 */
static int place_all(struct supervisor *s, bool strict, struct err *err)
{
	pid_t pids[1 + PLAN_PROCS_MAX] = {getpid()};
	unsigned int i;
	int r = 0;

	for (i = 0; i < s->nr; i++)
		pids[1 + i] = s->proc[i].jailed.pid;
	if (!strict)
		r = let_go(s, err);
	cgroup_enter(s->cgroup, pids, 1 + s->nr);
	phases_mark(s->phases, "cgroup entered");
	return strict ? let_go(s, err) : r;
}

static int spawn_all(struct supervisor *s, const struct launch *l, struct spawn *sp,
		     struct err *err)
{
	int pipe_fd[2], r = spawn_prepare(sp, err);
	cleanup_fd int error_wr = -1;

	if (r < 0)
		return r;
	if (pipe2(pipe_fd, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set(err, errno, "error pipe");
	s->error_fd = pipe_fd[0];
	error_wr = sp->error_fd = pipe_fd[1];
	r = supervisor_watch_jails(s, err);
	phases_mark(s->phases, "guest RAM and sockets");
	while (r == 0 && s->nr < l->plan->nr_procs) {
		r = spawn_process(sp, s->nr, &s->proc[s->nr], err);
		if (r < 0)
			break;
		phases_add(s->phases, "jail", s->proc[s->nr].name, clock_ns());
		/* Its end is the program's business; ours never waits for a peer. */
		if (fcntl(s->proc[s->nr].control, F_SETFL, O_NONBLOCK) < 0)
			r = err_set(err, errno, "control socket");
		s->nr++;
		if (r == 0)
			r = supervisor_watch(s, s->nr - 1, err);
	}
	if (r == 0)
		r = place_all(s, l->plan->cgroup.memory_max_bytes >= 0, err);
	return r == 0 && let_go_of_stdio(sp->null_fd) < 0 ? err_set(err, errno, "/dev/null") : r;
}

/* What only creating needed: memory, and fds that others wait to see closed */
static void forget_launch(const struct launch *l)
{
	unsigned int i;

	for (i = 0; i < l->plan->nr_procs; i++)
		close(l->program_fd[i]);
	for (i = 0; i < 2; i++) {
		/* 0 to 2 are /dev/null by now. */
		if (l->stdio[i] > STDERR_FILENO)
			close(l->stdio[i]);
		if (l->console[i] > STDERR_FILENO)
			close(l->console[i]);
	}
	assets_close(l->assets);
	plan_free(l->plan);
	malloc_trim(0);
}

static int begin(struct supervisor *s, const struct launch *l, struct err *err)
{
	struct spawn sp = {
		.plan = l->plan,
		.assets = l->assets,
		.program_fd = l->program_fd,
		.stdio = {l->stdio[0], l->stdio[1]},
		.console = {l->console[0], l->console[1]},
		.ids = userns_ids(getpid()),
		.log_level = l->log.max,
		.null_fd = -1,
		.ram_fd = -1,
	};
	int r = loop_init(&s->loop, err);

	if (r == 0)
		r = loop_add(&s->loop, s->report, EPOLLIN, on_launcher, s, err);
	if (r == 0)
		r = spawn_all(s, l, &sp, err);
	spawn_done(&sp);
	forget_launch(l);
	cgroup_done(s->cgroup);
	return r < 0 ? r : supervisor_serve(s, err);
}

static void serve(struct supervisor *s, struct err *err)
{
	while (s->stage != STAGE_OVER) {
		int timeout_ms = -1, r = 0;

		if (s->deadline_ns) {
			const uint64_t now = clock_ns();

			if (now >= s->deadline_ns) {
				supervisor_deadline(s);
				continue;
			}
			timeout_ms = (int)((s->deadline_ns - now) / 1000000) + 1;
		}
		r = loop_once(&s->loop, timeout_ms, err);
		if (r == 0 && s->stage == STAGE_CREATING)
			r = all_ready(s, err);
		if (r < 0 && s->stage < STAGE_CREATED)
			supervisor_fail(s, err);
		else if (r < 0)
			supervisor_end(s, END_VMM_KILLED, err->msg, true);
	}
}

static NORETURN void finish(struct supervisor *s, const struct launch *l)
{
	struct err err;

	phases_mark(s->phases, "all processes gone");
	if (!s->failed) {
		s->state->status = STATE_STOPPED;
		s->state->nr_procs = 0;
		if (state_save(s->dir, s->state, &err) < 0)
			olog_write(&s->log, LOG_LEVEL_ERROR, "%s", err.msg);
		_exit(s->state->exit_code);
	}
	/* The launcher undoes the rest, if there still is one. */
	if (s->report >= 0) {
		tell_launcher(s, &s->failure);
		_exit(1);
	}
	cgroup_leave(s->state->cgroup_dir, s->state->nr_cgroup_dirs);
	if (destroy_remains(l->root, s->state->id, s->dir, s->state, &err) < 0)
		olog_write(&s->log, LOG_LEVEL_ERROR, "%s", err.msg);
	_exit(1);
}

void supervisor_main(struct supervisor *s, const struct launch *l)
{
	struct err err = {0};
	unsigned int i;

	for (i = 0; i < PLAN_PROCS_MAX; i++)
		spawned_init(&s->proc[i]);
	if (begin(s, l, &err) < 0)
		supervisor_fail(s, &err);
	serve(s, &err);
	finish(s, l);
}

/* ---- the launcher's side ---- */

static int write_pid_file(const char *path, pid_t pid, struct err *err)
{
	char temp[PLAN_PATH_MAX], text[16];
	cleanup_fd int fd = -1;
	const char *slash = strrchr(path, '/');
	const int dir_len = slash ? (int)(slash + 1 - path) : 0;
	size_t len;

	if (strlen(path) + 2 > sizeof(temp))
		return err_set(err, ENAMETOOLONG, "pid file");
	fmt_into(temp, sizeof(temp), "%.*s.%s", dir_len, path, path + dir_len);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(err, errno, "pid file %s", path);
	/* Without a newline: go-runc takes every byte for a digit. */
	len = fmt_into(text, sizeof(text), "%d", pid);
	if (write(fd, text, len) != (ssize_t)len || rename(temp, path) < 0) {
		const int r = err_set(err, errno, "pid file %s", path);

		(void)unlink(temp);
		return r;
	}
	return 0;
}

static const char *owner_name(char ret[33])
{
	const struct passwd *pw;
	FILE *f;

	/* Not getpwuid(): it would load whatever modules the host's NSS is made of. */
	fmt_into(ret, 33, "%u", geteuid());
	f = fopen("/etc/passwd", "re");
	if (!f)
		return ret;
	while ((pw = fgetpwent(f))) {
		if (pw->pw_uid == geteuid()) {
			fmt_into(ret, 33, "%s", pw->pw_name);
			break;
		}
	}
	fclose(f);
	return ret;
}

static int fill_state(const struct launch *l, struct cgroup *cg, struct state *s)
{
	const struct plan *p = l->plan;

	fmt_into(s->id, sizeof(s->id), "%s", p->id);
	s->status = STATE_CREATING;
	s->supervisor = (struct process){getpid(), process_identify(getpid())};
	s->bundle = strdup(p->bundle_path);
	s->rootfs = strdup(l->rootfs);
	clock_rfc3339(s->created, 9);
	owner_name(s->owner);
	s->mem_bytes = p->mem_bytes;
	s->nr_vcpus = p->nr_vcpus;
	s->annotations = json_object_get(p->annotations);
	memcpy(s->cgroup_dir, cg->dir, sizeof(cg->dir));
	s->nr_cgroup_dirs = cg->nr_dirs;
	cg->nr_dirs = 0; /* the strings are the state's now */
	return s->bundle && s->rootfs ? 0 : -ENOMEM;
}

/**
 * struct launching - What the launcher holds until the supervisor has taken over
 */
struct launching {
	int dir;
	int lock;
	int report[2]; /* ours, the supervisor's */
	pid_t pid;
	struct state *state;
	struct cgroup cgroup;
};

static void cleanup_launching(struct launching *g)
{
	cleanup_close_fd(&g->dir);
	cleanup_close_fd(&g->lock);
	cleanup_close_fd(&g->report[0]);
	cleanup_close_fd(&g->report[1]);
	cgroup_done(&g->cgroup);
	state_free(g->state);
}

/* On file before anything is made, so that delete knows after a death at any moment. */
static int write_down(const struct launch *l, struct launching *g, struct err *err)
{
	int r = cgroup_plan(&l->plan->cgroup, &g->cgroup, err);

	if (r < 0)
		return r;
	g->state = calloc(1, sizeof(*g->state));
	if (!g->state || fill_state(l, &g->cgroup, g->state) < 0)
		return err_set(err, ENOMEM, "state");
	r = state_save_text(g->dir, STATE_CONFIG, l->config, err);
	return r < 0 ? r : state_save(g->dir, g->state, err);
}

/* What vmrun opens is close-on-exec, so what is not was the caller's: conmon, for one, waits for such a
 * pipe to be closed by all who inherited it. */
static void close_inherited(void)
{
	DIR *d = opendir("/proc/self/fd");
	const struct dirent *e;

	while (d && (e = readdir(d))) {
		const int fd = atoi(e->d_name);
		const int flags = fcntl(fd, F_GETFD);

		if (fd > STDERR_FILENO && flags >= 0 && !(flags & FD_CLOEXEC))
			close(fd);
	}
	if (d)
		closedir(d);
}

static NORETURN void become_supervisor(const struct launch *l, struct launching *g)
{
	struct supervisor *s = calloc(1, sizeof(*s));
	sigset_t all;

	/* Signals wait until there is someone to read them. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	close(g->report[0]);
	close_inherited();
	if (!s)
		_exit(1); /* which the launcher reads as end of file */
	s->dir = g->dir;
	s->lock = g->lock;
	s->report = g->report[1];
	s->signal_fd = s->listen_fd = s->error_fd = -1;
	s->autostart = l->autostart;
	s->state = g->state;
	s->log = l->log;
	s->phases = l->phases;
	s->cgroup = &g->cgroup;
	/* conmon kills the process group of a create that takes too long. */
	(void)setsid();
	if (chdir("/") < 0)
		_exit(1);
	(void)prctl(PR_SET_NAME, "vmrun-supervise", 0, 0, 0);
	supervisor_main(s, l);
}

static int fork_supervisor(const struct launch *l, struct launching *g, struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, g->report) < 0)
		return err_set(err, errno, "report socket");
	cgroup_make(&g->cgroup, &l->plan->cgroup, l->warn, l->arg);
	phases_mark(l->phases, "cgroup made");
	g->pid = cgroup_fork(&g->cgroup);
	if (g->pid < 0)
		return err_set(err, errno, "fork the supervisor");
	if (g->pid == 0)
		become_supervisor(l, g);
	close(g->report[1]);
	g->report[1] = -1;
	return 0;
}

static int wait_for_report(const struct launch *l, struct launching *g, struct err *err)
{
	struct report r;
	ssize_t n;

	do
		n = recv(g->report[0], &r, sizeof(r), 0);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(r))
		return err_text(err, EIO, "the supervisor was killed while it created the VM");
	r.text[sizeof(r.text) - 1] = '\0';
	if (r.code)
		return err_text(err, r.code, "%s", r.text);
	if (l->pid_file) {
		int rc = write_pid_file(l->pid_file, g->pid, err);

		if (rc < 0)
			return rc;
	}
	if (send(g->report[0], ACK, sizeof(ACK), MSG_NOSIGNAL) < 0)
		return err_text(err, EIO, "the supervisor was killed while it created the VM");
	return 0;
}

static void undo(const struct launch *l, struct launching *g)
{
	struct err ignored;

	cleanup_close_fd(&g->report[0]);
	g->report[0] = -1;
	if (g->pid > 0) {
		/* Without the ack it takes the processes down and exits; a hang would be a bug that
		 * must not become the caller's. */
		struct process p = {g->pid, process_identify(g->pid)};
		struct pollfd wait = {.fd = process_open(&p), .events = POLLIN};

		if (wait.fd >= 0 && poll(&wait, 1, UNDO_MS) == 0)
			(void)process_signal(wait.fd, SIGKILL);
		cleanup_close_fd(&wait.fd);
		(void)waitpid(g->pid, NULL, 0);
	}
	/* The failure itself is what the user is told. */
	(void)!destroy_remains(l->root, l->plan->id, g->dir, g->state, &ignored);
}

int supervisor_launch(const struct launch *l, pid_t *ret_pid, struct err *err)
{
	__attribute__((cleanup(cleanup_launching))) struct launching g = {
		.dir = -1, .lock = -1, .report = {-1, -1}};
	int r = state_check_id(l->plan->id, err);

	if (r == 0)
		r = state_reserve(l->root, l->plan->id, &g.dir, &g.lock, err);
	if (r < 0)
		return r;
	r = write_down(l, &g, err);
	phases_mark(l->phases, "state directory");
	if (r == 0)
		r = fork_supervisor(l, &g, err);
	if (r == 0)
		r = wait_for_report(l, &g, err);
	if (r < 0) {
		undo(l, &g);
		return r;
	}
	*ret_pid = g.pid;
	return 0;
}
