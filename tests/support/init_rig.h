/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: vmrun-init's side of the protocol in a process of this host, and a supervisor to drive it
 *
 * In mount and network namespaces of its own, with Unix sockets in place of vsock and a directory of the host for the
 * shared one. Its container's root has busybox. Needs root.
 */
#ifndef VMRUN_TESTS_SUPPORT_INIT_RIG_H
#define VMRUN_TESTS_SUPPORT_INIT_RIG_H

#include <linux/capability.h>
#include <sys/stat.h>

#include "devices/core/agent_msg.h"
#include "devices/core/agent_spec.h"
#include "devices/core/base.h"

#define RIG_ALL_CAPS ((1ULL << 38) - 1)

/** struct rig_spec - A description being written */
struct rig_spec {
	uint8_t bytes[1 << 20];
	size_t len;
};

/**
 * struct rig_session - The host's ends of a session
 * @in, @out, @errors: -1: none, or closed. With a terminal only @in, for both directions
 */
struct rig_session {
	uint32_t id;
	int in, out, errors;
};

/** rig_start() - Make the root, start the agent, hear its AGENT_HELLO; or skip the test. Uses temp_dir */
void rig_start(void);

/** rig_began() - How often the agent has said to itself that session 0's program runs */
unsigned int rig_began(void);

/** rig_stop() - End the agent */
void rig_stop(void);

/** rig_path() - A path of the shared directory, static */
const char *rig_path(const char *in_share);

/** rig_item() - Add an item: a struct (or NULL), then @nr strings */
void rig_item(struct rig_spec *s, enum agent_item_type type, const void *data, size_t len, unsigned int nr, ...);

/** rig_text() - Add an item of one string */
void rig_text(struct rig_spec *s, enum agent_item_type type, const char *text);

/** rig_process() - Add the items of a process: root's, in "/", with all capabilities and a PATH; "/bin/sh -c @command" */
void rig_process(struct rig_spec *s, const char *command);

/** rig_program() - The same for a program with arguments; the last is NULL. @p: NULL: as above; @caps: NULL: none */
void rig_program(struct rig_spec *s, const struct agent_process *p, const struct agent_caps *caps, const char *cwd,
		 const char *const *args);

/** rig_container() - Add the items of a container: root, /proc, /dev, /dev/pts */
void rig_container(struct rig_spec *s);

/** rig_mount() - Add a mount */
void rig_mount(struct rig_spec *s, const char *at, const char *source, const char *type, uint64_t set, uint32_t flags,
	       const char *data);

/** rig_run() - Hand in the streams, then AGENT_RUN. @terminal: one for both directions */
struct rig_session rig_run(uint32_t id, const struct rig_spec *s, bool terminal);

/** rig_hear() - The next message */
struct agent_msg rig_hear(void);

/** rig_expect() - The next message, of this type and session */
struct agent_msg rig_expect(enum agent_type type, uint32_t session);

/** rig_say() - Send a message */
void rig_say(enum agent_type type, uint32_t session, uint32_t code, uint32_t arg0, uint32_t arg1);

/** rig_stream() - Hand a stream to the agent. Return: the host's end */
int rig_stream(uint32_t *ret_port);

/** rig_control() - Its control connection */
int rig_control(void);

/** rig_read() - All that comes until the end of file, terminated, static; waits 30 s at most */
const char *rig_read(int *fd);

/** rig_until() - Read until @text has come */
void rig_until(int fd, const char *text);

/** rig_write() - Write a text */
void rig_write(int fd, const char *text);

/** rig_sh() - Run a command as session 0 of a container with @extra items. Return: what it wrote; its status in @ret_status */
const char *rig_sh(const struct rig_spec *extra, const char *command, uint32_t *ret_status);

/** rig_fails() - Run a description as session 0, and hear AGENT_FAILED with these. Return: its arg[1] */
uint32_t rig_fails(const struct rig_spec *s, enum agent_step step, int code);

#endif
