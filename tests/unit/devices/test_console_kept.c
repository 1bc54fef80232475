/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a console leaves to its next process, at each place where it may die, and what an enemy leaves
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "devices/console/console_kept.h"

static int memory;
static struct console_kept *kept; /* as the process that dies sees it */

static struct console_kept *next(unsigned int nr_ports)
{
	struct console_kept *k = NULL;
	struct err err;

	cr_assert_eq(console_kept_open(memory, nr_ports, &k, &err), 0, "%s", err.msg);
	return k;
}

static void setup(void)
{
	memory = memfd_create("kept", MFD_CLOEXEC);
	cr_assert_eq(ftruncate(memory, CONSOLE_KEPT_BYTES), 0);
	kept = next(3);
}

TestSuite(console_kept, .init = setup, .timeout = 30);

Test(console_kept, begins_empty)
{
	for (unsigned int i = 0; i < CONSOLE_READERS_MAX; i++)
		cr_expect(kept->reader[i].role == CONSOLE_FREE && kept->reader[i].line.fd == -1);
	cr_expect_eq(kept->port[2].history.end, 0);
	console_kept_close(kept);
	console_kept_close(NULL);
}

Test(console_kept, has_a_size)
{
	struct console_kept *k;
	struct err err;

	cr_assert_eq(ftruncate(memory, 4096), 0);
	cr_expect_eq(console_kept_open(memory, 1, &k, &err), -EINVAL);
	cr_expect_eq(console_kept_open(-1, 1, &k, &err), 0, "memory of this process alone");
}

Test(console_kept, history_and_users_outlive_it)
{
	struct console_kept *k;

	kept->port[1].history.end = 70000;
	kept->port[1].began = 69000;
	kept->port[1].known = kept->port[1].open = 1;
	kept->reader[0] = (struct console_reader){.role = CONSOLE_SINK, .line.fd = 7, .at = 0};
	kept->reader[5] = (struct console_reader){
		.role = CONSOLE_PEER, .line.fd = 12, .ticket = 9, .port = 1, .at = 69990};
	k = next(3);
	cr_expect_eq(k->port[1].history.end, 70000);
	cr_expect_eq(k->port[1].began, 69000);
	cr_expect(k->port[1].known == 1 && k->port[1].open == 1);
	cr_expect(k->reader[5].role == CONSOLE_PEER && k->reader[5].ticket == 9);
	cr_expect(k->reader[5].line.fd == -1 && k->reader[5].at == 69990);
	cr_expect_eq(k->reader[0].role, CONSOLE_FREE, "until its line is known");
}

/* The read has happened, its note has not */
static void die_reading(const char *text, uint32_t bytes, uint32_t reading)
{
	struct console_typed *t = &kept->port[0].typed;

	memset(t->data, CONSOLE_TYPED_NONE, sizeof(t->data));
	memcpy(t->data, text, bytes);
	t->at = t->nr = 17;
	t->reading = reading;
}

Test(console_kept, a_read_that_was_not_noted_is_found)
{
	const struct console_typed *t;

	die_reading("typed", 5, 4096);
	t = &next(3)->port[0].typed;
	cr_expect(t->at == 0 && t->nr == 5 && t->next == 0 && t->reading == 0);
	cr_expect(!memcmp(t->data, "typed", 5));
	die_reading("", 0, 4096);
	t = &next(3)->port[0].typed;
	cr_expect(t->at == 0 && t->nr == 0, "nothing had come");
	die_reading("twelve bytes", 12, 12);
	cr_expect_eq(next(3)->port[0].typed.nr, 12, "a full buffer");
	die_reading("t\xff\xff", 3, 100);
	cr_expect_eq(next(3)->port[0].typed.nr, 1, "no text ends so");
}

Test(console_kept, a_file_tells_how_far_a_write_came)
{
	static const struct {
		uint64_t at, size, want;
		const char *what;
	} rows[] = {
		{1000, 500, 1000, "not begun"},
		{1000, 800, 1300, "partly, not noted"},
		{1000, 1500, 2000, "whole, not noted"},
		{2000, 1500, 2000, "whole, noted"},
		{1300, 800, 1300, "partly, noted"},
		{1000, 9999, 2000, "others have added to the file"},
		{1000, 20, 1000, "others have cut it"},
		{2500, 1500, 2500, "it was of an earlier write"},
	};
	static const struct console_history h = {.end = 3000};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct console_reader r = {
			.line = {.is_file = true, .file_bytes = rows[i].size},
			.at = rows[i].at,
			.from = 1000,
			.until = 2000,
			.file_bytes = 500,
		};

		console_reader_resume(&r, &h);
		cr_expect_eq(r.at, rows[i].want, "%s: %lu", rows[i].what, r.at);
		r = (struct console_reader){.at = 5, .from = 0, .until = 9, .file_bytes = 0};
		r.line.file_bytes = 9;
		console_reader_resume(&r, &h);
		cr_expect_eq(r.at, 5, "no file");
	}
}

Test(console_kept, believes_nothing)
{
	uint8_t *const bytes = (uint8_t *)kept;

	for (unsigned int seed = 0; seed < 200; seed++) {
		const struct console_kept *k;

		srand(seed);
		for (size_t i = 4; i < sizeof(*kept); i++)
			if (seed % 2 || rand() % 64 == 0)
				bytes[i] = (uint8_t)rand();
		k = next(3);
		for (unsigned int i = 0; i < 3; i++) {
			const struct console_typed *t = &k->port[i].typed;

			cr_assert_leq(k->port[i].began, k->port[i].history.end);
			cr_assert_leq(k->port[i].history.end, UINT64_MAX / 2);
			cr_assert(t->at <= t->nr && t->next <= t->nr);
			cr_assert_leq(t->nr, CONSOLE_INPUT_BYTES);
		}
		for (unsigned int i = 0; i < CONSOLE_READERS_MAX; i++) {
			const struct console_reader *r = &k->reader[i];

			cr_assert(r->role == CONSOLE_FREE || (r->role == CONSOLE_PEER && i > 1));
			cr_assert(r->port < 3 && r->line.fd == -1);
			cr_assert_leq(r->at, k->port[r->port].history.end);
			cr_assert_geq(r->at, console_history_first(&k->port[r->port].history));
		}
		console_kept_close((struct console_kept *)(uintptr_t)k);
	}
}
