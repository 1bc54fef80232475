/* SPDX-License-Identifier: BSD-3-Clause */
/* Uses disk and serial port for ever, like a driver that sets its device up again each time. */
#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define SERIAL_LSR	5
#define SERIAL_LSR_THRE 0x20
#define BLK_IN		0
#define WAIT_MEMORY	10000
#define WAIT_SERIAL	1000000

static struct virtio_ring ring;
static struct virtio_drv blk;
static uint8_t data[512];
static volatile uint8_t status;
static const struct {
	uint32_t type, reserved;
	uint64_t sector;
} header = {.type = BLK_IN};

/* As Linux does it: a byte is sent when the transmitter says it is empty */
static void polite_putc(char c)
{
	for (unsigned int i = 0; i < WAIT_SERIAL; i++) {
		if (inb(GUEST_PORT_SERIAL + SERIAL_LSR) & SERIAL_LSR_THRE)
			break;
	}
	outb(GUEST_PORT_SERIAL, (uint8_t)c);
}

/* One read, without waiting long for it: the reset that follows must finish */
static bool read_once(void)
{
	if (!virtio_start(&blk, 0, &ring))
		return false;
	virtio_set_desc(&ring.desc[0], &header, sizeof(header), VIRTIO_DESC_NEXT, 1);
	virtio_set_desc(&ring.desc[1], data, sizeof(data), VIRTIO_DESC_NEXT | VIRTIO_DESC_WRITE, 2);
	virtio_set_desc(&ring.desc[2], (const void *)&status, 1, VIRTIO_DESC_WRITE, 0);
	virtio_kick(&blk, &ring, 0);
	for (unsigned int i = 0; i < WAIT_MEMORY; i++) {
		if (__atomic_load_n(&ring.used.idx, __ATOMIC_ACQUIRE) != 0)
			break;
		__builtin_ia32_pause();
	}
	return virtio_reset(&blk);
}

void guest_main(void)
{
	bool found = virtio_find(&blk, VIRTIO_BLOCK);

	guest_puts("# busy: begins\n");
	for (;;) {
		/* A disk that fails is no reason to stop asking it. */
		polite_putc(found && read_once() ? '.' : '!');
	}
}
