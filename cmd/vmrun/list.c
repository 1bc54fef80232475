/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cmd/vmrun/vmrun.h"
#include "devices/core/fmt.h"
#include "runtime/plan/plan.h"
#include "runtime/state/state.h"
#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/state/state_json.h"

struct list_options {
	const char *format;
	bool quiet;
};

static const char *const formats[] = {"table", "json", NULL};

static const struct option_spec options[] = {
	{"format", 'f', OPTION_STRING, "FORMAT", "table (default) or json",
	 offsetof(struct list_options, format), formats},
	{"quiet", 'q', OPTION_FLAG, NULL, "only the ids", offsetof(struct list_options, quiet),
	 NULL},
	{.name = NULL},
};

/** struct format - One way to print: before, each, after */
struct format {
	void (*begin)(void);
	void (*each)(const struct state *s, unsigned int nr);
	void (*end)(unsigned int nr);
};

static void list_nothing(void)
{
}

static void list_no_end(unsigned int nr UNUSED)
{
}

static void list_quiet_each(const struct state *s, unsigned int nr UNUSED)
{
	puts(s->id);
}

/* A text of the state file in @width columns, then a blank */
static void list_cell(const char *text, size_t width)
{
	char safe[PATH_MAX];
	size_t nr;

	fmt_into(safe, sizeof(safe), "%s", text);
	nr = fmt_printable(safe);
	printf("%s%*s ", safe, nr < width ? (int)(width - nr) : 0, "");
}

static void list_row(const char *const text[6])
{
	static const size_t width[] = {24, 8, 9, 32, 31};

	for (unsigned int i = 0; i < ARRAY_SIZE(width); i++)
		list_cell(text[i], width[i]);
	list_cell(text[ARRAY_SIZE(width)], 0);
	putchar('\n');
}

static void list_table_begin(void)
{
	list_row((const char *const[]){"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"});
}

static void list_table_each(const struct state *s, unsigned int nr UNUSED)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", s->status == STATE_STOPPED ? 0 : s->supervisor.pid);
	list_row((const char *const[]){s->id, pid, state_status_name(s->status), s->bundle,
				       s->created, s->owner});
}

static void list_json_begin(void)
{
	printf("[");
}

static void list_json_each(const struct state *s, unsigned int nr)
{
	struct json_object *o = state_to_oci(s);

	printf("%s%s", nr ? "," : "",
	       json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void list_json_end(unsigned int nr UNUSED)
{
	printf("]\n");
}

static const struct format quiet = {list_nothing, list_quiet_each, list_no_end};
static const struct format table = {list_table_begin, list_table_each, list_no_end};
static const struct format json = {list_json_begin, list_json_each, list_json_end};

static const struct format *list_choose(const struct list_options *o)
{
	if (o->quiet)
		return &quiet;
	return o->format && strcmp(o->format, "json") == 0 ? &json : &table;
}

/* Entries of a shared root that are not vmrun's, or vanish meanwhile, are not errors. */
static bool list_show(const struct vmrun *v, const char *id, const struct format *f,
		      unsigned int nr)
{
	cleanup_fd int dir = -1;
	struct state *s;
	struct err err;
	int rc;

	rc = state_open(v->root, id, &dir, &err);
	if (rc == 0)
		rc = state_load(dir, &s, &err);
	/* It is vmrun's, and its VM may run: say why it is not listed. */
	if (rc == -EACCES ||
	    (rc < 0 && rc != -ENOENT && dir >= 0 && faccessat(dir, STATE_LOCK, F_OK, 0) == 0))
		vmrun_warn(v, "%s: %s", id, err.msg);
	if (rc < 0)
		return false;
	f->each(s, nr);
	state_free(s);
	return true;
}

static int list(struct vmrun *v, const struct verb_args *a, struct err *err)
{
	const struct format *f = list_choose(a->opt);
	cleanup_fd int base = -1;
	struct dirent **entries = NULL;
	unsigned int nr = 0;
	int n = 0, rc = state_root(v->root, &base, err);

	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (rc == 0)
		n = scandirat(base, ".", &entries, NULL, alphasort);
	if (n < 0)
		return err_set(err, errno, "state directory %s", v->root);
	f->begin();
	for (int i = 0; i < n; i++) {
		nr += list_show(v, entries[i]->d_name, f, nr);
		free(entries[i]);
	}
	free(entries);
	f->end(nr);
	return vmrun_flush(err);
}

const struct verb verb_list = {
	.name = "list",
	.synopsis = "[OPTION]...",
	.summary = "List the VMs of this state directory",
	.options = options,
	.opt_bytes = sizeof(struct list_options),
	.run = list,
};
