/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Where policy text is parsed: in a child that can only read files and write to what it has open
 *
 * Policies may be anyone's, and vmrun may run as root.
 */
#ifndef VMRUN_CMD_VMRUN_PARSER_H
#define VMRUN_CMD_VMRUN_PARSER_H

#include "devices/core/err.h"
#include "runtime/jail/spawned.h"

/**
 * parser_run() - Have a child do something
 * @what:	What it does, behind the policy parser_device; its error becomes the caller's
 *
 * What the child has in memory is lost; it answers by an fd.
 * Context: a process with one thread
 * Syscalls: pipe2 fork pidfd_open read waitid; of the child: those of self_confine_reader()
 * Return: what @what returned; -ECHILD if the child died, with the call that its policy refused
 */
MUST_CHECK int parser_run(int (*what)(void *arg, struct err *err), void *arg, struct err *err);

/** struct parser - A child that does something, and the pipe that its outcome comes by */
struct parser {
	struct spawned child;
	int from;
};

/** parser_begin() - As parser_run(), but without waiting: parser_end() does, for what began well */
MUST_CHECK int parser_begin(int (*what)(void *arg, struct err *err), void *arg, struct parser *ret,
			    struct err *err);

/** parser_end() - Wait for it; returns what parser_run() does */
MUST_CHECK int parser_end(struct parser *p, struct err *err);

/** parser_write() - For the child: write all of it, by a call that its policy has */
MUST_CHECK int parser_write(int fd, const void *bytes, size_t len, struct err *err);

#endif
