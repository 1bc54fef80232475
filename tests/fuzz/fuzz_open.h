/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Whether an input has left fds open
 */
#ifndef VMRUN_TESTS_FUZZ_FUZZ_OPEN_H
#define VMRUN_TESTS_FUZZ_FUZZ_OPEN_H

#include <fcntl.h>

#define FUZZ_FDS_MAX 256 /* no harness has one of a higher number */

/** fuzz_open_fds() - How many are open */
static inline unsigned int fuzz_open_fds(void)
{
	unsigned int nr = 0;

	for (int fd = 0; fd < FUZZ_FDS_MAX; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

#endif
