/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/reply.h"

#include <string.h>
#include <sys/socket.h>

#include "devices/core/fmt.h"
#include "runtime/supervisor/client.h"

static void reply_send(struct oci_log *log, int fd, uint32_t code, const char *text,
		       const uint64_t value[CTL_VALUES])
{
	struct reply r = {.code = code};

	fmt_into(r.text, sizeof(r.text), "%s", text);
	if (value)
		memcpy(r.value, value, sizeof(r.value));
	if (send(fd, &r, sizeof(r), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		oci_log_write(log, LOG_LEVEL_DEBUG, "a client left before its answer");
}

void reply_warn(struct oci_log *log, int fd, const char *text)
{
	oci_log_write(log, LOG_LEVEL_WARN, "%s", text);
	if (fd >= 0)
		reply_send(log, fd, REPLY_WARNING, text, NULL);
}

void reply_begun(struct oci_log *log, int fd)
{
	reply_send(log, fd, 0, "", NULL);
}

void reply_give(struct oci_log *log, int fd, const struct err *err,
		const uint64_t value[CTL_VALUES])
{
	reply_send(log, fd, (uint32_t)err->code, err->code ? err->msg : "", value);
	close(fd);
}
