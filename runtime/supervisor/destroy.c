/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/destroy.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "runtime/host/cgroup.h"
#include "runtime/net/net.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/state/state_link.h"
#include "runtime/supervisor/client.h"
#include "runtime/supervisor/hooks.h"

#define SURVIVOR_MS   5000
#define LOCK_PAUSE_NS 2000000
#define ASK_TRIES     1000 /* 2 s for an orderly end */
#define ASK_LOOKS     20   /* so often in that time */
#define KILL_TRIES    5000 /* 10 s more after a SIGKILL */

static void destroy_state_done(struct state **s)
{
	state_free(*s);
}
#define cleanup_state __attribute__((cleanup(destroy_state_done)))

/* Keeps the first failure: later ones usually follow from it. */
static int destroy_first(int so_far, int rc)
{
	return so_far < 0 ? so_far : rc;
}

/* Kill a process that stands still while its group is frozen. */
static int destroy_kill_frozen(const struct process *p)
{
	if (process_identify(p->pid) == p->start && p->start)
		cgroup_thaw(p->pid);
	return process_kill(p, SURVIVOR_MS);
}

/* If another file is at its path now, that stays. */
static void destroy_socket(const struct state_socket *k)
{
	struct stat st;

	if (lstat(k->path, &st) == 0 && st.st_dev == k->dev && st.st_ino == k->ino)
		(void)unlink(k->path);
}

/* The last of it: the link of the user's to the directory, and the directory */
static int destroy_dir(const char *root, const char *id, int dir, const struct state *s,
		       struct err *err)
{
	if (s && s->link)
		state_link_remove(root, id, s->link);
	return state_remove(root, id, dir, err);
}

int destroy_remains(const char *root, const char *id, int dir, const struct state *s,
		    struct err *err)
{
	struct err other;
	int rc = 0;

	for (unsigned int i = 0; s && i < s->nr_procs; i++) {
		int dead = destroy_kill_frozen(&s->proc[i].process);

		if (dead < 0 && rc == 0)
			rc = err_set(err, -dead, "kill %s", s->proc[i].name);
	}
	if (s)
		rc = destroy_first(
			rc, cgroup_remove(s->cgroup_dir, s->nr_cgroup_dirs, rc ? &other : err));
	/* No process holds a TAP any more. */
	for (unsigned int i = 0; s && i < s->nr_nets; i++)
		rc = destroy_first(rc, net_undo(&s->net[i], rc ? &other : err));
	for (unsigned int i = 0; s && i < s->nr_sockets; i++)
		destroy_socket(&s->socket[i]);
	return rc < 0 ? rc : destroy_dir(root, id, dir, s, err);
}

/* -EBUSY while the VM, its launcher or another delete holds it */
static int destroy_wait_for_lock(int dir, unsigned int tries, int *ret_lock)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
	int rc;

	while ((rc = state_lock(dir, ret_lock)) == -EBUSY && tries-- > 0)
		nanosleep(&pause, NULL);
	return rc;
}

/* Whether all processes left are killed, and only a stalled disk of the host keeps them */
static bool destroy_only_dying(const struct state *s)
{
	bool any = false;

	for (unsigned int i = 0; i < s->nr_procs; i++) {
		const struct process *p = &s->proc[i].process;

		if (process_identify(p->pid) != p->start)
			continue;
		if (!process_dying(p->pid))
			return false;
		any = true;
	}
	return any;
}

/* As destroy_wait_for_lock(), while a supervisor ends its VM; -EINPROGRESS when only the host delays it */
static int destroy_wait_for_end(int dir, const struct state *s, int *ret_lock)
{
	int rc = -EBUSY;

	for (unsigned int i = 0; i < ASK_LOOKS && rc == -EBUSY; i++) {
		rc = destroy_wait_for_lock(dir, ASK_TRIES / ASK_LOOKS, ret_lock);
		if (rc == -EBUSY && destroy_only_dying(s))
			rc = -EINPROGRESS;
	}
	return rc;
}

/* End the process that runs the VM, and take the lock. */
static int destroy_take_over(int dir, const struct state *s, int *ret_lock)
{
	cleanup_state struct state *now = NULL;
	struct err ignored;
	int rc = -EBUSY;

	/* A supervisor that can be asked cleans up itself; one that is not ready yet, or frozen, is killed below. */
	if (s->status != STATE_CREATING && !cgroup_frozen(s->supervisor.pid))
		rc = client_ask_op(dir, REQUEST_KILL, SIGKILL, NULL, &ignored);
	if (rc == 0 || rc == -ESRCH) /* it is ending already */
		rc = destroy_wait_for_end(dir, s, ret_lock);
	else
		rc = -EBUSY;
	if (rc != -EBUSY)
		return rc;
	rc = destroy_kill_frozen(&s->supervisor);
	if (rc == 0)
		rc = destroy_wait_for_lock(dir, ASK_TRIES, ret_lock);
	if (rc != -EBUSY)
		return rc;
	/* The pid recorded at first may have been the launcher's. */
	if (state_load(dir, &now, &ignored) == 0 && now->supervisor.pid != s->supervisor.pid)
		(void)!destroy_kill_frozen(&now->supervisor);
	return destroy_wait_for_lock(dir, KILL_TRIES, ret_lock);
}

/* The state file cannot be read, but the lock is held: by a create in its first moments, by another delete
 * in its last ones, or by a VM whose file was damaged. Wait until that is over. */
static int destroy_load_patiently(int dir, bool force, struct state **ret, struct err *err)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
	unsigned int tries = ASK_TRIES;
	struct err ignored;
	int rc = state_load(dir, ret, err);

	/* Only a VM listens; its supervisor rewrites the file when it ends. */
	if (rc < 0 && rc != -ENOENT && force &&
	    client_ask_op(dir, REQUEST_KILL, SIGKILL, NULL, &ignored) < 0)
		tries = 0;
	while ((rc == -ENOENT || (rc < 0 && force)) && tries-- > 0) {
		if (state_locked(dir) != 1)
			return state_load(dir, ret, err);
		nanosleep(&pause, NULL);
		rc = state_load(dir, ret, err);
	}
	return rc;
}

/* A directory without a readable state file */
static int destroy_unborn(const char *root, const char *id, int dir, bool force, struct err *err)
{
	cleanup_fd int lock = -1;
	int rc = state_lock(dir, &lock);

	if (rc == -EBUSY)
		return err_text(err, EBUSY, "the container is being created");
	if (!force)
		return err_text(err, ENOENT, "container does not exist");
	if (rc == 0)
		return destroy_remains(root, id, dir, NULL, err);
	if (rc != -ENOENT && rc != -EINVAL)
		return err_set(err, -rc, "lock");
	/* Without a lock file it is the empty directory of a create that got no further, or it is not
	 * vmrun's, and then it is not empty. */
	(void)!state_remove_empty(id, dir);
	return 0;
}

/* A VM whose state is known to be @s. *@ret_gone: this call has removed it, no other process */
static int destroy_known(const char *root, int dir, const struct state *s, bool *ret_gone,
			 struct err *err)
{
	cleanup_state struct state *last = NULL;
	cleanup_fd int lock = -1;
	int rc = state_lock(dir, &lock);

	if (rc == -EBUSY)
		rc = destroy_take_over(dir, s, &lock);
	if (rc == -ENOENT)
		return 0; /* it undid itself, or another delete was faster */
	if (rc < 0 && rc != -EINPROGRESS)
		return err_set(err, -rc, "stop the supervisor");
	if (rc == 0) {
		/* Only now can no process change it any more. */
		rc = state_load(dir, &last, err);
		if (rc == -ENOENT)
			return 0; /* the launcher has undone it all */
		rc = destroy_remains(root, s->id, dir, rc < 0 ? s : last, err);
	} else {
		/* Its supervisor removes the rest when the host lets the processes go. */
		rc = destroy_dir(root, s->id, dir, s, err);
	}
	*ret_gone = rc == 0;
	return rc;
}

/* Without its config.json, which goes first when the disk is full, no hook is known. */
static void destroy_load_hooks(int dir, struct plan_hooks *ret, const struct warn_to *warn)
{
	struct err err;
	const int rc = hooks_load(dir, ret, &err);

	if (rc < 0 && rc != -ENOENT && warn)
		warn->line(warn->arg, err.msg);
}

int destroy(const char *root, const char *id, bool force, const struct warn_to *warn,
	    struct err *err)
{
	cleanup_hooks struct plan_hooks hooks = {0};
	cleanup_state struct state *s = NULL;
	cleanup_fd int dir = -1;
	bool gone = false;
	int rc = state_open(root, id, &dir, err);

	if (rc == -ENOENT && force)
		return 0;
	if (rc < 0)
		return rc;
	rc = destroy_load_patiently(dir, force, &s, err);
	if (rc == -ENOENT || (rc < 0 && force))
		return destroy_unborn(root, id, dir, force, err);
	if (rc < 0)
		return rc;
	if (!force && (s->status == STATE_RUNNING || s->status == STATE_PAUSED ||
		       s->status == STATE_CREATING))
		return err_text(err, EBUSY, "cannot delete a container that is not stopped: %s",
				state_status_name(s->status));
	destroy_load_hooks(dir, &hooks, warn);
	rc = destroy_known(root, dir, s, &gone, err);
	if (gone)
		hooks_stopped(&hooks, s, warn);
	return rc;
}
