/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/kind.h"

#include <string.h>

#include "devices/core/fmt.h"

#define KIND_ROW(id, word, on, virtio, class, config, one, rest, max, bits)                        \
	[KIND_##id] = {                                                                            \
		.name = word,                                                                      \
		.program = (bits)&KIND_NAME ? NULL : "vmrun-dev-" word,                            \
		.policy = (bits)&KIND_NAME ? NULL : word "_device",                                \
		.policy_early = (virtio) != 0 ? word "_device_early" : NULL,                       \
		.policy_alone = (bits)&KIND_ALONE ? word "_device_vhost_user" : NULL,              \
		.bus = BOOT_BUS_##on,                                                              \
		.virtio_id = virtio,                                                               \
		.pci_class = class,                                                                \
		.config_bytes = config,                                                            \
		.queues = {one, rest, max},                                                        \
		.flags = bits,                                                                     \
	},

const struct kind kind_table[KINDS] = {KIND_TABLE(KIND_ROW)};

#define KIND_WORD(id, word, on, virtio, class, config, one, rest, max, bits)                       \
	[KIND_##id] = (bits)&KIND_TYPE ? word : NULL,

const char *const kind_types[KINDS + 1] = {KIND_TABLE(KIND_WORD)};

#define KIND_CHECK(id, word, on, virtio, class, config, one, rest, max, bits)                      \
	_Static_assert((one) * (max) + (rest) <= BOOT_QUEUES_MAX, "queues of " word);              \
	_Static_assert(sizeof(word) + 1 < BOOT_NAME_BYTES, "room for " word " and its number");

KIND_TABLE(KIND_CHECK)

const struct kind *kind_find(const char *name, uint32_t flags)
{
	for (unsigned int i = 0; i < KINDS; i++)
		if (kind_table[i].flags & flags && strcmp(kind_table[i].name, name) == 0)
			return &kind_table[i];
	return NULL;
}

void kind_list(uint32_t flags, char *ret, size_t size)
{
	unsigned int left = 0;
	size_t len = 0;

	for (unsigned int i = 0; i < KINDS; i++)
		left += (kind_table[i].flags & flags) != 0;
	fmt_into(ret, size, "%s", "");
	for (unsigned int i = 0; i < KINDS; i++) {
		if (!(kind_table[i].flags & flags))
			continue;
		left--;
		len += fmt_into(ret + len, size - len, "%s%s", kind_table[i].name,
				left > 1    ? ", "
				: left == 1 ? " and "
					    : "");
	}
}

const struct kind *kind_of_virtio(uint16_t virtio_id)
{
	for (unsigned int i = 0; i < KINDS; i++) {
		if (virtio_id != 0 && kind_table[i].virtio_id == virtio_id)
			return &kind_table[i];
	}
	return NULL;
}

/* By virtio id; virtio 1.3 section 5 */
static const struct kind_live kind_lives[] = {
	[VIRTIO_ID_NET] = {6, 2, false},      /* status */
	[VIRTIO_ID_CONSOLE] = {0, 4, true},   /* the size; an emergency write is a byte of output */
	[VIRTIO_ID_BALLOON] = {0, 16, false}, /* all of it */
};

struct kind_live kind_live(uint16_t virtio_id)
{
	return virtio_id < ARRAY_SIZE(kind_lives) ? kind_lives[virtio_id] : (struct kind_live){0};
}
