/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What newer guests ask of the fs device, and a file on which a program of the host has a lease
 *
 * Numbers and layouts are written here from the protocol, not taken from the device.
 */
#include <signal.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "tests/support/fs_rig.h"

#define ROOT	  FUSE_ROOT_ID
#define STATX	  52
#define ALL_FLAGS ~0ULL

static void start(uint32_t cache, uint32_t flags)
{
	fs_settings.flags = flags;
	fs_start(0, cache);
	cr_assert_eq(fs_hello(ALL_FLAGS).error, 0);
}

static uint64_t agreed(void)
{
	const struct fuse_init_out *out = fs_hello(ALL_FLAGS).body;

	return out->flags | (uint64_t)out->flags2 << 32;
}

TestSuite(fs_newer, .fini = fs_stop);

Test(fs_newer, version_is_the_smaller_of_both)
{
	struct fuse_init_in in = {.major = 7, .minor = 31};
	struct fs_reply r;

	start(FS_CACHE_AUTO, 0);
	r = fs_ask(FUSE_INIT, 0, 64, FS_ARG(in), FS_END);
	cr_assert_eq(((const struct fuse_init_out *)r.body)->minor, 31);
	in.minor = 99;
	r = fs_ask(FUSE_INIT, 0, 64, FS_ARG(in), FS_END);
	cr_assert_eq(((const struct fuse_init_out *)r.body)->minor, 41);
}

Test(fs_newer, flags_are_those_that_mean_something_here)
{
	start(FS_CACHE_NONE, 0);
	cr_expect(agreed() & 1ULL << 36, "shared mappings without a cache");
	cr_expect(agreed() & 1ULL << 40, "mounts with mapped ids");
	cr_expect_eq(agreed() & FUSE_SETXATTR_EXT, 0, "only with access control lists");
	cr_expect_eq(agreed() & (1ULL << 32 | 1ULL << 34 | 1ULL << 37 | 1ULL << 38 | 1ULL << 39 |
				 1ULL << 41),
		     0, "contexts, groups, passthrough, exports, resending, io_uring");
}

Test(fs_newer, a_file_that_is_cached_is_mapped_anyway)
{
	start(FS_CACHE_AUTO, 0);
	cr_expect_eq(agreed() & 1ULL << 36, 0);
}

/* struct statx, in both calls */
struct stat_of {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, spare0;
	uint64_t ino, size, blocks, attributes_mask;
	struct {
		int64_t s;
		uint32_t ns;
		int32_t spare;
	} atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t spare[14];
};

struct statx_out {
	uint64_t valid_s;
	uint32_t valid_ns, flags;
	uint64_t spare[2];
	struct stat_of stat;
};

Test(fs_newer, statx_knows_when_a_file_was_made)
{
	const struct {
		uint32_t flags, reserved;
		uint64_t fh;
		uint32_t sx_flags, sx_mask;
	} in = {.sx_mask = 0xfff};
	struct stat_of host;
	struct statx_out out;
	struct fs_reply r;
	uint64_t node, fh;

	start(FS_CACHE_AUTO, 0);
	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0640, &node, &fh), 0);
	cr_assert_eq(fs_write(node, fh, 0, "12345", 5), 5);
	cr_assert_eq(syscall(SYS_statx, fs_at, "f", 0, 0xfff, &host), 0);
	cr_assert_eq(fs_ask(STATX, node, sizeof(out) - 1, FS_ARG(in), FS_END).error, -EINVAL);
	r = fs_ask(STATX, node, sizeof(out), FS_ARG(in), FS_END);
	cr_assert_eq(r.error, 0);
	cr_assert_eq(r.bytes, 288);
	memcpy(&out, r.body, sizeof(out));
	cr_expect_eq(out.valid_s, 1);
	cr_expect_eq(out.stat.mask & 0xfff, host.mask & 0xfff);
	cr_expect_eq(out.stat.mask & ~0xfffU, 0);
	cr_expect(out.stat.ino == host.ino && out.stat.size == 5 && out.stat.mode == host.mode);
	cr_expect(host.mask & 0x800, "the test's file system says when a file was made");
	cr_expect(out.stat.btime.s == host.btime.s && out.stat.btime.ns == host.btime.ns);
	cr_expect(out.stat.mtime.s == host.mtime.s && out.stat.mtime.ns == host.mtime.ns);
	cr_expect_eq(out.stat.attributes | out.stat.attributes_mask, 0);
	for (unsigned int i = 0; i < 14; i++)
		cr_expect_eq(out.stat.spare[i], 0, "%u", i);
}

/* A user of the guest without CAP_FSETID, and not of the file's group, sets an access control list. */
Test(fs_newer, a_list_from_a_stranger_ends_the_set_group_id_bit)
{
	const struct {
		uint32_t version;
		struct {
			uint16_t tag, perm;
			uint32_t id;
		} entry[3];
	} acl = {2, {{1, 6, -1U}, {4, 5, -1U}, {0x20, 0, -1U}}};
	struct fuse_setxattr_in in = {.size = sizeof(acl)};
	struct stat st;
	uint64_t node, fh;

	start(FS_CACHE_AUTO, FS_POSIX_ACL);
	cr_assert(agreed() & FUSE_SETXATTR_EXT);
	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0755, &node, &fh), 0);
	cr_assert_eq(fchmodat(fs_at, "f", 02755, 0), 0);
	cr_assert_eq(fs_ask(FUSE_SETXATTR, node, 0, FS_ARG(in), FS_STR("system.posix_acl_access"),
			    (const void *)&acl, sizeof(acl), FS_END)
			     .error,
		     0);
	cr_assert_eq(fstatat(fs_at, "f", &st, 0), 0);
	cr_expect_eq(st.st_mode & 07777, 02650, "%o", st.st_mode);
	in.setxattr_flags = FUSE_SETXATTR_ACL_KILL_SGID;
	cr_assert_eq(fs_ask(FUSE_SETXATTR, node, 0, FS_ARG(in), FS_STR("system.posix_acl_access"),
			    (const void *)&acl, sizeof(acl), FS_END)
			     .error,
		     0);
	cr_assert_eq(fstatat(fs_at, "f", &st, 0), 0);
	cr_expect_eq(st.st_mode & 07777, 0650, "%o", st.st_mode);
}

Test(fs_newer, what_makes_nothing_needs_no_user)
{
	const struct fuse_setattr_in chmod = {.valid = FATTR_MODE, .mode = 0600};
	uint64_t node = 0, fh, other;

	start(FS_CACHE_AUTO, 0);
	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0640, &node, &fh), 0);
	fs_user = UINT32_MAX;
	fs_group = UINT32_MAX;
	cr_expect_eq(fs_open(FUSE_OPEN, node, O_RDONLY, &other), 0);
	cr_expect_eq(fs_ask(FUSE_SETATTR, node, 128, FS_ARG(chmod), FS_END).error, 0);
}

/* ---- leases -------------------------------------------------------------------------------- */

/* A file of the host, on which the test has a lease: who opens it waits until it is given up */
static int leased(const char *name)
{
	int fd = openat(fs_at, name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	signal(SIGIO, SIG_IGN);
	cr_assert(fd >= 0 && fcntl(fd, F_SETLEASE, F_WRLCK) == 0);
	return fd;
}

static struct fuse_out_header *open_off(uint64_t node)
{
	const struct {
		struct fuse_in_header in;
		struct fuse_open_in open;
	} ask = {{.len = sizeof(ask), .opcode = FUSE_OPEN, .unique = 1000, .nodeid = node},
		 {.flags = O_RDONLY}};
	const uint64_t gpa = FS_IN_GPA + FS_IN_BYTES / 2;
	const struct vqd_buf chain[] = {{gpa, sizeof(ask), false}, {gpa + 512, 64, true}};

	memcpy(vqd_at(&rig.mem, gpa, sizeof(ask)), &ask, sizeof(ask));
	vqd_add(&rig.ring[1], chain, 2);
	dev_rig_kick(&rig, 1);
	return vqd_at(&rig.mem, gpa + 512, 64);
}

Test(fs_newer, others_do_not_wait_for_the_holder_of_a_lease)
{
	const struct fuse_out_header *out;
	uint64_t node;
	int fd, error;

	start(FS_CACHE_AUTO, 0);
	fd = leased("f");
	node = fs_node(ROOT, "f");
	out = open_off(node);
	for (unsigned int i = 0; i < 20; i++) {
		(void)fs_lookup(ROOT, "g", &error);
		cr_assert_eq(error, -ENOENT);
	}
	cr_assert_eq(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
	(void)dev_rig_take(&rig, 1);
	cr_assert_eq(out->unique, 1000);
	cr_assert_eq(out->error, 0);
}
