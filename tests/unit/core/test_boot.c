/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/boot.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "devices/core/fdio.h"

static int pair[2];

static void setup(void)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

TestSuite(boot, .init = setup);

static struct boot_dev good_dev(void)
{
	return (struct boot_dev){
		.hdr = {BOOT_MAGIC, BOOT_VERSION, BOOT_KIND_DEVICE, sizeof(struct boot_dev), 3},
		.name = "block0",
		.type = "block",
		.flags = BOOT_DEV_READONLY,
		.nr_res = 1,
		.nr_queues = 4,
		.settings_bytes = 4,
		.settings = {1, 2, 3, 4},
		.filter = {.count = 1},
	};
}

static struct boot_vmm good_vmm(void)
{
	return (struct boot_vmm){
		.hdr = {BOOT_MAGIC, BOOT_VERSION, BOOT_KIND_VMM, sizeof(struct boot_vmm), 0},
		.mem_bytes = 32 << 20,
		.nr_vcpus = 1,
		.nr_devices = 2,
		.flags = BOOT_VMM_INITRD,
		.device = {{.name = "block0", .bus = BOOT_BUS_VIRTIO, .virtio_id = 2},
			   {.name = "serial0", .bus = BOOT_BUS_SERIAL}},
		.cmdline = "console=ttyS0",
		.filter = {.count = BOOT_FILTER_MAX},
	};
}

/* A field of a record set to a value that breaks its rule */
struct patch {
	const char *what;
	size_t offset;
	size_t bytes;
	uint64_t value;
};

#define DEV(f, v)                                                                                  \
	{                                                                                          \
#f, offsetof(struct boot_dev, f), sizeof(((struct boot_dev *)0)->f), v             \
	}
#define VMM(f, v)                                                                                  \
	{                                                                                          \
#f, offsetof(struct boot_vmm, f), sizeof(((struct boot_vmm *)0)->f), v             \
	}

static void apply(void *rec, const struct patch *p)
{
	memcpy((char *)rec + p->offset, &p->value, p->bytes);
}

Test(boot, each_field_of_a_device_record_is_checked)
{
	static const struct patch bad[] = {
		DEV(hdr.magic, 0),
		DEV(hdr.version, BOOT_VERSION + 1),
		DEV(hdr.kind, BOOT_KIND_VMM),
		DEV(hdr.bytes, sizeof(struct boot_dev) - 1),
		DEV(hdr.log_level, 4),
		DEV(name[0], 0),
		DEV(name[1], ' '),
		DEV(name[1], '\n'),
		DEV(name[1], 0x80),
		DEV(name[8], 'x'),
		DEV(type[0], 0),
		DEV(type[2], 0x7f),
		DEV(flags, 16),
		DEV(nr_res, BOOT_RES_MAX + 1),
		DEV(nr_queues, 17),
		DEV(settings_bytes, 1), /* there are 4 */
		DEV(settings_bytes, BOOT_SETTINGS_MAX + 1),
		DEV(settings[4], 1), /* behind their end */
		DEV(settings[BOOT_SETTINGS_MAX - 1], 1),
		DEV(reserved, 1),
		DEV(filter.count, 0),
		DEV(filter.count, BOOT_FILTER_MAX + 1),
		DEV(filter.flags, BOOT_FILTER_NONE), /* and yet it has a filter */
		DEV(filter.flags, 2),
	};
	static struct boot_dev b;
	struct err err;

	b = good_dev();
	cr_assert_eq(boot_check_dev(&b, sizeof(b), &err), 0);
	cr_assert_eq(boot_check_dev(&b, sizeof(b) - 1, &err), -EPROTO);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		b = good_dev();
		apply(&b, &bad[i]);
		cr_assert_eq(boot_check_dev(&b, sizeof(b), &err), -EPROTO, "%s = %lu", bad[i].what,
			     bad[i].value);
	}
	b = good_dev();
	memset(b.name, 'x', sizeof(b.name));
	cr_assert_eq(boot_check_dev(&b, sizeof(b), &err), -EPROTO, "name without an end");
}

Test(boot, a_record_may_say_that_there_is_no_filter)
{
	static struct boot_dev b;
	struct err err;

	b = good_dev();
	b.filter.count = 0;
	cr_assert_eq(boot_check_dev(&b, sizeof(b), &err), -EPROTO, "a missing one says nothing");
	b.filter.flags = BOOT_FILTER_NONE;
	cr_assert_eq(boot_check_dev(&b, sizeof(b), &err), 0);
	b.filter.flags = BOOT_FILTER_NONE | 2;
	cr_assert_eq(boot_check_dev(&b, sizeof(b), &err), -EPROTO);
}

Test(boot, settings_have_the_size_that_the_device_knows)
{
	static struct boot_dev b;
	uint32_t v;
	uint64_t too_long;
	struct err err;

	b = good_dev();
	cr_assert_eq(boot_settings(&b, &v, sizeof(v), &err), 0);
	cr_assert_eq(v, 0x04030201);
	cr_assert_eq(boot_settings(&b, &too_long, sizeof(too_long), &err), -EPROTO);
	v = 5;
	boot_set_settings(&b, &v, 2);
	cr_assert_eq(boot_check_dev(&b, sizeof(b), &err), 0, "what was there before is gone");
	cr_assert_eq(boot_settings(&b, &v, sizeof(v), &err), -EPROTO);
}

Test(boot, each_field_of_a_vmm_record_is_checked)
{
	static const struct patch bad[] = {
		VMM(hdr.magic, 1),
		VMM(hdr.kind, BOOT_KIND_DEVICE),
		VMM(mem_bytes, 0),
		VMM(mem_bytes, 4097),
		VMM(mem_bytes, 1ULL << 63),
		VMM(nr_vcpus, 0),
		VMM(nr_vcpus, 33),
		VMM(nr_devices, BOOT_DEVICES_MAX + 1),
		VMM(nr_devices, 3), /* the third has no name */
		VMM(flags, 2),
		VMM(reserved, 1),
		VMM(device[1].name[0], 0),
		VMM(device[1].flags, BOOT_VMM_OTHERS), /* the serial port */
		VMM(device[0].flags, 4),
		VMM(device[0].config_bytes, 1), /* it is ours */
		VMM(device[0].config[0], 1),	/* behind its end */
		VMM(device[1].bus, 0),
		VMM(device[1].bus, 3),
		VMM(device[1].virtio_id, 2),
		VMM(device[0].virtio_id, 0),
		VMM(filter.count, 0),
	};
	static struct boot_vmm b;
	struct err err;

	b = good_vmm();
	cr_assert_eq(boot_check_vmm(&b, sizeof(b), &err), 0);
	cr_assert_eq(boot_check_vmm(&b, sizeof(b) + 1, &err), -EPROTO);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		b = good_vmm();
		apply(&b, &bad[i]);
		cr_assert_eq(boot_check_vmm(&b, sizeof(b), &err), -EPROTO, "%s = %lu", bad[i].what,
			     bad[i].value);
	}
	b = good_vmm();
	memset(b.cmdline, 'x', sizeof(b.cmdline));
	cr_assert_eq(boot_check_vmm(&b, sizeof(b), &err), -EPROTO, "command line without an end");
	b = good_vmm();
	memcpy(b.device[1].name, "block0", 7);
	cr_assert_eq(boot_check_vmm(&b, sizeof(b), &err), -EPROTO, "two devices of one name");
	cr_assert(strstr(err.msg, "block0"));
	b.nr_devices = BOOT_DEVICES_MAX + 1;
	cr_assert_eq(boot_check_vmm(&b, sizeof(b), &err), -EPROTO);
	cr_assert(strstr(err.msg, "record: 25 devices"), "looked at them first: %s", err.msg);
}

Test(boot, records_travel_whole)
{
	static struct boot_dev dev, dev2;
	static struct boot_vmm vmm, vmm2;
	struct err err;

	dev = good_dev();
	vmm = good_vmm();
	vmm.filter.insn[BOOT_FILTER_MAX - 1].k = 7;
	cr_assert_eq(boot_send(pair[0], &dev, sizeof(dev), &err), 0);
	cr_assert_eq(boot_send(pair[0], &vmm, sizeof(vmm), &err), 0);
	cr_assert_eq(boot_recv_dev(pair[1], &dev2, &err), 0);
	cr_assert(!memcmp(&dev, &dev2, sizeof(dev)));
	cr_assert_eq(boot_recv_vmm(pair[1], &vmm2, &err), 0);
	cr_assert(!memcmp(&vmm, &vmm2, sizeof(vmm)));
	cr_assert_eq(boot_send(pair[0], &vmm, sizeof(vmm), &err), 0);
	cr_assert_lt(boot_recv_dev(pair[1], &dev2, &err), 0, "a VMM's record taken by a device");
	close(pair[0]);
	cr_assert_eq(boot_recv_dev(pair[1], &dev2, &err), -EPIPE);
}

Test(boot, a_record_brings_no_fds)
{
	static struct boot_dev dev, dev2;
	struct err err;
	int before = dup(0), after;

	close(before);
	dev = good_dev();
	cr_assert_eq(fd_send(pair[0], &dev, sizeof(dev), pair, 1), 0);
	cr_assert_eq(boot_recv_dev(pair[1], &dev2, &err), -EPROTO);
	after = dup(0);
	cr_assert_eq(after, before, "the fd leaked");
}
