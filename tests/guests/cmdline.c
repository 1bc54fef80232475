/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints its command line, and MAC and MTU of its first network device if it has one, and resets. */
#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define CONFIG_MTU 10
#define MAC_BYTES  6

static struct virtio_drv net;

static void put_mac(void)
{
	for (unsigned int i = 0; i < MAC_BYTES; i++) {
		uint8_t byte = mmio_read8(net.config + i);

		if (i > 0)
			guest_puts(":");
		guest_put_hex(byte >> 4);
		guest_put_hex(byte & 15);
	}
}

void guest_main(void)
{
	guest_puts("cmdline: ");
	guest_puts(guest_cmdline());
	guest_puts("\n");
	if (virtio_find(&net, VIRTIO_NET)) {
		guest_puts("mac: ");
		put_mac();
		guest_puts("\nmtu: ");
		guest_put_dec(mmio_read16(net.config + CONFIG_MTU));
		guest_puts("\n");
	}
	guest_reset();
}
