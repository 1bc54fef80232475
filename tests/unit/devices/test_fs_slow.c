/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file system whose server stands still, mounted below what is shared: who uses it waits, and others go on. The
 * server is here, a thread that speaks FUSE to the host's kernel: its root has one file, f.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "tests/support/fs_rig.h"

#define ROOT	FUSE_ROOT_ID
#define F_INO	2
#define IN_GPA	(FS_IN_GPA + 0x100000ULL) /* of what is asked for and not waited for */
#define OUT_GPA (FS_OUT_GPA + 0x200000ULL)
#define ROOM	1024U
#define MANY	12U /* requests, more than there are threads */

/**
 * server - The other side of the mount
 * @hang:	It does not answer this
 * @times:	So often
 * @hung:	It says here that it does not
 * @missed:	What it has not answered
 */
static struct {
	int fd, hung[2];
	_Atomic uint32_t hang, times;
	uint32_t nr_missed;
	struct fuse_in_header missed[MANY][2]; /* and what follows it */
	pthread_t thread;
} server = {.fd = -1};

static struct fuse_attr server_attr(uint64_t ino)
{
	return (struct fuse_attr){.ino = ino,
				  .mode = ino == ROOT ? S_IFDIR | 0755 : S_IFREG | 0644,
				  .nlink = 1,
				  .blksize = 4096};
}

/* What it says to an operation: how many bytes in @ret; -1: not known */
static int server_body(const struct fuse_in_header *in, void *ret)
{
	const bool is_f = in->opcode == FUSE_LOOKUP && strcmp((const char *)(in + 1), "f") == 0;

	memset(ret, 0, 256);
	switch (in->opcode) {
	case FUSE_INIT:
		*(struct fuse_init_out *)ret = (struct fuse_init_out){
			.major = 7, .minor = 31, .max_write = 4096};
		return sizeof(struct fuse_init_out);
	case FUSE_LOOKUP:
		((struct fuse_entry_out *)ret)->nodeid = F_INO;
		((struct fuse_entry_out *)ret)->attr = server_attr(F_INO);
		return is_f ? (int)sizeof(struct fuse_entry_out) : -1;
	case FUSE_GETATTR:
		((struct fuse_attr_out *)ret)->attr = server_attr(in->nodeid);
		return sizeof(struct fuse_attr_out);
	case FUSE_STATFS: return sizeof(struct fuse_statfs_out);
	case FUSE_OPEN: return sizeof(struct fuse_open_out);
	case FUSE_FLUSH:
	case FUSE_RELEASE: return 0;
	default: return -1;
	}
}

static void server_answer(const struct fuse_in_header *in)
{
	union {
		struct fuse_out_header h;
		uint8_t bytes[512];
	} out;
	const int n = server_body(in, &out.h + 1);

	out.h = (struct fuse_out_header){.len = (uint32_t)(sizeof(out.h) + (n > 0 ? n : 0)),
					 .error = n < 0 ? -ENOSYS : 0,
					 .unique = in->unique};
	(void)!write(server.fd, &out, out.h.len);
}

static void *server_main(void *arg)
{
	static union {
		struct fuse_in_header h;
		uint8_t bytes[16384];
	} in;

	while (read(server.fd, &in, sizeof(in)) > 0) {
		if (in.h.opcode == server.hang && server.times > 0) {
			server.times--;
			memcpy(server.missed[server.nr_missed++], &in, sizeof(server.missed[0]));
			cr_assert_eq(write(server.hung[1], "h", 1), 1);
		} else if (in.h.opcode != FUSE_FORGET && in.h.opcode != FUSE_BATCH_FORGET &&
			   in.h.opcode != FUSE_INTERRUPT) {
			server_answer(&in.h);
		}
	}
	return arg;
}

/* It gives no answer to the next operations of this kind */
static void hangs_at(uint32_t opcode, uint32_t times)
{
	server.nr_missed = 0;
	server.hang = opcode;
	server.times = times;
}

static void wait_until_it_hangs(void)
{
	char c;

	cr_assert(dev_child_wait(server.hung[0]), "it was not asked");
	cr_assert_eq(read(server.hung[0], &c, 1), 1);
}

static void goes_on(void)
{
	const uint32_t nr = server.nr_missed;

	server.times = 0;
	for (uint32_t i = 0; i < nr; i++)
		server_answer(server.missed[i]);
}

static void setup(void)
{
	char options[64], at[128];

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		cr_skip("takes a user who may mount");
	server.fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (server.fd < 0)
		cr_skip("no /dev/fuse");
	cr_assert_eq(pipe2(server.hung, O_CLOEXEC), 0);
	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(mkdirat(fs_at, "slow", 0755), 0);
	fs_host_file("quick", "x");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", server.fd);
	snprintf(at, sizeof(at), "%s/slow", fs_dir);
	cr_assert_eq(mount("slow", at, "fuse", 0, options), 0);
	cr_assert_eq(pthread_create(&server.thread, NULL, server_main, NULL), 0);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
}

static void finish(void)
{
	char at[128];

	if (server.fd < 0)
		return;
	snprintf(at, sizeof(at), "%s/slow", fs_dir);
	cr_assert_eq(umount2(at, MNT_DETACH), 0);
	fs_stop();
}

TestSuite(fs_slow, .init = setup, .fini = finish);

/* Sends a request and does not wait for its answer; up to MANY at a time, of different @i */
static void submit_one(unsigned int i, uint32_t opcode, uint64_t node, const void *args,
		       uint32_t bytes)
{
	const struct fuse_in_header in = {.len = (uint32_t)sizeof(in) + bytes,
					  .opcode = opcode,
					  .unique = 1000000 + i,
					  .nodeid = node,
					  .uid = geteuid(),
					  .gid = getegid()};
	const struct vqd_buf chain[] = {{IN_GPA + i * ROOM, in.len, false},
					{OUT_GPA + i * ROOM, ROOM, true}};
	uint8_t *at = vqd_at(&rig.mem, IN_GPA + i * ROOM, in.len);

	memcpy(at, &in, sizeof(in));
	memcpy(at + sizeof(in), args, bytes);
	vqd_add(&rig.ring[1], chain, 2);
	dev_rig_kick(&rig, 1);
}

static void submit(uint32_t opcode, uint64_t node, const void *args, uint32_t bytes)
{
	submit_one(0, opcode, node, args, bytes);
}

/* The answer to it: its error */
static int answered(void)
{
	const struct fuse_out_header *out = vqd_at(&rig.mem, OUT_GPA, sizeof(*out));

	(void)dev_rig_take(&rig, 1);
	cr_assert_eq(out->unique, 1000000);
	return out->error;
}

/* The number of a name's inode in a listing; 0: it is only a name */
static uint64_t listed(const struct fs_reply *r, const char *name)
{
	const struct fuse_direntplus *d;

	for (uint32_t at = 0; at < r->bytes; at += (uint32_t)FUSE_DIRENTPLUS_SIZE(d)) {
		d = (const void *)((const uint8_t *)r->body + at);
		if (d->dirent.namelen == strlen(name) &&
		    memcmp(d->dirent.name, name, strlen(name)) == 0)
			return d->entry_out.nodeid;
	}
	cr_assert_fail("%s is not listed", name);
	return 0;
}

/* All that does not use the server goes on, also to list the directory in which it is mounted. */
static void others_go_on(void)
{
	const struct fuse_getattr_in get = {0};
	uint64_t fh;
	struct fs_reply r;

	for (unsigned int i = 0; i < 20; i++)
		cr_assert_eq(fs_ask(FUSE_GETATTR, fs_node(ROOT, "quick"), 128, FS_ARG(get), FS_END)
				     .error,
			     0);
	cr_assert_eq(fs_open(FUSE_OPENDIR, ROOT, O_RDONLY, &fh), 0);
	r = fs_read(FUSE_READDIRPLUS, ROOT, fh, 0, 4096);
	cr_assert_eq(r.error, 0);
	cr_assert_eq(listed(&r, "quick"), fs_node(ROOT, "quick"));
	cr_assert_eq(listed(&r, "slow"), 0);
	cr_assert_eq(fs_release(FUSE_RELEASEDIR, ROOT, fh), 0);
}

Test(fs_slow, who_uses_it_waits)
{
	const struct fuse_getattr_in get = {0};
	const uint64_t f = fs_node(fs_node(ROOT, "slow"), "f");

	hangs_at(FUSE_GETATTR, 1);
	submit(FUSE_GETATTR, f, &get, sizeof(get));
	wait_until_it_hangs();
	others_go_on();
	goes_on();
	cr_assert_eq(answered(), 0);
}

Test(fs_slow, its_root_is_found_by_a_thread)
{
	hangs_at(FUSE_GETATTR, 1);
	submit(FUSE_LOOKUP, ROOT, "slow", 5);
	wait_until_it_hangs();
	others_go_on();
	goes_on();
	cr_assert_eq(answered(), 0);
	(void)fs_node(ROOT, "slow");
}

Test(fs_slow, a_thread_closes_its_files)
{
	const uint64_t f = fs_node(fs_node(ROOT, "slow"), "f");
	uint64_t fh;

	cr_assert_eq(fs_open(FUSE_OPEN, f, O_RDONLY, &fh), 0);
	hangs_at(FUSE_FLUSH, 1);
	cr_assert_eq(fs_release(FUSE_RELEASE, f, fh), 0);
	wait_until_it_hangs();
	others_go_on();
	cr_assert_eq(fs_open(FUSE_OPEN, f, O_RDONLY, &fh), 0);
	goes_on();
	hangs_at(FUSE_FLUSH, 1);
	cr_assert_eq(fs_ask(FUSE_DESTROY, 0, 0, FS_END).error, 0, "all files go");
	wait_until_it_hangs();
	cr_assert_eq(fs_hello(~0ULL).error, 0);
	others_go_on();
	goes_on();
}

Test(fs_slow, what_was_begun_before_an_unmount_has_no_effect)
{
	const uint64_t slow = fs_node(ROOT, "slow");
	const unsigned int fds = fs_fds();
	int error;

	hangs_at(FUSE_LOOKUP, 1);
	submit(FUSE_LOOKUP, slow, "f", 2);
	wait_until_it_hangs();
	cr_assert_eq(fs_ask(FUSE_DESTROY, 0, 0, FS_END).error, 0);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
	goes_on();
	error = answered();
	cr_assert_eq(error, -ENOTCONN, "%d", error);
	(void)fs_node(ROOT, "slow");
	cr_assert_eq(fs_fds(), fds, "a node of the mount before");
}

/* Its answer goes into the guest's memory, so a ring does not stop without it; the supervisor gives up (pause.sh). */
Test(fs_slow, a_ring_stops_when_it_goes_on)
{
	const struct fuse_getattr_in get = {0};
	const uint64_t f = fs_node(fs_node(ROOT, "slow"), "f");
	struct pollfd p = {.fd = rig.child.vmm, .events = POLLIN};

	hangs_at(FUSE_GETATTR, 1);
	submit(FUSE_GETATTR, f, &get, sizeof(get));
	wait_until_it_hangs();
	vup_state(rig.child.vmm, VUP_GET_VRING_BASE, 0, 1, 0);
	cr_assert_eq(poll(&p, 1, 100), 0);
	goes_on();
	(void)dev_rig_answer(&rig, VUP_GET_VRING_BASE);
	cr_assert_eq(answered(), 0);
}

/* Threads are left for disks, however many requests wait; and those get their turn. */
Test(fs_slow, it_does_not_get_all_threads)
{
	const struct fuse_getattr_in get = {0};
	const uint64_t f = fs_node(fs_node(ROOT, "slow"), "f"), quick = fs_node(ROOT, "quick");
	struct fuse_fsync_in sync = {0};
	uint64_t fh;

	cr_assert_eq(fs_open(FUSE_OPEN, quick, O_RDONLY, &fh), 0);
	hangs_at(FUSE_GETATTR, MANY);
	for (unsigned int i = 0; i < MANY; i++)
		submit_one(i, FUSE_GETATTR, f, &get, sizeof(get));
	for (unsigned int i = 0; i < 3; i++)
		wait_until_it_hangs();
	sync.fh = fh;
	cr_assert_eq(fs_ask(FUSE_FSYNC, quick, 0, FS_ARG(sync), FS_END).error, 0);
	cr_assert_eq(server.nr_missed, 3);
	goes_on();
	for (unsigned int i = 0; i < MANY; i++)
		(void)dev_rig_take(&rig, 1);
	for (unsigned int i = 0; i < MANY; i++) {
		const struct fuse_out_header *out = vqd_at(&rig.mem, OUT_GPA + i * ROOM, 16);

		cr_assert(out->unique == 1000000 + i && out->error == 0, "%u: %d", i, out->error);
	}
}

static void setup_locks(void)
{
	fs_settings.flags = FS_HOST_LOCKS;
	setup();
}

TestSuite(fs_slow_locks, .init = setup_locks, .fini = finish);

Test(fs_slow_locks, a_thread_ends_its_locks)
{
	const uint64_t f = fs_node(fs_node(ROOT, "slow"), "f");
	struct fuse_lk_in in = {
		.owner = 1, .lk = {.end = INT64_MAX, .type = F_RDLCK}, .lk_flags = FUSE_LK_FLOCK};

	cr_assert_eq(fs_open(FUSE_OPEN, f, O_RDONLY, &in.fh), 0);
	cr_assert_eq(fs_ask(FUSE_SETLK, f, 0, FS_ARG(in), FS_END).error, 0);
	hangs_at(FUSE_FLUSH, 1);
	in.lk.type = F_UNLCK;
	cr_assert_eq(fs_ask(FUSE_SETLK, f, 0, FS_ARG(in), FS_END).error, 0);
	wait_until_it_hangs();
	others_go_on();
	goes_on();
	in.lk.type = F_RDLCK;
	cr_assert_eq(fs_ask(FUSE_SETLK, f, 0, FS_ARG(in), FS_END).error, 0);
}
