/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/oci_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/util/clock.h"
#include "runtime/util/stream.h"

#define TEXT_BYTES 768 /* of one line before escaping */
#define LINE_BYTES (2 * TEXT_BYTES + 128)

_Static_assert(LINE_BYTES <= PIPE_BUF, "a line is one write, whole");

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

int oci_log_level(const char *name, enum log_level *ret)
{
	if (strcmp(name, "warn") == 0)
		name = "warning";
	for (unsigned int i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* A socket that the caller opened (systemd's standard error is one) cannot be opened by its name. */
static int oci_log_inherited_socket(const char *path)
{
	int fd = strcmp(path, "/dev/stdout") == 0 ? STDOUT_FILENO : STDERR_FILENO;

	if (fd == STDERR_FILENO && strcmp(path, "/dev/stderr") != 0 &&
	    sscanf(path, "/dev/fd/%d", &fd) != 1 && sscanf(path, "/proc/self/fd/%d", &fd) != 1) {
		errno = ENXIO;
		return -1;
	}
	return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

static int oci_log_open_nonblocking(const char *path)
{
	const int flags = O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);

	if (fd >= 0 || errno != ENXIO)
		return fd;
	/* A FIFO without a reader, who may come later; otherwise a socket, or a missing device. */
	fd = open(path, O_RDWR | flags);
	return fd < 0 && errno == ENXIO ? oci_log_inherited_socket(path) : fd;
}

int oci_log_open(const char *path, bool json, enum log_level max, struct oci_log *ret,
		 struct err *err)
{
	int fd = oci_log_open_nonblocking(path);

	if (fd < 0)
		return err_set(err, errno, "--log %s", path);
	*ret = (struct oci_log){.fd = fd, .json = json, .max = max, .disk = stream_is_disk(fd)};
	return 0;
}

void oci_log_stderr(enum log_level max, struct oci_log *ret)
{
	int fd = stream_own(STDERR_FILENO);

	if (fd < 0)
		fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	*ret = (struct oci_log){.fd = fd, .plain = true, .max = max, .disk = stream_is_disk(fd)};
}

void oci_log_close(struct oci_log *o)
{
	cleanup_close_fd(&o->fd);
	o->fd = -1;
	if (o->writer > 0)
		close(o->writer);
	o->writer = 0;
}

void oci_log_escape(const char *text, char *ret, size_t size)
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
		else if (!fmt_plain((char)c))
			/* File names may hold any byte; the reader needs valid UTF-8. */
			fmt_into(piece, sizeof(piece), "\\u%04x", c);
		len = strlen(piece);
		if (size - n <= len)
			break;
		memcpy(ret + n, piece, len);
		n += len;
	}
	ret[n] = '\0';
}

static size_t oci_log_format_line(const struct oci_log *o, enum log_level level, const char *text,
				  char *ret, size_t size)
{
	char escaped[2 * TEXT_BYTES], time[CLOCK_TEXT_BYTES];

	if (o->plain)
		return fmt_into(ret, size, "vmrun: %s\n", text);
	oci_log_escape(text, escaped, sizeof(escaped));
	clock_rfc3339(time, o->json ? 6 : 0);
	if (o->json)
		return fmt_into(ret, size, "{\"level\":\"%s\",\"msg\":\"%s\",\"time\":\"%s\"}\n",
				level_names[level], escaped, time);
	return fmt_into(ret, size, "time=\"%s\" level=%s msg=\"%s\"\n", time, level_names[level],
			escaped);
}

/* Whether the whole line was written */
static bool oci_log_put(struct oci_log *o, enum log_level level, const char *text)
{
	char line[LINE_BYTES] = "\n";
	/* After half a line a new line begins. */
	const size_t begin = o->torn ? 1 : 0;
	const size_t len = begin +
			   oci_log_format_line(o, level, text, line + begin, sizeof(line) - begin);
	const size_t n = o->disk ? stream_put_apart(o->fd, line, len, &o->writer)
				 : stream_put(o->fd, line, len);

	if (n > 0)
		o->torn = n < len;
	return n == len;
}

void oci_log_flush(struct oci_log *o)
{
	char text[64];

	if (o->fd < 0 || o->lost == 0)
		return;
	fmt_into(text, sizeof(text), "%u lines were lost here: the log took no more", o->lost);
	if (oci_log_put(o, LOG_LEVEL_WARN, text))
		o->lost = 0;
}

void oci_log_write(struct oci_log *o, enum log_level level, const char *fmt, ...)
{
	char text[TEXT_BYTES];
	va_list ap;

	if (o->fd < 0 || level > o->max)
		return;
	va_start(ap, fmt);
	fmt_vinto(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* JSON and runc's text have escapes; a terminal has none. */
	if (o->plain)
		(void)fmt_printable(text);
	oci_log_flush(o);
	if (o->lost > 0 || !oci_log_put(o, level, text))
		o->lost++;
}
