/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: `vmrun device fs`, the program itself, between two front-ends one after the other
 */
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/support/fs_rig.h"
#include "tests/support/temp_dir.h"

#define ROOT FUSE_ROOT_ID

TestSuite(device_fs, .init = temp_dir_make, .fini = temp_dir_remove);

/* The program that was built with this test */
static void find_vmrun(char *ret, size_t size)
{
	char self[PATH_MAX] = "";
	char *dir = self;

	cr_assert_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
	for (unsigned int i = 0; i < 4; i++) /* tests/unit/vmrun/test */
		dir = dirname(dir);
	snprintf(ret, size, "%s/bin/vmrun", dir);
}

static pid_t start(const struct sockaddr_un *at)
{
	char vmrun[PATH_MAX + 16];
	pid_t pid;

	find_vmrun(vmrun, sizeof(vmrun));
	pid = fork();
	if (pid == 0) {
		execl(vmrun, "vmrun", "device", "fs", "--socket", at->sun_path, "--source",
		      "/dev/shm", "--readonly", (char *)NULL);
		_exit(127);
	}
	cr_assert_gt(pid, 0);
	return pid;
}

/* A front-end that comes: FUSE works from here on */
static void come(const struct sockaddr_un *at, pid_t pid)
{
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	while (connect(sock, (const struct sockaddr *)at, sizeof(*at)) < 0) {
		cr_assert_eq(waitpid(pid, NULL, WNOHANG), 0, "it ended");
		usleep(10000);
	}
	rig.child.vmm = sock;
	dev_rig_meet(&rig, 0);
	dev_rig_ring(&rig, 0, 64);
	dev_rig_ring(&rig, 1, 64);
}

/* What a guest had is not the next one's, which has not even said hello */
Test(device_fs, the_next_guest_has_nothing_of_the_last)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const struct fuse_getattr_in get = {0};
	uint64_t dir;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		cr_skip("without root not every host lets a jail be made");
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/sock", temp_dir);
	pid = start(&at);
	come(&at, pid);
	cr_assert_eq(fs_hello(~0ULL).error, 0);
	cr_assert_eq(fs_open(FUSE_OPENDIR, ROOT, O_RDONLY, &dir), 0);
	cr_assert_eq(fs_read(FUSE_READDIR, ROOT, dir, 0, 4096).error, 0);
	close(rig.child.vmm);
	come(&at, pid);
	cr_expect_eq(fs_ask(FUSE_GETATTR, ROOT, 128, FS_ARG(get), FS_END).error, -EIO);
	cr_expect_eq(fs_read(FUSE_READDIR, ROOT, dir, 0, 4096).error, -EIO);
	cr_expect_eq(fs_hello(~0ULL).error, 0);
	cr_expect_eq(fs_read(FUSE_READDIR, ROOT, dir, 0, 4096).error, -EBADF);
	close(rig.child.vmm);
	kill(pid, SIGTERM);
	cr_assert(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
