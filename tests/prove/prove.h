/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Exhaustive enumeration of small worlds
 *
 * A proof enumerates every world of a small size, asks the audited module about each, and compares
 * the answer with a model that is written from the specification and shares nothing with the module.
 * The first difference ends the program. What is not enumerated is not proven: each file says what its
 * worlds are.
 */
#ifndef VMRUN_TESTS_PROVE_PROVE_H
#define VMRUN_TESTS_PROVE_PROVE_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "devices/core/base.h"

#define P 4096ULL /* a page */

static uint64_t prove_cases;

/* One question was answered; a wrong answer ends the proof, and @... says which it was. */
#define PROVE(right, ...)                                             \
	do {                                                          \
		prove_cases++;                                        \
		if (!(right)) {                                       \
			printf("not ok - %s:%d: ", __FILE__, __LINE__); \
			printf(__VA_ARGS__);                          \
			printf("\n");                                 \
			exit(1);                                      \
		}                                                     \
	} while (0)

/* The questions since the last call, in one TAP line */
static inline void prove_said(const char *name)
{
	printf("ok - %s: %" PRIu64 " cases\n", name, prove_cases);
	fflush(stdout);
	prove_cases = 0;
}

#endif
