/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: struct console: a virtio console and its ports
 */
#ifndef VMRUN_DEVICES_CONSOLE_CONSOLE_STATE_H
#define VMRUN_DEVICES_CONSOLE_CONSOLE_STATE_H

#include <linux/virtio_console.h>

#include "devices/console/console_kept.h"
#include "devices/core/device.h"

/* The queues of multiport; without it there are the first two. virtio 1.3 section 5.3.2 */
#define CONSOLE_QUEUE_RX(port) (2 * (port) + ((port) > 0 ? 2U : 0U))
#define CONSOLE_QUEUE_TX(port) (CONSOLE_QUEUE_RX(port) + 1U)
#define CONSOLE_QUEUE_TO_GUEST 2U
#define CONSOLE_QUEUE_BY_GUEST 3U

/* The messages that a port owes the guest */
#define CONSOLE_TELL_ADD  (1U << 0)
#define CONSOLE_TELL_HVC  (1U << 1)
#define CONSOLE_TELL_SIZE (1U << 2)
#define CONSOLE_TELL_NAME (1U << 3)
#define CONSOLE_TELL_OPEN (1U << 4)
#define CONSOLE_TELL_ALL  ((1U << 5) - 1)

/**
 * struct console_port - One port
 * @kept:	What outlives this process
 * @holds:	@chain is one of its output that the history had no room for yet
 * @moved:	Bytes that found room since @due_ns was set
 * @due_ns:	When the readers that there is no room for are late; 0: there is room
 */
struct console_port {
	struct console_kept_port *kept;
	bool holds;
	uint32_t moved;
	uint64_t due_ns;
	struct vq_chain chain;
};

/**
 * struct console - State of the device
 * @multiport:	The driver knows of ports
 * @source:	Input of port 0
 * @kept:	What outlives this process; @reader is in it
 * @watched:	Whose events the loop reports: reader i
 * @armed_ns:	When the timer goes off; 0: it is not set
 * @chain:	One at hand; here because it is large
 */
struct console {
	struct console_settings settings;
	bool multiport;
	int timer_fd;
	uint64_t armed_ns;
	struct line source;
	struct console_watch {
		struct device *d;
		unsigned int reader;
	} watched[CONSOLE_READERS_MAX];
	struct console_kept *kept;
	struct console_reader *reader;
	struct console_port port[CONSOLE_PORTS_MAX];
	struct vq_chain chain;
};

#endif
