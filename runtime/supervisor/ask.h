/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Questions to jailed processes
 *
 * The supervisor sends a request (devices/core/ctl.h) and goes on; CTL_DONE brings the answer by the loop.
 * Each question ends in exactly one call: with the answer, or without one when the process has died, has
 * said nothing for ASK_NS, or the VM has ended. An answer that comes later is dropped.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_ASK_H
#define VMRUN_RUNTIME_SUPERVISOR_ASK_H

#include "runtime/supervisor/supervisor.h"

#define ASK_NS 8000000000ULL /* less than the patience of client_ask() */

/**
 * ask_process() - Send a request to process @i
 * @m:		Copied
 * @fd:		Borrowed: the process gets a duplicate. -1: none
 * @then:	What to do with the answer; its client is owned by the question on success
 *
 * Return: 0; -EBUSY when ASK_MAX questions to it are open; -EPIPE when it does not listen; else -errno
 */
MUST_CHECK int ask_process(struct supervisor *s, unsigned int i, const struct ctl_msg *m, int fd,
			   const struct ask_then *then, struct err *err);

/** ask_reply() - A struct ask_then's done: the answer is the client's, values and all */
void ask_reply(struct supervisor *s, unsigned int i, int client, const struct ctl_msg *answer,
	       const struct err *err);

/** ask_is_open() - Whether an answer of @p is to come */
bool ask_is_open(const struct supervisor *s, const struct spawned *p);

/** ask_answered() - CTL_DONE from @p, of which ask_is_open() */
void ask_answered(struct supervisor *s, struct spawned *p, const struct ctl_msg *m);

/** ask_late() - s->ask_by_ns has passed */
void ask_late(struct supervisor *s);

/** ask_died() - @p answers no more: its questions end */
void ask_died(struct supervisor *s, const struct spawned *p);

/** ask_cut() - The VM has ended: all questions end */
void ask_cut(struct supervisor *s);

#endif
