/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/jail/spawn_limits.h"

#include <sys/resource.h>
#include <sys/stat.h>

/* The VMM has one or two eventfds per queue and vector, a device three per queue, and its resources. */
#define VMM_NOFILE    2048
#define DEVICE_NOFILE 128
#define VSOCK_NOFILE  (DEVICE_NOFILE + 2 * VSOCK_CONNS_MAX) /* a connection may be two pipes */
#define VMM_THREADS   16 /* more than vCPUs and, on kernels that count by user, siblings */
#define MEMLOCK_BYTES 65536
#define SPACE_BYTES   (1ULL << 30) /* of a device, on top of guest RAM */

/* RLIMIT_FSIZE: a disk does not grow beyond its size; other files to write (standard output may be one) have
 * no natural limit; a process without such a file writes nothing. */
static uint64_t spawn_limits_fsize(const struct plan_proc *p, const struct jail *j,
				   uint64_t disk_bytes)
{
	uint64_t limit = 0;

	if (!p->writes_file)
		return 0;
	/* Files that programs of a container write are handed in while it runs. */
	if (p->kind == &kind_table[KIND_VSOCK])
		return RLIM_INFINITY;
	for (unsigned int i = 0; i < p->nr_fds; i++) {
		struct stat st;

		if (p->fd[i].source == PLAN_FD_SHARE)
			return RLIM_INFINITY;
		/* Only files of the plan count: guest RAM keeps its size by other means. */
		if (p->fd[i].source == PLAN_FD_FILE && p->fd[i].writable)
			limit = limit > disk_bytes ? limit : disk_bytes;
		else if ((p->fd[i].source == PLAN_FD_STDOUT ||
			  p->fd[i].source == PLAN_FD_CONSOLE) &&
			 fstat(j->fd[i], &st) == 0 && S_ISREG(st.st_mode))
			return RLIM_INFINITY;
	}
	return limit;
}

/* A limit is never raised above the caller's. */
static uint64_t spawn_limits_nofile(const struct kind *kind)
{
	if (kind == &kind_table[KIND_FS])
		return FS_FDS_MAX;
	return kind->virtio_id == VIRTIO_ID_VSOCK ? VSOCK_NOFILE : DEVICE_NOFILE;
}

struct jail_limits spawn_limits(const struct spawn *s, unsigned int index, const struct jail *j)
{
	const bool vmm = index == 0;
	const struct plan_proc *p = &s->plan->proc[index];
	struct jail_limits l = {
		.nofile = vmm ? VMM_NOFILE : spawn_limits_nofile(p->kind),
		.fsize_bytes = spawn_limits_fsize(p, j, s->assets->proc[index].disk_bytes),
		.memlock_bytes = MEMLOCK_BYTES,
		/* A new memory table is mapped beside the old one. Without this limit a device could map the RAM
		 * thousands of times, and so fill the host with page tables. The VMM's policy allows no mapping. */
		.space_bytes = vmm ? RLIM_INFINITY : 2 * s->plan->mem_bytes + SPACE_BYTES,
	};

	/* Since Linux 6.4 vhost's threads in the kernel belong to the device's process. */
	for (unsigned int i = 0; i < p->nr_fds; i++)
		if (p->fd[i].source == PLAN_FD_VHOST_NET || p->fd[i].source == PLAN_FD_VHOST_VSOCK)
			l.nproc = (l.nproc ? l.nproc : 1) + 1;
	/* Kernels before 5.14 count all processes of the user, and a rootless user has others. */
	if (vmm && s->ids.exclusive)
		l.nproc = s->plan->nr_vcpus + s->plan->nr_procs * (1 + KIND_THREADS_MAX) +
			  VMM_THREADS;
	else if (vmm || p->kind->flags & KIND_THREADS)
		l.nproc = RLIM_INFINITY;
	return l;
}

/* Its front-ends decide how much memory they share. */
struct jail_limits spawn_limits_alone(const struct spawn_device *d)
{
	return (struct jail_limits){
		.nofile = spawn_limits_nofile(d->kind),
		.nproc = d->kind->flags & KIND_THREADS ? RLIM_INFINITY : 0,
		.fsize_bytes = d->fsize_bytes,
		.memlock_bytes = MEMLOCK_BYTES,
		.space_bytes = RLIM_INFINITY,
	};
}
