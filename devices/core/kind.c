/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/kind.h"

#define KIND_ROW(id, word, on, virtio, class, config, one, rest, max, bits)                        \
	[KIND_##id] = {                                                                            \
		.name = word,                                                                      \
		.program = "vmrun-dev-" word,                                                      \
		.policy = word "_device",                                                          \
		.policy_alone = word "_device_vhost_user",                                         \
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

const struct kind *kind_of_virtio(uint16_t virtio_id)
{
	for (unsigned int i = 0; i < KINDS; i++) {
		if (virtio_id != 0 && kind_table[i].virtio_id == virtio_id)
			return &kind_table[i];
	}
	return NULL;
}
