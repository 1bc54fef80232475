/* SPDX-License-Identifier: BSD-3-Clause */
/* What a container finds in its root: mounts, /dev, masked paths; and roots that are hostile. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "cmd/vmrun-init/copyup.h"
#include "tests/support/init_rig.h"
#include "tests/support/temp_dir.h"

static struct rig_spec extra;
static uint32_t status;

TestSuite(mounts, .init = rig_start, .fini = rig_stop, .timeout = 60);

static void file(const char *in_share, const char *text)
{
	FILE *f = fopen(rig_path(in_share), "w");

	cr_assert(f, "%s", rig_path(in_share));
	fputs(text, f);
	fclose(f);
}

static void sh(const char *command)
{
	char line[1024];

	snprintf(line, sizeof(line), "cd %s && { %s; }", temp_dir, command);
	cr_assert_eq(system(line), 0, "%s", command);
}

static void expect(const char *command, const char *output)
{
	cr_expect_str_eq(rig_sh(&extra, command, &status), output);
	cr_expect_eq(status, 0, "status %u", status);
}

Test(mounts, dev_has_what_programs_expect)
{
	expect("cd /dev; stat -c '%n %F %a %t:%T' null zero full random urandom tty; ls -1 | tr "
	       "'\\n' ' '; for l in fd stdin stdout stderr ptmx core; do readlink $l; done; echo x "
	       ">null",
	       "null character special file 666 1:3\nzero character special file 666 1:5\nfull "
	       "character special file 666 1:7\n"
	       "random character special file 666 1:8\nurandom character special file 666 1:9\ntty "
	       "character special file 666 5:0\n"
	       "core fd full null ptmx pts random stderr stdin stdout tty urandom zero "
	       "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx\n"
	       "/proc/kcore\n");
}

Test(mounts, only_the_containers_own_are_there)
{
	expect("cut -d' ' -f5 /proc/self/mountinfo; echo $$; ls /proc | grep -c '^[0-9]'",
	       "/\n/proc\n/dev\n/dev/pts\n1\n3\n");
}

Test(mounts, devices)
{
	const struct agent_device fuse = {
		.type = S_IFCHR, .major = 10, .minor = 229, .mode = 0100640, .uid = 5, .gid = 6};
	const struct agent_device fifo = {.type = S_IFIFO, .mode = 0622};

	rig_item(&extra, AGENT_DEVICE, &fuse, sizeof(fuse), 1, "/dev/deep/fuse");
	rig_item(&extra, AGENT_DEVICE, &fifo, sizeof(fifo), 1, "/dev/pipe");
	expect("stat -c '%F %a %t:%T %u:%g' /dev/deep/fuse /dev/pipe",
	       "character special file 640 a:e5 5:6\nfifo 622 0:0 0:0\n");
}

Test(mounts, binds)
{
	sh("mkdir -p m0/sub; echo dir >m0/file; echo single >m1; echo old >root/etc/hosts");
	rig_mount(&extra, "/data/deep", "m0", "", MS_BIND | MS_REC, AGENT_MOUNT_BIND, "");
	rig_mount(&extra, "/etc/hosts", "m1", "", MS_BIND | MS_RDONLY | MS_NOEXEC,
		  AGENT_MOUNT_BIND | AGENT_MOUNT_FILE, "");
	rig_mount(&extra, "/run/new/file", "m1", "", MS_BIND, AGENT_MOUNT_BIND | AGENT_MOUNT_FILE,
		  "");
	rig_mount(&extra, "/dev/copy", "/dev/pts/ptmx", "", MS_BIND,
		  AGENT_MOUNT_BIND | AGENT_MOUNT_FILE | AGENT_MOUNT_INSIDE, "");
	expect("cat /data/deep/file /etc/hosts /run/new/file; echo new >/data/deep/sub/made; (echo "
	       ">/etc/hosts) 2>/dev/null || echo ro; echo more >>/run/new/file;"
	       "stat -c %t:%T /dev/copy; awk '$5 == \"/etc/hosts\" { print $6 }' "
	       "/proc/self/mountinfo",
	       "dir\nsingle\nsingle\nro\n5:2\nro,noexec,relatime\n");
	sh("grep -q new m0/sub/made && grep -q more m1 && grep -q old root/etc/hosts");
}

Test(mounts, flags_of_all_below)
{
	struct agent_mount m = {.flags = AGENT_MOUNT_BIND,
				.set = MS_BIND | MS_REC,
				.recursive_set = MS_RDONLY | MS_NODEV};

	sh("mkdir -p m0/sub; mount -t tmpfs x m0/sub; echo a >m0/sub/a");
	rig_item(&extra, AGENT_MOUNT, &m, sizeof(m), 4, "/mnt", "m0", "", "");
	m = (struct agent_mount){.flags = AGENT_MOUNT_BIND,
				 .set = MS_BIND | MS_REC | MS_RDONLY | MS_NOATIME};
	rig_item(&extra, AGENT_MOUNT, &m, sizeof(m), 4, "/top", "m0", "", "");
	expect("cat /mnt/sub/a; awk '$5 ~ \"^/(mnt|top)\" { print $5, $6 }' /proc/self/mountinfo",
	       "a\n/mnt ro,nodev,relatime\n/mnt/sub ro,nodev,relatime\n/top ro,noatime\n/top/sub "
	       "rw,relatime\n");
	sh("umount m0/sub");
}

Test(mounts, the_same_once_more_with_other_flags)
{
	rig_mount(&extra, "/mnt", "tmpfs", "tmpfs", MS_NOSUID, 0, "size=64k");
	rig_mount(&extra, "/mnt", "", "", MS_REMOUNT | MS_RDONLY | MS_NODEV, 0, "");
	rig_mount(&extra, "/dev", "", "", MS_REMOUNT | MS_NOEXEC, 0, "size=128k");
	expect("awk '$5 ~ \"^/(mnt|dev)$\" { print $5, $6, $10 }' /proc/self/mountinfo",
	       "/dev rw,noexec rw,size=128k,mode=755\n/mnt ro,nodev,relatime "
	       "rw,size=64k\n");
}

Test(mounts, a_tmpfs_with_a_copy_of_what_it_covers)
{
	sh("mkdir -p root/run/a/b; cd root/run; echo x >a/b/file; chown 5:6 a/b/file; chmod 4751 "
	   "a/b/file; ln -s /nowhere link; mkfifo -m 600 pipe;"
	   "chmod 1770 .; touch -d @1000000000 a/b/file; ln -s ../../etc a/etc");
	rig_mount(&extra, "/run", "tmpfs", "tmpfs", MS_RDONLY | MS_NOSUID, AGENT_MOUNT_COPY_UP,
		  "mode=755,size=1m");
	rig_mount(&extra, "/run/inner", "tmpfs", "tmpfs", 0, 0, "");
	expect("cd /run; stat -c '%n %a %u:%g %Y' a/b/file; readlink link; readlink a/etc; stat -c "
	       "'%n %F "
	       "%a' pipe .; cat a/b/file;"
	       "(echo >new) 2>/dev/null || echo ro; echo y >inner/y; awk '$5 == \"/run\" { print "
	       "$6, $9 }' /proc/self/mountinfo",
	       "a/b/file 4751 5:6 1000000000\n/nowhere\n../../etc\npipe fifo 600\n. directory "
	       "755\nx\nro\nro,nosuid,relatime tmpfs\n");
}

Test(mounts, a_tmpfs_has_the_mode_of_what_it_covers)
{
	sh("mkdir -p root/run/was; chmod 712 root/run/was");
	rig_mount(&extra, "/run/was", "tmpfs", "tmpfs", MS_RDONLY, 0, "size=64k");
	rig_mount(&extra, "/run/new", "tmpfs", "tmpfs", 0, 0, "");
	expect("stat -c %a /run/was /run/new", "712\n1777\n");
}

Test(mounts, one_that_covers_the_root)
{
	static struct rig_spec s;
	struct agent_root root = {.flags = AGENT_ROOT_READONLY};
	struct rig_session r;

	sh("cp -a root m0; echo covered >m0/which; echo first >root/which");
	rig_item(&s, AGENT_ROOT, &root, sizeof(root), 1, "root");
	rig_mount(&s, "/", "m0", "", MS_BIND, AGENT_MOUNT_BIND, "");
	rig_mount(&s, "/proc", "proc", "proc", 0, 0, "");
	rig_process(&s, "cat /which; (echo >/file) 2>/dev/null || echo ro; cut -d' ' -f5 "
			"/proc/self/mountinfo");
	r = rig_run(0, &s, false);
	rig_expect(AGENT_STARTED, 0);
	cr_expect_str_eq(rig_read(&r.out), "covered\nro\n/\n/proc\n");
	rig_expect(AGENT_EXITED, 0);
}

Test(mounts, a_copy_has_extended_attributes)
{
	/* version 2: CAP_NET_BIND_SERVICE is permitted */
	static const char cap[20] = {0, 0, 0, 2, 0, 4};
	static const struct {
		const char *path, *name, *value;
		size_t bytes;
	} has[] = {{"file", "security.capability", cap, sizeof(cap)},
		   {"a", "trusted.x", "of a directory", 14},
		   {"link", "trusted.x", "of a link", 9},
		   {".", "trusted.x", "of the top", 10}};
	char path[PATH_MAX], value[64];
	int from, to;

	sh("mkdir -p from/a to; touch from/file; chown 5 from/file; ln -s file from/link");
	for (unsigned int i = 0; i < ARRAY_SIZE(has); i++) {
		snprintf(path, sizeof(path), "%s/from/%s", temp_dir, has[i].path);
		cr_assert_eq(lsetxattr(path, has[i].name, has[i].value, has[i].bytes, 0), 0);
	}
	from = open(rig_path("from"), O_PATH | O_DIRECTORY);
	to = open(rig_path("to"), O_PATH | O_DIRECTORY);
	cr_assert_eq(copyup(from, to), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(has); i++) {
		snprintf(path, sizeof(path), "%s/to/%s", temp_dir, has[i].path);
		cr_expect_eq(lgetxattr(path, has[i].name, value, sizeof(value)),
			     (ssize_t)has[i].bytes, "%s", has[i].path);
		cr_expect_eq(memcmp(value, has[i].value, has[i].bytes), 0, "%s", has[i].path);
	}
}

/* A container whose root is a copy of the usual one in a file system of its own */
static void disk_container(struct rig_spec *s, uint32_t flags, const char *disk)
{
	const struct agent_root root = {.flags = AGENT_ROOT_DISK | flags};

	rig_item(s, AGENT_ROOT, &root, sizeof(root), 1, disk);
	rig_mount(s, "/proc", "proc", "proc", 0, 0, "");
	rig_mount(s, "/dev", "tmpfs", "tmpfs", 0, 0, "");
	rig_process(s, "echo new >/new; cat /new; awk '$5 == \"/\" { print $6, $9 }' "
		       "/proc/self/mountinfo");
}

static const char *run_on_disk(uint32_t flags, const char *disk)
{
	static struct rig_spec spec;
	struct rig_session r;
	const char *said;

	spec.len = 0;
	disk_container(&spec, flags, disk);
	r = rig_run(0, &spec, false);
	rig_expect(AGENT_STARTED, 0);
	close(r.in);
	said = rig_read(&r.out);
	rig_expect(AGENT_EXITED, 0);
	close(r.errors);
	return said;
}

/* Return: a device with that file of the shared directory */
static const char *loop_of(const char *in_share)
{
	static char disk[64];
	char line[256];
	FILE *losetup;

	snprintf(line, sizeof(line), "losetup --find --show --read-only %s/%s", temp_dir, in_share);
	losetup = popen(line, "r");
	cr_assert(losetup && fscanf(losetup, "%63s", disk) == 1 && pclose(losetup) == 0);
	return disk;
}

Test(mounts, a_disk_below_what_is_written)
{
	const char *disk;
	char line[256];

	sh("mkdir -p root/proc root/dev; mkfs.ext4 -q -d root disk 16M; sha256sum disk >sum");
	disk = loop_of("disk");
	cr_expect_str_eq(run_on_disk(AGENT_ROOT_OVERLAY, disk), "new\nrw,relatime overlay\n");
	snprintf(line, sizeof(line), "losetup --detach %s; sha256sum --quiet -c sum", disk);
	sh(line);
}

/* @make: of a file "disk"; @code: what the program's start fails with */
static void fails_on_disk(const char *make, int code)
{
	static struct rig_spec spec;
	char line[128];

	sh(make);
	snprintf(line, sizeof(line), "losetup --detach %s", loop_of("disk"));
	disk_container(&spec, AGENT_ROOT_READONLY, line + strlen("losetup --detach "));
	rig_fails(&spec, AGENT_STEP_ROOT, code);
	sh(line);
}

Test(mounts, a_disk_of_no_type)
{
	fails_on_disk("head -c 1M /dev/urandom >disk", EINVAL);
}

/* The table of its groups is gone, whatever other types say of it. */
Test(mounts, a_disk_that_is_damaged)
{
	fails_on_disk("mkfs.ext4 -q -b 1024 disk 16M >/dev/null; "
		      "dd if=/dev/zero of=disk bs=1k seek=2 count=1 conv=notrunc 2>/dev/null",
		      EUCLEAN);
}

Test(mounts, types_of_the_kernel)
{
	rig_mount(&extra, "/sys", "sysfs", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, 0,
		  "");
	rig_mount(&extra, "/dev/mqueue", "mqueue", "mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, 0,
		  "");
	rig_mount(&extra, "/dev/shm", "shm", "tmpfs", MS_NOSUID, 0, "mode=1777,size=65536k");
	expect("ls -d /sys/kernel; ls /sys/class/net; awk '$5 ~ \"^/(sys|dev/)\" { print $5, $6, "
	       "$8, $9 }' /proc/self/mountinfo; stat -c %a /dev/shm",
	       "/sys/kernel\nlo\n/dev/pts rw,nosuid,noexec,relatime devpts devpts\n/sys "
	       "ro,nosuid,nodev,noexec,relatime sysfs sysfs\n"
	       "/dev/mqueue rw,nosuid,nodev,noexec,relatime mqueue mqueue\n/dev/shm "
	       "rw,nosuid,relatime tmpfs shm\n1777\n");
}

static void fails(int code)
{
	static struct rig_spec s;

	s.len = 0;
	rig_container(&s);
	memcpy(s.bytes + s.len, extra.bytes, extra.len);
	s.len += extra.len;
	rig_process(&s, "true");
	/* after the three of every container */
	cr_expect_eq(rig_fails(&s, AGENT_STEP_MOUNT, code), 3);
}

Test(mounts, a_type_that_there_is_not)
{
	rig_mount(&extra, "/mnt", "x", "nosuchfs", 0, 0, "");
	fails(ENODEV);
}

Test(mounts, an_option_that_there_is_not)
{
	rig_mount(&extra, "/mnt", "x", "tmpfs", 0, 0, "size=1m,nosuchoption=3");
	fails(EINVAL);
}

Test(mounts, a_source_that_is_missing)
{
	rig_mount(&extra, "/mnt", "m7", "", 0, AGENT_MOUNT_BIND, "");
	fails(ENOENT);
}

Test(mounts, a_mount_point_below_a_file)
{
	file("root/etc/plain", "");
	rig_mount(&extra, "/etc/plain/dir", "x", "tmpfs", 0, 0, "");
	fails(ENOTDIR);
}

Test(mounts, a_mount_point_that_is_a_circle_of_links)
{
	sh("ln -s b root/a; ln -s a root/b");
	rig_mount(&extra, "/a/c", "x", "tmpfs", 0, 0, "");
	fails(ELOOP);
}

Test(mounts, masked_and_readonly_paths)
{
	sh("mkdir -p root/secret root/fixed; echo s >root/secret/s; echo f >root/fixed/f; echo k "
	   ">root/key");
	rig_text(&extra, AGENT_MASKED, "/secret");
	rig_text(&extra, AGENT_MASKED, "/key");
	rig_text(&extra, AGENT_MASKED, "/proc/keys");
	rig_text(&extra, AGENT_MASKED, "/not/there");
	rig_text(&extra, AGENT_MASKED, "/key/below/a/file");
	rig_text(&extra, AGENT_READONLY, "/fixed");
	rig_text(&extra, AGENT_READONLY, "/proc/sys");
	rig_text(&extra, AGENT_READONLY, "/nor/this");
	expect("ls -A /secret; cat /key /proc/keys /fixed/f; (echo >/fixed/f) 2>/dev/null || echo "
	       "ro; (echo >/secret/t) 2>/dev/null || echo ro;"
	       "(echo 1 >/proc/sys/vm/drop_caches) 2>/dev/null || echo ro; stat -c %t:%T /key",
	       "f\nro\nro\nro\n1:3\n");
}

Test(mounts, a_root_that_is_readonly)
{
	static struct rig_spec s;
	const struct agent_root root = {.flags = AGENT_ROOT_READONLY,
					.propagation = MS_SHARED | MS_REC};
	const struct agent_process p = {.flags = AGENT_CREATE_CWD};
	struct rig_session r;

	rig_item(&s, AGENT_ROOT, &root, sizeof(root), 1, "root");
	rig_mount(&s, "/proc", "proc", "proc", 0, 0, "");
	rig_mount(&s, "/tmp", "tmpfs", "tmpfs", 0, 0, "");
	/* The directory that the program is to be in is made before. */
	rig_program(&s, &p, NULL, "/made/here",
		    (const char *[]){
			    "sh", "-c",
			    "pwd; (echo >file) 2>/dev/null || echo ro; echo >/tmp/file; awk '{ "
			    "print $5, $7 ~ /shared/ }' /proc/self/mountinfo",
			    NULL});
	r = rig_run(0, &s, false);
	rig_expect(AGENT_STARTED, 0);
	cr_expect_str_eq(rig_read(&r.out), "/made/here\nro\n/ 1\n/proc 1\n/tmp 1\n");
	rig_expect(AGENT_EXITED, 0);
}

/* A root that leads everything it can to the outside; nothing there may change or be seen. */
Test(mounts, a_root_of_hostile_links)
{
	sh("mkdir -p outside m0; echo secret >outside/file; echo m >m0/m; rmdir root/dev;"
	   "ln -s $PWD/outside root/dev; ln -s ../../../../../..$PWD/outside root/up; ln -s "
	   "/proc/self/root/$PWD/outside root/magic;"
	   "ln -s $PWD/outside/file root/etc/hosts; rmdir root/sys; ln -s /proc/1/root "
	   "root/etc/one; ln -s dangling/a/b root/loose; ln -s ../../gone/file root/etc/gone; "
	   "ln -s $PWD/outside/new root/etc/new");
	file("m1", "hosts\n");
	rig_mount(&extra, "/up/deep", "m0", "", 0, AGENT_MOUNT_BIND, "");
	rig_mount(&extra, "/loose/x", "m0", "", 0, AGENT_MOUNT_BIND, "");
	rig_mount(&extra, "/etc/hosts", "m1", "", 0, AGENT_MOUNT_BIND | AGENT_MOUNT_FILE, "");
	rig_mount(&extra, "/etc/gone", "m1", "", 0, AGENT_MOUNT_BIND | AGENT_MOUNT_FILE, "");
	rig_mount(&extra, "/etc/new", "m1", "", 0, AGENT_MOUNT_BIND | AGENT_MOUNT_FILE, "");
	rig_text(&extra, AGENT_MASKED, "/etc/hosts/../../../../etc/passwd");
	rig_text(&extra, AGENT_READONLY, "/up");
	expect("cat /up/deep/m /dangling/a/b/x/m /etc/hosts /gone/file /etc/new; ls /dev | grep -E "
	       "'deep|file|null'; "
	       "cat /dev/file",
	       "m\nm\nhosts\nhosts\nhosts\ndeep\nfile\nnull\nhosts\n");
	sh("test -f root/gone/file && [ \"$(ls outside)\" = file ] && grep -qx secret "
	   "outside/file");
	/* What was made is inside. */
	sh("test -d root$PWD/outside && test -d root/dangling/a/b/x");
}

Test(mounts, magic_links_lead_nowhere)
{
	sh("ln -s /proc/self/root root/etc/magic");
	rig_mount(&extra, "/etc/magic/tmp/x", "x", "tmpfs", 0, 0, "");
	fails(ELOOP);
}

Test(mounts, proc_at_a_link_is_refused)
{
	static struct rig_spec s;
	const struct agent_root root = {0};

	sh("rmdir root/proc; mkdir root/fake; ln -s fake root/proc");
	rig_item(&s, AGENT_ROOT, &root, sizeof(root), 1, "root");
	rig_mount(&s, "/proc", "proc", "proc", 0, 0, "");
	rig_process(&s, "true");
	rig_fails(&s, AGENT_STEP_MOUNT, ELOOP);
}

Test(mounts, nodes_that_are_something_else)
{
	static struct rig_spec s;
	const struct agent_root root = {0};

	/* No tmpfs covers it: a node does, as where the share takes none. */
	file("root/dev/null", "not a node");
	rig_item(&s, AGENT_ROOT, &root, sizeof(root), 1, "root");
	rig_process(&s, "test -c /dev/null && echo x >/dev/null");
	rig_run(0, &s, false);
	rig_expect(AGENT_STARTED, 0);
	cr_expect_eq(rig_expect(AGENT_EXITED, 0).code, 0);
	sh("grep -q 'not a node' root/dev/null && ! test -e /dev/.container");
}

Test(mounts, a_root_that_is_missing)
{
	static struct rig_spec s;
	const struct agent_root root = {0};

	rig_item(&s, AGENT_ROOT, &root, sizeof(root), 1, "elsewhere");
	rig_process(&s, "true");
	rig_fails(&s, AGENT_STEP_ROOT, ENOENT);
}

Test(mounts, names_and_sysctls)
{
	rig_text(&extra, AGENT_HOSTNAME, "box");
	rig_text(&extra, AGENT_DOMAINNAME, "example");
	rig_item(&extra, AGENT_SYSCTL, NULL, 0, 2, "net.ipv4.ip_forward", "1");
	rig_item(&extra, AGENT_SYSCTL, NULL, 0, 2, "kernel.shmmni", "77");
	rig_item(&extra, AGENT_SYSCTL, NULL, 0, 2, "net/ipv4/conf/lo/forwarding", "1");
	rig_item(&extra, AGENT_SYSCTL, NULL, 0, 2, "net.ipv4.ping_group_range", "0 0");
	expect("hostname; cd /proc/sys; cat kernel/domainname net/ipv4/ip_forward kernel/shmmni "
	       "net/ipv4/ping_group_range",
	       "box\nexample\n1\n77\n0\t0\n");
}

Test(mounts, sysctls_that_are_none)
{
	static const char *const names[] = {"net.nothing", "../kernel/x", "net/../../kernel/shmmni",
					    "a..b", "net.//.x"};
	static struct rig_spec s;
	uint32_t i = 0;

	rig_container(&s);
	rig_item(&s, AGENT_SYSCTL, NULL, 0, 2, "net.ipv4.ip_forward", "1");
	rig_item(&s, AGENT_SYSCTL, NULL, 0, 2, names[i], "1");
	rig_process(&s, "true");
	cr_expect_eq(rig_fails(&s, AGENT_STEP_SYSCTL, ENOENT), 1);
}

Test(mounts, hooks_of_the_start)
{
	const struct agent_hook h = {.nr_args = 3, .nr_env = 1, .timeout_s = 10};

	rig_text(&extra, AGENT_STATE, "{\"id\":\"x\"}");
	rig_item(&extra, AGENT_HOOK, &h, sizeof(h), 5, "/bin/sh", "sh", "-c",
		 "cat >/tmp/state; echo $A $$ >>/tmp/state; mount >/tmp/mounts", "A=b");
	expect("cat /tmp/state; grep -c /proc /tmp/mounts", "{\"id\":\"x\"}b 2\n1\n");
}

static void hook_fails(const char *path, const char *command, uint32_t timeout_s, int code)
{
	static struct rig_spec s;
	const struct agent_hook good = {0}, h = {.nr_args = 3, .timeout_s = timeout_s};

	rig_container(&s);
	rig_item(&s, AGENT_HOOK, &good, sizeof(good), 1, "/bin/true");
	rig_item(&s, AGENT_HOOK, &h, sizeof(h), 4, path, "sh", "-c", command);
	rig_process(&s, "true");
	cr_expect_eq(rig_fails(&s, AGENT_STEP_HOOK, code), 1);
}

Test(mounts, a_hook_that_fails)
{
	hook_fails("/bin/sh", "exit 127", 0, 0);
}

Test(mounts, a_hook_that_is_missing)
{
	hook_fails("/bin/nothing", "", 0, ENOENT);
}

Test(mounts, a_hook_that_takes_too_long)
{
	hook_fails("/bin/sh", "sleep 1000", 1, ETIMEDOUT);
}

/* What vmrun-init reads of /proc is its own guest's, at create and for exec. */
Test(mounts, a_proc_that_someone_made)
{
	sh("mkdir -p outside m0/self/fd m0/1/ns m0/sys m0/self/attr; echo secret >outside/file;"
	   "ln -s /etc m0/1/root; echo mine >m0/filesystems");
	rig_mount(&extra, "/proc", "m0", "", 0, AGENT_MOUNT_BIND, "");
	rig_text(&extra, AGENT_MASKED, "/proc/kcore");
	rig_text(&extra, AGENT_MASKED, "/proc/self/attr");
	rig_text(&extra, AGENT_READONLY, "/proc/sys");
	expect("read x </proc/filesystems; echo $x; cd /proc/self/attr; echo *", "mine\n*\n");
	sh("grep -qx secret outside/file && [ \"$(ls outside)\" = file ]");
}

Test(mounts, masked_paths_of_all_kinds)
{
	sh("mkdir -p outside; echo secret >outside/file; echo x >root/etc/passwd; ln -s etc "
	   "root/link; ln -s / root/slash;"
	   "ln -s ../../../../../..$PWD/outside root/out");
	rig_text(&extra, AGENT_MASKED, "/link/passwd");
	rig_text(&extra, AGENT_MASKED, "/out/file");
	rig_text(&extra, AGENT_MASKED, "/");
	rig_text(&extra, AGENT_MASKED, "/slash");
	expect("wc -c </etc/passwd; ls -d /bin", "0\n/bin\n");
	sh("grep -qx secret outside/file");
}
