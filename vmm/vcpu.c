/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/vcpu.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "devices/core/fmt.h"
#include "vmm/arch.h"

#define VCPU_STACK_BYTES  (64U << 10)
#define VCPU_GUARD_BYTES  4096U
#define VCPU_KICK_SIGNAL  SIGUSR1
#define VCPU_STOP_WAITS	  100 /* of VCPU_STOP_WAIT_NS each */
#define VCPU_STOP_WAIT_NS 10000000L

enum vcpus_state { VCPUS_PARKED, VCPUS_RUNNING, VCPUS_PAUSED, VCPUS_STOPPED };

/* ---- waiting ---------------------------------------------------------------------------- */

static void vcpu_futex_wait(uint32_t *word, uint32_t value, const struct timespec *timeout)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout, NULL, 0);
}

static void vcpu_futex_wake_all(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static uint32_t vcpu_load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* Waits outside the guest while the state stays @state. */
static void vcpu_wait(struct vcpus *s, uint32_t state)
{
	__atomic_add_fetch(&s->waiting, 1, __ATOMIC_ACQ_REL);
	vcpu_futex_wake_all(&s->waiting);
	while (vcpu_load(&s->state) == state)
		vcpu_futex_wait(&s->state, state, NULL);
	__atomic_sub_fetch(&s->waiting, 1, __ATOMIC_ACQ_REL);
}

/* ---- exits ------------------------------------------------------------------------------ */

static void vcpu_end(struct vcpu *v, enum end_cause cause, const char *text)
{
	vcpus_halt(v->set);
	v->set->hooks.end(v->set->hooks.arg, cause, text);
}

/* Ends the VM for a reason of KVM's: @what, @number and the program counter become the text. */
static void vcpu_kvm_error(struct vcpu *v, const char *what, uint64_t number)
{
	char text[ERR_MSG_BYTES];

	fmt_into(text, sizeof(text), "vcpu%u: %s 0x%llx at %s 0x%llx", v->id, what,
		 (unsigned long long)number, arch.pc, (unsigned long long)arch_vcpu_pc(v->fd));
	vcpu_end(v, END_KVM_ERROR, text);
}

static void vcpu_mmio(struct vcpu *v)
{
	struct kvm_run *run = v->run;

	bus_access(v->set->bus, BUS_MMIO, run->mmio.is_write, run->mmio.phys_addr, run->mmio.data,
		   run->mmio.len);
}

static void vcpu_internal_error(struct vcpu *v)
{
	vcpu_kvm_error(v, "KVM internal error, suberror", v->run->internal.suberror);
}

static void vcpu_fail_entry(struct vcpu *v)
{
	vcpu_kvm_error(v, "KVM cannot enter the guest, hardware reason",
		       v->run->fail_entry.hardware_entry_failure_reason);
}

static void vcpu_nothing(struct vcpu *v UNUSED)
{
}

static void (*const vcpu_exits[])(struct vcpu *v) = {
	[KVM_EXIT_MMIO] = vcpu_mmio,
	[KVM_EXIT_INTR] = vcpu_nothing,
	[KVM_EXIT_INTERNAL_ERROR] = vcpu_internal_error,
	[KVM_EXIT_FAIL_ENTRY] = vcpu_fail_entry,
};

/* Handles an exit of the architecture's own; false if it is none */
static bool vcpu_arch_exit(struct vcpu *v)
{
	struct arch_exit e = {0};

	if (!arch_exit(v->run, &e))
		return false;
	/* A pause waits for the whole instruction. */
	for (unsigned int i = 0; i < e.nr && vcpu_load(&v->set->state) != VCPUS_STOPPED; i++)
		bus_access(v->set->bus, e.space, e.write, e.addr, e.data + (size_t)i * e.len,
			   e.len);
	if (e.cause != END_NONE)
		vcpu_end(v, e.cause, e.text);
	return true;
}

static void vcpu_exit(struct vcpu *v)
{
	uint32_t reason = v->run->exit_reason;

	if (reason < ARRAY_SIZE(vcpu_exits) && vcpu_exits[reason])
		vcpu_exits[reason](v);
	else if (!vcpu_arch_exit(v))
		vcpu_kvm_error(v, "unknown KVM exit", reason);
}

/* ---- the thread ------------------------------------------------------------------------- */

/* Runs the guest until the vCPUs are paused or stopped */
static void vcpu_loop(struct vcpu *v)
{
	while (vcpu_load(&v->set->state) == VCPUS_RUNNING) {
		int rc = ioctl(v->fd, KVM_RUN, 0);

		/* EAGAIN: a vCPU that was not started yet has been woken. */
		if (rc < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (rc < 0) {
			vcpu_kvm_error(v, "KVM_RUN failed with error", (uint64_t)errno);
			return;
		}
		if (v->tell_first)
			v->set->hooks.first_exit(v->set->hooks.arg);
		v->tell_first = false;
		vcpu_exit(v);
	}
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *v = arg;
	char name[16];

	fmt_into(name, sizeof(name), "vcpu%u", v->id);
	prctl(PR_SET_NAME, name);
	v->tid = (int)syscall(SYS_gettid);
	v->tell_first = v->id == 0 && v->set->hooks.first_exit;
	vcpu_wait(v->set, VCPUS_PARKED);
	for (;;) { /* to exit, a thread would need system calls that nothing else needs */
		vcpu_loop(v);
		vcpu_wait(v->set, VCPUS_PAUSED);
		vcpu_wait(v->set, VCPUS_STOPPED);
	}
	return NULL;
}

static void vcpu_on_kick(int sig UNUSED)
{
}

/* ---- the set ---------------------------------------------------------------------------- */

int vcpus_create(struct vcpus *s, const struct vcpus_args *args, struct err *err)
{
	int fd[BOOT_VCPUS_MAX];
	struct arch_vcpus all = {args->vm->kvm_fd, args->vm->vm_fd, args->nr, fd};

	vr_assert(args->nr > 0 && args->nr <= BOOT_VCPUS_MAX);
	*s = (struct vcpus){
		.vm = args->vm, .bus = args->bus, .hooks = args->hooks, .state = VCPUS_PARKED};
	for (unsigned int i = 0; i < args->nr; i++) {
		struct vcpu *v = &s->vcpu[i];

		*v = (struct vcpu){.set = s, .id = i, .fd = -1};
		v->fd = ioctl(s->vm->vm_fd, KVM_CREATE_VCPU, (unsigned long)i);
		if (v->fd < 0)
			return err_set(err, errno, "KVM_CREATE_VCPU %u", i);
		s->nr++;
		v->run = mmap(NULL, s->vm->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
		if (v->run == MAP_FAILED) {
			v->run = NULL;
			return err_set(err, errno, "map vCPU %u", i);
		}
		fd[i] = v->fd;
	}
	return arch_vcpus_init(&all, err);
}

static int vcpu_start(struct vcpu *v, uint8_t *stack, struct err *err)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	if (mprotect(stack, VCPU_STACK_BYTES, PROT_READ | PROT_WRITE) < 0)
		return err_set(err, errno, "stack of vCPU %u", v->id);
	rc = pthread_attr_init(&attr);
	if (rc == 0)
		rc = pthread_attr_setstack(&attr, stack, VCPU_STACK_BYTES);
	if (rc == 0)
		rc = pthread_create(&thread, &attr, vcpu_thread, v);
	if (rc != 0)
		return err_set(err, rc, "thread of vCPU %u", v->id);
	return 0;
}

int vcpus_park(struct vcpus *s, struct err *err)
{
	/* No SA_RESTART: KVM_RUN must return. */
	struct sigaction kick = {.sa_handler = vcpu_on_kick};
	size_t each = VCPU_GUARD_BYTES + VCPU_STACK_BYTES;
	sigset_t unblock;
	void *stacks = mmap(NULL, each * s->nr, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (stacks == MAP_FAILED)
		return err_set(err, errno, "vCPU stacks");
	s->stacks = stacks;
	s->pid = getpid();
	/* Our parent may have blocked it; the threads inherit the mask. */
	sigemptyset(&unblock);
	sigaddset(&unblock, VCPU_KICK_SIGNAL);
	if (sigaction(VCPU_KICK_SIGNAL, &kick, NULL) < 0 ||
	    sigprocmask(SIG_UNBLOCK, &unblock, NULL) < 0)
		return err_set(err, errno, "signal that stops vCPUs");
	for (unsigned int i = 0; i < s->nr; i++) {
		int rc = vcpu_start(&s->vcpu[i], s->stacks + i * each + VCPU_GUARD_BYTES, err);

		if (rc < 0)
			return rc;
	}
	for (;;) {
		uint32_t waiting = vcpu_load(&s->waiting);

		if (waiting == s->nr)
			return 0;
		vcpu_futex_wait(&s->waiting, waiting, NULL);
	}
}

static bool vcpu_change(struct vcpus *s, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&s->state, &from, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

void vcpus_release(struct vcpus *s)
{
	if (vcpu_change(s, VCPUS_PARKED, VCPUS_RUNNING))
		vcpu_futex_wake_all(&s->state);
}

void vcpus_halt(struct vcpus *s)
{
	__atomic_store_n(&s->state, VCPUS_STOPPED, __ATOMIC_RELEASE);
}

static void vcpu_set_immediate_exit(struct vcpus *s, uint8_t value)
{
	for (unsigned int i = 0; i < s->nr; i++)
		__atomic_store_n(&s->vcpu[i].run->immediate_exit, value, __ATOMIC_RELEASE);
}

/* Interrupts the vCPUs, whose state is no longer RUNNING, and waits a second for their threads */
static bool vcpu_leave_all(struct vcpus *s)
{
	struct timespec wait = {.tv_nsec = VCPU_STOP_WAIT_NS};

	/* KVM checks immediate_exit right before it enters the guest, so no signal is lost. */
	vcpu_set_immediate_exit(s, 1);
	for (unsigned int i = 0; i < s->nr; i++)
		syscall(SYS_tgkill, s->pid, s->vcpu[i].tid, VCPU_KICK_SIGNAL);
	for (unsigned int i = 0; i < VCPU_STOP_WAITS; i++) {
		uint32_t waiting = vcpu_load(&s->waiting);

		if (waiting == s->nr)
			return true;
		vcpu_futex_wait(&s->waiting, waiting, &wait);
	}
	return false;
}

bool vcpus_stop(struct vcpus *s)
{
	vcpus_halt(s);
	vcpu_futex_wake_all(&s->state);
	return vcpu_leave_all(s);
}

bool vcpus_pause(struct vcpus *s)
{
	if (!vcpu_change(s, VCPUS_RUNNING, VCPUS_PAUSED))
		return false;
	if (vcpu_leave_all(s))
		return true;
	vcpus_resume(s);
	return false;
}

void vcpus_resume(struct vcpus *s)
{
	for (unsigned int i = 0; i < s->nr; i++)
		arch_vcpu_resume(s->vcpu[i].fd);
	vcpu_set_immediate_exit(s, 0);
	if (vcpu_change(s, VCPUS_PAUSED, VCPUS_RUNNING))
		vcpu_futex_wake_all(&s->state);
}

void vcpus_done(struct vcpus *s)
{
	vr_assert(!s->stacks);
	for (unsigned int i = 0; i < s->nr; i++) {
		if (s->vcpu[i].run)
			munmap(s->vcpu[i].run, s->vm->run_bytes);
		close(s->vcpu[i].fd);
	}
	s->nr = 0;
}
