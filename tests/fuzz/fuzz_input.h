/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: An input as a program: numbers are taken from its front, and behind its end are zeros
 */
#ifndef VMRUN_TESTS_FUZZ_FUZZ_INPUT_H
#define VMRUN_TESTS_FUZZ_FUZZ_INPUT_H

#include <string.h>

#include "tests/support/vq_driver.h"

/** struct fuzz_input - The rest of an input */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

static inline unsigned int fuzz_get8(struct fuzz_input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

/** fuzz_get16() - Little endian */
static inline uint16_t fuzz_get16(struct fuzz_input *in)
{
	unsigned int lo = fuzz_get8(in);

	return (uint16_t)(lo | fuzz_get8(in) << 8);
}

/** fuzz_get() - The next @bytes */
static inline void fuzz_get(struct fuzz_input *in, void *dst, size_t bytes)
{
	const size_t have = bytes < in->left ? bytes : in->left;

	memset(dst, 0, bytes);
	if (have > 0)
		memcpy(dst, in->at, have);
	in->at += have;
	in->left -= have;
}

/**
 * fuzz_offer() - Make one buffer available
 * @next:	How many were before it: descriptors go round, whether or not the device has given them back
 */
static inline void fuzz_offer(struct vqd *d, uint32_t *next, uint64_t gpa, uint32_t len, bool write)
{
	const uint16_t i = (uint16_t)((*next)++ % d->size);

	vqd_put_desc(d, i, gpa, len, write ? VQD_WRITE : 0, 0);
	vqd_offer(d, i);
}

#endif
