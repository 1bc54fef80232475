/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/host/hostfacts.h"
#include "tests/support/temp_dir.h"

static char *const root = temp_dir;

TestSuite(hostfacts, .init = temp_dir_make, .fini = temp_dir_remove);

/* A file below the root, with the directories that lead to it */
static void put(const char *path, const char *text)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		cr_assert(mkdir(full, 0700) == 0 || errno == EEXIST);
		*p = '/';
	}
	f = fopen(full, "w");
	cr_assert(f);
	fputs(text, f);
	fclose(f);
}

Test(hostfacts, an_empty_root_has_nothing)
{
	struct hostfacts f;

	hostfacts_collect(root, &f);
	cr_expect_eq(f.kvm_errno, ENOENT);
	cr_expect_eq(f.kvm_api, -1);
	cr_expect_eq(f.tun_errno, ENOENT);
	cr_expect_eq(f.vhost_net_errno, ENOENT);
	cr_expect_eq(f.vhost_vsock_errno, ENOENT);
	cr_expect_eq(f.max_user_namespaces, -1);
	cr_expect_eq(f.cgroup, HOSTFACTS_CGROUP_NONE);
	cr_expect_eq(f.huge, HOSTFACTS_HUGE_NONE);
#ifdef __x86_64__
	cr_expect_eq(f.virt, HOSTFACTS_VIRT_NONE);
#endif
}

#ifdef __x86_64__
Test(hostfacts, virtualization_is_a_word_of_the_flags)
{
	static const struct {
		const char *cpuinfo;
		enum hostfacts_virt virt;
	} cases[] = {
		{"processor\t: 0\nflags\t\t: fpu vmx sse\n", HOSTFACTS_VIRT_HARDWARE},
		{"flags\t\t: fpu sse svm\n\nprocessor\t: 1\n", HOSTFACTS_VIRT_HARDWARE},
		{"flags\t\t: fpu svme vmxon avx_svm\nbugs\t\t: svm\n", HOSTFACTS_VIRT_NONE},
		{"flags\t\t: fpu\nvmx flags\t: vnmi\n", HOSTFACTS_VIRT_NONE},
		{"", HOSTFACTS_VIRT_NONE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put("proc/cpuinfo", cases[i].cpuinfo);
		cr_expect_eq(hostfacts_virt(root), cases[i].virt, "%s", cases[i].cpuinfo);
	}
	put("proc/cpuinfo", cases[0].cpuinfo);
	put("sys/module/kvm_pvm/refcnt", "0");
	cr_expect_eq(hostfacts_virt(root), HOSTFACTS_VIRT_SOFTWARE);
}
#endif

Test(hostfacts, reads_the_files)
{
	struct hostfacts f;

	put("proc/sys/user/max_user_namespaces", "31234\n");
	put("proc/self/ns/user", "");
	put("sys/kernel/mm/transparent_hugepage/shmem_enabled",
	    "always within_size advise [never] deny force\n");
	put("sys/fs/cgroup/memory/tasks", "");
	put("dev/vhost-net", "");
	put("dev/vhost-vsock", "");
	hostfacts_collect(root, &f);
	cr_expect_eq(f.tun_errno, ENOENT);
	cr_expect_eq(f.vhost_net_errno, 0);
	cr_expect_eq(f.vhost_vsock_errno, 0);
	cr_expect_eq(f.max_user_namespaces, 31234);
	cr_expect_eq(f.cgroup, HOSTFACTS_CGROUP_V1);
	cr_expect_eq(f.huge, HOSTFACTS_HUGE_TMPFS);
	put("sys/kernel/mm/transparent_hugepage/shmem_enabled",
	    "always within_size [advise] never deny force\n");
	hostfacts_collect(root, &f);
	cr_expect_eq(f.huge, HOSTFACTS_HUGE_SHMEM);
	put("sys/kernel/mm/transparent_hugepage/shmem_enabled",
	    "always within_size advise never [deny] force\n");
	cr_expect_eq(hostfacts_huge(root), HOSTFACTS_HUGE_NONE);
	put("sys/fs/cgroup/unified/cgroup.controllers", "");
	hostfacts_collect(root, &f);
	cr_expect_eq(f.cgroup, HOSTFACTS_CGROUP_HYBRID);
	put("sys/fs/cgroup/cgroup.controllers", "");
	hostfacts_collect(root, &f);
	cr_expect_eq(f.cgroup, HOSTFACTS_CGROUP_V2);
}
