/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Asking a supervisor, by the control socket ROOT/ID/control
 *
 * AF_UNIX, SOCK_SEQPACKET: one struct request, any number of warnings, one struct reply. The kernel names the
 * client (SO_PEERCRED): the supervisor serves root and its own user. The state of a VM is not asked for here;
 * state.json has it, even after the supervisor's death.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_CLIENT_H
#define VMRUN_RUNTIME_SUPERVISOR_CLIENT_H

#include <sys/socket.h>
#include <sys/un.h>

#include "devices/core/base.h"
#include "devices/core/boot.h"
#include "devices/core/ctl.h"
#include "devices/core/err.h"
#include "devices/core/settings.h"
#include "runtime/util/warn.h"

#define REQUEST_MAGIC 0x6c746376 /* "vctl" */

enum request_op {
	REQUEST_START = 1,
	REQUEST_KILL,
	REQUEST_PAUSE,
	REQUEST_RESUME,
	REQUEST_BALLOON,
	REQUEST_BALLOON_STATS,
	REQUEST_CONSOLE,      /* brings the end of a stream socket */
	REQUEST_CONSOLE_SIZE, /* value = columns << 16 | rows */
	REQUEST_OPS
};

/**
 * struct request - What a client asks
 * @arg:	Of REQUEST_KILL the signal, of those about the balloon a CTL_BALLOON's or CTL_BALLOON_STATS' code
 * @value:	A number of the operation's own
 * @device:	Whom it concerns, by instance name ("net0"), terminated; empty: the VM
 * @name:	Of REQUEST_CONSOLE the port, terminated; empty: hvc0
 *
 * Some operations bring a file, one and no more.
 */
struct request {
	uint32_t magic;
	uint32_t op;
	uint32_t arg;
	uint32_t reserved;
	uint64_t value;
	char device[BOOT_NAME_BYTES];
	char name[CONSOLE_NAME_BYTES];
};

#define REPLY_WARNING UINT32_MAX /* the code of a warning: more replies follow */

/**
 * struct reply - The answer
 * @code:	0, an errno value or REPLY_WARNING
 * @value:	The operation's own; 0 where it has none
 * @text:	Terminated
 */
struct reply {
	uint32_t code;
	uint32_t reserved;
	uint64_t value[CTL_VALUES];
	char text[ERR_MSG_BYTES];
};

/** client_address() - The address of the control socket in the state directory @dir: its length */
socklen_t client_address(int dir, struct sockaddr_un *ret);

/**
 * client_ask() - Send a request and wait for the reply
 * @dir:	State directory
 * @q:		Its magic is filled in here
 * @fd:		A file that goes with it; borrowed. -1: none
 * @warn:	Receives warnings; may be NULL
 * @ret:	The reply, on success; may be NULL
 *
 * Return: 0, or the error the supervisor answered; -ESRCH when there is no supervisor, or it died meanwhile
 */
MUST_CHECK int client_ask(int dir, const struct request *q, int fd, const struct warn_to *warn,
			  struct reply *ret, struct err *err);

/** client_ask_op() - As client_ask(), for an operation that has a 32-bit argument or none */
MUST_CHECK int client_ask_op(int dir, enum request_op op, uint32_t arg, const struct warn_to *warn,
			     struct err *err);

#endif
