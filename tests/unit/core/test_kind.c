/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/kind.h"

#include <criterion/criterion.h>
#include <string.h>

#include "policies/policy.h"

Test(kind, rows_name_what_is_there)
{
	for (unsigned int i = 0; i < KINDS; i++) {
		const struct kind *k = &kind_table[i];

		cr_expect_eq(k->policy == NULL, (k->flags & KIND_NAME) != 0, "%s", k->name);
		if (k->policy)
			cr_expect(policy_find(k->policy), "%s", k->policy);
		if (k->flags & KIND_ALONE)
			cr_expect(policy_find(k->policy_alone), "%s", k->policy_alone);
		cr_expect_eq(k->bus == BOOT_BUS_VIRTIO, k->virtio_id != 0, "%s", k->name);
		for (unsigned int j = 0; j < i; j++)
			cr_expect(strcmp(k->name, kind_table[j].name) != 0, "two are %s", k->name);
	}
}

Test(kind, types_come_first)
{
	unsigned int nr = 0;

	while (kind_types[nr])
		nr++;
	for (unsigned int i = 0; i < KINDS; i++) {
		cr_expect_eq((kind_table[i].flags & KIND_TYPE) != 0, i < nr, "%s",
			     kind_table[i].name);
		if (i < nr)
			cr_expect_str_eq(kind_types[i], kind_table[i].name);
	}
}

Test(kind, virtio_ids_find_their_first_row)
{
	cr_expect_eq(kind_of_virtio(VIRTIO_ID_NET), &kind_table[KIND_NET]);
	cr_expect_eq(kind_of_virtio(VIRTIO_ID_RNG), &kind_table[KIND_RNG]);
	cr_expect_null(kind_of_virtio(0), "the serial port is no virtio device");
	cr_expect_null(kind_of_virtio(UINT16_MAX));
}

Test(kind, names_are_found_and_listed_by_flag)
{
	char list[128];

	cr_expect_eq(kind_find("fs", KIND_OTHERS), &kind_table[KIND_FS]);
	cr_expect_null(kind_find("vhost-user", KIND_ALONE));
	cr_expect_null(kind_find("", UINT32_MAX));
	kind_list(KIND_IMPLIED, list, sizeof(list));
	cr_expect_str_eq(list, "rng and serial");
	kind_list(KIND_SINGLE, list, sizeof(list));
	cr_expect_str_eq(list, "balloon, vsock, console and serial");
	kind_list(0, list, sizeof(list));
	cr_expect_str_eq(list, "");
}
