/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A shared directory's process in enemy hands
 *
 * Linked in place of devices/fs/. As soon as it is locked down it tries all that its policy and its jail leave it, to
 * get at what is not shared, to change what is shared for reading, and to leave what the host would honour. It
 * writes what came of each into a file of the share; tests/guests/hostile_fs.sh makes the tree and knows what may come.
 *
 * What is shared has two parts, "rw" and "ro". With a tag of fs_deadly below it makes that one call instead, which
 * its policy does not have.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#include "devices/core/device.h"
#include "devices/core/fmt.h"
#include "devices/core/settings.h"

#define SHARE	BOOT_FD_RES
#define SELF	(BOOT_FD_RES + 1)
#define FDS	32 /* of its own that it looks at */
#define MANY	(1U << 21)
#define CHOWN	(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)
#define ROOM	16384 /* of its report, taken before the file system is full */
#define OUTSIDE 0x70000001U

/**
 * struct fs - State
 * @clock:	An epoll instance without fds: waiting on it takes time
 * @go:		A pipe with a byte, which the loop finds once the process is locked down
 * @report, @said: The file, and how long it is
 * @dir, @inner: What the host moves out; -1 before
 */
struct fs {
	char tag[FS_TAG_BYTES + 1];
	int clock, go[2];
	int rw, ro, file, fixed;
	int report;
	off_t said;
	int dir, inner;
};

static struct fs *fs;

static void fs_report(const char *what, const char *result)
{
	char line[128];
	struct iovec iov = {line, fmt_into(line, sizeof(line), "%s: %s\n", what, result)};

	fs->said += pwritev(fs->report, &iov, 1, fs->said);
}

static void fs_say(const char *what, long rc)
{
	fs_report(what, rc < 0 ? strerror(errno) : "done");
}

static void fs_count(const char *what, unsigned int n)
{
	char number[16];

	fmt_into(number, sizeof(number), "%u", n);
	fs_report(what, number);
}

static int fs_open(int dir, const char *path, int flags)
{
	return openat(dir, path, flags | O_CLOEXEC, 0644);
}

/* The name of an fd below the working directory, which is SELF */
static const char *fs_path(int fd)
{
	static char path[12];

	fmt_into(path, sizeof(path), "%d", fd);
	return path;
}

/* Opens and says; what was opened is closed */
static void fs_try_open(const char *what, int dir, const char *path, int flags)
{
	int fd = fs_open(dir, path, flags);

	fs_say(what, fd);
	if (fd >= 0)
		close(fd);
}

static int fs_open2(int dir, const char *path, uint64_t resolve)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = resolve};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

/* ---- names that lead out ---- */

static bool fs_is(int fd, int other)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstat(other, &b) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

/* Where a path leads that goes up from a directory which has nothing above */
static void fs_climb(const char *what, int dir, const char *path)
{
	int top = fs_open(dir, dir == AT_FDCWD && path[0] == '/' ? "/" : ".", O_PATH),
	    fd = fs_open(dir, path, O_PATH);

	if (fd < 0)
		fs_say(what, fd);
	else
		fs_report(what, fs_is(fd, top) ? "is itself" : "is another");
	close(fd);
	close(top);
}

static void fs_try_names(void)
{
	fs_try_open("an absolute path", AT_FDCWD, "/etc/passwd", O_RDONLY);
	fs_try_open("an absolute path from the share", SHARE, "/etc/passwd", O_RDONLY);
	fs_try_open("/proc", AT_FDCWD, "/proc/1/root/etc/passwd", O_RDONLY);
	fs_try_open("/dev", AT_FDCWD, "/dev/null", O_RDWR);
	fs_climb("above its root", AT_FDCWD, "/../..");
	fs_climb("above its working directory", AT_FDCWD, "../../..");
	fs_climb("above the share", SHARE, "../..");
	fs_climb("above the share, through a part", SHARE, "rw/../..");
	fs_climb("above its own fds", SELF, "../..");
	fs_try_open("up and down", SHARE, "../../../../../etc/passwd", O_RDONLY);
	fs_try_open("beside the part", fs->rw, "../secret", O_RDONLY);
	fs_try_open("up from its own fds", SELF, "../../1/root/etc/passwd", O_RDONLY);
	fs_try_open("through a magic link", SELF, "6/../../etc/passwd", O_RDONLY);
	fs_try_open("a link to the host", fs->rw, "link", O_RDONLY);
	fs_try_open("a link upwards", fs->rw, "up/secret", O_RDONLY);
	fs_say("openat2 upwards", fs_open2(SHARE, "../etc/passwd", 0));
	fs_say("openat2 within a root", fs_open2(fs->rw, "/../secret", RESOLVE_IN_ROOT));
}

/* What its own fds lead to, opened for anything, and what it can do to their inodes */
static void fs_try_fds(void)
{
	unsigned int files = 0;
	char target[256];
	struct stat st;

	for (int i = 0; i < FDS; i++) {
		int fd;

		if (i == SHARE || i == SELF || i == fs->report || i == fs->file)
			continue;
		fd = fs_open(AT_FDCWD, fs_path(i), O_RDWR | O_NONBLOCK);
		if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISFIFO(st.st_mode))
			files++;
		close(fd);
		(void)fchmodat(AT_FDCWD, fs_path(i), 0777, 0);
		(void)fchownat(i, "", 1, 1, CHOWN);
	}
	fs_count("files behind its fds", files);
	memset(target, 0, sizeof(target));
	if (readlinkat(SELF, fs_path(fs->file), target, sizeof(target) - 1) > 0)
		fs_report("the path of a file", target);
}

/* ---- what the host would honour ---- */

static void fs_try_power(void)
{
	/* struct vfs_cap_data: revision 2, effective, CAP_SYS_ADMIN */
	static const uint8_t caps[20] = {1, 0, 0, 2, 0, 0, 0x20};
	const char *file = fs_path(fs->file);

	fs_try_open("a device node that is there", fs->rw, "null", O_RDWR);
	fs_say("a block device's node", mknodat(fs->rw, "b", S_IFBLK | 0666, 0));
	fs_say("a whiteout", mknodat(fs->rw, "c", S_IFCHR | 0666, 0));
	fs_try_open("a whiteout, opened", fs->rw, "c", O_RDWR);
	fs_say("an owner outside its map", fchownat(fs->file, "", OUTSIDE, UINT32_MAX, CHOWN));
	fs_say("a group outside its map", fchownat(fs->file, "", UINT32_MAX, OUTSIDE, CHOWN));
	fs_say("trusted attribute", setxattr(file, "trusted.x", "x", 1, 0));
	fs_say("security attribute", setxattr(file, "security.other", "x", 1, 0));
	fs_say("set-user-id", fchmodat(AT_FDCWD, file, 04755, 0));
	fs_say("capabilities", setxattr(file, "security.capability", caps, sizeof(caps), 0));
	file = fs_path(fs->fixed);
	fs_say("link to what is for reading",
	       linkat(AT_FDCWD, file, fs->rw, "stolen", AT_SYMLINK_FOLLOW));
	fs_say("link to the share", linkat(AT_FDCWD, "6", fs->rw, "stolen", AT_SYMLINK_FOLLOW));
	fs_say("move between the parts",
	       (long)syscall(SYS_renameat2, fs->ro, "fixed", fs->rw, "stolen", 0));
	fs_say("a name beside the parts", mkdirat(SHARE, "d", 0700));
	fs_say("a name among its fds", mkdirat(SELF, "d", 0700));
}

/* ---- a part for reading ---- */

static void fs_try_names_readonly(void)
{
	const char *path = fs_path(fs->fixed);

	fs_try_open("ro: open", fs->ro, "fixed", O_WRONLY);
	fs_try_open("ro: open and cut", fs->ro, "fixed", O_RDONLY | O_TRUNC);
	fs_try_open("ro: open anew", AT_FDCWD, path, O_RDWR);
	fs_try_open("ro: create", fs->ro, "new", O_RDWR | O_CREAT);
	fs_try_open("ro: no name", fs->ro, ".", O_RDWR | O_TMPFILE);
	fs_say("ro: mkdir", mkdirat(fs->ro, "d", 0700));
	fs_say("ro: mknod", mknodat(fs->ro, "p", S_IFIFO | 0600, 0));
	fs_say("ro: symlink", symlinkat("x", fs->ro, "s"));
	fs_say("ro: link", linkat(AT_FDCWD, path, fs->ro, "l", AT_SYMLINK_FOLLOW));
	fs_say("ro: unlink", unlinkat(fs->ro, "fixed", 0));
	fs_say("ro: rename", (long)syscall(SYS_renameat2, fs->ro, "fixed", fs->ro, "other", 0));
}

static void fs_try_readonly(void)
{
	const struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
	const struct iovec iov = {(void *)(uintptr_t) "x", 1};
	const char *path = fs_path(fs->fixed);
	int fd = fs_open(fs->ro, "fixed", O_RDONLY);

	fs_try_names_readonly();
	fs_say("ro: chmod", fchmodat(AT_FDCWD, path, 0777, 0));
	fs_say("ro: chown", fchownat(fs->fixed, "", 1, 1, CHOWN));
	fs_say("ro: utimens", utimensat(AT_FDCWD, path, now, 0));
	fs_say("ro: setxattr", setxattr(path, "user.x", "x", 1, 0));
	fs_say("ro: removexattr", removexattr(path, "user.x"));
	fs_say("ro: chown, opened", fchownat(fd, "", 1, 1, CHOWN));
	fs_say("ro: ftruncate", ftruncate(fd, 0));
	fs_say("ro: fallocate", fallocate(fd, 0, 0, 100));
	fs_say("ro: pwritev", pwritev(fd, &iov, 1, 0));
	fs_say("ro: copy", copy_file_range(fs->file, NULL, fd, NULL, 1, 0));
	close(fd);
}

/* ---- more than there is ---- */

static void fs_try_much(void)
{
	static int last[MANY];
	static uint8_t data[65536];
	const struct iovec iov = {data, sizeof(data)};
	int fd = fs_open(fs->rw, "large", O_WRONLY | O_CREAT);
	unsigned int n = 0;
	off_t at = 0;
	ssize_t wrote;

	while ((wrote = pwritev(fd, &iov, 1, at)) > 0)
		at += wrote;
	fs_say("write without end", wrote);
	close(fd);
	(void)unlinkat(fs->rw, "large", 0);
	while (n < MANY && (last[n] = fs_open(fs->rw, "file", O_PATH)) >= 0)
		n++;
	fs_say("open files without end", n == MANY ? 0 : -1);
	fs_count("open files", n);
	while (n-- > 0)
		close(last[n]);
}

/* ---- a directory that the host moves out ---- */

static void fs_try_moved(void)
{
	char path[32];

	fs_climb("moved: above it", fs->dir, "..");
	fs_climb("moved: above what is in it", fs->inner, "..");
	fs_try_open("moved: beside it", fs->dir, "../secret", O_RDONLY);
	fs_try_open("moved: beside it, from below", fs->inner, "../../secret", O_RDONLY);
	fs_say("moved: openat2 above it", fs_open2(fs->dir, "..", 0));
	fs_say("moved: openat2 beside it", fs_open2(fs->inner, "../../secret", 0));
	fs_say("moved: within a root", fs_open2(fs->inner, "../../secret", RESOLVE_IN_ROOT));
	fmt_into(path, sizeof(path), "%d/../secret", fs->dir);
	fs_try_open("moved: through its fd", AT_FDCWD, path, O_RDONLY);
	fs_report("all", "tried");
}

/* ---- calls that the policy does not have ---- */

static const struct fs_deadly {
	const char *tag;
	long nr, arg[5];
} fs_deadly[] = {
	{"socket", SYS_socket, {AF_UNIX, SOCK_STREAM}},
	{"kill", SYS_kill, {-1, 0}},
	{"ptrace", SYS_ptrace, {PTRACE_ATTACH, 1}},
	{"execve", SYS_execve, {(long)"6/rw/file", 0, 0}},
	{"execveat", SYS_execveat, {SHARE, (long)"rw/file", 0, 0, 0}},
	{"device-node", SYS_mknodat, {SHARE, (long)"rw/n", S_IFCHR | 0666, 0x103}},
	{"link-fd", SYS_linkat, {SHARE, (long)"", SHARE, (long)"rw/n", AT_EMPTY_PATH}},
	{"inherit", SYS_openat, {SHARE, (long)"rw/file", O_RDONLY}},
	{"open-handle", SYS_open_by_handle_at, {SHARE, 0, O_RDONLY}},
	{"name-handle", SYS_name_to_handle_at, {SHARE, (long)"rw", 0, 0, 0}},
	{"signal-owner", SYS_fcntl, {SHARE, F_SETOWN, 1}},
	{"wait-for-lock", SYS_flock, {SHARE, LOCK_EX}},
	{"mount", SYS_mount, {(long)"6", (long)"6", 0, 0, 0}},
	{"open-tree", SYS_open_tree, {SHARE, (long)"", AT_EMPTY_PATH}},
	{"unshare", SYS_unshare, {0x10000000}},
	{"setuid", SYS_setuid, {0}},
	{"chroot", SYS_chroot, {(long)"6/rw"}},
	{"ioctl", SYS_ioctl, {SHARE, 0x80086601, 0}},
	{"pidfd", SYS_pidfd_open, {1, 0}},
	{"io-uring", SYS_io_uring_setup, {1, 0}},
	{"program", SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, SHARE}},
};

static void fs_make_deadly_call(const char *tag)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(fs_deadly); i++) {
		const struct fs_deadly *c = &fs_deadly[i];
		long rc;

		if (strcmp(c->tag, tag) != 0)
			continue;
		log_warn("now %s", tag);
		rc = syscall(c->nr, c->arg[0], c->arg[1], c->arg[2], c->arg[3], c->arg[4], 0);
		log_warn("%s: survived with %ld", tag, rc);
	}
}

static void fs_begin(void)
{
	static uint8_t room[ROOM];
	const struct iovec iov = {room, sizeof(room)};

	fs->rw = fs_open(SHARE, "rw", O_PATH);
	fs->ro = fs_open(SHARE, "ro", O_PATH);
	fs->file = fs_open(fs->rw, "file", O_RDWR);
	fs->fixed = fs_open(fs->ro, "fixed", O_PATH);
	fs->report = fs_open(fs->rw, "report", O_RDWR | O_CREAT);
	(void)pwritev(fs->report, &iov, 1, 0);
	fs_try_names();
	fs_try_fds();
	fs_try_power();
	fs_try_readonly();
	fs_try_much();
	fs->inner = fs_open(fs->rw, "dir/inner", O_PATH);
	fs->dir = fs_open(fs->rw, "dir", O_PATH);
	fs_report("the directory", "move it");
}

/* The loop comes here again and again until the byte is read. */
static void fs_event(struct device *d UNUSED, unsigned int slot UNUSED, uint32_t events UNUSED)
{
	struct epoll_event none;
	char byte;
	int fd;

	fs_make_deadly_call(fs->tag);
	if (fs->dir < 0)
		fs_begin();
	fd = fs_open(fs->rw, "moved", O_PATH);
	if (fd < 0) {
		(void)epoll_wait(fs->clock, &none, 1, 20);
		return;
	}
	close(fd);
	(void)!read(fs->go[0], &byte, 1);
	fs_try_moved();
}

static void fs_queue(struct device *d UNUSED, unsigned int q UNUSED)
{
}

static int fs_config(struct device *d UNUSED, bool write UNUSED, uint32_t off UNUSED, void *buf,
		     uint32_t len)
{
	memset(buf, 0, len);
	return 0;
}

static int fs_init(struct device *d, const struct boot_dev *rec, struct err *err)
{
	struct fs_settings s;
	int rc = boot_settings(rec, &s, sizeof(s), err);

	if (rc < 0)
		return rc;
	fs = d->state;
	fs->dir = -1;
	memcpy(fs->tag, s.tag, sizeof(s.tag));
	fs->clock = epoll_create1(EPOLL_CLOEXEC);
	if (fs->clock < 0 || fchdir(SELF) < 0 || pipe2(fs->go, O_CLOEXEC) < 0 ||
	    write(fs->go[1], "x", 1) != 1)
		return err_set(err, errno, "set up");
	d->nr_queues = 2;
	return device_watch(d, 0, fs->go[0], EPOLLIN, err);
}

const struct device_ops fs_device = {
	.kind = &kind_table[KIND_FS],
	.queue_max = VQ_SIZE_MAX,
	.opens = true,
	.state_size = sizeof(struct fs),
	.init = fs_init,
	.queue = fs_queue,
	.event = fs_event,
	.config = fs_config,
};
