/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Guest RAM: one file in memory, which the VMM and the devices map
 *
 * If a memfd may have huge pages, it is a memfd, sealed so that no process can shrink it. By Linux' default
 * a memfd may not, and then a guest takes a fault, and an entry of the second-stage TLB, for every 4 KiB. In
 * that case it is a nameless file in a tmpfs of its own that may have huge pages and is mounted nowhere. Such a
 * file cannot be sealed: only the jails keep it from shrinking, as none allows ftruncate. A write beyond its
 * end fails, because the file system has exactly the guest's bytes.
 *
 * Both may have holes: a balloon (devices/balloon.c) makes them. A seal against writing would forbid that, also
 * F_SEAL_FUTURE_WRITE.
 */
#ifndef VMRUN_RUNTIME_HOST_RAM_H
#define VMRUN_RUNTIME_HOST_RAM_H

#include "devices/core/err.h"

/**
 * ram_open() - Make guest RAM
 * @bytes:	A multiple of 4096
 *
 * Without the right to mount it is always a memfd.
 * Syscalls: openat read memfd_create ftruncate fcntl fsopen fsconfig fsmount
 * Return: an fd, the caller's to close, or -errno
 */
MUST_CHECK int ram_open(uint64_t bytes, struct err *err);

/**
 * ram_open_sealed() - Make other memory that outlives processes which share it: a sealed memfd
 * @name:	For /proc
 *
 * Syscalls: memfd_create ftruncate fcntl
 * Return: an fd, the caller's to close, or -errno
 */
MUST_CHECK int ram_open_sealed(const char *name, uint64_t bytes, struct err *err);

#endif
