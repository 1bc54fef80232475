/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/leaf.h"

#include <errno.h>
#include <fcntl.h>
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
