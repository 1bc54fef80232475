/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The guest's side of devices/core/agent_msg.h: the control connection, the sessions, and the ends of processes
 *
 * Of the transport it knows fds alone.
 */
#ifndef VMRUN_CMD_VMRUN_INIT_AGENT_H
#define VMRUN_CMD_VMRUN_INIT_AGENT_H

#include "cmd/vmrun-init/session.h"

#define AGENT_STASH_MAX 1024

/**
 * struct agent_config - The guest
 * @share:	Path of the directory with the container's files
 * @cgroup:	fd of the container's cgroup, -1: none
 * @stamp:	When the steps of enum agent_boot_step were over, but for the last; NULL: not known
 * @accept:	Takes a connection of @listener. Return: an fd, with the host's port; or -errno
 * @began:	Called when session 0's program runs; NULL: nothing is to be done then
 */
struct agent_config {
	const char *share;
	int cgroup;
	const uint32_t *stamp;
	int (*accept)(int listener, uint32_t *ret_port);
	void (*began)(void);
};

/**
 * struct agent - What process 1 knows
 * @in:		Of a message that has not come whole
 * @stash:	Streams that no session waits for yet
 */
struct agent {
	const struct agent_config *config;
	struct sessions sessions;
	struct watch control, listener, signals;
	struct agent_msg in;
	size_t in_len;
	struct {
		uint32_t port;
		int sock;
	} stash[AGENT_STASH_MAX];
	unsigned int nr_stash;
};

/**
 * agent_run() - Say AGENT_HELLO, then serve until session 0 is over or the host hangs up
 * @control:	Connection to the host
 * @listener:	For its streams
 *
 * SIGCHLD is blocked, and SIGPIPE ignored, from here on. Return: 0 or -errno of the loop
 */
MUST_CHECK int agent_run(struct agent *a, const struct agent_config *config, int control,
			 int listener);

#endif
