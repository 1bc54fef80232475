/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The fs device in a harness: a tree that it shares, rings, and what every answer obeys
 *
 * The tree is new for each input: f, its other name l, d/g, a link s out of the tree, a pipe p. Beside it in the
 * same directory of the host is another, outside/secret, which nothing may find, name or change. There is no
 * mount here that ends at the tree, so the checks of names carry that alone.
 *
 * The device's threads work, but between two calls of fuzz_fs_go() none does.
 */
#ifndef VMRUN_TESTS_FUZZ_FUZZ_FS_H
#define VMRUN_TESTS_FUZZ_FUZZ_FS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "devices/core/device.h"
#include "devices/core/settings.h"
#include "devices/fs/fs_state.h"
#include "tests/fuzz/fuzz_input.h"

#define FUZZ_FS_IN                                                                                 \
	0x10000ULL /* requests, a page each but for the first of a batch, which has what follows */
#define FUZZ_FS_OUT	 0x200000ULL
#define FUZZ_FS_OUT_EACH 0x8000ULL
#define FUZZ_FS_BYTES	 0x400000ULL
#define FUZZ_FS_SIZE	 64
#define FUZZ_FS_KINDS	 4
#define FUZZ_FS_BATCH	 16
#define FUZZ_FS_FEW	 6	    /* fds for inodes: they come and go */
#define FUZZ_FS_FILE_MAX (1U << 20) /* bytes that a file of the tree may have */

extern const struct device_ops fs_device;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** fuzz_fs_asked - A request that was sent: what its answer is compared with */
struct fuzz_fs_asked {
	uint32_t opcode, room;
	uint64_t unique, out;
	bool silent;
};

/** fuzz_fs_reply - An answer: @error is 0 or -errno, @body what is behind the header, @bytes of it */
struct fuzz_fs_reply {
	uint32_t opcode, bytes;
	int error;
	const uint8_t *body;
};

static struct fuzz_fs {
	struct vqd_mem ram;
	struct loop loop;
	struct device dev[FUZZ_FS_KINDS], *d;
	struct vqd drv[2];
	struct fuzz_fs_asked asked[2][FUZZ_FS_SIZE];
	char path[32];
	uint64_t unique;
	int home, base;
	unsigned int nr_fds;
	struct stat outside, secret;
} fuzz_fs;

static inline unsigned int fuzz_fs_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	vr_assert(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* ---- the tree ---- */

static inline void fuzz_fs_empty(int at)
{
	DIR *dir = fdopendir(openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *e;

	vr_assert(dir);
	while ((e = readdir(dir))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(at, e->d_name, 0) < 0) {
			int sub = openat(at, e->d_name,
					 O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);

			vr_assert(sub >= 0 && fchmodat(at, e->d_name, 0700, 0) == 0);
			fuzz_fs_empty(sub);
			close(sub);
			vr_assert(unlinkat(at, e->d_name, AT_REMOVEDIR) == 0);
		}
	}
	closedir(dir);
}

static inline void fuzz_fs_file(int at, const char *name)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	vr_assert(fd >= 0 && write(fd, "hello", 5) == 5);
	close(fd);
}

static inline void fuzz_fs_plant(void)
{
	const int at = BOOT_FD_RES, moved = openat(fuzz_fs.base, "elsewhere", O_PATH | O_CLOEXEC);

	vr_assert(fchmodat(at, ".", 0755, 0) == 0);
	fuzz_fs_empty(at);
	fuzz_fs_empty(moved);
	close(moved);
	fuzz_fs_file(at, "f");
	vr_assert(linkat(at, "f", at, "l", 0) == 0 && mkdirat(at, "d", 0755) == 0);
	fuzz_fs_file(at, "d/g");
	vr_assert(symlinkat("../outside/secret", at, "s") == 0 && mkfifoat(at, "p", 0600) == 0);
}

static inline void fuzz_fs_unplant(void)
{
	fuzz_fs_empty(fuzz_fs.base);
	rmdir(fuzz_fs.path);
}

static inline bool fuzz_fs_same(const struct stat *a, const char *path)
{
	struct stat b;

	return fstatat(fuzz_fs.base, path, &b, AT_SYMLINK_NOFOLLOW) == 0 && a->st_ino == b.st_ino &&
	       a->st_mode == b.st_mode && a->st_nlink == b.st_nlink && a->st_size == b.st_size &&
	       a->st_uid == b.st_uid && memcmp(&a->st_mtim, &b.st_mtim, sizeof(b.st_mtim)) == 0 &&
	       memcmp(&a->st_ctim, &b.st_ctim, sizeof(b.st_ctim)) == 0;
}

/* ---- the device ---- */

#ifndef FUZZ_FS_MORE
#define FUZZ_FS_MORE 0 /* settings of the last kind of device, beside its own */
#endif

static const struct fuzz_fs_kind {
	uint32_t rec, cache, settings;
	uint32_t fds; /* for so many inodes; 0: more than an input can use */
} fuzz_fs_kinds[FUZZ_FS_KINDS] = {
	{0, FS_CACHE_AUTO, 0, 0},
	{BOOT_DEV_READONLY, FS_CACHE_AUTO, 0, 0},
	{BOOT_DEV_SQUASH, FS_CACHE_NONE, FS_WRITEBACK, FUZZ_FS_FEW},
	{0, FS_CACHE_ALWAYS, FS_POSIX_ACL | FS_HOST_LOCKS | FUZZ_FS_MORE, 0},
};

static inline void fuzz_fs_init(unsigned int i)
{
	const struct fuzz_fs_kind *k = &fuzz_fs_kinds[i];
	const struct fs_settings settings = {
		.tag = "data", .cache = k->cache, .flags = k->settings};
	struct boot_dev rec = {.name = "fs0", .type = "fs", .flags = k->rec, .nr_res = 2};
	struct err err = {0};

	boot_set_settings(&rec, &settings, sizeof(settings));
	vr_assert(device_init(&fuzz_fs.dev[i], &fs_device, &fuzz_fs.loop, &err) == 0);
	vr_assert(fs_device.init(&fuzz_fs.dev[i], &rec, &err) == 0);
	if (k->fds) /* its state begins with this */
		((struct fs *)fuzz_fs.dev[i].state)->nodes.fds_max = k->fds;
	vqd_mem_map(&fuzz_fs.ram, &fuzz_fs.dev[i].mem);
}

static inline void fuzz_fs_prepare(void)
{
	static const struct vqd_piece piece = {0, FUZZ_FS_BYTES};
	const struct rlimit few = {FS_FDS_MIN, FS_FDS_MIN};
	int share, self;

	signal(SIGXFSZ, SIG_IGN);
	strcpy(fuzz_fs.path, "/dev/shm/vmrun-fuzz-XXXXXX");
	vr_assert(mkdtemp(fuzz_fs.path) && setrlimit(RLIMIT_NOFILE, &few) == 0);
	fuzz_fs.home = open(".", O_PATH | O_CLOEXEC);
	fuzz_fs.base = open(fuzz_fs.path, O_PATH | O_CLOEXEC);
	vr_assert(fuzz_fs.base >= 0 && atexit(fuzz_fs_unplant) == 0);
	vr_assert(mkdirat(fuzz_fs.base, "share", 0755) == 0);
	vr_assert(mkdirat(fuzz_fs.base, "outside", 0755) == 0);
	vr_assert(mkdirat(fuzz_fs.base, "elsewhere", 0755) == 0);
	fuzz_fs_file(fuzz_fs.base, "outside/secret");
	vr_assert(fstatat(fuzz_fs.base, "outside", &fuzz_fs.outside, 0) == 0);
	vr_assert(fstatat(fuzz_fs.base, "outside/secret", &fuzz_fs.secret, 0) == 0);
	share = openat(fuzz_fs.base, "share", O_PATH | O_CLOEXEC);
	self = open("/proc/self/fd", O_PATH | O_CLOEXEC);
	share = fcntl(share, F_DUPFD_CLOEXEC, 32);
	self = fcntl(self, F_DUPFD_CLOEXEC, 32);
	vr_assert(dup2(share, BOOT_FD_RES) >= 0 && dup2(self, BOOT_FD_RES + 1) >= 0);
	vqd_mem_init(&fuzz_fs.ram, &piece, 1);
	vr_assert(loop_init(&fuzz_fs.loop, &(struct err){0}) == 0);
	for (unsigned int i = 0; i < FUZZ_FS_KINDS; i++)
		fuzz_fs_init(i);
}

/* ---- requests ---- */

/**
 * fuzz_fs_put() - Make a request available
 * @q:		Its ring
 * @bytes:	Of the request, which is at FUZZ_FS_IN + @at already, its header first
 * @cut:	Lengths of the first buffers, in which the request and then its answer lie; @nr of them
 *
 * Return: false when it does not fit
 */
static inline bool fuzz_fs_put(unsigned int q, uint64_t at, uint32_t bytes, uint32_t room,
			       const uint16_t *cut, unsigned int nr)
{
	struct vqd *v = &fuzz_fs.drv[q];
	const unsigned int slot = (unsigned int)(fuzz_fs.unique % FUZZ_FS_BATCH);
	const uint64_t out = FUZZ_FS_OUT + slot * FUZZ_FS_OUT_EACH;
	const struct fuse_in_header *in = vqd_at(&fuzz_fs.ram, FUZZ_FS_IN + at, sizeof(*in));
	const uint32_t answer = room + (uint32_t)sizeof(struct fuse_out_header);
	struct vqd_buf buf[FUZZ_FS_SIZE];
	unsigned int n = 0, c = 0;
	uint16_t head;

	for (uint32_t part = 0; part < 2; part++) {
		const uint64_t gpa = part ? out : FUZZ_FS_IN + at;
		const uint32_t all = part ? answer : bytes;
		uint32_t done = 0;

		while (done < all) {
			uint32_t len = c < nr ? cut[c++] : all - done;

			len = len == 0 ? 1 : len < all - done ? len : all - done;
			if (n == ARRAY_SIZE(buf))
				return false;
			buf[n++] = (struct vqd_buf){gpa + done, len, part};
			done += len;
		}
	}
	head = vqd_add(v, buf, n);
	fuzz_fs.asked[q][head] = (struct fuzz_fs_asked){
		.opcode = in->opcode,
		.room = room,
		.unique = in->unique,
		.out = out,
		.silent = in->opcode == FUSE_FORGET || in->opcode == FUSE_BATCH_FORGET ||
			  in->opcode == FUSE_INTERRUPT,
	};
	memset(vqd_at(&fuzz_fs.ram, out, answer), 0xee, answer);
	fuzz_fs.unique++;
	return true;
}

/* Rings that are empty */
static inline void fuzz_fs_rings(void)
{
	for (unsigned int q = 0; q < 2; q++) {
		struct vq_layout l;

		vqd_init(&fuzz_fs.drv[q], &fuzz_fs.ram, FUZZ_FS_SIZE, 0x1000 + q * 0x4000,
			 fuzz_fs.d->acked);
		l = vqd_layout(&fuzz_fs.drv[q]);
		vr_assert(vq_setup(&fuzz_fs.d->vq[q], &fuzz_fs.d->mem, &l, &(struct err){0}) == 0);
		fuzz_fs.d->runs[q] = true;
		fuzz_fs.d->err_fd[q] = 1 << 20; /* a broken queue would end the loop */
	}
}

/** fuzz_fs_few() - Whether the device loses fds of inodes all the time */
static inline bool fuzz_fs_few(void)
{
	return ((struct fs *)fuzz_fs.d->state)->nodes.fds_max == FUZZ_FS_FEW;
}

/** fuzz_fs_start() - Begin with a device of kind @kind, rings that are empty, and the tree as planted */
static inline void fuzz_fs_start(unsigned int kind, uint64_t features)
{
	if (!fuzz_fs.ram.base)
		fuzz_fs_prepare();
	vr_assert(fchdir(BOOT_FD_RES + 1) == 0);
	fuzz_fs_plant();
	fuzz_fs.nr_fds = fuzz_fs_count_fds();
	fuzz_fs.d = &fuzz_fs.dev[kind % FUZZ_FS_KINDS];
	fuzz_fs.d->acked = features;
	fuzz_fs.unique = 0;
	memset(fuzz_fs.ram.base, 0, FUZZ_FS_IN + 0x20000);
	fuzz_fs_rings();
	vr_assert(setrlimit(RLIMIT_FSIZE, &(struct rlimit){FUZZ_FS_FILE_MAX, RLIM_INFINITY}) == 0);
}

/** fuzz_fs_go() - Have the device carry out all that was put into @q, and wait for it */
static inline void fuzz_fs_go(unsigned int q)
{
	if (fuzz_fs.d->vq[q].broken)
		return;
	fs_device.queue(fuzz_fs.d, q);
	fs_device.stop(fuzz_fs.d, q);
}

/* Bytes of the answer of an operation whose answer is of fixed size; 0: it is not, or there is none */
static inline uint32_t fuzz_fs_answer_bytes(uint32_t opcode)
{
	static const uint16_t bytes[] = {
		[FUSE_LOOKUP] = sizeof(struct fuse_entry_out),
		[FUSE_SYMLINK] = sizeof(struct fuse_entry_out),
		[FUSE_MKNOD] = sizeof(struct fuse_entry_out),
		[FUSE_MKDIR] = sizeof(struct fuse_entry_out),
		[FUSE_LINK] = sizeof(struct fuse_entry_out),
		[FUSE_GETATTR] = sizeof(struct fuse_attr_out),
		[FUSE_SETATTR] = sizeof(struct fuse_attr_out),
		[FUSE_OPEN] = sizeof(struct fuse_open_out),
		[FUSE_OPENDIR] = sizeof(struct fuse_open_out),
		[FUSE_WRITE] = sizeof(struct fuse_write_out),
		[FUSE_COPY_FILE_RANGE] = sizeof(struct fuse_write_out),
		[FUSE_STATFS] = sizeof(struct fuse_statfs_out),
		[FUSE_LSEEK] = sizeof(struct fuse_lseek_out),
		[FUSE_INIT] = sizeof(struct fuse_init_out),
		[FUSE_CREATE] = sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out),
		[FUSE_TMPFILE] = sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out),
	};

	return opcode < ARRAY_SIZE(bytes) ? bytes[opcode] : 0;
}

static inline void fuzz_fs_check(const struct fuzz_fs_asked *a, uint32_t used,
				 const struct fuse_out_header *h)
{
	const uint32_t fixed = fuzz_fs_answer_bytes(a->opcode);

	vr_assert(used <= a->room + sizeof(*h));
	if (a->silent)
		return;
	vr_assert(used >= sizeof(*h) && h->unique == a->unique && h->len >= sizeof(*h) &&
		  h->len <= used && h->error <= 0 && h->error > -4096);
	vr_assert(h->error == 0 || h->len == sizeof(*h));
	vr_assert(h->error != 0 || fixed == 0 || h->len == sizeof(*h) + fixed);
}

/** fuzz_fs_take() - The next answer of @q, checked; false when there is none. A silent one has no body */
static inline bool fuzz_fs_take(unsigned int q, struct fuzz_fs_reply *ret)
{
	const struct fuzz_fs_asked *a;
	const struct fuse_out_header *h;
	uint32_t head, used;

	if (fuzz_fs.d->vq[q].broken || !vqd_take(&fuzz_fs.drv[q], &head, &used))
		return false;
	a = &fuzz_fs.asked[q][head];
	h = vqd_at(&fuzz_fs.ram, a->out, sizeof(*h) + a->room);
	fuzz_fs_check(a, used, h);
	*ret = (struct fuzz_fs_reply){.opcode = a->opcode};
	if (!a->silent) {
		ret->error = h->error;
		ret->bytes = h->len - (uint32_t)sizeof(*h);
		ret->body = (const uint8_t *)(h + 1);
	}
	return true;
}

/** fuzz_fs_header() - Write the header of the next request, which goes to @at */
static inline void fuzz_fs_header(uint64_t at, uint32_t opcode, uint64_t node, uint32_t bytes)
{
	const struct fuse_in_header in = {
		.len = bytes, .opcode = opcode, .nodeid = node, .unique = fuzz_fs.unique + 1};

	memcpy(vqd_at(&fuzz_fs.ram, FUZZ_FS_IN + at, sizeof(in)), &in, sizeof(in));
}

/** fuzz_fs_ask() - One whole request with arguments of fixed size and a name or NULL, and its answer */
static inline struct fuzz_fs_reply fuzz_fs_ask(uint32_t opcode, uint64_t node, const void *args,
					       size_t bytes, const char *name)
{
	uint8_t *at = vqd_at(&fuzz_fs.ram, FUZZ_FS_IN, 0x1000);
	size_t len = sizeof(struct fuse_in_header);
	struct fuzz_fs_reply r = {.error = -EPIPE};

	if (bytes > 0)
		memcpy(at + len, args, bytes);
	len += bytes;
	if (name) {
		memcpy(at + len, name, strlen(name) + 1);
		len += strlen(name) + 1;
	}
	fuzz_fs_header(0, opcode, node, (uint32_t)len);
	if (fuzz_fs_put(1, 0, (uint32_t)len, 4096, NULL, 0)) {
		fuzz_fs_go(1);
		(void)fuzz_fs_take(1, &r);
	}
	return r;
}

/** fuzz_fs_hello() - FUSE_INIT, with all flags of the guest */
static inline void fuzz_fs_hello(uint32_t flags)
{
	const struct fuse_init_in in = {
		.major = 7, .minor = 38, .flags = flags | FUSE_INIT_EXT, .flags2 = flags};

	vr_assert(fuzz_fs_ask(FUSE_INIT, 0, &in, sizeof(in), NULL).error == 0);
}

/** fuzz_fs_end() - The guest unmounts, or its front-end leaves: no fd is left, and nothing outside the tree has changed */
static inline void fuzz_fs_end(void)
{
	fuzz_fs_rings(); /* perhaps they are broken */
	if (fuzz_fs.unique % 2)
		fs_device.left(fuzz_fs.d);
	else
		vr_assert(fuzz_fs_ask(FUSE_DESTROY, 0, NULL, 0, NULL).error == 0);
	vr_assert(setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}) == 0);
	vr_assert(fuzz_fs_count_fds() == fuzz_fs.nr_fds);
	vr_assert(fuzz_fs_same(&fuzz_fs.outside, "outside"));
	vr_assert(fuzz_fs_same(&fuzz_fs.secret, "outside/secret"));
	vr_assert(fchdir(fuzz_fs.home) == 0);
}

#endif
