/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Credit: how many bytes may be on their way (virtio 1.3 section 5.10.6.3)
 *
 * Each side says in every packet how large its buffer is (buf_alloc) and how many bytes have left it so far
 * (fwd_cnt). The other side may have at most buf_alloc bytes out that have not left. All counts wrap at
 * 2^32: only differences mean something.
 *
 * What the guest says is hostile. A buffer that shrinks below what is out leaves no room, not a huge one. A
 * fwd_cnt counts only if it moves forward and not past what was sent: packets of a driver with several
 * threads overtake each other, so an older one is no offence.
 */
#ifndef VMRUN_DEVICES_VSOCK_VSOCK_CREDIT_H
#define VMRUN_DEVICES_VSOCK_VSOCK_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

#define VSOCK_TELL_PART                                                                            \
	4 /* of our buffer: so much has left it before the guest hears of it unasked */

/**
 * struct vsock_credit - Both directions of one connection
 * @sent:	Bytes that the guest was given
 * @guest_alloc, @guest_fwd: Of the guest's buffer, as it said last
 * @got:	Bytes that the guest sent
 * @alloc, @fwd: Of our buffer
 * @told:	@fwd in the last packet to the guest
 */
struct vsock_credit {
	uint32_t sent, guest_alloc, guest_fwd;
	uint32_t got, alloc, fwd, told;
};

/** vsock_credit_heard() - Take over what a packet of the guest says about its buffer */
static inline void vsock_credit_heard(struct vsock_credit *c, uint32_t alloc, uint32_t fwd)
{
	c->guest_alloc = alloc;
	if (c->sent - fwd < c->sent - c->guest_fwd)
		c->guest_fwd = fwd;
}

/** vsock_credit_room() - How many bytes the guest still takes */
static inline uint32_t vsock_credit_room(const struct vsock_credit *c)
{
	const uint32_t out = c->sent - c->guest_fwd;

	return out < c->guest_alloc ? c->guest_alloc - out : 0;
}

/** vsock_credit_take() - Count @len bytes from the guest; false if they are more than it may send */
static inline bool vsock_credit_take(struct vsock_credit *c, uint32_t len)
{
	if (len > c->alloc - (c->got - c->fwd))
		return false;
	c->got += len;
	return true;
}

/** vsock_credit_due() - Whether so much has left our buffer since the guest heard of it that it should */
static inline bool vsock_credit_due(const struct vsock_credit *c)
{
	return c->fwd - c->told >= c->alloc / VSOCK_TELL_PART;
}

#endif
