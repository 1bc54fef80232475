/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/launch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "devices/core/fmt.h"
#include "runtime/net/cmdline.h"
#include "runtime/net/net.h"
#include "runtime/state/state_cid.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/state/state_link.h"
#include "runtime/supervisor/destroy.h"
#include "runtime/supervisor/hooks.h"
#include "runtime/supervisor/life.h"
#include "runtime/supervisor/pid_file.h"

#define UNDO_MS	      10000
#define LOCK_PAUSE_NS 2000000
#define LOCK_TRIES    1000			     /* 2 s */
#define REPORT_MS     (HANDOVER_CREATE_MS + UNDO_MS) /* more than the supervisor needs to give up */

static const char *launch_owner_name(char ret[33])
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

/* Records the directories: before they are made without their identity, then with it */
static int launch_note_cgroups(const struct cgroup *cg, struct state *s)
{
	state_free_cgroups(s);
	for (unsigned int i = 0; i < cg->nr_dirs; i++) {
		s->cgroup_dir[i] = cg->dir[i];
		s->cgroup_dir[i].path = strdup(cg->dir[i].path);
		if (!s->cgroup_dir[i].path)
			return -ENOMEM;
		s->nr_cgroup_dirs++;
	}
	return 0;
}

static int launch_fill_state(const struct launch *l, const struct cgroup *cg, struct state *s)
{
	const struct plan *p = l->plan;

	fmt_into(s->id, sizeof(s->id), "%s", p->id);
	s->status = STATE_CREATING;
	s->supervisor = (struct process){getpid(), process_identify(getpid())};
	s->bundle = strdup(p->bundle_path);
	s->rootfs = strdup(l->rootfs);
	clock_rfc3339(s->created, 9);
	launch_owner_name(s->owner);
	s->mem_bytes = p->mem_bytes;
	s->nr_vcpus = p->nr_vcpus;
	s->cid = p->vsock.agent ? 0 : p->vsock.cid;
	s->annotations = json_object_get(p->annotations);
	s->unconfined = p->unconfined;
	s->link = l->socket ? strdup(l->socket) : NULL;
	if (!s->bundle || !s->rootfs || !s->link != !l->socket)
		return -ENOMEM;
	return launch_note_cgroups(cg, s);
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

static void launch_done(struct launching *g)
{
	cleanup_close_fd(&g->dir);
	cleanup_close_fd(&g->lock);
	cleanup_close_fd(&g->report[0]);
	cleanup_close_fd(&g->report[1]);
	cgroup_done(&g->cgroup);
	state_free(g->state);
}
#define cleanup_launching __attribute__((cleanup(launch_done)))

static int launch_plan_networks(const struct plan *p, struct state *s, struct err *err)
{
	char cmdline[BOOT_CMDLINE_MAX];
	struct net_guest guest;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < p->nr_nets; i++) {
		rc = net_plan(&p->net[i], s->id, p->proc[p->net[i].proc].name, &s->net[i], err);
		s->nr_nets += rc == 0;
	}
	/* If it is too long now it will be too long at start. */
	net_guest_of(p, &guest);
	return rc < 0 ? rc : net_cmdline(s->net, s->nr_nets, &guest, cmdline, err);
}

/* Recorded before anything is made, so that delete finds it after a death at any moment. */
static int launch_write_down(const struct launch *l, struct launching *g, struct err *err)
{
	int rc = cgroup_plan(&l->plan->cgroup, &g->cgroup, err);

	if (rc < 0)
		return rc;
	g->state = calloc(1, sizeof(*g->state));
	if (!g->state || launch_fill_state(l, &g->cgroup, g->state) < 0)
		return err_set(err, ENOMEM, "state");
	rc = launch_plan_networks(l->plan, g->state, err);
	if (rc < 0)
		return rc;
	rc = state_save_text(g->dir, STATE_CONFIG, l->config, err);
	if (rc == 0)
		rc = state_save(g->dir, g->state, err);
	if (rc == 0 && state_cid_check(l->root, g->state, err) < 0)
		rc = err_wrap(err, "%s/cid", l->plan->vsock.pointer);
	return rc < 0 || !l->socket ? rc : state_link_make(l->root, l->plan->id, l->socket, err);
}

/* What vmrun opens is close-on-exec, so all else was the caller's. conmon, for one, waits until every process that
 * inherited its pipe has closed it. */
static void launch_close_inherited(void)
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

static NORETURN void launch_become_supervisor(const struct launch *l, struct launching *g)
{
	struct supervisor *s = calloc(1, sizeof(*s));
	sigset_t all;

	/* Signals wait until the loop reads them. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	close(g->report[0]);
	launch_close_inherited();
	if (l->own_fd >= 0)
		close(l->own_fd);
	if (!s)
		_exit(1); /* which the launcher reads as end of file */
	s->dir = g->dir;
	s->lock = g->lock;
	s->report = g->report[1];
	s->signal_fd = s->listen_fd = s->error_fd = s->host_net = -1;
	s->start.client = -1;
	s->launch = l;
	s->assets = l->assets;
	s->nr_programs = l->plan->nr_procs;
	s->launcher = l->waits ? getppid() : 0;
	s->state = g->state;
	s->log = l->log;
	s->phases = l->phases;
	s->cgroup = &g->cgroup;
	/* Jailed processes cannot drop groups, because their user namespace denies it. Root needs none;
	 * without privilege the groups are the caller's own. */
	(void)!setgroups(0, NULL);
	/* conmon kills the process group of a create that takes too long. */
	(void)setsid();
	/* If this process is stopped when the launcher dies, it must continue, notice that and undo everything. */
	(void)prctl(PR_SET_PDEATHSIG, SIGCONT, 0, 0, 0);
	if (chdir("/") < 0)
		_exit(1);
	(void)prctl(PR_SET_NAME, "vmrun-supervise", 0, 0, 0);
	life_lead(s);
}

/* Too small a limit has many symptoms: a killed process, a failure to map, an empty pipe. */
static int launch_too_little_memory(const struct launching *g, struct err *err)
{
	const bool killed = cgroup_oom_kills(&g->cgroup) > 0;
	const int64_t limit = g->cgroup.memory_max_bytes;
	const struct err what = *err;

	if (limit < 0 || (!killed && err->code != ENOMEM))
		return -err->code;
	return err_text(
		err, ENOMEM,
		"/linux/resources/memory/limit: %lld bytes of memory are too few for this VM, "
		"raise it (%s)",
		(long long)limit, what.msg);
}

/* Records the identity of the directories before a process is in them. */
static int launch_make_cgroups(const struct launch *l, struct launching *g, struct err *err)
{
	int rc = cgroup_make(&g->cgroup, err);

	if (rc == 0)
		rc = cgroup_limit(&g->cgroup, &l->plan->cgroup, err);
	if (rc == 0 && launch_note_cgroups(&g->cgroup, g->state) < 0)
		rc = err_set(err, ENOMEM, "state");
	if (rc == 0 && g->cgroup.nr_dirs)
		rc = state_save(g->dir, g->state, err);
	phases_mark(l->phases, "cgroup made");
	return rc;
}

static int launch_fork_supervisor(const struct launch *l, struct launching *g, struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, g->report) < 0)
		return err_set(err, errno, "report socket");
	g->pid = cgroup_fork(&g->cgroup);
	if (g->pid < 0) {
		err_set(err, errno, "fork the supervisor");
		return launch_too_little_memory(g, err);
	}
	if (g->pid == 0)
		launch_become_supervisor(l, g);
	cleanup_close_fd(&g->report[1]);
	g->report[1] = -1;
	/* The lock is the supervisor's: a launcher that is stopped must not keep it. */
	cleanup_close_fd(&g->lock);
	g->lock = -1;
	cgroup_hand_over(&g->cgroup);
	/* If the supervisor is dead, its report never comes. */
	(void)!send(g->report[0], HANDOVER_GO, sizeof(HANDOVER_GO), MSG_NOSIGNAL);
	return 0;
}

/* A launcher that dies before there is a supervisor would leave everything behind: so signals wait. */
static void launch_hold_signals(sigset_t *ret_before)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGPIPE);
	sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, ret_before);
}

static int launch_wait_for_report(struct launching *g, struct err *err)
{
	struct pollfd wait = {.fd = g->report[0], .events = POLLIN};
	struct handover_report r;
	ssize_t n;

	while ((n = poll(&wait, 1, REPORT_MS)) < 0 && errno == EINTR)
		;
	if (n == 0)
		return err_text(err, ETIMEDOUT, "the supervisor does not answer");
	/* One that leaves without having read the ack resets the socket; what it said before is there still. */
	while ((n = recv(g->report[0], &r, sizeof(r), MSG_DONTWAIT)) < 0 && errno == ECONNRESET)
		;
	if (n != sizeof(r))
		return err_text(err, EIO, "the supervisor was killed while it created the VM");
	r.text[sizeof(r.text) - 1] = '\0';
	return r.code ? err_text(err, r.code, "%s", r.text) : 0;
}

static int launch_acknowledge(const struct launch *l, struct launching *g, struct err *err)
{
	sigset_t before;
	int rc = l->pid_file ? pid_file_write(l->pid_file, g->pid, err) : 0;

	if (rc < 0)
		return rc;
	/* From here on the VM stays, or has said why not: create exits with 0, run reads signals from an fd. */
	launch_hold_signals(&before);
	(void)!send(g->report[0], HANDOVER_ACK, sizeof(HANDOVER_ACK), MSG_NOSIGNAL);
	return launch_wait_for_report(g, err);
}

/* It ends without the ack. Returns whether it is gone: one that hangs, or is stopped, does not hold the caller up */
static bool launch_see_supervisor_go(pid_t pid)
{
	const struct process p = {pid, process_identify(pid)};
	cleanup_fd int pidfd = process_open(&p);
	struct pollfd wait = {.fd = pidfd, .events = POLLIN};

	if (pidfd < 0 || poll(&wait, 1, UNDO_MS) <= 0) {
		(void)kill(pid, SIGKILL);
		if (pidfd < 0 || poll(&wait, 1, UNDO_MS) <= 0)
			return false;
	}
	return waitpid(pid, NULL, WNOHANG) == pid;
}

/* A supervisor that was killed leaves children, which hold its fds until they die, which is soon. */
static int launch_lock_again(struct launching *g)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
	unsigned int tries = LOCK_TRIES;
	int rc;

	while ((rc = state_lock(g->dir, &g->lock)) == -EBUSY && tries-- > 0)
		nanosleep(&pause, NULL);
	return rc;
}

static void launch_undo(const struct launch *l, struct launching *g)
{
	struct state *last = NULL;
	struct err ignored;

	cleanup_close_fd(&g->report[0]);
	g->report[0] = -1;
	/* Its locks would be in the way of removing it. */
	cgroup_done(&g->cgroup);
	/* A delete finds everything in the state file, and may have been faster. */
	if (g->pid > 0 && (!launch_see_supervisor_go(g->pid) || launch_lock_again(g) < 0))
		return;
	/* The supervisor clears names of others in the file only. The user hears of the first failure alone. */
	(void)!state_load(g->dir, &last, &ignored);
	(void)!destroy_remains(l->root, l->plan->id, g->dir, last ? last : g->state, &ignored);
	state_free(last);
}

/* Signals wait: they would leave the directory, its files and cgroups half made. */
static int launch_supervisor(const struct launch *l, struct launching *g, struct err *err)
{
	sigset_t before;
	int rc;

	launch_hold_signals(&before);
	rc = state_reserve(l->root, l->plan->id, &g->dir, &g->lock, err);
	if (rc == 0)
		rc = launch_write_down(l, g, err);
	phases_mark(l->phases, "state directory");
	if (rc == 0)
		rc = launch_make_cgroups(l, g, err);
	if (rc == 0)
		rc = launch_fork_supervisor(l, g, err);
	if (rc < 0 && g->dir >= 0)
		launch_undo(l, g);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}

int launch(const struct launch *l, pid_t *ret_pid, struct err *err)
{
	const struct warn_to warn = {l->warn, l->arg};
	cleanup_launching struct launching g = {.dir = -1, .lock = -1, .report = {-1, -1}};
	bool prepared;
	int rc = state_check_id(l->plan->id, err);

	if (rc == 0)
		rc = launch_supervisor(l, &g, err);
	if (rc < 0)
		return rc;
	prepared = launch_wait_for_report(&g, err) == 0;
	rc = prepared ? hooks_create(&l->plan->hooks, g.dir, err) : -err->code;
	if (rc == 0)
		rc = launch_acknowledge(l, &g, err);
	if (rc < 0) {
		rc = launch_too_little_memory(&g, err);
		launch_undo(l, &g);
		if (prepared)
			hooks_stopped(&l->plan->hooks, g.state, &warn);
		return rc;
	}
	*ret_pid = g.pid;
	return 0;
}
