/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/file.h>
#include <sys/resource.h>

#include "tests/support/fs_rig.h"

#define ROOT	FUSE_ROOT_ID
#define OWNERS	88 /* that the device has room for with the fewest fds */
#define WAITING 32

static uint64_t node, fh; /* the file "f", open for reading and writing */
static int host = -1;	  /* the same, the host's */

static void open_f(void)
{
	cr_assert_eq(fs_create(ROOT, "f", O_RDWR, 0600, &node, &fh), 0);
	host = openat(fs_at, "f", O_RDWR | O_CLOEXEC);
	cr_assert_geq(host, 0);
}

static void setup(void)
{
	const struct rlimit few = {FS_FDS_MIN, FS_FDS_MIN};

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	fs_settings.flags = FS_HOST_LOCKS;
	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
	open_f();
}

TestSuite(fs_lock, .init = setup, .fini = fs_stop);

/* ---- requests ------------------------------------------------------------------------------ */

static struct fuse_lk_in range(uint64_t owner, uint32_t type, uint64_t start, uint64_t end)
{
	return (struct fuse_lk_in){
		.fh = fh, .owner = owner, .lk = {.start = start, .end = end, .type = type}};
}

static struct fuse_lk_in whole(uint64_t owner, uint32_t type)
{
	return range(owner, type, 0, INT64_MAX);
}

static struct fuse_lk_in flock_of(uint64_t owner, uint32_t type)
{
	struct fuse_lk_in in = whole(owner, type);

	in.lk_flags = FUSE_LK_FLOCK;
	return in;
}

static int set(struct fuse_lk_in in)
{
	return fs_ask(FUSE_SETLK, node, 0, FS_ARG(in), FS_END).error;
}

static struct fuse_file_lock get(struct fuse_lk_in in)
{
	struct fs_reply r = fs_ask(FUSE_GETLK, node, sizeof(struct fuse_lk_out), FS_ARG(in),
				   FS_END);

	cr_assert_eq(r.error, 0, "%d", r.error);
	return ((const struct fuse_lk_out *)r.body)->lk;
}

/* A request that is not waited for, in memory of its own: where its answer will be */
static struct fuse_out_header *send_off(unsigned int q, uint32_t opcode, uint64_t unique,
					const void *arg, size_t bytes)
{
	static unsigned int nr;
	const uint64_t gpa = FS_IN_GPA + FS_IN_BYTES / 2 + (uint64_t)nr++ * 1024;
	const struct fuse_in_header in = {.len = (uint32_t)(sizeof(in) + bytes),
					  .opcode = opcode,
					  .unique = unique,
					  .nodeid = node};
	const struct vqd_buf chain[] = {
		{gpa, in.len, false}, {gpa + 512, (uint32_t)sizeof(struct fuse_out_header), true}};
	uint8_t *at = vqd_at(&rig.mem, gpa, 1024);

	memcpy(at, &in, sizeof(in));
	memcpy(at + sizeof(in), arg, bytes);
	memset(at + 512, 0, sizeof(struct fuse_out_header));
	vqd_add(&rig.ring[q], chain, opcode == FUSE_INTERRUPT ? 1 : 2);
	dev_rig_kick(&rig, q);
	return (struct fuse_out_header *)(void *)(at + 512);
}

static struct fuse_out_header *wait_for(struct fuse_lk_in in, uint64_t unique)
{
	return send_off(1, FUSE_SETLKW, unique, &in, sizeof(in));
}

static void interrupt(uint64_t unique)
{
	const struct fuse_interrupt_in in = {.unique = unique};

	(void)send_off(0, FUSE_INTERRUPT, 0, &in, sizeof(in));
	(void)dev_rig_take(&rig, 0);
}

/* The next answer is of that request */
static int answer(const struct fuse_out_header *out, uint64_t unique)
{
	(void)dev_rig_take(&rig, 1);
	cr_assert_eq(out->unique, unique, "another request was answered");
	return out->error;
}

static int host_lock(int how, short type, off_t start, off_t len)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return fcntl(host, how, &l) < 0 ? -errno : l.l_type;
}

/* ---- locks --------------------------------------------------------------------------------- */

Test(fs_lock, are_offered_when_asked_for)
{
	const struct fuse_init_out *out = fs_hello(~0ULL).body;

	cr_assert_eq(out->flags & (FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS),
		     FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS);
}

Test(fs_lock_none, are_the_guests_own_otherwise)
{
	fs_start(0, FS_CACHE_AUTO);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
	open_f();
	cr_assert_eq(set(whole(1, F_WRLCK)), -ENOSYS);
	fs_stop();
}

Test(fs_lock, the_host_sees_the_guests)
{
	cr_assert_eq(set(range(1, F_WRLCK, 10, 19)), 0);
	cr_assert_eq(host_lock(F_OFD_SETLK, F_RDLCK, 19, 1), -EAGAIN);
	cr_assert_eq(host_lock(F_OFD_SETLK, F_WRLCK, 20, 0), F_WRLCK);
	cr_assert_eq(host_lock(F_OFD_SETLK, F_WRLCK, 0, 10), F_WRLCK);
	cr_assert_eq(set(range(1, F_RDLCK, 10, 14)), 0);
	cr_assert_eq(host_lock(F_OFD_SETLK, F_RDLCK, 14, 1), F_RDLCK);
	cr_assert_eq(host_lock(F_OFD_SETLK, F_RDLCK, 15, 1), -EAGAIN);
	cr_assert_eq(set(whole(1, F_UNLCK)), 0);
	cr_assert_eq(host_lock(F_OFD_SETLK, F_WRLCK, 0, 0), F_WRLCK);
}

Test(fs_lock, the_guest_sees_the_hosts)
{
	struct fuse_file_lock lk;

	cr_assert_eq(host_lock(F_OFD_SETLK, F_WRLCK, 100, 50), F_WRLCK);
	cr_assert_eq(set(whole(1, F_RDLCK)), -EAGAIN);
	cr_assert_eq(set(range(1, F_RDLCK, 0, 99)), 0);
	lk = get(whole(1, F_WRLCK));
	cr_assert(lk.type == F_WRLCK && lk.start == 100 && lk.end == 149);
	lk = get(range(2, F_WRLCK, 0, 50));
	cr_assert(lk.type == F_RDLCK && lk.start == 0 && lk.end == 99, "owner 1's");
	cr_assert_eq(get(range(1, F_WRLCK, 0, 50)).type, F_UNLCK, "an owner's own is none");
}

Test(fs_lock, owners_meet_each_other)
{
	cr_assert_eq(set(range(1, F_WRLCK, 0, 9)), 0);
	cr_assert_eq(set(range(1, F_WRLCK, 5, 20)), 0, "its own");
	cr_assert_eq(set(range(2, F_RDLCK, 20, 20)), -EAGAIN);
	cr_assert_eq(set(range(2, F_RDLCK, 21, INT64_MAX)), 0);
	cr_assert_eq(get(range(1, F_WRLCK, 0, INT64_MAX)).end, INT64_MAX);
}

Test(fs_lock, of_flock_are_others)
{
	cr_assert_eq(set(whole(1, F_WRLCK)), 0);
	cr_assert_eq(set(flock_of(1, F_WRLCK)), 0, "a program takes both");
	cr_assert_eq(set(flock_of(2, F_RDLCK)), -EAGAIN);
	cr_assert_eq(flock(host, LOCK_SH | LOCK_NB), -1);
	cr_assert_eq(set(flock_of(1, F_UNLCK)), 0);
	cr_assert_eq(flock(host, LOCK_SH | LOCK_NB), 0);
	cr_assert_eq(set(flock_of(2, F_WRLCK)), -EAGAIN);
	cr_assert_eq(set(flock_of(2, F_RDLCK)), 0);
}

Test(fs_lock, end_with_a_close)
{
	struct fuse_flush_in flush = {.fh = fh, .lock_owner = 1};
	struct fuse_release_in release = {
		.fh = fh, .release_flags = FUSE_RELEASE_FLOCK_UNLOCK, .lock_owner = 3};

	cr_assert_eq(set(range(1, F_WRLCK, 0, 9)), 0);
	cr_assert_eq(set(range(2, F_WRLCK, 10, 19)), 0);
	cr_assert_eq(set(flock_of(3, F_WRLCK)), 0);
	cr_assert_eq(fs_ask(FUSE_FLUSH, node, 0, FS_ARG(flush), FS_END).error, 0);
	cr_assert_eq(host_lock(F_OFD_SETLK, F_WRLCK, 0, 10), F_WRLCK);
	cr_assert_eq(host_lock(F_OFD_SETLK, F_WRLCK, 10, 10), -EAGAIN, "another owner's");
	cr_assert_eq(fs_ask(FUSE_RELEASE, node, 0, FS_ARG(release), FS_END).error, 0);
	cr_assert_eq(host_lock(F_OFD_SETLK, F_WRLCK, 10, 10), F_WRLCK);
	cr_assert_eq(flock(host, LOCK_EX | LOCK_NB), 0);
}

Test(fs_lock, end_with_the_mount)
{
	cr_assert_eq(set(whole(1, F_WRLCK)), 0);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
	cr_assert_eq(host_lock(F_OFD_SETLK, F_WRLCK, 0, 0), F_WRLCK);
}

Test(fs_lock, a_close_has_a_flush)
{
	const struct fuse_open_in in = {.flags = O_RDONLY};
	struct fs_reply r = fs_ask(FUSE_OPEN, node, sizeof(struct fuse_open_out), FS_ARG(in),
				   FS_END);

	cr_assert_eq(r.error, 0);
	cr_assert_eq(((const struct fuse_open_out *)r.body)->open_flags & FOPEN_NOFLUSH, 0,
		     "or nothing would end its owner's locks");
}

Test(fs_lock, have_bounds)
{
	struct fuse_lk_in in = whole(1, F_WRLCK);

	cr_assert_eq(set(range(1, F_WRLCK, 5, 4)), -EINVAL);
	cr_assert_eq(set(range(1, F_WRLCK, 1ULL << 63, UINT64_MAX)), -EINVAL);
	cr_assert_eq(set(range(1, 7, 0, 9)), -EINVAL);
	cr_assert_eq(set(range(1, UINT32_MAX, 0, 9)), -EINVAL);
	cr_assert_eq(set(range(1, F_WRLCK, 0, UINT64_MAX)), 0, "to the end");
	in.fh = 77;
	cr_assert_eq(set(in), -EBADF);
	for (uint64_t i = 2; i <= OWNERS; i++)
		cr_assert_eq(set(flock_of(i, F_RDLCK)), 0);
	cr_assert_eq(set(flock_of(OWNERS + 1, F_RDLCK)), -ENOLCK);
	cr_assert_eq(set(flock_of(7, F_UNLCK)), 0);
	cr_assert_eq(set(flock_of(OWNERS + 1, F_RDLCK)), 0);
}

/* ---- waiting for them ---------------------------------------------------------------------- */

Test(fs_lock, is_had_when_another_owner_gives_it_up)
{
	const struct fuse_out_header *two, *three;

	cr_assert_eq(set(whole(1, F_WRLCK)), 0);
	two = wait_for(range(2, F_WRLCK, 0, 9), 1002);
	three = wait_for(range(3, F_WRLCK, 5, 14), 1003);
	cr_assert_eq(get(whole(4, F_RDLCK)).type, F_WRLCK, "others are answered meanwhile");
	cr_assert_eq(set(whole(1, F_UNLCK)), 0);
	cr_assert_eq(answer(two, 1002), 0, "the first that came");
	cr_assert_eq(set(whole(2, F_UNLCK)), 0);
	cr_assert_eq(answer(three, 1003), 0);
}

Test(fs_lock, is_had_when_the_host_gives_it_up)
{
	const struct fuse_out_header *out;

	cr_assert_eq(flock(host, LOCK_EX), 0);
	out = wait_for(flock_of(1, F_WRLCK), 1001);
	cr_assert_eq(set(whole(2, F_WRLCK)), 0);
	cr_assert_eq(flock(host, LOCK_UN), 0);
	cr_assert_eq(answer(out, 1001), 0);
	cr_assert_eq(flock(host, LOCK_SH | LOCK_NB), -1);
}

Test(fs_lock, is_had_when_its_holder_closes_the_file)
{
	struct fuse_release_in release = {.fh = fh};
	const struct fuse_out_header *out;
	struct fuse_lk_in in;
	uint64_t other;

	cr_assert_eq(set(whole(1, F_WRLCK)), 0);
	cr_assert_eq(fs_open(FUSE_OPEN, node, O_RDWR, &other), 0);
	in = whole(2, F_RDLCK);
	in.fh = other;
	out = wait_for(in, 1001);
	cr_assert_eq(fs_ask(FUSE_RELEASE, node, 0, FS_ARG(release), FS_END).error, 0);
	cr_assert_eq(answer(out, 1001), 0);
}

Test(fs_lock, is_given_up_when_interrupted)
{
	const struct fuse_out_header *one, *two;

	cr_assert_eq(host_lock(F_OFD_SETLK, F_WRLCK, 0, 0), F_WRLCK);
	one = wait_for(whole(1, F_WRLCK), 1001);
	two = wait_for(whole(2, F_WRLCK), 1002);
	interrupt(1002);
	cr_assert_eq(answer(two, 1002), -EINTR);
	interrupt(1001);
	cr_assert_eq(answer(one, 1001), -EINTR);
	cr_assert_eq(host_lock(F_OFD_SETLK, F_UNLCK, 0, 0), F_UNLCK);
	cr_assert_eq(host_lock(F_OFD_SETLK, F_WRLCK, 0, 0), F_WRLCK, "neither has it later");
}

Test(fs_lock, an_interrupt_may_come_first)
{
	cr_assert_eq(host_lock(F_OFD_SETLK, F_WRLCK, 0, 0), F_WRLCK);
	interrupt(1001);
	cr_assert_eq(answer(wait_for(whole(1, F_WRLCK), 1001), 1001), -EINTR);
	interrupt(1003);
	cr_assert_eq(host_lock(F_OFD_SETLK, F_UNLCK, 0, 0), F_UNLCK);
	cr_assert_eq(answer(wait_for(whole(1, F_WRLCK), 1003), 1003), 0, "it need not wait");
}

Test(fs_lock, only_so_many_wait)
{
	(void)dev_rig_stop_ring(&rig, 1);
	dev_rig_ring(&rig, 1, 256);
	cr_assert_eq(host_lock(F_OFD_SETLK, F_WRLCK, 0, 0), F_WRLCK);
	for (unsigned int i = 0; i < WAITING; i++)
		(void)wait_for(whole(i + 1, F_WRLCK), 1001 + i);
	cr_assert_eq(answer(wait_for(whole(90, F_WRLCK), 2000), 2000), -ENOLCK);
	cr_assert_eq(get(whole(91, F_WRLCK)).type, F_WRLCK, "the device goes on");
}

Test(fs_lock, nothing_waits_on_a_ring_that_stops)
{
	const struct fuse_out_header *out;

	cr_assert_eq(host_lock(F_OFD_SETLK, F_WRLCK, 0, 0), F_WRLCK);
	out = wait_for(whole(1, F_WRLCK), 1001);
	cr_assert_eq(get(whole(2, F_WRLCK)).type, F_WRLCK);
	(void)dev_rig_stop_ring(&rig, 1);
	cr_assert_eq(answer(out, 1001), -ENOLCK);
	dev_rig_ring(&rig, 1, 64);
	cr_assert_eq(get(whole(2, F_WRLCK)).type, F_WRLCK);
}

Test(fs_lock, nothing_waits_for_a_mount_that_is_over)
{
	struct fuse_out_header *out;

	cr_assert_eq(host_lock(F_OFD_SETLK, F_WRLCK, 0, 0), F_WRLCK);
	out = wait_for(whole(1, F_WRLCK), 1001);
	cr_assert_eq(fs_ask(FUSE_DESTROY, 0, 0, FS_END).error, 0);
	cr_assert_eq(answer(out, 1001), -EINTR);
}
