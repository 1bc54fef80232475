/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "runtime/netlink/rtnl.h"
#include "runtime/netlink/tap.h"
#include "tests/support/private_net.h"

static struct nl nl;
static struct err err;
static struct tap tap;

static void begin(void)
{
	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		cr_skip_test("no /dev/net/tun for this user");
	private_net_open(&nl);
}

TestSuite(tap, .init = begin);

static bool exists(const char *name)
{
	return if_nametoindex(name) != 0;
}

static unsigned int queues(const char *name)
{
	char path[96];
	unsigned int n = 0;

	do
		snprintf(path, sizeof(path), "/sys/class/net/%s/queues/tx-%u", name, n);
	while (access(path, F_OK) == 0 && ++n < 100);
	return n;
}

static void check_queue(int fd)
{
	struct ifreq ifr = {0};
	int bytes = 0, little = 0;

	cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_expect_eq(ioctl(fd, TUNGETVNETHDRSZ, &bytes), 0);
	cr_expect_eq(bytes, 12);
	cr_expect_eq(ioctl(fd, TUNGETVNETLE, &little), 0);
	cr_expect_eq(little, 1);
	cr_expect_eq(ioctl(fd, TUNGETIFF, &ifr), 0);
	cr_expect_str_eq(ifr.ifr_name, tap.name);
	cr_expect_eq(ifr.ifr_flags & (IFF_TAP | IFF_TUN | IFF_NO_PI | IFF_VNET_HDR),
		     IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
}

Test(tap, lives_as_long_as_its_fd)
{
	struct rtnl_link l;

	ok(tap_open("t0", 1, &tap, &err));
	cr_expect_eq(tap.nr, 1);
	cr_expect_str_eq(tap.name, "t0");
	check_queue(tap.fd[0]);
	ok(rtnl_link_get(&nl, "t0", &l, &err));
	cr_expect_str_eq(l.kind, "tun");
	tap_close(&tap);
	cr_expect_eq(tap.nr, 0);
	cr_expect_not(exists("t0"));
	tap_close(&tap);
}

Test(tap, a_pattern_becomes_a_number)
{
	struct tap second;

	ok(tap_open("vr%d", 2, &tap, &err));
	cr_expect_str_eq(tap.name, "vr0");
	cr_expect_eq(tap.nr, 2, "the second queue joins the first's interface");
	ok(tap_open("vr%d", 1, &second, &err));
	cr_expect_str_eq(second.name, "vr1");
	cr_expect(exists("vr0") && exists("vr1") && !exists("vr2"));
}

Test(tap, as_many_queues_as_asked_for)
{
	ok(tap_open("t0", NET_PAIRS_MAX, &tap, &err));
	cr_expect_eq(tap.nr, NET_PAIRS_MAX);
	for (unsigned int i = 0; i < tap.nr; i++)
		check_queue(tap.fd[i]);
	cr_expect_geq(queues("t0"), NET_PAIRS_MAX);
}

Test(tap, what_may_not_be_asked_for)
{
	static const char *const names[] = {
		"", "sixteen-bytes-xx", "a/b", "a b", "a:b", "a\n", ".", "..", "all", "default"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cr_expect_eq(tap_open(names[i], 1, &tap, &err), -EINVAL, "'%s'", names[i]);
		cr_expect(strstr(err.msg, "is no interface name"), "%s", err.msg);
	}
	cr_expect_eq(tap_open("t0", 0, &tap, &err), -EINVAL);
	cr_expect_eq(tap_open("t0", NET_PAIRS_MAX + 1, &tap, &err), -EINVAL);
	cr_expect_eq(tap.nr, 0, "outputs are untouched on failure");
	cr_expect_not(exists("t0"));
}

Test(tap, names_that_are_taken)
{
	struct tap other = {.nr = 0}, many;

	ok(tap_open("single", 1, &tap, &err));
	ok(tap_open("many", 2, &many, &err));
	ok(rtnl_veth_add(&nl, "va", "vb", -1, &err));
	for (unsigned int pairs = 1; pairs <= 2; pairs++) {
		cr_expect_eq(tap_open("single", pairs, &other, &err), -EBUSY, "%s", err.msg);
		cr_expect_eq(tap_open("many", pairs, &other, &err), -EBUSY, "%s", err.msg);
		cr_expect_eq(tap_open("va", pairs, &other, &err), -EBUSY, "%s", err.msg);
		cr_expect(strstr(err.msg, "va"), "%s", err.msg);
	}
	cr_expect_eq(other.nr, 0);
	cr_expect(exists("single") && exists("many") && exists("va"));
}

Test(tap, a_persistent_one_is_taken_when_it_is_free)
{
	int on = 1, off = 0;

	ok(tap_open("t0", 1, &tap, &err));
	cr_assert_eq(ioctl(tap.fd[0], TUNSETPERSIST, on), 0);
	tap_close(&tap);
	cr_assert(exists("t0"));
	cr_expect_eq(tap_open("t0", 2, &tap, &err), -EBUSY, "it has one queue");
	ok(tap_open("t0", 1, &tap, &err));
	check_queue(tap.fd[0]);
	cr_assert_eq(ioctl(tap.fd[0], TUNSETPERSIST, off), 0);
	tap_close(&tap);
	cr_expect_not(exists("t0"));
}

Test(tap, offloads_are_known_and_off)
{
	int fd, index;
	uint8_t bytes[128] = {0};
	struct rtnl_change c = {.up = true, .netns_fd = -1};
	struct sockaddr_ll a = {.sll_family = AF_PACKET, .sll_halen = 6};

	ok(tap_open("t0", 1, &tap, &err));
	cr_expect(tap.tun_flags & TUN_F_CSUM);
	cr_expect_eq(tap.tun_flags & (TUN_F_TSO4 | TUN_F_TSO6), TUN_F_TSO4 | TUN_F_TSO6);
	cr_expect_eq(ioctl(tap.fd[0], TUNSETOFFLOAD, (unsigned long)tap.tun_flags), 0);
	cr_expect_eq(ioctl(tap.fd[0], TUNSETOFFLOAD, 0UL), 0);

	/* A frame comes with a header that asks for nothing. */
	index = (int)if_nametoindex("t0");
	ok(rtnl_link_change(&nl, index, &c, &err));
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	a.sll_ifindex = index;
	bytes[12] = 0x88;
	bytes[13] = 0xb5;
	cr_assert_eq(sendto(fd, bytes, 60, 0, (const void *)&a, sizeof(a)), 60);
	for (;;) {
		ssize_t n = read(tap.fd[0], bytes, sizeof(bytes));

		cr_assert_gt(n, 12, "%zd", n); /* it is there: sending put it there */
		if (bytes[12 + 12] != 0x88 || bytes[12 + 13] != 0xb5)
			continue; /* the host's own IPv6 */
		cr_expect_eq(n, 12 + 60);
		cr_expect_eq(bytes[1], 0, "no GSO");
		break;
	}
	close(fd);
}

static int raw_tun(short flags)
{
	struct ifreq ifr = {.ifr_flags = flags, .ifr_name = "raw0"};
	int fd = open("/dev/net/tun", O_RDWR);

	cr_assert_geq(fd, 0);
	if (flags)
		cr_assert_eq(ioctl(fd, TUNSETIFF, &ifr), 0);
	return fd;
}

Test(tap, adopts_what_is_one)
{
	int fd = raw_tun(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);

	ok(tap_adopt(fd, &tap, &err));
	cr_expect_eq(tap.nr, 1);
	cr_expect_eq(tap.fd[0], fd);
	cr_expect_str_eq(tap.name, "raw0");
	check_queue(fd);
	cr_expect(tap.tun_flags & TUN_F_CSUM);
}

Test(tap, adopts_nothing_else)
{
	static const short flags[] = {0, IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, IFF_TAP | IFF_VNET_HDR,
				      IFF_TAP | IFF_NO_PI};
	int fd, pair[2];

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		fd = raw_tun(flags[i]);
		cr_expect_eq(tap_adopt(fd, &tap, &err), -EINVAL, "flags %#x", flags[i]);
		cr_expect_not(fcntl(fd, F_GETFL) & O_NONBLOCK, "left as it was");
		cr_expect_eq(close(fd), 0, "still the caller's");
	}
	cr_assert_eq(pipe(pair), 0);
	cr_expect_eq(tap_adopt(pair[0], &tap, &err), -EINVAL);
	fd = open("/dev/null", O_RDWR);
	cr_expect_eq(tap_adopt(fd, &tap, &err), -EINVAL, "%s", err.msg);
	cr_expect_eq(tap_adopt(-1, &tap, &err), -EBADF);
	cr_expect_eq(tap.nr, 0);
}

Test(tap, macvtap_queues)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 7};
	struct rtnl_link l;
	int rc;

	ok(rtnl_veth_add(&nl, "va", "vb", -1, &err));
	rc = rtnl_macvtap_add(&nl, "mv0", (int)if_nametoindex("va"), mac, &err);
	if (rc == -EOPNOTSUPP)
		cr_skip_test("this kernel has no macvtap");
	ok(rc);
	ok(rtnl_link_get(&nl, "mv0", &l, &err));
	cr_expect_eq(tap_macvtap(l.index + 1, "mv0", 1, &tap, &err), -ENOENT, "%s", err.msg);
	rc = tap_macvtap(l.index, "mv0", 2, &tap, &err);
	if (rc == -EPERM)
		cr_skip_test("device nodes are root's to make");
	ok(rc);
	cr_expect_eq(tap.nr, 2);
	for (unsigned int i = 0; i < tap.nr; i++)
		check_queue(tap.fd[i]);
	tap_close(&tap);
	cr_expect(exists("mv0"), "it is the link that has to be removed");
}
