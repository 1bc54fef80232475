/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The few words every file uses: attributes, assertions, ownership of fds and pointers
 *
 * One owner per resource. A local that owns is declared with a cleanup_* attribute; ownership
 * leaves it by TAKE_FD() or TAKE_PTR(). There is no goto for cleanup.
 */
#ifndef VMRUN_DEVICES_CORE_BASE_H
#define VMRUN_DEVICES_CORE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* Always on. @cond has no side effects: a false one is a bug of ours, never of a guest or user. */
#define vr_assert(cond) ((cond) ? (void)0 : vr_assert_failed(#cond, __FILE__, __LINE__))

/**
 * vr_assert_failed() - Report a broken invariant on fd 2 and in the log, then end the process
 *
 * Context: any.  Syscalls: write
 */
NORETURN void vr_assert_failed(const char *cond, const char *file, int line);

static inline void cleanup_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd); /* never retried: the fd is gone even on EINTR */
}

static inline void cleanup_free_ptr(void *p)
{
	free(*(void **)p);
}

/* int fd, -1 when it owns nothing */
#define cleanup_fd __attribute__((cleanup(cleanup_close_fd)))
/* any pointer from malloc, NULL when it owns nothing */
#define cleanup_free __attribute__((cleanup(cleanup_free_ptr)))

/* The value of @fd, which owns nothing from here on */
#define TAKE_FD(fd)                 \
	({                          \
		int *_p = &(fd);    \
		int _v = *_p;       \
		*_p = -1;           \
		_v;                 \
	})
/* The value of @p, which owns nothing from here on */
#define TAKE_PTR(p)                         \
	({                                  \
		__typeof__(p) *_p = &(p);   \
		__typeof__(p) _v = *_p;     \
		*_p = NULL;                 \
		_v;                         \
	})

#endif
