/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a guest does on its TAP, without a guest: ARP, and UDP of one byte from any address
 */
#ifndef VMRUN_TESTS_SUPPORT_TAP_GUEST_H
#define VMRUN_TESTS_SUPPORT_TAP_GUEST_H

#include <stdbool.h>
#include <stdint.h>

/** struct tap_guest - @mac, @addr: its own; @host_mac is learned by tap_guest_meets(); network byte order */
struct tap_guest {
	int fd;
	uint8_t mac[6], host_mac[6];
	uint32_t addr;
};

/** tap_guest_meets() - Whether @host answers its ARP request; host and guest know each other's MAC then */
bool tap_guest_meets(struct tap_guest *g, uint32_t host);

/** tap_guest_sends() - UDP by way of the host that was met; @to6: IPv6 instead, from @from6 */
void tap_guest_sends(const struct tap_guest *g, uint32_t from, uint32_t to, uint16_t port);
void tap_guest_sends6(const struct tap_guest *g, const char *from6, const char *to6, uint16_t port);

/** tap_guest_got() - The destination port of the next UDP packet, IPv4 or IPv6; 0 after @ms without one */
uint16_t tap_guest_got(const struct tap_guest *g, int ms);

#endif
