/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A virtio-pci device on a bus of its own, with a driver's hands on it
 *
 * Included by one file of a test program; needs criterion.
 */
#ifndef VMRUN_TESTS_SUPPORT_VIRTIO_PCI_RIG_H
#define VMRUN_TESTS_SUPPORT_VIRTIO_PCI_RIG_H

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/virtio_pci.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "tests/support/fake_vm.h"
#include "tests/support/stub_backend.h"
#include "vmm/virtio/virtio_pci.h"

#define WINDOW	  0xd0000000U
#define RAM_BYTES 0x100000U
#define BAR	  (WINDOW)
#define STATUS	  VIRTIO_PCI_COMMON_STATUS
#define READY	  0x0b /* ACKNOWLEDGE, DRIVER, FEATURES_OK */
#define RUNS	  0x0f
#define NEEDS	  0x40

static struct bus bus;
static struct pci pci;
static struct vm vm;
static struct gmem mem;
static struct stub_backend stub;
static struct virtio_pci v;
static unsigned int hook_calls;
static char hook_text[ERR_MSG_BYTES];

static void on_failed(void *arg UNUSED, const char *device, const struct err *why)
{
	cr_assert_str_eq(device, "stub0");
	hook_calls++;
	strcpy(hook_text, why->msg);
}

UNUSED static uint64_t rd(uint64_t off, unsigned int len)
{
	uint64_t value = 0;

	bus_access(&bus, BUS_MMIO, false, BAR + off, &value, len);
	return value;
}

UNUSED static void wr(uint64_t off, unsigned int len, uint64_t value)
{
	bus_access(&bus, BUS_MMIO, true, BAR + off, &value, len);
}

UNUSED static uint32_t conf(bool write, unsigned int off, unsigned int len, uint32_t value)
{
	pci_config_access(&pci, write, v.fn.slot << 3, off, &value, len);
	return value;
}

UNUSED static void setup(void)
{
	static const struct virtio_pci_args args = {&stub.be, &pci, &vm, &mem};
	struct err err = {0};
	int fd = memfd_create("ram", MFD_CLOEXEC);

	cr_assert_eq(ftruncate(fd, RAM_BYTES), 0);
	cr_assert_eq(gmem_map(&mem, fd, 0, 0, RAM_BYTES, 0, &err), 0, "%s", err.msg);
	bus_init(&bus);
	pci_init(&pci, &bus, WINDOW, 0x100000);
	stub_init(&stub, &mem);
	cr_assert_eq(virtio_pci_init(&v, &args, &err), 0, "%s", err.msg);
	v.hook = (struct device_hook){on_failed, NULL};
	conf(true, 4, 2, 6);
}

UNUSED static void driver_features(uint64_t features)
{
	for (unsigned int i = 0; i < 2; i++) {
		wr(VIRTIO_PCI_COMMON_GFSELECT, 4, i);
		wr(VIRTIO_PCI_COMMON_GF, 4, (uint32_t)(features >> 32 * i));
	}
}

UNUSED static void set_queue(uint16_t q, uint16_t size, uint64_t at)
{
	wr(VIRTIO_PCI_COMMON_Q_SELECT, 2, q);
	wr(VIRTIO_PCI_COMMON_Q_SIZE, 2, size);
	wr(VIRTIO_PCI_COMMON_Q_DESCLO, 4, at);
	wr(VIRTIO_PCI_COMMON_Q_DESCHI, 4, at >> 32);
	wr(VIRTIO_PCI_COMMON_Q_AVAILLO, 8, at + 0x1000);
	wr(VIRTIO_PCI_COMMON_Q_USEDLO, 8, at + 0x2000);
	wr(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
}

/* As a driver does it, up to before DRIVER_OK. */
UNUSED static void negotiate(void)
{
	wr(STATUS, 1, 0);
	wr(STATUS, 1, 1);
	wr(STATUS, 1, 3);
	driver_features(STUB_FEATURES);
	wr(STATUS, 1, READY);
	cr_assert_eq(rd(STATUS, 1), READY);
}

UNUSED static void start(void)
{
	negotiate();
	set_queue(0, 64, 0x10000);
	set_queue(2, 16, 0x20000);
	wr(STATUS, 1, RUNS);
	cr_assert_eq(rd(STATUS, 1), RUNS);
	cr_assert(stub.running);
}

UNUSED static bool signalled(int fd)
{
	uint64_t count;

	return read(fd, &count, sizeof(count)) == sizeof(count);
}

#endif
