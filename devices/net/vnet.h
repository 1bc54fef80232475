/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What virtio-net (virtio 1.3 section 5.1) says about features, headers and commands
 *
 * The decisions of the network device, without moving frames: how features and a TAP's TUN_F_* flags
 * correspond, which frames a driver may send, and its commands.
 */
#ifndef VMRUN_DEVICES_NET_VNET_H
#define VMRUN_DEVICES_NET_VNET_H

#include <linux/virtio_net.h>

#include "devices/core/boot.h"
#include "devices/core/ctl.h"
#include "devices/core/settings.h"
#include "devices/core/virtqueue.h"

/* Younger than some kernel headers (Linux 6.2, virtio 1.3) */
#define VNET_F_GUEST_USO4 54
#define VNET_F_GUEST_USO6 55
#define VNET_F_HOST_USO   56
#define VNET_TUN_USO      (0x20U | 0x40U) /* TUN_F_USO4, TUN_F_USO6 */
#define VNET_GSO_UDP_L4   5

/* Every feature that stands for something a TAP can take */
#define VNET_F_OFFLOADS                                                                      \
	(1ULL << VIRTIO_NET_F_CSUM | 1ULL << VIRTIO_NET_F_GUEST_CSUM |                       \
	 1ULL << VIRTIO_NET_F_HOST_TSO4 | 1ULL << VIRTIO_NET_F_HOST_TSO6 |                   \
	 1ULL << VIRTIO_NET_F_GUEST_TSO4 | 1ULL << VIRTIO_NET_F_GUEST_TSO6 |                 \
	 1ULL << VNET_F_HOST_USO | 1ULL << VNET_F_GUEST_USO4 | 1ULL << VNET_F_GUEST_USO6)

#define VNET_TUN_FLAGS 0x7fU  /* every TUN_F_* a TAP may be said to take */
#define VNET_FRAME_MAX 65562U /* bytes a driver may send, the header not counted */

/**
 * vnet_offered() - The features a device may offer whose TAP takes @tun_flags
 * @tun_flags:	TUN_F_*
 *
 * Context: any
 * Syscalls: none
 * Return: virtio feature bits
 */
uint64_t vnet_offered(uint32_t tun_flags);

/**
 * vnet_tun_flags() - The argument of TUNSETOFFLOAD for a driver that accepted @features
 * @features:	What the driver accepted
 *
 * The kernel wants checksums with all else, and the two kinds of USO together.
 * Context: any
 * Syscalls: none
 * Return: TUN_F_*
 */
uint32_t vnet_tun_flags(uint64_t features);

/**
 * vnet_frame_ok() - Whether the driver may send this, with its header made fit for a TAP
 * @h:		A private copy of the header
 * @bytes:	Of the frame behind it
 * @features:	What the driver accepted
 *
 * Flags a driver does not have are ignored, as the specification asks. hdr_len is a hint and no reason
 * to refuse a frame; the kernel would refuse some, and wants a real one for large frames.
 * Context: locked
 * Syscalls: none
 */
MUST_CHECK bool vnet_frame_ok(struct virtio_net_hdr_v1 *h, uint64_t bytes, uint64_t features);

/**
 * vnet_command() - Carry out one request on the control ring, and answer it
 * @c:		The request; its status byte is written
 * @features:	What the driver accepted; commands of other features are refused
 * @pairs_max:	Queue pairs there are
 * @pairs:	Queue pairs the driver uses; changed by VQ_PAIRS_SET
 *
 * Context: locked
 * Syscalls: none
 * Return: false when there is no way to answer
 */
MUST_CHECK bool vnet_command(struct vq_chain *c, uint64_t features, unsigned int pairs_max,
			     unsigned int *pairs);

/**
 * vnet_update() - CTL_NET: set MAC, MTU and link to what the supervisor found when the VM started
 * @config:	What the driver reads; changed whole or not at all
 * @down:	Likewise
 * @m:		As ctl.h has it; a MAC or MTU of 0 leaves the one there is
 *
 * Context: locked
 * Syscalls: none
 * Return: 0; -EINVAL for what no interface has; -EPROTO for another request
 */
MUST_CHECK int vnet_update(struct virtio_net_config *config, bool *down, const struct ctl_msg *m,
			 struct err *err);

/**
 * vnet_settings() - Copy a network device's settings out of its boot record, and check each
 * @ret:	Meaningless after a failure
 *
 * Context: setup
 * Syscalls: none
 * Return: 0, or -EPROTO for what no interface has
 */
MUST_CHECK int vnet_settings(const struct boot_dev *b, struct net_settings *ret, struct err *err);

/** vnet_mac_ok() - Whether an interface may have this address: it is unicast, and not all zeros */
MUST_CHECK bool vnet_mac_ok(const uint8_t mac[6]);

#endif
