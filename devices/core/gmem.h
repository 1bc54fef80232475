/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Guest memory, the first audited module
 *
 * The only code that turns a guest address into a pointer. A range (gpa, length) is checked in
 * subtraction form, so no sum can overflow, and lies in one region unless the caller takes an iovec.
 * Regions are RAM and nothing else; they do not overlap and are sorted by address.
 */
#ifndef VMRUN_DEVICES_CORE_GMEM_H
#define VMRUN_DEVICES_CORE_GMEM_H

#include <sys/uio.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

#define GMEM_REGIONS_MAX 8

/**
 * struct gmem_region - One piece of guest RAM
 * @gpa:	First guest physical address
 * @bytes:	Size; never 0
 * @user_addr:	The vhost-user front-end's virtual address of it, 0 where there is none
 * @base:	Where it is mapped here
 */
struct gmem_region {
	uint64_t gpa;
	uint64_t bytes;
	uint64_t user_addr;
	uint8_t *base;
};

struct gmem {
	unsigned int nr;
	struct gmem_region region[GMEM_REGIONS_MAX];
};

/**
 * gmem_map() - Map a piece of a memfd as guest RAM
 * @m:		Zero-initialised or holding other regions
 * @fd:		Borrowed: may be closed afterwards
 * @offset:	Into the file, page aligned
 * @gpa:	First guest physical address, page aligned
 * @bytes:	Size, whole pages
 * @user_addr:	The front-end's address of it, 0 where there is none
 *
 * Refuses regions that overlap, wrap, are empty, unaligned, or reach past the end of the file.
 * Context: setup
 * Syscalls: fstat mmap
 * Return: 0 or -errno
 */
MUST_CHECK int gmem_map(struct gmem *m, int fd, uint64_t offset, uint64_t gpa, uint64_t bytes,
			uint64_t user_addr, struct err *err);

/**
 * gmem_done() - Unmap everything; safe on a zeroed struct
 * @m:		Safe on a zeroed struct; zeroed afterwards
 *
 * Context: any
 * Syscalls: munmap
 */
void gmem_done(struct gmem *m);

/**
 * gmem_bytes() - Sum of all regions' sizes
 *
 * Return: bytes; cannot overflow, as regions neither overlap nor wrap
 */
uint64_t gmem_bytes(const struct gmem *m);

/**
 * gmem_ptr() - The pointer for [@gpa, @gpa + @len), which lies in one region
 * @gpa:	Hostile
 * @len:	Hostile
 *
 * The pointer is aligned as @gpa is, up to a page. What it points to changes under the reader's hands:
 * read each value once.
 * Context: any
 * Syscalls: none
 * Return: valid until gmem_done(); NULL when any byte is outside RAM or @len is 0
 */
MUST_CHECK void *gmem_ptr(const struct gmem *m, uint64_t gpa, uint64_t len);

/**
 * gmem_user_to_gpa() - Translate a vhost-user front-end address range; false when not in RAM
 * @user_addr:	Hostile
 * @len:	Hostile; not 0
 * @ret_gpa:	The guest address of the range, which lies in one region
 *
 * Context: any
 * Syscalls: none
 * Return: false when any byte is outside RAM or @len is 0; *@ret_gpa is then untouched
 */
MUST_CHECK bool gmem_user_to_gpa(const struct gmem *m, uint64_t user_addr, uint64_t len,
				 uint64_t *ret_gpa);

/**
 * gmem_iov() - The pieces of [@gpa, @gpa + @len), which may cross from region to region
 * @gpa:	Hostile
 * @len:	Hostile
 * @ret_iov:	Filled, one entry a region; undefined when 0 is returned
 * @max:	Room in @ret_iov
 *
 * Context: any
 * Syscalls: none
 * Return: number of entries used; 0 when any byte is outside RAM, @len is 0 or room runs out
 */
MUST_CHECK unsigned int gmem_iov(const struct gmem *m, uint64_t gpa, uint64_t len,
				 struct iovec *ret_iov, unsigned int max);

/**
 * gmem_read() - Copy out of guest RAM; false (and @dst untouched) when any byte is outside
 * @gpa:	Hostile
 * @len:	How many; 0 is outside RAM
 *
 * Context: any
 * Syscalls: none
 * Return: false (and @dst untouched) when any byte is outside
 */
MUST_CHECK bool gmem_read(const struct gmem *m, uint64_t gpa, void *dst, size_t len);

/**
 * gmem_write() - Copy into guest RAM; false (and nothing written) when any byte is outside
 * @gpa:	Hostile
 * @len:	How many; 0 is outside RAM
 *
 * Context: any
 * Syscalls: none
 * Return: false (and nothing written) when any byte is outside
 */
MUST_CHECK bool gmem_write(const struct gmem *m, uint64_t gpa, const void *src, size_t len);

#endif
