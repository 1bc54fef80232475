/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The programs that run in jails
 *
 * Their directory is ../libexec/vmrun, seen from that of the vmrun program, both in the build tree and when
 * installed.
 */
#ifndef VMRUN_RUNTIME_JAIL_PROGRAM_H
#define VMRUN_RUNTIME_JAIL_PROGRAM_H

#include <linux/filter.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

struct policy;

/**
 * struct program - What a jailed process runs
 * @fd:		Its file, O_PATH; owned
 * @insn:	Its seccomp program, @nr_insns long; borrowed
 * @later:	A second one, @nr_later long, for a device that has its memory; borrowed; 0: none
 * @policy, @policy_later: Where those are from
 * @unconfined:	It has none, as the user wants no sandbox
 */
struct program {
	int fd;
	unsigned int nr_insns;
	const struct sock_filter *insn;
	unsigned int nr_later;
	const struct sock_filter *later;
	const struct policy *policy, *policy_later;
	bool unconfined;
};

/**
 * program_open() - Find the file of a program
 *
 * Syscalls: readlink openat
 * Return: an O_PATH fd, the caller's to close, or -errno
 */
MUST_CHECK int program_open(const char *name, struct err *err);

#endif
