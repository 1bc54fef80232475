/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/console/console_reader.h"

#include <errno.h>
#include <poll.h>

/* As CONSOLE_KEPT_ORDER() */
#define CONSOLE_READER_ORDER() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/* What the history no longer has is lost for this reader */
static void console_reader_skip_lost(struct console_reader *r, const struct console_history *h)
{
	const uint64_t first = console_history_first(h);

	if (r->at >= first)
		return;
	r->lost += first - r->at;
	r->at = first;
}

static const char *console_reader_name(const struct console_reader *r)
{
	static const char *const names[] = {
		[CONSOLE_SINK] = "standard output",
		[CONSOLE_LOG] = "the log file",
		[CONSOLE_PEER] = "an attached user",
	};

	return names[r->role];
}

/* Everything up to here is lost: the line failed */
static void console_reader_fail(struct console_reader *r, const struct console_history *h,
				int errnum)
{
	r->lost += h->end - r->at;
	r->at = h->end;
	log_limited(&r->limit, LOG_LEVEL_WARN, "port %u: %llu bytes are lost for %s: %s", r->port,
		    (unsigned long long)r->lost, console_reader_name(r), err_describe(errnum));
}

static void console_reader_caught_up(struct console_reader *r)
{
	if (r->lost > 0)
		log_limited(&r->limit, LOG_LEVEL_WARN,
			    "port %u: %s goes on; %llu bytes were lost for it", r->port,
			    console_reader_name(r), (unsigned long long)r->lost);
	r->late = false;
	r->lost = 0;
}

/* How much of @bytes a log file has room for; says once that it is full */
static uint32_t console_reader_allows(struct console_reader *r, uint32_t bytes)
{
	if (r->role != CONSOLE_LOG || bytes <= r->left)
		return bytes;
	if (!r->full)
		log_warn("port %u: the log file is full; SIGHUP to the supervisor opens it anew",
			 r->port);
	r->full = true;
	return (uint32_t)r->left;
}

/* A write to a file is noted first: its size tells afterwards how far it came.  Syscalls: fstat */
static void console_reader_note(struct console_reader *r, uint32_t bytes)
{
	if (!r->line.is_file)
		return;
	r->until = 0;
	CONSOLE_READER_ORDER();
	r->from = r->at;
	r->file_bytes = line_file_bytes(&r->line);
	CONSOLE_READER_ORDER();
	r->until = r->at + bytes;
	CONSOLE_READER_ORDER();
}

void console_reader_resume(struct console_reader *r, const struct console_history *h)
{
	const uint64_t has = r->line.file_bytes, had = r->file_bytes;
	uint64_t wrote = has > had ? has - had : 0;

	if (!r->line.is_file || r->until <= r->from || r->until > h->end)
		return;
	wrote = wrote < r->until - r->from ? wrote : r->until - r->from;
	if (r->at < r->from + wrote)
		r->at = r->from + wrote;
}

/* One write: whether to try another */
static bool console_reader_step(struct console_reader *r, const struct console_history *h)
{
	uint32_t have, bytes;
	const uint8_t *data = console_history_at(h, r->at, &have);
	ssize_t n;

	bytes = console_reader_allows(r, have);
	if (bytes == 0) {
		r->lost += h->end - r->at;
		r->at = h->end;
		return false;
	}
	console_reader_note(r, bytes);
	n = line_put(&r->line, data, bytes);
	if (n == -EAGAIN)
		return false;
	if (n < 0 && r->line.is_socket) {
		r->gone = true;
		r->at = h->end;
		return false;
	}
	if (n < 0) {
		console_reader_fail(r, h, (int)-n);
		return false;
	}
	r->at += (uint64_t)n;
	r->left -= r->role == CONSOLE_LOG ? (uint64_t)n : 0;
	if (r->at == h->end)
		console_reader_caught_up(r);
	return r->at < h->end;
}

void console_reader_flush(struct console_reader *r, const struct console_history *h)
{
	console_reader_skip_lost(r, h);
	if (r->line.fd < 0)
		return;
	if (r->gone)
		r->at = h->end;
	while (r->at < h->end && console_reader_step(r, h))
		;
}

uint32_t console_reader_room(const struct console_reader *r, const struct console_history *h)
{
	const uint64_t behind = h->end - r->at;

	if (r->role == CONSOLE_FREE || r->late || r->gone)
		return CONSOLE_HISTORY_BYTES;
	vr_assert(behind <= CONSOLE_HISTORY_BYTES); /* the guest waited for it */
	return (uint32_t)(CONSOLE_HISTORY_BYTES - behind);
}

void console_reader_give_up(struct console_reader *r)
{
	r->late = true;
	log_limited(&r->limit, LOG_LEVEL_WARN,
		    "port %u: %s takes nothing; the guest waits for it no longer", r->port,
		    console_reader_name(r));
}

int console_reader_set_log(struct console_reader *r, int fd, uint64_t max_bytes, struct err *err)
{
	struct line line;
	int rc = line_init(fd, &line, err);

	if (rc == 0 && !line.is_file)
		rc = err_text(err, EINVAL, "the log file is not a regular file");
	if (rc < 0)
		return rc;
	if (r->role == CONSOLE_LOG)
		close(r->line.fd);
	r->role = CONSOLE_LOG;
	r->line = line;
	r->full = false;
	r->left = line.file_bytes < max_bytes ? max_bytes - line.file_bytes : 0;
	return 0;
}

void console_reader_finish(struct console_reader *r, const struct console_history *h,
			   const struct timespec *timeout)
{
	console_reader_flush(r, h);
	while (r->at < h->end && line_ready(&r->line, POLLOUT, timeout))
		console_reader_flush(r, h);
}
