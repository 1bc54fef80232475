/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A vmrun that leaves out stages of the jail
 *
 * Linked with the objects of the vmrun that ships; the linker's --wrap turns their calls of what is here into
 * __wrap_ functions. WITHOUT=STAGE,... in the environment names the stages; without it every call goes on to what it
 * was for. No product has a switch for this.
 *
 * user, pid, net, ipc, uts: the namespace. root: the host's files stay (in a mount namespace). capabilities: none is
 * dropped. limits: none is set. no_new_privs. What a process does itself is in attempts/enemy.c, which gets the same
 * words, and HOSTILE, in its environment.
 */
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/jail/caps.h"
#include "runtime/jail/root.h"
#include "runtime/jail/userns.h"

#include <linux/sched.h>

static bool without(const char *stage)
{
	const char *all = getenv("WITHOUT");
	const size_t len = strlen(stage);

	for (; all && *all; all += strcspn(all, ",") + (all[strcspn(all, ",")] == ','))
		if (strncmp(all, stage, len) == 0 && strchr(",", all[len]))
			return true;
	return false;
}

static const struct {
	const char *stage;
	int flag;
} spaces[] = {
	{"user", CLONE_NEWUSER}, {"pid", CLONE_NEWPID}, {"net", CLONE_NEWNET},
	{"ipc", CLONE_NEWIPC},	 {"uts", CLONE_NEWUTS},
};

static uint64_t flags_left(uint64_t flags)
{
	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
		if (without(spaces[i].stage))
			flags &= ~(uint64_t)spaces[i].flag;
	return flags;
}

int __real_unshare(int flags);
int __wrap_unshare(int flags);
int __wrap_unshare(int flags)
{
	const int left = (int)flags_left((uint64_t)flags);

	return left ? __real_unshare(left) : 0;
}

/* Without a namespace it would be the host's. */
int __real_sethostname(const char *name, size_t len);
int __wrap_sethostname(const char *name, size_t len);
int __wrap_sethostname(const char *name, size_t len)
{
	return without("uts") ? 0 : __real_sethostname(name, len);
}

long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, ...);
long __wrap_syscall(long nr, ...)
{
	long v[6];
	va_list args;

	va_start(args, nr);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		v[i] = va_arg(args, long);
	va_end(args);
	if (nr == SYS_clone3) {
		struct clone_args *c = (struct clone_args *)v[0];

		c->flags = flags_left(c->flags);
	}
	return __real_syscall(nr, v[0], v[1], v[2], v[3], v[4], v[5]);
}

int __real_userns_write_maps(pid_t pid, const struct userns_ids *ids, struct err *err);
int __wrap_userns_write_maps(pid_t pid, const struct userns_ids *ids, struct err *err);
int __wrap_userns_write_maps(pid_t pid, const struct userns_ids *ids, struct err *err)
{
	return without("user") ? 0 : __real_userns_write_maps(pid, ids, err);
}

int __real_userns_become(const struct userns_ids *ids);
int __wrap_userns_become(const struct userns_ids *ids);
int __wrap_userns_become(const struct userns_ids *ids)
{
	return without("user") ? 0 : __real_userns_become(ids);
}

int __real_root_empty(const char **ret_step);
int __wrap_root_empty(const char **ret_step);
int __wrap_root_empty(const char **ret_step)
{
	return without("root") ? 0 : __real_root_empty(ret_step);
}

int __real_caps_apply(const struct caps *c, const char **ret_step);
int __wrap_caps_apply(const struct caps *c, const char **ret_step);
int __wrap_caps_apply(const struct caps *c, const char **ret_step)
{
	return without("capabilities") ? 0 : __real_caps_apply(c, ret_step);
}

int __real_setrlimit(__rlimit_resource_t what, const struct rlimit *limit);
int __wrap_setrlimit(__rlimit_resource_t what, const struct rlimit *limit);
int __wrap_setrlimit(__rlimit_resource_t what, const struct rlimit *limit)
{
	return without("limits") ? 0 : __real_setrlimit(what, limit);
}

/* The environment of a jailed program is empty otherwise. */
int __real_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags);
int __wrap_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags);
int __wrap_execveat(int fd, const char *path, char *const argv[], char *const envp[] UNUSED,
		    int flags)
{
	static char told[2][256];
	char *env[3] = {NULL};
	unsigned int n = 0;

	if (getenv("WITHOUT") &&
	    snprintf(told[n], sizeof(told[n]), "WITHOUT=%s", getenv("WITHOUT")) > 0)
		env[n] = told[n], n++;
	if (getenv("HOSTILE") &&
	    snprintf(told[n], sizeof(told[n]), "HOSTILE=%s", getenv("HOSTILE")) > 0)
		env[n] = told[n], n++;
	return __real_execveat(fd, path, argv, env, flags);
}
