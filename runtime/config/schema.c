/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/config/schema.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"

#define ULL(x) ((unsigned long long)(x))

/* Bytes of a value of each kind in an array; an object has its table's size. */
static const size_t elem_bytes[SCHEMA_KINDS] = {
	[SCHEMA_BOOL] = sizeof(bool),	[SCHEMA_UINT] = sizeof(uint64_t),
	[SCHEMA_INT] = sizeof(int64_t), [SCHEMA_STRING] = sizeof(const char *),
	[SCHEMA_ENUM] = sizeof(int),
};

const struct schema_field schema_string_field = {.kind = SCHEMA_STRING};
const struct schema_field schema_bytes_field = {
	.kind = SCHEMA_STRING, .flags = SCHEMA_BYTES, .max = SCHEMA_BYTES_MAX};

static int schema_decode_value(struct schema_ctx *ctx, const struct schema_field *f,
			       struct json_object *value, void *target);

bool schema_empty(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null: return true;
	case json_type_boolean: return !json_object_get_boolean(value);
	case json_type_string: return json_object_get_string_len(value) == 0;
	case json_type_array: return json_object_array_length(value) == 0;
	case json_type_object: {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			if (!schema_empty(member))
				return false;
		}
		return true;
	}
	default: return false;
	}
}

static int schema_fail_type(struct schema_ctx *ctx, struct json_object *value, const char *want)
{
	static const char *const names[] = {
		[json_type_null] = "null",	   [json_type_boolean] = "a boolean",
		[json_type_double] = "a fraction", [json_type_int] = "a number",
		[json_type_object] = "an object",  [json_type_array] = "an array",
		[json_type_string] = "a string",
	};

	return schema_fail(ctx, "must be %s, is %s", want, names[json_object_get_type(value)]);
}

static int schema_decode_bool(struct schema_ctx *ctx, const struct schema_field *f UNUSED,
			      struct json_object *value, void *target)
{
	if (!json_object_is_type(value, json_type_boolean))
		return schema_fail_type(ctx, value, "true or false");
	if (target)
		*(bool *)target = json_object_get_boolean(value);
	return 0;
}

static int schema_decode_uint(struct schema_ctx *ctx, const struct schema_field *f,
			      struct json_object *value, void *target)
{
	uint64_t max = f->max ? f->max : UINT64_MAX, v;
	char is[24];

	if (!json_object_is_type(value, json_type_int))
		return schema_fail_type(ctx, value, "a whole number");
	/* json-c's unsigned value of a negative number is 0. */
	v = json_object_get_uint64(value);
	if (json_object_get_int64(value) < 0)
		fmt_into(is, sizeof(is), "%lld", (long long)json_object_get_int64(value));
	else if (v < f->min || v > max)
		fmt_into(is, sizeof(is), "%llu", ULL(v));
	else if (f->step && v % f->step)
		return schema_fail(ctx, "must be a multiple of %llu, is %llu", ULL(f->step),
				   ULL(v));
	else
		is[0] = '\0';
	if (is[0] && f->max)
		return schema_fail(ctx, "must be %llu to %llu, is %s", ULL(f->min), ULL(max), is);
	if (is[0])
		return schema_fail(ctx, "must be %llu or more, is %s", ULL(f->min), is);
	if (target)
		*(uint64_t *)target = v;
	return 0;
}

static int schema_decode_int(struct schema_ctx *ctx, const struct schema_field *f,
			     struct json_object *value, void *target)
{
	int64_t max = f->max ? (int64_t)f->max : INT64_MAX, v;

	if (!json_object_is_type(value, json_type_int))
		return schema_fail_type(ctx, value, "a whole number");
	v = json_object_get_int64(value);
	/* json-c's signed value of a larger number is INT64_MAX. */
	if (v < f->imin || v > max ||
	    (v == INT64_MAX && json_object_get_uint64(value) != INT64_MAX))
		return schema_fail(ctx, "must be %lld to %lld, is %s", (long long)f->imin,
				   (long long)max, json_object_to_json_string(value));
	if (target)
		*(int64_t *)target = v;
	return 0;
}

static int schema_check_bytes(struct schema_ctx *ctx, const struct schema_field *f, const char *s,
			      size_t len)
{
	uint64_t max = f->max ? f->max : SCHEMA_STRING_MAX;

	if (len == 0 && (f->flags & SCHEMA_REQUIRED))
		return schema_fail(ctx, "must not be empty");
	if (strlen(s) != len)
		return schema_fail(ctx, "holds a NUL");
	if (len > max)
		return schema_fail(ctx, "must be at most %llu bytes long, is %zu", ULL(max), len);
	if (!(f->flags & SCHEMA_BYTES) && !fmt_is_utf8(s))
		return schema_fail(ctx, "must be UTF-8");
	if ((f->flags & SCHEMA_ABSOLUTE) && len && *s != '/')
		return schema_fail(ctx, "must be an absolute path");
	for (size_t i = 0; (f->flags & SCHEMA_PLAIN) && i < len; i++)
		if (!fmt_plain(s[i]))
			return schema_fail(ctx, "must be printable ASCII");
	return 0;
}

static int schema_decode_string(struct schema_ctx *ctx, const struct schema_field *f,
				struct json_object *value, void *target)
{
	const char *s;
	size_t len;
	int rc;

	if (!json_object_is_type(value, json_type_string))
		return schema_fail_type(ctx, value, "a string");
	s = json_object_get_string(value);
	len = (size_t)json_object_get_string_len(value);
	rc = schema_check_bytes(ctx, f, s, len);
	if (rc < 0 || !target || len == 0)
		return rc;
	s = arena_strndup(ctx->arena, s, len);
	if (!s)
		return err_set(ctx->err, ENOMEM, "%s", ctx->pointer);
	*(const char **)target = s;
	return 0;
}

/* Writes "a, b or c" from the words that are not empty, or "a, b ..." where not all have room */
static void schema_list_words(char *buf, size_t size, const char *const *words)
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; words[i]; i++) {
		bool last = !words[i + 1] || !words[i + 1][0];

		if (n + strlen(words[i]) + sizeof(", ...") >= size) {
			fmt_into(buf + n, size - n, " ...");
			return;
		}
		if (words[i][0])
			n += fmt_into(buf + n, size - n, "%s%s",
				      n == 0 ? "" : (last ? " or " : ", "), words[i]);
	}
}

static int schema_decode_enum(struct schema_ctx *ctx, const struct schema_field *f,
			      struct json_object *value, void *target)
{
	char known[160];
	const char *s;

	if (!json_object_is_type(value, json_type_string))
		return schema_fail_type(ctx, value, "a string");
	s = json_object_get_string(value);
	for (int i = 0; f->words[i]; i++) {
		if (strcmp(s, f->words[i]) ||
		    strlen(s) != (size_t)json_object_get_string_len(value))
			continue;
		if (target)
			*(int *)target = i;
		return 0;
	}
	schema_list_words(known, sizeof(known), f->words);
	return schema_fail(ctx, "must be %s, is %s", known,
			   json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE));
}

static int schema_decode_object(struct schema_ctx *ctx, const struct schema_field *f,
				struct json_object *value, void *target)
{
	if (!json_object_is_type(value, json_type_object))
		return schema_fail_type(ctx, value, "an object");
	if (f->decode)
		return f->decode(ctx, value, target);
	return f->table ? schema_decode(ctx, value, f->table, target) : 0;
}

static int schema_check_count(struct schema_ctx *ctx, const struct schema_field *f, size_t nr)
{
	if (nr < f->min)
		return schema_fail(ctx, "must have at least %llu elements, has %zu", ULL(f->min),
				   nr);
	if (f->max && nr > f->max)
		return schema_fail(ctx, "must have at most %llu elements, has %zu", ULL(f->max),
				   nr);
	return 0;
}

static int schema_decode_array(struct schema_ctx *ctx, const struct schema_field *f,
			       struct json_object *value, void *target)
{
	struct schema_list list = {0};
	size_t bytes = 0;
	int rc;

	if (!json_object_is_type(value, json_type_array))
		return schema_fail_type(ctx, value, "an array");
	list.nr = (unsigned int)json_object_array_length(value);
	rc = schema_check_count(ctx, f, list.nr);
	if (rc < 0 || !f->elem)
		return rc;
	if (target) {
		bytes = f->elem->table ? f->elem->table->size : elem_bytes[f->elem->kind];
		list.item = arena_alloc(ctx->arena, bytes * list.nr);
		if (!list.item)
			return err_set(ctx->err, ENOMEM, "%s", ctx->pointer);
	}
	for (unsigned int i = 0; i < list.nr; i++) {
		size_t mark = schema_push_index(ctx, i);

		rc = schema_decode_value(ctx, f->elem, json_object_array_get_idx(value, i),
					 target ? (char *)list.item + i * bytes : NULL);
		if (rc < 0)
			return rc;
		schema_pop(ctx, mark);
	}
	if (target)
		*(struct schema_list *)target = list;
	return 0;
}

static int schema_decode_map(struct schema_ctx *ctx, const struct schema_field *f,
			     struct json_object *value, void *target)
{
	if (!json_object_is_type(value, json_type_object))
		return schema_fail_type(ctx, value, "an object");
	json_object_object_foreach(value, key, member)
	{
		size_t mark = schema_push(ctx, key);
		int rc = !*key		     ? schema_fail(ctx, "a key must not be empty")
			 : !fmt_is_utf8(key) ? schema_fail(ctx, "a key must be UTF-8")
					     : schema_decode_value(ctx, f->elem, member, NULL);

		if (rc < 0)
			return rc;
		schema_pop(ctx, mark);
	}
	if (target)
		*(struct json_object **)target = value;
	return 0;
}

static int schema_decode_value(struct schema_ctx *ctx, const struct schema_field *f,
			       struct json_object *value, void *target)
{
	static int (*const decode[SCHEMA_KINDS])(struct schema_ctx *, const struct schema_field *,
						 struct json_object *, void *) = {
		[SCHEMA_BOOL] = schema_decode_bool,   [SCHEMA_UINT] = schema_decode_uint,
		[SCHEMA_INT] = schema_decode_int,     [SCHEMA_STRING] = schema_decode_string,
		[SCHEMA_ENUM] = schema_decode_enum,   [SCHEMA_OBJECT] = schema_decode_object,
		[SCHEMA_ARRAY] = schema_decode_array, [SCHEMA_MAP] = schema_decode_map,
	};
	int rc = decode[f->kind](ctx, f, value, target);

	return rc < 0 || !f->check ? rc : f->check(ctx, value);
}

/* Decodes one property of an object; @later collects the names for the warning. */
static int schema_decode_field(struct schema_ctx *ctx, const struct schema_field *f,
			       struct json_object *obj, void *target,
			       char later[SCHEMA_WARNING_BYTES])
{
	struct json_object *value = NULL;
	size_t mark, n;
	int rc = 0;

	json_object_object_get_ex(obj, f->name, &value);
	if (!value && !(f->flags & SCHEMA_REQUIRED))
		return 0;
	mark = schema_push(ctx, f->name);
	if (!value)
		return schema_fail(ctx, "required");
	if (f->off == SCHEMA_NOWHERE)
		target = NULL;
	rc = schema_decode_value(ctx, f, value, target ? (char *)target + f->off : NULL);
	if (rc < 0)
		return rc;
	schema_pop(ctx, mark);
	if (schema_empty(value) ||
	    !(f->flags & SCHEMA_LATER || (f->flags & SCHEMA_INSIDE && !ctx->container)))
		return 0;
	n = strlen(later);
	fmt_into(later + n, SCHEMA_WARNING_BYTES - n, "%s%s", n ? ", " : "", f->name);
	return 0;
}

/* For a closed table: the error names the first unknown property and all known ones. */
static int schema_check_closed(struct schema_ctx *ctx, struct json_object *obj,
			       const struct schema_table *table)
{
	char known[200];

	json_object_object_foreach(obj, key, value)
	{
		unsigned int at = 0;
		size_t n = 0;

		(void)value;
		while (at < table->nr && strcmp(table->field[at].name, key))
			at++;
		if (at < table->nr)
			continue;
		for (unsigned int i = 0; i < table->nr; i++)
			n += fmt_into(known + n, sizeof(known) - n, "%s%s", i ? ", " : "",
				      table->field[i].name);
		schema_push(ctx, key);
		return schema_fail(ctx, "unknown property, known are %s", known);
	}
	return 0;
}

int schema_decode(struct schema_ctx *ctx, struct json_object *obj, const struct schema_table *table,
		  void *target)
{
	char later[SCHEMA_WARNING_BYTES] = "";
	int rc = table->closed ? schema_check_closed(ctx, obj, table) : 0;

	for (unsigned int i = 0; rc == 0 && i < table->nr; i++)
		rc = schema_decode_field(ctx, &table->field[i], obj, target, later);
	if (rc == 0 && later[0])
		schema_warn(ctx, "%s: %s", table->later ? table->later : "not carried out yet",
			    later);
	return rc;
}
