/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A hostile front-end and a hostile driver on one disk
 *
 * The input is a program for both, so that mutations keep meaning something. Steps, an opcode byte
 * each (modulo their number), arguments behind it, numbers little endian:
 *
 *   0 msg    request u8, flags u8, fds u8 (low nibble: how many; high nibble: which kind of fd),
 *            bytes u16, that many bytes of payload (what the input lacks is zero)
 *   1 poke   offset u16, length u8, bytes: written to guest memory
 *   2 kick   the eventfd that fds of kind 1 are
 *   3 raw    all that is left is sent as it is, and the front-end leaves
 *   4 setup  what an honest front-end says up to a running ring 0
 *   5 change the device says that its configuration has changed
 *
 * Kinds of fds: 0 guest memory, 1 and 2 eventfds, 3 a pipe, 4 /dev/null, 5 a socket that no process reads.
 * tests/fuzz/seeds_vu_msg writes the corpus.
 * Covers: devices/core/vu_msg.c devices/core/vu_backend.c devices/core/vu_ring.c devices/core/vu_inflight.c
 */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "devices/core/settings.h"
#include "devices/core/vu_backend.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/vu_peer.h"

#define RAM_BYTES   0x20000
#define IMAGE_BYTES 0x40000
#define RING_GPA    0x1000
#define PAYLOAD_MAX 300 /* more than any message may have */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct device_ops block_device;

static struct vqd_mem ram;
static int fd_kind[6];

struct fuzz {
	struct fuzz_input in;
	int sock, back_sock;
	struct loop loop;
	struct device dev;
	struct vu_backend backend;
};

/* Lets the back-end work until it waits, and throws its answers away */
static void pump(struct fuzz *f)
{
	struct vup_msg m;
	struct err err;

	for (int i = 0; i < 8 && !f->loop.stop; i++)
		vr_assert(loop_once(&f->loop, 0, &err) == 0);
	while (vup_recv(f->sock, &m))
		;
}

static void step_msg(struct fuzz *f)
{
	uint8_t payload[PAYLOAD_MAX];
	unsigned int request = fuzz_get8(&f->in), flags = fuzz_get8(&f->in),
		     how = fuzz_get8(&f->in), bytes = fuzz_get16(&f->in);
	int fds[16];

	bytes = bytes < sizeof(payload) ? bytes : sizeof(payload);
	fuzz_get(&f->in, payload, bytes);
	for (unsigned int i = 0; i < 16; i++)
		fds[i] = fd_kind[(how >> 4) % ARRAY_SIZE(fd_kind)];
	vup_send(f->sock, request, flags, payload, bytes, fds, how & 15);
}

static void step_poke(struct fuzz *f)
{
	unsigned int off = fuzz_get16(&f->in), bytes = fuzz_get8(&f->in);

	fuzz_get(&f->in, ram.base + off, bytes);
}

static void step_kick(struct fuzz *f)
{
	(void)f;
	(void)eventfd_write(fd_kind[1], 1);
}

static void step_raw(struct fuzz *f)
{
	/* The end of it all, or the back-end would wait for the rest of a message. */
	(void)!send(f->sock, f->in.at, f->in.left < 4096 ? f->in.left : 4096, MSG_NOSIGNAL);
	shutdown(f->sock, SHUT_WR);
	f->in.left = 0;
}

static void step_setup(struct fuzz *f)
{
	struct vqd ring;

	vqd_init(&ring, &ram, 16, RING_GPA, 0);
	vup_u64(f->sock, VUP_SET_PROTOCOL_FEATURES, 0, 1 << 3 | 1 << 9 | 1 << 13);
	vup_empty(f->sock, VUP_SET_OWNER, 0);
	vup_u64(f->sock, VUP_SET_FEATURES, 0, 1ULL << 28 | 1ULL << 30 | 1ULL << 32);
	vup_mem_table(f->sock, 0, &ram);
	vup_state(f->sock, VUP_SET_VRING_NUM, 0, 0, ring.size);
	vup_addr(f->sock, 0, 0, &ring);
	vup_fd(f->sock, VUP_SET_VRING_CALL, 0, 0, fd_kind[2]);
	vup_fd(f->sock, VUP_SET_VRING_KICK, 0, 0, fd_kind[1]);
	vup_state(f->sock, VUP_SET_VRING_ENABLE, 0, 0, 1);
	for (int i = 0; i < 4; i++)
		pump(f);
}

static void step_change(struct fuzz *f)
{
	device_config_changed(&f->dev);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct vqd_piece piece = {0, RAM_BYTES};
	int image = memfd_create("image", MFD_CLOEXEC), pipe_fd[2], sock[2];

	(void)argc;
	(void)argv;
	vqd_mem_init(&ram, &piece, 1);
	vr_assert(image >= 0 && ftruncate(image, IMAGE_BYTES) == 0 &&
		  pipe2(pipe_fd, O_CLOEXEC | O_NONBLOCK) == 0 &&
		  socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) == 0);
	fd_kind[0] = ram.fd;
	fd_kind[1] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	fd_kind[2] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	fd_kind[3] = pipe_fd[0];
	fd_kind[4] = open("/dev/null", O_RDWR | O_CLOEXEC);
	fd_kind[5] = sock[0];
	/* The disk's slot may be one of these by now: its owner moves away. */
	for (size_t i = 0; i < ARRAY_SIZE(fd_kind); i++) {
		if (fd_kind[i] == BOOT_FD_RES)
			fd_kind[i] = fcntl(fd_kind[i], F_DUPFD_CLOEXEC, BOOT_FD_RES + 1);
	}
	if (image != BOOT_FD_RES)
		vr_assert(dup2(image, BOOT_FD_RES) == BOOT_FD_RES);
	ram.fd = fd_kind[0];

	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const step[])(struct fuzz *) = {step_msg, step_poke,  step_kick,
						      step_raw, step_setup, step_change};
	static const struct block_settings settings = {.capacity_bytes = IMAGE_BYTES,
						       .unit_bytes = 512};
	static struct boot_dev rec = {.name = "fuzz", .nr_res = 1, .nr_queues = 2};
	static struct fuzz f;
	eventfd_t drained;
	struct err err;
	int pair[2];

	f = (struct fuzz){.in = {data, size}};
	memset(ram.base, 0, RAM_BYTES);
	(void)eventfd_read(fd_kind[1], &drained);
	vr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	f.sock = pair[0];
	f.back_sock = pair[1];
	vr_assert(loop_init(&f.loop, &err) == 0);
	vr_assert(device_init(&f.dev, &block_device, &f.loop, &err) == 0);
	boot_set_settings(&rec, &settings, sizeof(settings));
	vr_assert(block_device.init(&f.dev, &rec, &err) == 0);
	vr_assert(vu_backend_init(&f.backend, &f.dev, f.back_sock, &err) == 0);
	while (f.in.left > 0 && !f.loop.stop) {
		step[fuzz_get8(&f.in) % ARRAY_SIZE(step)](&f);
		pump(&f);
	}
	vu_backend_done(&f.backend);
	vr_assert(f.backend.running == 0 && f.dev.mem.nr == 0);
	device_done(&f.dev);
	loop_done(&f.loop);
	close(f.sock);
	close(f.back_sock);
	return 0;
}
