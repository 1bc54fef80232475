/* SPDX-License-Identifier: BSD-3-Clause */
/* Tickets of connections: what the supervisor answers with may be stale, or made up. */
#include "devices/vsock/vsock_table.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define PLACES 3

static struct vsock_table *t;

static void setup(void)
{
	t = calloc(1, sizeof(*t));
	cr_assert(t);
	vsock_table_init(t, PLACES);
}

TestSuite(vsock_table, .init = setup);

static struct vsock_conn *take(uint32_t port)
{
	struct vsock_conn *c = vsock_table_take(t, port, port, false);

	if (c)
		c->state = VSOCK_ASKED;
	return c;
}

Test(vsock_table, a_ticket_is_one_connections)
{
	struct vsock_conn *c = take(1), *other = take(2);
	const uint64_t ticket = vsock_table_ticket(t, c);

	cr_expect_eq(vsock_table_of(t, ticket), c);
	cr_expect_eq(vsock_table_of(t, vsock_table_ticket(t, other)), other);
	vsock_table_free(t, c);
	cr_expect_eq(vsock_table_of(t, ticket), NULL, "its place is free");
	c = take(3);
	cr_expect_eq(vsock_table_of(t, vsock_table_ticket(t, c)), c);
	cr_expect_eq(vsock_table_of(t, ticket), NULL, "its place is another's");
}

Test(vsock_table, a_ticket_that_never_was)
{
	const uint64_t ticket = vsock_table_ticket(t, take(1));
	static const uint64_t wrong[] = {1,	   PLACES,     VSOCK_CONNS_MAX, UINT32_MAX,
					 1U << 31, 1ULL << 32, UINT64_MAX};

	for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++)
		cr_expect_eq(vsock_table_of(t, ticket ^ wrong[i]), NULL, "%u", i);
}

Test(vsock_table, is_full_with_all_places_taken)
{
	for (uint32_t i = 0; i < PLACES; i++)
		cr_assert(take(i));
	cr_expect_eq(take(PLACES), NULL);
	cr_expect_eq(vsock_table_find(t, PLACES, PLACES), NULL);
}
