/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Deflate, backwards: RFC 1951, from one buffer to another
 *
 * For compressed clusters, which are small and wholly in memory. No heap: the output is its own window.
 */
#ifndef VMRUN_DEVICES_BLOCK_INFLATE_H
#define VMRUN_DEVICES_BLOCK_INFLATE_H

#include <sys/types.h>

#include "devices/core/base.h"

/**
 * inflate_all() - Unpack a raw deflate stream
 * @in, @in_bytes: The stream; bytes behind its end do not matter
 * @out, @out_bytes: Where to. The stream may end short of it; it may not go beyond
 *
 * Context: locked
 * Syscalls: none
 * Return: how many bytes of @out it filled, or -EINVAL for a broken stream
 */
MUST_CHECK ssize_t inflate_all(const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes);

#endif
