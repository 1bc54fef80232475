/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Boot records and control messages from a hostile peer
 *
 * The first byte says what the rest is: 0 a device's record, 1 the VMM's, 2 a control message. What
 * the input lacks of a record is zero, so that short inputs reach the later checks, and its head is
 * put right; 0x80 keeps the length as it is, 0x40 the head. A record that passes is checked for what its users rely on.
 * Covers: devices/core/boot.c devices/core/ctl.c
 */
#include <string.h>
#include <sys/socket.h>

#include "devices/core/boot.h"
#include "devices/core/ctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rely_on_name(const char name[BOOT_NAME_BYTES])
{
	vr_assert(strnlen(name, BOOT_NAME_BYTES) > 0 &&
		  strnlen(name, BOOT_NAME_BYTES) < BOOT_NAME_BYTES);
}

static void rely_on_filter(const struct boot_filter *f)
{
	if (f->flags == BOOT_FILTER_NONE)
		vr_assert(f->count == 0);
	else
		vr_assert(f->flags == 0 && f->count > 0 && f->count <= BOOT_FILTER_MAX);
}

static void put_right(struct boot_hdr *h, enum boot_kind kind, size_t bytes)
{
	h->magic = BOOT_MAGIC;
	h->version = BOOT_VERSION;
	h->kind = (uint16_t)kind;
	h->bytes = (uint32_t)bytes;
}

static void fuzz_dev(const uint8_t *data, size_t size, size_t claimed, bool keep)
{
	static struct boot_dev b;
	struct err err;

	memset(&b, 0, sizeof(b));
	memcpy(&b, data, size < sizeof(b) ? size : sizeof(b));
	if (!keep)
		put_right(&b.hdr, BOOT_KIND_DEVICE, sizeof(b));
	if (boot_check_dev(&b, claimed ? claimed : sizeof(b), &err) < 0)
		return;
	rely_on_name(b.name);
	rely_on_name(b.type);
	vr_assert(b.nr_res <= BOOT_RES_MAX && b.nr_queues <= BOOT_QUEUES_MAX);
	vr_assert(b.settings_bytes <= BOOT_SETTINGS_MAX);
	rely_on_filter(&b.filter);
}

static void fuzz_vmm(const uint8_t *data, size_t size, size_t claimed, bool keep)
{
	static struct boot_vmm b;
	struct err err;

	memset(&b, 0, sizeof(b));
	memcpy(&b, data, size < sizeof(b) ? size : sizeof(b));
	if (!keep)
		put_right(&b.hdr, BOOT_KIND_VMM, sizeof(b));
	if (boot_check_vmm(&b, claimed ? claimed : sizeof(b), &err) < 0)
		return;
	vr_assert(b.nr_devices <= BOOT_DEVICES_MAX && b.nr_vcpus > 0 && b.nr_vcpus <= 32);
	vr_assert(b.mem_bytes > 0 && b.mem_bytes % 4096 == 0);
	vr_assert(strnlen(b.cmdline, BOOT_CMDLINE_MAX) < BOOT_CMDLINE_MAX);
	rely_on_filter(&b.filter);
	for (uint32_t i = 0; i < b.nr_devices; i++) {
		rely_on_name(b.device[i].name);
		vr_assert(b.device[i].config_bytes <= BOOT_CONFIG_MAX);
	}
}

static void fuzz_ctl(const uint8_t *data, size_t size, size_t claimed, bool keep UNUSED)
{
	struct ctl_msg m = {0}, ret;
	int pair[2];

	memcpy(&m, data, size < sizeof(m) ? size : sizeof(m));
	vr_assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	vr_assert(send(pair[0], claimed ? (const void *)data : &m, claimed ? claimed : sizeof(m),
		       0) >= 0);
	close(pair[0]);
	if (ctl_recv(pair[1], &ret) == 1)
		vr_assert(ret.type > 0 && ret.type < CTL_TYPES &&
			  strnlen(ret.text, sizeof(ret.text)) < sizeof(ret.text));
	close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kind[])(const uint8_t *, size_t, size_t, bool) = {fuzz_dev, fuzz_vmm,
									      fuzz_ctl};
	size_t claimed;

	if (size == 0 || size > 16384)
		return 0;
	claimed = data[0] & 0x80 ? size - 1 : 0;
	kind[(data[0] & 0x3f) % ARRAY_SIZE(kind)](data + 1, size - 1, claimed, data[0] & 0x40);
	return 0;
}
