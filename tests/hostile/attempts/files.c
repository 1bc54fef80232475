/* SPDX-License-Identifier: BSD-3-Clause */
/* Files: by name, by what the process holds, as programs, and where they are mounted */
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/openat2.h>
#include <linux/vhost.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/hostile/attempts/attempt.h"

#define CWD    AT_FDCWD
#define PASSWD PATH("/etc/passwd")
#define BAD    1L /* no pointer */

static char buf[4096];
static const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
static const struct timespec omit[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};

static const struct attempt by_name[] = {
	{"open", SYS_open, {PASSWD, O_RDONLY}, .gives = GIVES_FD},
	{"open to write", SYS_open, {PATH("/tmp"), O_TMPFILE | O_RDWR, 0600}, .gives = GIVES_FD},
	{"open the root", SYS_open, {PATH("/etc"), O_RDONLY | O_DIRECTORY}, .gives = GIVES_FD},
	{"openat", SYS_openat, {CWD, PASSWD, O_RDONLY}, .gives = GIVES_FD},
	{"openat, closed by execve",
	 SYS_openat,
	 {CWD, PASSWD, O_RDONLY | O_CLOEXEC},
	 .gives = GIVES_FD,
	 .may = "fs",
	 .error = ENOENT},
	{"openat from an fd",
	 SYS_openat,
	 {EACH, PATH("../../etc/passwd")},
	 .each = EACH_FD,
	 .gives = GIVES_FD},
	{"openat2",
	 SYS_openat2,
	 {CWD, PASSWD, (long)&how, sizeof(how)},
	 .gives = GIVES_FD,
	 .may = "fs",
	 .error = ENOENT},
	{"creat", SYS_creat, {PATH("/nonexistent/a"), 0600}, .gives = GIVES_FD},
	{"stat", SYS_stat, {PASSWD, (long)buf}},
	{"lstat", SYS_lstat, {PASSWD, (long)buf}},
	{"newfstatat", SYS_newfstatat, {CWD, PASSWD, (long)buf, 0}},
	{"statx", SYS_statx, {CWD, PASSWD, 0, 0x7ff, (long)buf}},
	{"statfs", SYS_statfs, {PASSWD, (long)buf}},
	{"access", SYS_access, {PASSWD, R_OK}},
	{"faccessat2", SYS_faccessat2, {CWD, PASSWD, R_OK, 0}},
	{"readlink", SYS_readlink, {PATH("/etc/mtab"), (long)buf, sizeof(buf)}, .reached = EINVAL},
	{"chdir", SYS_chdir, {PATH("/etc")}},
	{"getcwd", SYS_getcwd, {(long)buf, 2}, .reached = ERANGE},
	{"mkdir", SYS_mkdir, {PATH("/etc"), 0700}, .reached = EEXIST},
	{"mkdirat",
	 SYS_mkdirat,
	 {CWD, PATH("/etc"), 0700},
	 .reached = EEXIST,
	 .may = "fs",
	 .error = EROFS},
	{"rmdir", SYS_rmdir, {PATH("/etc")}, .reached = ENOTEMPTY},
	{"unlink", SYS_unlink, {PATH("/etc")}, .reached = EISDIR},
	{"link", SYS_link, {PASSWD, PASSWD}, .reached = EEXIST},
	{"symlink", SYS_symlink, {PATH("a"), PASSWD}, .reached = EEXIST},
	{"mknod", SYS_mknod, {PASSWD, S_IFREG | 0600, 0}, .reached = EEXIST},
	{"mknodat, a device",
	 SYS_mknodat,
	 {CWD, PATH("/etc"), S_IFBLK | 0600, 0x800},
	 .reached = EEXIST},
	{"rename", SYS_rename, {PASSWD, PASSWD}},
	{"truncate", SYS_truncate, {PATH("/etc"), 0}, .reached = EISDIR},
	{"chmod", SYS_chmod, {PASSWD, 0644}},
	{"chown", SYS_chown, {PASSWD, -1, -1}},
	{"utimensat", SYS_utimensat, {CWD, PASSWD, (long)omit, AT_SYMLINK_NOFOLLOW}},
	{"setxattr",
	 SYS_setxattr,
	 {PASSWD, PATH("no.such"), (long)buf, 1, 0},
	 .reached = EOPNOTSUPP,
	 .may = "fs",
	 .error = ENOENT},
	{"lgetxattr", SYS_lgetxattr, {PASSWD, PATH("user.a"), (long)buf, 1}, .reached = ENODATA},
	{"inotify_init1", SYS_inotify_init1, {IN_CLOEXEC}, .gives = GIVES_FD},
	{"fanotify_init", SYS_fanotify_init, {0, O_RDONLY}, .gives = GIVES_FD},
	{"name_to_handle_at",
	 SYS_name_to_handle_at,
	 {CWD, PASSWD, (long)buf, (long)buf, 0},
	 .reached = EOVERFLOW},
	{"open_by_handle_at", SYS_open_by_handle_at, {CWD, (long)buf, O_RDONLY}, .reached = EINVAL},
	{"file_getattr", 468, {CWD, PASSWD, (long)buf, 24, 0}},
};

static const struct attempt proc[] = {
	{"/proc/self/status", SYS_open, {PATH("/proc/self/status"), O_RDONLY}, .gives = GIVES_FD},
	{"/proc/self/mem", SYS_open, {PATH("/proc/self/mem"), O_RDWR}, .gives = GIVES_FD},
	{"/proc/self/exe", SYS_open, {PATH("/proc/self/exe"), O_RDONLY}, .gives = GIVES_FD},
	{"/proc/self/fd", SYS_open, {PATH("/proc/self/fd"), O_RDONLY}, .gives = GIVES_FD},
	{"/proc/1/root", SYS_open, {PATH("/proc/1/root/etc"), O_RDONLY}, .gives = GIVES_FD},
	{"/proc/1/environ", SYS_open, {PATH("/proc/1/environ"), O_RDONLY}, .gives = GIVES_FD},
	{"/proc/1/stat", SYS_open, {PATH("/proc/1/stat"), O_RDONLY}, .gives = GIVES_FD},
	{"core_pattern",
	 SYS_open,
	 {PATH("/proc/sys/kernel/core_pattern"), O_WRONLY},
	 .gives = GIVES_FD},
	{"/sys", SYS_open, {PATH("/sys/kernel"), O_RDONLY}, .gives = GIVES_FD},
	{"/dev/null", SYS_open, {PATH("/dev/null"), O_RDWR}, .gives = GIVES_FD},
	{"/dev/kvm", SYS_open, {PATH("/dev/kvm"), O_RDWR}, .gives = GIVES_FD},
	{"/dev/tty", SYS_open, {PATH("/dev/tty"), O_RDWR}, .gives = GIVES_FD, .reached = ENXIO},
	{"a walk",
	 SYS_openat,
	 {CWD, PATH("/proc/1/task/1/fd/0"), O_RDONLY | O_CLOEXEC},
	 .gives = GIVES_FD,
	 .may = "fs",
	 .error = ENOENT},
};

static long exec_memfd(long each UNUSED)
{
	const long fd = CALL2(SYS_memfd_create, "a", 0);
	long rc;

	if (fd < 0)
		return fd;
	CALL2(SYS_fchmod, fd, 0700);
	rc = CALL6(SYS_execveat, fd, "", BAD, 0, AT_EMPTY_PATH, 0);
	CALL1(SYS_close, fd);
	return rc;
}

/* The arguments are no pointer: what the kernel says after it has found and opened the program */
static const struct attempt programs[] = {
	{"execve", SYS_execve, {PATH("/bin/sh"), BAD, 0}, .reached = EFAULT},
	{"execve itself", SYS_execve, {PATH("/proc/self/exe"), BAD, 0}, .reached = EFAULT},
	{"execveat", SYS_execveat, {CWD, PATH("/bin/sh"), BAD, 0, 0}, .reached = EFAULT},
	{"execveat of an fd",
	 SYS_execveat,
	 {EACH, PATH(""), BAD, 0, AT_EMPTY_PATH},
	 .each = EACH_FD,
	 .reached = EFAULT},
	{"execveat of a memfd", .run = exec_memfd, .reached = EFAULT},
	{"uselib", SYS_uselib, {PATH("/bin/sh")}},
};

static const struct attempt mounts[] = {
	{"mount", SYS_mount, {PATH("none"), PATH("/"), PATH("no_such"), 0, 0}, .reached = ENODEV},
	{"mount a tmpfs",
	 SYS_mount,
	 {PATH("none"), PATH("/nonexistent"), PATH("tmpfs"), 0, 0},
	 .error = ENOENT},
	{"umount2", SYS_umount2, {PATH("/"), MNT_EXPIRE}, .reached = EINVAL},
	{"pivot_root", SYS_pivot_root, {PATH("/"), PATH("/")}, .reached = EBUSY},
	{"chroot", SYS_chroot, {PATH("/")}},
	{"open_tree", SYS_open_tree, {CWD, PATH("/"), 1}, .gives = GIVES_FD},
	{"move_mount", SYS_move_mount, {CWD, PATH("/"), CWD, PATH("/"), 0}, .reached = EINVAL},
	{"fsopen", SYS_fsopen, {PATH("no_such"), 0}, .reached = ENODEV},
	{"fspick", SYS_fspick, {CWD, PATH("/"), 0}, .gives = GIVES_FD},
	{"fsmount", SYS_fsmount, {EACH, 0, 0}, .each = EACH_FD, .reached = EINVAL},
	{"mount_setattr", SYS_mount_setattr, {CWD, PATH("/"), 0, (long)buf, 32}},
	{"statmount", 457, {(long)buf, (long)buf, 0, 0}, .reached = EINVAL},
	{"fchdir", SYS_fchdir, {EACH}, .each = EACH_FD},
};

/* As it is: without a filter the file may be the host's /dev/null. */
static long held_mode(long fd)
{
	return CALL2(SYS_fchmod, fd, attempts_held(fd)->mode);
}

/* Likewise: another mode of the log's pipe would change what the log says. */
static long held_flags(long fd)
{
	return CALL3(SYS_fcntl, fd, F_SETFL, attempts_held(fd)->flags);
}

#define ON_FD .each = EACH_FD
#define IOCTL(text, number, value)                                                                 \
	{                                                                                          \
		text, SYS_ioctl, {EACH, (long)(number), (value)}, ON_FD                            \
	}

/* Most would change how a file behaves for others that have it open, or make it another. */
static const struct attempt held[] = {
	IOCTL("type into a terminal", TIOCSTI, PATH("x")),
	IOCTL("paste into a console", TIOCLINUX, PATH("\3")),
	IOCTL("take a terminal", TIOCSCTTY, 0),
	IOCTL("size of a terminal", TIOCSWINSZ, PATH("\1\0\1\0\0\0\0\0")),
	IOCTL("non-blocking", FIONBIO, BAD),
	IOCTL("signals", FIOASYNC, BAD),
	IOCTL("another interface", TUNSETIFF, (long)buf),
	IOCTL("an interface that stays", TUNSETPERSIST, 0),
	IOCTL("offloads there are not", TUNSETOFFLOAD, 1L << 40),
	IOCTL("owner of an interface", TUNSETOWNER, 0),
	IOCTL("filter of an interface", TUNATTACHFILTER, BAD),
	IOCTL("vhost owner", VHOST_SET_OWNER, 0),
	IOCTL("vhost memory", VHOST_SET_MEM_TABLE, BAD),
	IOCTL("a VM", KVM_CREATE_VM, 0),
	IOCTL("a vCPU", KVM_CREATE_VCPU, 77),
	IOCTL("memory of a VM", KVM_SET_USER_MEMORY_REGION, (long)buf),
	IOCTL("a device of KVM", KVM_CREATE_DEVICE, BAD),
	IOCTL("registers of KVM", KVM_SET_MSRS, BAD),
	IOCTL("coalesced MMIO", KVM_REGISTER_COALESCED_MMIO, BAD),
	IOCTL("memory encryption", KVM_MEMORY_ENCRYPT_OP, BAD),
	IOCTL("read partitions", BLKRRPART, 0),
	IOCTL("flush a disk", BLKFLSBUF, 0),
	IOCTL("read-only disk", BLKROSET, BAD),
	IOCTL("share blocks", FICLONE, 0),
	IOCTL("inode flags", FS_IOC_SETFLAGS, BAD),
	{"F_DUPFD", SYS_fcntl, {EACH, F_DUPFD, 100}, ON_FD, .gives = GIVES_FD},
	{"F_SETFD", SYS_fcntl, {EACH, F_SETFD, 0}, ON_FD},
	{"F_GETFL", SYS_fcntl, {EACH, F_GETFL, 0}, ON_FD},
	{"F_SETFL", .run = held_flags, ON_FD},
	{"F_SETOWN", SYS_fcntl, {EACH, F_SETOWN, 1}, ON_FD},
	{"F_SETSIG", SYS_fcntl, {EACH, F_SETSIG, 9}, ON_FD},
	{"F_SETPIPE_SZ", SYS_fcntl, {EACH, F_SETPIPE_SZ, 1 << 20}, ON_FD},
	{"F_ADD_SEALS", SYS_fcntl, {EACH, F_ADD_SEALS, F_SEAL_WRITE}, ON_FD},
	{"F_SETLEASE", SYS_fcntl, {EACH, F_SETLEASE, F_UNLCK}, ON_FD},
	{"F_NOTIFY", SYS_fcntl, {EACH, F_NOTIFY, 1}, ON_FD},
	{"F_SETLK", SYS_fcntl, {EACH, F_SETLK, BAD}, ON_FD},
	{"dup", SYS_dup, {EACH}, ON_FD, .gives = GIVES_FD, .may = "fs"},
	{"dup2", SYS_dup2, {EACH, 120}, ON_FD, .gives = GIVES_FD},
	{"dup3", SYS_dup3, {EACH, 120, O_CLOEXEC}, ON_FD, .gives = GIVES_FD},
	{"fchmod", .run = held_mode, ON_FD},
	{"fchown", SYS_fchown, {EACH, -1, -1}, ON_FD},
	{"fsetxattr", SYS_fsetxattr, {EACH, PATH("user.a"), PATH("x"), 1, 0}, ON_FD},
	{"fallocate",
	 SYS_fallocate,
	 {EACH, 0, 1L << 40, 1L << 20},
	 ON_FD,
	 .may = "fs",
	 .error = ANY_ERROR},
	{"fallocate to collapse",
	 SYS_fallocate,
	 {EACH, FALLOC_FL_COLLAPSE_RANGE, 0, 4096},
	 ON_FD,
	 .may = "fs",
	 .error = ANY_ERROR},
	{"fallocate beyond the end",
	 SYS_fallocate,
	 {EACH, FALLOC_FL_KEEP_SIZE, 1L << 40, 1L << 20},
	 ON_FD,
	 .may = "fs",
	 .error = ANY_ERROR},
	{"ftruncate to grow",
	 SYS_ftruncate,
	 {EACH, 1L << 40},
	 ON_FD,
	 .may = "fs",
	 .error = ANY_ERROR},
	{"fadvise64", SYS_fadvise64, {EACH, 0, 0, 4}, ON_FD},
	{"readahead", SYS_readahead, {EACH, 0, 4096}, ON_FD},
	{"sync_file_range", SYS_sync_file_range, {EACH, 0, 0, 7}, ON_FD},
	{"syncfs", SYS_syncfs, {EACH}, ON_FD, .may = "fs", .error = ANY_ERROR},
	{"sendfile", SYS_sendfile, {EACH, -1, 0, 1}, ON_FD},
	{"splice", SYS_splice, {EACH, 0, -1, 0, 1, 2}, ON_FD},
	{"tee", SYS_tee, {EACH, EACH, 1, 2}, ON_FD},
	{"vmsplice", SYS_vmsplice, {EACH, BAD, 1, 2}, ON_FD},
	{"getdents64",
	 SYS_getdents64,
	 {EACH, (long)buf, sizeof(buf)},
	 ON_FD,
	 .may = "fs",
	 .error = ANY_ERROR},
	{"pwritev2", SYS_pwritev2, {EACH, BAD, 1, 0, 0, 8}, ON_FD},
	{"epoll_create1", SYS_epoll_create1, {0}, .gives = GIVES_FD},
	{"eventfd2", SYS_eventfd2, {0, 0}, .gives = GIVES_FD},
	{"signalfd4", SYS_signalfd4, {-1, (long)buf, 8, 0}, .gives = GIVES_FD},
	{"timerfd_create", SYS_timerfd_create, {CLOCK_MONOTONIC, 0}, .gives = GIVES_FD},
	{"pipe2", SYS_pipe2, {BAD, 0}, .reached = EFAULT},
	{"close_range to share", SYS_close_range, {200, 255, 2}},
};

const struct attempt_theme attempt_themes_files[] = {
	THEME("files by name", by_name),    THEME("/proc, /sys and /dev", proc),
	THEME("programs", programs),	    THEME("mounts and roots", mounts),
	THEME("files that are held", held), {0},
};
