/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: From JSON to structs by tables
 *
 * A table has, for each property, its name, type and range, and where the value goes. One decoder reads all
 * tables, so all properties get the same checks and the same words, and every error has the JSON pointer of its
 * place.
 *
 * A property that is null counts as absent. A property that is not in the table is ignored, unless the table is
 * closed. A property with SCHEMA_LATER is checked like any other; unless it is empty, the warning of its object
 * names it. For SCHEMA_INSIDE that is so in bundles that are no container's.
 */
#ifndef VMRUN_RUNTIME_CONFIG_SCHEMA_H
#define VMRUN_RUNTIME_CONFIG_SCHEMA_H

#include <json-c/json.h>

#include "runtime/config/schema_ctx.h"

enum schema_kind {
	SCHEMA_BOOL,   /* bool */
	SCHEMA_UINT,   /* uint64_t, @min to @max */
	SCHEMA_INT,    /* int64_t, @imin to @max */
	SCHEMA_STRING, /* const char *, at most @max bytes, NULL when absent or empty */
	SCHEMA_ENUM,   /* int, index into @words */
	SCHEMA_OBJECT, /* a struct, by @table; without one only its type is checked */
	SCHEMA_ARRAY,  /* struct schema_list, @min to @max elements like @elem */
	SCHEMA_MAP,    /* struct json_object *, borrowed; every value like @elem */
	SCHEMA_KINDS,
};

#define SCHEMA_REQUIRED (1U << 0)
#define SCHEMA_LATER	(1U << 1) /* accepted, named in a warning */
#define SCHEMA_ABSOLUTE (1U << 2) /* a string that starts with '/' */
#define SCHEMA_PLAIN	(1U << 3) /* a string of printable ASCII */
#define SCHEMA_INSIDE	(1U << 4) /* carried out inside a container, named in a warning elsewhere */
#define SCHEMA_BYTES	(1U << 5) /* a string of any bytes; others are UTF-8 */

/* @off of a value that is checked but not kept */
#define SCHEMA_NOWHERE SIZE_MAX

struct schema_table;

/**
 * struct schema_field - One property, or the elements of an array or a map
 * @max:	0 = no upper limit for numbers, SCHEMA_STRING_MAX for strings, any number of elements
 * @step:	Numbers are a multiple of it; 0 = any
 * @words:	NULL-terminated; an empty word is valid, but messages do not list it
 * @check:	Called after the checks above, with the pointer at this value; may be NULL
 * @decode:	Replaces the decoding of an object; may be NULL
 */
struct schema_field {
	const char *name;
	enum schema_kind kind;
	unsigned int flags;
	size_t off;
	uint64_t min, max;
	int64_t imin;
	uint64_t step;
	const char *const *words;
	const struct schema_table *table;
	const struct schema_field *elem;
	int (*check)(struct schema_ctx *ctx, struct json_object *value);
	int (*decode)(struct schema_ctx *ctx, struct json_object *value, void *target);
};

#define SCHEMA_STRING_MAX 65536
#define SCHEMA_BYTES_MAX  131071 /* Linux's MAX_ARG_STRLEN, without the terminator */

/* Any string: an element of an array, or a value of a map */
extern const struct schema_field schema_string_field;

/* A string of an argument or an environment, as execve() takes them */
extern const struct schema_field schema_bytes_field;

/**
 * struct schema_table - The properties of one kind of object
 * @size:	Bytes of the struct to fill; 0 if nothing is kept
 * @later:	Text of the warning about SCHEMA_LATER properties; NULL = "not carried out yet"
 * @closed:	A property that is not in the table is an error
 */
struct schema_table {
	const struct schema_field *field;
	unsigned int nr;
	size_t size;
	const char *later;
	bool closed;
};

/** struct schema_list - A decoded array; @item points to @nr values of the element's C type */
struct schema_list {
	unsigned int nr;
	void *item;
};

/**
 * schema_decode() - Check @obj against a table and fill @target
 * @target:	Holds the defaults; NULL = check only
 *
 * Return: 0, -EINVAL with "POINTER: what is wrong", -ENOMEM
 */
MUST_CHECK int schema_decode(struct schema_ctx *ctx, struct json_object *obj,
			     const struct schema_table *table, void *target);

/** schema_empty() - Whether a value is null, false, "", or an array or object of such values only */
bool schema_empty(struct json_object *value);

#endif
