/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lock_file flock|fcntl try|wait FILE [SECONDS]: lock a file, say "had" or "taken", and hold the lock so long
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int by_flock(int fd, int wait)
{
	return flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB));
}

static int by_fcntl(int fd, int wait)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};

	return fcntl(fd, wait ? F_SETLKW : F_SETLK, &l);
}

int main(int argc, char **argv)
{
	int fd, wait, rc;

	if (argc < 4)
		return 2;
	fd = open(argv[3], O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0) {
		perror(argv[3]);
		return 2;
	}
	wait = strcmp(argv[2], "wait") == 0;
	rc = strcmp(argv[1], "flock") == 0 ? by_flock(fd, wait) : by_fcntl(fd, wait);
	if (rc < 0 && errno != EAGAIN && errno != EACCES) {
		perror(argv[1]);
		return 2;
	}
	puts(rc < 0 ? "taken" : "had");
	fflush(stdout);
	if (rc == 0 && argc > 4)
		sleep((unsigned int)atoi(argv[4]));
	return rc < 0;
}
