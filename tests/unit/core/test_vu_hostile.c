/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Front-ends of a stand-alone back-end that speak too early, of memory that is none, or not at all
 *
 * Each row meets a new connection. What a row asks for is refused or ends the connection, and the next front-end
 * is served.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/vu_backend_rig.h"

TestSuite(vu_hostile, .init = setup);

#define OWNED	 1U
#define PROTOCOL 2U
#define FEATURES 4U
#define MEMORY	 8U

/* What a front-end does before it does something else */
static void begin(unsigned int have)
{
	if (have & PROTOCOL)
		vup_u64(sock, VUP_SET_PROTOCOL_FEATURES, 0, ask(VUP_GET_PROTOCOL_FEATURES));
	if (have & OWNED)
		vup_empty(sock, VUP_SET_OWNER, 0);
	if (have & FEATURES)
		vup_u64(sock, VUP_SET_FEATURES, 0, PF_BIT);
	if (have & MEMORY)
		vup_mem_table(sock, 0, &mem);
	cr_assert(pump());
}

static void next_front_end(void)
{
	close(sock);
	(void)pump();
	close(back_sock);
	connect_peer();
}

/* The next one is served as the first would have been. */
static void check_next(const char *after)
{
	next_front_end();
	run_ring();
	offer(0, "alive");
	cr_expect(pump(), "%s", after);
	cr_expect(echoed(0, "alive"), "%s", after);
	next_front_end();
}

Test(vu_hostile, too_early)
{
	static const struct {
		const char *name;
		uint32_t request, bytes;
		unsigned int have, nr_fds;
	} rows[] = {
		{"SET_FEATURES", VUP_SET_FEATURES, 8, PROTOCOL, 0},
		{"RESET_OWNER", VUP_RESET_OWNER, 0, PROTOCOL, 0},
		{"SET_MEM_TABLE", VUP_SET_MEM_TABLE, 40, PROTOCOL, 1},
		{"SET_VRING_NUM", VUP_SET_VRING_NUM, 8, PROTOCOL, 0},
		{"SET_VRING_ADDR", VUP_SET_VRING_ADDR, 40, PROTOCOL, 0},
		{"SET_VRING_BASE", VUP_SET_VRING_BASE, 8, PROTOCOL, 0},
		{"GET_VRING_BASE", VUP_GET_VRING_BASE, 8, PROTOCOL, 0},
		{"SET_VRING_CALL", VUP_SET_VRING_CALL, 8, PROTOCOL, 1},
		{"SET_VRING_ERR", VUP_SET_VRING_ERR, 8, PROTOCOL, 1},
		{"KICK without owner", VUP_SET_VRING_KICK, 8, PROTOCOL, 1},
		{"KICK without features", VUP_SET_VRING_KICK, 8, OWNED | PROTOCOL | MEMORY, 1},
		{"KICK without memory", VUP_SET_VRING_KICK, 8, OWNED | PROTOCOL | FEATURES, 1},
		{"GET_QUEUE_NUM", VUP_GET_QUEUE_NUM, 0, OWNED, 0},
		{"SET_VRING_ENABLE without protocol", VUP_SET_VRING_ENABLE, 8, OWNED, 0},
		{"SET_VRING_ENABLE without owner", VUP_SET_VRING_ENABLE, 8, PROTOCOL, 0},
		{"SET_BACKEND_REQ_FD", VUP_SET_BACKEND_REQ_FD, 0, OWNED, 1},
		{"GET_CONFIG", VUP_GET_CONFIG, 20, OWNED, 0},
		{"SET_CONFIG", VUP_SET_CONFIG, 20, PROTOCOL, 0},
		{"RESET_DEVICE", VUP_RESET_DEVICE, 0, OWNED, 0},
		/* an answer to what was not asked */
		{"a reply", VUP_GET_FEATURES, 8, 0, 0},
	};
	static const uint8_t zeros[64];

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const bool reply = strcmp(rows[i].name, "a reply") == 0;

		begin(rows[i].have);
		vup_send(sock, rows[i].request, reply ? 4 : 0, zeros, rows[i].bytes, kick,
			 rows[i].nr_fds);
		cr_expect_not(pump(), "%s", rows[i].name);
		cr_expect(backend.broke_rules, "%s", rows[i].name);
		check_next(rows[i].name);
	}
}

/* Memory of 0x20000 bytes; @fds come with @nr regions */
static const struct table {
	const char *name;
	uint32_t nr, fds;
	struct {
		uint64_t gpa, bytes, user, offset;
	} region[2];
	bool ends; /* the connection; otherwise the request is refused */
} tables[] = {
	{"no region", 0, 0, {{0}}, true},
	{"a region without its fd", 1, 0, {{0, 0x10000, 0, 0}}, true},
	{"more fds than regions", 1, 2, {{0, 0x10000, 0, 0}}, false},
	{"fewer fds than regions",
	 2,
	 1,
	 {{0, 0x10000, 0, 0}, {0x10000, 0x10000, 0x10000, 0}},
	 false},
	{"more regions than there are",
	 8,
	 2,
	 {{0, 0x10000, 0, 0}, {0x10000, 0x10000, 0x10000, 0}},
	 false},
	{"an empty region", 1, 1, {{0, 0, 0, 0}}, false},
	{"regions that overlap",
	 2,
	 2,
	 {{0, 0x10000, 0, 0}, {0xf000, 0x10000, 0x10000, 0x10000}},
	 false},
	{"the same region twice", 2, 2, {{0, 0x10000, 0, 0}, {0, 0x10000, 0, 0}}, false},
	{"user addresses that overlap",
	 2,
	 2,
	 {{0, 0x10000, 0x100000, 0}, {0x10000, 0x10000, 0x10f000, 0}},
	 false},
	{"a region that ends behind its file", 1, 1, {{0, 0x21000, 0, 0}}, false},
	{"a region that begins behind its file", 1, 1, {{0, 0x1000, 0, 0x20000}}, false},
	{"an offset that wraps", 1, 1, {{0, 0x2000, 0, UINT64_MAX - 0xfff}}, false},
	{"an address that wraps", 1, 1, {{UINT64_MAX - 0xfff, 0x2000, 0, 0}}, false},
	{"a user address that wraps", 1, 1, {{0, 0x2000, UINT64_MAX - 0xfff, 0}}, false},
	{"the whole address space", 1, 1, {{0, UINT64_MAX, 0, 0}}, false},
};

static void send_table(const struct table *t)
{
	uint64_t wire[1 + 4 * 2] = {t->nr};
	int fds[2] = {mem.fd, mem.fd};
	const uint32_t listed = t->nr < 2 ? t->nr : 2;

	memcpy(wire + 1, t->region, listed * sizeof(t->region[0]));
	vup_send(sock, VUP_SET_MEM_TABLE, VUP_NEED_REPLY, wire, 8 + 32 * listed, fds, t->fds);
}

Test(vu_hostile, memory_that_makes_no_sense)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(tables); i++) {
		/* Beside a ring that runs: it goes on, or ends with its connection. */
		run_ring();
		send_table(&tables[i]);
		if (tables[i].ends) {
			cr_expect_not(pump(), "%s", tables[i].name);
		} else {
			cr_expect_neq(ack(VUP_SET_MEM_TABLE), 0, "%s", tables[i].name);
			offer(0, "goes on");
			cr_expect(pump());
			cr_expect(echoed(0, "goes on"), "%s", tables[i].name);
		}
		check_next(tables[i].name);
	}
}

/* Nothing, the part of a header, a header without its payload: then the end. */
Test(vu_hostile, an_end_in_the_middle)
{
	static const uint32_t header[] = {VUP_SET_MEM_TABLE, 1, 40};

	for (size_t bytes = 0; bytes <= sizeof(header); bytes++) {
		begin(OWNED | PROTOCOL | FEATURES);
		cr_assert_eq(send(sock, header, bytes, 0), (ssize_t)bytes);
		shutdown(sock, SHUT_WR);
		cr_expect_not(pump(), "%zu bytes", bytes);
		check_next("an end");
	}
}
