/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VMRUN_DEVICES_CORE_SPARSE_H
#define VMRUN_DEVICES_CORE_SPARSE_H

#include "devices/core/base.h"

/**
 * sparse_calloc() - Zeroed memory for a table of which little is used
 * @nr:		Number of entries
 * @bytes:	Of one
 *
 * Only the pages that are touched take room. Where the host has huge pages for all memory, one touched page would
 * else take 2 MiB, or not, as the address falls.
 * Context: setup
 * Syscalls: mmap brk madvise
 * Return: memory to free() later, NULL when there is none
 */
void *sparse_calloc(size_t nr, size_t bytes);

#endif
