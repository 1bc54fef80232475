/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Guests that go on in ring 3, which runs at full speed even where KVM only emulates supervisor code
 */
#ifndef VMRUN_TESTS_GUESTS_LIB_RING3_H
#define VMRUN_TESTS_GUESTS_LIB_RING3_H

#include "lib/guest.h"

/* Lets ring 3 use the page that @address is on, of any size */
void ring3_may(uint64_t address);

/* Goes on with @what in ring 3, for ever, on the same stack, which it may use already; there are no ports there */
__attribute__((noreturn)) void ring3_run(void (*what)(void));

#endif
