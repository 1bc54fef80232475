/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Opening TAPs
 *
 * A queue pair is an fd of /dev/net/tun, or of a macvtap's character device. vmrun sets the header of
 * virtio 1.x, little endian, probes which offloads the kernel takes, and switches them off: until the guest
 * has said what it understands, no frame may be larger than on the wire.
 */
#include "runtime/netlink/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "devices/core/fmt.h"
#include "runtime/util/device_file.h"

#define TUN_PATH     "/dev/net/tun"
#define HEADER_BYTES 12 /* struct virtio_net_hdr_v1 */

#ifndef TUN_F_USO4 /* Linux 6.2 */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static int tap_set_header(int fd, const char *name, struct err *err)
{
	int bytes = HEADER_BYTES, little = 1;

	if (ioctl(fd, TUNSETVNETHDRSZ, &bytes) < 0)
		return err_set(err, errno, "TAP %s: TUNSETVNETHDRSZ", name);
	if (ioctl(fd, TUNSETVNETLE, &little) < 0)
		return err_set(err, errno, "TAP %s: TUNSETVNETLE", name);
	return 0;
}

/* The kernel refuses the whole set if it does not know one flag, so the largest set comes first. */
static int tap_probe_offloads(int fd, const char *name, uint32_t *ret_flags, struct err *err)
{
	static const uint32_t sets[] = {
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_USO4 | TUN_F_USO6,
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6,
		TUN_F_CSUM,
	};
	unsigned int i = 0;

	while (i < ARRAY_SIZE(sets) && ioctl(fd, TUNSETOFFLOAD, (unsigned long)sets[i]) < 0)
		i++;
	if (ioctl(fd, TUNSETOFFLOAD, 0UL) < 0)
		return err_set(err, errno, "TAP %s: TUNSETOFFLOAD", name);
	*ret_flags = i < ARRAY_SIZE(sets) ? sets[i] : 0;
	return 0;
}

/* Does not take @fd: it is in @t, whose owner closes it. */
static int tap_set_up_queue(struct tap *t, int fd, struct err *err)
{
	uint32_t flags;
	int rc;

	rc = tap_set_header(fd, t->name, err);
	if (rc == 0)
		rc = tap_probe_offloads(fd, t->name, &flags, err);
	if (rc == 0)
		t->tun_flags = flags;
	return rc;
}

static int tap_check_request(const char *name, unsigned int pairs, struct err *err)
{
	static const char *const none[] = {".", "..", "all", "default"};
	size_t len = strnlen(name, IFNAMSIZ);
	bool bad = len == 0 || len >= IFNAMSIZ || strpbrk(name, "/: \t\n\v\f\r");

	/* The kernel refuses these too, but with EINVAL as for everything. */
	for (unsigned int i = 0; !bad && i < ARRAY_SIZE(none); i++)
		bad = strcmp(name, none[i]) == 0;
	if (bad)
		return err_text(err, EINVAL,
				"\"%.*s\" is no interface name: 1 to %d bytes without '/', ':' and "
				"white space, not \"all\" or \"default\"",
				(int)len, name, IFNAMSIZ - 1);
	if (pairs < 1 || pairs > NET_PAIRS_MAX)
		return err_text(err, EINVAL, "TAP %s: %u queue pairs, not 1 to %d", name, pairs,
				NET_PAIRS_MAX);
	return 0;
}

static int tap_open_tun(struct err *err)
{
	int fd = device_file_open(AT_FDCWD, TUN_PATH, O_RDWR | O_NONBLOCK);

	if (fd >= 0)
		return fd;
	if (fd == -ENOENT || fd == -ENODEV || fd == -ENXIO)
		return err_set(err, -fd, "%s: load the kernel's tun module (modprobe tun)",
			       TUN_PATH);
	if (fd == -EACCES || fd == -EPERM)
		return err_set(err, -fd, "%s: needs root, or access from its owner", TUN_PATH);
	return err_set(err, -fd, "%s", TUN_PATH);
}

static int tap_attach_failed(int errnum, const char *name, unsigned int pairs, struct err *err)
{
	switch (errnum) {
	case EPERM:
		return err_set(err, errnum, "TAP %s: needs CAP_NET_ADMIN in its network namespace",
			       name);
	case EINVAL: /* name and flags are valid, so it is the interface that has the name */
		return err_text(err, EBUSY,
				"TAP %s: an interface of another kind has this name, or a TAP with "
				"another number of queues",
				name);
	case EBUSY:
		return err_text(err, EBUSY, "TAP %s: %s", name,
				pairs > 1 ? "an interface has this name" : "in use");
	default: return err_set(err, errnum, "TAP %s", name);
	}
}

/* Adds one fd of the TAP that @ifr describes. Open fds stay in @t, also after a failure. */
static int tap_add_queue(struct tap *t, struct ifreq *ifr, unsigned int pairs, struct err *err)
{
	const short needed = ifr->ifr_flags & (IFF_VNET_HDR | IFF_MULTI_QUEUE);
	int fd = tap_open_tun(err);
	unsigned int features;

	if (fd < 0)
		return fd;
	t->fd[t->nr++] = fd;
	if (ioctl(fd, TUNGETFEATURES, &features) < 0)
		return err_set(err, errno, "%s: TUNGETFEATURES", TUN_PATH);
	if (needed & ~features)
		return err_text(err, EOPNOTSUPP, "%s: this kernel lacks %s", TUN_PATH,
				features & IFF_VNET_HDR ? "IFF_MULTI_QUEUE" : "IFF_VNET_HDR");
	if (ioctl(fd, TUNSETIFF, ifr) < 0)
		return tap_attach_failed(errno, ifr->ifr_name, pairs, err);
	/* The first queue makes the TAP, the others join it by the name that the kernel made of a "%d". */
	ifr->ifr_flags &= (short)~IFF_TUN_EXCL;
	fmt_into(t->name, sizeof(t->name), "%s", ifr->ifr_name);
	return tap_set_up_queue(t, fd, err);
}

int tap_open(const char *name, unsigned int pairs, struct tap *ret, struct err *err)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	struct tap t = {.nr = 0};
	int rc;

	rc = tap_check_request(name, pairs, err);
	if (rc < 0)
		return rc;
	fmt_into(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	/* A multi-queue TAP in use takes queues from others: only a new one is surely ours. */
	if (pairs > 1)
		ifr.ifr_flags |= (short)(IFF_MULTI_QUEUE | IFF_TUN_EXCL);
	while (rc == 0 && t.nr < pairs)
		rc = tap_add_queue(&t, &ifr, pairs, err);
	if (rc < 0) {
		tap_close(&t);
		return rc;
	}
	*ret = t;
	return 0;
}

/* IFF_NOFILTER is the same bit as IFF_NO_PI, and TUNGETIFF sets it if no filter is attached: so attach one
 * while asking. A macvtap has no filters, and is always IFF_NO_PI. */
static bool tap_has_no_pi(int fd)
{
	struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	struct sock_fprog filter = {.len = 1, .filter = &pass};
	bool attached = ioctl(fd, TUNATTACHFILTER, &filter) == 0;
	struct ifreq ifr = {0};
	int rc = ioctl(fd, TUNGETIFF, &ifr);

	if (attached)
		(void)ioctl(fd, TUNDETACHFILTER, &filter);
	return rc == 0 && (ifr.ifr_flags & IFF_NO_PI);
}

int tap_adopt(int fd, struct tap *ret, struct err *err)
{
	struct tap t = {.nr = 1, .fd = {fd}};
	struct ifreq ifr = {0};
	int flags, rc;

	flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		return err_set(err, errno, "fd %d", fd);
	if (ioctl(fd, TUNGETIFF, &ifr) < 0)
		return err_text(err, EINVAL, "fd %d is no TAP", fd);
	ifr.ifr_name[IFNAMSIZ - 1] = '\0';
	if (!(ifr.ifr_flags & IFF_TAP) || !(ifr.ifr_flags & IFF_VNET_HDR) || !tap_has_no_pi(fd))
		return err_text(err, EINVAL,
				"fd %d: %s is not opened with IFF_TAP, IFF_NO_PI and IFF_VNET_HDR",
				fd, ifr.ifr_name);
	fmt_into(t.name, sizeof(t.name), "%s", ifr.ifr_name);
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_set(err, errno, "fd %d", fd);
	rc = tap_set_up_queue(&t, fd, err);
	if (rc == 0)
		*ret = t;
	return rc;
}

/* "246:1\n" as sysfs has it */
static int tap_parse_dev(const char *text, dev_t *ret)
{
	unsigned long major, minor;
	char *end;

	major = strtoul(text, &end, 10);
	if (end == text || *end != ':')
		return -EPROTO;
	text = end + 1;
	minor = strtoul(text, &end, 10);
	if (end == text || *end != '\n' || major > UINT32_MAX || minor > UINT32_MAX)
		return -EPROTO;
	*ret = makedev((unsigned int)major, (unsigned int)minor);
	return 0;
}

static int tap_macvtap_dev(int index, const char *name, dev_t *ret, struct err *err)
{
	char path[96], text[32] = "";
	cleanup_fd int fd = -1;
	ssize_t n;

	fmt_into(path, sizeof(path), "/sys/class/net/%s/tap%d/dev", name, index);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "macvtap %s: %s", name, path);
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return err_set(err, errno, "macvtap %s: %s", name, path);
	text[n] = '\0';
	if (tap_parse_dev(text, ret) < 0)
		return err_text(err, EPROTO, "macvtap %s: no device number in %s", name, path);
	return 0;
}

/* /dev may lack the node, or have one of the same number from another namespace. So make it in a file system
 * that only this process sees and that goes with its last fd. */
static int tap_make_node(const char *name, dev_t dev, int *ret_dir, struct err *err)
{
	cleanup_fd int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), dir = -1;
	int rc;

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_set(err, errno, "macvtap %s: make a place for its device node", name);
	dir = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (dir < 0)
		return err_set(err, errno, "macvtap %s: make a place for its device node", name);
	rc = device_file_make(dir, "tap", 0600, dev);
	if (rc < 0)
		return err_set(err, -rc, "macvtap %s: make its device node", name);
	*ret_dir = TAKE_FD(dir);
	return 0;
}

static int tap_macvtap_queue(int dir, unsigned int pairs, struct tap *t, struct err *err)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = device_file_open(dir, "tap", O_RDWR | O_NONBLOCK);

	if (fd < 0)
		return err_set(err, -fd, "macvtap %s: open queue %u", t->name, t->nr);
	t->fd[t->nr++] = fd;
	if (pairs > 1)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return err_set(err, errno, "macvtap %s: TUNSETIFF", t->name);
	return tap_set_up_queue(t, fd, err);
}

int tap_macvtap(int index, const char *name, unsigned int pairs, struct tap *ret, struct err *err)
{
	cleanup_fd int dir = -1;
	struct tap t = {.nr = 0};
	dev_t dev;
	int rc;

	rc = tap_check_request(name, pairs, err);
	if (rc == 0)
		rc = tap_macvtap_dev(index, name, &dev, err);
	if (rc == 0)
		rc = tap_make_node(name, dev, &dir, err);
	if (rc < 0)
		return rc;
	fmt_into(t.name, sizeof(t.name), "%s", name);
	while (rc == 0 && t.nr < pairs)
		rc = tap_macvtap_queue(dir, pairs, &t, err);
	if (rc < 0) {
		tap_close(&t);
		return rc;
	}
	*ret = t;
	return 0;
}

void tap_close(struct tap *t)
{
	for (unsigned int i = 0; i < t->nr; i++)
		close(t->fd[i]);
	t->nr = 0;
}
