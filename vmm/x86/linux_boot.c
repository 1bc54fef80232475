/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/linux_boot.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "devices/core/boot.h"
#include "devices/core/fmt.h"
#include "vmm/x86/layout.h"

#define E820_RAM_TYPE	   1
#define E820_RESERVED_TYPE 2
#define BOOT_LOADER_OTHER  0xff
#define PVH_MAGIC	   0x336ec578

#define PAGE_BYTES	   4096U
#define PTE_PRESENT	   0x003ULL /* writable */
#define PTE_LARGE	   0x083ULL
#define PDE_BYTES	   0x200000ULL
#define PDES_A_PAGE	   512U
#define PD_PAGES	   4U /* one per GiB */

#define GDT_CODE32	   0x00cf9b000000ffffULL
#define GDT_CODE64	   0x00af9b000000ffffULL
#define GDT_DATA	   0x00cf93000000ffffULL
#define GDT_TSS		   0x00008b0000000067ULL
#define SEL_CODE32	   0x08
#define SEL_CODE64	   0x10
#define SEL_DATA	   0x18
#define SEL_TSS		   0x20

#define CR0_PE		   0x00000001ULL
#define CR0_ET		   0x00000010ULL
#define CR0_PG		   0x80000000ULL
#define CR4_PAE		   0x20ULL
#define EFER_LME	   0x100ULL
#define EFER_LMA	   0x400ULL
#define RFLAGS_1	   0x2ULL

/* Xen's public/arch-x86/hvm/start_info.h, version 1 */
struct pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t nr_modules;
	uint64_t modlist_gpa;
	uint64_t cmdline_gpa;
	uint64_t rsdp_gpa;
	uint64_t memmap_gpa;
	uint32_t memmap_entries;
	uint32_t reserved;
};

struct pvh_module {
	uint64_t gpa;
	uint64_t bytes;
	uint64_t cmdline_gpa;
	uint64_t reserved;
};

struct pvh_memmap {
	uint64_t gpa;
	uint64_t bytes;
	uint32_t type;
	uint32_t reserved;
};

/** struct pvh_page - Contents of X86_PVH_INFO */
struct pvh_page {
	struct pvh_start_info info;
	struct pvh_module module;
	struct pvh_memmap memmap[LINUX_BOOT_MAP_MAX];
};

_Static_assert(sizeof(struct pvh_start_info) == 56, "PVH start info");
_Static_assert(sizeof(struct boot_params) == PAGE_BYTES, "boot_params");

unsigned int linux_boot_memory_map(const struct gmem *mem, struct linux_boot_map *ret)
{
	unsigned int nr = 0;

	ret[nr++] = (struct linux_boot_map){0, X86_EBDA, E820_RAM_TYPE};
	ret[nr++] = (struct linux_boot_map){X86_EBDA, X86_KERNEL_MIN - X86_EBDA,
					    E820_RESERVED_TYPE};
	for (unsigned int i = 0; i < mem->nr && nr < LINUX_BOOT_MAP_MAX; i++) {
		const struct gmem_region *r = &mem->region[i];
		uint64_t skip = r->gpa < X86_KERNEL_MIN ? X86_KERNEL_MIN - r->gpa : 0;

		if (r->bytes > skip)
			ret[nr++] = (struct linux_boot_map){r->gpa + skip, r->bytes - skip,
							    E820_RAM_TYPE};
	}
	return nr;
}

static void linux_boot_fill_params(const struct linux_boot *b, struct boot_params *p)
{
	struct linux_boot_map map[LINUX_BOOT_MAP_MAX];

	memset(p, 0, sizeof(*p));
	p->hdr = b->kernel->setup;
	/* An ELF file has no setup header; the kernel's early code reads these fields. */
	p->hdr.header = 0x53726448; /* "HdrS" */
	p->hdr.boot_flag = 0xaa55;
	p->hdr.type_of_loader = BOOT_LOADER_OTHER;
	p->hdr.loadflags |= LOADED_HIGH;
	p->hdr.cmd_line_ptr = X86_CMDLINE;
	p->hdr.ramdisk_image = (uint32_t)b->initrd_gpa;
	p->hdr.ramdisk_size = (uint32_t)b->initrd_bytes;
	p->acpi_rsdp_addr = b->rsdp_gpa;
	p->e820_entries = (uint8_t)linux_boot_memory_map(b->mem, map);
	for (unsigned int i = 0; i < p->e820_entries; i++)
		p->e820_table[i] = (struct boot_e820_entry){map[i].gpa, map[i].bytes, map[i].type};
}

static void linux_boot_fill_pvh(const struct linux_boot *b, struct pvh_page *p)
{
	struct linux_boot_map map[LINUX_BOOT_MAP_MAX];

	*p = (struct pvh_page){
		.info =
			{
				.magic = PVH_MAGIC,
				.version = 1,
				.nr_modules = b->initrd_bytes > 0,
				.modlist_gpa = b->initrd_bytes > 0
						       ? X86_PVH_INFO +
								 offsetof(struct pvh_page, module)
						       : 0,
				.cmdline_gpa = X86_CMDLINE,
				.rsdp_gpa = b->rsdp_gpa,
				.memmap_gpa = X86_PVH_INFO + offsetof(struct pvh_page, memmap),
				.memmap_entries = linux_boot_memory_map(b->mem, map),
			},
		.module = {.gpa = b->initrd_gpa, .bytes = b->initrd_bytes},
	};
	for (unsigned int i = 0; i < p->info.memmap_entries; i++)
		p->memmap[i] = (struct pvh_memmap){map[i].gpa, map[i].bytes, map[i].type, 0};
}

static bool linux_boot_page_tables(const struct gmem *mem)
{
	uint64_t pdpt = X86_PAGE_TABLES + PAGE_BYTES, pd = pdpt + PAGE_BYTES;
	uint64_t pml4e = pdpt | PTE_PRESENT;
	uint64_t *page;

	if (!gmem_write(mem, X86_PAGE_TABLES, &pml4e, sizeof(pml4e)))
		return false;
	for (uint64_t i = 0; i < PD_PAGES; i++) {
		uint64_t pdpte = (pd + i * PAGE_BYTES) | PTE_PRESENT;

		if (!gmem_write(mem, pdpt + i * sizeof(pdpte), &pdpte, sizeof(pdpte)))
			return false;
	}
	page = gmem_ptr(mem, pd, (uint64_t)PD_PAGES * PAGE_BYTES);
	if (!page)
		return false;
	for (uint64_t i = 0; i < PD_PAGES * PDES_A_PAGE; i++)
		page[i] = i * PDE_BYTES | PTE_LARGE;
	return true;
}

/* Length of the kernel's own parameters: up to a word "--" outside quotes, or all */
static size_t linux_boot_kernels_part(const char *cmdline)
{
	bool quoted = false, word = false;

	for (size_t i = 0; cmdline[i]; i++) {
		if (!word && strncmp(&cmdline[i], "--", 2) == 0 &&
		    (cmdline[i + 2] == ' ' || cmdline[i + 2] == '\0'))
			return i;
		if (cmdline[i] == '"')
			quoted = !quoted;
		word = quoted || cmdline[i] != ' ';
	}
	return strlen(cmdline);
}

int linux_boot_cmdline(const struct gmem *mem, const struct kernel *k, const char *cmdline,
		       const char *more, struct err *err)
{
	char text[2 * BOOT_CMDLINE_MAX + 2];
	size_t own = linux_boot_kernels_part(cmdline), len = strlen(cmdline) + strlen(more);
	const char *rest = cmdline + own;
	const char *before = *more && own > 0 && cmdline[own - 1] != ' ' ? " " : "";
	const char *after = *more && *rest ? " " : "";

	len += strlen(before) + strlen(after);
	if (len > k->cmdline_max || len >= sizeof(text))
		return err_text(err, EINVAL,
				"kernel: command line of %zu bytes, this kernel takes %u", len,
				k->cmdline_max);
	fmt_into(text, sizeof(text), "%.*s%s%s%s%s", (int)own, cmdline, before, more, after, rest);
	if (!gmem_write(mem, X86_CMDLINE, text, len + 1))
		return err_text(err, ENOMEM, "kernel: no RAM in the first MiB");
	return 0;
}

int linux_boot_write(const struct linux_boot *b, struct err *err)
{
	static const uint64_t gdt[] = {0, GDT_CODE32, GDT_CODE64, GDT_DATA, GDT_TSS, 0};
	struct boot_params params;
	struct pvh_page pvh;
	int rc = linux_boot_cmdline(b->mem, b->kernel, b->cmdline, "", err);

	if (rc < 0)
		return rc;
	linux_boot_fill_params(b, &params);
	linux_boot_fill_pvh(b, &pvh);
	if (!gmem_write(b->mem, X86_GDT, gdt, sizeof(gdt)) || !linux_boot_page_tables(b->mem) ||
	    !gmem_write(b->mem, X86_PVH_INFO, &pvh, sizeof(pvh)) ||
	    !gmem_write(b->mem, X86_BOOT_PARAMS, &params, sizeof(params)))
		return err_text(err, ENOMEM, "kernel: no RAM in the first MiB");
	return 0;
}

static struct kvm_segment linux_boot_segment(uint16_t selector, uint64_t descriptor)
{
	return (struct kvm_segment){
		.limit = descriptor >> 55 & 1 ? 0xffffffff : 0x67,
		.selector = selector,
		.type = descriptor >> 40 & 0xf,
		.s = descriptor >> 44 & 1,
		.present = 1,
		.l = descriptor >> 53 & 1,
		.db = descriptor >> 54 & 1,
		.g = descriptor >> 55 & 1,
	};
}

void linux_boot_regs(const struct kernel *k, struct kvm_regs *regs, struct kvm_sregs *sregs)
{
	bool pvh = k->entry == KERNEL_ENTRY_PVH32;
	struct kvm_segment data = linux_boot_segment(SEL_DATA, GDT_DATA);

	*regs = (struct kvm_regs){
		.rflags = RFLAGS_1,
		.rip = k->entry_gpa,
		.rbx = pvh ? X86_PVH_INFO : 0,
		.rsi = pvh ? 0 : X86_BOOT_PARAMS,
	};
	sregs->cs = pvh ? linux_boot_segment(SEL_CODE32, GDT_CODE32)
			: linux_boot_segment(SEL_CODE64, GDT_CODE64);
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
	sregs->tr = linux_boot_segment(SEL_TSS, GDT_TSS);
	sregs->gdt = (struct kvm_dtable){.base = X86_GDT, .limit = 6 * 8 - 1};
	sregs->idt = (struct kvm_dtable){.base = 0, .limit = 0};
	sregs->cr0 = CR0_PE | CR0_ET | (pvh ? 0 : CR0_PG);
	sregs->cr3 = pvh ? 0 : X86_PAGE_TABLES;
	sregs->cr4 = pvh ? 0 : CR4_PAE;
	sregs->efer = pvh ? 0 : EFER_LME | EFER_LMA;
}

int linux_boot_entry(int vcpu_fd, const struct kernel *k, struct err *err)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (ioctl(vcpu_fd, KVM_GET_SREGS, &sregs) < 0)
		return err_set(err, errno, "KVM_GET_SREGS");
	linux_boot_regs(k, &regs, &sregs);
	if (ioctl(vcpu_fd, KVM_SET_SREGS, &sregs) < 0)
		return err_set(err, errno, "KVM_SET_SREGS");
	if (ioctl(vcpu_fd, KVM_SET_REGS, &regs) < 0)
		return err_set(err, errno, "KVM_SET_REGS");
	return 0;
}
