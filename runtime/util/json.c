/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/util/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "runtime/util/file.h"

/**
 * struct scan - A second pass over a text that json-c has accepted
 * @keys:	For each open object the set of its keys so far; NULL for an array
 * @tok:	Decodes one key
 */
struct scan {
	const char *text;
	size_t len;
	size_t at;
	const char *name;
	unsigned int depth;
	struct json_object *keys[JSON_DEPTH_MAX + 1];
	struct json_tokener *tok;
	struct err *err;
};

static void json_free_tokener(struct json_tokener **tok)
{
	if (*tok)
		json_tokener_free(*tok);
}

#define cleanup_tokener __attribute__((cleanup(json_free_tokener)))

/* Records the place of an error; columns count bytes, from 1. */
static int json_text_fail(const char *text, size_t at, const char *name, const char *what,
			  struct err *err)
{
	unsigned int line = 1;
	size_t start = 0;

	for (size_t i = 0; i < at; i++) {
		if (text[i] != '\n')
			continue;
		line++;
		start = i + 1;
	}
	return err_text(err, EINVAL, "%s: line %u, column %zu: %s", name, line, at - start + 1,
			what);
}

static int json_scan_fail(struct scan *s, size_t at, const char *what)
{
	return json_text_fail(s->text, at, s->name, what, s->err);
}

/* Adds the key at [start, s->at) to the innermost object; fails if it has that key. */
static int json_scan_key(struct scan *s, size_t start)
{
	struct json_object *set = s->depth ? s->keys[s->depth - 1] : NULL;
	cleanup_json struct json_object *key = NULL;

	json_tokener_reset(s->tok);
	key = json_tokener_parse_ex(s->tok, s->text + start, (int)(s->at - start));
	if (!set || !json_object_is_type(key, json_type_string))
		return json_scan_fail(s, start, "not JSON: a key out of place");
	if (json_object_object_get_ex(set, json_object_get_string(key), NULL))
		return json_scan_fail(s, start, "the same key twice in one object");
	if (json_object_object_add(set, json_object_get_string(key), NULL))
		return err_set(s->err, ENOMEM, "%s", s->name);
	return 0;
}

static int json_scan_string(struct scan *s)
{
	size_t start = s->at++;

	for (; s->at < s->len && s->text[s->at] != '"'; s->at++) {
		const char *p = s->text + s->at;

		if ((unsigned char)*p < 0x20)
			return json_scan_fail(s, s->at,
					      "not JSON: a control character in a string");
		if (*p != '\\')
			continue;
		/* The terminator behind the text ends the comparison in time. */
		if (strncmp(p + 1, "u0000", 5) == 0)
			return json_scan_fail(s, s->at, "a NUL in a string");
		s->at++;
	}
	if (s->at >= s->len)
		return json_scan_fail(s, start, "not JSON: a string without end");
	s->at++;
	if (s->text[s->at + strspn(s->text + s->at, " \t\r\n")] == ':')
		return json_scan_key(s, start);
	return 0;
}

static int json_scan_number(struct scan *s)
{
	const char *p = s->text + s->at;
	size_t digits = strspn(p + (*p == '-'), "0123456789") + (*p == '-');
	size_t start = s->at;

	s->at += strspn(p, "+-0123456789.eE");
	if (strchr(".eE", p[digits]) && p[digits])
		return 0;
	errno = 0;
	if (*p == '-')
		(void)strtoll(p, NULL, 10);
	else
		(void)strtoull(p, NULL, 10);
	return errno ? json_scan_fail(s, start, "a number that does not fit into 64 bits") : 0;
}

static int json_scan_open(struct scan *s, bool object)
{
	if (s->depth >= JSON_DEPTH_MAX)
		return json_scan_fail(s, s->at, "nested too deeply");
	s->keys[s->depth] = object ? json_object_new_object() : NULL;
	if (object && !s->keys[s->depth])
		return err_set(s->err, ENOMEM, "%s", s->name);
	s->depth++;
	s->at++;
	return 0;
}

static int json_scan_close(struct scan *s)
{
	if (!s->depth)
		return json_scan_fail(s, s->at, "not JSON: unexpected character");
	json_object_put(s->keys[--s->depth]);
	s->at++;
	return 0;
}

static int json_scan_token(struct scan *s)
{
	switch (s->text[s->at]) {
	case '{': return json_scan_open(s, true);
	case '[': return json_scan_open(s, false);
	case '}':
	case ']': return json_scan_close(s);
	case '"': return json_scan_string(s);
	case '\'': return json_scan_fail(s, s->at, "not JSON: unexpected character");
	case 'N':
	case 'I': return json_scan_fail(s, s->at, "not JSON: unexpected character");
	case '-':
	case '0' ... '9': return json_scan_number(s);
	}
	s->at++;
	return 0;
}

static int json_scan_text(struct scan *s)
{
	cleanup_tokener struct json_tokener *tok = json_tokener_new();
	int rc = 0;

	if (!tok)
		return err_set(s->err, ENOMEM, "%s", s->name);
	s->tok = tok;
	while (rc == 0 && s->at < s->len)
		rc = json_scan_token(s);
	while (s->depth)
		json_object_put(s->keys[--s->depth]);
	return rc;
}

int json_parse(const char *text, size_t len, const char *name, struct json_object **ret,
	       struct err *err)
{
	cleanup_tokener struct json_tokener *tok = NULL;
	cleanup_json struct json_object *obj = NULL;
	struct scan s = {.text = text, .len = len, .name = name, .err = err};
	const char *nul = memchr(text, '\0', len);
	enum json_tokener_error e;
	int rc;

	if (len > JSON_TEXT_MAX)
		return err_text(err, EFBIG, "%s: larger than %u bytes", name, JSON_TEXT_MAX);
	if (nul)
		return json_text_fail(text, (size_t)(nul - text), name, "not JSON: a NUL byte",
				      err);
	tok = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (!tok)
		return err_set(err, ENOMEM, "%s", name);
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	/* With the terminator the parser sees the end of the text. */
	obj = json_tokener_parse_ex(tok, text, (int)len + 1);
	e = json_tokener_get_error(tok);
	if (e != json_tokener_success) {
		size_t at = json_tokener_get_parse_end(tok);
		char what[64] = "not JSON: ";

		if (e == json_tokener_error_parse_eof || at > len)
			at = len;
		strncat(what, json_tokener_error_desc(e), sizeof(what) - strlen(what) - 1);
		return json_text_fail(text, at, name, what, err);
	}
	rc = json_scan_text(&s);
	if (rc < 0)
		return rc;
	*ret = TAKE_PTR(obj);
	return 0;
}

static int json_open_text(const char *path, struct err *err)
{
	struct stat st;
	cleanup_fd int file = file_look(AT_FDCWD, path, 0, &st);
	int fd;

	if (file < 0)
		return err_set(err, -file, "%s", path);
	if (S_ISDIR(st.st_mode))
		return err_set(err, EISDIR, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_text(err, EINVAL, "%s: not a regular file", path);
	fd = file_reopen(file, O_RDONLY | O_NONBLOCK);
	if (fd == -ENOENT) /* the file exists, but /proc does not */
		return err_set(err, ENOENT, "%s (mount /proc)", path);
	return fd < 0 ? err_set(err, -fd, "%s", path) : fd;
}

int json_read_text(const char *path, char **ret_text, size_t *ret_len, struct err *err)
{
	cleanup_fd int fd = json_open_text(path, err);
	cleanup_free char *text = NULL;
	size_t len = 0;

	if (fd < 0)
		return fd;
	text = malloc(JSON_TEXT_MAX + 2);
	if (!text)
		return err_set(err, ENOMEM, "%s", path);
	while (len <= JSON_TEXT_MAX) {
		ssize_t n = read(fd, text + len, JSON_TEXT_MAX + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, errno, "%s", path);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > JSON_TEXT_MAX)
		return err_text(err, EFBIG, "%s: larger than %u bytes", path, JSON_TEXT_MAX);
	text[len] = '\0';
	*ret_text = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

void json_add(struct json_object *obj, const char *key, struct json_object *value)
{
	if (json_object_object_add(obj, key, value))
		json_object_put(value);
}

void json_add_string(struct json_object *obj, const char *key, const char *s)
{
	if (s)
		json_add(obj, key, json_object_new_string(s));
}

void json_add_uint(struct json_object *obj, const char *key, uint64_t v)
{
	if (v)
		json_add(obj, key, json_object_new_uint64(v));
}
