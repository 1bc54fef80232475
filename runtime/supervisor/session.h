/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Programs that the guest's process 1 runs, each with its streams and its client
 *
 *   WAITING     until the guest is up and not paused, and no other session is being connected: the device answers few
 *               questions at a time
 *   CONNECTING  the description and the streams are handed to the vsock device, which connects them to the guest
 *   ASKED       AGENT_RUN is sent
 *   RUNNING     AGENT_STARTED has come
 *   OVER        its client has heard the end; no other session is being connected
 *   ENDING      the device is to end its streams, which a guest could keep open
 *
 * This process never reads or writes the streams of a session: their files are the device's, and closed here as soon as
 * it has them. Session 0 is the container's process; others have a client, which stays connected (client.h).
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_SESSION_H
#define VMRUN_RUNTIME_SUPERVISOR_SESSION_H

#include "devices/core/agent_msg.h"
#include "runtime/supervisor/agent_conn.h"
#include "runtime/supervisor/supervisor.h"

#define SESSIONS_MAX 256

enum session_state {
	SESSION_FREE,
	SESSION_OVER,
	SESSION_ENDING,
	SESSION_WAITING,
	SESSION_CONNECTING,
	SESSION_ASKED,
	SESSION_RUNNING
};

/**
 * struct session - One of them
 * @client:	Hears how it begins and ends; owned, -1: none, or it has left
 * @fd:		By enum agent_stream, until the device has them; owned, -1: none
 * @terminal:	The stream in the place of standard input goes both ways
 * @size:	Of the terminal when it was handed to the device: columns << 16 | rows
 * @open:	Questions to the device without an answer
 * @failure:	The first of their failures
 * @asked_ns:	When it was ASKED; 0: the answer is not waited for any more (session_late.h)
 */
struct session {
	uint32_t id;
	enum session_state state;
	int client;
	int fd[AGENT_STREAMS];
	bool terminal;
	uint64_t size;
	unsigned int open;
	uint32_t port[AGENT_STREAMS];
	struct err failure;
	uint64_t asked_ns;
};

/**
 * struct agent - What a supervisor knows of its guest's process 1
 * @called:	It has connected, which it may once
 * @up:		It has said AGENT_HELLO
 * @gone:	The connection has ended
 * @by_ns:	When that is late, or the end has no other reason; 0: nothing is awaited
 * @next_id:	Of the next session
 * @pending:	Signals to session 0, a bit each, that came before it runs
 * @began:	Session 0 runs, or has failed (code other than 0)
 * @clients:	An epoll fd that watches those of sessions; in the loop
 * @look_ns:	When session_late() is due, which may find nothing; 0: never
 * @conn:	The control connection
 */
struct agent {
	bool called;
	bool up;
	bool gone;
	uint64_t by_ns;
	uint32_t next_id;
	uint64_t pending;
	void (*began)(struct supervisor *s, const struct err *failure);
	int clients;
	uint64_t look_ns;
	struct agent_conn conn;
	struct session session[SESSIONS_MAX];
};

/** session_watch_clients() - Make @a->clients */
MUST_CHECK int session_watch_clients(struct supervisor *s, struct err *err);

/** session_new() - A place with the next id, in SESSION_WAITING, with nothing open; NULL: all are taken */
struct session *session_new(struct agent *a);

/** session_find() - The session of that id that is as far as @from; NULL: none */
struct session *session_find(struct agent *a, uint32_t id, enum session_state from);

/**
 * session_stream() - A stream for the vsock device, which waits for none: a file description of its own that does not block
 * @fd:		Borrowed
 * @flags:	O_RDONLY, O_WRONLY or O_RDWR
 * @ret:	The caller's; -1 for an @fd that is closed, or /dev/null: the guest has its own
 *
 * O_NONBLOCK would change the caller's own, so a socket, which cannot be opened anew, is lent as it is. A pipe or terminal that may
 * not be opened, another user's, gets it.
 */
MUST_CHECK int session_stream(int fd, int flags, int *ret, struct err *err);

/**
 * session_exec() - Begin a session for a client: REQUEST_EXEC
 * @fd:		By enum request_file, @nr of them; borrowed
 * @terminal:	There is one file for all streams
 * @client:	Owned by the session on success
 */
MUST_CHECK int session_exec(struct supervisor *s, const int *fd, unsigned int nr, bool terminal,
			    int client, struct err *err);

/** session_go_on() - End the streams of the next that is over, or connect the next that waits, one at a time */
void session_go_on(struct supervisor *s);

/** session_signal() - Send a signal to session @id; @all: to all processes of the container */
MUST_CHECK int session_signal(struct supervisor *s, uint32_t id, int sig, bool all,
			      struct err *err);

/** session_client_left() - Its program is not wanted any more */
void session_client_left(struct supervisor *s, struct session *n);

/** session_size() - The terminal of session @id has another size: columns << 16 | rows */
void session_size(struct supervisor *s, uint32_t id, uint64_t size);

/** session_runs() - AGENT_STARTED: its client hears it, and is heard from now on */
void session_runs(struct supervisor *s, struct session *n);

/**
 * session_fails() - It does not begin: its client hears why, the place is free
 * @value:	As in the reply (client.h); NULL: nothing to say there
 */
void session_fails(struct supervisor *s, struct session *n, const struct err *why,
		   const uint64_t value[CTL_VALUES]);

/** session_ended() - AGENT_EXITED: its client hears the status, the place is free */
void session_ended(struct supervisor *s, struct session *n, uint32_t status);

/** session_close_all() - The VM has ended: all places are free, and clients see the end of their connections */
void session_close_all(struct supervisor *s, const struct err *why);

#endif
