/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/log.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "devices/core/fmt.h"

#define LOG_LIMIT_LINES 5
#define LOG_LIMIT_NS	10000000000ULL

/* The one global of the core: where this process's lines go, and how many did not get there lately */
static struct {
	int fd;
	enum log_level max;
	uint32_t lost;
} log_to = {.fd = -1, .max = LOG_LEVEL_INFO};

static void log_assertion(const char *line)
{
	log_err("%s", line);
}

void log_init(int fd, enum log_level max)
{
	int flags;

	log_to.fd = fd;
	log_to.max = max;
	vr_assert_log(log_assertion);
	if (fd <= STDERR_FILENO)
		return;
	flags = fcntl(fd, F_GETFL);
	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* Writes buf[0..len), whose text begins at byte 2 and tells of @lost lines, as one line */
static void log_emit(char *buf, size_t len, uint32_t lost)
{
	/* One line is one record: a name with a newline in it must not forge a second. */
	(void)fmt_printable(buf + 2);
	len = strlen(buf);
	buf[len++] = '\n';
	/* Its reader may not be there, or have enough of us. */
	if (write(log_to.fd, buf, len) < 0)
		__atomic_add_fetch(&log_to.lost, lost + 1, __ATOMIC_RELAXED);
}

static size_t log_begin(char *buf, size_t size, enum log_level level, uint32_t *ret_lost)
{
	size_t len = fmt_into(buf, size, "%c ", "EWID"[level]);

	*ret_lost = __atomic_exchange_n(&log_to.lost, 0, __ATOMIC_RELAXED);
	if (*ret_lost > 0)
		len += fmt_into(buf + len, size - len, "[%u lines lost] ", *ret_lost);
	return len;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char buf[LOG_LINE_BYTES];
	va_list ap;
	uint32_t lost;
	size_t len;

	if (log_to.fd < 0 || level > log_to.max)
		return;
	len = log_begin(buf, sizeof(buf), level, &lost);
	va_start(ap, fmt);
	len += fmt_vinto(buf + len, sizeof(buf) - len, fmt, ap);
	va_end(ap);
	log_emit(buf, len, lost);
}

void log_refused(unsigned int programs, unsigned int nr, const uint64_t *args)
{
	char buf[LOG_LINE_BYTES];

	if (log_to.fd < 0)
		return;
	(void)fmt_into(buf, sizeof(buf), "%c %x %x %llx %llx %llx %llx %llx %llx",
		       LOG_REFUSED_LETTER, programs, nr, (unsigned long long)args[0],
		       (unsigned long long)args[1], (unsigned long long)args[2],
		       (unsigned long long)args[3], (unsigned long long)args[4],
		       (unsigned long long)args[5]);
	log_emit(buf, strlen(buf), 0);
}

/* Whether @limit lets a line through now */
static bool log_limit_admit(struct log_limit *limit)
{
	struct timespec ts;
	uint64_t now_ns;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now_ns = (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
	if (now_ns - limit->window_start_ns >= LOG_LIMIT_NS) {
		limit->window_start_ns = now_ns;
		limit->in_window = 0;
	}
	if (limit->in_window >= LOG_LIMIT_LINES) {
		if (limit->dropped < UINT32_MAX)
			limit->dropped++;
		return false;
	}
	limit->in_window++;
	return true;
}

void log_limited(struct log_limit *limit, enum log_level level, const char *fmt, ...)
{
	char buf[LOG_LINE_BYTES];
	va_list ap;
	uint32_t lost;
	size_t len;

	if (log_to.fd < 0 || level > log_to.max || !log_limit_admit(limit))
		return;
	len = log_begin(buf, sizeof(buf), level, &lost);
	if (limit->dropped > 0) {
		len += fmt_into(buf + len, sizeof(buf) - len, "[%u like it dropped] ",
				limit->dropped);
		limit->dropped = 0;
	}
	va_start(ap, fmt);
	len += fmt_vinto(buf + len, sizeof(buf) - len, fmt, ap);
	va_end(ap);
	log_emit(buf, len, lost);
}
