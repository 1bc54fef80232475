/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/ram.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "devices/core/fmt.h"
#include "runtime/host/hostfacts.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

#define RAM_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static int ram_open_memfd(const char *name)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	/* Kernels before 6.3 do not have the seal against execution. */
	int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	return fd < 0 && errno == EINVAL ? memfd_create(name, flags) : fd;
}

/* Makes a file in a tmpfs of its own, which lives as long as the file is open; -1 if that fails. */
static int ram_open_tmpfs(uint64_t bytes)
{
	cleanup_fd int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	cleanup_fd int root = -1;
	char size[24];

	/* "advise": huge pages for mappings that ask for them. The size replaces a seal, which files of a tmpfs do
	 * not have: a device could write beyond the end up to its RLIMIT_FSIZE, which is a disk's size. */
	fmt_into(size, sizeof(size), "%llu", (unsigned long long)bytes);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "huge", "advise", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "size", size, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	root = fsmount(fs, FSMOUNT_CLOEXEC,
		       MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return root < 0 ? -1 : openat(root, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

int ram_open(uint64_t bytes, struct err *err)
{
	cleanup_fd int fd = hostfacts_huge("/") == HOSTFACTS_HUGE_TMPFS ? ram_open_tmpfs(bytes)
									: -1;
	const bool sealed = fd < 0;

	if (sealed)
		fd = ram_open_memfd("guest-ram");
	if (fd < 0)
		return err_set(err, errno, "guest RAM");
	if (ftruncate(fd, (off_t)bytes) < 0)
		return err_set(err, errno, "guest RAM of %llu bytes", (unsigned long long)bytes);
	if (sealed && fcntl(fd, F_ADD_SEALS, RAM_SEALS) < 0)
		return err_set(err, errno, "seal guest RAM");
	return TAKE_FD(fd);
}

int ram_open_sealed(const char *name, uint64_t bytes, struct err *err)
{
	cleanup_fd int fd = ram_open_memfd(name);

	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0 || fcntl(fd, F_ADD_SEALS, RAM_SEALS) < 0)
		return err_set(err, errno, "memory: %s", name);
	return TAKE_FD(fd);
}
