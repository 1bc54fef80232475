/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: An io_uring mapped by hand, for benches
 *
 * Nothing but reads and writes of two registered files (IORING_REGISTER_RESTRICTIONS). Completions do not interrupt the
 * thread (DEFER_TASKRUN) where the kernel can do that.
 */
#ifndef VMRUN_TESTS_BENCH_URING_H
#define VMRUN_TESTS_BENCH_URING_H

#include <err.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/**
 * struct uring - The rings
 * @why:	Why there is none, or what a request failed with; NULL when all is well
 * @todo:	Requests put in and not submitted
 */
struct uring {
	int fd;
	const char *why;
	unsigned int todo;
	uint32_t *sq_tail, *sq_mask, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
};

/* Maps the rings of u->fd */
static inline void uring_map(struct uring *u, const struct io_uring_params *p)
{
	size_t cq = p->cq_off.cqes + p->cq_entries * sizeof(*u->cqe);
	size_t sq = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
	uint8_t *m = mmap(NULL, cq > sq ? cq : sq, PROT_READ | PROT_WRITE, MAP_SHARED, u->fd,
			  IORING_OFF_SQ_RING);
	uint32_t *array = (uint32_t *)(m + p->sq_off.array);

	u->sqe = mmap(NULL, p->sq_entries * sizeof(*u->sqe), PROT_READ | PROT_WRITE, MAP_SHARED,
		      u->fd, IORING_OFF_SQES);
	if (m == MAP_FAILED || u->sqe == MAP_FAILED)
		err(1, "mmap of the rings");
	u->sq_tail = (uint32_t *)(m + p->sq_off.tail);
	u->sq_mask = (uint32_t *)(m + p->sq_off.ring_mask);
	u->cq_head = (uint32_t *)(m + p->cq_off.head);
	u->cq_tail = (uint32_t *)(m + p->cq_off.tail);
	u->cq_mask = (uint32_t *)(m + p->cq_off.ring_mask);
	u->cqe = (struct io_uring_cqe *)(m + p->cq_off.cqes);
	for (uint32_t i = 0; i < p->sq_entries; i++)
		array[i] = i;
}

/* Before the first request: nothing but reads and writes of the registered files from here on */
static inline void uring_restrict(struct uring *u)
{
	struct io_uring_restriction r[] = {
		{.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_READV},
		{.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_WRITEV},
		{.opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED, .sqe_flags = IOSQE_FIXED_FILE},
	};

	if (syscall(SYS_io_uring_register, u->fd, IORING_REGISTER_RESTRICTIONS, r, 3) < 0 ||
	    syscall(SYS_io_uring_register, u->fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0) < 0)
		err(1, "restrictions of io_uring");
}

/* Up to @entries requests at a time, of @fd[0] and @fd[1]; u->why says if there is no io_uring */
static inline void uring_init(struct uring *u, unsigned int entries, const int fd[2])
{
	struct io_uring_params p = {.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER |
					     IORING_SETUP_DEFER_TASKRUN};

	u->fd = (int)syscall(SYS_io_uring_setup, entries, &p);
	if (u->fd < 0 && errno == EINVAL) {
		p = (struct io_uring_params){.flags = IORING_SETUP_R_DISABLED};
		u->fd = (int)syscall(SYS_io_uring_setup, entries, &p);
	}
	if (u->fd < 0) {
		u->why = strerrorname_np(errno);
		return;
	}
	uring_map(u, &p);
	if (syscall(SYS_io_uring_register, u->fd, IORING_REGISTER_FILES, fd, 2) < 0)
		err(1, "io_uring_register");
	uring_restrict(u);
}

/* Puts a request in; @file is 0 or 1, @iov lives until it is over, @tag comes back with it */
static inline void uring_put(struct uring *u, bool write, int file, const struct iovec *iov,
			     uint64_t off, uint64_t tag)
{
	const uint32_t tail = *u->sq_tail;

	u->sqe[tail & *u->sq_mask] = (struct io_uring_sqe){
		.opcode = write ? IORING_OP_WRITEV : IORING_OP_READV,
		.flags = IOSQE_FIXED_FILE,
		.fd = file,
		.addr = (uint64_t)(uintptr_t)iov,
		.len = 1,
		.off = off,
		.user_data = tag,
	};
	__atomic_store_n(u->sq_tail, tail + 1, __ATOMIC_RELEASE);
	u->todo++;
}

/* Submits what was put in, and waits until @n answers are there */
static inline void uring_wait(struct uring *u, unsigned int n)
{
	while (u->todo > 0 || __atomic_load_n(u->cq_tail, __ATOMIC_ACQUIRE) - *u->cq_head < n) {
		long rc = syscall(SYS_io_uring_enter, u->fd, u->todo, n, IORING_ENTER_GETEVENTS,
				  NULL, 0);

		if (rc < 0 && errno != EINTR)
			err(1, "io_uring_enter");
		if (rc > 0)
			u->todo -= (unsigned int)rc;
	}
}

/* Takes an answer that is there: its tag. One that is not @bytes is noted in u->why */
static inline uint64_t uring_take(struct uring *u, uint32_t bytes)
{
	const uint32_t head = *u->cq_head;
	const struct io_uring_cqe *c = &u->cqe[head & *u->cq_mask];
	const uint64_t tag = c->user_data;

	if (c->res != (int32_t)bytes && !u->why)
		u->why = c->res < 0 ? strerrorname_np(-c->res) : "short";
	__atomic_store_n(u->cq_head, head + 1, __ATOMIC_RELEASE);
	return tag;
}

#endif
