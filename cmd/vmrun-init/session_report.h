/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the process of a session reports (struct task_report), and the copiers that follow from it
 */
#ifndef VMRUN_CMD_VMRUN_INIT_SESSION_REPORT_H
#define VMRUN_CMD_VMRUN_INIT_SESSION_REPORT_H

#include "cmd/vmrun-init/session.h"

/**
 * session_copy() - Start one of a session's copiers
 * @from, @to:	The copier's from here on; one below 0 is a call that failed, whose errno counts
 *
 * Return: 0 or -errno
 */
MUST_CHECK int session_copy(struct session *s, struct copier *c, int from, int to);

/** session_listen() - Hear what its process reports. @report: the session's from here on. Return: 0 or -errno */
MUST_CHECK int session_listen(struct session *s, int report);

/** session_heard() - Take what its process has reported, to the end; it does not exist any more */
void session_heard(struct session *s);

#endif
