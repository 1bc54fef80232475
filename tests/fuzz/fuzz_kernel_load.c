/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A kernel image from anywhere, loaded into a small machine
 *
 * The input is the file. What is loaded must lie inside RAM, be entered inside itself, and leave
 * everything below the first MiB alone; so must an initrd put beside it. Nothing may be written where
 * the loader says nothing is.
 * Covers: vmm/x86/kernel_load.c vmm/x86/linux_boot.c
 */
#include <string.h>
#include <sys/mman.h>

#include "devices/core/fdio.h"
#include "vmm/x86/kernel_load.h"
#include "vmm/x86/layout.h"
#include "vmm/x86/linux_boot.h"

#define RAM_BYTES    (32ULL << 20)
#define INITRD_BYTES (3U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gmem mem;
static int image = -1, initrd = -1;

static void setup(void)
{
	int ram = memfd_create("ram", MFD_CLOEXEC);

	image = memfd_create("image", MFD_CLOEXEC);
	initrd = memfd_create("initrd", MFD_CLOEXEC);
	vr_assert(ram >= 0 && image >= 0 && initrd >= 0);
	vr_assert(ftruncate(ram, (off_t)RAM_BYTES) == 0 && ftruncate(initrd, INITRD_BYTES) == 0);
	vr_assert(gmem_map(&mem, ram, 0, 0, RAM_BYTES, 0, &(struct err){0}) == 0);
	close(ram);
}

static void check_initrd(const struct kernel *k)
{
	uint64_t gpa = 0, bytes = 0;

	if (kernel_load_initrd(initrd, &mem, k, &gpa, &bytes, &(struct err){0}) < 0)
		return;
	vr_assert(bytes == INITRD_BYTES && gpa >= X86_KERNEL_MIN);
	vr_assert(gpa <= RAM_BYTES - bytes && gpa + bytes <= k->initrd_end);
	vr_assert(gpa >= k->end || gpa + bytes <= k->start);
}

static void check_boot(const struct kernel *k)
{
	struct linux_boot boot = {.mem = &mem, .kernel = k, .cmdline = "quiet"};

	if (linux_boot_write(&boot, &(struct err){0}) < 0)
		vr_assert(k->cmdline_max < strlen(boot.cmdline));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t low[X86_KERNEL_MIN], zeroes[X86_KERNEL_MIN];
	struct err err = {0};
	struct kernel k;
	int rc;

	if (image < 0)
		setup();
	vr_assert(gmem_write(&mem, 0, zeroes, sizeof(zeroes)));
	vr_assert(lseek(image, 0, SEEK_SET) == 0 && ftruncate(image, 0) == 0);
	vr_assert(fd_write_full(image, data, size) == 0);
	rc = kernel_load(image, &mem, &k, &err);
	vr_assert(gmem_read(&mem, 0, low, sizeof(low)));
	vr_assert(memcmp(low, zeroes, sizeof(low)) == 0);
	if (rc < 0) {
		vr_assert(err.code == -rc && strncmp(err.msg, "kernel: ", 8) == 0);
		return 0;
	}
	vr_assert(k.start >= X86_KERNEL_MIN && k.start < k.end && k.end <= RAM_BYTES);
	vr_assert(k.entry_gpa >= k.start && k.entry_gpa < k.end);
	check_initrd(&k);
	check_boot(&k);
	return 0;
}
