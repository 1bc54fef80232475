/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a tracer knows of each thread that it traces
 */
#ifndef VMRUN_CMD_VMRUN_TRACEE_H
#define VMRUN_CMD_VMRUN_TRACEE_H

#include <sys/types.h>

#include "devices/core/base.h"
#include "policies/policy.h"

/**
 * struct tracee - One thread
 * @process:	Its process, and that one's @parent
 * @program:	Its file's name, cut to fit
 * @ours:	A program of vmrun's: it stops at each call
 * @confined:	Its process has installed a filter, whose policy is @group
 */
struct tracee {
	pid_t thread, process, parent;
	char program[32];
	bool ours;
	bool confined;
	unsigned int group;
};

/** struct tracees - All; zero-initialised, ended by tracees_done() */
struct tracees {
	unsigned int nr, room;
	struct tracee *item;
};

/**
 * tracees_get() - What is known of a thread
 *
 * One that is new is looked up in /proc, and is as confined as another of its process.
 * Return: valid until the next call; NULL without memory
 */
MUST_CHECK struct tracee *tracees_get(struct tracees *t, pid_t thread);

/** tracees_executed() - A process executes another program: this thread is the only one, and no filter of ours is left */
MUST_CHECK struct tracee *tracees_executed(struct tracees *t, pid_t thread);

/** tracees_forget() - It has ended */
void tracees_forget(struct tracees *t, pid_t thread);

/** tracees_confine() - A process has installed a filter, for all its threads */
void tracees_confine(struct tracees *t, pid_t process, unsigned int group);

/**
 * tracee_group() - By which of policies[] a thread is confined that installs a filter
 * @insn:	The filter, @count instructions
 * @whole:	A device has one policy for all of its life, not an early one before it has its memory
 *
 * A program of its own has its own policy, whatever the filter is but an early one. vmrun itself has several, so the filter tells. What `vmrun device` started has that of a stand-alone
 * device.
 * Return: false: none
 */
MUST_CHECK bool tracee_group(const struct tracee *of, const struct sock_filter *insn,
			     unsigned int count, bool whole, unsigned int *ret);

/** tracees_done() - Free it */
void tracees_done(struct tracees *t);

#endif
