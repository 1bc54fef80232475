/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/jail/boot_record.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"

static struct boot_hdr boot_record_header(enum boot_kind kind, size_t bytes, enum log_level level)
{
	return (struct boot_hdr){
		.magic = BOOT_MAGIC,
		.version = BOOT_VERSION,
		.kind = (uint16_t)kind,
		.bytes = (uint32_t)bytes,
		.log_level = level,
	};
}

static int boot_record_fill_filter(struct boot_filter *f, const struct program *program,
				   const char *name, struct err *err)
{
	if (program->unconfined) {
		f->flags = BOOT_FILTER_NONE;
		return 0;
	}
	f->count = program->nr_insns;
	f->later = program->nr_later;
	if (f->count == 0 || f->count > BOOT_FILTER_MAX || f->later > BOOT_FILTER_MAX - f->count)
		return err_text(err, EINVAL, "%s: policies of %u + %u instructions", name, f->count,
				f->later);
	memcpy(f->insn, program->insn, f->count * sizeof(f->insn[0]));
	if (f->later > 0)
		memcpy(f->insn + f->count, program->later, f->later * sizeof(f->insn[0]));
	return 0;
}

static void boot_record_fill_other(struct boot_vmm_device *d, const struct plan_other *o)
{
	memcpy(d->name, o->name, sizeof(d->name));
	d->bus = BOOT_BUS_VIRTIO;
	d->virtio_id = o->kind->virtio_id;
	d->flags = BOOT_VMM_OTHERS | (o->returns ? BOOT_VMM_RETURNS : 0);
	d->config_bytes = o->config_bytes;
	memcpy(d->config, o->config, sizeof(d->config));
}

int boot_record_vmm(const struct plan *p, const struct program *program, enum log_level level,
		    struct boot_vmm *ret, struct err *err)
{
	*ret = (struct boot_vmm){
		.hdr = boot_record_header(BOOT_KIND_VMM, sizeof(*ret), level),
		.mem_bytes = p->mem_bytes,
		.nr_vcpus = p->nr_vcpus,
		.nr_devices = p->nr_procs - 1 + p->nr_others,
		.flags = p->has_initrd ? BOOT_VMM_INITRD : 0,
	};
	for (unsigned int i = 0; i + 1 < p->nr_procs; i++) {
		const struct plan_proc *d = &p->proc[1 + i];

		memcpy(ret->device[i].name, d->name, sizeof(d->name));
		ret->device[i].bus = (uint16_t)d->kind->bus;
		ret->device[i].virtio_id = d->kind->virtio_id;
		ret->device[i].flags = d->returns ? BOOT_VMM_RETURNS : 0;
	}
	for (unsigned int i = 0; i < p->nr_others; i++)
		boot_record_fill_other(&ret->device[p->nr_procs - 1 + i], &p->other[i]);
	memcpy(ret->cmdline, p->cmdline, sizeof(ret->cmdline));
	return boot_record_fill_filter(&ret->filter, program, p->proc[0].name, err);
}

int boot_record_complete(struct boot_dev *b, const struct program *program, enum log_level level,
			 struct err *err)
{
	b->hdr = boot_record_header(BOOT_KIND_DEVICE, sizeof(*b), level);
	return boot_record_fill_filter(&b->filter, program, b->name, err);
}

int boot_record_device(const struct plan_proc *proc, const struct program *program,
		       enum log_level level, struct boot_dev *ret, struct err *err)
{
	*ret = (struct boot_dev){
		.flags = proc->dev_flags,
		.nr_res = (uint16_t)(proc->nr_fds - BOOT_FD_RES),
		.nr_queues = proc->nr_queues,
	};
	memcpy(ret->name, proc->name, sizeof(ret->name));
	fmt_into(ret->type, sizeof(ret->type), "%s", proc->kind->name);
	boot_set_settings(ret, proc->settings, proc->settings_bytes);
	return boot_record_complete(ret, program, level, err);
}
