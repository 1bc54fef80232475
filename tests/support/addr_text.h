/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Addresses as tests write them
 */
#ifndef VMRUN_TESTS_SUPPORT_ADDR_TEXT_H
#define VMRUN_TESTS_SUPPORT_ADDR_TEXT_H

#include <criterion/criterion.h>

#include "runtime/util/addr.h"

/** addr() - "10.0.0.1/24", or without a prefix */
static inline struct net_addr addr(const char *text)
{
	struct net_addr a;

	cr_assert_eq(addr_parse(text, &a), 0, "%s", text);
	return a;
}

/** ip() - The same of either family; NULL is none */
static inline struct net_ip ip(const char *text)
{
	struct net_ip a = {0};

	if (text)
		cr_assert_eq(addr_parse_ip(text, &a), 0, "%s", text);
	return a;
}

#endif
