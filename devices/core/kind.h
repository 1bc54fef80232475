/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The table of device kinds, one row a kind
 *
 * Every part of vmrun that knows what kinds there are asks here: the types of config.json, the plan, the
 * names of programs and policies, the VMM's PCI functions, `vmrun device` and `vmrun features`. A kind
 * NAME is the program vmrun-dev-NAME, whose policies are NAME_device, on the virtio bus NAME_device_early too, and
 * for KIND_ALONE NAME_device_vhost_user.
 */
#ifndef VMRUN_DEVICES_CORE_KIND_H
#define VMRUN_DEVICES_CORE_KIND_H

#include <linux/virtio_ids.h>

#include "devices/core/boot.h"
#include "devices/core/settings.h"

#define KIND_TYPE    (1U << 0) /* a type in config.json's /vm/devices */
#define KIND_ALONE   (1U << 1) /* `vmrun device` runs it for another VMM */
#define KIND_IMPLIED (1U << 2) /* every VM has one, listed or not */
#define KIND_SINGLE  (1U << 3) /* at most one in a VM */
#define KIND_OTHERS  (1U << 4) /* a back-end of others may serve it (type "vhost-user") */
#define KIND_NAME    (1U << 5) /* no program of ours: a name of config.json */
#define KIND_THREADS                                                                               \
	(1U << 6) /* its init makes threads, and then lowers RLIMIT_NPROC to 0 itself */

#define KIND_THREADS_MAX 16U /* of one process */

/*
 * Rows in the order in which messages name them; those without KIND_TYPE come last. "config" counts the bytes
 * of configuration space. A device with "queues": N in config.json has each * N + more queues, and N is at
 * most "most". A back-end of others that does not tell how many it has is taken to have "each".
 */
#define KIND_TABLE(ROW) \
	/*  id         name         bus     virtio id        PCI class config each more most */ \
	ROW(BLOCK,     "block",     VIRTIO, VIRTIO_ID_BLOCK, 0x018000, 60, 1, 0, BOOT_QUEUES_MAX, KIND_TYPE | KIND_ALONE | KIND_OTHERS | KIND_THREADS) \
	ROW(NET,       "net",       VIRTIO, VIRTIO_ID_NET,   0x020000, 12, 2, 1, NET_PAIRS_MAX,   KIND_TYPE | KIND_ALONE | KIND_OTHERS) \
	ROW(RNG,       "rng",       VIRTIO, VIRTIO_ID_RNG,   0x00ff00,  0, 1, 0, 1,               KIND_TYPE | KIND_ALONE | KIND_IMPLIED | KIND_OTHERS) \
	ROW(BALLOON,   "balloon",   VIRTIO, VIRTIO_ID_BALLOON, 0x00ff00, 16, 5, 0, 1,             KIND_TYPE | KIND_ALONE | KIND_SINGLE | KIND_OTHERS) \
	ROW(VSOCK,     "vsock",     VIRTIO, VIRTIO_ID_VSOCK, 0x078000,  8, 3, 0, 1,               KIND_TYPE | KIND_ALONE | KIND_SINGLE) \
	ROW(CONSOLE,   "console",   VIRTIO, VIRTIO_ID_CONSOLE, 0x078000, 12, 2, 0, 1,             KIND_TYPE | KIND_ALONE | KIND_SINGLE | KIND_OTHERS) \
	ROW(FS,        "fs",        VIRTIO, VIRTIO_ID_FS,    0x018000, 40, 2, 0, 1,               KIND_TYPE | KIND_ALONE | KIND_OTHERS | KIND_THREADS) \
	ROW(SERIAL,    "serial",    SERIAL, 0,               0,         0, 0, 0, 0,               KIND_TYPE | KIND_IMPLIED | KIND_SINGLE) \
	ROW(VHOST_USER, "vhost-user", NONE, 0,               0,         0, 0, 0, 0,               KIND_TYPE | KIND_NAME) \
	ROW(VHOST_NET, "vhost_net", VIRTIO, VIRTIO_ID_NET,   0x020000, 12, 2, 1, NET_PAIRS_MAX,   0) \
	ROW(VHOST_VSOCK, "vhost_vsock", VIRTIO, VIRTIO_ID_VSOCK, 0x078000, 8, 3, 0, 1,            0)

#define KIND_ID(id, ...) KIND_##id,
enum kind_id { KIND_TABLE(KIND_ID) KINDS };
#undef KIND_ID

/**
 * struct kind - A row
 * @name:	config.json's type
 * @program, @policy: NULL for KIND_NAME
 * @policy_early: As long as the VMM has not sent all memory; NULL for what is not virtio, which is sent none
 * @policy_alone: Of the stand-alone back-end
 * @bus:	The VMM's side of it
 * @virtio_id:	virtio 1.3 section 5; 0 for a device that is not virtio
 * @config_bytes: Of device-specific configuration space
 * @flags:	KIND_*
 */
struct kind {
	const char *name;
	const char *program, *policy, *policy_early, *policy_alone;
	enum boot_bus bus;
	uint16_t virtio_id;
	uint32_t pci_class;
	uint16_t config_bytes;
	struct kind_queues {
		uint16_t each, more, most;
	} queues;
	uint32_t flags;
};

/** kind_table - By enum kind_id */
extern const struct kind kind_table[KINDS];

/** kind_types - The names of the rows with KIND_TYPE, by enum kind_id, and a NULL */
extern const char *const kind_types[];

/** kind_find() - The kind of this name that has one of the @flags, or NULL */
const struct kind *kind_find(const char *name, uint32_t flags);

/** kind_list() - The names of the kinds with one of the @flags: "block, net and rng" */
void kind_list(uint32_t flags, char *ret, size_t size);

/**
 * struct kind_live - The part of a configuration space that a device may change while it runs
 * @acts:	What a driver writes there is carried out once, and no state
 */
struct kind_live {
	uint16_t off, bytes;
	bool acts;
};

/** kind_live() - Of the device with this virtio id; empty if nothing may change */
struct kind_live kind_live(uint16_t virtio_id);

/** kind_of_virtio() - The first kind with this virtio id, or NULL */
const struct kind *kind_of_virtio(uint16_t virtio_id);

#endif
