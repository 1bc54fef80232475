/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Frames between the queues of a TAP and the rings of the user back-end; private to net*.c
 *
 * A "port" is one queue of the TAP, non-blocking, with a struct virtio_net_hdr_v1 before each frame: what is
 * on the TAP is what is in the guest's buffers, and one readv or writev moves a frame between the two.
 *
 *   receive:   net_port_rx -> vnet_rx_frame -> pop, readv, fill, publish
 *   transmit:  net_port_tx -> net_port_send -> vnet_frame_ok (on a private copy of the header), writev
 *   answers:   net_port_send -> answer_make -> vnet_rx_put, for frames that do not go to the TAP (answer.h)
 *
 * A port's direction waits for one thing at a time (enum net_wait). Receive buffers popped and not
 * used stay in their ring's window for the next wake-up; a frame that could not be sent goes back
 * at once.
 *
 * If the driver has too few buffers out for the frame in hand (vnet_rx.h), it waits NET_PATIENCE_NS for more.
 *
 * Ports of pairs that the driver does not use are served into the rings of those it does.
 */
#ifndef VMRUN_DEVICES_NET_NET_PORT_H
#define VMRUN_DEVICES_NET_NET_PORT_H

#include "devices/core/device.h"
#include "devices/net/answer.h"
#include "devices/net/limit.h"
#include "devices/net/vnet.h"
#include "devices/net/vnet_rx.h"

#define NET_F(name) (1ULL << VIRTIO_NET_F_##name)
#define NET_HDR	    sizeof(struct virtio_net_hdr_v1)

/** enum net_wait - What a direction of a port waits for */
enum net_wait { NET_WAIT_RING, NET_WAIT_TAP, NET_WAIT_TIME };

/**
 * struct net_port - One queue of the TAP
 * @watched:	Events that the loop waits for
 * @rx_due_ns:	When to stop waiting and go on; 0: never
 * @guess:	The next frame it hands out
 */
struct net_port {
	int fd;
	uint32_t watched;
	enum net_wait rx, tx;
	uint64_t rx_due_ns, tx_due_ns;
	struct vnet_guess guess;
};

/**
 * struct net - State of one interface
 * @nr_ports:	0: no TAP, what the guest sends goes nowhere
 * @pairs_max:	Queue pairs there are
 * @pairs:	Queue pairs the driver uses, as set by the control ring
 * @gone:	The TAP's interface was deleted
 * @armed_ns:	When the timer goes off; 0: it is not set
 * @in:		What is on its way into each receiving ring
 * @chain:	What is being sent, or the command at hand
 * @sent:	The beginning of what is being sent: a private copy, on which is decided what goes out
 */
struct net {
	unsigned int nr_ports;
	unsigned int pairs_max;
	unsigned int pairs;
	bool gone, down;
	uint32_t tun_flags;
	int timer_fd;
	uint64_t armed_ns;
	struct limit to_guest, from_guest;
	struct net_port port[NET_PAIRS_MAX];
	struct virtio_net_config config;
	struct vnet_in in[NET_PAIRS_MAX];
	struct vq_chain chain;
	struct vnet_rx rx;
	struct iovec iov[VQ_IOV_MAX + 1];
	struct answer answer;
	struct net_sent {
		struct virtio_net_hdr_v1 h;
		uint8_t head[FRAME_HEAD];
	} sent;
};

/**
 * net_port_rx() - Move frames from port @i into its ring, until a batch, a limit or either side ends it
 *
 * Context: locked
 * Syscalls: timerfd_settime epoll_ctl
 */
void net_port_rx(struct device *d, unsigned int i);

/**
 * net_port_rx_kicked() - Go on with the ports that waited for buffers in @ring
 *
 * Context: locked
 * Syscalls: timerfd_settime epoll_ctl
 */
void net_port_rx_kicked(struct device *d, unsigned int ring);

/**
 * net_port_tx() - Send what is in a pair's ring to its port, or nowhere when it has none
 *
 * Context: locked
 * Syscalls: timerfd_settime epoll_ctl
 */
void net_port_tx(struct device *d, unsigned int pair);

/**
 * net_port_due() - The timer went off: go on with every port whose time has come
 *
 * Context: locked
 * Syscalls: read timerfd_settime
 */
void net_port_due(struct device *d);

/**
 * net_port_reset() - Forget what the driver's rings held; the ports stay watched
 *
 * Context: locked
 * Syscalls: epoll_ctl
 */
void net_port_reset(struct device *d);

/**
 * net_port_lose() - The interface was deleted: take the link down, and drop what the guest sends
 *
 * Context: locked
 * Syscalls: epoll_ctl write
 */
void net_port_lose(struct device *d);

#endif
