/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun-init/modules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#define MODULES_ORDER	"/modules/order"
#define MODULES_DEVICES "/sys/bus/virtio/devices"

/* The type of one device, as sysfs has it: "0x001a" */
static unsigned int modules_type(const char *device)
{
	cleanup_fd int fd = -1;
	char path[300], text[16];
	ssize_t n;

	(void)snprintf(path, sizeof(path), MODULES_DEVICES "/%s/device", device);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return 0;
	text[n] = '\0';
	return (unsigned int)strtoul(text, NULL, 16);
}

/* A bit for each type that there is */
static uint64_t modules_types(void)
{
	DIR *dir = opendir(MODULES_DEVICES);
	uint64_t types = 0;
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		unsigned int type = e->d_name[0] == '.' ? 0 : modules_type(e->d_name);

		types |= type > 0 && type < 64 ? 1ULL << type : 0;
	}
	if (dir)
		(void)closedir(dir);
	return types;
}

static int modules_load_one(const char *name, struct err *err)
{
	cleanup_fd int fd = -1;
	char path[128];

	(void)snprintf(path, sizeof(path), "/modules/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* ENODEV: for a processor that has more than this one, crc32c-intel for example */
	if (fd < 0 ||
	    (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST && errno != ENODEV))
		return err_set(err, errno, "module %s", name);
	(void)!unlink(path);
	return 0;
}

int modules_load(struct err *err)
{
	FILE *order = fopen(MODULES_ORDER, "re");
	char line[128], name[100];
	uint64_t types = 0;
	unsigned int type;
	int rc = 0;

	if (!order)
		return err_set(err, errno, MODULES_ORDER);
	while (rc == 0 && fgets(line, sizeof(line), order)) {
		int fields = sscanf(line, "%99s %u", name, &type);

		/* What loads the bus is first. */
		if (fields == 2 && !types)
			types = modules_types();
		if (fields == 1 || (fields == 2 && type < 64 && types & 1ULL << type))
			rc = modules_load_one(name, err);
	}
	(void)fclose(order);
	return rc;
}
