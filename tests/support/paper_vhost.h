/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A vhost of paper
 *
 * In the place of the C library's syscall(): ioctls are written down, in order and with what they said, and
 * answered by a kernel that can be told to refuse any of them.
 */
#ifndef VMRUN_TESTS_SUPPORT_PAPER_VHOST_H
#define VMRUN_TESTS_SUPPORT_PAPER_VHOST_H

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <net/if.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

#include "devices/core/base.h"

#define LOG_MAX	   128
#define STOPPED_AT 0x77 /* where the kernel leaves a ring */

static struct call {
	int fd;
	unsigned long request;
	unsigned int index;
	int64_t value; /* fd, number or flags */
	union {
		struct vhost_vring_addr addr;
		struct vhost_memory_region region[2];
	};
} calls[LOG_MAX];
static unsigned int nr_calls;
static unsigned long refuse, refuse_also; /* requests */
static uint64_t kernel_features;
static int refuse_errno = EBUSY;

static inline void read_arg(struct call *c, const void *arg)
{
	const struct vhost_vring_state *pair = arg;
	const struct ifreq *ifr = arg;

	switch (c->request) {
	case VHOST_SET_OWNER:
	case VHOST_GET_FEATURES: break;
	case VHOST_SET_FEATURES: c->value = *(const int64_t *)arg; break;
	case VHOST_SET_MEM_TABLE:
		c->value = ((const struct vhost_memory *)arg)->nregions;
		cr_assert_eq(c->value, 2);
		memcpy(c->region, ((const struct vhost_memory *)arg)->regions, sizeof(c->region));
		break;
	case VHOST_SET_VRING_ADDR: memcpy(&c->addr, arg, sizeof(c->addr)); break;
	case VHOST_VSOCK_SET_RUNNING: c->value = *(const int *)arg; break;
	case TUNSETOFFLOAD: c->value = (int64_t)(uintptr_t)arg; break;
	case TUNSETQUEUE: c->value = ifr->ifr_flags; break;
	default: c->index = pair->index; c->value = (int)pair->num;
	}
}

static inline long fake_ioctl(int fd, unsigned long request, void *arg)
{
	struct call *c = &calls[nr_calls++];

	cr_assert_lt(nr_calls, LOG_MAX);
	*c = (struct call){.fd = fd, .request = request};
	read_arg(c, arg);
	if (request == VHOST_GET_FEATURES)
		*(uint64_t *)arg = kernel_features;
	if (request == VHOST_GET_VRING_BASE)
		((struct vhost_vring_state *)arg)->num = STOPPED_AT;
	if (request != refuse && request != refuse_also)
		return 0;
	/* Letting go is never refused. */
	if (request == VHOST_VSOCK_SET_RUNNING && c->value == 0)
		return 0;
	if (request == VHOST_SET_VRING_KICK || request == VHOST_SET_VRING_CALL ||
	    request == VHOST_SET_VRING_ERR || request == VHOST_NET_SET_BACKEND)
		return c->value < 0 ? 0 : (errno = refuse_errno, -1);
	errno = refuse_errno;
	return -1;
}

static inline long real_syscall(long nr, const long a[6])
{
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register long r9 __asm__("r9") = a[5];
	long rc;

	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	if (rc < 0 && rc > -4096) {
		errno = (int)-rc;
		return -1;
	}
	return rc;
}

/* In the place of the C library's */
long syscall(long nr, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, nr);
	for (unsigned int i = 0; i < ARRAY_SIZE(a); i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	return nr == SYS_ioctl ? fake_ioctl((int)a[0], (unsigned long)a[1], (void *)a[2])
			       : real_syscall(nr, a);
}

static inline unsigned int count_of(unsigned long request)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < nr_calls; i++)
		n += calls[i].request == request;
	return n;
}

static inline const struct call *last(unsigned long request)
{
	for (unsigned int i = nr_calls; i-- > 0;)
		if (calls[i].request == request)
			return &calls[i];
	cr_assert_fail("request 0x%lx was not made", request);
	return NULL;
}

#endif
