/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What is linked into VMM and devices of a sanitized build
 *
 * Each file that they map shared, guest RAM above all, lies between two areas that no access survives: a byte read or
 * written before or behind it is a SIGSEGV, which the sanitizer reports. Reports go to files, because a program that its
 * supervisor starts has neither an environment nor a standard error of its own.
 */
#include <stddef.h>
#include <sys/mman.h>

#define BRACKET (1UL << 20)

void *__real_mmap(void *addr, size_t bytes, int prot, int flags, int fd, off_t off);
void *__wrap_mmap(void *addr, size_t bytes, int prot, int flags, int fd, off_t off);
const char *__asan_default_options(void);

void *__wrap_mmap(void *addr, size_t bytes, int prot, int flags, int fd, off_t off)
{
	char *area;

	if (addr || !(flags & MAP_SHARED))
		return __real_mmap(addr, bytes, prot, flags, fd, off);
	area = __real_mmap(NULL, bytes + 2 * BRACKET, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		return area;
	return __real_mmap(area + BRACKET, bytes, prot, flags | MAP_FIXED, fd, off);
}

/* Leaks are no fault of processes that end with their VM. */
const char *__asan_default_options(void)
{
	return "log_path=" SANITIZER_LOG ":detect_leaks=0";
}
