/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Whom the guests of private devices reach, with real packets, on a host that forwards all it can
 *
 * The host is a namespace of the test's own; a guest is the holder of a TAP. "o0" leads to the world, a
 * namespace with one address, and br0 to a machine on it. What must not arrive is followed by a packet of
 * the host's own to the same place, which does: nothing is waited for.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "runtime/net/net.h"
#include "runtime/netlink/netns.h"
#include "tests/support/private_net.h"
#include "tests/support/tap_guest.h"

#define PATIENCE_MS 10000 /* for what does arrive */
#define TRIES	    3	  /* of what must not */

static struct err err;

/** struct vm - One, with a network device of some mode */
struct vm {
	struct net_record record;
	struct tap tap;
	struct tap_guest guest;
};

static void run(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

/* The host, which forwards, and the world behind it; both have routes to all addresses */
static void begin(void)
{
	private_net_or_skip();
	if (access("/dev/net/tun", R_OK | W_OK) < 0 || system("nft list tables >/dev/null 2>&1"))
		cr_skip_test("needs /dev/net/tun and nf_tables");
	run("mount -t tmpfs none /run && mkdir /run/netns && ip netns add world && ip link set lo "
	    "up\n"
	    "for n in o0 p0; do ip link add $n type veth peer name $n netns world &&\n"
	    "ip -n world link set $n up && ip link set $n up; done\n"
	    "ip addr add 10.5.0.1/24 dev o0 && ip -n world addr add 10.5.0.2/24 dev o0\n"
	    "ip addr add fd05::1/64 dev o0 nodad && ip -n world addr add fd05::2/64 dev o0 nodad\n"
	    "ip link add br0 type bridge && ip link set p0 master br0 && ip link set br0 up\n"
	    "ip addr add 10.4.4.1/24 dev br0 && ip -n world addr add 10.4.4.9/24 dev p0\n"
	    "ip -n world route add default via 10.5.0.1 && ip -n world -6 route add default via "
	    "fd05::1\n"
	    "for f in ipv4/conf/all ipv4/conf/default ipv6/conf/all ipv6/conf/default; do\n"
	    "echo 1 >/proc/sys/net/$f/forwarding; done\n"
	    "for f in all default o0 br0; do echo 0 >/proc/sys/net/ipv4/conf/$f/rp_filter; done");
}

TestSuite(net_private, .init = begin);

static void start(struct vm *vm, const char *id, struct plan_net p)
{
	const uint32_t host = p.mode == NET_MODE_BRIDGE ? net("10.4.4.1", 24).addr : p.host.addr;

	p.queue_pairs = 1;
	p.fd = -1;
	p.pointer = (char *)"/vm/devices/0";
	ok(net_plan(&p, id, "net0", &vm->record, &err));
	ok(net_setup(&p, &vm->record, &vm->tap, &err));
	vm->guest = (struct tap_guest){.fd = vm->tap.fd[0], .addr = vm->record.guest.addr};
	memcpy(vm->guest.mac, vm->record.mac, 6);
	cr_assert(tap_guest_meets(&vm->guest, host ? host : vm->record.host.addr), "%s", id);
}

static struct plan_net masquerading = {.mode = NET_MODE_PRIVATE, .masquerade = true};
static struct plan_net plain = {.mode = NET_MODE_PRIVATE};

/* A UDP socket in the world, or here */
static int listen_at(bool world, uint16_t port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	int old = -1, ns = -1, fd;

	if (world) {
		ok(netns_open("/run/netns/world", &ns, &err));
		ok(netns_enter(ns, &old, &err));
		close(ns);
	}
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (const void *)&any, sizeof(any)), 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	if (world)
		netns_leave(old);
	return fd;
}

static void send_to(int fd, uint32_t addr, uint16_t port)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	to.sin6_addr.s6_addr[10] = to.sin6_addr.s6_addr[11] = 0xff; /* mapped */
	memcpy(&to.sin6_addr.s6_addr[12], &addr, 4);
	(void)!sendto(fd, "xy", 2, 0, (const void *)&to, sizeof(to));
}

/* The next datagram: whom it is from, as text */
static const char *received(int fd)
{
	static char text[INET6_ADDRSTRLEN];
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	char byte[2];

	cr_assert_geq(recvfrom(fd, byte, sizeof(byte), 0, (void *)&from, &len), 1, "it arrives");
	return inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof(text));
}

/* Nothing came to @vm before a packet of the host's own, sent now */
static bool is_alone(const struct vm *vm)
{
	int fd = listen_at(false, 0);
	uint16_t got;

	send_to(fd, vm->guest.addr, 99);
	close(fd);
	got = tap_guest_got(&vm->guest, PATIENCE_MS);
	cr_assert_neq(got, 0, "the host itself reaches it");
	return got == 99;
}

static bool reaches(const struct vm *from, uint32_t source, const struct vm *to)
{
	for (int i = 0; i < TRIES; i++)
		tap_guest_sends(&from->guest, source, to->guest.addr, 5);
	return !is_alone(to);
}

Test(net_private, guests_do_not_reach_each_other)
{
	struct vm a, b, c;

	start(&a, "a", masquerading);
	start(&b, "b", masquerading);
	start(&c, "c", plain);
	cr_expect_not(reaches(&a, a.guest.addr, &b));
	cr_expect_not(reaches(&b, b.guest.addr, &a));
	cr_expect_not(reaches(&a, a.guest.addr, &c));
	cr_expect_not(reaches(&c, c.guest.addr, &a));
	cr_expect_not(reaches(&a, net("10.5.0.2", 24).addr, &b), "nor with a false address");
	cr_expect_not(reaches(&a, a.record.host.addr, &b), "nor as the host");
}

Test(net_private, nor_those_on_other_links_of_vmrun)
{
	struct plan_net tap = {.mode = NET_MODE_TAP, .host = net("10.9.8.1", 24)};
	struct plan_net port = {
		.mode = NET_MODE_BRIDGE, .guest = net("10.4.4.5", 24), .bridge = "br0"};
	struct vm a, t, b;
	int machine = listen_at(true, 5);

	start(&a, "a", masquerading);
	start(&t, "t", tap);
	start(&b, "b", port);
	cr_expect_not(reaches(&a, a.guest.addr, &t));
	cr_expect_not(reaches(&a, a.guest.addr, &b));
	cr_expect_not(reaches(&t, t.guest.addr, &a));
	cr_expect_not(reaches(&b, b.guest.addr, &a));
	/* What is beside a guest on the bridge is not vmrun's. */
	tap_guest_sends(&a.guest, a.guest.addr, net("10.4.4.9", 24).addr, 5);
	cr_expect_str_eq(received(machine), "::ffff:10.4.4.1");
}

Test(net_private, nor_on_taps_that_others_made)
{
	struct plan_net tap = {.mode = NET_MODE_TAP, .host = net("10.9.8.1", 24), .name = "mine"};
	struct plan_net port = {.mode = NET_MODE_BRIDGE,
				.guest = net("10.4.4.5", 24),
				.bridge = "br0",
				.name = "mine1"};
	struct vm a, t, b;

	run("for n in mine mine1; do ip tuntap add dev $n mode tap && ip link set $n up; done\n"
	    "ip addr add 10.9.8.1/24 dev mine && ip link set mine1 master br0");
	start(&a, "a", masquerading);
	start(&t, "t", tap);
	start(&b, "b", port);
	cr_expect_not(reaches(&a, a.guest.addr, &t));
	cr_expect_not(reaches(&a, a.guest.addr, &b));
	cr_expect_not(reaches(&t, t.guest.addr, &a));
	ok(net_undo(&t.record, &err));
	ok(net_undo(&b.record, &err));
	run("! nft list tables | grep -E 'vmrun_[tb]'");
}

Test(net_private, with_masquerading_out_and_back_in)
{
	int world = listen_at(true, 5);
	struct vm a;

	start(&a, "a", masquerading);
	tap_guest_sends(&a.guest, a.guest.addr, net("10.5.0.2", 24).addr, 5);
	cr_expect_str_eq(received(world), "::ffff:10.5.0.1");
	send_to(world, net("10.5.0.1", 24).addr, 5);
	cr_expect_eq(tap_guest_got(&a.guest, PATIENCE_MS), 5, "the answer");
	for (int i = 0; i < TRIES; i++)
		send_to(world, a.guest.addr, 6);
	cr_expect(is_alone(&a), "no masquerading without asking");

	tap_guest_sends(&a.guest, net("100.64.0.9", 30).addr, net("10.5.0.2", 24).addr, 5);
	tap_guest_sends(&a.guest, net("10.5.0.1", 24).addr, net("10.5.0.2", 24).addr, 5);
	tap_guest_sends(&a.guest, a.guest.addr, net("10.5.0.2", 24).addr, 5);
	cr_expect_str_eq(received(world), "::ffff:10.5.0.1");
	cr_expect_eq(recv(world, &(char){0}, 1, MSG_DONTWAIT), -1, "from no other address");
}

Test(net_private, without_masquerading_the_host_and_no_further)
{
	int world = listen_at(true, 5), here = listen_at(false, 5), other = listen_at(false, 0);
	struct vm a;

	start(&a, "a", plain);
	tap_guest_sends(&a.guest, a.guest.addr, a.record.host.addr, 5);
	cr_expect(strstr(received(here), "::ffff:100."), "the host is reached");
	for (int i = 0; i < TRIES; i++) {
		tap_guest_sends(&a.guest, a.guest.addr, net("10.5.0.2", 24).addr, 5);
		send_to(world, a.guest.addr, 6);
	}
	cr_expect(is_alone(&a));
	send_to(other, net("10.5.0.2", 24).addr, 5);
	cr_expect_str_eq(received(world), "::ffff:10.5.0.1");
	cr_expect_eq(recv(world, &(char){0}, 1, MSG_DONTWAIT), -1);
}

Test(net_private, nor_after_a_reload_of_the_rules)
{
	int world = listen_at(true, 5), other = listen_at(false, 0);
	struct vm a, b;

	start(&a, "a", plain);
	start(&b, "b", plain);
	run("nft flush ruleset");
	for (int i = 0; i < TRIES; i++) {
		tap_guest_sends(&a.guest, a.guest.addr, b.guest.addr, 5);
		tap_guest_sends(&b.guest, b.guest.addr, a.guest.addr, 5);
		tap_guest_sends(&a.guest, a.guest.addr, net("10.5.0.2", 24).addr, 5);
	}
	cr_expect(is_alone(&a));
	cr_expect(is_alone(&b));
	send_to(other, net("10.5.0.2", 24).addr, 5);
	cr_expect_str_eq(received(world), "::ffff:10.5.0.1");
	ok(net_undo(&a.record, &err));
	ok(net_undo(&b.record, &err));
}

static void give6(const struct vm *vm, const char *host6, const char *guest6)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "ip addr add %s/64 dev %s nodad && "
		 "ip neigh replace %s dev %s lladdr %02x:%02x:%02x:%02x:%02x:%02x nud permanent",
		 host6, vm->record.host_link, guest6, vm->record.host_link, vm->record.mac[0],
		 vm->record.mac[1], vm->record.mac[2], vm->record.mac[3], vm->record.mac[4],
		 vm->record.mac[5]);
	run(command);
}

Test(net_private, nor_by_ipv6)
{
	int world = listen_at(true, 5), here = listen_at(false, 5), other = listen_at(false, 0);
	struct vm a, b;

	start(&a, "a", masquerading);
	start(&b, "b", plain);
	give6(&a, "fd0a::1", "fd0a::2");
	give6(&b, "fd0b::1", "fd0b::2");
	tap_guest_sends6(&a.guest, "fd0a::2", "fd0a::1", 5);
	cr_expect_str_eq(received(here), "fd0a::2", "the host is reached");
	for (int i = 0; i < TRIES; i++) {
		tap_guest_sends6(&a.guest, "fd0a::2", "fd0b::2", 5);
		tap_guest_sends6(&a.guest, "fd0a::2", "fd05::2", 5);
		tap_guest_sends6(&b.guest, "fd0b::2", "fd0a::2", 5);
		tap_guest_sends6(&b.guest, "fd0b::2", "fd05::2", 5);
	}
	cr_expect(is_alone(&a));
	cr_expect(is_alone(&b));
	send_to(other, net("10.5.0.2", 24).addr, 5);
	cr_expect_str_eq(received(world), "::ffff:10.5.0.1");
}

/* As on a kernel without netfilter */
static void without_netfilter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NETLINK_NETFILTER, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPROTONOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {ARRAY_SIZE(code), code};

	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

Test(net_private, without_nf_tables_only_where_nothing_is_forwarded)
{
	struct plan_net p = plain;
	struct net_record record;
	struct tap tap = {.nr = 0};
	struct vm a;

	without_netfilter();
	p.queue_pairs = 1;
	p.pointer = (char *)"/vm/devices/0";
	ok(net_plan(&p, "a", "net0", &record, &err));
	cr_expect_eq(net_setup(&p, &record, &tap, &err), -EOPNOTSUPP, "%s", err.msg);
	cr_expect(strstr(err.msg, "/vm/devices/0: this host forwards packets"), "%s", err.msg);
	run("for f in ipv4/conf/all ipv4/conf/default ipv6/conf/all ipv6/conf/default; do\n"
	    "echo 0 >/proc/sys/net/$f/forwarding; done");
	start(&a, "a", plain);
	cr_expect_str_eq(a.record.table, "");
	p.masquerade = true;
	ok(net_plan(&p, "b", "net0", &record, &err));
	cr_expect_eq(net_setup(&p, &record, &tap, &err), -EPROTONOSUPPORT, "%s", err.msg);
}
