/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The fs device in its process, under its policy, between a FUSE client and a directory of the test
 *
 * The client is written from linux/fuse.h and independently of devices/fs/.
 */
#ifndef VMRUN_TESTS_SUPPORT_FS_RIG_H
#define VMRUN_TESTS_SUPPORT_FS_RIG_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "devices/core/settings.h"
#include "tests/support/dev_rig.h"

extern const struct device_ops fs_device;

#define FS_IN_GPA   DEV_RIG_DATA_GPA
#define FS_IN_BYTES 0x200000ULL
#define FS_OUT_GPA  (FS_IN_GPA + FS_IN_BYTES)

static struct dev_rig rig;
static struct fs_settings fs_settings;
static char fs_dir[64]; /* what is shared */
static int fs_at = -1;	/* the same, open */
static uint64_t fs_unique;
static uint32_t fs_user, fs_group; /* who asks; 0: the test's own user and group */

/**
 * struct fs_reply - An answer
 * @error:	0 or -errno, as the device has it
 * @body:	Behind the header, @bytes of it
 */
struct fs_reply {
	int error;
	uint32_t bytes;
	const void *body;
};

/* One request: arguments in pieces {pointer, length}, up to a NULL */
static inline struct fs_reply fs_ask(uint32_t opcode, uint64_t nodeid, uint32_t room, ...)
{
	struct fuse_in_header in = {.opcode = opcode,
				    .unique = ++fs_unique,
				    .nodeid = nodeid,
				    .uid = fs_user ? fs_user : geteuid(),
				    .gid = fs_group ? fs_group : getegid()};
	const struct vqd_buf buf[] = {
		{FS_IN_GPA, 0, false},
		{FS_OUT_GPA, (uint32_t)sizeof(struct fuse_out_header) + room, true}};
	struct vqd_buf chain[2] = {buf[0], buf[1]};
	const struct fuse_out_header *out;
	uint8_t *at = vqd_at(&rig.mem, FS_IN_GPA, FS_IN_BYTES);
	const void *piece;
	va_list ap;

	in.len = sizeof(in);
	va_start(ap, room);
	while ((piece = va_arg(ap, const void *))) {
		const size_t n = va_arg(ap, size_t);

		memcpy(at + in.len, piece, n);
		in.len += (uint32_t)n;
	}
	va_end(ap);
	memcpy(at, &in, sizeof(in));
	chain[0].len = in.len;
	dev_rig_submit(&rig, 1, chain, 2);
	out = vqd_at(&rig.mem, FS_OUT_GPA, sizeof(*out));
	cr_assert_eq(out->unique, fs_unique);
	cr_assert(out->len >= sizeof(*out) && out->len <= sizeof(*out) + room);
	return (struct fs_reply){out->error, out->len - (uint32_t)sizeof(*out), out + 1};
}

#define FS_STR(s) (const void *)(s), strlen(s) + 1
#define FS_ARG(x) (const void *)&(x), sizeof(x)
#define FS_END	  NULL

static inline struct fs_reply fs_hello(uint64_t flags)
{
	const struct fuse_init_in in = {.major = 7,
					.minor = 38,
					.max_readahead = 131072,
					.flags = (uint32_t)flags | FUSE_INIT_EXT,
					.flags2 = (uint32_t)(flags >> 32)};

	return fs_ask(FUSE_INIT, 0, sizeof(struct fuse_init_out), FS_ARG(in), FS_END);
}

/* A new directory, and nothing that serves it */
static inline void fs_make(void)
{
	strcpy(fs_dir, "/tmp/vmrun-fs-XXXXXX");
	cr_assert(mkdtemp(fs_dir));
	fs_at = open(fs_dir, O_PATH | O_CLOEXEC);
}

/* Starts the device on @dir; @flags of the boot record */
static inline void fs_serve(int dir, uint32_t flags, uint32_t cache)
{
	static int res[2];

	res[0] = dir;
	res[1] = DEV_CHILD_SELF;
	rig.rec = (struct boot_dev){.name = "fs0", .type = "fs", .flags = flags, .nr_res = 2};
	fs_settings.cache = cache;
	memcpy(fs_settings.tag, "data", 4);
	boot_set_settings(&rig.rec, &fs_settings, sizeof(fs_settings));
	rig.res = res;
	dev_rig_start(&rig, &fs_device, 0);
	dev_rig_ring(&rig, 0, 64);
	dev_rig_ring(&rig, 1, 64);
}

static inline void fs_start(uint32_t flags, uint32_t cache)
{
	fs_make();
	fs_serve(fs_at, flags, cache);
}

static inline void fs_stop(void)
{
	char cmd[128];

	dev_rig_end(&rig);
	close(fs_at);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", fs_dir);
	cr_assert_eq(system(cmd), 0);
}

/* ---- the usual requests -------------------------------------------------------------------- */

/* Looks a name up: the entry, or a negative error in *@ret_error */
static inline struct fuse_entry_out fs_lookup(uint64_t dir, const char *name, int *ret_error)
{
	struct fs_reply r = fs_ask(FUSE_LOOKUP, dir, sizeof(struct fuse_entry_out), FS_STR(name),
				   FS_END);
	struct fuse_entry_out e = {0};

	*ret_error = r.error;
	if (r.error == 0) {
		cr_assert_eq(r.bytes, sizeof(e));
		memcpy(&e, r.body, sizeof(e));
	}
	return e;
}

/* The node of a name that is there */
static inline uint64_t fs_node(uint64_t dir, const char *name)
{
	int error;
	struct fuse_entry_out e = fs_lookup(dir, name, &error);

	cr_assert_eq(error, 0, "%s: %d", name, error);
	cr_assert_neq(e.nodeid, 0);
	return e.nodeid;
}

static inline int fs_open(uint32_t opcode, uint64_t node, uint32_t flags, uint64_t *ret_fh)
{
	const struct fuse_open_in in = {.flags = flags};
	struct fs_reply r = fs_ask(opcode, node, sizeof(struct fuse_open_out), FS_ARG(in), FS_END);

	if (r.error == 0)
		memcpy(ret_fh, r.body, sizeof(*ret_fh));
	return r.error;
}

static inline int fs_create(uint64_t dir, const char *name, uint32_t flags, uint32_t mode,
			    uint64_t *ret_node, uint64_t *ret_fh)
{
	const struct fuse_create_in in = {.flags = flags, .mode = S_IFREG | mode};
	struct fs_reply r = fs_ask(FUSE_CREATE, dir,
				   sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out),
				   FS_ARG(in), FS_STR(name), FS_END);

	if (r.error == 0) {
		memcpy(ret_node, r.body, sizeof(*ret_node));
		memcpy(ret_fh, (const uint8_t *)r.body + sizeof(struct fuse_entry_out),
		       sizeof(*ret_fh));
	}
	return r.error;
}

static inline int fs_write(uint64_t node, uint64_t fh, uint64_t off, const void *data,
			   uint32_t bytes)
{
	const struct fuse_write_in in = {.fh = fh, .offset = off, .size = bytes};
	struct fs_reply r = fs_ask(FUSE_WRITE, node, sizeof(struct fuse_write_out), FS_ARG(in),
				   data, (size_t)bytes, FS_END);

	return r.error ? r.error : (int)((const struct fuse_write_out *)r.body)->size;
}

static inline struct fs_reply fs_read(uint32_t opcode, uint64_t node, uint64_t fh, uint64_t off,
				      uint32_t bytes)
{
	const struct fuse_read_in in = {.fh = fh, .offset = off, .size = bytes};

	return fs_ask(opcode, node, bytes, FS_ARG(in), FS_END);
}

static inline int fs_release(uint32_t opcode, uint64_t node, uint64_t fh)
{
	const struct fuse_release_in in = {.fh = fh};

	return fs_ask(opcode, node, 0, FS_ARG(in), FS_END).error;
}

/* FORGET has no answer: what follows is answered after it */
static inline void fs_forget(uint64_t node, uint64_t times)
{
	struct fuse_in_header in = {.len = sizeof(in) + 8, .opcode = FUSE_FORGET, .nodeid = node};
	uint8_t *at = vqd_at(&rig.mem, FS_IN_GPA, 64);
	const struct vqd_buf buf = {FS_IN_GPA, sizeof(in) + 8, false};

	memcpy(at, &in, sizeof(in));
	memcpy(at + sizeof(in), &times, 8);
	cr_assert_eq(dev_rig_submit(&rig, 1, &buf, 1), 0);
}

/* ---- the host's view ----------------------------------------------------------------------- */

static inline void fs_host_file(const char *name, const char *text)
{
	int fd = openat(fs_at, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static inline const char *fs_host_text(const char *name)
{
	static char text[65536];
	int fd = openat(fs_at, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	cr_assert_geq(n, 0, "%s", name);
	text[n] = '\0';
	return text;
}

/* How many fds the device has */
static inline unsigned int fs_fds(void)
{
	char path[32];
	unsigned int nr = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", rig.child.pid);
	dir = opendir(path);
	cr_assert(dir);
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr - 2;
}

#endif
