/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/linux_boot.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "vmm/x86/layout.h"

#define MIB 0x100000ULL

static struct gmem mem;

/* RAM of @low bytes from 0 and @high from 4 GiB; pages come only where they are written. */
static void ram(uint64_t low, uint64_t high)
{
	int fd = memfd_create("ram", MFD_CLOEXEC);

	gmem_done(&mem);
	mem = (struct gmem){0};
	cr_assert_eq(ftruncate(fd, (off_t)(low + high)), 0);
	cr_assert_eq(gmem_map(&mem, fd, 0, 0, low, 0, &(struct err){0}), 0);
	if (high)
		cr_assert_eq(gmem_map(&mem, fd, low, X86_HIGH, high, 0, &(struct err){0}), 0);
	close(fd);
}

static uint64_t peek(uint64_t gpa, unsigned int bytes)
{
	uint64_t v = 0;

	cr_assert(gmem_read(&mem, gpa, &v, bytes));
	return v;
}

Test(linux_boot, memory_map_below_the_hole)
{
	struct linux_boot_map map[LINUX_BOOT_MAP_MAX];

	ram(64 * MIB, 0);
	cr_assert_eq(linux_boot_memory_map(&mem, map), 3);
	cr_assert(map[0].gpa == 0 && map[0].bytes == 0x9fc00 && map[0].type == 1);
	cr_assert(map[1].gpa == 0x9fc00 && map[1].bytes == 0x60400 && map[1].type == 2);
	cr_assert(map[2].gpa == MIB && map[2].bytes == 63 * MIB && map[2].type == 1);
}

Test(linux_boot, memory_map_beyond_the_hole)
{
	struct linux_boot_map map[LINUX_BOOT_MAP_MAX];

	ram(X86_HOLE, 2048 * MIB);
	cr_assert_eq(linux_boot_memory_map(&mem, map), 4);
	cr_assert(map[2].gpa == MIB && map[2].bytes == X86_HOLE - MIB);
	cr_assert(map[3].gpa == X86_HIGH && map[3].bytes == 2048 * MIB && map[3].type == 1);
}

static struct kernel kernel = {
	.entry = KERNEL_ENTRY_LINUX64,
	.entry_gpa = 0x1000200,
	.cmdline_max = 20,
	.setup = {.version = 0x20f, .init_size = 0x12345678, .loadflags = KASLR_FLAG},
};

static struct linux_boot boot = {
	.mem = &mem,
	.kernel = &kernel,
	.cmdline = "console=ttyS0 quiet!",
	.initrd_gpa = 0x3000000,
	.initrd_bytes = 0x4321,
	.rsdp_gpa = X86_ACPI,
};

Test(linux_boot, boot_params)
{
	struct boot_params p;

	ram(64 * MIB, 0);
	cr_assert_eq(linux_boot_write(&boot, &(struct err){0}), 0);
	cr_assert(gmem_read(&mem, X86_BOOT_PARAMS, &p, sizeof(p)));
	cr_assert_eq(p.hdr.init_size, 0x12345678, "the kernel's own header");
	cr_assert_eq(p.hdr.header, 0x53726448);
	cr_assert_eq(p.hdr.type_of_loader, 0xff);
	cr_assert_eq(p.hdr.loadflags, LOADED_HIGH | KASLR_FLAG);
	cr_assert_eq(p.hdr.cmd_line_ptr, X86_CMDLINE);
	cr_assert_eq(p.hdr.ramdisk_image, 0x3000000);
	cr_assert_eq(p.hdr.ramdisk_size, 0x4321);
	cr_assert_eq(p.acpi_rsdp_addr, X86_ACPI);
	cr_assert_eq(p.e820_entries, 3);
	cr_assert_eq(p.e820_table[2].addr, MIB);
	cr_assert_str_eq(gmem_ptr(&mem, X86_CMDLINE, 21), boot.cmdline);
}

Test(linux_boot, pvh_start_info)
{
	ram(X86_HOLE, 64 * MIB);
	cr_assert_eq(linux_boot_write(&boot, &(struct err){0}), 0);
	cr_assert_eq(peek(X86_PVH_INFO, 4), 0x336ec578);
	cr_assert_eq(peek(X86_PVH_INFO + 4, 4), 1, "version");
	cr_assert_eq(peek(X86_PVH_INFO + 12, 4), 1, "modules");
	cr_assert_eq(peek(peek(X86_PVH_INFO + 16, 8), 8), 0x3000000);
	cr_assert_eq(peek(peek(X86_PVH_INFO + 16, 8) + 8, 8), 0x4321);
	cr_assert_eq(peek(X86_PVH_INFO + 24, 8), X86_CMDLINE);
	cr_assert_eq(peek(X86_PVH_INFO + 32, 8), X86_ACPI);
	cr_assert_eq(peek(X86_PVH_INFO + 48, 4), 4, "lines of the memory map");
	cr_assert_eq(peek(peek(X86_PVH_INFO + 40, 8) + 3 * 24, 8), X86_HIGH);
	cr_assert_eq(peek(peek(X86_PVH_INFO + 40, 8) + 3 * 24 + 16, 4), 1);
}

Test(linux_boot, no_initrd_no_module)
{
	struct linux_boot b = boot;

	ram(64 * MIB, 0);
	b.initrd_bytes = 0;
	cr_assert_eq(linux_boot_write(&b, &(struct err){0}), 0);
	cr_assert_eq(peek(X86_PVH_INFO + 12, 4), 0);
	cr_assert_eq(peek(X86_PVH_INFO + 16, 8), 0);
}

Test(linux_boot, page_tables_map_4_gib_one_to_one)
{
	static const uint64_t gpas[] = {0, 0x1fffff, 0x200000, X86_HOLE, 0xfee00000, 0xffffffff};

	ram(64 * MIB, 0);
	cr_assert_eq(linux_boot_write(&boot, &(struct err){0}), 0);
	for (size_t i = 0; i < ARRAY_SIZE(gpas); i++) {
		uint64_t pdpt = peek(X86_PAGE_TABLES, 8) & ~0xfffULL;
		uint64_t pd = peek(pdpt + (gpas[i] >> 30) * 8, 8) & ~0xfffULL;
		uint64_t pde = peek(pd + (gpas[i] >> 21 & 511) * 8, 8);

		cr_assert_eq(pde & 0x83, 0x83, "0x%lx", gpas[i]);
		cr_assert_eq(pde & ~0xfffULL, gpas[i] & ~0x1fffffULL, "0x%lx", gpas[i]);
	}
}

Test(linux_boot, too_long_a_command_line)
{
	struct linux_boot b = boot;
	struct err err = {0};

	ram(64 * MIB, 0);
	b.cmdline = "console=ttyS0 quiet!!";
	cr_assert_eq(linux_boot_write(&b, &err), -EINVAL);
	cr_assert_str_eq(err.msg, "kernel: command line of 21 bytes, this kernel takes 20");
}

Test(linux_boot, more_of_a_command_line)
{
	static const struct {
		const char *cmdline, *more, *want;
	} rows[] = {
		{"quiet", "", "quiet"},
		{"", "ip=dhcp", "ip=dhcp"},
		{"quiet", "ip=dhcp", "quiet ip=dhcp"},
		{"quiet ", "ip=dhcp", "quiet ip=dhcp"},
		{"a -- b", "ip=dhcp", "a ip=dhcp -- b"},
		{"a --", "ip=dhcp", "a ip=dhcp --"},
		{"-- b", "ip=dhcp", "ip=dhcp -- b"},
		{"a -- b", "", "a -- b"},
		{"a --b c--", "ip=dhcp", "a --b c-- ip=dhcp"},
		{"a=\"x -- y\"", "ip=dhcp", "a=\"x -- y\" ip=dhcp"},
		{"a=\"x \" -- y", "ip=dhcp", "a=\"x \" ip=dhcp -- y"},
	};
	struct kernel k = kernel;

	k.cmdline_max = 2047;
	ram(64 * MIB, 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* What a longer one before it left must not show. */
		cr_assert_eq(linux_boot_cmdline(&mem, &k, "x x x x x x x x x x x x x x", "",
						&(struct err){0}),
			     0);
		cr_assert_eq(linux_boot_cmdline(&mem, &k, rows[i].cmdline, rows[i].more,
						&(struct err){0}),
			     0);
		cr_expect_str_eq(gmem_ptr(&mem, X86_CMDLINE, 64), rows[i].want);
	}
}

Test(linux_boot, too_much_more_leaves_the_command_line_alone)
{
	struct err err = {0};

	ram(64 * MIB, 0);
	cr_assert_eq(linux_boot_cmdline(&mem, &kernel, "console=ttyS0", "ip=dhc", &err), 0);
	cr_assert_eq(linux_boot_cmdline(&mem, &kernel, "console=ttyS0", "ip=dhcp", &err), -EINVAL);
	cr_expect_str_eq(err.msg, "kernel: command line of 21 bytes, this kernel takes 20");
	cr_expect_str_eq(gmem_ptr(&mem, X86_CMDLINE, 64), "console=ttyS0 ip=dhc");
}

Test(linux_boot, first_megabyte_is_needed)
{
	struct err err = {0};

	ram(16 << 10, 0);
	cr_assert_eq(linux_boot_write(&boot, &err), -ENOMEM);
}

Test(linux_boot, registers_of_both_entries)
{
	struct kernel k = kernel;
	struct kvm_sregs s = {0};
	struct kvm_regs r;

	linux_boot_regs(&k, &r, &s);
	cr_assert(r.rip == k.entry_gpa && r.rsi == X86_BOOT_PARAMS && r.rflags == 2);
	cr_assert(s.cs.l == 1 && s.cs.db == 0 && s.cs.selector == 0x10);
	cr_assert(s.cr3 == X86_PAGE_TABLES && s.efer == 0x500 && s.cr4 == 0x20);
	cr_assert_eq(s.cr0, 0x80000011);
	cr_assert_eq(s.gdt.base, X86_GDT);

	k.entry = KERNEL_ENTRY_PVH32;
	linux_boot_regs(&k, &r, &s);
	cr_assert(r.rip == k.entry_gpa && r.rbx == X86_PVH_INFO);
	cr_assert(s.cs.l == 0 && s.cs.db == 1 && s.cs.limit == 0xffffffff && s.cs.type == 0xb);
	cr_assert(s.ds.limit == 0xffffffff && s.ds.type == 3 && s.ss.db == 1);
	cr_assert(s.cr0 == 0x11 && s.cr4 == 0 && s.efer == 0);
	cr_assert(s.tr.type == 0xb && s.tr.limit == 0x67 && s.tr.s == 0);
}
