/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/net/vhost_net_ring.h"

#include <errno.h>
#include <linux/vhost.h>
#include <sys/syscall.h>

#include "devices/core/vq_lend.h"

int vn_ioctl(int fd, unsigned long request, const void *arg)
{
	return syscall(SYS_ioctl, fd, request, arg) < 0 ? -errno : 0;
}

/**
 * vn_set_memory() - Tell a pair's kernel side where guest memory is mapped
 *
 * Context: locked
 * Syscalls: ioctl
 */
static int vn_set_memory(const struct device *d, const struct vn_pair *p)
{
	struct {
		struct vhost_memory head;
		struct vhost_memory_region region[GMEM_REGIONS_MAX];
	} table = {.head = {.nregions = d->mem.nr}};

	for (unsigned int i = 0; i < d->mem.nr; i++)
		table.region[i] = (struct vhost_memory_region){
			.guest_phys_addr = d->mem.region[i].gpa,
			.memory_size = d->mem.region[i].bytes,
			.userspace_addr = (uintptr_t)d->mem.region[i].base,
		};
	return vn_ioctl(p->vhost, VHOST_SET_MEM_TABLE, &table);
}

/**
 * vn_set_ring() - Describe ring @q to the kernel and let it begin
 *
 * Context: locked
 * Syscalls: ioctl
 */
static int vn_set_ring(const struct device *d, unsigned int q, const struct vq_loan *l)
{
	const struct vn_pair *p = &((const struct vhost_net *)d->state)->pair[q / 2];
	const unsigned int ring = q % 2;
	const struct vhost_vring_addr addr = {
		.index = ring,
		.desc_user_addr = l->desc_addr,
		.used_user_addr = l->used_addr,
		.avail_user_addr = l->avail_addr,
	};
	const struct vhost_vring_state size = {ring, l->size}, base = {ring, l->next_avail};
	const struct vhost_vring_file kick = {ring, d->kick_fd[q]}, call = {ring, d->call_fd[q]};
	const struct vhost_vring_file error = {ring, d->err_fd[q]}, tap = {ring, p->tap};
	const struct {
		unsigned long request;
		const void *arg;
	} steps[] = {
		{VHOST_SET_VRING_NUM, &size},  {VHOST_SET_VRING_BASE, &base},
		{VHOST_SET_VRING_ADDR, &addr}, {VHOST_SET_VRING_CALL, &call},
		{VHOST_SET_VRING_ERR, &error}, {VHOST_SET_VRING_KICK, &kick},
		{VHOST_NET_SET_BACKEND, &tap},
	};
	int rc = vn_set_memory(d, p);

	for (unsigned int i = 0; rc == 0 && i < ARRAY_SIZE(steps); i++)
		rc = vn_ioctl(p->vhost, steps[i].request, steps[i].arg);
	return rc;
}

/**
 * vn_fetch_ring() - Have the kernel stop ring @q and let go of what it was given
 * @ret:	Where it stopped
 *
 * Context: locked
 * Syscalls: ioctl
 * Return: 0; -errno when that the kernel has stopped is not certain
 */
static int vn_fetch_ring(const struct vn_pair *p, unsigned int ring, uint16_t *ret)
{
	static const unsigned long requests[] = {VHOST_NET_SET_BACKEND, VHOST_SET_VRING_KICK,
						 VHOST_SET_VRING_CALL, VHOST_SET_VRING_ERR};
	const struct vhost_vring_file none = {ring, -1};
	struct vhost_vring_state base = {ring, 0};
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < ARRAY_SIZE(requests); i++)
		rc = vn_ioctl(p->vhost, requests[i], &none);
	if (rc == 0)
		rc = vn_ioctl(p->vhost, VHOST_GET_VRING_BASE, &base);
	if (rc == 0)
		*ret = (uint16_t)base.num;
	return rc;
}

void vn_stop(struct device *d, unsigned int q)
{
	struct vhost_net *n = d->state;
	uint16_t next_avail = 0;
	int rc;

	if (q >= VN_RINGS_MAX || !n->lent[q])
		return;
	rc = vn_fetch_ring(&n->pair[q / 2], q % 2, &next_avail);
	/* Going on would be a promise that the guest's memory is its own again. */
	vr_assert(rc == 0);
	n->lent[q] = false;
	vq_take_back(&d->vq[q], next_avail);
}

void vn_lend(struct device *d, unsigned int q)
{
	struct vhost_net *n = d->state;
	struct vq_loan loan = vq_lend(&d->vq[q]);
	int rc = vn_set_ring(d, q, &loan);

	n->lent[q] = true;
	if (rc < 0) {
		vn_stop(d, q);
		device_broken(d, q, "the kernel refuses it");
		return;
	}
	/* The doorbell is the kernel's now; that it may have been rung before is repeated. */
	loop_del(d->loop, d->kick_fd[q]);
	device_again(d, q);
}
