/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A hostile guest's process 1 and a hostile vsock device, before the supervisor's side of the protocol
 *
 * The supervisor runs in this process; guest, device and clients of exec are sockets in the harness's hand. Steps, an opcode byte
 * each, arguments behind it:
 *
 *   0 record   type, session, code, arg 0, arg 1: u8 each
 *   1 bytes    length u8, then so many: any record, or a piece of one
 *   2 call     the guest connects
 *   3 answer   u8: the device's oldest question; 0: well, else this errno
 *   4 exec     u8: odd: with a terminal
 *   5 ask      number of the client u8, op u8, argument u8: a further request
 *   6 leave    number of the client u8
 *   7 hang up
 *   8 late     all that is awaited is late
 *   9 signal   u8
 *   10 pause   u8: odd: paused, even: not
 *
 * A client hears at most that its program began and that it ended, and the end of its connection in any case. Nothing stays open.
 * Covers: runtime/supervisor/agent.c runtime/supervisor/session.c runtime/supervisor/session_late.c
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/plan/plan_types.h"
#include "runtime/state/state.h"
#include "runtime/supervisor/agent.h"
#include "runtime/supervisor/ask.h"
#include "runtime/supervisor/client.h"
#include "runtime/supervisor/end.h"
#include "runtime/supervisor/session_late.h"
#include "tests/fuzz/fuzz_input.h"

#define CLIENTS	 8
#define PROC	 1
#define NO_BLOCK (SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct supervisor s;
static struct state state;
static struct plan_proc planned[2];
static uint8_t spec[] = {2, 0, 0, 0, 2, 0, 0, 0, 'x', 0}; /* AGENT_ARG "x" */
static struct plan plan = {.proc = planned,
			   .nr_procs = 2,
			   .container = true,
			   .vsock.proc = PROC,
			   .spec = spec,
			   .spec_bytes = sizeof(spec)};
static struct launch wanted = {.plan = &plan};
static int null = -1, device, guest, began;
static int client[CLIENTS];
static unsigned int heard[CLIENTS];

static void on_began(struct supervisor *unused UNUSED, const struct err *failure UNUSED)
{
	began++;
}

static unsigned int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int nr = 0;

	vr_assert(d);
	while (readdir(d))
		nr++;
	(void)closedir(d);
	return nr;
}

static void begin(void)
{
	struct err err;
	int pair[2];

	wanted.stdio[0] = wanted.stdio[1] = null;
	memset(&s, 0, sizeof(s));
	state = (struct state){.status = STATE_RUNNING};
	s.launch = &wanted;
	s.stage = STAGE_RUNNING;
	s.state = &state;
	s.nr = 2;
	s.log.fd = s.report = s.dir = s.listen_fd = s.signal_fd = s.error_fd = -1;
	s.start.client = -1;
	memset(s.client, 0xff, sizeof(s.client));
	for (unsigned int i = 0; i < PLAN_PROCS_MAX; i++) {
		spawned_init(&s.proc[i]);
		s.restart[i].error_fd = -1;
	}
	s.drain.sink[0] = s.drain.sink[1] = -1;
	guest = -1;
	began = 0;
	memset(client, 0xff, sizeof(client));
	memset(heard, 0, sizeof(heard));
	spawn_init(&s.spawn);
	vr_assert(loop_init(&s.loop, &err) == 0);
	vr_assert(socketpair(AF_UNIX, NO_BLOCK, 0, pair) == 0);
	s.proc[PROC].control = pair[0];
	device = pair[1];
	vr_assert(agent_open(&s, &err) == 0 && agent_await(&s, on_began, &err) == 0);
}

/* The loop until nothing happens */
static void settle(void)
{
	struct err err;

	for (unsigned int i = 0; i < 8; i++)
		vr_assert(loop_once(&s.loop, 0, &err) == 0);
}

static void say(const void *bytes, size_t len)
{
	if (guest >= 0)
		(void)!send(guest, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	settle();
}

static void record(struct fuzz_input *in)
{
	struct agent_msg m = {.type = fuzz_get8(in)};

	m.session = fuzz_get8(in);
	m.code = fuzz_get8(in);
	m.arg[0] = fuzz_get8(in);
	m.arg[1] = fuzz_get8(in);
	say(&m, sizeof(m));
}

static void bytes(struct fuzz_input *in)
{
	const size_t wanted_len = fuzz_get8(in),
		     len = wanted_len < in->left ? wanted_len : in->left;

	say(in->at, len);
	in->at += len;
	in->left -= len;
}

static void answer(uint32_t code)
{
	static uint64_t port;
	struct ctl_msg m;
	int fd = -1;

	if (ctl_recv_fd(device, &m, &fd) != 1)
		return;
	if (m.type == CTL_VSOCK_FOUND && fd >= 0 && guest < 0)
		guest = TAKE_FD(fd);
	cleanup_close_fd(&fd);
	m = (struct ctl_msg){.type = CTL_DONE, .code = code, .value = {++port}};
	if (ask_is_open(&s, &s.proc[PROC]))
		ask_answered(&s, &s.proc[PROC], &m);
	settle();
}

static void call(void)
{
	const struct ctl_msg ask = {.type = CTL_VSOCK_ASK, .code = AGENT_PORT};

	if (s.stage == STAGE_RUNNING && s.ask[PROC].nr < ASK_MAX && agent_is_call(&s, &ask))
		agent_called(&s, &ask);
}

static void exec(bool terminal)
{
	const int fd[] = {null, null, null, null};
	unsigned int i = 0;
	struct err err;
	int pair[2];

	while (i < CLIENTS && client[i] >= 0)
		i++;
	if (i == CLIENTS || s.stage != STAGE_RUNNING)
		return;
	vr_assert(socketpair(AF_UNIX, NO_BLOCK, 0, pair) == 0);
	if (session_exec(&s, fd, terminal ? 2 : 4, terminal, pair[1], &err) < 0) {
		close(pair[0]);
		close(pair[1]);
		return;
	}
	client[i] = pair[0];
	heard[i] = 0;
}

/* What a client hears: a beginning and an end, or a failure; true at the end of its connection */
static bool listen_to(unsigned int i)
{
	struct reply r;
	ssize_t n;

	while ((n = recv(client[i], &r, sizeof(r), MSG_DONTWAIT)) > 0) {
		vr_assert(n == sizeof(r) && ++heard[i] <= 2);
		vr_assert(r.code == 0 || (heard[i] == 1 && r.text[0]));
	}
	return n == 0;
}

static void ask(struct fuzz_input *in)
{
	const unsigned int i = fuzz_get8(in) % CLIENTS;
	struct request q = {.magic = REQUEST_MAGIC, .op = fuzz_get8(in)};

	q.arg = fuzz_get8(in);
	q.value = q.arg * 0x10001ULL;
	if (client[i] >= 0)
		(void)!send(client[i], &q, sizeof(q), MSG_NOSIGNAL | MSG_DONTWAIT);
	settle();
}

static void leave(unsigned int i)
{
	if (client[i] < 0)
		return;
	(void)listen_to(i);
	close(TAKE_FD(client[i]));
	settle();
}

static void be_late(void)
{
	if (s.stage != STAGE_RUNNING)
		return;
	for (unsigned int i = 0; i < s.ask[PROC].nr; i++)
		s.ask[PROC].entry[(s.ask[PROC].first + i) % ASK_MAX].deadline_ns = 1;
	for (unsigned int i = 0; i < SESSIONS_MAX; i++)
		s.agent->session[i].asked_ns = s.agent->session[i].asked_ns ? 1 : 0;
	ask_late(&s);
	session_late(&s);
	if (agent_at_ns(&s) && s.stage == STAGE_RUNNING)
		agent_late(&s);
}

static void step(struct fuzz_input *in)
{
	struct err err;
	unsigned int n;

	switch (fuzz_get8(in) % 11) {
	case 0: record(in); break;
	case 1: bytes(in); break;
	case 2: call(); break;
	case 3: answer(fuzz_get8(in)); break;
	case 4: exec(fuzz_get8(in) & 1); break;
	case 5: ask(in); break;
	case 6: leave(fuzz_get8(in) % CLIENTS); break;
	case 7:
		cleanup_close_fd(&guest);
		guest = -1;
		settle();
		break;
	case 8: be_late(); break;
	case 9:
		n = fuzz_get8(in);
		(void)!agent_signal(&s, (int)(1 + n % 64), n & 128, &err);
		break;
	default: state.status = fuzz_get8(in) & 1 ? STATE_PAUSED : STATE_RUNNING; session_go_on(&s);
	}
}

/* As life.c does it */
static void end(void)
{
	if (s.stage == STAGE_RUNNING)
		end_vm(&s, END_KILLED, "the input is over", true);
	ask_cut(&s);
	agent_cut(&s);
	settle();
	vr_assert(s.ask[PROC].nr == 0 && began <= 1);
	for (unsigned int i = 0; i < CLIENTS; i++) {
		vr_assert(client[i] < 0 || listen_to(i));
		cleanup_close_fd(&client[i]);
	}
	agent_close(&s);
	cleanup_close_fd(&guest);
	close(device);
	cleanup_close_fd(&s.proc[PROC].control);
	loop_done(&s.loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	unsigned int files;

	null = null < 0 ? open("/dev/zero", O_RDWR | O_CLOEXEC) : null;
	files = open_files();
	begin();
	for (unsigned int i = 0; i < 400 && in.left > 0 && s.stage == STAGE_RUNNING; i++)
		step(&in);
	end();
	vr_assert(open_files() == files);
	return 0;
}
