/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: devices --TYPE KEY[=VALUE],... ...: several stand-alone devices, in crosvm's spelling
 *
 * A key is an option of `vmrun device`, or crosvm's name for one; so a new option of that verb is a key here.
 */
#include <errno.h>
#include <string.h>

#include "cmd/vmrun/device.h"
#include "devices/core/fmt.h"
#include "devices/core/kind.h"
#include "runtime/supervisor/several.h"

#define DEVICES_WORDS_MAX 16 /* of one device */

/** struct devices_options - By enum kind_id */
struct devices_options {
	struct option_list list[KINDS];
};

/* A kind that cannot run alone is not in the help; it is refused as `device` does it. */
#define DEVICES_OPTION(id, word, on, virtio, class, config, one, rest, max, bits)                  \
	{word,                                                                                     \
	 0,                                                                                        \
	 OPTION_LIST,                                                                              \
	 "vhost=SOCKET,...",                                                                       \
	 (bits)&KIND_ALONE ? "a device; keys are the options of vmrun device " word : NULL,        \
	 offsetof(struct devices_options, list[KIND_##id]),                                        \
	 NULL},

static const struct option_spec options[] = {KIND_TABLE(DEVICES_OPTION){.name = NULL}};

static const struct {
	const char *key, *option;
} aliases[] = {
	{"vhost", "socket"}, {"ro", "readonly"},     {"o_direct", "direct"},
	{"tap-name", "tap"}, {"vq-pairs", "queues"},
};

/* "--OPTION[=VALUE]" of "KEY[=VALUE]"; NULL without memory */
static char *devices_word(const char *word, size_t len)
{
	const size_t key = strcspn(word, "=,");
	const char *option = word;
	size_t option_len = key;
	char *ret;

	for (unsigned int i = 0; i < ARRAY_SIZE(aliases); i++) {
		if (strlen(aliases[i].key) != key || memcmp(aliases[i].key, word, key) != 0)
			continue;
		option = aliases[i].option;
		option_len = strlen(option);
	}
	ret = malloc(2 + option_len + (len - key) + 1);
	if (!ret)
		return NULL;
	memcpy(ret, "--", 2);
	memcpy(ret + 2, option, option_len);
	memcpy(ret + 2 + option_len, word + key, len - key);
	ret[2 + option_len + len - key] = '\0';
	return ret;
}

/* The words are never freed: a device borrows them as long as this program lives. */
static int devices_parse_one(const struct vmrun *v, const char *type, const char *spec,
			     struct standalone *ret, struct err *err)
{
	char *words[DEVICES_WORDS_MAX];
	const char *at = spec;
	int nr = 0, rc;

	while (at) {
		const size_t len = strcspn(at, ",");

		if (len == 0 || nr == DEVICES_WORDS_MAX)
			return err_text(err, EINVAL, "devices: --%s %s: %s", type, spec,
					len == 0 ? "an empty word" : "too many words");
		words[nr] = devices_word(at, len);
		if (!words[nr++])
			return err_set(err, ENOMEM, "devices");
		at = at[len] ? at + len + 1 : NULL;
	}
	rc = device_parse(v, type, nr, words, ret, err);
	return rc < 0 ? err_wrap(err, "devices: --%s", type) : 0;
}

/** struct devices - All of them, and what each needs to run */
struct devices {
	const struct vmrun *v;
	unsigned int nr;
	struct standalone wanted[SEVERAL_MAX];
};

static int devices_parse(struct devices *d, const struct devices_options *o, struct err *err)
{
	int rc = 0;

	for (unsigned int k = 0; k < KINDS; k++) {
		for (unsigned int i = 0; rc == 0 && i < o->list[k].nr; i++) {
			if (d->nr == SEVERAL_MAX)
				return err_text(err, EINVAL, "devices: more than %d devices",
						SEVERAL_MAX);
			rc = devices_parse_one(d->v, kind_table[k].name, o->list[k].item[i],
					       &d->wanted[d->nr++], err);
		}
	}
	if (rc == 0 && d->nr == 0)
		rc = err_text(err, EINVAL, "devices: none is given");
	return rc;
}

static int devices_run_one(void *arg, unsigned int i)
{
	const struct devices *d = arg;
	struct err err;
	const int rc = device_run(d->v, &d->wanted[i], &err);

	if (rc < 0)
		vmrun_error(d->v, &err);
	return rc;
}

static int devices(struct vmrun *v, const struct verb_args *args, struct err *err)
{
	struct devices d = {.v = v};
	const int rc = vmrun_usage(v, devices_parse(&d, args->opt, err));

	return rc < 0 ? rc : several_run(d.nr, devices_run_one, &d, err);
}

const struct verb verb_devices = {
	.name = "devices",
	.synopsis = "--TYPE vhost=SOCKET[,KEY[=VALUE]]... ...",
	.summary = "Run several devices alone, each in a jail of its own",
	.options = options,
	.opt_bytes = sizeof(struct devices_options),
	.stateless = true,
	.run = devices,
};
