/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "devices/core/fdio.h"
#include "runtime/config/bundle.h"
#include "runtime/host/assets.h"
#include "runtime/util/json.h"
#include "runtime/util/listen.h"
#include "runtime/util/unix_path.h"
#include "tests/support/temp_dir.h"

static char *const dir = temp_dir;

TestSuite(assets, .init = temp_dir_make, .fini = temp_dir_remove);

static struct plan_fd make_file(enum plan_file kind, const char *name, const void *head,
				size_t head_len, off_t bytes)
{
	struct plan_fd f = {.source = PLAN_FD_FILE, .file = kind, .pointer = strdup("/p/path")};
	int fd;

	cr_assert(asprintf(&f.path, "%s/%s", dir, name) > 0);
	if (bytes < 0)
		return f;
	fd = open(f.path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	cr_assert(fd >= 0);
	cr_assert_eq(ftruncate(fd, bytes), 0);
	cr_assert_eq(pwrite(fd, head, head_len, 0), (ssize_t)head_len);
	close(fd);
	return f;
}

static void drop(struct plan_fd *f)
{
	free(f->path);
	free(f->pointer);
}

static const char hdrs[0x206] = {[0x202] = 'H', 'd', 'r', 'S'};
static const char vdi[0x44] = {[0x40] = 0x7f, 0x10, (char)0xda, (char)0xbe};

/* A file, and the end of what is said about it; "" = it is opened */
static const struct {
	enum plan_file kind;
	const char *name, *head;
	size_t head_len;
	off_t bytes; /* -1: there is none */
	int rc;
	const char *msg;
} cases[] = {
	{PLAN_FILE_KERNEL, "elf", "\177ELF", 4, 100, 0, ""},
	{PLAN_FILE_KERNEL, "bzimage", hdrs, sizeof(hdrs), 4096, 0, ""},
	{PLAN_FILE_KERNEL, "missing", "", 0, -1, -ENOENT, "No such file or directory"},
	{PLAN_FILE_KERNEL, "empty", "", 0, 0, -EINVAL, "is empty"},
	{PLAN_FILE_KERNEL, "text", "hello", 5, 5, -ENOEXEC, "is neither an ELF file nor a bzImage"},
	{PLAN_FILE_KERNEL, "short", hdrs, 0x205, 0x205, -ENOEXEC,
	 "neither an ELF file nor a bzImage"},
	{PLAN_FILE_INITRD, "initrd", "x", 1, 1, 0, ""},
	{PLAN_FILE_INITRD, "missing", "", 0, -1, -ENOENT, "No such file or directory"},
	{PLAN_FILE_INITRD, "empty", "", 0, 0, -EINVAL, "is empty"},
	{PLAN_FILE_DISK, "disk", "", 0, 1 << 20, 0, ""},
	{PLAN_FILE_DISK, "sector", "", 0, 512, 0, ""},
	{PLAN_FILE_DISK, "missing", "", 0, -1, -ENOENT, "No such file or directory"},
	{PLAN_FILE_DISK, "empty", "", 0, 0, -EINVAL, "is empty"},
	{PLAN_FILE_DISK, "odd", "", 0, 513, -EINVAL,
	 "its size, 513 bytes, is not a multiple of 512"},
	{PLAN_FILE_DISK, "qcow2", "QFI\xfb", 4, 1024, -EINVAL,
	 "looks like a qcow2 image: say \"format\": \"qcow2\" if it is one"},
	{PLAN_FILE_DISK, "vmdk", "KDMV", 4, 1024, -EINVAL, "looks like a vmdk image: convert it"},
	{PLAN_FILE_DISK, "vhdx", "vhdxfile", 8, 1024, -EINVAL,
	 "looks like a vhdx image: convert it"},
	{PLAN_FILE_DISK, "vdi", vdi, sizeof(vdi), 1024, -EINVAL,
	 "looks like a vdi image: convert it"},
	{PLAN_FILE_DISK, "vhd", "conectix", 8, 1024, -EINVAL, "looks like a vhd image: convert it"},
};

Test(assets, each_kind_of_file_is_checked)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan_fd f = make_file(cases[i].kind, cases[i].name, cases[i].head,
					     cases[i].head_len, cases[i].bytes);
		struct disk disk = {.dev_flags = 77};
		struct err err = {0};
		char head[128];
		int fd = -1, rc;

		rc = assets_open_file(&f, &fd, &disk, &err);
		cr_expect_eq(rc, cases[i].rc, "%s: %d %s", cases[i].name, rc, err.msg);
		cr_expect_eq(fd >= 0, rc == 0);
		snprintf(head, sizeof(head), "/p/path: %s: ", f.path);
		if (rc < 0) {
			cr_expect(strncmp(err.msg, head, strlen(head)) == 0, "%s", err.msg);
			cr_expect(strstr(err.msg, cases[i].msg), "%s: %s", cases[i].name, err.msg);
			cr_expect_eq(disk.dev_flags, 77);
		} else {
			cr_expect_eq(disk.settings.capacity_bytes,
				     f.file == PLAN_FILE_DISK ? cases[i].bytes : 0);
			cr_expect_eq(disk.dev_flags, 0);
			cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
			cr_expect_eq(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDONLY);
			close(fd);
		}
		drop(&f);
	}
}

/* What a guest wrote into its own disk says nothing about the disk. */
Test(assets, format_raw_is_believed)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct disk disk;
		struct plan_fd f;
		struct err err;
		int fd = -1;

		if (strncmp(cases[i].msg, "looks like", 10) != 0)
			continue;
		f = make_file(PLAN_FILE_DISK, "d", cases[i].head, cases[i].head_len, 1024);
		cr_expect_eq(assets_open_file(&f, &fd, &disk, &err), -EINVAL);
		cr_expect(strstr(err.msg, "\"format\": \"raw\""), "%s", err.msg);
		f.format = DISK_RAW;
		cr_expect_eq(assets_open_file(&f, &fd, &disk, &err), 0, "%s", err.msg);
		cr_expect_eq(disk.settings.capacity_bytes, 1024);
		cr_expect_eq(disk.settings.unit_bytes, 512);
		close(fd);
		drop(&f);
	}
}

/* The file system of these tests has it; what the kernel says of it is taken over. */
Test(assets, a_disk_may_go_around_the_page_cache)
{
	struct plan_fd f = make_file(PLAN_FILE_DISK, "direct", "", 0, 1 << 20);
	struct block_settings *s;
	struct disk disk;
	struct err err;
	int fd = -1;

	f.direct = true;
	cr_assert_eq(assets_open_file(&f, &fd, &disk, &err), 0, "%s", err.msg);
	s = &disk.settings;
	cr_expect(fcntl(fd, F_GETFL) & O_DIRECT);
	cr_expect(s->direct_mem > 0 && s->direct_off >= 512 && s->unit_bytes == s->direct_off);
	close(fd);
	f.format = DISK_QCOW2;
	cr_expect_eq(assets_open_file(&f, &fd, &disk, &err), -EINVAL);
	f.format = DISK_UNSAID;
	free(f.path);
	f.path = strdup(
		"/sys/kernel/uevent_seqnum"); /* 4096 bytes, in a file system without O_DIRECT */
	cr_expect_eq(assets_open_file(&f, &fd, &disk, &err), -EINVAL);
	cr_expect_str_eq(err.msg, "/p/path: /sys/kernel/uevent_seqnum: cannot be direct: its file "
				  "system has no O_DIRECT");
	drop(&f);
}

Test(assets, what_is_not_a_file_is_refused)
{
	struct err err = {0};
	char fifo[64];
	int fd = -1;

	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	for (int kind = PLAN_FILE_KERNEL; kind <= PLAN_FILE_DISK; kind++) {
		struct plan_fd f = {.source = PLAN_FD_FILE,
				    .file = (enum plan_file)kind,
				    .pointer = (char *)"/p"};

		for (int writable = 0; writable < 2; writable++) {
			f.writable = writable;
			f.path = dir;
			cr_expect_eq(assets_open_file(&f, &fd, NULL, &err), -EISDIR);
			cr_expect(strstr(err.msg, "is a directory"), "%s", err.msg);
			/* opening a FIFO must neither wait nor succeed */
			f.path = fifo;
			cr_expect_eq(assets_open_file(&f, &fd, NULL, &err), -EINVAL);
			f.path = (char *)"/dev/null";
			cr_expect_eq(assets_open_file(&f, &fd, NULL, &err), -EINVAL);
		}
	}
	cr_expect_eq(fd, -1);
}

Test(assets, a_socket_that_will_not_do_is_named)
{
	char path[80];
	struct plan_fd f = {.source = PLAN_FD_SOCKET, .path = path, .pointer = (char *)"/p"};
	struct listener l;
	struct err err;
	int fd = -1;

	snprintf(path, sizeof(path), "%s/s", dir);
	cr_expect_eq(assets_connect(&f, &fd, &err), -ENOENT);
	cr_expect(strstr(err.msg, "/p: ") == err.msg && strstr(err.msg, path), "%s", err.msg);
	close(open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	cr_expect_eq(assets_connect(&f, &fd, &err), -ENOTSOCK);
	cr_expect(strstr(err.msg, "is not a socket"), "%s", err.msg);
	unlink(path);
	cr_assert_eq(listen_at(path, SOCK_STREAM, &l, &err), 0, "%s", err.msg);
	cr_assert_eq(assets_connect(&f, &fd, &err), 0, "%s", err.msg);
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_expect_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close(fd);
	close(l.fd);
	cr_expect_eq(assets_connect(&f, &fd, &err), -ECONNREFUSED);
	cr_expect(strstr(err.msg, "no process listens"), "%s", err.msg);
	unlink(path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(unix_bind(fd, path), 0);
	cr_expect_eq(assets_connect(&f, &(int){-1}, &err), -EPROTOTYPE);
	cr_expect(strstr(err.msg, "is not a stream socket"), "%s", err.msg);
	close(fd);
}

/* Opening a FIFO waits, /dev/ptmx makes a terminal, a watchdog ends the host. */
Test(assets, what_is_not_a_file_is_never_opened)
{
	static const char *const names[] = {"fifo", "ptmx", "sub"};
	char path[64], event[4096];
	int fd = -1, watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct err err = {0};

	snprintf(path, sizeof(path), "%s/ptmx", dir);
	if (mknod(path, S_IFCHR | 0600, makedev(5, 2)) < 0)
		cr_assert_eq(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/fifo", dir);
	cr_assert_eq(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/sub", dir);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert(inotify_add_watch(watch, dir, IN_OPEN) >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *text;
		size_t len;

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		for (int kind = PLAN_FILE_KERNEL; kind <= PLAN_FILE_DISK; kind++) {
			struct plan_fd f = {.source = PLAN_FD_FILE,
					    .file = (enum plan_file)kind,
					    .path = path,
					    .writable = kind == PLAN_FILE_DISK,
					    .pointer = (char *)"/p"};

			cr_expect(assets_open_file(&f, &fd, NULL, &err) < 0);
		}
		cr_expect(json_read_text(path, &text, &len, &err) < 0);
	}
	cr_expect(read(watch, event, sizeof(event)) < 0 && errno == EAGAIN, "something was opened");
	/* and the watch does see what is opened */
	close(open(path, O_RDONLY));
	cr_expect(read(watch, event, sizeof(event)) > 0);
}

Test(assets, two_writers_cannot_have_one_disk)
{
	struct plan_fd w = make_file(PLAN_FILE_DISK, "d", "", 0, 512), r = w;
	int first = -1, second = -1, third = -1;
	struct err err = {0};

	w.writable = true;
	cr_assert_eq(assets_open_file(&w, &first, NULL, &err), 0, "%s", err.msg);
	cr_expect_eq(fcntl(first, F_GETFL) & O_ACCMODE, O_RDWR);
	cr_expect_eq(assets_open_file(&w, &second, NULL, &err), -EBUSY);
	cr_expect(strstr(err.msg, "is in use"), "%s", err.msg);
	cr_expect_eq(assets_open_file(&r, &second, NULL, &err), -EBUSY);
	cr_expect(strstr(err.msg, "is being written to"), "%s", err.msg);
	/* a copy of the fd, as a jailed device holds it, keeps the lock */
	third = dup(first);
	close(first);
	cr_expect_eq(assets_open_file(&w, &second, NULL, &err), -EBUSY);
	close(third);
	/* any number of readers, and then no writer */
	cr_assert_eq(assets_open_file(&r, &first, NULL, &err), 0, "%s", err.msg);
	cr_assert_eq(assets_open_file(&r, &second, NULL, &err), 0, "%s", err.msg);
	cr_expect_eq(assets_open_file(&w, &third, NULL, &err), -EBUSY);
	close(first);
	close(second);
	drop(&w);
}

static struct plan *plan_of(const char *text)
{
	struct json_object *config = json_tokener_parse(text);
	struct bundle *b = NULL;
	struct plan *p = NULL;
	struct err err = {0};

	cr_assert_eq(bundle_from_json(config, dir, &b, &err), 0, "%s", err.msg);
	cr_assert_eq(plan_build(b, "x", NULL, &p, &err), 0, "%s", err.msg);
	bundle_free(b);
	json_object_put(config);
	return p;
}

static unsigned int open_fds(void)
{
	unsigned int nr = 0;

	for (int fd = 0; fd < 256; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

#define CONFIG                                                                                     \
	"{\"ociVersion\":\"1.2.0\",\"vm\":{\"kernel\":{\"path\":\"k\"},"                           \
	"\"image\":{\"path\":\"d1\"},\"devices\":[{\"type\":\"block\",\"path\":\"d2\"}]}}"

Test(assets, a_plan_is_opened_whole_or_not_at_all)
{
	struct plan_fd k = make_file(PLAN_FILE_KERNEL, "k", "\177ELF", 4, 100);
	struct plan_fd d = make_file(PLAN_FILE_DISK, "d1", "", 0, 1024);
	struct plan *p = plan_of(CONFIG);
	unsigned int before = open_fds();
	struct assets *a = NULL;
	struct err err = {0};
	struct plan_fd d2;
	int rc;

	cr_expect_eq(assets_open(p, &a, &err), -ENOENT);
	cr_expect(strncmp(err.msg, "/vm/devices/0/path: ", 20) == 0, "%s", err.msg);
	cr_expect_null(a);
	cr_expect_eq(open_fds(), before);
	/* a link to the first disk is the first disk */
	d2 = make_file(PLAN_FILE_DISK, "d2", "", 0, -1);
	cr_assert_eq(link(d.path, d2.path), 0);
	cr_expect_eq(assets_open(p, &a, &err), -EBUSY);
	cr_expect_eq(open_fds(), before);
	cr_assert_eq(unlink(d2.path), 0);
	drop(&d2);
	d2 = make_file(PLAN_FILE_DISK, "d2", "", 0, 512);
	rc = assets_open(p, &a, &err);
	if (rc == 0) {
		cr_expect(a->kvm >= 0);
		cr_expect(a->proc[0].fd[BOOT_FD_KERNEL] >= 0);
		cr_expect_eq(a->proc[0].fd[BOOT_FD_INITRD], -1);
		cr_expect_eq(a->proc[2].disk_bytes, 1024);
		cr_expect_eq(a->proc[3].disk_bytes, 512);
		cr_expect_eq(open_fds(), before + 4);
	} else {
		/* no KVM here: that is the one thing that may be missing */
		cr_expect(strncmp(err.msg, "/dev/kvm", 8) == 0, "%s", err.msg);
	}
	assets_close(a);
	cr_expect_eq(open_fds(), before);
	plan_free(p);
	drop(&k);
	drop(&d);
	drop(&d2);
}
