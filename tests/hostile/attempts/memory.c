/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory: pages that run, pages of others, and the guest's RAM */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>

#include "tests/hostile/attempts/attempt.h"

#define PAGE	4096L
#define RWX	(PROT_READ | PROT_WRITE | PROT_EXEC)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define VIRTIO	"block net rng console vsock balloon fs"
#define MAPPED	.gives = GIVES_MEMORY
#define ON_FD	.each = EACH_FD

static char page[PAGE] __attribute__((aligned(PAGE)));

/* Of this program's code */
static long write_code(long each UNUSED)
{
	return CALL3(SYS_mprotect, (long)write_code & -PAGE, PAGE, RWX);
}

static const struct attempt memory[] = {
	{"a heap", SYS_mmap, {0, PAGE, PROT_READ | PROT_WRITE, PRIVATE, -1, 0}, MAPPED},
	{"pages that run", SYS_mmap, {0, PAGE, PROT_READ | PROT_EXEC, PRIVATE, -1, 0}, MAPPED},
	{"pages that run, and are written", SYS_mmap, {0, PAGE, RWX, PRIVATE, -1, 0}, MAPPED},
	{"a shared page of no file",
	 SYS_mmap,
	 {0, PAGE, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0},
	 MAPPED},
	{"pages at an address",
	 SYS_mmap,
	 {PATH(page), PAGE, 3, MAP_SHARED | MAP_FIXED, EACH, 0},
	 ON_FD},
	{"page 0", SYS_mmap, {0, PAGE, 3, PRIVATE | MAP_FIXED, -1, 0}, MAPPED},
	{"a file, to run",
	 SYS_mmap,
	 {0, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, EACH, 0},
	 ON_FD,
	 MAPPED},
	{"a file, to write and run", SYS_mmap, {0, PAGE, RWX, MAP_SHARED, EACH, 0}, ON_FD, MAPPED},
	{"a file, private", SYS_mmap, {0, PAGE, PROT_READ, MAP_PRIVATE, EACH, 0}, ON_FD, MAPPED},
	{"a file, as guest RAM is",
	 SYS_mmap,
	 {0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, EACH, 0},
	 ON_FD,
	 MAPPED,
	 .may = VIRTIO,
	 .error = ANY_ERROR},
	{"mprotect of code", .run = write_code},
	{"mprotect of data", SYS_mprotect, {PATH(page), PAGE, RWX}},
	{"mprotect of nothing", SYS_mprotect, {0, PAGE, PROT_READ}},
	{"pkey_mprotect", SYS_pkey_mprotect, {PATH(page), PAGE, RWX, -1}},
	{"pkey_alloc", SYS_pkey_alloc, {0, 0}},
	{"mremap", SYS_mremap, {PATH(page), PAGE, PAGE, 0, 0}},
	{"remap_file_pages", SYS_remap_file_pages, {PATH(page), PAGE, 0, 0, 0}},
	{"brk", SYS_brk, {0}},
	{"memfd_create", SYS_memfd_create, {PATH("a"), 0}, .gives = GIVES_FD},
	{"memfd_secret", 447, {0}, .gives = GIVES_FD},
	{"MADV_DONTNEED", SYS_madvise, {PATH(page), PAGE, MADV_DONTNEED}},
	{"MADV_HUGEPAGE", SYS_madvise, {PATH(page), PAGE, MADV_HUGEPAGE}},
	{"MADV_MERGEABLE", SYS_madvise, {PATH(page), PAGE, MADV_MERGEABLE}},
	{"MADV_REMOVE of its own",
	 SYS_madvise,
	 {PATH(page), PAGE, MADV_REMOVE},
	 .may = "balloon",
	 .error = EINVAL},
	{"msync", SYS_msync, {PATH(page), PAGE, MS_SYNC}},
	{"mincore", SYS_mincore, {PATH(page), PAGE, PATH(page)}},
	{"mbind", SYS_mbind, {PATH(page), PAGE, MPOL_DEFAULT, 0, 0, 0}},
	{"set_mempolicy", SYS_set_mempolicy, {MPOL_DEFAULT, 0, 0}},
	{"migrate_pages", SYS_migrate_pages, {0, 0, 0, 0}},
	{"map_shadow_stack", 453, {0, PAGE, 0}, MAPPED},
	{"mseal", 462, {PATH(page), PAGE, 0}},
};

#define ON_RAM .each = EACH_RAM

/* The file behind it, and where it is mapped */
static const struct attempt ram[] = {
	/* A seal stops it, or the size of the file system that the file is alone in. */
	{"grow", SYS_ftruncate, {EACH, 1L << 40}, ON_FD, .may = "fs", .error = ANY_ERROR},
	{"grow by fallocate",
	 SYS_fallocate,
	 {EACH, 0, 1L << 30, PAGE},
	 ON_FD,
	 .may = "fs",
	 .error = ANY_ERROR},
	{"seal", SYS_fcntl, {EACH, F_ADD_SEALS, F_SEAL_WRITE}, ON_FD},
	{"seal what is to come", SYS_fcntl, {EACH, F_ADD_SEALS, F_SEAL_FUTURE_WRITE}, ON_FD},
	{"read seals", SYS_fcntl, {EACH, F_GET_SEALS, 0}, ON_FD},
	{"mode", SYS_fchmod, {EACH, 0}, ON_FD},
	{"owner", SYS_fchown, {EACH, 0, 0}, ON_FD},
	{"run as a program",
	 SYS_execveat,
	 {EACH, PATH(""), 1, 0, 0x1000},
	 ON_FD,
	 .reached = EFAULT},
	{"map to run",
	 SYS_mmap,
	 {0, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, EACH, 0},
	 ON_FD,
	 MAPPED},
	{"map to write and run", SYS_mmap, {0, PAGE, RWX, MAP_SHARED, EACH, 0}, ON_FD, MAPPED},
	{"map private", SYS_mmap, {0, PAGE, RWX, MAP_PRIVATE, EACH, 0}, ON_FD, MAPPED},
	{"map locked", SYS_mmap, {0, PAGE, 3, MAP_SHARED | MAP_LOCKED, EACH, 0}, ON_FD, MAPPED},
	{"mprotect to run", SYS_mprotect, {EACH, PAGE, RWX}, ON_RAM},
	{"mprotect to hide", SYS_mprotect, {EACH, PAGE, PROT_NONE}, ON_RAM},
	{"mremap", SYS_mremap, {EACH, PAGE, PAGE, 0, 0}, ON_RAM},
	{"mlock", SYS_mlock, {EACH, 1L << 24}, ON_RAM},
	{"MADV_DONTNEED", SYS_madvise, {EACH, PAGE, MADV_DONTNEED}, ON_RAM},
	{"MADV_HWPOISON", SYS_madvise, {EACH, PAGE, 100}, ON_RAM},
	{"MADV_REMOVE beyond its end",
	 SYS_madvise,
	 {EACH, 1L << 46, MADV_REMOVE},
	 ON_RAM,
	 .may = "balloon",
	 .error = EINVAL},
	{"msync", SYS_msync, {EACH, PAGE, MS_SYNC}, ON_RAM},
};

const struct attempt_theme attempt_themes_ram[] = {THEME("guest RAM", ram), {0}};
const struct attempt_theme attempt_themes_memory[] = {THEME("memory", memory), {0}};
