/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/creds.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "devices/core/fdio.h"

#define CREDS_IOPRIO_PROCESS 1 /* IOPRIO_WHO_PROCESS */

int creds_oom_score(const struct agent_process *p, struct fault *f)
{
	cleanup_fd int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	char text[16];
	int n = snprintf(text, sizeof(text), "%d",
			 p->flags & AGENT_OOM_SCORE ? p->oom_score_adj : 0);

	(void)fault_step(f, AGENT_STEP_OOM_SCORE, 0);
	return fd < 0 ? -errno : fd_write_full(fd, text, (size_t)n);
}

static int creds_rlimit(const struct desc *d, uint32_t i)
{
	struct agent_rlimit l;
	struct rlimit limit;

	(void)desc_get(d, AGENT_RLIMIT, i, &l);
	limit = (struct rlimit){.rlim_cur = l.soft, .rlim_max = l.hard};
	return setrlimit((int)l.resource, &limit) < 0 ? -errno : 0;
}

/* As Linux's struct sched_attr, its first version; C libraries do not have it */
struct creds_sched {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static int creds_scheduler(const struct desc *d)
{
	struct agent_scheduler s;
	struct creds_sched attr;

	if (!desc_get(d, AGENT_SCHEDULER, 0, &s))
		return 0;
	attr = (struct creds_sched){
		.size = sizeof(attr),
		.policy = s.policy,
		.flags = s.flags,
		.nice = s.nice,
		.priority = s.priority,
		.runtime = s.runtime,
		.deadline = s.deadline,
		.period = s.period,
	};
	return syscall(SYS_sched_setattr, 0, &attr, 0) < 0 ? -errno : 0;
}

int creds_limits(const struct desc *d, const struct agent_process *p, struct fault *f)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < d->count[AGENT_RLIMIT]; i++) {
		(void)fault_step(f, AGENT_STEP_RLIMIT, i);
		rc = creds_rlimit(d, i);
	}
	if (rc < 0)
		return rc;
	(void)fault_step(f, AGENT_STEP_SCHEDULER, 0);
	if (p->flags & AGENT_IOPRIO &&
	    syscall(SYS_ioprio_set, CREDS_IOPRIO_PROCESS, 0, p->ioprio) < 0)
		return -errno;
	return creds_scheduler(d);
}

int creds_filters(const struct desc *d, struct fault *f)
{
	for (uint32_t i = 0; i < d->count[AGENT_FILTER]; i++) {
		cleanup_free struct sock_filter *code = NULL;
		struct sock_fprog program;
		struct agent_filter filter;

		(void)fault_step(f, AGENT_STEP_SECCOMP, i);
		(void)desc_get(d, AGENT_FILTER, i, &filter);
		code = calloc(filter.count, sizeof(*code));
		if (!code)
			return -ENOMEM;
		/* The description does not align them. */
		memcpy(code, d->item[AGENT_FILTER][i].tail, filter.count * sizeof(*code));
		program = (struct sock_fprog){.len = (uint16_t)filter.count, .filter = code};
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter.flags, &program) < 0)
			return -errno;
	}
	return 0;
}

/* What there is to give: of the capabilities that the kernel knows, those of this process */
static int creds_own_caps(uint64_t *ret)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) < 0)
		return -errno;
	*ret = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

static int creds_bounding(uint64_t keep)
{
	for (unsigned int cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(keep & 1ULL << cap) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	return 0;
}

static int creds_capset(const struct agent_caps *c, uint64_t own)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (unsigned int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)((c->effective & own) >> 32 * i);
		data[i].permitted = (uint32_t)((c->permitted & own) >> 32 * i);
		data[i].inheritable = (uint32_t)((c->inheritable & own) >> 32 * i);
	}
	if (syscall(SYS_capset, &head, data) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	/* The kernel wants the others to have them; runc leaves out what they lack. */
	for (unsigned int cap = 0; cap < 64; cap++)
		if (c->ambient & c->permitted & c->inheritable & own & 1ULL << cap &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -errno;
	return 0;
}

static int creds_ids(const struct desc *d, const struct agent_process *p)
{
	uint32_t n = d->count[AGENT_GROUP];
	cleanup_free gid_t *groups = calloc((size_t)n + 1, sizeof(*groups));

	if (!groups)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		(void)desc_get(d, AGENT_GROUP, i, &groups[i]);
	if (setgroups(n, groups) < 0 || setresgid(p->gid, p->gid, p->gid) < 0 ||
	    setresuid(p->uid, p->uid, p->uid) < 0)
		return -errno;
	return 0;
}

int creds_user(const struct desc *d, const struct agent_process *p, struct fault *f)
{
	struct agent_caps caps = {0};
	uint64_t own = 0;
	int rc;

	(void)desc_get(d, AGENT_CAPS, 0, &caps);
	(void)fault_step(f, AGENT_STEP_CAPABILITIES, 0);
	rc = creds_own_caps(&own);
	if (rc == 0)
		rc = creds_bounding(caps.bounding);
	if (rc == 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		rc = -errno;
	if (rc < 0)
		return rc;
	(void)fault_step(f, AGENT_STEP_USER, 0);
	rc = creds_ids(d, p);
	if (rc < 0)
		return rc;
	(void)fault_step(f, AGENT_STEP_CAPABILITIES, 0);
	rc = creds_capset(&caps, own);
	if (rc == 0 && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		rc = -errno;
	return rc;
}
