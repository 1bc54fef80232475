/* SPDX-License-Identifier: BSD-3-Clause */
/* The device against a vhost of paper */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <net/if.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "devices/core/device.h"
#include "devices/net/vnet.h"
#include "tests/support/paper_vhost.h"
#include "tests/support/vq_driver.h"

extern const struct device_ops vhost_net_device;

#define F(name) (1ULL << VIRTIO_NET_F_##name)
#define V1	(1ULL << VIRTIO_F_VERSION_1)
#define KERNEL                                                                                     \
	(V1 | 1ULL << VIRTIO_RING_F_EVENT_IDX | 1ULL << VIRTIO_RING_F_INDIRECT_DESC |              \
	 F(MRG_RXBUF) | 1ULL << VHOST_F_LOG_ALL)
#define TAP(i)	 (BOOT_FD_RES + (int)(i))
#define DATA_GPA 0x10000

/* ---- the TAP ----------------------------------------------------------------------------- */

static int no_file = -1;
static int tap_fd = -1; /* what is watched in the place of TAP(0), which is no fd at all here */
static unsigned int looks;
static uint32_t watched_for = UINT32_MAX;

int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	if (fd == TAP(0)) {
		fd = tap_fd;
		looks += op == EPOLL_CTL_MOD;
		watched_for = op == EPOLL_CTL_DEL ? UINT32_MAX : event->events;
	}
	return (int)syscall(SYS_epoll_ctl, epfd, op, fd, event);
}

/* ---- the device -------------------------------------------------------------------------- */

static struct loop loop;
static struct device dev;
static struct vqd_mem mem;
static struct vqd ring[5];
static struct boot_dev rec;
static struct err err;
static int tap[2];

static struct boot_dev good_record(unsigned int pairs)
{
	struct boot_dev b = {
		.name = "net0",
		.nr_res = (uint16_t)(2 * pairs),
		.nr_queues = (uint16_t)(2 * pairs + 1),
	};
	const struct net_settings settings = {
		.mac = {2, 0, 0, 1, 2, 3},
		.mtu = 1400,
		.tun_flags = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6,
	};

	boot_set_settings(&b, &settings, sizeof(settings));
	return b;
}

/* A device of @pairs pairs, its rings ready as the back-end has them when it calls queue() */
static void make(unsigned int pairs, uint64_t acked)
{
	rec = good_record(pairs);
	cr_assert_eq(device_init(&dev, &vhost_net_device, &loop, &err), 0);
	cr_assert_eq(dev.ops->init(&dev, &rec, &err), 0, "%s", err.msg);
	vqd_mem_map(&mem, &dev.mem);
	for (unsigned int q = 0; q < dev.nr_queues; q++) {
		struct vq_layout layout;

		vqd_init(&ring[q], &mem, 16, 0x1000 + 0x1000 * q, 0);
		layout = vqd_layout(&ring[q]);
		layout.next_avail = (uint16_t)q;
		vqd_start_at(&ring[q], (uint16_t)q);
		cr_assert_eq(vq_setup(&dev.vq[q], &dev.mem, &layout, &err), 0, "%s", err.msg);
		dev.kick_fd[q] = eventfd(0, EFD_NONBLOCK);
		dev.call_fd[q] = eventfd(0, EFD_NONBLOCK);
		dev.err_fd[q] = eventfd(0, EFD_NONBLOCK);
	}
	dev.acked = acked;
	cr_assert_eq(dev.ops->start(&dev, acked), 0);
}

static void setup(void)
{
	static const struct vqd_piece pieces[] = {{0, 0x20000}, {0x100000, 0x10000}};

	kernel_features = KERNEL;
	vqd_mem_init(&mem, pieces, ARRAY_SIZE(pieces));
	cr_assert_eq(loop_init(&loop, &err), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, tap), 0);
	tap_fd = tap[0];
}

TestSuite(vhost_net, .init = setup);

static uint64_t count(int fd)
{
	eventfd_t v = 0;

	return eventfd_read(fd, &v) == 0 ? v : 0;
}

Test(vhost_net, takes_over_and_offers_what_both_sides_can)
{
	struct virtio_net_config c;

	make(2, V1);
	cr_expect_eq(count_of(VHOST_SET_OWNER), 2);
	cr_expect(calls[0].request == VHOST_SET_OWNER && calls[0].fd == TAP(2));
	cr_expect(dev.features & F(MRG_RXBUF) && dev.features & F(MQ) && dev.features & F(MTU));
	cr_expect(dev.features & F(GUEST_TSO4) && dev.features & F(HOST_TSO6));
	cr_expect(!(dev.features & (1ULL << VHOST_F_LOG_ALL | 1ULL << VNET_F_HOST_USO)));
	cr_expect_eq(dev.features & ~dev.ops->features, 0);
	cr_expect_eq(dev.nr_queues, 5);
	cr_assert_eq(dev.ops->config(&dev, false, 0, &c, dev.ops->kind->config_bytes), 0);
	cr_expect(memcmp(c.mac, "\2\0\0\1\2\3", 6) == 0 && c.mtu == 1400);
	cr_expect(c.status == VIRTIO_NET_S_LINK_UP && c.max_virtqueue_pairs == 2);
	cr_expect_lt(dev.ops->config(&dev, true, 0, &c, 6), 0, "the MAC is not the guest's");
}

#define SETTING(f) offsetof(struct boot_dev, settings) + offsetof(struct net_settings, f)

Test(vhost_net, records_that_are_refused)
{
	static const struct {
		size_t off, bytes;
		uint64_t value[2];
		int rc;
	} rows[] = {
		{offsetof(struct boot_dev, nr_res), 2, {0}, -EINVAL},
		{offsetof(struct boot_dev, nr_res), 2, {3}, -EINVAL},
		{offsetof(struct boot_dev, nr_queues), 2, {2}, -EINVAL},
		{offsetof(struct boot_dev, settings_bytes), 4, {79}, -EPROTO},
		{SETTING(mac), 1, {3}, -EPROTO},
		{SETTING(mtu), 2, {67}, -EPROTO},
		{SETTING(to_guest.bytes_per_s), 8, {1}, -EPROTO},
		{SETTING(to_guest.bytes_per_s), 16, {1, 1}, -EINVAL},
		{SETTING(from_guest.packets_per_s), 16, {1, 1}, -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rec = good_record(1);
		memcpy((uint8_t *)&rec + rows[i].off, rows[i].value, rows[i].bytes);
		cr_assert_eq(device_init(&dev, &vhost_net_device, &loop, &err), 0);
		cr_expect_eq(dev.ops->init(&dev, &rec, &err), rows[i].rc, "row %zu", i);
		device_done(&dev);
	}
	cr_expect_eq(nr_calls, 0);
}

Test(vhost_net, kernels_that_will_not_do)
{
	rec = good_record(1);
	cr_assert_eq(device_init(&dev, &vhost_net_device, &loop, &err), 0);
	refuse = VHOST_SET_OWNER;
	cr_expect_eq(dev.ops->init(&dev, &rec, &err), -EBUSY);
	cr_expect(strstr(err.msg, "VHOST_SET_OWNER"));
	refuse = 0;
	kernel_features = KERNEL & ~V1;
	cr_expect_eq(dev.ops->init(&dev, &rec, &err), -EOPNOTSUPP);
	kernel_features = KERNEL & ~F(MRG_RXBUF);
	cr_expect_eq(dev.ops->init(&dev, &rec, &err), 0);
	cr_expect(!(dev.features & F(MRG_RXBUF)));
}

Test(vhost_net, start_tells_what_was_agreed)
{
	make(1, V1 | F(MRG_RXBUF) | F(GUEST_CSUM) | F(GUEST_TSO4) | F(MAC) | 1ULL << 30);
	cr_expect_eq(last(VHOST_SET_FEATURES)->value, (int64_t)(V1 | F(MRG_RXBUF)));
	cr_expect_eq(last(VHOST_SET_FEATURES)->fd, TAP(1));
	cr_expect_eq(last(TUNSETOFFLOAD)->value, TUN_F_CSUM | TUN_F_TSO4);
	cr_expect_eq(last(TUNSETOFFLOAD)->fd, TAP(0));
	cr_expect_eq(count_of(TUNSETQUEUE), 0, "a TAP with one queue has nothing to detach");
	cr_expect_lt(dev.ops->start(&dev, F(MAC)), 0, "a driver from before virtio 1.0");
}

Test(vhost_net, a_ring_is_handed_over_whole)
{
	static const unsigned long order[] = {
		VHOST_SET_MEM_TABLE,  VHOST_SET_VRING_NUM,   VHOST_SET_VRING_BASE,
		VHOST_SET_VRING_ADDR, VHOST_SET_VRING_CALL,  VHOST_SET_VRING_ERR,
		VHOST_SET_VRING_KICK, VHOST_NET_SET_BACKEND,
	};
	const struct gmem_region *r = dev.mem.region;
	const struct call *c;

	make(1, V1);
	nr_calls = 0;
	cr_assert_eq(loop_add(&loop, dev.kick_fd[1], EPOLLIN, NULL, NULL, &err), 0);
	dev.ops->queue(&dev, 1);
	cr_assert_eq(nr_calls, ARRAY_SIZE(order));
	for (unsigned int i = 0; i < nr_calls; i++) {
		cr_expect_eq(calls[i].request, order[i], "step %u", i);
		cr_expect_eq(calls[i].fd, TAP(1));
	}
	c = last(VHOST_SET_MEM_TABLE);
	cr_expect(c->region[1].guest_phys_addr == 0x100000 && c->region[1].memory_size == 0x10000);
	cr_expect_eq(c->region[1].userspace_addr, (uintptr_t)r[1].base);
	cr_expect(last(VHOST_SET_VRING_NUM)->index == 1 && last(VHOST_SET_VRING_NUM)->value == 16);
	cr_expect_eq(last(VHOST_SET_VRING_BASE)->value, 1);
	c = last(VHOST_SET_VRING_ADDR);
	cr_expect(c->addr.index == 1 && c->addr.flags == 0 && c->addr.log_guest_addr == 0);
	cr_expect_eq(c->addr.desc_user_addr, (uintptr_t)r[0].base + ring[1].desc_gpa);
	cr_expect_eq(c->addr.avail_user_addr, (uintptr_t)r[0].base + ring[1].avail_gpa);
	cr_expect_eq(c->addr.used_user_addr, (uintptr_t)r[0].base + ring[1].used_gpa);
	cr_expect_eq(last(VHOST_SET_VRING_KICK)->value, dev.kick_fd[1]);
	cr_expect_eq(last(VHOST_SET_VRING_CALL)->value, dev.call_fd[1]);
	cr_expect_eq(last(VHOST_SET_VRING_ERR)->value, dev.err_fd[1]);
	cr_expect(last(VHOST_NET_SET_BACKEND)->index == 1);
	cr_expect_eq(last(VHOST_NET_SET_BACKEND)->value, TAP(0));
	cr_expect_eq(loop_add(&loop, dev.kick_fd[1], EPOLLIN, NULL, NULL, &err), 0,
		     "the doorbell is not watched here any more");
	cr_expect_eq(count(dev.kick_fd[1]), 1, "what was rung before is not lost");
}

Test(vhost_net, and_fetched_back_whole)
{
	make(2, V1 | F(MQ));
	dev.ops->queue(&dev, 2);
	nr_calls = 0;
	dev.ops->stop(&dev, 2);
	cr_assert_eq(nr_calls, 5);
	cr_expect(calls[0].request == VHOST_NET_SET_BACKEND && calls[0].value == -1);
	for (unsigned int i = 0; i < nr_calls; i++)
		cr_expect(calls[i].fd == TAP(3) && calls[i].index == 0, "the second pair's first");
	cr_expect_eq(last(VHOST_SET_VRING_KICK)->value, -1);
	cr_expect_eq(last(VHOST_SET_VRING_CALL)->value, -1);
	cr_expect_eq(last(VHOST_SET_VRING_ERR)->value, -1);
	cr_expect_eq(calls[4].request, VHOST_GET_VRING_BASE);
	cr_expect_eq(dev.vq[2].next_avail, STOPPED_AT);
	cr_expect(dev.vq[2].ready);
	dev.ops->stop(&dev, 2);
	dev.ops->stop(&dev, 0);
	cr_expect_eq(nr_calls, 5, "what is not lent is not fetched");
}

Test(vhost_net, a_ring_the_kernel_refuses_is_broken_and_its_own_again)
{
	static const unsigned long steps[] = {
		VHOST_SET_MEM_TABLE,  VHOST_SET_VRING_NUM,   VHOST_SET_VRING_BASE,
		VHOST_SET_VRING_ADDR, VHOST_SET_VRING_CALL,  VHOST_SET_VRING_ERR,
		VHOST_SET_VRING_KICK, VHOST_NET_SET_BACKEND,
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		make(1, V1);
		refuse = steps[i];
		dev.ops->queue(&dev, 0);
		refuse = 0;
		cr_expect(dev.vq[0].ready && dev.vq[0].broken, "step %zu", i);
		cr_expect_eq(count(dev.err_fd[0]), 1);
		cr_expect_eq(last(VHOST_NET_SET_BACKEND)->value, -1);
		nr_calls = 0;
		dev.ops->stop(&dev, 0);
		cr_expect_eq(nr_calls, 0);
		device_done(&dev);
		loop_done(&loop);
		cr_assert_eq(loop_init(&loop, &err), 0);
	}
}

Test(vhost_net, queues_that_were_not_negotiated)
{
	make(2, V1);
	nr_calls = 0;
	for (unsigned int q = 2; q < 5; q++) {
		dev.ops->queue(&dev, q);
		cr_expect(dev.vq[q].broken, "queue %u", q);
	}
	cr_expect_eq(nr_calls, 0);
}

/* Sends a command on queue @q; the answer, or -1 */
static int command(unsigned int q, const void *bytes, uint32_t len)
{
	const struct vqd_buf buf[] = {{DATA_GPA, len, false}, {DATA_GPA + 64, 1, true}};
	uint32_t head, used;

	memcpy(vqd_at(&mem, DATA_GPA, len), bytes, len);
	memset(vqd_at(&mem, DATA_GPA + 64, 1), 0xff, 1);
	vqd_add(&ring[q], buf, 2);
	dev.ops->queue(&dev, q);
	if (!vqd_take(&ring[q], &head, &used) || used != 1)
		return -1;
	return *(uint8_t *)vqd_at(&mem, DATA_GPA + 64, 1);
}

Test(vhost_net, pairs_are_attached_as_the_driver_uses_them)
{
	make(2, V1 | F(MQ) | F(CTRL_VQ));
	cr_expect_eq(last(TUNSETQUEUE)->fd, TAP(1));
	cr_expect_eq(last(TUNSETQUEUE)->value, IFF_DETACH_QUEUE);
	nr_calls = 0;
	cr_expect_eq(command(4, "\4\0\2\0", 4), VIRTIO_NET_OK);
	cr_expect(nr_calls == 1 && calls[0].fd == TAP(1) && calls[0].value == IFF_ATTACH_QUEUE);
	cr_expect_eq(command(4, "\4\0\2\0", 4), VIRTIO_NET_OK);
	cr_expect_eq(nr_calls, 1, "nothing to do");
	cr_expect_eq(command(4, "\4\0\3\0", 4), VIRTIO_NET_ERR);
	cr_expect_eq(command(4, "\4\0\0\0", 4), VIRTIO_NET_ERR);
	cr_expect_eq(nr_calls, 1);
	cr_expect_eq(command(4, "\4\0\1\0", 4), VIRTIO_NET_OK);
	cr_expect(nr_calls == 2 && calls[1].value == IFF_DETACH_QUEUE);
	cr_expect_eq(dev.ops->start(&dev, dev.acked), 0);
	cr_expect_eq(count_of(TUNSETQUEUE), 2, "one pair is what a start begins with");
}

Test(vhost_net, the_control_queue_is_the_third_without_mq)
{
	make(2, V1 | F(CTRL_VQ) | F(CTRL_RX));
	cr_expect_eq(command(2, "\0\0\1", 3), VIRTIO_NET_OK);
	cr_expect_eq(command(2, "\4\0\2\0", 4), VIRTIO_NET_ERR, "MQ was not negotiated");
	cr_expect_eq(command(2, "\7\7\7", 3), VIRTIO_NET_ERR);
	cr_expect(!dev.vq[2].broken);
}

Test(vhost_net, a_tap_that_does_not_obey_breaks_the_control_queue)
{
	make(2, V1 | F(MQ) | F(CTRL_VQ));
	refuse = TUNSETQUEUE;
	command(4, "\4\0\2\0", 4);
	cr_expect(dev.vq[4].broken);
}

Test(vhost_net, is_told_mac_and_mtu_at_start)
{
	static const uint8_t mac[6] = {2, 9, 8, 7, 6, 5};
	struct ctl_msg m = {.type = CTL_NET, .code = 1300, .arg = ctl_mac(mac)};
	struct virtio_net_config c;

	make(1, V1);
	cr_assert_eq(dev.ops->control(&dev, &m, &no_file, &err), 0);
	cr_assert_eq(dev.ops->config(&dev, false, 0, &c, dev.ops->kind->config_bytes), 0);
	cr_expect(memcmp(c.mac, mac, 6) == 0 && c.mtu == 1300);
	cr_expect_eq(c.status, VIRTIO_NET_S_LINK_UP);
	m.code |= CTL_NET_DOWN;
	cr_assert_eq(dev.ops->control(&dev, &m, &no_file, &err), 0);
	cr_assert_eq(dev.ops->config(&dev, false, 0, &c, dev.ops->kind->config_bytes), 0);
	cr_expect(c.status == 0 && c.mtu == 1300, "nothing at the other end");
	m.code = 67;
	m.arg = 0;
	cr_expect_eq(dev.ops->control(&dev, &m, &no_file, &err), -EINVAL);
	m.code = 0;
	m.arg = 1ULL << 40;
	cr_expect_eq(dev.ops->control(&dev, &m, &no_file, &err), -EINVAL, "multicast");
	m.arg = 1ULL << 48;
	cr_expect_eq(dev.ops->control(&dev, &m, &no_file, &err), -EINVAL, "no MAC at all");
	m.arg = 0;
	cr_assert_eq(dev.ops->control(&dev, &m, &no_file, &err), 0);
	cr_assert_eq(dev.ops->config(&dev, false, 0, &c, dev.ops->kind->config_bytes), 0);
	cr_expect(memcmp(c.mac, mac, 6) == 0 && c.mtu == 1300, "zeros leave all as it was");
}

/* ---- the interface ---- */

/* Has a front-end that hears of changes; its end */
static int listen_to_changes(void)
{
	int sv[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	dev.config_fd = sv[1];
	return sv[0];
}

static unsigned int told(int fd)
{
	unsigned int n = 0;
	char hdr[12];

	while (recv(fd, hdr, sizeof(hdr), MSG_DONTWAIT) == (ssize_t)sizeof(hdr))
		n++;
	return n;
}

static uint16_t status(void)
{
	struct virtio_net_config c;

	cr_assert_eq(dev.ops->config(&dev, false, 0, &c, dev.ops->kind->config_bytes), 0);
	return c.status;
}

Test(vhost_net, looks_at_the_tap_from_time_to_time)
{
	make(1, V1);
	cr_assert_eq(watched_for, 0, "frames wake no process");
	/* epoll looks again at an fd that is added again. */
	while (looks == 0)
		cr_assert_eq(loop_once(&loop, -1, &err), 0);
	cr_expect_eq(watched_for, 0);
	cr_expect_eq(status(), VIRTIO_NET_S_LINK_UP);
}

Test(vhost_net, an_interface_that_goes_takes_the_link_down)
{
	int front;

	make(2, V1 | F(MQ) | F(CTRL_VQ));
	front = listen_to_changes();
	dev.ops->queue(&dev, 0);
	dev.ops->queue(&dev, 1);
	nr_calls = 0;
	close(tap[1]);
	cr_assert_eq(loop_once(&loop, -1, &err), 0);
	cr_expect_eq(status(), 0);
	cr_expect_eq(told(front), 1);
	cr_expect_eq(nr_calls, 0, "the kernel keeps the rings");
	cr_expect_eq(watched_for, UINT32_MAX, "nothing is left to be looked at");
	cr_assert_eq(loop_once(&loop, 0, &err), 0);
	cr_expect_eq(command(4, "\4\0\2\0", 4), VIRTIO_NET_OK);
	cr_expect_eq(nr_calls, 0);
	/* And the device can be stopped and started as ever. */
	dev.ops->stop(&dev, 0);
	dev.ops->stop(&dev, 1);
	cr_expect_eq(dev.ops->start(&dev, dev.acked), 0);
	cr_expect_eq(count_of(TUNSETOFFLOAD) + count_of(TUNSETQUEUE), 0);
	dev.ops->queue(&dev, 0);
	cr_expect(!dev.vq[0].broken);
	cr_expect_eq(dev.ops->control(&dev, &(struct ctl_msg){.type = CTL_NET}, &no_file, &err), 0);
	cr_expect_eq(status(), 0, "the supervisor does not know better");
	cr_expect_eq(told(front), 0);
}

Test(vhost_net, start_finds_out_that_the_interface_is_gone)
{
	static const int errnos[] = {EBADFD, ENOLINK};

	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++) {
		int front;

		make(1, V1);
		front = listen_to_changes();
		refuse = TUNSETOFFLOAD;
		refuse_errno = errnos[i];
		cr_expect_eq(dev.ops->start(&dev, V1), 0);
		cr_expect(status() == 0 && told(front) == 1);
		refuse = 0;
		device_done(&dev);
	}
	make(1, V1);
	refuse = TUNSETOFFLOAD;
	refuse_errno = EINVAL;
	cr_expect_eq(dev.ops->start(&dev, V1), -EINVAL);
	cr_expect_eq(status(), VIRTIO_NET_S_LINK_UP);
}

Test(vhost_net, a_command_finds_out_that_the_interface_is_gone)
{
	make(2, V1 | F(MQ) | F(CTRL_VQ));
	refuse = TUNSETQUEUE;
	refuse_also = TUNSETOFFLOAD;
	refuse_errno = EBADFD;
	cr_expect_eq(command(4, "\4\0\2\0", 4), VIRTIO_NET_OK);
	cr_expect(!dev.vq[4].broken);
	cr_expect_eq(status(), 0);
}
