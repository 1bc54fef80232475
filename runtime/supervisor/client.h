/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Asking a supervisor: ROOT/ID/control
 *
 * AF_UNIX, SOCK_SEQPACKET: one struct ctl_request, one struct ctl_reply, done; before that one any number
 * of warnings. The kernel tells who
 * asks (SO_PEERCRED): root and the supervisor's own user are served. State is not asked for here: it is
 * in state.json, which needs nobody to be alive.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_CLIENT_H
#define VMRUN_RUNTIME_SUPERVISOR_CLIENT_H

#include "devices/core/base.h"
#include "devices/core/err.h"
#include "runtime/util/warn.h"

#define CTL_REQUEST_MAGIC 0x6c746376 /* "vctl" */

enum ctl_op { CTL_OP_START = 1, CTL_OP_KILL, CTL_OPS };

/** struct ctl_request - @arg: for CTL_OP_KILL the signal */
struct ctl_request {
	uint32_t magic;
	uint32_t op;
	uint32_t arg;
	uint32_t reserved;
};

#define CTL_WARNING UINT32_MAX /* as the code of a reply: not the last one */

/** struct ctl_reply - @code: 0 or an errno value, or CTL_WARNING, with @text terminated */
struct ctl_reply {
	uint32_t code;
	char text[ERR_MSG_BYTES];
};

/** ctl_listen() - Make the socket in the state directory @dir: the fd or -errno */
MUST_CHECK int ctl_listen(int dir, struct err *err);

/**
 * ctl_ask() - Send a request and wait for the reply
 * @dir:	State directory
 * @warn:	Who is told of warnings; NULL: nobody
 *
 * Return: 0; what the supervisor answered; -ESRCH when nobody listens or it died meanwhile
 */
MUST_CHECK int ctl_ask(int dir, enum ctl_op op, uint32_t arg, const struct warn_to *warn,
		       struct err *err);

#endif
