/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: main() for a fuzz harness without a fuzzer: feeds it a corpus
 *
 * Usage: replay_NAME DIRECTORY. Every file is fed whole and cut at a fixed set of lengths, in a child
 * process of its own, and gives one TAP line. A child that dies, or works for longer than
 * REPLAY_SECONDS, is a failure. So is a directory that is missing or empty.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices/core/base.h"
#include "devices/core/fdio.h"

#define REPLAY_SECONDS	 60
#define REPLAY_BYTES_MAX (64 << 20)

/* Every harness has these two; the second is optional. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

/* Feeds the first @len bytes, in a buffer of exactly that size for the sanitizers to watch */
static void feed(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	vr_assert(copy);
	memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void feed_all(const uint8_t *data, size_t len)
{
	static const size_t cuts[] = {
		0,   1,	  2,   3,   4,	 5,   6,    7,	  8,	11,   12,   13,	  15,	 16,
		20,  24,  31,  32,  33,	 47,  48,   63,	  64,	65,   95,   100,  127,	 128,
		200, 255, 256, 511, 512, 600, 1000, 1023, 1024, 2048, 4095, 4096, 16384, 65536};

	feed(data, len);
	for (size_t i = 0; i < ARRAY_SIZE(cuts) && cuts[i] < len; i++)
		feed(data, cuts[i]);
	for (size_t eighth = 1; eighth < 8; eighth++)
		feed(data, len / 8 * eighth);
	if (len > 0)
		feed(data, len - 1);
}

/* The child: never returns */
static NORETURN void replay_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *data;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > REPLAY_BYTES_MAX)
		_exit(1);
	data = malloc((size_t)st.st_size + 1);
	if (!data || fd_pread_full(fd, data, (size_t)st.st_size, 0) < 0)
		_exit(1);
	close(fd);
	alarm(REPLAY_SECONDS);
	feed_all(data, (size_t)st.st_size);
	free(data);
	exit(0); /* not _exit(): the leak checker runs at exit */
}

/* Prints the file's TAP line; whether it passed */
static bool replay_child(int dir, const char *name)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		replay_file(dir, name);
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		printf("not ok - %s: %s\n", name, strerror(errno));
		return false;
	}
	if (WIFSIGNALED(status))
		printf("not ok - %s: killed by signal %d\n", name, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		printf("not ok - %s: exit status %d\n", name, WEXITSTATUS(status));
	else
		printf("ok - %s\n", name);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int is_input(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **list;
	bool passed = true;
	int dir, nr;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	nr = dir < 0 ? -1 : scandir(argv[1], &list, is_input, alphasort);
	if (nr < 0) {
		printf("not ok - corpus %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	if (nr == 0) {
		printf("not ok - corpus %s is empty\n", argv[1]);
		return 1;
	}
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 0; i < nr; i++) {
		passed = replay_child(dir, list[i]->d_name) && passed;
		free(list[i]);
	}
	free(list);
	close(dir);
	return passed ? 0 : 1;
}
