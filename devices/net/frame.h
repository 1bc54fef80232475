/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Frames that the device itself reads and writes: UDP, and ICMPv6
 *
 * What a guest sends is hostile. frame_look() reads the first bytes of a frame, enough to say whose it is;
 * frame_open() checks lengths and checksums of a whole one. Both know Ethernet without VLAN tags, IPv4 without
 * fragments, and IPv6 without extension headers; anything else is FRAME_OTHER, or is refused.
 */
#ifndef VMRUN_DEVICES_NET_FRAME_H
#define VMRUN_DEVICES_NET_FRAME_H

#include "devices/core/base.h"

#define FRAME_MAX  1514U /* Ethernet header, and what a usual MTU lets through */
#define FRAME_HEAD 84U	 /* bytes that frame_look() looks at */

enum frame_kind { FRAME_OTHER, FRAME_UDP4, FRAME_UDP6, FRAME_ICMP6 };

/**
 * struct frame_ends - Where a frame comes from and goes to
 * @src, @dst:	IPv4: the first four bytes
 * @src_port, @dst_port: UDP; host byte order
 */
struct frame_ends {
	uint8_t src_mac[6], dst_mac[6];
	uint8_t src[16], dst[16];
	uint16_t src_port, dst_port;
};

/**
 * struct frame_in - A frame that was opened
 * @body:	Behind the UDP header; or the ICMPv6 message
 * @len:	Bytes of @body
 */
struct frame_in {
	enum frame_kind kind;
	struct frame_ends ends;
	const uint8_t *body;
	size_t len;
};

/**
 * struct frame_out - A frame being written
 * @max:	Bytes it may have, up to FRAME_MAX
 * @full:	Something did not fit, and is left out whole
 */
struct frame_out {
	size_t len, max;
	bool full;
	uint8_t byte[FRAME_MAX];
};

/**
 * frame_look() - Look at the first bytes of a frame
 * @head:	A private copy
 * @len:	Bytes of it; up to FRAME_HEAD are looked at
 * @ret:	Without body; meaningless when it is FRAME_OTHER
 *
 * Of a packet in fragments the first is looked at like a whole one. The first byte of an ICMPv6 message, its
 * type, takes the place of the destination port.
 * Context: any
 * Syscalls: none
 * Return: its kind
 */
enum frame_kind frame_look(const uint8_t *head, size_t len, struct frame_in *ret);

/**
 * frame_open() - Check a whole frame, and find what it carries
 * @frame:	A private copy; ret->body points into it
 * @summed:	Its UDP checksum is filled in: the driver did not leave that to the device
 * @ret:	Meaningless on failure
 *
 * Context: any
 * Syscalls: none
 * Return: false for another kind, a fragment, wrong lengths and wrong checksums
 */
MUST_CHECK bool frame_open(const uint8_t *frame, size_t len, bool summed, struct frame_in *ret);

/**
 * frame_start() - Begin a frame with its headers
 * @f:		Overwritten; f->max stays
 * @kind:	Any but FRAME_OTHER
 *
 * Context: any
 * Syscalls: none
 */
void frame_start(struct frame_out *f, enum frame_kind kind, const struct frame_ends *ends);

/**
 * frame_put() - Append bytes, all of them or none
 *
 * Context: any
 * Syscalls: none
 * Return: where they lie; NULL if they do not fit
 */
uint8_t *frame_put(struct frame_out *f, const void *src, size_t len);

/**
 * frame_finish() - Fill in lengths and checksums of a frame that frame_start() began
 *
 * Context: any
 * Syscalls: none
 */
void frame_finish(struct frame_out *f);

/** frame_put8(), ... - Append a number, in network byte order */
void frame_put8(struct frame_out *f, uint8_t v);
void frame_put16(struct frame_out *f, uint16_t v);
void frame_put32(struct frame_out *f, uint32_t v);

/** frame_get16(), frame_get32() - A number in network byte order */
uint16_t frame_get16(const uint8_t *p);
uint32_t frame_get32(const uint8_t *p);

#endif
