/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/kernel_load.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "devices/core/fdio.h"

#define MIB	  (1ULL << 20)
#define RAM_BYTES (32 * MIB)
#define TEXT	  0x200000ULL
#define PVH_ENTRY 0x200010ULL
#define BZ_SECTS  2
#define BZ_BYTES  0x1000U

static struct gmem mem;
static int file;

static void start(void)
{
	int ram = memfd_create("ram", MFD_CLOEXEC);

	mem = (struct gmem){0};
	file = memfd_create("kernel", MFD_CLOEXEC);
	cr_assert_eq(ftruncate(ram, (off_t)RAM_BYTES), 0);
	cr_assert_eq(gmem_map(&mem, ram, 0, 0, RAM_BYTES, 0, &(struct err){0}), 0);
	close(ram);
}

static void stop(void)
{
	gmem_done(&mem);
	close(file);
}

TestSuite(kernel_load, .init = start, .fini = stop);

static int load(const void *image, size_t bytes, struct kernel *k, struct err *err)
{
	*err = (struct err){0};
	cr_assert_eq(ftruncate(file, 0), 0);
	cr_assert_eq(lseek(file, 0, SEEK_SET), 0);
	cr_assert_eq(fd_write_full(file, image, bytes), 0);
	return kernel_load(file, &mem, k, err);
}

static void expect_error(const void *image, size_t bytes, int rc, const char *words)
{
	struct kernel k;
	struct err err;

	cr_assert_eq(load(image, bytes, &k, &err), rc, "%s: %s", words, err.msg);
	cr_assert(strncmp(err.msg, "kernel: ", 8) == 0, "%s", err.msg);
	cr_assert(strstr(err.msg, words), "'%s' is not in '%s'", words, err.msg);
}

/** An ELF kernel: one segment with text and .bss, a PVH note, and a section header at the end */
struct elf_image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	struct {
		Elf64_Nhdr head;
		char name[4];
		uint32_t entry;
	} note;
	uint8_t text[256];
	Elf64_Shdr sh;
};

static struct elf_image make_elf(void)
{
	struct elf_image e = {
		.eh = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		       .e_type = ET_EXEC,
		       .e_machine = EM_X86_64,
		       .e_entry = TEXT,
		       .e_phoff = offsetof(struct elf_image, ph),
		       .e_shoff = offsetof(struct elf_image, sh),
		       .e_phentsize = sizeof(Elf64_Phdr),
		       .e_phnum = 2,
		       .e_shentsize = sizeof(Elf64_Shdr),
		       .e_shnum = 1},
		.ph = {{.p_type = PT_LOAD,
			.p_offset = offsetof(struct elf_image, text),
			.p_vaddr = 0xffffffff80000000ULL + TEXT,
			.p_paddr = TEXT,
			.p_filesz = 256,
			.p_memsz = 0x3000},
		       {.p_type = PT_NOTE,
			.p_offset = offsetof(struct elf_image, note),
			.p_filesz = sizeof(e.note)}},
		.note = {.head = {4, 4, 18}, .name = "Xen", .entry = PVH_ENTRY},
	};

	memset(e.text, 0xcc, sizeof(e.text));
	return e;
}

Test(kernel_load, elf_with_pvh_note)
{
	struct elf_image e = make_elf();
	struct kernel k;
	struct err err;
	uint8_t byte;

	cr_assert_eq(load(&e, sizeof(e), &k, &err), 0, "%s", err.msg);
	cr_assert_eq(k.entry, KERNEL_ENTRY_PVH32);
	cr_assert_eq(k.entry_gpa, PVH_ENTRY);
	cr_assert_eq(k.start, TEXT);
	cr_assert_eq(k.end, TEXT + 0x3000);
	cr_assert(gmem_read(&mem, TEXT + 255, &byte, 1));
	cr_assert_eq(byte, 0xcc);
	cr_assert(gmem_read(&mem, TEXT + 256, &byte, 1));
	cr_assert_eq(byte, 0);
}

Test(kernel_load, elf_without_pvh_note)
{
	struct elf_image e = make_elf();
	struct kernel k;
	struct err err;

	e.note.head.n_type = 1; /* some other note of Xen's */
	cr_assert_eq(load(&e, sizeof(e), &k, &err), 0, "%s", err.msg);
	cr_assert_eq(k.entry, KERNEL_ENTRY_LINUX64);
	cr_assert_eq(k.entry_gpa, TEXT);
}

Test(kernel_load, hostile_notes_are_walked_safely)
{
	static const Elf64_Nhdr heads[] = {
		{UINT32_MAX, 4, 18}, {4, UINT32_MAX, 18}, {UINT32_MAX, UINT32_MAX, 18},
		{4, 8, 18},	     {0, 0, 0},		  {5, 4, 18},
	};
	struct kernel k;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		struct elf_image e = make_elf();

		e.note.head = heads[i];
		cr_assert_eq(load(&e, sizeof(e), &k, &err), 0, "%s", err.msg);
		cr_assert_eq(k.entry, KERNEL_ENTRY_LINUX64, "note %zu", i);
	}
}

Test(kernel_load, elf_cut_anywhere_is_an_error)
{
	struct elf_image e = make_elf();
	struct kernel k;
	struct err err;

	for (size_t bytes = 0; bytes < offsetof(struct elf_image, text) + sizeof(e.text); bytes++) {
		cr_assert_eq(load(&e, bytes, &k, &err), -ENOEXEC, "%zu bytes", bytes);
		cr_assert(strncmp(err.msg, "kernel: ", 8) == 0);
		if (bytes >= SELFMAG)
			cr_assert(strstr(err.msg, "truncated"), "%zu bytes: %s", bytes, err.msg);
	}
}

Test(kernel_load, elf_section_headers_are_not_needed)
{
	struct elf_image e = make_elf();
	struct kernel k;
	struct err err;

	cr_assert_eq(load(&e, offsetof(struct elf_image, sh), &k, &err), 0, "cut off: %s", err.msg);
	e.eh.e_shoff = UINT64_MAX;
	e.eh.e_shnum = UINT16_MAX;
	cr_assert_eq(load(&e, sizeof(e), &k, &err), 0, "nonsensical: %s", err.msg);
	cr_assert_eq(k.entry, KERNEL_ENTRY_PVH32);
}

Test(kernel_load, elf_program_headers_may_be_longer)
{
	struct elf_image e = make_elf();
	struct {
		struct elf_image e;
		struct {
			Elf64_Phdr ph;
			uint8_t more[8];
		} long_ph[2];
	} f = {.e = e, .long_ph = {{.ph = e.ph[0]}, {.ph = e.ph[1]}}};
	struct kernel k;
	struct err err;

	f.e.eh.e_phoff = offsetof(typeof(f), long_ph);
	f.e.eh.e_phentsize = sizeof(f.long_ph[0]);
	cr_assert_eq(load(&f, sizeof(f), &k, &err), 0, "%s", err.msg);
	cr_assert_eq(k.entry, KERNEL_ENTRY_PVH32);
	cr_assert_eq(k.entry_gpa, PVH_ENTRY);
}

/** An ELF kernel with room for notes behind it */
struct notes_image {
	struct elf_image e;
	uint8_t notes[300000];
};

/* A note at @at, its parts aligned to @align; where the next one goes */
static size_t put_note(struct notes_image *n, size_t at, size_t align, uint32_t type,
		       uint32_t name_bytes, uint32_t desc_bytes)
{
	const Elf64_Nhdr head = {name_bytes, desc_bytes, type};
	const uint32_t entry = PVH_ENTRY;
	size_t desc = (sizeof(head) + name_bytes + align - 1) / align * align;

	memcpy(n->notes + at, &head, sizeof(head));
	memcpy(n->notes + at + sizeof(head), "Xen", name_bytes < 4 ? name_bytes : 4);
	memcpy(n->notes + at + desc, &entry, desc_bytes < 4 ? desc_bytes : 4);
	return at + (desc + desc_bytes + align - 1) / align * align;
}

static struct notes_image *make_notes(size_t align)
{
	struct notes_image *n = calloc(1, sizeof(*n));

	cr_assert(n);
	n->e = make_elf();
	n->e.ph[1].p_offset = offsetof(struct notes_image, notes);
	n->e.ph[1].p_align = align;
	return n;
}

static void expect_pvh(struct notes_image *n, size_t bytes, const char *what)
{
	struct kernel k;
	struct err err;

	n->e.ph[1].p_filesz = bytes;
	cr_assert_eq(load(n, sizeof(*n), &k, &err), 0, "%s: %s", what, err.msg);
	cr_assert_eq(k.entry, KERNEL_ENTRY_PVH32, "%s", what);
	cr_assert_eq(k.entry_gpa, PVH_ENTRY, "%s", what);
	free(n);
}

Test(kernel_load, pvh_note_is_found_behind_others)
{
	static const struct {
		const char *what;
		size_t align, nr, name, desc;
	} cases[] = {
		{"one of 5 KiB", 4, 1, 4, 5000},
		{"many of 13 bytes", 4, 1000, 1, 0},
		{"empty ones", 4, 10000, 0, 0},
		{"one of 200 KiB", 4, 1, 7, 200001},
		{"aligned to 8", 8, 300, 5, 3},
		{"GNU's", 8, 2, 4, 20},
		{"none", 8, 0, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct notes_image *n = make_notes(cases[i].align);
		size_t at = 0;

		for (size_t k = 0; k < cases[i].nr; k++)
			at = put_note(n, at, cases[i].align, 5, (uint32_t)cases[i].name,
				      (uint32_t)cases[i].desc);
		put_note(n, at, cases[i].align, 18, 4, 4);
		/* The last note's padding may be missing. */
		expect_pvh(n, at + 20, cases[i].what);
	}
}

Test(kernel_load, pvh_note_is_found_in_any_segment)
{
	struct elf_image e = make_elf();
	struct {
		struct elf_image e;
		Elf64_Phdr ph[4];
	} f = {.e = e, .ph = {e.ph[0], e.ph[1], e.ph[1], e.ph[1]}};
	struct kernel k;
	struct err err;

	f.e.eh.e_phoff = offsetof(typeof(f), ph);
	f.e.eh.e_phnum = 4;
	f.ph[1].p_filesz = 0;
	f.ph[2].p_offset = offsetof(struct elf_image, text);
	cr_assert_eq(load(&f, sizeof(f), &k, &err), 0, "%s", err.msg);
	cr_assert_eq(k.entry, KERNEL_ENTRY_PVH32);
}

Test(kernel_load, notes_without_end_are_refused)
{
	struct notes_image *n = make_notes(4);

	n->e.ph[1].p_filesz = sizeof(n->notes); /* 25000 empty ones */
	expect_error(n, sizeof(*n), -ENOEXEC, "more than 16384 notes");
	free(n);
}

Test(kernel_load, elf_segments_that_overlap_are_refused)
{
	static const struct {
		uint64_t paddr, memsz;
		bool overlaps;
	} second[] = {
		{TEXT, 16, true},
		{TEXT + 0x2fff, 16, true},
		{TEXT + 0x3000, 16, false},
		{TEXT - 16, 16, false},
		{TEXT - 16, 17, true},
		{TEXT + 1, 0, false},
		{TEXT - 16, UINT64_MAX, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(second); i++) {
		struct elf_image e = make_elf();
		struct kernel k;
		struct err err;

		e.ph[1] = e.ph[0];
		e.ph[1].p_filesz = 0;
		e.ph[1].p_paddr = second[i].paddr;
		e.ph[1].p_memsz = second[i].memsz;
		if (second[i].overlaps)
			expect_error(&e, sizeof(e), -ENOEXEC, "segments 0 and 1 overlap");
		else
			cr_assert_eq(load(&e, sizeof(e), &k, &err), 0, "case %zu: %s", i, err.msg);
	}
}

Test(kernel_load, hostile_elf_headers)
{
	struct elf_image e = make_elf();
	struct elf_image bad = e;

	expect_error("", 0, -ENOEXEC, "empty");
	expect_error("#!/bin/sh\n", 10, -ENOEXEC, "neither ELF nor bzImage");
	bad.eh.e_machine = EM_AARCH64;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "another machine");
	bad = e, bad.eh.e_ident[EI_CLASS] = ELFCLASS32;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "another machine");
	bad = e, bad.eh.e_phnum = 0;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "program headers");
	bad = e, bad.eh.e_phnum = UINT16_MAX;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "program headers");
	bad = e, bad.eh.e_phentsize = 1;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "program headers");
	bad = e, bad.eh.e_phoff = UINT64_MAX - 8;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "truncated");
	bad = e, bad.eh.e_entry = TEXT + 0x3000, bad.note.head.n_type = 0;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "entry point");
	bad = e, bad.note.entry = 0;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "entry point");
}

Test(kernel_load, hostile_elf_segments)
{
	static const struct {
		const char *words;
		uint64_t offset, paddr, filesz, memsz;
		int rc;
	} cases[] = {
		{"below the first MiB", 0, 0x1000, 16, 16, -ENOEXEC},
		{"truncated", UINT64_MAX, TEXT, 16, 16, -ENOEXEC},
		{"truncated", 8, TEXT, 0x3000, 0x3000, -ENOEXEC},
		{"larger in the file", 0, TEXT, 32, 16, -ENOEXEC},
		{"no machine has RAM", 0, TEXT, 16, UINT64_MAX, -ENOEXEC},
		{"no machine has RAM", 0, UINT64_MAX - 4, 16, 16, -ENOEXEC},
		{"no machine has RAM", 0, 0x100000000, 16, 16, -ENOEXEC},
		{"needs 33 MiB", 0, RAM_BYTES, 16, 16, -ENOMEM},
		{"needs 34 MiB", 0, TEXT, 16, RAM_BYTES, -ENOMEM},
		{"needs 33 MiB", 0, RAM_BYTES - 8, 16, 16, -ENOMEM},
		{"nothing to load", 0, TEXT, 0, 0, -ENOEXEC},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct elf_image e = make_elf();

		e.ph[0].p_offset = cases[i].offset;
		e.ph[0].p_paddr = cases[i].paddr;
		e.ph[0].p_filesz = cases[i].filesz;
		e.ph[0].p_memsz = cases[i].memsz;
		expect_error(&e, sizeof(e), cases[i].rc,
			     cases[i].memsz ? cases[i].words : "with nothing to load");
	}
}

/** A bzImage: two sectors of setup after the boot sector, then code */
struct bz_image {
	uint8_t boot[0x1f1];
	struct setup_header setup;
	uint8_t rest[(BZ_SECTS + 1) * 512 - 0x1f1 - sizeof(struct setup_header)];
	uint8_t code[BZ_BYTES];
};

static struct bz_image make_bz(void)
{
	struct bz_image b = {
		.setup = {.setup_sects = BZ_SECTS,
			  .syssize = BZ_BYTES / 16,
			  .boot_flag = 0xaa55,
			  .header = 0x53726448,
			  .version = 0x20f,
			  .xloadflags = XLF_KERNEL_64,
			  .initrd_addr_max = 0x7fffffff,
			  .cmdline_size = 2047,
			  .pref_address = 16 * MIB,
			  .init_size = 8 * MIB},
	};

	memset(b.code, 0x90, sizeof(b.code));
	return b;
}

Test(kernel_load, bzimage)
{
	struct bz_image b = make_bz();
	struct kernel k;
	struct err err;
	uint8_t byte;

	cr_assert_eq(load(&b, sizeof(b), &k, &err), 0, "%s", err.msg);
	cr_assert_eq(k.entry, KERNEL_ENTRY_LINUX64);
	cr_assert_eq(k.entry_gpa, 16 * MIB + 0x200);
	cr_assert_eq(k.start, 16 * MIB);
	cr_assert_eq(k.end, 24 * MIB);
	cr_assert_eq(k.initrd_end, 0x80000000);
	cr_assert_eq(k.setup.version, 0x20f);
	cr_assert(gmem_read(&mem, 16 * MIB + BZ_BYTES - 1, &byte, 1));
	cr_assert_eq(byte, 0x90);
}

Test(kernel_load, bzimage_cut_anywhere_is_an_error)
{
	struct bz_image b = make_bz();
	struct kernel k;
	struct err err;

	for (size_t bytes = 0; bytes <= sizeof(b) - 16; bytes += bytes < 0x300 ? 1 : 13) {
		cr_assert_eq(load(&b, bytes, &k, &err), -ENOEXEC, "%zu bytes", bytes);
		if (bytes >= 0x206)
			cr_assert(strstr(err.msg, "truncated"), "%zu bytes: %s", bytes, err.msg);
	}
	cr_assert_eq(load(&b, sizeof(b) - 16, &k, &err), -ENOEXEC);
}

Test(kernel_load, bzimage_may_end_within_its_last_paragraph)
{
	struct bz_image b = make_bz();
	struct kernel k;
	struct err err;
	uint8_t byte;

	for (size_t lacks = 1; lacks < 16; lacks++)
		cr_assert_eq(load(&b, sizeof(b) - lacks, &k, &err), 0, "%zu: %s", lacks, err.msg);
	cr_assert(gmem_read(&mem, 16 * MIB + BZ_BYTES - 16, &byte, 1) && byte == 0x90);
}

Test(kernel_load, bzimage_with_a_tail_and_the_smallest_setup)
{
	struct {
		struct bz_image b;
		uint8_t tail[1000 + 1024];
	} f = {.b = make_bz()};
	struct kernel k;
	struct err err;

	f.b.setup.setup_sects = 0; /* stands for 4, two more than there are here */
	cr_assert_eq(load(&f, sizeof(f), &k, &err), 0, "%s", err.msg);
	cr_assert_eq(k.end, 24 * MIB);
}

Test(kernel_load, hostile_bzimage_headers)
{
	struct bz_image b = make_bz();
	struct bz_image bad = b;

	bad.setup.version = 0x20b;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "without 64-bit entry");
	bad = b, bad.setup.xloadflags = 0;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "without 64-bit entry");
	bad = b, bad.setup.syssize = UINT32_MAX;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "truncated");
	bad = b, bad.setup.syssize = 0;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "invalid setup header");
	bad = b, bad.setup.setup_sects = 255;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "truncated");
	bad = b, bad.setup.pref_address = 0;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "invalid setup header");
	bad = b, bad.setup.pref_address = UINT64_MAX;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "no machine has RAM");
	bad = b, bad.setup.init_size = 0;
	expect_error(&bad, sizeof(bad), -ENOEXEC, "invalid setup header");
	bad = b, bad.setup.init_size = 52 * MIB + 1;
	expect_error(&bad, sizeof(bad), -ENOMEM, "needs 69 MiB");
}

Test(kernel_load, kernels_of_other_machines_are_named)
{
	uint8_t image[256] = {'M', 'Z'};

	memcpy(image + 0x38, "ARM\x64", 4);
	expect_error(image, sizeof(image), -ENOEXEC, "another machine (arm64)");
	memcpy(image + 0x38, "RSC\x05", 4);
	expect_error(image, sizeof(image), -ENOEXEC, "another machine (riscv)");
}

static int load_initrd(uint64_t bytes, const struct kernel *k, uint64_t *gpa, struct err *err)
{
	uint64_t got = UINT64_MAX;
	int rc;

	*err = (struct err){0};
	cr_assert_eq(ftruncate(file, (off_t)bytes), 0);
	rc = kernel_load_initrd(file, &mem, k, gpa, &got, err);
	if (rc == 0)
		cr_assert_eq(got, bytes);
	return rc;
}

Test(kernel_load, initrd_goes_beside_the_kernel)
{
	static const struct {
		uint64_t start, end, limit, bytes, gpa; /* gpa 0: does not fit */
	} cases[] = {
		{16 * MIB, 24 * MIB, 2048 * MIB, 4096, 32 * MIB - 4096}, /* at the top */
		{16 * MIB, 24 * MIB, 2048 * MIB, 4097, 32 * MIB - 8192},
		{16 * MIB, 24 * MIB, 2048 * MIB, 8 * MIB, 24 * MIB},	       /* exactly */
		{16 * MIB, 24 * MIB, 2048 * MIB, 8 * MIB + 1, 8 * MIB - 4096}, /* below */
		{16 * MIB, 24 * MIB, 2048 * MIB, 15 * MIB, MIB},
		{16 * MIB, 24 * MIB, 2048 * MIB, 15 * MIB + 1, 0},
		{16 * MIB, 24 * MIB, 12 * MIB, MIB, 11 * MIB}, /* the kernel's limit */
		{16 * MIB, 24 * MIB, 1 * MIB, 1, 0},
		{2 * MIB, 32 * MIB, 2048 * MIB, 2 * MIB, 0},
		{2 * MIB, 3 * MIB + 1, 2048 * MIB, 29 * MIB, 0}, /* page alignment is what lacks */
	};
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kernel k = {
			.start = cases[i].start, .end = cases[i].end, .initrd_end = cases[i].limit};
		uint64_t gpa = 0;
		int rc = load_initrd(cases[i].bytes, &k, &gpa, &err);

		cr_assert_eq(rc, cases[i].gpa ? 0 : -ENOMEM, "case %zu: %s", i, err.msg);
		cr_assert_eq(gpa, cases[i].gpa, "case %zu: 0x%lx", i, gpa);
		if (rc < 0)
			cr_assert(strncmp(err.msg, "initrd: memory too small", 24) == 0);
	}
}

Test(kernel_load, only_regular_files)
{
	struct kernel k;
	struct err err = {0};
	int pipes[2];

	cr_assert_eq(pipe(pipes), 0);
	cr_assert_eq(kernel_load(pipes[0], &mem, &k, &err), -EINVAL);
	cr_assert_str_eq(err.msg, "kernel: not a regular file");
	close(pipes[0]);
	close(pipes[1]);
}
