/* SPDX-License-Identifier: BSD-3-Clause */
/* The client of exec, and a supervisor that the test plays. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "devices/core/fdio.h"
#include "runtime/supervisor/client_exec.h"
#include "tests/support/supervisor_rig.h"

static int peer; /* the connection of exec */
static struct client_exec e;
static struct err err;

static void setup(void)
{
	supervisor_listens();
	e = (struct client_exec){.sock = -1};
	err = (struct err){0};
}

static void teardown(void)
{
	client_exec_done(&e);
	close(listener);
	temp_dir_remove();
}

TestSuite(client_exec, .init = setup, .fini = teardown);

/* Begins one, with pipes in the places of its files; what arrives, and in *@ret_nr how many files do */
static struct request begin(bool terminal, unsigned int *ret_nr)
{
	int files[REQUEST_FILES], fds[FDIO_FDS_MAX];
	struct request q;

	for (unsigned int i = 0; i < REQUEST_FILES; i++)
		files[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	cr_assert_eq(client_exec_begin(dir, files, terminal ? REQUEST_EXEC_TERMINAL : 0, &e, &err),
		     0, "%s", err.msg);
	peer = accept(listener, NULL, NULL);
	cr_assert_eq(fd_recv(peer, &q, sizeof(q), fds, ret_nr), sizeof(q));
	return q;
}

static struct request heard(void)
{
	struct request q = {0};

	cr_assert_eq(recv(peer, &q, sizeof(q), MSG_DONTWAIT), sizeof(q));
	cr_expect_eq(q.magic, REQUEST_MAGIC);
	return q;
}

static void say(uint32_t code, uint64_t value, const char *text)
{
	struct reply r = {.code = code, .value = {value}};

	strncpy(r.text, text, sizeof(r.text) - 1);
	cr_assert_eq(send(peer, &r, sizeof(r), 0), sizeof(r));
}

Test(client_exec, asks_with_its_files)
{
	unsigned int nr;
	struct request q = begin(false, &nr);

	cr_expect_eq(q.magic, REQUEST_MAGIC);
	cr_expect_eq(q.op, REQUEST_EXEC);
	cr_expect_eq(q.arg, 0);
	cr_expect_eq(nr, 4, "a description and three streams");
	client_exec_done(&e);
	q = begin(true, &nr);
	cr_expect_eq(q.arg, REQUEST_EXEC_TERMINAL);
	cr_expect_eq(nr, 2, "a description and a terminal");
}

Test(client_exec, ends_with_the_status_of_the_program)
{
	unsigned int nr;

	begin(false, &nr);
	cr_assert_eq(client_exec_hear(&e, NULL, &err), 0);
	cr_expect(!e.started && !e.ended, "there was nothing to hear");
	say(0, 0, "");
	cr_assert_eq(client_exec_hear(&e, NULL, &err), 0);
	cr_expect(e.started && !e.ended);
	say(0, 7, "");
	cr_assert_eq(client_exec_hear(&e, NULL, &err), 0);
	cr_expect(e.started && e.ended);
	cr_expect_eq(e.status, 7);
}

Test(client_exec, passes_signals_and_sizes_on)
{
	unsigned int nr;
	struct request q;

	begin(true, &nr);
	client_exec_signal(&e, 64);
	client_exec_size(&e, 65535, 24);
	q = heard();
	cr_expect(q.op == REQUEST_SIGNAL && q.arg == 64);
	q = heard();
	cr_expect(q.op == REQUEST_SIZE && q.value == (65535ULL << 16 | 24));
	/* To a supervisor that is gone: no SIGPIPE */
	close(peer);
	client_exec_signal(&e, 15);
}

Test(client_exec, says_why_the_program_does_not_run)
{
	unsigned int nr;

	begin(false, &nr);
	say(ENOENT, 127, "exec: \"/x\": no such file or directory");
	cr_expect_eq(client_exec_hear(&e, NULL, &err), -ENOENT);
	cr_expect_str_eq(err.msg, "exec: \"/x\": no such file or directory");
	cr_expect_eq(e.status, 127);
}

Test(client_exec, an_error_without_a_status_is_255)
{
	unsigned int nr;

	begin(false, &nr);
	say(EBUSY, 0, "the container is paused");
	cr_expect_eq(client_exec_hear(&e, NULL, &err), -EBUSY);
	cr_expect_eq(e.status, 255);
}

/* What a supervisor that is broken might say never looks like success. */
Test(client_exec, a_status_that_no_program_has_is_255)
{
	unsigned int nr;

	begin(false, &nr);
	say(0, 0, "");
	say(0, 256, "");
	cr_assert_eq(client_exec_hear(&e, NULL, &err), 0);
	cr_assert_eq(client_exec_hear(&e, NULL, &err), 0);
	cr_expect(e.ended && e.status == 255);
}

static void keep_warning(void *arg, const char *text)
{
	*(const char **)arg = strdup(text);
}

Test(client_exec, warnings_come_before_the_answer)
{
	const char *warning = NULL;
	const struct warn_to warn = {keep_warning, &warning};
	unsigned int nr;

	begin(false, &nr);
	say(REPLY_WARNING, 0, "careful");
	cr_assert_eq(client_exec_hear(&e, &warn, &err), 0);
	cr_expect_str_eq(warning, "careful");
	cr_expect(!e.started);
}

Test(client_exec, a_supervisor_that_dies_is_a_container_that_is_gone)
{
	unsigned int nr;

	begin(false, &nr);
	close(peer);
	cr_expect_eq(client_exec_hear(&e, NULL, &err), -ESRCH);
	cr_expect_str_eq(err.msg, "container not running");
	cr_expect_eq(e.status, 255);
	client_exec_done(&e);
	begin(false, &nr);
	say(0, 0, "");
	cr_assert_eq(client_exec_hear(&e, NULL, &err), 0);
	close(peer);
	cr_assert_eq(client_exec_hear(&e, NULL, &err), 0);
	cr_expect(e.ended && e.status == 137);
}

Test(client_exec, needs_a_supervisor)
{
	const int files[REQUEST_FILES] = {0, 0, 1, 2};

	close(listener);
	cr_expect_eq(client_exec_begin(dir, files, 0, &e, &err), -ESRCH);
	cr_expect_str_eq(err.msg, "container not running");
}
