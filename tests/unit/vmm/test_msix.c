/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/virtio/msix.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/eventfd.h>

#include "tests/support/fake_vm.h"

#define NR	3
#define ENABLE	0x8000
#define MASKALL 0x4000

static struct vm vm;
static struct pci_function fn;
static struct msix m;
static int fds[NR];

static void setup(void)
{
	static const struct msix_where where = {.bar = 0, .table = 0x3000, .pba = 0x3800};
	static const struct pci_id id = {.vendor = 1};
	static const struct pci_ops ops;

	pci_function_init(&fn, &id, &ops, NULL);
	cr_assert_eq(msix_init(&m, &vm, &fn, NR, &where), 0);
	for (unsigned int i = 0; i < NR; i++) {
		fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		msix_set_source(&m, i, fds[i]);
	}
}

static void control(uint16_t flags)
{
	pci_put(&fn, m.cap + 2, 2, flags | (NR - 1));
	msix_config_written(&m, m.cap + 2, 2);
}

static void entry(unsigned int i, uint64_t addr, uint32_t data, uint32_t ctrl)
{
	uint64_t tail = data | (uint64_t)ctrl << 32;

	msix_table_access(&m, true, i * 16, &addr, 8);
	msix_table_access(&m, true, i * 16 + 8, &tail, 8);
}

static uint32_t table(unsigned int off)
{
	uint32_t v = 0;

	msix_table_access(&m, false, off, &v, 4);
	return v;
}

static uint64_t pba(void)
{
	uint64_t v = 0;

	msix_pba_access(&m, false, 0, &v, 8);
	return v;
}

static void signal_fd(int fd)
{
	cr_assert_eq(eventfd_write(fd, 1), 0);
}

TestSuite(msix, .init = setup);

Test(msix, capability)
{
	cr_expect_eq(pci_get(&fn, m.cap, 1), 0x11);
	cr_expect_eq(pci_get(&fn, m.cap + 2, 2), NR - 1);
	cr_expect_eq(pci_get(&fn, m.cap + 4, 4), 0x3000);
	cr_expect_eq(pci_get(&fn, m.cap + 8, 4), 0x3800);
	cr_expect_eq(fn.wmask[m.cap + 2], 0, "the table's size is read-only");
	cr_expect_eq(fn.wmask[m.cap + 3], 0xc0);
	for (unsigned int i = 0; i < NR; i++)
		cr_expect_eq(table(i * 16 + 12), 1, "vectors start masked");
}

Test(msix, binds_when_everything_allows)
{
	cr_expect_eq(msix_set_vector(&m, 1, 2), 2);
	cr_expect_eq(fake_irq_of(fds[1]), 0);
	entry(2, 0xfee01000, 0x41, 0);
	cr_expect_eq(fake_irq_of(fds[1]), 0, "MSI-X is off");
	control(ENABLE);
	cr_expect_eq(fake_irq_of(fds[1]), (unsigned int)m.vector[2].irq);
	cr_expect_eq(vm.msi[m.vector[2].irq - VM_IRQ_MSI].addr, 0xfee01000);
	cr_expect_eq(vm.msi[m.vector[2].irq - VM_IRQ_MSI].data, 0x41);
	cr_expect_eq(fake_irq_of(fds[0]) + fake_irq_of(fds[2]), 0, "sources without a vector");
	control(0);
	cr_expect_eq(fake_irq_of(fds[1]), 0);
}

Test(msix, masks)
{
	uint32_t word = 1;

	control(ENABLE);
	entry(0, 0xfee00000, 0x30, 0);
	entry(1, 0xfee00000, 0x31, 0);
	msix_set_vector(&m, 0, 0);
	msix_set_vector(&m, 1, 1);
	cr_assert(fake_irq_of(fds[0]) && fake_irq_of(fds[1]));
	msix_table_access(&m, true, 12, &word, 4);
	cr_expect_eq(fake_irq_of(fds[0]), 0);
	cr_expect_neq(fake_irq_of(fds[1]), 0, "the other vector is not masked");
	control(ENABLE | MASKALL);
	cr_expect_eq(fake_irq_of(fds[1]), 0);
	control(ENABLE);
	cr_expect_neq(fake_irq_of(fds[1]), 0);
	cr_expect_eq(fake_irq_of(fds[0]), 0);
	word = 0;
	msix_table_access(&m, true, 12, &word, 4);
	cr_expect_neq(fake_irq_of(fds[0]), 0);
}

Test(msix, pending_while_masked)
{
	control(ENABLE);
	entry(2, 0xfee00000, 0x32, 1);
	msix_set_vector(&m, 1, 2);
	cr_expect_eq(pba(), 0);
	signal_fd(fds[1]);
	cr_expect_eq(pba(), 1 << 2);
	entry(2, 0xfee00000, 0x32, 0);
	cr_expect_eq(pba(), 0, "bound: delivered");
	cr_expect_neq(fake_irq_of(fds[1]), 0);
	signal_fd(fds[0]);
	cr_expect_eq(pba(), 0, "no vector, nothing pending");
}

Test(msix, shared_vector)
{
	control(ENABLE);
	entry(0, 0xfee00000, 0x30, 0);
	for (unsigned int i = 0; i < NR; i++)
		msix_set_vector(&m, i, 0);
	for (unsigned int i = 0; i < NR; i++)
		cr_expect_eq(fake_irq_of(fds[i]), (unsigned int)m.vector[0].irq);
}

Test(msix, vector_that_is_none)
{
	control(ENABLE);
	entry(0, 0xfee00000, 0x30, 0);
	cr_expect_eq(msix_set_vector(&m, 0, NR), MSIX_NO_VECTOR);
	cr_expect_eq(msix_set_vector(&m, 0, 0xfffe), MSIX_NO_VECTOR);
	msix_set_vector(&m, 0, 0);
	cr_expect_neq(fake_irq_of(fds[0]), 0);
	cr_expect_eq(msix_set_vector(&m, 0, MSIX_NO_VECTOR), MSIX_NO_VECTOR);
	cr_expect_eq(fake_irq_of(fds[0]), 0);
}

Test(msix, addresses_that_are_no_interrupts)
{
	static const uint64_t bad[] = {0,	   0x1000,	   0xfec00000,
				       0xfef00000, 0x1fee00000ULL, 0xffffffffffffffffULL};

	control(ENABLE);
	msix_set_vector(&m, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		entry(0, bad[i], 0x30, 0);
		cr_expect_eq(fake_irq_of(fds[0]), 0, "0x%lx", bad[i]);
	}
	cr_expect_eq(fake_vm.route_calls, 0);
	entry(0, 0xfee00000, 0x30, 0);
	cr_expect_neq(fake_irq_of(fds[0]), 0);
	entry(0, 0x1000, 0x30, 0);
	cr_expect_eq(fake_irq_of(fds[0]), 0, "an unmasked entry that turns bad is let go");
}

Test(msix, routes_follow_the_table)
{
	unsigned int calls;

	control(ENABLE);
	msix_set_vector(&m, 0, 0);
	entry(0, 0xfee00000, 0x30, 0);
	entry(0, 0xfee02000, 0x55, 0);
	cr_expect_eq(vm.msi[m.vector[0].irq - VM_IRQ_MSI].addr, 0xfee02000);
	cr_expect_eq(vm.msi[m.vector[0].irq - VM_IRQ_MSI].data, 0x55);
	calls = fake_vm.route_calls;
	entry(0, 0xfee02000, 0x55, 1);
	entry(0, 0xfee02000, 0x55, 0);
	cr_expect_eq(fake_vm.route_calls, calls, "masking and unmasking changes no route");
}

Test(msix, widths_and_bounds)
{
	static const struct {
		uint64_t off;
		unsigned int len;
	} bad[] = {{0, 1}, {0, 2}, {2, 4}, {4, 8}, {13, 1}, {NR * 16, 4}, {NR * 16 + 8, 8}};
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		v = 0;
		msix_table_access(&m, true, bad[i].off, &v, bad[i].len);
		msix_table_access(&m, false, bad[i].off, &v, bad[i].len);
		cr_expect_eq(v, bad[i].len == 8 ? ~0ULL : (1ULL << bad[i].len * 8) - 1, "row %zu",
			     i);
	}
	for (unsigned int i = 0; i < NR; i++)
		cr_expect_eq(table(i * 16 + 12), 1, "nothing was written");
	entry(1, 0x1122334455667788ULL, 0x99aabbcc, 0xffffffff);
	cr_expect_eq(table(16), 0x55667788);
	cr_expect_eq(table(20), 0x11223344);
	cr_expect_eq(table(24), 0x99aabbcc);
	cr_expect_eq(table(28), 1, "only the mask bit of vector control exists");
	v = 0;
	msix_pba_access(&m, false, 2, &v, 2);
	cr_expect_eq(v, 0xffff);
	v = ~0ULL;
	msix_pba_access(&m, false, 4, &v, 4);
	cr_expect_eq(v, 0xffffffff00000000ULL);
	v = 0x5a;
	msix_pba_access(&m, true, 0, &v, 8);
	cr_expect_eq(v, 0x5a, "a write changes nothing");
}

Test(msix, kvm_that_refuses)
{
	control(ENABLE);
	msix_set_vector(&m, 0, 0);
	fake_vm.fail = -EINVAL;
	entry(0, 0xfee00000, 0x30, 0);
	signal_fd(fds[0]);
	cr_expect_eq(pba(), 1, "what cannot be delivered stays pending");
	fake_vm.fail = 0;
	control(ENABLE);
	cr_expect_neq(fake_irq_of(fds[0]), 0);
}

Test(msix, reset_sources)
{
	uint64_t count;

	control(ENABLE);
	entry(0, 0xfee00000, 0x30, 0);
	msix_set_vector(&m, 0, 0);
	signal_fd(fds[0]);
	signal_fd(fds[1]);
	msix_reset_sources(&m);
	cr_expect_eq(fake_irq_of(fds[0]), 0);
	cr_expect_eq(m.source[0].vector, MSIX_NO_VECTOR);
	cr_expect_lt(read(fds[0], &count, 8), 0, "an old signal does not reach the next driver");
	cr_expect_lt(read(fds[1], &count, 8), 0);
	cr_expect_eq(table(8), 0x30, "the table is PCI's and stays");
}
