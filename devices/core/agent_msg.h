/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the supervisor and vmrun-init, process 1 of a guest that runs a container, say to each other
 *
 * By vsock. The guest is CID 3 or more, the host CID 2; no message says who it is from:
 *
 *   vmrun-init listens at AGENT_PORT of the guest, then connects to AGENT_PORT of the host: the control connection,
 *   once in the life of a VM, before any program of the container runs. On it pass struct agent_msg, both ways
 *
 *   host  --connect AGENT_PORT of the guest, up to four times a session--> vmrun-init: the session's streams, known by
 *         the host's port of each, which AGENT_RUN lists. Only the host begins streams, so that no program of the
 *         container can take one
 *
 * A session is one program with its streams: 0 is the container's process, others are those of exec.
 *
 *   vmrun-init  AGENT_HELLO    the shared directory is mounted; once, first of all
 *   supervisor  AGENT_RUN      session: not used before. The first is 0, the next follow its AGENT_STARTED
 *   vmrun-init  AGENT_STARTED  its program runs (execve succeeded), or AGENT_FAILED: it does not, and never will
 *   supervisor  AGENT_SIGNAL, AGENT_SIZE  any number after AGENT_RUN; for a session that is over it has no effect
 *   vmrun-init  AGENT_EXITED   after AGENT_STARTED, when it has ended and all that it wrote is in its streams.
 *                              After that of session 0 the guest powers off
 *
 * AGENT_HELLO and AGENT_STARTED say when their steps were over, for `vmrun --debug run`: microseconds of the guest's
 * CLOCK_MONOTONIC, modulo 2^32, in order; the last is when they are said. Zeros: not known.
 *
 * Streams: the first brings the session's description (agent_spec.h), to its end of file. Standard input, output and error
 * follow: bytes as they are; the end of a direction is the end of the file. With a terminal there is one for both
 * directions, in the place of standard input.
 */
#ifndef VMRUN_DEVICES_CORE_AGENT_MSG_H
#define VMRUN_DEVICES_CORE_AGENT_MSG_H

#include <stdint.h>

#define AGENT_PORT    1023 /* of guest and host: only root of the guest may listen on ports below 1024 */
#define AGENT_VERSION 1
#define AGENT_TAG     "vmrun" /* of the shared directory that has the container's files */

enum agent_type {
	AGENT_HELLO = 1, /* code = AGENT_VERSION; arg by enum agent_boot_step */
	AGENT_RUN,	 /* port = by enum agent_stream, 0: none */
	AGENT_STARTED,	 /* arg by enum agent_start_step */
	AGENT_FAILED,	 /* code = errno, arg[0] = enum agent_step, arg[1] = index of the item, where there are several */
	AGENT_SIGNAL,	/* code = number, 1 to 64; arg[0] = 1: to all processes of the container */
	AGENT_SIZE,	/* arg = rows, columns */
	AGENT_PIDS_MAX, /* supervisor, after AGENT_RUN: arg[0] = processes, 0 = no limit */
	AGENT_EXITED,	/* code = status as shells have it: 0 to 255, 128 + signal; arg[0] = 1: for lack of memory */
	AGENT_TYPES
};

/** enum agent_boot_step - What a guest does until AGENT_HELLO, by index of its arg */
enum agent_boot_step { AGENT_BOOT_KERNEL, AGENT_BOOT_MODULES, AGENT_BOOT_SHARE, AGENT_BOOT_HELLO };

/** enum agent_start_step - From AGENT_RUN to AGENT_STARTED; AGENT_START_ROOT: mounts, devices, network, hooks */
enum agent_start_step { AGENT_START_RUN, AGENT_START_SPEC, AGENT_START_ROOT, AGENT_START_EXEC };

/** enum agent_stream - Streams of a session, by index of struct agent_msg's port */
enum agent_stream { AGENT_SPEC, AGENT_STDIN, AGENT_STDOUT, AGENT_STDERR, AGENT_STREAMS };

/** enum agent_step - What vmrun-init could not do; the supervisor has the words */
enum agent_step {
	AGENT_STEP_SPEC = 1, /* reading the description */
	AGENT_STEP_ROOT,
	AGENT_STEP_MOUNT, /* index of AGENT_MOUNT */
	AGENT_STEP_DEVICE,
	AGENT_STEP_MASKED,
	AGENT_STEP_READONLY,
	AGENT_STEP_SYSCTL,
	AGENT_STEP_HOSTNAME,
	AGENT_STEP_NETWORK, /* index of AGENT_LINK, AGENT_ADDRESS, AGENT_ROUTE or AGENT_NEIGHBOUR, counted together */
	AGENT_STEP_CGROUP,
	AGENT_STEP_HOOK, /* index of AGENT_HOOK; errno 0: it failed itself, or took too long (ETIMEDOUT) */
	AGENT_STEP_CONSOLE,
	AGENT_STEP_RLIMIT, /* index of AGENT_RLIMIT */
	AGENT_STEP_USER,
	AGENT_STEP_CAPABILITIES,
	AGENT_STEP_SECCOMP,
	AGENT_STEP_SCHEDULER,
	AGENT_STEP_OOM_SCORE,
	AGENT_STEP_CWD,
	AGENT_STEP_PROCESS, /* fork, pipes */
	AGENT_STEP_LOOKUP,  /* the program is not in PATH, or its path leads to none */
	AGENT_STEP_EXEC,
	AGENT_STEPS
};

/**
 * struct agent_msg - One message, always whole, in the byte order of the guest's architecture
 * @reserved:	0
 */
struct agent_msg {
	uint32_t type; /* enum agent_type */
	uint32_t session;
	uint32_t code;
	uint32_t reserved;
	union {
		uint32_t port[AGENT_STREAMS];
		uint32_t arg[AGENT_STREAMS];
	};
};

_Static_assert(sizeof(struct agent_msg) == 32, "guest and host are built apart");

#endif
