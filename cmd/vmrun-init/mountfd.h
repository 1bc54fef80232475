/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Mounts by fd: made and adjusted while they are nowhere, then attached
 *
 * So no program sees a mount without its flags, and no path is resolved twice. Flags are MS_* throughout.
 */
#ifndef VMRUN_CMD_VMRUN_INIT_MOUNTFD_H
#define VMRUN_CMD_VMRUN_INIT_MOUNTFD_H

#include "devices/core/base.h"

/**
 * mountfd_new() - A new file system
 * @flags:	MS_*; here only those of the file system itself count (MS_SYNCHRONOUS, MS_DIRSYNC, MS_LAZYTIME)
 * @data:	Options of the type, separated by commas
 * @readonly:	The file system, not only the mount
 *
 * Return: the fd of a mount without flags, or -errno
 */
MUST_CHECK int mountfd_new(const char *type, const char *source, uint64_t flags, const char *data,
			   bool readonly);

/** mountfd_clone() - What is mounted and seen at @fd once more, with all below it if @recursive. Return: an fd or -errno */
MUST_CHECK int mountfd_clone(int fd, bool recursive);

/** mountfd_flags() - Set and clear flags of a mount, of all below it too if @recursive. Return: 0 or -errno */
MUST_CHECK int mountfd_flags(int fd, uint64_t set, uint64_t clear, bool recursive);

/** mountfd_propagation() - MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE: each that is there, in this order; with MS_REC */
MUST_CHECK int mountfd_propagation(int fd, uint64_t propagation);

/** mountfd_attach() - Put a mount onto what @onto is. Return: 0 or -errno */
MUST_CHECK int mountfd_attach(int fd, int onto);

#endif
