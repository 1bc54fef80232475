/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "cmd/vmrun-init/guest.h"

#define MODULES_ORDER	"/modules/order"
#define MODULES_DEVICES "/proc/bus/pci/devices"
#define MODULES_VIRTIO                                                                             \
	0x1af41040U /* vendor and device of the virtio type 0; modern ones have no others */
#define MODULES_LATER_MAX 4
#define MODULES_IDLEST	  19

/** modules_later - Files of modules that no program waits for, by modules_load() */
static struct {
	int fd[MODULES_LATER_MAX];
	unsigned int nr;
} modules_later;

/* A bit for each type of virtio device that there is. sysfs would say it, too, in four system calls a device. */
static uint64_t modules_types(void)
{
	FILE *devices = fopen(MODULES_DEVICES, "re");
	char line[512];
	uint64_t types = 0;
	unsigned int id;

	while (devices && fgets(line, sizeof(line), devices))
		if (sscanf(line, "%*x %8x", &id) == 1 && id > MODULES_VIRTIO &&
		    id < MODULES_VIRTIO + 64)
			types |= 1ULL << (id - MODULES_VIRTIO);
	if (devices)
		(void)fclose(devices);
	return types;
}

/* ENODEV: for a processor that has more than this one, crc32c-intel for example */
static int modules_load_file(int fd)
{
	return syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST && errno != ENODEV
		       ? -errno
		       : 0;
}

static int modules_load_one(const char *name, bool later, struct err *err)
{
	cleanup_fd int fd = -1;
	char path[128];
	int rc;

	(void)snprintf(path, sizeof(path), "/modules/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "module %s", name);
	(void)!unlink(path);
	if (later && modules_later.nr < MODULES_LATER_MAX) {
		modules_later.fd[modules_later.nr++] = TAKE_FD(fd);
		return 0;
	}
	rc = modules_load_file(fd);
	return rc < 0 ? err_set(err, -rc, "module %s", name) : 0;
}

int modules_load(struct err *err)
{
	FILE *order = fopen(MODULES_ORDER, "re");
	const uint64_t types = modules_types();
	char line[128], name[100], word[16];
	unsigned int type;
	int rc = 0;

	if (!order)
		return err_set(err, errno, MODULES_ORDER);
	while (rc == 0 && fgets(line, sizeof(line), order)) {
		int fields = sscanf(line, "%99s %u %15s", name, &type, word);

		if (fields == 1 || (fields > 1 && type < 64 && types & 1ULL << type))
			rc = modules_load_one(name, fields == 3, err);
	}
	(void)fclose(order);
	return rc;
}

/* In a process of its own: the streams of a program do not wait for it. */
void modules_load_later(void)
{
	const pid_t pid = modules_later.nr > 0 ? fork() : -1;

	if (pid == 0)
		(void)setpriority(PRIO_PROCESS, 0, MODULES_IDLEST);
	for (unsigned int i = 0; i < modules_later.nr; i++) {
		if (pid == 0 && modules_load_file(modules_later.fd[i]) < 0)
			guest_say("a module that can wait was not loaded");
		close(modules_later.fd[i]);
	}
	modules_later.nr = 0;
	if (pid == 0)
		_exit(EXIT_SUCCESS);
}
