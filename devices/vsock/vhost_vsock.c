/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: virtio-vsock that the kernel carries (virtio 1.3 section 5.10; Linux' vhost-vsock)
 *
 * Rings: rx, tx, event. The first two are lent to the kernel together, since it begins and ends with both;
 * the guest's packets never come here. The kernel has nothing to say on the third. The supervisor gave
 * /dev/vhost-vsock the guest's CID, which is one guest's of the whole host.
 *
 * Programs of the host reach the guest by AF_VSOCK. For those that connect to the VM's Unix sockets instead,
 * this process moves the bytes (vhost_vsock_relay.h).
 */
#include <errno.h>
#include <linux/vhost.h>
#include <linux/virtio_vsock.h>
#include <string.h>

#include "devices/core/vhost.h"
#include "devices/vsock/vhost_vsock_relay.h"

#define VV_RINGS     3
#define VV_LENT	     2 /* the first ones */
#define VV_SLOT	     0
#define VV_SEQPACKET (1ULL << VIRTIO_VSOCK_F_SEQPACKET)

/**
 * struct vhost_vsock - State of one device
 * @vhost:	Resource
 * @kernel:	Features of the kernel's side
 * @lent:	Rings that the kernel knows; it serves them while it @runs
 */
struct vhost_vsock {
	int vhost;
	uint64_t cid, kernel;
	bool lent[VV_LENT];
	bool runs;
	struct relay relay;
};

/**
 * vv_start() - Take over the features that the driver accepted
 *
 * Context: locked
 * Syscalls: ioctl
 */
static int vv_start(struct device *d, uint64_t features)
{
	const struct vhost_vsock *v = d->state;
	const uint64_t both = features & v->kernel;

	return vhost_ioctl(v->vhost, VHOST_SET_FEATURES, &both);
}

/**
 * vv_run() - Have the kernel serve the rings, or end that
 *
 * Context: locked
 * Syscalls: ioctl
 */
static int vv_run(struct vhost_vsock *v, bool runs)
{
	const int running = runs;
	const int rc = vhost_ioctl(v->vhost, VHOST_VSOCK_SET_RUNNING, &running);

	if (rc == 0)
		v->runs = runs;
	return rc;
}

/* Fetches ring @q back, if it is lent; the other one stands still meanwhile */
static void vv_stop(struct device *d, unsigned int q)
{
	struct vhost_vsock *v = d->state;
	int rc;

	if (q >= VV_LENT || !v->lent[q])
		return;
	rc = v->runs ? vv_run(v, false) : 0;
	vr_assert(rc == 0);
	vhost_fetch(d, q, v->vhost, q);
	v->lent[q] = false;
}

/* Lends ring @q, and with the second one has the kernel begin */
static void vv_queue(struct device *d, unsigned int q)
{
	struct vhost_vsock *v = d->state;
	int rc;

	if (q >= VV_LENT)
		return;
	rc = vhost_lend(d, q, v->vhost, q);
	v->lent[q] = true;
	if (rc == 0 && v->lent[0] && v->lent[1])
		rc = vv_run(v, true);
	if (rc < 0) {
		vv_stop(d, q);
		device_broken(d, q, "the kernel refuses it");
	}
	for (unsigned int i = 0; i < VV_LENT && v->runs; i++)
		vhost_begun(d, i);
}

static void vv_event(struct device *d, unsigned int slot, uint32_t events)
{
	struct vhost_vsock *v = d->state;

	(void)slot;
	(void)events;
	relay_turn(&v->relay);
}

static int vv_config(struct device *d, bool write, uint32_t off, void *buf, uint32_t len)
{
	const struct vhost_vsock *v = d->state;
	const struct virtio_vsock_config config = {.guest_cid = v->cid};

	if (write)
		return -EPERM;
	memcpy(buf, (const uint8_t *)&config + off, len);
	return 0;
}

static int vv_control(struct device *d, struct ctl_msg *m, int *fd, struct err *err)
{
	struct vhost_vsock *v = d->state;

	return relay_control(&v->relay, m, fd, err);
}

static int vv_init(struct device *d, const struct boot_dev *rec, struct err *err)
{
	struct vhost_vsock *v = d->state;
	struct vsock_settings s;
	int rc = boot_settings(rec, &s, sizeof(s), err);

	if (rc < 0)
		return rc;
	if (rec->nr_res != 1 || rec->nr_queues > VV_RINGS || s.cid < VSOCK_CID_FIRST ||
	    s.cid > VSOCK_CID_LAST || s.conns < 1 || s.conns > VSOCK_CONNS_MAX || s.reserved)
		return err_text(err, EINVAL, "%s: %u resources, CID %llu, %u connections",
				rec->name, rec->nr_res, (unsigned long long)s.cid, s.conns);
	v->vhost = BOOT_FD_RES;
	v->cid = s.cid;
	rc = vhost_own(v->vhost, rec->name, &v->kernel, err);
	if (rc == 0)
		rc = relay_init(&v->relay, s.conns, err);
	if (rc < 0)
		return rc;
	v->kernel &= VHOST_RING_FEATURES | VV_SEQPACKET;
	d->features = v->kernel & VV_SEQPACKET;
	d->nr_queues = VV_RINGS;
	return device_watch(d, VV_SLOT, v->relay.epoll_fd, EPOLLIN, err);
}

const struct device_ops vhost_vsock_device = {
	.kind = &kind_table[KIND_VHOST_VSOCK],
	.queue_max = VQ_SIZE_MAX,
	.features = VV_SEQPACKET,
	.lends = true,
	.state_size = sizeof(struct vhost_vsock),
	.init = vv_init,
	.start = vv_start,
	.queue = vv_queue,
	.stop = vv_stop,
	.event = vv_event,
	.config = vv_config,
	.control = vv_control,
};
