/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "devices/core/fdio.h"
#include "devices/core/serial_msg.h"
#include "tests/support/dev_child.h"

extern const struct device_ops serial_device;

static struct dev_child child;
static int in, out;
static bool running;

/* ---- the VMM's end ---- */

static void start_on(int res_in, int res_out)
{
	static struct boot_dev rec = {.name = "serial0", .type = "serial", .nr_res = 2};
	const int res[] = {res_in, res_out};

	cr_assert(dev_child_start(&child, &serial_device, &rec, res, "serial_device"));
	close(res_in);
	close(res_out);
	running = true;
}

/* On a pipe of one page each way */
static void setup(void)
{
	int input[2], output[2];

	cr_assert(pipe2(input, O_CLOEXEC | O_NONBLOCK) == 0 &&
		  pipe2(output, O_CLOEXEC | O_NONBLOCK) == 0);
	in = input[1];
	out = output[0];
	cr_assert_gt(fcntl(out, F_SETPIPE_SZ, 4096), 0);
	start_on(input[0], output[1]);
}

static void teardown(void)
{
	if (running)
		cr_assert_eq(dev_child_stop(&child), 0, "the device did not end well");
	running = false;
}

static void restart_on(int res_in, int res_out)
{
	teardown();
	start_on(res_in, res_out);
}

TestSuite(serial, .init = setup, .fini = teardown, .timeout = 120);

static int null_fd(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static void say(uint8_t op, uint8_t room, const void *data, size_t len)
{
	struct serial_msg m = {.op = op, .room = room, .len = (uint16_t)len};

	if (len > 0)
		memcpy(m.data, data, len);
	cr_assert_eq(fd_send(child.vmm, &m, SERIAL_HEAD_BYTES + len, NULL, 0), 0);
}

static void print(const char *text)
{
	say(SERIAL_OUT, 0, text, strlen(text));
}

static bool silent(void)
{
	return recv(child.vmm, &(char){0}, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
}

static struct serial_msg next(void)
{
	struct serial_msg m;
	ssize_t n;

	cr_assert(dev_child_wait(child.vmm), "the device says nothing");
	n = recv(child.vmm, &m, sizeof(m), 0);
	cr_assert_eq(n, (ssize_t)SERIAL_HEAD_BYTES + m.len);
	cr_assert_eq(m.room, 0);
	return m;
}

static void expect_done(void)
{
	struct serial_msg m = next();

	cr_assert(m.op == SERIAL_DONE && m.len == 0);
}

static void expect_in(const char *text)
{
	struct serial_msg m;

	/* Of several messages of output some may have been written by now. */
	do
		m = next();
	while (m.op == SERIAL_DONE);
	cr_assert_eq(m.op, SERIAL_IN);
	cr_assert_eq(m.len, strlen(text), "%.*s came", m.len, m.data);
	cr_assert_arr_eq(m.data, text, m.len);
}

static void expect_text(int fd, const char *text)
{
	char buf[256];
	size_t len = strlen(text);

	cr_assert(dev_child_wait(fd), "no output");
	cr_assert_eq(fd_read_full(fd, buf, len), 0);
	cr_assert(!memcmp(buf, text, len), "output is %.*s", (int)len, buf);
}

/* @bytes of a pattern, in messages as large as they may be */
static void print_pattern(unsigned int bytes)
{
	uint8_t buf[SERIAL_OUT_MAX];

	for (unsigned int i = 0; i < bytes;) {
		unsigned int n = 0;

		while (n < sizeof(buf) && i < bytes)
			buf[n++] = (uint8_t)(i++ * 7);
		say(SERIAL_OUT, 0, buf, n);
	}
}

static void expect_pattern(int fd, unsigned int bytes)
{
	for (unsigned int got = 0; got < bytes;) {
		uint8_t buf[1024];
		ssize_t n;

		cr_assert(dev_child_wait(fd), "%u of %u bytes came", got, bytes);
		n = read(fd, buf, bytes - got < sizeof(buf) ? bytes - got : sizeof(buf));
		cr_assert_gt(n, 0, "%u of %u bytes came", got, bytes);
		for (ssize_t i = 0; i < n; i++, got++)
			cr_assert_eq(buf[i], (uint8_t)(got * 7), "byte %u", got);
	}
}

/* ---- output ---- */

Test(serial, prints)
{
	print("hello, world\r\n");
	expect_done();
	expect_text(out, "hello, world\r\n");
	print("again");
	expect_done();
	expect_text(out, "again");
}

Test(serial, a_full_sink_is_waited_for)
{
	print_pattern(SERIAL_OUT_MAX);
	expect_done();
	print("the end");
	say(SERIAL_ROOM, 16, NULL, 0);
	cr_assert_eq(write(in, "key", 3), 3);
	expect_in("key"); /* that it cannot write stops nothing else */
	cr_assert(silent());
	expect_pattern(out, SERIAL_OUT_MAX);
	expect_done();
	expect_text(out, "the end");
}

Test(serial, what_the_vmm_left_waits_for_its_reader_when_the_vmm_is_gone)
{
	print_pattern(SERIAL_OUT_MAX + SERIAL_HELD_MAX);
	close(child.vmm);
	child.vmm = -1;
	expect_pattern(out, SERIAL_OUT_MAX + SERIAL_HELD_MAX);
	cr_assert(dev_child_wait(out));
	cr_assert_eq(read(out, &(char){0}, 1), 0, "the device has left");
}

/* A VMM that dies with an answer unread resets the connection; the reset arrives before the data it left. */
Test(serial, what_a_vmm_left_that_died_is_written_too)
{
	print_pattern(SERIAL_OUT_MAX);
	cr_assert(dev_child_wait(child.vmm));
	print("the end");
	close(child.vmm);
	child.vmm = -1;
	expect_pattern(out, SERIAL_OUT_MAX);
	expect_text(out, "the end");
}

Test(serial, a_reader_that_leaves_ends_the_wait)
{
	print_pattern(SERIAL_OUT_MAX + SERIAL_HELD_MAX);
	close(child.vmm);
	child.vmm = -1;
	close(out);
	teardown();
}

Test(serial, a_sink_without_reader_swallows_until_there_is_another)
{
	char path[] = "/var/tmp/vmrun-test-serial-XXXXXX";
	int reader;

	cr_assert(mkdtemp(path));
	cr_assert_eq(chdir(path), 0);
	cr_assert_eq(mkfifo("fifo", 0600), 0);
	reader = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	restart_on(null_fd(), open("fifo", O_WRONLY | O_NONBLOCK | O_CLOEXEC));
	close(reader);
	for (int i = 0; i < 100; i++) {
		print("lost output");
		expect_done();
	}
	reader = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	unlink("fifo");
	cr_assert_eq(chdir("/"), 0);
	rmdir(path);
	print("and this is heard");
	expect_done();
	expect_text(reader, "and this is heard");
}

Test(serial, a_file_on_a_full_disk_is_written_again_when_there_is_room)
{
	char path[] = "/var/tmp/vmrun-test-serial-XXXXXX", name[64], buf[16] = "";
	int file, fill;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
		cr_skip_test("making a full disk needs root");
	cr_assert(mkdtemp(path));
	cr_assert_eq(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	cr_assert_eq(mount("none", path, "tmpfs", 0, "size=64k"), 0);
	snprintf(name, sizeof(name), "%s/out", path);
	file = open(name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	snprintf(name, sizeof(name), "%s/fill", path);
	fill = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	for (int i = 0; i < 64; i++)
		(void)!write(fill, name, sizeof(name)), lseek(fill, 4096 - 64, SEEK_CUR);
	restart_on(null_fd(), dup(file));
	for (int i = 0; i < 100; i++) {
		print("does not fit");
		expect_done();
	}
	cr_assert_eq(ftruncate(fill, 0), 0);
	cr_assert_eq(ftruncate(file, 0), 0);
	print("fits");
	expect_done();
	cr_assert_eq(pread(file, buf, sizeof(buf), 0), 4);
	cr_assert_str_eq(buf, "fits");
	umount(path);
	rmdir(path);
}

Test(serial, a_socket_is_a_sink_and_a_source)
{
	int sv[2], size = 4096;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	cr_assert_eq(setsockopt(sv[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	restart_on(dup(sv[1]), sv[1]);
	for (int i = 0; i < 16; i++)
		print_pattern(SERIAL_OUT_MAX);
	say(SERIAL_ROOM, 4, NULL, 0);
	cr_assert_eq(write(sv[0], "keys", 4), 4);
	expect_in("keys"); /* though it cannot have written all of it */
	for (int i = 0; i < 16; i++)
		expect_pattern(sv[0], SERIAL_OUT_MAX);
	expect_done();
	print("more");
	expect_done();
	expect_text(sv[0], "more");
	close(sv[0]);
	print("its reader has gone");
	expect_done();
}

/* As a terminal that Ctrl-S has stopped, and as one whose window hangs and is closed then */
Test(serial, a_terminal_may_be_stopped_and_go_away)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), tty;
	struct termios t;

	cr_assert(master >= 0 && unlockpt(master) == 0);
	tty = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK);
	cr_assert_eq(tcgetattr(tty, &t), 0);
	cfmakeraw(&t);
	cr_assert_eq(tcsetattr(tty, TCSANOW, &t), 0);
	cr_assert_eq(tcflow(tty, TCOOFF), 0);
	restart_on(dup(tty), dup(tty));
	print("stopped");
	say(SERIAL_ROOM, 16, NULL, 0);
	cr_assert_eq(write(master, "k", 1), 1);
	expect_in("k");
	cr_assert(silent());
	cr_assert_eq(tcflow(tty, TCOON), 0);
	close(tty);
	expect_done();
	expect_text(master, "stopped");
	print_pattern(SERIAL_OUT_MAX + SERIAL_HELD_MAX);
	say(SERIAL_ROOM, 16, NULL, 0);
	close(master);
	expect_done();
	print("hung up");
	expect_done();
}

Test(serial, a_file_takes_output_and_null_gives_no_input)
{
	char path[] = "/var/tmp/vmrun-test-serial-XXXXXX", buf[2] = "";
	int file = mkostemp(path, O_CLOEXEC);
	int keep = dup(file);

	unlink(path);
	restart_on(null_fd(), file);
	say(SERIAL_ROOM, 16, NULL, 0);
	print("ok");
	expect_done();
	cr_assert(silent());
	cr_assert_eq(pread(keep, buf, 2, 0), 2);
	cr_assert(!memcmp(buf, "ok", 2));
}

/* ---- input ---- */

Test(serial, input_comes_as_there_is_room)
{
	cr_assert_eq(write(in, "the quick brown fox", 19), 19);
	print("nothing is asked for");
	expect_done();
	cr_assert(silent());
	say(SERIAL_ROOM, 9, NULL, 0);
	expect_in("the quick");
	say(SERIAL_ROOM, 16, NULL, 0);
	expect_in(" brown fox");
	say(SERIAL_ROOM, 16, NULL, 0);
	cr_assert_eq(write(in, "!", 1), 1);
	expect_in("!");
}

Test(serial, a_fifo_may_have_one_writer_after_the_other)
{
	char path[] = "/var/tmp/vmrun-test-serial-XXXXXX";
	int writer;

	cr_assert(mkdtemp(path));
	cr_assert_eq(chdir(path), 0);
	cr_assert_eq(mkfifo("fifo", 0600), 0);
	restart_on(open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC), null_fd());
	for (int i = 0; i < 3; i++) {
		say(SERIAL_ROOM, 16, NULL, 0);
		print("without a writer nothing is read");
		expect_done();
		cr_assert(silent());
		writer = open("fifo", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		cr_assert_eq(write(writer, "key", 3), 3);
		close(writer);
		expect_in("key");
	}
	unlink("fifo");
	cr_assert_eq(chdir("/"), 0);
	rmdir(path);
}

Test(serial, the_end_of_input_is_not_the_end)
{
	say(SERIAL_ROOM, 16, NULL, 0);
	cr_assert_eq(write(in, "z", 1), 1);
	close(in);
	expect_in("z");
	say(SERIAL_ROOM, 16, NULL, 0);
	print("!");
	expect_done();
	expect_text(out, "!");
}

Test(serial, input_from_a_file)
{
	char path[] = "/var/tmp/vmrun-test-serial-XXXXXX";
	int file = mkostemp(path, O_CLOEXEC);

	unlink(path);
	cr_assert_eq(write(file, "0123456789abcdefghij", 20), 20);
	lseek(file, 0, SEEK_SET);
	restart_on(file, null_fd());
	say(SERIAL_ROOM, 16, NULL, 0);
	expect_in("0123456789abcdef");
	say(SERIAL_ROOM, 16, NULL, 0);
	expect_in("ghij");
	say(SERIAL_ROOM, 16, NULL, 0);
	print("!");
	expect_done();
	cr_assert(silent());
}

/* ---- the protocol ---- */

struct bad_msg {
	uint8_t op, room;
	uint16_t len;
	size_t bytes;
	unsigned int nr_fds;
};

Test(serial, anything_else_ends_the_device)
{
	static const struct bad_msg bad[] = {
		{0, 0, 0, 4, 0},
		{5, 0, 0, 4, 0},
		{SERIAL_OUT, 0, 0, 4, 0},
		{SERIAL_OUT, 0, 1, 4, 0},
		{SERIAL_OUT, 0, 1, 6, 0},
		{SERIAL_OUT, 1, 1, 5, 0},
		{SERIAL_OUT, 0, 1, 5, 1},
		{SERIAL_OUT, 0, 0xffff, 4100, 0},
		{SERIAL_ROOM, 0, 0, 4, 0},
		{SERIAL_ROOM, 17, 0, 4, 0},
		{SERIAL_ROOM, 16, 1, 5, 0},
		{SERIAL_ROOM, 16, 0, 3, 0},
		{SERIAL_DONE, 0, 0, 4, 0},
		{SERIAL_IN, 0, 1, 5, 0},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct serial_msg m = {.op = bad[i].op, .room = bad[i].room, .len = bad[i].len};

		cr_assert_eq(fd_send(child.vmm, &m, bad[i].bytes, &out, bad[i].nr_fds), 0);
		cr_assert(dev_child_wait(child.vmm), "row %u", i);
		cr_assert_leq(recv(child.vmm, &m, 1, 0), 0, "row %u was answered", i);
		teardown();
		setup();
	}
}

Test(serial, more_than_the_vmm_may_hold_ends_the_device)
{
	struct serial_msg m = {.op = SERIAL_OUT, .len = SERIAL_OUT_MAX};

	print_pattern(SERIAL_OUT_MAX);
	expect_done();
	for (unsigned int i = 0; i < 2 + SERIAL_HELD_MAX / SERIAL_OUT_MAX; i++) {
		cr_assert(silent(), "ended after %u", i);
		cr_assert_eq(fd_send(child.vmm, &m, sizeof(m), NULL, 0), 0);
	}
	cr_assert(dev_child_wait(child.vmm));
	cr_assert_leq(recv(child.vmm, &m, sizeof(m), 0), 0);
}

Test(serial, room_is_told_once)
{
	say(SERIAL_ROOM, 16, NULL, 0);
	say(SERIAL_ROOM, 16, NULL, 0);
	cr_assert(dev_child_wait(child.vmm));
	cr_assert_leq(recv(child.vmm, &(char){0}, 1, 0), 0);
}

Test(serial_init, refuses_records_that_are_not_its_own)
{
	static const struct boot_dev bad[] = {
		{.name = "serial0", .nr_res = 1},
		{.name = "serial0", .nr_res = 3},
		{.name = "serial0", .nr_res = 2, .settings_bytes = 4},
		{.name = "serial0", .nr_res = 2, .flags = BOOT_DEV_ALONE},
	};
	static struct device d;
	struct err err;

	cr_assert_eq(device_init(&d, &serial_device, NULL, &err), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(serial_device.init(&d, &bad[i], &err), -EINVAL, "record %u", i);
	device_done(&d);
}
