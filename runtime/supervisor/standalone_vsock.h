/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The bridge of a stand-alone vsock device: as a VM's, without a VM
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_STANDALONE_VSOCK_H
#define VMRUN_RUNTIME_SUPERVISOR_STANDALONE_VSOCK_H

#include "runtime/supervisor/bridge.h"

#define STANDALONE_VSOCK_OPEN (BRIDGE_CALLS + BRIDGE_HANDED_MAX + BRIDGE_CLIENTS)

/**
 * struct standalone_vsock - The bridge, and what it handed in
 * @loop:	The sockets; its epoll fd is readable when one is ready
 * @control:	The device's control socket; borrowed, -1 when it is gone
 * @found:	Whether the answer that comes next, and those behind it, are to a CTL_VSOCK_FOUND
 */
struct standalone_vsock {
	struct loop loop;
	struct bridge bridge;
	const int *control;
	bool found[STANDALONE_VSOCK_OPEN];
	unsigned int first, nr;
};

/** standalone_vsock_new() - Make the sockets at @path; *@ret is the caller's, by standalone_vsock_free() */
MUST_CHECK int standalone_vsock_new(struct standalone_vsock **ret, const char *path,
				    const int *control, struct err *err);

/** standalone_vsock_free() - Close and remove them; as those below, it takes NULL, another device's */
void standalone_vsock_free(struct standalone_vsock *v);

/** standalone_vsock_heard() - A message of the device; false for one that it may not send now */
MUST_CHECK bool standalone_vsock_heard(struct standalone_vsock *v, const struct ctl_msg *m);

/** standalone_vsock_turn() - Do what is ready, or due */
MUST_CHECK int standalone_vsock_turn(struct standalone_vsock *v, struct err *err);

#endif
