/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A session: one program with its streams
 *
 *   WAITING   for its streams, then for the end of its description
 *   BORN      its process exists; it sets up, or its program runs
 *   ENDED     the process does not exist any more; what it wrote is on its way
 *
 * Its last word is AGENT_FAILED or AGENT_EXITED; then it is freed.
 */
#ifndef VMRUN_CMD_VMRUN_INIT_SESSION_H
#define VMRUN_CMD_VMRUN_INIT_SESSION_H

#include <sys/types.h>

#include "cmd/vmrun-init/copier.h"
#include "cmd/vmrun-init/desc.h"
#include "cmd/vmrun-init/task.h"
#include "devices/core/agent_msg.h"

struct session;

/**
 * struct sessions - All that are not over, and what they share
 * @share:	Path of the directory with the container's files
 * @cgroup:	fd of the container's cgroup, -1: none
 * @own:	PID namespace of this process
 * @say:	Sends a message
 */
struct sessions {
	struct poller poller;
	struct session *first;
	const char *share;
	int cgroup, own;
	void (*say)(struct sessions *all, const struct agent_msg *m);
};

enum session_state { SESSION_WAITING, SESSION_BORN, SESSION_ENDED };

/**
 * struct session - One of them
 * @sock:	The streams that have come, by enum agent_stream; -1: not yet, or given away
 * @spec, @spec_len, @spec_room: The description's bytes
 * @report:	From its process; ends when the program runs
 * @master:	Of its terminal; -1: none
 * @in, @out, @errors: The copiers. With a terminal @out is all that comes from it
 * @rows, @cols: Of the last message about them; 0: none yet
 * @failure:	What its process reported; step 0: nothing
 * @oom_kills:	Count of the cgroup at its birth
 * @stamp:	When the steps of enum agent_start_step were over
 */
struct session {
	struct session *next;
	struct sessions *all;
	uint32_t id, port[AGENT_STREAMS];
	int sock[AGENT_STREAMS];
	enum session_state state;
	struct watch spec_watch, report;
	uint8_t *spec;
	size_t spec_len, spec_room;
	pid_t pid;
	int pidfd, master;
	struct copier in, out, errors;
	struct task_report failure;
	uint16_t rows, cols;
	bool started;
	uint32_t status;
	uint64_t oom_kills;
	uint32_t stamp[AGENT_STREAMS];
};

/** session_new() - Waiting, in the list. Return: NULL: no memory */
struct session *session_new(struct sessions *all, const struct agent_msg *m);

/** session_find() - Return: NULL: none of this number */
struct session *session_find(const struct sessions *all, uint32_t id);

/** session_wants() - Whether it waits for the stream of this port. Return: enum agent_stream, or AGENT_STREAMS */
enum agent_stream session_wants(const struct session *s, uint32_t port);

/** session_signal() - @all: to every process of the container. One that waits ends by SIGKILL; may free it then */
void session_signal(struct session *s, int number, bool all);

/** session_resize() - Its terminal has this size now */
void session_resize(struct session *s, uint16_t rows, uint16_t cols);

/** session_settle() - Say its last word, where nothing of what it wrote is left; may free it. @arg: struct session */
void session_settle(void *arg);

/** session_fail() - One that has no process will never have one; frees it */
void session_fail(struct session *s, enum agent_step step, int code);

#endif
