/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/vsock.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/core/fmt.h"
#include "runtime/plan/plan_settings.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/supervisor/ask.h"
#include "runtime/supervisor/bridge.h"
#include "runtime/supervisor/end.h"

static void vsock_found_done(struct supervisor *s, unsigned int i UNUSED, int client UNUSED,
			     const struct ctl_msg *answer UNUSED, const struct err *err UNUSED)
{
	bridge_answered(s->bridge, true);
}

static void vsock_connect_done(struct supervisor *s, unsigned int i UNUSED, int client UNUSED,
			       const struct ctl_msg *answer UNUSED, const struct err *err)
{
	/* The client sees the end of its socket; why is the VM's log's. */
	if (err->code)
		oci_log_write(&s->log, LOG_LEVEL_DEBUG, "%s", err->msg);
	bridge_answered(s->bridge, false);
}

static void vsock_half_done(struct supervisor *s UNUSED, unsigned int i UNUSED, int client UNUSED,
			    const struct ctl_msg *answer UNUSED, const struct err *err UNUSED)
{
}

static int vsock_hand(void *arg, const struct ctl_msg *m, int fd)
{
	struct supervisor *s = arg;
	const struct ask_then then = {
		.done = m->type == CTL_VSOCK_FOUND  ? vsock_found_done
			: m->code == CTL_VSOCK_HALF ? vsock_half_done
						    : vsock_connect_done,
		.client = -1,
	};
	struct err ignored;

	return ask_process(s, s->launch->plan->vsock.proc, m, fd, &then, &ignored);
}

/* Recorded by identity, so that delete finds them after a death of this process */
static int vsock_put_on_file(struct supervisor *s, struct err *err)
{
	for (unsigned int i = 0; i < BRIDGE_LISTENERS && s->bridge->listener[i].fd >= 0; i++) {
		const struct listener *l = &s->bridge->listener[i];
		struct state_socket *k = &s->state->socket[s->state->nr_sockets];

		k->path = strdup(l->path);
		if (!k->path)
			return err_set(err, ENOMEM, "state");
		k->dev = l->dev;
		k->ino = l->ino;
		s->state->nr_sockets++;
	}
	return state_save(s->dir, s->state, err);
}

static void vsock_fit_limit(struct plan_proc *proc)
{
	struct vsock_settings settings;

	plan_settings(proc, &settings, sizeof(settings));
	settings.conns = bridge_connections();
	plan_set_settings(proc, &settings, sizeof(settings));
}

/* Where the kernel carries the guest's connections, they arrive at these ports. */
static int vsock_listen(struct supervisor *s, const struct plan_vsock *v, struct err *err)
{
	int rc = v->vhost ? bridge_listen(s->bridge, v->cid, v->listen, v->nr_listen, &s->loop, err)
			  : 0;

	return rc < 0 ? err_wrap(err, "%s/listen", v->pointer) : 0;
}

int vsock_open(struct supervisor *s, struct err *err)
{
	const struct plan_vsock *v = &s->launch->plan->vsock;
	char own[64];
	int rc;

	if (!v->proc)
		return 0;
	s->bridge = malloc(sizeof(*s->bridge));
	if (!s->bridge)
		return err_set(err, ENOMEM, "memory for vsock");
	bridge_init(s->bridge);
	vsock_fit_limit(&s->launch->plan->proc[v->proc]);
	rc = vsock_listen(s, v, err);
	if (rc < 0)
		return rc;
	/* Those in the state directory go with it. */
	fmt_into(own, sizeof(own), "/proc/self/fd/%d/" STATE_VSOCK, s->dir);
	rc = bridge_open(s->bridge,
			 v->agent	  ? NULL
			 : v->socket.path ? v->socket.path
					  : own,
			 &s->loop, vsock_hand, s, err);
	if (rc < 0)
		err_wrap(err, "%s", v->socket.pointer);
	return rc < 0 || !v->socket.path ? rc : vsock_put_on_file(s, err);
}

void vsock_close(struct supervisor *s)
{
	if (!s->bridge)
		return;
	bridge_done(s->bridge);
	free(s->bridge);
	s->bridge = NULL;
	while (s->state->nr_sockets > 0)
		free(s->state->socket[--s->state->nr_sockets].path);
}

int vsock_connect(struct supervisor *s, uint32_t port, int in, int out, const struct ask_then *then,
		  struct err *err)
{
	const struct ask_then half_done = {.done = vsock_half_done, .client = -1};
	const struct ctl_msg half = {.type = CTL_VSOCK_CONNECT, .code = CTL_VSOCK_HALF};
	const unsigned int i = s->launch->plan->vsock.proc;
	struct ctl_msg m = {.type = CTL_VSOCK_CONNECT, .arg = port};
	struct stat st;
	int rc = 0;

	if (!i || s->launch->plan->vsock.vhost)
		return err_text(err, EOPNOTSUPP,
				i ? "the kernel carries the VM's vsock connections"
				  : "the VM has no vsock device");
	if (in >= 0 && out >= 0 && in != out)
		rc = ask_process(s, i, &half, in, &half_done, err);
	else
		m.code = in >= 0 ? CTL_VSOCK_IN : 0;
	m.code |= out >= 0 ? CTL_VSOCK_OUT : 0;
	if (fstat(out >= 0 ? out : in, &st) == 0 && S_ISSOCK(st.st_mode))
		m.code |= CTL_VSOCK_LENT;
	return rc < 0 ? rc : ask_process(s, i, &m, out >= 0 ? out : in, then, err);
}

int vsock_end(struct supervisor *s, uint32_t port, const uint32_t *host, unsigned int nr,
	      const struct ask_then *then, struct err *err)
{
	struct ctl_msg m = {.type = CTL_VSOCK_END, .arg = port};

	vr_assert(nr <= CTL_VALUES);
	for (unsigned int i = 0; i < nr; i++)
		m.value[i] = host[i];
	return ask_process(s, s->launch->plan->vsock.proc, &m, -1, then, err);
}

void vsock_silent(struct supervisor *s)
{
	char text[64];

	fmt_into(text, sizeof(text), "%s: does not answer",
		 s->proc[s->launch->plan->vsock.proc].name);
	end_vm(s, END_DEVICE_KILLED, text, true);
}

bool vsock_may_ask(const struct supervisor *s, const struct spawned *p)
{
	return s->bridge && p == &s->proc[s->launch->plan->vsock.proc] && bridge_may_ask(s->bridge);
}

void vsock_asked(struct supervisor *s, struct spawned *p UNUSED, const struct ctl_msg *m)
{
	bridge_asked(s->bridge, m);
}

uint64_t vsock_at_ns(const struct supervisor *s)
{
	return s->bridge ? s->bridge->at_ns : 0;
}

void vsock_late(struct supervisor *s)
{
	bridge_late(s->bridge);
}
