/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/machine.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>

#include "devices/core/fmt.h"
#include "devices/core/log.h"
#include "vmm/virtio/vu_others.h"
#include "vmm/virtio/vu_rejoin.h"

/* ---- ends ------------------------------------------------------------------------------- */

void machine_end(struct machine *m, enum end_cause cause, const char *text)
{
	uint64_t one = 1;
	ssize_t rc;

	vcpus_halt(&m->vcpus);
	if (__atomic_exchange_n(&m->end_taken, true, __ATOMIC_ACQ_REL))
		return;
	m->end_cause = cause;
	fmt_into(m->end_text, sizeof(m->end_text), "%s", text);
	do
		rc = write(m->end_fd, &one, sizeof(one));
	while (rc < 0 && errno == EINTR);
}

static void machine_on_end(void *arg, enum end_cause cause, const char *text)
{
	machine_end(arg, cause, text);
}

/*
 * A device that breaks the protocol is lost, and its guest would wait for ever. Only the supervisor can
 * tell whether its process died: we see no more than a socket.
 */
static void machine_device_failed(void *arg, const char *device, const struct err *why)
{
	char text[ERR_MSG_BYTES];

	fmt_into(text, sizeof(text), "device %s: %s", device, why->msg);
	machine_end(arg, END_DEVICE_KILLED, text);
}

/* Likewise, the supervisor finds out whether the device waits for its host or is broken. */
static bool machine_device_late(void *arg, const char *device, unsigned int ms)
{
	struct machine *m = arg;

	return !__atomic_load_n(&m->end_taken, __ATOMIC_ACQUIRE) &&
	       ctl_send(m->control, CTL_LATE, ms, 0, device) == 0;
}

static void machine_device_quiet(void *arg)
{
	struct machine *m = arg;

	if (m->device_quiet)
		m->device_quiet(m);
}

/* The supervisor starts a device's process again when it has died. One that lives has to die for that. */
static void machine_device_away(void *arg, const char *device, const struct err *why UNUSED)
{
	const struct machine_virtio *v = arg;

	if (ctl_send(v->machine->control, CTL_LOST, 0, v->connection, device) < 0)
		return; /* the supervisor is gone: the main thread will notice */
}

static void machine_first_exit(void *arg)
{
	machine_phase(arg, "first-exit");
}

void machine_phase(const struct machine *m, const char *phase)
{
	struct timespec ts;

	if (m->boot.hdr.log_level < LOG_LEVEL_DEBUG)
		return;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	/* Fails if the supervisor is gone; the main thread will notice. */
	if (ctl_send(m->control, CTL_PHASE, 0,
		     (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec, phase) < 0)
		return;
}

/* ---- stages ----------------------------------------------------------------------------- */

int machine_kvm(struct machine *m, struct err *err)
{
	bus_init(&m->bus);
	return vm_create(&m->vm, BOOT_FD_KVM, err);
}

int machine_memory(struct machine *m, struct err *err)
{
	struct arch_range ram[ARCH_RAM_MAX];
	unsigned int nr = arch_ram(m->boot.mem_bytes, ram);
	uint64_t off = 0;
	int rc = loop_init(&m->loop, err);

	if (rc < 0)
		return rc;
	m->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->end_fd < 0)
		return err_set(err, errno, "eventfd");
	for (unsigned int i = 0; rc == 0 && i < nr; i++) {
		rc = gmem_map(&m->mem, BOOT_FD_RAM, off, ram[i].base, ram[i].bytes, 0, err);
		off += ram[i].bytes;
	}
	if (rc < 0)
		return err_wrap(err, "guest RAM");
	/* Best effort: failure is harmless. */
	for (unsigned int i = 0; i < m->mem.nr; i++) {
		madvise(m->mem.region[i].base, m->mem.region[i].bytes, MADV_HUGEPAGE);
		madvise(m->mem.region[i].base, m->mem.region[i].bytes, MADV_DONTDUMP);
	}
	return 0;
}

int machine_vcpus(struct machine *m, struct err *err)
{
	struct vcpus_args args = {
		.nr = m->boot.nr_vcpus,
		.vm = &m->vm,
		.bus = &m->bus,
		.hooks = {.end = machine_on_end,
			  .first_exit = m->boot.hdr.log_level >= LOG_LEVEL_DEBUG
						? machine_first_exit
						: NULL,
			  .arg = m},
	};
	int rc = vcpus_create(&m->vcpus, &args, err);

	return rc == 0 ? vcpus_park(&m->vcpus, err) : rc;
}

static int machine_platform(struct machine *m, struct err *err)
{
	const struct arch_platform_args args = {
		.mem_bytes = m->boot.mem_bytes,
		.nr_vcpus = m->boot.nr_vcpus,
		.mem = &m->mem,
		.vm = &m->vm,
		.bus = &m->bus,
		.pci = &m->pci,
		.loop = &m->loop,
		.end = machine_on_end,
		.arg = m,
	};

	pci_init(&m->pci, &m->bus, arch.pci_window.base, arch.pci_window.bytes);
	return arch_platform_init(&m->platform, &args, err);
}

static int machine_add_serial(struct machine *m, const char *name, int sock, struct err *err)
{
	struct serial_port_args args = {.name = name, .sock = sock, .bus = &m->bus, .vm = &m->vm};
	int rc;

	if (m->has_serial) {
		close(sock);
		return err_text(err, EEXIST, "more than one serial port");
	}
	rc = serial_port_init(&m->serial, &args, err);
	if (rc < 0)
		return rc;
	m->has_serial = true;
	m->serial.hook = (struct device_hook){machine_device_failed, m};
	return serial_port_watch(&m->serial, &m->loop, err);
}

/* A device of ours gets memory in which it notes what is in flight; others may have their own. */
static int machine_let_return(struct machine *m, const struct boot_vmm_device *d,
			      struct vu_frontend_args *args, struct err *err)
{
	const int fd = BOOT_FD_DEVICE + (int)m->boot.nr_devices + (int)(d - m->boot.device);

	m->returns = true;
	args->returns = true;
	args->region.ask = d->flags & BOOT_VMM_OTHERS;
	args->region.base = mmap(NULL, BOOT_INFLIGHT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				 0);
	if (args->region.base == MAP_FAILED)
		return err_set(err, errno, "in-flight memory");
	args->region.fd = fd;
	args->region.area.bytes = BOOT_INFLIGHT_BYTES;
	return 0;
}

static int machine_watch_virtio(struct machine *m, struct machine_virtio *v, struct err *err)
{
	v->machine = m;
	v->pci.hook = (struct device_hook){machine_device_failed, m};
	v->pci.quiet = (struct virtio_pci_quiet){machine_device_quiet, m};
	v->pci.away = (struct device_hook){machine_device_away, v};
	return virtio_pci_watch(&v->pci, &m->loop, err);
}

static int machine_add_virtio(struct machine *m, const struct boot_vmm_device *d, int sock,
			      struct err *err)
{
	struct machine_virtio *v = &m->virtio[m->nr_virtio];
	struct vu_frontend_args args = {
		.name = d->name,
		.sock = sock,
		.ask = {.virtio_id = d->virtio_id,
			.mem = &m->mem,
			.mem_fd = BOOT_FD_RAM,
			.others = d->flags & BOOT_VMM_OTHERS,
			.config = d->config,
			.config_bytes = d->config_bytes},
		.late = {machine_device_late, m},
	};
	struct virtio_pci_args pci = {
		.be = &v->frontend.be,
		.pci = &m->pci,
		.vm = &m->vm,
		.mem = &m->mem,
	};
	int rc = 0;

	if (d->flags & BOOT_VMM_OTHERS) {
		/* The supervisor cannot see what its process does, so it gets a fixed time. */
		args.late_ms = VU_OTHERS_MS;
		args.late.fn = NULL;
	}
	if (d->flags & BOOT_VMM_RETURNS)
		rc = machine_let_return(m, d, &args, err);
	if (rc == 0)
		rc = vu_frontend_init(&v->frontend, &args, err);
	else
		close(sock);
	if (rc == 0)
		rc = virtio_pci_init(&v->pci, &pci, err);
	if (rc < 0)
		return rc;
	m->nr_virtio++;
	return machine_watch_virtio(m, v, err);
}

int machine_devices(struct machine *m, struct err *err)
{
	int rc = machine_platform(m, err);

	if (rc < 0)
		return rc;
	m->virtio = calloc(m->boot.nr_devices + 1, sizeof(*m->virtio));
	if (!m->virtio)
		return err_set(err, ENOMEM, "devices");
	for (uint32_t i = 0; i < m->boot.nr_devices; i++) {
		const struct boot_vmm_device *d = &m->boot.device[i];
		int sock = BOOT_FD_DEVICE + (int)i;

		if (d->bus == BOOT_BUS_SERIAL)
			rc = machine_add_serial(m, d->name, sock, err);
		else
			rc = machine_add_virtio(m, d, sock, err);
		if (rc < 0)
			return err_wrap(err, "device %s", d->name);
	}
	return 0;
}

int machine_slots(struct machine *m, struct err *err)
{
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < m->mem.nr; i++)
		rc = vm_add_memory(&m->vm, i, m->mem.region[i].gpa, m->mem.region[i].bytes,
				   m->mem.region[i].base, err);
	return rc;
}

int machine_load(struct machine *m, struct err *err)
{
	const struct arch_guest guest = {
		.kernel_fd = BOOT_FD_KERNEL,
		.initrd_fd = m->boot.flags & BOOT_VMM_INITRD ? BOOT_FD_INITRD : -1,
		.cmdline = m->boot.cmdline,
		.serial = m->has_serial,
		.vcpu_fd = m->vcpus.vcpu[0].fd,
	};

	return arch_load(m->platform, &guest, err);
}

/* Calls of back-ends need the lock, although the guest does not run yet. */
static int machine_reread_networks(struct machine *m, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&m->bus.lock);
	for (unsigned int i = 0; rc == 0 && i < m->nr_virtio; i++) {
		struct vu_frontend *f = &m->virtio[i].frontend;

		if (f->be.virtio_id != VIRTIO_ID_NET)
			continue;
		rc = vu_frontend_reread(f, err);
		if (rc < 0)
			err_wrap(err, "device %s", f->be.name);
	}
	pthread_mutex_unlock(&m->bus.lock);
	return rc;
}

static struct machine_virtio *machine_find_virtio(struct machine *m, const char *name)
{
	for (unsigned int i = 0; i < m->nr_virtio; i++)
		if (strcmp(m->virtio[i].frontend.be.name, name) == 0)
			return &m->virtio[i];
	return NULL;
}

int machine_device_returns(struct machine *m, const char *name, int sock, uint64_t connection)
{
	struct machine_virtio *v = machine_find_virtio(m, name);
	struct err err = {0};
	enum vu_rejoined rejoined;

	if (!v || !v->frontend.returns) {
		close(sock);
		return -EPROTO;
	}
	loop_del(&m->loop, v->frontend.be.peer_fd);
	v->connection = connection;
	rejoined = vu_rejoin(&v->frontend, sock, &m->bus.lock, &err);
	if (rejoined == VU_REJOINED_LOST) {
		machine_device_away(v, name, &err);
		return 0;
	}
	if (rejoined != VU_REJOINED_REFUSED && virtio_pci_watch_peer(&v->pci, &err) == 0) {
		virtio_pci_returned(&v->pci, rejoined == VU_REJOINED_CHANGED);
		return 0;
	}
	pthread_mutex_lock(&m->bus.lock);
	virtio_pci_fail(&v->pci, &err);
	pthread_mutex_unlock(&m->bus.lock);
	return 0;
}

static void machine_hide(struct machine *m, uint32_t hidden)
{
	for (uint32_t i = 0; i < m->boot.nr_devices; i++) {
		struct machine_virtio *v = machine_find_virtio(m, m->boot.device[i].name);

		if (v && hidden & 1U << i)
			pci_hide_function(&m->pci, &v->pci.fn);
	}
}

int machine_start(struct machine *m, const char *more, uint32_t hidden, struct err *err)
{
	int rc = arch_cmdline(m->platform, m->boot.cmdline, more, err);

	if (rc == 0)
		rc = machine_reread_networks(m, err);
	if (rc < 0)
		return rc;
	machine_hide(m, hidden);
	m->started = true;
	vcpus_release(&m->vcpus);
	return 0;
}
