/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/telling.h"

#include <fcntl.h>
#include <string.h>

#include "policies/args.h"

enum kind {
	KIND_COMMAND, /* one constant */
	KIND_FLAGS,   /* constants joined by | */
	KIND_NULL,    /* a pointer, which tells if it is null */
};

/* @names: what the constants' names begin with; several beginnings are separated by spaces, the better first */
static const struct telling {
	const char *call;
	uint8_t arg;
	enum kind kind;
	const char *names;
} table[] = {
	{"accept4", 3, KIND_FLAGS, "SOCK_CLOEXEC SOCK_NONBLOCK"},
	{"clock_gettime", 0, KIND_COMMAND, "CLOCK_"},
	{"clock_nanosleep", 0, KIND_COMMAND, "CLOCK_"},
	{"clone", 0, KIND_FLAGS, "CLONE_"},
	{"epoll_create1", 0, KIND_FLAGS, "EPOLL_CLOEXEC"},
	{"eventfd2", 1, KIND_FLAGS, "EFD_"},
	{"fallocate", 1, KIND_FLAGS, "FALLOC_FL_"},
	{"fchownat", 4, KIND_FLAGS, "AT_"},
	{"fcntl", 1, KIND_COMMAND, "F_OFD_ F_GET F_SET F_DUP F_ADD F_"},
	{"flock", 1, KIND_FLAGS, "LOCK_"},
	{"futex", 1, KIND_COMMAND, "FUTEX_"},
	{"getrandom", 2, KIND_FLAGS, "GRND_"},
	{"getsockopt", 1, KIND_COMMAND, "SOL_"},
	{"getsockopt", 2, KIND_COMMAND, "SO_"},
	{"ioctl", 1, KIND_COMMAND, "KVM_ VHOST_ TUN BLK FI FS_ TC TIO "},
	{"kill", 1, KIND_COMMAND, "SIG"},
	{"linkat", 4, KIND_FLAGS, "AT_"},
	{"lseek", 2, KIND_COMMAND, "SEEK_"},
	{"madvise", 2, KIND_COMMAND, "MADV_"},
	{"membarrier", 0, KIND_COMMAND, "MEMBARRIER_CMD_"},
	{"memfd_create", 1, KIND_FLAGS, "MFD_"},
	{"mknodat", 3, KIND_NULL, NULL},
	{"mmap", 2, KIND_FLAGS, "PROT_"},
	{"mmap", 3, KIND_FLAGS, "MAP_"},
	{"mprotect", 2, KIND_FLAGS, "PROT_"},
	{"mremap", 3, KIND_FLAGS, "MREMAP_"},
	{"newfstatat", 3, KIND_FLAGS, "AT_EMPTY_PATH AT_"},
	{"openat", 2, KIND_FLAGS, "O_"},
	{"prctl", 0, KIND_COMMAND, "PR_"},
	{"preadv2", 5, KIND_FLAGS, "RWF_"},
	{"pwritev2", 5, KIND_FLAGS, "RWF_"},
	{"recvfrom", 3, KIND_FLAGS, "MSG_NOSIGNAL MSG_"},
	{"recvfrom", 4, KIND_NULL, NULL},
	{"recvmsg", 2, KIND_FLAGS, "MSG_NOSIGNAL MSG_"},
	{"renameat2", 4, KIND_FLAGS, "RENAME_"},
	{"rt_sigaction", 0, KIND_COMMAND, "SIG"},
	{"rt_sigprocmask", 0, KIND_COMMAND, "SIG_"},
	{"sendmsg", 2, KIND_FLAGS, "MSG_NOSIGNAL MSG_"},
	{"sendto", 3, KIND_FLAGS, "MSG_NOSIGNAL MSG_"},
	{"sendto", 4, KIND_NULL, NULL},
	{"setsockopt", 1, KIND_COMMAND, "SOL_"},
	{"setsockopt", 2, KIND_COMMAND, "SO_"},
	{"shutdown", 1, KIND_COMMAND, "SHUT_"},
	{"socket", 0, KIND_COMMAND, "AF_ PF_"},
	{"socket", 1, KIND_FLAGS, "SOCK_"},
	{"socketpair", 0, KIND_COMMAND, "AF_ PF_"},
	{"socketpair", 1, KIND_FLAGS, "SOCK_"},
	{"statx", 2, KIND_FLAGS, "AT_"},
	{"tgkill", 2, KIND_COMMAND, "SIG"},
	{"timerfd_create", 0, KIND_COMMAND, "CLOCK_"},
	{"timerfd_settime", 1, KIND_FLAGS, "TFD_TIMER_"},
	{"unlinkat", 2, KIND_FLAGS, "AT_REMOVEDIR"},
	{"utimensat", 3, KIND_FLAGS, "AT_"},
};

/* Calls whose first argument is an fd, or the fd of the directory that a path begins in */
static const char fds_first[] = " accept4 close epoll_ctl epoll_pwait fallocate fchmodat fchownat "
				"fcntl fdatasync flock fstat fstatfs"
				" fsync ftruncate getdents64 getsockopt ioctl linkat lseek mkdirat "
				"mknodat newfstatat openat"
				" openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read "
				"readlinkat readv recvfrom recvmsg"
				" renameat2 sendmsg sendto setsockopt shutdown statx "
				"timerfd_settime unlinkat utimensat write"
				" writev ";

static bool telling_has_word(const char *words, const char *word, size_t len)
{
	for (const char *at = words; (at = strstr(at, word)); at += len) {
		if (at[-1] == ' ' && at[len] == ' ')
			return true;
	}
	return false;
}

static const struct telling *telling_find(const char *call, unsigned int arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].arg == arg && !strcmp(table[i].call, call))
			return &table[i];
	}
	return NULL;
}

bool telling(const char *call, unsigned int arg, uint64_t value, bool fds)
{
	const struct telling *t = telling_find(call, arg);

	if (t)
		return t->kind != KIND_NULL || value == 0;
	if (arg > 0 || !telling_has_word(fds_first, call, strlen(call)))
		return false;
	return fds || (int)value == AT_FDCWD;
}

/* Names of parts of a number, and of bounds */
static bool telling_is_part(const char *name)
{
	static const char *const ends[] = {"_FLAG", "_MASK", "_SHIFT", "_MAX", "_LAST", "_TYPE"};
	const size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		const size_t end = strlen(ends[i]);

		if (len > end && !strcmp(name + len - end, ends[i]))
			return true;
	}
	return false;
}

/*
 * The constant of those whose names begin with @len bytes of @begin that has the most bits of @value and no others;
 * with @whole, all of them
 */
static const char *telling_constant(const struct constants *c, const char *begin, size_t len,
				    uint64_t value, bool whole, uint64_t *ret)
{
	const char *best = NULL;
	int bits = 0;

	for (unsigned int i = 0; i < c->nr; i++) {
		const char *name = c->names + c->name[i];
		const uint64_t v = c->value[i];

		if (strncmp(name, begin, len) != 0 || telling_is_part(name))
			continue;
		if (v == value) {
			*ret = v;
			return name;
		}
		if (!whole && (v & ~value) == 0 && __builtin_popcountll(v) > bits) {
			best = name;
			bits = __builtin_popcountll(v);
			*ret = v;
		}
	}
	return best;
}

static const char *telling_name(const struct constants *c, const char *names, uint64_t value,
				bool whole, uint64_t *ret)
{
	const char *found = NULL;

	while (*names && !found) {
		const size_t len = strcspn(names, " ");

		found = telling_constant(c, names, len, value, whole, ret);
		names += len + (names[len] == ' ');
	}
	return found;
}

void telling_print(const struct arch *a, const char *call, unsigned int arg, uint64_t value,
		   FILE *out)
{
	const struct telling *t = telling_find(call, arg);
	const bool flags = t && t->kind == KIND_FLAGS;
	uint64_t left = value, bits = 0;
	const char *name;

	if (!t && (int)value == AT_FDCWD) {
		fputs("AT_FDCWD", out);
		return;
	}
	do {
		name = t && t->names ? telling_name(a->constants, t->names, left, !flags, &bits)
				     : NULL;
		if (!name)
			break;
		fprintf(out, "%s%s", left == value ? "" : "|", name);
		left &= ~bits;
	} while (left);
	if (!name && (left || value == 0))
		fprintf(out, left > 9 ? "%s0x%llx" : "%s%llu", left == value ? "" : "|",
			(unsigned long long)left);
}
