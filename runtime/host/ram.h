/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Guest RAM: one file in memory, which the VMM and the devices map
 *
 * A memfd, sealed so that none of them can shrink it under the others, where a memfd may have huge
 * pages. By Linux' default it may not, and a guest then takes a fault, and a second stage entry of the
 * TLB, for every 4 KiB. So elsewhere it is a file without a name in a tmpfs of its own that may have
 * them, and is not mounted anywhere. Such a file cannot be sealed: that nobody shrinks it is up to
 * the jails alone, none of which allows ftruncate. Who writes behind its end finds no room: the file system
 * has as many bytes as the guest.
 */
#ifndef VMRUN_RUNTIME_HOST_RAM_H
#define VMRUN_RUNTIME_HOST_RAM_H

#include "devices/core/err.h"

/**
 * ram_open() - Make guest RAM
 * @bytes:	A multiple of 4096
 *
 * Without the right to mount, a memfd in any case.
 * Syscalls: openat read memfd_create ftruncate fcntl fsopen fsconfig fsmount
 * Return: an fd, the caller's to close, or -errno
 */
MUST_CHECK int ram_open(uint64_t bytes, struct err *err);

#endif
