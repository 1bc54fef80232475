/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: virtio-console: terminals and named ports (virtio 1.3 section 5.3)
 *
 * Port 0 is the guest's hvc0; others are /dev/virtio-ports/NAME. Without names the device offers no
 * multiport: then the size is in configuration space, which all drivers read alike.
 *
 *   console_output    the guest's output goes to the history of its port, and on to the port's readers
 *   console_reader    a reader: the VM's standard output, a log file, an attached user
 *   console_history   the last 64 KiB of a port, which a user who attaches gets first
 *   console_kept      what a console leaves to its next process
 *   console_peers     users come and go; what they type goes to the guest
 *   console_guest     the control messages of multiport
 *
 * Neither a reader that reads nothing nor the guest can make the device wait.
 */
#include <errno.h>
#include <linux/virtio_ids.h>
#include <string.h>
#include <sys/timerfd.h>

#include "devices/console/console_guest.h"
#include "devices/console/console_output.h"
#include "devices/console/console_peers.h"

enum console_slot { CONSOLE_SLOT_SOURCE, CONSOLE_SLOT_SINK, CONSOLE_SLOT_TIMER };

#define CONSOLE_FD_SOURCE     (BOOT_FD_RES + 0)
#define CONSOLE_FD_SINK	      (BOOT_FD_RES + 1)
#define CONSOLE_FD_LOG	      (BOOT_FD_RES + 2) /* if there is one; then what the last process left */

#define CONSOLE_PEER_LEAVE_MS 200 /* that an attached user may take for the last output */
#define CONSOLE_F(f)	      (1ULL << VIRTIO_CONSOLE_F_##f)

/* ---- the guest ---- */

static void console_queue(struct device *d, unsigned int q)
{
	const struct console *c = d->state;
	const unsigned int port = q < CONSOLE_QUEUE_TO_GUEST ? 0 : (q - 2) / 2;

	if (c->multiport && q == CONSOLE_QUEUE_TO_GUEST)
		console_guest_tell(d);
	else if (c->multiport && q == CONSOLE_QUEUE_BY_GUEST)
		console_guest_hear(d);
	else if (q == CONSOLE_QUEUE_TX(port))
		console_output_move(d, port);
	else if (q == CONSOLE_QUEUE_RX(port))
		console_peers_input(d, port);
}

static int console_start(struct device *d, uint64_t features)
{
	struct console *c = d->state;

	c->multiport = features & CONSOLE_F(MULTIPORT);
	/* A driver that knows of ports begins with DEVICE_READY; one that goes on after a pause, or after the last
	 * process's death, does not. */
	if (!c->multiport)
		console_guest_forget(c);
	if (!c->multiport)
		c->port[0].kept->open = 1;
	return 0;
}

static void console_stop(struct device *d, unsigned int q)
{
	const struct console *c = d->state;

	for (unsigned int i = 0; i < c->settings.nr_ports; i++)
		if (q == CONSOLE_QUEUE_TX(i))
			console_output_stop(d, i);
}

static void console_reset(struct device *d)
{
	struct console *c = d->state;

	for (unsigned int i = 0; i < c->settings.nr_ports; i++)
		c->port[i].due_ns = 0;
	c->multiport = false;
}

static int console_config(struct device *d, bool write, uint32_t off, void *buf, uint32_t len)
{
	const struct console *c = d->state;
	const struct virtio_console_config config = {
		.cols = c->settings.cols,
		.rows = c->settings.rows,
		.max_nr_ports = c->settings.nr_ports,
	};

	if (!write)
		memcpy(buf, (const uint8_t *)&config + off, len);
	else if (off == offsetof(struct virtio_console_config, emerg_wr))
		console_output_byte(d, *(const uint8_t *)buf);
	else
		return -EPERM;
	return 0;
}

/* ---- the host ---- */

static void console_event(struct device *d, unsigned int slot, uint32_t events UNUSED)
{
	if (slot == CONSOLE_SLOT_TIMER)
		console_output_late(d);
	else if (slot == CONSOLE_SLOT_SINK)
		console_output_move(d, 0);
	else
		console_peers_input(d, 0);
}

/* A user of a port by name; hvc0, which is the first, has the empty one */
static int console_attach(struct device *d, const struct ctl_msg *m, int *fd, struct err *err)
{
	const struct console *c = d->state;
	const char *const name = m->text;
	unsigned int port = 0;
	int rc;

	while (port < c->settings.nr_ports && strcmp(c->settings.name[port], name) != 0)
		port++;
	if (port == c->settings.nr_ports)
		return err_text(err, ENOENT, "the console has no port %s", name);
	rc = console_peers_attach(d, *fd, port, m->arg, err);
	if (rc < 0)
		return rc;
	*fd = -1;
	console_peers_input(d, port);
	return 0;
}

static int console_resize(struct device *d, uint64_t arg, struct err *err)
{
	struct console *c = d->state;

	if (arg >> 32 != 0)
		return err_text(err, EINVAL, "the size of the terminal is out of range");
	c->settings.cols = (uint16_t)(arg >> 16);
	c->settings.rows = (uint16_t)arg;
	device_config_changed(d);
	if (c->port[0].kept->known) {
		c->port[0].kept->tell |= CONSOLE_TELL_SIZE;
		console_guest_tell(d);
	}
	return 0;
}

static int console_reopen(struct device *d, int *fd, struct err *err)
{
	struct console *c = d->state;
	struct console_reader *r = &c->reader[CONSOLE_READER_LOG];
	int rc;

	if (!c->settings.log_bytes)
		return err_text(err, EINVAL, "the console has no log file");
	rc = console_reader_set_log(r, *fd, c->settings.log_bytes, err);
	if (rc < 0)
		return rc;
	*fd = -1;
	console_reader_flush(r, &c->port[0].kept->history);
	return 0;
}

static int console_control(struct device *d, struct ctl_msg *m, int *fd, struct err *err)
{
	switch (m->type) {
	case CTL_CONSOLE_ATTACH: return *fd < 0 ? -EPROTO : console_attach(d, m, fd, err);
	case CTL_CONSOLE_SIZE: return console_resize(d, m->arg, err);
	case CTL_CONSOLE_LOG: return *fd < 0 ? -EPROTO : console_reopen(d, fd, err);
	default: return -EPROTO;
	}
}

/* The VMM is gone: the end of the output. The supervisor waits for us. */
static void console_finish(struct device *d)
{
	static const struct timespec soon = {.tv_nsec = CONSOLE_PEER_LEAVE_MS * 1000000L};
	struct console *c = d->state;

	for (unsigned int i = CONSOLE_READERS_MAX; i-- > 0;)
		if (c->reader[i].role != CONSOLE_FREE && c->reader[i].line.fd >= 0)
			console_reader_finish(&c->reader[i],
					      &c->port[c->reader[i].port].kept->history,
					      i == CONSOLE_READER_SINK ? NULL : &soon);
}

/* ---- setting up ---- */

/* The queues that it has; the driver of a console without names knows two */
static unsigned int console_nr_queues(const struct console_settings *s)
{
	return s->nr_ports > 1 ? 2U * s->nr_ports + 2U : 2U;
}

static int console_check(const struct boot_dev *rec, const struct console_settings *s,
			 struct err *err)
{
	if (s->nr_ports < 1 || s->nr_ports > CONSOLE_PORTS_MAX)
		return err_text(err, EINVAL, "%s: %u ports", rec->name, s->nr_ports);
	if (rec->nr_res != (s->log_bytes ? 3U : 2U) + (unsigned int)s->keeps || s->keeps > 1 ||
	    rec->nr_queues > 1)
		return err_text(err, EINVAL, "%s: %u resources, %u queues", rec->name, rec->nr_res,
				rec->nr_queues);
	for (unsigned int i = 0; i < CONSOLE_PORTS_MAX; i++) {
		const size_t len = strnlen(s->name[i], CONSOLE_NAME_BYTES);

		if (len == CONSOLE_NAME_BYTES || (len > 0) != (i > 0 && i < s->nr_ports))
			return err_text(err, EINVAL, "%s: the name of port %u", rec->name, i);
	}
	return 0;
}

/* Regular files and /dev/null cannot be watched, and are always ready. */
static int console_watch(struct device *d, unsigned int slot, int fd, uint32_t events,
			 struct err *err)
{
	const int rc = device_watch(d, slot, fd, events | EPOLLET, err);

	return rc == -EPERM ? 0 : rc;
}

/* What the last process left, or memory for it */
static int console_open_kept(struct console *c, struct err *err)
{
	const int fd = c->settings.log_bytes ? CONSOLE_FD_LOG + 1 : CONSOLE_FD_LOG;
	int rc = console_kept_open(c->settings.keeps ? fd : -1, c->settings.nr_ports, &c->kept,
				   err);

	if (rc < 0)
		return rc;
	c->reader = c->kept->reader;
	for (unsigned int i = 0; i < c->settings.nr_ports; i++)
		c->port[i].kept = &c->kept->port[i];
	return 0;
}

static int console_open_lines(struct console *c, struct err *err)
{
	const struct console_history *h = &c->port[0].kept->history;
	struct console_reader *sink = &c->reader[CONSOLE_READER_SINK];
	struct console_reader *log = &c->reader[CONSOLE_READER_LOG];
	int rc = line_init(CONSOLE_FD_SOURCE, &c->source, err);

	sink->role = CONSOLE_SINK;
	if (rc == 0)
		rc = line_init(CONSOLE_FD_SINK, &sink->line, err);
	if (rc == 0 && c->settings.log_bytes)
		rc = console_reader_set_log(log, CONSOLE_FD_LOG, c->settings.log_bytes, err);
	if (rc < 0)
		return rc;
	console_reader_resume(sink, h);
	console_reader_resume(log, h);
	return 0;
}

static int console_open(struct device *d, struct err *err)
{
	struct console *c = d->state;
	int rc = console_open_kept(c, err);

	if (rc == 0)
		rc = console_open_lines(c, err);
	if (rc < 0)
		return rc;
	c->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (c->timer_fd < 0)
		return err_set(err, errno, "timer");
	rc = console_watch(d, CONSOLE_SLOT_SOURCE, CONSOLE_FD_SOURCE, EPOLLIN, err);
	if (rc == 0)
		rc = console_watch(d, CONSOLE_SLOT_SINK, CONSOLE_FD_SINK, EPOLLOUT, err);
	return rc == 0 ? device_watch(d, CONSOLE_SLOT_TIMER, c->timer_fd, EPOLLIN, err) : rc;
}

/**
 * console_init() - Take over input, output and log file
 * @d:		Zeroed state
 * @rec:	struct console_settings and its resources
 * @err:	Filled on failure
 *
 * Context: setup
 * Syscalls: fstat mmap epoll_ctl timerfd_create
 * Return: 0 or -errno
 */
static int console_init(struct device *d, const struct boot_dev *rec, struct err *err)
{
	struct console *c = d->state;
	int rc = boot_settings(rec, &c->settings, sizeof(c->settings), err);

	if (rc == 0)
		rc = console_check(rec, &c->settings, err);
	if (rc < 0)
		return rc;
	d->nr_queues = console_nr_queues(&c->settings);
	d->features = CONSOLE_F(SIZE) | CONSOLE_F(EMERG_WRITE) |
		      (c->settings.nr_ports > 1 ? CONSOLE_F(MULTIPORT) : 0);
	return console_open(d, err);
}

static void console_release(struct device *d)
{
	const struct console *c = d->state;

	console_kept_close(c->kept);
}

const struct device_ops console_device = {
	.kind = &kind_table[KIND_CONSOLE],
	.queue_max = VQ_SIZE_MAX,
	.features = CONSOLE_F(SIZE) | CONSOLE_F(MULTIPORT) | CONSOLE_F(EMERG_WRITE),
	.state_size = sizeof(struct console),
	.init = console_init,
	.start = console_start,
	.queue = console_queue,
	.stop = console_stop,
	.event = console_event,
	.config = console_config,
	.control = console_control,
	.reset = console_reset,
	.done = console_release,
	.finish = console_finish,
};
