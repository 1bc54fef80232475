/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a device in enemy hands says to its supervisor
 *
 * By its control socket, on which it may say little (devices/core/ctl.h). Each of these has a name, and is sent as it is.
 */
#ifndef VMRUN_TESTS_HOSTILE_CONTROL_H
#define VMRUN_TESTS_HOSTILE_CONTROL_H

#include <string.h>

#include "devices/core/agent_msg.h"
#include "devices/core/boot.h"
#include "devices/core/ctl.h"
#include "devices/core/fdio.h"

#define CONTROL_MANY 100000U

/** struct control_lie - @times: 0 is once; @bytes: 0 is a whole message */
struct control_lie {
	const char *name;
	struct ctl_msg m;
	uint32_t times;
	size_t bytes;
};

static const struct control_lie control_lies[] = {
	{"done", {.type = CTL_DONE, .code = UINT32_MAX, .text = "x"}, 0, 0},
	{"ready-again", {.type = CTL_READY}, 0, 0},
	{"failed", {.type = CTL_FAILED, .code = 1, .text = "x"}, 0, 0},
	{"ended", {.type = CTL_ENDED, .code = END_POWEROFF}, 0, 0},
	{"late", {.type = CTL_LATE, .code = 9000, .text = "rng0"}, 0, 0},
	{"unknown-type", {.type = UINT32_MAX}, 0, 0},
	{"half", {.type = CTL_DONE}, 0, sizeof(struct ctl_msg) / 2},
	{"calls", {.type = CTL_VSOCK_ASK, .code = 7, .arg = UINT64_MAX}, CONTROL_MANY, 0},
	{"calls-init", {.type = CTL_VSOCK_ASK, .code = AGENT_PORT}, CONTROL_MANY, 0},
};

/** control_lie() - Say what has that name; false: nothing has */
static inline bool control_lie(const char *name)
{
	static struct ctl_msg endless;

	if (strcmp(name, "endless-text") == 0) {
		endless.type = CTL_DONE;
		memset(endless.text, 'x', sizeof(endless.text));
		(void)!fd_send(BOOT_FD_CONTROL, &endless, sizeof(endless), NULL, 0);
		return true;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(control_lies); i++) {
		const struct control_lie *l = &control_lies[i];

		if (strcmp(l->name, name) != 0)
			continue;
		for (uint32_t n = 0; n < (l->times ? l->times : 1); n++)
			(void)!fd_try_send(BOOT_FD_CONTROL, &l->m,
					   l->bytes ? l->bytes : sizeof(l->m));
		return true;
	}
	return false;
}

#endif
