/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a device is
 *
 * A device exports one `const struct device_ops`: data first, few calls. The core owns sockets, feature
 * masks, ring set-up, notification and reset; the device sees chains. virtio 1.3 section 2.1 (status), 2.2
 * (features), 2.5 (configuration space).
 */
#ifndef VMRUN_DEVICES_CORE_DEVICE_H
#define VMRUN_DEVICES_CORE_DEVICE_H

#include "devices/core/boot.h"
#include "devices/core/ctl.h"
#include "devices/core/err.h"
#include "devices/core/kind.h"
#include "devices/core/log.h"
#include "devices/core/loop.h"
#include "devices/core/virtqueue.h"

#define DEVICE_BATCH	  256 /* chains of one wake-up, before others have their turn */

struct device;

/**
 * struct device_ops - What one kind of device does
 * @kind:	Its row of the table: name, virtio id, configuration space
 * @queue_max:	Entries a ring may have, a power of two up to VQ_SIZE_MAX
 * @features:	Bits it may offer; ring features and VERSION_1 are the core's and not listed
 * @lends:	Its rings go to the kernel (vq_lend()): what is in flight cannot be tracked
 * @opens:	It opens files, below its first resource
 * @state_size:	Bytes of device->state, allocated once, zeroed, before lockdown
 * @init:	Take over boot record and fds. Before lockdown: may allocate
 * @start:	The first ring is about to run, with these features. NULL if there is nothing to do
 * @queue:	Doorbell of queue @q; pop until VQ_EMPTY but at most DEVICE_BATCH chains, push, then
 *		device_end_turn()
 * @stop:	Queue @q is about to stop or move. Before this returns the device takes a lent ring back
 *		(vq_lend()) and puts back the chains it holds. Doorbell, interrupt and error eventfd
 *		may be others when @queue is called next. NULL for a device that serves its rings
 *		itself and holds nothing between two wake-ups
 * @event:	A watched fd of this device is ready (device_watch); NULL if it watches none
 * @config:	Read or write config space; @off + @len <= kind->config_bytes has been checked
 * @control:	A request of the supervisor; @m's values go back with the answer, which CTL_DONE carries.
 *		After -errno nothing has changed; -EPROTO, for a type that this device does not take,
 *		ends it. @fd is the file that came with it or -1; a device that keeps it sets -1. NULL
 *		for a device that takes none
 * @reset:	The last ring was stopped, or the peer is gone: the driver has gone, or is paused. Finish or drop
 *		the requests in flight before returning. NULL if there is nothing to do
 * @left:	The front-end is gone, and the next one's guest is another: nothing that this one had is open to it. Or
 *		it has reset the device. The rings have stopped. NULL for a device that keeps nothing of its guest then
 * @done:	Undo init, also one that failed, for tests: a program just ends. NULL for a device whose
 *		state is complete
 * @finish:	The VMM is gone, and the program about to end: write what is held. The supervisor bounds the
 *		time. NULL if there is nothing to do
 */
struct device_ops {
	const struct kind *kind;
	uint16_t queue_max;
	uint64_t features;
	bool lends, opens;
	size_t state_size;
	int (*init)(struct device *d, const struct boot_dev *b, struct err *err);
	int (*start)(struct device *d, uint64_t features);
	void (*queue)(struct device *d, unsigned int q);
	void (*stop)(struct device *d, unsigned int q);
	void (*event)(struct device *d, unsigned int slot, uint32_t events);
	int (*config)(struct device *d, bool write, uint32_t off, void *buf, uint32_t len);
	int (*control)(struct device *d, struct ctl_msg *m, int *fd, struct err *err);
	void (*reset)(struct device *d);
	void (*left)(struct device *d);
	void (*done)(struct device *d);
	void (*finish)(struct device *d);
};

/**
 * struct device - One instance
 * @ops:	Its kind
 * @state:	ops->state_size bytes, the device's own
 * @loop:	The process's loop
 * @features:	What this instance offers, set by init from ops->features
 * @acked:	What the driver accepted; 0 after reset
 * @nr_queues:	Queues of this instance, set by init
 * @vq:		The rings; ready between start and reset
 * @runs:	Whether the front-end allows a ring to be processed. A device whose work does not start
 *		with a doorbell checks this first. ops->queue is called when it becomes true
 * @kick_fd:	Doorbell eventfd of each queue, -1 while the ring is stopped
 * @call_fd:	Interrupt eventfd of each queue, -1 where the front-end gave none
 * @err_fd:	Error eventfd of each queue (vhost-user VRING_ERR), likewise
 * @config_fd:	The front-end's channel for device_config_changed(), borrowed from the connection; -1:
 *		none
 * @watch:	Arguments of device_watch()
 * @broken_limit: Budget of device_broken()'s log lines
 */
struct device {
	const struct device_ops *ops;
	void *state;
	struct loop *loop;
	struct gmem mem;
	uint64_t features;
	uint64_t acked;
	unsigned int nr_queues;
	struct vq vq[BOOT_QUEUES_MAX];
	bool runs[BOOT_QUEUES_MAX];
	int kick_fd[BOOT_QUEUES_MAX];
	int call_fd[BOOT_QUEUES_MAX];
	int err_fd[BOOT_QUEUES_MAX];
	int config_fd;
	struct device_watch {
		struct device *d;
		unsigned int slot;
	} watch[BOOT_RES_MAX];
	struct log_limit broken_limit;
};

/**
 * device_init() - An instance without queues or fds, its state allocated and zeroed
 * @d:		Zeroed: most of it stays so, and takes no memory until a queue is used
 * @ops:	Its kind; borrowed
 * @loop:	The process's loop; borrowed
 *
 * ops->init is the caller's next step.
 * Context: setup
 * Syscalls: mmap brk madvise
 * Return: 0 or -ENOMEM
 */
MUST_CHECK int device_init(struct device *d, const struct device_ops *ops, struct loop *loop,
			   struct err *err);

/**
 * device_done() - Free the state, unmap guest memory, close queue fds; safe on a zeroed struct
 * @d:		Its fds must not be watched any more
 *
 * Context: setup
 * Syscalls: munmap close
 */
void device_done(struct device *d);

/**
 * device_signal() - Interrupt the driver for queue @q if it asked to be
 * @q:		Below d->nr_queues
 *
 * Context: locked
 * Syscalls: write
 */
void device_signal(struct device *d, unsigned int q);

/**
 * device_again() - Call ops->queue for queue @q once more, after everything else that is ready
 * @q:		Below d->nr_queues
 *
 * For a device that stops before VQ_EMPTY so that one busy queue does not starve the others or the
 * front-end. Rings the queue's own doorbell, which the loop finds ready with everything else.
 * Context: locked
 * Syscalls: write
 */
void device_again(struct device *d, unsigned int q);

/**
 * device_broken() - Stop queue @q, whose driver broke a rule, until it is reset, and report it
 * @q:		Below d->nr_queues
 * @why:	The rule that was broken, static text
 *
 * Latches the queue as vq_pop() does, writes its error eventfd, upon which our front-end sets
 * DEVICE_NEEDS_RESET and QEMU logs a line, and logs one rate-limited line. A front-end without such an
 * eventfd loses its connection: a queue that stands still is never silent. Every device calls it when
 * vq_pop() answers VQ_BROKEN, and for a chain that no answer fits into.
 * Context: locked
 * Syscalls: write
 */
void device_broken(struct device *d, unsigned int q, const char *why);

/**
 * device_end_turn() - Signal what was pushed, and see to it that queue @q goes on where it is due
 * @q:		Below d->nr_queues
 * @last:	What the last vq_pop() of this turn answered
 *
 * device_broken() for a broken queue; device_again() for one that may have more, since the device stopped
 * popping before the queue was empty.
 * Context: locked
 * Syscalls: write
 */
void device_end_turn(struct device *d, unsigned int q, enum vq_result last);

/**
 * device_config_changed() - Tell the driver that the configuration space has changed
 *
 * For a change that the driver did not make. Never waits and cannot fail: without a channel, or with a
 * full one, the front-end misses the message.
 * Context: locked
 * Syscalls: sendto
 */
void device_config_changed(struct device *d);

/**
 * device_watch() - Call ops->event with @slot when @fd is ready
 * @d:		The device; ops->event is not NULL
 * @slot:	The device's own name for it, below BOOT_RES_MAX
 * @fd:		Borrowed while watched; loop_mod() and loop_del() on d->loop change and end it
 * @events:	EPOLLIN, EPOLLOUT or 0
 *
 * Context: any
 * Syscalls: epoll_ctl
 * Return: 0; -EPERM when @fd cannot be waited for (a regular file); else as loop_add()
 */
MUST_CHECK int device_watch(struct device *d, unsigned int slot, int fd, uint32_t events,
			    struct err *err);

#endif
