/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/vhost.h"

#include <errno.h>
#include <linux/vhost.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "devices/core/vq_lend.h"

int vhost_ioctl(int fd, unsigned long request, const void *arg)
{
	return syscall(SYS_ioctl, fd, request, arg) < 0 ? -errno : 0;
}

int vhost_own(int fd, const char *name, uint64_t *ret, struct err *err)
{
	uint64_t features = 0;
	int rc = vhost_ioctl(fd, VHOST_SET_OWNER, NULL);

	if (rc < 0)
		return err_set(err, -rc, "%s: VHOST_SET_OWNER", name);
	rc = vhost_ioctl(fd, VHOST_GET_FEATURES, &features);
	if (rc < 0)
		return err_set(err, -rc, "%s: VHOST_GET_FEATURES", name);
	if ((features & VHOST_RING_FEATURES) != VHOST_RING_FEATURES)
		return err_text(err, EOPNOTSUPP,
				"%s: this kernel's vhost is too old (backend user does without)",
				name);
	*ret = features;
	return 0;
}

/**
 * vhost_set_memory() - Tell the kernel where guest memory is mapped
 *
 * Context: locked
 * Syscalls: ioctl
 */
static int vhost_set_memory(const struct device *d, int fd)
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
	return vhost_ioctl(fd, VHOST_SET_MEM_TABLE, &table);
}

int vhost_lend(struct device *d, unsigned int q, int fd, unsigned int ring)
{
	const struct vq_loan l = vq_lend(&d->vq[q]);
	const struct vhost_vring_addr addr = {
		.index = ring,
		.desc_user_addr = l.desc_addr,
		.used_user_addr = l.used_addr,
		.avail_user_addr = l.avail_addr,
	};
	const struct vhost_vring_state size = {ring, l.size}, base = {ring, l.next_avail};
	const struct vhost_vring_file kick = {ring, d->kick_fd[q]}, call = {ring, d->call_fd[q]};
	const struct vhost_vring_file error = {ring, d->err_fd[q]};
	const struct {
		unsigned long request;
		const void *arg;
	} steps[] = {
		{VHOST_SET_VRING_NUM, &size},  {VHOST_SET_VRING_BASE, &base},
		{VHOST_SET_VRING_ADDR, &addr}, {VHOST_SET_VRING_CALL, &call},
		{VHOST_SET_VRING_ERR, &error}, {VHOST_SET_VRING_KICK, &kick},
	};
	int rc = vhost_set_memory(d, fd);

	for (unsigned int i = 0; rc == 0 && i < ARRAY_SIZE(steps); i++)
		rc = vhost_ioctl(fd, steps[i].request, steps[i].arg);
	return rc;
}

void vhost_begun(struct device *d, unsigned int q)
{
	loop_del(d->loop, d->kick_fd[q]);
	device_again(d, q);
}

void vhost_fetch(struct device *d, unsigned int q, int fd, unsigned int ring)
{
	static const unsigned long requests[] = {VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL,
						 VHOST_SET_VRING_ERR};
	const struct vhost_vring_file none = {ring, -1};
	struct vhost_vring_state base = {ring, 0};
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < ARRAY_SIZE(requests); i++)
		rc = vhost_ioctl(fd, requests[i], &none);
	if (rc == 0)
		rc = vhost_ioctl(fd, VHOST_GET_VRING_BASE, &base);
	vr_assert(rc == 0);
	vq_take_back(&d->vq[q], (uint16_t)base.num);
}
