/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A network interface's process in enemy hands
 *
 * Linked in place of devices/net/. When its supervisor asks it something, just before the guest runs, it says what the last byte
 * of the interface's MAC has the number of (control.h). With NET_TAP there it tries what its TAP takes, says in its log what
 * came of each, and then makes a call that its policy does not have.
 */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "devices/core/device.h"
#include "tests/hostile/control.h"

#define TAP	BOOT_FD_RES
#define NET_TAP 0xff
#define HDR	sizeof(struct virtio_net_hdr_v1)

static void net_say(const char *what, long rc)
{
	log_warn("%s: %s", what, rc < 0 ? strerror(errno) : "done");
}

/* A frame to all, of a station that is not there, with @len bytes in all */
static void net_send(const char *what, struct virtio_net_hdr_v1 hdr, size_t len)
{
	static uint8_t frame[HDR + 70000];
	struct iovec iov = {frame, len};

	memset(frame + HDR, 0xff, 6);
	memcpy(frame, &hdr, sizeof(hdr));
	net_say(what, writev(TAP, &iov, 1));
}

static void net_try_tap(void)
{
	const struct virtio_net_hdr_v1 usual = {0};
	struct virtio_net_hdr_v1 bad = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					.csum_start = UINT16_MAX,
					.csum_offset = UINT16_MAX};

	net_send("a frame", usual, HDR + 60);
	net_send("half a header", usual, HDR / 2);
	net_send("no frame", usual, HDR);
	net_send("a frame that is too large", usual, HDR + 70000);
	net_send("a checksum elsewhere", bad, HDR + 60);
	bad = (struct virtio_net_hdr_v1){.gso_type = UINT8_MAX, .gso_size = 1};
	net_send("segments of no type", bad, HDR + 60);
	bad = (struct virtio_net_hdr_v1){.gso_type = VIRTIO_NET_HDR_GSO_TCPV4};
	net_send("segments of no size", bad, HDR + 60);
	net_say("all offloads", ioctl(TAP, TUNSETOFFLOAD, 0x67UL));
	log_warn("and now for more");
	net_say("another interface", ioctl(TAP, TUNSETIFF, &(struct ifreq){.ifr_name = "enemy"}));
}

static int net_control(struct device *d UNUSED, struct ctl_msg *m, int *fd UNUSED,
		       struct err *err UNUSED)
{
	const unsigned int what = m->arg & 0xff;

	if (what == NET_TAP)
		net_try_tap();
	else if (what < ARRAY_SIZE(control_lies))
		(void)control_lie(control_lies[what].name);
	return 0;
}

static void net_queue(struct device *d UNUSED, unsigned int q UNUSED)
{
}

static int net_config(struct device *d UNUSED, bool write UNUSED, uint32_t off UNUSED, void *buf,
		      uint32_t len)
{
	memset(buf, 0, len);
	return 0;
}

static int net_init(struct device *d, const struct boot_dev *rec UNUSED, struct err *err UNUSED)
{
	d->nr_queues = 3;
	return 0;
}

const struct device_ops net_device = {
	.kind = &kind_table[KIND_NET],
	.queue_max = VQ_SIZE_MAX,
	.state_size = 1,
	.init = net_init,
	.queue = net_queue,
	.config = net_config,
	.control = net_control,
};
