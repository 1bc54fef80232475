/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The supervisor between hostile users and hostile jailed processes
 *
 * The processes are sockets: VMM, network device, console, balloon, vsock, entropy source; beside them the VM
 * has a back-end of others. Steps, an opcode byte each (modulo their number), arguments behind it, numbers
 * little endian:
 *
 *   0 say      process u8, type u8, code u16, arg u8, value u8, text u8: a message on its control socket
 *   1 raw      process u8, bytes u16, the bytes: sent there as they are
 *   2 ask      operation u8, arg u8, value u16 shifted left by u8, name u8, files u8 (low nibble: how many;
 *              high nibble: which kind): a user's request
 *   3 request  bytes u8, the bytes, after the magic number
 *   4 connect  a user who does not ask
 *   5 leave    user u8
 *   6 log      process u8, bytes u8, the bytes: a packet in its log
 *   7 created  the launcher has acknowledged, if all are ready
 *   8 late     which u8: questions, or the doubt, are as old as they may get; or logs have a budget again
 *   9 hang up  process u8
 *  10 dies     process u8, status u8: by a signal, or exits with 0x80
 *
 * Each user gets one answer, and warnings before it. What the processes hear is what the supervisor may say.
 * The VM runs only after the VMM was asked to start it, and ends for a reason of the guest's only after the
 * VMM has said so while it ran. At the end no fd is left. tests/fuzz/seeds_supervisor writes the corpus.
 * Covers: runtime/supervisor/watch.c runtime/supervisor/requests.c runtime/supervisor/ask.c
 * Covers: runtime/supervisor/start.c runtime/supervisor/pause.c runtime/supervisor/balloon.c
 * Covers: runtime/supervisor/console.c runtime/supervisor/failure.c runtime/supervisor/end.c
 * Covers: runtime/supervisor/reply.c runtime/supervisor/child.c runtime/supervisor/lines.c devices/core/ctl.c
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "runtime/plan/plan.h"
#include "runtime/plan/plan_settings.h"
#include "runtime/state/state_dir.h"
#include "runtime/supervisor/ask.h"
#include "runtime/supervisor/client.h"
#include "runtime/supervisor/end.h"
#include "runtime/supervisor/failure.h"
#include "runtime/supervisor/lines.h"
#include "runtime/supervisor/requests.h"
#include "runtime/supervisor/start.h"
#include "runtime/supervisor/vsock.h"
#include "runtime/supervisor/watch.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_open.h"

#define PROCS	6
#define USERS	24
#define RAW_MAX 600 /* more than any message has */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	const char *name;
	enum kind_id kind;
} rows[PROCS] = {{"vmm", KINDS},
		 {"net0", KIND_NET},
		 {"console0", KIND_CONSOLE},
		 {"balloon0", KIND_BALLOON},
		 {"vsock0", KIND_VSOCK},
		 {"rng0", KIND_RNG}};
static const char *const words[] = {"",
				    "vmm",
				    "net0",
				    "console0",
				    "balloon0",
				    "rng0",
				    "disk0",
				    "device net0: gone",
				    "device disk0: gone",
				    "org.example.agent",
				    "a\nline\033"};

static struct plan_proc planned[PROCS];
static struct plan plan;
static struct launch launch;
static int kind_of_fd[3];
static char dir[] = "/dev/shm/vmrun-fuzz-XXXXXX";

struct fuzz {
	struct fuzz_input in;
	int process[PROCS], log[PROCS]; /* their ends */
	int user[USERS];
	bool answered[USERS];
	unsigned int nr_users;
	bool asked_to_start;
	uint32_t guest_ended; /* a bit for each cause that the VMM named while the guest ran */
	enum stage stage;
	struct supervisor s;
};

/* ---- set-up ---- */

static void remove_dir(void)
{
	char path[sizeof(dir) + 16];
	static const char *const files[] = {STATE_FILE, STATE_CONTROL, STATE_VSOCK};

	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++) {
		fmt_into(path, sizeof(path), "%s/%s", dir, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

/* What no input changes for the next one, but for settings */
static void prepare(void)
{
	signal(SIGPIPE, SIG_IGN);
	vr_assert(mkdtemp(dir) && atexit(remove_dir) == 0);
	kind_of_fd[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	kind_of_fd[1] = eventfd(0, EFD_CLOEXEC);
	kind_of_fd[2] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	for (unsigned int i = 1; i < PROCS; i++)
		planned[i].kind = &kind_table[rows[i].kind];
	planned[1].returns = planned[2].returns = true;
	planned[0].fd[BOOT_FD_DEVICE + PROCS - 1] = (struct plan_fd){
		.source = PLAN_FD_SOCKET,
		.path = (char[]){"/nonexistent"},
		.pointer = (char[]){"/x"}};
	plan = (struct plan){
		.proc = planned, .nr_procs = PROCS, .nr_others = 1, .vsock = {.proc = 4}};
	fmt_into(plan.other[0].name, sizeof(plan.other[0].name), "disk0");
	plan.other[0].returns = true;
	launch = (struct launch){.plan = &plan, .root = dir};
}

static void start_process(struct fuzz *f, unsigned int i)
{
	struct spawned *p = &f->s.proc[i];
	int control[2], log[2];

	vr_assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, control) ==
		  0);
	vr_assert(pipe2(log, O_NONBLOCK | O_DIRECT | O_CLOEXEC) == 0);
	spawned_init(p);
	fmt_into(p->name, sizeof(p->name), "%s", rows[i].name);
	p->control = control[0];
	f->process[i] = control[1];
	p->log = log[0];
	f->log[i] = log[1];
	p->jailed = (struct jailed){1,
				    eventfd(0, EFD_CLOEXEC)}; /* no pidfd: no signal can be sent */
	vr_assert(watch_process(&f->s, i, &(struct err){0}) == 0);
}

static void start(struct fuzz *f)
{
	const struct console_settings console = {.cols = 80, .rows = 25, .nr_ports = 1};
	const struct balloon_settings balloon = {.deflate_on_oom = 1};
	const struct vsock_settings vsock = {.cid = 3, .conns = 16};
	struct supervisor *s = &f->s;

	plan_set_settings(&planned[2], &console, sizeof(console));
	plan_set_settings(&planned[3], &balloon, sizeof(balloon));
	plan_set_settings(&planned[4], &vsock, sizeof(vsock));
	s->launch = &launch;
	s->report = s->host_net = s->error_fd = s->start.client = s->log.fd = -1;
	s->drain.sink[0] = s->drain.sink[1] = -1;
	spawn_init(&s->spawn);
	s->state = calloc(1, sizeof(*s->state));
	vr_assert(s->state);
	s->state->status = STATE_CREATED;
	s->state->nr_others = 1;
	s->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)unlinkat(s->dir, STATE_CONTROL, 0);
	vr_assert(loop_init(&s->loop, &(struct err){0}) == 0);
	for (; s->nr < PROCS; s->nr++)
		start_process(f, s->nr);
	vr_assert(vsock_open(s, &(struct err){0}) == 0);
	vr_assert(requests_serve(s, &(struct err){0}) == 0);
}

/* ---- the processes ---- */

static unsigned int get_process(struct fuzz *f)
{
	return fuzz_get8(&f->in) % PROCS;
}

static const char *get_word(struct fuzz *f)
{
	return words[fuzz_get8(&f->in) % ARRAY_SIZE(words)];
}

static void send_from(struct fuzz *f, unsigned int i, const void *bytes, size_t len)
{
	struct ctl_msg m;

	if (f->process[i] < 0 || send(f->process[i], bytes, len, MSG_DONTWAIT) < 0 ||
	    len != sizeof(m))
		return;
	memcpy(&m, bytes, len);
	if (i == 0 && m.type == CTL_ENDED && f->s.stage == STAGE_RUNNING && m.code < END_CAUSES)
		f->guest_ended |= 1U << m.code;
}

static void say(struct fuzz *f)
{
	unsigned int i = get_process(f);
	struct ctl_msg m = {.type = fuzz_get8(&f->in), .code = fuzz_get16(&f->in)};

	m.arg = fuzz_get8(&f->in);
	m.value[0] = fuzz_get8(&f->in);
	fmt_into(m.text, sizeof(m.text), "%s", get_word(f));
	send_from(f, i, &m, sizeof(m));
}

static void say_raw(struct fuzz *f)
{
	uint8_t bytes[RAW_MAX];
	unsigned int i = get_process(f);
	size_t len = fuzz_get16(&f->in) % (sizeof(bytes) + 1);

	fuzz_get(&f->in, bytes, len);
	send_from(f, i, bytes, len);
}

static void write_log(struct fuzz *f)
{
	uint8_t bytes[UINT8_MAX];
	unsigned int i = get_process(f);
	size_t len = fuzz_get8(&f->in);

	fuzz_get(&f->in, bytes, len);
	if (f->log[i] >= 0)
		(void)!write(f->log[i], bytes, len);
}

/* Its supervisor sees a pidfd that is readable, and that it was waited for. */
static void die(struct fuzz *f)
{
	struct spawned *p = &f->s.proc[get_process(f)];
	unsigned int status = fuzz_get8(&f->in);

	if (!p->jailed.pid)
		return;
	p->was = p->jailed.pid;
	p->jailed.pid = 0;
	p->left = status & 0x80;
	p->status = status & 0x7f;
	vr_assert(eventfd_write(p->jailed.pidfd, 1) == 0);
}

static void hear_process(struct fuzz *f, unsigned int i)
{
	struct ctl_msg m;
	int fd, rc;

	while (f->process[i] >= 0 && (rc = ctl_recv_fd(f->process[i], &m, &fd)) == 1) {
		vr_assert(m.type > CTL_ENDED && m.type != CTL_DONE && m.type != CTL_LATE &&
			  m.type != CTL_VSOCK_ASK && m.type < CTL_LEFT && m.type != CTL_LOST);
		vr_assert((m.type >= CTL_CMDLINE && m.type <= CTL_RESUME) || m.type == CTL_DEVICE
				  ? i == 0
				  : i > 0);
		f->asked_to_start |= m.type == CTL_START;
		cleanup_close_fd(&fd);
	}
	if (f->process[i] >= 0)
		vr_assert(rc == 0 || rc == -EAGAIN);
}

/* ---- the users ---- */

static int connect_user(struct fuzz *f)
{
	struct sockaddr_un sun;
	socklen_t len = client_address(f->s.dir, &sun);
	int fd;

	if (f->nr_users == USERS)
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	vr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&sun, len) == 0);
	f->user[f->nr_users++] = fd;
	return fd;
}

static void ask(struct fuzz *f)
{
	struct request q = {.magic = REQUEST_MAGIC, .op = fuzz_get8(&f->in) % (REQUEST_OPS + 1)};
	unsigned int files;
	int fd[16], sock = connect_user(f);

	q.arg = fuzz_get8(&f->in);
	q.value = fuzz_get16(&f->in);
	q.value <<= fuzz_get8(&f->in) % 48;
	fmt_into(q.name, sizeof(q.name), "%s", get_word(f));
	files = fuzz_get8(&f->in);
	for (unsigned int i = 0; i < ARRAY_SIZE(fd); i++)
		fd[i] = kind_of_fd[(files >> 4) % ARRAY_SIZE(kind_of_fd)];
	if (sock >= 0)
		(void)!fd_send(sock, &q, sizeof(q), fd, files % (FDIO_FDS_MAX + 1));
}

static void ask_raw(struct fuzz *f)
{
	struct {
		uint32_t magic;
		uint8_t bytes[UINT8_MAX];
	} q = {.magic = REQUEST_MAGIC};
	size_t len = fuzz_get8(&f->in);
	int sock = connect_user(f);

	fuzz_get(&f->in, q.bytes, len);
	if (sock >= 0)
		(void)!send(sock, &q, sizeof(q.magic) + len, MSG_NOSIGNAL);
}

static void hear_user(struct fuzz *f, unsigned int i)
{
	struct reply r;
	ssize_t n;

	while (f->user[i] >= 0 && (n = recv(f->user[i], &r, sizeof(r), MSG_TRUNC)) > 0) {
		vr_assert(n == sizeof(r) && memchr(r.text, 0, sizeof(r.text)) && !f->answered[i]);
		vr_assert(r.code == REPLY_WARNING || r.code < 4096);
		vr_assert(r.code == 0 || r.text[0]);
		f->answered[i] = r.code != REPLY_WARNING;
	}
}

static void close_fd(int *fd)
{
	cleanup_close_fd(fd);
	*fd = -1;
}

/* ---- the supervisor ---- */

static void acknowledge(struct fuzz *f)
{
	bool ready = f->s.stage == STAGE_CREATING;

	for (unsigned int i = 0; i < PROCS; i++)
		ready = ready && f->s.proc[i].ready;
	if (ready)
		f->s.stage = STAGE_CREATED;
}

static void be_late(struct fuzz *f)
{
	struct supervisor *s = &f->s;

	switch (fuzz_get8(&f->in) % 3) {
	case 0:
		for (unsigned int i = 0; i < PROCS; i++)
			for (unsigned int n = 0; n < ASK_MAX; n++)
				s->ask[i].entry[n].deadline_ns = 0;
		ask_late(s);
		break;
	case 1:
		if (s->deadline_ns)
			watch_deadline(s);
		break;
	case 2: lines_again(s); break;
	}
}

/* As life_serve() does it */
static void turn(struct supervisor *s)
{
	for (unsigned int i = 0; i < 4; i++)
		vr_assert(loop_once(&s->loop, 0, &(struct err){0}) == 0);
	if (s->stage < STAGE_ENDING)
		return;
	ask_cut(s);
	start_cut(s);
}

static void check(struct fuzz *f)
{
	const struct supervisor *s = &f->s;
	const enum end_cause cause = s->state->cause;

	vr_assert(s->stage >= f->stage);
	vr_assert(s->stage != STAGE_RUNNING || f->asked_to_start);
	vr_assert(cause < END_POWEROFF || cause > END_KVM_ERROR || f->guest_ended & 1U << cause);
	vr_assert(memchr(s->accused, 0, sizeof(s->accused)));
	vr_assert(memchr(s->state->detail, 0, sizeof(s->state->detail)));
	for (unsigned int i = 0; i < PROCS; i++)
		vr_assert(s->ask[i].nr <= ASK_MAX &&
			  (s->stage < STAGE_ENDING || s->ask[i].nr == 0));
	f->stage = s->stage;
}

static void step(struct fuzz *f)
{
	switch (fuzz_get8(&f->in) % 11) {
	case 0: say(f); break;
	case 1: say_raw(f); break;
	case 2: ask(f); break;
	case 3: ask_raw(f); break;
	case 4: (void)connect_user(f); break;
	case 5: close_fd(&f->user[fuzz_get8(&f->in) % USERS]); break;
	case 6: write_log(f); break;
	case 7: acknowledge(f); break;
	case 8: be_late(f); break;
	case 9: close_fd(&f->process[get_process(f)]); break;
	case 10: die(f); break;
	}
	turn(&f->s);
	for (unsigned int i = 0; i < PROCS; i++)
		hear_process(f, i);
	for (unsigned int i = 0; i < f->nr_users; i++)
		hear_user(f, i);
	check(f);
}

static void finish(struct fuzz *f)
{
	struct supervisor *s = &f->s;

	end_vm(s, END_KILLED, "the input is over", true);
	turn(s);
	for (unsigned int i = 0; i < SUPERVISOR_CLIENTS; i++)
		cleanup_close_fd(&s->client[i]);
	for (unsigned int i = 0; i < SUPERVISOR_USERS; i++)
		if (s->user[i].ticket)
			close(s->user[i].fd);
	for (unsigned int i = 0; i < PROCS; i++) {
		spawned_done(&s->proc[i]);
		cleanup_close_fd(&f->process[i]);
		cleanup_close_fd(&f->log[i]);
	}
	for (unsigned int i = 0; i < USERS; i++)
		cleanup_close_fd(&f->user[i]);
	vsock_close(s);
	loop_done(&s->loop);
	close(s->signal_fd);
	close(s->listen_fd);
	close(s->dir);
	state_free(s->state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	unsigned int before;

	if (!launch.plan)
		prepare();
	before = fuzz_open_fds();
	f = (struct fuzz){.in = {data, size}};
	for (unsigned int i = 0; i < USERS; i++)
		f.user[i] = -1;
	start(&f);
	while (f.in.left > 0)
		step(&f);
	finish(&f);
	vr_assert(fuzz_open_fds() == before);
	return 0;
}
