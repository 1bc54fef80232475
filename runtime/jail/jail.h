/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: How a process gets into its jail
 *
 * jail_spawn() starts a program that sees nothing: its own namespaces, its own user, an empty root, exactly
 * the fds it was given, tight limits, no capability and no way to gain one. The program itself takes the last
 * step, Landlock and seccomp (devices/core/lockdown.h).
 *
 * jail_spawn() does not wait for the child, so that several jails are built at once. A stage that fails writes
 * a struct jail_error to a pipe, which all children may share.
 */
#ifndef VMRUN_RUNTIME_JAIL_JAIL_H
#define VMRUN_RUNTIME_JAIL_JAIL_H

#include <sys/types.h>

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "runtime/jail/userns.h"

#define JAIL_FDS_MAX 64

/** struct jail_limits - Resource limits of one process */
struct jail_limits {
	uint64_t nofile;
	uint64_t nproc; /* threads and processes; RLIM_INFINITY leaves the limit as it is */
	uint64_t fsize_bytes;
	uint64_t memlock_bytes;
	uint64_t space_bytes; /* of all mappings together */
};

#define JAIL_OOM_INHERITED 1001 /* larger than any value */

/**
 * struct jail - What to start
 * @name:	For argv[0] and for errors
 * @program_fd:	The program, O_PATH or read-only, borrowed
 * @self:	The slot that becomes the program's /proc/self/fd, and nothing else of /proc; 0: none
 * @unconfined:	Only the stages that hand the program over are run: it has its fds, and dies with its parent
 * @ids:	Its user. One that acts for the users of a guest keeps the capabilities for that (jail.c)
 * @nr_fds, @fd: fd[n] becomes fd n of the program; all borrowed, none -1
 * @oom_score_adj: Not below the caller's; JAIL_OOM_INHERITED: the caller's
 * @error_fd:	Write end of the error pipe, borrowed
 * @index:	Copied to struct jail_error
 */
struct jail {
	const char *name;
	int program_fd;
	unsigned int self;
	bool unconfined;
	unsigned int nr_fds;
	int fd[JAIL_FDS_MAX];
	struct userns_ids ids;
	struct jail_limits limits;
	int oom_score_adj;
	int error_fd;
	uint32_t index;
};

/**
 * struct jail_error - A stage that failed
 * @flag:	CLONE_NEW* if a namespace could not be made, else 0
 * @text:	Terminated, "<stage>: <step>"
 */
struct jail_error {
	uint32_t index;
	int32_t code;
	int32_t flag;
	char text[52];
};

/** struct jailed - A child; the owner closes the fd */
struct jailed {
	pid_t pid;
	int pidfd;
};

/**
 * jail_spawn() - Start a program in a jail
 * @ret:	The child, which the caller must wait for; untouched on failure
 *
 * Does not wait for the child, which starts in the caller's cgroups. The caller has one thread and blocks or
 * ignores SIGPIPE.
 * Context: the supervisor.
 * Syscalls: clone3 pipe2 openat write close, and on failure pidfd_send_signal waitid
 * Return: 0 or -errno; the error pipe reports stages that fail in the child
 */
MUST_CHECK int jail_spawn(const struct jail *j, struct jailed *ret, struct err *err);

/** jail_describe() - Put an error into words; returns -e->code */
int jail_describe(const struct jail_error *e, struct err *err);

/** jail_read_error() - Read one error from the pipe; 1, 0 if it is empty, or -errno */
MUST_CHECK int jail_read_error(int fd, struct jail_error *ret);

#endif
