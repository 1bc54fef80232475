/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What every marked refusal asks
 *
 * tests/mutants/mark rewrites `if (COND)` to `if ((COND) && mutant_refuses(N))`: the condition keeps its
 * side effects, and the call happens only where the refusal would.
 *
 * MUTANT is the number of the one refusal that is left out. MUTANT_MET names a file of a byte for each
 * number; the refusals that happen set theirs. The file is mapped before main(), so the record needs no
 * system call, survives a kill, and is one for a test and its children, behind a seccomp filter too.
 * A jailed program has no environment: MUTANT_BUILT_IN is its refusal that is left out.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MUTANT_BUILT_IN
#define MUTANT_BUILT_IN (-1)
#endif

bool mutant_refuses(unsigned int n);

static long mutant_left_out = MUTANT_BUILT_IN;
static unsigned char *mutant_met;
static unsigned int mutant_met_max;

static __attribute__((constructor)) void mutant_start(void)
{
	const char *left_out = getenv("MUTANT"), *met = getenv("MUTANT_MET");
	struct stat st;
	void *map;
	int fd;

	if (left_out)
		mutant_left_out = atol(left_out);
	fd = met ? open(met, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0) {
		map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED) {
			mutant_met = map;
			mutant_met_max = (unsigned int)st.st_size;
		}
	}
	close(fd);
}

bool mutant_refuses(unsigned int n)
{
	if (n < mutant_met_max)
		mutant_met[n] = 1;
	return (long)n != mutant_left_out;
}
