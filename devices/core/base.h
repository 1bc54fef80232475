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

/* The source text of a macro's value */
#define VR_TEXT(x) VR_TEXT_OF(x)
#define VR_TEXT_OF(x) #x

/* Always on. @cond has no side effects: a false one is our bug, never a guest's or user's. */
#define vr_assert(cond) \
	((cond) ? (void)0   \
		: vr_assert_failed(__FILE__ ":" VR_TEXT(__LINE__) ": assertion failed: " #cond))

/**
 * vr_assert_failed() - Report a broken invariant, then end the process
 * @line:	Text without a newline
 *
 * The line goes to fd 2, and to the log of a process that has one: fd 2 of a jailed program is
 * /dev/null. An illegal instruction ends what abort() could not: the first process of a PID namespace
 * ignores its own SIGABRT.
 * Context: any
 * Syscalls: write
 */
NORETURN void vr_assert_failed(const char *line);

/**
 * vr_assert_log() - Set where else the line of a failed assertion goes; log_init() calls it
 * @log:	Called once, with the line; NULL: nowhere else
 *
 * Context: setup
 * Syscalls: none
 */
void vr_assert_log(void (*log)(const char *line));

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
