/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_console.h"

#include "devices/core/fmt.h"
#include "runtime/config/bundle_ask.h"
#include "runtime/plan/plan_settings.h"

/* The VM's input and output, or the terminal that stands for both. A container's are its process's. */
static void plan_console_set_line(struct plan_build *bd, struct plan_proc *proc)
{
	const bool terminal = bd->p->terminal;

	if (bd->p->container) {
		proc->fd[BOOT_FD_RES].source = PLAN_FD_NULL;
		proc->fd[BOOT_FD_RES + 1].source = PLAN_FD_NULL;
		proc->nr_fds = BOOT_FD_RES + 2;
		return;
	}
	proc->fd[BOOT_FD_RES].source = terminal ? PLAN_FD_CONSOLE : PLAN_FD_STDIN;
	proc->fd[BOOT_FD_RES + 1].source = terminal ? PLAN_FD_CONSOLE : PLAN_FD_STDOUT;
	proc->nr_fds = BOOT_FD_RES + 2;
	/* Standard output may be a regular file, even as the terminal of a VM in the foreground. */
	proc->writes_file = true;
}

void plan_console_add_serial(struct plan_build *bd)
{
	struct plan_proc *proc;

	if (bd->p->container && bundle_listed(bd->b, KIND_SERIAL) == 0)
		return;
	proc = plan_add_device(bd, KIND_SERIAL);
	plan_console_set_line(bd, proc);
	if (bundle_listed(bd->b, KIND_CONSOLE) > 0)
		proc->fd[BOOT_FD_RES].source = PLAN_FD_NULL;
}

static void plan_console_fill_settings(const struct plan_build *bd, const struct bundle_device *d,
				       struct console_settings *s)
{
	const struct bundle_port *port = d->console.ports.item;

	s->nr_ports = 1 + d->console.ports.nr;
	for (unsigned int i = 0; i < d->console.ports.nr; i++)
		fmt_into(s->name[1 + i], sizeof(s->name[0]), "%s", port[i].name);
	s->cols = bd->p->cols;
	s->rows = bd->p->rows;
	s->keeps = d->on_failure == BUNDLE_RESTART;
	if (d->console.log)
		s->log_bytes = d->console.log_bytes ? d->console.log_bytes : CONSOLE_LOG_BYTES;
}

static int plan_console_set_log(struct plan_build *bd, struct plan_proc *proc,
				const struct bundle_device *d, uint64_t max_bytes)
{
	struct plan_fd *log = &proc->fd[proc->nr_fds++];
	char pointer[SCHEMA_POINTER_BYTES + sizeof("/log")];

	fmt_into(pointer, sizeof(pointer), "%s/log", d->pointer);
	log->writable = true;
	log->max_bytes = max_bytes;
	return plan_set_file(bd, log, PLAN_FILE_LOG, d->console.log, pointer);
}

static int plan_console_add_listed(struct plan_build *bd, const struct bundle_device *d)
{
	struct plan_proc *proc = plan_add_device(bd, KIND_CONSOLE);
	struct console_settings settings = {.nr_ports = 0};
	int rc = 0;

	plan_console_set_line(bd, proc);
	plan_console_fill_settings(bd, d, &settings);
	plan_set_settings(proc, &settings, sizeof(settings));
	plan_set_returns(bd, proc, d);
	if (d->console.log)
		rc = plan_console_set_log(bd, proc, d, settings.log_bytes);
	if (proc->returns)
		proc->fd[proc->nr_fds++].source = PLAN_FD_KEPT;
	return rc;
}

int plan_console_add(struct plan_build *bd)
{
	const struct bundle_device *d = bd->b->vm.devices.item;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < bd->b->vm.devices.nr; i++)
		if (d[i].type == KIND_CONSOLE)
			rc = plan_console_add_listed(bd, &d[i]);
	return rc;
}

unsigned int plan_console_of(const struct plan *p)
{
	for (unsigned int i = 1; i < p->nr_procs; i++)
		if (p->proc[i].kind == &kind_table[KIND_CONSOLE])
			return i;
	return 0;
}

bool plan_console_returns(const struct plan *p)
{
	const unsigned int i = plan_console_of(p);

	return i > 0 && p->proc[i].returns;
}

void plan_console_set_size(struct plan *p, uint16_t cols, uint16_t rows)
{
	const unsigned int i = plan_console_of(p);
	struct console_settings settings;

	if (i == 0)
		return;
	plan_settings(&p->proc[i], &settings, sizeof(settings));
	settings.cols = cols;
	settings.rows = rows;
	plan_set_settings(&p->proc[i], &settings, sizeof(settings));
}

const char *plan_console_parameter(const struct bundle *b)
{
	return bundle_listed(b, KIND_CONSOLE) > 0 ? "console=hvc0" : "console=ttyS0";
}
