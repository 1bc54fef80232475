/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/config/bundle_ask.h"
#include "runtime/plan/plan_cgroup.h"
#include "runtime/plan/plan_console.h"
#include "runtime/plan/plan_fs.h"
#include "runtime/plan/plan_guest.h"
#include "runtime/plan/plan_hooks.h"
#include "runtime/plan/plan_inside.h"
#include "runtime/plan/plan_namespaces.h"
#include "runtime/plan/plan_net.h"
#include "runtime/plan/plan_settings.h"
#include "runtime/plan/plan_vsock.h"

/* The first parameters of every kernel, behind its console: after a panic it resets by the keyboard controller,
 * which every VM has, instead of hanging. The user's parameters come last and win. */
#define CMDLINE_BASE "reboot=k panic=-1"
/* No console for a container: it would be written to /dev/null, a byte at a time. Its ciphers are not tested: that is a
 * seventh of the time until init. */
#define CMDLINE_CONTAINER "quiet cryptomgr.notests"

static void plan_done(struct plan **p)
{
	plan_free(*p);
}

#define cleanup_plan __attribute__((cleanup(plan_done)))

static int plan_build_vmm(struct plan_build *bd)
{
	const struct plan_guest *g = &bd->guest;
	struct plan_proc *proc = &bd->p->proc[0];
	int rc;

	fmt_into(proc->name, sizeof(proc->name), "vmm");
	proc->program = "vmrun-vmm";
	proc->policy = "vmm_device";
	plan_common_fds(proc);
	proc->fd[BOOT_FD_RAM].source = PLAN_FD_RAM;
	proc->fd[BOOT_FD_KVM].source = PLAN_FD_KVM;
	proc->fd[BOOT_FD_INITRD].source = PLAN_FD_NULL;
	proc->nr_fds = BOOT_FD_DEVICE;
	bd->p->nr_procs = 1;
	rc = plan_set_file(bd, &proc->fd[BOOT_FD_KERNEL], PLAN_FILE_KERNEL, g->kernel,
			   g->kernel_at);
	if (rc < 0 || !g->initrd)
		return rc;
	bd->p->has_initrd = true;
	return plan_set_file(bd, &proc->fd[BOOT_FD_INITRD], PLAN_FILE_INITRD, g->initrd,
			     g->initrd_at);
}

static int plan_add_block(struct plan_build *bd, const struct bundle_device *d, const char *pointer)
{
	struct plan_proc *proc = plan_add_device(bd, KIND_BLOCK);
	struct plan_fd *fd = &proc->fd[BOOT_FD_RES];
	struct block_settings settings = {.capacity_bytes = 0};

	proc->nr_queues = (uint16_t)d->queues;
	proc->dev_flags = d->readonly ? BOOT_DEV_READONLY : 0;
	proc->writes_file = !d->readonly;
	plan_set_returns(bd, proc, d);
	if (d->serial)
		memcpy(settings.serial, d->serial, strnlen(d->serial, sizeof(settings.serial)));
	plan_set_settings(proc, &settings, sizeof(settings));
	fd->writable = !d->readonly;
	fd->direct = d->direct;
	fd->format = (enum disk_format)d->format;
	proc->nr_fds = BOOT_FD_RES + 1;
	return plan_set_file(bd, fd, PLAN_FILE_DISK, d->path, pointer);
}

static int plan_add_listed_blocks(struct plan_build *bd)
{
	const struct bundle_device *d = bd->b->vm.devices.item;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < bd->b->vm.devices.nr; i++) {
		char pointer[SCHEMA_POINTER_BYTES + sizeof("/path")];

		if (d[i].type != KIND_BLOCK)
			continue;
		fmt_into(pointer, sizeof(pointer), "%s/path", d[i].pointer);
		rc = plan_add_block(bd, &d[i], pointer);
	}
	return rc;
}

static void plan_add_balloon(struct plan_build *bd, const struct bundle_device *d)
{
	const struct balloon_settings settings = {
		.size_bytes = d->balloon.size_bytes,
		.deflate_on_oom = d->balloon.deflate_on_oom,
	};
	struct plan_proc *proc = plan_add_device(bd, KIND_BALLOON);

	plan_set_settings(proc, &settings, sizeof(settings));
	plan_set_returns(bd, proc, d);
}

static void plan_add_listed_balloons(struct plan_build *bd)
{
	const struct bundle_device *d = bd->b->vm.devices.item;

	for (unsigned int i = 0; i < bd->b->vm.devices.nr; i++)
		if (d[i].type == KIND_BALLOON)
			plan_add_balloon(bd, &d[i]);
}

/* The image comes before every other disk, so that it is /dev/vda. */
static int plan_build_devices(struct plan_build *bd)
{
	const struct bundle *b = bd->b;
	struct bundle_device image = {
		.path = b->vm.image.path,
		.readonly = b->root.readonly || b->vm.image.overlay,
		.direct = b->vm.image.direct,
		.format = b->vm.image.format,
		.on_failure = b->vm.image.on_failure,
		.queues = 1,
	};
	int rc = 0;

	plan_console_add_serial(bd);
	if (image.path)
		rc = plan_add_block(bd, &image, "/vm/image/path");
	if (rc == 0)
		rc = plan_add_listed_blocks(bd);
	if (rc == 0)
		rc = plan_net_add_all(bd);
	if (rc == 0)
		rc = plan_vsock_add(bd);
	if (rc == 0)
		rc = plan_console_add(bd);
	if (rc == 0)
		rc = plan_fs_add(bd);
	if (rc < 0)
		return rc;
	plan_add_listed_balloons(bd);
	for (unsigned int id = 0; id < KINDS; id++) {
		for (unsigned int nr = plan_nr_plain(b, id), i = 0; i < nr; i++)
			plan_set_returns(bd, plan_add_device(bd, id), bundle_nth(b, id, i));
	}
	rc = plan_add_others(bd);
	plan_add_regions(bd);
	return rc;
}

/* Append a word; *@len counts the bytes needed, even those that do not fit */
static void plan_add_word(struct plan *p, size_t *len, const char *a, const char *b)
{
	if (*len < sizeof(p->cmdline))
		fmt_into(p->cmdline + *len, sizeof(p->cmdline) - *len, "%s%s%s", *len ? " " : "", a,
			 b);
	*len += (*len ? 1 : 0) + strlen(a) + strlen(b);
}

static void plan_add_words(struct plan *p, size_t *len, const struct schema_list *list)
{
	const char *const *word = list->item;

	for (unsigned int i = 0; i < list->nr; i++)
		if (word[i])
			plan_add_word(p, len, word[i], "");
}

/* A container's root and name are in its description. */
static int plan_build_cmdline(struct plan_build *bd)
{
	const struct bundle *b = bd->b;
	const struct plan_guest *g = &bd->guest;
	size_t len = 0;

	plan_add_word(bd->p, &len, b->container ? CMDLINE_CONTAINER : plan_console_parameter(b),
		      "");
	plan_add_word(bd->p, &len, CMDLINE_BASE, "");
	if (b->vm.image.path && !b->container)
		plan_add_word(bd->p, &len, "root=/dev/vda ", b->root.readonly ? "ro" : "rw");
	if (b->hostname && !b->container)
		plan_add_word(bd->p, &len, "hostname=", b->hostname);
	if (g->parameters)
		plan_add_words(bd->p, &len, g->parameters);
	if (g->more)
		plan_add_word(bd->p, &len, g->more, "");
	plan_add_words(bd->p, &len, &b->vm.kernel.parameters);
	if (len >= sizeof(bd->p->cmdline))
		return err_text(bd->err, EINVAL,
				"/vm/kernel/parameters: the kernel command line must be at most "
				"%zu bytes long, is %zu",
				sizeof(bd->p->cmdline) - 1, len);
	return 0;
}

static int plan_build_hooks(struct plan_build *bd)
{
	return plan_hooks_build(&bd->b->hooks, &bd->p->hooks, bd->err);
}

/* What holds a pod has no processes: its supervisor is all there is. */
static int plan_build_vm(struct plan_build *bd)
{
	static int (*const steps[])(struct plan_build *) = {
		plan_guest_choose,  plan_build_vmm,    plan_build_devices,
		plan_build_cmdline, plan_inside_build,
	};
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && !bd->p->pod && i < ARRAY_SIZE(steps); i++)
		rc = steps[i](bd);
	return rc;
}

static int plan_build_warnings(struct plan_build *bd)
{
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < bd->b->nr_warnings; i++) {
		rc = plan_copy(&bd->p->warning[i], bd->b->warning[i], bd->err);
		bd->p->nr_warnings = i + 1;
	}
	return rc;
}

static int plan_fill(struct plan *p, const struct bundle *b, const char *id, struct err *err)
{
	fmt_into(p->id, sizeof(p->id), "%s", id);
	p->pod = bundle_is_pod(b);
	p->container = b->container && !p->pod;
	p->has_process = b->process_given;
	p->terminal = b->process.terminal;
	p->cols = p->terminal ? (uint16_t)b->process.console.width : 0;
	p->rows = p->terminal ? (uint16_t)b->process.console.height : 0;
	p->oom_score_adj = b->process.oom_score_adj == BUNDLE_UNSET ? PLAN_OOM_UNSET
								    : (int)b->process.oom_score_adj;
	fmt_into(p->hostname, sizeof(p->hostname), "%s", b->hostname ? b->hostname : id);
	p->annotations = json_object_get(b->annotations);
	return plan_copy(&p->bundle_path, b->dir, err);
}

static int plan_build_policies(struct plan_build *bd)
{
	const char *dir = bd->b->vm.policy_dir;

	return dir ? plan_join(bd, &bd->p->policy_dir, dir, "/vm/seccompPolicyDir") : 0;
}

int plan_build(const struct bundle *b, const char *id, const struct plan_host *host,
	       struct plan **ret, struct err *err)
{
	static int (*const steps[])(struct plan_build *) = {
		plan_namespaces_build, plan_build_vm,	    plan_cgroup_build,
		plan_build_hooks,      plan_build_warnings, plan_build_policies,
	};
	static const struct plan_host unknown = {.config = NULL};
	cleanup_plan struct plan *p = calloc(1, sizeof(*p));
	struct plan_build bd = {.b = b, .host = host ? host : &unknown, .p = p, .err = err};
	int rc = 0;

	if (!p)
		return plan_no_memory(err);
	if (strlen(id) >= sizeof(p->id))
		return err_text(err, EINVAL, "the id is longer than %zu bytes", sizeof(p->id) - 1);
	p->proc = calloc(PLAN_PROCS_MAX, sizeof(*p->proc));
	if (!p->proc)
		return plan_no_memory(err);
	rc = plan_fill(p, b, id, err);
	for (unsigned int i = 0; rc == 0 && i < ARRAY_SIZE(steps); i++)
		rc = steps[i](&bd);
	spec_items_done(&bd.spec);
	if (rc < 0)
		return rc;
	*ret = TAKE_PTR(p);
	return 0;
}

const struct plan_source *plan_shared_root(const struct plan *p)
{
	const struct plan_source *s = p->container && p->nr_fs > 0 && p->fs[0].nr > 0
					      ? p->fs[0].source
					      : NULL;

	return s && strcmp(s->pointer, "/root/path") == 0 ? s : NULL;
}

const struct plan_fd *plan_other_fd(const struct plan *p, unsigned int i)
{
	return &p->proc[0].fd[BOOT_FD_DEVICE + p->nr_procs - 1 + i];
}

void plan_disable_sandbox(struct plan *p)
{
	p->unconfined = true;
	for (unsigned int i = 0; i < p->nr_procs; i++)
		p->proc[i].policy = p->proc[i].early = NULL;
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	for (unsigned int i = 0; i < p->nr_procs; i++) {
		for (unsigned int n = 0; n < PLAN_FDS_MAX; n++) {
			free(p->proc[i].fd[n].path);
			free(p->proc[i].fd[n].pointer);
		}
	}
	for (unsigned int i = 0; i < p->nr_nets; i++)
		plan_net_free(&p->net[i]);
	plan_vsock_free(&p->vsock);
	for (unsigned int i = 0; i < p->nr_fs; i++)
		plan_fs_free(&p->fs[i]);
	for (unsigned int i = 0; i < p->nr_warnings; i++)
		free(p->warning[i]);
	plan_namespaces_free(p);
	free(p->spec);
	free(p->proc);
	plan_cgroup_free(&p->cgroup);
	plan_hooks_free(&p->hooks);
	free(p->bundle_path);
	free(p->policy_dir);
	json_object_put(p->annotations);
	free(p);
}
