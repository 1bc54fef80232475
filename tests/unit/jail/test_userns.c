/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "runtime/jail/userns.h"
#include "runtime/util/file.h"

#define LAST (USERNS_HOST_BASE + USERNS_HOST_COUNT - 1)

Test(userns, maps_of_any_shape)
{
	static const struct {
		const char *map;
		uint32_t id;
		bool in;
	} table[] = {
		{"         0          0 4294967295\n", LAST, true},
		{"         0          0 4294967295\n", 0, true},
		{"0 1000 1\n", LAST, false},
		{"0 1000 1\n", 0, true},
		{"0 1000 1\n1 100000 65536\n", LAST, false},
		{"0 1000 1\n1 100000 65536\n", 65536, true},
		{"0 1000 1\n1 100000 65536\n", 65537, false},
		{"0 0 10\n2147483646 5 1\n", LAST, true},
		{"2147483647 5 1000\n0 0 2147483646\n", LAST, false},
		{"4294967294 0 1\n", 4294967294U, true},
		{"", 0, false},
		{"\n\n", 0, false},
		{"rubbish", 0, false},
		{"1", 1, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		cr_expect_eq(userns_map_has(table[i].map, table[i].id, 1), table[i].in, "'%s' %u",
			     table[i].map, table[i].id);
}

Test(userns, a_line_has_ids_or_not)
{
	static const char map[] = "0 1000 1\n1 100000 65536\n";

	cr_expect(userns_map_has(map, 1, 65536));
	cr_expect(!userns_map_has(map, 1, 65537));
	cr_expect(!userns_map_has(map, 0, 2), "the kernel takes no range from two lines");
	cr_expect(!userns_map_has(map, 65536, UINT64_MAX));
}

/* What is written for a guest's map; the process's own id is 5 outside */
static const char *text_of(const char *words, bool exclusive, bool several, uint32_t *ret_own)
{
	static char text[USERNS_MAP_BYTES];
	struct userns_ids ids = {.exclusive = exclusive, .several = several, .guests = true};
	struct id_map m = {0};
	struct err err;

	if (words)
		cr_assert_eq(id_map_parse(&m, words, "here", &err), 0, "%s", err.msg);
	ids.uids = words ? &m : NULL;
	cr_assert_eq(userns_map_text(&ids, ids.uids, "uid_map", 5, text, &err), 0, "%s", err.msg);
	*ret_own = userns_map_own(&ids, ids.uids, 5);
	id_map_done(&m);
	return text;
}

Test(userns, others_than_ones_own)
{
	cr_expect(userns_map_has_others("0 1000 1\n1 100000 65536\n", 0));
	cr_expect(userns_map_has_others("0 0 2\n", 0));
	cr_expect(userns_map_has_others("1 0 1\n", 0));
	cr_expect(!userns_map_has_others("0 1000 1\n", 0));
	cr_expect(!userns_map_has_others("", 0));
}

/* Rootless podman: its user namespace has the caller's subordinate ids. */
Test(userns, the_map_of_a_caller_who_has_several_ids)
{
	cleanup_free char *have = NULL;
	uint64_t count = USERNS_HOST_BASE;
	char wanted[64];
	uint32_t own;

	cr_assert_eq(file_read_all("/proc/self/uid_map", &have), 0);
	if (!userns_map_has(have, 0, count))
		cr_skip_test("this user namespace has few ids");
	snprintf(wanted, sizeof(wanted), "0 0 %lu\n", count);
	cr_expect_str_eq(text_of(NULL, false, true, &own), wanted);
	cr_expect_eq(own, 5, "as itself");
}

Test(userns, a_guests_map)
{
	uint32_t own;

	cr_expect_str_eq(text_of(NULL, false, false, &own), "0 5 1\n");
	cr_expect_eq(own, 0);
	cr_expect_str_eq(text_of("0 100000 65536", true, true, &own),
			 "1879048192 5 1\n0 100000 65536\n");
	cr_expect_eq(own, USERNS_GUESTS_ID);
	/* The process is one of the guest's users: the kernel takes no id twice. */
	cr_expect_str_eq(text_of("1000 5 1", false, false, &own), "1000 5 1\n");
	cr_expect_eq(own, 1000);
	cr_expect_str_eq(text_of("0 0 10,10 20 5", false, false, &own), "0 0 10\n10 20 5\n");
	cr_expect_eq(own, 5);
}

/* In another process, so that a number is held by each at the same time */
static uid_t choose_elsewhere(int ns, const int hold[2])
{
	int out[2];
	struct userns_ids ids = {0};
	struct err err;
	uid_t uid = 0;

	cr_assert_eq(pipe(out), 0);
	if (fork() == 0) {
		close(hold[1]);
		if (unshare(ns) < 0 || (ns && fork() != 0))
			_exit(0);
		if (userns_choose(&ids, &err) == 0 && write(out[1], &ids.uid, sizeof(uid)) < 0)
			_exit(1);
		(void)!read(hold[0], &uid, 1);
		_exit(0);
	}
	close(out[1]);
	cr_assert_eq(read(out[0], &uid, sizeof(uid)), sizeof(uid));
	close(out[0]);
	return uid;
}

/* Where pids tell nothing: in pid namespaces of their own. */
Test(userns, no_two_vms_have_one_uid)
{
	struct userns_ids ids = {0};
	int hold[2];
	uid_t uid[6];
	struct err err;

	cr_assert_eq(userns_choose(&ids, &err), 0, "%s", err.msg);
	if (!ids.exclusive)
		cr_skip_test("may not choose uids here");
	cr_assert_eq(pipe(hold), 0);
	for (size_t i = 0; i < ARRAY_SIZE(uid); i++) {
		uid[i] = choose_elsewhere(i % 2 ? CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET : 0,
					  hold);
		cr_expect(uid[i] >= USERNS_HOST_BASE && uid[i] <= LAST, "%u", uid[i]);
		cr_expect_neq(uid[i], ids.uid);
		for (size_t n = 0; n < i; n++)
			cr_expect_neq(uid[i], uid[n]);
	}
	cr_expect_eq(ids.gid, ids.uid);
	close(hold[1]);
	while (wait(NULL) > 0)
		;
}

static void drop_cap(cap_value_t cap)
{
	cap_t caps = cap_get_proc();

	cr_assert_eq(cap_set_flag(caps, CAP_EFFECTIVE, 1, &cap, CAP_CLEAR), 0);
	cr_assert_eq(cap_set_proc(caps), 0);
	cap_free(caps);
}

Test(userns, without_the_capabilities_it_is_the_callers_own)
{
	static const cap_value_t needed[] = {CAP_SETUID, CAP_SETGID};
	struct userns_ids ids = {0};
	struct err err;

	if (geteuid() != 0)
		cr_skip_test("needs root, to have something to drop");
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		drop_cap(needed[i]);
		cr_expect_eq(userns_choose(&ids, &err), 0, "%s", err.msg);
		cr_expect(!ids.exclusive && ids.uid == 0 && ids.gid == 0);
	}
	drop_cap(CAP_SETFCAP);
	cr_expect_eq(userns_choose(&ids, &err), 0, "%s", err.msg);
	cr_expect(!ids.exclusive && ids.uid == USERNS_NONE && ids.gid == 0);
}

/* A child in a user namespace of its own gets the ids that were chosen, as from jail_spawn(). Without
 * criterion's words, which only know one process. */
static bool usable_with(const struct userns_ids *with)
{
	struct userns_ids ids = {0};
	int status, r = -1;
	struct err err;
	pid_t pid;

	if (userns_choose(&ids, &err) < 0)
		return false;
	ids.guests = with->guests;
	ids.uids = with->uids;
	ids.gids = with->gids;
	if (userns_map_allowed(&ids, &err) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) < 0)
			_exit(2);
		raise(SIGSTOP);
		_exit(userns_become(&ids) < 0);
	}
	if (waitpid(pid, &status, WUNTRACED) != pid)
		return false;
	if (WIFSTOPPED(status)) {
		r = userns_write_maps(pid, &ids, &err);
		kill(pid, SIGCONT);
		waitpid(pid, &status, 0);
	}
	return r == 0 && status == 0;
}

static bool usable(void)
{
	return usable_with(&(struct userns_ids){0});
}

/* Whether a guest's map is allowed, and then taken by the kernel */
static bool usable_for(const char *words)
{
	struct id_map m;
	struct err err;
	bool is;

	cr_assert_eq(id_map_parse(&m, words, "here", &err), 0, "%s", err.msg);
	is = usable_with(&(struct userns_ids){.guests = true, .uids = &m, .gids = &m});
	id_map_done(&m);
	return is;
}

static void write_map(pid_t pid, const char *file, const char *map)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY);
	cr_assert_eq(write(fd, map, strlen(map)), (ssize_t)strlen(map), "%s", path);
	close(fd);
}

/* Root of user namespaces as unshare -r, rootless podman and others make them */
Test(userns, is_usable_by_the_root_of_any_user_namespace)
{
	static const struct {
		const char *uid, *gid;
	} maps[] = {
		{"0 1000 1\n", "0 1000 1\n"},
		{"0 0 1\n", "0 0 1\n"},
		{"0 1000 1\n1 100000 65536\n", "0 1000 1\n1 100000 65536\n"},
		{"0 100000 1000000000\n", "0 100000 1000000000\n"},
		{"0 0 4294967294\n", "0 0 4294967294\n"},
		{"0 0 4294967294\n", "0 5 1\n"},
		{"0 5 1\n", "0 0 4294967294\n"},
		{"0 0 9\n2147483647 1000 1\n", "0 0 9\n2147483647 1000 1\n"},
		{"0 0 9\n1879048192 1000 2\n", "0 0 9\n1879048192 1000 2\n"},
		{"1000 7 3\n0 3 1\n", "0 3 1\n"},
	};

	if (geteuid() != 0)
		cr_skip_test("needs root, to write such maps");
	cr_expect(usable());
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			if (unshare(CLONE_NEWUSER) < 0)
				_exit(2);
			raise(SIGSTOP);
			/* as after an exec */
			_exit(setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 ||
			      prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 || !usable());
		}
		cr_assert_eq(waitpid(pid, &status, WUNTRACED), pid);
		write_map(pid, "uid_map", maps[i].uid);
		write_map(pid, "gid_map", maps[i].gid);
		kill(pid, SIGCONT);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_expect_eq(status, 0, "%s", maps[i].uid);
	}
	drop_cap(CAP_SETUID);
	cr_expect(usable(), "without CAP_SETUID");
	drop_cap(CAP_SETFCAP);
	cr_expect(usable(), "without CAP_SETFCAP");
}

/* The largest map has numbers of ten digits throughout. */
static const char *largest(void)
{
	static char words[ID_MAP_MAX * 36];
	size_t len = 0;

	for (unsigned int i = 0; i < ID_MAP_MAX; i++)
		len += (size_t)sprintf(words + len, "%s%lu %lu 1000000", i ? "," : "",
				       2200000000 + i * 2000000UL, 3200000000 + i * 2000000UL);
	return words;
}

Test(userns, maps_of_a_guest_are_taken_by_the_kernel)
{
	if (geteuid() != 0)
		cr_skip_test("needs root, to map ids of others");
	cr_expect(usable_for("0 0 65536"));
	cr_expect(usable_for("0 100000 65536"));
	cr_expect(usable_for("0 1000 1,1 100000 65536,70000 0 1"));
	cr_expect(usable_for("0 2147483647 65536"));
	cr_expect(usable_for(largest()));
	drop_cap(CAP_SETFCAP);
	cr_expect(usable_for("0 100000 65536"));
	cr_expect(!usable_for("0 0 65536"), "without CAP_SETFCAP");
}

Test(userns, without_privilege_only_the_callers_own_id_is_mapped)
{
	if (geteuid() != 0)
		cr_skip_test("needs root, to become another");
	cr_assert(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
	cr_expect(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 && usable_for("0 1000 1"));
	cr_expect(usable_for("33 1000 1"));
	cr_expect(!usable_for("0 1001 1"));
	cr_expect(!usable_for("0 1000 2"));
	cr_expect(!usable_for("0 1000 1,1 100000 65536"));
}

Test(userns, ids_that_a_namespace_lacks_are_refused)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		cr_skip_test("needs root, to write such maps");
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) < 0)
			_exit(2);
		raise(SIGSTOP);
		if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 ||
		    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
			_exit(2);
		/* as rootless podman's: its root is one of the guest's users, or none of them */
		_exit(!usable_for("0 0 1,1 1 65536") || !usable_for("0 1 65536") ||
		      usable_for("0 0 65538") || usable_for("0 65536 2"));
	}
	cr_assert_eq(waitpid(pid, &status, WUNTRACED), pid);
	write_map(pid, "uid_map", "0 1000 1\n1 100000 65536\n");
	write_map(pid, "gid_map", "0 1000 1\n1 100000 65536\n");
	kill(pid, SIGCONT);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
}
