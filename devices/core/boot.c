/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/core/boot.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "devices/core/fdio.h"
#include "devices/core/fmt.h"
#include "devices/core/log.h"

#define BOOT_PAGE	      4096U
#define BOOT_DEV_FLAGS	      (BOOT_DEV_READONLY | BOOT_DEV_ALONE | BOOT_DEV_RAW_BLK | BOOT_DEV_SQUASH)
#define BOOT_VMM_FLAGS	      BOOT_VMM_INITRD
#define BOOT_VMM_DEVICE_FLAGS (BOOT_VMM_OTHERS | BOOT_VMM_RETURNS)

/* A name is terminated, not empty, and fit to stand in a log line; nothing hides behind its end */
static bool boot_name_ok(const char name[BOOT_NAME_BYTES])
{
	size_t len = strnlen(name, BOOT_NAME_BYTES);

	if (len == 0 || len == BOOT_NAME_BYTES)
		return false;
	for (size_t i = 0; i < BOOT_NAME_BYTES; i++) {
		const bool graphic = fmt_plain(name[i]) && name[i] != ' ';

		if (i < len ? !graphic : name[i] != '\0')
			return false;
	}
	return true;
}

static int boot_bad(struct err *err, const char *what)
{
	return err_text(err, EPROTO, "boot record: %s", what);
}

static int boot_check_hdr(const struct boot_hdr *h, enum boot_kind kind, size_t want, size_t bytes,
			  struct err *err)
{
	if (bytes != want)
		return err_text(err, EPROTO, "boot record: %zu bytes, not %zu", bytes, want);
	if (h->magic != BOOT_MAGIC || h->bytes != want)
		return boot_bad(err, "not a record, or the wrong size");
	if (h->version != BOOT_VERSION)
		return err_text(err, EPROTO, "boot record: version %u, not %d", h->version,
				BOOT_VERSION);
	if (h->kind != kind)
		return boot_bad(err, "for another kind of process");
	if (h->log_level > LOG_LEVEL_DEBUG)
		return boot_bad(err, "log level");
	return 0;
}

static int boot_check_filter(const struct boot_filter *f, struct err *err)
{
	if (f->flags == BOOT_FILTER_NONE && f->count == 0 && f->later == 0)
		return 0;
	if (f->flags != 0 || f->count == 0 || f->count > BOOT_FILTER_MAX ||
	    f->later > BOOT_FILTER_MAX - f->count)
		return err_text(err, EPROTO,
				"boot record: seccomp filter of %u + %u instructions, flags 0x%x",
				f->count, f->later, f->flags);
	return 0;
}

static int boot_check_settings(const struct boot_dev *b, struct err *err)
{
	if (b->settings_bytes > sizeof(b->settings) || b->reserved != 0)
		return err_text(err, EPROTO, "boot record: %u bytes of settings",
				b->settings_bytes);
	for (size_t i = b->settings_bytes; i < sizeof(b->settings); i++) {
		if (b->settings[i] != 0)
			return boot_bad(err, "settings longer than their size");
	}
	return 0;
}

int boot_check_dev(const struct boot_dev *b, size_t bytes, struct err *err)
{
	int rc = boot_check_hdr(&b->hdr, BOOT_KIND_DEVICE, sizeof(*b), bytes, err);

	if (rc < 0)
		return rc;
	if (!boot_name_ok(b->name) || !boot_name_ok(b->type))
		return boot_bad(err, "name or type of the device");
	if (b->flags & ~BOOT_DEV_FLAGS)
		return boot_bad(err, "flags of the device");
	if (b->nr_res > BOOT_RES_MAX || b->nr_queues > BOOT_QUEUES_MAX)
		return boot_bad(err, "number of resources or queues");
	rc = boot_check_settings(b, err);
	return rc == 0 ? boot_check_filter(&b->filter, err) : rc;
}

void boot_set_settings(struct boot_dev *b, const void *settings, size_t bytes)
{
	vr_assert(bytes <= sizeof(b->settings));
	memset(b->settings, 0, sizeof(b->settings));
	memcpy(b->settings, settings, bytes);
	b->settings_bytes = (uint32_t)bytes;
}

int boot_settings(const struct boot_dev *b, void *ret, size_t bytes, struct err *err)
{
	if (bytes != b->settings_bytes)
		return err_text(err, EPROTO, "%s: %u bytes of settings, not %zu", b->name,
				b->settings_bytes, bytes);
	memcpy(ret, b->settings, bytes);
	return 0;
}

static bool boot_config_ok(const struct boot_vmm_device *d)
{
	if (d->flags & ~BOOT_VMM_DEVICE_FLAGS || (d->flags && d->bus != BOOT_BUS_VIRTIO))
		return false;
	if (d->config_bytes > (d->flags & BOOT_VMM_OTHERS ? sizeof(d->config) : 0))
		return false;
	for (size_t i = d->config_bytes; i < sizeof(d->config); i++) {
		if (d->config[i] != 0)
			return false;
	}
	return true;
}

static int boot_check_bus(const struct boot_vmm *b, unsigned int i, struct err *err)
{
	const struct boot_vmm_device *d = &b->device[i];

	if (!boot_name_ok(d->name))
		return err_text(err, EPROTO, "boot record: name of device %u", i);
	if (d->bus != BOOT_BUS_VIRTIO && d->bus != BOOT_BUS_SERIAL)
		return err_text(err, EPROTO, "boot record: bus of device %u", i);
	if ((d->bus == BOOT_BUS_VIRTIO) != (d->virtio_id != 0))
		return err_text(err, EPROTO, "boot record: virtio id of device %u", i);
	if (!boot_config_ok(d))
		return err_text(err, EPROTO, "boot record: configuration of device %u", i);
	for (unsigned int j = 0; j < i; j++) {
		if (strcmp(b->device[j].name, d->name) == 0)
			return err_text(err, EPROTO, "boot record: two devices are %s", d->name);
	}
	return 0;
}

int boot_check_vmm(const struct boot_vmm *b, size_t bytes, struct err *err)
{
	int rc = boot_check_hdr(&b->hdr, BOOT_KIND_VMM, sizeof(*b), bytes, err);

	if (rc < 0)
		return rc;
	if (b->mem_bytes == 0 || b->mem_bytes % BOOT_PAGE != 0 || b->mem_bytes > INT64_MAX)
		return err_text(err, EPROTO, "boot record: %lu bytes of memory", b->mem_bytes);
	if (b->nr_vcpus == 0 || b->nr_vcpus > BOOT_VCPUS_MAX)
		return err_text(err, EPROTO, "boot record: %u vCPUs", b->nr_vcpus);
	if (b->nr_devices > BOOT_DEVICES_MAX)
		return err_text(err, EPROTO, "boot record: %u devices", b->nr_devices);
	if (b->flags & ~BOOT_VMM_FLAGS || b->reserved != 0)
		return boot_bad(err, "flags of the VMM");
	for (unsigned int i = 0; i < b->nr_devices && rc == 0; i++)
		rc = boot_check_bus(b, i, err);
	if (rc < 0)
		return rc;
	if (strnlen(b->cmdline, BOOT_CMDLINE_MAX) == BOOT_CMDLINE_MAX)
		return boot_bad(err, "kernel command line without an end");
	return boot_check_filter(&b->filter, err);
}

int boot_recv_vmm(int control, struct boot_vmm *ret, struct err *err)
{
	ssize_t n = fd_recv_plain(control, ret, sizeof(*ret));

	if (n < 0)
		return err_set(err, (int)-n, "receive the boot record");
	return boot_check_vmm(ret, (size_t)n, err);
}

int boot_recv_dev(int control, struct boot_dev *ret, struct err *err)
{
	ssize_t n = fd_recv_plain(control, ret, sizeof(*ret));

	if (n < 0)
		return err_set(err, (int)-n, "receive the boot record");
	return boot_check_dev(ret, (size_t)n, err);
}

int boot_send(int control, const void *rec, size_t bytes, struct err *err)
{
	int rc = fd_send(control, rec, bytes, NULL, 0);

	return rc < 0 ? err_set(err, -rc, "send the boot record") : 0;
}
