/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/update_resources.h"

#include <errno.h>
#include <string.h>

#include "cmd/vmrun/options.h"
#include "devices/core/fdio.h"
#include "runtime/util/json.h"

/* Where each option goes; a text, a size with a unit, or a number */
static const struct {
	const char *option, *object, *key;
	enum { UPDATE_TEXT, UPDATE_SIZE, UPDATE_NUMBER } kind;
} places[UPDATE_FLAGS] = {
	[UPDATE_MEMORY] = {"memory", "memory", "limit", UPDATE_SIZE},
	[UPDATE_MEMORY_RESERVATION] = {"memory-reservation", "memory", "reservation", UPDATE_SIZE},
	[UPDATE_MEMORY_SWAP] = {"memory-swap", "memory", "swap", UPDATE_SIZE},
	[UPDATE_CPU_SHARE] = {"cpu-share", "cpu", "shares", UPDATE_NUMBER},
	[UPDATE_CPU_QUOTA] = {"cpu-quota", "cpu", "quota", UPDATE_NUMBER},
	[UPDATE_CPU_PERIOD] = {"cpu-period", "cpu", "period", UPDATE_NUMBER},
	[UPDATE_CPU_BURST] = {"cpu-burst", "cpu", "burst", UPDATE_NUMBER},
	[UPDATE_CPU_IDLE] = {"cpu-idle", "cpu", "idle", UPDATE_NUMBER},
	[UPDATE_CPU_RT_PERIOD] = {"cpu-rt-period", "cpu", "realtimePeriod", UPDATE_NUMBER},
	[UPDATE_CPU_RT_RUNTIME] = {"cpu-rt-runtime", "cpu", "realtimeRuntime", UPDATE_NUMBER},
	[UPDATE_CPUSET_CPUS] = {"cpuset-cpus", "cpu", "cpus", UPDATE_TEXT},
	[UPDATE_CPUSET_MEMS] = {"cpuset-mems", "cpu", "mems", UPDATE_TEXT},
	[UPDATE_PIDS_LIMIT] = {"pids-limit", "pids", "limit", UPDATE_NUMBER},
	[UPDATE_BLKIO_WEIGHT] = {"blkio-weight", "blockIO", "weight", UPDATE_NUMBER},
};

static int update_read_stdin(char **ret, size_t *ret_len, struct err *err)
{
	cleanup_free char *text = malloc(JSON_TEXT_MAX + 1);
	size_t len = 0;
	ssize_t n = 1;

	if (!text)
		return err_set(err, ENOMEM, "standard input");
	while (n != 0 && len <= JSON_TEXT_MAX) {
		n = read(STDIN_FILENO, text + len, JSON_TEXT_MAX + 1 - len);
		if (n < 0 && errno != EINTR)
			return err_set(err, errno, "standard input");
		len += n > 0 ? (size_t)n : 0;
	}
	if (len > JSON_TEXT_MAX)
		return err_text(err, EFBIG, "standard input: more than %u bytes", JSON_TEXT_MAX);
	text[len] = '\0';
	*ret = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

int update_read(const char *file, struct json_object **ret, struct err *err)
{
	const bool in = strcmp(file, "-") == 0;
	const char *name = in ? "standard input" : file;
	cleanup_json struct json_object *o = NULL;
	cleanup_free char *text = NULL;
	size_t len;
	int rc = in ? update_read_stdin(&text, &len, err) : json_read_text(file, &text, &len, err);

	if (rc == 0)
		rc = json_parse(text, len, name, &o, err);
	if (rc < 0)
		return rc;
	if (!json_object_is_type(o, json_type_object))
		return err_text(err, EINVAL, "%s: must be an object", name);
	*ret = TAKE_PTR(o);
	return 0;
}

static struct json_object *update_object(struct json_object *in, const char *key)
{
	struct json_object *o = NULL;

	if (!json_object_object_get_ex(in, key, &o) || !json_object_is_type(o, json_type_object)) {
		o = json_object_new_object();
		json_add(in, key, o);
	}
	return o;
}

/* NULL: there is no number */
static struct json_object *update_number(const char *text, bool size)
{
	uint64_t bytes;
	long long v;
	char *end;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (*end == '\0' && end > text && !errno)
		return json_object_new_int64(v);
	return size && options_size(text, &bytes) == 0 ? json_object_new_uint64(bytes) : NULL;
}

int update_from_flags(const char *const flag[UPDATE_FLAGS], struct json_object **ret,
		      struct err *err)
{
	cleanup_json struct json_object *o = json_object_new_object();

	for (unsigned int i = 0; i < UPDATE_FLAGS; i++) {
		struct json_object *value;

		if (!flag[i])
			continue;
		value = places[i].kind == UPDATE_TEXT
				? json_object_new_string(flag[i])
				: update_number(flag[i], places[i].kind == UPDATE_SIZE);
		if (!value)
			return err_text(err, EINVAL, "option --%s wants a number",
					places[i].option);
		json_add(update_object(o, places[i].object), places[i].key, value);
	}
	if (json_object_object_length(o) == 0)
		return err_text(err, EINVAL, "no limit is given");
	*ret = TAKE_PTR(o);
	return 0;
}

static bool update_asks(const char *key, struct json_object *value)
{
	if (json_object_is_type(value, json_type_int))
		return json_object_get_int64(value) != 0 || strcmp(key, "idle") == 0;
	return value && !(json_object_is_type(value, json_type_string) &&
			  json_object_get_string_len(value) == 0);
}

void update_merge(struct json_object *config, struct json_object *resources)
{
	struct json_object *all = update_object(update_object(config, "linux"), "resources");

	json_object_object_foreach(resources, name, group)
	{
		struct json_object *to;

		/* Lists, such as devices, are those of create. */
		if (!json_object_is_type(group, json_type_object))
			continue;
		to = update_object(all, name);
		json_object_object_foreach(group, key, value)
		{
			if (update_asks(key, value))
				json_add(to, key, json_object_get(value));
		}
	}
}
