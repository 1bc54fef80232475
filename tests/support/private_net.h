/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A host of its own for a test that needs a network
 *
 * The calling thread gets a network namespace with nothing but a loopback interface, and a /sys that
 * shows it. That takes root: a user namespace is no way out, as criterion's processes have threads.
 * There is no way back: criterion runs each test in a process of its own.
 */
#ifndef VMRUN_TESTS_SUPPORT_PRIVATE_NET_H
#define VMRUN_TESTS_SUPPORT_PRIVATE_NET_H

#include <stdbool.h>

/** private_net() - Enter one; false where that is not allowed */
bool private_net(void);

#endif
