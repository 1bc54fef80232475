/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/hostile/attempts/lies.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/core/fdio.h"
#include "devices/core/log.h"
#include "devices/core/vu_msg.h"
#include "tests/hostile/attempts/attempt.h"
#include "tests/hostile/control.h"

#define LINES	 20000
#define MESSAGES 100000U
#define MAPS_MAX 100000U

/* "control done" is "done" after "control " */
static const char *lie_after(const char *told, const char *word)
{
	const size_t len = strlen(word);

	return strncmp(told, word, len) == 0 ? told + len : NULL;
}

/* By the call that every policy has; control_lie() does not wait. */
static void lie_to_supervisor(const char *name)
{
	static struct ctl_msg endless = {.type = CTL_DONE};

	memset(endless.text, 'x', sizeof(endless.text));
	if (strcmp(name, "endless-text") == 0)
		(void)!fd_send(BOOT_FD_CONTROL, &endless, sizeof(endless), NULL, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(control_lies); i++) {
		const struct control_lie *l = &control_lies[i];

		if (strcmp(l->name, name) == 0)
			(void)!fd_send(BOOT_FD_CONTROL, &l->m, l->bytes ? l->bytes : sizeof(l->m),
				       NULL, 0);
	}
}

void lie_early(const char *told)
{
	const char *name = lie_after(told, "early ");

	if (name)
		lie_to_supervisor(name);
}

static void lie_to_log(void)
{
	for (unsigned int i = 0; i < LINES; i++)
		log_err("\33[2Jline %u of a flood", i);
}

/* A device has one channel, the VMM one to each device; where it is none the call fails. */
static void lie_to_channels(const char *what)
{
	const bool endless = strcmp(what, "endless") == 0;
	struct vu_hdr hdr = {.request = endless ? 1 : 0x78787878,
			     .flags = endless ? 5 : 0x78787878};
	const size_t bytes = strcmp(what, "half") == 0 ? sizeof(hdr) / 2 : sizeof(hdr);
	int fd = BOOT_FD_VMM;

	if (strcmp(program_invocation_name, "vmm") == 0)
		fd = BOOT_FD_DEVICE;
	for (unsigned int i = 0; i < (endless ? MESSAGES : 1); i++)
		if (fd_send(fd, &hdr, bytes, NULL, 0) < 0)
			return;
}

void lie_served(const char *told)
{
	const char *control = lie_after(told, "control "), *channel = lie_after(told, "channel ");

	if (control)
		lie_to_supervisor(control);
	if (channel)
		lie_to_channels(channel);
	if (strcmp(told, "log") == 0)
		lie_to_log();
}

void lie_mapped(const char *told, int fd)
{
	unsigned int n = 0;

	if (strcmp(told, "memory") != 0)
		return;
	while (n < MAPS_MAX &&
	       mmap(NULL, 32U << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED)
		n++;
	attempt_say("memory: mapped %u times, then %s", n, strerror(errno));
}
