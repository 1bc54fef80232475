/* SPDX-License-Identifier: BSD-3-Clause */
/* A second CPU, as the Multiprocessor Specification starts it: INIT, then a start-up message. */
#ifndef VMRUN_TESTS_GUESTS_LIB_SMP_H
#define VMRUN_TESTS_GUESTS_LIB_SMP_H

#include "lib/guest.h"

/* Has CPU 1 call @fn, which does not return, in ring 0 on a stack of its own; false when it does not begin */
bool smp_start(void (*fn)(void));

#endif
