/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A driver without a guest, on any vhost-user disk: requests per second
 *
 * Usage: disk-formats SOCKET read|write random|in-order DEPTH BYTES COUNT SPAN
 */
#include <linux/virtio_blk.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "tests/support/vq_driver.h"
#include "tests/support/vu_peer.h"

#define SLOTS_MAX 32
#define RING_SIZE 128
#define RING_GPA  0x1000
#define HEAD_GPA  0x10000 /* 64 bytes a slot: header, status */
#define DATA_GPA  0x100000
#define MEM_BYTES (32ULL << 20)

static struct vqd_mem mem;
static struct vqd ring;
static int sock, kick, call;

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	printf("  disk-formats: %s\n", what);
	exit(1);
}

static bool ready(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 20000) == 1;
}

static uint64_t answer(uint32_t request)
{
	struct vup_msg m;
	uint64_t v = 0;

	vup_empty(sock, request, 0);
	need(ready(sock) && vup_recv(sock, &m) && m.request == request, "no answer");
	memcpy(&v, m.payload, sizeof(v));
	return v;
}

static void start(const char *path)
{
	static const struct vqd_piece piece = {0, MEM_BYTES};
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	uint64_t features;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	need(connect(sock, (struct sockaddr *)&a, sizeof(a)) == 0, "cannot connect");
	vqd_mem_init(&mem, &piece, 1);
	kick = eventfd(0, EFD_NONBLOCK);
	call = eventfd(0, EFD_NONBLOCK);
	features = answer(VUP_GET_FEATURES);
	answer(VUP_GET_PROTOCOL_FEATURES);
	vup_u64(sock, VUP_SET_PROTOCOL_FEATURES, 0, 0);
	vup_empty(sock, VUP_SET_OWNER, 0);
	/* VERSION_1, PROTOCOL_FEATURES, FLUSH */
	vup_u64(sock, VUP_SET_FEATURES, 0, features & (1ULL << 32 | 1ULL << 30 | 1ULL << 9));
	vup_mem_table(sock, 0, &mem);
	vqd_init(&ring, &mem, RING_SIZE, RING_GPA, 0);
	vup_state(sock, VUP_SET_VRING_NUM, 0, 0, RING_SIZE);
	vup_state(sock, VUP_SET_VRING_BASE, 0, 0, 0);
	vup_addr(sock, 0, 0, &ring);
	vup_fd(sock, VUP_SET_VRING_CALL, 0, 0, call);
	vup_fd(sock, VUP_SET_VRING_KICK, 0, 0, kick);
	vup_state(sock, VUP_SET_VRING_ENABLE, 0, 0, 1);
}

static uint16_t submit(unsigned int slot, bool write, uint64_t sector, uint32_t bytes)
{
	const uint64_t head = HEAD_GPA + slot * 64, data = DATA_GPA + (uint64_t)slot * bytes;
	const struct virtio_blk_outhdr h = {.type = write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN,
					    .sector = sector};
	const struct vqd_buf buf[] = {
		{head, sizeof(h), false}, {data, bytes, !write}, {head + sizeof(h), 1, true}};

	memcpy(vqd_at(&mem, head, sizeof(h)), &h, sizeof(h));
	*(uint8_t *)vqd_at(&mem, head + sizeof(h), 1) = 0xff;
	return vqd_add(&ring, buf, 3);
}

static void run(bool write, bool in_order, unsigned int depth, uint32_t bytes, long count,
		uint64_t span)
{
	unsigned int slot_of[RING_SIZE], unused[SLOTS_MAX], nr = 0;
	long asked = 0, done = 0;
	uint64_t x = 1;
	uint32_t head, len;
	eventfd_t calls;

	for (unsigned int i = 0; i < depth; i++)
		unused[nr++] = i;
	while (done < count) {
		for (; nr > 0 && asked < count; asked++) {
			const unsigned int slot = unused[--nr];
			const uint64_t at = in_order ? (uint64_t)asked : x >> 20;

			x = x * 6364136223846793005ULL + 1;
			slot_of[submit(slot, write, at % (span / bytes) * (bytes / 512), bytes)] =
				slot;
			eventfd_write(kick, 1);
		}
		need(ready(call), "no answer to a request");
		eventfd_read(call, &calls);
		for (; vqd_take(&ring, &head, &len); done++) {
			unused[nr++] = slot_of[head];
			need(*(uint8_t *)vqd_at(&mem, HEAD_GPA + slot_of[head] * 64 + 16, 1) == 0,
			     "a request failed");
		}
	}
}

int main(int argc, char **argv)
{
	struct timespec from, to;
	long count;

	need(argc == 8, "seven arguments, please");
	count = strtol(argv[6], NULL, 10);
	need(strtoul(argv[4], NULL, 10) <= SLOTS_MAX, "too deep");
	start(argv[1]);
	clock_gettime(CLOCK_MONOTONIC, &from);
	run(argv[2][0] == 'w', argv[3][0] == 'i', (unsigned int)strtoul(argv[4], NULL, 10),
	    (uint32_t)strtoul(argv[5], NULL, 10), count, strtoull(argv[7], NULL, 10));
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%.0f\n", (double)count / ((double)(to.tv_sec - from.tv_sec) +
					  (double)(to.tv_nsec - from.tv_nsec) / 1e9));
	return 0;
}
