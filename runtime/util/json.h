/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: JSON, parsed more strictly than by json-c
 *
 * json-c takes the last of two equal keys, cuts keys at a NUL, saturates numbers that do not fit and accepts
 * quotes and control characters that JSON does not have. Another parser would read such a file as another
 * configuration, so all of these are errors here, with line and column.
 */
#ifndef VMRUN_RUNTIME_UTIL_JSON_H
#define VMRUN_RUNTIME_UTIL_JSON_H

#include <json-c/json.h>

#include "devices/core/err.h"

#define JSON_TEXT_MAX  (4U << 20) /* bytes of one document: twice what execve() takes by default */
#define JSON_DEPTH_MAX 32	  /* nested objects and arrays */

static inline void cleanup_json_put(struct json_object **obj)
{
	json_object_put(*obj);
}

/* struct json_object *, NULL when it owns nothing */
#define cleanup_json __attribute__((cleanup(cleanup_json_put)))

/**
 * json_parse() - Parse one document
 * @text:	@len bytes and a terminator
 * @name:	Its name in errors, usually the file's path
 *
 * Context: setup
 * Syscalls: none but the heap's
 * Return: 0 with *ret owned by the caller (json_object_put); -EINVAL naming line and column
 */
MUST_CHECK int json_parse(const char *text, size_t len, const char *name, struct json_object **ret,
			  struct err *err);

/**
 * json_read_text() - Read a regular file of at most JSON_TEXT_MAX bytes
 * @ret_text:	Terminated; the caller's to free()
 *
 * Context: setup
 * Syscalls: openat fstat read close
 */
MUST_CHECK int json_read_text(const char *path, char **ret_text, size_t *ret_len, struct err *err);

/**
 * json_add() - Add a member to an object that will be printed; without memory it is left out
 * @value:	Taken, also on failure
 */
void json_add(struct json_object *obj, const char *key, struct json_object *value);
/** json_add_string() - Add a string; NULL adds nothing */
void json_add_string(struct json_object *obj, const char *key, const char *s);
/** json_add_uint() - Add a number; 0 adds nothing */
void json_add_uint(struct json_object *obj, const char *key, uint64_t v);

#endif
