/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A session from its streams to its process, and from the end of that to its own
 */
#ifndef VMRUN_CMD_VMRUN_INIT_SESSION_RUN_H
#define VMRUN_CMD_VMRUN_INIT_SESSION_RUN_H

#include "cmd/vmrun-init/session.h"

/** session_begin() - Go on if all streams are there; may free it */
void session_begin(struct session *s);

/** session_give() - Its stream has come; after the last it goes on. May free it. @sock: its own now */
void session_give(struct session *s, enum agent_stream which, int sock);

/** session_ended() - Its process has ended; @status: as shells have it. May free it */
void session_ended(struct session *s, uint32_t status);

#endif
