/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What this host can do
 */
#ifndef VMRUN_RUNTIME_HOST_HOSTFACTS_H
#define VMRUN_RUNTIME_HOST_HOSTFACTS_H

#include "devices/core/base.h"

enum hostfacts_virt {
	HOSTFACTS_VIRT_HARDWARE, /* the CPU has vmx or svm (or this is not x86) */
	HOSTFACTS_VIRT_SOFTWARE, /* kvm_pvm: KVM emulates supervisor code, Linux does not boot */
	HOSTFACTS_VIRT_NONE,
};

enum hostfacts_cgroup {
	HOSTFACTS_CGROUP_NONE,
	HOSTFACTS_CGROUP_V1,
	HOSTFACTS_CGROUP_HYBRID,
	HOSTFACTS_CGROUP_V2
};

/** enum hostfacts_huge - Which shared memory gets huge pages */
enum hostfacts_huge {
	HOSTFACTS_HUGE_NONE,
	HOSTFACTS_HUGE_TMPFS, /* files of a tmpfs that is mounted for it, but not memfds (shmem_enabled) */
	HOSTFACTS_HUGE_SHMEM, /* memfds, for mappings that ask */
};

/**
 * struct hostfacts - The facts
 * @kvm_errno:	Why /dev/kvm cannot be opened; 0 if it can
 * @kvm_api:	KVM_GET_API_VERSION, 12 on every Linux since 2.6.22; -1 = not known
 * @tun_errno:	As @kvm_errno, for /dev/net/tun
 * @vhost_net_errno, @vhost_vsock_errno: Likewise, for /dev/vhost-net and /dev/vhost-vsock
 * @max_user_namespaces: The limit; -1 if the kernel has no user namespaces
 * @landlock_abi: 0 if the kernel has no Landlock
 */
struct hostfacts {
	int kvm_errno;
	int kvm_api;
	enum hostfacts_virt virt;
	int tun_errno;
	int vhost_net_errno, vhost_vsock_errno;
	long max_user_namespaces;
	enum hostfacts_cgroup cgroup;
	int landlock_abi;
	enum hostfacts_huge huge;
};

/**
 * hostfacts_collect() - Collect the facts
 * @root:	The directory of /dev, /proc and /sys: "/", or a test's own
 *
 * Never fails: a fact that cannot be read counts as absent.
 * Context: setup
 * Syscalls: openat read close ioctl access landlock_create_ruleset
 */
void hostfacts_collect(const char *root, struct hostfacts *ret);

/** hostfacts_virt() - Find only how the CPU runs guests, for a warning before a start */
enum hostfacts_virt hostfacts_virt(const char *root);

/** hostfacts_huge() - Find only which memory gets huge pages, for guest RAM */
enum hostfacts_huge hostfacts_huge(const char *root);

#endif
