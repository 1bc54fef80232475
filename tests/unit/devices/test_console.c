/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The console: what it is, output and its readers, input and users, the size, the log file, the end
 */
#include <sys/wait.h>

#include "tests/support/console_rig.h"

TestSuite(console, .init = setup, .fini = teardown, .timeout = 120);

static uint64_t count(int fd)
{
	eventfd_t v = 0;

	return eventfd_read(fd, &v) == 0 ? v : 0;
}

Test(console, says_what_it_is)
{
	connect_device(-1);
	cr_assert(features & BIT(SIZE) && features & BIT(EMERG_WRITE));
	cr_assert(!(features & BIT(MULTIPORT)), "without names the size is in configuration space");
	cr_assert_eq(config().cols, 80);
	cr_assert_eq(config().rows, 25);
	cr_assert_eq(config().max_nr_ports, 1);
}

/* ---- output ---- */

Test(console, a_batch_is_one_interrupt)
{
	start();
	for (unsigned int i = 0; i < 32; i++)
		add_pattern(TX, i * 100, 100, i * 100);
	ring_bell(TX);
	expect_pattern(out, 0, 3200);
	settle();
	for (unsigned int i = 0; i < 32; i++)
		cr_assert_eq(take(TX), 0);
	cr_assert_eq(count(call[TX]), 1);
}

Test(console, a_megabyte_arrives_whole)
{
	pid_t reader;
	int status;

	start();
	reader = fork();
	cr_assert(reader >= 0);
	if (reader == 0) {
		expect_pattern(out, 0, 1 << 20);
		_exit(0);
	}
	print_pattern(TX, 0, 1 << 20);
	cr_assert_eq(waitpid(reader, &status, 0), reader);
	cr_assert_eq(status, 0);
}

/* One that never reads delays the guest once, and then loses what it does not read */
Test(console, a_reader_that_reads_nothing_stops_neither_guest_nor_user)
{
	int user, deaf;

	start();
	user = attach("");
	deaf = attach("");
	for (uint64_t at = 0; at < 16 * KEEPS; at += 4096) {
		print_pattern(TX, at, at + 4096);
		expect_pattern(user, at, at + 4096);
	}
	/* It reads again: what its socket had taken, and what the history has. */
	expect_pattern(deaf, 0, 4096);
	for (char buf[4096]; read(deaf, buf, sizeof(buf)) > 0;)
		settle();
	print(TX, "for both");
	expect_text(user, "for both");
	expect_text(deaf, "for both");
	close(out);
}

Test(console, a_user_gets_the_last_64_kib_first)
{
	char buf[4096];
	int user;

	start();
	for (uint64_t at = 0; at < 2000 * 77; at += 77) {
		print_pattern(TX, at, at + 77);
		while (read(out, buf, sizeof(buf)) > 0)
			;
	}
	user = attach("");
	expect_pattern(user, 2000 * 77 - KEEPS, 2000 * 77);
	cr_assert(silent(user));
}

Test(console, emergency_writes_need_no_queue)
{
	const uint32_t c = 'E';

	connect_device(-1);
	vup_config(child.vmm, VUP_SET_CONFIG, 0, 8, 4, &c);
	vup_config(child.vmm, VUP_SET_CONFIG, 0, 0, 4, &c); /* read-only */
	expect_text(out, "E");
	cr_assert(silent(out));
	cr_assert_eq(config().cols, 80);
}

Test(console, a_chain_larger_than_the_history_goes_through)
{
	start();
	add_pattern(TX, 0, 3 * KEEPS, 0);
	ring_bell(TX);
	expect_pattern(out, 0, 3 * KEEPS);
	cr_assert_eq(take(TX), 0);
}

Test(console, the_end_of_the_output_waits_for_its_reader)
{
	start();
	print_pattern(TX, 0, KEEPS + 4096);
	close(child.vmm);
	child.vmm = dup(child.control);
	expect_pattern(out, 0, KEEPS + 4096);
	cr_assert(dev_child_wait(out));
	cr_assert_eq(read(out, &(char){0}, 1), 0, "the device has left");
}

Test(console, a_reader_that_leaves_ends_the_wait)
{
	start();
	print_pattern(TX, 0, KEEPS + 4096);
	close(child.vmm);
	child.vmm = dup(child.control);
	close(out);
}

Test(console, a_ring_that_stops_gives_its_chain_back)
{
	start();
	add_pattern(TX, 0, 5 * KEEPS, 0); /* the pipe takes 64 KiB, the history as much */
	ring_bell(TX);
	cr_assert(nothing_used(TX));
	vup_state(child.vmm, VUP_GET_VRING_BASE, 0, TX, 0);
	cr_assert_eq(answer(VUP_GET_VRING_BASE) >> 32, 1);
	cr_assert_eq(take(TX), 0);
	close(out);
}

/* ---- input ---- */

Test(console, input_waits_for_room)
{
	start();
	cr_assert_eq(write(in, "the quick brown fox", 19), 19);
	cr_assert(nothing_used(RX));
	offer(RX, 1, 9);
	cr_assert_eq(take(RX), 9);
	cr_assert(!memcmp(at(RX_GPA, 9), "the quick", 9));
	offer(RX, 2, 64);
	cr_assert_eq(take(RX), 10);
	cr_assert(!memcmp(at(RX_GPA, 10), " brown fox", 10));
	cr_assert_eq(write(in, "!", 1), 1);
	cr_assert_eq(take(RX), 1);
}

Test(console, all_users_type_and_all_see)
{
	int a, b;

	start();
	offer(RX, 8, 64);
	a = attach("");
	b = attach("");
	cr_assert_eq(write(a, "from a", 6), 6);
	cr_assert_eq(take(RX), 6);
	cr_assert(!memcmp(at(RX_GPA, 6), "from a", 6));
	cr_assert_eq(write(b, "from b", 6), 6);
	cr_assert_eq(take(RX), 6);
	cr_assert(!memcmp(at(RX_GPA + 64, 6), "from b", 6));
	print(TX, "for all");
	expect_text(a, "for all");
	expect_text(b, "for all");
	expect_text(out, "for all");
	close(b);
	print(TX, " and one less");
	expect_text(a, " and one less");
}

Test(console, what_a_user_typed_before_leaving_is_not_lost)
{
	int user;

	start();
	user = attach("");
	cr_assert_eq(write(user, "last words", 10), 10);
	close(user);
	settle();
	offer(RX, 1, 64);
	cr_assert_eq(take(RX), 10);
	cr_assert(!memcmp(at(RX_GPA, 10), "last words", 10));
}

Test(console, users_come_and_go_and_have_a_limit)
{
	int user[8], sv[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);

	start();
	for (unsigned int i = 0; i < 100; i++)
		close(attach(""));
	for (unsigned int i = 0; i < 8; i++)
		user[i] = attach("");
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	cr_assert_eq(request(CTL_CONSOLE_ATTACH, 0, "", sv[1]), EBUSY);
	close(user[3]);
	settle();
	cr_assert_eq(request(CTL_CONSOLE_ATTACH, 0, "no such port", sv[1]), ENOENT);
	cr_assert_eq(request(CTL_CONSOLE_ATTACH, 0, "", null), EINVAL);
	cr_assert_eq(request(CTL_CONSOLE_ATTACH, 0, "", sv[1]), 0);
	print(TX, "x");
	expect_text(sv[0], "x");
}

/* ---- the size ---- */

Test(console, a_new_size_is_in_configuration_space)
{
	int channel[2];
	struct vup_msg m;

	connect_device(-1);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), 0);
	vup_send(child.vmm, VUP_SET_BACKEND_REQ_FD, 0, NULL, 0, &channel[1], 1);
	start_rings(2);
	cr_assert_eq(request(CTL_CONSOLE_SIZE, 132 << 16 | 50, "", -1), 0);
	cr_assert(dev_child_wait(channel[0]) && vup_recv(channel[0], &m));
	cr_assert_eq(m.request, VUP_BACKEND_CONFIG_CHANGE);
	cr_assert_eq(config().cols, 132);
	cr_assert_eq(config().rows, 50);
	cr_assert_eq(request(CTL_CONSOLE_SIZE, 1ULL << 32, "", -1), EINVAL);
	cr_assert_eq(config().cols, 132);
}

/* ---- the log file ---- */

static int log_file(char path[])
{
	const int fd = mkostemp(path, O_CLOEXEC | O_APPEND);

	cr_assert_geq(fd, 0);
	return fd;
}

Test(console, a_log_file_has_everything_up_to_its_cap_and_a_new_one_the_rest)
{
	char first[] = "/var/tmp/vmrun-test-console-XXXXXX",
	     second[] = "/var/tmp/vmrun-test-console-XXXXXX";
	const int a = log_file(first), b = log_file(second);
	char buf[32] = "";

	unlink(first);
	unlink(second);
	cr_assert_eq(write(a, "before ", 7), 7);
	settings.log_bytes = 20;
	connect_device(a);
	start_rings(2);
	print(TX, "0123456789");
	print(TX, "0123456789"); /* three of these */
	print(TX, "lost");
	expect_text(out, "01234567890123456789lost");
	settle();
	cr_assert_eq(pread(a, buf, sizeof(buf), 0), 20);
	cr_assert(!memcmp(buf, "before 0123456789012", 20));
	cr_assert_eq(request(CTL_CONSOLE_LOG, 0, "", b), 0);
	print(TX, "found");
	settle();
	cr_assert_eq(pread(b, buf, sizeof(buf), 0), 5);
	cr_assert(!memcmp(buf, "found", 5));
	cr_assert_eq(pread(a, buf, sizeof(buf), 0), 20);
	cr_assert_eq(request(CTL_CONSOLE_LOG, 0, "", in), EINVAL, "not a file");
}

Test(console, without_a_log_file_none_is_taken)
{
	start();
	cr_assert_eq(request(CTL_CONSOLE_LOG, 0, "", in), EINVAL);
}

/* ---- records ---- */

Test(console_record, bad_ones_are_refused)
{
	static struct device d;
	static struct loop loop;
	struct err err;

	cr_assert_eq(loop_init(&loop, &(struct err){0}), 0);
	for (unsigned int i = 0; i < 7; i++) {
		record(2);
		if (i == 0)
			rec.nr_res = 1;
		if (i == 1)
			settings.log_bytes = 1; /* which is no resource */
		if (i == 2)
			settings.nr_ports = 0;
		if (i == 3)
			settings.nr_ports = CONSOLE_PORTS_MAX + 1;
		if (i == 4)
			memset(settings.name[1], 'x', CONSOLE_NAME_BYTES);
		if (i == 5)
			settings.name[1][0] = '\0';
		if (i == 6)
			rec.nr_queues = 4;
		boot_set_settings(&rec, &settings, sizeof(settings));
		cr_assert_eq(device_init(&d, &console_device, &loop, &(struct err){0}), 0);
		cr_assert_eq(console_device.init(&d, &rec, &err), -EINVAL, "case %u", i);
		cr_expect_eq(strstr(err.msg, " ports") != NULL, i == 2 || i == 3, "%s", err.msg);
		device_done(&d);
	}
	rec.settings_bytes--;
	cr_assert_eq(device_init(&d, &console_device, &loop, &(struct err){0}), 0);
	cr_assert_eq(console_device.init(&d, &rec, &(struct err){0}), -EPROTO);
}
