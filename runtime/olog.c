/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/olog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/clock.h"

#define TEXT_BYTES 768 /* of one line before escaping */

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

int olog_level(const char *name, enum log_level *ret)
{
	unsigned int i;

	if (strcmp(name, "warn") == 0)
		name = "warning";
	for (i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

int olog_open(const char *path, bool json, enum log_level max, struct olog *ret, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0)
		return err_set(err, errno, "--log %s", path);
	*ret = (struct olog){.fd = fd, .json = json, .max = max};
	return 0;
}

void olog_close(struct olog *o)
{
	cleanup_close_fd(&o->fd);
	o->fd = -1;
}

void olog_escape(const char *text, char *ret, size_t size)
{
	size_t n = 0;

	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;
		char piece[8] = {(char)c, '\0'};
		size_t len;

		if (c == '"' || c == '\\')
			fmt_into(piece, sizeof(piece), "\\%c", c);
		else if (c == '\n')
			strcpy(piece, "\\n");
		else if (c < 0x20 || c >= 0x7f)
			/* Names of files may hold any byte; the reader wants valid UTF-8. */
			fmt_into(piece, sizeof(piece), "\\u%04x", c);
		len = strlen(piece);
		if (size - n <= len)
			break;
		memcpy(ret + n, piece, len);
		n += len;
	}
	ret[n] = '\0';
}

void olog_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

void olog_write(const struct olog *o, enum log_level level, const char *fmt, ...)
{
	char text[TEXT_BYTES], escaped[2 * TEXT_BYTES], time[CLOCK_TEXT_BYTES];
	char line[sizeof(escaped) + 128];
	va_list ap;
	size_t len;

	if (o->fd < 0 || level > o->max)
		return;
	va_start(ap, fmt);
	fmt_vinto(text, sizeof(text), fmt, ap);
	va_end(ap);
	olog_escape(text, escaped, sizeof(escaped));
	clock_rfc3339(time, o->json ? 6 : 0);
	if (o->plain)
		len = fmt_into(line, sizeof(line), "vmrun: %s\n", text);
	else if (o->json)
		len = fmt_into(line, sizeof(line),
			       "{\"level\":\"%s\",\"msg\":\"%s\",\"time\":\"%s\"}\n",
			       level_names[level], escaped, time);
	else
		len = fmt_into(line, sizeof(line), "time=\"%s\" level=%s msg=\"%s\"\n", time,
			       level_names[level], escaped);
	if (write(o->fd, line, len) < 0)
		return;
}
