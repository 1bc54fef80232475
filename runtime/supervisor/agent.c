/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>

#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "runtime/state/state_json.h"
#include "runtime/supervisor/ask.h"
#include "runtime/supervisor/end.h"
#include "runtime/supervisor/nets.h"
#include "runtime/supervisor/session.h"
#include "runtime/util/agent_words.h"
#include "runtime/util/clock.h"

#define AGENT_UP_NS	 120000000000ULL /* from the start to AGENT_HELLO, also on a slow host */
#define AGENT_GONE_NS	 500000000ULL	 /* more than watch.c needs to find a process that died */
#define AGENT_READ_MAX	 64		 /* records of one wake-up */
#define AGENT_ERRNO_MAX	 4095
#define AGENT_STATUS_MAX 255
#define SIGNALS		 64

/* ---- what the guest says ---- */

static void agent_broke_rules(struct supervisor *s, const char *what)
{
	struct err err;

	err_text(&err, EPROTO, "vmrun-init in the guest %s", what);
	oci_log_write(&s->log, LOG_LEVEL_WARN, "%s", err.msg);
	end_vm(s, END_INIT_LOST, err.msg, false);
}

/* Phase @name ended in the guest @ago_us before @now_ns. What it says of itself serves for nothing else. */
static void agent_note(struct supervisor *s, uint64_t now_ns, const char *name, uint32_t ago_us)
{
	const uint64_t ago_ns = (uint64_t)ago_us * 1000U;

	if (ago_ns < now_ns - s->phases->start_ns)
		phases_add(s->phases, "guest", name, now_ns - ago_ns);
}

static void agent_note_boot(struct supervisor *s, const uint32_t *arg)
{
	const uint32_t last = arg[AGENT_BOOT_HELLO];
	const uint64_t now = clock_ns();

	if (!s->phases || !last)
		return;
	agent_note(s, now, "kernel unpacked", last);
	agent_note(s, now, "kernel", last - arg[AGENT_BOOT_KERNEL]);
	agent_note(s, now, "modules", last - arg[AGENT_BOOT_MODULES]);
	agent_note(s, now, "share", last - arg[AGENT_BOOT_SHARE]);
}

static void agent_note_start(struct supervisor *s, const uint32_t *arg)
{
	const uint32_t last = arg[AGENT_START_EXEC];
	const uint64_t now = clock_ns();

	if (!s->phases || !last)
		return;
	agent_note(s, now, "asked", last - arg[AGENT_START_RUN]);
	agent_note(s, now, "description", last - arg[AGENT_START_SPEC]);
	agent_note(s, now, "root", last - arg[AGENT_START_ROOT]);
}

static bool agent_hello(struct supervisor *s, const struct agent_msg *m)
{
	struct agent *a = s->agent;

	if (a->up || m->session != 0 || m->code != AGENT_VERSION)
		return false;
	a->up = true;
	a->by_ns = 0;
	agent_note_boot(s, m->arg);
	phases_mark(s->phases, "vmrun-init is up");
	session_go_on(s);
	return true;
}

static bool agent_session_runs(struct supervisor *s, const struct agent_msg *m)
{
	struct session *n = session_find(s->agent, m->session, SESSION_ASKED);
	const struct err none = {0};
	struct err ignored;

	if (!n || n->state != SESSION_ASKED)
		return false;
	session_runs(s, n);
	if (n->id != 0)
		return true;
	agent_note_start(s, m->arg);
	phases_mark(s->phases, "the container runs");
	for (int sig = 1; sig <= SIGNALS; sig++)
		if (s->agent->pending >> (sig - 1) & 1)
			(void)!session_signal(s, 0, sig, false, &ignored);
	s->agent->began(s, &none);
	return true;
}

static bool agent_session_fails(struct supervisor *s, const struct agent_msg *m)
{
	struct session *n = session_find(s->agent, m->session, SESSION_ASKED);
	const struct plan *p = s->launch->plan;
	const uint64_t value[CTL_VALUES] = {agent_words_status(m), m->arg[0], m->arg[1]};
	struct err err;

	if (!n || n->state != SESSION_ASKED || m->code > AGENT_ERRNO_MAX ||
	    m->arg[0] >= AGENT_STEPS)
		return false;
	if (n->id != 0) {
		/* The client has the description, and words for it. */
		agent_words(m, NULL, 0, &err);
		session_fails(s, n, &err, value);
		return true;
	}
	agent_words(m, p->spec, p->spec_bytes, &err);
	end_exited(s, agent_words_status(m), err.msg);
	s->agent->began(s, &err);
	return true;
}

static bool agent_session_ended(struct supervisor *s, const struct agent_msg *m)
{
	struct session *n = session_find(s->agent, m->session, SESSION_RUNNING);

	if (!n || m->code > AGENT_STATUS_MAX)
		return false;
	if (n->id != 0)
		session_ended(s, n, m->code);
	else if (m->arg[0])
		end_vm(s, END_OOM_KILLED, "the container's process, for want of the guest's memory",
		       false);
	else
		end_exited(s, (int)m->code, "");
	return true;
}

static bool (*const agent_rules[AGENT_TYPES])(struct supervisor *s, const struct agent_msg *m) = {
	[AGENT_HELLO] = agent_hello,
	[AGENT_STARTED] = agent_session_runs,
	[AGENT_FAILED] = agent_session_fails,
	[AGENT_EXITED] = agent_session_ended,
};

static void agent_on_record(void *arg, int fd UNUSED, uint32_t events UNUSED)
{
	struct supervisor *s = arg;
	struct agent_msg m;
	int rc = 1;

	for (unsigned int i = 0; rc == 1 && i < AGENT_READ_MAX && s->stage == STAGE_RUNNING; i++) {
		rc = agent_conn_recv(&s->agent->conn, &m);
		if (rc == 1 &&
		    (m.type >= AGENT_TYPES || m.reserved || !agent_rules[m.type] ||
		     (m.type != AGENT_HELLO && !s->agent->up) || !agent_rules[m.type](s, &m)))
			agent_broke_rules(s, "broke its protocol");
	}
	/* The connection also ends when the VMM or the device dies, of which this process may hear later. */
	if (rc == 0) {
		s->agent->gone = true;
		s->agent->by_ns = clock_ns() + AGENT_GONE_NS;
	}
	if (rc == 0 || s->stage != STAGE_RUNNING) {
		loop_del(&s->loop, s->agent->conn.fd);
		agent_conn_close(&s->agent->conn);
	}
}

/* ---- the connection ---- */

/* Programs of the container may try too; like all their calls those are refused, and counted. */
bool agent_is_call(const struct supervisor *s, const struct ctl_msg *m)
{
	return s->agent && m->code == AGENT_PORT && !m->value[0] && !s->agent->called;
}

static void agent_called_done(struct supervisor *s UNUSED, unsigned int i UNUSED, int client UNUSED,
			      const struct ctl_msg *answer UNUSED, const struct err *err UNUSED)
{
}

void agent_called(struct supervisor *s, const struct ctl_msg *m)
{
	const struct ask_then then = {.done = agent_called_done, .client = -1};
	const struct ctl_msg found = {.type = CTL_VSOCK_FOUND, .arg = m->arg};
	struct agent_conn *l = &s->agent->conn;
	cleanup_fd int theirs = -1;
	struct err err;
	int rc = agent_conn_open(l, &theirs, &err);

	s->agent->called = true;
	if (rc == 0 && s->agent->by_ns)
		rc = loop_add(&s->loop, l->fd, EPOLLIN, agent_on_record, s, &err);
	if (rc == 0)
		rc = ask_process(s, s->launch->plan->vsock.proc, &found, theirs, &then, &err);
	if (rc < 0)
		oci_log_write(&s->log, LOG_LEVEL_WARN, "%s", err.msg);
}

/* ---- session 0 ---- */

/* Standard input, output and error are still open as create has them. */
int agent_open(struct supervisor *s, struct err *err)
{
	const struct launch *l = s->launch;
	const bool terminal = l->plan->terminal;
	struct session *n;
	int rc;

	if (!l->plan->container)
		return 0;
	s->agent = calloc(1, sizeof(*s->agent));
	if (!s->agent)
		return err_set(err, ENOMEM, "memory for sessions");
	s->agent->conn.fd = s->agent->clients = -1;
	n = session_new(s->agent);
	n->terminal = terminal;
	if (terminal)
		return session_stream(l->console[0], O_RDWR, &n->fd[AGENT_STDIN], err);
	rc = session_stream(l->stdio[0], O_RDONLY, &n->fd[AGENT_STDIN], err);
	if (rc == 0)
		rc = session_stream(l->stdio[1], O_WRONLY, &n->fd[AGENT_STDOUT], err);
	if (rc == 0)
		rc = session_stream(STDERR_FILENO, O_WRONLY, &n->fd[AGENT_STDERR], err);
	return rc;
}

void agent_close(struct supervisor *s)
{
	const struct err gone = {.code = ESRCH};

	if (!s->agent)
		return;
	session_close_all(s, &gone);
	if (s->agent->conn.fd >= 0)
		loop_del(&s->loop, s->agent->conn.fd);
	agent_conn_close(&s->agent->conn);
	if (s->agent->clients >= 0)
		loop_del(&s->loop, s->agent->clients);
	cleanup_close_fd(&s->agent->clients);
	free(s->agent);
	s->agent = NULL;
}

/* For hooks inside the container */
static int agent_add_state(struct supervisor *s, struct spec_items *to)
{
	const enum state_status now = s->state->status;
	struct json_object *o;
	const char *text;

	s->state->status = STATE_CREATED; /* as far as they are concerned */
	o = state_to_oci(s->state);
	s->state->status = now;
	text = o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE) : NULL;
	if (text)
		spec_items_put(to, AGENT_STATE, NULL, 0, text);
	json_object_put(o);
	return text ? 0 : -ENOMEM;
}

/* The description, in memory that the device reads to its end. Networks are joined by now. */
static int agent_write_spec(struct supervisor *s, struct err *err)
{
	const struct plan *p = s->launch->plan;
	cleanup_fd int fd = memfd_create("vmrun-spec", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	cleanup_spec_items struct spec_items late = {0};

	if (nets_describe(s, &late, err) < 0)
		return -err->code;
	if (agent_add_state(s, &late) < 0)
		return err_set(err, ENOMEM, "state of the container");
	if (spec_items_check(&late, err) < 0)
		return -err->code;
	if (fd < 0 || fd_write_full(fd, p->spec, p->spec_bytes) < 0 ||
	    fd_write_full(fd, late.bytes, late.len) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return err_set(err, errno, "description of the container");
	return TAKE_FD(fd);
}

int agent_await(struct supervisor *s,
		void (*began)(struct supervisor *s, const struct err *failure), struct err *err)
{
	struct session *n = session_find(s->agent, 0, SESSION_WAITING);
	const int fd = agent_write_spec(s, err);

	if (fd < 0)
		return fd;
	n->fd[AGENT_SPEC] = fd;
	if (session_watch_clients(s, err) < 0)
		return -err->code;
	/* A guest that is fast has called before this process heard that it runs; what it says has waited. */
	if (s->agent->called &&
	    loop_add(&s->loop, s->agent->conn.fd, EPOLLIN, agent_on_record, s, err) < 0)
		return -err->code;
	s->agent->began = began;
	s->agent->by_ns = clock_ns() + AGENT_UP_NS;
	return 0;
}

int agent_signal(struct supervisor *s, int sig, bool all, struct err *err)
{
	if (session_find(s->agent, 0, SESSION_RUNNING))
		return session_signal(s, 0, sig, all, err);
	s->agent->pending |= 1ULL << (sig - 1);
	return 0;
}

int agent_pids_max(struct supervisor *s, uint32_t max, struct err *err)
{
	const struct agent_msg m = {.type = AGENT_PIDS_MAX, .arg = {max}};

	return s->agent ? agent_conn_send(&s->agent->conn, &m, err)
			: err_text(err, EOPNOTSUPP, "the guest has no vmrun-init");
}

void agent_terminal_changed(struct supervisor *s)
{
	struct winsize size;

	if (!s->launch->plan->terminal || !session_find(s->agent, 0, SESSION_ASKED) ||
	    ioctl(s->drain.sink[0], TIOCGWINSZ, &size) < 0)
		return;
	session_size(s, 0, (uint64_t)size.ws_col << 16 | size.ws_row);
}

/* ---- time, and the end ---- */

uint64_t agent_at_ns(const struct supervisor *s)
{
	return s->agent ? s->agent->by_ns : 0;
}

void agent_late(struct supervisor *s)
{
	if (s->state->status == STATE_PAUSED && !s->agent->gone) {
		s->agent->by_ns = clock_ns() + AGENT_UP_NS;
		return;
	}
	s->agent->by_ns = 0;
	agent_broke_rules(s, s->agent->gone ? "is gone" : "has not come up");
}

void agent_cut(struct supervisor *s)
{
	struct err err;

	if (!s->agent)
		return;
	err_text(&err, ESRCH, "the container has ended");
	session_close_all(s, &err);
}
