/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "devices/core/fmt.h"

/* Makes a pipe the log; returns its read end */
static int log_to_pipe(enum log_level max, int *ret_write_end)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	log_init(fds[1], max);
	*ret_write_end = fds[1];
	return fds[0];
}

/* All that was logged so far */
static const char *logged(int fd)
{
	static char text[8192];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

Test(log, a_line_has_its_level)
{
	int w, r = log_to_pipe(LOG_LEVEL_DEBUG, &w);

	log_err("disk %s", "gone");
	log_warn("w %d", 1);
	log_info("i");
	log_debug("d");
	cr_assert_str_eq(logged(r), "E disk gone\nW w 1\nI i\nD d\n");
}

Test(log, lines_above_the_level_are_dropped)
{
	struct log_limit limit = {0};
	int w, r = log_to_pipe(LOG_LEVEL_WARN, &w);

	log_info("no");
	log_debug("no");
	log_limited(&limit, LOG_LEVEL_INFO, "no");
	log_warn("yes");
	cr_assert_str_eq(logged(r), "W yes\n");
	cr_assert_eq(limit.in_window, 0);
}

Test(log, no_fd_drops_everything)
{
	int w, r = log_to_pipe(LOG_LEVEL_DEBUG, &w);

	log_init(-1, LOG_LEVEL_DEBUG);
	log_err("x");
	cr_assert_str_eq(logged(r), "");
}

Test(log, a_line_cannot_forge_another)
{
	int w, r = log_to_pipe(LOG_LEVEL_INFO, &w);

	log_info("name \"%s\"", "a\nE forged\r\x1b[31m\x7f\xc3\xa4");
	cr_assert_str_eq(logged(r), "I name \"a?E forged??[31m?\xc3\xa4\"\n");
}

Test(log, a_long_line_is_cut_and_ended)
{
	int w, r = log_to_pipe(LOG_LEVEL_INFO, &w);
	char text[2 * LOG_LINE_BYTES];
	const char *got;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	got = logged(r);
	cr_assert_eq(strlen(got), LOG_LINE_BYTES);
	cr_assert_eq(strchr(got, '\n'), got + LOG_LINE_BYTES - 1);
}

Test(log, a_full_pipe_loses_the_line, .timeout = 20)
{
	int w, r = log_to_pipe(LOG_LEVEL_INFO, &w);
	char page[4096] = {0};
	int size = fcntl(w, F_GETPIPE_SZ);

	for (int i = 0; i < size / (int)sizeof(page); i++)
		cr_assert_eq(write(w, page, sizeof(page)), (ssize_t)sizeof(page));
	log_info("must not block");
	close(r);
}

Test(log, a_closed_pipe_loses_the_line)
{
	int w, r = log_to_pipe(LOG_LEVEL_INFO, &w);

	close(r);
	log_info("must not kill");
}

Test(log, budget_of_a_call_site)
{
	struct log_limit limit = {0};
	int w, r = log_to_pipe(LOG_LEVEL_INFO, &w);
	struct timespec now;

	/* A window that began just now, whatever the machine's uptime. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	limit.window_start_ns = (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
	for (int i = 0; i < 8; i++)
		log_limited(&limit, LOG_LEVEL_WARN, "line %d", i);
	cr_assert_str_eq(logged(r), "W line 0\nW line 1\nW line 2\nW line 3\nW line 4\n");
	cr_assert_eq(limit.dropped, 3);

	/* Ten seconds later, without waiting for them. */
	limit.window_start_ns -= 10000000000ULL;
	log_limited(&limit, LOG_LEVEL_WARN, "later");
	log_limited(&limit, LOG_LEVEL_WARN, "and on");
	cr_assert_str_eq(logged(r), "W [3 like it dropped] later\nW and on\n");
	cr_assert_eq(limit.dropped, 0);
}

Test(log, a_failed_assertion_is_logged_and_traps)
{
	int w, r = log_to_pipe(LOG_LEVEL_ERROR, &w);
	char want[64] = "assertion failed: 1 + 1 == 3\n";
	pid_t pid = fork();
	int status;
	const char *got;

	if (pid == 0) {
		close(STDERR_FILENO); /* as good as the /dev/null of a jail */
		signal(SIGILL, SIG_DFL);
		vr_assert(1 + 1 == 3);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL);
	got = logged(r);
	cr_assert_eq(strncmp(got, "E tests/unit/core/test_log.c:", 29), 0, "%s", got);
	cr_assert_not_null(strstr(got, want), "%s", got);
}

Test(log, what_a_full_pipe_lost_is_told, .timeout = 20)
{
	char wanted[64];
	int fds[2], taken = 0;

	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK | O_DIRECT), 0);
	log_init(fds[1], LOG_LEVEL_INFO);
	for (int i = 0; i < 1000; i++)
		log_info("line %d", i);
	while (strncmp(logged(fds[0]), "I line ", 7) == 0)
		taken++;
	cr_expect(taken > 0 && taken < 1000);
	log_info("again");
	fmt_into(wanted, sizeof(wanted), "I [%d lines lost] again\n", 1000 - taken);
	cr_expect_str_eq(logged(fds[0]), wanted);
	log_info("once");
	cr_expect_str_eq(logged(fds[0]), "I once\n");
}
