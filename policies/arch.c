/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/arch.h"

#include <linux/audit.h>
#include <seccomp.h>
#include <string.h>

#include "devices/core/fmt.h"

static const struct arch arches[] = {
	{"x86_64", AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, false, &constants_x86_64},
	{"aarch64", AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64, false, &constants_aarch64},
	{"arm", AUDIT_ARCH_ARM, SCMP_ARCH_ARM, true, &constants_arm},
};

static bool arch_is(const char *name, size_t len, const char *other)
{
	return strlen(other) == len && !memcmp(name, other, len);
}

const struct arch *arch_find(const char *name, size_t len)
{
	if (arch_is(name, len, "arm64"))
		return arch_find("aarch64", strlen("aarch64"));
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
		if (arch_is(name, len, arches[i].name))
			return &arches[i];
	}
	return NULL;
}

const struct arch *arch_native(void)
{
	const uint32_t native = seccomp_arch_native();
	size_t i = 0;

	while (i < ARRAY_SIZE(arches) && arches[i].scmp != native)
		i++;
	vr_assert(i < ARRAY_SIZE(arches));
	return &arches[i];
}

bool arch_exists(const char *name, size_t len)
{
	static const char *const others[] = {
		"x86",	   "i386",  "mips",    "mips64", "ppc",		"ppc64",
		"ppc64le", "s390x", "riscv64", "parisc", "loongarch64",
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (arch_is(name, len, others[i]))
			return true;
	}
	return arch_find(name, len) != NULL;
}

int arch_syscall(const struct arch *a, const char *name, size_t len)
{
	char terminated[ARCH_SYSCALL_MAX];
	int nr;

	if (len >= sizeof(terminated))
		return -1;
	memcpy(terminated, name, len);
	terminated[len] = 0;
	nr = seccomp_syscall_resolve_name_arch(a->scmp, terminated);
	/* libseccomp numbers what an architecture lacks below -1, and would accept it in a rule. */
	return nr < -1 ? -2 : nr;
}

void arch_call_name(const struct arch *a, int nr, char ret[ARCH_SYSCALL_MAX])
{
	cleanup_free char *name = seccomp_syscall_resolve_num_arch(a->scmp, nr);

	if (name)
		fmt_into(ret, ARCH_SYSCALL_MAX, "%s", name);
	else
		fmt_into(ret, ARCH_SYSCALL_MAX, "%d", nr);
}
