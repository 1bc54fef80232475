/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: qcow2 images made and judged by qemu-img, and a disk in memory to compare with
 *
 * Everything lies in temp_dir: a.qcow2 is the disk, model its contents as they should be.
 */
#ifndef VMRUN_TESTS_SUPPORT_QCOW2_RIG_H
#define VMRUN_TESTS_SUPPORT_QCOW2_RIG_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "devices/block/qcow2.h"
#include "devices/block/qcow2_drop.h"
#include "devices/block/qcow2_read.h"
#include "devices/block/qcow2_write.h"
#include "tests/support/temp_dir.h"

#define DISK_BYTES (4ULL << 20)

/* Runs a shell command in temp_dir; its exit status. Its output goes to the file "out" there */
static inline PRINTF(1, 2) int sh(const char *fmt, ...)
{
	char cmd[1024], all[1200];
	va_list ap;
	int status;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	snprintf(all, sizeof(all), "cd %s && { %s; } >out 2>&1 </dev/null", temp_dir, cmd);
	status = system(all);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int file(const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", temp_dir, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	cr_assert(fd >= 0, "%s: %s", path, strerror(errno));
	return fd;
}

/* What the chains of the tests are made of */
enum chain { CHAIN_NONE, CHAIN_RAW, CHAIN_PACKED, CHAIN_THREE, CHAIN_LONGER, CHAINS };

static const char *const chain_files[CHAINS][4] = {
	[CHAIN_NONE] = {"a.qcow2"},
	[CHAIN_RAW] = {"a.qcow2", "b.raw"},
	[CHAIN_PACKED] = {"a.qcow2"},
	[CHAIN_THREE] = {"a.qcow2", "c.qcow2", "b.raw"},
	[CHAIN_LONGER] = {"a.qcow2", "b.raw"},
};

/* Shell commands that make them, with creation options $o */
static const char *const chain_commands[CHAINS] = {
	[CHAIN_NONE] = "qemu-img create -q -f qcow2 -o $o a.qcow2 4M",
	[CHAIN_RAW] = "seq 1 9999999 | head -c 2500096 >b.raw && "
		      "qemu-img create -q -f qcow2 -o $o -b b.raw -F raw a.qcow2 4M",
	[CHAIN_PACKED] = "{ seq 1 9999999 | head -c 2M; head -c 2M /dev/urandom | base64 | "
			 "head -c 1M; head -c 1M /dev/urandom; } >b.raw && "
			 "qemu-img convert -c -f raw -O qcow2 -o $o b.raw a.qcow2",
	[CHAIN_THREE] = "seq 1 9999999 | head -c 3M >b.raw && "
			"qemu-img create -q -f qcow2 -b b.raw -F raw c.qcow2 3500K && "
			"qemu-io -f qcow2 -c 'write -P 7 1M 300k' -c 'write -z 2M 128k' c.qcow2 && "
			"qemu-img create -q -f qcow2 -o $o -b c.qcow2 -F qcow2 a.qcow2 4M",
	[CHAIN_LONGER] = "seq 1 9999999 | head -c 7M >b.raw && "
			 "qemu-img create -q -f qcow2 -o $o -b b.raw -F raw a.qcow2 4M",
};

/* Makes a.qcow2 with its backing files, and model, a raw copy of what it holds */
static inline void make_chain(enum chain kind, const char *options)
{
	cr_assert_eq(sh("o=%s; %s && qemu-img convert -O raw a.qcow2 model", options,
			chain_commands[kind]),
		     0, "%s/out says why", temp_dir);
}

static struct qcow2 q;

static inline int open_chain(enum chain kind, bool writable, struct err *err)
{
	const char *const *name = chain_files[kind];
	struct qcow2_files f = {.writable = writable};

	for (; name[f.nr]; f.nr++) {
		f.fd[f.nr] = file(name[f.nr], f.nr == 0 && writable ? O_RDWR : O_RDONLY);
		if (strstr(name[f.nr], ".raw"))
			f.raw |= 1U << f.nr;
	}
	memset(&q, 0, sizeof(q));
	return qcow2_open(&q, &f, err);
}

static inline void close_chain(void)
{
	for (unsigned int i = 0; i < q.nr_images; i++)
		close(q.image[i].fd);
	for (unsigned int i = 0; i < 2 && q.page; i++) {
		close(q.turn[i]);
		close(q.still[i]);
	}
}

static inline int put(uint64_t off, void *buf, size_t bytes)
{
	struct iovec iov[2] = {{buf, bytes / 3}, {(uint8_t *)buf + bytes / 3, bytes - bytes / 3}};

	return qcow2_write(&q, iov, 2, off);
}

static inline int get(uint64_t off, void *buf, size_t bytes)
{
	struct iovec iov[2] = {{buf, bytes / 2}, {(uint8_t *)buf + bytes / 2, bytes - bytes / 2}};

	memset(buf, 0xee, bytes);
	return qcow2_read(&q, iov, 2, off);
}

static inline void load(const char *name, uint8_t disk[DISK_BYTES])
{
	int fd = file(name, O_RDONLY);

	cr_assert_eq(read(fd, disk, DISK_BYTES), (ssize_t)DISK_BYTES);
	close(fd);
}

static inline void save(const char *name, const uint8_t disk[DISK_BYTES])
{
	int fd = file(name, O_WRONLY | O_CREAT | O_TRUNC);

	cr_assert_eq(write(fd, disk, DISK_BYTES), (ssize_t)DISK_BYTES);
	close(fd);
}

/* What a test does to the disk and to the model at once; the numbers repeat with each seed */
struct act {
	enum { ACT_WRITE, ACT_DISCARD, ACT_ZERO_KEEP, ACT_ZERO_FREE, ACT_READ } what;
	uint64_t off, bytes;
	uint8_t fill;
};

static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline struct act random_act(uint64_t *state)
{
	static const uint8_t what[10] = {[5] = ACT_DISCARD, [6] = ACT_ZERO_KEEP,
					 [7] = ACT_ZERO_FREE, [8] = ACT_READ, [9] = ACT_READ};
	const uint64_t most = next_random(state) % 4 ? 32 : 600;
	struct act a = {.what = what[next_random(state) % 10]};

	a.bytes = (1 + next_random(state) % most) * 512;
	a.off = next_random(state) % ((DISK_BYTES - a.bytes) / 512 + 1) * 512;
	a.fill = (uint8_t)next_random(state);
	return a;
}

static inline void act_on_model(const struct act *a, uint8_t *disk)
{
	for (uint64_t i = 0; i < a->bytes && a->what == ACT_WRITE; i++)
		disk[a->off + i] = (uint8_t)(a->fill + (i * (a->fill | 1) >> 3));
	if (a->what == ACT_ZERO_KEEP || a->what == ACT_ZERO_FREE)
		memset(disk + a->off, 0, a->bytes);
}

/* @disk is the model after it; what a discard leaves is not defined and goes into the model */
static inline int act_on_disk(const struct act *a, uint8_t *disk)
{
	static uint8_t buf[DISK_BYTES];
	int rc = 0;

	switch (a->what) {
	case ACT_WRITE: return put(a->off, disk + a->off, a->bytes);
	case ACT_DISCARD:
		rc = qcow2_drop(&q, a->off, a->bytes, QCOW2_DISCARD);
		return rc < 0 ? rc : get(a->off, disk + a->off, a->bytes);
	case ACT_ZERO_KEEP: return qcow2_drop(&q, a->off, a->bytes, QCOW2_ZERO_KEEP);
	case ACT_ZERO_FREE: return qcow2_drop(&q, a->off, a->bytes, QCOW2_ZERO_FREE);
	case ACT_READ:
		rc = get(a->off, buf, a->bytes);
		cr_assert(rc < 0 || memcmp(buf, disk + a->off, a->bytes) == 0,
			  "reads something else at 0x%lx", a->off);
	}
	return rc;
}

#endif
