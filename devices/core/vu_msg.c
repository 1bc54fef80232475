/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/vu_msg.h"

#include <errno.h>
#include <string.h>

#define VU_WIRE_MAX    (sizeof(struct vu_hdr) + VU_PAYLOAD_MAX)
#define VU_FLAGS_KNOWN (VU_FLAG_VERSION | VU_FLAG_REPLY | VU_FLAG_NEED_REPLY)

#define OWNED	       VU_STATE_OWNED
#define PROTOCOL       VU_STATE_PROTOCOL
#define READY	       (VU_STATE_OWNED | VU_STATE_FEATURES | VU_STATE_MEMORY)

#define STATE	       sizeof(struct vu_vring_state)
#define ADDR	       sizeof(struct vu_vring_addr)
#define CONFIG	       offsetof(struct vu_config, data), sizeof(struct vu_config)
#define INFLIGHT       offsetof(struct vu_inflight_area, reserved), sizeof(struct vu_inflight_area)
#define MEM	       offsetof(struct vu_mem_table, region[1]), sizeof(struct vu_mem_table)

/*
 * A front-end may ask for features and set eventfds of rings before anything else is settled: QEMU does
 * both. The fd of a ring is missing when VU_VRING_NO_FD is set.
 */
/* clang-format off */
static const struct vu_rule vu_rules[VU_REQUESTS] = {
#define R(n, ...) [VU_##n] = {#n, __VA_ARGS__}
	/* name                   needs             once   bytes         fds   replies */
	R(GET_FEATURES,           0,                false, 0, 0,         0, 0, true),
	R(SET_FEATURES,           OWNED,            false, 8, 8,         0, 0, false),
	R(SET_OWNER,              0,                true,  0, 0,         0, 0, false),
	R(RESET_OWNER,            OWNED,            false, 0, 0,         0, 0, false),
	R(SET_MEM_TABLE,          OWNED,            false, MEM,          1, 8, false),
	R(SET_VRING_NUM,          OWNED,            false, STATE, STATE, 0, 0, false),
	R(SET_VRING_ADDR,         OWNED,            false, ADDR, ADDR,   0, 0, false),
	R(SET_VRING_BASE,         OWNED,            false, STATE, STATE, 0, 0, false),
	R(GET_VRING_BASE,         OWNED,            false, STATE, STATE, 0, 0, true),
	R(SET_VRING_KICK,         READY,            false, 8, 8,         0, 1, false),
	R(SET_VRING_CALL,         OWNED,            false, 8, 8,         0, 1, false),
	R(SET_VRING_ERR,          OWNED,            false, 8, 8,         0, 1, false),
	R(GET_PROTOCOL_FEATURES,  0,                false, 0, 0,         0, 0, true),
	R(SET_PROTOCOL_FEATURES,  0,                false, 8, 8,         0, 0, false),
	R(GET_QUEUE_NUM,          PROTOCOL,         false, 0, 0,         0, 0, true),
	R(SET_VRING_ENABLE,       OWNED | PROTOCOL, false, STATE, STATE, 0, 0, false),
	R(SET_BACKEND_REQ_FD,     PROTOCOL,         false, 0, 0,         1, 1, false),
	R(GET_CONFIG,             PROTOCOL,         false, CONFIG,       0, 0, true),
	R(SET_CONFIG,             OWNED | PROTOCOL, false, CONFIG,       0, 0, false),
	R(GET_INFLIGHT_FD,        OWNED | PROTOCOL, false, INFLIGHT,     0, 0, true),
	R(SET_INFLIGHT_FD,        OWNED | PROTOCOL, false, INFLIGHT,     1, 1, false),
	R(RESET_DEVICE,           OWNED | PROTOCOL, false, 0, 0,         0, 0, false),
#undef R
};

/* The other way */
static const struct vu_rule vu_backend_rules[VU_BACKEND_REQUESTS] = {
	[VU_CONFIG_CHANGE] = {
		.name = "BACKEND_CONFIG_CHANGE_MSG",
		.needs = 1U << VU_PF_BACKEND_REQ | 1U << VU_PF_CONFIG,
	},
};
/* clang-format on */

/* The request that sets each VU_STATE_* bit */
static const char *const vu_state_name[] = {"SET_OWNER", "SET_PROTOCOL_FEATURES", "SET_FEATURES",
					    "SET_MEM_TABLE"};

_Static_assert(VU_REQUESTS <= 64, "requests seen are a 64-bit map");
_Static_assert(sizeof(struct vu_mem_table) <= VU_PAYLOAD_MAX &&
		       sizeof(struct vu_config) <= VU_PAYLOAD_MAX,
	       "largest payload");
_Static_assert(GMEM_REGIONS_MAX == 8, "fds of SET_MEM_TABLE");
_Static_assert(VU_FDS_MAX <= FDIO_FDS_MAX && GMEM_REGIONS_MAX <= VU_FDS_MAX, "fds of one message");

const struct vu_rule *vu_rule(uint32_t request)
{
	if (request >= VU_REQUESTS || !vu_rules[request].name)
		return NULL;
	return &vu_rules[request];
}

const struct vu_rule *vu_backend_rule(uint32_t request)
{
	if (request >= VU_BACKEND_REQUESTS || !vu_backend_rules[request].name)
		return NULL;
	return &vu_backend_rules[request];
}

/* The checks for requests of either side; @r may be NULL */
static int vu_rule_form(const struct vu_rule *r, const struct vu_msg *m, struct err *err)
{
	if (!r)
		return err_text(err, EPROTO, "vhost-user: unknown request %u", m->hdr.request);
	if ((m->hdr.flags & VU_FLAG_VERSION) != VU_VERSION || (m->hdr.flags & VU_FLAG_REPLY) ||
	    (m->hdr.flags & ~VU_FLAGS_KNOWN))
		return err_text(err, EPROTO, "vhost-user: %s: flags 0x%x of no request", r->name,
				m->hdr.flags);
	if (m->hdr.bytes < r->bytes_min || m->hdr.bytes > r->bytes_max)
		return err_text(err, EPROTO, "vhost-user: %s: payload of %u bytes, not %u to %u",
				r->name, m->hdr.bytes, r->bytes_min, r->bytes_max);
	if (m->nr_fds < r->fds_min || m->nr_fds > r->fds_max)
		return err_text(err, EPROTO, "vhost-user: %s: %u fds, not %u to %u", r->name,
				m->nr_fds, r->fds_min, r->fds_max);
	return 0;
}

int vu_rule_check(const struct vu_msg *m, uint32_t state, uint64_t seen, struct err *err)
{
	const struct vu_rule *r = vu_rule(m->hdr.request);
	int rc = vu_rule_form(r, m, err);
	uint32_t missing;

	if (rc < 0)
		return rc;
	if (r->once && (seen >> m->hdr.request & 1))
		return err_text(err, EPROTO, "vhost-user: %s came twice", r->name);
	missing = r->needs & ~state;
	if (missing)
		return err_text(err, EPROTO, "vhost-user: %s before %s", r->name,
				vu_state_name[__builtin_ctz(missing)]);
	return 0;
}

int vu_backend_rule_check(const struct vu_msg *m, uint64_t agreed, struct err *err)
{
	const struct vu_rule *r = vu_backend_rule(m->hdr.request);
	int rc = vu_rule_form(r, m, err);

	if (rc == 0 && r->needs & ~agreed)
		rc = err_text(err, EPROTO, "vhost-user: %s was not agreed on", r->name);
	return rc;
}

/* Receives the header, and the fds that came with its first byte; 1, 0 at the end, or -errno */
static int vu_recv_hdr(int sock, struct vu_msg *m)
{
	ssize_t n = fd_recv(sock, &m->hdr, sizeof(m->hdr), m->fd, &m->nr_fds);

	if (n <= 0)
		return (int)n;
	if ((size_t)n < sizeof(m->hdr)) {
		int rc = fd_read_full(sock, (char *)&m->hdr + n, sizeof(m->hdr) - (size_t)n);

		if (rc < 0)
			return rc == -EPIPE ? -EPROTO : rc;
	}
	return 1;
}

int vu_recv(int sock, struct vu_msg *ret, struct err *err)
{
	struct vu_msg m = {.nr_fds = 0};
	int rc = vu_recv_hdr(sock, &m);

	if (rc > 0 && (m.hdr.bytes > VU_PAYLOAD_MAX || m.nr_fds > VU_FDS_MAX)) {
		rc = err_text(err, EPROTO,
			      "vhost-user: message of %u bytes and %u fds is too large",
			      m.hdr.bytes, m.nr_fds);
		vu_msg_close(&m);
		return rc;
	}
	if (rc > 0 && m.hdr.bytes > 0) {
		rc = fd_read_full(sock, m.bytes, m.hdr.bytes);
		rc = rc == 0 ? 1 : rc == -EPIPE ? -EPROTO : rc;
	}
	if (rc > 0) {
		*ret = m;
		return 1;
	}
	vu_msg_close(&m);
	return rc < 0 ? err_set(err, -rc, "vhost-user: receive") : 0;
}

/* Lays a message out; returns its size */
static size_t vu_wire(const struct vu_msg *m, uint8_t ret[VU_WIRE_MAX])
{
	vr_assert(m->hdr.bytes <= VU_PAYLOAD_MAX);
	memcpy(ret, &m->hdr, sizeof(m->hdr));
	memcpy(ret + sizeof(m->hdr), m->bytes, m->hdr.bytes);
	return sizeof(m->hdr) + m->hdr.bytes;
}

int vu_send(int sock, const struct vu_msg *m, struct err *err)
{
	uint8_t wire[VU_WIRE_MAX];
	const int rc = fd_send(sock, wire, vu_wire(m, wire), m->fd, m->nr_fds);

	return rc < 0 ? err_set(err, -rc, "vhost-user: send") : 0;
}

int vu_try_send(int sock, const struct vu_msg *m)
{
	uint8_t wire[VU_WIRE_MAX];
	const size_t bytes = vu_wire(m, wire);

	vr_assert(m->nr_fds <= 1);
	return m->nr_fds ? fd_try_send_fd(sock, wire, bytes, m->fd[0])
			 : fd_try_send(sock, wire, bytes);
}

void vu_msg_close(struct vu_msg *m)
{
	for (unsigned int i = 0; i < m->nr_fds; i++) {
		if (m->fd[i] >= 0)
			close(m->fd[i]);
	}
	m->nr_fds = 0;
}
