/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/run_vsock.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/util/json.h"

/* The keys are the properties. One that is a list may come several times. */
static const struct run_vsock_key {
	const char *name;
	bool number, list;
} keys[] = {{"cid", true, false},
	    {"socket", false, false},
	    {"backend", false, false},
	    {"listen", true, true}};

static const struct run_vsock_key *run_vsock_find(const char *word, size_t len)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i].name) == len && memcmp(keys[i].name, word, len) == 0)
			return &keys[i];
	return NULL;
}

static struct json_object *run_vsock_value(const struct run_vsock_key *k, const char *text)
{
	const size_t len = strlen(text);

	if (!k->number)
		return json_object_new_string(text);
	if (len == 0 || len > 19 || strspn(text, "0123456789") != len)
		return NULL;
	return json_object_new_uint64(strtoull(text, NULL, 10));
}

static void run_vsock_add(struct json_object *device, const struct run_vsock_key *k,
			  struct json_object *value)
{
	struct json_object *list;

	if (!k->list) {
		json_object_object_add(device, k->name, value);
		return;
	}
	if (!json_object_object_get_ex(device, k->name, &list)) {
		list = json_object_new_array();
		json_object_object_add(device, k->name, list);
	}
	json_object_array_add(list, value);
}

/* One word between commas; @first may be the CID alone */
static int run_vsock_take(struct json_object *device, const char *word, bool first, struct err *err)
{
	const char *is = strchr(word, '=');
	const struct run_vsock_key *k = is ? run_vsock_find(word, (size_t)(is - word)) : NULL;
	struct json_object *value;

	if (!is && first)
		k = &keys[0];
	if (!k)
		return err_text(
			err, EINVAL,
			"--vsock: \"%s\" is none of CID, cid=CID, socket=PATH, backend=NAME, "
			"listen=PORT",
			word);
	if (!k->list && json_object_object_get_ex(device, k->name, NULL))
		return err_text(err, EINVAL, "--vsock: %s: given twice", k->name);
	value = run_vsock_value(k, is ? is + 1 : word);
	if (!value)
		return err_text(err, EINVAL, "--vsock: %s: must be a number, is \"%s\"", k->name,
				is ? is + 1 : word);
	run_vsock_add(device, k, value);
	return 0;
}

int run_vsock(const char *spec, struct json_object **ret, struct err *err)
{
	cleanup_json struct json_object *device = json_object_new_object();
	char words[PATH_MAX + 64], *rest = words, *word;
	bool first = true;
	int rc = 0;

	if (strlen(spec) >= sizeof(words))
		return err_text(err, EINVAL, "--vsock: too long");
	fmt_into(words, sizeof(words), "%s", spec);
	json_object_object_add(device, "type", json_object_new_string("vsock"));
	for (; rc == 0 && (word = strsep(&rest, ",")); first = false)
		rc = run_vsock_take(device, word, first, err);
	if (rc < 0)
		return rc;
	*ret = TAKE_PTR(device);
	return 0;
}
