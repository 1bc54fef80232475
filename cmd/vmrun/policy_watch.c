/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/policy_watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cmd/vmrun/found.h"
#include "cmd/vmrun/policy_stats.h"
#include "cmd/vmrun/tracee.h"
#include "cmd/vmrun/tracer.h"
#include "devices/core/fmt.h"
#include "policies/learn.h"

#define STATS_SECONDS 5
#define EXIT_SIGNAL   128 /* a command that a signal ends: as shells have it */

static const char nothing_seen[] = "no process behind a policy was seen";

static void policy_watch_set_exit_code(struct vmrun *v, int status)
{
	v->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SIGNAL + WTERMSIG(status);
}

/* ---- stats ---- */

/** struct watch - What is counted. @calls: of all groups */
struct watch {
	struct policy_stats stats;
	uint64_t calls;
};

static int policy_watch_count(void *arg, unsigned int group, int nr, const uint64_t args[6],
			      struct err *err)
{
	struct watch *w = arg;

	w->calls++;
	return policy_stats_add(&w->stats, group, nr, args, err);
}

static int policy_watch_run(struct watch *w, struct tracer_job *job, struct err *err)
{
	struct err of_stats = {0};
	int rc, ended;

	job->call = policy_watch_count;
	job->arg = w;
	tracer_block_signals(&job->mask);
	rc = policy_stats_begin(&w->stats, err);
	if (rc == 0) {
		rc = tracer_run(job, err);
		ended = policy_stats_end(&w->stats, &of_stats);
		/* A tracer whose child is gone only knows that. */
		if (ended < 0) {
			*err = of_stats;
			rc = ended;
		}
	}
	(void)sigprocmask(SIG_SETMASK, &job->mask, NULL);
	if (rc == 0 && w->calls == 0 && job->argv)
		rc = err_text(err, ENOENT, "%s", nothing_seen);
	return rc;
}

static int policy_watch_open_output(const char *path, int *ret, struct err *err)
{
	*ret = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666)
		    : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	return *ret < 0 ? err_set(err, errno, "%s", path ? path : "standard output") : 0;
}

static int policy_watch_command(struct vmrun *v, const struct policy_options *o, char **argv,
				int out, struct err *err)
{
	cleanup_free struct policy_stats_group *group = calloc(nr_policies, sizeof(*group));
	struct watch w = {.stats = {.nr_groups = nr_policies,
				    .group = group,
				    .dir = v->policy_dir,
				    .out = out}};
	struct tracer_job job = {.argv = argv, .seconds = o->seconds};
	int rc;

	if (!group)
		return err_set(err, ENOMEM, "policies");
	for (unsigned int i = 0; i < nr_policies; i++)
		group[i] = (struct policy_stats_group){policies[i].name, &policies[i]};
	rc = policy_watch_run(&w, &job, err);
	if (rc == 0)
		policy_watch_set_exit_code(v, job.ret_status);
	return rc;
}

/* Groups and targets of a VM's processes. Return: how many, or -errno */
static int policy_watch_processes(const struct state *s, struct policy_stats_group *group,
				  struct tracer_target *target, struct err *err)
{
	struct tracees looked = {.nr = 0};
	int nr = 0;

	for (unsigned int i = 0; nr >= 0 && i < s->nr_procs; i++) {
		const struct state_proc *p = &s->proc[i];
		const struct tracee *t = tracees_get(&looked, p->process.pid);
		unsigned int policy;

		if (!t)
			nr = err_set(err, ENOMEM, "processes");
		else if (tracee_group(t, NULL, 0, true, &policy)) {
			group[nr] = (struct policy_stats_group){p->name, &policies[policy]};
			target[nr] = (struct tracer_target){p->process, (unsigned int)nr};
			nr++;
		}
	}
	tracees_done(&looked);
	return nr;
}

static int policy_watch_vm(struct vmrun *v, const struct policy_options *o, const char *id, int out,
			   struct err *err)
{
	cleanup_found struct found f = {.dir = -1};
	struct policy_stats_group group[PLAN_PROCS_MAX];
	struct tracer_target target[PLAN_PROCS_MAX];
	struct watch w = {.stats = {.group = group, .all = true, .dir = v->policy_dir, .out = out}};
	struct tracer_job job = {.target = target,
				 .seconds = o->seconds ? o->seconds : STATS_SECONDS};
	int nr = found_open(v, id, &f, err);

	if (nr < 0)
		return nr;
	if (f.state->unconfined)
		return err_text(err, EOPNOTSUPP, "it runs without jails (--disable-sandbox)");
	nr = policy_watch_processes(f.state, group, target, err);
	if (nr <= 0)
		return nr < 0 ? nr : err_text(err, ENOENT, "it has no process behind a policy");
	w.stats.nr_groups = job.nr = (unsigned int)nr;
	return policy_watch_run(&w, &job, err);
}

int policy_stats(struct vmrun *v, const struct policy_options *o, unsigned int nr, char **args,
		 struct err *err)
{
	static char root[PATH_MAX * 2];
	cleanup_fd int out = -1;
	int rc = 0;

	if (!o->run && nr != 1)
		return vmrun_usage(v, err_text(err, EINVAL, "policy stats wants an ID, or --run"));
	if (!o->run)
		rc = vmrun_settle_root(v, root, sizeof(root), err);
	if (rc == 0)
		rc = policy_watch_open_output(o->output, &out, err);
	if (rc < 0)
		return rc;
	if (o->run)
		return policy_watch_command(v, o, args, out, err);
	rc = policy_watch_vm(v, o, args[0], out, err);
	return rc < 0 ? err_wrap(err, "%s", args[0]) : 0;
}

/* ---- learn ---- */

/* Of each policy, what was learned */
static int policy_watch_learn(void *arg, unsigned int group, int nr, const uint64_t args[6],
			      struct err *err)
{
	struct learn *learn = arg;

	return learn_add(&learn[group], nr, args, err);
}

/* Before the command runs; one that does not exist is made when it has run. */
static int policy_watch_check_directory(const char *path, struct err *err)
{
	DIR *dir = path ? opendir(path) : NULL;
	unsigned int entries = 0;

	if (!dir)
		return !path || errno == ENOENT ? 0 : err_set(err, errno, "%s", path);
	while (readdir(dir))
		entries++;
	closedir(dir);
	return entries <= 2 ? 0 : err_set(err, ENOTEMPTY, "%s", path);
}

static int policy_watch_write_policy(const struct learn *l, const char *name, FILE *out)
{
	fprintf(out, "# %s.policy, learned by vmrun policy learn\n", name);
	learn_print(l, out);
	return fflush(out) == 0 && !ferror(out) ? 0 : -errno;
}

static int policy_watch_write_file(const struct learn *l, const char *dir, const char *name,
				   struct err *err)
{
	char path[PATH_MAX * 2];
	FILE *out;
	int rc;

	fmt_into(path, sizeof(path), "%s/%s.policy", dir, name);
	out = fopen(path, "wxe");
	if (!out)
		return err_set(err, errno, "%s", path);
	rc = policy_watch_write_policy(l, name, out);
	if (fclose(out) != 0 && rc == 0)
		rc = -errno;
	if (rc < 0)
		(void)unlink(path);
	return rc < 0 ? err_set(err, -rc, "%s", path) : 0;
}

static int policy_watch_write(const struct learn *learn, const char *dir, struct err *err)
{
	unsigned int nr = 0;
	int rc = 0;

	for (unsigned int i = 0; i < nr_policies; i++)
		nr += learn[i].nr > 0;
	if (nr == 0)
		return err_text(err, ENOENT, "%s", nothing_seen);
	if (dir && mkdir(dir, 0777) < 0 && errno != EEXIST)
		return err_set(err, errno, "%s", dir);
	for (unsigned int i = 0; rc == 0 && i < nr_policies; i++) {
		if (learn[i].nr == 0)
			continue;
		if (dir)
			rc = policy_watch_write_file(&learn[i], dir, policies[i].name, err);
		else if (policy_watch_write_policy(&learn[i], policies[i].name, stdout) < 0)
			rc = err_set(err, errno, "standard output");
	}
	return rc;
}

static void policy_watch_warn(const struct vmrun *v)
{
	struct err loud;

	err_text(&loud, EPERM,
		 "WARNING: policy learn: the seccomp filters of what it runs refuse nothing");
	vmrun_error(v, &loud);
}

int policy_learn(struct vmrun *v, const struct policy_options *o, unsigned int nr, char **args,
		 struct err *err)
{
	cleanup_free struct learn *learn = calloc(nr_policies, sizeof(*learn));
	struct tracer_job job = {
		.argv = args, .opens = true, .call = policy_watch_learn, .arg = learn};
	int rc;

	if (nr == 0)
		return vmrun_usage(v, err_text(err, EINVAL, "policy learn wants a command"));
	if (!learn)
		return err_set(err, ENOMEM, "policies");
	rc = policy_watch_check_directory(o->output, err);
	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < nr_policies; i++)
		learn[i] = (struct learn){.arch = arch_native(), .fds = o->fds};
	policy_watch_warn(v);
	tracer_block_signals(&job.mask);
	rc = tracer_run(&job, err);
	(void)sigprocmask(SIG_SETMASK, &job.mask, NULL);
	if (rc == 0)
		rc = policy_watch_write(learn, o->output, err);
	if (rc == 0)
		policy_watch_set_exit_code(v, job.ret_status);
	for (unsigned int i = 0; i < nr_policies; i++)
		learn_done(&learn[i]);
	return rc;
}
