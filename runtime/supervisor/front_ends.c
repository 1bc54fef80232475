/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/front_ends.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/core/vu_inflight.h"
#include "devices/core/vu_msg.h"
#include "runtime/host/ram.h"
#include "runtime/util/clock.h"

#define FRONT_ENDS_TELL_NS 1000000000ULL

/* Whether the one being served has closed its end; the device will say that it has noticed */
static bool front_ends_leaves(const struct front_ends *f)
{
	struct pollfd p = {.fd = f->fd, .events = POLLRDHUP};

	return f->fd >= 0 && poll(&p, 1, 0) > 0;
}

int front_ends_fd(const struct front_ends *f)
{
	return front_ends_leaves(f) ? -1 : f->listen_fd;
}

static void front_ends_turn_away(struct front_ends *f, const char *name, struct oci_log *log)
{
	const uint64_t now = clock_ns();

	if (now < f->tell_ns)
		return;
	f->tell_ns = now + FRONT_ENDS_TELL_NS;
	oci_log_write(log, LOG_LEVEL_WARN, "%s: a second front-end was turned away: one at a time",
		      name);
}

void front_ends_accept(struct front_ends *f, int control, const char *name, struct oci_log *log)
{
	const struct ctl_msg m = {.type = CTL_FRONT_END};
	cleanup_fd int fd = -1;

	/* This one can wait until the one before it has left. */
	if (front_ends_leaves(f))
		return;
	fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	if (f->fd >= 0)
		front_ends_turn_away(f, name, log);
	else if (ctl_send_whole(control, &m, fd) == 0)
		f->fd = TAKE_FD(fd);
}

/* Sends the front-end memory of its own, or word that there is none */
static void front_ends_give_region(const struct front_ends *f, const struct vu_inflight_area *area,
				   uint32_t payload_bytes)
{
	struct vu_msg m = {.hdr = {VU_GET_INFLIGHT_FD, VU_VERSION | VU_FLAG_REPLY, payload_bytes},
			   .inflight = *area};
	struct err ignored;
	cleanup_fd int fd = ram_open_sealed("in-flight", area->bytes, &ignored);

	if (fd < 0)
		m.inflight.bytes = 0;
	m.fd[0] = fd;
	m.nr_fds = fd >= 0;
	if (vu_try_send(f->fd, &m) < 0)
		(void)shutdown(f->fd, SHUT_RDWR);
}

static bool front_ends_asked(const struct front_ends *f, const struct ctl_msg *m)
{
	const struct vu_rule *rule = vu_rule(VU_GET_INFLIGHT_FD);
	const uint64_t payload = m->value[CTL_REGION_PAYLOAD];
	struct vu_inflight_area area = {
		.bytes = vu_inflight_bytes(m->value[CTL_REGION_QUEUES],
					   m->value[CTL_REGION_ENTRIES]),
	};

	if (area.bytes == 0 || payload < rule->bytes_min || payload > rule->bytes_max)
		return false;
	area.nr_queues = (uint16_t)m->value[CTL_REGION_QUEUES];
	area.queue_size = (uint16_t)m->value[CTL_REGION_ENTRIES];
	front_ends_give_region(f, &area, (uint32_t)payload);
	return true;
}

bool front_ends_heard(struct front_ends *f, const struct ctl_msg *m)
{
	if (f->fd < 0)
		return false;
	if (m->type == CTL_REGION)
		return front_ends_asked(f, m);
	if (m->type != CTL_LEFT)
		return false;
	front_ends_done(f);
	return true;
}

void front_ends_done(struct front_ends *f)
{
	cleanup_close_fd(&f->fd);
	f->fd = -1;
}
