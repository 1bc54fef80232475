/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cmd/vmrun-init/leaf.h"
#include "devices/core/agent_msg.h"
#include "devices/core/fdio.h"

#define GUEST_ROOT   "/root"
#define GUEST_CGROUP "/sys/fs/cgroup"

static int guest_mount_one(const char *type, const char *at, unsigned long flags, const char *data,
			   struct err *err)
{
	if (mkdir(at, 0755) < 0 && errno != EEXIST)
		return err_set(err, errno, "%s", at);
	if (mount(type, at, type, flags, data) < 0)
		return err_set(err, errno, "%s on %s", type, at);
	return 0;
}

int guest_mount(struct err *err)
{
	int rc = guest_mount_one("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, err);

	if (rc == 0)
		rc = guest_mount_one("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, err);
	return rc == 0 ? guest_mount_one("devtmpfs", "/dev", MS_NOSUID, "mode=755", err) : rc;
}

static int guest_move(const char *at, struct err *err)
{
	char to[32];

	(void)snprintf(to, sizeof(to), GUEST_ROOT "%s", at);
	if (mkdir(to, 0755) < 0 || mount(at, to, NULL, MS_MOVE, NULL) < 0)
		return err_set(err, errno, "moving %s", at);
	return 0;
}

static int guest_share(struct err *err)
{
	if (mkdir(GUEST_ROOT GUEST_SHARE, 0755) < 0)
		return err_set(err, errno, GUEST_SHARE);
	/* EINVAL: no device has this tag; ENODEV: there is none, so its module was not loaded */
	if (mount(AGENT_TAG, GUEST_ROOT GUEST_SHARE, "virtiofs", 0, NULL) < 0 && errno != EINVAL &&
	    errno != ENODEV)
		return err_set(err, errno, "mounting the shared directory " AGENT_TAG);
	return 0;
}

int guest_settle(struct err *err)
{
	static const char *const moved[] = {"/dev", "/proc", "/sys"};
	int rc = guest_mount_one("tmpfs", GUEST_ROOT, MS_NODEV, "size=1m,mode=755", err);

	for (unsigned int i = 0; rc == 0 && i < ARRAY_SIZE(moved); i++)
		rc = guest_move(moved[i], err);
	if (rc == 0)
		rc = guest_share(err);
	if (rc < 0)
		return rc;
	(void)!unlink("/init");
	if (chdir(GUEST_ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		return err_set(err, errno, "leaving the initrd");
	return 0;
}

static int guest_write(const char *path, const char *text)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_full(fd, text, strlen(text));
}

/* Those that the kernel has, all at once: at each change it waits for its processors. What needs one that is missing misses it. */
static void guest_controllers(void)
{
	static const char *const wanted[] = {"pids", "memory", "cpu", "io", "cpuset"};
	char have[256], to[128] = "", *rest = have;
	cleanup_fd int fd = open(GUEST_CGROUP "/cgroup.controllers", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, have, sizeof(have) - 1);

	have[n < 0 ? 0 : n] = '\0';
	for (const char *word; (word = strtok_r(rest, " \n", &rest));) {
		const size_t len = strlen(to);

		for (unsigned int i = 0; i < ARRAY_SIZE(wanted); i++)
			if (strcmp(word, wanted[i]) == 0)
				(void)snprintf(to + len, sizeof(to) - len, "+%s ", word);
	}
	(void)!guest_write(GUEST_CGROUP "/cgroup.subtree_control", to);
}

int guest_cgroup(struct err *err)
{
	int fd, rc = guest_mount_one("cgroup2", GUEST_CGROUP, MS_NOSUID | MS_NODEV | MS_NOEXEC,
				     "memory_recursiveprot", err);

	if (rc < 0)
		return rc;
	guest_controllers();
	if (mkdir(GUEST_CGROUP LEAF_NAME, 0755) < 0)
		return err_set(err, errno, "cgroup");
	fd = open(GUEST_CGROUP LEAF_NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "cgroup") : fd;
}

void guest_limits(void)
{
	/* As systemd has them; the kernel's own are from another time, or depend on the guest's memory. */
	const struct rlimit files = {65536, 524288};
	const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};

	(void)!setrlimit(RLIMIT_NOFILE, &files);
	(void)!setrlimit(RLIMIT_NPROC, &none);
	(void)!guest_write("/proc/self/oom_score_adj", "-1000");
	/* All memory is a container's limit. As under a limit of a cgroup, too much of it is no error before it is used. */
	(void)!guest_write("/proc/sys/vm/overcommit_memory", "1");
}

void guest_say(const char *line)
{
	char text[ERR_MSG_BYTES + 16];

	/* 3: an error, which is shown on the console too */
	(void)snprintf(text, sizeof(text), "<3>vmrun-init: %s\n", line);
	(void)!guest_write("/dev/kmsg", text);
}

void guest_power_off(void)
{
	if (access("/sys/class/block/vda", F_OK) == 0)
		sync();
	(void)!reboot(RB_POWER_OFF);
	_exit(EXIT_FAILURE);
}
