/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/backing.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "runtime/config/bundle.h"
#include "runtime/host/assets.h"
#include "runtime/plan/plan_json.h"
#include "runtime/plan/plan_settings.h"
#include "tests/support/temp_dir.h"

TestSuite(backing, .init = temp_dir_make, .fini = temp_dir_remove);

/* A shell command in the directory, which it knows as $D; "sub" is a directory below, "other" one beside it */
static void sh(const char *cmd)
{
	char all[2000];

	snprintf(all, sizeof(all),
		 "D=%s/dir; mkdir -p $D/sub $D/../other && cd $D && { %s; } >../out 2>&1", temp_dir,
		 cmd);
	cr_assert_eq(system(all), 0, "%s", cmd);
}

/* Opens dir/a.qcow2 and the files below it */
static int open_top(bool writable, struct backing *ret, struct disk *ret_disk, struct err *err)
{
	char path[80];
	struct plan_fd f = {.source = PLAN_FD_FILE,
			    .file = PLAN_FILE_DISK,
			    .format = DISK_QCOW2,
			    .writable = writable,
			    .path = path,
			    .pointer = (char *)"/p"};
	int fd = -1, rc;

	snprintf(path, sizeof(path), "%s/dir/a.qcow2", temp_dir);
	rc = assets_open_file(&f, &fd, ret_disk, err);
	if (rc == 0)
		rc = backing_open(&f, fd, ret, err);
	if (fd >= 0)
		close(fd);
	return rc;
}

static unsigned int open_fds(void)
{
	unsigned int nr = 0;

	for (int fd = 0; fd < 256; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

Test(backing, a_chain_is_opened_from_the_top_to_the_bottom)
{
	const unsigned int before = open_fds();
	struct backing b = {.nr = 0};
	struct disk disk;
	struct err err = {0};
	char path[80];

	sh("truncate -s 1M sub/c.raw && qemu-img create -q -f qcow2 -b c.raw -F raw sub/b.qcow2 && "
	   "qemu-img create -q -f qcow2 -b sub/b.qcow2 -F qcow2 -o cluster_size=8192 a.qcow2 3M");
	cr_assert_eq(open_top(true, &b, &disk, &err), 0, "%s", err.msg);
	cr_assert_eq(disk.settings.capacity_bytes, 3 << 20);
	cr_assert(disk.settings.discard == 16 && disk.settings.unit_bytes == 512);
	cr_assert(disk.most_bytes > 3 << 20 && disk.most_bytes < 100 << 20);
	cr_assert(b.nr == 2 && backing_qcow2_bits(&b) == 3);
	cr_assert(b.file[0].format == DISK_QCOW2 && b.file[1].format == DISK_RAW);
	snprintf(path, sizeof(path), "%s/dir/sub/c.raw", temp_dir);
	cr_assert_str_eq(b.file[1].path, path);
	for (unsigned int i = 0; i < b.nr; i++) {
		cr_assert_eq(fcntl(b.fd[i], F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDONLY);
		cr_assert_eq(fcntl(b.fd[i], F_GETFD), FD_CLOEXEC);
	}
	backing_done(&b);
	cr_assert_eq(open_fds(), before);
}

/* How dir/a.qcow2 is made, and the end of what is said about it; "" = its chain is opened */
static const struct {
	const char *make, *msg;
	unsigned int nr;
} cases[] = {
	{"qemu-img create -q -f qcow2 a.qcow2 1M", "", 0},
	{"truncate -s 1M b && qemu-img create -q -f qcow2 -b $D/b -F raw a.qcow2", "", 1},
	{"truncate -s 1M b && qemu-img create -q -f qcow2 -b ./sub/../b -F raw a.qcow2", "", 1},
	{"truncate -s 1M b && ln -s b l && qemu-img create -q -f qcow2 -b l -F raw a.qcow2", "", 1},
	{"truncate -s 1M ../other/b && qemu-img create -q -f qcow2 -b ../other/b -F raw a.qcow2",
	 "is not in the image's directory or below it", 0},
	{"truncate -s 1M ../other/b && qemu-img create -q -f qcow2 -b $D/../other/b -F raw a.qcow2",
	 "is not in the image's directory or below it", 0},
	{"truncate -s 1M ../other/b && ln -s ../other/b l && "
	 "qemu-img create -q -f qcow2 -b l -F raw a.qcow2",
	 "is not in the image's directory or below it", 0},
	{"truncate -s 1M ../other/b && ln -s ../other o && "
	 "qemu-img create -q -f qcow2 -b o/b -F raw a.qcow2",
	 "is not in the image's directory or below it", 0},
	{"qemu-img create -q -f qcow2 -u -b /etc/passwd -F raw a.qcow2 1M",
	 "backing file /etc/passwd is not in the image's directory or below it", 0},
	{"qemu-img create -q -f qcow2 -u -b / -F raw a.qcow2 1M", "or below it", 0},
	{"qemu-img create -q -f qcow2 -u -b $D/ -F raw a.qcow2 1M", "or below it", 0},
	{"qemu-img create -q -f qcow2 -u -b $D'x/b' -F raw a.qcow2 1M", "or below it", 0},
	{"qemu-img create -q -f qcow2 -u -b sub -F raw a.qcow2 1M", "is not a regular file", 0},
	{"mkfifo f; qemu-img create -q -f qcow2 -u -b f -F raw a.qcow2 1M", "is not a regular file",
	 0},
	{"qemu-img create -q -f qcow2 -u -b gone -F raw a.qcow2 1M",
	 "its backing file gone: No such file", 0},
	{"qemu-img create -q -f qcow2 -u -b nbd://host/x -F raw a.qcow2 1M", "No such file", 0},
	{"truncate -s 1M b && qemu-img create -q -f qcow2 -u -b b -F raw a.qcow2 1M && "
	 "qemu-img rebase -u -F '' -b b a.qcow2 2>&1; printf '\\0\\0\\0\\0\\0\\0\\0\\0' | dd "
	 "of=a.qcow2 bs=1 seek=112 conv=notrunc",
	 "has no format in the image", 0},
	{"qemu-img create -q -f vmdk v 1M && qemu-img create -q -f qcow2 -b v -F vmdk a.qcow2",
	 "is neither raw nor qcow2", 0},
	{"truncate -s 1M b && qemu-img create -q -f qcow2 -u -b b -F qcow2 a.qcow2 1M",
	 "dir/b: is not a qcow2 image", 0},
	{"head -c 1000 /dev/zero >b && qemu-img create -q -f qcow2 -u -b b -F raw a.qcow2 1M",
	 "its size, 1000 bytes, is not a multiple of 512", 0},
	{"qemu-img create -q -f qcow2 -u -b ./a.qcow2 -F qcow2 a.qcow2 1M",
	 "is in its own chain of backing files", 0},
	{"qemu-img create -q -f qcow2 -u -b a.qcow2 -F qcow2 b.qcow2 1M && "
	 "qemu-img create -q -f qcow2 -u -b b.qcow2 -F qcow2 a.qcow2 1M",
	 "is in its own chain of backing files", 0},
	{"qemu-img create -q -f qcow2 -u -b c -F qcow2 b 1M && qemu-img create -q -f qcow2 -u -b b "
	 "-F qcow2 c 1M && qemu-img create -q -f qcow2 -u -b b -F qcow2 a.qcow2 1M",
	 "is in its own chain of backing files", 0},
	{"qemu-img create -q -f qcow2 8 1M; for i in 7 6 5 4 3 2; do qemu-img create -q -f qcow2 "
	 "-b "
	 "$((i+1)) -F qcow2 $i; done; qemu-img create -q -f qcow2 -b 2 -F qcow2 a.qcow2",
	 "", 7},
	{"qemu-img create -q -f qcow2 9 1M; for i in 8 7 6 5 4 3 2; do qemu-img create -q -f qcow2 "
	 "-b $((i+1)) -F qcow2 $i; done; qemu-img create -q -f qcow2 -b 2 -F qcow2 a.qcow2",
	 "more than 7 backing files in one chain", 0},
	{"truncate -s 1M a.qcow2", "is not a qcow2 image", 0},
	{"qemu-img create -q -f qcow2 a.qcow2 1M && printf '\\2' | dd of=a.qcow2 bs=1 seek=35 "
	 "conv=notrunc",
	 "encrypted images are not supported", 0},
	{"qemu-img create -q -f qcow2 -o data_file=d a.qcow2 1M",
	 "images with an external data file are not supported", 0},
	{"qemu-img create -q -f qcow2 -o extended_l2=on a.qcow2 1M",
	 "images with extended L2 entries are not supported", 0},
	{"qemu-img create -q -f qcow2 -o compression_type=zstd a.qcow2 1M",
	 "compression other than zlib is not supported", 0},
	{"qemu-img create -q -f qcow2 a.qcow2 1M && qemu-img snapshot -c s a.qcow2",
	 "has internal snapshots", 0},
	{"qemu-img create -q -f qcow2 a.qcow2 1M && qemu-img bitmap --add a.qcow2 b",
	 "has persistent bitmaps", 0},
};

Test(backing, each_chain_is_opened_or_refused)
{
	const unsigned int before = open_fds();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct backing b = {.nr = 0};
		struct err err = {0};
		int rc;

		sh(cases[i].make);
		rc = open_top(true, &b, NULL, &err);
		cr_expect_eq(rc == 0, !*cases[i].msg, "%s: \"%s\"", cases[i].make, err.msg);
		cr_expect(rc == 0 || strstr(err.msg, cases[i].msg), "\"%s\", not \"%s\"", err.msg,
			  cases[i].msg);
		cr_expect(rc == 0 || strncmp(err.msg, "/p: ", 4) == 0, "%s", err.msg);
		cr_expect_eq(b.nr, cases[i].nr, "%s", cases[i].make);
		backing_done(&b);
		cr_expect_eq(open_fds(), before, "%s", cases[i].make);
		sh("cd / && rm -rf $D $D/../other");
	}
}

Test(backing, a_file_below_is_shared_by_readers_and_by_no_writer)
{
	struct plan_fd f = {.source = PLAN_FD_FILE,
			    .file = PLAN_FILE_DISK,
			    .format = DISK_RAW,
			    .writable = true,
			    .pointer = (char *)"/p"};
	struct backing b = {.nr = 0}, c = {.nr = 0};
	struct err err = {0};
	char path[80];
	int fd = -1;

	sh("truncate -s 1M b && qemu-img create -q -f qcow2 -b b -F raw a.qcow2");
	snprintf(path, sizeof(path), "%s/dir/b", temp_dir);
	f.path = path;
	cr_assert_eq(open_top(true, &b, NULL, &err), 0, "%s", err.msg);
	cr_assert_eq(open_top(true, &c, NULL, &err), 0, "%s", err.msg);
	cr_assert_eq(assets_open_file(&f, &fd, NULL, &err), -EBUSY);
	backing_done(&b);
	backing_done(&c);
	cr_assert_eq(assets_open_file(&f, &fd, NULL, &err), 0, "%s", err.msg);
	cr_assert_eq(open_top(true, &b, NULL, &err), -EBUSY);
	cr_assert(strstr(err.msg, "dir/b: is being written to"), "%s", err.msg);
	close(fd);
}

static struct plan *plan_of(const char *text)
{
	struct json_object *config = json_tokener_parse(text);
	struct bundle *b = NULL;
	struct plan *p = NULL;
	struct err err = {0};
	char path[80];

	snprintf(path, sizeof(path), "%s/dir", temp_dir);
	cr_assert_eq(bundle_from_json(config, path, &b, &err), 0, "%s", err.msg);
	cr_assert_eq(plan_build(b, "x", NULL, &p, &err), 0, "%s", err.msg);
	bundle_free(b);
	json_object_put(config);
	return p;
}

Test(backing, the_plan_gets_the_chain)
{
	struct plan *p = plan_of("{\"ociVersion\":\"1.2.0\",\"vm\":{\"kernel\":{\"path\":\"k\"},"
				 "\"image\":{\"path\":\"a.qcow2\",\"format\":\"qcow2\"}}}");
	const unsigned int before = open_fds();
	struct block_settings settings;
	struct json_object *json;

	sh("printf '\\177ELF' >k; truncate -s 1M c && qemu-img create -q -f qcow2 -b c -F raw b && "
	   "qemu-img create -q -f qcow2 -b b -F qcow2 a.qcow2");
	for (unsigned int i = 0; i < 2; i++) {
		struct assets *a = NULL;
		struct err err = {0};
		int rc = assets_open(p, &a, &err);

		/* no KVM here: that is the one thing that may be missing */
		cr_expect(rc == 0 || strncmp(err.msg, "/dev/kvm", 8) == 0, "%s", err.msg);
		cr_expect_eq(p->proc[2].nr_fds, BOOT_FD_RES + 3);
		plan_settings(&p->proc[2], &settings, sizeof(settings));
		cr_expect_eq(settings.qcow2, 3);
		cr_expect_eq(settings.capacity_bytes, 1 << 20);
		cr_expect(rc < 0 || a->proc[2].disk_bytes > 1 << 20);
		assets_close(a);
		cr_expect_eq(open_fds(), before);
	}
	json = plan_to_json(p);
	cr_expect(strstr(json_object_to_json_string_ext(json, JSON_C_TO_STRING_NOSLASHESCAPE),
			 "/dir/c\""));
	json_object_put(json);
	plan_free(p);
}
