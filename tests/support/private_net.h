/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A host of its own for a test that needs a network
 *
 * The calling process gets a network namespace with nothing but a loopback interface, and a /sys that
 * shows it. It gets a user namespace too where it is not root. There is no way back: criterion runs
 * each test in a process of its own.
 */
#ifndef VMRUN_TESTS_SUPPORT_PRIVATE_NET_H
#define VMRUN_TESTS_SUPPORT_PRIVATE_NET_H

#include <stdbool.h>

/** private_net() - Enter one; false where this machine does not allow it, nothing being changed */
bool private_net(void);

#endif
