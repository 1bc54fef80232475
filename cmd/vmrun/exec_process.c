/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/exec_process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "devices/core/fdio.h"
#include "runtime/config/bundle_caps.h"
#include "runtime/config/bundle_process.h"
#include "runtime/plan/plan_spec.h"

/**
 * struct exec_words - What the lists of a changed process are in; freed together
 */
struct exec_words {
	struct arena arena;
	struct spec_items spec;
	const char **env;
	uint64_t *gids;
};

static void exec_words_done(struct exec_words *w)
{
	arena_done(&w->arena);
	spec_items_done(&w->spec);
	free(w->env);
	free(w->gids);
}
#define cleanup_words __attribute__((cleanup(exec_words_done)))

/* A number with @end behind it */
static int exec_process_id(const char *text, char end, uint64_t *ret, const char **ret_rest)
{
	char *rest;
	uint64_t id;

	errno = 0;
	id = strtoull(text, &rest, 10);
	if (*text < '0' || *text > '9' || errno || id > BUNDLE_USER_ID_MAX ||
	    (*rest && *rest != end))
		return -EINVAL;
	*ret = id;
	*ret_rest = rest;
	return 0;
}

static int exec_process_user(const char *text, struct bundle_user *u, struct err *err)
{
	const char *rest;
	int rc = exec_process_id(text, ':', &u->uid, &rest);

	if (rc == 0 && *rest == ':')
		rc = exec_process_id(rest + 1, '\0', &u->gid, &rest);
	return rc < 0 ? err_text(err, EINVAL, "option --user wants UID or UID:GID, not %s", text)
		      : 0;
}

static int exec_process_gids(const struct option_list *from, struct bundle_user *u,
			     struct exec_words *w, struct err *err)
{
	const char *rest;

	w->gids = calloc(u->gids.nr + from->nr + 1, sizeof(*w->gids));
	if (!w->gids)
		return err_set(err, ENOMEM, "groups");
	if (u->gids.nr)
		memcpy(w->gids, u->gids.item, u->gids.nr * sizeof(*w->gids));
	for (unsigned int i = 0; i < from->nr; i++)
		if (exec_process_id(from->item[i], '\0', &w->gids[u->gids.nr + i], &rest) < 0)
			return err_text(err, EINVAL,
					"option --additional-gids wants a number, not %s",
					from->item[i]);
	u->gids = (struct schema_list){.nr = u->gids.nr + from->nr, .item = w->gids};
	return 0;
}

/* Root's, and in the container alone. Not inheritable ones, which would outlive a change of the user. */
static int exec_process_caps(const struct option_list *from, struct bundle_process *p,
			     struct err *err)
{
	for (unsigned int i = 0; i < from->nr; i++) {
		const int cap = bundle_caps_number(from->item[i]);

		if (cap < 0)
			return err_text(err, EINVAL, "option --cap: unknown capability %s",
					from->item[i]);
		p->caps.bounding |= 1ULL << cap;
		p->caps.effective |= 1ULL << cap;
		p->caps.permitted |= 1ULL << cap;
		p->caps_given = true;
	}
	return 0;
}

/* The place of the variable of @text among @nr; @nr if it is new */
static unsigned int exec_process_find(const char *const *env, unsigned int nr, const char *text)
{
	const size_t len = strcspn(text, "=") + 1;
	unsigned int i = 0;

	while (i < nr && (!env[i] || strncmp(env[i], text, len) != 0))
		i++;
	return i;
}

static int exec_process_env(const struct option_list *from, struct bundle_process *p,
			    struct exec_words *w, struct err *err)
{
	unsigned int nr = p->env.nr;

	w->env = calloc(nr + from->nr + 1, sizeof(*w->env));
	if (!w->env)
		return err_set(err, ENOMEM, "environment");
	if (nr)
		memcpy(w->env, p->env.item, nr * sizeof(*w->env));
	for (unsigned int i = 0; i < from->nr; i++) {
		const unsigned int at = exec_process_find(w->env, nr, from->item[i]);

		if (from->item[i][0] == '=' || !strchr(from->item[i], '='))
			return err_text(err, EINVAL, "option --env wants NAME=value, not %s",
					from->item[i]);
		w->env[at] = from->item[i];
		nr += at == nr;
	}
	p->env = (struct schema_list){.nr = nr, .item = w->env};
	return 0;
}

/* The container's own process, as the command line changes it */
static int exec_process_change(const struct exec_process_options *o, struct bundle_process *p,
			       struct exec_words *w, struct err *err)
{
	int rc = 0;

	p->terminal = o->tty;
	p->no_new_privileges |= o->no_new_privs;
	if (o->cwd && *o->cwd != '/')
		return err_text(err, EINVAL, "option --cwd wants an absolute path");
	p->cwd = o->cwd ? o->cwd : p->cwd;
	if (o->user)
		rc = exec_process_user(o->user, &p->user, err);
	if (rc == 0)
		rc = exec_process_gids(&o->gids, &p->user, w, err);
	if (rc == 0)
		rc = exec_process_caps(&o->caps, p, err);
	return rc < 0 ? rc : exec_process_env(&o->env, p, w, err);
}

/* runc takes a controller in front of it, which has a meaning where each has cgroups of its own. */
static int exec_process_cgroup(const char *path, struct spec_items *s, struct err *err)
{
	if (!path)
		return 0;
	if (strchr(path, ':'))
		return err_text(
			err, EINVAL,
			"option --cgroup wants a path below the container's cgroup, without "
			"a controller: %s",
			path);
	spec_items_string(s, AGENT_CGROUP, path);
	return 0;
}

/* A terminal of this user's says what size it has. */
static void exec_process_set_size(struct bundle_process *p)
{
	struct winsize size;

	if (!p->terminal || p->console.width || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	p->console.width = size.ws_col;
	p->console.height = size.ws_row;
}

static int exec_process_save(const struct spec_items *s, int *ret, struct err *err)
{
	cleanup_fd int fd = memfd_create("exec", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	/* A device gets it, and should not be able to change it. */
	if (fd < 0 || fd_write_full(fd, s->bytes, s->len) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return err_set(err, errno, "description of the process");
	*ret = TAKE_FD(fd);
	return 0;
}

int exec_process_describe(const struct exec_process_options *o, const struct bundle *b,
			  unsigned int argc, char **argv, const struct warn_to *warn,
			  struct exec_process *ret, struct err *err)
{
	cleanup_words struct exec_words w = {.env = NULL};
	struct bundle_process p = b->process;
	int rc;

	if (o->process) {
		rc = bundle_process_load(o->process, &w.arena, &p, warn, err);
	} else {
		p.args = (struct schema_list){.nr = argc, .item = argv};
		rc = exec_process_change(o, &p, &w, err);
	}
	exec_process_set_size(&p);
	if (rc == 0)
		rc = exec_process_cgroup(o->cgroup, &w.spec, err);
	if (rc == 0)
		rc = plan_spec_process(&w.spec, &p, b, err);
	if (rc < 0)
		return rc;
	ret->terminal = p.terminal;
	ret->cols = (uint16_t)p.console.width;
	ret->rows = (uint16_t)p.console.height;
	return exec_process_save(&w.spec, &ret->spec, err);
}
