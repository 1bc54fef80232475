/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/config/host_config.h"

#define MEM_MIN	  (80ULL << 20) /* Debian's kernel boots with 72 */
#define PERIOD_US 100000	/* the kernel's default */

/* Without a file, and without a program that has a kernel beside it */
static const struct host_config nothing = {
	.file = HOST_CONFIG_FILE,
	.kernel = "/usr/local/share/vmrun/vmlinuz",
	.initrd = "/usr/local/share/vmrun/initrd",
	.kernel_at = HOST_CONFIG_MADE,
	.initrd_at = HOST_CONFIG_MADE,
	.mem_bytes = HOST_CONFIG_MEM_BYTES,
	.vcpus = 1,
};

/* ---- annotations --------------------------------------------------------------------------- */

static const char *plan_guest_annotation(const struct plan_build *bd, enum host_config_annotation a)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(bd->b->annotations, host_config_annotations[a], &value);
	return value ? json_object_get_string(value) : NULL;
}

static int plan_guest_check_annotations(const struct plan_build *bd, const struct host_config *c)
{
	for (int a = 0; a < HOST_CONFIG_ANNOTATIONS; a++)
		if (plan_guest_annotation(bd, (enum host_config_annotation)a) &&
		    !host_config_allows(c, (enum host_config_annotation)a))
			return err_text(
				bd->err, EPERM,
				"/annotations/%s: not allowed by this host: \"annotations\" of "
				"%s does not have it",
				host_config_annotations[a], c->file);
	return 0;
}

/* A number from an annotation, or 0 without one; 0 itself is out of range everywhere. */
static int plan_guest_number(const struct plan_build *bd, enum host_config_annotation a,
			     uint64_t min, uint64_t max, uint64_t step, uint64_t *ret)
{
	const char *text = plan_guest_annotation(bd, a);
	char *end = NULL;

	*ret = 0;
	if (!text)
		return 0;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (errno || !*text || text[strspn(text, "0123456789")] || *ret < min || *ret > max ||
	    *ret % step)
		return err_text(bd->err, EINVAL,
				"/annotations/%s: must be %llu to %llu%s, is \"%s\"",
				host_config_annotations[a], (unsigned long long)min,
				(unsigned long long)max, step > 1 ? ", whole pages" : "", text);
	return 0;
}

static int plan_guest_path(const struct plan_build *bd, enum host_config_annotation a,
			   const char *from_host, const char *at_host, const char **ret,
			   const char **ret_at)
{
	static const char *const at[] = {[HOST_CONFIG_KERNEL] = "/annotations/org.vmrun.kernel",
					 [HOST_CONFIG_INITRD] = "/annotations/org.vmrun.initrd"};
	const char *text = plan_guest_annotation(bd, a);

	if (text && *text != '/')
		return err_text(bd->err, EINVAL, "%s: must be an absolute path", at[a]);
	*ret = text ? text : from_host;
	*ret_at = text ? at[a] : at_host;
	return 0;
}

/* ---- sizes --------------------------------------------------------------------------------- */

/* A limit is what the guest has, unless it is larger than any VM. */
static int plan_guest_memory(struct plan_build *bd, const struct host_config *c)
{
	const int64_t limit = bd->b->linux_.resources.limit[LIMIT_MEMORY];
	uint64_t annotated;
	int rc = plan_guest_number(bd, HOST_CONFIG_MEMORY, BUNDLE_MEM_MIN_BYTES,
				   BUNDLE_MEM_MAX_BYTES, 4096, &annotated);

	if (rc < 0)
		return rc;
	if (limit > 0 && (uint64_t)limit < MEM_MIN)
		return err_text(
			bd->err, EINVAL,
			"/linux/resources/memory/limit: %lld bytes are too few: the guest's "
			"kernel alone needs %llu",
			(long long)limit, (unsigned long long)MEM_MIN);
	if (bd->b->vm.hw.mem_bytes)
		bd->p->mem_bytes = bd->b->vm.hw.mem_bytes;
	else if (annotated)
		bd->p->mem_bytes = annotated;
	else if (limit > 0 && (uint64_t)limit <= BUNDLE_MEM_MAX_BYTES)
		bd->p->mem_bytes = (uint64_t)limit & ~4095ULL;
	else
		bd->p->mem_bytes = c->mem_bytes;
	return 0;
}

/* How many processors a list such as 0-3,7 has; 0: it has another form, which the kernel will judge */
static uint64_t plan_guest_count_cpus(const char *list)
{
	uint64_t nr = 0;

	for (const char *s = list; s && *s;) {
		char *end;
		const unsigned long first = strtoul(s, &end, 10);
		unsigned long last = first;

		if (end == s)
			return 0;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if ((*end && *end != ',') || last < first || last > 65535)
			return 0;
		nr += last - first + 1;
		s = end + (*end == ',');
	}
	return nr;
}

static int plan_guest_vcpus(struct plan_build *bd, const struct host_config *c)
{
	const struct bundle_cgroup *res = &bd->b->linux_.resources;
	const int64_t quota = res->limit[LIMIT_CPU_QUOTA];
	const int64_t period = res->limit[LIMIT_CPU_PERIOD] > 0 ? res->limit[LIMIT_CPU_PERIOD]
								: PERIOD_US;
	const uint64_t cpus = plan_guest_count_cpus(res->cpus);
	uint64_t nr = c->vcpus, annotated;
	int rc = plan_guest_number(bd, HOST_CONFIG_VCPUS, 1, BOOT_VCPUS_MAX, 1, &annotated);

	if (quota > 0)
		nr = (uint64_t)(quota / period + (quota % period > 0));
	if (cpus > 0 && cpus < nr)
		nr = cpus;
	nr = nr > BOOT_VCPUS_MAX ? BOOT_VCPUS_MAX : nr;
	if (annotated)
		nr = annotated;
	bd->p->nr_vcpus = (uint32_t)(bd->b->vm.hw.vcpus ? bd->b->vm.hw.vcpus : nr);
	return rc;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static int plan_guest_choose_container(struct plan_build *bd, const struct host_config *c)
{
	struct plan_guest *g = &bd->guest;
	int rc = plan_guest_check_annotations(bd, c);

	g->parameters = &c->parameters;
	g->more = plan_guest_annotation(bd, HOST_CONFIG_PARAMETERS);
	if (rc == 0)
		rc = plan_guest_path(bd, HOST_CONFIG_KERNEL, c->kernel, c->kernel_at, &g->kernel,
				     &g->kernel_at);
	if (rc == 0)
		rc = plan_guest_path(bd, HOST_CONFIG_INITRD, c->initrd, c->initrd_at, &g->initrd,
				     &g->initrd_at);
	if (rc == 0)
		rc = plan_guest_memory(bd, c);
	return rc < 0 ? rc : plan_guest_vcpus(bd, c);
}

int plan_guest_choose(struct plan_build *bd)
{
	const struct bundle_vm *vm = &bd->b->vm;

	if (bd->b->container)
		return plan_guest_choose_container(bd,
						   bd->host->config ? bd->host->config : &nothing);
	bd->p->mem_bytes = vm->hw.mem_bytes;
	bd->p->nr_vcpus = (uint32_t)vm->hw.vcpus;
	bd->guest = (struct plan_guest){
		.kernel = vm->kernel.path,
		.kernel_at = "/vm/kernel/path",
		.initrd = vm->kernel.initrd,
		.initrd_at = "/vm/kernel/initrd",
	};
	return 0;
}
