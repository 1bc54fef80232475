/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/hostfacts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kvm.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "devices/core/fmt.h"
#include "runtime/util/file.h"

/* an entry of /proc/cpuinfo is below 3 KiB, and all CPUs have the same */
#define TEXT_BYTES 8192

static int hostfacts_open_below(const char *root, const char *path, int flags)
{
	char full[PATH_MAX];

	fmt_into(full, sizeof(full), "%s/%s", root, path);
	return open(full, flags | O_CLOEXEC | O_NOCTTY);
}

/* Reads the beginning of a text file; "" if that fails. */
static void hostfacts_read_below(const char *root, const char *path, char text[TEXT_BYTES])
{
	char full[PATH_MAX];

	fmt_into(full, sizeof(full), "%s/%s", root, path);
	(void)file_read(AT_FDCWD, full, text, TEXT_BYTES);
}

static bool hostfacts_exists_below(const char *root, const char *path)
{
	char full[PATH_MAX];

	fmt_into(full, sizeof(full), "%s/%s", root, path);
	return access(full, F_OK) == 0;
}

/* The number after @key at the start of a line; -1 without such a line */
static long hostfacts_number_after(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *p = text; *p; p += strspn(p, "\n")) {
		if (strncmp(p, key, len) == 0)
			return strtol(p + len, NULL, 10);
		p += strcspn(p, "\n");
	}
	return -1;
}

/* Whether the words of the line that starts with @key include @word */
static bool hostfacts_line_has_word(const char *text, const char *key, const char *word)
{
	const char *line = strstr(text, key);
	size_t len = strlen(word);

	if (!line)
		return false;
	for (const char *p = line; *p && *p != '\n'; p += strspn(p, " \t")) {
		size_t n = strcspn(p, " \t\n");

		if (n == len && memcmp(p, word, len) == 0)
			return true;
		p += n;
	}
	return false;
}

enum hostfacts_virt hostfacts_virt(const char *root)
{
	char cpuinfo[TEXT_BYTES];

	hostfacts_read_below(root, "proc/cpuinfo", cpuinfo);
	/* This comes first: with kvm_pvm the CPU's flags may be visible but of no use. */
	if (hostfacts_exists_below(root, "sys/module/kvm_pvm"))
		return HOSTFACTS_VIRT_SOFTWARE;
	if (hostfacts_line_has_word(cpuinfo, "flags", "vmx") ||
	    hostfacts_line_has_word(cpuinfo, "flags", "svm"))
		return HOSTFACTS_VIRT_HARDWARE;
#ifdef __x86_64__
	return HOSTFACTS_VIRT_NONE;
#else
	return HOSTFACTS_VIRT_HARDWARE;
#endif
}

static void hostfacts_collect_kvm(const char *root, struct hostfacts *f)
{
	cleanup_fd int fd = hostfacts_open_below(root, "dev/kvm", O_RDWR | O_NONBLOCK);

	f->kvm_errno = fd < 0 ? errno : 0;
	f->kvm_api = fd < 0 ? -1 : ioctl(fd, KVM_GET_API_VERSION, 0);
}

/* Why a device cannot be opened; 0 if it can */
static int hostfacts_open_errno(const char *root, const char *path)
{
	cleanup_fd int fd = hostfacts_open_below(root, path, O_RDWR | O_NONBLOCK);

	return fd < 0 ? errno : 0;
}

static void hostfacts_collect_user_namespaces(const char *root, struct hostfacts *f)
{
	char text[TEXT_BYTES];

	hostfacts_read_below(root, "proc/sys/user/max_user_namespaces", text);
	f->max_user_namespaces = hostfacts_number_after(text, "");
	if (!hostfacts_exists_below(root, "proc/self/ns/user"))
		f->max_user_namespaces = -1;
}

static void hostfacts_collect_cgroup(const char *root, struct hostfacts *f)
{
	if (hostfacts_exists_below(root, "sys/fs/cgroup/cgroup.controllers"))
		f->cgroup = HOSTFACTS_CGROUP_V2;
	else if (hostfacts_exists_below(root, "sys/fs/cgroup/unified/cgroup.controllers"))
		f->cgroup = HOSTFACTS_CGROUP_HYBRID;
	else if (hostfacts_exists_below(root, "sys/fs/cgroup/memory") ||
		 hostfacts_exists_below(root, "sys/fs/cgroup/cpu"))
		f->cgroup = HOSTFACTS_CGROUP_V1;
	else
		f->cgroup = HOSTFACTS_CGROUP_NONE;
}

enum hostfacts_huge hostfacts_huge(const char *root)
{
	char text[TEXT_BYTES];

	/* Brackets mark the active word. */
	hostfacts_read_below(root, "sys/kernel/mm/transparent_hugepage/shmem_enabled", text);
	if (!strchr(text, '[') || strstr(text, "[deny]"))
		return HOSTFACTS_HUGE_NONE;
	return strstr(text, "[never]") ? HOSTFACTS_HUGE_TMPFS : HOSTFACTS_HUGE_SHMEM;
}

void hostfacts_collect(const char *root, struct hostfacts *ret)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	*ret = (struct hostfacts){.landlock_abi = abi > 0 ? (int)abi : 0};
	ret->virt = hostfacts_virt(root);
	hostfacts_collect_kvm(root, ret);
	ret->tun_errno = hostfacts_open_errno(root, "dev/net/tun");
	ret->vhost_net_errno = hostfacts_open_errno(root, "dev/vhost-net");
	ret->vhost_vsock_errno = hostfacts_open_errno(root, "dev/vhost-vsock");
	hostfacts_collect_user_namespaces(root, ret);
	hostfacts_collect_cgroup(root, ret);
	ret->huge = hostfacts_huge(root);
}
