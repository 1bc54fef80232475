/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The guest's process 1, vmrun-init, in a VM that runs a container
 *
 *   start ---> the guest boots, vmrun-init connects (devices/core/agent_msg.h) and says AGENT_HELLO
 *         ---> session 0, with create's standard streams, is connected: AGENT_RUN ---> AGENT_STARTED: start's caller hears it
 *   AGENT_EXITED of session 0 ---> the VM ends, with that status
 *
 * What the guest says is believed as far as the rules in agent.c go. A record that breaks one ends the VM, as does the end of
 * the connection. Sessions of exec are in session.h.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_AGENT_H
#define VMRUN_RUNTIME_SUPERVISOR_AGENT_H

#include "runtime/supervisor/supervisor.h"

/** agent_open() - Take the container's standard streams as session 0's; 0 also for a VM without a container */
MUST_CHECK int agent_open(struct supervisor *s, struct err *err);

/** agent_close() - Give up what is left of them, and the connection; safe without */
void agent_close(struct supervisor *s);

/**
 * agent_await() - The guest's vCPUs run: session 0 begins when vmrun-init is up
 * @began:	Called once: the container's process runs, or why it does not (code other than 0)
 *
 * Return: 0 or -errno
 */
MUST_CHECK int agent_await(struct supervisor *s,
			   void (*began)(struct supervisor *s, const struct err *failure),
			   struct err *err);

/** agent_is_call() - Whether the guest's CTL_VSOCK_ASK is the first for the control connection */
bool agent_is_call(const struct supervisor *s, const struct ctl_msg *m);

/** agent_called() - Accept it */
void agent_called(struct supervisor *s, const struct ctl_msg *m);

/** agent_signal() - Send a signal, 1 to 64, to the container's process, once it runs; @all: to all of its processes */
MUST_CHECK int agent_signal(struct supervisor *s, int sig, bool all, struct err *err);

/** agent_pids_max() - Limit the number of its processes; 0: no limit */
MUST_CHECK int agent_pids_max(struct supervisor *s, uint32_t max, struct err *err);

/** agent_terminal_changed() - Tell the guest the size of the container's terminal */
void agent_terminal_changed(struct supervisor *s);

/** agent_at_ns() - When agent_late() is due; 0: never */
uint64_t agent_at_ns(const struct supervisor *s);

/** agent_late() - The guest does not come up */
void agent_late(struct supervisor *s);

/** agent_cut() - The VM has ended: clients of sessions hear it */
void agent_cut(struct supervisor *s);

#endif
