/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/console/console_kept.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONSOLE_KEPT_VERSION 1U

static void console_kept_check_history(struct console_kept_port *p)
{
	struct console_history *h = &p->history;

	/* What was stored behind the end is not part of it. A guest cannot have written as much. */
	if (h->end > UINT64_MAX / 2)
		h->end = 0;
	if (p->began > h->end)
		p->began = h->end;
}

static void console_kept_check_typed(struct console_typed *t)
{
	const uint32_t reading = t->reading < CONSOLE_INPUT_BYTES ? t->reading
								  : CONSOLE_INPUT_BYTES;

	if (reading > 0) {
		t->at = t->next = 0;
		t->nr = reading;
		while (t->nr > 0 && t->data[t->nr - 1] == CONSOLE_TYPED_NONE)
			t->nr--;
		CONSOLE_KEPT_ORDER();
		t->reading = 0;
	}
	if (t->nr > CONSOLE_INPUT_BYTES || t->at > t->nr || t->next > t->nr)
		t->at = t->nr = t->next = 0;
}

static void console_kept_check_reader(struct console_kept *k, unsigned int i, unsigned int nr_ports)
{
	struct console_reader *r = &k->reader[i];
	const struct console_history *h;

	if (r->port >= nr_ports)
		*r = (struct console_reader){.role = CONSOLE_FREE};
	h = &k->port[r->port].history;
	r->line = (struct line){.fd = -1};
	r->limit = (struct log_limit){0};
	r->late = r->full = r->gone = false;
	if (r->role != CONSOLE_PEER || i < CONSOLE_READERS_MAX - CONSOLE_PEERS_MAX)
		r->role = CONSOLE_FREE;
	if (r->at > h->end || r->at < console_history_first(h))
		r->at = console_history_first(h);
}

static void console_kept_check(struct console_kept *k, unsigned int nr_ports)
{
	if (k->version != CONSOLE_KEPT_VERSION) {
		memset(k, 0, sizeof(*k));
		for (unsigned int i = 0; i < CONSOLE_READERS_MAX; i++)
			k->reader[i].line.fd = -1;
		CONSOLE_KEPT_ORDER();
		k->version = CONSOLE_KEPT_VERSION;
		return;
	}
	for (unsigned int i = 0; i < nr_ports; i++) {
		console_kept_check_history(&k->port[i]);
		console_kept_check_typed(&k->port[i].typed);
	}
	for (unsigned int i = 0; i < CONSOLE_READERS_MAX; i++)
		console_kept_check_reader(k, i, nr_ports);
}

int console_kept_open(int fd, unsigned int nr_ports, struct console_kept **ret, struct err *err)
{
	const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	struct stat st;
	void *k;

	/* By number: glibc's fstat() is newfstatat, which takes a path as well. */
	if (fd >= 0 && (syscall(SYS_fstat, fd, &st) < 0 || st.st_size != CONSOLE_KEPT_BYTES))
		return err_text(err, EINVAL, "the memory of the console's last process");
	k = mmap(NULL, CONSOLE_KEPT_BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (k == MAP_FAILED)
		return err_set(err, errno, "the memory that the console keeps");
	console_kept_check(k, nr_ports);
	*ret = k;
	return 0;
}

void console_kept_close(struct console_kept *k)
{
	if (k)
		(void)munmap(k, CONSOLE_KEPT_BYTES);
}
