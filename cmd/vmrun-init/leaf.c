/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/leaf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "devices/core/fdio.h"

int leaf_pids(int cgroup, uint64_t max)
{
	char text[24] = "max";
	cleanup_fd int fd = -1;

	if (cgroup < 0)
		return 0;
	if (max)
		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)max);
	fd = openat(cgroup, "pids.max", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd_write_full(fd, text, strlen(text));
}

uint64_t leaf_oom_kills(int cgroup)
{
	cleanup_fd int fd = cgroup < 0 ? -1 : openat(cgroup, "memory.events", O_RDONLY | O_CLOEXEC);
	char text[512];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *line;

	if (n < 0)
		return 0;
	text[n] = '\0';
	line = strstr(text, "\noom_kill ");
	return line ? strtoull(line + strlen("\noom_kill "), NULL, 10) : 0;
}

int leaf_of(int cgroup, pid_t pid)
{
	static const char mine[] = "0::" LEAF_NAME "/";
	char path[32], line[PATH_MAX];
	FILE *file;
	int fd = -ENOENT;

	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, mine, strlen(mine)) != 0)
			continue;
		fd = openat(cgroup, line + strlen(mine), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
		break;
	}
	(void)fclose(file);
	return fd;
}
