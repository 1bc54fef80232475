/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The console in its process, under its policy, between a driver and pipes
 */
#ifndef VMRUN_TESTS_SUPPORT_CONSOLE_RIG_H
#define VMRUN_TESTS_SUPPORT_CONSOLE_RIG_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_console.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "devices/core/ctl.h"
#include "devices/core/fdio.h"
#include "devices/core/settings.h"
#include "tests/support/dev_child.h"
#include "tests/support/vu_peer.h"

extern const struct device_ops console_device;

#define BIT(f)	  (1ULL << VIRTIO_CONSOLE_F_##f)
#define KEEPS	  65536U /* of each port */
#define RING_GPA  0x1000 /* a ring every 0x2000 */
#define RX_GPA	  0x20000
#define TX_GPA	  0x100000
#define CTRL_GPA  0x200000
#define RAM_BYTES 0x400000
#define RINGS	  8
#define RING_SIZE 64
enum { RX, TX, TO_GUEST, BY_GUEST, RX1, TX1 };

static struct dev_child child;
static struct vqd_mem mem;
static struct vqd ring[RINGS];
static int kick[RINGS], call[RINGS], error[RINGS];
static int in, out; /* our ends of the pipes at hvc0 */
static struct boot_dev rec;
static struct console_settings settings;
static uint64_t features;

/* ---- a front-end and a driver ---- */

static inline uint64_t answer(uint32_t request)
{
	struct vup_msg m;
	uint64_t v;

	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m), "request %u", request);
	cr_assert(m.request == request && m.bytes == 8);
	memcpy(&v, m.payload, sizeof(v));
	return v;
}

static inline void start_ring(unsigned int q)
{
	vqd_init(&ring[q], &mem, RING_SIZE, RING_GPA + 0x2000 * q, features & VQD_F_EVENT_IDX);
	kick[q] = eventfd(0, EFD_NONBLOCK);
	call[q] = eventfd(0, EFD_NONBLOCK);
	error[q] = eventfd(0, EFD_NONBLOCK);
	vup_state(child.vmm, VUP_SET_VRING_NUM, 0, q, RING_SIZE);
	vup_state(child.vmm, VUP_SET_VRING_BASE, 0, q, 0);
	vup_addr(child.vmm, 0, q, &ring[q]);
	vup_fd(child.vmm, VUP_SET_VRING_CALL, 0, q, call[q]);
	vup_fd(child.vmm, VUP_SET_VRING_ERR, 0, q, error[q]);
	vup_fd(child.vmm, VUP_SET_VRING_KICK, VUP_NEED_REPLY, q, kick[q]);
	cr_assert_eq(answer(VUP_SET_VRING_KICK), 0);
	vup_state(child.vmm, VUP_SET_VRING_ENABLE, VUP_NEED_REPLY, q, 1);
	cr_assert_eq(answer(VUP_SET_VRING_ENABLE), 0);
}

/* Two questions, as in net_rig.h: the device has carried out all that was sent before */
static inline void settle(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		vup_empty(child.vmm, VUP_GET_QUEUE_NUM, 0);
		(void)answer(VUP_GET_QUEUE_NUM);
	}
}

static inline void record(unsigned int ports)
{
	static const char *const names[] = {"", "org.example.agent", "log"};

	rec = (struct boot_dev){.name = "console0", .type = "console", .nr_res = 2};
	settings = (struct console_settings){.cols = 80, .rows = 25, .nr_ports = ports};
	for (unsigned int i = 0; i < ports; i++)
		strcpy(settings.name[i], names[i]);
}

/* Starts the device on pipes, with a log file where @log is not -1 */
static inline void connect_device(int log)
{
	static const struct vqd_piece pieces[] = {{0, TX_GPA + 0x8000},
						  {TX_GPA + 0x8000, RAM_BYTES - TX_GPA - 0x8000}};
	int input[2], output[2];

	cr_assert(pipe2(input, O_CLOEXEC | O_NONBLOCK) == 0 &&
		  pipe2(output, O_CLOEXEC | O_NONBLOCK) == 0);
	in = input[1];
	out = output[0];
	rec.nr_res = log >= 0 ? 3 : 2;
	boot_set_settings(&rec, &settings, sizeof(settings));
	cr_assert(dev_child_start(&child, &console_device, &rec, (int[]){input[0], output[1], log},
				  "console_device"));
	close(input[0]);
	close(output[1]);
	vqd_mem_init(&mem, pieces, ARRAY_SIZE(pieces));
	vup_empty(child.vmm, VUP_GET_FEATURES, 0);
	features = answer(VUP_GET_FEATURES) & ~VQD_F_EVENT_IDX;
	vup_empty(child.vmm, VUP_GET_PROTOCOL_FEATURES, 0);
	vup_u64(child.vmm, VUP_SET_PROTOCOL_FEATURES, 0, answer(VUP_GET_PROTOCOL_FEATURES));
	vup_empty(child.vmm, VUP_SET_OWNER, 0);
	vup_u64(child.vmm, VUP_SET_FEATURES, 0, features);
	vup_mem_table(child.vmm, 0, &mem);
}

static inline void start_rings(unsigned int nr)
{
	for (unsigned int q = 0; q < nr; q++)
		start_ring(q);
}

static inline void setup(void)
{
	record(1);
}

/* A console without names, which runs */
static inline void start(void)
{
	connect_device(-1);
	start_rings(2);
}

static inline void teardown(void)
{
	cr_assert_eq(dev_child_stop(&child), 0, "the device did not end well");
}

static inline uint8_t *at(uint64_t gpa, uint64_t bytes)
{
	return vqd_at(&mem, gpa, bytes);
}

static inline uint32_t take(unsigned int q)
{
	uint32_t head, len;

	while (!vqd_take(&ring[q], &head, &len)) {
		eventfd_t v;

		cr_assert(dev_child_wait(call[q]), "no interrupt for ring %u, used %u", q,
			  ring[q].used_idx);
		eventfd_read(call[q], &v);
	}
	return len;
}

static inline bool nothing_used(unsigned int q)
{
	uint32_t head, len;

	settle();
	return !vqd_take(&ring[q], &head, &len);
}

/* ---- output ---- */

/* What byte @i of a long output is */
static inline uint8_t pattern(uint64_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

/* Makes @bytes of it available as one chain of ring @q, from TX_GPA + @off on; not announced */
static inline void add_pattern(unsigned int q, uint64_t from, uint32_t bytes, uint64_t off)
{
	const struct vqd_buf buf = {TX_GPA + off, bytes, false};

	for (uint32_t i = 0; i < bytes; i++)
		*at(TX_GPA + off + i, 1) = pattern(from + i);
	vqd_add(&ring[q], &buf, 1);
}

static inline void ring_bell(unsigned int q)
{
	eventfd_write(kick[q], 1);
}

static inline void print(unsigned int q, const char *text)
{
	const struct vqd_buf buf = {TX_GPA, (uint32_t)strlen(text), false};

	memcpy(at(TX_GPA, buf.len), text, buf.len);
	vqd_add(&ring[q], &buf, 1);
	ring_bell(q);
	cr_assert_eq(take(q), 0);
}

/* Writes bytes @from to @to of the pattern, one chain after the other, as a guest that waits for each */
static inline void print_pattern(unsigned int q, uint64_t from, uint64_t to)
{
	while (from < to) {
		const uint32_t bytes = to - from < 4096 ? (uint32_t)(to - from) : 4096;

		add_pattern(q, from, bytes, 0);
		ring_bell(q);
		(void)take(q);
		from += bytes;
	}
}

static inline void expect_pattern(int fd, uint64_t from, uint64_t to)
{
	while (from < to) {
		uint8_t buf[1024];
		ssize_t n;

		cr_assert(dev_child_wait(fd), "no byte %lu", from);
		n = read(fd, buf, to - from < sizeof(buf) ? to - from : sizeof(buf));
		cr_assert_gt(n, 0, "the end at byte %lu", from);
		for (ssize_t i = 0; i < n; i++, from++)
			cr_assert_eq(buf[i], pattern(from), "byte %lu", from);
	}
}

static inline void expect_text(int fd, const char *text)
{
	char buf[256];
	const size_t len = strlen(text);

	for (size_t got = 0; got < len;) {
		ssize_t n;

		cr_assert(dev_child_wait(fd), "no output");
		n = read(fd, buf + got, len - got);
		cr_assert_gt(n, 0);
		got += (size_t)n;
	}
	cr_assert(!memcmp(buf, text, len), "output is %.*s", (int)len, buf);
}

static inline bool silent(int fd)
{
	char c;

	settle();
	return read(fd, &c, 1) < 0 && errno == EAGAIN;
}

/* ---- input ---- */

static inline void offer(unsigned int q, unsigned int nr, uint32_t bytes)
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct vqd_buf buf = {RX_GPA + (uint64_t)i * bytes, bytes, true};

		vqd_add(&ring[q], &buf, 1);
	}
	ring_bell(q);
	settle();
}

/* ---- the supervisor ---- */

/* The errno that the device answers */
static inline uint32_t request(uint32_t type, uint64_t arg, const char *text, int fd)
{
	struct ctl_msg m = {.type = type, .arg = arg};

	strcpy(m.text, text);
	cr_assert_eq(ctl_send_whole(child.control, &m, fd), 0);
	cr_assert(dev_child_wait(child.control));
	cr_assert_eq(ctl_recv(child.control, &m), 1);
	cr_assert_eq(m.type, CTL_DONE);
	return m.code;
}

/* Our end of a socket that the device has taken for a port */
static inline int attach(const char *port)
{
	int sv[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	cr_assert_eq(request(CTL_CONSOLE_ATTACH, 0, port, sv[1]), 0);
	close(sv[1]);
	cr_assert_eq(fcntl(sv[0], F_SETFL, O_NONBLOCK), 0);
	return sv[0];
}

static inline struct virtio_console_config config(void)
{
	struct virtio_console_config c = {0};
	struct vup_msg m;

	vup_config(child.vmm, VUP_GET_CONFIG, 0, 0, 12, NULL);
	cr_assert(dev_child_wait(child.vmm) && vup_recv(child.vmm, &m));
	cr_assert_eq(m.bytes, 12 + 12);
	memcpy(&c, m.payload + 12, 12);
	return c;
}

/* ---- multiport ---- */

static inline void tell(uint32_t id, uint16_t event, uint16_t value, uint32_t bytes)
{
	const struct virtio_console_control m = {.id = id, .event = event, .value = value};
	const struct vqd_buf buf = {CTRL_GPA, bytes, false};

	memcpy(at(CTRL_GPA, sizeof(m)), &m, sizeof(m));
	vqd_add(&ring[BY_GUEST], &buf, 1);
	ring_bell(BY_GUEST);
	cr_assert_eq(take(BY_GUEST), 0);
}

/* Buffers for what the device tells; numbered as they are used */
static inline void offer_control(unsigned int nr, uint32_t bytes)
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct vqd_buf buf = {CTRL_GPA + 0x1000 + (uint64_t)i * 64, bytes, true};

		vqd_add(&ring[TO_GUEST], &buf, 1);
	}
	ring_bell(TO_GUEST);
	settle();
}

/* Buffer @i holds this message, with @rest behind it */
static inline void told(unsigned int i, uint32_t id, uint16_t event, const void *rest,
			uint32_t bytes)
{
	struct virtio_console_control m;
	const uint8_t *buf = at(CTRL_GPA + 0x1000 + i * 64, 64);

	cr_assert_eq(take(TO_GUEST), sizeof(m) + bytes, "message %u", i);
	memcpy(&m, buf, sizeof(m));
	cr_assert(m.id == id && m.event == event && m.value == 1, "message %u is %u of port %u", i,
		  m.event, m.id);
	cr_assert(bytes == 0 || !memcmp(buf + sizeof(m), rest, bytes), "message %u", i);
}

#endif
