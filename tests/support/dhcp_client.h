/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A DHCP client's messages, written and read without the device's code
 */
#ifndef VMRUN_TESTS_SUPPORT_DHCP_CLIENT_H
#define VMRUN_TESTS_SUPPORT_DHCP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHCPC_ROUTES 64

/**
 * struct dhcpc_ask - A message, zeros being what a client that boots would say
 * @type:	Option 53; 0: the message has none
 * @mac:	Of the frame and, unless @chaddr says otherwise, of the message
 * @ciaddr, @wanted, @server: Addresses as text; NULL: none
 * @to:		NULL: 255.255.255.255
 * @size:	Option 57; 0: none
 * @id_bytes:	Of option 61, 0: none
 * @overload:	Option 52, and options 50 (bit 0: in "file") and 54 (bit 1: in "sname") there
 */
struct dhcpc_ask {
	uint8_t type;
	uint8_t mac[6], chaddr[6];
	uint16_t flags, size;
	const char *ciaddr, *wanted, *server, *to;
	uint8_t id_bytes, overload;
};

/** struct dhcpc_told - What an answer says; addresses as text, "" where it says none */
struct dhcpc_told {
	uint8_t type, bits;
	uint8_t to_mac[6];
	char to[16], from[16], yiaddr[16], ciaddr[16], server[16], router[16], dns[3][16];
	unsigned int nr_dns, nr_routes;
	char route[DHCPC_ROUTES][40]; /* "10.0.0.0/8 10.0.0.1" */
	char hostname[256];
	uint32_t xid, lease;
	uint16_t flags, mtu;
	uint8_t id_bytes;
	size_t ip_bytes;
};

/* The message's transaction */
#define DHCPC_XID 0x12345678U

/** dhcpc_write() - The frame, in @frame of at least 1024 bytes; its length */
size_t dhcpc_write(const struct dhcpc_ask *a, uint8_t *frame);

/** dhcpc_resum() - Make the checksums of an IPv4 or IPv6 frame right again, as far as its lengths allow */
void dhcpc_resum(uint8_t *frame, size_t len);

/** dhcpc_read() - Read an answer; false when anything in it is wrong: lengths, checksums, doubled options */
bool dhcpc_read(const uint8_t *frame, size_t len, struct dhcpc_told *ret);

/** dhcpc_sum() - The Internet checksum of @len bytes, folded on top of @sum */
uint16_t dhcpc_sum(uint32_t sum, const void *bytes, size_t len);

#endif
