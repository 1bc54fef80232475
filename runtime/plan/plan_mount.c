/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/plan/plan_mount.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "devices/core/fmt.h"

#define SHM_BYTES (64ULL << 20) /* of /dev/shm where the host's cannot be seen */

/* What a caller binds from the host to have the kernel's own there: a guest has its own kernel, and so its own. */
static const struct {
	const char *source, *type;
} kernels[] = {
	{"/proc", "proc"},
	{"/sys", "sysfs"},
	{"/sys/fs/cgroup", "cgroup2"},
	{"/dev/mqueue", "mqueue"},
};

/* A file system of the guest's in place of a bind */
static void plan_mount_replace(struct plan_mount *m, const char *type)
{
	m->type = m->source = type;
	m->head.flags &= ~AGENT_MOUNT_BIND;
	m->head.set &= ~(uint64_t)MS_REC;
}

/* Memory that is shared through a file of the host is slow, and no memory of the guest's. */
static void plan_mount_make_shm(const struct plan_build *bd, struct plan_mount *m, const char *path)
{
	struct plan_look look = {.bytes = 0};

	if (!bd->host->look || bd->host->look(path, &look) < 0 || !look.tmpfs || !look.bytes)
		look.bytes = SHM_BYTES;
	plan_mount_replace(m, "tmpfs");
	m->source = "shm";
	fmt_into(m->size, sizeof(m->size), "mode=1777,size=%llu", (unsigned long long)look.bytes);
	m->data = m->size;
}

/* A directory or a file may be shared; other kinds mean something to the host's kernel alone. */
static int plan_mount_check_kind(const struct plan_build *bd, struct plan_mount *m, unsigned int i)
{
	static const struct {
		uint32_t mode;
		const char *name;
	} kinds[] = {{S_IFSOCK, "a socket"},
		     {S_IFIFO, "a fifo"},
		     {S_IFCHR, "a device"},
		     {S_IFBLK, "a device"}};
	struct plan_look look = {.mode = S_IFDIR};

	/* A source that is missing is share_open()'s error. */
	if (bd->host->look && bd->host->look(m->share, &look) < 0)
		return 0;
	if (!S_ISDIR(look.mode))
		m->head.flags |= AGENT_MOUNT_FILE;
	for (unsigned int k = 0; k < ARRAY_SIZE(kinds); k++)
		if ((look.mode & S_IFMT) == kinds[k].mode)
			return err_text(
				bd->err, EINVAL,
				"/mounts/%u/source: %s: is %s of the host, which means nothing "
				"in a guest with a kernel of its own%s",
				i, m->share, kinds[k].name,
				kinds[k].mode == S_IFCHR ? ": list it in /linux/devices" : "");
	return 0;
}

/* What is shared is m0, m1 ... there. */
static void plan_mount_name(struct plan_mount *m, unsigned int i)
{
	fmt_into(m->name, sizeof(m->name), "m%u", i);
	m->source = m->name;
	m->type = "bind";
	m->readonly = (m->head.set & MS_RDONLY) != 0;
}

static int plan_mount_set_share(const struct plan_build *bd, struct plan_mount *m, unsigned int i)
{
	struct plan_fd file = {.path = NULL};
	int rc;

	if (*m->source == '/') {
		m->share = m->source;
	} else {
		rc = plan_set_path((struct plan_build *)bd, &file, m->source, "/mounts");
		if (rc == 0)
			fmt_into(m->text, sizeof(m->text), "%s", file.path);
		free(file.path);
		free(file.pointer);
		if (rc < 0)
			return rc;
		m->share = m->text;
	}
	plan_mount_name(m, i);
	return plan_mount_check_kind(bd, m, i);
}

/* The host mounts an overlay of its directories, and the guest binds what comes of it. */
static int plan_mount_set_layers(const struct plan_build *bd, struct plan_mount *m, unsigned int i)
{
	static const char key[] = "lowerdir=";
	const char *lower = m->data ? strstr(m->data, key) : NULL;

	if (!lower || lower[strlen(key)] != '/')
		return err_text(bd->err, EINVAL,
				"/mounts/%u/options: an overlay needs \"%s\" with an absolute path",
				i, key);
	lower += strlen(key);
	fmt_into(m->text, sizeof(m->text), "%.*s", (int)strcspn(lower, ":,\\"), lower);
	m->share = m->text;
	m->layers = m->data;
	m->data = NULL;
	m->head.flags |= AGENT_MOUNT_BIND;
	plan_mount_name(m, i);
	return 0;
}

static int plan_mount_decide_bind(const struct plan_build *bd, struct plan_mount *m, unsigned int i)
{
	const size_t len = strlen(m->source);
	const size_t cut = len > 1 && m->source[len - 1] == '/';

	for (unsigned int k = 0; k < ARRAY_SIZE(kernels); k++) {
		if (strncmp(m->source, kernels[k].source, len - cut) != 0 ||
		    kernels[k].source[len - cut] != '\0')
			continue;
		plan_mount_replace(m, kernels[k].type);
		return 0;
	}
	if (strcmp(m->destination, "/dev/shm") == 0) {
		plan_mount_make_shm(bd, m, m->source);
		return 0;
	}
	return plan_mount_set_share(bd, m, i);
}

int plan_mount_decide(const struct plan_build *bd, unsigned int i, struct plan_mount *ret)
{
	const struct bundle_mount *from = (const struct bundle_mount *)bd->b->mounts.item + i;

	*ret = (struct plan_mount){
		.destination = from->destination,
		.source = from->source,
		.type = from->type,
		.data = from->data,
		.head =
			{
				.flags = from->flags,
				.set = from->set,
				.clear = from->clear,
				.propagation = from->propagation,
				.recursive_set = from->recursive_set,
				.recursive_clear = from->recursive_clear,
			},
	};
	if (from->flags & AGENT_MOUNT_BIND)
		return plan_mount_decide_bind(bd, ret, i);
	if (ret->type && strcmp(ret->type, "overlay") == 0)
		return plan_mount_set_layers(bd, ret, i);
	return 0;
}
