/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The front-ends of a stand-alone device
 *
 * The supervisor accepts them and hands each to the device, one at a time:
 *
 *   CTL_FRONT_END ---> the device serves it, and says CTL_LEFT when it has closed the connection
 *   CTL_REGION <------ the front-end sent GET_INFLIGHT_FD
 *
 * A device passes no fd on. So the supervisor makes the memory in which the device is to note what is in flight
 * (devices/core/vq_track.h), and sends it to the front-end, which keeps it. When the device or this process has died,
 * the front-end hands the memory to the next one, and no request is lost.
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_FRONT_ENDS_H
#define VMRUN_RUNTIME_SUPERVISOR_FRONT_ENDS_H

#include "devices/core/ctl.h"
#include "runtime/util/oci_log.h"

/**
 * struct front_ends - Where they come from, and who is served
 * @listen_fd:	Listens, non-blocking; borrowed
 * @fd:		A duplicate of the connection being served; -1: none
 * @tell_ns:	Not before that the next line about one turned away
 */
struct front_ends {
	int listen_fd;
	int fd;
	uint64_t tell_ns;
};

/** front_ends_fd() - The fd to poll for the next one; -1 while the one being served leaves.  Syscalls: poll */
int front_ends_fd(const struct front_ends *f);

/**
 * front_ends_accept() - That fd is readable: hand one to the device, or turn it away
 * @control:	The device's control socket, non-blocking
 * @name:	Of the device
 *
 * Syscalls: poll accept4 sendmsg close, and those of the log
 */
void front_ends_accept(struct front_ends *f, int control, const char *name, struct oci_log *log);

/**
 * front_ends_heard() - A message of the device
 *
 * Does not wait: a front-end that does not receive is disconnected.
 * Syscalls: close memfd_create ftruncate fcntl sendmsg sendto shutdown
 * Return: false for one that it may not send now, or whose numbers are none
 */
MUST_CHECK bool front_ends_heard(struct front_ends *f, const struct ctl_msg *m);

/** front_ends_done() - Close the connection; safe without one */
void front_ends_done(struct front_ends *f);

#endif
