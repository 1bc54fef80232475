/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/run_block.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/util/json.h"

enum run_block_kind { RUN_BLOCK_TEXT, RUN_BLOCK_NUMBER, RUN_BLOCK_SWITCH };

static const struct run_block_key {
	const char *name, *property;
	enum run_block_kind kind;
} keys[] = {
	{"path", "path", RUN_BLOCK_TEXT},	    {"ro", "readonly", RUN_BLOCK_SWITCH},
	{"readonly", "readonly", RUN_BLOCK_SWITCH}, {"direct", "direct", RUN_BLOCK_SWITCH},
	{"o_direct", "direct", RUN_BLOCK_SWITCH},   {"format", "format", RUN_BLOCK_TEXT},
	{"queues", "queues", RUN_BLOCK_NUMBER},	    {"serial", "serial", RUN_BLOCK_TEXT},
	{"id", "serial", RUN_BLOCK_TEXT},	    {"onFailure", "onFailure", RUN_BLOCK_TEXT},
};

static const struct run_block_key *run_block_find(const char *word)
{
	const size_t len = strcspn(word, "=");

	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i].name) == len && memcmp(keys[i].name, word, len) == 0)
			return &keys[i];
	return NULL;
}

/* NULL for one that the key cannot have; @text is NULL for a key without '=' */
static struct json_object *run_block_value(enum run_block_kind kind, const char *text)
{
	if (kind == RUN_BLOCK_SWITCH && (!text || strcmp(text, "true") == 0))
		return json_object_new_boolean(true);
	if (kind == RUN_BLOCK_SWITCH && strcmp(text, "false") == 0)
		return json_object_new_boolean(false);
	if (kind == RUN_BLOCK_TEXT && text)
		return json_object_new_string(text);
	if (kind != RUN_BLOCK_NUMBER || !text || !*text || strlen(text) > 9 ||
	    text[strspn(text, "0123456789")])
		return NULL;
	return json_object_new_uint64(strtoull(text, NULL, 10));
}

static int run_block_unknown(const char *word, struct err *err)
{
	char known[160];
	size_t n = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++)
		n += fmt_into(known + n, sizeof(known) - n, "%s%s", i ? ", " : "", keys[i].name);
	return err_text(err, EINVAL, "--block: \"%s\": unknown key, known are %s", word, known);
}

/* One word between commas; the first may be the path alone */
static int run_block_take(struct json_object *device, const char *word, bool first, struct err *err)
{
	const char *is = strchr(word, '=');
	const struct run_block_key *k = first && !is ? &keys[0] : run_block_find(word);
	const char *text = is ? is + 1 : first ? word : NULL;
	struct json_object *value;

	if (!k)
		return run_block_unknown(word, err);
	if (json_object_object_get_ex(device, k->property, NULL))
		return err_text(err, EINVAL, "--block: %s: given twice", k->name);
	value = run_block_value(k->kind, text);
	if (!value)
		return err_text(err, EINVAL, "--block: %s: must be %s%s%s", k->name,
				k->kind == RUN_BLOCK_SWITCH   ? "true or false"
				: k->kind == RUN_BLOCK_NUMBER ? "a number"
							      : "given a value",
				text ? ", is " : "", text ? text : "");
	json_object_object_add(device, k->property, value);
	return 0;
}

int run_block(const char *spec, struct json_object **ret, struct err *err)
{
	cleanup_json struct json_object *device = json_object_new_object();
	char words[PATH_MAX + 256], *rest = words, *word;
	bool first = true;
	int rc = 0;

	if (strlen(spec) >= sizeof(words))
		return err_text(err, EINVAL, "--block: too long");
	fmt_into(words, sizeof(words), "%s", spec);
	json_object_object_add(device, "type", json_object_new_string("block"));
	for (; rc == 0 && (word = strsep(&rest, ",")); first = false)
		rc = run_block_take(device, word, first, err);
	if (rc < 0)
		return rc;
	*ret = TAKE_PTR(device);
	return 0;
}
