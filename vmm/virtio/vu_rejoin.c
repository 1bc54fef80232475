/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/virtio/vu_rejoin.h"

#include <errno.h>
#include <string.h>

#include "devices/core/kind.h"

/* Whether the configuration spaces are alike, but for what a device may change while it runs */
static bool vu_rejoin_same_config(const struct vu_frontend *f, const struct vu_terms *t)
{
	const struct kind_live live = kind_live(f->be.virtio_id);

	for (unsigned int i = 0; i < t->config_bytes; i++) {
		if (t->config[i] != f->terms.config[i] && i - live.off >= live.bytes)
			return false;
	}
	return true;
}

/* Whether the guest, which has seen the terms before, can go on under these */
static int vu_rejoin_check(const struct vu_frontend *f, const struct vu_terms *t,
			   uint64_t protocol_before, struct err *err)
{
	const uint64_t missing = f->be.features & ~t->features;
	const uint64_t protocol = f->conn.protocol_features;

	if (missing)
		return err_text(err, EPROTO, "came back without features 0x%lx", missing);
	if (protocol_before & ~protocol)
		return err_text(err, EPROTO, "came back without protocol features 0x%lx",
				protocol_before & ~protocol);
	if (t->nr_queues < f->be.nr_queues || t->queue_max < f->be.queue_max)
		return err_text(err, EPROTO, "came back with %u queues of %u entries, not %u of %u",
				t->nr_queues, t->queue_max, f->be.nr_queues, f->be.queue_max);
	if (t->config_bytes != f->be.config_bytes || !vu_rejoin_same_config(f, t))
		return err_text(err, EPROTO, "came back with another configuration");
	return 0;
}

/* What a driver wrote, and the new process cannot know: how large a balloon is */
static int vu_rejoin_write(struct vu_frontend *f, struct vu_terms *t, struct err *err)
{
	bool any = false;
	int rc = 0;

	if (kind_live(f->be.virtio_id).acts)
		return 0;
	for (unsigned int i = 0, n; rc == 0 && i < t->config_bytes; i += n + 1) {
		for (n = 0; i + n < t->config_bytes && f->written[i + n]; n++)
			;
		if (n > 0)
			rc = vu_terms_write(&f->conn, i, f->terms.config + i, n, err);
		any |= n > 0;
	}
	return rc == 0 && any ? vu_terms_config(&f->conn, t->config, t->config_bytes, err) : rc;
}

static int vu_rejoin_agree(struct vu_frontend *f, struct vu_terms *t, struct err *err)
{
	const uint64_t before = f->conn.protocol_features;
	int rc = vu_terms_agree(t, &f->conn, &f->channel, &f->ask, err);

	if (rc == 0)
		rc = vu_rejoin_write(f, t, err);
	if (rc == 0)
		rc = vu_rejoin_check(f, t, before, err);
	/* What comes after the next death is compared with what the guest knows, too. */
	if (rc < 0)
		f->conn.protocol_features = before;
	return rc;
}

/* The rings of a driver that has set DRIVER_OK before, or does so meanwhile. Returns with the lock held */
static int vu_rejoin_give(struct vu_frontend *f, pthread_mutex_t *lock, struct err *err)
{
	bool running, given = false;
	int rc = 0;

	for (;;) {
		pthread_mutex_lock(lock);
		running = f->running;
		if (rc < 0 || running == given)
			return rc;
		pthread_mutex_unlock(lock);
		rc = vu_frontend_give(f, err);
		given = true;
	}
}

/* With the lock held: vCPUs may use the connection from here on, or know that there is none */
static enum vu_rejoined vu_rejoin_end(struct vu_frontend *f, const struct vu_terms *t, int rc)
{
	const bool changed = memcmp(t->config, f->terms.config, sizeof(t->config)) != 0;

	f->joining = f->away = false;
	f->be.peer_fd = f->conn.sock;
	if (rc < 0 && vu_frontend_gone(rc)) {
		vu_frontend_lose(f);
		return VU_REJOINED_LOST;
	}
	f->dead |= rc < 0;
	if (rc < 0)
		return VU_REJOINED_REFUSED;
	memcpy(f->terms.config, t->config, sizeof(t->config));
	return changed ? VU_REJOINED_CHANGED : VU_REJOINED;
}

enum vu_rejoined vu_rejoin(struct vu_frontend *f, int sock, pthread_mutex_t *lock, struct err *err)
{
	enum vu_rejoined rejoined;
	struct vu_terms t = {0};
	int rc;

	pthread_mutex_lock(lock);
	rc = f->dead ? -EPIPE : 0;
	vu_frontend_lose(f);
	f->conn.sock = sock;
	f->joining = true;
	pthread_mutex_unlock(lock);
	if (rc == 0)
		rc = vu_rejoin_agree(f, &t, err);
	if (rc == 0)
		rc = vu_rejoin_give(f, lock, err);
	else
		pthread_mutex_lock(lock);
	rejoined = vu_rejoin_end(f, &t, rc);
	pthread_mutex_unlock(lock);
	return rejoined;
}
