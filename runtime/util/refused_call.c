/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/refused_call.h"

#include <seccomp.h>
#include <stdlib.h>

#include "devices/core/fmt.h"

bool refused_call_parse(const char *said, struct refused_call *ret)
{
	unsigned long long v[2 + LOG_REFUSED_ARGS];
	const char *at = said + 1;

	if (*said != LOG_REFUSED_LETTER)
		return false;
	for (unsigned int i = 0; i < ARRAY_SIZE(v); i++) {
		char *end;

		v[i] = strtoull(at, &end, 16);
		if (end == at)
			return false;
		at = end;
	}
	ret->programs = (unsigned int)v[0];
	ret->nr = (unsigned int)v[1];
	for (unsigned int i = 0; i < LOG_REFUSED_ARGS; i++)
		ret->arg[i] = v[2 + i];
	return true;
}

void refused_call_describe(const struct refused_call *c, char *ret, size_t size)
{
	cleanup_free char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(),
								   (int)c->nr);
	char number[24];

	fmt_into(number, sizeof(number), "system call %u", c->nr);
	fmt_into(ret, size, "%s(0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx)",
		 name ? name : number, (unsigned long long)c->arg[0], (unsigned long long)c->arg[1],
		 (unsigned long long)c->arg[2], (unsigned long long)c->arg[3],
		 (unsigned long long)c->arg[4], (unsigned long long)c->arg[5]);
}
