/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/init_rig.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "cmd/vmrun-init/agent.h"
#include "devices/core/fdio.h"
#include "tests/support/temp_dir.h"

#define RIG_WAIT_MS 30000

static int rig_host = -1, rig_hand = -1;
static pid_t rig_pid;
static uint32_t rig_port = 5000;

static int rig_accept(int listener, uint32_t *ret_port)
{
	int fds[FDIO_FDS_MAX];
	unsigned int n = 0;

	if (fd_recv(listener, ret_port, sizeof(*ret_port), fds, &n) != sizeof(*ret_port) || n != 1)
		_exit(9);
	return fds[0];
}

const char *rig_path(const char *in_share)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", temp_dir, in_share);
	return path;
}

static void rig_make_root(void)
{
	static const char *const dirs[] = {"root",     "root/bin", "root/proc", "root/dev",
					   "root/etc", "root/tmp", "root/sys"};
	char command[512];

	for (unsigned int i = 0; i < ARRAY_SIZE(dirs); i++)
		cr_assert_eq(mkdir(rig_path(dirs[i]), 0755), 0);
	snprintf(command, sizeof(command),
		 "cp $(command -v busybox) %s/root/bin/busybox && "
		 "for a in $(busybox --list); do [ $a = busybox ] || ln -s busybox %s/root/bin/$a; "
		 "done",
		 temp_dir, temp_dir);
	cr_assert_eq(system(command), 0);
}

static void rig_note_began(void)
{
	int fd = open(rig_path("began"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, "!", 1) != 1)
		_exit(7);
	close(fd);
}

NORETURN static void rig_agent(int control, int listener)
{
	static struct agent a;
	const struct agent_config config = {
		.share = temp_dir, .cgroup = -1, .accept = rig_accept, .began = rig_note_began};
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	close(rig_host);
	close(rig_hand);
	rc = agent_run(&a, &config, control, listener);
	_exit(rc < 0 ? 8 : 0);
}

unsigned int rig_began(void)
{
	struct stat st;

	return stat(rig_path("began"), &st) == 0 ? (unsigned int)st.st_size : 0;
}

void rig_start(void)
{
	int control[2], hand[2];

	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0)
		cr_skip_test("mount namespaces need root");
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	temp_dir_make();
	rig_make_root();
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, hand), 0);
	rig_host = control[0];
	rig_hand = hand[0];
	rig_pid = fork();
	if (rig_pid == 0)
		rig_agent(control[1], hand[1]);
	close(control[1]);
	close(hand[1]);
	cr_assert_eq(rig_expect(AGENT_HELLO, 0).code, AGENT_VERSION);
}

void rig_stop(void)
{
	int status;

	if (rig_pid <= 0)
		return;
	close(rig_host);
	cr_expect_eq(waitpid(rig_pid, &status, 0), rig_pid);
	cr_expect_eq(status, 0, "the agent ended with %#x", status);
	rig_pid = 0;
	temp_dir_remove();
}

static void rig_append(struct rig_spec *s, const void *data, size_t len)
{
	cr_assert(len <= sizeof(s->bytes) - s->len);
	if (len)
		memcpy(s->bytes + s->len, data, len);
	s->len += len;
}

void rig_item(struct rig_spec *s, enum agent_item_type type, const void *data, size_t len,
	      unsigned int nr, ...)
{
	struct agent_item head = {.type = (uint16_t)type};
	size_t at = s->len;
	va_list ap;

	rig_append(s, &head, sizeof(head));
	rig_append(s, data, len);
	va_start(ap, nr);
	while (nr-- > 0) {
		const char *text = va_arg(ap, const char *);

		rig_append(s, text, strlen(text) + 1);
	}
	va_end(ap);
	head.bytes = (uint32_t)(s->len - at - sizeof(head));
	memcpy(s->bytes + at, &head, sizeof(head));
}

void rig_text(struct rig_spec *s, enum agent_item_type type, const char *text)
{
	rig_item(s, type, NULL, 0, 1, text);
}

void rig_program(struct rig_spec *s, const struct agent_process *p, const struct agent_caps *caps,
		 const char *cwd, const char *const *args)
{
	static const struct agent_process root;

	rig_item(s, AGENT_PROCESS, p ? p : &root, sizeof(*p), 1, cwd);
	for (; *args; args++)
		rig_text(s, AGENT_ARG, *args);
	rig_text(s, AGENT_ENV, "PATH=/usr/bin:/bin");
	if (caps)
		rig_item(s, AGENT_CAPS, caps, sizeof(*caps), 0);
}

void rig_process(struct rig_spec *s, const char *command)
{
	const struct agent_caps caps = {RIG_ALL_CAPS, RIG_ALL_CAPS, 0, RIG_ALL_CAPS, 0};

	rig_program(s, NULL, &caps, "/", (const char *[]){"/bin/sh", "-c", command, NULL});
}

void rig_mount(struct rig_spec *s, const char *at, const char *source, const char *type,
	       uint64_t set, uint32_t flags, const char *data)
{
	struct agent_mount m = {.flags = flags, .set = set};

	rig_item(s, AGENT_MOUNT, &m, sizeof(m), 4, at, source, type, data);
}

void rig_container(struct rig_spec *s)
{
	const struct agent_root root = {0};

	rig_item(s, AGENT_ROOT, &root, sizeof(root), 1, "root");
	rig_mount(s, "/proc", "proc", "proc", 0, 0, "");
	rig_mount(s, "/dev", "tmpfs", "tmpfs", MS_NOSUID | MS_STRICTATIME, 0,
		  "mode=755,size=65536k");
	rig_mount(s, "/dev/pts", "devpts", "devpts", MS_NOSUID | MS_NOEXEC, 0,
		  "newinstance,ptmxmode=0666,mode=0620,gid=5");
}

int rig_stream(uint32_t *ret_port)
{
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	*ret_port = rig_port++;
	cr_assert_eq(fd_send(rig_hand, ret_port, sizeof(*ret_port), &ends[1], 1), 0);
	close(ends[1]);
	return ends[0];
}

struct rig_session rig_run(uint32_t id, const struct rig_spec *s, bool terminal)
{
	struct agent_msg m = {.type = AGENT_RUN, .session = id};
	struct rig_session r = {.id = id, .in = -1, .out = -1, .errors = -1};
	int spec = rig_stream(&m.port[AGENT_SPEC]);

	r.in = rig_stream(&m.port[AGENT_STDIN]);
	if (!terminal) {
		r.out = rig_stream(&m.port[AGENT_STDOUT]);
		r.errors = rig_stream(&m.port[AGENT_STDERR]);
	}
	cr_assert_eq(write(rig_host, &m, sizeof(m)), (ssize_t)sizeof(m));
	/* A session that fails at once has closed it. */
	(void)!fd_write_full(spec, s->bytes, s->len);
	close(spec);
	return r;
}

static void rig_wait(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	cr_assert_eq(poll(&p, 1, RIG_WAIT_MS), 1, "nothing comes");
}

struct agent_msg rig_hear(void)
{
	struct agent_msg m;

	rig_wait(rig_host);
	cr_assert_eq(recv(rig_host, &m, sizeof(m), MSG_WAITALL), (ssize_t)sizeof(m));
	return m;
}

struct agent_msg rig_expect(enum agent_type type, uint32_t session)
{
	struct agent_msg m = rig_hear();

	cr_assert(m.type == type && m.session == session,
		  "message %u of session %u: code %u, %u, %u; not message %d of session %u", m.type,
		  m.session, m.code, m.arg[0], m.arg[1], type, session);
	return m;
}

void rig_say(enum agent_type type, uint32_t session, uint32_t code, uint32_t arg0, uint32_t arg1)
{
	struct agent_msg m = {.type = type, .session = session, .code = code, .arg = {arg0, arg1}};

	cr_assert_eq(write(rig_host, &m, sizeof(m)), (ssize_t)sizeof(m));
}

int rig_control(void)
{
	return rig_host;
}

const char *rig_read(int *fd)
{
	static char text[4][65536];
	static unsigned int turn;
	char *to = text[turn++ % 4];
	size_t len = 0;
	ssize_t n;

	do {
		rig_wait(*fd);
		n = read(*fd, to + len, sizeof(text[0]) - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	to[len] = '\0';
	close(TAKE_FD(*fd));
	return to;
}

void rig_until(int fd, const char *text)
{
	char got[4096] = "";
	size_t len = 0;

	while (!strstr(got, text)) {
		ssize_t n;

		rig_wait(fd);
		n = read(fd, got + len, sizeof(got) - 1 - len);
		cr_assert_gt(n, 0, "the end comes before \"%s\": %s", text, got);
		len += (size_t)n;
		got[len] = '\0';
	}
}

void rig_write(int fd, const char *text)
{
	cr_assert_eq(fd_write_full(fd, text, strlen(text)), 0);
}

const char *rig_sh(const struct rig_spec *extra, const char *command, uint32_t *ret_status)
{
	static struct rig_spec s;
	struct rig_session r;
	const char *said;

	s.len = 0;
	rig_container(&s);
	if (extra)
		rig_append(&s, extra->bytes, extra->len);
	rig_process(&s, command);
	r = rig_run(0, &s, false);
	rig_expect(AGENT_STARTED, 0);
	close(r.in);
	said = rig_read(&r.out);
	*ret_status = rig_expect(AGENT_EXITED, 0).code;
	cr_expect_str_eq(rig_read(&r.errors), "");
	return said;
}

uint32_t rig_fails(const struct rig_spec *s, enum agent_step step, int code)
{
	struct rig_session r = rig_run(0, s, false);
	struct agent_msg m = rig_expect(AGENT_FAILED, 0);

	cr_expect_eq(m.arg[0], step, "step %u, not %d", m.arg[0], step);
	cr_expect_eq(m.code, code, "%s", strerror((int)m.code));
	close(r.in);
	close(r.out);
	close(r.errors);
	return m.arg[1];
}
