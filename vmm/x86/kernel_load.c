/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/kernel_load.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/core/fdio.h"
#include "vmm/x86/layout.h"

#define KERNEL_HEAD_BYTES   4096
#define KERNEL_PHDRS_MAX    64
#define KERNEL_NOTES_MAX    16384	  /* in all PT_NOTE segments: each takes a read */
#define KERNEL_INITRD_END   0x80000000ULL /* what every 64-bit Linux can reach early */
#define KERNEL_CMDLINE_MAX  2047	  /* x86 Linux' COMMAND_LINE_SIZE - 1 */
#define KERNEL_PAGE	    4096ULL
#define KERNEL_SECTOR	    512ULL
#define KERNEL_PARAGRAPH    16ULL
#define KERNEL_PVH_NOTE	    18 /* XEN_ELFNOTE_PHYS32_ENTRY */
#define KERNEL_SETUP_OFFSET 0x1f1
#define KERNEL_ENTRY_64	    0x200
#define KERNEL_PROTOCOL_MIN 0x020c

/**
 * struct image - The file
 * @head:	Its first bytes, then zeroes if it is shorter
 * @ram_end:	End of the RAM region that starts at 0
 */
struct image {
	int fd;
	uint64_t bytes;
	const struct gmem *mem;
	uint64_t ram_end;
	uint8_t head[KERNEL_HEAD_BYTES];
};

static int kernel_image_truncated(const struct image *im, struct err *err)
{
	return err_text(err, ENOEXEC, "kernel: truncated: the file ends after %llu bytes",
			(unsigned long long)im->bytes);
}

static bool kernel_image_has(const struct image *im, uint64_t off, uint64_t bytes)
{
	return off <= im->bytes && bytes <= im->bytes - off;
}

static int kernel_image_read(const struct image *im, uint64_t off, void *buf, uint64_t bytes,
			     struct err *err)
{
	int rc;

	if (!kernel_image_has(im, off, bytes))
		return kernel_image_truncated(im, err);
	rc = fd_pread_full(im->fd, buf, bytes, off);
	if (rc == -ENODATA)
		return kernel_image_truncated(im, err);
	return rc < 0 ? err_set(err, -rc, "kernel: read") : 0;
}

static int kernel_image_too_large(uint64_t end, struct err *err)
{
	return err_text(err, ENOMEM, "kernel: memory too small for the kernel: needs %llu MiB",
			(unsigned long long)((end >> 20) + ((end & 0xfffff) != 0)));
}

/* Reads @file_bytes at @off to @gpa, where the kernel needs @mem_bytes */
static int kernel_image_place(const struct image *im, uint64_t off, uint64_t file_bytes,
			      uint64_t gpa, uint64_t mem_bytes, struct err *err)
{
	void *ram;

	if (gpa < X86_KERNEL_MIN)
		return err_text(err, ENOEXEC,
				"kernel: needs address 0x%llx, below the first MiB's end",
				(unsigned long long)gpa);
	if (gpa >= X86_HOLE || mem_bytes > X86_HOLE - gpa)
		return err_text(err, ENOEXEC,
				"kernel: needs %llu bytes at 0x%llx, where no machine has RAM",
				(unsigned long long)mem_bytes, (unsigned long long)gpa);
	if (gpa + mem_bytes > im->ram_end)
		return kernel_image_too_large(gpa + mem_bytes, err);
	if (file_bytes == 0)
		return 0;
	ram = gmem_ptr(im->mem, gpa, file_bytes);
	if (!ram)
		return kernel_image_too_large(gpa + file_bytes, err);
	return kernel_image_read(im, off, ram, file_bytes, err);
}

/* ---- ELF -------------------------------------------------------------------------------- */

/** struct elf_note - Start of a PVH note, which is the same with an alignment of 4 and of 8 */
struct elf_note {
	Elf64_Nhdr head;
	char name[sizeof("Xen")];
	uint8_t desc[8];
};

/* Whether @n, of which the file has @bytes, is a PVH entry; sets *ret_entry if so */
static bool kernel_elf_note_is_pvh(const struct elf_note *n, uint64_t bytes, uint64_t *ret_entry)
{
	uint32_t size = n->head.n_descsz;

	if (n->head.n_type != KERNEL_PVH_NOTE || n->head.n_namesz != sizeof(n->name) ||
	    memcmp(n->name, "Xen", sizeof("Xen")) != 0 || (size != 4 && size != 8) ||
	    bytes < offsetof(struct elf_note, desc) + size)
		return false;
	*ret_entry = 0;
	memcpy(ret_entry, n->desc, size);
	return true;
}

/*
 * Looks for the PVH entry in one PT_NOTE segment, and reads only the start of each note. *ret_entry does not
 * change if there is none. @left: limit for the number of notes.
 */
static int kernel_elf_notes(const struct image *im, const Elf64_Phdr *ph, unsigned int *left,
			    uint64_t *ret_entry, struct err *err)
{
	const uint64_t mask = ph->p_align == 8 ? 7 : 3;
	uint64_t at = 0;

	if (!kernel_image_has(im, ph->p_offset, ph->p_filesz))
		return kernel_image_truncated(im, err);
	while (at <= ph->p_filesz && ph->p_filesz - at >= sizeof(Elf64_Nhdr)) {
		uint64_t rest = ph->p_filesz - at, desc;
		struct elf_note n = {0};
		int rc = kernel_image_read(im, ph->p_offset + at, &n,
					   rest < sizeof(n) ? rest : sizeof(n), err);

		if (rc < 0 || kernel_elf_note_is_pvh(&n, rest, ret_entry))
			return rc;
		if (--*left == 0)
			return err_text(err, ENOEXEC, "kernel: ELF with more than %d notes",
					KERNEL_NOTES_MAX);
		desc = (sizeof(n.head) + n.head.n_namesz + mask) & ~mask;
		at += (desc + n.head.n_descsz + mask) & ~mask;
	}
	return 0;
}

static int kernel_elf_check(const struct image *im, const Elf64_Ehdr *eh, struct err *err)
{
	if (im->bytes < sizeof(*eh))
		return kernel_image_truncated(im, err);
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh->e_machine != EM_X86_64)
		return err_text(
			err, ENOEXEC,
			"kernel: for another machine (ELF class %u, machine %u), need x86-64",
			eh->e_ident[EI_CLASS], eh->e_machine);
	if (eh->e_phnum == 0 || eh->e_phnum > KERNEL_PHDRS_MAX ||
	    eh->e_phentsize < sizeof(Elf64_Phdr))
		return err_text(err, ENOEXEC, "kernel: ELF with %u program headers of %u bytes",
				eh->e_phnum, eh->e_phentsize);
	/* Section headers are not needed, and may be missing. */
	if (!kernel_image_has(im, eh->e_phoff, (uint64_t)eh->e_phnum * eh->e_phentsize))
		return kernel_image_truncated(im, err);
	return 0;
}

/* Without overlap no byte of RAM is loaded twice, so the size of RAM limits the time. */
static int kernel_elf_check_overlap(const Elf64_Phdr *ph, unsigned int nr, struct err *err)
{
	for (unsigned int i = 0; i < nr; i++) {
		for (unsigned int k = 0; k < nr; k++) {
			if (k == i || ph[i].p_type != PT_LOAD || ph[k].p_type != PT_LOAD ||
			    ph[i].p_paddr < ph[k].p_paddr || ph[i].p_memsz == 0)
				continue;
			if (ph[i].p_paddr - ph[k].p_paddr < ph[k].p_memsz)
				return err_text(err, ENOEXEC,
						"kernel: ELF segments %u and %u overlap",
						i < k ? i : k, i < k ? k : i);
		}
	}
	return 0;
}

static int kernel_elf_read_headers(const struct image *im, const Elf64_Ehdr *eh, Elf64_Phdr *ph,
				   struct err *err)
{
	int rc = kernel_elf_check(im, eh, err);

	for (unsigned int i = 0; rc == 0 && i < eh->e_phnum; i++)
		rc = kernel_image_read(im, eh->e_phoff + (uint64_t)i * eh->e_phentsize, &ph[i],
				       sizeof(*ph), err);
	return rc == 0 ? kernel_elf_check_overlap(ph, eh->e_phnum, err) : rc;
}

static int kernel_elf_load_segment(const struct image *im, const Elf64_Phdr *ph, struct kernel *k,
				   struct err *err)
{
	int rc;

	if (ph->p_filesz > ph->p_memsz)
		return err_text(err, ENOEXEC,
				"kernel: ELF segment larger in the file than in memory");
	if (ph->p_memsz == 0)
		return 0;
	rc = kernel_image_place(im, ph->p_offset, ph->p_filesz, ph->p_paddr, ph->p_memsz, err);
	if (rc < 0)
		return rc;
	if (ph->p_paddr < k->start)
		k->start = ph->p_paddr;
	if (ph->p_paddr + ph->p_memsz > k->end)
		k->end = ph->p_paddr + ph->p_memsz;
	return 0;
}

static int kernel_elf_load(const struct image *im, struct kernel *k, struct err *err)
{
	Elf64_Ehdr eh;
	Elf64_Phdr ph[KERNEL_PHDRS_MAX] = {0};
	unsigned int notes = KERNEL_NOTES_MAX;
	uint64_t pvh = UINT64_MAX;
	int rc;

	memcpy(&eh, im->head, sizeof(eh));
	rc = kernel_elf_read_headers(im, &eh, ph, err);
	k->start = UINT64_MAX;
	for (unsigned int i = 0; rc == 0 && i < eh.e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD)
			rc = kernel_elf_load_segment(im, &ph[i], k, err);
		else if (ph[i].p_type == PT_NOTE && pvh == UINT64_MAX)
			rc = kernel_elf_notes(im, &ph[i], &notes, &pvh, err);
	}
	if (rc < 0)
		return rc;
	if (k->end == 0)
		return err_text(err, ENOEXEC, "kernel: ELF with nothing to load");
	k->entry = pvh == UINT64_MAX ? KERNEL_ENTRY_LINUX64 : KERNEL_ENTRY_PVH32;
	k->entry_gpa = pvh == UINT64_MAX ? eh.e_entry : pvh;
	if (k->entry_gpa < k->start || k->entry_gpa >= k->end)
		return err_text(err, ENOEXEC, "kernel: entry point 0x%llx outside of the kernel",
				(unsigned long long)k->entry_gpa);
	k->initrd_end = KERNEL_INITRD_END;
	k->cmdline_max = KERNEL_CMDLINE_MAX;
	return 0;
}

/* ---- bzImage ---------------------------------------------------------------------------- */

static int kernel_bz_check(const struct image *im, const struct setup_header *s, struct err *err)
{
	if (!kernel_image_has(im, KERNEL_SETUP_OFFSET, sizeof(*s)))
		return kernel_image_truncated(im, err);
	if (s->version < KERNEL_PROTOCOL_MIN || !(s->xloadflags & XLF_KERNEL_64))
		return err_text(err, ENOEXEC,
				"kernel: bzImage without 64-bit entry (boot protocol %u.%02u)",
				s->version >> 8, s->version & 0xff);
	if (s->pref_address < X86_KERNEL_MIN || s->init_size == 0 ||
	    s->syssize * KERNEL_PARAGRAPH <= KERNEL_ENTRY_64)
		return err_text(err, ENOEXEC, "kernel: bzImage with an invalid setup header");
	return 0;
}

static int kernel_bz_load(const struct image *im, struct kernel *k, struct err *err)
{
	struct setup_header *s = &k->setup;
	uint64_t off, bytes, need, have;
	int rc;

	memcpy(s, im->head + KERNEL_SETUP_OFFSET, sizeof(*s));
	rc = kernel_bz_check(im, s, err);
	if (rc < 0)
		return rc;
	/* 0 stands for 4: boot.rst, field setup_sects */
	off = ((s->setup_sects ? s->setup_sects : 4) + 1) * KERNEL_SECTOR;
	bytes = s->syssize * KERNEL_PARAGRAPH;
	need = s->init_size > bytes ? s->init_size : bytes;
	have = im->bytes > off ? im->bytes - off : 0;
	/* The size is in paragraphs, and not every linker fills the last one. */
	if (have < bytes && bytes - have < KERNEL_PARAGRAPH)
		bytes = have;
	if (have < bytes)
		return kernel_image_truncated(im, err);
	rc = kernel_image_place(im, off, bytes, s->pref_address, need, err);
	if (rc < 0)
		return rc;
	k->entry = KERNEL_ENTRY_LINUX64;
	k->start = s->pref_address;
	k->end = s->pref_address + need;
	k->entry_gpa = k->start + KERNEL_ENTRY_64;
	k->initrd_end = (uint64_t)s->initrd_addr_max + 1;
	k->cmdline_max = s->cmdline_size;
	return 0;
}

/* ---- both ------------------------------------------------------------------------------- */

static const struct {
	uint32_t offset;
	uint32_t bytes;
	const char *magic;
	const char *what; /* NULL: this machine */
	int (*load)(const struct image *im, struct kernel *k, struct err *err);
} kernel_formats[] = {
	{0, SELFMAG, ELFMAG, NULL, kernel_elf_load}, {0x202, 4, "HdrS", NULL, kernel_bz_load},
	{0x38, 4, "ARM\x64", "arm64", NULL},	     {0x38, 4, "RSC\x05", "riscv", NULL},
	{0x24, 4, "\x18\x28\x6f\x01", "arm", NULL},
};

static int kernel_file_bytes(int fd, const char *what, uint64_t *ret, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "%s: fstat", what);
	if (!S_ISREG(st.st_mode))
		return err_text(err, EINVAL, "%s: not a regular file", what);
	*ret = (uint64_t)st.st_size;
	return 0;
}

static uint64_t kernel_ram_end(const struct gmem *mem)
{
	return mem->nr > 0 && mem->region[0].gpa == 0 ? mem->region[0].bytes : 0;
}

int kernel_load(int fd, const struct gmem *mem, struct kernel *ret, struct err *err)
{
	struct image im = {.fd = fd, .mem = mem, .ram_end = kernel_ram_end(mem)};
	struct kernel k = {0};
	uint64_t head;
	int rc;

	rc = kernel_file_bytes(fd, "kernel", &im.bytes, err);
	if (rc < 0)
		return rc;
	if (im.bytes == 0)
		return err_text(err, ENOEXEC, "kernel: the file is empty");
	head = im.bytes < sizeof(im.head) ? im.bytes : sizeof(im.head);
	rc = kernel_image_read(&im, 0, im.head, head, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(kernel_formats); i++) {
		if (memcmp(im.head + kernel_formats[i].offset, kernel_formats[i].magic,
			   kernel_formats[i].bytes) != 0)
			continue;
		if (!kernel_formats[i].load)
			return err_text(err, ENOEXEC,
					"kernel: for another machine (%s), need x86-64",
					kernel_formats[i].what);
		rc = kernel_formats[i].load(&im, &k, err);
		if (rc == 0)
			*ret = k;
		return rc;
	}
	return err_text(err, ENOEXEC, "kernel: neither ELF nor bzImage");
}

int kernel_load_initrd(int fd, const struct gmem *mem, const struct kernel *k, uint64_t *ret_gpa,
		       uint64_t *ret_bytes, struct err *err)
{
	uint64_t top = k->initrd_end < kernel_ram_end(mem) ? k->initrd_end : kernel_ram_end(mem);
	uint64_t below = k->start < top ? k->start : top;
	uint64_t bytes = 0, gpa = 0;
	void *ram;
	int rc;

	rc = kernel_file_bytes(fd, "initrd", &bytes, err);
	if (rc < 0)
		return rc;
	if (bytes > 0) {
		/* Above the kernel, or else below it. */
		if (top > k->end && bytes <= top - k->end)
			gpa = (top - bytes) & ~(KERNEL_PAGE - 1);
		if (gpa < k->end)
			gpa = bytes < below ? (below - bytes) & ~(KERNEL_PAGE - 1) : 0;
		ram = gpa >= X86_KERNEL_MIN ? gmem_ptr(mem, gpa, bytes) : NULL;
		if (!ram)
			return err_text(
				err, ENOMEM,
				"initrd: memory too small: %llu MiB do not fit beside the kernel",
				(unsigned long long)((bytes + 0xfffff) >> 20));
		rc = fd_pread_full(fd, ram, bytes, 0);
		if (rc < 0)
			return err_set(err, -rc, "initrd: read");
	}
	*ret_gpa = gpa;
	*ret_bytes = bytes;
	return 0;
}
