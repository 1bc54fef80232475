/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/sysctls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "devices/core/fdio.h"

/* "net.ipv4.conf.eth0/1.forwarding": a dot for each slash, and a slash for each dot; or the path as it is, if it begins so */
static bool sysctls_path(const char *name, char path[PATH_MAX])
{
	size_t first = strcspn(name, "./");
	bool dotted = name[first] != '/';
	int n = snprintf(path, PATH_MAX, "/proc/sys/%s", name);

	if (n >= PATH_MAX)
		return false;
	for (char *p = path + strlen("/proc/sys/"); dotted && *p; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	return !strstr(path, "/../") && !strstr(path, "//");
}

static int sysctls_one(const char *name, const char *value)
{
	char path[PATH_MAX];
	cleanup_fd int fd = -1;

	if (!sysctls_path(name, path))
		return -EINVAL;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd_write_full(fd, value, strlen(value));
}

static int sysctls_name(const struct desc *d, enum agent_item_type type,
			int (*set)(const char *name, size_t len))
{
	const char *name;

	if (d->count[type] == 0)
		return 0;
	name = desc_text(d, type, 0, 0);
	return set(name, strlen(name)) < 0 ? -errno : 0;
}

int sysctls_apply(const struct desc *d, struct fault *f)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < d->count[AGENT_SYSCTL]; i++) {
		(void)fault_step(f, AGENT_STEP_SYSCTL, i);
		rc = sysctls_one(desc_text(d, AGENT_SYSCTL, i, 0),
				 desc_text(d, AGENT_SYSCTL, i, 1));
	}
	if (rc < 0)
		return rc;
	(void)fault_step(f, AGENT_STEP_HOSTNAME, 0);
	rc = sysctls_name(d, AGENT_HOSTNAME, sethostname);
	return rc == 0 ? sysctls_name(d, AGENT_DOMAINNAME, setdomainname) : rc;
}
