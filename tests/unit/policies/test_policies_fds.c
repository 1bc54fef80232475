/* SPDX-License-Identifier: BSD-3-Clause */
/* Which fds the policies that ship are for, by their slots (devices/core/boot.h) and by what comes with a message */
#include "policies/policy.h"

#include <criterion/criterion.h>
#include <linux/audit.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "devices/core/base.h"
#include "tests/support/bpf.h"

static unsigned int verdicts(const struct policy *p, int nr)
{
	return bpf_verdicts(p->insn, p->count, AUDIT_ARCH_X86_64, nr);
}

static uint32_t verdict(const struct policy *p, const struct seccomp_data *call)
{
	return bpf_run(p->insn, p->count, call);
}

/* Calls that some process may make, on other fds than theirs or with other numbers */
Test(policies_fds, keep_calls_to_the_fds_they_are_for)
{
	static const struct {
		const char *policy;
		struct seccomp_data call;
	} calls[] = {
		{"block_device", {.nr = SYS_preadv, .args = {5}}},
		{"block_device", {.nr = SYS_preadv, .args = {14}}},
		{"block_device", {.nr = SYS_preadv2, .args = {14, 0, 1, 0, 0, 8}}},
		{"block_device", {.nr = SYS_pwritev, .args = {4}}},
		{"block_device", {.nr = SYS_pwritev, .args = {7}}},
		{"block_device", {.nr = SYS_fdatasync, .args = {7}}},
		{"block_device", {.nr = SYS_fallocate, .args = {7, 3}}},
		{"block_device", {.nr = SYS_ioctl, .args = {7, 0x127f}}},
		{"block_device_vhost_user", {.nr = SYS_pwritev, .args = {7}}},
		{"block_device_early", {.nr = SYS_mmap, .args = {0, 4096, 3, 1, 6}}},
		{"block_device_vhost_user", {.nr = SYS_mmap, .args = {0, 4096, 3, 1, 6}}},
		{"net_device", {.nr = SYS_readv, .args = {5}}},
		{"net_device", {.nr = SYS_writev, .args = {10}}},
		{"net_device", {.nr = SYS_ioctl, .args = {7, 0x400454d0, 0}}},
		{"vhost_net_device", {.nr = SYS_ioctl, .args = {7, 0x400454d0, 0}}},
		{"vhost_net_device", {.nr = SYS_ioctl, .args = {10, 0x400454d9}}},
		{"rng_device", {.nr = SYS_recvmsg, .args = {6, 0, 0x40000000}}},
		{"serial_device", {.nr = SYS_recvmsg, .args = {5, 0, 0x40000000}}},
		{"serial_device", {.nr = SYS_recvmsg, .args = {6, 0, 0x40}}},
		{"serial_device", {.nr = SYS_ppoll, .args = {0, 2}}},
		{"serial_device", {.nr = SYS_ppoll, .args = {0, 1, 0, 1}}},
		{"vmm_device", {.nr = SYS_recvmsg, .args = {4, 0, 0x40000000}}},
		{"vmm_device", {.nr = SYS_poll, .args = {0, 2}}},
		{"vmm_device", {.nr = SYS_tgkill, .args = {2, 2, SIGUSR1}}},
	};

	for (size_t n = 0; n < ARRAY_SIZE(calls); n++) {
		struct seccomp_data call = calls[n].call;

		call.arch = AUDIT_ARCH_X86_64;
		cr_expect_eq(verdict(policy_find(calls[n].policy), &call), SECCOMP_RET_TRAP,
			     "%s: syscall %d (%llx, %llx)", calls[n].policy, call.nr, call.args[0],
			     call.args[1]);
	}
}

/* What others connect a device to could pass fds: those are received from the supervisor and the VMM, but for the socket
 * whose messages are read in pieces (vsock_host.c). */
Test(policies_fds, let_no_device_take_fds_from_others)
{
	static const unsigned int flags[] = {0, MSG_DONTWAIT, MSG_PEEK | MSG_DONTWAIT,
					     MSG_CMSG_CLOEXEC | MSG_DONTWAIT};

	for (unsigned int i = 0; i < nr_policies; i++) {
		for (size_t n = 0; n < ARRAY_SIZE(flags); n++) {
			struct seccomp_data call = {.nr = SYS_recvmsg,
						    .arch = AUDIT_ARCH_X86_64,
						    .args = {20, 0, flags[n]}};

			cr_expect_eq(verdict(&policies[i], &call), SECCOMP_RET_TRAP, "%s: 0x%x",
				     policies[i].name, flags[n]);
		}
	}
}

/* Once a device has its memory, it maps no other and loads no filter. */
Test(policies_fds, have_devices_settle)
{
	static const int given_up[] = {SYS_mmap, SYS_munmap, SYS_seccomp};

	for (unsigned int i = 0; i < nr_policies; i++) {
		const struct policy *late, *early = &policies[i];
		char name[64];

		if (!strstr(early->name, "_early"))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(strlen(early->name) - strlen("_early")),
			 early->name);
		late = policy_find(name);
		cr_assert(late, "%s", name);
		for (int nr = 0; nr < 1024; nr++) {
			const unsigned int before = verdicts(early, nr), after = verdicts(late, nr);
			bool mine = nr == SYS_fstat && strcmp(name, "console_device") != 0;

			for (size_t n = 0; n < ARRAY_SIZE(given_up); n++)
				mine |= nr == given_up[n];
			cr_expect(mine ? after == BPF_CAN_KILL && before != after : before == after,
				  "%s: syscall %d", name, nr);
		}
	}
}
