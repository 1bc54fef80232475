/* SPDX-License-Identifier: BSD-3-Clause */
/* A file system in the shared directory whose server says nothing: a FUSE that this test has mounted. */
#include <criterion/criterion.h>
#include <sched.h>
#include <sys/mount.h>

#include "tests/support/fs_rig.h"

#define HELD 0x180000ULL /* from the places of other requests */

/* Mounts a file system at a new directory of this name, in a namespace of this test, and answers its greeting */
static int mount_silent(const char *name)
{
	struct {
		struct fuse_in_header h;
		struct fuse_init_in in;
		uint8_t more[8192];
	} ask;
	struct {
		struct fuse_out_header h;
		struct fuse_init_out out;
	} answer = {.h.len = sizeof(answer), .out = {.major = 7, .minor = 31, .max_write = 4096}};
	const int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char path[128], options[64];

	cr_assert(fd >= 0, "/dev/fuse: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/%s", fs_dir, name);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	cr_assert_eq(mkdir(path, 0755), 0);
	cr_assert_eq(mount("silent", path, "fuse", 0, options), 0, "%s", strerror(errno));
	cr_assert(read(fd, &ask, sizeof(ask)) > 0);
	answer.h.unique = ask.h.unique;
	cr_assert_eq(write(fd, &answer, sizeof(answer)), sizeof(answer));
	return fd;
}

/* Asks for a name, and does not wait for the answer */
static void begin_lookup(const char *name)
{
	struct fuse_in_header in = {
		.opcode = FUSE_LOOKUP, .unique = 1ULL << 40, .nodeid = 1, .uid = geteuid()};
	const struct vqd_buf buf[] = {
		{FS_IN_GPA + HELD, (uint32_t)(sizeof(in) + strlen(name) + 1), false},
		{FS_OUT_GPA + HELD, sizeof(struct fuse_out_header) + sizeof(struct fuse_entry_out),
		 true}};
	uint8_t *at = vqd_at(&rig.mem, FS_IN_GPA + HELD, 512);

	in.len = buf[0].len;
	memcpy(at, &in, sizeof(in));
	strcpy((char *)at + sizeof(in), name);
	vqd_add(&rig.ring[1], buf, 2);
	dev_rig_kick(&rig, 1);
}

/* The number of a name's inode in a listing, as the guest reads one: 0: it has none */
static uint64_t listed(const struct fs_reply *r, const char *name)
{
	uint32_t at = 0;

	while (at < r->bytes) {
		const struct fuse_direntplus *d = (const void *)((const uint8_t *)r->body + at);

		if (d->dirent.namelen == strlen(name) &&
		    memcmp(d->dirent.name, name, strlen(name)) == 0)
			return d->entry_out.nodeid;
		at += (uint32_t)FUSE_DIRENTPLUS_SIZE(d);
	}
	cr_assert_fail("%s is not listed", name);
	return 0;
}

Test(fs_wait, silent_server)
{
	uint64_t node = 0, fh = 0;
	struct fs_reply list;
	int silent, error;
	char path[128];

	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	fs_start(0, FS_CACHE_AUTO);
	silent = mount_silent("silent");
	cr_assert_eq(fs_hello(FUSE_DO_READDIRPLUS).error, 0);
	begin_lookup("silent");
	/* The loop goes on: it makes a file, and finds it. */
	cr_assert_eq(fs_create(1, "file", O_RDWR, 0600, &node, &fh), 0);
	cr_assert_eq(fs_write(node, fh, 0, "data", 4), 4);
	cr_assert_eq(fs_lookup(1, "file", &error).nodeid, node);
	/* A listing has the name, and does not ask what it is. */
	cr_assert_eq(fs_open(FUSE_OPENDIR, 1, 0, &fh), 0);
	list = fs_read(FUSE_READDIRPLUS, 1, fh, 0, 4096);
	cr_assert_eq(list.error, 0);
	cr_assert_eq(listed(&list, "file"), node);
	cr_assert_eq(listed(&list, "silent"), 0);
	/* The server ends: who waits for it gets an error. */
	close(silent);
	dev_rig_take(&rig, 1);
	error = ((const struct fuse_out_header *)vqd_at(&rig.mem, FS_OUT_GPA + HELD, 16))->error;
	cr_assert(error == -ENOTCONN || error == -ECONNABORTED, "%d", error);
	snprintf(path, sizeof(path), "%s/silent", fs_dir);
	cr_assert_eq(umount2(path, MNT_DETACH), 0);
	fs_stop();
}
