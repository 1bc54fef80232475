/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Networks made, joined at start, undone
 */
#ifndef VMRUN_RUNTIME_SUPERVISOR_NETS_H
#define VMRUN_RUNTIME_SUPERVISOR_NETS_H

#include "runtime/supervisor/supervisor.h"
#include "runtime/util/spec_items.h"

/**
 * nets_make() - Make the networks of the plan, before any process of the VM exists
 * @sp:		Receives the TAPs
 *
 * Context: in a process with one thread; it is in the host's network namespace, or s->host_net leads there
 */
MUST_CHECK int nets_make(struct supervisor *s, struct spawn *sp, struct err *err);

/**
 * nets_join() - The first step of a start: find and join the interfaces of netns mode
 * @client:	Receives warnings of interfaces without a device; -1: none waits
 */
MUST_CHECK int nets_join(struct supervisor *s, int client, struct err *err);

/**
 * nets_message() - The message to network device @i about its interface
 * @ret_fd:	-1, or a file to go with the message, the caller's: in mode netns what it answers its guest
 *
 * Return: 1; 0 if @i is no network device; -errno
 */
MUST_CHECK int nets_message(const struct supervisor *s, unsigned int i, struct ctl_msg *ret,
			    int *ret_fd, struct err *err);

/**
 * nets_hidden() - The devices of a container that joined no interface, for CTL_START: its guest never sees them
 *
 * In a VM whose kernel is the bundle's own they are there, without a link.
 */
uint32_t nets_hidden(const struct supervisor *s);

/** nets_describe() - Add to the description of a container what its start has made known: networks, the pod's hostname */
MUST_CHECK int nets_describe(const struct supervisor *s, struct spec_items *to, struct err *err);

/**
 * nets_undo() - Leave the container's network namespace, and remove the networks
 *
 * What cannot be undone stays in s->state for delete.
 */
void nets_undo(struct supervisor *s);

#endif
