/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtio console by polling. It says "ready", and with which size, and obeys lines of input: "size", "big"
 * (1 MiB of numbered lines), "port" (a line to the port, if there is one), "off". Another line is echoed. What
 * comes to the port is echoed there.
 */
#include "lib/guest.h"
#include "lib/virtio_drv.h"

#define F_SIZE	    (1ULL << 0)
#define F_MULTIPORT (1ULL << 1)
#define F_EMERG	    (1ULL << 2)
#define EMERG_OFF   8
#define BUF_BYTES   256U

enum {
	DEVICE_READY,
	PORT_ADD,
	PORT_REMOVE,
	PORT_READY,
	CONSOLE_PORT,
	RESIZE,
	PORT_OPEN,
	PORT_NAME
};

struct control {
	uint32_t id;
	uint16_t event, value;
};

/* One direction of one port, or of the control messages */
struct pipe {
	struct virtio_drv drv;
	struct virtio_ring ring;
	uint8_t buf[VIRTIO_RING_SIZE][BUF_BYTES];
};

static struct virtio_drv dev;
static struct pipe rx, tx, told, tells, port_rx, port_tx;
static bool multiport, over;
static uint16_t rows, cols;
static char line[BUF_BYTES];
static unsigned int nr_line;

static bool open_pipe(struct pipe *p, uint16_t queue, bool receives)
{
	p->drv = dev;
	p->drv.queue = queue;
	if (!virtio_set_queue(&p->drv, &p->ring))
		return false;
	for (uint16_t i = 0; receives && i < VIRTIO_RING_SIZE; i++) {
		virtio_set_desc(&p->ring.desc[i], p->buf[i], BUF_BYTES, VIRTIO_DESC_WRITE, 0);
		virtio_offer(&p->ring, i);
	}
	return true;
}

/* Sends and waits until the device has it */
static void send(struct pipe *p, const void *data, uint32_t bytes)
{
	virtio_set_desc(&p->ring.desc[0], data, bytes, 0, 0);
	virtio_kick(&p->drv, &p->ring, 0);
	while (virtio_wait(&p->drv, &p->ring, 0) < 0)
		;
}

static void print(struct pipe *p, const char *text)
{
	uint32_t n = 0;

	while (text[n])
		n++;
	send(p, text, n);
}

static void print_size(void)
{
	char text[] = "size 0000x0000\n";

	for (unsigned int i = 0, c = cols, r = rows; i < 4; i++, c /= 10, r /= 10) {
		text[8 - i] = (char)('0' + c % 10);
		text[13 - i] = (char)('0' + r % 10);
	}
	print(&tx, text);
}

/* 32768 lines of 32 bytes, 4 KiB at a time */
static void print_big(void)
{
	static char page[4096];
	static const char model[33] = "line 00000 of 32 thousand......\n";

	for (unsigned int n = 0; n < 32768;) {
		for (unsigned int i = 0; i < 128; i++, n++) {
			memcpy(page + 32 * i, model, 32);
			for (unsigned int k = 0, v = n; k < 5; k++, v /= 10)
				page[32 * i + 9 - k] = (char)('0' + v % 10);
		}
		send(&tx, page, sizeof(page));
	}
}

static bool line_is(const char *word)
{
	unsigned int i = 0;

	while (i < nr_line && word[i] == line[i])
		i++;
	return i == nr_line && word[i] == '\0';
}

static void obey(void)
{
	if (line_is("size")) {
		/* Without ports it is in configuration space, which may have changed. */
		if (!multiport) {
			cols = mmio_read16(dev.config);
			rows = mmio_read16(dev.config + 2);
		}
		print_size();
	} else if (line_is("big")) {
		print_big();
	} else if (line_is("port") && multiport) {
		print(&port_tx, "hello from the port\n");
	} else if (line_is("off")) {
		over = true;
	} else {
		line[nr_line++] = '\n';
		send(&tx, line, nr_line);
	}
}

static void typed(const uint8_t *data, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++) {
		if (data[i] == '\n' || data[i] == '\r') {
			obey();
			nr_line = 0;
		} else if (nr_line < sizeof(line) - 1) {
			line[nr_line++] = (char)data[i];
		}
	}
}

static void tell(uint32_t id, uint16_t event, uint16_t value)
{
	static struct control c;

	c = (struct control){id, event, value};
	send(&tells, &c, sizeof(c));
}

static void heard(const uint8_t *data, uint32_t bytes)
{
	struct control c;

	if (bytes < sizeof(c))
		return;
	memcpy(&c, data, sizeof(c));
	if (c.event == PORT_ADD)
		tell(c.id, PORT_READY, 1);
	if (c.event == CONSOLE_PORT || c.event == PORT_NAME)
		tell(c.id, PORT_OPEN, 1);
	if (c.event == RESIZE && bytes == sizeof(c) + 4) {
		memcpy(&cols, data + sizeof(c), 2);
		memcpy(&rows, data + sizeof(c) + 2, 2);
	}
}

/* Hands on what has come to @p, and offers its buffer again */
static void poll(struct pipe *p, void (*fn)(const uint8_t *data, uint32_t bytes))
{
	uint32_t bytes = 0;
	const int32_t head = virtio_poll(&p->drv, &p->ring, &bytes);

	if (head < 0)
		return;
	fn(p->buf[head], bytes);
	virtio_kick(&p->drv, &p->ring, (uint16_t)head);
}

static void echo_port(const uint8_t *data, uint32_t bytes)
{
	send(&port_tx, data, bytes);
}

static bool start(void)
{
	bool good;

	if (!virtio_find(&dev, VIRTIO_CONSOLE) ||
	    !virtio_negotiate(&dev, F_SIZE | F_MULTIPORT | F_EMERG))
		return false;
	multiport = dev.features & F_MULTIPORT;
	mmio_write32(dev.config + EMERG_OFF, '!'); /* before there is a queue */
	good = open_pipe(&rx, 0, true) && open_pipe(&tx, 1, false);
	if (good && multiport)
		good = open_pipe(&told, 2, true) && open_pipe(&tells, 3, false) &&
		       open_pipe(&port_rx, 4, true) && open_pipe(&port_tx, 5, false);
	return good && virtio_go(&dev);
}

void guest_main(void)
{
	if (!start()) {
		guest_puts("no console\n");
		guest_poweroff();
	}
	if (multiport)
		tell(0, DEVICE_READY, 1);
	print(&tx, "ready\n");
	while (!over) {
		poll(&rx, typed);
		if (multiport) {
			poll(&told, heard);
			poll(&port_rx, echo_port);
		}
	}
	print(&tx, "bye\n");
	guest_puts("from the serial port\n");
	guest_poweroff();
}
