/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What both sides agree on when a connection to a back-end begins
 *
 * GET_FEATURES, SET_OWNER, GET/SET_PROTOCOL_FEATURES, then as agreed GET_QUEUE_NUM, SET_BACKEND_REQ_FD
 * (vu_channel.h) and GET_CONFIG, then SET_MEM_TABLE, and SET_VRING_NUM to find the maximum size of a ring.
 */
#ifndef VMRUN_VMM_VIRTIO_VU_TERMS_H
#define VMRUN_VMM_VIRTIO_VU_TERMS_H

#include "devices/core/gmem.h"
#include "vmm/virtio/backend.h"
#include "vmm/virtio/vu_channel.h"
#include "vmm/virtio/vu_conn.h"

/**
 * struct vu_ask - What the front-end brings; borrowed
 * @mem:	Guest memory; its regions lie in @mem_fd in order, without gaps
 * @tracked:	Whether the back-end shall note what is in flight (INFLIGHT_SHMFD), if it can
 * @others:	It is not ours (vu_others.h)
 * @config:	The configuration space, of @config_bytes: then the back-end is not asked for it, and the driver
 *		cannot change it; 0: ask the back-end
 */
struct vu_ask {
	uint16_t virtio_id;
	const struct gmem *mem;
	int mem_fd;
	bool tracked, others;
	uint16_t config_bytes;
	const void *config;
};

/**
 * struct vu_terms - What was agreed on
 * @offered:	The back-end's feature bits, with VU_F_PROTOCOL_FEATURES
 * @features:	Those for a driver, with VERSION_1
 * @queue_max:	Entries that a ring may have
 * @config:	Configuration space, @config_bytes of it
 */
struct vu_terms {
	uint64_t offered, features;
	uint16_t nr_queues, queue_max, config_bytes;
	uint8_t config[BACKEND_CONFIG_MAX];
};

/**
 * vu_terms_agree() - Carry out the conversation; c->protocol_features is part of the result
 * @ret:	Overwritten
 *
 * Waits for answers, so the peer must be running or about to.
 * Syscalls: socketpair fcntl sendto sendmsg recvmsg read poll close
 * Return: 0 or -errno
 */
MUST_CHECK int vu_terms_agree(struct vu_terms *ret, struct vu_conn *c, struct vu_channel *channel,
			      const struct vu_ask *ask, struct err *err);

/**
 * vu_terms_write() - Write @len bytes of configuration space; the device may refuse, or store something else
 *
 * Syscalls: sendto poll recvfrom recvmsg read
 */
MUST_CHECK int vu_terms_write(struct vu_conn *c, uint32_t off, const void *buf, uint32_t len,
			      struct err *err);

/** vu_terms_config() - Read @bytes of configuration space.  Syscalls: sendto poll recvfrom recvmsg read */
MUST_CHECK int vu_terms_config(struct vu_conn *c, uint8_t *ret, uint16_t bytes, struct err *err);

#endif
