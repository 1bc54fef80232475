/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A device in a process of its own, for tests
 *
 * As cmd/vmrun-dev.c arranges it: slots, loop, back-end, lockdown with the shipped policy. What the
 * policy forgot kills the child, and the test sees its peer go. Requests on the control socket go to the
 * device and are answered.
 */
#ifndef VMRUN_TESTS_SUPPORT_DEV_CHILD_H
#define VMRUN_TESTS_SUPPORT_DEV_CHILD_H

#include <sys/types.h>

#include "devices/core/device.h"
#include "tests/support/call_watch.h"

#define DEV_CHILD_SELF (-2) /* a resource: the child's own /proc/self/fd */

/**
 * struct dev_child - One device
 * @vmm:	Owned: the VMM's end of its socket
 * @control:	Owned: the supervisor's end of its control socket
 * @watched:	Set before dev_child_start(): system calls to be seen (call_watch.h), up to a 0
 * @watch:	Where they are seen, if there are any
 * @ids:	Set before dev_child_start(): the map of users and groups of a user namespace in which it is root; NULL: none
 */
struct dev_child {
	pid_t pid;
	int vmm;
	int control;
	int watched[CALL_WATCH_MAX];
	int watch;
	const char *ids;
};

/**
 * dev_child_start() - Fork a device and wait until it is ready
 * @rec:	Boot record; its header and filter are not looked at
 * @res:	Borrowed: rec->nr_res resources, or DEV_CHILD_SELF
 * @policy:	Name of the policy to run under; before the memory is there NAME_early, if there is one
 *
 * Return: false when the device refused its record
 */
bool dev_child_start(struct dev_child *c, const struct device_ops *ops, const struct boot_dev *rec,
		     const int *res, const char *policy);

/** dev_child_stop() - Close the sockets and reap; the wait status */
int dev_child_stop(struct dev_child *c);

/** dev_child_wait() - Wait up to 10 s for @fd to be readable; false if it does not become so */
bool dev_child_wait(int fd);

#endif
