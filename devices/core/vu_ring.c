/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/vu_ring.h"

#include <errno.h>
#include <linux/virtio_ring.h>

static unsigned int vu_ring_index(const struct vu_ring *r)
{
	return (unsigned int)(r - r->b->ring);
}

/* Hands a ring to the device if the device may touch it */
static void vu_ring_process(struct vu_ring *r)
{
	struct device *d = r->b->dev;
	unsigned int q = vu_ring_index(r);
	/* Without protocol features there is no SET_VRING_ENABLE: a started ring is enabled. */
	bool enabled = r->enabled || !(d->acked & 1ULL << VU_F_PROTOCOL_FEATURES);

	d->runs[q] = enabled && d->vq[q].ready;
	if (d->runs[q] && !d->vq[q].broken)
		d->ops->queue(d, q);
}

/* Has the device take a ring back that it may have lent */
static void vu_ring_fetch(struct vu_ring *r)
{
	struct device *d = r->b->dev;

	if (r->started && d->ops->stop)
		d->ops->stop(d, vu_ring_index(r));
}

/* And lets the device lend it again, with what has changed meanwhile */
static void vu_ring_return(struct vu_ring *r)
{
	if (r->started && r->b->dev->ops->stop)
		vu_ring_process(r);
}

/* Each write to the doorbell comes here or is one with another: its count is never read */
static void vu_ring_kicked(void *arg, int fd UNUSED, uint32_t events UNUSED)
{
	vu_ring_process(arg);
}

/* Goes on with what the ring's last user had in flight, if the front-end keeps that */
static int vu_ring_recover(struct vu_ring *r, struct err *err)
{
	const struct vu_inflight *i = &r->b->inflight;
	const unsigned int q = vu_ring_index(r);
	volatile struct vq_region *region = vu_inflight_region(i, q);
	int rc;

	if (!region)
		return 0;
	/* QEMU asks for a region before a driver behind virtio-mmio chooses another size than it was given. */
	if (r->size > i->queue_size) {
		log_warn("vhost-user: ring %u has %u entries, its in-flight region %u: not used", q,
			 r->size, i->queue_size);
		return 0;
	}
	rc = vq_recover(&r->b->dev->vq[q], region, i->queue_size, err);
	return rc < 0 ? err_wrap(err, "vhost-user: ring %u", q) : 0;
}

/* Translates what the front-end set for a ring and makes the ring ready */
static int vu_ring_setup(struct vu_ring *r, struct err *err)
{
	struct device *d = r->b->dev;
	unsigned int q = vu_ring_index(r);
	struct vq_layout l = {.size = r->size, .next_avail = r->base, .features = d->acked};
	int rc;

	if (!r->have_addr || r->size == 0)
		return err_text(err, EINVAL, "vhost-user: ring %u has no %s", q,
				r->size == 0 ? "size" : "addresses");
	if (!gmem_user_to_gpa(&d->mem, r->addr.desc_user_addr, sizeof(struct vring_desc) * r->size,
			      &l.desc_gpa) ||
	    !gmem_user_to_gpa(&d->mem, r->addr.avail_user_addr, 4 + 2U * r->size, &l.avail_gpa) ||
	    !gmem_user_to_gpa(&d->mem, r->addr.used_user_addr, 4 + 8U * r->size, &l.used_gpa))
		return err_text(err, EINVAL, "vhost-user: ring %u is not in guest memory", q);
	rc = vq_setup(&d->vq[q], &d->mem, &l, err);
	if (rc == 0)
		rc = vu_ring_recover(r, err);
	if (rc < 0)
		vq_reset(&d->vq[q]);
	return rc;
}

static int vu_ring_start(struct vu_ring *r, struct err *err)
{
	struct device *d = r->b->dev;
	int rc = vu_ring_setup(r, err);

	if (rc < 0)
		return rc;
	if (r->b->running == 0 && d->ops->start && d->ops->start(d, d->acked) < 0) {
		vq_reset(&d->vq[vu_ring_index(r)]);
		return err_text(err, EIO, "device %s does not start", d->ops->kind->name);
	}
	r->b->running++;
	r->started = true;
	return 0;
}

/* Afterwards the device does not touch the ring; SET_VRING_KICK starts it where it stopped */
static void vu_ring_stop(struct vu_ring *r)
{
	struct device *d = r->b->dev;
	unsigned int q = vu_ring_index(r);

	if (!r->started)
		return;
	vu_ring_fetch(r);
	r->started = false;
	d->runs[q] = false;
	if (--r->b->running == 0 && d->ops->reset)
		d->ops->reset(d);
	if (d->vq[q].ready)
		r->base = d->vq[q].next_avail;
	vq_reset(&d->vq[q]);
	loop_del(d->loop, d->kick_fd[q]);
	cleanup_close_fd(&d->kick_fd[q]);
	d->kick_fd[q] = -1;
}

void vu_ring_stop_all(struct vu_backend *b)
{
	for (unsigned int q = 0; q < BOOT_QUEUES_MAX; q++)
		vu_ring_stop(&b->ring[q]);
}

/* Looks up a ring by a number from the front-end; NULL, and @err says why */
static struct vu_ring *vu_ring_find(struct vu_backend *b, uint64_t index, struct err *err)
{
	if (index < b->dev->nr_queues)
		return &b->ring[index];
	err_text(err, EINVAL, "vhost-user: ring %lu of %u", index, b->dev->nr_queues);
	return NULL;
}

/* As vu_ring_find(), for what may change only while the ring is stopped */
static struct vu_ring *vu_ring_find_stopped(struct vu_backend *b, uint32_t index, struct err *err)
{
	struct vu_ring *r = vu_ring_find(b, index, err);

	if (!r || !r->started)
		return r;
	err_text(err, EBUSY, "vhost-user: ring %u is running", index);
	return NULL;
}

/* Whether a device still holds chains of @q, whose pointers go into the present memory */
static bool vu_in_flight(const struct vq *q)
{
	uint64_t any = 0;

	for (size_t i = 0; i < ARRAY_SIZE(q->in_flight); i++)
		any |= q->in_flight[i];
	return q->ready && !q->broken && any != 0;
}

/* Makes a running ring ready again in new memory; one that is not in it is stopped */
static int vu_ring_move(struct vu_ring *r, struct err *err)
{
	struct vq *q = &r->b->dev->vq[vu_ring_index(r)];
	const bool broken = q->broken;
	const char *const why = q->why;
	int rc;

	if (!r->started)
		return 0;
	r->base = q->next_avail;
	vq_reset(q); /* its pointers are into the old memory */
	rc = vu_ring_setup(r, err);
	if (rc < 0) {
		vu_ring_stop(r);
		return rc;
	}
	q->broken = broken;
	q->why = why;
	return 0;
}

/* Has all rings go on in other memory, which is taken over. Refused while chains are held */
static int vu_change_memory(struct vu_backend *b, struct gmem *fresh, struct err *err)
{
	int rc = 0;

	for (unsigned int q = 0; q < b->dev->nr_queues; q++) {
		if (!vu_in_flight(&b->dev->vq[q]))
			continue;
		gmem_done(fresh);
		return err_text(err, EBUSY, "vhost-user: ring %u has requests in flight", q);
	}
	gmem_done(&b->dev->mem);
	b->dev->mem = *fresh;
	b->state |= VU_STATE_MEMORY;
	for (unsigned int q = 0; q < b->dev->nr_queues; q++) {
		int moved = vu_ring_move(&b->ring[q], err);

		rc = moved < 0 ? moved : rc;
	}
	return rc;
}

int vu_set_mem_table(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	const struct vu_mem_table *t = &m->mem;
	struct gmem fresh = {0};
	int rc = 0;

	if (b->settled)
		return err_text(err, EBUSY, "vhost-user: SET_MEM_TABLE: the memory is settled");
	if (t->nr != m->nr_fds || m->hdr.bytes != offsetof(struct vu_mem_table, region) +
							  sizeof(t->region[0]) * m->nr_fds)
		return err_text(err, EINVAL, "vhost-user: SET_MEM_TABLE: %u regions, %u fds", t->nr,
				m->nr_fds);
	for (unsigned int i = 0; i < t->nr && rc == 0; i++)
		rc = gmem_map(&fresh, m->fd[i], t->region[i].offset, t->region[i].gpa,
			      t->region[i].bytes, t->region[i].user_addr, err);
	if (rc < 0) {
		gmem_done(&fresh);
		return rc;
	}
	for (unsigned int q = 0; q < b->dev->nr_queues; q++)
		vu_ring_fetch(&b->ring[q]);
	rc = vu_change_memory(b, &fresh, err);
	for (unsigned int q = 0; q < b->dev->nr_queues; q++)
		vu_ring_return(&b->ring[q]);
	return rc;
}

int vu_set_vring_num(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	uint32_t num = m->state.num;
	struct vu_ring *r = vu_ring_find_stopped(b, m->state.index, err);

	if (!r)
		return -err->code;
	if (num == 0 || num > b->dev->ops->queue_max || (num & (num - 1)) != 0)
		return err_text(err, EINVAL, "vhost-user: ring of %u entries", num);
	r->size = (uint16_t)num;
	return 0;
}

int vu_set_vring_addr(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	struct vu_ring *r = vu_ring_find_stopped(b, m->addr.index, err);

	if (!r)
		return -err->code;
	if (m->addr.flags != 0) /* the only one there is wants dirty pages logged: never offered */
		return err_text(err, EINVAL, "vhost-user: SET_VRING_ADDR: flags 0x%x",
				m->addr.flags);
	r->addr = m->addr;
	r->have_addr = true;
	return 0;
}

int vu_set_vring_base(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	struct vu_ring *r = vu_ring_find_stopped(b, m->state.index, err);

	if (!r)
		return -err->code;
	if (m->state.num > UINT16_MAX)
		return err_text(err, EINVAL, "vhost-user: ring base %u", m->state.num);
	r->base = (uint16_t)m->state.num;
	return 0;
}

int vu_get_vring_base(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	struct vu_ring *r = vu_ring_find(b, m->state.index, err);

	if (!r)
		return -err->code;
	vu_ring_stop(r);
	m->state.num = r->base;
	return 0;
}

/* Takes the eventfd of a SET_VRING_KICK, CALL or ERR; *ret_fd is -1 when the message says no fd */
static struct vu_ring *vu_take_ring_fd(struct vu_backend *b, struct vu_msg *m, int *ret_fd,
				       struct err *err)
{
	struct vu_ring *r = vu_ring_find(b, m->u64 & VU_VRING_INDEX_MASK, err);
	bool no_fd = m->u64 & VU_VRING_NO_FD;

	if (r && (m->u64 & ~(uint64_t)(VU_VRING_INDEX_MASK | VU_VRING_NO_FD) ||
		  no_fd != (m->nr_fds == 0))) {
		err_text(err, EINVAL, "vhost-user: ring eventfd 0x%lx with %u fds", m->u64,
			 m->nr_fds);
		return NULL;
	}
	if (r)
		*ret_fd = no_fd ? -1 : TAKE_FD(m->fd[0]);
	return r;
}

int vu_set_vring_kick(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	struct device *d = b->dev;
	cleanup_fd int fd = -1;
	struct vu_ring *r = vu_take_ring_fd(b, m, &fd, err);
	unsigned int q;
	int rc = 0;

	if (!r)
		return -err->code;
	if (fd < 0)
		return err_text(err, EINVAL,
				"vhost-user: rings are not polled, a doorbell is needed");
	q = vu_ring_index(r);
	vu_ring_fetch(r);
	if (!r->started)
		rc = vu_ring_start(r, err);
	if (rc == 0)
		rc = loop_add(d->loop, fd, EPOLLIN | EPOLLET, vu_ring_kicked, r, err);
	if (rc < 0) {
		vu_ring_stop(r);
		return rc;
	}
	loop_del(d->loop, d->kick_fd[q]);
	cleanup_close_fd(&d->kick_fd[q]);
	d->kick_fd[q] = TAKE_FD(fd);
	vu_ring_process(r); /* the driver may have rung before the ring was started */
	return 0;
}

int vu_set_vring_call(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	cleanup_fd int fd = -1;
	struct vu_ring *r = vu_take_ring_fd(b, m, &fd, err);

	if (!r)
		return -err->code;
	vu_ring_fetch(r);
	cleanup_close_fd(&b->dev->call_fd[vu_ring_index(r)]);
	b->dev->call_fd[vu_ring_index(r)] = TAKE_FD(fd);
	vu_ring_return(r);
	return 0;
}

int vu_set_vring_err(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	cleanup_fd int fd = -1;
	struct vu_ring *r = vu_take_ring_fd(b, m, &fd, err);

	if (!r)
		return -err->code;
	vu_ring_fetch(r);
	cleanup_close_fd(&b->dev->err_fd[vu_ring_index(r)]);
	b->dev->err_fd[vu_ring_index(r)] = TAKE_FD(fd);
	vu_ring_return(r);
	return 0;
}

int vu_set_vring_enable(struct vu_backend *b, struct vu_msg *m, struct err *err)
{
	struct vu_ring *r = vu_ring_find(b, m->state.index, err);

	if (!r)
		return -err->code;
	if (m->state.num > 1)
		return err_text(err, EINVAL, "vhost-user: SET_VRING_ENABLE: %u", m->state.num);
	r->enabled = m->state.num == 1;
	if (!r->enabled)
		vu_ring_fetch(r);
	vu_ring_process(r);
	return 0;
}
