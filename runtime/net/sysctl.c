/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/net/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "devices/core/fmt.h"

#define FORWARD "/proc/sys/net/ipv4/ip_forward"

/* 0 or -errno */
static int sysctl_write_setting(const char *path, const char *value)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

void net_ipv6_off(const char *name)
{
	char path[80];

	/* A kernel without IPv6 lacks the file, and sends nothing either. */
	fmt_into(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	(void)sysctl_write_setting(path, "1");
}

void net_forwarding_off(const char *name)
{
	char path[80];

	fmt_into(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/forwarding", name);
	(void)sysctl_write_setting(path, "0");
}

/* Whether the number in the file is not 0; false if it cannot be read */
static bool sysctl_is_on(const char *path)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char now = '0';

	return fd >= 0 && pread(fd, &now, 1, 0) == 1 && now != '0';
}

bool net_host_forwards(void)
{
	static const char *const paths[] = {FORWARD, "/proc/sys/net/ipv4/conf/default/forwarding",
					    "/proc/sys/net/ipv6/conf/all/forwarding",
					    "/proc/sys/net/ipv6/conf/default/forwarding"};
	bool on = false;

	for (unsigned int i = 0; i < ARRAY_SIZE(paths); i++)
		on |= sysctl_is_on(paths[i]);
	return on;
}

int net_forwarding_on(struct err *err)
{
	cleanup_fd int fd = open(FORWARD, O_RDONLY | O_CLOEXEC);
	char now = '0';
	ssize_t n = fd < 0 ? -1 : pread(fd, &now, 1, 0);
	int rc;

	if (n != 1)
		return err_set(err, n < 0 ? errno : ENODATA, "masquerading needs %s", FORWARD);
	if (now != '0')
		return 0;
	rc = sysctl_write_setting(FORWARD, "1");
	return rc < 0 ? err_set(err, -rc, "masquerading needs %s to be 1", FORWARD) : 1;
}
