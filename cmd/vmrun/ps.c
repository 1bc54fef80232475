/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "cmd/vmrun/found.h"

#define NOT_FOUND 127 /* the exit status when there is no ps */

struct ps_options {
	const char *format;
};

static const char *const formats[] = {"table", "json", NULL};

static const struct option_spec options[] = {
	{"format", 'f', OPTION_STRING, "FORMAT", "table (default) or json",
	 offsetof(struct ps_options, format), formats},
	{.name = NULL},
};

/* Those in its cgroup; without one, those that it was made with. Return: how many, or -errno */
static int ps_pids(const struct found *f, pid_t **ret)
{
	const int nr = cgroup_found_pids(&f->cgroup, ret);

	if (nr >= 0)
		return nr;
	*ret = calloc(f->state->nr_procs + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	(*ret)[0] = f->state->supervisor.pid;
	for (unsigned int i = 0; i < f->state->nr_procs; i++)
		(*ret)[i + 1] = f->state->proc[i].process.pid;
	return (int)f->state->nr_procs + 1;
}

static void ps_print_json(const pid_t *pids, int nr)
{
	printf("[");
	for (int i = 0; i < nr; i++)
		printf("%s%d", i ? "," : "", pids[i]);
	printf("]\n");
}

/* The host's ps, whose output is read from *@ret */
static int ps_run(char **argv, pid_t *ret_pid, FILE **ret, struct err *err)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe");
	fflush(stdout);
	*ret_pid = fork();
	if (*ret_pid < 0)
		return err_set(err, errno, "fork");
	if (*ret_pid == 0) {
		if (dup2(fd[1], STDOUT_FILENO) >= 0)
			(void)execvp("ps", argv);
		_exit(NOT_FOUND);
	}
	close(fd[1]);
	*ret = fdopen(fd[0], "r");
	return *ret ? 0 : err_set(err, errno, "pipe");
}

/* The number of the word "PID" in the header; -1 without one */
static int ps_column(const char *header)
{
	int column = 0;

	for (header += strspn(header, " "); *header; header += strspn(header, " ")) {
		const size_t n = strcspn(header, " \n");

		if (n == 3 && memcmp(header, "PID", n) == 0)
			return column;
		header += n + (header[n] == '\n');
		column++;
	}
	return -1;
}

static bool ps_is_of(const char *row, int column, const pid_t *pids, int nr)
{
	pid_t pid;

	for (row += strspn(row, " "); column > 0 && *row; column--) {
		row += strcspn(row, " ");
		row += strspn(row, " ");
	}
	pid = (pid_t)strtol(row, NULL, 10);
	for (int i = 0; i < nr; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

/* Prints the header and the rows of @pids. Return: whether there was a header with PID */
static bool ps_filter(FILE *from, const pid_t *pids, int nr)
{
	cleanup_free char *line = NULL;
	size_t room = 0;
	int column = -1;

	while (getline(&line, &room, from) > 0) {
		if (column < 0) {
			column = ps_column(line);
			if (column < 0)
				return false;
			fputs(line, stdout);
		} else if (ps_is_of(line, column, pids, nr)) {
			fputs(line, stdout);
		}
	}
	return column >= 0;
}

static int ps_print_table(const pid_t *pids, int nr, unsigned int argc, char **argv,
			  struct err *err)
{
	char *default_argv[] = {(char *)"ps", (char *)"-ef", NULL};
	cleanup_free char **given = calloc(argc + 2, sizeof(*given));
	int status = 0, rc;
	bool good;
	FILE *from = NULL;
	pid_t pid = 0;

	if (!given)
		return err_set(err, ENOMEM, "ps");
	given[0] = default_argv[0];
	memcpy(given + 1, argv, argc * sizeof(*given));
	rc = ps_run(argc ? given : default_argv, &pid, &from, err);
	if (rc < 0)
		return rc;
	good = ps_filter(from, pids, nr);
	fclose(from);
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == NOT_FOUND)
		return err_text(err, ENOENT, "ps: executable file not found in $PATH");
	return good ? 0 : err_text(err, EINVAL, "couldn't find PID field in ps output");
}

static int ps(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	const struct ps_options *o = a->opt;
	cleanup_found struct found f = {.dir = -1};
	cleanup_free pid_t *pids = NULL;
	int nr, rc = found_open(v, a->arg[0], &f, err);

	if (rc < 0)
		return rc;
	nr = ps_pids(&f, &pids);
	if (nr < 0)
		return err_set(err, -nr, "processes");
	if (o->format && strcmp(o->format, "json") == 0)
		ps_print_json(pids, nr);
	else
		rc = ps_print_table(pids, nr, a->nr - 1, a->arg + 1, err);
	return rc < 0 ? rc : vmrun_flush(err);
}

const struct verb verb_ps = {
	.name = "ps",
	.synopsis = "[--format FORMAT] ID [PS-OPTION]...",
	.summary = "List the processes of a VM on the host, by the host's ps",
	.options = options,
	.opt_bytes = sizeof(struct ps_options),
	.min_args = 1,
	.max_args = UINT_MAX,
	.of_vm = true,
	.words = true,
	.run = ps,
};
