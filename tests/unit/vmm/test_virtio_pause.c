/* SPDX-License-Identifier: BSD-3-Clause */
/* A transport whose rings are taken back for a pause and given again; the stub holds it to the contract. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/virtio_pci.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/stub_backend.h"
#include "vmm/kvm.h"
#include "vmm/virtio/pci.h"
#include "vmm/virtio/virtio_pause.h"
#include "vmm/virtio/virtio_pci.h"

#include "tests/support/virtio_pci_rig.h"

static unsigned int quiet_calls;
static struct loop loop;
static int device; /* its end of the socket */

static void on_quiet(void *arg UNUSED)
{
	quiet_calls++;
}

static void setup_pause(void)
{
	struct err err;
	int pair[2];

	setup();
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	stub.be.peer_fd = pair[0];
	device = pair[1];
	cr_assert_eq(loop_init(&loop, &err), 0);
	cr_assert_eq(virtio_pci_watch(&v, &loop, &err), 0, "%s", err.msg);
	v.quiet.fn = on_quiet;
}

TestSuite(virtio_pause, .init = setup_pause);

/* The device says something, and the loop has its turn */
static void device_answers(void)
{
	char byte;

	cr_assert_eq(write(device, "x", 1), 1);
	cr_assert_eq(loop_once(&loop, 0, &(struct err){0}), 0);
	cr_assert_eq(read(stub.be.peer_fd, &byte, 1), 1);
}

Test(virtio_pause, the_rings_come_back)
{
	start();
	virtio_pause_begin(&v);
	cr_assert(virtio_pause_is_quiet(&v));
	cr_expect(!stub.running && stub.stops == 1);
	virtio_pause_end(&v);
	cr_expect(stub.running && stub.starts == 1 && stub.resumes == 1);
	cr_expect_eq(rd(STATUS, 1), RUNS, "the driver notices nothing");
	wr(STATUS, 1, 0);
	start();
	cr_expect_eq(stub.starts, 2);
}

Test(virtio_pause, a_device_without_a_driver_is_quiet)
{
	virtio_pause_begin(&v);
	cr_expect(virtio_pause_is_quiet(&v));
	virtio_pause_end(&v);
	cr_expect(stub.starts == 0 && stub.stops == 0 && stub.resumes == 0);
	start();
	cr_expect_eq(stub.starts, 1);
}

Test(virtio_pause, a_slow_device_is_waited_for_by_the_loop)
{
	start();
	stub.slow = 2;
	virtio_pause_begin(&v);
	cr_assert(!virtio_pause_is_quiet(&v));
	device_answers();
	cr_assert(!virtio_pause_is_quiet(&v));
	cr_expect_eq(quiet_calls, 0);
	device_answers();
	cr_assert(virtio_pause_is_quiet(&v));
	cr_expect_eq(quiet_calls, 1);
	device_answers();
	cr_expect_eq(quiet_calls, 1, "no pause waits");
	virtio_pause_end(&v);
	cr_expect(stub.running && stub.resumes == 1);
}

Test(virtio_pause, a_pause_that_is_given_up)
{
	start();
	stub.slow = 2;
	virtio_pause_begin(&v);
	virtio_pause_end(&v);
	cr_expect(stub.running && stub.resumes == 0, "it still has them");
	device_answers();
	cr_expect_eq(stub.resumes, 0);
	device_answers();
	cr_expect(stub.running && stub.resumes == 1 && stub.stops == 1);
	cr_expect_eq(quiet_calls, 1);
}

Test(virtio_pause, and_is_taken_up_again)
{
	start();
	stub.slow = 2;
	virtio_pause_begin(&v);
	virtio_pause_end(&v);
	virtio_pause_begin(&v);
	device_answers();
	device_answers();
	cr_expect(virtio_pause_is_quiet(&v) && !stub.running && stub.resumes == 0);
	virtio_pause_end(&v);
	cr_expect_eq(stub.resumes, 1);
}

/* The vCPUs run again; the driver meets a device that has not given its rings back yet */
Test(virtio_pause, the_drivers_access_waits)
{
	start();
	stub.slow = 3;
	virtio_pause_begin(&v);
	virtio_pause_end(&v);
	wr(STATUS, 1, 0);
	cr_expect_eq(rd(STATUS, 1), 0);
	cr_expect(!stub.running && stub.resumes == 1 && stub.stops == 2);
	start();
	cr_expect_eq(stub.starts, 2);
}

Test(virtio_pause, a_reset_goes_on_after_a_pause)
{
	for (unsigned int slow = 3; slow < 6; slow++) {
		const unsigned int stops = stub.stops, starts = stub.starts;

		start();
		stub.slow = slow;
		wr(STATUS, 1, 0);
		virtio_pause_begin(&v);
		while (!virtio_pause_is_quiet(&v))
			device_answers();
		cr_expect(!stub.running);
		virtio_pause_end(&v);
		cr_expect(!stub.running, "the driver gave it up");
		cr_expect_eq(rd(STATUS, 1), 0);
		cr_expect(stub.stops == stops + 1 && stub.starts == starts + 1);
		cr_expect_eq(stub.resumes, 0);
	}
}

Test(virtio_pause, a_device_that_fails)
{
	start();
	stub.fail = -EIO;
	virtio_pause_begin(&v);
	cr_expect(virtio_pause_is_quiet(&v) && v.dead);
	cr_expect_eq(hook_calls, 1);
	virtio_pause_end(&v);
	cr_expect_eq(rd(STATUS, 1), RUNS | NEEDS);
}

/* It died with its rings, and comes back with another connection */
Test(virtio_pause, a_device_that_is_away)
{
	start();
	stub.slow = 1;
	virtio_pause_begin(&v);
	cr_assert(!virtio_pause_is_quiet(&v));
	stub.returns = true;
	close(device);
	cr_assert_eq(loop_once(&loop, 0, &(struct err){0}), 0);
	cr_expect(virtio_pause_is_quiet(&v));
	cr_expect_eq(quiet_calls, 1);
	virtio_pause_end(&v);
	cr_expect_eq(stub.resumes, 1);
}
