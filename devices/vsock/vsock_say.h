/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the guest has yet to hear
 */
#ifndef VMRUN_DEVICES_VSOCK_VSOCK_SAY_H
#define VMRUN_DEVICES_VSOCK_VSOCK_SAY_H

#include "devices/vsock/vsock_state.h"

/** vsock_say_may_begin() - Whether packets may be taken from the guest, and connections begin */
static inline bool vsock_say_may_begin(const struct vsock *v)
{
	return v->nr_resets < VSOCK_RESETS_ON;
}

/** vsock_say() - The guest hears @what (VSOCK_SAY_*, or 0: that data may come) */
void vsock_say(struct vsock *v, struct vsock_conn *c, unsigned int what);

/** vsock_say_wants() - Whether there is something for the guest, as far as is known without trying */
bool vsock_say_wants(const struct vsock_conn *c);

/** vsock_say_reset() - The guest hears a RST with these words */
void vsock_say_reset(struct vsock *v, const struct vsock_reset *r);

/** vsock_say_reset_of() - The guest hears a RST of this connection */
void vsock_say_reset_of(struct vsock *v, const struct vsock_conn *c);

#endif
