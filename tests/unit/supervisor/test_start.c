/* SPDX-License-Identifier: BSD-3-Clause */
/* A supervisor whose processes are sockets in the test's hand: which gets which request, in which order. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "devices/core/ctl.h"
#include "devices/core/settings.h"
#include "runtime/net/cmdline.h"
#include "runtime/plan/plan.h"
#include "runtime/state/state.h"
#include "runtime/state/state_dir.h"
#include "runtime/supervisor/ask.h"
#include "runtime/supervisor/client.h"
#include "runtime/supervisor/end.h"
#include "runtime/supervisor/nets.h"
#include "runtime/supervisor/start.h"
#include "tests/support/private_net.h"

#define NR_PROCS 4 /* the VMM, net0, rng0, net1 */

static const char *const names[NR_PROCS] = {"vmm", "net0", "rng0", "net1"};
static struct supervisor s;
static struct plan_proc planned[NR_PROCS];
static struct plan plan = {.proc = planned};
static const struct launch wanted = {.plan = &plan};
static char dir[] = "/tmp/test-start-XXXXXX";
static int process[NR_PROCS]; /* their ends */
static int client;	      /* its end */
static struct err err;

static void add_net(const char *device, const uint8_t mac[6], uint16_t mtu, const char *guest)
{
	struct net_record *record = &s.state->net[s.state->nr_nets++];

	record->mode = NET_MODE_TAP;
	snprintf(record->device, sizeof(record->device), "%s", device);
	memcpy(record->mac, mac, sizeof(record->mac));
	record->mtu = mtu;
	record->guest = (struct net_addr){guest ? inet_addr(guest) : 0, guest ? 24 : 0};
}

static void note(const char *cmdline)
{
	snprintf(plan.cmdline, sizeof(plan.cmdline), "%s", cmdline);
	snprintf(plan.hostname, sizeof(plan.hostname), "alice");
}

static void setup(void)
{
	s = (struct supervisor){
		.stage = STAGE_CREATED, .report = -1, .host_net = -1, .nr = NR_PROCS};
	cr_assert(mkdtemp(dir));
	s.launch = &wanted;
	s.start.client = -1;
	s.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s.state = calloc(1, sizeof(*s.state));
	s.state->status = STATE_CREATED;
	s.log.fd = -1;
	cr_assert_eq(loop_init(&s.loop, &err), 0);
	for (unsigned int i = 0; i < NR_PROCS; i++) {
		int pair[2];

		spawned_init(&s.proc[i]);
		snprintf(s.proc[i].name, sizeof(s.proc[i].name), "%s", names[i]);
		cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
		s.proc[i].control = pair[0];
		process[i] = pair[1];
	}
	note("console=ttyS0");
}

static void teardown(void)
{
	(void)unlinkat(s.dir, STATE_FILE, 0);
	(void)rmdir(dir);
}

TestSuite(start, .init = setup, .fini = teardown);

/* As a client of the control socket asks */
static int start(void)
{
	int pair[2], r;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	client = pair[0];
	r = start_begin(&s, pair[1], &err);
	if (r < 0)
		close(pair[1]);
	return r;
}

/* What the client was answered: an errno value, or -1 when it was not yet */
static int answered(struct reply *ret)
{
	return recv(client, ret, sizeof(*ret), 0) == sizeof(*ret) ? (int)ret->code : -1;
}

/* Whether process @i was asked something since last asked here */
static bool asked(unsigned int i, struct ctl_msg *ret)
{
	return ctl_recv(process[i], ret) == 1;
}

/* Asked to start, with this for the kernel's command line, however many pieces it came in */
static void asked_to_start(const char *cmdline)
{
	char text[BOOT_CMDLINE_MAX] = "";
	struct ctl_msg m;

	cr_assert(asked(0, &m));
	while (m.type == CTL_CMDLINE) {
		cr_assert_eq(m.arg, strlen(text));
		strcat(text, m.text);
		cr_assert(asked(0, &m));
	}
	cr_assert_eq(m.type, CTL_START);
	cr_expect_eq(m.arg, strlen(text));
	cr_expect_str_eq(text, cmdline);
}

static void answer(unsigned int i, int code, const char *text)
{
	struct ctl_msg m = {.type = CTL_DONE, .code = (uint32_t)code};

	snprintf(m.text, sizeof(m.text), "%s", text);
	cr_assert(ask_is_open(&s, &s.proc[i]), "%s", names[i]);
	ask_answered(&s, &s.proc[i], &m);
}

Test(start, the_answer_comes_when_the_guest_runs)
{
	struct reply reply;
	struct ctl_msg m;

	cr_assert_eq(start(), 0);
	asked_to_start("");
	cr_expect_eq(answered(&reply), -1);
	cr_expect_eq(s.stage, STAGE_CREATED);
	cr_expect_eq(start(), -EBUSY, "one start at a time");
	cr_expect(s.start.under_way);
	cr_expect_neq(s.ask_by_ns, 0);
	for (unsigned int i = 1; i < NR_PROCS; i++)
		cr_expect(!asked(i, &m) && !ask_is_open(&s, &s.proc[i]));
}

Test(start, running)
{
	struct reply reply;
	struct ctl_msg m;

	cr_assert_eq(start(), 0);
	cr_assert(asked(0, &m));
	answer(0, 0, "");
	cr_expect_eq(answered(&reply), 0);
	cr_expect(s.stage == STAGE_RUNNING && s.state->status == STATE_RUNNING);
	cr_expect_eq(faccessat(s.dir, STATE_FILE, F_OK, 0), 0, "it is on file");
	cr_expect(!s.start.under_way);
	cr_expect(!ask_is_open(&s, &s.proc[0]), "a second answer is out of place");
	cr_expect_eq(start(), -EINVAL);
	cr_expect_str_eq(err.msg, "cannot start an already running container");
}

/* Only a container's guest: others see a device without a link. */
Test(start, a_spare_network_device_is_not_seen)
{
	static const uint8_t mac[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};

	add_net("net0", mac[0], 1500, NULL);
	add_net("net1", mac[1], 1500, NULL);
	for (unsigned int i = 0; i < 2; i++) {
		s.state->net[i].mode = NET_MODE_NETNS;
		plan.net[i].proc = i ? 3 : 1;
	}
	snprintf(s.state->net[0].joined, sizeof(s.state->net[0].joined), "eth0");
	cr_expect_eq(nets_hidden(&s), 0);
	plan.container = true;
	cr_expect_eq(nets_hidden(&s), 1U << 2, "the third device of the VMM");
	s.state->net[0].joined[0] = '\0';
	cr_expect_eq(nets_hidden(&s), 1U << 2 | 1U << 0);
}

Test(start, networks_are_asked_first_and_all_at_once)
{
	static const uint8_t mac[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
	struct reply reply;
	struct ctl_msg m;

	add_net("net0", mac[0], 1500, "192.0.2.2");
	add_net("net1", mac[1], 1400, "198.51.100.2");
	s.state->net[0].gateway = inet_addr("192.0.2.1");
	cr_assert_eq(start(), 0);
	cr_assert(asked(1, &m));
	cr_expect(m.type == CTL_NET && m.arg == ctl_mac(mac[0]) && m.code == 1500);
	cr_assert(asked(3, &m));
	cr_expect(m.type == CTL_NET && m.arg == ctl_mac(mac[1]) && m.code == 1400);
	cr_expect(!asked(0, &m) && !asked(2, &m));
	answer(3, 0, "");
	cr_expect(!asked(0, &m), "net0 has not answered");
	answer(1, 0, "");
	asked_to_start("ip=192.0.2.2::192.0.2.1:255.255.255.0:alice:eth0:off "
		       "ip=198.51.100.2:::255.255.255.0:alice:eth1:off");
	answer(0, 0, "");
	cr_expect_eq(answered(&reply), 0);
}

/* What was not known when the device began: a file has it */
Test(start, a_joined_interface_brings_a_lease)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	struct net_lease lease;
	struct ctl_msg m;
	int fd = -1;

	private_net_or_skip();
	add_net("net0", mac, 1400, "192.0.2.2");
	add_net("net1", mac, 1400, "192.0.2.3");
	strcpy(s.state->net[0].netns, "/proc/thread-self/ns/net");
	strcpy(s.state->net[1].netns, "/proc/thread-self/ns/net");
	s.state->net[0].mode = s.state->net[1].mode = NET_MODE_NETNS;
	strcpy(s.state->net[0].joined, "eth0");
	strcpy(s.state->net[1].joined, "eth1");
	plan.net[0].dhcp = true;
	plan.net[1].dhcp = false;
	cr_assert_eq(start(), 0);
	cr_assert_eq(ctl_recv_fd(process[1], &m, &fd), 1);
	cr_expect(m.type == CTL_NET && m.code == 1400 && fd >= 0);
	cr_assert_eq(read(fd, &lease, sizeof(lease)), sizeof(lease));
	cr_expect(lease.bits == 24 && lease.addr == inet_addr("192.0.2.2"));
	cr_expect_str_eq(lease.hostname, "alice");
	close(fd);
	cr_assert_eq(ctl_recv_fd(process[3], &m, &fd), 1);
	cr_expect(m.type == CTL_NET && fd == -1);
}

Test(start, a_network_without_an_address_keeps_its_number)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

	add_net("net0", mac, 1500, NULL);
	add_net("net1", mac, 1500, "198.51.100.2");
	cr_assert_eq(start(), 0);
	answer(1, 0, "");
	answer(3, 0, "");
	asked_to_start("ip=198.51.100.2:::255.255.255.0:alice:eth1:off");
}

Test(start, an_ip_word_of_the_users_wins)
{
	static const struct {
		const char *cmdline;
		bool added;
	} rows[] = {
		{"quiet ip=dhcp", false}, {"ip=dhcp quiet", false}, {"ip=", false},
		{"quiet zip=1", true},	  {"zip=1 ip=off", false},  {"quiet", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct net_guest guest;

		note(rows[i].cmdline);
		net_guest_of(&plan, &guest);
		cr_expect_eq(!guest.has_ip, rows[i].added, "%s", rows[i].cmdline);
	}
}

/* Each of 124 bytes with the blank behind it */
static void add_many(unsigned int nr)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

	memset(plan.hostname, 'x', 63);
	for (unsigned int i = 0; i < nr; i++)
		add_net(i ? "absent" : "net0", mac, 1500, "198.51.100.200");
}

Test(start, as_many_addresses_as_the_kernel_takes)
{
	struct reply reply;
	char text[BOOT_CMDLINE_MAX];
	size_t len = 0;

	add_many(16);
	for (unsigned int i = 0; i < 16; i++)
		len += (size_t)sprintf(text + len,
				       "%sip=198.51.100.200:::255.255.255.0:%s:eth%u:off",
				       i ? " " : "", plan.hostname, i);
	memset(plan.cmdline, 'q', BOOT_CMDLINE_MAX - 1 - 1 - len);
	cr_assert_eq(start(), 0);
	answer(1, 0, "");
	asked_to_start(text);
	answer(0, 0, "");
	cr_expect_eq(answered(&reply), 0);
}

Test(start, more_addresses_than_the_kernel_takes)
{
	struct reply reply;
	struct ctl_msg m;

	add_many(20);
	cr_assert_eq(start(), 0);
	answer(1, 0, "");
	cr_expect(!asked(0, &m));
	cr_expect_eq(answered(&reply), E2BIG);
	cr_expect(strstr(reply.text, "a command line of 2047 bytes"), "%s", reply.text);
	cr_expect(strstr(reply.text, "another way"), "not cut: %s", reply.text);
	cr_expect_eq(s.stage, STAGE_CREATED);
}

Test(start, a_refused_start_can_be_tried_again)
{
	struct reply reply;
	struct ctl_msg m;

	cr_assert_eq(start(), 0);
	cr_assert(asked(0, &m));
	answer(0, EINVAL, "kernel: too long");
	cr_expect_eq(answered(&reply), EINVAL);
	cr_expect_str_eq(reply.text, "kernel: too long");
	cr_expect(s.stage == STAGE_CREATED && s.state->status == STATE_CREATED);
	cr_assert_eq(start(), 0);
	cr_assert(asked(0, &m));
	answer(0, 0, "");
	cr_expect_eq(answered(&reply), 0);
}

Test(start, a_device_that_refuses_is_named_and_all_are_waited_for)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	struct reply reply;
	struct ctl_msg m;

	add_net("net0", mac, 1500, NULL);
	add_net("net1", mac, 1500, NULL);
	cr_assert_eq(start(), 0);
	answer(1, EINVAL, "no such MTU");
	cr_expect_eq(answered(&reply), -1, "net1 may still answer");
	answer(3, EBUSY, "later");
	cr_expect(!asked(0, &m), "the VMM is not asked any more");
	cr_expect_eq(answered(&reply), EINVAL);
	cr_expect_str_eq(reply.text, "net0: no such MTU", "the first refusal counts");
}

Test(start, a_process_that_does_not_listen)
{
	struct reply reply;

	close(process[0]);
	cr_assert_eq(start(), 0);
	cr_expect_eq(answered(&reply), EPIPE);
	cr_expect(strstr(reply.text, "vmm does not listen"), "%s", reply.text);
}

Test(start, a_process_that_does_not_answer_is_the_end)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	struct reply reply;

	add_net("net1", mac, 1500, NULL);
	cr_assert_eq(start(), 0);
	s.ask[3].entry[0].deadline_ns = 1;
	ask_late(&s);
	start_cut(&s); /* as the loop does */
	cr_expect_eq(answered(&reply), ESRCH);
	cr_expect(strstr(reply.text, "net1: does not answer"), "%s", reply.text);
	cr_expect_geq(s.stage, STAGE_ENDING);
	cr_expect_eq(s.state->cause, END_DEVICE_KILLED);
	cr_expect(!s.start.under_way);
}

/* Its next process is asked again, and only then the guest runs; the caller sees none of it. */
Test(start, a_network_device_that_returns_is_waited_for)
{
	struct reply reply;
	struct ctl_msg m;

	add_net("net0", (const uint8_t[6]){2, 0, 0, 0, 0, 1}, 1500, NULL);
	plan.proc[1].returns = true;
	cr_assert_eq(start(), 0);
	cr_assert(asked(1, &m) && m.type == CTL_NET);
	ask_died(&s, &s.proc[1]);
	cr_expect_eq(answered(&reply), -1);
	cr_expect(!asked(0, &m), "the guest does not run yet");
	start_again(&s, 1);
	cr_assert(asked(1, &m) && m.type == CTL_NET);
	start_again(&s, 1);
	cr_expect(!asked(1, &m), "once is enough");
	answer(1, 0, "");
	asked_to_start("");
	answer(0, 0, "");
	cr_expect_eq(answered(&reply), 0);
}

Test(start, a_network_device_that_returns_and_does_not_listen_is_waited_for)
{
	struct ctl_msg m;

	add_net("net0", (const uint8_t[6]){2, 0, 0, 0, 0, 1}, 1500, NULL);
	plan.proc[1].returns = true;
	s.proc[1].control = -1;
	cr_assert_eq(start(), 0);
	cr_expect(s.start.under_way && !asked(0, &m));
}

Test(start, an_end_in_between_reaches_the_client)
{
	struct reply reply;

	cr_assert_eq(start(), 0);
	end_vm(&s, END_KILLED, "killed on request", true);
	start_cut(&s); /* as the loop does */
	cr_expect_eq(answered(&reply), ESRCH);
	cr_expect(strstr(reply.text, "killed on request"), "%s", reply.text);
	cr_expect_eq(start(), -EINVAL);
	cr_expect_str_eq(err.msg, "cannot start a container that has stopped");
}

Test(start, without_a_client_a_refusal_is_the_end)
{
	cr_assert_eq(start_begin(&s, -1, &err), 0);
	answer(0, EINVAL, "kernel: too long");
	cr_expect_geq(s.stage, STAGE_ENDING);
	cr_expect_str_eq(s.state->detail, "kernel: too long");
}
