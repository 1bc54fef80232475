/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Asking a supervisor, by the control socket ROOT/ID/control
 *
 * AF_UNIX, SOCK_SEQPACKET: one struct request, any number of warnings, one struct reply. The kernel names the
 * client (SO_PEERCRED): the supervisor serves root and its own user. The state of a VM is not asked for here;
 * state.json has it, even after the supervisor's death.
 *
 * REQUEST_EXEC alone keeps its connection, as long as the program lives that it runs in the container:
 *
 *   client      REQUEST_EXEC with files by enum request_file
 *   supervisor  a reply: code 0, the program runs; or an errno value, and value[0] = the status to exit with. If the
 *               guest said so, value[1] = its enum agent_step, value[2] = the index
 *   client      REQUEST_SIGNAL and REQUEST_SIZE, any number, none of which is answered
 *   supervisor  after code 0: a reply, code 0, value[0] = the program's status: 0 to 255, 128 + signal
 *
 * If the supervisor closes without the last, the container is gone; if the client does, the program is killed.
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
	REQUEST_EXEC,	      /* arg = REQUEST_EXEC_* */
	REQUEST_SIGNAL,	      /* after REQUEST_EXEC: arg = 1 to 64 */
	REQUEST_SIZE,	      /* after REQUEST_EXEC: value = columns << 16 | rows */
	REQUEST_PIDS_MAX,     /* value = how many processes the container may have, 0: any number */
	REQUEST_OPS
};

#define REQUEST_EXEC_TERMINAL 1 /* the standard streams are one terminal */
#define REQUEST_EXEC_PAUSED   2 /* in a paused container it begins when that goes on */
#define REQUEST_KILL_ALL      1 /* value of REQUEST_KILL: all processes of the container */

/** enum request_file - Files of a REQUEST_EXEC, in this order: the description (agent_spec.h), and its streams or terminal */
enum request_file {
	REQUEST_FILE_SPEC,
	REQUEST_FILE_STDIN,
	REQUEST_FILE_TERMINAL = REQUEST_FILE_STDIN, /* its slave; the last */
	REQUEST_FILE_STDOUT,
	REQUEST_FILE_STDERR,
	REQUEST_FILES
};

/**
 * struct request - What a client asks
 * @arg:	Of REQUEST_KILL the signal, of those about the balloon a CTL_BALLOON's or CTL_BALLOON_STATS' code
 * @value:	A number of the operation's own
 * @device:	Whom it concerns, by instance name ("net0"), terminated; empty: the VM
 * @name:	Of REQUEST_CONSOLE the port, terminated; empty: hvc0
 *
 * Some operations bring a file, one and no more; REQUEST_EXEC brings several.
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

/** client_connect() - Connect to the supervisor of the state directory @dir: the socket, the caller's; or as client_ask() */
MUST_CHECK int client_connect(int dir, struct err *err);

/**
 * client_send() - Send a request
 * @dir:	State directory
 * @q:		Its magic is filled in here
 * @fd:		A file that goes with it; borrowed. -1: none
 *
 * Return: the socket on which the reply comes, for client_hear(); or as client_ask()
 */
MUST_CHECK int client_send(int dir, const struct request *q, int fd, struct err *err);

/** client_hear() - Wait for the reply on client_send()'s socket, which stays the caller's; the rest as client_ask() */
MUST_CHECK int client_hear(int sock, const struct warn_to *warn, struct reply *ret,
			   struct err *err);

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
