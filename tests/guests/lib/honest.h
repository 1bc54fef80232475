/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Honest requests to a device of any kind
 *
 * Hostile guests break one queue and want to know whether its device still works. A kind has up to two requests, on
 * queues of their own, each of which the device answers at once. Those of net, vsock and console also make it answer on
 * a queue from which it takes buffers only when it has something to say, and start net's second pair.
 */
#ifndef VMRUN_TESTS_GUESTS_LIB_HONEST_H
#define VMRUN_TESTS_GUESTS_LIB_HONEST_H

#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define HONEST_QUEUES_MAX   16
#define HONEST_REQUESTS_MAX 2
#define HONEST_NO_QUEUE	    0xffffU

/* Chains on @queue, one after the other: bytes that the device reads, and bytes that it may write */
struct honest_request {
	uint16_t queue;
	unsigned int times; /* 0: no request */
	uint32_t out, in;
	void (*fill)(const struct virtio_drv *v, unsigned int n, uint8_t *out); /* NULL: zeros */
};

struct honest_kind {
	uint16_t id;
	const char *name;
	uint64_t features;
	uint32_t unread; /* queues from which it takes nothing, whatever is offered: a bit each */
	struct honest_request request[HONEST_REQUESTS_MAX];
};

/* One function of the bus */
struct honest_dev {
	const struct honest_kind *kind;
	struct virtio_drv v, queue[HONEST_REQUESTS_MAX];
	struct virtio_ring ring[HONEST_REQUESTS_MAX];
	unsigned int nr_queues;
};

/* The function in @slot if it is virtio's and of a kind that is known; else false */
bool honest_find(struct honest_dev *d, unsigned int slot);

/* Resets the device and negotiates what its kind needs, and @features; then queues can be set */
bool honest_begin(struct honest_dev *d, uint64_t features);

/* Sets the queues of all requests but @except, after honest_begin() and before virtio_go() */
bool honest_queues(struct honest_dev *d, unsigned int except);

/* Makes all requests but that of @except; whether each is answered */
bool honest_ask(struct honest_dev *d, unsigned int except);

/* Makes request @i as chain @head, one after the other from 0, and does not wait */
void honest_post(struct honest_dev *d, unsigned int i, uint16_t head);

/* Runs every device with all its queues once and resets it; says "# NAME: begins" and waits for the power button */
void honest_first(const char *name);

/* Resets every device, says "# NAME: done", and powers off when the button is pressed */
__attribute__((noreturn)) void honest_last(const char *name);

/* All of it: whether the device resets, starts and answers, and is content then */
bool honest_works(struct honest_dev *d);

#endif
