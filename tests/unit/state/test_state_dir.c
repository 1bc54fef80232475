/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "runtime/state/state.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/supervisor/destroy.h"
#include "tests/support/temp_dir.h"

#define NOBODY 65534

static char *const root = temp_dir;

TestSuite(state_dir, .init = temp_dir_make, .fini = temp_dir_remove, .timeout = 60);

static const char *path_of(const char *below)
{
	static char path[4][128];
	static unsigned int next;
	char *ret = path[next++ % ARRAY_SIZE(path)];

	snprintf(ret, sizeof(path[0]), "%s%s", root, below);
	return ret;
}

/* A VM that stopped, or whose supervisor is dead when @status says otherwise; @victim is on its list */
static void make_vm(enum state_status status, pid_t victim)
{
	struct state *s = calloc(1, sizeof(*s));
	int dir, lock;
	struct err err;

	strcpy(s->id, "vm");
	s->status = status;
	s->supervisor = (struct process){1, 1};
	s->bundle = strdup("/b");
	s->rootfs = strdup("");
	s->nr_procs = victim ? 1 : 0;
	strcpy(s->proc[0].name, "vmm");
	s->proc[0].process = (struct process){victim, victim ? process_identify(victim) : 0};
	cr_assert_eq(state_reserve(root, "vm", &dir, &lock, &err), 0, "%s", err.msg);
	cr_assert_eq(state_save(dir, s, &err), 0, "%s", err.msg);
	state_free(s);
	close(dir);
	close(lock);
}

static enum state_status load(int *ret_r)
{
	enum state_status status = STATE_STATUSES;
	struct state *s = NULL;
	int dir = -1;
	struct err err;

	*ret_r = state_open(root, "vm", &dir, &err);
	if (*ret_r == 0)
		*ret_r = state_load(dir, &s, &err);
	if (*ret_r == 0)
		status = s->status;
	state_free(s);
	if (dir >= 0)
		close(dir);
	return status;
}

/* What is changed, and what opening and loading the VM says then */
static const struct {
	const char *below;
	uid_t uid;
	mode_t mode;
	int rc;
} owners[] = {
	{"", 0, 0700, 0},
	{"", 0, 0755, 0},
	{"", 0, 01777, 0}, /* others may add what is theirs */
	{"", 0, 0777, -EACCES},
	{"", 0, 0770, -EACCES},
	{"", NOBODY, 0755, -EPERM},
	{"", NOBODY, 01777, -EPERM},
	{"/vm", 0, 0755, 0},
	{"/vm", 0, 0720, -EACCES},
	{"/vm", 0, 0702, -EACCES},
	{"/vm", 0, 01777, -EACCES},
	{"/vm", NOBODY, 0700, -EPERM},
	{"/vm/state.json", 0, 0644, 0},
	{"/vm/state.json", NOBODY, 0600, -EPERM},
	{"/vm/state.json", 0, 0666, -EPERM},
};

Test(state_dir, of_another_user_is_not_trusted)
{
	int rc;

	if (geteuid() != 0)
		cr_skip_test("needs root, to give files away");
	make_vm(STATE_STOPPED, 0);
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		const char *path = path_of(owners[i].below);
		struct stat before;

		cr_assert_eq(stat(path, &before), 0);
		cr_assert_eq(chown(path, owners[i].uid, (gid_t)-1), 0);
		cr_assert_eq(chmod(path, owners[i].mode), 0);
		cr_expect_eq(load(&rc) == STATE_STOPPED, owners[i].rc == 0, "%s", path);
		cr_expect_eq(rc, owners[i].rc, "%s %u %o: %d", path, owners[i].uid, owners[i].mode,
			     rc);
		cr_assert_eq(chown(path, before.st_uid, (gid_t)-1), 0);
		cr_assert_eq(chmod(path, before.st_mode & 07777), 0);
	}
}

/* Both the root and the VM's directory; nothing that is written there is done. */
Test(state_dir, of_another_user_kills_no_process)
{
	static const char *const below[] = {"", "/vm"};
	struct err err;
	pid_t pid;
	int dir = -1, lock;

	if (geteuid() != 0)
		cr_skip_test("needs root, to give files away");
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	make_vm(STATE_STOPPED, pid);
	for (size_t i = 0; i < ARRAY_SIZE(below); i++) {
		cr_assert_eq(chown(path_of(below[i]), NOBODY, NOBODY), 0);
		for (int force = 0; force < 2; force++) {
			cr_expect_eq(destroy(root, "vm", force, NULL, &err), -EPERM);
			cr_expect(strstr(err.msg, "belongs to uid 65534, and you are uid 0: be "
						  "that user"),
				  "%s", err.msg);
		}
		cr_expect_eq(state_check_unused(root, "vm", &err), -EPERM);
		cr_expect_eq(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOHANG), 0);
		cr_expect_neq(process_identify(pid), 0);
		cr_assert_eq(chown(path_of(below[i]), 0, 0), 0);
	}
	cr_assert_eq(chown(root, NOBODY, NOBODY), 0);
	cr_expect_eq(state_reserve(root, "other", &dir, &lock, &err), -EPERM);
	cr_expect(access(path_of("/other"), F_OK) < 0);
	cr_assert_eq(chown(root, 0, 0), 0);
	cr_expect_eq(destroy(root, "vm", false, NULL, &err), 0, "%s", err.msg);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

/* A link on the way to the root is an administrator's; one in it is a stranger's. */
Test(state_dir, links_lead_to_the_root_and_no_further)
{
	char link[64];
	int dir = -1;
	struct err err;

	make_vm(STATE_STOPPED, 0);
	snprintf(link, sizeof(link), "%s.link", root);
	cr_assert_eq(symlink(root, link), 0);
	cr_expect_eq(state_open(link, "vm", &dir, &err), 0, "%s", err.msg);
	cr_assert_eq(unlink(link), 0);
	cr_assert_eq(symlink("vm", path_of("/other")), 0);
	cr_expect_eq(state_open(root, "other", &dir, &err), -ENOENT);
	cr_assert_eq(rename(path_of("/vm/state.json"), path_of("/elsewhere")), 0);
	cr_assert_eq(symlink("../elsewhere", path_of("/vm/state.json")), 0);
	cr_expect_eq(state_load(dir, &(struct state *){NULL}, &err), -EINVAL);
	cr_expect_str_eq(err.msg, "state.json: no regular file");
}

Test(state_dir, a_new_directory_of_that_name_is_not_removed)
{
	int dir, lock;
	struct err err;

	make_vm(STATE_STOPPED, 0);
	cr_assert_eq(state_open(root, "vm", &dir, &err), 0);
	cr_assert_eq(rename(path_of("/vm"), path_of("/old")), 0);
	cr_assert_eq(mkdir(path_of("/vm"), 0700), 0);
	cr_assert_eq(state_lock(dir, &lock), 0);
	cr_expect_eq(state_remove(root, "vm", dir, &err), 0, "%s", err.msg);
	cr_expect_eq(access(path_of("/vm"), F_OK), 0);
}

static void make_socket(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(sun.sun_path, path, sizeof(sun.sun_path) - 1);
	cr_assert_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
}

static void make_large(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	cr_assert_eq(ftruncate(fd, 1LL << 40), 0);
	close(fd);
}

static void make_fifo(const char *path)
{
	cr_assert_eq(mkfifo(path, 0600), 0);
}

static void make_device(const char *path)
{
	if (mknod(path, S_IFCHR | 0600, makedev(5, 2)) < 0) /* ptmx: opening it makes a terminal */
		make_fifo(path);
}

static void make_dir(const char *path)
{
	cr_assert_eq(mkdir(path, 0700), 0);
}

static void make_loop(const char *path)
{
	cr_assert_eq(symlink("state.json", path), 0);
}

static void (*const oddities[])(const char *path) = {make_fifo,	  make_dir,  make_device,
						     make_socket, make_loop, make_large};

Test(state_dir, what_is_not_a_file_neither_blocks_nor_stays)
{
	static const char *const files[] = {"/vm/state.json", "/vm/state.json.new",
					    "/vm/config.json.new", "/vm/control"};
	struct err err;
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(oddities); i++) {
		for (size_t n = 0; n < ARRAY_SIZE(files); n++) {
			make_vm(STATE_RUNNING, 0);
			(void)unlink(path_of(files[n]));
			oddities[i](path_of(files[n]));
			load(&rc);
			cr_expect_eq(rc < 0, n == 0, "%zu %s", i, files[n]);
			cr_expect_eq(destroy(root, "vm", true, NULL, &err), 0, "%zu %s: %s", i,
				     files[n], err.msg);
			cr_expect(access(path_of("/vm"), F_OK) < 0, "%zu %s", i, files[n]);
		}
	}
}

Test(state_dir, a_lock_that_is_not_a_file_is_no_lock)
{
	struct err err;
	int dir, lock;

	for (size_t i = 0; i < ARRAY_SIZE(oddities) - 1; i++) {
		cr_assert_eq(mkdir(path_of("/vm"), 0700), 0);
		oddities[i](path_of("/vm/lock"));
		cr_assert_eq(state_open(root, "vm", &dir, &err), 0);
		cr_expect_eq(state_lock(dir, &lock), -EINVAL);
		cr_expect_eq(state_locked(dir), -EINVAL);
		close(dir);
		cr_expect_eq(destroy(root, "vm", true, NULL, &err), 0, "%s", err.msg);
		cr_assert(unlink(path_of("/vm/lock")) == 0 || rmdir(path_of("/vm/lock")) == 0);
		cr_assert_eq(rmdir(path_of("/vm")), 0);
	}
}

#define READERS 4
#define LOADS	1500

static pid_t read_often(int until)
{
	const pid_t pid = fork();
	char byte;
	int rc;

	if (pid)
		return pid;
	for (int i = 0; until < 0 ? i < LOADS : recv(until, &byte, 1, MSG_DONTWAIT) < 0; i++)
		if (load(&rc) != STATE_STOPPED && until < 0)
			_exit(1);
	_exit(0);
}

static int failures(const pid_t *pid)
{
	int bad = 0, status;

	for (int i = 0; i < READERS; i++)
		bad += waitpid(pid[i], &status, 0) != pid[i] || status != 0;
	return bad;
}

Test(state_dir, readers_disturb_neither_each_other_nor_delete)
{
	int dir, lock, end[2], refused = 0;
	pid_t pid[READERS];
	struct err err;

	make_vm(STATE_RUNNING, 0); /* the lock is free: its supervisor was killed */
	for (int i = 0; i < READERS; i++)
		pid[i] = read_often(-1);
	cr_expect_eq(failures(pid), 0, "a reader saw another one and took it for the VM");
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, end), 0);
	for (int i = 0; i < READERS; i++)
		pid[i] = read_often(end[0]);
	cr_assert_eq(state_open(root, "vm", &dir, &err), 0);
	for (int i = 0; i < LOADS; i++) {
		lock = -1;
		refused += state_lock(dir, &lock) < 0;
		if (lock >= 0)
			close(lock);
	}
	cr_expect_eq(refused, 0, "delete was kept from the lock %d times", refused);
	cr_expect_eq(destroy(root, "vm", false, NULL, &err), 0, "%s", err.msg);
	cr_assert_eq(shutdown(end[1], SHUT_RDWR), 0);
	cr_expect_eq(failures(pid), 0);
}

#define RESERVES 1000

static bool has_lock(int lock)
{
	struct stat ours, there;

	return fstat(lock, &ours) == 0 && stat(path_of("/vm/lock"), &there) == 0 &&
	       ours.st_ino == there.st_ino;
}

/* Other creates and deletes of the name may make a create fail; they never take what it has */
static NORETURN void reserve_often(void)
{
	int dir = -1, lock = -1;
	struct err err;

	for (int i = 0; i < RESERVES; i++) {
		const int rc = state_reserve(root, "vm", &dir, &lock, &err);

		if (rc == -EEXIST || rc == -EINTR)
			continue;
		if (rc < 0 || !has_lock(lock) || sched_yield() < 0 || !has_lock(lock)) {
			dprintf(STDERR_FILENO, "%d: %s\n", rc, rc < 0 ? err.msg : "lock lost");
			_exit(1);
		}
		(void)!state_remove(root, "vm", dir, &err);
		close(dir);
		close(lock);
	}
	_exit(0);
}

static NORETURN void delete_often(int until)
{
	struct err ignored;
	char byte;

	while (recv(until, &byte, 1, MSG_DONTWAIT) < 0)
		(void)!destroy(root, "vm", true, NULL, &ignored);
	_exit(0);
}

Test(state_dir, no_create_and_no_delete_takes_what_create_has)
{
	pid_t makes[READERS], deletes[READERS];
	int end[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, end), 0);
	for (int i = 0; i < READERS; i++) {
		makes[i] = fork();
		if (makes[i] == 0)
			reserve_often();
		deletes[i] = fork();
		if (deletes[i] == 0)
			delete_often(end[0]);
	}
	cr_expect_eq(failures(makes), 0);
	cr_assert_eq(shutdown(end[1], SHUT_RDWR), 0);
	cr_expect_eq(failures(deletes), 0);
	cr_expect(access(path_of("/vm"), F_OK) < 0);
}
