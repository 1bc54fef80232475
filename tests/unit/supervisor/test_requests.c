/* SPDX-License-Identifier: BSD-3-Clause */
/* What a supervisor refuses of what users ask by its control socket. */
#include "runtime/supervisor/requests.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/core/fdio.h"
#include "runtime/state/state.h"
#include "runtime/supervisor/client.h"
#include "tests/support/temp_dir.h"

static struct supervisor s;
static struct plan plan;
static const struct launch launch = {.plan = &plan};
static struct err err;

static void setup(void)
{
	temp_dir_make();
	memset(&s, 0, sizeof(s));
	memset(&plan, 0, sizeof(plan));
	s.launch = &launch;
	s.nr = 1;
	s.dir = open(temp_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s.state = calloc(1, sizeof(*s.state));
	s.log.fd = -1;
	spawned_init(&s.proc[0]);
	cr_assert_eq(loop_init(&s.loop, &err), 0);
	cr_assert_eq(requests_serve(&s, &err), 0, "%s", err.msg);
}

TestSuite(requests, .init = setup, .fini = temp_dir_remove, .timeout = 20);

static const char formless[] = "the request does not have the form it should";

/**
 * struct row - A request that is refused
 * @stage, @status: At which it comes
 * @files:	How many it brings
 * @op, @arg, @value: Of the request; @whole: its names are not terminated, "device" or "name"
 * @code, @text: The answer
 */
struct row {
	enum stage stage;
	enum state_status status;
	unsigned int files;
	uint32_t op, arg;
	uint64_t value;
	const char *whole;
	int code;
	const char *text;
};

static const struct row rows[] = {
	{STAGE_RUNNING, STATE_RUNNING, 0, 0, 0, 0, NULL, ENOSYS,
	 "the supervisor does not know this request"},
	{STAGE_RUNNING, STATE_RUNNING, 0, REQUEST_OPS, 0, 0, NULL, ENOSYS,
	 "the supervisor does not know this request"},
	{STAGE_RUNNING, STATE_RUNNING, 0, UINT32_MAX, 0, 0, NULL, ENOSYS,
	 "the supervisor does not know this request"},
	{STAGE_RUNNING, STATE_RUNNING, 1, REQUEST_KILL, 0, 0, NULL, EINVAL, formless},
	{STAGE_RUNNING, STATE_RUNNING, 0, REQUEST_CONSOLE, 0, 0, NULL, EINVAL, formless},
	{STAGE_RUNNING, STATE_RUNNING, 2, REQUEST_CONSOLE, 0, 0, NULL, EINVAL, formless},
	{STAGE_RUNNING, STATE_RUNNING, 1, REQUEST_EXEC, 0, 0, NULL, EINVAL, formless},
	{STAGE_RUNNING, STATE_RUNNING, REQUEST_FILES + 1, REQUEST_EXEC, 0, 0, NULL, EINVAL,
	 formless},
	{STAGE_RUNNING, STATE_RUNNING, 3, REQUEST_EXEC, REQUEST_EXEC_TERMINAL, 0, NULL, EINVAL,
	 formless},
	{STAGE_RUNNING, STATE_RUNNING, 2, REQUEST_EXEC, 4, 0, NULL, EINVAL, formless},
	{STAGE_RUNNING, STATE_RUNNING, 0, REQUEST_KILL, 0, 0, "device", EINVAL, formless},
	{STAGE_RUNNING, STATE_RUNNING, 0, REQUEST_KILL, 0, 0, "name", EINVAL, formless},
	{STAGE_RUNNING, STATE_PAUSED, 4, REQUEST_EXEC, 0, 0, NULL, EINVAL,
	 "cannot exec in a paused container"},
	{STAGE_RUNNING, STATE_RUNNING, 0, REQUEST_KILL, 65, 0, NULL, EINVAL, "no such signal"},
	{STAGE_RUNNING, STATE_RUNNING, 0, REQUEST_KILL, UINT32_MAX, 0, NULL, EINVAL,
	 "no such signal"},
	{STAGE_RUNNING, STATE_RUNNING, 0, REQUEST_PIDS_MAX, 0, 1ULL << 32, NULL, EINVAL,
	 "the number of processes is out of range"},
	{STAGE_CREATING, STATE_CREATING, 0, REQUEST_KILL, SIGTERM, 0, NULL, EBUSY,
	 "the container is being created"},
	{STAGE_CREATING, STATE_CREATING, 0, REQUEST_KILL, 0, 0, NULL, EBUSY,
	 "the container is being created"},
	{STAGE_CREATING, STATE_CREATING, 0, REQUEST_START, 0, 0, NULL, EINPROGRESS,
	 "the container is being created"},
	{STAGE_READY, STATE_CREATING, 0, REQUEST_PAUSE, 0, 0, NULL, EINPROGRESS,
	 "the container is being created"},
	{STAGE_CREATED, STATE_CREATED, 2, REQUEST_EXEC, 0, 0, NULL, EINVAL,
	 "the container is not running"},
	{STAGE_CREATED, STATE_CREATED, 0, REQUEST_PIDS_MAX, 0, 7, NULL, EINVAL,
	 "the container is not running"},
};

static void ask(const struct row *r, struct reply *ret)
{
	struct request q = {.magic = REQUEST_MAGIC, .op = r->op, .arg = r->arg, .value = r->value};
	const int file = eventfd(0, EFD_CLOEXEC), sock = client_connect(s.dir, &err);
	int files[REQUEST_FILES + 1];

	cr_assert_geq(sock, 0, "%s", err.msg);
	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++)
		files[i] = file;
	if (r->whole && strcmp(r->whole, "device") == 0)
		memset(q.device, 'x', sizeof(q.device));
	else if (r->whole)
		memset(q.name, 'x', sizeof(q.name));
	s.stage = r->stage;
	s.state->status = r->status;
	cr_assert_eq(fd_send(sock, &q, sizeof(q), files, r->files), 0);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
	cr_assert_eq(recv(sock, ret, sizeof(*ret), MSG_DONTWAIT), (ssize_t)sizeof(*ret));
	close(sock);
	close(file);
}

Test(requests, are_refused_with_a_reason)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct reply reply;

		ask(&rows[i], &reply);
		cr_expect_eq((int)reply.code, rows[i].code, "row %u: %s", i, reply.text);
		cr_expect_str_eq(reply.text, rows[i].text, "row %u", i);
		cr_expect_eq(s.stage, rows[i].stage, "row %u", i);
	}
}

Test(requests, that_are_none_get_no_answer)
{
	static const struct {
		uint32_t magic;
		size_t bytes;
	} none[] = {{REQUEST_MAGIC + 1, sizeof(struct request)},
		    {REQUEST_MAGIC, sizeof(struct request) - 1},
		    {REQUEST_MAGIC, 1}};

	s.stage = STAGE_RUNNING;
	for (unsigned int i = 0; i < ARRAY_SIZE(none); i++) {
		const struct request q = {.magic = none[i].magic, .op = REQUEST_KILL};
		const int sock = client_connect(s.dir, &err);
		char byte;

		cr_assert_eq(fd_send(sock, &q, none[i].bytes, NULL, 0), 0);
		for (int n = 0; n < 2; n++)
			cr_assert_eq(loop_once(&s.loop, 0, &err), 0);
		cr_expect_eq(recv(sock, &byte, 1, MSG_DONTWAIT), 0, "row %u", i);
		close(sock);
	}
}
