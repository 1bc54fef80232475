/* SPDX-License-Identifier: BSD-3-Clause */
#include "policies/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/core/fdio.h"
#include "policies/expr.h"
#include "policies/lex.h"

#define FILE_BYTES_MAX	  65536
#define SYSCALL_NAME_MAX  40
#define INCLUDE_NAME_MAX  80
#define INCLUDE_DEPTH_MAX 4

/* A file being read; @depth is how many files lie above it. */
struct source {
	struct rules *rules;
	const char *file;
	unsigned int line;
	unsigned int depth;
};

static int parse_load(struct rules *r, const char *path, unsigned int depth, struct err *err);

/* Remember the file's name for messages; a file may be read once, which also ends include cycles.
 */
static int parse_add_file(struct rules *r, const char *path, struct err *err)
{
	for (unsigned int i = 0; i < r->nr_files; i++) {
		if (!strcmp(r->file[i], path))
			return err_text(err, EINVAL, "%s is included twice", path);
	}
	if (r->nr_files == RULES_FILES_MAX)
		return err_text(err, EINVAL, "%s: more than %d files", path, RULES_FILES_MAX);
	r->file[r->nr_files] = strdup(path);
	if (!r->file[r->nr_files])
		return err_set(err, ENOMEM, "%s", path);
	r->nr_files++;
	return 0;
}

static int parse_include(struct source *s, const char *name, size_t len, struct err *err)
{
	cleanup_free char *path = NULL;
	const char *slash = strrchr(s->file, '/');
	size_t folder = slash ? (size_t)(slash - s->file) + 1 : 0;

	while (len && (name[0] == ' ' || name[0] == '\t'))
		name++, len--;
	for (size_t i = 0; i < len; i++) {
		if (name[i] == '#')
			len = i;
	}
	while (len && (name[len - 1] == ' ' || name[len - 1] == '\t' || name[len - 1] == '\r'))
		len--;
	if (len < 3 || len > INCLUDE_NAME_MAX || memcmp(name, "./", 2) ||
	    memchr(name + 2, '/', len - 2) || memchr(name, 0, len))
		return err_text(err, EINVAL, "@include wants ./FILE in the same folder");
	if (s->depth == INCLUDE_DEPTH_MAX)
		return err_text(err, EINVAL, "includes nest deeper than %d", INCLUDE_DEPTH_MAX);
	path = malloc(folder + len - 1);
	if (!path)
		return err_set(err, ENOMEM, "@include");
	memcpy(path, s->file, folder);
	memcpy(path + folder, name + 2, len - 2);
	path[folder + len - 2] = 0;
	return parse_load(s->rules, path, s->depth + 1, err);
}

static int parse_syscall(const struct lex *l, int *ret, struct err *err)
{
	char name[SYSCALL_NAME_MAX];
	int nr;

	if (l->kind != LEX_NAME || l->len >= sizeof(name))
		return err_text(err, EINVAL, "a syscall's name expected");
	memcpy(name, l->text, l->len);
	name[l->len] = 0;
	nr = seccomp_syscall_resolve_name(name);
	if (nr == __NR_SCMP_ERROR)
		return err_text(err, EINVAL, "unknown syscall \"%s\"", name);
	/* libseccomp numbers what this machine lacks below -1, and would accept it in a rule. */
	if (nr < 0)
		return err_text(err, EINVAL, "this architecture has no syscall \"%s\"", name);
	*ret = nr;
	return 0;
}

static int parse_check_duplicate(const struct rules *r, const struct rule *new, struct err *err)
{
	for (unsigned int i = 0; i < r->nr; i++) {
		const struct rule *old = &r->rule[i];

		if (old->nr == new->nr && (old->kind != RULE_EXPR || new->kind != RULE_EXPR))
			return err_text(
				err, EINVAL,
				"this syscall has a rule in %s:%u, one of the two would be lost",
				old->file, old->line);
	}
	return 0;
}

static int parse_append(struct rules *r, const struct rule *rule, struct err *err)
{
	struct rule *grown;

	if (r->nr == RULES_MAX)
		return err_text(err, EINVAL, "more than %d rules", RULES_MAX);
	grown = reallocarray(r->rule, r->nr + 1, sizeof(*grown));
	if (!grown)
		return err_set(err, ENOMEM, "rules");
	r->rule = grown;
	r->rule[r->nr++] = *rule;
	return 0;
}

static int parse_statement(struct source *s, struct lex *l, struct err *err)
{
	struct rule rule = {.file = s->file, .line = s->line};
	int rc = parse_syscall(l, &rule.nr, err);

	if (rc < 0)
		return rc;
	lex_step(l);
	if (l->kind != LEX_COLON)
		return err_text(err, EINVAL, "\":\" expected after the syscall's name");
	lex_step(l);
	rc = expr_parse_filter(l, &rule, err);
	if (rc < 0)
		return rc;
	rc = parse_check_duplicate(s->rules, &rule, err);
	if (rc < 0)
		return rc;
	return parse_append(s->rules, &rule, err);
}

static int parse_line(struct source *s, const char *line, size_t len, struct err *err)
{
	struct lex l;

	lex_init(&l, line, len);
	if (l.kind == LEX_END)
		return 0;
	if (l.kind != LEX_AT)
		return parse_statement(s, &l, err);
	lex_step(&l);
	if (!lex_is(&l, "include"))
		return err_text(err, EINVAL, "@include is the only directive");
	return parse_include(s, l.next, (size_t)(l.end - l.next), err);
}

static int parse_text(struct rules *r, const char *path, unsigned int depth, const char *text,
		      size_t len, struct err *err)
{
	struct source s = {.rules = r, .line = 1, .depth = depth};
	int rc = parse_add_file(r, path, err);

	if (rc < 0)
		return rc;
	s.file = r->file[r->nr_files - 1];
	for (; len; s.line++) {
		const char *newline = memchr(text, '\n', len);
		size_t line_len = newline ? (size_t)(newline - text) : len;

		rc = parse_line(&s, text, line_len, err);
		if (rc < 0)
			return err_wrap(err, "%s:%u", s.file, s.line);
		line_len += newline ? 1 : 0;
		text += line_len;
		len -= line_len;
	}
	return 0;
}

static int parse_load(struct rules *r, const char *path, unsigned int depth, struct err *err)
{
	cleanup_free char *text = NULL;
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX)
		return err_text(err, EINVAL, "%s: not a regular file of at most %d bytes", path,
				FILE_BYTES_MAX);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return err_set(err, ENOMEM, "%s", path);
	rc = fd_read_full(fd, text, (size_t)st.st_size);
	if (rc < 0 && st.st_size > 0)
		return err_set(err, -rc, "%s", path);
	return parse_text(r, path, depth, text, (size_t)st.st_size, err);
}

static int parse_check_not_empty(const struct rules *r, const char *path, struct err *err)
{
	for (unsigned int i = 0; i < r->nr; i++) {
		if (r->rule[i].kind != RULE_ERRNO)
			return 0;
	}
	return err_text(err, EINVAL, "%s: allows no syscall", path);
}

int rules_load(struct rules *r, const char *path, struct err *err)
{
	int rc = parse_load(r, path, 0, err);

	return rc < 0 ? rc : parse_check_not_empty(r, path, err);
}

int rules_parse(struct rules *r, const char *path, const char *text, size_t len, struct err *err)
{
	int rc = parse_text(r, path, 0, text, len, err);

	return rc < 0 ? rc : parse_check_not_empty(r, path, err);
}

void rules_done(struct rules *r)
{
	for (unsigned int i = 0; i < r->nr_files; i++)
		free(r->file[i]);
	free(r->rule);
	*r = (struct rules){0};
}
