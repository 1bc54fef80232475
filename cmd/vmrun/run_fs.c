/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/run_fs.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/util/id_map.h"
#include "runtime/util/json.h"

/**
 * struct run_fs_word - A word behind the tag
 * @property:	config.json's; NULL: the word says what is so anyway
 * @text:	Its value if it is a string; NULL: true
 */
static const struct run_fs_word {
	const char *word, *property, *text;
} words[] = {
	{"ro", "readonly", NULL},
	{"readonly", "readonly", NULL},
	{"cache=auto", "cache", "auto"},
	{"cache=none", "cache", "none"},
	{"cache=never", "cache", "none"},
	{"cache=always", "cache", "always"},
	{"writeback=true", "writeback", NULL},
	{"writeback=false", NULL, NULL},
	{"posix_acl=true", "posixAcl", NULL},
	{"posix_acl=false", NULL, NULL},
	{"security_ctx=true", "securityContext", NULL},
	{"security_ctx=false", NULL, NULL},
	{"type=fs", NULL, NULL},
};

/* A map in crosvm's words, as config.json has it */
static int run_fs_map(struct json_object *device, const char *property, const char *from,
		      const char *text, struct err *err)
{
	struct id_map map;
	int rc = id_map_parse(&map, text, from, err);

	if (rc == 0)
		json_add(device, property, id_map_json(&map));
	id_map_done(&map);
	return rc;
}

static int run_fs_take(struct json_object *device, const char *word, struct err *err)
{
	unsigned int i = 0;

	if (strncmp(word, "uidmap=", 7) == 0)
		return run_fs_map(device, "uidMappings", "--shared-dir: uidmap", word + 7, err);
	if (strncmp(word, "gidmap=", 7) == 0)
		return run_fs_map(device, "gidMappings", "--shared-dir: gidmap", word + 7, err);
	while (i < ARRAY_SIZE(words) && strcmp(words[i].word, word) != 0)
		i++;
	if (i == ARRAY_SIZE(words))
		return err_text(err, EINVAL,
				"--shared-dir: \"%s\" is none of ro, cache=auto|none|always, "
				"writeback=true, posix_acl=true, security_ctx=true, "
				"uidmap=\"INSIDE OUTSIDE "
				"COUNT[,...]\", gidmap=",
				word);
	if (words[i].property)
		json_object_object_add(device, words[i].property,
				       words[i].text ? json_object_new_string(words[i].text)
						     : json_object_new_boolean(true));
	return 0;
}

int run_fs(const char *spec, struct json_object **ret, struct err *err)
{
	cleanup_json struct json_object *device = json_object_new_object();
	char text[PATH_MAX + 8192], *rest = text, *dir, *tag, *word;
	int rc = 0;

	if (strlen(spec) >= sizeof(text))
		return err_text(err, EINVAL, "--shared-dir: too long");
	fmt_into(text, sizeof(text), "%s", spec);
	dir = strsep(&rest, ":");
	tag = strsep(&rest, ":");
	if (!*dir || !tag || !*tag)
		return err_text(err, EINVAL, "--shared-dir: must be DIR:TAG, is \"%s\"", spec);
	json_object_object_add(device, "type", json_object_new_string("fs"));
	json_object_object_add(device, "source", json_object_new_string(dir));
	json_object_object_add(device, "tag", json_object_new_string(tag));
	while (rc == 0 && (word = strsep(&rest, ":")))
		rc = run_fs_take(device, word, err);
	if (rc < 0)
		return rc;
	*ret = TAKE_PTR(device);
	return 0;
}
