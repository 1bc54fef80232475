/* SPDX-License-Identifier: BSD-3-Clause */
/* deny_devices CGROUP: the processes of a cgroup of v2 may open and make no device node from now on, as podman has it for a pod */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static int deny_bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

int main(int argc, char **argv)
{
	const struct bpf_insn no[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K},
				      {.code = BPF_JMP | BPF_EXIT}};
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
			       .insns = (uintptr_t)no,
			       .insn_cnt = sizeof(no) / sizeof(no[0]),
			       .license = (uintptr_t) "BSD"};
	union bpf_attr attach = {.attach_type = BPF_CGROUP_DEVICE,
				 .attach_flags = BPF_F_ALLOW_MULTI};
	int group, program;

	if (argc != 2)
		return 2;
	group = open(argv[1], O_RDONLY | O_DIRECTORY);
	program = group < 0 ? -1 : deny_bpf(BPF_PROG_LOAD, &load);
	if (program >= 0) {
		attach.target_fd = (uint32_t)group;
		attach.attach_bpf_fd = (uint32_t)program;
	}
	if (program < 0 || deny_bpf(BPF_PROG_ATTACH, &attach) < 0) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}
