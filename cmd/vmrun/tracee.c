/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/tracee.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "devices/core/fmt.h"

#define PROGRAM_SELF   "vmrun"
#define PROGRAM_VMM    "vmrun-vmm"
#define PROGRAM_DEVICE "vmrun-dev-"

static bool tracee_begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* A file that was replaced since is still known by its name. */
static void tracee_look_at_program(struct tracee *t)
{
	char path[64], link[PATH_MAX];
	const char *base;
	ssize_t n;

	fmt_into(path, sizeof(path), "/proc/%d/exe", (int)t->thread);
	n = readlink(path, link, sizeof(link) - 1);
	link[n < 0 ? 0 : n] = 0;
	link[strcspn(link, " ")] = 0;
	base = strrchr(link, '/');
	fmt_into(t->program, sizeof(t->program), "%s", base ? base + 1 : link);
	t->ours = strcmp(t->program, PROGRAM_SELF) == 0 || strcmp(t->program, PROGRAM_VMM) == 0 ||
		  tracee_begins(t->program, PROGRAM_DEVICE);
}

static void tracee_look_at_family(struct tracee *t)
{
	char path[64], line[128];
	FILE *f;
	int n;

	t->process = t->thread;
	fmt_into(path, sizeof(path), "/proc/%d/status", (int)t->thread);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Tgid: %d", &n) == 1)
			t->process = n;
		if (sscanf(line, "PPid: %d", &n) == 1)
			t->parent = n;
	}
	if (f)
		fclose(f);
}

static struct tracee *tracee_find(struct tracees *t, pid_t thread)
{
	for (unsigned int i = 0; i < t->nr; i++) {
		if (t->item[i].thread == thread)
			return &t->item[i];
	}
	return NULL;
}

static struct tracee *tracee_add(struct tracees *t)
{
	if (t->nr == t->room) {
		const unsigned int room = t->room ? 2 * t->room : 64;
		struct tracee *grown = reallocarray(t->item, room, sizeof(*grown));

		if (!grown)
			return NULL;
		t->item = grown;
		t->room = room;
	}
	return &t->item[t->nr++];
}

struct tracee *tracees_get(struct tracees *t, pid_t thread)
{
	struct tracee *e = tracee_find(t, thread);

	if (e)
		return e;
	e = tracee_add(t);
	if (!e)
		return NULL;
	*e = (struct tracee){.thread = thread};
	tracee_look_at_family(e);
	tracee_look_at_program(e);
	for (unsigned int i = 0; i + 1 < t->nr; i++) {
		if (t->item[i].process == e->process && t->item[i].confined) {
			e->confined = true;
			e->group = t->item[i].group;
		}
	}
	return e;
}

void tracees_forget(struct tracees *t, pid_t thread)
{
	struct tracee *e = tracee_find(t, thread);

	if (e)
		*e = t->item[--t->nr];
}

struct tracee *tracees_executed(struct tracees *t, pid_t thread)
{
	for (unsigned int i = t->nr; i-- > 0;) {
		if (t->item[i].process == thread)
			t->item[i] = t->item[--t->nr];
	}
	return tracees_get(t, thread);
}

void tracees_confine(struct tracees *t, pid_t process, unsigned int group)
{
	for (unsigned int i = 0; i < t->nr; i++) {
		if (t->item[i].process == process) {
			t->item[i].confined = true;
			t->item[i].group = group;
		}
	}
}

/* The verb that its supervisor was started with: the first word that is one of those which start devices */
static bool tracee_is_alone(const struct tracee *t)
{
	char path[64], words[4096];
	cleanup_fd int fd = -1;
	ssize_t n;

	fmt_into(path, sizeof(path), "/proc/%d/cmdline", (int)t->parent);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, words, sizeof(words) - 1);
	words[n < 0 ? 0 : n] = 0;
	for (const char *w = words; w < words + n; w += strlen(w) + 1) {
		if (strcmp(w, "create") == 0 || strcmp(w, "run") == 0)
			return false;
		if (strcmp(w, "device") == 0 || strcmp(w, "devices") == 0)
			return true;
	}
	return false;
}

static bool tracee_named(const char *name, unsigned int *ret)
{
	const struct policy *p = policy_find(name);

	if (p)
		*ret = (unsigned int)(p - policies);
	return p != NULL;
}

static bool tracee_is_program(const struct policy *p, const struct sock_filter *insn,
			      unsigned int count)
{
	return p->count == count && memcmp(p->insn, insn, count * sizeof(*insn)) == 0;
}

static bool tracee_filtered(const struct sock_filter *insn, unsigned int count, unsigned int *ret)
{
	for (unsigned int i = 0; i < nr_policies; i++) {
		if (tracee_is_program(&policies[i], insn, count)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

bool tracee_group(const struct tracee *of, const struct sock_filter *insn, unsigned int count,
		  bool whole, unsigned int *ret)
{
	const char *device = of->program + strlen(PROGRAM_DEVICE);
	char name[64];

	if (strcmp(of->program, PROGRAM_SELF) == 0)
		return tracee_filtered(insn, count, ret);
	if (strcmp(of->program, PROGRAM_VMM) == 0)
		return tracee_named("vmm_device", ret);
	if (!tracee_begins(of->program, PROGRAM_DEVICE))
		return false;
	fmt_into(name, sizeof(name), "%s_device_early", device);
	if (!whole && tracee_named(name, ret) && tracee_is_program(&policies[*ret], insn, count))
		return true;
	fmt_into(name, sizeof(name), "%s_device%s", device,
		 tracee_is_alone(of) ? "_vhost_user" : "");
	return tracee_named(name, ret);
}

void tracees_done(struct tracees *t)
{
	free(t->item);
	t->item = NULL;
	t->nr = t->room = 0;
}
